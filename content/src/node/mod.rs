//! An IPFS node inside a program: identity, transports, peers, Bitswap, and the block store.

mod identity;
mod network;

use crate::{
    bitswap::{self, Bitswap, Counters, Refusal, Session},
    content_store::{add_bytes, add_file, ContentStore},
    dag::MAX_BLOCK_BYTES,
    error::{Error, Fault, Result, Unavailable},
    import::Added,
    limits::Limits,
    store::BlockStore,
    walk::{self, blocking, BlockSource, Fetched, Wanted},
};
use async_trait::async_trait;
use bytes::Bytes;
use libp2p::{Multiaddr, PeerId};
pub use network::MAX_VISITED;
use network::{Control, Shared};
use openledger_primitives::ContentId;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

/// Which key a node shows to its peers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Identity {
    /// The key in `DIR/identity`, made at the first start. One process at a time may use it.
    #[default]
    Persistent,
    /// A key that lives as long as the node. For a short-lived node beside one that is running on
    /// the same directory: both use the same blocks.
    Ephemeral,
}

/// How a node is set up.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Where blocks and key live.
    pub directory: PathBuf,
    /// Which key it uses.
    pub identity: Identity,
    /// Addresses to listen on, TCP or QUIC; none for a node that only dials.
    pub listen: Vec<Multiaddr>,
    /// Peers to stay connected with. They are dialled again, with back-off, whenever they are lost.
    pub peers: Vec<Multiaddr>,
    /// Most connections that others make to this node, and most that it makes itself.
    pub max_connections: u32,
    /// Bounds of the Bitswap server.
    pub bitswap: bitswap::Config,
}

impl NodeConfig {
    /// A persistent node on `directory` that listens nowhere and knows nobody yet.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            identity: Identity::Persistent,
            listen: Vec::new(),
            peers: Vec::new(),
            max_connections: 128,
            bitswap: bitswap::Config::default(),
        }
    }

    /// The same, listening on `addresses`.
    pub fn listening(self, addresses: impl IntoIterator<Item = Multiaddr>) -> Self {
        Self { listen: addresses.into_iter().collect(), ..self }
    }

    /// The same, connected with `peers`.
    pub fn with_peers(self, peers: impl IntoIterator<Item = Multiaddr>) -> Self {
        Self { peers: peers.into_iter().collect(), ..self }
    }

    /// The same, with a key that is not kept.
    pub fn ephemeral(self) -> Self {
        Self { identity: Identity::Ephemeral, ..self }
    }
}

