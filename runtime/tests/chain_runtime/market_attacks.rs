//! What thieves did to jobs and disputes, replayed through the runtime's door: who goes first, waits, lies,
//! keeps others busy, or comes with a second account.

use crate::{common::*, stories::begun};
use frame_support::traits::{schedule::DispatchTime, Get, StorePreimage};
use openledger_primitives::{
    api::DisputeView,
    job::{
        dispute::{finding_commitment, Finding, Outcome, DRAW_AGAIN, DRAW_DELAY},
        DeclineReason, JobFailure, JobResult, JobState,
    },
    leaf::{dataset_root, leaves_out, DatasetRef},
    Balance, ContentId, JobId, JobKind, Serves, TrainingSpec, OPEN,
};
use openledger_runtime::{
    parameters::WorkerNotice, AccountId, Datanets, Preimage, Runtime, RuntimeCall, RuntimeOrigin,
    System, Training,
};
use pallet_training::{Call, MAX_DUTIES};
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{Bob, Dave, Eve, Ferdie};
use sp_runtime::{traits::Dispatchable, DispatchError};
use Finding::{Holds, NotReproduced};

type Error = pallet_training::Error<Runtime>;

const STAKE: Balance = 3 * OPEN;
const CEILING: u64 = 1_000;

fn attempt(who: &AccountId, call: impl Into<RuntimeCall>) -> Result<(), DispatchError> {
    call.into()
        .dispatch(RuntimeOrigin::signed(who.clone()))
        .map(drop)
        .map_err(|refused| refused.error)
}

fn refused(who: &AccountId, call: Call<Runtime>, error: Error) {
    assert_eq!(attempt(who, call), Err(error.into()));
}

fn pass(blocks: u32) {
    for _ in 0..blocks {
        end_unchecked_block();
        begin_block();
    }
}

/// One of five workers that have opted in to base model 0; the first of them has the lowest floor.
fn worker(n: u32) -> AccountId {
    id(&user(5 + n))
}

/// A chain with an accepted file, base model 0 and five workers. Bob pays for jobs; Mallory, the first
/// worker, does them.
fn market(test: impl FnOnce(&AccountId, &AccountId)) {
    begun().execute_with(|| {
        begin_block();
        let accounts = (Bob.to_account_id(), worker(0));
        let before: Balance = pallet_balances::TotalIssuance::<Runtime>::get();
        test(&accounts.0, &accounts.1);
        end_block();
        assert_eq!(pallet_balances::TotalIssuance::<Runtime>::get(), before);
    });
}

/// Queues a job of so many OPEN.
fn job(owner: &AccountId, price: Balance) -> JobId {
    let version = Datanets::datanet(0).expect("it is there").version;
    let datasets = vec![DatasetRef { datanet: 0, version }].try_into().expect("one fits");
    let number = pallet_training::NextJob::<Runtime>::get();
    let call = Call::create_job {
        base: 0,
        datasets,
        spec: TrainingSpec::default(),
        token_ceiling: CEILING,
        price_per_token: price / Balance::from(CEILING),
        deadline: System::block_number() + 2_000,
    };
    dispatch(owner, call);
    number
}

fn state(job: JobId) -> JobState<AccountId> {
    Training::job(job).expect("on record").state
}

fn result(job: JobId) -> JobResult {
    JobResult {
        content: ContentId::raw([2; 32]),
        sha256: [2; 32],
        size: 1,
        eval_loss_before: 3_000_000,
        eval_loss_after: 2_000_000,
        tokens: 1,
        dataset_root: dataset_root(&Training::job(job).expect("on record").datasets),
        checkpoints_root: H256::zero(),
        influence_root: H256::zero(),
    }
}

/// A job whose result the first worker has posted.
fn posted(owner: &AccountId, price: Balance) -> JobId {
    let job = job(owner, price);
    dispatch(&worker(0), Call::take { job });
    dispatch(&worker(0), Call::submit_result { job, result: result(job) });
    job
}

fn dispute(job: JobId) -> DisputeView<AccountId> {
    Training::dispute_of(job).expect("disputed")
}

fn drawn(job: JobId) -> Vec<AccountId> {
    dispute(job).drawn.into_iter().map(|verifier| verifier.worker).collect()
}

fn salt(who: &AccountId) -> [u8; 32] {
    *who.as_ref()
}

