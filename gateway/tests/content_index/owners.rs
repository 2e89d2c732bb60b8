//! What owners, funders and contributors did to a Datanet, as the index tells it.

use super::common::Served;
use openledger_client::blocks::{Block, BlockEvent, ChainEvent, Changed, Detail};
use openledger_gateway::index::planted::{account, Maker, Plan};
use openledger_gateway::index::{sqlite::Sqlite, storage::Storage};
use openledger_primitives::{DatanetStatus, DatanetText, Funds, ReviewPolicy, Share};
use serde_json::{json, Value};

/// The next block of a made-up chain, in which only these events happen.
fn next(maker: &mut Maker, events: Vec<ChainEvent>) -> Block {
    let mut block = maker.block();
    block.changed = Changed::default();
    let event = |(index, event)| BlockEvent {
        index: index as u32,
        extrinsic: Some(0),
        event,
        detail: Detail::None,
    };
    block.events = events.into_iter().enumerate().map(event).collect();
    block
}

fn text(summary: &str, tags: &[&str]) -> DatanetText {
    DatanetText {
        summary: summary.as_bytes().to_vec().try_into().unwrap(),
        description: b"# Why\n\nBecause.".to_vec().try_into().unwrap(),
        tags: tags
            .iter()
            .map(|tag| tag.as_bytes().to_vec().try_into().unwrap())
            .collect::<Vec<_>>()
            .try_into()
            .unwrap(),
    }
}

#[tokio::test]
async fn what_an_owner_says_and_does_is_shown_and_found() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    let mut maker = Maker::new(Plan { files: 0, jobs: 0, ..Plan::SMALL });
    let mut blocks: Vec<_> = (0..3).map(|_| maker.block()).collect();
    served.index(&blocks).await;
    let fresh = served.get("/v1/datanets/0").await;
    assert_eq!((&fresh["status"], &fresh["summary"]), (&json!("open"), &json!("")));
    assert_eq!((&fresh["tags"], &fresh["offeredTo"]), (&json!([]), &json!(null)));

    let status = DatanetStatus::Paused;
    let mut block = next(
        &mut maker,
        vec![
            ChainEvent::TextSet { datanet: 0 },
            ChainEvent::StatusSet { datanet: 0, status },
            ChainEvent::Offered { datanet: 0, to: Some(account(3)) },
        ],
    );
    block.changed.texts.push((0, text("Recipes of <b>grandmothers</b>", &["food", "Swabia"])));
    blocks.push(block);
    served.index(&blocks).await;
    let shown = served.get("/v1/datanets/0").await;
    assert_eq!(shown["status"], "paused");
    assert_eq!(shown["summary"], "Recipes of <b>grandmothers</b>");
    assert_eq!(shown["description"], "# Why\n\nBecause.");
    assert_eq!(shown["tags"], json!(["food", "Swabia"]));
    assert_eq!(shown["offeredTo"], account(3).to_string());
    for (query, ids) in [
        ("search=GRANDMOTHERS", vec![0]),
        ("search=swabia", vec![0]),
        ("search=number", vec![0, 1]),
        ("status=paused", vec![0]),
        ("status=open", vec![1]),
    ] {
        let found = served.all(&format!("/v1/datanets?{query}"), 10).await;
        let found: Vec<_> = found.iter().map(|datanet| datanet["id"].as_u64().unwrap()).collect();
        assert_eq!(found, ids, "{query}");
    }
    assert_eq!(served.ask("/v1/datanets?status=asleep").await.error().0, 400);

    let mut taken = next(
        &mut maker,
        vec![
            ChainEvent::OwnerChanged { datanet: 0, from: account(0), to: account(3) },
            ChainEvent::StatusSet { datanet: 0, status: DatanetStatus::Closed },
        ],
    );
    taken.changed.owners.push((0, account(3)));
    blocks.push(taken);
    served.index(&blocks).await;
    let shown = served.get("/v1/datanets/0").await;
    assert_eq!(shown["owner"], account(3).to_string());
    assert_eq!((&shown["offeredTo"], &shown["status"]), (&json!(null), &json!("closed")));
}

