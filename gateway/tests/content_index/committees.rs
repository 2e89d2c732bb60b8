//! Drawn committees, as the index tells of them: what they judge, say, are paid and lose, and the board over all
//! Datanets.

use super::common::Served;
use openledger_client::{
    blocks::{Block, BlockEvent, ChainEvent, Changed, Detail, Seats},
    AccountId,
};
use openledger_gateway::index::planted::{account, Maker, Plan};
use openledger_gateway::index::sqlite::Sqlite;
use openledger_gateway::index::storage::Storage;
use openledger_primitives::{
    api::SubmissionItem,
    committee::{
        api::DrawView, Draw, DrawnFile, FileState, Lengths, Opinion, Opinions, Outcome, PoolId,
        Purpose, Reviewer, Rules,
    },
    AdmissionPolicy, ContentId, DatasetLeaf, LeafVersion, MediaType, Modality, RejectionReason,
    ReviewPolicy, Score, Verdict,
};
use serde_json::{json, Value};

const OPEN: u128 = 1_000_000_000_000_000_000;
const PAY: u128 = OPEN / 10;
const GIVER: u32 = 100;
const CHALLENGER: u32 = 101;

fn member(n: u32) -> AccountId {
    account(10 + n)
}

fn sha256(submission: u64) -> [u8; 32] {
    [submission as u8 + 1; 32]
}

/// A chain that is written event by event.
struct Chain {
    served: Served,
    maker: Maker,
    blocks: Vec<Block>,
    folder: tempfile::TempDir,
}

type Happened = (ChainEvent, Detail);

fn plain(event: ChainEvent) -> Happened {
    (event, Detail::None)
}

impl Chain {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let served = Served::start(folder.path()).await;
        let mut maker = Maker::new(Plan { files: 0, jobs: 0, ..Plan::SMALL });
        let blocks: Vec<_> = (0..3).map(|_| maker.block()).collect();
        served.index(&blocks).await;
        Self { served, maker, blocks, folder }
    }

    async fn happens(&mut self, events: Vec<Happened>, changed: Changed) {
        let mut block = self.maker.block();
        block.changed = changed;
        let event = |(index, (event, detail))| BlockEvent {
            index: index as u32,
            extrinsic: Some(0),
            event,
            detail,
        };
        block.events = events.into_iter().enumerate().map(event).collect();
        self.blocks.push(block);
        self.served.index(&self.blocks).await;
    }

    async fn get(&self, path: &str) -> Value {
        self.served.get(path).await
    }

    /// The same rows come of the same blocks, also in one go.
    fn comes_again(&self) {
        let one = Sqlite::open(&self.folder.path().join("again.sqlite")).unwrap();
        one.apply(&self.blocks).unwrap();
        let other = Sqlite::open(&self.folder.path().join("index.sqlite")).unwrap();
        let dump = one.dump().unwrap();
        assert_eq!(dump, other.dump().unwrap());
        assert!(dump.contains("-- settlements") && dump.contains("-- draws"));
    }
}

fn submitted(submission: u64) -> Happened {
    let content = ContentId::raw(sha256(submission));
    let item =
        SubmissionItem { content, sha256: sha256(submission), size: 1_000, media: MediaType::Txt };
    let event = ChainEvent::Submitted {
        datanet: 0,
        submission,
        contributor: account(GIVER),
        sha256: sha256(submission),
    };
    (event, Detail::File(item))
}

fn file(submission: u64) -> DrawnFile {
    DrawnFile {
        submission,
        sha256: sha256(submission),
        media: MediaType::Txt,
        size: 1_000,
        state: FileState::Open,
        stands: Default::default(),
    }
}

fn view(id: u64, global: bool, draw: &Draw<AccountId>) -> DrawView<AccountId> {
    let pool = PoolId::Modality(Modality::Text);
    let bond = if draw.challenger.is_some() { 10 * OPEN } else { 0 };
    DrawView { id, datanet: 0, pool, global, bond, draw: draw.clone() }
}

