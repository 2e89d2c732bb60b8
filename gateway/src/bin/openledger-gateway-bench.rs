//! What `scripts/bench web` measures: how fast a made-up chain is indexed, how long pages take with few and
//! with many submissions, and how many streams one gateway serves.

// Denied in `index`; see clippy.toml.
#![allow(clippy::disallowed_methods)]

use axum::extract::FromRef;
use clap::{Parser, Subcommand};
use openledger_gateway::api;
use openledger_gateway::door::Door;
use openledger_gateway::index::{
    planted::{account, Maker, Plan},
    source::{BlockSource, SourceError},
    sqlite::Sqlite,
    storage::Storage,
    Index,
};
use openledger_gateway::node::Pulse;
use openledger_http::Limits;
use serde_json::json;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

/// Blocks that are written in one transaction.
const BATCH: u32 = 256;
/// Submissions of the index that a large one is measured beside.
const FEW: u32 = 1_000;

/// Measures the index over made-up chains; answers are JSON.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where databases are made; it must be empty, and is not cleared afterwards
    #[arg(long)]
    directory: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Index blocks of four files each
    Index {
        /// How many
        #[arg(long, default_value_t = 50_000)]
        blocks: u32,
    },
    /// Ask for pages of an index with so many submissions, beside one with a thousand
    Pages {
        /// How many; a tenth as many jobs
        #[arg(long)]
        submissions: u32,
        /// Requests of each page
        #[arg(long, default_value_t = 1_000)]
        requests: u32,
    },
    /// Have so many streams follow one run
    Streams {
        /// How many
        #[arg(long, default_value_t = 1_000)]
        clients: u32,
        /// Blocks that they hear
        #[arg(long, default_value_t = 50)]
        blocks: u32,
    },
}

type Answer<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Clone)]
struct Only(Index);

impl FromRef<Only> for Index {
    fn from_ref(only: &Only) -> Self {
        only.0.clone()
    }
}

/// A chain that is as long as it is let be; its blocks are made when they are asked for, in order.
struct Growing {
    maker: Mutex<Maker>,
    until: watch::Receiver<u32>,
}

#[async_trait::async_trait]
impl BlockSource for Growing {
    async fn finalised(&self) -> Result<u32, SourceError> {
        Ok(*self.until.borrow())
    }

    async fn hash(&self, _: u32) -> Result<Option<String>, SourceError> {
        Ok(None)
    }

    async fn require(&self, _: u32, _: u32) -> Result<(), SourceError> {
        Ok(())
    }

    async fn block(&self, number: u32) -> Result<openledger_client::blocks::Block, SourceError> {
        let mut maker = self.maker.lock().map_err(|_| SourceError::Absent(number))?;
        Ok(maker.block())
    }
}

#[tokio::main]
async fn main() -> Answer<()> {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.directory)?;
    let path = arguments.directory.join("index.sqlite");
    let measured = match arguments.what {
        What::Index { blocks } => index(&path, blocks)?,
        What::Pages { submissions, requests } => {
            pages(&arguments.directory, submissions, requests).await?
        }
        What::Streams { clients, blocks } => streams(&path, clients, blocks).await?,
    };
    println!("{measured}");
    Ok(())
}

fn fill(storage: &Sqlite, plan: Plan, blocks: u32) -> Answer<Duration> {
    let mut maker = Maker::new(plan);
    let mut spent = Duration::ZERO;
    let mut left = blocks;
    let began = Instant::now();
    storage.bulk(true)?;
    spent += began.elapsed();
    while left > 0 {
        // Making the chain up is not indexing.
        let some: Vec<_> = (0..left.min(BATCH)).map(|_| maker.block()).collect();
        left -= some.len() as u32;
        let began = Instant::now();
        storage.apply(&some)?;
        spent += began.elapsed();
    }
    let began = Instant::now();
    storage.bulk(false)?;
    Ok(spent + began.elapsed())
}

fn index(path: &Path, blocks: u32) -> Answer<serde_json::Value> {
    let storage = Sqlite::open(path)?;
    let plan = Plan { datanets: 20, contributors: 1_000, files: 4, jobs: 1, seed: 1 };
    let spent = fill(&storage, plan, blocks)?;
    Ok(json!({
        "blocks": blocks,
        "seconds": spent.as_secs_f64(),
        "blocks_per_second": f64::from(blocks) / spent.as_secs_f64(),
        "bytes": std::fs::metadata(path)?.len(),
    }))
}

async fn serve(
    storage: Sqlite,
    connections: usize,
) -> Answer<(Index, SocketAddr, watch::Sender<bool>)> {
    let index = Index::new(Arc::new(storage), None, Pulse::none())?;
    let (router, _) = api::routes::<Only>().split_for_parts();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let limits = Limits {
        connections,
        of_address: connections,
        headers: 32,
        header_time: Duration::from_secs(30),
        write_time: Duration::from_secs(30),
    };
    let (stop, stopped) = watch::channel(false);
    let router = router.with_state(Only(index.clone()));
    let door = Arc::new(Door::default());
    tokio::spawn(openledger_http::accept(listener, router, Arc::new(limits), door, stopped));
    Ok((index, address, stop))
}

async fn get(address: SocketAddr, path: &str) -> Answer<()> {
    let mut stream = TcpStream::connect(address).await?;
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    match answer.starts_with(b"HTTP/1.1 200") {
        true => Ok(()),
        false => Err(format!("{path}: {}", String::from_utf8_lossy(&answer)).into()),
    }
}

