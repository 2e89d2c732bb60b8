//! Which earlier submissions a file is compared with, by the index.

use openledger_client::blocks::{Block, BlockEvent, ChainEvent, Changed, Detail};
use openledger_gateway::index::{
    planted::{account, Maker, Plan},
    sqlite::Sqlite,
    storage::Storage,
};
use openledger_gateway::uploads::named::compared;
use openledger_primitives::{
    api::SubmissionItem,
    committee::{api::DrawView, Draw, DrawnFile, FileState, Lengths, PoolId, Purpose, Rules},
    ContentId, DatasetLeaf, LeafVersion, MediaType, Modality, RejectionReason, Score,
};

fn sha256(submission: u64) -> [u8; 32] {
    [submission as u8 + 1; 32]
}

fn submitted(datanet: u32, submission: u64) -> (ChainEvent, Detail) {
    let sha256 = sha256(submission);
    let content = ContentId::raw(sha256);
    let item = SubmissionItem { content, sha256, size: 1_000, media: MediaType::Txt };
    let contributor = account(0);
    let event = ChainEvent::Submitted { datanet, submission, contributor, sha256 };
    (event, Detail::File(item))
}

fn accepted(submission: u64, leaf: u64) -> (ChainEvent, Detail) {
    let (contributor, sha256) = (account(0), sha256(submission));
    let measured = DatasetLeaf {
        version: LeafVersion::V2 { extractor: 2 },
        submission,
        contributor,
        sha256,
        size: 1_000,
        units: 500,
        score: Score::new(60).unwrap(),
        text_root: [4; 32].into(),
    };
    let event =
        ChainEvent::Accepted { datanet: 0, submission, contributor, sha256, leaf, points: 0 };
    (event, Detail::Leaf(measured))
}

fn rejected(submission: u64) -> (ChainEvent, Detail) {
    refused(submission, RejectionReason::OffTopic)
}

fn refused(submission: u64, reason: RejectionReason) -> (ChainEvent, Detail) {
    let (contributor, sha256) = (account(0), sha256(submission));
    let event = ChainEvent::Rejected { datanet: 0, submission, contributor, sha256, reason };
    (event, Detail::None)
}

fn with(mut block: Block, events: Vec<(ChainEvent, Detail)>) -> Block {
    let event = |(index, (event, detail))| BlockEvent {
        index: index as u32,
        extrinsic: Some(0),
        event,
        detail,
    };
    block.events = events.into_iter().enumerate().map(event).collect();
    block
}

#[test]
fn a_file_is_compared_with_leaves_what_waits_and_what_was_refused_since() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Sqlite::open(&folder.path().join("index.sqlite")).unwrap();
    let mut maker = Maker::new(Plan { files: 0, jobs: 0, ..Plan::SMALL });
    let mut blocks = vec![maker.block(), maker.block()];
    let (datanet, contributor) = (0, account(0));
    let of = |submission: u64| (datanet, submission, contributor, sha256(submission));
    let unavailable = |submission| {
        let (datanet, submission, contributor, sha256) = of(submission);
        let event = ChainEvent::Unavailable { datanet, submission, contributor, sha256 };
        (event, Detail::None)
    };
    let withdrawn = |submission| {
        let (datanet, submission, contributor, sha256) = of(submission);
        let event = ChainEvent::Withdrawn { datanet, submission, contributor, sha256 };
        (event, Detail::None)
    };
    let revoked = ChainEvent::LeafRevoked {
        datanet,
        leaf: 1,
        submission: 2,
        contributor,
        by_governance: false,
    };
    // 0 waits; 1 and 2 get leaves, of which the second is revoked; 3 is refused before the file comes, 4 after, in the
    // same block 5, in that of the file; 6 is taken back, 7 nobody can fetch. 8 is of another Datanet, 10 comes later.
    let first = (0..8).map(|submission| submitted(0, submission)).chain([submitted(1, 8)]);
    blocks.push(with(maker.block(), first.collect()));
    let then = vec![accepted(1, 0), accepted(2, 1), rejected(3), (revoked, Detail::None)];
    blocks.push(with(maker.block(), then));
    blocks.push(with(maker.block(), vec![rejected(5), submitted(0, 9), submitted(0, 10)]));
    blocks.push(with(maker.block(), vec![rejected(4), withdrawn(6), unavailable(7)]));
    storage.apply(&blocks).unwrap();

    let found = compared(&storage, 9).unwrap().unwrap();
    assert_eq!((found.submission, found.datanet, found.min_units), (9, 0, 1));
    assert_eq!((found.file.sha256, found.file.media), (sha256(9), MediaType::Txt));
    let earlier: Vec<_> = found.earlier.iter().map(|(id, file)| (*id, file.sha256)).collect();
    // The latest first.
    assert_eq!(earlier, [5, 4, 2, 1, 0].map(|id| (id, sha256(id))));
    let ended: Vec<_> = found.ended.iter().map(|(id, _)| *id).collect();
    assert_eq!((ended, found.undrawn, found.complete), (vec![7], vec![], true));
    assert_eq!(compared(&storage, 0).unwrap().unwrap().earlier, []);
    assert_eq!(compared(&storage, 11).unwrap(), None);
}

