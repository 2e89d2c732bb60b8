//! Upgrades from the states that earlier runtimes planted.

use crate::{
    common::*,
    planted_state::{path, said, Planted},
};
use codec::DecodeAll;
use openledger_primitives::{
    job::JobResult,
    leaf::{dataset_root, verify_leaf, version_of, DatasetRef},
    ContentId, DatasetLeaf, LeafVersion, RejectionReason, Serves, TrainingSpec, Verdict, EXTRACTOR,
    OPEN,
};
use openledger_runtime::{
    AccountId, Balances, Datanets, Executive, Leaderboard, Runtime, System, Training,
};
use pallet_training::migrations::{JobStateV1, JobV1};
use sp_core::storage::Storage;
use sp_keyring::Sr25519Keyring::{self, Bob, Charlie, Dave, Eve, Ferdie};
use sp_runtime::traits::Dispatchable;

/// The runtimes that left something behind.
const KEPT: [u32; 2] = [100, 102];

/// What a runtime left behind.
fn planted_by(spec_version: u32) -> Planted {
    let bytes = std::fs::read(path(spec_version)).expect("the fixture is committed");
    Planted::decode_all(&mut &bytes[..]).expect("a planted state")
}

/// What runtime 100 left behind.
fn planted() -> Planted {
    planted_by(100)
}

/// A chain that holds it, under today's runtime, before the upgrade.
fn chain(planted: &Planted) -> sp_io::TestExternalities {
    let top = planted.state.iter().cloned().collect();
    sp_io::TestExternalities::new(Storage { top, children_default: Default::default() })
}

/// That chain after the upgrade, from runtime 100.
fn upgraded(test: impl FnOnce(&Planted)) {
    upgraded_from(100, test);
}

fn upgraded_from(spec_version: u32, test: impl FnOnce(&Planted)) {
    let planted = planted_by(spec_version);
    chain(&planted).execute_with(|| {
        Executive::execute_on_runtime_upgrade();
        check_state();
        test(&planted);
    });
}

#[test]
fn the_planted_state_is_of_the_runtime_that_its_folder_names() {
    let planted = planted();
    chain(&planted).execute_with(|| {
        let last = frame_system::LastRuntimeUpgrade::<Runtime>::get().expect("a block was made");
        assert_eq!(last.spec_version.0, 100);
        assert!(pallet_review::Ballots::<Runtime>::iter_keys().count() == 5);
        // Its votes cannot be read without the migration, so this proves that it does something.
        assert!(pallet_review::Ballots::<Runtime>::iter().count() < 5);
    });
}

#[test]
fn each_planted_state_is_of_the_runtime_that_its_folder_names() {
    for spec_version in KEPT {
        chain(&planted_by(spec_version)).execute_with(|| {
            let last =
                frame_system::LastRuntimeUpgrade::<Runtime>::get().expect("a block was made");
            assert_eq!(last.spec_version.0, spec_version);
        });
    }
}

#[test]
fn a_chain_of_before_governance_counts_days_as_a_new_one_of_its_kind() {
    use openledger_runtime::parameters::{DayOfGovernance, NetworkLengths, WATCHED_DAY};
    for spec_version in KEPT {
        upgraded_from(spec_version, |_| {
            assert_eq!(
                DayOfGovernance::<Runtime>::get(),
                WATCHED_DAY,
                "it was a development chain"
            );
        });
        chain(&planted_by(spec_version)).execute_with(|| {
            NetworkLengths::<Runtime>::put(openledger_runtime::parameters::Lengths::default());
            Executive::execute_on_runtime_upgrade();
            assert_eq!(DayOfGovernance::<Runtime>::get(), openledger_runtime::DAY);
            // It is not taken anew.
            DayOfGovernance::<Runtime>::put(7);
            Executive::execute_on_runtime_upgrade();
            assert_eq!(DayOfGovernance::<Runtime>::get(), 7);
        });
    }
}

