//! The book: its pages in order, and who finds what in it.

use crate::answer::{self, Answer};
use crate::html::html_of;
use crate::links::{self, Known, PageLink};
use crate::page::Page;
use crate::questions::{questions, Question, WrongLine};
use crate::search::{Asked, Found, Hit, Search, Sought};
use include_dir::{include_dir, Dir};
use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

static DOCS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../docs");

/// Files of the repository's root that are pages as well.
const ROOT: [(&str, &str, &str); 4] = [
    ("README.md", "readme", include_str!("../../../README.md")),
    ("CONTRIBUTING.md", "contributing", include_str!("../../../CONTRIBUTING.md")),
    ("SECURITY.md", "security", include_str!("../../../SECURITY.md")),
    ("CHANGELOG.md", "changelog", include_str!("../../../CHANGELOG.md")),
];

/// The order of pages, as GitBook and mdBook have it.
const SUMMARY: &str = "docs/SUMMARY.md";
/// What users ask, and what answers it.
const QUESTIONS: &str = "docs/questions.toml";
/// The group of pages that the order does not name.
const REST: &str = "More";

/// Files of a book, at most.
const MAX_FILES: usize = 1000;
/// Bytes of one of them, at most.
const MAX_FILE: u64 = 2 << 20;
/// Bytes of all, at most.
const MAX_BYTES: u64 = 64 << 20;
/// Folders within folders, at most.
const MAX_DEPTH: usize = 8;
/// Hits of a search, at most.
const MAX_HITS: usize = 50;
/// Pages that are called similar, at most.
const MAX_SIMILAR: usize = 5;
/// How alike addresses are that are called similar (shares of three letters, Dice 1945).
const LIKENESS: f32 = 0.25;

/// The book.
pub struct Book {
    pages: Vec<Page>,
    html: Vec<String>,
    by_path: HashMap<String, usize>,
    groups: Vec<Group>,
    files: BTreeMap<String, File>,
    links: Vec<PageLink>,
    search: Search,
}

/// Pages under one heading of the table of contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The heading; empty for pages before the first one.
    pub title: String,
    /// Paths of its pages, in order.
    pub pages: Vec<String>,
}

/// A picture of the book.
#[derive(Clone, Debug)]
pub struct File {
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Why there is no book.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// A file or folder cannot be read.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// The folder is larger than a book may be.
    #[error("{} holds more than a book may: {MAX_FILES} files of {MAX_FILE} bytes, {MAX_BYTES} in all, {MAX_DEPTH} folders deep", .0.display())]
    TooLarge(PathBuf),
    /// There is no first page.
    #[error("there is no README.md, the first page, in {}", .0.display())]
    NoFirstPage(PathBuf),
    /// The list of questions cannot be read.
    #[error("{QUESTIONS}: {0}")]
    Questions(#[from] WrongLine),
    /// A question of the list is led to what is not there.
    #[error("{QUESTIONS} leads {question:?} to {page}#{anchor}, which is not there")]
    Nowhere {
        /// The question.
        question: String,
        /// The page that it names.
        page: String,
        /// The heading that it names.
        anchor: String,
    },
    /// The index could not be made.
    #[error("the index of the documentation: {0}")]
    Index(#[from] tantivy::TantivyError),
}

/// Text and pictures of a book by their place in the repository.
#[derive(Default)]
struct Source {
    texts: BTreeMap<String, String>,
    questions: String,
    files: BTreeMap<String, File>,
}

impl Source {
    fn take(&mut self, file: String, bytes: &[u8]) {
        if file == QUESTIONS {
            self.questions = String::from_utf8_lossy(bytes).into_owned();
        } else if file.ends_with(".md") {
            self.texts.insert(file, String::from_utf8_lossy(bytes).into_owned());
        } else if let Some(media_type) = picture(&file) {
            self.files.insert(file, File { media_type, bytes: bytes.to_vec() });
        }
    }
}

fn picture(file: &str) -> Option<&'static str> {
    Some(match file.rsplit('.').next()? {
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        _ => return None,
    })
}

impl Book {
    /// The book within the program.
    ///
    /// # Errors
    /// [`BookError::Index`].
    pub fn embedded() -> Result<Self, BookError> {
        let mut source = Source::default();
        let mut folders = vec![&DOCS];
        while let Some(folder) = folders.pop() {
            folders.extend(folder.dirs());
            for file in folder.files() {
                source.take(format!("docs/{}", file.path().display()), file.contents());
            }
        }
        Self::of(source, Path::new("docs"))
    }

