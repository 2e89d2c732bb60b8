//! Tools for agents, over a made-up chain: both kinds of the protocol, who may ask, and limits.

use super::common::http::{ask, Answer};
use axum::extract::FromRef;
use openledger_docs::Book;
use openledger_gateway::docs::Docs;
use openledger_gateway::door::Door;
use openledger_gateway::index::planted::{account, Maker, Plan};
use openledger_gateway::index::source::Planted;
use openledger_gateway::index::{sqlite::Sqlite, Index};
use openledger_gateway::mcp::{self, sessions, Mcp};
use openledger_gateway::node::Pulse;
use openledger_gateway::server::description;
use openledger_http::Limits;
use serde_json::{json, Value};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

const ALLOWED: &str = "https://agents.example.org";

/// The tools behind a listener.
struct Tools {
    mcp: Mcp,
    address: SocketAddr,
    _folder: tempfile::TempDir,
    _stop: watch::Sender<bool>,
}

#[derive(Clone)]
struct Only(Mcp);

impl FromRef<Only> for Mcp {
    fn from_ref(only: &Only) -> Self {
        only.0.clone()
    }
}

impl Tools {
    async fn start(idle: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let storage = Sqlite::open(&folder.path().join("index.sqlite")).unwrap();
        let index = Index::new(Arc::new(storage), None, Pulse::none()).unwrap();
        index.catch_up(&Planted(Maker::blocks(Plan::SMALL, 60))).await.unwrap();
        let docs = Docs::new(Book::embedded().unwrap());
        let origins = [ALLOWED.to_owned()];
        let mcp = Mcp::new(docs, index, &description(), &[], &origins, idle);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let limits = Limits {
            connections: 100,
            of_address: 100,
            headers: 32,
            header_time: Duration::from_secs(5),
            write_time: Duration::from_secs(5),
        };
        let (stop, stopped) = watch::channel(false);
        let door = Arc::new(Door::default());
        let router = mcp::routes::<Only>().with_state(Only(mcp.clone()));
        tokio::spawn(openledger_http::accept(listener, router, Arc::new(limits), door, stopped));
        Self { mcp, address, _folder: folder, _stop: stop }
    }

    /// A message by the revision without sessions.
    async fn send(&self, method: &str, name: Option<&str>, mut params: Value) -> Answer {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut headers = vec![("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method)];
        headers.extend(name.map(|name| ("Mcp-Name", name)));
        self.post("/mcp", &headers, &message).await
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], message: &Value) -> Answer {
        let mut all = vec![
            ("Content-Type", "application/json"),
            ("Accept", "application/json, text/event-stream"),
        ];
        all.extend_from_slice(headers);
        ask(self.address, "POST", path, &all, message.to_string().as_bytes()).await
    }

    /// What a tool answers.
    async fn call(&self, name: &str, arguments: Value) -> Value {
        let params = json!({ "name": name, "arguments": arguments });
        self.send("tools/call", Some(name), params).await.ok()["result"].clone()
    }

    /// The error of a tool.
    async fn refused(&self, name: &str, arguments: Value) -> String {
        let result = self.call(name, arguments).await;
        assert_eq!(result["isError"], true, "{result}");
        assert_eq!(result["structuredContent"], Value::Null);
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }

    /// Opens a session as older clients do.
    async fn initialize(&self, headers: &[(&str, &str)]) -> Answer {
        let params = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        });
        let message =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params });
        self.post("/mcp", headers, &message).await
    }
}

fn patient() -> Duration {
    sessions::IDLE
}

