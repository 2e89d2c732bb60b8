//! Agents: adapters whose owners say how they answer and which documentation they ask (docs/agents.md).
//!
//! * [`document`]: what an owner signs; [`api`]: signing and reading it; `store`: where it is kept;
//! * [`hosts`]: which sources may be asked; [`knowledge`]: asking them; [`cache`]: for a moment;
//! * [`excerpt`], [`prompt`]: what came, made harmless, and what the model is told;
//! * [`receipts`]: what an answer rests on.
//!
//! What a source answers is data of a stranger's. It names no address that is ever asked, calls nothing, and
//! stands in the prompt as quoted lines of the asker's message, never in the system message.

pub mod api;
pub mod cache;
pub mod document;
pub mod excerpt;
pub mod hosts;
pub mod knowledge;
pub mod prompt;
pub mod receipts;
mod store;

pub use store::{OpenError, MAX_RECEIPTS};

use crate::chat::outside::{Outside, Resolve};
use crate::error::ApiError;
use crate::index::Index;
use crate::uploads::database::now;
use crate::uploads::published::Publisher;
use async_trait::async_trait;
use axum::extract::FromRef;
use cache::Cache;
use document::{Instructions, OWN};
use hosts::KnowledgeHost;
use knowledge::{Asked, Asking, Knowledge, OwnDocs};
use openledger_client::{AccountId, Client, H256};
use openledger_primitives::JobId;
use receipts::{sha256, FinalBlock, InstructionsRef, Receipt, ReceiptBody};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::{Kept, Store};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Bytes of what stands around a source's text in a prompt, its address left out.
const LINES: usize = 48;

/// What the operator sets.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Agents")]
pub struct AgentArguments {
    /// Host whose documentation agents may ask (`docs.example.org`, over https, at a public address), or a server
    /// on this machine with its scheme (`http://127.0.0.1:4000`); may be repeated
    #[arg(long = "knowledge-host", value_name = "HOST")]
    pub knowledge_hosts: Vec<KnowledgeHost>,

    /// Seconds that a source has for its answer, redirects and all
    #[arg(long = "knowledge-seconds", value_name = "SECONDS", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub knowledge_seconds: u64,

    /// Bytes of documentation that a model is given for one answer, of all sources together
    #[arg(long = "knowledge-bytes", value_name = "BYTES", default_value_t = 3_072, value_parser = clap::value_parser!(u32).range(256..=65_536))]
    pub knowledge_bytes: u32,

    /// Bytes of sources' answers that are kept for who asks the same again
    #[arg(long = "knowledge-cache-bytes", value_name = "BYTES", default_value_t = 8 << 20)]
    pub knowledge_cache_bytes: u32,

    /// Seconds that such an answer is kept
    #[arg(long = "knowledge-cache-seconds", value_name = "SECONDS", default_value_t = 600)]
    pub knowledge_cache_seconds: u32,
}

/// What agents read of the chain.
#[async_trait]
pub trait AgentChain: Send + Sync {
    /// Who paid for an adapter; nobody where there is none.
    ///
    /// # Errors
    ///
    /// Where the chain does not answer.
    async fn owner(&self, adapter: JobId) -> Result<Option<AccountId>, ApiError>;

    /// The last final block, number and hash.
    fn finalised(&self) -> Option<(u32, String)>;
}

/// The chain as node and index say it.
pub struct IndexedChain {
    client: Client,
    index: Index,
}

impl IndexedChain {
    /// The chain of a node and its index.
    pub fn new(client: Client, index: Index) -> Self {
        Self { client, index }
    }
}

#[async_trait]
impl AgentChain for IndexedChain {
    async fn owner(&self, adapter: JobId) -> Result<Option<AccountId>, ApiError> {
        Ok(self.client.adapter(adapter).await?.map(|adapter| adapter.owner))
    }

    fn finalised(&self) -> Option<(u32, String)> {
        let progress = self.index.progress();
        let head = progress.borrow().head.clone();
        head.map(|head| (head.number, head.hash))
    }
}

/// A chain that a test makes up.
#[derive(Clone, Debug, Default)]
pub struct PlantedAgents {
    /// Who owns which adapter.
    pub owners: BTreeMap<JobId, AccountId>,
    /// The last final block.
    pub block: Option<(u32, String)>,
}

#[async_trait]
impl AgentChain for PlantedAgents {
    async fn owner(&self, adapter: JobId) -> Result<Option<AccountId>, ApiError> {
        Ok(self.owners.get(&adapter).copied())
    }

    fn finalised(&self) -> Option<(u32, String)> {
        self.block.clone()
    }
}

/// What agents need of the rest of the gateway.
pub struct Parts {
    /// Finds addresses.
    pub resolver: Arc<dyn Resolve>,
    /// The chain.
    pub chain: Arc<dyn AgentChain>,
    /// Who serves files by content id.
    pub publisher: Arc<dyn Publisher>,
    /// The gateway's own documentation, where there is some.
    pub own: Option<Arc<dyn OwnDocs>>,
    /// The hash of the chain's first block.
    pub genesis: H256,
    /// Receipts that are kept.
    pub receipts: u64,
}

/// Agents; clones are the same ones.
#[derive(Clone)]
pub struct Agents(Arc<Inner>);

struct Inner {
    store: Store,
    asking: Asking,
    chain: Arc<dyn AgentChain>,
    publisher: Arc<dyn Publisher>,
    genesis: [u8; 32],
}

