//! Metrics of trainings: who may tell them, in which order, how much, and who reads them.

use super::door::{Answer, Door, Plan, GENESIS};
use openledger_client::metrics::{
    Address, Batch, Entry, Seen, ACCOUNT_HEADER, MAX_ENTRIES, NUMBER_HEADER, SIGNATURE_HEADER,
};
use openledger_client::{Signer, H256};
use openledger_gateway::live::{Assigned, Limits, Planted, Store, StoreError};
use serde_json::{json, Value};
use std::sync::Arc;

fn signer(name: &str) -> Signer {
    Signer::from_secret(name).unwrap()
}

fn step(step: u64) -> Entry {
    let seen = Seen::Step {
        step,
        total_steps: 1_000,
        epoch: 0.5,
        loss: 3.0 - step as f64 / 1_000.0,
        learning_rate: 1e-3,
        grad_norm: 0.7,
        tokens: step * 100,
        samples: step * 4,
        tokens_per_second: 180.5,
        memory: Some(900 << 20),
        eta: 12.5,
    };
    Entry { at: 1_700_000_000_000 + step, seen }
}

fn batch(steps: std::ops::Range<u64>) -> Vec<u8> {
    serde_json::to_vec(&Batch { entries: steps.map(step).collect(), dropped: 0 }).unwrap()
}

fn address(number: u64) -> Address {
    Address { genesis: GENESIS, job: 3, attempt: 1, number }
}

/// Job 3 is with Bob, on its second attempt.
fn plan() -> Plan {
    let jobs = Planted::default();
    jobs.assign(3, Some(Assigned { attempt: 1, worker: signer("//Bob").account() }));
    Plan { jobs: Arc::new(jobs), ..Plan::default() }
}

/// Posts a body to job 3 under `signed`, which may be something else than what is asked.
async fn post(door: &Door, who: &Signer, signed: Address, number: u64, body: &[u8]) -> Answer {
    let signature = hex::encode(signed.sign(who, body));
    let (number, account) = (number.to_string(), who.account().to_string());
    let headers = [
        (NUMBER_HEADER, number.as_str()),
        (ACCOUNT_HEADER, account.as_str()),
        (SIGNATURE_HEADER, signature.as_str()),
    ];
    door.ask("POST", "/v1/jobs/3/attempts/1/metrics", &headers, body).await
}

async fn tell(door: &Door, number: u64, body: &[u8]) -> Answer {
    post(door, &signer("//Bob"), address(number), number, body).await
}

#[tokio::test]
async fn a_page_that_is_opened_later_sees_the_whole_curve_and_goes_on_without_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), plan()).await;
    for number in 0..3 {
        let told = tell(&door, number, &batch(number * 10..number * 10 + 10)).await;
        assert_eq!((told.status, told.json()), (200, json!({ "next": number + 1 })));
    }
    let page = door.get("/v1/jobs/3/metrics?limit=25").await.json();
    assert_eq!(page["reportedBy"], "worker");
    assert_eq!(page["attempts"][0]["account"], signer("//Bob").account().to_string());
    assert_eq!(page["attempts"][0]["entries"], 30);
    let items = page["items"].as_array().unwrap();
    assert_eq!(items.len(), 25);
    assert_eq!((&items[7]["kind"], &items[7]["step"]), (&json!("step"), &json!(7)));
    assert_eq!(items[7]["learningRate"], 1e-3);
    let rest = door.get(&format!("/v1/jobs/3/metrics?after={}", page["next"])).await.json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 5);
    assert_eq!(rest["next"], Value::Null);
    assert_eq!(door.get("/v1/jobs/3/metrics?attempt=0").await.json()["items"], json!([]));

    // A laptop that slept comes back after the gateway was started anew.
    drop(door);
    let door = Door::open(folder.path(), plan()).await;
    let last = items[24]["id"].to_string();
    let path = "/v1/jobs/3/stream";
    let mut stream = door.begin("GET", path, &[("Last-Event-ID", &last)], b"").await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    let seen = stream.until(|text| text.matches("event: metrics").count() == 5).await;
    assert!(seen.contains("\"step\":25") && !seen.contains("\"step\":24,"), "{seen}");
    assert_eq!(tell(&door, 3, &batch(30..31)).await.status, 200);
    let live = stream.until(|text| text.contains("event: metrics")).await;
    assert!(live.contains("\"step\":30"), "{live}");
    assert!(live.contains(&format!("id: {}", 31)), "{live}");
}

