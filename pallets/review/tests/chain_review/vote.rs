use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{
    MediaType,
    RejectionReason::{Harmful, LowQuality, OffTopic},
};
use pallet_review::{Ballots, Error, Event};
use sp_runtime::{traits::BadOrigin, DispatchError};

fn voted(
    curator: AccountId,
    replaced: bool,
    verdict: openledger_primitives::Verdict,
) -> Event<Test> {
    Event::Voted { datanet: DATANET, submission: 5, curator, replaced, verdict }
}

#[test]
fn a_verdict_takes_as_many_curators_as_the_policy_says() {
    for threshold in 1..=5u8 {
        on_chain(threshold, || {
            for (votes, curator) in (1..).zip(CURATORS) {
                if votes > threshold {
                    assert_noop!(vote(curator, accept(50, 100)), Error::<Test>::NotPending);
                    continue;
                }
                assert_eq!(verdict(), None);
                assert_ok!(vote(curator, accept(50, 100)));
            }
            assert_eq!(verdict(), Some(accept(50, 100)));
            assert!(!Ballots::<Test>::contains_key(5));
        });
    }
}

#[test]
fn votes_and_verdicts_are_announced() {
    on_chain(2, || {
        assert_ok!(vote(11, reject(OffTopic)));
        assert_ok!(vote(12, reject(OffTopic)));
        let voted = |curator| voted(curator, false, reject(OffTopic));
        assert_eq!(
            System::read_events_for_pallet::<Event<Test>>(),
            vec![
                voted(11),
                voted(12),
                Event::Decided { datanet: DATANET, submission: 5, accepted: false }
            ]
        );
    });
}

#[test]
fn the_score_is_the_lower_median() {
    for (scores, median) in [
        (vec![90], 90),
        (vec![90, 30], 30),
        (vec![1, 100, 60], 60),
        (vec![80, 20, 40, 60], 40),
        (vec![5, 100, 100, 5, 70], 70),
    ] {
        on_chain(scores.len() as u8, || {
            for (curator, score) in CURATORS.into_iter().zip(&scores) {
                assert_ok!(vote(curator, accept(*score, 100)));
            }
            assert_eq!(verdict(), Some(accept(median, 100)));
        });
    }
}

#[test]
fn the_reason_is_the_most_frequent_and_of_equals_the_first() {
    for (reasons, chosen) in [
        (vec![Harmful], Harmful),
        (vec![OffTopic, Harmful, Harmful], Harmful),
        (vec![LowQuality, OffTopic], LowQuality),
        (vec![Harmful, OffTopic, LowQuality, OffTopic, LowQuality], OffTopic),
        (vec![Harmful, LowQuality, OffTopic, OffTopic, LowQuality], LowQuality),
    ] {
        on_chain(reasons.len() as u8, || {
            for (curator, reason) in CURATORS.into_iter().zip(&reasons) {
                assert_ok!(vote(curator, reject(*reason)));
            }
            assert_eq!(verdict(), Some(reject(chosen)));
        });
    }
}

#[test]
fn measurements_that_differ_never_accept_a_file() {
    on_chain(2, || {
        assert_ok!(vote(11, accept(50, 100)));
        assert_ok!(vote(12, accept(50, 101)));
        assert_ok!(vote(13, accept_text(50, 100, 8)));
        assert_ok!(vote(14, reject(OffTopic)));
        assert_eq!(verdict(), None);
        // The first agreement decides, and only those who agree are counted.
        assert_ok!(vote(15, accept(70, 101)));
        assert_eq!(verdict(), Some(accept(50, 101)));
    });
}

#[test]
fn a_curator_who_changes_its_vote_is_counted_once() {
    on_chain(2, || {
        assert_ok!(vote(11, accept(50, 100)));
        assert_ok!(vote(11, accept(50, 100)));
        assert_ok!(vote(11, reject(Harmful)));
        assert_ok!(vote(11, accept(60, 100)));
        assert_eq!(verdict(), None);
        assert_eq!(voters(), vec![11]);
        assert_ok!(vote(12, accept(90, 100)));
        assert_eq!(verdict(), Some(accept(60, 100)));
    });
}

