//! Answers in the book's own words: the best parts, cut to what fits the question.

use crate::book::Book;
use crate::page::{address, BlockKind, Page, Section};
use crate::search::{Found, Hit, Search, Sought};
use serde::Serialize;
use std::collections::BTreeSet;
use std::ops::Range;

/// Characters of a question, and of a goal, at most.
pub const MAX_QUESTION: usize = 500;

/// The share of a question that a part must cover to answer it. Measured: `docs_answers` asks questions
/// that the book answers and ones that it does not.
const ANSWERS: f32 = 0.4;
/// Parts whose text goes into an answer, and how near to the best they must be.
const MAX_PARTS: usize = 3;
const NEAR: f32 = 0.7;
/// Bytes of text of an answer, and of a part that is quoted whole.
const MAX_TEXT: usize = 2400;
const WHOLE: usize = 1200;
/// Pieces that are taken out of a longer part.
const MAX_PIECES: usize = 3;
/// Pages that are named as sources, and further questions.
const MAX_SOURCES: usize = 5;
const MAX_FOLLOW_UPS: usize = 3;

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// There is an answer.
    Answered,
    /// The book does not say.
    NotAnswered,
    /// Nothing was asked.
    NoQuestion,
    /// The question or the goal has more than 500 characters.
    TooLong,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// What was asked, on one line; empty where it is too long.
    pub question: String,
    /// What became of it.
    pub state: State,
    /// The answer, in order.
    pub paragraphs: Vec<Passage>,
    /// What to ask next: its address asks it.
    pub follow_ups: Vec<Link>,
    /// Where the book says more, a page each, best first.
    pub sources: Vec<Hit>,
    /// The answer as a model wrote it from the paragraphs, which it cites as `[1]`, counted from 1; nothing
    /// where none did, and the paragraphs are the answer.
    pub written: Option<String>,
}

/// A piece of the book.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Passage {
    /// Its markdown. Addresses begin with the origin that the answer was made for: with none, until
    /// [`Answer::to_markdown`] is given one.
    pub markdown: String,
    /// The page.
    pub path: String,
    /// The part's anchor.
    pub anchor: String,
    /// The page's title.
    pub title: String,
    /// The part's heading.
    pub heading: String,
    /// Where in `markdown` addresses of this server begin.
    #[serde(skip)]
    addresses: Vec<usize>,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Its text.
    pub title: String,
    /// Its address, from this server's root.
    pub address: String,
}

impl Passage {
    fn of(page: &Page, section: &Section, markdown: &[Range<usize>]) -> Self {
        let mut text = String::new();
        let mut addresses = Vec::new();
        for piece in markdown {
            let own = page.addresses.iter().filter(|at| piece.contains(at));
            addresses.extend(own.map(|at| at - piece.start + text.len()));
            text.push_str(page.text(piece).trim_end());
            text.push('\n');
        }
        Self {
            markdown: text.trim_end().to_owned(),
            path: page.path.clone(),
            anchor: section.anchor.clone(),
            title: page.title.clone(),
            heading: section.heading.clone(),
            addresses,
        }
    }

    /// Its markdown, with an origin before addresses of this server.
    pub fn absolute(&self, origin: &str) -> String {
        let mut written = String::new();
        let mut from = 0;
        for &at in &self.addresses {
            written.push_str(self.markdown.get(from..at).unwrap_or(""));
            written.push_str(origin);
            from = at;
        }
        written.push_str(self.markdown.get(from..).unwrap_or(""));
        written
    }

    /// The address of the part's markdown, from this server's root.
    pub fn address(&self) -> String {
        format!("{}#{}", address(&self.path, ".md"), self.anchor)
    }
}

impl Passage {
    /// What it is called: the page, and the part where that is another.
    pub fn name(&self) -> String {
        named(&self.title, &self.heading)
    }
}

impl Hit {
    /// The address of the part's markdown, from this server's root.
    pub fn address(&self) -> String {
        format!("{}#{}", address(&self.path, ".md"), self.anchor)
    }

    /// What it is called: the page, and the part where that is another.
    pub fn name(&self) -> String {
        named(&self.title, &self.heading)
    }
}

fn named(title: &str, heading: &str) -> String {
    match title == heading {
        true => title.to_owned(),
        false => format!("{title}: {heading}"),
    }
}

impl Answer {
    fn empty(state: State) -> Self {
        let (paragraphs, follow_ups, sources) = (Vec::new(), Vec::new(), Vec::new());
        Self { question: String::new(), state, paragraphs, follow_ups, sources, written: None }
    }

