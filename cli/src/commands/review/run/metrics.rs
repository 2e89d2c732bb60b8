//! `--metrics ADDRESS`: numbers for Prometheus.

use crate::error::{CliError, Result};
use axum::{
    http::{header, StatusCode},
    routing, Router,
};
use openledger_http::{Limits, Policy};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch};

/// What a server of one page needs.
const LIMITS: Limits = Limits {
    connections: 16,
    of_address: 8,
    headers: 64,
    header_time: Duration::from_secs(10),
    write_time: Duration::from_secs(10),
};

struct Unreadable;

impl Policy for Unreadable {
    fn refusal(&self, status: StatusCode) -> String {
        serde_json::json!({ "error": status.canonical_reason() }).to_string()
    }
}

/// Serves what `text` says until the answer is dropped. Answers where.
pub(crate) async fn serve(
    address: SocketAddr,
    text: impl Fn() -> String + Clone + Send + Sync + 'static,
) -> Result<(SocketAddr, watch::Sender<bool>)> {
    let failed = |error: std::io::Error| {
        CliError::failed(format!("--metrics {address} cannot be served: {error}"))
            .next("name a free port of this machine")
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let answer = move || {
        let text = text();
        let kind = "text/plain; version=0.0.4; charset=utf-8";
        async move { ([(header::CONTENT_TYPE, kind)], text) }
    };
    let router = Router::new().route("/metrics", routing::get(answer));
    let (stop, stopped) = watch::channel(false);
    let accept =
        openledger_http::accept(listener, router, Arc::new(LIMITS), Arc::new(Unreadable), stopped);
    tokio::spawn(accept);
    Ok((address, stop))
}
