//! The connection to one node.

use crate::{
    errors::{ClientError, Result},
    transport::Transport,
    AccountId, H256,
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use subxt::{
    backend::LegacyBackend,
    config::RpcConfigFor,
    rpcs::{client::rpc_params, methods::legacy::NumberOrHex, LegacyRpcMethods, RpcClient},
    OnlineClient, OnlineClientAtBlock, SubstrateConfig,
};
use tokio::sync::{Mutex, OnceCell};

/// How a [`Client`] connects and waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The node's WebSocket address, `ws://host:port` or `wss://host:port`.
    pub url: String,
    /// How long the first connection is tried.
    pub first_connection: Duration,
    /// How long a request waits for a node that went away.
    pub reconnection: Duration,
    /// How long a transaction is waited for: that the node takes it, and then that it is in a block.
    pub transaction: Duration,
}

impl Settings {
    /// For a node at `url`: 10 s for the first connection, two minutes for a node that restarts and
    /// for a transaction.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            first_connection: Duration::from_secs(10),
            reconnection: Duration::from_secs(120),
            transaction: Duration::from_secs(120),
        }
    }

    /// The same with one time-out for everything; the first connection is never tried for longer
    /// than 10 s.
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self {
            first_connection: timeout.min(Duration::from_secs(10)),
            reconnection: timeout,
            transaction: timeout,
            ..self
        }
    }
}

/// Where a chain stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainStatus {
    /// The chain's name.
    pub chain: String,
    /// Its type: `Development`, `Local`, `Live`, or what a custom one says.
    pub chain_type: String,
    /// Number of the best block.
    pub block: u32,
    /// Number of the last finalised block.
    pub finalised: u32,
    /// How many peers the node has.
    pub peers: u64,
}

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) rpc: RpcClient,
    pub(crate) methods: LegacyRpcMethods<RpcConfigFor<SubstrateConfig>>,
    online: OnceCell<OnlineClient<SubstrateConfig>>,
    chain_type: OnceCell<String>,
    /// One lock an account: its transactions are numbered and submitted one after the other.
    submitting: Mutex<HashMap<AccountId32Key, Arc<Mutex<()>>>>,
}

/// The bytes of an account: [`AccountId`] itself has no hash.
type AccountId32Key = [u8; 32];

/// The typed client of one chain. Cheap to clone; clones share the connection, which comes back by
/// itself when the node restarts.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({})", self.inner.settings.url)
    }
}

impl Client {
    /// Connects to a node.
    ///
    /// # Errors
    ///
    /// [`ClientError::Address`], [`ClientError::Unreachable`].
    pub async fn connect(settings: Settings) -> Result<Self> {
        let url = settings.url.clone();
        if !url.starts_with("ws://") && !url.starts_with("wss://") {
            let reason = "it begins with neither ws:// nor wss://".to_owned();
            return Err(ClientError::Address { url, reason });
        }
        let transport = Transport::connect(&url, settings.first_connection, settings.reconnection)
            .await
            .map_err(|reason| no_connection(url, settings.first_connection, reason))?;
        let rpc = RpcClient::new(transport);
        Ok(Self {
            inner: Arc::new(Inner {
                settings,
                methods: LegacyRpcMethods::new(rpc.clone()),
                rpc,
                online: OnceCell::new(),
                chain_type: OnceCell::new(),
                submitting: Mutex::default(),
            }),
        })
    }