    /// The paragraphs that a written answer cites, with their numbers.
    pub fn cited(&self) -> impl Iterator<Item = (usize, &Passage)> {
        let written = self.written.as_deref().unwrap_or("");
        let numbered = (1..).zip(&self.paragraphs);
        numbered.filter(move |(number, _)| written.contains(&format!("[{number}]")))
    }

    /// The answer in the shape that GitBook gives it. `origin` (`https://data.example.org`) goes before
    /// addresses of this server; with an empty one they begin with `/`.
    pub fn to_markdown(&self, origin: &str) -> String {
        match self.state {
            State::NoQuestion => return NO_QUESTION.to_owned(),
            State::NotAnswered => return NOT_ANSWERED.to_owned(),
            State::TooLong => return too_long(),
            State::Answered => {}
        }
        let mut text = format!("# {}\n\n", self.question);
        if let Some(written) = &self.written {
            text.push_str(&format!("{written}\n\n"));
            for (number, paragraph) in self.cited() {
                let (name, address) = (paragraph.name(), paragraph.address());
                text.push_str(&format!("- [{number}] [{name}]({origin}{address})\n"));
            }
            text.push('\n');
        }
        let quoted = self.paragraphs.iter().filter(|_| self.written.is_none());
        for (number, paragraph) in quoted.enumerate() {
            text.push_str(&paragraph.absolute(origin));
            text.push_str("\n\n");
            let next = self.paragraphs.get(number + 1);
            let same = |next: &Passage| next.address() == paragraph.address();
            if !next.is_some_and(same) {
                let name = paragraph.name();
                text.push_str(&format!("([{name}]({origin}{}))\n\n", paragraph.address()));
            }
        }
        if !self.follow_ups.is_empty() {
            text.push_str(
                "# Suggested Follow-up Questions:\n\nIf you need more, ask one of these by an HTTP GET \
                 request on its URL:\n\n",
            );
            for Link { title, address } in &self.follow_ups {
                text.push_str(&format!("- [{title}]({origin}{address})\n"));
            }
            text.push('\n');
        }
        if !self.sources.is_empty() {
            text.push_str("# Sources:\n\n");
            for source in &self.sources {
                text.push_str(&format!("- [{}]({origin}{})\n", source.name(), source.address()));
            }
        }
        text
    }
}

const NO_QUESTION: &str =
    "You forgot to pass a question in the `?ask=` parameter. Append one to the URL, as \
    `?ask=<question>`, to get an answer and its sources.\n";
const NOT_ANSWERED: &str = "We couldn't answer this question.\n";

fn too_long() -> String {
    format!("A question and a goal may have {MAX_QUESTION} characters each; this one has more. Ask a shorter one.\n")
}

/// Whether nothing is asked. Crawlers follow the example's address.
fn is_nothing(question: &str) -> bool {
    question.is_empty() || question.starts_with("<question")
}

pub(crate) fn ask(book: &Book, search: &Search, question: &str, goal: Option<&str>) -> Answer {
    let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let long = |text: &str| text.chars().nth(MAX_QUESTION).is_some();
    if long(question) || goal.is_some_and(long) {
        return Answer::empty(State::TooLong);
    }
    let question = line(question);
    if is_nothing(&question) {
        return Answer::empty(State::NoQuestion);
    }
    let goal = goal.map(line).filter(|goal| !goal.is_empty() && !goal.starts_with("<endgoal"));
    let sought = search.sought(&question);
    let for_goal = goal.as_deref().map(|goal| search.sought(goal));
    let found = search.find(&sought, for_goal.as_ref());
    let answers = |found: &&Found| found.coverage >= ANSWERS;
    let fits: Vec<&Found> = found.iter().filter(answers).collect();
    let Some(best) = fits.first().filter(|_| !sought.is_empty()) else {
        return Answer { question, ..Answer::empty(State::NotAnswered) };
    };
    let parts = fits.iter().filter(|found| found.score >= best.score * NEAR).take(MAX_PARTS);
    let parts: Vec<&Found> = parts.copied().collect();
    let mut paragraphs = Vec::new();
    let mut room = MAX_TEXT;
    for found in &parts {
        for passage in passages(book, search, found, &sought) {
            let size = passage.markdown.len();
            // The first piece is given whatever its size.
            if size > room && !paragraphs.is_empty() {
                break;
            }
            room = room.saturating_sub(size);
            paragraphs.push(passage);
        }
    }
    if paragraphs.is_empty() {
        return Answer { question, ..Answer::empty(State::NotAnswered) };
    }
    let sources = sources(book, &found, &sought);
    let follow_ups = follow_ups(book, &found, &parts, &question, goal.as_deref());
    let written = None;
    Answer { question, state: State::Answered, paragraphs, follow_ups, sources, written }
}