fn commit(job: JobId, who: &AccountId, finding: Finding) {
    let commitment = finding_commitment(job, who, finding, &salt(who));
    dispatch(who, Call::commit_finding { job, commitment });
}

fn reveal(job: JobId, who: &AccountId, finding: Finding) {
    dispatch(who, Call::reveal_finding { job, finding, salt: salt(who) });
}

/// All that were drawn find the same.
fn found(job: JobId, finding: Finding) {
    let all = drawn(job);
    all.iter().for_each(|who| commit(job, who, finding));
    pass(1);
    all.iter().for_each(|who| reveal(job, who, finding));
    pass(1);
}

#[test]
fn a_friend_who_disputes_first_shields_no_false_result() {
    market(|owner, mallory| {
        let job = posted(owner, 10 * OPEN);
        let (friend, honest) = (Eve.to_account_id(), Dave.to_account_id());
        let before = (total(mallory), total(&friend), total(owner));
        // Before anybody else can, in the block of the result.
        dispatch(&friend, Call::dispute { job });
        refused(&honest, Call::dispute { job }, Error::WrongState);
        pass(DRAW_DELAY);
        let judges = drawn(job);
        assert!(!judges.contains(mallory) && !judges.contains(&friend));
        found(job, NotReproduced);
        assert_eq!(state(job), JobState::Failed(JobFailure::Refuted));
        // Half of the price is more than the stake; her friend has its stake back and nothing else.
        assert_eq!(total(mallory), before.0 - 5 * OPEN);
        assert_eq!((total(&friend), total(owner)), (before.1, before.2));
    });
}

#[test]
fn who_keeps_all_judges_busy_is_judged_all_the_same() {
    market(|owner, mallory| {
        // Four can judge, and three of them each time: with one of them away all others are busy after
        // so many sham disputes, none of which is lost.
        dispatch(&worker(4), Call::pause {});
        let friend = Eve.to_account_id();
        let shams: Vec<JobId> = (0..MAX_DUTIES).map(|_| posted(owner, OPEN)).collect();
        shams.iter().for_each(|job| dispatch(&friend, Call::dispute { job: *job }));
        pass(DRAW_DELAY);
        let fraud = posted(owner, 50 * OPEN);
        dispatch(&friend, Call::dispute { job: fraud });
        pass(DRAW_DELAY);
        let before = total(mallory);
        pass(2);
        assert!(matches!(state(fraud), JobState::Disputed { .. }), "she was paid: {before}");
        assert!(drawn(fraud).is_empty());
        for job in &shams {
            drawn(*job).iter().for_each(|who| commit(*job, who, Holds));
        }
        pass(1);
        for job in &shams {
            drawn(*job).iter().for_each(|who| reveal(*job, who, Holds));
        }
        pass(DRAW_AGAIN);
        assert_eq!(drawn(fraud).len(), 3, "they have room again");
        found(fraud, NotReproduced);
        assert_eq!(state(fraud), JobState::Failed(JobFailure::Refuted));
        let gone = dispute(fraud).outcome;
        assert_eq!(gone, Some(Outcome::Upheld));
    });
}

#[test]
fn workers_that_register_before_a_dispute_and_leave_after_it_judge_nothing() {
    market(|owner, mallory| {
        pass(WorkerNotice::<Runtime>::get());
        let job = posted(owner, 300 * OPEN);
        let kinds: Vec<JobKind> = JobKind::all().collect();
        let sybils: Vec<AccountId> = (20..32).map(|n| id(&user(n))).collect();
        for who in &sybils {
            let register = Call::register_worker {
                kinds: kinds.clone().try_into().expect("all fit"),
                price_per_token: 300 * OPEN,
                endpoint: Default::default(),
                serves: Serves::Models(vec![0].try_into().expect("one fits")),
                tokens_per_second: 32,
            };
            let (dest, value) = (who.clone().into(), 200 * OPEN);
            let endow = pallet_balances::Call::transfer_keep_alive { dest, value };
            dispatch(&Dave.to_account_id(), endow);
            dispatch(who, register);
        }
        let before = total(mallory);
        dispatch(owner, Call::dispute { job });
        pass(DRAW_DELAY);
        let judges = drawn(job);
        assert!(judges.iter().all(|who| !sybils.contains(who)), "{judges:?}");
        found(job, Holds);
        assert!(matches!(state(job), JobState::Completed { .. }));
        assert_eq!(total(mallory), before + 300 * OPEN);
        // A bond judges for one account at a time.
        refused(&judges[0], Call::deregister_worker {}, Error::StillBonded);
        pass(WorkerNotice::<Runtime>::get());
        dispatch(&judges[0], Call::deregister_worker {});
    });
}

