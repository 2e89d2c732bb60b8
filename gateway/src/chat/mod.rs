//! Chat: questions relayed to servers of answers that the operator chose (docs/live.md).
//!
//! Servers are named by the operator, who also holds their keys. A worker's endpoint on chain is text that
//! anyone can write: it is asked only where its origin is on the operator's list, over https, at a public
//! address ([`outside`]). Until there are fees for use the operator pays, so tokens are counted
//! ([`budget`]).

pub mod api;
pub mod budget;
mod chain;
pub mod outside;
mod relay;
pub mod servers;
pub mod writer;

pub use chain::{BaseAdapters, Catalogue, ChainAdapter, PlantedCatalogue};
pub use relay::{Message, Role};

use crate::agents::Agents;
use crate::error::ApiError;
use crate::extract::{Address, Bearer};
use crate::uploads::Uploads;
use async_trait::async_trait;
use axum::extract::FromRef;
use axum::http::StatusCode;
use budget::{Asker, Budgets, Tokens};
use openledger_client::AccountId;
use outside::{Outside, OutsideError, Resolve};
use servers::{Allowed, Server, ServerArgument};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Mutex;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use writer::{DocsModel, Writer};

/// How a worker's server is called, before its account.
const WORKER: &str = "worker:";

/// What the operator sets.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Chat")]
pub struct ChatArguments {
    /// Server of answers (`trainer-worker serve`, or any that speaks OpenAI's API), perhaps with a file that
    /// holds its key; https, or http on this machine; may be repeated
    #[arg(long = "chat-server", value_name = "NAME=URL[,key-file=PATH]")]
    pub servers: Vec<ServerArgument>,

    /// Origin of a worker's published endpoint that may be asked as well (`https://worker.example.org`); may
    /// be repeated
    #[arg(long = "chat-allow", value_name = "ORIGIN")]
    pub allowed: Vec<Allowed>,

    /// Model of one of these servers that writes the answers of the documentation's `?ask=` from its excerpts;
    /// without it they are the excerpts
    #[arg(long = "docs-model", value_name = "SERVER/MODEL")]
    pub docs_model: Option<DocsModel>,

    /// Tokens a day for an address without an account
    #[arg(long = "chat-visitor-tokens", value_name = "TOKENS", default_value_t = 5_000)]
    pub visitor_tokens: u64,

    /// Tokens a day for an account
    #[arg(long = "chat-account-tokens", value_name = "TOKENS", default_value_t = 50_000)]
    pub account_tokens: u64,

    /// Tokens a day for a network address with all accounts that ask from it
    #[arg(long = "chat-address-tokens", value_name = "TOKENS", default_value_t = 100_000)]
    pub address_tokens: u64,

    /// Tokens a day for all together
    #[arg(long = "chat-day-tokens", value_name = "TOKENS", default_value_t = 1_000_000)]
    pub day_tokens: u64,

    /// Answers at the same time, for all together
    #[arg(long = "chat-at-once", value_name = "COUNT", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub at_once: u16,
}

/// Answers of one asker at the same time: base and adapters side by side.
const AT_ONCE: usize = 4;
/// Answers of one network address at the same time.
const AT_ONCE_ADDRESS: usize = 16;

/// Why chat could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// What the operator set.
    #[error("{0}")]
    Servers(String),
    /// The budgets' file.
    #[error("the chat's budgets: {0}")]
    Budgets(#[from] rusqlite::Error),
    /// TLS.
    #[error("TLS cannot be used: {0}")]
    Tls(#[from] tokio_rustls::rustls::Error),
}

/// Knows whose a session is.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// The account of a bearer's token.
    ///
    /// # Errors
    ///
    /// 401 for a token that is none, or no longer.
    async fn account(&self, token: &str) -> Result<AccountId, ApiError>;
}

#[async_trait]
impl Accounts for Uploads {
    async fn account(&self, token: &str) -> Result<AccountId, ApiError> {
        self.sessions().of(token).await.map(|session| session.account)
    }
}

/// What the handlers share.
#[derive(Clone)]
pub struct Chat(Arc<Inner>);

struct Inner {
    servers: Vec<Server>,
    allowed: Vec<Allowed>,
    outside: Outside,
    budgets: Budgets,
    chain: Arc<dyn Catalogue>,
    accounts: Arc<dyn Accounts>,
    agents: Agents,
    writer: Option<Writer>,
    models: Mutex<Option<(Instant, Vec<api::ServerModels>)>>,
}

