//! A page, and what stands under each of its headings.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use serde::Serialize;
use std::collections::HashMap;
use std::ops::Range;

/// Characters of a description, at most.
const MAX_DESCRIPTION: usize = 200;

/// A page of the book.
#[derive(Clone, Debug, Serialize)]
pub struct Page {
    /// Its address within the book: empty for the first page, else as `tutorials/contributor`.
    pub path: String,
    /// Its first heading.
    pub title: String,
    /// Its first paragraph, without markup, at most 200 characters.
    pub description: String,
    /// Its text. Links to other pages are addresses of this server (`/docs/concepts.md#a-file`).
    pub markdown: String,
    /// Its parts, in order; the first begins with the title.
    pub sections: Vec<Section>,
    /// Where in `markdown` addresses of this server begin.
    #[serde(skip)]
    pub(crate) addresses: Vec<usize>,
}

/// What stands under a heading, up to the next one.
#[derive(Clone, Debug, Serialize)]
pub struct Section {
    /// What follows `#` in its address, as GitHub makes it.
    pub anchor: String,
    /// The heading, without markup.
    pub heading: String,
    /// 1 to 6.
    pub level: u8,
    /// The headings above it, but for the title.
    pub above: Vec<String>,
    /// Its text in the page's markdown, without the heading.
    #[serde(skip)]
    pub text: Range<usize>,
    /// The pieces of its text that can be quoted.
    #[serde(skip)]
    pub blocks: Vec<Block>,
}

/// A piece of a text that can be quoted.
#[derive(Clone, Debug)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Where it stands in the page's markdown.
    pub at: Range<usize>,
}

/// What a piece of a text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// A paragraph, or a quotation.
    Paragraph,
    /// An item of a list, with all that it holds.
    Item,
    /// Code within fences.
    Code,
    /// A row of the table whose head stands there.
    Row(Range<usize>),
}

impl Page {
    /// The address of its HTML, from this server's root.
    pub fn address(&self) -> String {
        address(&self.path, "")
    }

    /// The address of its markdown, from this server's root.
    pub fn markdown_address(&self) -> String {
        address(&self.path, ".md")
    }

    /// The part with an anchor.
    pub fn section(&self, anchor: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.anchor == anchor)
    }

    /// A piece of its markdown, with an origin (`https://data.example.org`) before addresses of this server.
    /// A range that is none of this page's gives nothing.
    pub fn absolute(&self, piece: Range<usize>, origin: &str) -> String {
        let mut written = String::new();
        let mut from = piece.start;
        for &at in self.addresses.iter().filter(|at| piece.contains(at)) {
            written.push_str(self.markdown.get(from..at).unwrap_or(""));
            written.push_str(origin);
            from = at;
        }
        written.push_str(self.markdown.get(from..piece.end).unwrap_or(""));
        written
    }

    /// A piece of its markdown.
    pub(crate) fn text(&self, piece: &Range<usize>) -> &str {
        self.markdown.get(piece.clone()).unwrap_or("")
    }

    /// Reads a page whose links are resolved.
    pub(crate) fn read(path: String, markdown: String) -> Self {
        let sections = sections(&markdown, &path);
        let title = sections.first().map(|section| section.heading.clone()).unwrap_or_default();
        let paragraph = sections.iter().flat_map(|section| &section.blocks);
        let paragraph = paragraph.filter(|block| block.kind == BlockKind::Paragraph);
        let description = paragraph
            .map(|block| plain(markdown.get(block.at.clone()).unwrap_or("")))
            .find(|text| !text.is_empty())
            .map(|text| shorten(&text, MAX_DESCRIPTION))
            .unwrap_or_default();
        Self { path, title, description, markdown, sections, addresses: Vec::new() }
    }
}

/// The address of a page with an ending; the first page's is that of the book.
pub(crate) fn address(path: &str, ending: &str) -> String {
    match path {
        "" => format!("/docs{ending}"),
        path => format!("/docs/{path}{ending}"),
    }
}

/// What of markdown is read, in every place.
pub(crate) fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES
}

/// The parts of a markdown text, each up to the next heading.
fn sections(markdown: &str, path: &str) -> Vec<Section> {
    let mut anchors = Anchors::default();
    let mut sections: Vec<Section> = Vec::new();
    let mut above: Vec<(u8, String)> = Vec::new();
    for (at, level, heading) in headings(markdown) {
        if let Some(last) = sections.last_mut() {
            last.text.end = at.start;
        } else if at.start > 0 && !markdown.get(..at.start).unwrap_or("").trim().is_empty() {
            sections.push(untitled(path, 0..at.start));
        }
        above.retain(|(other, _)| *other < level);
        let anchor = anchors.next(&heading);
        let names = above.iter().filter(|(level, _)| *level > 1).map(|(_, name)| name.clone());
        let above_it = names.collect();
        above.push((level, heading.clone()));
        let text = at.end..markdown.len();
        sections.push(Section {
            anchor,
            heading,
            level,
            above: above_it,
            text,
            blocks: Vec::new(),
        });
    }
    if sections.is_empty() {
        sections.push(untitled(path, 0..markdown.len()));
    }
    let blocks = blocks(markdown);
    for section in &mut sections {
        let own = |block: &&Block| {
            block.at.start >= section.text.start && block.at.end <= section.text.end
        };
        section.blocks = blocks.iter().filter(own).cloned().collect();
    }
    sections
}

