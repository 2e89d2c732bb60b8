//! Pages of the API over a made-up chain.

use super::common::Served;
use openledger_gateway::index::planted::{account, curator, Maker, Plan};
use serde_json::{json, Value};
use std::collections::BTreeMap;

async fn small(folder: &std::path::Path) -> Served {
    let served = Served::start(folder).await;
    served.index(&Maker::blocks(Plan::SMALL, 60)).await;
    served
}

fn points(entry: &Value) -> u128 {
    entry["points"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn boards_add_up_over_pages_and_periods() {
    let folder = tempfile::tempdir().unwrap();
    let served = small(folder.path()).await;
    for datanet in 0..2 {
        let path = format!("/v1/datanets/{datanet}/board");
        let board = served.all(&path, 2).await;
        assert_eq!(board.len(), 5);
        let ranks: Vec<_> = board.iter().map(|entry| entry["rank"].as_u64().unwrap()).collect();
        assert_eq!(ranks, [1, 2, 3, 4, 5]);
        assert!(board.windows(2).all(|two| points(&two[0]) >= points(&two[1])));
        // What files say, boards say; and periods add up to all of them.
        let mut of_files: BTreeMap<String, u128> = BTreeMap::new();
        let files = format!("/v1/datanets/{datanet}/submissions?state=accepted");
        for file in served.all(&files, 30).await {
            *of_files.entry(file["contributor"].as_str().unwrap().to_owned()).or_default() +=
                points(&file);
        }
        let mut of_periods: BTreeMap<String, u128> = BTreeMap::new();
        for period in 0..6 {
            for entry in served.all(&format!("{path}?period={period}"), 100).await {
                *of_periods.entry(entry["account"].as_str().unwrap().to_owned()).or_default() +=
                    points(&entry);
            }
        }
        let of_board: BTreeMap<_, _> = board
            .iter()
            .map(|entry| (entry["account"].as_str().unwrap().to_owned(), points(entry)))
            .collect();
        assert_eq!(of_board, of_files);
        assert_eq!(of_board, of_periods);
        let periods = served.all(&format!("/v1/datanets/{datanet}/periods"), 2).await;
        assert_eq!(periods.len(), 5, "the sixth is still open");
        assert_eq!(periods[0]["period"], 4);
    }
}

#[tokio::test]
async fn every_page_size_gives_the_same_list_without_gap_or_repetition() {
    let folder = tempfile::tempdir().unwrap();
    let served = small(folder.path()).await;
    let who = account(3);
    for path in [
        "/v1/submissions".to_owned(),
        "/v1/submissions?state=rejected".to_owned(),
        format!("/v1/submissions?contributor={who}"),
        format!("/v1/submissions?contributor={who}&state=withdrawn"),
        format!("/v1/datanets/1/submissions?contributor={who}&state=accepted"),
        "/v1/datanets/0/verdicts".to_owned(),
        "/v1/jobs?state=completed".to_owned(),
        format!("/v1/jobs?owner={who}"),
        "/v1/adapters".to_owned(),
        "/v1/datanets".to_owned(),
        "/v1/events".to_owned(),
        "/v1/events?kind=Review.Voted".to_owned(),
        format!("/v1/accounts/{who}/activity"),
        format!("/v1/events?account={who}&kind=Datanets.Accepted"),
        format!("/v1/accounts/{who}/why?datanet=0"),
    ] {
        let whole = served.all(&path, 100).await;
        assert!(!whole.is_empty(), "{path}");
        assert_eq!(whole, served.all(&path, 7).await, "{path}");
        let mut seen: Vec<_> = whole.iter().map(|entry| entry["id"].to_string()).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), whole.len(), "{path}");
    }
}

