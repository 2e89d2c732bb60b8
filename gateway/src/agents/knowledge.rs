//! Asking sources: in parallel, within bounds, and never anywhere that the operator did not name.

use super::cache::{Cache, Kept};
use super::document::OWN;
use super::excerpt::{cut, harmless, read, NamedPage, Read, Said};
use super::hosts::{markdown, KnowledgeHost, Page};
use super::prompt::Excerpt;
use crate::chat::outside::Outside;
use crate::error::ApiError;
use crate::uploads::database::now;
use async_trait::async_trait;
use axum::http::{header, HeaderMap, StatusCode};
use bytes::Bytes;
use futures::future::join_all;
use http_body_util::{BodyExt, Limited};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// Bytes of a source's answer.
pub const MAX_ANSWER: usize = 64 << 10;
/// Redirects that are followed.
pub const MAX_HOPS: usize = 3;
/// Bytes of a question as it is sent to sources.
pub const MAX_ASKED: usize = 500;
/// Bytes of a reason.
const MAX_REASON: usize = 300;

/// A question as sources get it: on one line, and cut where it is longer than 500 bytes.
pub fn asked(question: &str) -> String {
    let line = question.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&line, MAX_ASKED).0.trim_end().to_owned()
}

/// The gateway's own documentation.
#[async_trait]
pub trait OwnDocs: Send + Sync {
    /// The markdown that `?ask=` of this gateway answers, in its own words and with addresses that begin with
    /// `/docs`.
    ///
    /// # Errors
    ///
    /// 503 where too many ask.
    async fn ask(&self, question: &str, goal: Option<&str>) -> Result<String, ApiError>;
}

/// What became of asking a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It answered.
    Answered,
    /// It knows nothing about the question.
    Nothing,
    /// It could not be asked, or what came is no answer.
    Failed,
}

/// A source, and what it answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Consulted {
    /// What an answer cites it by: `[1]`. Null for one that did not answer.
    pub number: Option<u32>,
    /// As the instructions name it: `docs` for this gateway's own documentation.
    pub source: String,
    /// The page that was asked, without the question; of this gateway's own documentation a path.
    pub url: String,
    /// Whether it is another's.
    pub outside: bool,
    /// What became of it.
    pub state: State,
    /// Why there is no answer.
    pub reason: Option<String>,
    /// sha2-256 of the answer's bytes as they came, hexadecimal.
    pub answer: Option<String>,
    /// How many they are.
    pub bytes: Option<u64>,
    /// When they came, milliseconds since 1970; before the question where they were kept from an earlier one.
    pub fetched_at: Option<i64>,
    /// Whether the model was given only the beginning.
    pub cut: bool,
    /// Pages that the answer names as its sources, those on the source's own host.
    pub named: Vec<NamedPage>,
    /// Links that it named beside them and that are not shown.
    pub left_out: u32,
}

/// What sources answered.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// All that were asked, in their order.
    pub sources: Vec<Consulted>,
    /// What the model is given.
    pub excerpts: Vec<Excerpt>,
}

/// Asks sources.
pub(super) struct Asking {
    pub(super) outside: Outside,
    pub(super) hosts: Vec<KnowledgeHost>,
    pub(super) own: Option<Arc<dyn OwnDocs>>,
    pub(super) cache: Cache,
    /// Time for one source, redirects and all.
    pub(super) time: Duration,
    /// Bytes of excerpts for one answer.
    pub(super) bytes: usize,
}

/// A question as sources get it.
pub(super) struct Asked<'a> {
    pub(super) question: &'a str,
    pub(super) goal: Option<&'a str>,
}

impl Asked<'_> {
    fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("ask", self.question);
        if let Some(goal) = self.goal {
            query.append_pair("goal", goal);
        }
        query.finish()
    }
}

struct Came {
    /// The page that was asked.
    url: String,
    kept: Kept,
}

impl Asking {
    /// Asks all sources at the same time, and shares the room for excerpts among those that answer.
    pub(super) async fn ask(&self, sources: &[String], asked: &Asked<'_>) -> Knowledge {
        let answers = join_all(sources.iter().map(|source| self.one(source, asked))).await;
        let answered = answers.iter().filter(|(_, text)| text.is_some()).count();
        let share = self.bytes / answered.max(1);
        let mut knowledge = Knowledge::default();
        for (mut consulted, text) in answers {
            if let Some(text) = text {
                let number = u32::try_from(knowledge.excerpts.len()).unwrap_or(u32::MAX) + 1;
                let text = harmless(&text);
                let (text, is_cut) = cut(&text, share);
                let (url, text) = (consulted.url.clone(), text.to_owned());
                knowledge.excerpts.push(Excerpt { number, url, text, cut: is_cut });
                (consulted.number, consulted.cut) = (Some(number), is_cut);
            }
            knowledge.sources.push(consulted);
        }
        knowledge
    }