#[test]
fn a_vote_says_whether_it_replaced_an_earlier_one() {
    on_chain(3, || {
        for (curator, verdict, replaced) in [
            (11, accept(50, 100), false),
            (12, reject(Harmful), false),
            (11, accept(50, 100), true),
            (11, reject(OffTopic), true),
        ] {
            System::reset_events();
            assert_ok!(vote(curator, verdict));
            assert_eq!(
                System::read_events_for_pallet::<Event<Test>>(),
                vec![voted(curator, replaced, verdict)]
            );
        }
        // A curator who was out meanwhile has no vote any more once another one is cast.
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, curators(&[12, 13, 14], 3)));
        assert_ok!(vote(13, accept(50, 100)));
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, curators(&CURATORS, 3)));
        System::reset_events();
        assert_ok!(vote(11, accept(50, 100)));
        assert_eq!(
            System::read_events_for_pallet::<Event<Test>>(),
            vec![voted(11, false, accept(50, 100))]
        );
    });
}

#[test]
fn no_vote_claims_more_units_than_a_file_of_the_modality_can_have() {
    for (media, most, root) in [
        (MediaType::Txt, 12 * 1024 * 1024, 7),
        (MediaType::Png, 40_000_000, 0),
        (MediaType::Wav, 1_800_000, 0),
    ] {
        on_chain(1, || {
            Kind::set(media);
            for units in [most + 1, 1_000_000_000_000, u64::MAX] {
                assert_noop!(vote(11, accept_text(50, units, root)), Error::<Test>::TooManyUnits);
            }
            assert_ok!(vote(11, accept_text(50, most, root)));
            assert_eq!(verdict(), Some(accept_text(50, most, root)));
        });
    }
}

#[test]
fn no_vote_claims_more_units_than_the_bytes_of_the_file_hold() {
    for (media, most, root) in [
        (MediaType::Txt, 3, 7),
        (MediaType::Md, 3, 7),
        (MediaType::Pdf, 32, 7),
        (MediaType::Docx, 32, 7),
        (MediaType::Webp, 1_024, 0),
        (MediaType::Flac, 4, 0),
    ] {
        on_chain(1, || {
            Kind::set(media);
            Bytes::set(1);
            // What the audit's colluding curator claimed of one byte.
            for units in [most + 1, media.modality().max_units()] {
                assert_noop!(vote(11, accept_text(100, units, root)), Error::<Test>::TooManyUnits);
            }
            assert_ok!(vote(11, accept_text(100, most, root)));
        });
    }
}

#[test]
fn a_verdict_of_votes_from_before_the_bytes_counted_is_refused() {
    on_chain(2, || {
        assert_ok!(vote(11, accept(100, 5_000)));
        // What an upgrade finds: a vote that may not be cast any more.
        Bytes::set(1);
        assert_noop!(vote(12, accept(100, 5_000)), Error::<Test>::TooManyUnits);
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, curators(&CURATORS, 1)));
        assert_noop!(vote(12, reject(Harmful)), Error::<Test>::TooManyUnits);
        assert_ok!(vote(11, reject(Harmful)));
        assert_eq!(verdict(), Some(reject(Harmful)));
    });
}

#[test]
fn a_text_has_a_text_root_and_nothing_else_has_one() {
    on_chain(1, || {
        assert_noop!(vote(11, accept_text(50, 100, 0)), Error::<Test>::NoTextRoot);
        assert_ok!(vote(11, accept_text(50, 100, 1)));
    });
    for media in [MediaType::Png, MediaType::Wav] {
        on_chain(1, || {
            Kind::set(media);
            assert_noop!(vote(11, accept_text(50, 100, 1)), Error::<Test>::UnexpectedTextRoot);
            assert_ok!(vote(11, accept_text(50, 100, 0)));
        });
    }
}