#[tokio::test]
async fn the_revision_without_sessions_lists_and_calls_tools() {
    let tools = Tools::start(patient()).await;
    let about = tools.send("server/discover", None, json!({})).await.ok();
    let versions = about["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&"2026-07-28".into()), "{about}");
    let listed = tools.send("tools/list", None, json!({})).await;
    assert_eq!(listed.header("mcp-session-id"), None);
    assert_eq!(listed.header("content-type"), Some("application/json"));
    assert_eq!(listed.header("cache-control"), Some("no-store"));
    let listed = listed.ok();
    let list = listed["result"]["tools"].as_array().unwrap();
    assert_eq!(list.len(), tools.mcp.tools().list().len());
    // Each has arguments that are said in words, and its line in the documentation.
    let page = include_str!("../../../docs/mcp.md");
    for tool in list {
        let name = tool["name"].as_str().unwrap();
        assert!(page.contains(&format!("| `{name}`")), "docs/mcp.md does not tell of {name}");
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{name}");
        let properties = tool["inputSchema"]["properties"].as_object();
        for (field, shape) in properties.unwrap_or_else(|| panic!("{name} has no arguments")) {
            assert!(shape.to_string().contains("\"description\""), "{name}.{field}: {shape}");
        }
        assert_eq!(tool["outputSchema"]["type"], "object", "{name}");
        let text = tool["outputSchema"].to_string();
        assert!(!text.contains("#/components/"), "{name} refers to what is not there");
        assert!(!text.contains("\"format\":\""), "{name}: formats that clients warn of");
    }
    assert_eq!(tools.mcp.sessions(), 0);
}

#[tokio::test]
async fn tools_answer_what_the_api_does() {
    let tools = Tools::start(patient()).await;
    let found = tools.call("findDatanets", json!({ "limit": 1 })).await;
    assert_eq!(found["isError"], false);
    assert_eq!(found["structuredContent"]["items"].as_array().unwrap().len(), 1);
    assert!(found["structuredContent"]["next"].is_string());
    // The text has the value too, for clients that read no other.
    let text: Value = serde_json::from_str(found["content"][1]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, found["structuredContent"]);
    let board = tools.call("getLeaderboard", json!({ "datanet": 1, "period": "0" })).await;
    assert!(!board["structuredContent"]["items"].as_array().unwrap().is_empty());
    let submission = tools.call("explainSubmission", json!({ "submission": 0 })).await;
    let shown = &submission["structuredContent"];
    let words = submission["content"][0]["text"].as_str().unwrap();
    assert!(words.contains(shown["state"].as_str().unwrap()), "{words}");
    let by_hash = json!({ "sha256": shown["sha256"].as_str().unwrap().to_uppercase() });
    let again = tools.call("explainSubmission", by_hash).await;
    assert_eq!(again["structuredContent"]["sha256"], shown["sha256"]);
    let stranger = json!({ "account": account(9_999).to_string(), "datanet": 0 });
    let rewards = tools.call("explainRewards", stranger).await;
    assert_eq!(rewards["structuredContent"]["standing"], Value::Null);
    assert!(rewards["content"][0]["text"].as_str().unwrap().contains("never submitted"));

    let hits = tools.call("searchDocumentation", json!({ "query": "daily quota" })).await;
    let url = hits["structuredContent"]["results"][0]["url"].as_str().unwrap();
    let own = format!("http://localhost:{}/", tools.address.port());
    assert!(url.starts_with(&own), "{url}");
    let page = tools.call("getPage", json!({ "url": url })).await;
    assert_eq!(page["content"][0]["text"], page["structuredContent"]["markdown"]);
    let answer = tools.call("askQuestion", json!({ "question": "Who can see my files?" })).await;
    assert_eq!(answer["structuredContent"]["answered"], true, "{answer}");
}

#[tokio::test]
async fn errors_name_the_value_the_limit_and_what_to_do() {
    let tools = Tools::start(patient()).await;
    for (name, arguments, expected) in [
        ("getDatanet", json!({}), "missing field `datanet`"),
        ("getDatanet", json!({ "datanet": -1 }), "datanet: -1 is not taken: "),
        ("getDatanet", json!({ "datanet": 77 }), "there is no Datanet 77"),
        ("getDatanet", json!({ "datanet": 0, "key": "//Alice" }), "unknown field `key`"),
        ("findDatanets", json!({ "limit": 101 }), "limit: 101 is not within 1 to 100"),
        ("findDatanets", json!({ "search": "x".repeat(300) }), "search: it is longer than 200"),
        ("getLeaderboard", json!({ "datanet": 0, "period": "now" }), "period: \"now\" is neither"),
        ("getJob", json!({ "job": 4_000 }), "there is no job 4000"),
        ("explainSubmission", json!({}), "submission: name either"),
        ("explainSubmission", json!({ "sha256": "00" }), "sha256: a sha256 has 64"),
        (
            "explainRewards",
            json!({ "account": "nobody", "datanet": 0 }),
            "account: \"nobody\" is no account",
        ),
        ("searchDocumentation", json!({ "query": "" }), "query: it is empty"),
        (
            "searchDocumentation",
            json!({ "query": "x".repeat(501) }),
            "query: it has 501 characters; at most 500",
        ),
        ("askQuestion", json!({ "question": "y".repeat(600) }), "question: it has 600 characters"),
        ("getPage", json!({ "url": "/docs/concept" }), "similar ones are /docs/concepts.md"),
    ] {
        let message = tools.refused(name, arguments).await;
        assert!(message.contains(expected), "{name}: {message}");
    }
    let account = account(1).to_string();
    let file = |field: &str, value: Value| {
        let mut file = json!({ "sha256": "ab".repeat(32), "size": 10, "media": "txt" });
        file[field] = value;
        json!({ "account": account, "datanet": 0, "files": [file] })
    };
    for (arguments, expected) in [
        (
            json!({ "account": account, "datanet": 0, "files": [] }),
            "files: 0 files; a transaction takes 1 to 20",
        ),
        (file("sha256", "ab".into()), "files[0].sha256: a sha256 has 64"),
        (file("media", "exe".into()), "files[0].media: \"exe\" is not a format"),
        (file("content", "Qm".into()), "files[0].content: "),
        (file("size", (2 << 20).into()), "files[0].content: a file of more than 1048576 bytes"),
    ] {
        let message = tools.refused("prepareSubmission", arguments).await;
        assert!(message.contains(expected), "{message}");
    }
    // What is no tool at all is an error of the protocol.
    let params = json!({ "name": "sign", "arguments": {} });
    let answer = tools.send("tools/call", Some("sign"), params).await.json();
    assert!(answer["error"]["message"].as_str().unwrap().contains("there is no tool \"sign\""));
}

/// Arguments that no client should send, and a word that the error must have.
fn hostile() -> Vec<(&'static str, Value, &'static str)> {
    let long = "x".repeat(40_000);
    let wide = "\u{1F9A0}".repeat(400);
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let account = account(1).to_string();
    let files = vec![json!({ "sha256": "ab".repeat(32), "size": 1, "media": "txt" }); 21];
    let file = |field: &str, value: Value| {
        let mut file = json!({ "sha256": "ab".repeat(32), "size": 10, "media": "txt" });
        file[field] = value;
        json!({ "account": account, "datanet": 0, "files": [file] })
    };
    let job = |field: &str, value: Value| {
        let datanets = json!([{ "datanet": 0 }]);
        let mut job =
            json!({ "account": account, "base": 0, "datanets": datanets, "budget": "1OPEN" });
        job[field] = value;
        job
    };
    vec![
        // Of another type.
        ("searchDocumentation", json!({ "query": 7 }), "query"),
        ("searchDocumentation", json!({ "query": ["quota"] }), "query"),
        ("searchDocumentation", json!({ "query": null }), "query"),
        ("searchDocumentation", json!({}), "query"),
        ("askQuestion", json!({ "question": { "text": "who pays?" } }), "question"),
        ("askQuestion", json!({ "question": "who pays?", "goal": 1 }), "goal"),
        ("getPage", json!({ "url": true }), "url"),
        ("getDatanet", json!({ "datanet": "0" }), "datanet"),
        ("getDatanet", json!({ "datanet": 0.5 }), "datanet"),
        ("getDatanet", json!({ "datanet": 1e30 }), "datanet"),
        ("getDatanet", json!({ "datanet": deep }), "datanet"),
        ("getJob", json!({ "job": -1 }), "job"),
        ("getJob", json!({ "job": null }), "job"),
        ("findDatanets", json!({ "status": 3 }), "status"),
        ("findDatanets", json!({ "limit": "many" }), "limit"),
        ("prepareSubmission", json!({ "account": account, "datanet": 0, "files": "a" }), "files"),
        ("prepareJob", job("datanets", json!({ "0": 1 })), "datanets"),
        ("prepareJob", job("settings", json!("fast")), "settings"),
        // Too much, and beyond bounds.
        ("searchDocumentation", json!({ "query": long }), "40000 characters"),
        ("askQuestion", json!({ "question": wide, "goal": long }), "goal: it has 40000"),
        ("getPage", json!({ "url": long }), "there is no page"),
        ("findDatanets", json!({ "search": long }), "search"),
        ("findDatanets", json!({ "cursor": long }), "cursor"),
        ("findDatanets", json!({ "limit": 0 }), "limit"),
        ("getDatanet", json!({ "datanet": u64::MAX }), "datanet"),
        ("getLeaderboard", json!({ "datanet": 0, "period": long }), "period"),
        ("getLeaderboard", json!({ "datanet": 0, "account": long }), "account"),
        (
            "prepareSubmission",
            json!({ "account": account, "datanet": 0, "files": files }),
            "21 files",
        ),
        ("prepareSubmission", file("size", json!(u64::MAX)), "size"),
        ("prepareSubmission", file("media", json!(long)), "media"),
        ("prepareSubmission", file("content", json!(long)), "content"),
        ("prepareFunding", json!({ "account": long, "datanet": 0, "amount": "1" }), "account"),
        (
            "prepareFunding",
            json!({ "account": account, "datanet": 0, "amount": "9".repeat(60) }),
            "amount",
        ),
        ("prepareFunding", json!({ "account": account, "datanet": 0, "amount": "-1" }), "amount"),
        ("prepareFunding", json!({ "account": account, "datanet": 0, "amount": "NaN" }), "amount"),
        ("prepareJob", job("tokenCeiling", json!(0)), "tokenCeiling"),
        ("prepareJob", job("budget", json!("0")), "budget"),
        ("prepareRegistration", json!({ "account": long }), "account"),
        // What is not there.
        ("getDatanet", json!({ "datanet": u32::MAX }), "there is no Datanet 4294967295"),
        ("getJob", json!({ "job": 1_u64 << 40 }), "there is no job"),
        ("explainSubmission", json!({ "submission": 1_u64 << 50 }), "there is no submission"),
        ("explainSubmission", json!({ "sha256": "fe".repeat(32) }), "no submission"),
        (
            "getPage",
            json!({ "url": "https://evil.example/docs/../../etc/passwd" }),
            "there is no page",
        ),
        ("getPage", json!({ "url": "/docs/reference%2Fchain\u{0}.md" }), "there is no page"),
        // Letters.
        ("getPage", json!({ "url": "\u{202e}stpecnoc/scod/" }), "there is no page"),
        ("explainRewards", json!({ "account": "ａｃｃｏｕｎｔ", "datanet": 0 }), "account"),
        ("explainRewards", json!({ "account": "", "datanet": 0 }), "account"),
        ("prepareRegistration", json!({ "account": "//Alice" }), "account"),
        (
            "prepareRegistration",
            json!({ "account": account, "contributor": "\u{0}" }),
            "contributor",
        ),
        ("prepareRegistration", json!({ "account": account, "password": "x" }), "password"),
    ]
}

#[tokio::test]
async fn hostile_arguments_get_short_errors_that_say_what_is_wrong() {
    let tools = Tools::start(patient()).await;
    let mut wrong = Vec::new();
    for (name, arguments, expected) in hostile() {
        let shown: String = arguments.to_string().chars().take(100).collect();
        let result = tools.call(name, arguments).await;
        let message = result["content"][0]["text"].as_str().unwrap_or_default();
        let is_clear = result["isError"] == true
            && message.contains(expected)
            && message.len() < 1_200
            && !message.chars().any(char::is_control);
        if !is_clear {
            let message: String = message.chars().take(200).collect();
            wrong.push(format!("{name} {shown}: {message:?} says nothing of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // What can be read is answered, whatever it is written in.
    for question in ["چرا پولی دریافت نکردم؟", "\u{202e}?diap I saw yhW", "🦠".repeat(300).as_str()]
    {
        let answer = tools.call("askQuestion", json!({ "question": question })).await;
        assert_eq!(answer["isError"], false, "{answer}");
        assert!(answer.to_string().len() < 64 << 10);
    }
    // Arguments that are no object, and a name that is none, are errors of the protocol.
    for params in [
        json!({ "name": "getJob", "arguments": [1] }),
        json!({ "name": "getJob", "arguments": "job" }),
        json!({ "name": 7, "arguments": {} }),
        json!({ "name": "x".repeat(30_000), "arguments": {} }),
    ] {
        let name = params["name"].as_str().map(|name| &name[..name.len().min(20)]);
        let answer = tools.send("tools/call", name, params.clone()).await;
        assert!(answer.status == 200 || (400..500).contains(&answer.status), "{}", answer.status);
        assert!(answer.body.len() < 64 << 10, "{} bytes", answer.body.len());
        let body = String::from_utf8_lossy(&answer.body);
        assert!(!body.contains("\"result\""), "{body}");
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let tools = Tools::start(patient()).await;
    let own = format!("http://localhost:{}", tools.address.port());
    for path in mcp::PATHS {
        let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
        for origin in [
            "http://evil.example",
            "null",
            "http://localhost:1",
            "https://agents.example.org.evil.example",
        ] {
            let refused = tools.post(path, &[("Origin", origin)], &list).await;
            assert_eq!(refused.error(), (403, "origin_not_allowed".to_owned()), "{origin}");
            let stream = [("Origin", origin), ("Accept", "text/event-stream")];
            let refused = ask(tools.address, "GET", path, &stream, &[]).await;
            assert_eq!(refused.error(), (403, "origin_not_allowed".to_owned()), "{origin}");
        }
        for origin in [own.as_str(), ALLOWED] {
            let opened = tools.initialize(&[("Origin", origin)]).await;
            assert_eq!(opened.status, 200, "{origin}");
        }
    }
    // A name that was made to resolve to this machine is in both headers, and it is not this machine's.
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: evil.example:{0}\r\nOrigin: http://evil.example:{0}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
         Content-Length: {1}\r\n\r\n{message}",
        tools.address.port(),
        message.len()
    );
    let mut stream = tokio::net::TcpStream::connect(tools.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
    assert_eq!(Answer::read(stream).await.error(), (403, "origin_not_allowed".to_owned()));
}

#[tokio::test]
async fn sessions_are_counted_and_end() {
    let tools = Tools::start(Duration::from_millis(1_500)).await;
    let mut ids = Vec::new();
    for _ in 0..sessions::SESSIONS_OF_ADDRESS {
        let opened = tools.initialize(&[]).await;
        assert_eq!(opened.status, 200);
        ids.push(opened.header("mcp-session-id").unwrap().to_owned());
    }
    assert_eq!(tools.mcp.sessions(), ids.len());
    let refused = tools.initialize(&[]).await;
    assert_eq!(refused.error(), (429, "too_many".to_owned()));
    // The revision without sessions needs none.
    assert_eq!(tools.send("tools/list", None, json!({})).await.status, 200);

    let session = [("Mcp-Session-Id", ids[0].as_str()), ("MCP-Protocol-Version", "2025-06-18")];
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(tools.post("/mcp", &session, &ready).await.status, 202);
    let message = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
    let listed = tools.post("/mcp", &session, &message).await;
    assert!(String::from_utf8_lossy(&listed.body).contains("searchDocumentation"));
    let ended = ask(tools.address, "DELETE", "/mcp", &session, &[]).await;
    assert_eq!(ended.status, 204);
    assert_eq!(tools.post("/mcp", &session, &message).await.status, 404);
    assert_eq!(tools.mcp.sessions(), ids.len() - 1);
    assert_eq!(tools.initialize(&[]).await.status, 200);

    // Those that were left alone end by themselves.
    for _ in 0..100 {
        if tools.mcp.sessions() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(tools.mcp.sessions(), 0);
    let late = [("Mcp-Session-Id", ids[1].as_str())];
    assert_eq!(tools.post("/mcp", &late, &message).await.status, 404);
}

#[tokio::test]
async fn messages_are_bounded() {
    let tools = Tools::start(patient()).await;
    let long =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "x": "y".repeat(70_000) });
    let refused = tools.post("/mcp", &[], &long).await;
    assert_eq!(refused.error(), (413, "too_large".to_owned()));
    let other = ask(tools.address, "PUT", "/mcp", &[], &[]).await;
    assert_eq!(other.status, 405);
    let broken =
        [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")];
    let broken = ask(tools.address, "POST", "/mcp", &broken, b"{").await;
    assert!((400..500).contains(&broken.status), "{}", broken.status);
}

#[tokio::test]
async fn the_registrys_description_names_this_gateway() {
    let tools = Tools::start(patient()).await;
    let served = ask(tools.address, "GET", "/server.json", &[], &[]).await.ok();
    let url = format!("http://localhost:{}/mcp", tools.address.port());
    assert_eq!(served["remotes"], json!([{ "type": "streamable-http", "url": url }]));
    let kept: Value = serde_json::from_str(include_str!("../../server.json")).unwrap();
    // Limits of the registry's schema.
    for description in [&served, &kept] {
        let length = |field: &str| description[field].as_str().unwrap().chars().count();
        assert!((1..=100).contains(&length("description")) && (1..=100).contains(&length("title")));
        let name = description["name"].as_str().unwrap();
        assert!(name.split('/').count() == 2 && (3..=200).contains(&name.len()));
        assert_eq!(description["version"], env!("CARGO_PKG_VERSION"));
    }
    assert_eq!(kept["remotes"][0]["url"], "https://{host}/mcp");
}
