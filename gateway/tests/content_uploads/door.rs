//! The gateway's uploads behind real connections, a planted chain, and a plain HTTP client.

use super::http;
pub use super::http::{bytes, hash, Answer};
use async_trait::async_trait;
use clap::Parser;
use openledger_client::AccountId;
use openledger_gateway::uploads::{
    named::{Chain, Named, Role},
    options::{Options, UploadArguments},
    Uploads,
};
use openledger_gateway::{error::ApiError, likeness::Compared, sessions};
use openledger_http::Limits;
use openledger_primitives::{
    api::{QuotaStatus, SubmissionItem},
    ContentId, DailyQuota, DatanetId, FileHash, MediaType, QuotaLimits, Refusal, RefusalRule,
};
use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use sp_core::{sr25519, Pair};
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The genesis hash of the planted chain.
pub const GENESIS: [u8; 32] = [7; 32];

/// A chain that says what a test plants.
#[derive(Default)]
pub struct Planted {
    contributors: Mutex<HashSet<[u8; 32]>>,
    used: Mutex<HashMap<[u8; 32], (u32, u64)>>,
    precommits: Mutex<HashMap<[u8; 32], u64>>,
    named: Mutex<Vec<Named>>,
    /// Submissions with those before them.
    pub compared: Mutex<Vec<Compared>>,
    /// Whether the index still catches up.
    pub behind: AtomicBool,
}

impl Planted {
    /// Makes an account a contributor.
    pub fn register(&self, account: AccountId) {
        self.contributors.lock().unwrap().insert(account.0);
    }

    /// Sets what the account has used of its day.
    pub fn used(&self, account: AccountId, files: u32, bytes: u64) {
        self.used.lock().unwrap().insert(account.0, (files, bytes));
    }

    /// Sets how many files the account has precommitted and not opened.
    pub fn precommitted(&self, account: AccountId, files: u64) {
        self.precommits.lock().unwrap().insert(account.0, files);
    }

    /// Has a submission name a file.
    pub fn name(&self, bytes: &[u8], media: MediaType, role: Role) -> ContentId {
        let content = openledger_content::describe(bytes).unwrap().content;
        self.named.lock().unwrap().push(Named {
            content,
            sha256: Some(Sha256::digest(bytes).into()),
            size: Some(bytes.len() as u64),
            media: Some(media),
            role,
        });
        content
    }

    /// Has a pending submission name a file by its hash and size, and another one's content.
    pub fn name_as(&self, bytes: &[u8], content: ContentId) {
        self.named.lock().unwrap().push(Named {
            content,
            sha256: Some(Sha256::digest(bytes).into()),
            size: Some(bytes.len() as u64),
            media: Some(MediaType::Txt),
            role: Role::Pending,
        });
    }

    /// Forgets all names.
    pub fn forget(&self) {
        self.named.lock().unwrap().clear();
    }
}

#[async_trait]
impl Chain for Planted {
    async fn quota(&self, account: AccountId) -> Result<QuotaStatus, ApiError> {
        let (files, bytes) = self.used.lock().unwrap().get(&account.0).copied().unwrap_or_default();
        let registered = self.contributors.lock().unwrap().contains(&account.0);
        let used = DailyQuota { day: 9, files, bytes };
        Ok(QuotaStatus { day: 9, used, limits: QuotaLimits::ACCOUNT, registered })
    }

    async fn precommits(&self, account: AccountId) -> Result<u64, ApiError> {
        Ok(self.precommits.lock().unwrap().get(&account.0).copied().unwrap_or_default())
    }

    async fn check(
        &self,
        account: AccountId,
        datanet: DatanetId,
        _: SubmissionItem,
    ) -> Result<Result<(), Refusal>, ApiError> {
        if datanet != 0 {
            return Ok(Err(Refusal::of_call(RefusalRule::UnknownDatanet, datanet.into(), 0)));
        }
        // One more file, as the chain counts.
        let (files, limit) = (self.quota(account).await?.used.files, QuotaLimits::ACCOUNT.files);
        let full = Refusal::of_call(RefusalRule::DailyFiles, u64::from(files) + 1, limit.into());
        Ok(if files < limit { Ok(()) } else { Err(full) })
    }

    async fn file(&self, sha256: FileHash) -> Result<Option<Named>, ApiError> {
        let named = self.named.lock().unwrap();
        Ok(named.iter().find(|named| named.sha256 == Some(sha256)).copied())
    }

    async fn content(&self, content: ContentId) -> Result<Option<Named>, ApiError> {
        Ok(self.named.lock().unwrap().iter().find(|named| named.content == content).copied())
    }

    async fn compared(&self, submission: u64) -> Result<Option<Compared>, ApiError> {
        let compared = self.compared.lock().unwrap();
        Ok(compared.iter().find(|compared| compared.submission == submission).cloned())
    }

    async fn is_current(&self) -> Result<bool, ApiError> {
        Ok(!self.behind.load(Ordering::Relaxed))
    }
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    uploads: UploadArguments,
}

/// A running door.
pub struct Door {
    /// The chain behind it.
    pub chain: Arc<Planted>,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it opens on.
    pub uploads: Uploads,
    stop: watch::Sender<bool>,
}