#[tokio::test]
async fn what_waits_and_who_paid_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    let mut maker = Maker::new(Plan { files: 0, jobs: 0, ..Plan::SMALL });
    let mut blocks: Vec<_> = (0..3).map(|_| maker.block()).collect();
    let mut block = next(
        &mut maker,
        vec![
            ChainEvent::Funded { datanet: 0, who: account(1), amount: 700 },
            ChainEvent::Funded { datanet: 0, who: account(2), amount: 100 },
            ChainEvent::Funded { datanet: 0, who: account(2), amount: 200 },
            ChainEvent::TermsAnnounced { datanet: 0, per_period: 7, max_per_point: 3, from: 9 },
            ChainEvent::PolicyAnnounced { datanet: 0, from: 90 },
        ],
    );
    let funds = Funds { shares: 1_000_000_000, unowned: 5, ..Funds::default() };
    block.changed.funds.push((0, funds));
    let share = |shares, leaving| Share { shares, leaving, ..Share::default() };
    block.changed.shares =
        vec![(0, account(1), share(100_000_000, 0)), (0, account(2), share(250_000_000, 50))];
    let members = vec![account(4)].try_into().unwrap();
    let policy = ReviewPolicy::Curators { members, threshold: 1 };
    block.changed.waiting_policies.push((0, Some((policy, 90))));
    blocks.push(block);
    served.index(&blocks).await;
    let shown = served.get("/v1/datanets/0").await;
    let waits = json!({ "perPeriod": "7", "maxPerPoint": "3", "from": 9 });
    assert_eq!(shown["waitingTerms"], waits);
    let curators = [account(4).to_string()];
    let waits = json!({ "curators": curators, "threshold": 1, "committee": null, "from": 90 });
    assert_eq!(shown["waitingPolicy"], waits);
    assert_eq!(shown["pool"]["shares"], "1000000000");
    assert_eq!(shown["pool"]["unowned"], "5");
    let funders: Vec<Value> = shown["funders"].as_array().unwrap().clone();
    // The pool has 1,000,000,000; Datanet 0's own owner funded it when it was made.
    assert_eq!(funders[0]["account"], account(2).to_string());
    assert_eq!(
        (&funders[0]["funded"], &funders[0]["shares"]),
        (&json!("300"), &json!("250000000"))
    );
    assert_eq!((&funders[0]["worth"], &funders[0]["leaving"]), (&json!("250000000"), &json!("50")));
    assert_eq!(funders[1]["worth"], "100000000");

    let mut block = next(
        &mut maker,
        vec![
            ChainEvent::TermsSet { datanet: 0, per_period: 7, max_per_point: 3 },
            ChainEvent::PolicyKept { datanet: 0 },
            ChainEvent::PoolWithdrawn { datanet: 0, account: account(2), amount: 40 },
        ],
    );
    block.changed.waiting_policies.push((0, None));
    // A pool that was paid out and funded anew: what was owned before is void.
    block.changed.funds.push((0, Funds { shares: 10, generation: 1, ..Funds::default() }));
    block.changed.shares.push((
        0,
        account(2),
        Share { generation: 1, shares: 10, ..Share::default() },
    ));
    blocks.push(block);
    served.index(&blocks).await;
    let shown = served.get("/v1/datanets/0").await;
    assert_eq!((&shown["waitingTerms"], &shown["waitingPolicy"]), (&json!(null), &json!(null)));
    let funders = shown["funders"].as_array().unwrap();
    assert_eq!(
        (&funders[0]["account"], &funders[0]["withdrawn"]),
        (&json!(account(2).to_string()), &json!("40"))
    );
    assert_eq!((&funders[1]["shares"], &funders[1]["worth"]), (&json!("0"), &json!("0")));
}