#[tokio::test]
async fn only_the_account_that_the_chain_gave_the_attempt_may_tell() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan();
    let jobs = plan.jobs.clone();
    let door = Door::open(folder.path(), plan).await;
    let (bob, eve) = (signer("//Bob"), signer("//Eve"));
    let body = batch(0..1);
    // Signed by somebody else, in her own name and in his.
    assert_eq!(post(&door, &eve, address(0), 0, &body).await.refused(403), "not_assigned");
    let signature = hex::encode(address(0).sign(&eve, &body));
    let account = bob.account().to_string();
    let headers =
        [(NUMBER_HEADER, "0"), (ACCOUNT_HEADER, &account), (SIGNATURE_HEADER, &signature)];
    let path = "/v1/jobs/3/attempts/1/metrics";
    assert_eq!(door.ask("POST", path, &headers, &body).await.refused(403), "wrong_signature");
    // His signature for another chain, job, attempt, number or body.
    for other in [
        Address { genesis: H256([8; 32]), ..address(0) },
        Address { job: 4, ..address(0) },
        Address { attempt: 0, ..address(0) },
        address(1),
    ] {
        assert_eq!(post(&door, &bob, other, 0, &body).await.refused(403), "wrong_signature");
    }
    let signature = hex::encode(address(0).sign(&bob, &batch(1..2)));
    let headers =
        [(NUMBER_HEADER, "0"), (ACCOUNT_HEADER, &account), (SIGNATURE_HEADER, &signature)];
    assert_eq!(door.ask("POST", path, &headers, &body).await.refused(403), "wrong_signature");
    for missing in 0..3 {
        let some: Vec<_> = (0..3).filter(|n| *n != missing).map(|n| headers[n]).collect();
        let refused = door.ask("POST", path, &some, &body).await;
        assert_eq!(refused.refused(400), "invalid_value");
        assert!(refused.message().contains(headers[missing].0), "{refused:?}");
    }
    // An attempt before, and after the chain has given the job to somebody else.
    let before = Address { attempt: 0, ..address(0) };
    let signature = hex::encode(before.sign(&bob, &body));
    let headers =
        [(NUMBER_HEADER, "0"), (ACCOUNT_HEADER, &account), (SIGNATURE_HEADER, &signature)];
    let answer = door.ask("POST", "/v1/jobs/3/attempts/0/metrics", &headers, &body).await;
    assert_eq!(answer.refused(403), "not_assigned");
    // What the chain said counts for two blocks, so another door asks it now.
    jobs.assign(3, None);
    drop(door);
    let door = Door::open(folder.path(), Plan { jobs, ..Plan::default() }).await;
    assert_eq!(tell(&door, 0, &body).await.refused(403), "not_assigned");
    assert_eq!(door.get("/v1/jobs/3/metrics").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_batch_that_was_there_and_one_that_leaves_a_gap_are_refused_with_the_next_number() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), plan()).await;
    let body = batch(0..2);
    for number in [1, 7, u64::MAX >> 1] {
        let refused = tell(&door, number, &body).await;
        assert_eq!(refused.refused(409), "out_of_order");
        assert_eq!(refused.header(NUMBER_HEADER), Some("0"));
    }
    assert_eq!(tell(&door, 0, &body).await.status, 200);
    let again = tell(&door, 0, &body).await;
    assert_eq!(
        (again.refused(409).as_str(), again.header(NUMBER_HEADER)),
        ("out_of_order", Some("1"))
    );
    assert_eq!(tell(&door, 1, &batch(2..3)).await.status, 200);
    let kept = door.get("/v1/jobs/3/metrics").await.json();
    let steps: Vec<_> =
        kept["items"].as_array().unwrap().iter().map(|i| i["step"].clone()).collect();
    assert_eq!(steps, [0, 1, 2]);
}

#[tokio::test]
async fn what_is_too_much_or_no_batch_is_refused_and_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), plan()).await;
    let long = vec![b' '; 70_000];
    assert_eq!(tell(&door, 0, &long).await.refused(413), "too_large");
    let log =
        |text: &str| json!({ "entries": [{ "at": 1, "seen": { "kind": "log", "text": text } }] });
    for (body, words) in [
        (json!({ "entries": [] }), "0 entries"),
        (log(&"x".repeat(501)), "501 bytes"),
        (json!({ "entries": [{ "at": 1, "seen": { "kind": "secret" } }] }), "secret"),
        (
            json!({ "entries": [{ "at": 1, "seen": { "kind": "resumed", "step": 1, "more": 2 } }] }),
            "more",
        ),
        (json!({ "entries": [{ "at": -1, "seen": { "kind": "resumed", "step": 1 } }] }), "-1"),
        (json!([]), "batch"),
    ] {
        let refused = tell(&door, 0, body.to_string().as_bytes()).await;
        assert_eq!(refused.refused(400), "invalid_value");
        assert!(refused.message().contains(words), "{refused:?}");
    }
    let many = tell(&door, 0, &batch(0..MAX_ENTRIES as u64 + 1)).await;
    assert!(matches!(many.status, 400 | 413), "{many:?}");
    // Numbers that JSON cannot carry are none.
    let infinite = batch(0..1);
    let infinite = String::from_utf8(infinite).unwrap().replace("180.5", "1e999");
    assert_eq!(tell(&door, 0, infinite.as_bytes()).await.status, 400);
    assert_eq!(door.get("/v1/jobs/3/metrics").await.json()["attempts"], json!([]));
    assert_eq!(door.get("/v1/jobs/3/metrics?limit=1001").await.refused(400), "invalid_value");
    assert_eq!(door.get("/v1/jobs/three/metrics").await.refused(400), "invalid_value");
    let odd = door.ask("GET", "/v1/jobs/3/stream", &[("Last-Event-ID", "x")], b"").await;
    assert_eq!(odd.refused(400), "invalid_value");
}