#[test]
fn validators_of_before_staking_keep_their_keys_bond_and_are_elected() {
    use frame_support::traits::Get;
    use openledger_runtime::{staking::pot, Session, Staking};
    for spec_version in KEPT {
        let planted = planted_by(spec_version);
        let keys = |who: &AccountId| pallet_session::NextKeys::<Runtime>::get(who);
        chain(&planted).execute_with(|| {
            let (validators, issued) =
                (Session::validators(), pallet_balances::TotalIssuance::<Runtime>::get());
            let before: Vec<_> = validators.iter().map(keys).collect();
            assert!(before.iter().all(Option::is_some));
            Executive::execute_on_runtime_upgrade();
            check_state();
            assert_eq!(Session::validators(), validators);
            assert_eq!(validators.iter().map(keys).collect::<Vec<_>>(), before);
            for validator in &validators {
                assert_eq!(
                    Staking::slashable_balance_of(validator),
                    openledger_runtime::staking::GENESIS_BOND
                );
            }
            assert_eq!(Balances::free_balance(pot::PotAccount::get()), pot::FLOOR);
            assert_eq!(pallet_staking::MinimumValidatorCount::<Runtime>::get(), 1);
            for _ in 0..80 {
                begin_block();
                end_block();
            }
            assert!(pallet_staking::ActiveEra::<Runtime>::get().is_some_and(|era| era.index > 0));
            assert_eq!(Session::validators(), validators);
            assert_eq!(pallet_balances::TotalIssuance::<Runtime>::get(), issued);
            // It is not begun anew.
            let bonded = pallet_staking::Bonded::<Runtime>::iter().count();
            Executive::execute_on_runtime_upgrade();
            assert_eq!(pallet_staking::Bonded::<Runtime>::iter().count(), bonded);
        });
    }
}

#[test]
fn validators_of_before_staking_who_have_nothing_to_bond_stay_until_others_stand() {
    use openledger_runtime::{Session, Staking};
    let planted = planted_by(102);
    chain(&planted).execute_with(|| {
        let validators = Session::validators();
        let [alice] = &validators[..] else { panic!("a development chain has one validator") };
        let free = Balances::free_balance(alice);
        dispatch(
            alice,
            pallet_balances::Call::transfer_keep_alive {
                dest: Ferdie.to_account_id().into(),
                value: free - OPEN / 2,
            },
        );
        Executive::execute_on_runtime_upgrade();
        check_state();
        assert_eq!(Staking::slashable_balance_of(alice), 0);
        assert_eq!(pallet_staking::MinimumValidatorCount::<Runtime>::get(), 1);
        for _ in 0..80 {
            begin_block();
            end_block();
        }
        assert_eq!(Session::validators(), validators);
    });
}

#[test]
fn a_chain_of_before_nomination_pools_has_them_on_the_terms_of_a_new_one() {
    use frame_support::traits::GetStorageVersion;
    use openledger_runtime::{staking::pools, DelegatedStaking, NominationPools};
    use pallet_nomination_pools::{Call, MinJoinBond};
    let new = genesis("development").execute_with(pools::terms);
    for spec_version in KEPT {
        upgraded_from(spec_version, |_| {
            assert_eq!(pools::terms(), new);
            assert_eq!(
                NominationPools::on_chain_storage_version(),
                NominationPools::in_code_storage_version()
            );
            assert_eq!(
                DelegatedStaking::on_chain_storage_version(),
                DelegatedStaking::in_code_storage_version()
            );
            begin_block();
            let eve = || Eve.to_account_id().into();
            let amount = new.min_create;
            dispatch(
                &Eve.to_account_id(),
                Call::create { amount, root: eve(), nominator: eve(), bouncer: eve() },
            );
            dispatch(&Dave.to_account_id(), Call::join { amount: new.min_join, pool_id: 1 });
            assert_eq!(pools::pool(1).map(|pool| pool.bonded), Some(amount + new.min_join));
            end_block();
            // What governance has set since is not taken back.
            MinJoinBond::<Runtime>::put(7);
            Executive::execute_on_runtime_upgrade();
            assert_eq!(pools::terms().min_join, 7);
            check_state();
        });
    }
}

/// Who owns what after the upgrade: the same, but for what the treasury gives the stakers' pot to exist.
fn owned_after(planted: &Planted) -> Vec<(AccountId, u128, u128)> {
    use frame_support::traits::Get;
    use openledger_runtime::staking::pot;
    let mut owned = planted.said.owned.clone();
    let treasury = owned.iter_mut().find(|(account, ..)| *account == treasury());
    treasury.expect("it was endowed").1 -= pot::FLOOR;
    owned.push((pot::PotAccount::get(), pot::FLOOR, 0));
    owned.sort();
    owned
}

