//! `openledger-docs`: the book in `docs/`, for people and for agents.
//!
//! ```no_run
//! use openledger_docs::{Book, State};
//!
//! let book = Book::embedded()?;
//! let page = book.page("concepts").map(|page| page.title.as_str());
//! assert_eq!(page, Some("Concepts"));
//! let answer = book.ask("Why was I paid nothing?", None);
//! assert_eq!(answer.state, State::Answered);
//! println!("{}", answer.to_markdown("https://data.example.org"));
//! # Ok::<(), openledger_docs::BookError>(())
//! ```
//!
//! # Parts
//!
//! * [`Book`]: pages in the order of `docs/SUMMARY.md`, links between them resolved ([`PageLink`]);
//! * [`Page`], [`Section`]: a page, and its parts by heading;
//! * [`Book::search`]: the parts that words lead to, by an index in memory;
//! * [`Book::ask`]: an answer in the book's own words.
//!
//! The same book and the same words give the same answer, on every machine. Addresses in texts begin with
//! `/docs`; [`Page::absolute`] and [`Answer::to_markdown`] put an origin before them.

mod answer;
mod book;
mod html;
mod links;
mod page;
mod questions;
mod search;
mod synonyms;
mod texts;
mod words;

pub use answer::{encoded, Answer, Link, Passage, State, MAX_QUESTION};
pub use book::{Book, BookError, File, Group};
pub use html::{escaped, html_of};
pub use links::{PageLink, Target};
pub use page::{Block, BlockKind, Page, Section};
pub use questions::{questions, Question, WrongLine};
pub use search::Hit;
pub use texts::robots;
