//! What handlers share.

use crate::agents::Agents;
use crate::chat::Chat;
use crate::docs::Docs;
use crate::index::Index;
use crate::live::Live;
use crate::mcp::Mcp;
use crate::node::About;
use crate::places::Places;
use crate::proxies::Proxies;
use crate::uploads::Uploads;
use crate::web::Web;
use axum::extract::FromRef;
use openledger_client::Client;
use std::sync::Arc;

/// What handlers share.
pub struct App {
    /// The node whose chain is shown.
    pub client: Client,
    /// That chain.
    pub about: About,
    /// The index of its history.
    pub index: Index,
    /// The web app.
    pub web: Web,
    /// The documentation.
    pub docs: Docs,
    /// Uploads, files, faucet and sealed keys.
    pub uploads: Uploads,
    /// WebSockets to the node that are open.
    pub relays: Places,
    /// What workers tell of trainings.
    pub live: Live,
    /// Questions to servers of answers.
    pub chat: Chat,
    /// Tools for agents.
    pub mcp: Mcp,
    /// Reverse proxies that are believed.
    pub proxies: Proxies,
    /// Names by which browsers may reach this server, beside those of this machine.
    pub hosts: Vec<String>,
    /// Origins of other web pages that may ask.
    pub origins: Vec<String>,
}

/// The state of every route.
pub type Shared = Arc<App>;

impl FromRef<Shared> for Index {
    fn from_ref(app: &Shared) -> Self {
        app.index.clone()
    }
}

impl FromRef<Shared> for Live {
    fn from_ref(app: &Shared) -> Self {
        app.live.clone()
    }
}

impl FromRef<Shared> for Chat {
    fn from_ref(app: &Shared) -> Self {
        app.chat.clone()
    }
}

impl FromRef<Shared> for Agents {
    fn from_ref(app: &Shared) -> Self {
        app.chat.agents().clone()
    }
}

impl FromRef<Shared> for Docs {
    fn from_ref(app: &Shared) -> Self {
        app.docs.clone()
    }
}

impl FromRef<Shared> for Mcp {
    fn from_ref(app: &Shared) -> Self {
        app.mcp.clone()
    }
}