#[test]
fn a_worker_cannot_take_its_bond_away_before_it_is_judged() {
    market(|owner, mallory| {
        let job = posted(owner, OPEN);
        refused(mallory, Call::deregister_worker {}, Error::WorkerHasOpenResults);
        dispatch(&Eve.to_account_id(), Call::dispute { job });
        refused(mallory, Call::deregister_worker {}, Error::WorkerHasOpenResults);
        // Nor is less at stake for a job that costs next to nothing.
        pass(DRAW_DELAY);
        found(job, NotReproduced);
        assert_eq!(
            Training::worker(mallory.clone()).map(|worker| worker.bond),
            Some(100 * OPEN - STAKE)
        );
        dispatch(mallory, Call::deregister_worker {});
    });
}

#[test]
fn who_judges_cannot_leave_nor_copy_nor_change_its_mind() {
    market(|owner, _| {
        let job = posted(owner, OPEN);
        dispatch(&Eve.to_account_id(), Call::dispute { job });
        pass(DRAW_DELAY);
        let all = drawn(job);
        refused(&all[0], Call::deregister_worker {}, Error::WorkerIsDrawn);
        commit(job, &all[0], NotReproduced);
        // The second copies the first one's hash, and cannot open it.
        let commitment = finding_commitment(job, &all[0], NotReproduced, &salt(&all[0]));
        dispatch(&all[1], Call::commit_finding { job, commitment });
        let again = Call::commit_finding { job, commitment: H256::zero() };
        refused(&all[0], again, Error::CommittedBefore);
        let early = Call::reveal_finding { job, finding: NotReproduced, salt: salt(&all[0]) };
        refused(&all[0], early, Error::RevealTooEarly);
        commit(job, &all[2], Holds);
        pass(1);
        reveal(job, &all[0], NotReproduced);
        for who in [&all[0], &all[1]] {
            let copied = Call::reveal_finding { job, finding: NotReproduced, salt: *who.as_ref() };
            refused(&all[1], copied, Error::OtherCommitment);
        }
        // Having seen the first one's finding, the third cannot say the same.
        let other = Call::reveal_finding { job, finding: NotReproduced, salt: salt(&all[2]) };
        refused(&all[2], other, Error::OtherCommitment);
        reveal(job, &all[2], Holds);
        refused(
            &all[2],
            Call::reveal_finding { job, finding: Holds, salt: salt(&all[2]) },
            Error::RevealedBefore,
        );
    });
}

#[test]
fn an_owner_who_disputes_what_is_right_pays_for_the_adapter_and_for_the_judges() {
    market(|owner, mallory| {
        let job = posted(owner, 20 * OPEN);
        let before = (total(owner), total(mallory));
        dispatch(owner, Call::dispute { job });
        // It has the adapter's address, and gets out of nothing.
        refused(owner, Call::cancel_job { job }, Error::WrongState);
        pass(DRAW_DELAY);
        assert!(!drawn(job).contains(owner));
        found(job, Holds);
        assert!(matches!(state(job), JobState::Completed { .. }));
        assert_eq!(total(owner), before.0 - 20 * OPEN - STAKE);
        assert_eq!(total(mallory), before.1 + 20 * OPEN);
    });
}

#[test]
fn an_owner_who_is_a_worker_too_is_not_drawn_for_its_own_job() {
    market(|_, mallory| {
        let (owner, disputer) = (worker(1), worker(2));
        let job = posted(&owner, OPEN);
        // With worker and owner that leaves three; with the disputer among the workers only two.
        refused(&disputer, Call::dispute { job }, Error::TooFewVerifiers);
        assert_eq!(pallet_balances::Pallet::<Runtime>::reserved_balance(&disputer), 100 * OPEN);
        dispatch(&Eve.to_account_id(), Call::dispute { job });
        pass(DRAW_DELAY);
        let all = drawn(job);
        assert_eq!(all.len(), 3);
        assert!(!all.contains(&owner) && !all.contains(mallory));
    });
}