fn new_draw(files: &[u64]) -> Draw<AccountId> {
    let files = files.iter().map(|id| file(*id)).collect();
    Draw::new(Purpose::Review { asked: 0 }, account(GIVER), None, files, 10, 7).unwrap()
}

fn drawn(draw: &mut Draw<AccountId>, members: std::ops::Range<u32>) {
    let members = members.map(|n| (member(n), 0)).collect();
    let (rules, lengths) = (Rules::DEFAULT, Lengths::DEVELOPMENT);
    draw.begin(members, [9; 32], 2, 5, &rules, &lengths).unwrap();
}

fn committee(id: u64, members: std::ops::Range<u32>) -> Happened {
    let members = members.map(member).collect();
    plain(ChainEvent::CommitteeDrawn { draw: id, datanet: 0, members, commit_by: 25 })
}

fn accept(score: u8, units: u64) -> Opinion {
    let score = Score::new(score).unwrap();
    let verdict = Verdict::Accept { score, units, text_root: [4; 32].into(), extractor: 2 };
    Opinion { verdict, possession: [5; 32].into() }
}

fn refuse() -> Opinion {
    let verdict = Verdict::Reject(RejectionReason::OffTopic);
    Opinion { verdict, possession: [5; 32].into() }
}

fn revealed(id: u64, n: u32, words: &[Opinion]) -> Happened {
    let opinions: Opinions = words.to_vec().try_into().unwrap();
    (ChainEvent::Revealed { draw: id, account: member(n) }, Detail::Opinions(opinions))
}

fn committed(id: u64, n: u32) -> Happened {
    plain(ChainEvent::Committed { draw: id, account: member(n) })
}

fn paid(id: u64, submission: u64, who: AccountId, amount: u128) -> Happened {
    plain(ChainEvent::ReviewPaid { draw: id, submission, account: who, amount })
}

fn lost(id: u64, who: AccountId, amount: u128) -> Happened {
    let pool = PoolId::Modality(Modality::Text);
    plain(ChainEvent::SeatsLost { pool, account: who, draw: id, amount })
}

fn ended(id: u64, submission: u64, outcome: Outcome) -> Happened {
    plain(ChainEvent::FileEnded { draw: id, submission, outcome })
}

fn credited(submission: u64, points: u128, total: u128) -> [Happened; 2] {
    let (datanet, contributor) = (0, account(GIVER));
    let leaf = DatasetLeaf {
        version: LeafVersion::V2 { extractor: 2 },
        submission,
        contributor,
        sha256: sha256(submission),
        size: 1_000,
        units: 500,
        score: Score::new(60).unwrap(),
        text_root: [4; 32].into(),
    };
    let accepted = ChainEvent::Accepted {
        datanet,
        submission,
        contributor,
        sha256: sha256(submission),
        leaf: submission,
        points,
    };
    let earned = ChainEvent::PointsEarned { datanet, account: contributor, points, total };
    [plain(earned), (accepted, Detail::Leaf(leaf))]
}

fn words(settlements: &Value) -> Vec<(String, String, bool, Value)> {
    let items = settlements.as_array().unwrap().iter();
    items
        .map(|one| {
            (
                one["account"].as_str().unwrap().to_owned(),
                one["why"].as_str().unwrap().to_owned(),
                one["paid"].as_bool().unwrap(),
                one["submission"].clone(),
            )
        })
        .collect()
}

/// A draw of two files, 0 and 1: opened, drawn, sealed and revealed. The first is accepted by four against one;
/// of the second nothing is found, since two cannot fetch it and one never reveals.
async fn judged(chain: &mut Chain, global: bool) -> Draw<AccountId> {
    let mut draw = new_draw(&[0, 1]);
    let opened = ChainEvent::DrawOpened { draw: 0, datanet: 0, files: 2, session: 9 };
    let changed = Changed { draws: vec![view(0, false, &draw)], ..Changed::default() };
    chain.happens(vec![submitted(0), submitted(1), plain(opened)], changed).await;
    drawn(&mut draw, 0..5);
    let changed = Changed { draws: vec![view(0, global, &draw)], ..Changed::default() };
    chain.happens(vec![committee(0, 0..5)], changed).await;
    chain.happens((0..5).map(|n| committed(0, n)).collect(), Changed::default()).await;
    let said = [
        [accept(60, 500), Opinion::UNAVAILABLE],
        [accept(80, 500), Opinion::UNAVAILABLE],
        [accept(40, 500), refuse()],
        [refuse(), accept(50, 500)],
    ];
    let opens = ChainEvent::RevealsOpened { draw: 0, reveal_by: 35 };
    let mut events = vec![plain(opens)];
    events.extend(said.iter().zip(0..).map(|(words, n)| revealed(0, n, words)));
    chain.happens(events, Changed::default()).await;
    draw
}

