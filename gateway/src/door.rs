//! What is said to clients whose requests cannot be read, and which hosts this gateway is.

use crate::error::ApiError;
use crate::proxies::Proxies;
use axum::http::StatusCode;
use openledger_http::{head, Policy};
use std::net::IpAddr;

/// The gateway at its door: whose connections are one client's, and what those are told that are not let in.
#[derive(Clone, Debug, Default)]
pub struct Door(pub Proxies);

impl Policy for Door {
    fn refusal(&self, status: StatusCode) -> String {
        let (code, message) = match status {
            StatusCode::URI_TOO_LONG => ("address_too_long", "the address is longer than is read"),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => (
                "headers_too_large",
                "there may be 64 headers, of 64 KiB with the address together",
            ),
            StatusCode::TOO_MANY_REQUESTS => (
                "too_many",
                "your network address has as many connections open as it may; close one",
            ),
            _ => ("invalid_request", "the request is not HTTP/1.1 as RFC 9112 has it"),
        };
        let body = ApiError::new(status, code, message).body();
        serde_json::to_string(&body).unwrap_or_default()
    }

    fn is_proxy(&self, address: IpAddr) -> bool {
        self.0.is_trusted(address)
    }
}

/// Whether a host, with or without a port, is this machine or one of those that the operator named.
pub(crate) fn is_ours(hosts: &[String], host: &str) -> bool {
    let Some(name) = head::name_of(host) else { return false };
    head::is_local(name) || hosts.iter().any(|ours| ours.eq_ignore_ascii_case(name))
}
