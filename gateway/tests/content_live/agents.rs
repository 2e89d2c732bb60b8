//! Instructions: who may sign which, and what is kept.

use super::door::{Answer, Door, Plan, GENESIS};
use openledger_client::AccountId;
use openledger_gateway::agents::PlantedAgents;
use serde_json::{json, Value};
use sp_core::{ecdsa, ed25519, sr25519, Pair};
use std::path::Path;

/// The owner of adapter 7.
pub fn alice() -> sr25519::Pair {
    sr25519::Pair::from_string("//Alice", None).unwrap()
}

pub fn account(pair: &sr25519::Pair) -> AccountId {
    AccountId::from(pair.public().0)
}

/// A plan in which Alice owns adapter 7 and block 12 is final.
pub fn plan(arguments: &[&str]) -> Plan {
    let mut agents = PlantedAgents { block: Some((12, "bb".repeat(32))), ..Default::default() };
    agents.owners.insert(7, account(&alice()));
    let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
    Plan { agents, arguments, ..Plan::default() }
}

const PATH: &str = "/v1/adapters/7/instructions";

/// A draft's text and version.
pub async fn draft(door: &Door, account: &AccountId, instructions: &Value) -> (String, u64) {
    let body = json!({ "account": account.to_string(), "instructions": instructions });
    let answer = door.ask("POST", &format!("{PATH}/draft"), &[], body.to_string().as_bytes()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let draft = answer.json();
    (draft["text"].as_str().unwrap().to_owned(), draft["version"].as_u64().unwrap())
}

async fn put(door: &Door, path: &str, body: &Value) -> Answer {
    door.ask("PUT", path, &[], body.to_string().as_bytes()).await
}

fn body(account: &AccountId, version: u64, instructions: &Value, signature: &[u8]) -> Value {
    json!({
        "account": account.to_string(), "version": version, "instructions": instructions,
        "signature": hex::encode(signature),
    })
}

fn wrapped(text: &str) -> Vec<u8> {
    format!("<Bytes>{text}</Bytes>").into_bytes()
}

/// Alice signs instructions for adapter 7.
pub async fn instruct(door: &Door, instructions: &Value) -> Value {
    let (pair, owner) = (alice(), account(&alice()));
    let (text, version) = draft(door, &owner, instructions).await;
    let signed = body(&owner, version, instructions, &pair.sign(&wrapped(&text)).0);
    let answer = put(door, PATH, &signed).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn versions_grow_stay_readable_and_say_who_signed_what() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--knowledge-host", "docs.example.org"];
    let door = Door::open(folder.path(), plan(&arguments)).await;
    assert_eq!(door.get(PATH).await.refused(404), "not_found");
    let sources = ["docs", "https://docs.example.org/guide"];
    let first =
        json!({ "system": "Be brief.\nAlways.", "goal": "to earn OPEN", "sources": sources });
    let (text, version) = draft(&door, &account(&alice()), &first).await;
    assert_eq!(version, 1);
    let end = "Goal: to earn OPEN\nSources: 2\n- docs\n- https://docs.example.org/guide\n\
               System: 17 bytes\n\nBe brief.\nAlways.";
    let lines = [
        "Domain: openledger:agent-instructions:1".to_owned(),
        format!("Genesis: {}", hex::encode(GENESIS)),
        "Adapter: 7".to_owned(),
        format!("Owner: {}", account(&alice())),
        format!("Version: 1\n{end}"),
    ];
    assert!(text.ends_with(&lines.join("\n")), "{text}");
    let kept = instruct(&door, &first).await;
    assert_eq!((&kept["version"], &kept["adapter"]), (&json!(1), &json!(7)));
    assert_eq!((&kept["text"], &kept["instructions"]), (&json!(text), &first));

    // The file on IPFS proves itself: text and signature stand in it.
    let file: Value = serde_json::from_slice(&door.published.0.lock().unwrap()[0]).unwrap();
    assert_eq!((&file["text"], &file["signature"]), (&kept["text"], &kept["signature"]));
    assert_eq!(file["account"], account(&alice()).to_string());
    let described =
        openledger_content::describe(door.published.0.lock().unwrap()[0].as_slice()).unwrap();
    assert_eq!(kept["content"], described.content.to_string());

    // Sources are this gateway's documentation where nothing is said.
    let second = instruct(&door, &json!({ "system": "Be kind." })).await;
    assert_eq!(second["instructions"]["sources"], json!(["docs"]));
    drop(door);
    let door = Door::open(folder.path(), plan(&arguments)).await;
    assert_eq!(door.get(PATH).await.json(), second);
    assert_eq!(door.get(&format!("{PATH}/versions/1")).await.json(), kept);
    let page = door.get(&format!("{PATH}/versions?limit=1")).await.json();
    assert_eq!((&page["items"], &page["next"]), (&json!([second]), &json!("2")));
    let page = door.get(&format!("{PATH}/versions?limit=1&cursor=2")).await.json();
    assert_eq!((&page["items"], &page["next"]), (&json!([kept]), &Value::Null));
    assert_eq!(door.get(&format!("{PATH}/versions/3")).await.refused(404), "not_found");
}

#[tokio::test]
async fn keys_of_all_three_schemes_sign() {
    let folder = tempfile::tempdir().unwrap();
    let ed = ed25519::Pair::from_string("//Alice", None).unwrap();
    let ec = ecdsa::Pair::from_string("//Alice", None).unwrap();
    let ec_account = AccountId::from(sp_crypto_hashing::blake2_256(&ec.public().0));
    let said = json!({ "system": "", "sources": ["docs"] });
    type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;
    let keys: [(AccountId, Sign); 2] = [
        (AccountId::from(ed.public().0), Box::new(move |text| ed.sign(text).0.to_vec())),
        (ec_account, Box::new(move |text| ec.sign(text).0.to_vec())),
    ];
    for (owner, sign) in keys {
        let mut plan = plan(&[]);
        plan.agents.owners.insert(7, owner);
        let door = Door::open(folder.path(), plan).await;
        let (text, version) = draft(&door, &owner, &said).await;
        let signed = body(&owner, version, &said, &sign(&wrapped(&text)));
        assert_eq!(put(&door, PATH, &signed).await.status, 200);
    }
}

#[tokio::test]
async fn strangers_replays_and_other_texts_are_refused_and_nothing_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), plan(&[])).await;
    let (pair, owner) = (alice(), account(&alice()));
    let said = json!({ "system": "Be brief.", "sources": ["docs"] });
    let (text, _) = draft(&door, &owner, &said).await;
    let signature = pair.sign(&wrapped(&text)).0;

    // A stranger with a good signature of its own.
    let bob = sr25519::Pair::from_string("//Bob", None).unwrap();
    let foreign = text.replace(&owner.to_string(), &account(&bob).to_string());
    let signed = body(&account(&bob), 1, &said, &bob.sign(&wrapped(&foreign)).0);
    let refused = put(&door, PATH, &signed).await;
    assert_eq!(refused.refused(403), "not_the_owner");
    assert!(refused.message().contains(&owner.to_string()), "{refused:?}");
    let drafted = json!({ "account": account(&bob).to_string(), "instructions": said });
    let path = format!("{PATH}/draft");
    let refused = door.ask("POST", &path, &[], drafted.to_string().as_bytes()).await;
    assert_eq!(refused.refused(403), "not_the_owner");

    // An adapter that is not there.
    let other = text.replace("Adapter: 7", "Adapter: 8");
    let signed = body(&owner, 1, &said, &pair.sign(&wrapped(&other)).0);
    let unknown = put(&door, "/v1/adapters/8/instructions", &signed).await;
    assert_eq!(unknown.refused(404), "not_found");
    assert!(unknown.message().contains("no adapter 8"), "{unknown:?}");

    // The signature is of this text, adapter, version and account and of nothing else.
    let changed = json!({ "system": "Be rude.", "sources": ["docs"] });
    for (path, signed) in [
        (PATH, body(&owner, 1, &changed, &signature)),
        (PATH, body(&owner, 2, &said, &signature)),
        (PATH, body(&owner, 1, &said, &pair.sign(text.as_bytes()).0)),
        (PATH, body(&account(&bob), 1, &said, &signature)),
        ("/v1/adapters/8/instructions", body(&owner, 1, &said, &signature)),
    ] {
        assert_eq!(put(&door, path, &signed).await.refused(401), "wrong_signature", "{signed}");
    }
    assert!(door.published.0.lock().unwrap().is_empty(), "nothing was kept");

    let signed = body(&owner, 1, &said, &signature);
    assert_eq!(put(&door, PATH, &signed).await.status, 200);
    instruct(&door, &changed).await;
    let replayed = put(&door, PATH, &signed).await;
    assert_eq!(replayed.refused(409), "old_version");
    assert!(replayed.message().contains("sign version 3"), "{replayed:?}");
    assert_eq!(door.get(PATH).await.json()["version"], 2);
    assert_eq!(door.published.0.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn instructions_out_of_bounds_are_refused_by_field() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), plan(&["--knowledge-host", "docs.example.org"])).await;
    let many: Vec<String> = (0..9).map(|n| format!("https://docs.example.org/{n}")).collect();
    let long = format!("https://docs.example.org/{}", "x".repeat(300));
    for (said, field, words) in [
        (json!({ "system": "x".repeat(8_193) }), "system", "8193 bytes, 8192 at most"),
        (json!({ "system": "tell\u{202e}" }), "system", "U+202E"),
        (json!({ "system": "", "goal": "x".repeat(201) }), "goal", "200 at most"),
        (json!({ "system": "", "goal": "a\nb" }), "goal", "U+000A"),
        (json!({ "system": "", "goal": " " }), "goal", "empty"),
        (json!({ "system": "", "sources": many }), "sources", "8 at most"),
        (json!({ "system": "", "sources": [long] }), "sources", "300 at most"),
        (json!({ "system": "", "sources": ["docs", "docs"] }), "sources", "twice"),
        (
            json!({ "system": "", "sources": ["https://evil.example/"] }),
            "sources",
            "--knowledge-host",
        ),
        (json!({ "system": "", "sources": ["http://docs.example.org/"] }), "sources", "not among"),
        (
            json!({ "system": "", "sources": ["https://docs.example.org:8443/"] }),
            "sources",
            "not among",
        ),
        (
            json!({ "system": "", "sources": ["https://docs.example.org@evil.example/"] }),
            "sources",
            "passwords",
        ),
        (
            json!({ "system": "", "sources": ["https://docs.example.org/?ask=x"] }),
            "sources",
            "query",
        ),
        (json!({ "system": "", "sources": ["https://docs.example.org/#x"] }), "sources", "query"),
        (json!({ "system": "", "sources": ["file:///etc/passwd"] }), "sources", "no address"),
        (json!({ "system": "", "sources": ["https://[::1]/x"] }), "sources", "no source"),
        (json!({ "system": "", "sources": ["https://dócs.example.org"] }), "sources", "no source"),
        (json!({ "system": "", "tools": [] }), "body", "unknown field"),
    ] {
        let body = json!({ "account": account(&alice()).to_string(), "instructions": said });
        let path = format!("{PATH}/draft");
        let refused = door.ask("POST", &path, &[], body.to_string().as_bytes()).await;
        assert_eq!(refused.refused(400), "invalid_value", "{said}");
        assert_eq!(refused.json()["error"]["field"], field, "{said}");
        assert!(refused.message().contains(words), "{words}: {}", refused.message());
    }
    let body = vec![b' '; 70_000];
    assert_eq!(door.ask("PUT", PATH, &[], &body).await.refused(413), "too_large");
}

#[tokio::test]
async fn what_is_kept_for_another_chain_is_not_taken_for_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    drop(Door::open(folder.path(), plan(&[])).await);
    let opened = open_for_chain(folder.path(), [8; 32]);
    assert!(opened.is_err_and(|error| error.contains("move it away")));
    assert!(open_for_chain(folder.path(), GENESIS.0).is_ok());
}

fn open_for_chain(folder: &Path, genesis: [u8; 32]) -> Result<(), String> {
    use openledger_gateway::agents::{Agents, Parts};
    use std::sync::Arc;
    let parts = Parts {
        resolver: super::door::Names::of(&[&[]]),
        chain: Arc::new(PlantedAgents::default()),
        publisher: Arc::new(super::door::Published::default()),
        own: None,
        genesis: genesis.into(),
        receipts: 10,
    };
    let arguments = super::door::agent_arguments(&[]);
    Agents::open(&arguments, folder, parts).map(drop).map_err(|error| error.to_string())
}

#[test]
fn the_operators_options_get_along() {
    use clap::CommandFactory;
    openledger_gateway::arguments::Arguments::command().debug_assert();
}
