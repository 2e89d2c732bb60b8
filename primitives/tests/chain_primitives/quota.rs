//! The daily quota as a value.

use openledger_primitives::{DailyQuota, QuotaExceeded, QuotaLimits};
use proptest::prelude::*;

const LIMITS: QuotaLimits = QuotaLimits { files: 20, bytes: 1_000 };

#[test]
fn an_account_has_20_files_and_10_mib_a_day() {
    assert_eq!(QuotaLimits::ACCOUNT, QuotaLimits { files: 20, bytes: 10_485_760 });
    let limits = QuotaLimits::ACCOUNT;
    let mut quota = DailyQuota::default();
    assert_eq!(quota.try_consume(7, 20, 10_485_760, &limits), Ok(()));
    assert_eq!(
        quota.try_consume(7, 1, 0, &limits),
        Err(QuotaExceeded::Files { total: 21, limit: 20 })
    );
    assert_eq!(
        quota.try_consume(7, 0, 1, &limits),
        Err(QuotaExceeded::Bytes { total: 10_485_761, limit: 10_485_760 })
    );
    assert_eq!(quota.try_consume(8, 20, 10_485_760, &limits), Ok(()));
}

#[test]
fn files_are_looked_at_before_bytes() {
    let mut quota = DailyQuota::default();
    assert_eq!(
        quota.try_consume(0, 21, 1_001, &LIMITS),
        Err(QuotaExceeded::Files { total: 21, limit: 20 })
    );
}

#[test]
fn amounts_beyond_all_numbers_are_refused_and_not_wrapped() {
    let mut quota = DailyQuota { day: 3, files: 5, bytes: 5 };
    let before = quota;
    assert_eq!(
        quota.try_consume(3, u32::MAX, 0, &LIMITS),
        Err(QuotaExceeded::Files { total: u64::from(u32::MAX) + 5, limit: 20 })
    );
    assert_eq!(
        quota.try_consume(3, 0, u64::MAX, &LIMITS),
        Err(QuotaExceeded::Bytes { total: u64::MAX, limit: 1_000 })
    );
    assert_eq!(quota, before);
}

#[test]
fn a_clock_that_goes_backwards_resets_nothing() {
    let mut quota = DailyQuota::default();
    assert_eq!(quota.try_consume(10, 20, 0, &LIMITS), Ok(()));
    assert!(quota.try_consume(9, 1, 0, &LIMITS).is_err());
    assert_eq!(quota.remaining(9, &LIMITS), QuotaLimits { files: 0, bytes: 1_000 });
    assert_eq!(quota.remaining(11, &LIMITS), LIMITS);
}

#[test]
fn refusals_name_value_and_limit() {
    let words = QuotaExceeded::Files { total: 21, limit: 20 }.to_string();
    assert!(words.contains("21") && words.contains("20"));
    let words = QuotaExceeded::Bytes { total: 1_001, limit: 1_000 }.to_string();
    assert!(words.contains("1001") && words.contains("1000"));
}

proptest! {
    #[test]
    fn no_day_ever_sees_more_than_its_limits(
        uses in prop::collection::vec((0u32..6, 0u32..12, 0u64..700), 1..60),
    ) {
        let mut quota = DailyQuota::default();
        let mut latest = 0;
        // What was let through, counted for each day by itself.
        let mut days = std::collections::BTreeMap::<u32, (u32, u64)>::new();
        for (day, files, bytes) in uses {
            let before = quota;
            // A day of the past counts as the latest one.
            let counted = day.max(latest);
            let left = quota.remaining(day, &LIMITS);
            let fits = files <= left.files && bytes <= left.bytes;
            prop_assert_eq!(quota.try_consume(day, files, bytes, &LIMITS).is_ok(), fits);
            if fits {
                latest = counted;
                let used = days.entry(counted).or_default();
                used.0 += files;
                used.1 += bytes;
                prop_assert_eq!(quota, DailyQuota { day: counted, files: used.0, bytes: used.1 });
            } else {
                prop_assert_eq!(quota, before);
            }
        }
        for (files, bytes) in days.into_values() {
            prop_assert!(files <= LIMITS.files && bytes <= LIMITS.bytes);
        }
    }

    #[test]
    fn used_and_remaining_add_up_to_the_limits(files in 0u32..=20, bytes in 0u64..=1_000, day in 0u32..9) {
        let mut quota = DailyQuota::default();
        prop_assert!(quota.try_consume(day, files, bytes, &LIMITS).is_ok());
        let left = quota.remaining(day, &LIMITS);
        prop_assert_eq!((left.files + files, left.bytes + bytes), (20, 1_000));
    }
}

#[test]
fn a_share_is_rounded_up_and_never_above_the_whole() {
    let whole = QuotaLimits { files: 3, bytes: 10 };
    assert_eq!(whole.share(25), QuotaLimits { files: 1, bytes: 3 });
    assert_eq!(whole.share(100), whole);
    assert_eq!(whole.share(1), QuotaLimits { files: 1, bytes: 1 });
    let most = QuotaLimits { files: u32::MAX, bytes: u64::MAX };
    assert_eq!(most.share(100), most);
    assert!(most.share(99).bytes < most.bytes);
}