#[test]
fn nothing_that_ranks_pays_or_proves_changes_in_an_upgrade() {
    for spec_version in KEPT {
        upgraded_from(spec_version, |planted| {
            let (before, now) = (&planted.said, said());
            assert_eq!(now.owned, owned_after(planted));
            assert_eq!(now.board, before.board);
            assert_eq!(now.versions, before.versions);
            assert_eq!(now.proofs, before.proofs);
            assert_eq!(now.votes, before.votes, "no vote is forgotten");
            assert_eq!(before.jobs.len(), 4);
            before.jobs.iter().for_each(|job| same_job(job));
        });
    }
}

/// Has blocks list the leaves of before, each of them three at most, and says how many blocks that took.
fn list_leaves() -> usize {
    use frame_support::{traits::Hooks, weights::constants::ParityDbWeight, weights::Weight};
    use pallet_datanets::{Unlisted, WeightInfo};
    let looks = ParityDbWeight::get().reads_writes(1, 1);
    let leaf = pallet_datanets::weights::SubstrateWeight::<Runtime>::list_leaf();
    let room = looks.saturating_add(leaf.saturating_mul(3));
    let mut blocks = 0;
    while let Some(next) = Unlisted::<Runtime>::get() {
        // No room, no work.
        assert_eq!(Datanets::on_idle(System::block_number(), Weight::zero()), Weight::zero());
        assert_eq!(Unlisted::<Runtime>::get(), Some(next));
        let used = Datanets::on_idle(System::block_number(), room);
        assert!(used.all_lte(room));
        // Those that still wait are known to, and none beside them.
        check_state();
        blocks += 1;
    }
    blocks
}

#[test]
fn accepted_files_are_listed_by_the_blocks_after_an_upgrade_however_many_there_are() {
    use pallet_datanets::{Settled, Unlisted};
    for spec_version in KEPT {
        upgraded_from(spec_version, |_| {
            assert_eq!(Unlisted::<Runtime>::get(), Some((0, 0)));
            assert_eq!(Settled::<Runtime>::iter_keys().count(), 0);
            // A file that is accepted meanwhile is listed at once, and once.
            begin_block();
            let (sha256, submission) = pending(0, 11);
            let verdict = accept(60, 18, 1);
            for curator in [Bob, Charlie] {
                let vote = pallet_review::Call::vote { datanet: 0, sha256, submission, verdict };
                dispatch(&curator.to_account_id(), vote);
            }
            assert_eq!(Settled::<Runtime>::iter_keys().count(), 1);
            check_state();
            // Nine leaves, three Datanets, and the end; of three there is room for two after a look for what is to be forgotten.
            assert_eq!(list_leaves(), 13usize.div_ceil(2));
            assert_eq!(Settled::<Runtime>::iter_keys().count(), 9);
            // The upgrade is not run anew, and neither is this.
            Executive::execute_on_runtime_upgrade();
            assert_eq!(Unlisted::<Runtime>::get(), None);
        });
    }
}

#[test]
fn files_of_before_an_upgrade_are_found_by_number_and_contributor_and_nobodys_time_is_cut() {
    use openledger_primitives::api::{SubmissionKey, SubmissionState};
    for spec in [100, 102] {
        upgraded_from(spec, |_| {
            let now = System::block_number();
            list_leaves();
            let mut found = Vec::new();
            for who in [id(&user(1)), id(&user(2))] {
                for view in Datanets::submissions_of(&who, None, 100) {
                    assert_eq!(view.contributor, who);
                    let key = SubmissionKey::Number(view.submission);
                    assert_eq!(
                        Datanets::submission(view.datanet, key).map(|view| view.submission),
                        Some(view.submission)
                    );
                    if let SubmissionState::Pending { since, acceptable_at, expires_at, .. } =
                        view.state
                    {
                        assert_eq!(since, now);
                        assert!(acceptable_at <= now && expires_at > now);
                    }
                    found.push(view.submission);
                }
            }
            // Of twelve and four, 5 was taken back and 10 refused, when the chain kept no refusals.
            found.sort_unstable();
            let all: Vec<u64> = (0..16).filter(|n| ![5, 10].contains(n)).collect();
            assert_eq!(found, all);
            let sha256 = item(b"file 6").sha256;
            let sent = pallet_datanets::Call::withdraw { datanet: 0, sha256 };
            dispatch(&id(&user(1)), sent);
            check_state();
        });
    }
}