#[test]
fn a_vote_to_reject_claims_nothing() {
    for media in MediaType::ALL {
        on_chain(1, || {
            Kind::set(media);
            assert_ok!(vote(11, reject(Harmful)));
            assert_eq!(verdict(), Some(reject(Harmful)));
        });
    }
}

#[test]
fn a_changed_vote_counts_as_cast_now() {
    on_chain(3, || {
        assert_ok!(vote(11, reject(Harmful)));
        assert_ok!(vote(12, reject(OffTopic)));
        assert_ok!(vote(11, reject(LowQuality)));
        assert_eq!(voters(), vec![12, 11]);
        assert_ok!(vote(13, reject(Harmful)));
        assert_eq!(verdict(), Some(reject(OffTopic)));
    });
}

#[test]
fn outsiders_do_not_vote() {
    on_chain(1, || {
        for who in [OWNER, CONTRIBUTOR, 99] {
            assert_noop!(vote(who, accept(100, 100)), Error::<Test>::NotCurator);
        }
        assert_noop!(
            Review::vote(RuntimeOrigin::root(), DATANET, FILE, 5, accept(100, 100)),
            BadOrigin
        );
    });
}

#[test]
fn nobody_votes_on_a_file_of_its_own() {
    on_chain(1, || {
        wait(FILE, 5, 11);
        for own in [accept(100, 100), reject(Harmful)] {
            assert_noop!(vote(11, own), Error::<Test>::OwnSubmission);
        }
        assert_ok!(vote(12, accept(80, 100)));
        assert_eq!(verdict(), Some(accept(80, 100)));
    });
}

#[test]
fn a_vote_never_lands_on_a_later_submission_of_the_file() {
    on_chain(1, || {
        wait(FILE, 9, CONTRIBUTOR);
        assert_noop!(vote(11, accept(80, 100)), Error::<Test>::StaleSubmission);
        assert_noop!(
            Review::vote(signed(11), DATANET, FILE, 10, accept(80, 100)),
            Error::<Test>::StaleSubmission
        );
        assert_ok!(Review::vote(signed(11), DATANET, FILE, 9, accept(80, 100)));
        assert_eq!(verdict(), Some(accept(80, 100)));
    });
}

#[test]
fn only_pending_files_are_voted_on() {
    on_chain(1, || {
        for (datanet, file) in [(DATANET, [9; 32]), (DATANET + 1, FILE)] {
            assert_noop!(
                Review::vote(signed(11), datanet, file, 5, accept(80, 100)),
                Error::<Test>::NotPending
            );
        }
    });
}

#[test]
fn a_datanet_without_policy_takes_no_votes() {
    on_chain(1, || {
        pallet_review::Policies::<Test>::remove(DATANET);
        assert_noop!(vote(11, accept(80, 100)), Error::<Test>::UnknownDatanet);
    });
}

#[test]
fn submissions_are_decided_apart() {
    on_chain(2, || {
        assert_ok!(vote(11, accept(80, 100)));
        assert_ok!(Review::vote(signed(12), DATANET, OTHER_FILE, 6, accept(80, 100)));
        assert_eq!(verdict(), None);
        assert_ok!(vote(13, accept(80, 100)));
        assert_eq!(verdict(), Some(accept(80, 100)));
        assert!(Ballots::<Test>::contains_key(6));
    });
}

#[test]
fn a_verdict_that_the_datanet_refuses_fails_the_vote_and_keeps_the_others() {
    on_chain(2, || {
        LeastUnits::set(100);
        assert_ok!(vote(11, accept(80, 99)));
        assert_noop!(vote(12, accept(80, 99)), DispatchError::Other("too few units"));
        assert_eq!(voters(), vec![11]);
        assert_ok!(vote(12, accept(80, 100)));
        assert_ok!(vote(11, accept(80, 100)));
        assert_eq!(verdict(), Some(accept(80, 100)));
    });
}