    /// The book of a folder that looks like `docs/`: markdown, pictures and the list of questions, read once.
    /// The pages of the repository's root are those within the program.
    ///
    /// # Errors
    /// [`BookError`].
    pub fn read(directory: &Path) -> Result<Self, BookError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |cause| BookError::File { path, cause }
        };
        let mut source = Source::default();
        let (mut count, mut bytes) = (0, 0);
        let mut folders = vec![(directory.to_owned(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            for entry in std::fs::read_dir(&folder).map_err(failed(&folder))? {
                let path = entry.map_err(failed(&folder))?.path();
                let metadata = path.metadata().map_err(failed(&path))?;
                count += 1;
                bytes += metadata.len();
                let too_large = metadata.len() > MAX_FILE && metadata.is_file();
                if count > MAX_FILES || bytes > MAX_BYTES || depth >= MAX_DEPTH || too_large {
                    return Err(BookError::TooLarge(directory.to_owned()));
                }
                if metadata.is_dir() {
                    folders.push((path, depth + 1));
                } else if let Some(name) = path.strip_prefix(directory).ok().and_then(Path::to_str)
                {
                    let bytes = std::fs::read(&path).map_err(failed(&path))?;
                    source.take(format!("docs/{name}"), &bytes);
                }
            }
        }
        Self::of(source, directory)
    }

    fn of(mut source: Source, named: &Path) -> Result<Self, BookError> {
        let summary = source.texts.remove(SUMMARY).unwrap_or_default();
        if !source.texts.contains_key("docs/README.md") {
            return Err(BookError::NoFirstPage(named.to_owned()));
        }
        for (file, _, text) in ROOT {
            source.texts.insert(file.to_owned(), text.to_owned());
        }
        let mut known =
            Known { pages: BTreeMap::new(), anchors: BTreeMap::new(), served: BTreeMap::new() };
        for (file, text) in &source.texts {
            let path = page_of(file);
            known.anchors.insert(path.clone(), links::anchors(text));
            known.pages.insert(file.clone(), path);
        }
        known.served.insert("gateway/openapi.json".to_owned(), "/openapi.json".to_owned());
        known.served.insert("gateway/server.json".to_owned(), "/server.json".to_owned());
        known.served.extend(source.files.keys().map(|file| (file.clone(), format!("/{file}"))));
        let mut links = links::rewritten(SUMMARY, &summary, &known).1;
        let mut pages = BTreeMap::new();
        for (file, text) in &source.texts {
            let (text, own) = links::rewritten(file, text, &known);
            links.extend(own);
            let addresses = links::addresses(&text);
            let mut page = Page::read(page_of(file), text);
            page.addresses = addresses;
            pages.insert(page.path.clone(), page);
        }
        let groups = groups(&summary, &known, &pages);
        let order = groups.iter().flat_map(|group| &group.pages);
        let pages: Vec<Page> = order.filter_map(|path| pages.remove(path)).collect();
        let by_path = pages.iter().enumerate().map(|(n, page)| (page.path.clone(), n)).collect();
        let html = pages.iter().map(|page| html_of(&page.markdown)).collect();
        let asked = asked(&pages, &by_path, questions(&source.questions)?)?;
        let search = Search::new(&pages, prior, &asked)?;
        let served = source.files.into_iter();
        let files = served
            .filter_map(|(name, file)| Some((name.strip_prefix("docs/")?.to_owned(), file)))
            .collect();
        Ok(Self { pages, html, by_path, groups, files, links, search })
    }

    /// All pages, in order.
    pub fn pages(&self) -> &[Page] {
        &self.pages
    }

    /// The table of contents.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// A page by its path. Also by the path of its file, by its address on this server, and by a whole URL:
    /// what stands after `#` and `?` does not count, nor does `.md`.
    pub fn page(&self, path: &str) -> Option<&Page> {
        self.pages.get(self.number(path)?)
    }

    /// HTML of a page's text.
    pub fn html(&self, page: &Page) -> &str {
        let number = self.by_path.get(&page.path);
        number.and_then(|&number| self.html.get(number)).map_or("", String::as_str)
    }

    /// The pages before and after one.
    pub fn around(&self, page: &Page) -> (Option<&Page>, Option<&Page>) {
        let Some(&number) = self.by_path.get(&page.path) else { return (None, None) };
        let before = number.checked_sub(1).and_then(|before| self.pages.get(before));
        (before, self.pages.get(number + 1))
    }

    /// A picture by its path.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// Every link of every page, and where it leads.
    pub fn links(&self) -> &[PageLink] {
        &self.links
    }

    fn number(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).or_else(|| self.by_path.get(&normal(path))).copied()
    }

