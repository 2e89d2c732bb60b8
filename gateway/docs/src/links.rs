//! Links of pages: where they lead, and what they become on this server.

use crate::page::{address, options, Anchors};
use pulldown_cmark::{Event, LinkType, Parser, Tag};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// A link of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageLink {
    /// The page's file, from the repository's root.
    pub file: String,
    /// As it is written there.
    pub written: String,
    /// Where it leads.
    pub target: Target,
}

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// To a page of the book, at a heading or at its beginning.
    Page {
        /// The page.
        path: String,
        /// The heading's anchor, which is there.
        anchor: Option<String>,
    },
    /// To a page without a heading of that anchor.
    NoAnchor {
        /// The page.
        path: String,
        /// What it does not have.
        anchor: String,
    },
    /// To a picture of the book, or to another address of this server.
    Server(String),
    /// To a file of the repository that is not served: its path there. Readers see the path, and no link.
    Repository(String),
    /// To another site.
    Web(String),
    /// Out of the repository.
    Outside,
}

/// What links are resolved against, by files of the repository.
pub(crate) struct Known {
    /// The page that a file is.
    pub(crate) pages: BTreeMap<String, String>,
    /// The anchors of a page.
    pub(crate) anchors: BTreeMap<String, BTreeSet<String>>,
    /// Where a file is served that is no page.
    pub(crate) served: BTreeMap<String, String>,
}

impl Known {
    /// Where a link in a file leads.
    pub(crate) fn resolve(&self, file: &str, link: &str) -> Target {
        if link.contains("://") || link.starts_with("mailto:") {
            return Target::Web(link.to_owned());
        }
        let (name, anchor) = match link.split_once('#') {
            Some((name, anchor)) => (name, Some(anchor.to_owned())),
            None => (link, None),
        };
        let Some(path) = joined(file, name) else { return Target::Outside };
        if let Some(served) = self.served.get(&path) {
            return Target::Server(served.clone());
        }
        let page = self.pages.get(&path).or_else(|| self.pages.get(&format!("{path}/README.md")));
        let Some(page) = page else { return Target::Repository(path) };
        match anchor {
            Some(anchor) if !self.anchors.get(page).is_some_and(|all| all.contains(&anchor)) => {
                Target::NoAnchor { path: page.clone(), anchor }
            }
            anchor => Target::Page { path: page.clone(), anchor },
        }
    }
}

/// A path relative to a file, from the repository's root.
fn joined(file: &str, name: &str) -> Option<String> {
    if name.is_empty() {
        return Some(file.to_owned());
    }
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The anchors of a text's headings.
pub(crate) fn anchors(markdown: &str) -> BTreeSet<String> {
    let mut anchors = Anchors::default();
    crate::page::headings(markdown).iter().map(|(_, _, heading)| anchors.next(heading)).collect()
}

/// The text of a file with links of this server, and its links.
pub(crate) fn rewritten(file: &str, markdown: &str, known: &Known) -> (String, Vec<PageLink>) {
    let mut links = Vec::new();
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    let mut change = |at: Range<usize>, link: &str, text: Option<&str>| {
        let target = known.resolve(file, link);
        let new = match &target {
            Target::Page { path, anchor } => Some(match anchor {
                Some(anchor) => format!("{}#{anchor}", address(path, ".md")),
                None => address(path, ".md"),
            }),
            Target::NoAnchor { path, .. } => Some(address(path, ".md")),
            Target::Server(address) => Some(address.clone()),
            Target::Repository(_) | Target::Web(_) | Target::Outside => None,
        };
        match (&target, new, text) {
            (_, Some(new), _) => {
                if let Some(place) = written_at(markdown, &at, link) {
                    changes.push((place, new));
                }
            }
            // What is not served is named, and is no link.
            (Target::Repository(path), None, Some(text)) => {
                let named = text.contains(path.as_str());
                let path = if named { String::new() } else { format!(" (`{path}`)") };
                changes.push((at, format!("{text}{path}")));
            }
            _ => {}
        }
        links.push(PageLink { file: file.to_owned(), written: link.to_owned(), target });
    };
    let parser = Parser::new_ext(markdown, options());
    let definitions: Vec<(Range<usize>, String)> = parser
        .reference_definitions()
        .iter()
        .map(|(_, definition)| (definition.span.clone(), definition.dest.to_string()))
        .collect();
    for (at, link) in definitions {
        change(at, &link, None);
    }
    for (event, at) in Parser::new_ext(markdown, options()).into_offset_iter() {
        let Event::Start(
            Tag::Link { link_type: LinkType::Inline, dest_url, .. }
            | Tag::Image { link_type: LinkType::Inline, dest_url, .. },
        ) = event
        else {
            continue;
        };
        let source = markdown.get(at.clone()).unwrap_or("");
        let text = source.rfind("](").and_then(|end| source.get(1..end));
        change(at, &dest_url, text.filter(|_| source.starts_with('[')));
    }
    // A link around a picture holds the picture's: the inner change comes second and lies within.
    changes.sort_by_key(|(at, _)| (at.start, at.end));
    let mut text = String::with_capacity(markdown.len());
    let mut done = 0;
    for (at, new) in changes {
        if at.start < done {
            continue;
        }
        text.push_str(markdown.get(done..at.start).unwrap_or(""));
        text.push_str(&new);
        done = at.end;
    }
    text.push_str(markdown.get(done..).unwrap_or(""));
    (text, links)
}

/// Where in a link its address stands: nothing of the text before can hold `](`, and a definition's
/// address follows its colon.
fn written_at(markdown: &str, at: &Range<usize>, link: &str) -> Option<Range<usize>> {
    let source = markdown.get(at.clone())?;
    let from =
        source.rfind("](").map(|at| at + 2).or_else(|| source.find("]:").map(|at| at + 2))?;
    let start = at.start + from + source.get(from..)?.find(link)?;
    Some(start..start + link.len())
}

/// Where in a rewritten text addresses of this server begin.
pub(crate) fn addresses(markdown: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let parser = Parser::new_ext(markdown, options());
    let definitions: Vec<(Range<usize>, String)> = parser
        .reference_definitions()
        .iter()
        .map(|(_, definition)| (definition.span.clone(), definition.dest.to_string()))
        .collect();
    let own = |link: &str| link.starts_with('/') && !link.starts_with("//");
    for (at, link) in definitions.into_iter().filter(|(_, link)| own(link)) {
        found.extend(written_at(markdown, &at, &link).map(|place| place.start));
    }
    for (event, at) in parser.into_offset_iter() {
        if let Event::Start(
            Tag::Link { link_type: LinkType::Inline, dest_url, .. }
            | Tag::Image { link_type: LinkType::Inline, dest_url, .. },
        ) = event
        {
            if own(&dest_url) {
                found.extend(written_at(markdown, &at, &dest_url).map(|place| place.start));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}
