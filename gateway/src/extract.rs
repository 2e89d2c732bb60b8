//! What handlers read of a request, with limits, and with errors in the shape of the API.

use crate::error::ApiError;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{header, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use openledger_http::Peer;
use serde::de::DeserializeOwned;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// Bytes of a JSON body, at most.
const MAX_JSON: usize = 16 << 10;
/// Time for a small body to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// The query of an address.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|query| Self(query.0))
            .map_err(|error| ApiError::field("query", error.body_text()))
    }
}

/// The parts of an address that a route names.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|path| Self(path.0))
            .map_err(|error| ApiError::field("path", error.body_text()))
    }
}

/// A small JSON body, whatever its content type says.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let bytes = small(request.into_body(), MAX_JSON).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            ApiError::field("body", format!("the body is not as described: {error}"))
        })
    }
}

/// Reads a body of at most `limit` bytes that arrives within ten seconds.
///
/// # Errors
///
/// 413, 408, and 400 for a connection that breaks.
pub async fn small(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let collected = tokio::time::timeout(BODY_TIME, Limited::new(body, limit).collect()).await;
    match collected {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("the body has more than {limit} bytes"),
        )),
        Ok(Err(error)) => Err(ApiError::field("body", format!("the body broke off: {error}"))),
        Err(_) => Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "too_slow",
            format!("the body did not arrive within {} s", BODY_TIME.as_secs()),
        )),
    }
}

/// Who asks, as limits count: an IPv4 address, or the half of an IPv6 address that a network owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address(pub IpAddr);

impl Address {
    /// The address that is counted for one.
    pub fn of(address: IpAddr) -> Self {
        Self(openledger_http::network_of(address))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Address {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        // A reverse proxy may have said it; every connection of ours has a peer.
        let said = parts.extensions.get::<Self>().copied();
        let peer = || parts.extensions.get::<Peer>().map(|peer| Self::of(peer.0.ip()));
        Ok(said.or_else(peer).unwrap_or(Self(IpAddr::V6(Ipv6Addr::UNSPECIFIED))))
    }
}

/// The token of `Authorization: Bearer`, where there is one. Never a cookie: another page could have the
/// browser send it.
#[derive(Clone, Debug)]
pub struct Bearer(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Bearer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(header) = parts.headers.get(header::AUTHORIZATION) else { return Ok(Self(None)) };
        let token = header.to_str().ok().and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
        });
        match token {
            Some(token) if !token.is_empty() && token.len() <= 128 => Ok(Self(Some(token))),
            _ => Err(ApiError::new(
                StatusCode::UNAUTHORIZED,
                "bad_token",
                "the header Authorization is `Bearer` and the token of a session",
            )),
        }
    }
}