#[tokio::test]
async fn what_is_kept_of_an_attempt_and_of_all_has_limits() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { entries: 5, ..Limits::default() };
    let door = Door::open(folder.path(), Plan { limits, ..plan() }).await;
    assert_eq!(tell(&door, 0, &batch(0..4)).await.status, 200);
    assert_eq!(tell(&door, 1, &batch(4..6)).await.refused(413), "full");
    assert_eq!(tell(&door, 1, &batch(4..5)).await.status, 200);
    assert_eq!(tell(&door, 2, &batch(5..6)).await.refused(413), "full");

    let (bob, eve) = (signer("//Bob").account(), signer("//Eve").account());
    let limits = Limits { all: 3_000, ..Limits::default() };
    let store = Store::open(&folder.path().join("small.sqlite"), GENESIS, limits).unwrap();
    let entries =
        |range: std::ops::Range<u64>| Batch { entries: range.map(step).collect(), dropped: 2 };
    store.take(1, 0, bob, 0, &entries(0..10)).unwrap();
    store.take(2, 0, eve, 0, &entries(0..10)).unwrap();
    assert_eq!(store.attempts(1).unwrap(), [], "the attempt that was silent longest is gone");
    assert_eq!(store.entries(1, None, 0, 100).unwrap(), []);
    assert_eq!(store.attempts(2).unwrap()[0].dropped, 2);
    let last = store.entries(2, None, 0, 100).unwrap().last().unwrap().id;
    store.take(2, 0, eve, 1, &entries(10..11)).unwrap();
    let newer = store.entries(2, None, last, 100).unwrap();
    assert_eq!(newer.len(), 1, "numbers go on after something was removed");
}

#[tokio::test]
async fn batches_that_come_too_fast_are_told_to_wait() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), plan()).await;
    let mut refused = None;
    for number in 0..60 {
        let answer = tell(&door, number, &batch(number..number + 1)).await;
        if answer.status != 200 {
            refused = Some((number, answer));
            break;
        }
    }
    let (number, answer) = refused.expect("sixty at once are too many");
    assert_eq!(answer.refused(429), "too_many");
    assert!(number >= 20, "{number}");
    assert!(answer.header("retry-after").is_some());
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(tell(&door, number, &batch(number..number + 1)).await.status, 200);
}

#[test]
fn a_file_of_another_chain_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("live.sqlite");
    Store::open(&path, GENESIS, Limits::default()).unwrap();
    match Store::open(&path, H256([9; 32]), Limits::default()) {
        Err(StoreError::Foreign { what, .. }) => assert!(what.contains("0707"), "{what}"),
        other => panic!("it was opened: {:?}", other.map(|_| ())),
    }
}

/// A worker of another make can check its signing against this.
#[test]
fn what_is_signed_is_what_the_page_says() {
    let message = Address { genesis: GENESIS, job: 0x0102, attempt: 3, number: 4 }.message(b"{}");
    let expected = [
        hex::encode("openledger:training-metrics:1"),
        "07".repeat(32),
        "0201000000000000".to_owned(),
        "03".to_owned(),
        "0400000000000000".to_owned(),
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a".to_owned(),
    ];
    assert_eq!(hex::encode(message), expected.concat());
}

#[tokio::test]
async fn a_job_of_any_number_has_nothing_rather_than_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), plan()).await;
    for job in ["9223372036854775807", "9223372036854775808", "18446744073709551615"] {
        let read = door.get(&format!("/v1/jobs/{job}/metrics")).await;
        assert_eq!((read.status, &read.json()["items"]), (200, &json!([])), "{job}");
        let mut stream = door.begin("GET", &format!("/v1/jobs/{job}/stream"), &[], b"").await;
        assert_eq!(stream.status, 200, "{job}");
        assert!(stream.until(|text| text.contains("retry")).await.contains("retry"), "{job}");
    }
    assert_eq!(
        door.get("/v1/jobs/18446744073709551616/metrics").await.refused(400),
        "invalid_value"
    );
}

#[tokio::test]
async fn a_log_line_that_is_a_page_goes_out_as_data() {
    const LINE: &str =
        "</script><img src=x onerror=alert(1)>\n\nevent: budget\ndata: {}\r\n\u{2028}";
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), plan()).await;
    let seen = Seen::Log { text: LINE.to_owned() };
    let entries = vec![Entry { at: 1, seen }];
    let body = serde_json::to_vec(&Batch { entries, dropped: 0 }).unwrap();
    assert_eq!(tell(&door, 0, &body).await.status, 200);
    let page = door.get("/v1/jobs/3/metrics").await;
    assert_eq!(page.header("content-type"), Some("application/json"));
    assert_eq!(page.json()["items"][0]["text"], LINE);
    // In a stream a line's end would begin another event.
    let mut stream = door.begin("GET", "/v1/jobs/3/stream", &[], b"").await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    let text = stream.until(|text| text.contains("onerror") && text.ends_with("\n\n")).await;
    assert_eq!(text.matches("\nevent: ").count(), 1, "{text}");
    let data = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(data).unwrap()["text"], LINE);
}
