use crate::mock::*;
use frame_support::assert_ok;
use openledger_primitives::{
    api::{PendingView, QuotaStatus},
    DailyQuota, MediaType, Modality, QuotaLimits,
};

#[test]
fn the_quota_is_shown_as_it_is_today() {
    on_chain(|| {
        let datanet = set_up();
        let nothing = DailyQuota { day: 20_000, files: 0, bytes: 0 };
        let limits = QuotaLimits { files: 20, bytes: 10_485_760 };
        assert_eq!(
            Datanets::quota(&NEWCOMER),
            QuotaStatus { day: 20_000, used: nothing, limits, registered: false }
        );
        assert_ok!(submit(ALICE, datanet, files(0..2, 30)));
        assert_eq!(
            Datanets::quota(&ALICE),
            QuotaStatus {
                day: 20_000,
                used: DailyQuota { day: 20_000, files: 2, bytes: 60 },
                limits,
                registered: true
            }
        );
    });
}

#[test]
fn datanets_are_listed_in_pages() {
    on_chain(|| {
        set_up();
        for _ in 0..104 {
            // The owner's deposits would run out.
            let owner = SPONSOR;
            assert_ok!(Balances::force_set_balance(
                RuntimeOrigin::root(),
                owner,
                100 * openledger_primitives::OPEN
            ));
            assert_ok!(Datanets::create_datanet(
                signed(owner),
                name("Poems"),
                Modality::Audio,
                1,
                2,
                None,
                policy()
            ));
        }
        let ids = |start, limit| {
            Datanets::datanets(start, limit).iter().map(|view| view.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(0, 3), vec![0, 1, 2]);
        assert_eq!(ids(103, 3), vec![103, 104]);
        assert_eq!(ids(0, u32::MAX).len(), 100);
        assert!(ids(105, 100).is_empty());
        assert!(ids(u32::MAX, u32::MAX).is_empty());
        assert!(ids(0, 0).is_empty());
        let view = Datanets::datanet(1).unwrap();
        assert_eq!(
            (view.owner, view.name, view.modality),
            (SPONSOR, b"Poems".to_vec(), Modality::Audio)
        );
        assert_eq!(view.policy, None);
        assert_eq!(Datanets::datanet(105), None);
    });
}

#[test]
fn pending_files_are_listed_in_order_of_submission() {
    on_chain(|| {
        let datanet = set_up();
        // Numbers beyond one byte: their order must not be that of little-endian bytes.
        for n in 0..300u32 {
            let who = NEWCOMER + u64::from(n / 20);
            if n % 20 == 0 {
                assert_ok!(Datanets::register_for(signed(SPONSOR), who));
            }
            assert_ok!(submit(who, datanet, vec![file(n, 30)]));
        }
        assert_ok!(settle(datanet, 255, reject()));
        let mut seen = Vec::new();
        loop {
            let page = Datanets::pending(datanet, seen.last().copied(), 70);
            if page.is_empty() {
                break;
            }
            seen.extend(page.iter().map(|view| view.submission));
        }
        assert_eq!(seen, (0..300).filter(|n| *n != 255).collect::<Vec<u64>>());
        // A page begins after a number that is no longer there.
        assert_eq!(Datanets::pending(datanet, Some(255), 1)[0].submission, 256);
        assert_eq!(Datanets::pending(datanet, None, u32::MAX).len(), 100);
        assert!(Datanets::pending(datanet, Some(u64::MAX), 9).is_empty());
        assert!(Datanets::pending(datanet + 1, None, 9).is_empty());
        assert_eq!(
            Datanets::pending(datanet, Some(6), 1),
            vec![PendingView { submission: 7, contributor: NEWCOMER, item: file(7, 30) }]
        );
    });
}

#[test]
fn leaves_are_listed_with_what_fetching_needs() {
    on_chain(|| {
        let datanet = set_up();
        accept_files(datanet, 0..7);
        let page = Datanets::leaves(datanet, 5, 100);
        assert_eq!(page.iter().map(|view| view.index).collect::<Vec<_>>(), vec![5, 6]);
        assert_eq!(page[0].leaf.sha256, hash(5));
        assert_eq!((page[0].content, page[0].media), (file(5, 1).content, MediaType::Md));
        assert_eq!(Datanets::leaves(datanet, 2, 3).len(), 3);
        assert!(Datanets::leaves(datanet, 7, 3).is_empty());
        assert!(Datanets::leaves(datanet, u64::MAX, 100).is_empty());
        assert!(Datanets::leaves(datanet + 1, 0, 100).is_empty());
    });
}
