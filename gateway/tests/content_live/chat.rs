//! Questions relayed to servers of answers.

use super::door::{member, Door, Names, Plan, OTHER_TOKEN, TOKEN};
use super::servers::{Fake, Reply};
use openledger_client::Signer;
use openledger_gateway::chat::{BaseAdapters, ChainAdapter, PlantedCatalogue};
use serde_json::{json, Value};
use std::path::Path;

const HELLO: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}\n\n";
const WORLD: &str = "data: {\"choices\":[{\"delta\":{\"content\":\" world\"}}]}\n\n";
const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"total_tokens\":120}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

/// A door to one server, with the words of an operator.
async fn door(folder: &Path, server: &Fake, more: &[&str]) -> Door {
    door_with(folder, &format!("local=http://127.0.0.1:{}", server.port()), more).await
}

async fn door_with(folder: &Path, server: &str, more: &[&str]) -> Door {
    let words = [&["--chat-server", server], more].concat();
    let arguments = words.into_iter().map(str::to_owned).collect();
    Door::open(folder, Plan { arguments, ..Plan::default() }).await
}

fn question(more: Value) -> Vec<u8> {
    let mut question = json!({
        "model": "openledger:7",
        "messages": [{ "role": "user", "content": "Who pays?" }],
        "max_tokens": 100,
    });
    for (name, value) in more.as_object().expect("an object") {
        question[name] = value.clone();
    }
    question.to_string().into_bytes()
}

async fn remaining(door: &Door, headers: &[(&str, &str)]) -> Value {
    door.ask("GET", "/v1/chat/budget", headers, b"").await.json()
}

#[tokio::test]
async fn an_answer_comes_as_it_is_written_with_the_adapters_hash_and_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "secret-key\n").unwrap();
    let server =
        Fake::start(|_| Reply::events(&[HELLO, &WORLD[..20], &WORLD[20..], USAGE, DONE])).await;
    let server_argument =
        format!("local=http://127.0.0.1:{},key-file={}", server.port(), key.display());
    let door = door_with(folder.path(), &server_argument, &[]).await;
    let mut answer = door
        .begin("POST", "/v1/chat", &[], &question(json!({ "seed": 5, "temperature": 0.5 })))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-openledger-adapter-sha256"), Some("abab"));
    assert_eq!(answer.header("x-openledger-adapter"), Some("openledger:7"));
    assert_eq!(answer.header("x-secret"), None, "only what names the model is passed on");
    let left: u64 = answer.header("x-openledger-budget-remaining").unwrap().parse().unwrap();
    assert!(left < 4_900, "what it may take is reserved: {left}");
    let first = answer.until(|text| text.contains("Hello")).await;
    assert!(!first.contains("world"), "{first}");
    let rest = answer.until(|_| false).await;
    assert!(rest.contains(WORLD) && rest.ends_with(DONE), "{rest}");
    let budget = rest.split("event: budget\ndata: ").nth(1).expect("it is told");
    let budget: Value = serde_json::from_str(budget.lines().next().unwrap()).unwrap();
    assert_eq!((&budget["remaining"], &budget["limit"]), (&json!(4_880), &json!(5_000)));
    assert_eq!(remaining(&door, &[]).await, budget);

    let head = &server.heads()[0];
    assert!(head.starts_with("POST /v1/chat/completions "), "{head}");
    assert!(head.contains("authorization: Bearer secret-key"), "{head}");
    let asked: Value = serde_json::from_str(&server.bodies()[0]).unwrap();
    let expected = json!({
        "model": "openledger:7", "messages": [{ "role": "user", "content": "Who pays?" }],
        "max_tokens": 100, "seed": 5, "temperature": 0.5,
        "stream": true, "stream_options": { "include_usage": true },
    });
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn whoever_goes_away_ends_the_answer_and_pays_for_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Fake::start(|_| Reply::events(&[HELLO, WORLD]).hanging()).await;
    let door = door(folder.path(), &server, &[]).await;
    let mut answer = door.begin("POST", "/v1/chat", &[], &question(json!({}))).await;
    answer.until(|text| text.contains("world")).await;
    let during = remaining(&door, &[]).await["remaining"].as_u64().unwrap();
    drop(answer);
    server.client_gone().await;
    // The prompt is estimated from above at 36 tokens, and two pieces came.
    for _ in 0..50 {
        let after = remaining(&door, &[]).await["remaining"].as_u64().unwrap();
        if after == 5_000 - 36 - 2 {
            assert!(during < after, "more was set aside than was used");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{} are left", remaining(&door, &[]).await);
}

#[tokio::test]
async fn tokens_a_day_are_counted_for_a_visitor_and_an_account_and_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = Fake::start(|_| Reply::events(&[HELLO, USAGE, DONE])).await;
    let limits = ["--chat-visitor-tokens", "300", "--chat-account-tokens", "1000"];
    let first = door(folder.path(), &server, &limits).await;
    for left in [180, 60] {
        assert_eq!(first.ask("POST", "/v1/chat", &[], &question(json!({}))).await.status, 200);
        assert_eq!(remaining(&first, &[]).await["remaining"], left);
    }
    let refused = first.ask("POST", "/v1/chat", &[], &question(json!({}))).await;
    assert_eq!(refused.refused(429), "too_many");
    assert!(refused.message().contains("60 are left of the 300"), "{refused:?}");
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=86_400).contains(&seconds));
    assert_eq!(server.heads().len(), 2, "what is refused is not relayed");
    // A session's account has a budget of its own; a token that is none is no visitor.
    let bearer = format!("Bearer {TOKEN}");
    let account = [("Authorization", bearer.as_str())];
    assert_eq!(remaining(&first, &account).await["kind"], "account");
    assert_eq!(first.ask("POST", "/v1/chat", &account, &question(json!({}))).await.status, 200);
    assert_eq!(remaining(&first, &account).await["remaining"], 880);
    let stranger = [("Authorization", "Bearer other")];
    assert_eq!(first.ask("POST", "/v1/chat", &stranger, &question(json!({}))).await.status, 401);
    drop(first);
    let again = door(folder.path(), &server, &limits).await;
    assert_eq!(remaining(&again, &[]).await["remaining"], 60);
    assert_eq!(remaining(&again, &account).await["remaining"], 880);
    drop(again);
    let tight = door(folder.path(), &server, &["--chat-day-tokens", "400"]).await;
    assert_eq!(
        remaining(&tight, &account).await["remaining"],
        40,
        "all together have a budget too"
    );
}

