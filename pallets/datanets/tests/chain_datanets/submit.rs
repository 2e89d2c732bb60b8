use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{
    api::SubmissionItem, traits::Submissions as _, MediaType, Modality, Refusal, RefusalRule,
};
use pallet_datanets::{Error, Event, Submission, Submissions};
use sp_runtime::traits::BadOrigin;

/// Dispatch, and the check that pool and clients use, refuse alike.
#[track_caller]
fn refused(who: AccountId, datanet: u32, items: Vec<SubmissionItem>, refusal: Refusal) {
    assert_eq!(Datanets::check_submission(&who, datanet, &items), Err(refusal));
    if items.len() <= 20 {
        let error = Error::<Test>::from(refusal);
        assert_eq!(format!("{error:?}"), format!("{:?}", refusal.rule));
        assert_noop!(submit(who, datanet, items), error);
    }
}

#[test]
fn submitted_files_wait_under_their_hash() {
    on_chain(|| {
        let datanet = set_up();
        take_events();
        let big = SubmissionItem { content: tree(9), ..file(2, 3_000_000) };
        assert_ok!(submit(ALICE, datanet, vec![file(1, 10), big]));
        assert_ok!(submit(BOB, datanet, vec![file(3, 10)]));
        assert_eq!(
            Submissions::<Test>::get(datanet, hash(2)),
            Some(Submission::Pending {
                id: 1,
                contributor: ALICE,
                content: tree(9),
                size: 3_000_000,
                media: MediaType::Md
            })
        );
        let third =
            <Datanets as openledger_primitives::traits::Submissions<_>>::pending(datanet, &hash(3))
                .unwrap();
        assert_eq!((third.submission, third.contributor), (2, BOB));
        assert_eq!(Datanets::owner(datanet), Some(OWNER));
        assert_eq!(this_datanet_pending(datanet), (3, 2, 1));
        assert_eq!(
            take_events(),
            [(0, ALICE, 1), (1, ALICE, 2), (2, BOB, 3)]
                .map(|(submission, contributor, n)| Event::Submitted {
                    datanet,
                    submission,
                    contributor,
                    sha256: hash(n)
                })
                .to_vec()
        );
    });
}

fn this_datanet_pending(id: u32) -> (u32, u32, u32) {
    (datanet(id).pending, contributor(ALICE).pending, contributor(BOB).pending)
}

#[test]
fn only_contributors_submit() {
    on_chain(|| {
        let datanet = create(None);
        refused(
            ALICE,
            datanet,
            vec![file(1, 10)],
            Refusal::of_call(RefusalRule::NotRegistered, 0, 0),
        );
        // The account's own state is looked at first.
        refused(ALICE, 99, vec![], Refusal::of_call(RefusalRule::NotRegistered, 0, 0));
        assert_noop!(
            Datanets::submit(RuntimeOrigin::none(), datanet, bounded(vec![file(1, 10)])),
            BadOrigin
        );
    });
}

#[test]
fn a_datanet_must_exist() {
    on_chain(|| {
        set_up();
        refused(ALICE, 5, vec![], Refusal::of_call(RefusalRule::UnknownDatanet, 5, 0));
    });
}

#[test]
fn a_submission_holds_one_to_twenty_files() {
    on_chain(|| {
        let datanet = set_up();
        refused(ALICE, datanet, vec![], Refusal::of_call(RefusalRule::ItemCount, 0, 20));
        refused(ALICE, datanet, files(0..21, 1), Refusal::of_call(RefusalRule::ItemCount, 21, 20));
        // Far too many are refused before anything is read of them.
        refused(
            ALICE,
            datanet,
            vec![file(1, 0); 100_000],
            Refusal::of_call(RefusalRule::ItemCount, 100_000, 20),
        );
        assert_ok!(submit(ALICE, datanet, files(0..20, 1)));
    });
}

#[test]
fn a_datanet_takes_the_formats_of_its_modality() {
    on_chain(|| {
        let datanet = set_up();
        for media in MediaType::ALL {
            let item = SubmissionItem { media, ..file(media as u32, 10) };
            if media.modality() == Modality::Text {
                assert_ok!(submit(ALICE, datanet, vec![item]));
                continue;
            }
            let refusal = Refusal::of_item(RefusalRule::WrongModality, 1, media as u64, 0);
            refused(
                ALICE,
                datanet,
                vec![file(50, 10), item],
                Refusal { modality: Some(Modality::Text), ..refusal },
            );
        }
    });
}

