//! The documentation: pages for people, and by GitBook's contract for agents (docs/serving-docs.md).
//!
//! The book, its search and its answers are `openledger-docs`; here is what HTTP adds.

mod agents;
mod html;
mod negotiation;
mod pages;

use crate::agents::knowledge::OwnDocs;
use crate::error::ApiError;
use crate::extract::Address;
use async_trait::async_trait;
use axum::extract::FromRef;
use axum::routing::get;
use axum::Router;
use openledger_docs::{Answer, Book, Hit, Passage};
use sha2::{Digest, Sha256};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;

pub use agents::LINKS;
pub use negotiation::Origin;

/// Searches and answers at the same time: they compute, and wait for nothing.
const AT_ONCE: usize = 4;
/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(3);
/// Hits of a search.
const HITS: usize = 12;

/// Has answers written from passages of the book.
#[async_trait]
pub trait Writer: Send + Sync {
    /// An answer that cites them by their numbers, from 1; nothing where it comes to nothing.
    async fn write(&self, asker: Address, question: &str, passages: &[Passage]) -> Option<String>;
}

/// The documentation that is served.
#[derive(Clone)]
pub struct Docs(Arc<Served>);

struct Served {
    book: Book,
    writer: OnceLock<Arc<dyn Writer>>,
    turns: Semaphore,
    style: Asset,
    script: Asset,
}

/// A file that pages load, under a name that says what it holds.
struct Asset {
    name: String,
    media_type: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(ending: &str, media_type: &'static str, text: &'static str) -> Self {
        let hash = hex::encode(Sha256::digest(text));
        let hash = hash.get(..12).unwrap_or("");
        Self { name: format!("docs-{hash}.{ending}"), media_type, text }
    }

    fn address(&self) -> String {
        format!("/docs/assets/{}", self.name)
    }
}

impl Docs {
    /// Serves a book.
    pub fn new(book: Book) -> Self {
        let style = Asset::new("css", "text/css; charset=utf-8", include_str!("docs.css"));
        let script = Asset::new("js", "text/javascript; charset=utf-8", include_str!("docs.js"));
        let (writer, turns) = (OnceLock::new(), Semaphore::new(AT_ONCE));
        Self(Arc::new(Served { book, writer, turns, style, script }))
    }

    /// The book.
    pub fn book(&self) -> &Book {
        &self.0.book
    }

    /// Has answers written from now on; the first one who says so stays.
    pub fn written_by(&self, writer: Arc<dyn Writer>) {
        let _ = self.0.writer.set(writer);
    }

    /// An answer for somebody who asks, written where there is a writer.
    ///
    /// # Errors
    /// 503 where too many ask.
    pub async fn answer(
        &self,
        asker: Address,
        question: String,
        goal: Option<String>,
    ) -> Result<Answer, ApiError> {
        let mut answer = self.ask(question, goal).await?;
        if let Some(writer) = self.0.writer.get() {
            answer.written = writer.write(asker, &answer.question, &answer.paragraphs).await;
        }
        Ok(answer)
    }

    /// An answer in the book's own words, in its turn.
    ///
    /// # Errors
    /// 503 where too many ask.
    pub async fn ask(&self, question: String, goal: Option<String>) -> Result<Answer, ApiError> {
        self.compute(move |book| book.ask(&question, goal.as_deref())).await
    }

    /// What words lead to, in its turn.
    ///
    /// # Errors
    /// 503 where too many ask.
    pub async fn search(&self, words: String, limit: usize) -> Result<Vec<Hit>, ApiError> {
        self.compute(move |book| book.search(&words, limit)).await
    }

    async fn compute<T: Send + 'static>(
        &self,
        what: impl FnOnce(&Book) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let turn = tokio::time::timeout(PATIENCE, self.0.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(ApiError::unavailable(1, "too many search the documentation; try again"));
        };
        let docs = self.clone();
        tokio::task::spawn_blocking(move || what(docs.book()))
            .await
            .map_err(|error| ApiError::internal("searching the documentation", &error))
    }
}

#[async_trait]
impl OwnDocs for Docs {
    async fn ask(&self, question: &str, goal: Option<&str>) -> Result<String, ApiError> {
        let answer = Docs::ask(self, question.to_owned(), goal.map(str::to_owned)).await?;
        Ok(answer.to_markdown(""))
    }
}

/// Routes of the documentation.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S>
where
    Docs: FromRef<S>,
{
    Router::new()
        .route("/docs", get(pages::page))
        .route("/docs.md", get(pages::page))
        .route("/docs/", get(pages::page))
        .route("/docs/{*path}", get(pages::page))
        .route("/docs/search", get(pages::search))
        .route("/docs/assets/{name}", get(pages::asset))
        .route("/llms.txt", get(agents::index))
        .route("/docs/llms.txt", get(agents::index))
        .route("/llms-full.txt", get(agents::whole))
        .route("/docs/llms-full.txt", get(agents::whole))
        .route("/llms-full.txt/{batch}", get(agents::batch))
        .route("/docs/llms-full.txt/{batch}", get(agents::batch))
        .route("/skill.md", get(agents::skill))
        .route("/.well-known/agent-skills/openledger/SKILL.md", get(agents::skill))
        .route("/.well-known/agent-skills/index.json", get(agents::skills))
        .route("/.well-known/api-catalog", get(agents::catalog))
        .route("/sitemap.xml", get(agents::sitemap))
        .route("/robots.txt", get(agents::robots))
}
