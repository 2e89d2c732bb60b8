use openledger_primitives::{
    committee::{
        api::DrawView, Draw, DrawnFile, FileState, Member, Outcome, PoolId, Progress, Purpose,
    },
    MediaType, Modality, RejectionReason, Verdict,
};
use openledger_reviewer::{
    earlier::{another_is_asked, before_committees, compared_with},
    Earlier,
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
    Earlier { submission, sha256: hash(submission), refused_at: Some(at), was_had: true }
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

/// Anybody may name the hash of a file that does not exist: before a committee has had it, it holds nobody back.
#[test]
fn only_what_a_committee_has_had_was_had() {
    let states = [
        (1, FileState::Open),
        (2, FileState::Judged(REFUSED)),
        (3, FileState::Challenged { verdict: REFUSED, by: 9 }),
        (4, FileState::Over(Outcome::Unavailable)),
        // Nothing is a copy of what nobody can read, whoever hides it.
        (5, FileState::Judged(Verdict::Reject(RejectionReason::WrongFormat))),
        (6, FileState::Challenged { verdict: Verdict::Reject(RejectionReason::TooSmall), by: 9 }),
    ];
    let before = before_committees(&[draw(1, Purpose::Review { asked: 0 }, true, &states)]);
    let found: Vec<_> = before[&DATANET].iter().map(|one| (one.submission, one.was_had)).collect();
    assert_eq!(found, [(1, false), (2, true), (3, true), (5, false), (6, false)]);
}

/// Whoever hides one file for ever delays what comes after it, and has nothing of it end: the last committee judges.
#[test]
fn the_last_committee_of_a_file_leaves_it_to_no_other() {
    let asked = |asked| another_is_asked(&Purpose::Review { asked });
    assert_eq!([asked(0), asked(1), asked(2), asked(u8::MAX)], [true, true, false, false]);
    assert!(!another_is_asked(&Purpose::Challenge { draw: 1, file: 0 }));
}
