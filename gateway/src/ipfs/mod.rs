//! Files that the chain names, for readers: trustless over HTTP as IPFS gateways give them, and flat for
//! review. Never as pages of this origin, and nothing that the chain does not name, but for what the gateway
//! publishes itself (instructions of agents).

pub mod api;
mod car;
pub mod files;

use crate::error::ApiError;
use crate::previews::api::not_fetched;
use crate::uploads::named::Named;
use crate::uploads::walk::Walk;
use crate::uploads::Uploads;
use axum::http::{header, HeaderName, HeaderValue};
use axum::response::Response;
use openledger_content::Limits;
use std::time::Duration;

/// Time for a block to come from a peer.
pub(crate) const BLOCK_TIME: Duration = Duration::from_secs(15);
/// Bytes of a file whose size the chain does not say (a tokenizer, a configuration), at most.
const UNSAID: u64 = 64 << 20;

impl Uploads {
    /// Makes room for a named file, and answers the limits within which it is read.
    pub(crate) async fn expect(&self, named: &Named) -> Result<Limits, ApiError> {
        let size = named.size.unwrap_or(UNSAID);
        let most = self.options().arguments.max_download;
        if size > most {
            return Err(ApiError::new(
                axum::http::StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                format!(
                    "{} has {size} bytes, and this gateway gives at most {most}; fetch it over IPFS",
                    named.content
                ),
            ));
        }
        if !self.blobs().keep(named.content).await? {
            self.check_disk(size).await?;
            let storage = self.options().arguments.storage;
            self.blobs().expect(named.content, named.sha256, size, storage).await?;
        }
        Ok(Limits::for_bytes(size))
    }

    /// Brings all blocks of a named file here, each noted, so that what was fetched can go again.
    pub(crate) async fn bring(&self, named: &Named, within: Duration) -> Result<(), ApiError> {
        let limits = self.expect(named).await?;
        let node = self.blobs().node().clone();
        let mut walk = Walk::new(node, named.content, limits);
        let bring = async {
            while let Some((id, _)) = walk.next(BLOCK_TIME).await.map_err(not_fetched)? {
                self.blobs().came(named.content, id).await?;
            }
            Ok(())
        };
        match tokio::time::timeout(within, bring).await {
            Ok(brought) => brought,
            Err(_) => Err(ApiError::new(
                axum::http::StatusCode::GATEWAY_TIMEOUT,
                "not_fetched",
                format!("{} did not come within {} s", named.content, within.as_secs()),
            )
            .after(30)),
        }
    }
}

/// What keeps a stranger's file from being anything but a file: a download of stated type, without origin.
pub(crate) fn harmless(response: &mut Response, media_type: &'static str, name: &str) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    let resource = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(resource, HeaderValue::from_static("same-origin"));
    // Names are made here, of digits and letters.
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
}