#[tokio::test]
async fn a_submission_has_its_whole_history() {
    let folder = tempfile::tempdir().unwrap();
    let served = small(folder.path()).await;
    let accepted = served.get("/v1/submissions/0").await;
    let kinds = |submission: &Value| -> Vec<String> {
        let history = submission["history"].as_array().unwrap();
        history.iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        kinds(&accepted),
        ["Datanets.Submitted", "Review.Voted", "Datanets.Accepted", "Review.Decided"]
    );
    assert_eq!(accepted["datanetName"], "Datanet number 0");
    assert_eq!((&accepted["score"], &accepted["units"]), (&json!(1), &json!(100)));
    assert_eq!(accepted["points"], "100");
    assert_eq!(accepted["votes"][0]["curator"], curator().to_string());
    assert_eq!(accepted["votes"][0]["accept"], true);
    assert_eq!(accepted["submitted"]["block"], 2);
    assert_eq!(accepted["decided"]["block"], 3);
    let rejected = served.get("/v1/submissions/4").await;
    assert_eq!(rejected["reason"], "off-topic");
    assert_eq!(rejected["points"], Value::Null);
    let withdrawn = served.get("/v1/submissions/6").await;
    assert_eq!(withdrawn["state"], "withdrawn");
    assert_eq!(kinds(&withdrawn), ["Datanets.Submitted", "Datanets.Withdrawn"]);
    let missing = served.ask("/v1/submissions/100000").await;
    assert_eq!(missing.error(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn counts_of_a_datanet_are_those_of_its_submissions() {
    let folder = tempfile::tempdir().unwrap();
    let served = small(folder.path()).await;
    let datanet = served.get("/v1/datanets/1").await;
    for state in ["pending", "accepted", "rejected", "withdrawn"] {
        let files = served.all(&format!("/v1/datanets/1/submissions?state={state}"), 100).await;
        assert_eq!(datanet["counts"][state], files.len(), "{state}");
    }
    assert_eq!(datanet["leaves"], datanet["counts"]["accepted"]);
    assert_eq!(datanet["contributors"], 5);
    assert_eq!(datanet["curators"], json!([curator().to_string()]));
    assert_eq!(datanet["pool"]["totalIn"], "1000000000");
    let named = served.get("/v1/datanets?search=NUMBER%201").await;
    assert_eq!(named["items"].as_array().unwrap().len(), 1);
    let owned = served.get(&format!("/v1/datanets?owner={}", account(0))).await;
    assert_eq!(owned["items"][0]["id"], 0);
}

#[tokio::test]
async fn an_adapter_is_shared_out_among_the_files_of_its_version() {
    let folder = tempfile::tempdir().unwrap();
    let served = small(folder.path()).await;
    let adapter = served.get("/v1/adapters/3").await;
    assert_eq!(adapter["parent"], 2);
    assert_eq!(adapter["evalLossAfter"], 1.5);
    let job = served.get("/v1/jobs/3").await;
    assert_eq!(job["result"]["sha256"], adapter["sha256"]);
    assert_eq!(job["spec"]["loraR"], 8);
    assert_eq!(job["timeline"].as_array().unwrap().len(), 3);
    let shares = served.get("/v1/adapters/3/attribution").await;
    assert_eq!(shares["files"], 1);
    assert_eq!(shares["items"][0]["id"], 0);
    assert_eq!(shares["items"][0]["share"], shares["parts"]);
    assert_eq!(shares["shares"][0]["contributor"], account(0).to_string());
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let served = small(folder.path()).await;
    for (path, field) in [
        ("/v1/submissions?limit=0", "limit"),
        ("/v1/submissions?limit=101", "limit"),
        ("/v1/submissions?cursor=nonsense", "cursor"),
        ("/v1/submissions?cursor=99999999999999999999999999", "cursor"),
        ("/v1/datanets/0/board?cursor=1", "cursor"),
        ("/v1/submissions?state=lost", "state"),
        ("/v1/submissions?contributor=me", "contributor"),
        ("/v1/datanets/0/board?period=last", "period"),
        ("/v1/jobs?state=lost", "state"),
        ("/v1/accounts/me/activity", "account"),
        ("/v1/stream?topics=weather", "topics"),
        ("/v1/stream?after=soon", "after"),
        ("/v1/search?q=", "q"),
    ] {
        let answer = served.ask(path).await;
        assert_eq!(answer.error(), (400, "invalid_value".to_owned()), "{path}");
        assert_eq!(answer.json()["error"]["field"], field, "{path}");
    }
    for path in ["/v1/datanets/9", "/v1/datanets/9/board", "/v1/datanets/x", "/v1/jobs/999999"] {
        assert_eq!(served.ask(path).await.error().0, 404, "{path}");
    }
    // Text from outside is a value, never a part of a statement.
    let quoted = served.get("/v1/datanets?search=%27%20OR%201%3D1%20--").await;
    assert_eq!(quoted["items"], json!([]));
}

#[tokio::test]
async fn a_search_finds_numbers_names_hashes_and_contents() {
    let folder = tempfile::tempdir().unwrap();
    let served = small(folder.path()).await;
    let file = served.get("/v1/submissions/5").await;
    for text in [file["sha256"].as_str().unwrap(), file["content"].as_str().unwrap(), "5"] {
        let found = served.get(&format!("/v1/search?q={text}")).await;
        assert_eq!(found["submissions"][0]["id"], 5, "{text}");
    }
    let who = account(2).to_string();
    assert_eq!(served.get(&format!("/v1/search?q={who}")).await["account"], who);
    assert_eq!(served.get("/v1/search?q=number%201").await["datanets"][0]["id"], 1);
    let number = served.get("/v1/search?q=30").await;
    assert_eq!((&number["block"]["number"], &number["job"]["id"]), (&json!(30), &json!(30)));
}
