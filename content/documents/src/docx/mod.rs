//! The text of a Word document (ECMA-376, WordprocessingML).
//!
//! * Every paragraph is a line; a line break is a line end, a tab a tab.
//! * Cells of a table row are separated by tabs, paragraphs inside a cell by spaces.
//! * The text of a text box follows the paragraph it is anchored in.
//! * Footnotes and endnotes follow the body, in the order of their parts.
//! * Not read: deleted and moved-away text, field codes, comments, headers and footers, pictures,
//!   labels of lists, embedded files, the alternatives that Word does not show.
//! * Left out and counted: what nobody sees ([`body`], [`look`]).

mod body;
mod element;
mod fonts;
mod look;
mod page;
mod place;
mod shape;
mod styles;
mod symbol;
mod table;
mod xml;

use crate::budget::{damaged, Budget, Extracted, Fault, Result};
use crate::canonical::MAX_HIDDEN_UNITS;
use crate::zip::Zip;
use body::Output;
use quick_xml::events::Event;
use quick_xml::NsReader;
use std::collections::BTreeMap;
use styles::Styles;
use xml::{attribute, broken, doctype, text_of};

/// Most bytes of one part's XML.
const MAX_XML: usize = 20 << 20;

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
    let main = related(&zip, "", "officeDocument", &mut budget)?
        .unwrap_or_else(|| "word/document.xml".to_owned());
    let mut styles = Styles::default();
    let part = |kind: &str, usual: &str, budget: &mut Budget| -> Result<Option<Vec<u8>>> {
        let name = related(&zip, &main, kind, budget)?;
        zip.read(&name.unwrap_or_else(|| sibling(&main, usual)), MAX_XML, budget)
    };
    if let Some(xml) = part("theme", "theme/theme1.xml", &mut budget)? {
        styles.read_theme(&xml, &mut budget)?;
    }
    if let Some(xml) = part("settings", "settings.xml", &mut budget)? {
        styles.read_settings(&xml, &mut budget)?;
    }
    if let Some(xml) = part("styles", "styles.xml", &mut budget)? {
        styles.read(&xml, &mut budget)?;
    }
    let table = related(&zip, &main, "fontTable", &mut budget)?;
    let table = table.unwrap_or_else(|| sibling(&main, "fontTable.xml"));
    if let Some(xml) = zip.read(&table, MAX_XML, &mut budget)? {
        let targets = targets(&zip, &table, &mut budget)?;
        styles.fonts = fonts::Fonts::read(&xml, &targets, &zip, &mut budget)?;
    }
    let notes = [
        part("footnotes", "footnotes.xml", &mut budget)?,
        part("endnotes", "endnotes.xml", &mut budget)?,
    ];
    let mut out = Output::new(styles);
    match zip.read(&main, MAX_XML, &mut budget)? {
        Some(xml) => out.part(&xml)?,
        None => return Err(damaged(format!("there is no {main} in it"))),
    }
    for xml in notes.into_iter().flatten() {
        out.part(&xml)?;
    }
    let text = out.text.trim_matches('\n');
    // With much hidden text in it the file is refused for that.
    if text.trim().is_empty() && out.left_out.hidden() <= MAX_HIDDEN_UNITS {
        return Err(Fault::NoText);
    }
    Ok(Extracted { text: format!("{text}\n"), left_out: out.left_out })
}

/// The name of a part beside another.
fn sibling(part: &str, name: &str) -> String {
    let folder = part.rfind('/').map_or("", |slash| part.get(..=slash).unwrap_or_default());
    format!("{folder}{name}")
}

/// Name of the part that another one (the package, if it has no name) has such a relationship to.
fn related(zip: &Zip<'_>, of: &str, kind: &str, budget: &mut Budget) -> Result<Option<String>> {
    let file = of.rfind('/').map_or(of, |slash| of.get(slash + 1..).unwrap_or_default());
    let relationships = sibling(of, &format!("_rels/{file}.rels"));
    let Some(xml) = zip.read(&relationships, 1 << 20, budget)? else { return Ok(None) };
    let xml = text_of(&xml)?;
    let mut reader = NsReader::from_str(&xml);
    loop {
        match reader.read_event().map_err(broken)? {
            Event::Eof => return Ok(None),
            Event::DocType(_) => return Err(doctype()),
            Event::Start(element) | Event::Empty(element) => {
                let found = attribute(&element, "Type")?.unwrap_or_default();
                if found.rsplit('/').next() == Some(kind) && found.contains("/relationships/") {
                    let target = attribute(&element, "Target")?.unwrap_or_default();
                    return Ok(Some(match target.strip_prefix('/') {
                        Some(absolute) => absolute.to_owned(),
                        None => resolved(of, &target),
                    }));
                }
            }
            _ => {}
        }
    }
}

/// The parts that another one has relationships to, by their identifiers.
fn targets(zip: &Zip<'_>, of: &str, budget: &mut Budget) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let file = of.rfind('/').map_or(of, |slash| of.get(slash + 1..).unwrap_or_default());
    let relationships = sibling(of, &format!("_rels/{file}.rels"));
    let Some(xml) = zip.read(&relationships, 1 << 20, budget)? else { return Ok(found) };
    let xml = text_of(&xml)?;
    let mut reader = NsReader::from_str(&xml);
    loop {
        match reader.read_event().map_err(broken)? {
            Event::Eof => return Ok(found),
            Event::DocType(_) => return Err(doctype()),
            Event::Start(element) | Event::Empty(element) => {
                let id = attribute(&element, "Id")?;
                if let Some((id, target)) = id.zip(attribute(&element, "Target")?) {
                    let target = match target.strip_prefix('/') {
                        Some(absolute) => absolute.to_owned(),
                        None => resolved(of, &target),
                    };
                    found.insert(id, target);
                }
            }
            _ => {}
        }
    }
}

/// A target as a path in the package: relative to the part that names it.
fn resolved(of: &str, target: &str) -> String {
    let path = sibling(of, target);
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            other => names.push(other),
        }
    }
    names.join("/")
}
