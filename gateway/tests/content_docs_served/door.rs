//! The documentation behind a listener.

// Shared by test programs, each of which uses a part.
#[allow(dead_code)]
#[path = "../common/http.rs"]
pub mod http;

use http::{ask, Answer};
use openledger_docs::Book;
use openledger_gateway::docs::{self, Docs};
use openledger_http::Limits;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The book behind a listener.
pub struct Door {
    pub docs: Docs,
    address: SocketAddr,
    _stop: watch::Sender<bool>,
}

impl Door {
    pub async fn open() -> Self {
        let docs = Docs::new(Book::embedded().unwrap());
        let router = docs::routes::<Docs>().with_state(docs.clone());
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
        let refusals = Arc::new(openledger_gateway::door::Door::default());
        tokio::spawn(openledger_http::accept(
            listener,
            router,
            Arc::new(limits),
            refusals,
            stopped,
        ));
        Self { docs, address, _stop: stop }
    }

    /// This server as clients name it.
    pub fn origin(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.get_as(path, "").await
    }

    /// With a header `Accept`, where it is not empty.
    pub async fn get_as(&self, path: &str, accept: &str) -> Answer {
        let headers = [("Accept", accept)];
        let headers = if accept.is_empty() { &[][..] } else { &headers[..] };
        ask(self.address, "GET", path, headers, &[]).await
    }

    pub async fn method(&self, method: &str, path: &str) -> Answer {
        ask(self.address, method, path, &[], &[]).await
    }
}

/// The body as text.
pub fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}