impl Door {
    /// Opens a door on a folder, with what an operator would set.
    pub async fn open(directory: &Path, arguments: &[&str]) -> Self {
        Self::open_on(Arc::default(), directory, arguments).await
    }

    /// Opens a door on a folder and a chain.
    pub async fn open_on(chain: Arc<Planted>, directory: &Path, arguments: &[&str]) -> Self {
        let times = (sessions::CHALLENGE, sessions::SESSION);
        Self::open_for(chain, directory, arguments, times).await
    }

    /// The same where texts may be signed and sessions last for other times.
    pub async fn open_for(
        chain: Arc<Planted>,
        directory: &Path,
        arguments: &[&str],
        (challenge, session): (Duration, Duration),
    ) -> Self {
        let words = std::iter::once("gateway").chain(arguments.iter().copied());
        let options = Options {
            directory: directory.to_owned(),
            hosts: Vec::new(),
            origins: vec!["https://allowed.example".to_owned()],
            challenge,
            session,
            arguments: Arguments::parse_from(words).uploads,
        };
        let uploads = Uploads::start(options, chain.clone(), GENESIS, None).await.unwrap();
        let (router, _) = openledger_gateway::uploads::routes::<Uploads>().split_for_parts();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let limits = Limits {
            connections: 200,
            of_address: 200,
            headers: 64,
            header_time: Duration::from_secs(10),
            write_time: Duration::from_secs(30),
        };
        let (stop, stopped) = watch::channel(false);
        let router = router.with_state(uploads.clone());
        let door = Arc::new(openledger_gateway::door::Door::default());
        tokio::spawn(openledger_http::accept(listener, router, Arc::new(limits), door, stopped));
        Self { chain, address, uploads, stop }
    }

    /// Lets the database grow no further.
    pub async fn fill_database(&self) {
        let pages = |db: &mut rusqlite::Connection| {
            let pages: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0))?;
            db.pragma_update(None, "max_page_count", pages)
        };
        self.uploads.database().run(pages).await.unwrap();
    }

    /// Adds sessions of accounts that nobody has the keys of.
    pub async fn add_sessions(&self, count: u32) {
        let add = move |db: &mut rusqlite::Connection| {
            let work = db.transaction()?;
            for number in 0..count {
                let mut who = [9; 32];
                who[..4].copy_from_slice(&number.to_be_bytes());
                work.execute("INSERT INTO sessions VALUES(?1, ?1, 0, ?2)", (who, i64::MAX))?;
            }
            work.commit()
        };
        self.uploads.database().run(add).await.unwrap();
    }

    /// Begins an upload, which goes on until the connection is dropped.
    pub async fn begin_upload(
        &self,
        path: &str,
        bearer: &str,
        first: &[u8],
    ) -> tokio::net::TcpStream {
        use tokio::io::AsyncWriteExt;
        let head = self.head("PUT", path, &[("Authorization", bearer), ("Content-Length", "1000")]);
        let mut stream = tokio::net::TcpStream::connect(self.address).await.unwrap();
        stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
        stream.write_all(first).await.unwrap();
        // Admitted before anything else is asked.
        tokio::time::sleep(Duration::from_millis(500)).await;
        stream
    }

    /// Closes it.
    pub async fn close(self) {
        self.stop.send_replace(true);
        self.uploads.stop().await;
    }

    /// Sends a request, all of it, and reads the answer.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        http::ask(self.address, method, path, headers, body).await
    }

    /// A request's head, without the end.
    pub fn head(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> String {
        http::head(self.address, method, path, headers)
    }

    /// Sends JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path, &[], body.to_string().as_bytes()).await
    }

    /// A challenge for an account.
    pub async fn challenge(&self, account: AccountId) -> Value {
        let body = json!({ "account": account.to_string(), "purpose": "upload" });
        self.post("/v1/sessions/challenge", body).await.ok()
    }

    /// Opens a session and returns its header.
    pub async fn sign_in(&self, pair: &sr25519::Pair) -> String {
        let account = AccountId::from(pair.public().0);
        let challenge = self.challenge(account).await;
        let message = format!("<Bytes>{}</Bytes>", challenge["message"].as_str().unwrap());
        let opened = self.post(
            "/v1/sessions",
            json!({
                "account": account.to_string(),
                "nonce": challenge["nonce"],
                "signature": hex::encode(pair.sign(message.as_bytes()).0),
            }),
        );
        format!("Bearer {}", opened.await.ok()["token"].as_str().unwrap())
    }

    /// A contributor with an open session.
    pub async fn contributor(&self, seed: &str) -> (AccountId, String) {
        let pair = sr25519::Pair::from_string(seed, None).unwrap();
        let account = AccountId::from(pair.public().0);
        self.chain.register(account);
        (account, self.sign_in(&pair).await)
    }

    /// Sends a file.
    pub async fn put(&self, bearer: &str, bytes: &[u8]) -> Answer {
        let path = format!("/v1/blobs/{}?size={}", hash(bytes), bytes.len());
        self.ask("PUT", &path, &[("Authorization", bearer)], bytes).await
    }

    /// What is there of a file.
    pub async fn state(&self, bearer: &str, bytes: &[u8]) -> Value {
        let path = format!("/v1/blobs/{}", hash(bytes));
        self.ask("GET", &path, &[("Authorization", bearer)], &[]).await.ok()
    }
}