#[tokio::test]
async fn an_asker_has_four_answers_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Fake::start(|_| Reply::events(&[HELLO]).hanging()).await;
    let door = door(folder.path(), &server, &[]).await;
    let mut open = Vec::new();
    for _ in 0..4 {
        let mut answer = door.begin("POST", "/v1/chat", &[], &question(json!({}))).await;
        answer.until(|text| text.contains("Hello")).await;
        open.push(answer);
    }
    let fifth = door.ask("POST", "/v1/chat", &[], &question(json!({}))).await;
    assert_eq!(fifth.refused(429), "too_many");
    open.pop();
    for _ in 0..50 {
        let next = door.begin("POST", "/v1/chat", &[], &question(json!({}))).await;
        if next.status == 200 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("its place was not given back");
}

#[tokio::test]
async fn what_goes_wrong_at_a_server_is_said_and_never_shows_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = r#"{"error":{"message":"there is no adapter 7","param":"model"}}"#;
    for (reply, status, code, words) in [
        (Reply::json(400, refusal), 400, "invalid_value", "there is no adapter 7"),
        (Reply::json(404, refusal), 400, "invalid_value", "there is no adapter 7"),
        (Reply::json(401, refusal), 502, "server_failed", "refuses this gateway's key"),
        (Reply::json(503, refusal), 503, "unavailable", "busy"),
        (Reply::json(500, "{}"), 502, "server_failed", "status 500"),
        (Reply::json(200, "{}"), 502, "server_failed", "no event stream"),
        (Reply::redirect("http://169.254.169.254/"), 502, "server_unreachable", "redirect"),
    ] {
        let server = Fake::start(move |_| reply.clone()).await;
        let door = door(folder.path(), &server, &[]).await;
        let refused = door.ask("POST", "/v1/chat", &[], &question(json!({}))).await;
        assert_eq!(refused.refused(status), code, "{words}");
        assert!(refused.message().contains(words), "{refused:?}");
        assert_eq!(remaining(&door, &[]).await["remaining"], 5_000, "nothing was answered");
    }
    let server = Fake::start(|_| Reply::events(&[HELLO])).await;
    let door = door(folder.path(), &server, &[]).await;
    let broken = door.ask("POST", "/v1/chat", &[], &question(json!({}))).await;
    assert!(
        broken.text.contains("event: error") && broken.text.contains("ended before"),
        "{broken:?}"
    );
    assert!(broken.text.contains("event: budget"), "{broken:?}");
    let nobody = door_with(folder.path(), "gone=http://127.0.0.1:1", &[]).await;
    let refused = nobody.ask("POST", "/v1/chat", &[], &question(json!({}))).await;
    assert_eq!(refused.refused(502), "server_unreachable");
}