    async fn one(&self, source: &str, asked: &Asked<'_>) -> (Consulted, Option<String>) {
        let own = source == OWN;
        let mut consulted = Consulted {
            number: None,
            source: source.to_owned(),
            url: if own { "/docs".to_owned() } else { source.to_owned() },
            outside: !own,
            state: State::Failed,
            reason: None,
            answer: None,
            bytes: None,
            fetched_at: None,
            cut: false,
            named: Vec::new(),
            left_out: 0,
        };
        let came = match own {
            true => self.ask_own(asked).await,
            false => match tokio::time::timeout(self.time, self.fetch(source, asked)).await {
                Ok(came) => came,
                Err(_) => Err(format!("no answer within {} s", self.time.as_secs())),
            },
        };
        let came = match came {
            Ok(came) => came,
            Err(reason) => {
                consulted.reason = Some(cut(&reason, MAX_REASON).0.to_owned());
                return (consulted, None);
            }
        };
        let Came { url, kept: Kept { bytes, origin, at } } = came;
        consulted.url = url;
        consulted.answer = Some(hex::encode(Sha256::digest(&bytes)));
        consulted.bytes = Some(bytes.len() as u64);
        consulted.fetched_at = Some(at);
        let Ok(markdown) = std::str::from_utf8(&bytes) else {
            consulted.reason = Some("its answer is not UTF-8".to_owned());
            return (consulted, None);
        };
        match read(markdown, asked.question, &origin) {
            Said::Answer(Read { text, named, left_out }) => {
                consulted.state = State::Answered;
                (consulted.named, consulted.left_out) = (named, left_out);
                (consulted, Some(text))
            }
            Said::Nothing => {
                consulted.state = State::Nothing;
                consulted.reason = Some("it has no answer to this".to_owned());
                (consulted, None)
            }
            Said::Refused(reason) => {
                consulted.reason = Some(reason.to_owned());
                (consulted, None)
            }
        }
    }

    async fn ask_own(&self, asked: &Asked<'_>) -> Result<Came, String> {
        let own = self.own.as_ref().ok_or("this gateway has no documentation of its own")?;
        let answer = own.ask(asked.question, asked.goal).await;
        let bytes = Bytes::from(answer.map_err(|error| error.body().error.message)?);
        let kept = Kept { bytes, origin: String::new(), at: now() };
        Ok(Came { url: "/docs".to_owned(), kept })
    }

    /// Fetches a page's answer, following redirects to hosts that are allowed.
    async fn fetch(&self, source: &str, asked: &Asked<'_>) -> Result<Came, String> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let mut page = markdown(source, &self.hosts).map_err(|error| error.body().error.message)?;
        let url = format!("{}{}", page.origin(), page.path);
        page.path = format!("{}?{}", page.path, asked.query());
        let address = format!("{}{}", page.origin(), page.path);
        if let Some(kept) = self.cache.get(&address) {
            return Ok(Came { url, kept });
        }
        for _ in 0..=MAX_HOPS {
            let Page { target, trust, path } = &page;
            let answer =
                self.outside.page(target, *trust, path).await.map_err(|error| said(&error))?;
            let (head, body) = answer.response.into_parts();
            if head.status.is_redirection() {
                let location = head.headers.get(header::LOCATION);
                let location = location.and_then(|value| value.to_str().ok()).unwrap_or("");
                page = page.redirected(location, &self.hosts).map_err(|error| said(&error))?;
                continue;
            }
            if head.status != StatusCode::OK {
                return Err(format!("it answers with status {}", head.status.as_u16()));
            }
            check_head(&head.headers)?;
            let body = Limited::new(body, MAX_ANSWER).collect().await;
            let bytes = match body {
                Ok(body) => body.to_bytes(),
                Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                    return Err(format!("its answer has more than {MAX_ANSWER} bytes"));
                }
                Err(error) => return Err(format!("its answer broke off: {error}")),
            };
            let kept = Kept { bytes, origin: page.origin(), at: now() };
            self.cache.put(address, kept.clone());
            return Ok(Came { url, kept });
        }
        Err(format!("it redirects more than {MAX_HOPS} times"))
    }
}

/// Refuses what is no plain text as it came. Nothing is ever unpacked: what is small on the way can be
/// anything but small then.
fn check_head(headers: &HeaderMap) -> Result<(), String> {
    let shown = |name: header::HeaderName| {
        let value = headers.get(name)?.to_str().unwrap_or("unreadable");
        Some(value.trim().chars().take(60).collect::<String>())
    };
    if let Some(coding) = shown(header::CONTENT_ENCODING) {
        if !coding.eq_ignore_ascii_case("identity") {
            return Err(format!("its answer is packed ({coding}), though we asked for it plain"));
        }
    }
    let kind = shown(header::CONTENT_TYPE).unwrap_or_default();
    let bare = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    match bare.as_str() {
        "text/markdown" | "text/x-markdown" | "text/plain" => {}
        "" => return Err("its answer names no type; markdown is wanted".to_owned()),
        _ => return Err(format!("its answer is {bare}; markdown is wanted")),
    }
    match shown(header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok()) {
        Some(length) if length > MAX_ANSWER as u64 => {
            Err(format!("its answer has {length} bytes, {MAX_ANSWER} at most"))
        }
        _ => Ok(()),
    }
}