#[test]
fn disputing_everything_costs_three_open_each_and_keeps_no_worker_from_its_pay() {
    market(|owner, mallory| {
        let vandal = Ferdie.to_account_id();
        let jobs: Vec<JobId> = (0..4).map(|_| posted(owner, 5 * OPEN)).collect();
        let before = (total(&vandal), total(mallory));
        jobs.iter().for_each(|job| dispatch(&vandal, Call::dispute { job: *job }));
        pass(DRAW_DELAY);
        for job in &jobs {
            found(*job, Holds);
        }
        // The owner may still dispute what a stranger did, for a window.
        pass(3);
        assert!(jobs.iter().all(|job| matches!(state(*job), JobState::Completed { .. })));
        assert_eq!(total(&vandal), before.0 - 4 * STAKE);
        assert_eq!(total(mallory), before.1 + 20 * OPEN);
        // It learns nothing from it that would let it do so again: each job is disputed once.
        refused(&vandal, Call::dispute { job: jobs[0] }, Error::WrongState);
    });
}

#[test]
fn who_declines_again_and_again_does_not_rest_less_by_registering_anew() {
    market(|owner, mallory| {
        for _ in 0..2 {
            let job = job(owner, OPEN);
            dispatch(mallory, Call::decline { job, reason: DeclineReason::Other });
        }
        let record = Training::worker(mallory.clone()).expect("registered");
        assert!(record.paused && record.rests_until > System::block_number());
        // In one batch, for two fees.
        let anew = Call::register_worker {
            kinds: JobKind::all().collect::<Vec<_>>().try_into().expect("all fit"),
            price_per_token: 1,
            endpoint: Default::default(),
            serves: Serves::Models(vec![0].try_into().expect("one fits")),
            tokens_per_second: 32,
        };
        let calls = vec![Call::deregister_worker {}.into(), anew.into()];
        let batch: RuntimeCall = pallet_utility::Call::batch_all { calls }.into();
        assert_eq!(attempt(mallory, batch), Err(Error::StillResting.into()));
        assert!(Training::worker(mallory.clone()).is_some_and(|worker| worker.paused));
    });
}

#[test]
fn junk_that_is_called_off_again_and_again_costs_its_owner_and_sends_no_worker_to_rest() {
    market(|_, mallory| {
        let vandal = Ferdie.to_account_id();
        let before = total(&vandal);
        for _ in 0..6 {
            let job = job(&vandal, OPEN);
            let first = Training::job(job).expect("on record");
            let who = first.assignment().expect("somebody is idle").worker.clone();
            dispatch(&who, Call::decline { job, reason: DeclineReason::FilesUnavailable });
            dispatch(&vandal, Call::cancel_job { job });
            dispatch(&vandal, Call::prune_job { job });
        }
        let third = OPEN / 10 / 3;
        assert_eq!(total(&vandal), before - 6 * third);
        assert!((0..5).all(|n| Training::worker(worker(n)).is_some_and(|of| !of.paused)));
        assert!(Training::worker(mallory.clone()).is_some_and(|of| of.declines == 0));
    });
}

#[test]
fn workers_that_call_each_job_unusable_kill_none_while_others_train_and_come_to_rest() {
    market(|owner, _| {
        // Three of seven.
        for n in 10..12 {
            let who = id(&user(n));
            let (dest, value) = (who.clone().into(), 200 * OPEN);
            let endow = pallet_balances::Call::transfer_keep_alive { dest, value };
            dispatch(&Dave.to_account_id(), endow);
            let register = Call::register_worker {
                kinds: JobKind::all().collect::<Vec<_>>().try_into().expect("all fit"),
                price_per_token: 20,
                endpoint: Default::default(),
                serves: Serves::Models(vec![0].try_into().expect("one fits")),
                tokens_per_second: 32,
            };
            dispatch(&who, register);
        }
        pass(WorkerNotice::<Runtime>::get());
        let sybils: Vec<AccountId> = (0..3).map(worker).collect();
        for _ in 0..4 {
            let job = job(owner, OPEN);
            loop {
                let now = Training::job(job).expect("on record");
                let who = now.assignment().expect("not ended, and somebody is idle").worker.clone();
                if !sybils.contains(&who) {
                    dispatch(&who, Call::take { job });
                    dispatch(&who, Call::submit_result { job, result: result(job) });
                    // Whom another job keeps busy: one worker's word counts once.
                    dispatch(&who, Call::pause {});
                    break;
                }
                dispatch(&who, Call::decline { job, reason: DeclineReason::Unusable });
            }
        }
        for who in &sybils {
            let record = Training::worker(who.clone()).expect("registered");
            assert!(record.paused && record.rests_until > System::block_number());
            refused(who, Call::deregister_worker {}, Error::StillResting);
        }
    });
}