/// Whether a job says the same as before, in today's words.
fn same_job(before: &[u8]) {
    let (id, old) = <(u64, JobV1<AccountId>)>::decode_all(&mut &before[..]).expect("a job");
    let job = Training::job(id).expect("it is there");
    assert_eq!((&job.owner, job.base, job.kind), (&old.owner, old.base, old.kind));
    assert_eq!((&job.datasets[..], job.spec), (&old.datasets[..], old.spec));
    assert_eq!((job.token_ceiling, job.budget), (old.token_ceiling, old.budget));
    assert_eq!((job.deadline, job.attempts, job.deposit), (old.deadline, old.attempts, 0));
    assert_eq!(job.price_per_token, old.budget / u128::from(old.token_ceiling));
    let had = match old.state {
        JobStateV1::Assigned { assignment, .. }
        | JobStateV1::Training { assignment, .. }
        | JobStateV1::Submitted { assignment, .. }
        | JobStateV1::Completed { assignment } => Some((assignment.worker, assignment.price)),
        _ => None,
    };
    let has = job.assignment().map(|assignment| (assignment.worker.clone(), assignment.price));
    assert_eq!(has, had, "the price that was fixed stays");
    assert_eq!(Training::jobs_of(job.owner, id, 1)[0].0, id);
}

#[test]
fn the_market_of_before_an_upgrade_goes_on_after_it() {
    for spec_version in KEPT {
        upgraded_from(spec_version, |_| {
            begin_block();
            let (eve, ferdie) = (Eve.to_account_id(), Ferdie.to_account_id());
            let training = |job: u64| Training::job(job).expect("it is there").state.name();
            assert_eq!(
                [0, 1, 2, 3].map(training),
                ["completed", "training", "queued", "cancelled"]
            );
            let (owner, worker) = (total(&eve), total(&ferdie));
            let datasets = Training::job(1).expect("it is there").datasets;
            let result = JobResult {
                content: ContentId::raw([3; 32]),
                sha256: [3; 32],
                size: 1,
                eval_loss_before: 3,
                eval_loss_after: 2,
                tokens: 9,
                dataset_root: dataset_root(&datasets),
                checkpoints_root: Default::default(),
                influence_root: Default::default(),
            };
            dispatch(&ferdie, pallet_training::Call::submit_result { job: 1, result });
            // The worker that has not opted in gets nothing; what waits, waits.
            assert_eq!(training(2), "queued");
            for _ in 0..5 {
                end_block();
                begin_block();
            }
            // A thousand tokens at what was fixed before: the budget is more.
            let price = 1_000 * 1_000_000_000;
            assert_eq!((total(&eve), total(&ferdie)), (owner - price, worker + price));
            dispatch(
                &ferdie,
                pallet_training::Call::update_worker {
                    kinds: vec![Training::job(2).expect("it is there").kind]
                        .try_into()
                        .expect("one fits"),
                    price_per_token: 1_000_000_000,
                    endpoint: Default::default(),
                    serves: Serves::UpTo(1 << 30),
                    tokens_per_second: 1_000,
                },
            );
            assert_eq!(training(2), "assigned");
            // What ended before has no deposit, and can be forgotten like anything else.
            dispatch(&eve, pallet_training::Call::prune_job { job: 3 });
            assert_eq!(Training::job(3), None);
            end_block();
            check_state();
        });
    }
}

#[test]
fn leaves_of_the_first_shape_keep_their_bytes_hashes_and_proofs() {
    upgraded(|planted| {
        assert_eq!(planted.said.proofs.len(), 29);
        for proof in &planted.said.proofs {
            let leaf = DatasetLeaf::<AccountId>::decode_all(&mut &proof.leaf[..]).expect("a leaf");
            assert_eq!((leaf.version, proof.leaf.len()), (LeafVersion::V1, 118));
            assert_eq!(leaf.hash(), proof.hash);
            let stored = pallet_datanets::Leaves::<Runtime>::get(proof.datanet, proof.index);
            assert_eq!(stored.as_ref(), Some(&leaf));
            let version =
                Datanets::version_at(proof.datanet, proof.leaves).expect("the version is there");
            assert!(verify_leaf(&version, proof.index, &leaf, proof.proof.clone()));
        }
    });
}

