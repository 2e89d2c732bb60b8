//! What a request asks for: which address it came to, which form it wants, and what it asks.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{header, HeaderMap};
use openledger_http::head::host_of;
use std::convert::Infallible;

/// This server as the client names it: `https://data.example.org`. The guard sets it from a host that it has
/// checked; without a guard (tests) the host is taken as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let checked = parts.extensions.get::<Self>().cloned();
        let named = || Self(format!("http://{}", host_of(&parts.uri, &parts.headers)));
        Ok(checked.unwrap_or_else(named))
    }
}

/// What an address asks: `?ask=&goal=&q=`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) question: Option<String>,
    pub(super) goal: Option<String>,
    pub(super) words: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let mut asked = Self::default();
        for (key, value) in form_urlencoded::parse(parts.uri.query().unwrap_or("").as_bytes()) {
            match &*key {
                "ask" => asked.question = Some(value.into_owned()),
                "goal" => asked.goal = Some(value.into_owned()),
                "q" => asked.words = Some(value.into_owned()),
                // Addresses are passed on with marks of their own; a page is the same with them.
                _ => {}
            }
        }
        Ok(asked)
    }
}

/// A form that a page has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Html,
    Markdown,
    Json,
}

/// Which of some forms a client wants most (RFC 9110, 12.5.1); of ones that it wants alike, that which it
/// names, and then the first.
pub(super) fn wanted(headers: &HeaderMap, forms: &[Form]) -> Form {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let accepted: Vec<(String, f32)> = lines.flat_map(|line| line.split(',')).map(range).collect();
    let weight = |form: Form| {
        let names: &[&str] = match form {
            Form::Html => &["text/html", "application/xhtml+xml"],
            // Who reads plain text and no HTML reads markdown.
            Form::Markdown => &["text/markdown", "text/x-markdown", "text/plain"],
            Form::Json => &["application/json"],
        };
        let named = accepted.iter().filter(|(range, _)| names.contains(&range.as_str()));
        let named = named
            .map(|(_, q)| *q)
            .fold(None, |most: Option<f32>, q| Some(most.map_or(q, |most| most.max(q))));
        let any = |range: &str| accepted.iter().find(|(other, _)| other == range).map(|(_, q)| *q);
        let family =
            names.first().and_then(|name| name.split_once('/')).map_or("", |(kind, _)| kind);
        let some = any(&format!("{family}/*")).or_else(|| any("*/*"));
        (named.or(some).unwrap_or(0.0), named.is_some())
    };
    let first = forms.first().copied().unwrap_or(Form::Html);
    forms.iter().copied().fold(first, |best, form| {
        let ((most, named), (q, is_named)) = (weight(best), weight(form));
        if q > most || (q > 0.0 && q >= most && is_named && !named) {
            form
        } else {
            best
        }
    })
}

/// `text/html;q=0.8`
fn range(text: &str) -> (String, f32) {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or("").to_ascii_lowercase();
    let q = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let q = q.and_then(|q| q.parse::<f32>().ok()).filter(|q| (0.0..=1.0).contains(q));
    (name, q.unwrap_or(1.0))
}
