//! The text of a Word document (ECMA-376, WordprocessingML).
//!
//! * Every paragraph is a line; a line break is a line end, a tab a tab.
//! * Cells of a table row are separated by tabs, paragraphs inside a cell by spaces.
//! * The text of a text box follows the paragraph it is anchored in.
//! * Footnotes and endnotes follow the body, in the order of their parts.
//! * Left out: deleted and moved-away text, hidden text, field codes, comments, headers and
//!   footers, pictures, the fallback of alternative content.

use crate::budget::{damaged, Budget, Extracted, Fault, Result, MAX_TEXT};
use crate::zip::Zip;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::NsReader;

/// Most bytes of one part's XML.
const MAX_XML: usize = 20 << 20;
/// Deepest nesting of elements.
const MAX_DEPTH: usize = 256;
/// Most XML events in all parts.
const MAX_EVENTS: u64 = 8_000_000;

const WORD: [&str; 2] = [
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
];
const MATH: [&str; 2] = [
    "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "http://purl.oclc.org/ooxml/officeDocument/math",
];
const COMPATIBILITY: &str = "http://schemas.openxmlformats.org/markup-compatibility/2006";

/// The text of a `.docx` file.
pub(crate) fn text(bytes: &[u8]) -> Result<Extracted> {
    // Word puts a document with a password, and its old format, into an OLE file.
    if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Err(Fault::Encrypted);
    }
    let mut budget = Budget::new(bytes.len());
    let zip = Zip::open(bytes, &mut budget)?;
    if zip.has_suffix("vbaProject.bin") {
        return Err(Fault::Macros);
    }
    let main = main_part(&zip, &mut budget)?;
    let folder = main.rfind('/').map_or("", |slash| main.get(..=slash).unwrap_or_default());
    let mut out = Output { text: String::new(), events: 0 };
    match zip.read(&main, MAX_XML, &mut budget)? {
        Some(xml) => out.part(&xml)?,
        None => return Err(damaged(format!("there is no {main} in it"))),
    }
    for notes in ["footnotes.xml", "endnotes.xml"] {
        if let Some(xml) = zip.read(&format!("{folder}{notes}"), MAX_XML, &mut budget)? {
            out.part(&xml)?;
        }
    }
    let text = out.text.trim_matches('\n');
    if text.trim().is_empty() {
        return Err(Fault::NoText);
    }
    Ok(Extracted { text: format!("{text}\n"), ..Extracted::default() })
}

/// Name of the main document's part, from the package's relationships.
fn main_part(zip: &Zip<'_>, budget: &mut Budget) -> Result<String> {
    let usual = || "word/document.xml".to_owned();
    let Some(xml) = zip.read("_rels/.rels", 1 << 20, budget)? else { return Ok(usual()) };
    let xml = xml_text(&xml)?;
    let mut reader = NsReader::from_str(xml);
    loop {
        match reader.read_event().map_err(broken)? {
            Event::Eof => return Ok(usual()),
            Event::DocType(_) => return Err(doctype()),
            Event::Start(element) | Event::Empty(element) => {
                let kind = attribute(&element, "Type")?.unwrap_or_default();
                if kind.ends_with("/relationships/officeDocument") {
                    let target = attribute(&element, "Target")?.unwrap_or_default();
                    return Ok(target.trim_start_matches('/').to_owned());
                }
            }
            _ => {}
        }
    }
}

fn broken(error: quick_xml::Error) -> Fault {
    damaged(format!("its XML is broken: {error}"))
}

fn doctype() -> Fault {
    damaged("its XML declares a document type, which Office documents never do")
}

fn xml_text(xml: &[u8]) -> Result<&str> {
    std::str::from_utf8(xml).map_err(|_| damaged("its XML is not UTF-8"))
}

