//! What stays in storage, and that damage to it is found.

use crate::mock::*;
use frame_support::{assert_ok, storage::unhashed, StorageHasher};
use openledger_primitives::{
    leaf::range_size, BarReason, DailyQuota, DatanetStatus, DatanetText, LeafVersion, QuotaLimits,
    Score, Verdict, EXTRACTOR,
};
use pallet_datanets::{
    Bar, Bars, CapShares, Contributors, Datanets as AllDatanets, Ended, Expiries, HoldReason,
    Leaves, NextDatanet, NextSubmission, Offers, OrderedBlock, OrderedSubmissionId, Pending,
    Precommits, Quotas, RangeNodes, RefusedFiles, Revocation, Revoked, Settled, SettledOf,
    ShareUse, Statuses, Submission, Submissions, Texts, Waiting,
};
use sp_core::H256;

/// Every key of this pallet.
fn keys() -> usize {
    let prefix = frame_support::Twox128::hash(b"Datanets");
    let mut key = prefix.to_vec();
    let mut count = 0;
    while let Some(next) = sp_io::storage::next_key(&key).filter(|key| key.starts_with(&prefix)) {
        assert!(unhashed::exists(&next));
        count += 1;
        key = next;
    }
    count
}

#[test]
fn an_accepted_file_leaves_its_leaf_its_nodes_its_record_and_two_ways_to_it() {
    on_chain(|| {
        let datanet = set_up();
        // The account's quota and the next number exist from the first submission on.
        accept_files(datanet, [100]);
        let (before, nodes_before) = (keys(), range_size(1));
        accept_files(datanet, 0..40);
        let nodes = range_size(41) - nodes_before;
        assert_eq!(keys() - before, 40 * 4 + nodes as usize);
        assert!(nodes <= 2 * 40);
    });
}

#[test]
fn refused_and_withdrawn_files_leave_nothing_in_the_end() {
    on_chain(|| {
        let datanet = set_up();
        accept_files(datanet, [100]);
        let before = keys();
        assert_ok!(submit(ALICE, datanet, files(0..20, 10)));
        // And the list of her waiting files.
        assert_eq!(keys() - before, 41);
        for n in 0..10 {
            assert_ok!(settle(datanet, n, reject()));
        }
        for n in 10..20 {
            assert_ok!(Datanets::withdraw(signed(ALICE), datanet, hash(n)));
        }
        // A refusal, when it goes, and two ways to it.
        assert_eq!(keys() - before, 10 * 4);
        later(30);
        assert_eq!(keys(), before);
    });
}

#[test]
fn a_contributor_who_leaves_leaves_nothing() {
    on_chain(|| {
        let before = keys();
        assert_ok!(Datanets::register(signed(ALICE)));
        assert_ok!(Datanets::deregister(signed(ALICE), ALICE));
        assert_eq!(keys(), before);
    });
}

/// Damages a busy chain and expects `try_state` to name it.
#[track_caller]
fn detects(words: &'static str, damage: impl FnOnce(u32)) {
    unchecked(|| {
        let datanet = set_up();
        let capped = create(Some(QuotaLimits { files: 5, bytes: 500 }));
        assert_ok!(Datanets::set_caps(signed(OWNER), capped, limit(), 60));
        accept_files(datanet, 0..5);
        assert_ok!(submit(ALICE, datanet, files(10..13, 10)));
        assert_ok!(submit(BOB, capped, files(10..12, 10)));
        // Refused, precommitted, revoked, barred, and a sponsor who is tired of it.
        assert_ok!(submit(BOB, datanet, files(20..22, 10)));
        assert_ok!(settle(datanet, 20, reject()));
        assert_ok!(settle(datanet, 21, Verdict::Unavailable));
        let promise = vec![H256::repeat_byte(5)].try_into().unwrap();
        assert_ok!(Datanets::precommit(signed(BOB), promise));
        assert_ok!(Datanets::revoke_leaf(signed(ALICE), datanet, 3));
        assert_ok!(Datanets::bar(signed(OWNER), datanet, SPONSOR, BarReason::Other));
        assert_ok!(Datanets::register_for(signed(SPONSOR), NEWCOMER));
        assert_ok!(Datanets::end_sponsorship(signed(SPONSOR), NEWCOMER));
        assert_ok!(Datanets::do_try_state());
        damage(datanet);
        assert_eq!(Datanets::do_try_state(), Err(words.into()));
    });
}

