use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{
    BarReason, DailyQuota, QuotaLimits, Refusal, RefusalRule, MILLISECONDS_PER_DAY,
};
use pallet_datanets::{Error, Quotas};

const MIB: u32 = 1024 * 1024;

fn refusal(who: AccountId, datanet: u32, n: u32, size: u32) -> Refusal {
    Datanets::check_submission(&who, datanet, &[file(n, size)]).unwrap_err()
}

#[test]
fn the_twentieth_file_of_a_day_is_taken_and_the_next_is_not() {
    on_chain(|| {
        let (one, other) = (set_up(), create(None));
        assert_ok!(submit(ALICE, one, files(0..12, 1)));
        assert_ok!(submit(ALICE, other, files(0..7, 1)));
        assert_ok!(submit(ALICE, one, vec![file(100, 1)]));
        // Over all Datanets together.
        for datanet in [one, other] {
            assert_eq!(
                refusal(ALICE, datanet, 101, 1),
                Refusal::of_call(RefusalRule::DailyFiles, 21, 20)
            );
            assert_noop!(submit(ALICE, datanet, vec![file(101, 1)]), Error::<Test>::DailyFiles);
        }
        // Nobody else's day is touched.
        assert_ok!(submit(BOB, one, vec![file(101, 1)]));
    });
}

#[test]
fn a_day_takes_ten_mebibytes_and_not_one_byte_more() {
    on_chain(|| {
        let datanet = set_up();
        assert_eq!(
            refusal(ALICE, datanet, 1, 10 * MIB + 1),
            Refusal::of_call(RefusalRule::DailyBytes, 10 * 1_048_576 + 1, 10 * 1_048_576)
        );
        assert_ok!(submit(ALICE, datanet, vec![file(1, 4 * MIB), file(2, 6 * MIB)]));
        assert_noop!(submit(ALICE, datanet, vec![file(3, 1)]), Error::<Test>::DailyBytes);
        assert_ok!(submit(BOB, datanet, vec![file(3, 10 * MIB)]));
    });
}

#[test]
fn sizes_that_add_up_beyond_all_bounds_are_refused() {
    on_chain(|| {
        let datanet = set_up();
        let refusal =
            Datanets::check_submission(&ALICE, datanet, &files(0..20, u32::MAX)).unwrap_err();
        assert_eq!(
            refusal,
            Refusal::of_call(RefusalRule::DailyBytes, 20 * u64::from(u32::MAX), 10 * 1_048_576)
        );
    });
}

#[test]
fn a_refused_submission_uses_no_quota() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, files(0..19, 1)));
        assert_noop!(submit(ALICE, datanet, files(20..22, 1)), Error::<Test>::DailyFiles);
        assert_eq!(Datanets::quota(&ALICE).used.files, 19);
        assert_ok!(submit(ALICE, datanet, vec![file(20, 1)]));
    });
}

#[test]
fn the_quota_renews_at_midnight_utc() {
    on_chain(|| {
        let datanet = set_up();
        let midnight = 20_001 * MILLISECONDS_PER_DAY;
        Now::set(midnight - 1);
        assert_ok!(submit(ALICE, datanet, files(0..20, 1)));
        assert_noop!(submit(ALICE, datanet, vec![file(20, 1)]), Error::<Test>::DailyFiles);
        Now::set(midnight);
        assert_eq!(Datanets::quota(&ALICE).used, DailyQuota { day: 20_001, files: 0, bytes: 0 });
        assert_ok!(submit(ALICE, datanet, vec![file(20, 5)]));
        assert_eq!(Quotas::<Test>::get(ALICE), DailyQuota { day: 20_001, files: 1, bytes: 5 });
    });
}

#[test]
fn a_clock_that_goes_backwards_renews_nothing() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, files(0..20, 1)));
        Now::mutate(|now| *now -= 2 * MILLISECONDS_PER_DAY);
        assert_noop!(submit(ALICE, datanet, vec![file(20, 1)]), Error::<Test>::DailyFiles);
        assert_eq!(Quotas::<Test>::get(ALICE).day, 20_000);
    });
}

#[test]
fn a_verdict_gives_no_quota_back() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, files(0..20, 1)));
        assert_ok!(settle(datanet, 0, reject()));
        assert_ok!(settle(datanet, 1, accept(100)));
        assert_ok!(Datanets::withdraw(signed(ALICE), datanet, hash(2)));
        assert_noop!(submit(ALICE, datanet, vec![file(0, 1)]), Error::<Test>::DailyFiles);
    });
}