#[test]
fn an_owner_whose_own_worker_trains_what_others_cannot_fetch_sends_none_of_them_to_rest() {
    market(|_, honest| {
        let (vandal, own) = (Ferdie.to_account_id(), worker(1));
        for _ in 0..6 {
            let job = job(&vandal, OPEN);
            dispatch(honest, Call::decline { job, reason: DeclineReason::FilesUnavailable });
            dispatch(&own, Call::take { job });
            dispatch(&own, Call::submit_result { job, result: result(job) });
        }
        let record = Training::worker(honest.clone()).expect("registered");
        assert!(!record.paused && record.declines == 1, "{record:?}");
    });
}

#[test]
fn what_a_worker_declined_hides_no_job_from_it() {
    market(|owner, honest| {
        (1..5).for_each(|n| dispatch(&worker(n), Call::pause {}));
        let vandal = Ferdie.to_account_id();
        for _ in 0..40 {
            let job = job(&vandal, 2 * OPEN);
            dispatch(honest, Call::decline { job, reason: DeclineReason::FilesUnavailable });
        }
        let first = job(owner, OPEN);
        dispatch(honest, Call::take { job: first });
        let second = job(owner, OPEN);
        dispatch(honest, Call::submit_result { job: first, result: result(first) });
        pass(2);
        let given = Training::job(second).expect("on record");
        assert_eq!(given.assignment().map(|assignment| &assignment.worker), Some(honest));
    });
}

#[test]
fn a_job_is_paid_once_however_often_its_result_is_posted_or_its_end_is_asked_for() {
    market(|owner, mallory| {
        let job = posted(owner, 5 * OPEN);
        let before = (total(owner), total(mallory));
        let again = Call::submit_result { job, result: result(job) };
        refused(mallory, again.clone(), Error::WrongState);
        refused(mallory, Call::decline { job, reason: DeclineReason::Other }, Error::WrongState);
        pass(10);
        assert!(matches!(state(job), JobState::Completed { .. }));
        assert_eq!(total(mallory), before.1 + 5 * OPEN);
        for (who, call) in [
            (mallory, again),
            (owner, Call::cancel_job { job }),
            (owner, Call::prune_job { job }),
            (owner, Call::dispute { job }),
        ] {
            refused(who, call, Error::WrongState);
        }
        assert_eq!(total(owner), before.0 - 5 * OPEN);
    });
}

#[test]
fn a_worker_that_claims_all_steps_at_once_earns_no_more_when_it_is_called_off() {
    market(|owner, mallory| {
        let job = job(owner, 64 * OPEN);
        dispatch(mallory, Call::take { job });
        dispatch(mallory, Call::heartbeat { job, step: 1_000, total_steps: 1_000 });
        let before = (total(owner), total(mallory));
        pass(1);
        dispatch(owner, Call::cancel_job { job });
        // 1,000 tokens at 32 a second and 3 s a block take 11 blocks, of which one has passed.
        let paid = total(mallory) - before.1;
        assert!(paid > 0 && paid <= 64 * OPEN / 10, "{paid}");
        assert_eq!(before.0 - total(owner), paid);
    });
}

#[test]
fn a_stranger_who_prunes_gets_nothing_and_an_owner_keeps_its_deposit() {
    market(|owner, _| {
        let job = job(owner, OPEN);
        let before = total(owner);
        dispatch(owner, Call::cancel_job { job });
        let stranger = Ferdie.to_account_id();
        refused(&stranger, Call::prune_job { job }, Error::TooEarly);
        let had = total(&stranger);
        System::set_block_number(System::block_number() + 28_801);
        dispatch(&stranger, Call::prune_job { job });
        assert_eq!((total(&stranger), total(owner)), (had, before));
    });
}

