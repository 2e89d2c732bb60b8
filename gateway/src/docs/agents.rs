//! Indexes and texts for programs.

use super::negotiation::Origin;
use super::Docs;
use crate::error::ApiError;
use axum::extract::{Path, State};
use axum::http::{header, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

/// Where programs begin: on each answer of the documentation, and on the web app's pages. `llms-txt` and
/// `llms-full-txt` are the names that documentation sites use; the others are registered (RFC 9727, RFC 8631).
pub const LINKS: &str = "</llms.txt>; rel=\"llms-txt\"; type=\"text/markdown\", \
    </llms-full.txt>; rel=\"llms-full-txt\"; type=\"text/markdown\", \
    </.well-known/api-catalog>; rel=\"api-catalog\"; type=\"application/linkset+json\", \
    </openapi.json>; rel=\"service-desc\"; type=\"application/json\", \
    </docs>; rel=\"service-doc\"; type=\"text/html\"";

pub(super) const MARKDOWN: &str = "text/markdown; charset=utf-8";

/// A text with what every answer of the documentation carries.
pub(super) fn text(status: StatusCode, media_type: &'static str, text: String) -> Response {
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::LINK, HeaderValue::from_static(LINKS));
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(HeaderName::from_static("x-llms-txt"), HeaderValue::from_static("/llms.txt"));
    response
}

fn markdown(content: String) -> Response {
    text(StatusCode::OK, MARKDOWN, content)
}

/// `GET /llms.txt`
pub(super) async fn index(State(docs): State<Docs>, Origin(origin): Origin) -> Response {
    markdown(docs.book().index(&origin))
}

/// `GET /llms-full.txt`
pub(super) async fn whole(State(docs): State<Docs>, Origin(origin): Origin) -> Response {
    markdown(docs.book().whole(0, &origin).unwrap_or_default())
}

/// `GET /llms-full.txt/1`
pub(super) async fn batch(
    State(docs): State<Docs>,
    Origin(origin): Origin,
    Path(batch): Path<String>,
) -> Result<Response, ApiError> {
    let shown: String = batch.chars().take(20).collect();
    let number: usize = batch
        .parse()
        .map_err(|_| ApiError::field("batch", format!("{shown:?} is no number of a batch")))?;
    let missing =
        || ApiError::not_found(format!("there is no batch {number} of the documentation"));
    docs.book().whole(number, &origin).map(markdown).ok_or_else(missing)
}

/// `GET /skill.md`
pub(super) async fn skill(State(docs): State<Docs>, Origin(origin): Origin) -> Response {
    markdown(docs.book().skill(&origin))
}

/// `GET /.well-known/agent-skills/index.json`: the skills that this server offers (Agent Skills Discovery
/// 0.2.0).
pub(super) async fn skills(State(docs): State<Docs>, Origin(origin): Origin) -> Response {
    let skill = docs.book().skill(&origin);
    // The front matter is the skill's own description; both come from one place.
    let description = skill.lines().find_map(|line| line.strip_prefix("description: "));
    let index = serde_json::json!({
        "$schema": "https://schemas.agentskills.io/discovery/0.2.0/schema.json",
        "skills": [{
            "name": "openledger",
            "type": "skill-md",
            "description": description.unwrap_or(""),
            "url": "/.well-known/agent-skills/openledger/SKILL.md",
            "digest": format!("sha256:{}", hex::encode(Sha256::digest(skill.as_bytes()))),
        }],
    });
    text(StatusCode::OK, "application/json", index.to_string())
}

/// `GET /.well-known/api-catalog` (RFC 9727).
pub(super) async fn catalog(Origin(origin): Origin) -> Response {
    let catalog = serde_json::json!({
        "linkset": [{
            "anchor": format!("{origin}/v1"),
            "service-desc": [{"href": format!("{origin}/openapi.json"), "type": "application/json"}],
            "service-doc": [
                {"href": format!("{origin}/docs/reference/rest"), "type": "text/html"},
                {"href": format!("{origin}/docs/reference/rest.md"), "type": "text/markdown"},
            ],
            "status": [{"href": format!("{origin}/v1/status"), "type": "application/json"}],
        }],
    });
    const LINKSET: &str =
        "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"";
    text(StatusCode::OK, LINKSET, catalog.to_string())
}

/// `GET /sitemap.xml`
pub(super) async fn sitemap(State(docs): State<Docs>, Origin(origin): Origin) -> Response {
    text(StatusCode::OK, "application/xml; charset=utf-8", docs.book().sitemap(&origin))
}

/// `GET /robots.txt`
pub(super) async fn robots(Origin(origin): Origin) -> Response {
    text(StatusCode::OK, "text/plain; charset=utf-8", openledger_docs::robots(&origin))
}