#[test]
fn damaged_numbers_are_detected() {
    detects("there is not one Datanet a number given out", |_| NextDatanet::<Test>::put(7));
    detects("there is not one Datanet a number given out", |id| {
        AllDatanets::<Test>::remove(id);
    });
    detects("a Datanet's units are out of order", |id| {
        change_datanet(id, |datanet| datanet.min_units = 0);
    });
    detects("a leaf's submission number was never given out", |_| {
        NextSubmission::<Test>::put(4);
    });
    detects("a pending submission's number was never given out", |_| {
        NextSubmission::<Test>::put(6);
    });
    detects("something is stored for an unknown Datanet", |_| {
        RangeNodes::<Test>::insert(50, 0, H256::zero());
    });
}

#[test]
fn damage_to_what_owners_said_is_detected() {
    detects("a status of an unknown Datanet", |_| {
        Statuses::<Test>::insert(50, DatanetStatus::Paused);
    });
    detects("the usual status is stored", |id| {
        Statuses::<Test>::insert(id, DatanetStatus::Open);
    });
    detects("a closed Datanet has a deposit, pending files or an offer", |id| {
        Statuses::<Test>::insert(id, DatanetStatus::Closed);
    });
    detects("a Datanet's text cannot be shown", |id| {
        let summary = b"\x1b".to_vec().try_into().unwrap();
        Texts::<Test>::insert(id, DatanetText { summary, ..Default::default() });
    });
    detects("a text of an unknown Datanet", |_| {
        Texts::<Test>::insert(50, DatanetText::default());
    });
    for (id, to) in [(0, OWNER), (50, BOB)] {
        detects("a Datanet is offered to its owner, or is none", |_| {
            Offers::<Test>::insert(id, to);
        });
    }
}

fn change_datanet(id: u32, change: impl FnOnce(&mut pallet_datanets::Datanet<AccountId>)) {
    AllDatanets::<Test>::mutate(id, |datanet| change(datanet.as_mut().unwrap()));
}

fn change_contributor(
    who: AccountId,
    change: impl FnOnce(&mut pallet_datanets::Contributor<AccountId>),
) {
    Contributors::<Test>::mutate(who, |contributor| change(contributor.as_mut().unwrap()));
}

#[test]
fn damaged_ranges_are_detected() {
    detects("a Datanet's leaves are not as many as it counts", |id| {
        change_datanet(id, |datanet| datanet.leaves += 1);
    });
    detects("a Datanet's leaves are not as many as it counts", |id| {
        Leaves::<Test>::remove(id, 2);
    });
    detects("a mountain range has not the nodes of its leaves", |id| {
        RangeNodes::<Test>::remove(id, 3);
    });
    detects("a mountain range has not the nodes of its leaves", |id| {
        RangeNodes::<Test>::insert(id, 99, H256::zero());
    });
    // A leaf, and a node above two leaves.
    for position in [0, 2] {
        detects("a node of a mountain range does not follow from the leaves", |id| {
            RangeNodes::<Test>::insert(id, position, H256::repeat_byte(1));
        });
    }
    detects("a node of a mountain range does not follow from the leaves", |id| {
        Leaves::<Test>::mutate(id, 2, |leaf| leaf.as_mut().unwrap().score = Score::MAX);
    });
    // Later than the leaf after it, or older than the one before.
    for (index, extractor) in [(2, EXTRACTOR + 1), (4, 1)] {
        detects("a leaf names an older extractor than one before it", |id| {
            Leaves::<Test>::mutate(id, index, |leaf| {
                leaf.as_mut().unwrap().version = match extractor {
                    1 => LeafVersion::V1,
                    extractor => LeafVersion::V2 { extractor },
                };
            });
        });
    }
    for extractor in [0, 1] {
        let words = match extractor {
            0 => "a leaf names an older extractor than one before it",
            _ => "a leaf of the second shape names an extractor of the first",
        };
        detects(words, |id| {
            Leaves::<Test>::mutate(id, 0, |leaf| {
                leaf.as_mut().unwrap().version = LeafVersion::V2 { extractor };
            });
        });
    }
    detects("a leaf has too few units", |id| {
        Leaves::<Test>::mutate(id, 2, |leaf| leaf.as_mut().unwrap().units = 9);
    });
    detects("a Datanet's units are not the sum of its leaves'", |id| {
        change_datanet(id, |datanet| datanet.units += 1);
    });
    detects("a leaf has no record", |id| {
        Submissions::<Test>::remove(id, hash(3));
    });
    detects("a leaf has no record", |id| {
        Submissions::<Test>::mutate(id, hash(3), |record| {
            let Some(Submission::Accepted { leaf, .. }) = record else { panic!("accepted") };
            *leaf = 4;
        });
    });
    detects("a record's leaf is missing", |id| {
        let accepted = Submissions::<Test>::get(id, hash(3)).unwrap();
        Submissions::<Test>::insert(id, hash(77), accepted);
    });
}

