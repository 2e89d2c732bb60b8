//! Tools over the book, by the names and arguments that GitBook's server has.

use super::tools::{About, Answer, Asked, Tools};
use crate::error::ApiError;
use openledger_docs::{Hit, Page, State, MAX_QUESTION};
use rmcp::handler::server::tool::schema_for_output;
use rmcp::schemars::{self, JsonSchema};
use serde::{Deserialize, Serialize};

/// Parts of the book that a search answers with, at most.
const HITS: usize = 10;

/// Adds them to the table.
pub fn add(tools: &mut Tools) {
    let about = About {
        name: "searchDocumentation",
        title: "Search the documentation",
        description: "Parts of OpenLedger's documentation that words lead to, best first, with an excerpt and an \
            address that getPage reads.",
        output: schema_for_output::<Results>(),
    };
    tools.add(about, search);
    let about = About {
        name: "getPage",
        title: "Read a page of the documentation",
        description: "A whole page of OpenLedger's documentation as markdown, by its address.",
        output: schema_for_output::<WholePage>(),
    };
    tools.add(about, get_page);
    let about = About {
        name: "askQuestion",
        title: "Ask the documentation",
        description: "An answer to a question about OpenLedger in the words of its documentation, or written by a \
            model from excerpts that it cites, with sources and what to ask next. Ask in whole sentences; say as \
            goal what you want in the end.",
        output: schema_for_output::<Answered>(),
    };
    tools.add(about, ask);
}

/// A part of the book.
#[derive(Serialize, JsonSchema)]
struct Source {
    /// The page's title, and the part's.
    title: String,
    /// Where it stands.
    url: String,
    /// What of it fits best.
    excerpt: String,
}

impl Source {
    fn of(hit: &Hit, base: &str) -> Self {
        let url = format!("{base}{}", hit.address());
        Self { title: hit.name(), url, excerpt: hit.excerpt.clone() }
    }
}

/// What to look for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Search {
    /// Words.
    #[schemars(length(min = 1, max = 500))]
    query: String,
}

#[derive(Serialize, JsonSchema)]
struct Results {
    /// Parts of the documentation, best first.
    results: Vec<Source>,
}

fn bounded(field: &'static str, text: &str) -> Result<(), ApiError> {
    let length = text.chars().count();
    match length {
        0 => Err(ApiError::field(field, "it is empty; write words or a question")),
        _ if length > MAX_QUESTION => {
            let message = format!("it has {length} characters; at most {MAX_QUESTION} are read");
            Err(ApiError::field(field, message))
        }
        _ => Ok(()),
    }
}

async fn search(asked: Asked, input: Search) -> Result<Answer, ApiError> {
    bounded("query", input.query.trim())?;
    let hits = asked.docs.search(input.query, HITS).await?;
    let results: Vec<Source> = hits.iter().map(|hit| Source::of(hit, &asked.base)).collect();
    let lines: Vec<String> = results
        .iter()
        .map(|Source { title, url, excerpt }| format!("- [{title}]({url}): {excerpt}"))
        .collect();
    let text = match lines.is_empty() {
        true => "Nothing in the documentation has these words.".to_owned(),
        false => lines.join("\n"),
    };
    Answer::of(text, &Results { results })
}

/// Which page.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OnePage {
    /// Its address, whole or as a path, with or without `.md`.
    #[schemars(length(max = 500))]
    url: String,
}

#[derive(Serialize, JsonSchema)]
struct WholePage {
    /// Its title.
    title: String,
    /// Its address.
    url: String,
    /// Its text.
    markdown: String,
}

async fn get_page(asked: Asked, input: OnePage) -> Result<Answer, ApiError> {
    let url: String = input.url.chars().take(500).collect();
    let Some(page) = asked.docs.book().page(&url) else {
        let similar: Vec<String> =
            asked.docs.book().similar(&url).into_iter().map(name_of).collect();
        let message = match similar.is_empty() {
            true => format!("there is no page {url:?}; searchDocumentation finds pages"),
            false => format!("there is no page {url:?}; similar ones are {}", similar.join(", ")),
        };
        return Err(ApiError::not_found(message));
    };
    let whole = WholePage {
        title: page.title.clone(),
        url: format!("{}{}", asked.base, page.markdown_address()),
        markdown: page.absolute(0..page.markdown.len(), &asked.base),
    };
    Answer::of(whole.markdown.clone(), &whole)
}

fn name_of(page: &Page) -> String {
    format!("{} ({})", page.markdown_address(), page.title)
}

/// What to ask.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Question {
    /// The question.
    #[schemars(length(min = 1, max = 500))]
    question: String,
    /// What you want to reach in the end, if it is more than an answer.
    #[schemars(length(max = 500))]
    goal: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Answered {
    /// Whether the documentation says something about it.
    answered: bool,
    /// The answer as markdown.
    markdown: String,
    /// Whether a model wrote it, from excerpts that it cites as `[1]`; if not, it is the documentation's text.
    written: bool,
    /// Where the documentation says more.
    sources: Vec<Source>,
    /// What to ask next.
    follow_ups: Vec<String>,
}

async fn ask(asked: Asked, input: Question) -> Result<Answer, ApiError> {
    bounded("question", input.question.trim())?;
    if let Some(goal) = &input.goal {
        bounded("goal", goal.trim())?;
    }
    let answer = asked.docs.answer(asked.asker, input.question, input.goal).await?;
    let markdown = answer.to_markdown(&asked.base);
    let answered = Answered {
        answered: answer.state == State::Answered,
        written: answer.written.is_some(),
        sources: answer.sources.iter().map(|hit| Source::of(hit, &asked.base)).collect(),
        follow_ups: answer.follow_ups.into_iter().map(|link| link.title).collect(),
        markdown: markdown.clone(),
    };
    Answer::of(markdown, &answered)
}