#[tokio::test]
async fn a_revoked_leaf_is_flagged_with_everything_that_was_trained_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    let mut maker = Maker::new(Plan::SMALL);
    let mut blocks: Vec<_> = (0..12).map(|_| maker.block()).collect();
    served.index(&blocks).await;
    let first = served.get("/v1/submissions/0").await;
    assert_eq!((&first["leaf"], &first["revoked"]), (&json!(0), &json!(false)));
    assert_eq!(served.get("/v1/adapters/1").await["holdsRevoked"], false);

    // Leaf 1 is of no adapter: each was trained on one leaf.
    let revoke = |leaf, submission| ChainEvent::LeafRevoked {
        datanet: 0,
        leaf,
        submission,
        contributor: account(0),
        by_governance: false,
    };
    blocks.push(next(&mut maker, vec![revoke(1, 2)]));
    served.index(&blocks).await;
    assert_eq!(served.get("/v1/submissions/2").await["revoked"], true);
    assert_eq!(served.get("/v1/adapters/1").await["holdsRevoked"], false);

    blocks.push(next(&mut maker, vec![revoke(0, 0)]));
    served.index(&blocks).await;
    let revoked = served.get("/v1/submissions/0").await;
    assert_eq!(revoked["revoked"], true);
    let kinds: Vec<_> = revoked["history"].as_array().unwrap().iter().map(|e| &e["kind"]).collect();
    assert!(kinds.contains(&&json!("Datanets.LeafRevoked")), "{kinds:?}");
    assert_eq!(served.get("/v1/adapters/1").await["holdsRevoked"], true);
    for adapter in served.all("/v1/adapters", 3).await {
        assert_eq!(adapter["holdsRevoked"], true, "{adapter}");
    }
    let shared = served.get("/v1/adapters/1/attribution").await;
    assert_eq!(shared["items"][0]["revoked"], true);
    assert_eq!((&shared["files"], &shared["leftOut"]), (&json!(1), &json!(0)));
    let listed = served.all("/v1/datanets/0/submissions", 50).await;
    let flagged: Vec<_> = listed
        .iter()
        .filter(|file| file["revoked"] == true)
        .map(|file| file["id"].as_u64().unwrap())
        .collect();
    assert_eq!(flagged, [2, 0]);
}

#[tokio::test]
async fn a_job_leaves_out_what_was_revoked_before_its_block_and_is_flagged_by_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    let mut maker = Maker::new(Plan::SMALL);
    let mut blocks: Vec<_> = (0..6).map(|_| maker.block()).collect();
    // Every job is trained on leaf 0.
    let mut revoking = maker.block();
    let number = revoking.number;
    revoking.events.push(BlockEvent {
        index: 1_000,
        extrinsic: Some(0),
        event: ChainEvent::LeafRevoked {
            datanet: 0,
            leaf: 0,
            submission: 0,
            contributor: account(0),
            by_governance: false,
        },
        detail: Detail::None,
    });
    blocks.push(revoking);
    blocks.extend((0..4).map(|_| maker.block()));
    served.index(&blocks).await;
    assert_eq!(served.get("/v1/submissions/0").await["revokedAt"], number);

    let adapters = served.all("/v1/adapters", 50).await;
    let created = |adapter: &Value| adapter["created"]["block"].as_u64().unwrap();
    let number = u64::from(number);
    for before in [true, false] {
        let some = adapters.iter().any(|adapter| (created(adapter) <= number) == before);
        assert!(some, "adapters of both kinds: {adapters:?}");
    }
    for adapter in &adapters {
        let out = u64::from(created(adapter) > number);
        assert_eq!(adapter["holdsRevoked"], out == 0, "{adapter}");
        assert_eq!(adapter["datasets"][0]["leftOut"], out);
        let id = &adapter["id"];
        let job = served.get(&format!("/v1/jobs/{id}")).await;
        assert_eq!(job["datasets"], adapter["datasets"]);
        let shared = served.get(&format!("/v1/adapters/{id}/attribution")).await;
        assert_eq!((&shared["files"], &shared["leftOut"]), (&json!(1 - out), &json!(out)));
        assert_eq!(shared["items"].as_array().unwrap().len() as u64, 1 - out);
    }
}