/// Who answers a question, and from what.
pub struct Agent {
    adapter: Option<JobId>,
    kept: Option<Kept>,
    sources: Vec<String>,
}

/// What an agent found before it answers.
pub struct Found {
    /// What stands first in the system message.
    pub system: String,
    /// What sources answered, for the prompt.
    pub block: Option<String>,
    /// What is recorded of it.
    pub receipt: Receipt,
}

impl Agents {
    /// Agents in `agents.sqlite` of a folder that is there.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open(
        arguments: &AgentArguments,
        directory: &Path,
        parts: Parts,
    ) -> Result<Self, OpenError> {
        let cache = Cache::new(
            usize::try_from(arguments.knowledge_cache_bytes).unwrap_or(usize::MAX),
            Duration::from_secs(arguments.knowledge_cache_seconds.into()),
        );
        let asking = Asking {
            outside: Outside::new(parts.resolver)?,
            hosts: arguments.knowledge_hosts.clone(),
            own: parts.own,
            cache,
            time: Duration::from_secs(arguments.knowledge_seconds),
            bytes: usize::try_from(arguments.knowledge_bytes).unwrap_or(usize::MAX),
        };
        Ok(Self(Arc::new(Inner {
            store: Store::open(&directory.join("agents.sqlite"), parts.genesis, parts.receipts)?,
            asking,
            chain: parts.chain,
            publisher: parts.publisher,
            genesis: parts.genesis.0,
        })))
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    fn chain(&self) -> &dyn AgentChain {
        self.0.chain.as_ref()
    }

    fn publisher(&self) -> &dyn Publisher {
        self.0.publisher.as_ref()
    }

    fn genesis(&self) -> &[u8; 32] {
        &self.0.genesis
    }

    /// Hosts whose documentation may be asked.
    pub fn hosts(&self) -> &[KnowledgeHost] {
        &self.0.asking.hosts
    }

    /// The adapters of a list that have instructions which say something, with their versions.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn active(&self, adapters: Vec<JobId>) -> Result<BTreeMap<JobId, u32>, ApiError> {
        Ok(self.store().active(adapters).await?.into_iter().collect())
    }

    /// The agent for a model, where there is one: the adapter's, by its instructions, or one that asks
    /// this gateway's documentation, where the asker wants it.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn of(&self, model: &str, wanted: Option<bool>) -> Result<Option<Agent>, ApiError> {
        if wanted == Some(false) {
            return Ok(None);
        }
        let adapter = model.strip_prefix("openledger:").and_then(|id| id.parse::<JobId>().ok());
        let kept = match adapter {
            Some(adapter) => self.store().latest(adapter).await?,
            None => None,
        };
        let kept = kept.filter(|kept| !kept.instructions.is_empty());
        Ok(match (kept, wanted) {
            (Some(kept), _) => {
                let sources = kept.instructions.sources.clone();
                Some(Agent { adapter, kept: Some(kept), sources })
            }
            (None, Some(true)) => {
                Some(Agent { adapter, kept: None, sources: vec![OWN.to_owned()] })
            }
            (None, _) => None,
        })
    }

    /// Bytes that an agent may add to a prompt, at most.
    pub fn most_bytes(&self, agent: &Agent) -> usize {
        let system = agent.kept.as_ref().map_or(0, |kept| kept.instructions.system.len());
        let lines: usize = agent.sources.iter().map(|source| source.len() + LINES).sum();
        self.0.asking.bytes.saturating_add(system + lines + prompt::AROUND)
    }

    /// Asks the sources of an agent, and records what they answered.
    ///
    /// # Errors
    ///
    /// 500 where the receipt cannot be kept: an answer without one would not be attributed.
    pub async fn consult(
        &self,
        agent: Agent,
        model: &str,
        question: &str,
    ) -> Result<Found, ApiError> {
        let question = &*knowledge::asked(question);
        let none = Instructions { system: String::new(), goal: None, sources: Vec::new() };
        let said = agent.kept.as_ref().map_or(&none, |kept| &kept.instructions);
        let asked = Asked { question, goal: said.goal.as_deref() };
        let Knowledge { sources, excerpts } = self.0.asking.ask(&agent.sources, &asked).await;
        let block = (!excerpts.is_empty()).then(|| prompt::block(&excerpts));
        let receipt = Receipt::of(ReceiptBody {
            genesis: hex::encode(self.0.genesis),
            adapter: agent.adapter,
            model: model.to_owned(),
            instructions: agent.kept.as_ref().map(|kept| InstructionsRef {
                version: kept.version,
                content: kept.content.clone(),
            }),
            question: sha256(question),
            sources,
            knowledge: block.as_ref().map(sha256),
            at: now(),
            block: self.chain().finalised().map(|(number, hash)| FinalBlock { number, hash }),
        })?;
        Ok(Found { system: said.system.clone(), block, receipt })
    }

    /// Keeps the receipt of an answer that begins.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn record(&self, receipt: &Receipt) -> Result<(), ApiError> {
        self.store().record(receipt).await
    }
}

/// The routes.
pub fn routes<S>() -> OpenApiRouter<S>
where
    Agents: FromRef<S>,
    S: Clone + Send + Sync + 'static,
{
    OpenApiRouter::new()
        .routes(routes!(api::latest, api::put))
        .routes(routes!(api::draft))
        .routes(routes!(api::versions))
        .routes(routes!(api::version))
        .routes(routes!(receipts::one))
        .routes(routes!(receipts::of_adapter))
}
