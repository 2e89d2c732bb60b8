use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{Modality, QuotaLimits, OPEN};
use pallet_datanets::{Error, Event, HoldReason};
use sp_runtime::{traits::BadOrigin, DispatchError, TokenError};

fn create_with(
    label: &str,
    min: u64,
    max: u64,
    limit: Option<QuotaLimits>,
) -> sp_runtime::DispatchResult {
    Datanets::create_datanet(signed(OWNER), name(label), Modality::Text, min, max, limit, policy())
}

#[test]
fn creating_a_datanet_holds_its_deposit_and_sets_its_policy() {
    on_chain(|| {
        take_events();
        assert_ok!(create_with("Poems", 1, 1, None));
        assert_ok!(create_with("Recipes", 10, 20, Some(QuotaLimits { files: 1, bytes: 1 })));
        assert_eq!(held(HoldReason::Datanet, OWNER), 20 * OPEN);
        assert_eq!(Policies::get(), vec![(0, policy()), (1, policy())]);
        assert_eq!(
            take_events(),
            vec![
                Event::DatanetCreated { datanet: 0, owner: OWNER },
                Event::DatanetCreated { datanet: 1, owner: OWNER },
            ]
        );
        let recipes = datanet(1);
        assert_eq!(recipes.name, name("Recipes"));
        assert_eq!((recipes.min_units, recipes.max_units), (10, 20));
        assert_eq!((recipes.leaves, recipes.pending, recipes.units), (0, 0, 0));
    });
}

#[test]
fn a_name_is_readable_text() {
    on_chain(|| {
        for bad in
            ["", "  ", "\u{1b}[31mred", "two\nlines", "gnp\u{202e}.txt", "Open\u{200c}Ledger"]
        {
            assert_noop!(create_with(bad, 1, 2, None), Error::<Test>::InvalidName);
        }
        let not_utf8 = vec![0xff, 0xfe].try_into().unwrap();
        assert_noop!(
            Datanets::create_datanet(signed(OWNER), not_utf8, Modality::Text, 1, 2, None, policy()),
            Error::<Test>::InvalidName
        );
        assert_ok!(create_with("Gedichte, größer und schöner ✨", 1, 2, None));
        // Persian is spelled with joiners.
        assert_ok!(create_with("نمی\u{200c}خواهم", 1, 2, None));
        assert_ok!(create_with(&"x".repeat(64), 1, 2, None));
    });
}

#[test]
fn units_are_at_least_one_and_in_order() {
    on_chain(|| {
        assert_noop!(create_with("Poems", 0, 5, None), Error::<Test>::InvalidUnits);
        assert_noop!(create_with("Poems", 6, 5, None), Error::<Test>::InvalidUnits);
        assert_ok!(create_with("Poems", 5, 5, None));
    });
}

#[test]
fn a_datanet_asks_for_no_more_units_than_a_file_can_have() {
    on_chain(|| {
        let create = |modality: Modality, min| {
            Datanets::create_datanet(
                signed(OWNER),
                name("x"),
                modality,
                min,
                u64::MAX,
                None,
                policy(),
            )
        };
        for modality in Modality::ALL {
            let most = modality.max_units();
            assert_noop!(create(modality, most + 1), Error::<Test>::InvalidUnits);
            assert_ok!(create(modality, most));
        }
    });
}

#[test]
fn a_daily_limit_lets_something_in() {
    on_chain(|| {
        for (files, bytes) in [(0, 1), (1, 0)] {
            let limit = Some(QuotaLimits { files, bytes });
            assert_noop!(create_with("Poems", 1, 2, limit), Error::<Test>::InvalidDailyLimit);
        }
    });
}

#[test]
fn a_policy_that_review_refuses_creates_nothing() {
    on_chain(|| {
        RefusePolicies::set(true);
        let call = RuntimeCall::Datanets(pallet_datanets::Call::create_datanet {
            name: name("Poems"),
            modality: Modality::Text,
            min_units: 1,
            max_units: 2,
            daily_limit: None,
            policy: policy(),
        });
        use sp_runtime::traits::Dispatchable;
        let failed = call.dispatch(signed(OWNER)).unwrap_err();
        assert_eq!(failed.error, DispatchError::Other("policy refused"));
        assert_eq!(pallet_datanets::NextDatanet::<Test>::get(), 0);
        assert_eq!(held(HoldReason::Datanet, OWNER), 0);
        assert!(pallet_datanets::Datanets::<Test>::get(0).is_none());
    });
}

#[test]
fn who_cannot_pay_the_deposit_creates_nothing() {
    on_chain(|| {
        assert_noop!(
            Datanets::create_datanet(
                signed(NEWCOMER),
                name("Poems"),
                Modality::Text,
                1,
                2,
                None,
                policy()
            ),
            TokenError::FundsUnavailable
        );
        assert_noop!(
            Datanets::create_datanet(
                RuntimeOrigin::root(),
                name("Poems"),
                Modality::Text,
                1,
                2,
                None,
                policy()
            ),
            BadOrigin
        );
    });
}