/// A running IPFS node. Clones are handles to the same node; it stops with [`IpfsNode::shutdown`],
/// or when the last handle is dropped.
#[derive(Clone, Debug)]
pub struct IpfsNode {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    peer_id: PeerId,
    store: BlockStore,
    bitswap: Bitswap,
    control: mpsc::UnboundedSender<Control>,
    shared: watch::Receiver<Shared>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl IpfsNode {
    /// Starts a node and waits until it listens on every address asked for. Must be called within
    /// a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyRunning`], [`Error::Identity`], [`Error::Listen`], [`Error::PeerAddress`],
    /// [`Error::Network`], and what [`BlockStore::open`] answers.
    pub async fn start(config: NodeConfig) -> Result<Self> {
        let directory = config.directory.clone();
        let store = blocking(move || BlockStore::open(&directory)).await?;
        let (directory, identity) = (config.directory.clone(), config.identity);
        let identity = blocking(move || identity::load(&directory, identity)).await?;
        let peer_id = identity.keypair.public().to_peer_id();
        let (behaviour, bitswap) = bitswap::Behaviour::new(store.clone(), config.bitswap.clone());
        let (control, commands) = mpsc::unbounded_channel();
        let (shared, task) = network::start(&config, identity, behaviour, commands).await?;
        let task = Mutex::new(Some(task));
        Ok(Self { inner: Arc::new(Inner { peer_id, store, bitswap, control, shared, task }) })
    }

    /// This node's peer id.
    pub fn peer_id(&self) -> PeerId {
        self.inner.peer_id
    }

    /// Addresses under which others can dial this node, each ending in `/p2p/<peer id>`.
    pub fn listen_addresses(&self) -> Vec<Multiaddr> {
        self.inner.shared.borrow().addresses.clone()
    }

    /// Peers connected now.
    pub fn peers(&self) -> Vec<PeerId> {
        self.inner.shared.borrow().peers.iter().copied().collect()
    }

    /// Adds a peer to stay connected with. Returns at once; the node keeps dialling.
    ///
    /// # Errors
    ///
    /// [`Error::PeerAddress`], [`Error::Stopped`].
    pub fn add_peer(&self, address: Multiaddr) -> Result<()> {
        network::check_peer_address(&address)?;
        self.inner.control.send(Control::AddPeer(address)).map_err(|_| Error::Stopped)
    }

    /// Keeps this node connected with peers for as long as they are of use, beside those that it stays connected with:
    /// `addresses` take the place of those that it was given here before. At most [`MAX_VISITED`] count. Returns at
    /// once; the node keeps dialling.
    ///
    /// # Errors
    ///
    /// [`Error::PeerAddress`], [`Error::Stopped`].
    pub fn visit(&self, addresses: Vec<Multiaddr>) -> Result<()> {
        addresses.iter().try_for_each(network::check_peer_address)?;
        self.inner.control.send(Control::Visit(addresses)).map_err(|_| Error::Stopped)
    }

    /// Waits until at least `count` peers are connected.
    ///
    /// # Errors
    ///
    /// [`Error::Network`] when they are not within the time, [`Error::Stopped`].
    pub async fn wait_for_peers(&self, count: usize, within: Duration) -> Result<()> {
        let mut shared = self.inner.shared.clone();
        let waiting = async { shared.wait_for(|shared| shared.peers.len() >= count).await.is_ok() };
        match tokio::time::timeout(within, waiting).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::Stopped),
            Err(_) => Err(Error::Network {
                reason: format!(
                    "{} of {count} peer(s) connected within {} s; check that they run and that \
                     their addresses are right",
                    self.peers().len(),
                    within.as_secs_f32()
                ),
            }),
        }
    }

    /// The blocks on this node's disk.
    pub fn store(&self) -> &BlockStore {
        &self.inner.store
    }

    /// Counters of the Bitswap server and client.
    pub fn counters(&self) -> &Counters {
        self.inner.bitswap.counters()
    }

    /// Closes all connections, lets go of the identity, and returns when it is done. Fetches that
    /// are running end with [`Error::Stopped`].
    pub async fn shutdown(&self) {
        // A node that has stopped already needs no word.
        let _ = self.inner.control.send(Control::Shutdown);
        let task = self.inner.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            if let Err(error) = task.await {
                tracing::error!(%error, "the network task ended badly");
            }
        }
    }

    /// One block, re-hashed: from this disk, or else from a peer within the time. For those who pass
    /// blocks on; files are fetched by [`ContentStore`].
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`], [`Error::Invalid`] for a block that is too large, [`Error::Io`],
    /// [`Error::Stopped`].
    pub async fn block(&self, id: ContentId, within: Duration) -> Result<Bytes> {
        self.source().block(id, within).await
    }

    fn source(&self) -> Arc<NodeSource> {
        let inner = &self.inner;
        Arc::new(NodeSource {
            store: inner.store.clone(),
            session: inner.bitswap.session(),
            bitswap: inner.bitswap.clone(),
            shared: inner.shared.clone(),
        })
    }
}

#[async_trait]
impl ContentStore for IpfsNode {
    async fn add_file(&self, path: &Path) -> Result<Added> {
        let (added, blocks) = add_file(self.store().clone(), path.to_path_buf()).await?;
        self.inner.bitswap.stored(blocks);
        Ok(added)
    }

    async fn add_bytes(&self, bytes: Bytes) -> Result<Added> {
        let (added, blocks) = add_bytes(self.store().clone(), bytes).await?;
        self.inner.bitswap.stored(blocks);
        Ok(added)
    }

    async fn fetch_file(
        &self,
        wanted: &Wanted,
        destination: &Path,
        limits: &Limits,
    ) -> Result<Fetched> {
        walk::fetch_file(self.source(), wanted, destination, limits).await
    }

    async fn fetch_bytes(&self, wanted: &Wanted, limits: &Limits) -> Result<Vec<u8>> {
        walk::fetch_bytes(self.source(), wanted, limits).await
    }

    async fn has(&self, content: &ContentId, limits: &Limits) -> Result<bool> {
        self.store().has(content, limits).await
    }
}

/// The blocks of one file: from disk, or else from peers.
struct NodeSource {
    store: BlockStore,
    session: Session,
    bitswap: Bitswap,
    shared: watch::Receiver<Shared>,
}

#[async_trait]
impl BlockSource for NodeSource {
    async fn block(&self, id: ContentId, within: Duration) -> Result<Bytes> {
        let store = self.store.clone();
        if let Some(block) = blocking(move || store.get(&id)).await? {
            return Ok(block);
        }
        let block = match tokio::time::timeout(within, self.session.block(id)).await {
            Ok(Ok(block)) => block,
            Ok(Err(Refusal::Stopped)) => return Err(Error::Stopped),
            Ok(Err(Refusal::TooLarge(size))) => {
                let fault = Fault::BlockTooLarge { block: id, size, limit: MAX_BLOCK_BYTES as u64 };
                return Err(Error::Invalid { content: id, fault });
            }
            Err(_) => {
                let peers = self.shared.borrow().peers.len();
                let reason = Unavailable::Block { block: id, within, peers };
                return Err(Error::Unavailable { content: id, reason });
            }
        };
        let (store, stored) = (self.store.clone(), block.clone());
        blocking(move || store.put_verified(&id, &stored)).await?;
        self.bitswap.stored(vec![id]);
        Ok(block)
    }
}
