//! Uploads: files come in, are checked, and are served by the gateway's IPFS node.
//!
//! # The life of an upload
//!
//! 1. The account opens a session ([`crate::sessions`]) and announces hash and size. Nothing is read
//!    before the claim stands: registered contributors only, within what the chain's quota leaves beside
//!    what the account has uploaded and not submitted.
//! 2. Bytes go to disk as they come and are hashed on the way. A connection that breaks leaves what came;
//!    the next request continues it.
//! 3. When all are there, sha256 must be the announced one; blocks and content id are computed here. From
//!    then on the IPFS node serves the file.
//! 4. The submission on chain takes the place of the claim. A file that no submission names is dropped
//!    after a day, and one that was refused or withdrawn a day after the chain forgot it.
//!
//! Accounts that sign no text (Ledgers, multisigs, proxies) submit first: the bytes of a pending
//! submission are taken from anybody, in one piece.

pub mod api;
pub mod blobs;
pub mod database;
pub mod named;
pub mod options;
pub mod origin;
pub mod published;
pub(crate) mod receive;
pub mod staging;
mod sweep;
pub mod walk;

use crate::app::App;
use crate::error::ApiError;
use crate::extract::Bearer;
use crate::faucet::Faucet;
use crate::likeness::{Compared, Likenesses};
use crate::previews::Previews;
use crate::sessions::{Session, Sessions};
use axum::extract::FromRef;
use axum::http::StatusCode;
use blobs::Blobs;
use database::Database;
use named::{Chain, Named};
use openledger_client::AccountId;
use openledger_content::{IpfsNode, NodeConfig};
use openledger_http::Budget;
use openledger_primitives::{api::QuotaStatus, FileHash};
use options::Options;
use receive::Places;
use staging::Staging;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Bytes of files that are in memory at the same time.
const MEMORY: usize = 128 << 20;
/// Time that the node has for an answer.
const NODE_TIME: Duration = Duration::from_secs(10);

/// What the handlers of uploads, files, faucet and vault share.
#[derive(Clone)]
pub struct Uploads(Arc<Inner>);

struct Inner {
    options: Options,
    chain: Arc<dyn Chain>,
    database: Database,
    sessions: Sessions,
    staging: Staging,
    blobs: Blobs,
    budget: Arc<Budget>,
    places: Places,
    decoders: Arc<Semaphore>,
    faucet: Option<Faucet>,
    previews: Previews,
    likenesses: Likenesses,
    /// Held while a claim is weighed against chain and claims.
    admitting: Mutex<()>,
}

impl FromRef<Arc<App>> for Uploads {
    fn from_ref(app: &Arc<App>) -> Self {
        app.uploads.clone()
    }
}

