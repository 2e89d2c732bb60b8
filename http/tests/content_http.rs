//! Connections within their limits, whoever holds them.

#[path = "content_http/common.rs"]
mod common;
#[path = "content_http/connections.rs"]
mod connections;
#[path = "content_http/heads.rs"]
mod heads;
