//! `/server.json`: what registries of MCP servers list, with the address of this gateway.

use crate::docs::Origin;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{json, Value};

/// As it is in the repository, for any host.
const DESCRIPTION: &str = include_str!("../../server.json");

/// The description whose address is this gateway's.
pub fn description(base: &str) -> Value {
    let mut description: Value = serde_json::from_str(DESCRIPTION).unwrap_or_default();
    if let Some(fields) = description.as_object_mut() {
        let remote = json!({ "type": "streamable-http", "url": format!("{base}/mcp") });
        fields.insert("version".to_owned(), env!("CARGO_PKG_VERSION").into());
        fields.insert("websiteUrl".to_owned(), base.into());
        fields.insert("remotes".to_owned(), json!([remote]));
    }
    description
}

/// Answers it.
pub(super) async fn answer(Origin(base): Origin) -> impl IntoResponse {
    let body = description(&base).to_string();
    ([(header::CONTENT_TYPE, "application/json"), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")], body)
}