/// A part before the first heading: it is called as its page is.
fn untitled(path: &str, text: Range<usize>) -> Section {
    let heading = path.rsplit('/').next().unwrap_or("").to_owned();
    Section {
        anchor: slug(&heading),
        heading,
        level: 1,
        above: Vec::new(),
        text,
        blocks: Vec::new(),
    }
}

/// Headings with their places, levels and texts.
pub(crate) fn headings(markdown: &str) -> Vec<(Range<usize>, u8, String)> {
    let mut found = Vec::new();
    let mut open: Option<(Range<usize>, u8, String)> = None;
    for (event, at) in Parser::new_ext(markdown, options()).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                open = Some((at, number(level), String::new()))
            }
            Event::End(TagEnd::Heading(_)) => found.extend(open.take()),
            Event::Text(text) | Event::Code(text) => {
                if let Some((_, _, heading)) = &mut open {
                    heading.push_str(&text);
                }
            }
            Event::SoftBreak => {
                if let Some((_, _, heading)) = &mut open {
                    heading.push(' ');
                }
            }
            _ => {}
        }
    }
    found
}

fn number(level: HeadingLevel) -> u8 {
    level as u8
}

/// The pieces that can be quoted: each item of an outer list, each row of a table, each paragraph outside
/// of these.
fn blocks(markdown: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut head = 0..0;
    for (event, at) in Parser::new_ext(markdown, options()).into_offset_iter() {
        match event {
            Event::Start(Tag::Paragraph) if depth == 0 => {
                found.push(Block { kind: BlockKind::Paragraph, at });
            }
            Event::Start(Tag::CodeBlock(_)) if depth == 0 => {
                found.push(Block { kind: BlockKind::Code, at });
            }
            Event::Start(Tag::BlockQuote(_)) => {
                if depth == 0 {
                    found.push(Block { kind: BlockKind::Paragraph, at });
                }
                depth += 1;
            }
            Event::End(TagEnd::BlockQuote(_)) => depth = depth.saturating_sub(1),
            Event::Start(Tag::Item) => {
                if depth == 0 {
                    found.push(Block { kind: BlockKind::Item, at });
                }
                depth += 1;
            }
            Event::End(TagEnd::Item) => depth = depth.saturating_sub(1),
            Event::Start(Tag::Table(_)) => {
                // The head is two lines: names, and dashes.
                let table = markdown.get(at.clone()).unwrap_or("");
                let lines = table.split_inclusive('\n').take(2).map(str::len).sum::<usize>();
                head = at.start..at.start + lines;
            }
            Event::Start(Tag::TableRow) if depth == 0 => {
                found.push(Block { kind: BlockKind::Row(head.clone()), at });
            }
            _ => {}
        }
    }
    found
}

/// Anchors as GitHub makes them: the second of the same name gets `-1`.
#[derive(Default)]
pub(crate) struct Anchors(HashMap<String, usize>);

impl Anchors {
    /// The anchor of the next heading.
    pub(crate) fn next(&mut self, heading: &str) -> String {
        let slug = slug(heading);
        let seen = self.0.entry(slug.clone()).or_insert(0);
        *seen += 1;
        match *seen {
            1 => slug,
            n => format!("{slug}-{}", n - 1),
        }
    }
}

fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        c if c.is_alphanumeric() => Some(c),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

/// A markdown text without its markup, on one line.
pub(crate) fn plain(markdown: &str) -> String {
    let mut text = String::new();
    for event in Parser::new_ext(markdown, options()) {
        match event {
            Event::Text(part) | Event::Code(part) => text.push_str(&part),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::TableCell) => text.push(' '),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text of at most so many characters: whole sentences where one ends in its second half, else with `…`.
pub(crate) fn shorten(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    let cut: String = text.chars().take(characters.saturating_sub(1)).collect();
    let sentence = cut.rmatch_indices(['.', '?', '!']).find_map(|(at, mark)| {
        let after = cut.get(at + mark.len()..)?;
        after.starts_with(' ').then(|| at + mark.len())
    });
    match sentence.filter(|end| end * 2 > cut.len()) {
        Some(end) => cut.get(..end).unwrap_or("").to_owned(),
        None => {
            let word = cut.rfind(' ').unwrap_or(cut.len());
            format!("{}…", cut.get(..word).unwrap_or("").trim_end_matches([',', ';', ':']))
        }
    }
}