    /// Pages for somebody who asked for one that is not there, likeliest first; at most five.
    pub fn similar(&self, path: &str) -> Vec<&Page> {
        let path: String = normal(path).chars().take(200).collect();
        let wanted = letters(&path);
        let mut alike: Vec<(f32, usize)> = Vec::new();
        for (number, page) in self.pages.iter().enumerate() {
            let last = page.path.rsplit('/').next().unwrap_or("");
            let likeness = [page.path.as_str(), last, page.title.as_str()].map(|name| {
                let name = letters(name);
                let both = wanted.intersection(&name).count();
                2.0 * both as f32 / (wanted.len() + name.len()).max(1) as f32
            });
            let likeness = likeness.into_iter().fold(0.0, f32::max);
            if likeness >= LIKENESS {
                alike.push((likeness, number));
            }
        }
        alike.sort_by(|(a, x), (b, y)| b.total_cmp(a).then(x.cmp(y)));
        let mut numbers: Vec<usize> = alike.into_iter().map(|(_, number)| number).collect();
        let sought = self.search.sought(&path.replace(['/', '-', '_'], " "));
        numbers.extend(self.search.find(&sought, None).into_iter().map(|found| found.page));
        let mut seen = BTreeSet::new();
        let pages = numbers.into_iter().filter(|&number| seen.insert(number));
        pages.filter_map(|number| self.pages.get(number)).take(MAX_SIMILAR).collect()
    }

    /// The parts of the book that words lead to, best first; at most 50. Of the words, the first 500 characters
    /// are read.
    pub fn search(&self, query: &str, limit: usize) -> Vec<Hit> {
        let end = query.char_indices().nth(answer::MAX_QUESTION).map_or(query.len(), |(at, _)| at);
        let read = query.get(..end).unwrap_or("");
        // A word that is cut is another word.
        let cut = if end < query.len() { read.rfind(char::is_whitespace) } else { None };
        let sought = self.search.sought(read.get(..cut.unwrap_or(read.len())).unwrap_or(""));
        let found = self.search.find(&sought, None).into_iter();
        let found = found.take(limit.min(MAX_HITS));
        found.filter_map(|found| self.hit(&found, &sought)).collect()
    }

    /// An answer in the book's own words. The goal is what the asker wants in the end: it decides between
    /// parts that fit alike.
    pub fn ask(&self, question: &str, goal: Option<&str>) -> Answer {
        answer::ask(self, &self.search, question, goal)
    }

    pub(crate) fn hit(&self, found: &Found, sought: &Sought) -> Option<Hit> {
        self.search.hit(self.pages.get(found.page)?, found, sought)
    }
}