    /// Connects to the node at `url` with the default time-outs.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn connect_to(url: &str) -> Result<Self> {
        Self::connect(Settings::new(url)).await
    }

    /// How this client connects and waits.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The chain's type: `Development`, `Local`, `Live`, or what a custom one says.
    ///
    /// # Errors
    ///
    /// Errors of the connection.
    pub async fn chain_type(&self) -> Result<String> {
        let chain_type = self.inner.chain_type.get_or_try_init(|| async {
            let answer: serde_json::Value = self.request("system_chainType", rpc_params![]).await?;
            Ok(match answer {
                serde_json::Value::String(name) => name,
                other => other.to_string(),
            })
        });
        chain_type.await.cloned()
    }

    /// Whether the chain is for development: on one machine, or in one house.
    ///
    /// # Errors
    ///
    /// Errors of the connection.
    pub async fn is_development(&self) -> Result<bool> {
        Ok(matches!(self.chain_type().await?.as_str(), "Development" | "Local"))
    }

    /// Whether the chain is for development, so that keys which everybody knows may sign.
    ///
    /// # Errors
    ///
    /// [`ClientError::DevelopmentKey`] if it is not.
    pub async fn require_development(&self) -> Result<()> {
        match self.is_development().await? {
            true => Ok(()),
            false => Err(ClientError::DevelopmentKey { chain_type: self.chain_type().await? }),
        }
    }

    /// Where the chain stands.
    ///
    /// # Errors
    ///
    /// Errors of the connection.
    pub async fn status(&self) -> Result<ChainStatus> {
        let methods = &self.inner.methods;
        let health = methods.system_health().await.map_err(|e| self.failed("system_health", e))?;
        Ok(ChainStatus {
            chain: methods.system_chain().await.map_err(|e| self.failed("system_chain", e))?,
            chain_type: self.chain_type().await?,
            block: self.best().await?.0,
            finalised: self.finalised().await?.0,
            peers: health.peers as u64,
        })
    }

    /// Number and hash of the best block.
    ///
    /// # Errors
    ///
    /// Errors of the connection.
    pub async fn best(&self) -> Result<(u32, H256)> {
        let header = self
            .inner
            .methods
            .chain_get_header(None)
            .await
            .map_err(|e| self.failed("chain_getHeader", e))?
            .ok_or_else(|| absent("the best block"))?;
        let number = header.number as u32;
        // The best block may have changed since; its number's hash is as good.
        let hash = self.block_hash(number).await?.ok_or_else(|| absent("the best block"))?;
        Ok((number, hash))
    }

    /// The hash of the chain's first block, which names the chain.
    ///
    /// # Errors
    ///
    /// Errors of the connection.
    pub async fn genesis(&self) -> Result<H256> {
        self.block_hash(0).await?.ok_or_else(|| absent("the first block"))
    }

    /// Number and hash of the last finalised block.
    ///
    /// # Errors
    ///
    /// Errors of the connection.
    pub async fn finalised(&self) -> Result<(u32, H256)> {
        let hash = self
            .inner
            .methods
            .chain_get_finalized_head()
            .await
            .map_err(|e| self.failed("chain_getFinalizedHead", e))?;
        let header = self
            .inner
            .methods
            .chain_get_header(Some(hash))
            .await
            .map_err(|e| self.failed("chain_getHeader", e))?
            .ok_or_else(|| absent("the finalised block"))?;
        Ok((header.number as u32, hash))
    }

    /// The hash of a block of the best chain; `None` if there is none of that number.
    ///
    /// # Errors
    ///
    /// Errors of the connection.
    pub async fn block_hash(&self, number: u32) -> Result<Option<H256>> {
        let hash =
            self.inner.methods.chain_get_block_hash(Some(NumberOrHex::Number(number.into()))).await;
        hash.map_err(|e| self.failed("chain_getBlockHash", e))
    }

    /// Any JSON-RPC method of the node.
    ///
    /// # Errors
    ///
    /// [`ClientError::Rpc`] if the node refuses; errors of the connection.
    pub async fn request<T: serde::de::DeserializeOwned>(
        &self,
        method: &str,
        params: subxt::rpcs::client::RpcParams,
    ) -> Result<T> {
        self.inner.rpc.request(method, params).await.map_err(|e| self.failed(method, e))
    }

    /// The chain's metadata-driven client, made when it is first needed: most reads do without.
    pub(crate) async fn online(&self) -> Result<&OnlineClient<SubstrateConfig>> {
        let made = self.inner.online.get_or_try_init(|| async {
            let backend = LegacyBackend::builder().build(self.inner.rpc.clone());
            OnlineClient::from_backend(Arc::new(backend))
                .await
                .map_err(|error| self.odd("the genesis hash", error))
        });
        made.await
    }

    /// The chain at a block.
    pub(crate) async fn at(&self, block: H256) -> Result<OnlineClientAtBlock<SubstrateConfig>> {
        let online = self.online().await?;
        online.at_block(block).await.map_err(|error| self.odd("the metadata", error))
    }

    /// The lock under which an account's transactions are numbered.
    pub(crate) async fn submitting(&self, account: &AccountId) -> Arc<Mutex<()>> {
        self.inner.submitting.lock().await.entry(account.0).or_default().clone()
    }

    /// An error of the JSON-RPC client in words.
    pub(crate) fn failed(&self, method: &str, error: subxt::rpcs::Error) -> ClientError {
        match error {
            subxt::rpcs::Error::User(error) => ClientError::Rpc {
                method: method.to_owned(),
                code: error.code,
                message: match error.data {
                    Some(data) => format!("{}: {data}", error.message),
                    None => error.message,
                },
            },
            subxt::rpcs::Error::DisconnectedWillReconnect(reason) => {
                let Settings { url, reconnection, .. } = &self.inner.settings;
                no_connection(url.clone(), *reconnection, reason)
            }
            other => ClientError::Answer { what: method.to_owned(), reason: other.to_string() },
        }
    }

    /// An error of subxt in words. Errors of the connection keep their kind.
    pub(crate) fn odd(&self, what: &str, error: impl std::error::Error + 'static) -> ClientError {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(current) = cause {
            if let Some(subxt::rpcs::Error::DisconnectedWillReconnect(reason)) =
                current.downcast_ref()
            {
                let Settings { url, reconnection, .. } = &self.inner.settings;
                return no_connection(url.clone(), *reconnection, reason.clone());
            }
            cause = current.source();
        }
        ClientError::Answer { what: what.to_owned(), reason: error.to_string() }
    }
}

/// Why there is no connection: a node that has as many as it takes answers, with the status of HTTP for that.
fn no_connection(url: String, patience: Duration, reason: String) -> ClientError {
    if reason.contains("429") {
        return ClientError::Full { url, patience };
    }
    ClientError::Unreachable { url, patience, reason }
}

fn absent(what: &str) -> ClientError {
    ClientError::Answer { what: what.to_owned(), reason: "the node does not have it".to_owned() }
}