#[test]
fn a_datanets_own_limit_holds_for_all_contributors_together() {
    on_chain(|| {
        set_up();
        let datanet = create(Some(QuotaLimits { files: 3, bytes: 100 }));
        assert_ok!(Datanets::set_caps(signed(OWNER), datanet, limits(3, 100), 100));
        assert_ok!(submit(ALICE, datanet, files(0..2, 10)));
        assert_eq!(
            Datanets::check_submission(&BOB, datanet, &files(2..4, 10)),
            Err(Refusal::of_call(RefusalRule::DatanetDailyFiles, 4, 3))
        );
        assert_noop!(submit(BOB, datanet, files(2..4, 10)), Error::<Test>::DatanetDailyFiles);
        assert_eq!(
            refusal(BOB, datanet, 2, 81),
            Refusal::of_call(RefusalRule::DatanetDailyBytes, 101, 100)
        );
        assert_noop!(submit(BOB, datanet, vec![file(2, 81)]), Error::<Test>::DatanetDailyBytes);
        assert_ok!(submit(BOB, datanet, vec![file(2, 80)]));
        assert_noop!(submit(ALICE, datanet, vec![file(3, 1)]), Error::<Test>::DatanetDailyFiles);
        // Other Datanets go on, and the next day is a new one.
        assert_ok!(submit(ALICE, 0, vec![file(3, 1)]));
        Now::mutate(|now| *now += MILLISECONDS_PER_DAY);
        assert_ok!(submit(ALICE, datanet, vec![file(3, 1)]));
    });
}

fn limits(files: u32, bytes: u64) -> Option<QuotaLimits> {
    Some(QuotaLimits { files, bytes })
}

/// The audit's attack: one account declares what it never serves, and a capped Datanet is shut.
#[test]
fn one_account_uses_no_more_than_its_share_of_a_datanets_day() {
    on_chain(|| {
        set_up();
        let datanet = create(limits(20, 10 * 1024 * 1024));
        // A quarter, unless the owner says otherwise.
        assert_eq!(
            refusal(ALICE, datanet, 1, 10 * MIB),
            Refusal::of_item(RefusalRule::ShareBytes, 0, 10 * 1_048_576, 2_621_440)
        );
        assert_noop!(submit(ALICE, datanet, vec![file(1, 10 * MIB)]), Error::<Test>::ShareBytes);
        assert_ok!(submit(ALICE, datanet, vec![file(1, 2_621_440)]));
        assert_eq!(
            refusal(ALICE, datanet, 2, 1),
            Refusal::of_call(RefusalRule::ShareBytes, 2_621_441, 2_621_440)
        );
        assert_eq!(
            Datanets::check_submission(&BOB, datanet, &files(2..8, 1)),
            Err(Refusal::of_call(RefusalRule::ShareFiles, 6, 5))
        );
        assert_ok!(submit(BOB, datanet, files(2..7, 1)));
        // The next day is a new one, and the owner may choose.
        later(1);
        assert_ok!(submit(ALICE, datanet, vec![file(20, 2_621_440)]));
        assert_ok!(Datanets::set_caps(signed(OWNER), datanet, limits(20, 10 * 1024 * 1024), 50));
        assert_ok!(submit(ALICE, datanet, vec![file(21, 2_621_440)]));
        assert_noop!(submit(ALICE, datanet, vec![file(22, 1)]), Error::<Test>::ShareBytes);
        // Without a limit there are no shares.
        assert_ok!(Datanets::set_caps(signed(OWNER), datanet, None, 1));
        assert_ok!(submit(ALICE, datanet, vec![file(22, 1)]));
        let caps = Datanets::caps(datanet).unwrap();
        assert_eq!((caps.daily_limit, caps.share, caps.account_limit), (None, 1, None));
    });
}

