//! What the tests share.

pub mod dag;
pub mod raw_peer;

use openledger_content::{Added, ContentStore, IpfsNode, Limits, NodeConfig, Wanted};
use openledger_primitives::ContentId;
use std::{
    future::Future,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};
use tempfile::TempDir;

pub const MIB: usize = 1 << 20;
/// Longer than anything here takes on a busy machine; only a hang reaches it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A deterministic file: chunk k is the number k as 8 little-endian bytes, then a fixed pattern.
pub struct Pattern {
    size: u64,
    position: u64,
}

impl Pattern {
    pub fn new(size: u64) -> Self {
        Self { size, position: 0 }
    }

    pub fn bytes(size: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        Self::new(size).read_to_end(&mut bytes).unwrap();
        bytes
    }
}

impl Read for Pattern {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        static BASE: OnceLock<Vec<u8>> = OnceLock::new();
        let base = BASE.get_or_init(|| {
            (0..MIB as u64).map(|i| ((i * i * 31 + i * 7 + 11) >> 3) as u8).collect()
        });
        let (chunk, offset) = (self.position / MIB as u64, (self.position % MIB as u64) as usize);
        let head = chunk.to_le_bytes();
        let source = if offset < 8 { &head[offset..] } else { &base[offset..] };
        let left = (self.size - self.position).min(usize::MAX as u64) as usize;
        let count = source.len().min(buffer.len()).min(left);
        buffer[..count].copy_from_slice(&source[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

pub fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Names of everything in a folder.
pub fn listing(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Where a node keeps a block.
pub fn block_file(directory: &Path, id: &ContentId) -> PathBuf {
    let name = id.to_string();
    let shard = &name[name.len() - 3..name.len() - 1];
    directory.join("blocks").join(shard).join(format!("{name}.data"))
}

pub fn loopback() -> openledger_content::Multiaddr {
    "/ip4/127.0.0.1/tcp/0".parse().unwrap()
}

/// A node that listens on loopback, in a directory of its own.
pub async fn node() -> (IpfsNode, TempDir) {
    node_with(|config| config).await
}

pub async fn node_with(change: impl FnOnce(NodeConfig) -> NodeConfig) -> (IpfsNode, TempDir) {
    let directory = directory();
    let config = change(NodeConfig::new(directory.path()).listening([loopback()]));
    (IpfsNode::start(config).await.unwrap(), directory)
}

/// A node that is connected with `others`.
pub async fn node_beside(others: &[&IpfsNode]) -> (IpfsNode, TempDir) {
    let peers: Vec<_> = others.iter().flat_map(|other| other.listen_addresses()).collect();
    let (node, directory) = node_with(|config| config.with_peers(peers)).await;
    node.wait_for_peers(others.len(), PATIENCE).await.unwrap();
    (node, directory)
}

pub fn exactly(added: &Added) -> Wanted {
    Wanted::exactly(added.content, added.sha256, added.size)
}

/// Limits with short times, for content that will not come.
pub fn impatient() -> Limits {
    Limits::default().with_timeouts(Duration::from_millis(700), PATIENCE)
}

pub async fn add(store: &impl ContentStore, bytes: impl Into<bytes::Bytes>) -> Added {
    store.add_bytes(bytes.into()).await.unwrap()
}

/// Waits until something holds that other tasks bring about.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// Runs a future with two worker threads.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
