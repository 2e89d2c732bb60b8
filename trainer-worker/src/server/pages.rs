//! Lists in pages, as OpenAI's clients go through them.

use super::error::ApiError;
use super::json::Json;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde_json::{json, Value};
use std::collections::BTreeMap;

/// A name in a path.
pub(super) struct Id(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(error) => {
                let message = format!("the path cannot be read: {}", error.body_text());
                Err(ApiError::invalid("invalid_path", message))
            }
        }
    }
}

/// Which part of a list, by the address's query.
#[derive(Debug)]
pub(super) struct Page {
    fields: BTreeMap<String, String>,
}

impl<S: Sync> FromRequestParts<S> for Page {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or("");
        let fields = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Ok(Self { fields })
    }
}

impl Page {
    /// A field of the query.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// The part of a list of ids and entries: `usual` of them where no limit is given, `most` at most.
    pub(super) fn of(
        self,
        entries: Vec<(String, Value)>,
        usual: usize,
        most: usize,
    ) -> Result<Json<Value>, ApiError> {
        let limit = match self.field("limit") {
            None => usual,
            Some(text) => {
                let number = text.parse().ok().filter(|limit| (1..=most).contains(limit));
                let shown: String = text.chars().take(20).collect();
                let wrong =
                    || ApiError::field("limit", format!("limit is {shown}; it is 1 to {most}"));
                number.ok_or_else(wrong)?
            }
        };
        let start = match self.field("after") {
            None => 0,
            Some(after) => {
                let place = entries.iter().position(|(id, _)| id == after);
                let unknown =
                    || ApiError::field("after", "there is nothing of that id in the list");
                place.ok_or_else(unknown)? + 1
            }
        };
        let more = entries.len() > start + limit;
        let page: Vec<_> = entries.into_iter().skip(start).take(limit).collect();
        let (first, last) = (page.first().map(|p| p.0.clone()), page.last().map(|p| p.0.clone()));
        let data: Vec<Value> = page.into_iter().map(|(_, entry)| entry).collect();
        Ok(Json(json!({
            "object": "list",
            "data": data,
            "has_more": more,
            "first_id": first,
            "last_id": last,
        })))
    }
}