#[test]
fn only_the_owner_changes_caps_and_only_to_what_lets_something_in() {
    on_chain(|| {
        set_up();
        let datanet = create(limits(20, 1_000));
        take_events();
        for (who, id, limit, share, error) in [
            (ALICE, datanet, limits(1, 1), 25, Error::<Test>::NotOwner),
            (OWNER, 9, limits(1, 1), 25, Error::<Test>::UnknownDatanet),
            (OWNER, datanet, limits(0, 1), 25, Error::<Test>::InvalidDailyLimit),
            (OWNER, datanet, limits(1, 0), 25, Error::<Test>::InvalidDailyLimit),
            (OWNER, datanet, limits(1, 1), 0, Error::<Test>::InvalidShare),
            (OWNER, datanet, limits(1, 1), 101, Error::<Test>::InvalidShare),
        ] {
            assert_noop!(Datanets::set_caps(signed(who), id, limit, share), error);
        }
        assert_ok!(submit(ALICE, datanet, files(0..5, 50)));
        // A limit below what was used is used up, and not by more than itself.
        assert_ok!(Datanets::set_caps(signed(OWNER), datanet, limits(2, 100), 100));
        let caps = Datanets::caps(datanet).unwrap();
        assert_eq!((caps.used.files, caps.used.bytes), (2, 100));
        assert_noop!(submit(BOB, datanet, vec![file(9, 1)]), Error::<Test>::DatanetDailyFiles);
        assert_eq!(
            take_events().pop(),
            Some(pallet_datanets::Event::CapsSet {
                datanet,
                daily_limit: limits(2, 100),
                share: 100
            })
        );
    });
}

#[test]
fn a_barred_account_submits_nothing_more_there_and_reads_why() {
    on_chain(|| {
        let (datanet, other) = (set_up(), create(None));
        assert_ok!(submit(ALICE, datanet, vec![file(1, 1)]));
        let bar = |who, reason| Datanets::bar(signed(who), datanet, ALICE, reason);
        assert_noop!(bar(BOB, BarReason::Spam), Error::<Test>::NotOwner);
        assert_noop!(Datanets::unbar(signed(OWNER), datanet, ALICE), Error::<Test>::NotBarred);
        assert_ok!(bar(OWNER, BarReason::Unserved));
        assert_noop!(bar(OWNER, BarReason::Spam), Error::<Test>::AlreadyBarred);
        assert_eq!(
            refusal(ALICE, datanet, 2, 1),
            Refusal::of_call(RefusalRule::Barred, BarReason::Unserved.code().into(), 0)
        );
        assert_noop!(submit(ALICE, datanet, vec![file(2, 1)]), Error::<Test>::Barred);
        let read = Datanets::bar_of(datanet, &ALICE).unwrap();
        assert_eq!((read.reason, read.since), (BarReason::Unserved, 1));
        // Elsewhere it goes on, and what waited goes on waiting.
        assert_ok!(submit(ALICE, other, vec![file(2, 1)]));
        assert_ok!(settle(datanet, 1, accept(100)));
        assert_ok!(Datanets::unbar(signed(OWNER), datanet, ALICE));
        assert_eq!(Datanets::bar_of(datanet, &ALICE), None);
        assert_ok!(submit(ALICE, datanet, vec![file(3, 1)]));
    });
}

#[test]
fn an_account_has_so_many_files_waiting_and_no_more() {
    on_chain(|| {
        let datanet = set_up();
        for day in 0..3 {
            assert_ok!(submit(ALICE, datanet, files(day * 20..day * 20 + 20, 1)));
            later(1);
        }
        assert_eq!(
            refusal(ALICE, datanet, 100, 1),
            Refusal::of_call(RefusalRule::PendingFiles, 61, 60)
        );
        assert_noop!(submit(ALICE, datanet, vec![file(100, 1)]), Error::<Test>::PendingFiles);
        assert_ok!(submit(BOB, datanet, vec![file(100, 1)]));
        // Verdicts and withdrawals make room.
        assert_ok!(settle(datanet, 0, reject()));
        assert_ok!(Datanets::withdraw(signed(ALICE), datanet, hash(1)));
        assert_ok!(submit(ALICE, datanet, files(101..103, 1)));
        assert_noop!(submit(ALICE, datanet, vec![file(103, 1)]), Error::<Test>::PendingFiles);
    });
}

#[test]
fn leaving_and_coming_back_renews_no_quota() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, files(0..20, 1)));
        for n in 0..20 {
            assert_ok!(settle(datanet, n, reject()));
        }
        assert_noop!(Datanets::deregister(signed(ALICE), ALICE), Error::<Test>::HoldPeriod);
    });
}