#[tokio::test]
async fn questions_out_of_bounds_are_refused_by_field_and_not_relayed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Fake::start(|_| Reply::events(&[DONE])).await;
    let door = door(folder.path(), &server, &[]).await;
    let message = json!({ "role": "user", "content": "?" });
    for (more, field) in [
        (json!({ "messages": [] }), "messages"),
        (json!({ "messages": vec![message; 65] }), "messages"),
        (json!({ "messages": [{ "role": "tool", "content": "?" }] }), "body"),
        (json!({ "max_tokens": 0 }), "max_tokens"),
        (json!({ "max_tokens": 2_049 }), "max_tokens"),
        (json!({ "model": "" }), "model"),
        (json!({ "model": "two words" }), "model"),
        (json!({ "stop": ["a", "b", "c", "d", "e"] }), "stop"),
        (json!({ "stream": false }), "stream"),
        (json!({ "tools": [] }), "body"),
        (json!({ "server": "other" }), "server"),
        (json!({ "server": "worker:nobody" }), "server"),
    ] {
        let refused = door.ask("POST", "/v1/chat", &[], &question(more.clone())).await;
        assert_eq!(refused.refused(400), "invalid_value", "{more}");
        assert_eq!(refused.json()["error"]["field"], field, "{more}");
    }
    let long = question(json!({ "messages": [{ "role": "user", "content": "x".repeat(70_000) }] }));
    assert_eq!(door.ask("POST", "/v1/chat", &[], &long).await.refused(413), "too_large");
    assert!(server.heads().is_empty());
    let empty = Door::open(folder.path(), Plan::default()).await;
    assert_eq!(empty.ask("POST", "/v1/chat", &[], &question(json!({}))).await.status, 404);
}

#[tokio::test]
async fn a_workers_endpoint_is_asked_only_where_the_operator_allows_it_and_it_is_public() {
    let folder = tempfile::tempdir().unwrap();
    let inside = Fake::start(|_| Reply::events(&[HELLO, DONE])).await;
    let worker = Signer::from_secret("//Ferdie").unwrap().account();
    let name = format!("worker:{worker}");
    let listed = format!("https://worker.example.org:{}", inside.port());
    let plan = |endpoint: &str, names| {
        let mut catalogue = PlantedCatalogue::default();
        catalogue.endpoints.insert(worker, endpoint.to_owned());
        let arguments = ["--chat-allow", &listed].map(str::to_owned).to_vec();
        Plan { catalogue, names, arguments, ..Plan::default() }
    };
    let here = || Names::of(&[&[[127, 0, 0, 1]]]);
    for (endpoint, words) in [
        ("https://other.example.org", "not among those"),
        ("https://worker.example.org.evil.org", "not among those"),
        (&format!("http://worker.example.org:{}", inside.port()), "not among those"),
        (&format!("http://127.0.0.1:{}", inside.port()), "not among those"),
        (&format!("https://worker.example.org:{}@evil.org", inside.port()), "do not belong"),
        ("javascript:alert(1)", "no address"),
        // Allowed by name, and the name leads inside.
        (&listed, "not a public address"),
    ] {
        let door = Door::open(folder.path(), plan(endpoint, here())).await;
        let refused = door.ask("POST", "/v1/chat", &[], &question(json!({ "server": name }))).await;
        assert_eq!(refused.refused(403), "server_not_allowed", "{endpoint}");
        assert!(refused.message().contains(words), "{endpoint}: {refused:?}");
    }
    let door = Door::open(folder.path(), plan("", here())).await;
    let refused = door.ask("POST", "/v1/chat", &[], &question(json!({ "server": name }))).await;
    assert_eq!(refused.refused(404), "not_found");
    assert!(inside.heads().is_empty(), "nothing inside was ever asked");
    assert_ne!(worker, member());
}