#[test]
fn damaged_pending_files_are_detected() {
    detects("a pending submission has no key", |id| {
        Pending::<Test>::remove(id, OrderedSubmissionId::from(6));
    });
    detects("a pending key has no submission", |id| {
        Submissions::<Test>::remove(id, hash(11));
    });
    detects("a pending key has no submission", |id| {
        Pending::<Test>::insert(id, OrderedSubmissionId::from(2), hash(2));
    });
    detects("a Datanet's pending files are not as many as it counts", |id| {
        change_datanet(id, |datanet| datanet.pending += 1);
    });
    detects("a contributor's pending files are not as many as it counts", |_| {
        change_contributor(ALICE, |contributor| contributor.pending = 0);
    });
    detects("who submitted a pending file is no contributor", |_| {
        Contributors::<Test>::remove(BOB);
    });
}

fn limit() -> Option<QuotaLimits> {
    Some(QuotaLimits { files: 5, bytes: 500 })
}

#[test]
fn damaged_lists_of_waiting_files_are_detected() {
    let counts = "a list of waiting files has not what its contributor counts";
    let change = |change: fn(&mut pallet_datanets::WaitingFiles)| {
        Waiting::<Test>::mutate(ALICE, change);
    };
    detects(counts, |_| change(|list| list.truncate(1)));
    detects(counts, |_| Waiting::<Test>::insert(NEWCOMER, Waiting::<Test>::get(ALICE)));
    detects("a list of waiting files names what does not wait", |_| {
        change(|list| list[0].submission = 99);
    });
    detects("a list of waiting files names what does not wait", |_| {
        change(|list| list[0].datanet = 1);
    });
    detects("a list of waiting files is out of order", |_| {
        change(|list| {
            let first = list.remove(0);
            list.try_push(first).unwrap();
        });
    });
    detects("a waiting file is older or younger than it can be", |_| {
        change(|list| list[0].age = list[0].since + 1);
    });
    detects("a waiting file is older or younger than it can be", |_| {
        change(|list| list[0].since = 99);
    });
    detects("a contributor with waiting files has no list of them", |_| {
        Waiting::<Test>::remove(ALICE);
    });
    detects("precommitments of nobody", |_| {
        Precommits::<Test>::insert(OWNER, Precommits::<Test>::get(BOB));
    });
    detects("precommitments of nobody", |_| {
        Precommits::<Test>::insert(ALICE, pallet_datanets::PrecommitsOf::default());
    });
    detects("a precommitment of a block to come", |_| {
        Precommits::<Test>::mutate(BOB, |list| list[0].at = 99);
    });
}