/// The value of an attribute by its local name, unescaped.
fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>> {
    for attribute in element.attributes().with_checks(false) {
        let attribute =
            attribute.map_err(|error| damaged(format!("its XML is broken: {error}")))?;
        if attribute.key.local_name().as_ref() == name {
            let value = quick_xml::escape::unescape(&attribute.value)
                .map_err(|error| damaged(format!("its XML is broken: {error}")))?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

/// Whether a property without a value, or with one, is switched on (ECMA-376 ST_OnOff).
fn on(element: &BytesStart<'_>) -> Result<bool> {
    Ok(!matches!(attribute(element, "val")?.as_deref(), Some("0" | "false" | "off")))
}

/// What an element means for the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Paragraph,
    Run,
    RunProperties,
    Text { preserve: bool },
    Cell,
    Row,
    TextBox,
    Note,
    Skipped,
    Other,
}

struct Output {
    text: String,
    events: u64,
}

/// A text being put together: the body, or a text box inside it.
#[derive(Default)]
struct Flow {
    text: String,
    /// How many cells the text stands in.
    cells: usize,
    /// Whether the row has a cell already, for each open row.
    rows: Vec<bool>,
    /// What follows the current paragraph.
    boxes: String,
}

impl Flow {
    fn end_paragraph(&mut self) {
        let end = if self.cells > 0 { ' ' } else { '\n' };
        self.text.push(end);
        if !self.boxes.is_empty() {
            let boxes = std::mem::take(&mut self.boxes);
            self.text.push_str(if self.cells > 0 { boxes.trim() } else { &boxes });
            if self.cells > 0 {
                self.text.push(' ');
            }
        }
    }
}

impl Output {
    /// Appends the text of one part.
    fn part(&mut self, xml: &[u8]) -> Result<()> {
        let xml = xml_text(xml)?;
        let mut reader = NsReader::from_str(xml);
        let mut open: Vec<Kind> = Vec::new();
        let mut flows = vec![Flow::default()];
        let mut skipped = 0_usize;
        let mut hidden = false;
        let mut value = String::new();
        loop {
            self.events += 1;
            if self.events > MAX_EVENTS {
                return Err(Fault::TooMuch { what: "XML elements", limit: MAX_EVENTS });
            }
            let (space, event) = reader.read_resolved_event().map_err(broken)?;
            let (element, empty) = match &event {
                Event::Start(element) => (element, false),
                Event::Empty(element) => (element, true),
                Event::End(_) => {
                    if let Some(kind) = open.pop() {
                        if kind == Kind::Skipped {
                            skipped -= 1;
                        } else if skipped == 0 {
                            close(kind, &mut flows, &mut value, &mut hidden);
                        }
                    }
                    self.check(&flows)?;
                    continue;
                }
                Event::Text(text) if skipped == 0 => {
                    if matches!(open.last(), Some(Kind::Text { .. })) && !hidden {
                        value.push_str(text);
                    }
                    continue;
                }
                Event::CData(text) if skipped == 0 => {
                    if matches!(open.last(), Some(Kind::Text { .. })) && !hidden {
                        value.push_str(text);
                    }
                    continue;
                }
                Event::GeneralRef(reference) if skipped == 0 => {
                    let character = reference.resolve_char_ref().map_err(broken)?;
                    let replaced = match (character, resolve_predefined_entity(reference)) {
                        (Some(character), _) => character.to_string(),
                        (None, Some(text)) => text.to_owned(),
                        (None, None) => {
                            return Err(damaged("its XML uses an entity, which is not read"))
                        }
                    };
                    if matches!(open.last(), Some(Kind::Text { .. })) && !hidden {
                        value.push_str(&replaced);
                    }
                    continue;
                }
                Event::DocType(_) => return Err(doctype()),
                Event::Eof => break,
                _ => continue,
            };
            if open.len() >= MAX_DEPTH {
                return Err(Fault::TooMuch {
                    what: "levels of XML elements",
                    limit: MAX_DEPTH as u64,
                });
            }
            let kind = match (skipped > 0, space) {
                (true, _) => Kind::Skipped,
                (false, ResolveResult::Bound(space)) => {
                    kind_of(space.as_ref(), element, &open, &mut flows, &mut hidden)?
                }
                (false, _) => Kind::Other,
            };
            if empty {
                if kind == Kind::Paragraph || kind == Kind::Cell {
                    start(kind, &mut flows);
                    close(kind, &mut flows, &mut value, &mut hidden);
                }
            } else {
                match kind {
                    Kind::Skipped => skipped += 1,
                    _ => start(kind, &mut flows),
                }
                open.push(kind);
            }
        }
        if !open.is_empty() {
            return Err(damaged("its XML ends too early"));
        }
        for flow in flows {
            self.text.push_str(&flow.text);
        }
        Ok(())
    }

    fn check(&self, flows: &[Flow]) -> Result<()> {
        let now: usize = flows.iter().map(|flow| flow.text.len() + flow.boxes.len()).sum();
        if self.text.len() + now > MAX_TEXT {
            return Err(Fault::TooMuch { what: "bytes of text", limit: MAX_TEXT as u64 });
        }
        Ok(())
    }
}

/// What an element is; characters that are elements go into the text at once.
fn kind_of(
    space: &str,
    element: &BytesStart<'_>,
    open: &[Kind],
    flows: &mut [Flow],
    hidden: &mut bool,
) -> Result<Kind> {
    let name = element.local_name();
    if space == COMPATIBILITY {
        return Ok(if name.as_ref() == "Fallback" { Kind::Skipped } else { Kind::Other });
    }
    if MATH.contains(&space) {
        let is_text = name.as_ref() == "t";
        return Ok(if is_text { Kind::Text { preserve: true } } else { Kind::Other });
    }
    if !WORD.contains(&space) {
        return Ok(Kind::Other);
    }
    let mut put = |character: char| {
        if let (Some(flow), false) = (flows.last_mut(), *hidden) {
            flow.text.push(character);
        }
    };
    Ok(match name.as_ref() {
        "p" => Kind::Paragraph,
        "r" => Kind::Run,
        "rPr" => Kind::RunProperties,
        "t" => Kind::Text { preserve: attribute(element, "space")?.as_deref() == Some("preserve") },
        "tc" => Kind::Cell,
        "tr" => Kind::Row,
        "txbxContent" => Kind::TextBox,
        "footnote" | "endnote" => match attribute(element, "type")?.as_deref() {
            None | Some("normal") => Kind::Note,
            Some(_) => Kind::Skipped,
        },
        "del" | "moveFrom" | "instrText" | "pPr" => Kind::Skipped,
        "vanish" if open.ends_with(&[Kind::Run, Kind::RunProperties]) => {
            *hidden = on(element)?;
            Kind::Other
        }
        "tab" => {
            put('\t');
            Kind::Other
        }
        "br" | "cr" => {
            put('\n');
            Kind::Other
        }
        "noBreakHyphen" => {
            put('\u{2011}');
            Kind::Other
        }
        _ => Kind::Other,
    })
}

fn start(kind: Kind, flows: &mut Vec<Flow>) {
    if kind == Kind::TextBox {
        flows.push(Flow::default());
        return;
    }
    let Some(flow) = flows.last_mut() else { return };
    match kind {
        Kind::Row => flow.rows.push(false),
        Kind::Cell => {
            if let Some(begun) = flow.rows.last_mut() {
                if std::mem::replace(begun, true) {
                    flow.text.push('\t');
                }
            }
            flow.cells += 1;
        }
        _ => {}
    }
}

fn close(kind: Kind, flows: &mut Vec<Flow>, value: &mut String, hidden: &mut bool) {
    if kind == Kind::TextBox && flows.len() > 1 {
        if let Some(inner) = flows.pop() {
            if let Some(outer) = flows.last_mut() {
                outer.boxes.push_str(&inner.text);
            }
        }
        return;
    }
    let Some(flow) = flows.last_mut() else { return };
    match kind {
        Kind::Text { preserve } => {
            let text = std::mem::take(value);
            flow.text.push_str(if preserve { &text } else { text.trim_matches(XML_SPACE) });
        }
        Kind::Run => *hidden = false,
        Kind::Paragraph => flow.end_paragraph(),
        Kind::Cell => {
            flow.cells = flow.cells.saturating_sub(1);
            // The paragraphs' spaces, not the tabs before an empty cell.
            while flow.text.ends_with(' ') {
                flow.text.pop();
            }
        }
        Kind::Row => {
            flow.rows.pop();
            flow.text.push(if flow.cells > 0 { ' ' } else { '\n' });
        }
        _ => {}
    }
}

const XML_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];