/// An index of so many submissions behind a listener.
async fn filled(path: &Path, submissions: u32) -> Answer<(Index, SocketAddr, watch::Sender<bool>)> {
    let storage = Sqlite::open(path)?;
    let files = 20;
    let plan = Plan {
        datanets: 4,
        // The board grows with the chain too.
        contributors: (submissions / 10).max(20),
        files,
        jobs: 2,
        seed: 1,
    };
    fill(&storage, plan, submissions.div_ceil(files) + 3)?;
    serve(storage, 50).await
}

/// Asks a small and a large index in turns, so that what else the machine does falls on both.
async fn pages(folder: &Path, submissions: u32, requests: u32) -> Answer<serde_json::Value> {
    let (_few, few, _one) = filled(&folder.join("few.sqlite"), FEW).await?;
    let (_many, many, _two) = filled(&folder.join("many.sqlite"), submissions).await?;
    let of_account = format!("/v1/submissions?contributor={}", account(7));
    let own_line = format!("/v1/datanets/3/board?account={}", account(7));
    let mut pages = serde_json::Map::new();
    for (name, paths) in [
        ("board", vec!["/v1/datanets/1/board", "/v1/datanets/2/board?limit=100"]),
        ("own_line", vec![own_line.as_str()]),
        ("jobs", vec!["/v1/jobs", "/v1/jobs?state=completed", "/v1/jobs/3"]),
        (
            "submissions",
            vec![
                "/v1/submissions",
                "/v1/datanets/1/submissions?state=accepted",
                "/v1/datanets/3/verdicts",
                "/v1/submissions/12",
                &of_account,
            ],
        ),
    ] {
        let (mut times_few, mut times_many) = (Vec::new(), Vec::new());
        for round in 0..requests as usize {
            for (address, times) in [(few, &mut times_few), (many, &mut times_many)] {
                let began = Instant::now();
                get(address, paths[round % paths.len()]).await?;
                // What is read for the first time is no measure.
                if round >= paths.len() * 4 {
                    times.push(began.elapsed().as_secs_f64() * 1e3);
                }
            }
        }
        let at = |times: &mut Vec<f64>, part: f64| {
            times.sort_by(f64::total_cmp);
            times[((times.len() - 1) as f64 * part) as usize]
        };
        let measured = json!({
            "few_p50_ms": at(&mut times_few, 0.5),
            "few_p99_ms": at(&mut times_few, 0.99),
            "many_p50_ms": at(&mut times_many, 0.5),
            "many_p99_ms": at(&mut times_many, 0.99),
        });
        pages.insert(name.to_owned(), measured);
    }
    Ok(json!({ "few": FEW, "many": submissions, "pages": pages }))
}

async fn streams(path: &Path, clients: u32, blocks: u32) -> Answer<serde_json::Value> {
    let storage = Sqlite::open(path)?;
    let (index, address, _stop) = serve(storage, clients as usize + 50).await?;
    let (grow, until) = watch::channel(2);
    let source = Growing { maker: Mutex::new(Maker::new(Plan::SMALL)), until };
    index.catch_up(&source).await?;
    let mut ears = Vec::new();
    for number in 0..clients {
        // An address has 64 streams at most: clients come from as many addresses of this machine as it takes.
        let socket = TcpSocket::new_v4()?;
        let from = Ipv4Addr::LOCALHOST.to_bits() + number / 50;
        socket.bind((Ipv4Addr::from_bits(from), 0).into())?;
        let mut stream = socket.connect(address).await?;
        stream.write_all(b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
        ears.push(tokio::spawn(hear(stream, 2 + blocks)));
    }
    while index.streams() < clients as usize {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let before = memory()?;
    let began = Instant::now();
    for number in 3..=2 + blocks {
        grow.send_replace(number);
        index.catch_up(&source).await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut heard: Vec<Vec<String>> = Vec::new();
    for ear in ears {
        heard.push(ear.await??);
    }
    let spent = began.elapsed().as_secs_f64();
    let first = heard.first().cloned().unwrap_or_default();
    if let Some(other) = heard.iter().find(|other| **other != first) {
        return Err(format!("streams differ: {} and {} events", first.len(), other.len()).into());
    }
    let ends = first.iter().filter(|id| id.ends_with("-end")).count();
    if ends != blocks as usize {
        return Err(format!("{ends} of {blocks} blocks were heard").into());
    }
    Ok(json!({
        "clients": clients,
        "events_each": first.len(),
        "seconds": spent,
        "events_per_second": first.len() as f64 * f64::from(clients) / spent,
        "memory_before_mib": before,
        "memory_peak_mib": memory()?,
    }))
}

/// Listens until the end of a block; returns the ids in order.
async fn hear(stream: TcpStream, until: u32) -> Answer<Vec<String>> {
    let mut lines = BufReader::new(stream).lines();
    let last = format!("{until}-end");
    let (mut ids, mut id) = (Vec::new(), String::new());
    while let Some(line) = lines.next_line().await? {
        if let Some(found) = line.strip_prefix("id: ") {
            id = found.to_owned();
        }
        if line.starts_with("data: ") {
            ids.push(id.clone());
            if id == last {
                return Ok(ids);
            }
        }
    }
    Err("a stream ended".into())
}

/// The most memory that this process, listeners and all, has had, in MiB.
fn memory() -> Answer<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: f64 = line.unwrap_or("0").trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}
