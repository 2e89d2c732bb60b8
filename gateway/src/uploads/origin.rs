//! Which page asks.

use crate::door::is_ours;
use crate::error::ApiError;
use axum::http::{header, HeaderMap, StatusCode, Uri};
use openledger_http::head::host_of;

/// The origin that a text to sign names: what the browser says, where it is this gateway's own or one of
/// those that may ask; without a browser, this gateway's.
///
/// # Errors
///
/// 403 for another origin.
pub fn of(
    hosts: &[String],
    origins: &[String],
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<String, ApiError> {
    let own = host_of(uri, headers);
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(format!("http://{own}")) };
    let origin = origin.to_str().unwrap_or("");
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    let ours = host.is_some_and(|host| host.eq_ignore_ascii_case(own) && is_ours(hosts, host));
    if ours || origins.iter().any(|allowed| allowed == origin) {
        return Ok(origin.to_owned());
    }
    let shown: String = origin.chars().take(100).collect();
    Err(ApiError::new(
        StatusCode::FORBIDDEN,
        "origin_not_allowed",
        format!(
            "the page's origin {shown:?} is not allowed; the operator can allow it with --origin"
        ),
    ))
}