impl Chat {
    /// Sets chat up; budgets are kept in a folder that is there.
    ///
    /// # Errors
    ///
    /// [`ChatError`].
    pub fn new(
        arguments: &ChatArguments,
        directory: &Path,
        resolver: Arc<dyn Resolve>,
        chain: Arc<dyn Catalogue>,
        accounts: Arc<dyn Accounts>,
        agents: Agents,
    ) -> Result<Self, ChatError> {
        let tokens = Tokens {
            visitor: arguments.visitor_tokens,
            account: arguments.account_tokens,
            address: arguments.address_tokens,
            all: arguments.day_tokens,
            at_once: AT_ONCE,
            address_at_once: AT_ONCE_ADDRESS,
            all_at_once: arguments.at_once.into(),
        };
        let servers = Server::all(&arguments.servers).map_err(ChatError::Servers)?;
        let writer = arguments.docs_model.as_ref().map(|model| Writer::new(model, &servers));
        Ok(Self(Arc::new(Inner {
            writer: writer.transpose().map_err(ChatError::Servers)?,
            servers,
            allowed: arguments.allowed.clone(),
            outside: Outside::new(resolver)?,
            budgets: Budgets::open(directory, tokens)?,
            chain,
            accounts,
            agents,
            models: Mutex::new(None),
        })))
    }

    /// Whether anybody can be asked.
    pub fn is_on(&self) -> bool {
        !self.0.servers.is_empty() || !self.0.allowed.is_empty()
    }

    /// Adapters with instructions.
    pub fn agents(&self) -> &Agents {
        &self.0.agents
    }

    /// Who asks: the account of a session, or a visitor.
    async fn asker(&self, bearer: Bearer, address: Address) -> Result<Asker, ApiError> {
        let account = match bearer.0 {
            Some(token) => Some(self.0.accounts.account(&token).await?),
            None => None,
        };
        Ok(Asker { address, account })
    }

    /// Refuses servers that no question could be sent to: `http://` that leads elsewhere than to this machine.
    /// A name that cannot be found now may be later.
    ///
    /// # Errors
    ///
    /// [`ChatError::Servers`].
    pub async fn check_servers(&self) -> Result<(), ChatError> {
        for server in &self.0.servers {
            match self.0.outside.addresses(&server.target, server.trust).await {
                Ok(_) => {}
                Err(error @ OutsideError::Name { .. }) => {
                    tracing::warn!(server = server.name, %error, "a server of answers is not found");
                }
                Err(error) => {
                    let reason = format!("--chat-server {}: {error}", server.name);
                    return Err(ChatError::Servers(reason));
                }
            }
        }
        Ok(())
    }

    /// The server of a name; the first one where none is given.
    async fn server(&self, name: Option<&str>) -> Result<Server, ApiError> {
        let none = || ApiError::not_found("this gateway has no server of answers (--chat-server)");
        let Some(name) = name else {
            return self.0.servers.first().cloned().ok_or_else(none);
        };
        if let Some(server) = self.0.servers.iter().find(|server| server.name == name) {
            return Ok(server.clone());
        }
        let Some(account) = name.strip_prefix(WORKER) else {
            let shown: String = name.chars().take(80).collect();
            return Err(ApiError::field("server", format!("there is no server {shown:?}")));
        };
        let account: AccountId = account.parse().map_err(|error| {
            ApiError::field("server", format!("the worker's account cannot be read: {error}"))
        })?;
        let endpoint = self.0.chain.endpoint(account).await?.unwrap_or_default();
        if endpoint.is_empty() {
            return Err(ApiError::not_found(format!("{account} publishes no endpoint")));
        }
        match Server::of_worker(name, &endpoint, &self.0.allowed) {
            Ok(Some(server)) => Ok(server),
            Ok(None) => Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "server_not_allowed",
                "the worker's endpoint is not among those that this gateway's operator allows",
            )),
            Err(error) => Err(error.into()),
        }
    }
}

impl From<OutsideError> for ApiError {
    fn from(error: OutsideError) -> Self {
        let message = error.to_string();
        let (status, code) = match error {
            OutsideError::Address { .. } | OutsideError::Forbidden { .. } => {
                (StatusCode::FORBIDDEN, "server_not_allowed")
            }
            OutsideError::Name { .. }
            | OutsideError::Unreachable { .. }
            | OutsideError::Redirect { .. } => (StatusCode::BAD_GATEWAY, "server_unreachable"),
        };
        Self::new(status, code, message)
    }
}

/// The routes.
pub fn routes<S>() -> OpenApiRouter<S>
where
    Chat: FromRef<S>,
    S: Clone + Send + Sync + 'static,
{
    OpenApiRouter::new()
        .routes(routes!(api::models))
        .routes(routes!(api::budget))
        .routes(routes!(relay::chat))
}
