use openledger_primitives::{
    committee::{
        api::DrawView, Draw, DrawnFile, FileState, Member, Outcome, PoolId, Progress, Purpose,
    },
    Ending, MediaType, Modality, RejectionReason, Score, Verdict, EXTRACTOR,
};
use openledger_reviewer::{
    earlier::{
        before_committees, challenged_acceptances, compared_with, lacking, must_compare,
        of_an_acceptance, undrawn,
    },
    Earlier, Lacking,
};

const DATANET: u32 = 7;
const REFUSED: Verdict = Verdict::Reject(RejectionReason::Duplicate);

fn hash(submission: u64) -> [u8; 32] {
    [submission as u8; 32]
}

fn draw(id: u64, purpose: Purpose, drawn: bool, files: &[(u64, FileState)]) -> DrawView<u64> {
    let files = files.iter().map(|(submission, state)| DrawnFile {
        submission: *submission,
        sha256: hash(*submission),
        media: MediaType::Txt,
        size: 10,
        state: *state,
        stands: Default::default(),
    });
    let mut draw = Draw::new(purpose, 1, None, files.collect(), 100, 0).unwrap();
    if drawn {
        let member = Member { account: 2, generation: 0, progress: Progress::Drawn };
        draw.members.try_push(member).unwrap();
    }
    let pool = PoolId::Modality(Modality::Text);
    DrawView { id, datanet: DATANET, pool, global: false, bond: 0, draw }
}

fn refused(submission: u64, at: u32) -> Earlier {
    Earlier {
        submission,
        sha256: hash(submission),
        media: Some(MediaType::Txt),
        refused_at: Some(at),
        is_original: true,
    }
}

fn submissions(found: Vec<Earlier>) -> Vec<u64> {
    found.into_iter().map(|one| one.submission).collect()
}

/// Copies of each other in one call, of which the last is challenged: the larger committee compares it with what
/// the first one compared it with, whatever became of that by then.
#[test]
fn both_committees_compare_with_the_same_files() {
    let review = Purpose::Review { asked: 0 };
    let first: Vec<_> = (11..=15).map(|submission| (submission, FileState::Open)).collect();
    let before = before_committees(&[draw(4, review, true, &first)]);
    let seen = submissions(compared_with(15, 100, before[&DATANET].iter().copied()));
    assert_eq!(seen, [11, 12, 13, 14]);

    let challenged = |by| FileState::Challenged { verdict: REFUSED, by };
    let later = [
        (11, FileState::Over(Outcome::Refused)),
        (12, FileState::Over(Outcome::Refused)),
        (13, FileState::Judged(REFUSED)),
        (14, challenged(5)),
        (15, challenged(6)),
    ];
    let larger = Purpose::Challenge { draw: 4, file: 4 };
    let draws = [draw(4, review, true, &later), draw(6, larger, true, &[(15, FileState::Open)])];
    let before = before_committees(&draws);
    let ended = [refused(11, 140), refused(12, 140), refused(13, 141)];
    // 13 is in both, since it ended between two reads.
    let others = before[&DATANET].iter().copied().chain(ended);
    assert_eq!(submissions(compared_with(15, 100, others)), seen);
}

#[test]
fn what_was_over_when_a_file_was_submitted_or_came_later_is_no_original() {
    let others = [refused(3, 99), refused(4, 100), refused(9, 120), refused(5, 130)];
    assert_eq!(submissions(compared_with(9, 100, others)), [4, 5]);
}

#[test]
fn what_no_committee_was_drawn_for_may_be_taken_back_and_does_not_count() {
    let open = |submission| [(submission, FileState::Open)];
    let draws = [
        draw(1, Purpose::Review { asked: 0 }, false, &open(1)),
        draw(2, Purpose::Review { asked: 1 }, false, &open(2)),
        draw(3, Purpose::Review { asked: 0 }, true, &open(3)),
    ];
    let before = before_committees(&draws);
    let found: Vec<_> = before[&DATANET].iter().map(|one| one.submission).collect();
    assert_eq!(found, [2, 3]);
}

