//! An index of a made-up chain, behind real connections.

// Shared by test programs, each of which uses a part.
#[allow(dead_code)]
#[path = "../common/http.rs"]
pub mod http;

use http::{ask, Answer};
use openledger_client::blocks::Block;
use openledger_gateway::api;
use openledger_gateway::door::Door;
use openledger_gateway::index::{source::Planted, sqlite::Sqlite, Index};
use openledger_gateway::node::Pulse;
use openledger_http::Limits;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// An index behind a listener.
pub struct Served {
    pub index: Index,
    pub address: SocketAddr,
    _stop: watch::Sender<bool>,
}

/// The state of the routes.
#[derive(Clone)]
struct Only(Index);

impl axum::extract::FromRef<Only> for Index {
    fn from_ref(only: &Only) -> Self {
        only.0.clone()
    }
}

impl Served {
    /// Serves the database in a folder; it may be empty.
    pub async fn start(folder: &Path) -> Self {
        Self::beside(folder, Pulse::none()).await
    }

    /// The same beside a node.
    pub async fn beside(folder: &Path, pulse: Pulse) -> Self {
        let storage = Sqlite::open(&folder.join("index.sqlite")).unwrap();
        let index = Index::new(Arc::new(storage), None, pulse).unwrap();
        let (router, _) = api::routes::<Only>().split_for_parts();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let limits = Limits {
            connections: 50,
            of_address: 50,
            headers: 32,
            header_time: Duration::from_secs(5),
            write_time: Duration::from_secs(5),
        };
        let (stop, stopped) = watch::channel(false);
        let router = router.with_state(Only(index.clone()));
        let door = Arc::new(Door::default());
        tokio::spawn(openledger_http::accept(listener, router, Arc::new(limits), door, stopped));
        Self { index, address, _stop: stop }
    }

    /// Writes what the chain has more than the index.
    pub async fn index(&self, blocks: &[Block]) {
        self.index.catch_up(&Planted(blocks.to_vec())).await.unwrap();
    }

    /// An answer.
    pub async fn ask(&self, path: &str) -> Answer {
        ask(self.address, "GET", path, &[], &[]).await
    }

    /// The body of a success.
    pub async fn get(&self, path: &str) -> Value {
        self.ask(path).await.ok()
    }

    /// All entries of a list, page by page.
    pub async fn all(&self, path: &str, limit: u32) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{joint}limit={limit}{cursor}")).await;
            let found = page["items"].as_array().unwrap().clone();
            assert!(found.len() <= limit as usize);
            items.extend(found);
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }
}
