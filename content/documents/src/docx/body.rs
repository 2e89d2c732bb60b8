//! A part of a Word document with text in it: body or notes.
//!
//! One pass over its XML. What decides whether text is seen is kept for each open element: the run,
//! its paragraph, the cells, rows and tables around it, the shapes around those.

mod close;
mod seen;

use super::element::{alternative, paragraph_property, shape_kind, Kind, Paragraph};
use super::look::{Look, Paint};
use super::page::{Claim, Page};
use super::shape::Shape;
use super::styles::{Style, Styles};
use super::symbol;
use super::table::Table;
use super::xml::{attribute, broken, doctype, number, on, space, text_of, Space};
use crate::budget::{damaged, Fault, Result, MAX_TEXT};
use crate::left_out::{Hidden, LeftOut};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::NsReader;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Deepest nesting of elements.
const MAX_DEPTH: usize = 256;
/// Most XML events in all parts.
const MAX_EVENTS: u64 = 8_000_000;
#[derive(Default)]
struct Run {
    direct: Look,
    style: Rc<Style>,
    /// Why its text is not seen, once that was asked.
    hidden: Option<Option<Hidden>>,
    /// Half points, once that was asked.
    size: Option<i64>,
    look: Look,
}

/// A field from its beginning to its end.
#[derive(Default)]
struct Field {
    code: String,
    /// Whether the result has begun.
    result: bool,
}

impl Field {
    /// Whether nothing of what stands here is shown: codes, and results that have none to show.
    fn hides(&self) -> bool {
        let name = self.code.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        !self.result
            || matches!(name.as_str(), "SET" | "XE" | "TC" | "RD" | "TA" | "PRIVATE" | "ASK")
    }
}

/// A text being put together: the body, or a text box inside it.
#[derive(Default)]
struct Flow {
    text: String,
    /// How many cells the text stands in.
    cells: usize,
    /// Whether the row has a cell already, for each open row.
    rows: Vec<bool>,
    /// What follows the current paragraph, and where parts of it stand.
    boxes: String,
    places: Vec<(std::ops::Range<usize>, Claim)>,
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

/// The text of a document's parts.
pub(super) struct Output {
    pub(super) text: String,
    pub(super) left_out: LeftOut,
    styles: Styles,
    events: u64,
    /// The page's own colour.
    page: Paint,
    /// Notes that the text refers to: kind and number.
    notes: BTreeSet<(String, String)>,
    /// Boxes that stand at a stated place: offsets and text.
    boxes: BTreeSet<(String, String)>,
}

/// What is open while a part is read.
#[derive(Default)]
struct Open {
    kinds: Vec<Kind>,
    flows: Vec<Flow>,
    paragraphs: Vec<Paragraph>,
    runs: Vec<Run>,
    tables: Vec<Table>,
    shapes: Vec<Shape>,
    fields: Vec<Field>,
    skipped: usize,
    value: String,
    /// Whether the degree of a root is not shown.
    no_degree: bool,
    page: Page,
    /// What is squeezed into a width: its name, and letters so far.
    squeezed: (i64, i64),
}

/// What an element of a formula is: a phantom may only take room.
fn math(name: &str, element: &BytesStart<'_>, open: &mut Open) -> Result<Kind> {
    Ok(match name {
        "phant" => Kind::Phantom,
        "show" if open.kinds.iter().rev().nth(1) == Some(&Kind::Phantom) => {
            if let (Some(shape), false) = (open.shapes.last_mut(), on(element)?) {
                shape.hidden = Some(Hidden::Vanished);
            }
            Kind::Other
        }
        "degHide" => {
            open.no_degree = on(element)?;
            Kind::Other
        }
        "rad" => {
            open.no_degree = false;
            Kind::Other
        }
        "deg" if open.no_degree => Kind::Unshown,
        _ => Kind::Other,
    })
}

impl Output {
    pub(super) fn new(styles: Styles) -> Self {
        let (text, left_out) = Default::default();
        Self {
            text,
            left_out,
            styles,
            events: 0,
            page: Paint::Auto,
            notes: BTreeSet::new(),
            boxes: BTreeSet::new(),
        }
    }