fn pending(datanet: u32, n: u32) -> ([u8; 32], u64) {
    let sha256 = item(format!("file {n}").as_bytes()).sha256;
    let view = Datanets::pending(datanet, None, 100)
        .into_iter()
        .find(|view| view.item.sha256 == sha256)
        .expect("the file waits");
    (sha256, view.submission)
}

/// Votes by a signed transaction; answers the fee that was paid.
fn vote(who: Sr25519Keyring, datanet: u32, n: u32, verdict: Verdict) -> u128 {
    let (sha256, submission) = pending(datanet, n);
    let call = pallet_review::Call::vote { datanet, sha256, submission, verdict };
    let before = fees_paid().iter().sum::<u128>();
    let nonce = System::account_nonce(who.to_account_id());
    let owned = total(&who.to_account_id());
    apply(sign(&who.pair(), nonce, call)).expect("valid").expect("dispatched");
    let fee = fees_paid().iter().sum::<u128>() - before;
    assert_eq!(owned - total(&who.to_account_id()), fee);
    fee
}

#[test]
fn who_voted_to_accept_before_an_upgrade_is_asked_again_at_no_cost() {
    upgraded(|_| {
        begin_block();
        // Of two votes that Datanet 0 asks for, Bob's was measured by extractor 1.
        assert!(vote(Charlie, 0, 6, accept(80, 18, 6)) > 0);
        pending(0, 6);
        assert_eq!(vote(Bob, 0, 6, accept(90, 18, 6)), 0);
        let leaf = Datanets::leaves(0, 7, 1).remove(0).leaf;
        assert_eq!(leaf.version, LeafVersion::V2 { extractor: EXTRACTOR });
        assert_eq!(leaf.score.get(), 80);

        // A refusal from before goes on counting; two of three asked again.
        assert!(vote(Bob, 0, 7, Verdict::Reject(RejectionReason::OffTopic)) > 0);
        assert!(Datanets::pending(0, None, 100).iter().all(|view| view.submission != 7));
        assert!(vote(Bob, 1, 23, accept(60, 21, 1)) > 0);
        assert_eq!(vote(Charlie, 1, 23, accept(70, 21, 1)), 0);
        assert_eq!(vote(Dave, 1, 23, accept(75, 21, 1)), 0);
        assert_eq!(Datanets::datanet(1).expect("it is there").version.leaves, 2);
        end_block();
    });
}

#[test]
fn a_vote_measured_by_the_extractor_before_is_refused_after_an_upgrade() {
    upgraded(|_| {
        let (sha256, submission) = pending(0, 6);
        let Verdict::Accept { score, units, text_root, .. } = accept(80, 700, 6) else {
            unreachable!("it accepts")
        };
        let verdict = Verdict::Accept { score, units, text_root, extractor: EXTRACTOR - 1 };
        let refused = openledger_runtime::RuntimeCall::from(pallet_review::Call::vote {
            datanet: 0,
            sha256,
            submission,
            verdict,
        })
        .dispatch(openledger_runtime::RuntimeOrigin::signed(Charlie.to_account_id()));
        assert_eq!(
            refused.expect_err("it is refused").error,
            pallet_review::Error::<Runtime>::OtherExtractor.into()
        );
    });
}

#[test]
fn a_datanet_goes_on_growing_over_leaves_of_both_shapes() {
    upgraded(|planted| {
        begin_block();
        vote(Charlie, 0, 6, accept(80, 18, 6));
        vote(Bob, 0, 6, accept(90, 18, 6));
        end_block();
        let leaves: Vec<_> =
            Datanets::leaves(0, 0, 100).into_iter().map(|view| view.leaf).collect();
        let versions: Vec<_> = leaves.iter().map(|leaf| leaf.version).collect();
        assert_eq!(versions[..7], [LeafVersion::V1; 7]);
        assert_eq!(versions[7..], [LeafVersion::V2 { extractor: EXTRACTOR }]);
        for count in 0..=8u64 {
            let version = Datanets::version_at(0, count).expect("it was there");
            // What a worker or a stranger computes from the leaves alone.
            assert_eq!(version, version_of(leaves[..count as usize].iter().map(DatasetLeaf::hash)));
            if count < 8 {
                assert_eq!(Some(&version), planted.said.versions[0].get(count as usize));
            }
            for index in 0..count {
                let proof = Datanets::leaf_proof(0, index, count).expect("it is there");
                assert!(verify_leaf(&version, index, &leaves[index as usize], proof));
            }
        }
    });
}