#[tokio::test]
async fn a_base_model_that_the_chain_forgets_when_it_is_retired_is_shown_as_retired() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    let mut maker = Maker::new(Plan::SMALL);
    let mut blocks: Vec<_> = (0..4).map(|_| maker.block()).collect();
    served.index(&blocks).await;
    assert_eq!(served.get("/v1/models/0").await["retired"], false);
    // Its record is not in the state any more; and one that came and went is nowhere.
    let retired = |base| ChainEvent::BaseModelRetired { base, deposit: 10 };
    blocks.push(next(&mut maker, vec![retired(0), retired(7)]));
    served.index(&blocks).await;
    let models = served.all("/v1/models", 10).await;
    assert_eq!(models.len(), 1);
    assert_eq!((&models[0]["id"], &models[0]["retired"]), (&json!(0), &json!(true)));
}

#[tokio::test]
async fn an_account_has_its_own_line_of_every_board() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path()).await;
    served.index(&Maker::blocks(Plan { contributors: 23, ..Plan::SMALL }, 60)).await;
    for period in ["all", "0", "3", "5"] {
        let path = format!("/v1/datanets/1/board?period={period}");
        let board = served.all(&path, 7).await;
        assert!(!board.is_empty(), "{period}");
        let sum: f64 = board.iter().map(|entry| entry["share"].as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{period}: {sum}");
        for entry in &board {
            let own = format!("{path}&account={}", entry["account"].as_str().unwrap());
            let own = served.get(&own).await;
            assert_eq!(own, json!({ "items": [entry], "next": null }), "{period}");
        }
        let none = served.get(&format!("{path}&account={}", account(99))).await;
        assert_eq!(none["items"], json!([]));
    }
    let wrong = served.ask("/v1/datanets/1/board?account=me").await;
    assert_eq!(wrong.error(), (400, "invalid_value".to_owned()));
    // The line of all time is the one that rewards show.
    let who = account(5);
    let rewards = served.get(&format!("/v1/datanets/0/board?account={who}")).await;
    assert_eq!(rewards["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn places_are_right_however_long_a_board_is_and_however_it_was_written() {
    let plan = Plan { datanets: 1, contributors: 4_000, files: 400, jobs: 0, seed: 1 };
    let blocks = Maker::blocks(plan, 24);
    let folder = tempfile::tempdir().unwrap();
    let (one, bulk) = (folder.path().join("one"), folder.path().join("bulk"));
    for folder in [&one, &bulk] {
        std::fs::create_dir(folder).unwrap();
    }
    let storage = Sqlite::open(&bulk.join("index.sqlite")).unwrap();
    storage.bulk(true).unwrap();
    storage.apply(&blocks[..20]).unwrap();
    // Killed, and opened again.
    drop(storage);
    let written = Served::start(&one).await;
    let filled = Served::start(&bulk).await;
    written.index(&blocks).await;
    filled.index(&blocks).await;
    for period in ["all", "1"] {
        let path = format!("/v1/datanets/0/board?period={period}");
        let board = written.all(&path, 100).await;
        assert_eq!(board, filled.all(&path, 100).await);
        assert!(board.len() > 2_100, "{} lines", board.len());
        for place in (0..board.len()).step_by(211).chain([board.len() - 1]) {
            let own = format!("{path}&account={}", board[place]["account"].as_str().unwrap());
            for served in [&written, &filled] {
                assert_eq!(served.get(&own).await["items"][0], board[place]);
            }
            assert_eq!(board[place]["rank"], place + 1);
        }
    }
}