fn part<'a>(book: &'a Book, found: &Found) -> Option<(&'a Page, &'a Section)> {
    let page = book.pages().get(found.page)?;
    Some((page, page.sections.get(found.section)?))
}

/// What of a part goes into an answer: all, where it is short, or the pieces that cover most.
fn passages(book: &Book, search: &Search, found: &Found, sought: &Sought) -> Vec<Passage> {
    let Some((page, section)) = part(book, found) else { return Vec::new() };
    let blocks = &section.blocks;
    let size: usize = blocks.iter().map(|block| block.at.len()).sum();
    let mut chosen: BTreeSet<usize> = BTreeSet::new();
    if size <= WHOLE {
        chosen.extend(0..blocks.len());
    } else {
        let pieces = search.pieces(found, sought).into_iter().enumerate();
        let pieces = pieces.filter(|(_, coverage)| *coverage > 0.0);
        let mut weighed: Vec<(f32, usize)> = pieces.map(|(n, coverage)| (coverage, n)).collect();
        weighed.sort_by(|(a, x), (b, y)| b.total_cmp(a).then(x.cmp(y)));
        // Where only the headings fit, the part's beginning speaks for it.
        let most = weighed.first().map_or(0.0, |(coverage, _)| *coverage);
        let best = weighed.into_iter().filter(|(coverage, _)| *coverage * 2.0 >= most);
        chosen.extend(best.take(MAX_PIECES).map(|(_, number)| number));
        if chosen.is_empty() {
            chosen.insert(0);
        }
        let ends_with_colon = |number: usize| {
            blocks.get(number).is_some_and(|block| page.text(&block.at).trim_end().ends_with(':'))
        };
        for number in chosen.clone() {
            // What a colon announces, and what announces code.
            if ends_with_colon(number) && number + 1 < blocks.len() {
                chosen.insert(number + 1);
            }
            let code = blocks.get(number).is_some_and(|block| block.kind == BlockKind::Code);
            if let Some(before) = number.checked_sub(1).filter(|_| code) {
                chosen.insert(before);
            }
        }
    }
    // Items of a list, and rows of a table, follow each other closely.
    let mut passages: Vec<Vec<Range<usize>>> = Vec::new();
    let mut before: Option<&BlockKind> = None;
    for number in chosen {
        let Some(block) = blocks.get(number) else { continue };
        let goes_on = match (&block.kind, before) {
            (BlockKind::Item, Some(BlockKind::Item)) => true,
            (BlockKind::Row(head), Some(BlockKind::Row(other))) => head == other,
            _ => false,
        };
        match (passages.last_mut().filter(|_| goes_on), &block.kind) {
            (Some(passage), _) => passage.push(block.at.clone()),
            (None, BlockKind::Row(head)) => passages.push(vec![head.clone(), block.at.clone()]),
            (None, _) => passages.push(vec![block.at.clone()]),
        }
        before = Some(&block.kind);
    }
    passages.iter().map(|pieces| Passage::of(page, section, pieces)).collect()
}

/// The best part of each page.
fn sources(book: &Book, found: &[Found], sought: &Sought) -> Vec<Hit> {
    let mut pages = BTreeSet::new();
    let found = found.iter().filter(|found| pages.insert(found.page)).take(MAX_SOURCES);
    found.filter_map(|found| book.hit(found, sought)).collect()
}

/// What else one might ask: headings of parts that fit and are not in the answer, questions first.
fn follow_ups(
    book: &Book,
    found: &[Found],
    answered: &[&Found],
    question: &str,
    goal: Option<&str>,
) -> Vec<Link> {
    let told = |found: &Found| {
        answered.iter().any(|other| (other.page, other.section) == (found.page, found.section))
    };
    let open = found.iter().filter(|found| !told(found)).filter_map(|found| part(book, found));
    let open = open.filter(|(_, section)| !section.blocks.is_empty());
    let (questions, headings): (Vec<_>, Vec<_>) =
        open.partition(|(_, section)| section.heading.ends_with('?'));
    let mut seen = BTreeSet::from([question.to_owned()]);
    let names = questions.into_iter().chain(headings).map(|(page, section)| {
        match section.heading.ends_with('?') {
            true => section.heading.clone(),
            false => named(&page.title, &section.heading),
        }
    });
    let names = names.filter(|name| seen.insert(name.clone())).take(MAX_FOLLOW_UPS);
    let goal = goal.map(|goal| format!("&goal={}", encoded(goal))).unwrap_or_default();
    names
        .map(|title| {
            let address = format!("/docs.md?ask={}{goal}", encoded(&title));
            Link { title, address }
        })
        .collect()
}

/// A text as the value of a parameter in an address.
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
