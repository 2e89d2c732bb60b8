//! Sessions of clients that speak revisions of the protocol before 2026-07-28, which has none: a bounded number
//! of them, of one address too, each ended after a time without a message.

use crate::error::ApiError;
use crate::extract::Address;
use crate::places::{Place, Places};
use futures::Stream;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_server::session::local::{
    LocalSessionManager, LocalSessionManagerError,
};
use rmcp::transport::streamable_http_server::session::{
    ServerSseMessage, SessionId, SessionManager,
};
use std::cell::Cell;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Sessions at the same time, and those of one address.
pub const SESSIONS: usize = 512;
/// Sessions of one address.
pub const SESSIONS_OF_ADDRESS: usize = 16;
/// Time after which a session without a message ends.
pub const IDLE: Duration = Duration::from_secs(300);
/// Time that a client has to begin the session it opened.
const BEGIN: Duration = Duration::from_secs(20);

tokio::task_local! {
    /// The place of the session that the request at hand opens.
    static OPENING: Cell<Option<Place>>;
}

/// Answers a request that may open a session, which then has this place.
pub(super) async fn within<F: Future>(place: Option<Place>, answer: F) -> F::Output {
    OPENING.scope(Cell::new(place), answer).await
}

/// Keeps sessions in memory.
pub struct Sessions {
    local: LocalSessionManager,
    places: Places,
    taken: Mutex<HashMap<SessionId, Place>>,
}

impl Sessions {
    pub(super) fn new(idle: Duration) -> Self {
        let mut local = LocalSessionManager::default();
        local.session_config.keep_alive = Some(idle);
        local.session_config.init_timeout = Some(BEGIN);
        // Answers are not kept for who comes back for them: asking again is as cheap, and many of them for a
        // minute would be much memory.
        local.session_config.completed_cache_ttl = Duration::ZERO;
        Self {
            local,
            places: Places::new("MCP sessions", SESSIONS, SESSIONS_OF_ADDRESS),
            taken: Mutex::default(),
        }
    }

    /// A place for one more.
    pub(super) fn place(&self, address: Address) -> Result<Place, ApiError> {
        self.places.take(address)
    }

    /// How many there are.
    pub fn open(&self) -> usize {
        self.places.taken()
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<SessionId, Place>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All as in memory; a session has its place from its beginning to its end.
impl SessionManager for Sessions {
    type Error = LocalSessionManagerError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let (id, transport) = self.local.create_session().await?;
        if let Ok(Some(place)) = OPENING.try_with(Cell::take) {
            self.taken().insert(id.clone(), place);
        }
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        self.local.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        self.local.has_session(id).await
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.taken().remove(id);
        self.local.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.local.create_stream(id, message).await
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), Self::Error> {
        self.local.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.local.create_standalone_stream(id).await
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.local.resume(id, last_event_id).await
    }
}
