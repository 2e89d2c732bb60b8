//! A door with live training and chat behind it, and a plain HTTP client.

use async_trait::async_trait;
use axum::extract::FromRef;
use axum::http::StatusCode;
use clap::Parser;
use openledger_client::{AccountId, Signer, H256};
use openledger_gateway::agents::knowledge::OwnDocs;
use openledger_gateway::agents::{AgentArguments, Agents, Parts, PlantedAgents};
use openledger_gateway::chat::{outside::Resolve, Accounts, Chat, ChatArguments, PlantedCatalogue};
use openledger_gateway::error::ApiError;
use openledger_gateway::live::{Limits, Live, Planted};
use openledger_gateway::uploads::published::Publisher;
use openledger_primitives::ContentId;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use utoipa_axum::router::OpenApiRouter;

/// The genesis hash of the planted chain.
pub const GENESIS: H256 = H256([7; 32]);
/// A session's token that is known, of [`visitor`]'s account.
pub const TOKEN: &str = "token";
/// The same of another account.
pub const OTHER_TOKEN: &str = "other token";

/// An account with a session.
pub fn member() -> AccountId {
    Signer::from_secret("//Alice").unwrap().account()
}

struct Members;

#[async_trait]
impl Accounts for Members {
    async fn account(&self, token: &str) -> Result<AccountId, ApiError> {
        match token {
            TOKEN => Ok(member()),
            OTHER_TOKEN => Ok(Signer::from_secret("//Bob").unwrap().account()),
            _ => Err(ApiError::new(StatusCode::UNAUTHORIZED, "no_session", "no such session")),
        }
    }
}

/// A resolver that answers one address after another, and counts how often it is asked.
pub struct Names {
    pub answers: Vec<Vec<IpAddr>>,
    pub asked: AtomicUsize,
}

impl Names {
    pub fn of(answers: &[&[[u8; 4]]]) -> Arc<Self> {
        let address = |four: &[u8; 4]| IpAddr::V4(Ipv4Addr::from(*four));
        let answers = answers.iter().map(|all| all.iter().map(address).collect()).collect();
        Arc::new(Self { answers, asked: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        let n = self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(self.answers[n.min(self.answers.len() - 1)].clone())
    }
}

/// Keeps what is published in memory.
#[derive(Default)]
pub struct Published(pub Mutex<Vec<Vec<u8>>>);

#[async_trait]
impl Publisher for Published {
    async fn publish(&self, bytes: Vec<u8>) -> Result<ContentId, ApiError> {
        let content = openledger_content::describe(bytes.as_slice()).unwrap().content;
        self.0.lock().unwrap().push(bytes);
        Ok(content)
    }
}

/// A documentation that says one thing.
struct OwnPage;

/// What it says.
pub const OWN_ANSWER: &str = "# Who pays?\n\nThe pool of the Datanet.\n\n# Sources:\n\n\
    - [Rewards](/docs/rewards.md#pools)\n- [Elsewhere](https://elsewhere.example/x.md)\n";

#[async_trait]
impl OwnDocs for OwnPage {
    async fn ask(&self, _: &str, _: Option<&str>) -> Result<String, ApiError> {
        Ok(OWN_ANSWER.to_owned())
    }
}

#[derive(Clone)]
struct State {
    live: Live,
    chat: Chat,
}

impl FromRef<State> for Live {
    fn from_ref(state: &State) -> Self {
        state.live.clone()
    }
}

impl FromRef<State> for Chat {
    fn from_ref(state: &State) -> Self {
        state.chat.clone()
    }
}

impl FromRef<State> for Agents {
    fn from_ref(state: &State) -> Self {
        state.chat.agents().clone()
    }
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    chat: ChatArguments,
    #[command(flatten)]
    agents: AgentArguments,
}

/// What an operator sets for agents.
pub fn agent_arguments(words: &[&str]) -> AgentArguments {
    Arguments::parse_from(std::iter::once("gateway").chain(words.iter().copied())).agents
}

/// What is planted behind a door.
pub struct Plan {
    pub jobs: Arc<Planted>,
    pub limits: Limits,
    pub names: Arc<Names>,
    pub catalogue: PlantedCatalogue,
    pub agents: PlantedAgents,
    pub receipts: u64,
    pub arguments: Vec<String>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            jobs: Arc::default(),
            limits: Limits::default(),
            names: Names::of(&[&[[10, 0, 0, 1]]]),
            catalogue: PlantedCatalogue::default(),
            agents: PlantedAgents::default(),
            receipts: 1_000,
            arguments: Vec::new(),
        }
    }
}