#[test]
fn an_adapter_of_before_an_upgrade_is_trained_further_after_it() {
    upgraded(|_| {
        assert!(Training::parents(0, 100).is_empty(), "no job of before has a parent");
        let version = Datanets::version_at(0, 7).expect("it was there");
        let refine = |parent: u64, lora_r: u16| {
            openledger_runtime::RuntimeCall::from(pallet_training::Call::refine_adapter {
                parent,
                base: 0,
                datasets: vec![DatasetRef { datanet: 0, version }].try_into().expect("one fits"),
                spec: TrainingSpec { lora_r, ..Default::default() },
                token_ceiling: 1_000,
                price_per_token: OPEN / 1_000,
                deadline: System::block_number() + 100,
            })
            .dispatch(openledger_runtime::RuntimeOrigin::signed(Eve.to_account_id()))
            .map(|_| ())
            .map_err(|refused| refused.error)
        };
        type Error = pallet_training::Error<Runtime>;
        assert_eq!(refine(0, 16), Err(Error::ParentLoraR.into()));
        assert_eq!(refine(1, 8), Err(Error::UnknownParent.into()), "it is still in training");
        assert_eq!(refine(0, 8), Ok(()));
        assert_eq!(Training::ancestry(4, 100), [0]);
        check_state();
    });
}

#[test]
fn the_first_block_of_a_new_runtime_migrates_and_the_next_ones_do_not() {
    let planted = planted();
    chain(&planted).execute_with(|| {
        begin_block();
        assert_eq!(pallet_review::CurrentExtractor::<Runtime>::get(), EXTRACTOR);
        assert_eq!(said().votes, planted.said.votes);
        end_block();
        let ballots: Vec<_> = pallet_review::Ballots::<Runtime>::iter().collect();
        Executive::execute_on_runtime_upgrade();
        begin_block();
        end_block();
        assert_eq!(pallet_review::Ballots::<Runtime>::iter().collect::<Vec<_>>(), ballots);
    });
}

#[test]
fn pools_of_before_shares_pay_on_and_what_is_left_is_nobodys() {
    for spec in [100, 102] {
        let planted = planted_by(spec);
        chain(&planted).execute_with(|| {
            Executive::execute_on_runtime_upgrade();
            check_state();
            assert_eq!(said().owned, owned_after(&planted), "nobody gains or loses");
            let pool = Leaderboard::pool_view(0).expect("it was funded");
            assert!(pool.available > 0);
            assert_eq!((pool.shares, pool.unowned), (pool.available, pool.available));
            // The funder of before holds nothing that it could take out; a new one only what it pays.
            let (alice, eve) = (Sr25519Keyring::Alice.to_account_id(), Eve.to_account_id());
            assert_eq!(Leaderboard::share_view(0, &alice), None);
            let rules = rules(0);
            dispatch(&eve, pallet_leaderboard::Call::fund { datanet: 0, amount: OPEN, rules });
            let share = Leaderboard::share_view(0, &eve).expect("a funder");
            assert_eq!((share.shares, share.worth), (OPEN, OPEN));
            // The owner's terms wait, as in any pool.
            let terms = openledger_primitives::RewardTerms {
                per_period: u128::MAX,
                max_per_point: u128::MAX,
            };
            dispatch(&alice, pallet_leaderboard::Call::set_terms { datanet: 0, terms });
            let waiting = Leaderboard::pool_view(0).and_then(|pool| pool.waiting);
            assert_eq!(waiting.map(|waiting| waiting.terms), Some(terms));
            check_state();
            let before: Vec<_> = pallet_leaderboard::PoolFunds::<Runtime>::iter().collect();
            Executive::execute_on_runtime_upgrade();
            assert_eq!(
                pallet_leaderboard::PoolFunds::<Runtime>::iter().collect::<Vec<_>>(),
                before
            );
        });
    }
}