#[test]
fn a_contributor_who_revokes_shuts_no_later_version_of_the_datanet() {
    market(|owner, _| {
        let contributor = id(&user(5));
        let before = job(owner, OPEN);
        dispatch(&contributor, pallet_datanets::Call::revoke_leaf { datanet: 0, leaf: 0 });
        let beside = job(owner, OPEN);
        pass(1);
        // The version holds the leaf for ever, and so does every later one; jobs are queued all the same.
        let after = job(owner, OPEN);
        let revoked = Datanets::revocations(0, 0, 100);
        assert_eq!(revoked.len(), 1);
        let out = |job| leaves_out(Training::created_at(job), revoked[0].at);
        assert_eq!([before, beside, after].map(out), [false, false, true]);
        // What one job leaves out is the same whenever it is asked.
        pass(3);
        assert_eq!([before, beside, after].map(out), [false, false, true]);
        dispatch(owner, Call::cancel_job { job: after });
        dispatch(owner, Call::prune_job { job: after });
        assert_eq!(Training::created_at(after), 0);
    });
}

/// A budget is paid in spite of locks: by a worker of the owner's own, its OPEN would vote again from the next
/// account, and a small holder passed a referendum.
#[test]
fn a_budget_does_not_vote_and_votes_pay_no_budget() {
    use pallet_conviction_voting::{AccountVote, Call as Voting, Conviction, Vote};
    market(|bob, _| {
        let remark = frame_system::Call::<Runtime>::remark { remark: vec![] };
        let proposal = Preimage::bound(RuntimeCall::from(remark)).expect("it is short");
        let submit = pallet_referenda::Call::submit {
            proposal_origin: Box::new(frame_system::RawOrigin::Root.into()),
            proposal,
            enactment_moment: DispatchTime::After(0),
        };
        dispatch(&Eve.to_account_id(), submit);
        let vote = || {
            let vote = Vote { aye: true, conviction: Conviction::Locked6x };
            let vote = AccountVote::Standard { vote, balance: OPEN };
            RuntimeCall::from(Voting::vote { poll_index: 0, vote })
        };
        let delegate = || {
            RuntimeCall::from(Voting::delegate {
                class: 0,
                to: Eve.to_account_id().into(),
                conviction: Conviction::Locked1x,
                balance: OPEN,
            })
        };
        let poor: DispatchError =
            pallet_conviction_voting::Error::<Runtime>::InsufficientFunds.into();
        let queued = job(bob, 10 * OPEN);
        for call in [vote(), delegate()] {
            assert_eq!(attempt(bob, call), Err(poor));
        }
        dispatch(bob, Call::cancel_job { job: queued });
        dispatch(bob, vote());
        let version = Datanets::datanet(0).expect("it is there").version;
        let offer = || Call::create_job {
            base: 0,
            datasets: vec![DatasetRef { datanet: 0, version }].try_into().expect("one fits"),
            spec: TrainingSpec::default(),
            token_ceiling: CEILING,
            price_per_token: OPEN,
            deadline: System::block_number() + 2_000,
        };
        refused(bob, offer(), Error::OpenVotes);
        // Once the vote is taken back and nothing is locked, it may.
        let class = Some(0);
        dispatch(bob, Voting::remove_vote { class, index: 0 });
        refused(bob, offer(), Error::OpenVotes);
        dispatch(bob, Voting::unlock { class: 0, target: bob.clone().into() });
        dispatch(bob, offer());
    });
}

/// A job of one step shows nothing before its end: called off just before, it had its worker for nothing, and held
/// it as long as the owner liked.
#[test]
fn a_job_of_one_step_pays_for_the_time_that_it_took() {
    market(|bob, mallory| {
        let called_off_after = |total_steps: u32, blocks: u32| {
            let job = job(bob, 10 * OPEN);
            dispatch(mallory, Call::take { job });
            if total_steps > 0 {
                dispatch(mallory, Call::heartbeat { job, step: 0, total_steps });
            }
            pass(blocks);
            let before = total(mallory);
            dispatch(bob, Call::cancel_job { job });
            total(mallory) - before
        };
        assert_eq!(called_off_after(1, 0), 0);
        let worker = pallet_training::Workers::<Runtime>::get(mallory).expect("registered");
        let named = Training::windows().training(CEILING, worker.rate);
        let share = 10 * OPEN * Balance::from(named / 4) / Balance::from(named);
        assert_eq!(called_off_after(1, named / 4), share);
        assert_eq!(called_off_after(1, named), 5 * OPEN);
        // Who shows nothing of many steps is paid for one of them; who has not even said how many, for none.
        assert_eq!(called_off_after(100, named), OPEN / 10);
        assert_eq!(called_off_after(0, named), 0);
    });
}