/// A running door.
pub struct Door {
    pub address: SocketAddr,
    pub chat: Chat,
    pub published: Arc<Published>,
    stop: watch::Sender<bool>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

fn agents(
    arguments: &AgentArguments,
    directory: &Path,
    plan: &Plan,
    published: Arc<Published>,
) -> Agents {
    let parts = Parts {
        resolver: plan.names.clone(),
        chain: Arc::new(plan.agents.clone()),
        publisher: published,
        own: Some(Arc::new(OwnPage)),
        genesis: GENESIS,
        receipts: plan.receipts,
    };
    Agents::open(arguments, directory, parts).unwrap()
}

/// What an operator is told who names a server of answers.
pub async fn check_server(directory: &Path, server: &str, names: Arc<Names>) -> Result<(), String> {
    let words = ["gateway", "--chat-server", server];
    let arguments = Arguments::try_parse_from(words).map_err(|error| error.to_string())?;
    let plan = Plan { names, ..Plan::default() };
    let agents = agents(&arguments.agents, directory, &plan, Arc::default());
    let (catalogue, members) = (Arc::new(plan.catalogue), Arc::new(Members));
    let chat = Chat::new(&arguments.chat, directory, plan.names, catalogue, members, agents);
    let chat = chat.unwrap();
    chat.check_servers().await.map_err(|error| error.to_string())
}

impl Door {
    pub async fn open(directory: &Path, plan: Plan) -> Self {
        let words = std::iter::once("gateway".to_owned()).chain(plan.arguments.iter().cloned());
        let arguments = Arguments::parse_from(words);
        let live = Live::open(directory, plan.limits, plan.jobs.clone(), GENESIS).unwrap();
        let published: Arc<Published> = Arc::default();
        let agents = agents(&arguments.agents, directory, &plan, published.clone());
        let catalogue = Arc::new(plan.catalogue);
        let members = Arc::new(Members);
        let chat =
            Chat::new(&arguments.chat, directory, plan.names, catalogue, members, agents).unwrap();
        let state = State { live, chat: chat.clone() };
        let (router, _) = OpenApiRouter::<State>::new()
            .merge(openledger_gateway::live::routes())
            .merge(openledger_gateway::chat::routes())
            .merge(openledger_gateway::agents::routes())
            .split_for_parts();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let limits = openledger_http::Limits {
            connections: 200,
            of_address: 200,
            headers: 64,
            header_time: Duration::from_secs(10),
            write_time: Duration::from_secs(30),
        };
        let (stop, stopped) = watch::channel(false);
        let router = router.with_state(state);
        let door = Arc::new(openledger_gateway::door::Door::default());
        tokio::spawn(openledger_http::accept(listener, router, Arc::new(limits), door, stopped));
        Self { address, chat, published, stop }
    }

    /// Sends a request and leaves the answer to be read as it comes.
    pub async fn begin(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reading {
        begin(self.address, method, path, headers, body).await
    }

    /// Sends a request and reads all of its answer.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        self.begin(method, path, headers, body).await.whole().await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"").await
    }
}

/// Sends a request to a server of this machine and leaves the answer to be read as it comes.
pub async fn begin(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reading {
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    Reading::head(stream).await
}

/// An answer that is being read.
pub struct Reading {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    stream: BufReader<TcpStream>,
}

impl Reading {
    async fn head(stream: TcpStream) -> Self {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let status = line.split(' ').nth(1).expect("a status").parse().unwrap();
        let mut headers = Vec::new();
        loop {
            line.clear();
            stream.read_line(&mut line).await.unwrap();
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Self { status, headers, stream }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The next chunk; nothing at the end.
    async fn chunk(&mut self) -> Option<Vec<u8>> {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.ok()?;
        let size = usize::from_str_radix(line.trim(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk).await.ok()?;
        chunk.truncate(size);
        (size > 0).then_some(chunk)
    }

    /// Reads until `enough` is content, or to the end.
    pub async fn until(&mut self, enough: impl Fn(&str) -> bool) -> String {
        let mut text = String::new();
        let read = async {
            while !enough(&text) {
                let Some(chunk) = self.chunk().await else { break };
                text.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
            }
        };
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("in time");
        text
    }

    pub async fn whole(mut self) -> Answer {
        let chunked = self.header("transfer-encoding").is_some();
        let mut text = String::new();
        match chunked {
            true => text = self.until(|_| false).await,
            false => {
                let size: usize = self.header("content-length").map_or(0, |n| n.parse().unwrap());
                let mut body = vec![0; size];
                self.stream.read_exact(&mut body).await.unwrap();
                text.push_str(std::str::from_utf8(&body).expect("UTF-8"));
            }
        }
        Answer { status: self.status, headers: self.headers, text }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of a refusal with this status.
    pub fn refused(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        self.json()["error"]["code"].as_str().expect("a code").to_owned()
    }

    pub fn message(&self) -> String {
        self.json()["error"]["message"].as_str().expect("a message").to_owned()
    }
}