fn decided(id: u64, challenge_by: Option<u32>) -> Happened {
    plain(ChainEvent::DrawDecided { draw: id, verdicts: 1, challenge_by })
}

#[tokio::test]
async fn a_draw_is_told_from_its_opening_to_what_it_paid_and_why() {
    let mut chain = Chain::start().await;
    judged(&mut chain, true).await;
    let shown = chain.get("/v1/draws/0").await;
    assert_eq!((&shown["state"], &shown["session"]), (&json!("revealing"), &json!(9)));
    assert_eq!(shown["pool"], json!({ "modality": "text", "datanet": null }));
    assert_eq!((&shown["commitBy"], &shown["revealBy"]), (&json!(25), &json!(35)));
    assert_eq!((&shown["countsGlobally"], &shown["extractor"]), (&json!(true), &json!(2)));
    assert_eq!(shown["members"][0]["words"][0]["word"]["score"], 60);
    assert_eq!(shown["members"][0]["words"][1]["possession"], Value::Null);
    assert_eq!(shown["members"][0]["words"][0]["stand"], Value::Null);
    assert_eq!(
        (&shown["members"][4]["words"], &shown["members"][4]["revealed"]),
        (&json!([]), &Value::Null)
    );

    // The second file goes before another committee, which the same step opens.
    let again = Draw::new(Purpose::Review { asked: 1 }, account(GIVER), None, vec![file(1)], 10, 9);
    let opened = ChainEvent::DrawOpened { draw: 1, datanet: 0, files: 1, session: 11 };
    let events = vec![
        lost(0, member(4), 4 * PAY),
        ended(0, 1, Outcome::SplitAgain),
        plain(opened),
        decided(0, Some(50)),
    ];
    let changed = Changed { draws: vec![view(1, false, &again.unwrap())], ..Changed::default() };
    chain.happens(events, changed).await;
    let shown = chain.get("/v1/draws/0").await;
    assert_eq!((&shown["state"], &shown["challengeBy"]), (&json!("judged"), &json!(50)));
    let kinds = [0, 1].map(|place: usize| shown["files"][place]["found"]["kind"].clone());
    assert_eq!(kinds, ["accept", "split"]);
    assert_eq!(shown["members"][3]["words"][1]["stand"], "unavailable");
    assert_eq!(shown["files"][1]["outcome"], "split-again");
    assert_eq!(
        words(&shown["settlements"]),
        [(member(4).to_string(), "absent".to_owned(), false, Value::Null)]
    );
    let other = chain.get("/v1/draws/1").await;
    assert_eq!((&other["asked"], &other["state"]), (&json!(1), &json!("waiting")));
    assert_eq!(other["files"][0]["submission"], 1);
    let of_second = chain.get("/v1/submissions/1").await;
    let draws = of_second["draws"].as_array().unwrap();
    assert_eq!(draws.iter().map(|one| one["draw"].clone()).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(draws[0]["outcome"], "split-again");
    chain.comes_again();
}

/// Three of five accept file 0, a fourth refuses it, the fifth shows another file's proof.
async fn accepted(chain: &mut Chain, global: bool) {
    let mut draw = new_draw(&[0]);
    let opened = ChainEvent::DrawOpened { draw: 0, datanet: 0, files: 1, session: 9 };
    let changed = Changed { draws: vec![view(0, false, &draw)], ..Changed::default() };
    chain.happens(vec![submitted(0), plain(opened)], changed).await;
    drawn(&mut draw, 0..5);
    let changed = Changed { draws: vec![view(0, global, &draw)], ..Changed::default() };
    chain.happens(vec![committee(0, 0..5)], changed).await;
    let void = Opinion { possession: [6; 32].into(), ..accept(70, 500) };
    let said = [accept(80, 500), accept(60, 500), accept(40, 500), refuse(), void];
    let mut events: Vec<_> = (0..5).map(|n| committed(0, n)).collect();
    events.push(plain(ChainEvent::RevealsOpened { draw: 0, reveal_by: 35 }));
    events.extend(said.iter().zip(0..).map(|(word, n)| revealed(0, n, &[*word])));
    events.push(decided(0, Some(50)));
    chain.happens(events, Changed::default()).await;
    let shown = chain.get("/v1/draws/0").await;
    let found = &shown["files"][0]["found"];
    // The lower median of 40, 60 and 80.
    assert_eq!(
        (&found["kind"], &found["score"], &found["units"]),
        (&json!("accept"), &json!(60), &json!(500))
    );
    let stands = shown["members"].as_array().unwrap().iter();
    let stands: Vec<_> = stands.map(|one| one["words"][0]["stand"].clone()).collect();
    assert_eq!(stands, ["agreed", "agreed", "agreed", "dissented", "void"]);
}

#[tokio::test]
async fn what_an_acceptance_pays_and_costs_is_shown_to_everybody_it_concerns() {
    let mut chain = Chain::start().await;
    accepted(&mut chain, true).await;
    let mut events: Vec<_> = (0..3).map(|n| paid(0, 0, member(n), PAY)).collect();
    events.push(lost(0, member(4), 2 * PAY));
    events.push(ended(0, 0, Outcome::Accepted));
    events.extend(credited(0, 30_000, 30_000));
    chain.happens(events, Changed::default()).await;
    let shown = chain.get("/v1/draws/0").await;
    assert_eq!(
        (&shown["state"], &shown["files"][0]["outcome"]),
        (&json!("over"), &json!("accepted"))
    );
    let why = words(&shown["settlements"]);
    let expected: Vec<_> = [(0, "agreed"), (1, "agreed"), (2, "agreed"), (4, "void")]
        .map(|(n, why)| (member(n).to_string(), why.to_owned(), why == "agreed", json!(0)))
        .to_vec();
    assert_eq!(why, expected);
    let paid = chain.get(&format!("/v1/accounts/{}/settlements", member(1))).await;
    assert_eq!(paid["items"][0]["amount"], PAY.to_string());
    let sums = chain.get(&format!("/v1/accounts/{}/seats", member(4))).await;
    assert_eq!((&sums["drawn"], &sums["revealed"]), (&json!(1), &json!(1)));
    assert_eq!((&sums["earned"], &sums["lost"]), (&json!("0"), &json!((2 * PAY).to_string())));
    // Lists find it by state, Datanet and member.
    for (query, count) in [
        ("state=over".to_owned(), 1),
        ("state=judged".to_owned(), 0),
        ("datanet=0".to_owned(), 1),
        ("datanet=1".to_owned(), 0),
        (format!("member={}", member(3)), 1),
        (format!("member={}&state=over", member(3)), 1),
        (format!("member={}&state=committing", member(3)), 0),
        (format!("member={}", account(GIVER)), 0),
    ] {
        let found = chain.served.all(&format!("/v1/draws?{query}"), 1).await;
        assert_eq!(found.len(), count, "{query}");
    }
    assert_eq!(chain.served.ask("/v1/draws/7").await.error().0, 404);
    assert_eq!(chain.served.ask("/v1/draws?state=asleep").await.error().0, 400);
    chain.comes_again();
}

#[tokio::test]
async fn a_challenge_that_succeeds_takes_from_those_who_were_wrong() {
    let mut chain = Chain::start().await;
    accepted(&mut chain, true).await;
    let mut larger = Draw::new(
        Purpose::Challenge { draw: 0, file: 0 },
        account(GIVER),
        Some(account(CHALLENGER)),
        vec![file(0)],
        10,
        9,
    )
    .unwrap();
    let opened = ChainEvent::DrawOpened { draw: 1, datanet: 0, files: 1, session: 11 };
    let challenged =
        ChainEvent::Challenged { draw: 0, submission: 0, challenger: account(CHALLENGER), by: 1 };
    let changed = Changed { draws: vec![view(1, false, &larger)], ..Changed::default() };
    chain.happens(vec![plain(opened), plain(challenged)], changed).await;
    let shown = chain.get("/v1/draws/1").await;
    assert_eq!(shown["challenges"], json!({ "draw": 0, "file": 0 }));
    assert_eq!(shown["challenger"], account(CHALLENGER).to_string());
    assert_eq!(shown["bond"], (10 * OPEN).to_string());
    assert_eq!(chain.get("/v1/draws/0").await["files"][0]["challengedBy"], 1);

    drawn(&mut larger, 5..20);
    let changed = Changed { draws: vec![view(1, false, &larger)], ..Changed::default() };
    chain.happens(vec![committee(1, 5..20)], changed).await;
    let mut events: Vec<_> = (5..20).map(|n| committed(1, n)).collect();
    events.extend((5..19).map(|n| revealed(1, n, &[refuse()])));
    events.extend([lost(1, member(19), 2 * PAY), decided(1, None)]);
    events.extend((0..3).map(|n| lost(0, member(n), 10 * OPEN)));
    events.push(paid(0, 0, account(CHALLENGER), 15 * OPEN));
    events.extend((5..19).map(|n| paid(0, 0, member(n), PAY)));
    events.push(ended(0, 0, Outcome::AcceptanceOverturned));
    events.push(plain(ChainEvent::Rejected {
        datanet: 0,
        submission: 0,
        contributor: account(GIVER),
        sha256: sha256(0),
        reason: RejectionReason::OffTopic,
    }));
    chain.happens(events, Changed::default()).await;
    let shown = chain.get("/v1/draws/0").await;
    assert_eq!(shown["files"][0]["outcome"], "acceptance-overturned");
    let why = words(&shown["settlements"]);
    let count = |word: &str| why.iter().filter(|one| one.1 == word).count();
    assert_eq!(
        [count("overturned"), count("challenger"), count("larger-committee"), why.len()],
        [3, 1, 14, 18]
    );
    let larger = chain.get("/v1/draws/1").await;
    assert_eq!((&larger["state"], &larger["files"][0]["outcome"]), (&json!("over"), &Value::Null));
    assert_eq!(larger["files"][0]["found"]["kind"], "reject");
    assert_eq!(words(&larger["settlements"])[0].1, "absent");
    let submission = chain.get("/v1/submissions/0").await;
    assert_eq!(
        (&submission["state"], &submission["reason"]),
        (&json!("rejected"), &json!("off-topic"))
    );
    let draws = submission["draws"].as_array().unwrap();
    assert_eq!(draws.iter().map(|one| one["challenge"].clone()).collect::<Vec<_>>(), [false, true]);
    chain.comes_again();
}

#[tokio::test]
async fn who_was_right_in_an_overturned_committee_is_not_shown_as_the_challenger() {
    let mut chain = Chain::start().await;
    accepted(&mut chain, false).await;
    // A member who refused it challenges, and the larger committee measures what two of three said.
    let challenged =
        ChainEvent::Challenged { draw: 0, submission: 0, challenger: member(3), by: 1 };
    let purpose = Purpose::Challenge { draw: 0, file: 0 };
    let larger = Draw::new(purpose, account(GIVER), Some(member(3)), vec![file(0)], 10, 9).unwrap();
    let opened = ChainEvent::DrawOpened { draw: 1, datanet: 0, files: 1, session: 11 };
    let changed = Changed { draws: vec![view(1, false, &larger)], ..Changed::default() };
    chain.happens(vec![plain(opened), plain(challenged)], changed).await;
    let mut events = vec![committee(1, 5..20)];
    events.extend((0..2).map(|n| paid(0, 0, member(n), PAY)));
    events.push(lost(0, member(2), 10 * OPEN));
    events.push(paid(0, 0, member(3), 5 * OPEN));
    events.extend((5..20).map(|n| paid(0, 0, member(n), PAY)));
    events.push(ended(0, 0, Outcome::MeasuredAnew));
    events.extend(credited(0, 30_000, 30_000));
    chain.happens(events, Changed::default()).await;
    let why = words(&chain.get("/v1/draws/0").await["settlements"]);
    let of = |n: u32| {
        let mut entries = why.iter().filter(|one| one.0 == member(n).to_string());
        entries.next().map(|one| one.1.clone()).unwrap()
    };
    assert_eq!(
        [0, 1, 2, 3, 5].map(of),
        ["agreed", "agreed", "overturned", "challenger", "larger-committee"]
    );
}

/// The first file is challenged; the draw that judges it.
async fn challenged(chain: &mut Chain) -> Draw<AccountId> {
    let challenged =
        ChainEvent::Challenged { draw: 0, submission: 0, challenger: account(CHALLENGER), by: 1 };
    let purpose = Purpose::Challenge { draw: 0, file: 0 };
    let challenger = Some(account(CHALLENGER));
    let larger = Draw::new(purpose, account(GIVER), challenger, vec![file(0)], 10, 9).unwrap();
    let opened = ChainEvent::DrawOpened { draw: 1, datanet: 0, files: 1, session: 11 };
    let changed = Changed { draws: vec![view(1, false, &larger)], ..Changed::default() };
    chain.happens(vec![plain(opened), plain(challenged)], changed).await;
    larger
}

#[tokio::test]
async fn who_accepted_what_is_not_there_is_shown_to_lose_for_that() {
    let mut chain = Chain::start().await;
    accepted(&mut chain, false).await;
    challenged(&mut chain).await;
    let mut events = vec![committee(1, 5..20)];
    events.extend((0..3).map(|n| lost(0, member(n), 10 * OPEN)));
    events.push(ended(0, 0, Outcome::AcceptanceUnavailable));
    chain.happens(events, Changed::default()).await;
    let shown = chain.get("/v1/draws/0").await;
    assert_eq!(shown["files"][0]["outcome"], "acceptance-unavailable");
    let why: Vec<_> = words(&shown["settlements"]).into_iter().map(|one| (one.0, one.1)).collect();
    let unserved = |n| (member(n).to_string(), "unserved".to_owned());
    assert_eq!(why, [0, 1, 2].map(unserved));
}

#[tokio::test]
async fn who_has_a_file_and_cannot_compare_it_is_shown_to_have_it() {
    let mut chain = Chain::start().await;
    accepted(&mut chain, false).await;
    let mut larger = challenged(&mut chain).await;
    drawn(&mut larger, 5..20);
    let changed = Changed { draws: vec![view(1, false, &larger)], ..Changed::default() };
    chain.happens(vec![committee(1, 5..20)], changed).await;
    let lacks = Opinion::undecided([5; 32].into());
    let mut events: Vec<_> = (5..20).map(|n| committed(1, n)).collect();
    events.extend((5..20).map(|n| revealed(1, n, &[lacks])));
    events.extend([decided(1, None), ended(0, 0, Outcome::RefusalUndecided)]);
    chain.happens(events, Changed::default()).await;
    let shown = chain.get("/v1/draws/1").await;
    assert_eq!(shown["files"][0]["found"]["kind"], "undecided");
    let word = &shown["members"][0]["words"][0];
    assert_eq!(word["word"]["kind"], "unavailable");
    assert_eq!(word["possession"], "05".repeat(32));
    assert_eq!(word["stand"], "unavailable", "it earns and costs nothing");
    let first = chain.get("/v1/draws/0").await;
    assert_eq!(first["files"][0]["outcome"], "refusal-undecided");
}

#[tokio::test]
async fn a_challenge_that_fails_shares_its_bond() {
    let mut chain = Chain::start().await;
    accepted(&mut chain, false).await;
    let challenged =
        ChainEvent::Challenged { draw: 0, submission: 0, challenger: account(CHALLENGER), by: 1 };
    let larger = Draw::new(
        Purpose::Challenge { draw: 0, file: 0 },
        account(GIVER),
        Some(account(CHALLENGER)),
        vec![file(0)],
        10,
        9,
    );
    let opened = ChainEvent::DrawOpened { draw: 1, datanet: 0, files: 1, session: 11 };
    let changed = Changed { draws: vec![view(1, false, &larger.unwrap())], ..Changed::default() };
    chain.happens(vec![plain(opened), plain(challenged)], changed).await;
    let mut events = vec![committee(1, 5..20)];
    events.extend((0..3).map(|n| paid(0, 0, member(n), PAY)));
    events.extend((5..20).map(|n| paid(0, 0, member(n), PAY)));
    events.extend((0..3).map(|n| paid(0, 0, member(n), 2 * OPEN)));
    events.push(ended(0, 0, Outcome::AcceptanceUpheld));
    events.extend(credited(0, 30_000, 30_000));
    chain.happens(events, Changed::default()).await;
    let why = words(&chain.get("/v1/draws/0").await["settlements"]);
    let count = |word: &str| why.iter().filter(|one| one.1 == word).count();
    assert_eq!([count("agreed"), count("larger-committee"), count("bond")], [3, 15, 3]);
}

#[tokio::test]
async fn files_that_leave_before_the_draw_are_none_of_it() {
    let mut chain = Chain::start().await;
    let draw = new_draw(&[0, 1]);
    let opened = |draw| ChainEvent::DrawOpened { draw, datanet: 0, files: 2, session: 9 };
    let changed = Changed { draws: vec![view(0, false, &draw)], ..Changed::default() };
    // The second draw's only file is taken back in the block that brings it: the chain has no record of it.
    let events = vec![submitted(0), submitted(1), plain(opened(0)), submitted(2), plain(opened(1))];
    chain.happens(events, changed).await;
    assert_eq!(chain.get("/v1/draws/1").await["state"], "over");
    let withdrawn = |submission| ChainEvent::Withdrawn {
        datanet: 0,
        submission,
        contributor: account(GIVER),
        sha256: sha256(submission),
    };
    chain.happens(vec![plain(withdrawn(0)), plain(withdrawn(2))], Changed::default()).await;
    let shown = chain.get("/v1/draws/0").await;
    assert_eq!((&shown["state"], shown["files"].as_array().unwrap().len()), (&json!("waiting"), 1));
    assert_eq!(shown["files"][0]["submission"], 1);
    let postponed = ChainEvent::DrawPostponed { draw: 0, lacks_seats: true, session: Some(10) };
    chain.happens(vec![plain(postponed)], Changed::default()).await;
    let shown = chain.get("/v1/draws/0").await;
    assert_eq!((&shown["lacked"], &shown["session"]), (&json!("seats"), &json!(10)));
    chain.happens(vec![plain(withdrawn(1))], Changed::default()).await;
    assert_eq!(chain.get("/v1/draws/0").await["state"], "over");
    chain.comes_again();
}

#[tokio::test]
async fn points_of_large_pools_stand_on_the_board_over_all_datanets() {
    let mut chain = Chain::start().await;
    accepted(&mut chain, true).await;
    let mut events = vec![ended(0, 0, Outcome::Accepted)];
    events.extend(credited(0, 30_000, 30_000));
    // What no committee decided counts on its own board alone.
    events.push(submitted(1));
    events.extend(credited(1, 500, 30_500));
    chain.happens(events, Changed::default()).await;
    let board = chain.served.all("/v1/board", 10).await;
    assert_eq!(board.len(), 1);
    let line = json!({
        "rank": 1, "account": account(GIVER).to_string(), "points": "30000", "share": 1.0,
        "sequence": 0, "files": 1,
    });
    assert_eq!(board[0], line);
    let period = chain.blocks.len() as u32 / 10;
    let of_period = chain.served.all(&format!("/v1/board?period={period}"), 10).await;
    assert_eq!(of_period, std::slice::from_ref(&line));
    assert_eq!(chain.served.all("/v1/board?period=999", 10).await, Vec::<Value>::new());
    let own = chain.get(&format!("/v1/board?account={}", account(GIVER))).await;
    assert_eq!(own["items"], json!([line]));
    let none = chain.get(&format!("/v1/board?account={}", member(0))).await;
    assert_eq!(none["items"], json!([]));
    let periods = chain.get("/v1/board/periods").await;
    assert_eq!(periods["items"], json!([{ "period": period, "points": "30000" }]));
    // No Datanet is called by the number under which the board is kept.
    let path = format!("/v1/datanets/{}/board", u32::MAX);
    assert_eq!(chain.served.ask(&path).await.error().0, 404);
    assert_eq!(chain.get("/v1/datanets/0/board").await["items"][0]["points"], "30500");
    chain.comes_again();
}

#[tokio::test]
async fn points_of_a_small_pool_do_not() {
    let mut chain = Chain::start().await;
    accepted(&mut chain, false).await;
    let mut events = vec![ended(0, 0, Outcome::Accepted)];
    events.extend(credited(0, 30_000, 30_000));
    chain.happens(events, Changed::default()).await;
    assert_eq!(chain.get("/v1/board").await["items"], json!([]));
    assert_eq!(chain.get("/v1/board/periods").await["items"], json!([]));
}

#[tokio::test]
async fn seats_and_who_judges_are_shown() {
    let mut chain = Chain::start().await;
    let (text, own) = (PoolId::Modality(Modality::Text), PoolId::Datanet(1));
    let bonded = |pool, seats| ChainEvent::SeatsBonded {
        pool,
        account: member(0),
        seats,
        held: u128::from(seats) * 100 * OPEN,
    };
    let held = |seats: u32, leaving| Seats {
        reviewer: Reviewer {
            seats,
            leaving,
            held: u128::from(seats + leaving) * 100 * OPEN,
            ..Reviewer::default()
        },
        placed: 0,
    };
    let policy = |own_seats| ReviewPolicy::Committee { own_seats };
    let changed = Changed {
        seats: vec![(text, member(0), held(2, 0)), (own, member(0), held(1, 0))],
        policies: vec![(0, policy(false)), (1, policy(true))],
        ..Changed::default()
    };
    let admission = AdmissionPolicy::Points { least: 5_000 };
    let events = vec![
        plain(bonded(text, 2)),
        plain(bonded(own, 1)),
        plain(ChainEvent::PolicySet { datanet: 0 }),
        plain(ChainEvent::PolicySet { datanet: 1 }),
        plain(ChainEvent::AdmissionSet { datanet: 1, admission }),
    ];
    chain.happens(events, changed).await;
    let path = format!("/v1/accounts/{}/seats", member(0));
    let shown = chain.get(&path).await;
    let holding = |modality: Value, datanet: Value, seats: u32, leaving: u32| {
        let held = (u128::from(seats + leaving) * 100 * OPEN).to_string();
        json!({ "pool": { "modality": modality, "datanet": datanet }, "seats": seats,
            "leaving": leaving, "held": held })
    };
    let both =
        json!([holding(Value::Null, json!(1), 1, 0), holding(json!("text"), Value::Null, 2, 0)]);
    assert_eq!(shown["seats"], both);
    for (datanet, committee, admission, least) in
        [(0, "modality", "open", Value::Null), (1, "datanet", "points", json!("5000"))]
    {
        let shown = chain.get(&format!("/v1/datanets/{datanet}")).await;
        assert_eq!((&shown["committee"], &shown["curators"]), (&json!(committee), &json!([])));
        assert_eq!((&shown["admission"], &shown["leastPoints"]), (&json!(admission), &least));
    }
    let given_up = ChainEvent::SeatsGivenUp { pool: text, account: member(0), seats: 2 };
    let changed = Changed { seats: vec![(text, member(0), held(0, 2))], ..Changed::default() };
    chain.happens(vec![plain(given_up)], changed).await;
    assert_eq!(chain.get(&path).await["seats"][1], holding(json!("text"), Value::Null, 0, 2));
    let nobody = chain.get(&format!("/v1/accounts/{}/seats", account(GIVER))).await;
    let none = json!({ "seats": [], "drawn": 0, "revealed": 0, "earned": "0", "lost": "0" });
    assert_eq!(nobody, none);
    chain.comes_again();
}
