use openledger_primitives::committee::Outcome;
use openledger_reviewer::{challenges::Event, Challenge, Challenges, Fault};

fn sent(draw: u64, submission: u64) -> Challenge {
    Challenge::new((draw, 1), 7, submission, &Fault::Unreadable, 40)
}

#[test]
fn what_was_sent_is_remembered_over_restarts_and_counts_once_it_is_in_a_block() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("challenges.sqlite");
    let challenges = Challenges::open(&path).unwrap();
    assert_eq!((challenges.find(3, 1).unwrap(), challenges.block().unwrap()), (None, None));
    challenges.send(&sent(3, 11)).unwrap();
    drop(challenges);

    let challenges = Challenges::open(&path).unwrap();
    assert_eq!(challenges.find(3, 1).unwrap(), Some(sent(3, 11)));
    assert_eq!(challenges.find(3, 0).unwrap(), None);
    // Nobody knows whether it came into a block.
    assert_eq!(challenges.open_ones().unwrap(), []);
    assert_eq!(challenges.totals().unwrap().challenges, 0);
    // It did not, and is sent again.
    let again = Challenge { sent_at: 44, ..sent(3, 11) };
    challenges.send(&again).unwrap();
    challenges.stands(3, 1, 5).unwrap();
    let stands = Challenge { larger: Some(5), ..again };
    assert_eq!(challenges.open_ones().unwrap(), [stands]);
    assert_eq!(challenges.totals().unwrap().challenges, 1);
}

#[test]
fn final_blocks_say_how_challenges_ended_and_what_they_brought() {
    let folder = tempfile::tempdir().unwrap();
    let challenges = Challenges::open(&folder.path().join("challenges.sqlite")).unwrap();
    for (draw, submission) in [(3, 11), (4, 12), (5, 13)] {
        challenges.send(&sent(draw, submission)).unwrap();
        challenges.stands(draw, 1, draw + 10).unwrap();
    }
    let others = [Event::Ended(3, 99, Outcome::Accepted), Event::Paid(9, 11, 5)];
    assert_eq!(challenges.read(&others, 50).unwrap(), []);
    assert_eq!(challenges.block().unwrap(), Some(50));
    let events = [
        Event::Ended(3, 11, Outcome::AcceptanceOverturned),
        Event::Paid(3, 11, 30),
        Event::Paid(3, 11, 12),
        Event::Ended(4, 12, Outcome::AcceptanceUpheld),
    ];
    let ended = challenges.read(&events, 60).unwrap();
    let ended: Vec<_> = ended.iter().map(|one| (one.draw, one.outcome, one.gained)).collect();
    let won = (3, Some(Outcome::AcceptanceOverturned), 42);
    assert_eq!(ended, [won, (4, Some(Outcome::AcceptanceUpheld), 0)]);
    assert_eq!(challenges.open_ones().unwrap().len(), 1);
    // Neither won nor lost.
    challenges.read(&[Event::Ended(5, 13, Outcome::AcceptanceStands)], 61).unwrap();
    challenges.looked_at().unwrap();
    challenges.looked_at().unwrap();
    let totals = challenges.totals().unwrap();
    assert_eq!((totals.challenges, totals.won, totals.lost), (3, 1, 1));
    assert_eq!((totals.gained, totals.looked_at), (42, 2));
}