/// An owner lets a file wait for curators, has copies of it accepted by committees, then has it brought before one, and
/// challenges all of them: until it is drawn or gone committees of a copy leave that to another.
#[test]
fn what_no_committee_was_drawn_for_holds_back_what_came_after_it_and_is_compared_with_nothing() {
    let review = |asked| Purpose::Review { asked };
    let open: Vec<_> = [4, 6].map(|submission| (submission, FileState::Open)).into();
    let before = before_committees(&[draw(1, review(0), true, &open)]);
    let before = &before[&DATANET];
    assert_eq!(undrawn([4, 5, 6, 7], before), Some(5));
    assert_eq!(undrawn([4, 6], before), None);
    assert_eq!(submissions(compared_with(9, 100, before.iter().copied())), [4, 6]);

    let held = |purpose, submission| lacking(&purpose, submission, None, Some(5));
    assert_eq!(held(review(0), 6), Some(Lacking::Committee(5)));
    assert_eq!(held(review(1), 6), Some(Lacking::Committee(5)));
    assert_eq!(held(review(0), 4), None, "it came later");
    assert_eq!(held(review(2), 6), Some(Lacking::Committee(5)), "those before may not have had it");
    let last = Purpose::Uncompared { asked: 2 };
    assert_eq!(held(last, 6), None, "nobody is asked after the last");
    let challenge = Purpose::Challenge { draw: 1, file: 1 };
    assert_eq!(held(challenge, 6), None, "nobody refused it for what had no committee");
    assert_eq!(lacking(&challenge, 6, Some(3), Some(5)), Some(Lacking::File(3)));
    assert_eq!(lacking(&review(0), 6, Some(3), Some(5)), Some(Lacking::File(3)));
}

/// Whoever hides an original has it hold back its copies, whatever its committee says of it as long as that may be
/// challenged: a captured one that calls it unreadable would have those overturned who accept a copy meanwhile.
#[test]
fn what_is_before_a_committee_may_be_an_original_until_that_is_over() {
    let states = [
        (1, FileState::Open),
        (2, FileState::Judged(REFUSED)),
        (3, FileState::Challenged { verdict: REFUSED, by: 9 }),
        (4, FileState::Over(Outcome::Unavailable)),
        (5, FileState::Judged(Verdict::Reject(RejectionReason::WrongFormat))),
        (6, FileState::Challenged { verdict: Verdict::Reject(RejectionReason::TooSmall), by: 9 }),
    ];
    let before = before_committees(&[draw(1, Purpose::Review { asked: 0 }, true, &states)]);
    let found: Vec<_> =
        before[&DATANET].iter().map(|one| (one.submission, one.is_original)).collect();
    // What does not exist ends with its first committee, and holds nothing back any more.
    assert_eq!(found, [(1, true), (2, true), (3, true), (5, true), (6, true)]);
}

/// A committee that refuses an original as unreadable, and hides it from those who judge a copy of it, has nobody
/// overturned by showing it to the larger committee; nor who refused the copy before, since that cannot be known.
#[test]
fn what_was_refused_as_no_original_overturns_no_acceptance_and_bears_out_a_refusal() {
    let unreadable = Earlier { is_original: false, ..refused(3, 120) };
    let compared = compared_with(9, 100, [unreadable, refused(4, 120)]);
    assert_eq!(submissions(compared.clone()), [3, 4]);
    assert_eq!(submissions(of_an_acceptance(compared)), [4]);

    let accepted = Verdict::Accept {
        score: Score::MAX,
        units: 50,
        text_root: Default::default(),
        extractor: EXTRACTOR,
    };
    let states = [
        (9, FileState::Challenged { verdict: accepted, by: 5 }),
        (10, FileState::Challenged { verdict: REFUSED, by: 6 }),
        (11, FileState::Judged(accepted)),
    ];
    let draws = [draw(4, Purpose::Review { asked: 0 }, true, &states)];
    assert_eq!(challenged_acceptances(&draws), [9].into());
}

/// A copy is refused rightly, and then its original ends because it was hidden, or nobody agreed on it: it counts for nobody.
/// The larger committee that judges the refusal anew still compares with it; the one that judges an acceptance does not.
#[test]
fn what_ended_without_a_verdict_bears_out_a_refusal_and_overturns_no_acceptance() {
    let over = [
        (3, Ending::Unavailable),
        (4, Ending::Expired),
        (5, Ending::Rejected(RejectionReason::WrongFormat)),
        (6, Ending::Rejected(RejectionReason::OffTopic)),
    ];
    let over = over.map(|(number, ending)| Earlier::ended(number, hash(number), None, ending, 120));
    let compared = compared_with(9, 100, over);
    assert_eq!(submissions(compared.clone()), [3, 4, 5, 6]);
    let original = |one: &Earlier| one.is_original;
    assert_eq!(compared.iter().map(original).collect::<Vec<_>>(), [false, false, false, true]);
    assert_eq!(submissions(of_an_acceptance(compared)), [6]);
    assert!(compared_with(9, 121, over).is_empty(), "over before it came");
}

/// Whoever hides one file for ever delays what comes after it, and has nothing of it end: the last committee judges.
#[test]
fn the_last_committee_judges_what_those_before_it_could_not_compare() {
    let left = |asked| must_compare(&Purpose::Uncompared { asked });
    assert_eq!([left(1), left(2), left(u8::MAX)], [true, false, false]);
    // Its contributor may have hidden what they did not have.
    let asked = |asked| must_compare(&Purpose::Review { asked });
    assert_eq!([asked(0), asked(1), asked(2), asked(u8::MAX)], [true; 4]);
    assert!(!must_compare(&Purpose::Challenge { draw: 1, file: 0 }));
}