    /// Appends the text of one part.
    pub(super) fn part(&mut self, xml: &[u8]) -> Result<()> {
        let xml = text_of(xml)?;
        let mut reader = NsReader::from_str(&xml);
        let mut open = Open { flows: vec![Flow::default()], ..Open::default() };
        loop {
            self.events += 1;
            if self.events > MAX_EVENTS {
                return Err(Fault::TooMuch { what: "XML elements", limit: MAX_EVENTS });
            }
            let (bound, event) = reader.read_resolved_event().map_err(broken)?;
            let space = match bound {
                ResolveResult::Bound(name) => space(name.as_ref()),
                _ => Space::Other,
            };
            let (element, empty) = match &event {
                Event::Start(element) => (element, false),
                Event::Empty(element) => (element, true),
                Event::End(_) => {
                    match open.kinds.pop() {
                        Some(Kind::Skipped) => open.skipped = open.skipped.saturating_sub(1),
                        Some(kind) if open.skipped == 0 => self.close(kind, &mut open),
                        _ => {}
                    }
                    self.check(&open.flows)?;
                    continue;
                }
                Event::Text(text) => {
                    open.put(text);
                    continue;
                }
                Event::CData(text) => {
                    open.put(text);
                    continue;
                }
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref().map_err(broken)?;
                    match (character, resolve_predefined_entity(reference)) {
                        (Some(character), _) => open.put(character.encode_utf8(&mut [0; 4])),
                        (None, Some(text)) => open.put(text),
                        (None, None) => {
                            return Err(damaged("its XML uses an entity, which is not read"))
                        }
                    }
                    continue;
                }
                Event::DocType(_) => return Err(doctype()),
                Event::Eof => break,
                _ => continue,
            };
            if open.kinds.len() >= MAX_DEPTH {
                let limit = MAX_DEPTH as u64;
                return Err(Fault::TooMuch { what: "levels of XML elements", limit });
            }
            let kind = if open.skipped > 0 {
                Kind::Skipped
            } else if space == Space::Compatibility {
                alternative(element, &reader, &mut open.kinds)?
            } else {
                self.kind(space, element, &mut open)?
            };
            if kind == Kind::Skipped {
                if !empty {
                    open.skipped += 1;
                    open.kinds.push(kind);
                }
                continue;
            }
            self.start(kind, element, &mut open)?;
            if empty {
                self.close(kind, &mut open);
            } else {
                open.kinds.push(kind);
            }
        }
        if !open.kinds.is_empty() {
            return Err(damaged("its XML ends too early"));
        }
        // A document may state no pages.
        if let Some(flow) = open.flows.first_mut() {
            open.page.settle(&mut flow.text, &mut self.left_out);
        }
        for flow in open.flows {
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

    /// What an element is. Properties are taken over, and characters that are elements go into the
    /// text at once.
    fn kind(&mut self, space: Space, element: &BytesStart<'_>, open: &mut Open) -> Result<Kind> {
        let name = element.local_name();
        let name = name.as_ref();
        let inside = open.kinds.last().copied();
        let theme = &self.styles.theme;
        match space {
            Space::Math if name == "t" => return Ok(Kind::Text { preserve: true }),
            Space::Math if name != "r" => return math(name, element, open),
            Space::Math => return Ok(Kind::Run),
            Space::Word2010 => {
                if let (Some(run), true) =
                    (open.runs.last_mut(), open.kinds.contains(&Kind::RunProperties))
                {
                    run.direct.read(space, element, theme)?;
                }
                return Ok(Kind::Other);
            }
            Space::Placed | Space::Drawing | Space::Vml => {
                let shape = open.shapes.last_mut();
                return shape_kind(space, name, element, inside, shape, theme);
            }
            Space::Word => {}
            Space::Other => {
                // Of VML; its own namespace has nothing else.
                if let ("wrap", Some(shape)) = (name, open.shapes.last_mut()) {
                    shape.wrapped();
                }
                return Ok(Kind::Unshown);
            }
            Space::Compatibility | Space::Known => {
                if let ("wgp" | "wpc", Some(shape)) = (name, open.shapes.last_mut()) {
                    shape.grouped = true;
                }
                return Ok(Kind::Other);
            }
        }
        if name.ends_with("Change") || matches!(name, "del" | "moveFrom" | "delInstrText") {
            return Ok(Kind::Skipped);
        }
        // Beside its body a document has no text.
        if open.kinds.len() == 1 && !matches!(name, "body" | "background" | "footnote" | "endnote")
        {
            return Ok(Kind::Unshown);
        }
        match inside {
            Some(Kind::Section) => {
                let at = |name| number(element, name).map(|twips| twips.unwrap_or(0));
                match name {
                    "pgSz" => open.page.size = [at("w")?, at("h")?],
                    "pgMar" => {
                        let [left, right, top, bottom] =
                            [at("left")?, at("right")?, at("top")?, at("bottom")?];
                        open.page.margins = [left, right, top, bottom];
                    }
                    _ => {}
                }
                return Ok(Kind::Skipped);
            }
            Some(Kind::ParagraphProperties) if name == "sectPr" => return Ok(Kind::Section),
            Some(Kind::RunProperties) => {
                let Some(run) = open.runs.last_mut() else { return Ok(Kind::Other) };
                if name == "rStyle" {
                    run.style =
                        self.styles.style("character", attribute(element, "val")?.as_deref());
                } else {
                    run.direct.read(space, element, theme)?;
                }
                return Ok(Kind::Other);
            }
            Some(Kind::ParagraphProperties) => {
                if let Some(paragraph) = open.paragraphs.last_mut() {
                    paragraph_property(name, element, paragraph, &mut self.styles)?;
                }
                // Its `rPr` is that of the paragraph's mark.
                return Ok(Kind::Skipped);
            }
            Some(Kind::TableProperties | Kind::RowProperties | Kind::CellProperties) => {
                if let Some(table) = open.tables.last_mut() {
                    table.property(name, element, &mut self.styles)?;
                }
                return Ok(Kind::Other);
            }
            _ => {}
        }
        Ok(match name {
            "p" => Kind::Paragraph,
            "pPr" if inside == Some(Kind::Paragraph) => Kind::ParagraphProperties,
            "r" => Kind::Run,
            "rPr" if inside == Some(Kind::Run) => Kind::RunProperties,
            "pPr" | "rPr" => Kind::Skipped,
            "t" => {
                let preserve = attribute(element, "space")?.as_deref() == Some("preserve");
                Kind::Text { preserve }
            }
            "sectPr" => Kind::Section,
            "instrText" => Kind::Instruction,
            "fldSimple" => {
                let code = attribute(element, "instr")?.unwrap_or_default();
                if (Field { code, result: true }).hides() {
                    Kind::Unshown
                } else {
                    Kind::Other
                }
            }
            "fldChar" => {
                match attribute(element, "fldCharType")?.as_deref() {
                    Some("begin") => {
                        if open.fields.len() >= MAX_DEPTH {
                            let limit = MAX_DEPTH as u64;
                            return Err(Fault::TooMuch { what: "levels of fields", limit });
                        }
                        open.fields.push(Field::default());
                    }
                    Some("separate") => {
                        if let Some(field) = open.fields.last_mut() {
                            field.result = true;
                        }
                    }
                    Some("end") => drop(open.fields.pop()),
                    _ => {}
                }
                Kind::Other
            }
            "tbl" => Kind::Table,
            "gridCol" => {
                if let (Some(table), Some(width)) = (open.tables.last_mut(), number(element, "w")?)
                {
                    table.widen(width);
                }
                Kind::Other
            }
            "tblPr" => Kind::TableProperties,
            "tr" => Kind::Row,
            "trPr" => Kind::RowProperties,
            "tc" => Kind::Cell,
            "tcPr" => Kind::CellProperties,
            "txbxContent" => Kind::TextBox,
            "footnoteReference" | "endnoteReference" => {
                if self.hidden(open).is_none() {
                    let note = name.trim_end_matches("Reference").to_owned();
                    self.notes.insert((note, attribute(element, "id")?.unwrap_or_default()));
                }
                Kind::Other
            }
            "footnote" | "endnote" => match attribute(element, "type")?.as_deref() {
                None | Some("normal") => {
                    let id = attribute(element, "id")?.unwrap_or_default();
                    let referred = self.notes.contains(&(name.to_owned(), id));
                    if referred {
                        Kind::Other
                    } else {
                        Kind::Unshown
                    }
                }
                Some(_) => Kind::Skipped,
            },
            "background" if self.styles.background => {
                self.page = theme.named(element, "color", "theme")?.unwrap_or(Paint::Auto);
                Kind::Other
            }
            "sym" => {
                let font = attribute(element, "font")?.unwrap_or_default();
                let code = attribute(element, "char")?;
                let code = code.and_then(|code| u32::from_str_radix(&code, 16).ok());
                match code.and_then(|code| symbol::character(&font, code)) {
                    None => self.left_out.add(Hidden::Unmapped, 3),
                    Some(character) => self.put(character.encode_utf8(&mut [0; 4]), open),
                }
                Kind::Other
            }
            "tab" => self.sign("\t", open),
            "br" | "cr" => {
                let kind = self.sign("\n", open);
                if attribute(element, "type")?.as_deref() == Some("page") {
                    if let [flow] = open.flows.as_slice() {
                        open.page.broken(flow.text.len());
                    }
                }
                kind
            }
            "noBreakHyphen" => self.sign("\u{2011}", open),
            _ => Kind::Other,
        })
    }

    fn sign(&mut self, sign: &str, open: &mut Open) -> Kind {
        self.put(sign, open);
        Kind::Other
    }

    fn start(&mut self, kind: Kind, element: &BytesStart<'_>, open: &mut Open) -> Result<()> {
        match kind {
            Kind::TextBox => open.flows.push(Flow::default()),
            Kind::Paragraph => {
                let style = self.styles.style("paragraph", None);
                let begins = open.flows.last().map_or(0, |flow| flow.text.len());
                open.paragraphs.push(Paragraph { style, begins, ..Paragraph::default() });
            }
            Kind::Run => {
                let style = self.styles.style("character", None);
                open.runs.push(Run { style, ..Run::default() });
            }
            Kind::Table => {
                let mut table = Table::new(self.styles.style("table", None));
                table.begins = open.flows.last().map_or(0, |flow| flow.text.len());
                open.tables.push(table);
            }
            Kind::Shape => {
                // What a run holds is as hidden as the run.
                let anchor = self.hidden(open).filter(|why| *why == Hidden::Vanished);
                let mut shape = Shape::of(element)?;
                shape.hidden = shape.hidden.or(anchor);
                open.shapes.push(shape);
            }
            Kind::Unshown => open.shapes.push(Shape::unshown()),
            Kind::Phantom => open.shapes.push(Shape::plain()),
            Kind::Section => (open.page.size, open.page.margins) = Default::default(),
            Kind::Row => {
                open.stands();
                if let Some(flow) = open.flows.last_mut() {
                    flow.rows.push(false);
                }
                if let Some(table) = open.tables.last_mut() {
                    table.row();
                }
            }
            Kind::Cell => {
                if let Some(flow) = open.flows.last_mut() {
                    if let Some(begun) = flow.rows.last_mut() {
                        if std::mem::replace(begun, true) {
                            flow.text.push('\t');
                        }
                    }
                    flow.cells += 1;
                }
                if let Some(table) = open.tables.last_mut() {
                    table.cell();
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Open {
    /// Takes in characters between tags.
    fn put(&mut self, text: &str) {
        let wanted =
            matches!(self.kinds.last(), Some(Kind::Text { .. } | Kind::Instruction | Kind::Place));
        if wanted && self.skipped == 0 {
            self.value.push_str(text);
        }
    }
}

const XML_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];