/// Why uploads did not start.
#[derive(Debug, thiserror::Error)]
pub enum UploadsError {
    /// A file or folder cannot be used.
    #[error("{what} cannot be used: {cause}")]
    File {
        /// Which.
        what: String,
        /// Why not.
        cause: std::io::Error,
    },
    /// The database cannot be used.
    #[error("the database of uploads cannot be used: {0}")]
    Database(#[from] rusqlite::Error),
    /// The database of likenesses cannot be used.
    #[error(transparent)]
    Likenesses(#[from] openledger_reviewer::Error),
    /// The IPFS node does not start.
    #[error("the gateway's IPFS node does not start: {0}")]
    Ipfs(#[from] openledger_content::Error),
    /// The system has no randomness.
    #[error("the system gives no randomness")]
    Randomness,
}

/// Bytes of a folder's disk that are free.
fn free(folder: &std::path::Path) -> std::io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

impl Uploads {
    /// Opens what is kept, and starts the IPFS node and what drops files that nobody names.
    ///
    /// # Errors
    ///
    /// [`UploadsError`].
    pub async fn start(
        options: Options,
        chain: Arc<dyn Chain>,
        genesis: [u8; 32],
        faucet: Option<Faucet>,
    ) -> Result<Self, UploadsError> {
        let directory = options.directory.clone();
        let folder = |cause| UploadsError::File { what: directory.display().to_string(), cause };
        std::fs::create_dir_all(&directory).map_err(folder)?;
        let (free, wanted) = (free(&directory).map_err(folder)?, &options.arguments);
        if free < wanted.storage.saturating_add(wanted.reserve) {
            let (storage, reserve) = (wanted.storage, wanted.reserve);
            tracing::warn!(
                free,
                storage,
                reserve,
                "the disk has less free than --storage and --reserve take"
            );
        }
        let database = Database::open(&directory.join("uploads.sqlite"))?;
        let staging =
            Staging::open(database.clone(), &directory.join("incoming")).map_err(folder)?;
        staging.sweep_unsigned().map_err(folder)?;
        let config = NodeConfig::new(directory.join("ipfs"))
            .listening(options.arguments.ipfs_listen.iter().cloned())
            .with_peers(options.arguments.ipfs_peers.iter().cloned());
        let node = IpfsNode::start(config).await?;
        let sessions = Sessions::new(database.clone(), genesis, options.challenge, options.session)
            .map_err(|_| UploadsError::Randomness)?;
        let uploads = Self(Arc::new(Inner {
            chain,
            sessions,
            staging,
            blobs: Blobs::new(database.clone(), node),
            database,
            budget: Budget::new(MEMORY),
            places: Places::new(
                options.arguments.max_uploads as usize,
                options.arguments.max_uploads_per_address as usize,
            ),
            decoders: Arc::new(Semaphore::new(options.arguments.max_decoders as usize)),
            faucet,
            previews: Previews::default(),
            likenesses: Likenesses::open(&directory.join("likeness.sqlite"))?,
            admitting: Mutex::new(()),
            options,
        }));
        sweep::start(&uploads);
        Ok(uploads)
    }

    /// What the operator set.
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// Sessions.
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// Complete files.
    pub fn blobs(&self) -> &Blobs {
        &self.0.blobs
    }

    /// Previews that were made lately.
    pub(crate) fn previews(&self) -> &Previews {
        &self.0.previews
    }

    /// What files are compared by.
    pub(crate) fn likenesses(&self) -> &Likenesses {
        &self.0.likenesses
    }

    /// The faucet, where there is one.
    pub fn faucet(&self) -> Option<&Faucet> {
        self.0.faucet.as_ref()
    }

    /// What outlives the process.
    pub fn database(&self) -> &Database {
        &self.0.database
    }

    /// Refuses a file for which there is no room on the disk: it lies there twice while it is stored, and what
    /// databases grow by stays free.
    pub(crate) async fn check_disk(&self, size: u64) -> Result<(), ApiError> {
        let Options { directory, arguments, .. } = self.options();
        let (folder, reserve) = (directory.clone(), arguments.reserve);
        let asked = tokio::task::spawn_blocking(move || free(&folder)).await;
        let failed =
            |error: &dyn std::fmt::Display| ApiError::internal("looking at the disk", error);
        let free = asked.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
        if free >= reserve.saturating_add(size.saturating_mul(2)) {
            return Ok(());
        }
        tracing::warn!(free, reserve, size, "a file was refused: the disk is nearly full");
        Err(ApiError::disk_full())
    }

    /// Memory for files.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.0.budget
    }

    /// Places for those who send and read.
    pub(crate) fn places(&self) -> &Places {
        &self.0.places
    }

    /// Decoders that may run at the same time.
    pub(crate) fn decoders(&self) -> &Arc<Semaphore> {
        &self.0.decoders
    }

    /// An answer of the node, or 503 where it takes too long.
    async fn ask<T>(
        &self,
        answer: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        match tokio::time::timeout(NODE_TIME, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(ApiError::unavailable(
                5,
                format!("the chain's node did not answer within {} s", NODE_TIME.as_secs()),
            )),
        }
    }

    /// The submission of a file.
    ///
    /// # Errors
    ///
    /// 503.
    pub async fn file(&self, sha256: FileHash) -> Result<Option<Named>, ApiError> {
        self.ask(self.0.chain.file(sha256)).await
    }

    /// A submission with those before it that it may be a copy of.
    ///
    /// # Errors
    ///
    /// 503.
    pub(crate) async fn compared(&self, submission: u64) -> Result<Option<Compared>, ApiError> {
        self.ask(self.0.chain.compared(submission)).await
    }

    /// The file of a content id that the chain names, or that is published here.
    ///
    /// # Errors
    ///
    /// 503.
    pub async fn content(
        &self,
        content: openledger_primitives::ContentId,
    ) -> Result<Option<Named>, ApiError> {
        match self.published(content).await? {
            Some(named) => Ok(Some(named)),
            None => self.ask(self.0.chain.content(content)).await,
        }
    }

    /// The quota of a registered contributor.
    ///
    /// # Errors
    ///
    /// 403 for others, 503.
    pub async fn require_contributor(&self, account: AccountId) -> Result<QuotaStatus, ApiError> {
        let quota = self.ask(self.0.chain.quota(account)).await?;
        if quota.registered {
            return Ok(quota);
        }
        Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "not_registered",
            format!("{account} is no contributor; register it first, or have somebody sponsor it"),
        ))
    }

    /// The session of a request, where it names one.
    ///
    /// # Errors
    ///
    /// 401.
    pub async fn session(&self, bearer: &Bearer) -> Result<Option<Session>, ApiError> {
        match &bearer.0 {
            Some(token) => self.sessions().of(token).await.map(Some),
            None => Ok(None),
        }
    }

    /// Closes connections of the IPFS node and lets go of its key.
    pub async fn stop(&self) {
        self.0.blobs.node().shutdown().await;
    }
}

/// Routes of uploads and of what belongs to them.
pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S>
where
    Uploads: FromRef<S>,
{
    use crate::{faucet, ipfs, likeness, previews, sessions, uploads, vault};
    OpenApiRouter::new()
        .routes(routes!(sessions::api::challenge))
        .routes(routes!(sessions::api::open, sessions::api::revoke))
        .routes(routes!(uploads::api::state, uploads::api::put, uploads::api::remove))
        .routes(routes!(previews::api::preview))
        .routes(routes!(likeness::api::nearest))
        .routes(routes!(ipfs::api::content))
        .routes(routes!(ipfs::files::file))
        .routes(routes!(ipfs::files::picture))
        .routes(routes!(faucet::api::give))
        .routes(routes!(vault::read, vault::write, vault::remove))
}