#[test]
fn a_file_is_not_empty() {
    on_chain(|| {
        let datanet = set_up();
        refused(
            ALICE,
            datanet,
            vec![file(1, 1), file(2, 0)],
            Refusal::of_item(RefusalRule::EmptyFile, 1, 0, 0),
        );
    });
}

#[test]
fn a_raw_content_id_belongs_to_its_file() {
    on_chain(|| {
        let datanet = set_up();
        let crossed = SubmissionItem { content: file(2, 1).content, ..file(1, 1) };
        refused(
            ALICE,
            datanet,
            vec![crossed],
            Refusal::of_item(RefusalRule::DigestMismatch, 0, 0, 0),
        );
    });
}

#[test]
fn a_file_stands_once_in_a_submission() {
    on_chain(|| {
        let datanet = set_up();
        // Another content id does not make it another file.
        let again = SubmissionItem { content: tree(1), media: MediaType::Txt, ..file(2, 5) };
        refused(
            ALICE,
            datanet,
            vec![file(1, 1), file(2, 1), file(3, 1), again],
            Refusal::of_item(RefusalRule::RepeatedItem, 3, 1, 0),
        );
    });
}

#[test]
fn a_pending_file_is_refused_from_everybody() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, files(0..3, 10)));
        for who in [ALICE, BOB] {
            refused(
                who,
                datanet,
                vec![file(7, 1), file(2, 10)],
                Refusal::of_item(RefusalRule::AlreadySubmitted, 1, 2, 0),
            );
        }
        // Another Datanet may have it.
        let other = create(None);
        assert_ok!(submit(BOB, other, vec![file(2, 10)]));
    });
}

#[test]
fn an_accepted_file_is_refused_for_ever() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, files(0..3, 10)));
        assert_ok!(settle(datanet, 2, accept(100)));
        refused(
            BOB,
            datanet,
            vec![file(2, 10)],
            Refusal::of_item(RefusalRule::AlreadySubmitted, 0, 2, 0),
        );
    });
}

#[test]
fn one_bad_file_keeps_out_the_whole_submission() {
    on_chain(|| {
        let datanet = set_up();
        let mut items = files(0..20, 10);
        items[19].size = 0;
        refused(ALICE, datanet, items, Refusal::of_item(RefusalRule::EmptyFile, 19, 0, 0));
        assert_eq!(Datanets::quota(&ALICE).used.files, 0);
        assert_eq!(pallet_datanets::NextSubmission::<Test>::get(), 0);
    });
}

#[test]
fn rules_are_looked_at_in_a_fixed_order() {
    on_chain(|| {
        let datanet = set_up();
        assert_ok!(submit(ALICE, datanet, vec![file(1, 10)]));
        let rule = |items: &[SubmissionItem]| {
            Datanets::check_admission(&ALICE, datanet, items).unwrap_err().rule
        };
        // Each broken rule is repaired in turn, and the next appears.
        let mut items = files([1, 1], u32::MAX);
        items[1].media = MediaType::Png;
        items[0].size = 0;
        items[0].media = MediaType::Png;
        items[0].content = file(9, 1).content;
        assert_eq!(rule(&items), RefusalRule::WrongModality);
        items[0].media = MediaType::Md;
        assert_eq!(rule(&items), RefusalRule::EmptyFile);
        items[0].size = u32::MAX;
        assert_eq!(rule(&items), RefusalRule::DigestMismatch);
        items[0].content = file(1, 1).content;
        assert_eq!(rule(&items), RefusalRule::WrongModality);
        items[1].media = MediaType::Md;
        assert_eq!(rule(&items), RefusalRule::RepeatedItem);
        items[1] = file(2, u32::MAX);
        assert_eq!(rule(&items), RefusalRule::AlreadySubmitted);
        items[0] = file(3, u32::MAX);
        assert_eq!(rule(&items), RefusalRule::DailyBytes);
    });
}