#[test]
fn damaged_settlements_are_detected() {
    let number = OrderedSubmissionId::from;
    let leaf = "a leaf is not found by its number and contributor";
    detects(leaf, |id| Settled::<Test>::remove(id, number(2)));
    detects(leaf, |id| Settled::<Test>::insert(id, number(2), hash(3)));
    detects(leaf, |_| SettledOf::<Test>::remove(ALICE, number(2)));
    detects(leaf, |id| SettledOf::<Test>::insert(ALICE, number(2), id + 1));
    let refused = "a refusal is not found by its number and contributor";
    detects(refused, |id| Settled::<Test>::remove(id, number(10)));
    detects(refused, |_| SettledOf::<Test>::remove(BOB, number(10)));
    detects("a settled submission has neither leaf nor refusal", |id| {
        Settled::<Test>::insert(id, number(9), hash(9));
    });
    detects("a settled submission has neither leaf nor refusal", |id| {
        SettledOf::<Test>::insert(BOB, number(9), id);
    });
    let change = |id, change: fn(&mut pallet_datanets::RefusedFile<AccountId>)| {
        RefusedFiles::<Test>::mutate(id, hash(20), |refused| change(refused.as_mut().unwrap()));
    };
    detects("a refusal never goes", |id| change(id, |refused| refused.kept_until += 1));
    detects("a refusal never goes", |id| {
        let refused = RefusedFiles::<Test>::get(id, hash(20)).unwrap();
        Expiries::<Test>::remove(OrderedBlock::from(refused.kept_until), number(10));
    });
    detects("a refusal's blocks are out of order", |id| change(id, |refused| refused.age += 1));
    detects("an expiry has no refusal", |id| {
        Expiries::<Test>::insert(OrderedBlock::from(9), number(9), (id, hash(9)));
    });
}

#[test]
fn damaged_permissions_are_detected() {
    for share in [0, 101] {
        detects("a share is not 1 to 100 percent", |id| CapShares::<Test>::insert(id, share));
    }
    for who in [ALICE, OWNER] {
        detects("a sponsorship ended that there is not", |_| Ended::<Test>::insert(who, 1));
    }
    let revocation = Revocation { at: 1, by_governance: true };
    detects("a leaf was revoked that there is not", |id| {
        Revoked::<Test>::insert(id, OrderedSubmissionId::from(5), revocation);
    });
    detects("a leaf was revoked in a block to come", |id| {
        let later = Revocation { at: System::block_number() as u32 + 1, by_governance: true };
        Revoked::<Test>::insert(id, OrderedSubmissionId::from(1), later);
    });
    let unknown = "something is stored for an unknown Datanet";
    detects(unknown, |_| CapShares::<Test>::insert(50, 25));
    detects(unknown, |_| ShareUse::<Test>::insert(50, ALICE, DailyQuota::default()));
    detects(unknown, |_| {
        Bars::<Test>::insert(50, ALICE, Bar { reason: BarReason::Spam, since: 1 });
    });
    detects(unknown, |id| {
        let refused = RefusedFiles::<Test>::get(id, hash(20)).unwrap();
        RefusedFiles::<Test>::insert(50, hash(20), refused);
    });
}

#[test]
fn damaged_holds_are_detected() {
    let words = "less is held on an account than its records say";
    detects(words, |_| change_contributor(BOB, |contributor| contributor.hold += 1));
    detects(words, |_| change_contributor(BOB, |contributor| contributor.depositor = NEWCOMER));
    detects(words, |id| change_datanet(id, |datanet| datanet.deposit += 1));
    for (reason, who) in [(HoldReason::Contributor, ALICE), (HoldReason::Datanet, OWNER)] {
        detects(words, |_| {
            use frame_support::traits::{fungible::MutateHold, tokens::Precision};
            assert_ok!(Balances::release(&reason.into(), &who, 1, Precision::Exact));
        });
    }
}

#[test]
fn overdrawn_quotas_are_detected() {
    for (files, bytes) in [(21, 0), (0, 10 * 1024 * 1024 + 1)] {
        detects("an account's daily quota is overdrawn", |_| {
            Quotas::<Test>::insert(NEWCOMER, DailyQuota { day: 1, files, bytes });
        });
    }
    for (files, bytes) in [(6, 0), (0, 501)] {
        detects("a Datanet's daily limit is overdrawn", |id| {
            change_datanet(id + 1, |datanet| {
                datanet.used = DailyQuota { day: 1, files, bytes };
            });
        });
    }
}