#[tokio::test]
async fn models_are_told_with_the_adapters_of_their_base() {
    let folder = tempfile::tempdir().unwrap();
    let server = Fake::start(|head| match head.split(' ').nth(1) {
        Some("/v1/models") => Reply::json(
            200,
            r#"{"data":[{"id":"smol","context_length":2048},{"id":"smol:tone"},{"id":"<b> x"}]}"#,
        ),
        Some("/v1/models/smol") => {
            let described =
                json!({ "id": "smol", "openledger": { "base_sha256": "05".repeat(32) } });
            Reply::json(200, &described.to_string())
        }
        _ => Reply::json(404, "{}"),
    })
    .await;
    let adapter =
        |id, parent| ChainAdapter { id, parent, sha256: [id as u8; 32], holds_revoked: id == 7 };
    let adapters = vec![adapter(7, Some(2)), adapter(2, None)];
    let mut catalogue = PlantedCatalogue::default();
    catalogue.adapters.insert([5; 32], BaseAdapters { base: 4, adapters });
    let arguments = [
        "--chat-server".to_owned(),
        format!("local=http://127.0.0.1:{}", server.port()),
        "--chat-server".to_owned(),
        "gone=http://127.0.0.1:1".to_owned(),
    ];
    let plan = Plan { catalogue, arguments: arguments.to_vec(), ..Plan::default() };
    let door = Door::open(folder.path(), plan).await;
    let told = door.get("/v1/chat/models").await.json();
    assert_eq!(told["budget"]["remaining"], 5_000);
    let local = &told["items"][0];
    assert_eq!(local["server"], "local");
    assert!(local["error"].as_str().unwrap().contains("shown are 2 of its 3 models"), "{local}");
    let names = json!([{ "id": "smol", "contextLength": 2048 }, { "id": "smol:tone", "contextLength": null }]);
    assert_eq!(local["models"], names);
    assert_eq!((&local["baseModel"], &local["baseSha256"]), (&json!(4), &json!("05".repeat(32))));
    assert_eq!(local["adapters"][0]["model"], "openledger:7");
    assert_eq!(local["adapters"][0]["parent"], 2);
    assert_eq!(local["adapters"][0]["holdsRevoked"], true);
    assert_eq!(local["adapters"][1]["holdsRevoked"], false);
    assert!(told["items"][1]["error"].as_str().unwrap().contains("does not answer"), "{told}");
    // Many who come at once ask the server once.
    let asked = server.heads().len();
    door.get("/v1/chat/models").await;
    assert_eq!(server.heads().len(), asked);
}

#[tokio::test]
async fn accounts_of_one_address_share_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let server = Fake::start(|_| Reply::events(&[HELLO, USAGE, DONE])).await;
    let limits = ["--chat-account-tokens", "1000", "--chat-address-tokens", "300"];
    let first = door(folder.path(), &server, &limits).await;
    let bearers = [TOKEN, OTHER_TOKEN].map(|token| format!("Bearer {token}"));
    let [one, other] = [0, 1].map(|which| [("Authorization", bearers[which].as_str())]);
    // As many accounts as a faucet makes have no more than their address.
    assert_eq!(first.ask("POST", "/v1/chat", &one, &question(json!({}))).await.status, 200);
    assert_eq!(remaining(&first, &other).await["remaining"], 180);
    assert_eq!(remaining(&first, &[]).await["remaining"], 180, "a visitor counts too");
    assert_eq!(first.ask("POST", "/v1/chat", &other, &question(json!({}))).await.status, 200);
    let refused = first.ask("POST", "/v1/chat", &one, &question(json!({}))).await;
    assert_eq!(refused.refused(429), "too_many");
    assert!(refused.message().contains("network address"), "{refused:?}");
    // A restart gives nothing back.
    drop(first);
    let again = door(folder.path(), &server, &limits).await;
    assert_eq!(remaining(&again, &other).await["remaining"], 60);
}

#[tokio::test]
async fn models_that_are_left_out_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let server = Fake::start(|_| {
        let list = json!({ "data": [{ "id": "good" }, { "id": "a name" }, { "id": "" }] });
        Reply::json(200, &list.to_string())
    })
    .await;
    let door = door(folder.path(), &server, &[]).await;
    let models = door.get("/v1/chat/models").await.json();
    let found = &models["items"][0];
    assert_eq!(found["models"][0]["id"], "good");
    assert_eq!(found["models"].as_array().unwrap().len(), 1);
    assert!(found["error"].as_str().unwrap().contains("shown are 1 of its 3 models"), "{found}");
}
