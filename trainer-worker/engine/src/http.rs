//! The HTTP client of MLflow and of the model hub: bounded in time and size, with the system's
//! extra certificates and proxies.

use crate::error::{read_bounded, Error, Result};
use std::path::Path;
use std::time::Duration;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};
use ureq::Agent;

/// Largest certificate bundle that is read, in bytes.
const MAX_BUNDLE: u64 = 16 << 20;
/// Longest answer that is kept in memory, in bytes.
pub(crate) const MAX_ANSWER: u64 = 16 << 20;

/// A client. `whole` bounds a call from start to end; without it only each wait is bounded, for
/// long downloads. Status codes are no errors: the caller looks at them.
///
/// Trusts Mozilla's certificates, or those of the file named by `SSL_CERT_FILE`; takes proxies from
/// `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`. A redirect to another host is followed
/// without the authorisation.
pub(crate) fn agent(whole: Option<Duration>) -> Result<Agent> {
    let mut tls = TlsConfig::builder();
    if let Some(path) = std::env::var_os("SSL_CERT_FILE").filter(|p| !p.is_empty()) {
        let path = Path::new(&path);
        let bytes = read_bounded(path, MAX_BUNDLE)?;
        let certificates: Vec<Certificate<'static>> = ureq::tls::parse_pem(&bytes)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if certificates.is_empty() {
            return Err(Error::Http {
                url: path.display().to_string(),
                reason: "SSL_CERT_FILE names a file without certificates; unset it or name a PEM \
                         bundle"
                    .to_owned(),
                retry: false,
            });
        }
        tls = tls.root_certs(RootCerts::new_with_certs(&certificates));
    }
    let wait = Some(Duration::from_secs(30));
    let config = Agent::config_builder()
        .tls_config(tls.build())
        .http_status_as_error(false)
        .user_agent(concat!("openledger-trainer-worker/", env!("CARGO_PKG_VERSION")))
        .timeout_global(whole)
        .timeout_connect(wait.map(|w| w.min(whole.unwrap_or(w))))
        .timeout_recv_response(wait)
        .timeout_per_read(wait)
        .build();
    Ok(config.into())
}

/// An error of a call, worth another try.
pub(crate) fn failed(url: &str, error: &ureq::Error) -> Error {
    Error::Http { url: without_secrets(url), reason: error.to_string(), retry: true }
}

/// An address without user, password and query, for messages.
pub(crate) fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_once('/').map_or((rest, ""), |(a, p)| (a, p));
            let host = authority.rsplit('@').next().unwrap_or(authority);
            let slash = if rest.contains('/') { "/" } else { "" };
            format!("{scheme}://{host}{slash}{path}")
        }
        None => url.to_owned(),
    }
}