/// What users ask of each part: of page and section.
fn asked(
    pages: &[Page],
    by_path: &HashMap<String, usize>,
    list: Vec<Question>,
) -> Result<Asked, BookError> {
    let mut asked = Asked::new();
    for Question { question, page, anchor, .. } in list {
        let number = by_path.get(&page);
        let section = number.and_then(|&number| pages.get(number)).and_then(|page| match &anchor {
            Some(anchor) => page.sections.iter().position(|section| section.anchor == *anchor),
            None => Some(0),
        });
        let (Some(&number), Some(section)) = (number, section) else {
            let anchor = anchor.unwrap_or_default();
            return Err(BookError::Nowhere { question, page, anchor });
        };
        asked.entry((number, section)).or_default().push(question);
    }
    Ok(asked)
}

/// What a page counts for a question in plain words. Pages of questions are written for them; a reference
/// enumerates, lists of pages lead on, and what is for those who change the code is seldom meant. The changelog
/// names everything and explains nothing: it is not searched.
fn prior(path: &str) -> f32 {
    match path {
        "changelog" => 0.0,
        "" | "readme" | "tutorials" => 0.7,
        "architecture" | "build" | "contributing" | "extending" | "security" | "serving-docs" => {
            0.6
        }
        path if path.starts_with("reference/") => 0.5,
        path if path.starts_with("faq") || path == "troubleshooting" => 1.4,
        _ => 1.0,
    }
}

/// The path of the page that a file of the repository is.
fn page_of(file: &str) -> String {
    if let Some((_, page, _)) = ROOT.iter().find(|(name, ..)| *name == file) {
        return (*page).to_owned();
    }
    let name = file.strip_prefix("docs/").unwrap_or(file);
    let name = name.strip_suffix(".md").unwrap_or(name);
    match name.strip_suffix("README") {
        Some(folder) => folder.trim_end_matches('/').to_owned(),
        None => name.to_owned(),
    }
}

/// A path without what stands around it in an address or a file's name.
fn normal(path: &str) -> String {
    let path = match path.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => path,
    };
    let path = path.split(['#', '?']).next().unwrap_or("").trim_matches('/');
    let path = path.strip_suffix(".md").unwrap_or(path);
    let path = match path.strip_prefix("docs") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest.trim_start_matches('/'),
        _ => path,
    };
    let path = path.strip_suffix("README").unwrap_or(path).trim_end_matches('/');
    path.to_lowercase()
}

/// All threes of letters of a name, with its ends.
fn letters(name: &str) -> BTreeSet<[char; 3]> {
    let lower = name.to_lowercase();
    let padded: Vec<char> = std::iter::once(' ')
        .chain(lower.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }))
        .chain(std::iter::once(' '))
        .collect();
    padded.windows(3).filter_map(|three| three.try_into().ok()).collect()
}

/// The table of contents: what the summary names, and then all other pages.
fn groups(summary: &str, known: &Known, pages: &BTreeMap<String, Page>) -> Vec<Group> {
    let mut groups = vec![Group { title: String::new(), pages: vec![String::new()] }];
    let mut named = BTreeSet::from([String::new()]);
    let mut heading: Option<String> = None;
    for event in Parser::new(summary) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(level)) => {
                let title = heading.take().unwrap_or_default();
                // The first is the summary's own.
                if level as u8 > 1 {
                    groups.push(Group { title, pages: Vec::new() });
                }
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                let links::Target::Page { path, .. } = known.resolve(SUMMARY, &dest_url) else {
                    continue;
                };
                if named.insert(path.clone()) {
                    if let Some(group) = groups.last_mut() {
                        group.pages.push(path);
                    }
                }
            }
            _ => {}
        }
    }
    let rest: Vec<String> = pages.keys().filter(|path| !named.contains(*path)).cloned().collect();
    if !rest.is_empty() {
        groups.push(Group { title: REST.to_owned(), pages: rest });
    }
    groups.retain(|group| !group.pages.is_empty());
    groups
}