fn draw(id: u64, submissions: &[u64], drawn: bool) -> DrawView<openledger_client::AccountId> {
    let file = |submission: &u64| DrawnFile {
        submission: *submission,
        sha256: sha256(*submission),
        media: MediaType::Txt,
        size: 1_000,
        state: FileState::Open,
        stands: Default::default(),
    };
    let files = submissions.iter().map(file).collect();
    let purpose = Purpose::Review { asked: 0 };
    let mut draw = Draw::new(purpose, account(0), None, files, 10, 7).unwrap();
    if drawn {
        let members = (50..55).map(|n| (account(n), 0)).collect();
        draw.begin(members, [9; 32], 2, 5, &Rules::DEFAULT, &Lengths::DEVELOPMENT).unwrap();
    }
    let pool = PoolId::Modality(Modality::Text);
    DrawView { id, datanet: 0, pool, global: false, bond: 0, draw }
}

/// What `openledger review run` compares with too: a file that waits for curators, or whose draw waits for its seed, may be
/// taken back and may become an original; what ended as nobody's original overturns no acceptance.
#[test]
fn a_file_before_a_committee_is_compared_with_what_committees_were_drawn_for() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Sqlite::open(&folder.path().join("index.sqlite")).unwrap();
    let mut maker = Maker::new(Plan { files: 0, jobs: 0, ..Plan::SMALL });
    let mut blocks = vec![maker.block(), maker.block()];
    let opened = |draw| {
        let event = ChainEvent::DrawOpened { draw, datanet: 0, files: 1, session: 9 };
        (event, Detail::None)
    };
    let committee = |draw| {
        let members = (50..55).map(account).collect();
        let event = ChainEvent::CommitteeDrawn { draw, datanet: 0, members, commit_by: 25 };
        (event, Detail::None)
    };
    let expired = |submission| {
        let (contributor, sha256) = (account(0), sha256(submission));
        let event = ChainEvent::Expired { datanet: 0, submission, contributor, sha256 };
        (event, Detail::None)
    };
    // 0 waits for curators, 1 for its seed; 2, 3 and 4 are before a committee, and so is 5.
    let first = (0..6).map(|submission| submitted(0, submission));
    let mut block = with(maker.block(), first.chain([opened(0), opened(1), opened(2)]).collect());
    let waiting = vec![draw(0, &[1], false), draw(1, &[2, 3, 4], false), draw(2, &[5], false)];
    block.changed = Changed { draws: waiting, ..Changed::default() };
    blocks.push(block);
    let mut block = with(maker.block(), vec![committee(1), committee(2)]);
    let drawn = vec![draw(1, &[2, 3, 4], true), draw(2, &[5], true)];
    block.changed = Changed { draws: drawn, ..Changed::default() };
    blocks.push(block);
    storage.apply(&blocks).unwrap();
    let ids = |files: &[(u64, openledger_reviewer::File)]| -> Vec<u64> {
        files.iter().map(|(id, _)| *id).collect()
    };
    let found = compared(&storage, 5).unwrap().unwrap();
    assert_eq!(ids(&found.earlier), [4, 3, 2]);
    assert_eq!((ids(&found.ended), found.undrawn), (vec![], vec![1, 0]));

    let over = vec![expired(2), refused(3, RejectionReason::WrongFormat), rejected(4)];
    storage.apply(&[with(maker.block(), over)]).unwrap();
    let found = compared(&storage, 5).unwrap().unwrap();
    assert_eq!((ids(&found.earlier), ids(&found.ended)), (vec![4], vec![3, 2]));
    assert_eq!((found.undrawn, found.complete), (vec![1, 0], true));
}
