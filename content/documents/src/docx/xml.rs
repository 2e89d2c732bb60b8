//! XML of Office documents: elements with their attributes, without entities of their own.

use crate::budget::{damaged, Fault, Result};
use quick_xml::events::BytesStart;
use std::borrow::Cow;

const WORD: [&str; 2] = [
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
];
const WORD_2010: &str = "http://schemas.microsoft.com/office/word/2010/wordml";
const MATH: [&str; 2] = [
    "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "http://purl.oclc.org/ooxml/officeDocument/math",
];
const COMPATIBILITY: &str = "http://schemas.openxmlformats.org/markup-compatibility/2006";
const PLACED: [&str; 3] = [
    "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
    "http://purl.oclc.org/ooxml/drawingml/wordprocessingDrawing",
    "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
];
const DRAWING: [&str; 2] = [
    "http://schemas.openxmlformats.org/drawingml/2006/main",
    "http://purl.oclc.org/ooxml/drawingml/main",
];
const VML: &str = "urn:schemas-microsoft-com:vml";

/// Namespaces beside those above that Word knows, so that it takes a choice that requires one.
const KNOWN: [&str; 16] = [
    "http://schemas.microsoft.com/office/word/2012/wordml",
    "http://schemas.microsoft.com/office/word/2015/wordml/symex",
    "http://schemas.microsoft.com/office/word/2016/wordml/cid",
    "http://schemas.microsoft.com/office/word/2018/wordml",
    "http://schemas.microsoft.com/office/word/2018/wordml/cex",
    "http://schemas.microsoft.com/office/word/2010/wordprocessingDrawing",
    "http://schemas.microsoft.com/office/word/2010/wordprocessingGroup",
    "http://schemas.microsoft.com/office/word/2010/wordprocessingCanvas",
    "http://schemas.microsoft.com/office/word/2010/wordprocessingInk",
    "http://schemas.microsoft.com/office/drawing/2010/main",
    "http://schemas.microsoft.com/office/drawing/2014/chartex",
    "http://schemas.microsoft.com/office/drawing/2016/ink",
    "http://schemas.microsoft.com/office/drawing/2017/model3d",
    "http://schemas.openxmlformats.org/drawingml/2006/picture",
    "http://schemas.openxmlformats.org/drawingml/2006/chart",
    "urn:schemas-microsoft-com:office:office",
];

/// What a namespace is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    Word,
    Word2010,
    Math,
    Compatibility,
    /// Drawings placed in Word, and shapes of Word.
    Placed,
    Drawing,
    Vml,
    Known,
    Other,
}

pub(super) fn space(name: &str) -> Space {
    match name {
        _ if WORD.contains(&name) => Space::Word,
        WORD_2010 => Space::Word2010,
        _ if MATH.contains(&name) => Space::Math,
        COMPATIBILITY => Space::Compatibility,
        _ if PLACED.contains(&name) => Space::Placed,
        _ if DRAWING.contains(&name) => Space::Drawing,
        VML => Space::Vml,
        _ if KNOWN.contains(&name) => Space::Known,
        _ => Space::Other,
    }
}

pub(super) fn broken(error: quick_xml::Error) -> Fault {
    damaged(format!("its XML is broken: {error}"))
}

pub(super) fn doctype() -> Fault {
    damaged("its XML declares a document type, which Office documents never do")
}

/// A part as text: UTF-8, or UTF-16 with the byte order mark that XML asks for then.
pub(super) fn text_of(xml: &[u8]) -> Result<Cow<'_, str>> {
    let units: fn([u8; 2]) -> u16 = match xml.get(..2) {
        Some([0xff, 0xfe]) => u16::from_le_bytes,
        Some([0xfe, 0xff]) => u16::from_be_bytes,
        _ => {
            let text = std::str::from_utf8(xml).map_err(|_| damaged("its XML is not UTF-8"))?;
            return Ok(Cow::Borrowed(text));
        }
    };
    let (pairs, rest) = xml.get(2..).unwrap_or_default().as_chunks::<2>();
    let text: std::result::Result<String, _> =
        char::decode_utf16(pairs.iter().map(|pair| units(*pair))).collect();
    match text {
        Ok(text) if rest.is_empty() => Ok(Cow::Owned(text)),
        _ => Err(damaged("its XML begins as UTF-16 and is not")),
    }
}

/// The value of an attribute by its local name, unescaped.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>> {
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
pub(super) fn on(element: &BytesStart<'_>) -> Result<bool> {
    Ok(!matches!(attribute(element, "val")?.as_deref(), Some("0" | "false" | "off")))
}

/// A number in an attribute; units that Word may write (`pt`) end it.
pub(super) fn number(element: &BytesStart<'_>, name: &str) -> Result<Option<i64>> {
    Ok(attribute(element, name)?.and_then(|value| {
        let value = value.trim();
        let end =
            value.char_indices().find(|(at, c)| !(c.is_ascii_digit() || *at == 0 && *c == '-'));
        value.get(..end.map_or(value.len(), |(at, _)| at))?.parse().ok()
    }))
}
