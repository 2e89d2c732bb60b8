//! Pages in the form that is wanted, search, and what pages load.

use super::agents::{text, LINKS, MARKDOWN};
use super::html::{self, Around};
use super::negotiation::{wanted, Asked, Form, Origin};
use super::{Asset, Docs, HITS};
use crate::error::ApiError;
use crate::extract::Address;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{header, HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use openledger_docs::{Answer, Page, State as Outcome};
use serde_json::json;

/// As for the web app, but a form can be sent here without a script, and nothing is computed.
const POLICY: &str =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

fn html(status: StatusCode, page: String) -> Response {
    let mut response = text(status, "text/html; charset=utf-8", page);
    let policy = HeaderValue::from_static(POLICY);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// Says where the same page is as markdown.
fn with_twin(mut response: Response, page: &Page) -> Response {
    let twin = page.markdown_address();
    let links = format!("<{twin}>; rel=\"alternate\"; type=\"text/markdown\", {LINKS}");
    // Paths of pages are names of files; one that no header can hold is named by llms.txt.
    if let Ok(links) = HeaderValue::from_str(&links) {
        response.headers_mut().insert(header::LINK, links);
    }
    response
}

fn status_of(answer: &Answer) -> StatusCode {
    match answer.state {
        Outcome::TooLong => StatusCode::BAD_REQUEST,
        Outcome::Answered | Outcome::NotAnswered | Outcome::NoQuestion => StatusCode::OK,
    }
}

/// `GET /docs`, `/docs.md`, `/docs/<page>`, `/docs/<page>.md`, each with `?ask=&goal=`; pictures.
pub(super) async fn page(
    State(docs): State<Docs>,
    Origin(origin): Origin,
    address: Address,
    asked: Asked,
    decoded: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let whole = uri.path();
    // Letters may be written as `%66`. What is no UTF-8 then is the name of no page.
    let named = decoded.map_or_else(|_| whole.to_owned(), |Path(path)| format!("/docs/{path}"));
    let named = named.trim_end_matches('/');
    let rest = named.strip_prefix("/docs").unwrap_or(named);
    let (path, form) = match rest.strip_suffix(".md") {
        Some(path) => (path, Form::Markdown),
        None => (rest, wanted(&headers, &[Form::Html, Form::Markdown])),
    };
    let path = path.trim_start_matches('/');
    if let Some(file) = docs.book().file(path) {
        let media_type = HeaderValue::from_static(file.media_type);
        let kept = HeaderValue::from_static("no-cache");
        let carried = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, kept)];
        return Ok((carried, file.bytes.clone()).into_response());
    }
    if let Some(question) = asked.question {
        let answer = docs.answer(address, question, asked.goal).await?;
        let status = status_of(&answer);
        return Ok(match form {
            Form::Markdown => text(status, MARKDOWN, answer.to_markdown(&origin)),
            _ => html(status, html::answer(&docs, &answer)),
        });
    }
    let Some(page) = docs.book().page(path) else {
        return Ok(match form {
            Form::Markdown => text(StatusCode::OK, MARKDOWN, docs.book().not_found(whole, &origin)),
            _ => html(StatusCode::NOT_FOUND, html::not_found(&docs, whole)),
        });
    };
    // A page has one address: not that of its file, nor one with a stroke at its end or letters in another form.
    let own = match named.ends_with(".md") {
        true => page.markdown_address(),
        false => page.address(),
    };
    if whole != own {
        return Ok(Redirect::permanent(&own).into_response());
    }
    let response = match form {
        Form::Markdown => text(StatusCode::OK, MARKDOWN, page.for_agents(&origin)),
        _ => {
            let (before, after) = docs.book().around(page);
            html(StatusCode::OK, html::page(&docs, page, Around { before, after }, &origin))
        }
    };
    Ok(with_twin(response, page))
}

/// `GET /docs/search?q=`: a page, or with `Accept: application/json` what words lead to.
pub(super) async fn search(
    State(docs): State<Docs>,
    Origin(origin): Origin,
    asked: Asked,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let words = asked.words.unwrap_or_default();
    let most = openledger_docs::MAX_QUESTION;
    if words.chars().nth(most).is_some() {
        return Err(ApiError::field("q", format!("it has more than {most} characters")));
    }
    let form = wanted(&headers, &[Form::Html, Form::Markdown, Form::Json]);
    if form != Form::Html {
        let hits = docs.search(words.clone(), HITS).await?;
        if form == Form::Markdown {
            let lines = hits.iter().map(|hit| {
                format!("- [{}]({origin}{}): {}\n", hit.name(), hit.address(), hit.excerpt)
            });
            return Ok(text(StatusCode::OK, MARKDOWN, lines.collect()));
        }
        let items = hits.iter().map(|hit| {
            json!({
                "path": hit.path, "anchor": hit.anchor, "title": hit.title, "heading": hit.heading,
                "excerpt": hit.excerpt, "score": hit.score,
                "url": format!("{origin}{}", html::address_of(hit)),
            })
        });
        let items = json!({ "items": items.collect::<Vec<_>>(), "next": null });
        return Ok(text(StatusCode::OK, "application/json", items.to_string()));
    }
    let answer = docs.ask(words.clone(), None).await?;
    let hits = docs.search(words.clone(), HITS).await?;
    Ok(html(StatusCode::OK, html::found(&docs, &words, &answer, &hits)))
}

/// `GET /docs/assets/<name>`
pub(super) async fn asset(State(docs): State<Docs>, Path(name): Path<String>) -> Response {
    let assets = [&docs.0.style, &docs.0.script];
    let Some(Asset { media_type, text, .. }) = assets.into_iter().find(|asset| asset.name == name)
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let carried = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    (carried, *text).into_response()
}
