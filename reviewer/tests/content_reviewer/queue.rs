use openledger_primitives::{ContentCodec, ContentId, MediaType, Score};
use openledger_reviewer::{
    queue::{Sum, Tries},
    Nearest, Queue, Same, Waiting, Word,
};
use std::path::Path;

fn open(folder: &Path) -> Queue {
    Queue::open(&folder.join("account/queue.sqlite")).unwrap()
}

fn waiting(submission: u64, draw: u64, by_block: u32) -> Waiting {
    Waiting {
        submission,
        draw,
        datanet: 7,
        sha256: [submission as u8; 32],
        content: ContentId::new(ContentCodec::DagPb, [9; 32]),
        size: 1_000,
        media: MediaType::Md,
        units: 900,
        why: "its format is md".to_owned(),
        by_block,
        nearest: Some(Nearest { submission: 1, sha256: [1; 32], alike: 0.5, same: Same::Likeness }),
        word: None,
    }
}

#[test]
fn a_word_reaches_the_program_that_asked_and_survives_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let (program, person) = (open(folder.path()), open(folder.path()));
    let (late, soon) = (waiting(5, 2, 90), waiting(6, 3, 80));
    program.ask(&late).unwrap();
    program.ask(&soon).unwrap();
    assert_eq!(person.waiting().unwrap(), [soon.clone(), late.clone()], "the most urgent first");
    assert_eq!(program.find(5).unwrap(), Some(late.clone()));
    let word = Word::Accept(Score::new(80).unwrap());
    assert!(person.answer(5, word).unwrap());
    assert!(!person.answer(4, word).unwrap(), "nobody asked");
    drop(program);
    let program = open(folder.path());
    assert_eq!(program.find(5).unwrap().unwrap().word, Some(word));
    // Asked again, by another committee.
    program.ask(&Waiting { draw: 4, by_block: 200, ..late.clone() }).unwrap();
    let found = person.find(5).unwrap().unwrap();
    assert_eq!((found.draw, found.by_block, found.word), (4, 200, Some(word)));
    program.keep_only(&[4], 4).unwrap();
    assert_eq!(person.waiting().unwrap().len(), 1);
}

#[test]
fn tries_are_counted_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path());
    assert_eq!(queue.tries(2, 5, 100).unwrap(), Tries { since: 100, failed: 0 });
    queue.failed(2, 5).unwrap();
    drop(queue);
    let queue = open(folder.path());
    assert_eq!(queue.tries(2, 5, 120).unwrap(), Tries { since: 100, failed: 1 });
    assert_eq!(queue.tries(3, 5, 120).unwrap(), Tries { since: 120, failed: 0 }, "another draw");
    queue.keep_only(&[3], 3).unwrap();
    assert_eq!(queue.tries(2, 5, 130).unwrap(), Tries { since: 130, failed: 0 });
}

#[test]
fn sums_pins_and_missed_draws_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path());
    assert_eq!(queue.sum(Sum::Earned).unwrap(), 0);
    let much = 1_000_000_000_000_000_000_000_000_000;
    queue.set_sums(&[(Sum::Earned, much), (Sum::Block, 7)]).unwrap();
    let content = ContentId::new(ContentCodec::Raw, [3; 32]);
    queue.pin(&[3; 32], &content, 10).unwrap();
    queue.pin(&[3; 32], &content, 10).unwrap();
    for draw in [1, 2, 2] {
        queue.missed(draw).unwrap();
    }
    drop(queue);
    let queue = open(folder.path());
    assert_eq!((queue.sum(Sum::Earned).unwrap(), queue.sum(Sum::Block).unwrap()), (much, 7));
    assert_eq!(queue.pins().unwrap(), [([3; 32], content, 10)]);
    assert_eq!(queue.count_missed().unwrap(), 2);
}

#[test]
#[cfg(unix)]
fn nobody_else_reads_the_folder() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let mode = std::fs::metadata(folder.path().join("account")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_damaged_queue_is_said_and_not_thrown_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.sqlite");
    let damage = vec![0xff; 8_192];
    std::fs::write(&path, &damage).unwrap();
    let error = Queue::open(&path).unwrap_err().to_string();
    assert!(error.contains("queue.sqlite cannot be used"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), damage);
}
