//! What the elements of a Word document are, apart from those that hold text.

use super::look::{shading, Paint, Theme};
use super::place::{Place, Room};
use super::shape::Shape;
use super::styles::{Style, Styles};
use super::xml::{attribute, number, on, space, Space};
use crate::budget::Result;
use crate::left_out::Hidden;
use quick_xml::events::BytesStart;
use quick_xml::name::{QName, ResolveResult};
use quick_xml::NsReader;
use std::rc::Rc;

/// Twentieths of a point: further left or right than this is on no page.
pub(super) const FAR: i64 = 20_000;
/// Lines and rows of less than two points, in twentieths of one, show no letter.
pub(super) const FLAT: i64 = 40;

/// What an element means for the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Paragraph,
    ParagraphProperties,
    Run,
    RunProperties,
    Text {
        preserve: bool,
    },
    /// The code of a field.
    Instruction,
    Table,
    TableProperties,
    Row,
    RowProperties,
    Cell,
    CellProperties,
    TextBox,
    /// What Word passes over: elements of namespaces that it does not know, notes that nothing
    /// refers to.
    Unshown,
    /// Alternatives of which one is shown; whether one has been found.
    Alternatives {
        found: bool,
    },
    /// A formula that may not be shown.
    Phantom,
    /// Pages of a section.
    Section,
    Shape,
    ShapeProperties,
    Fill,
    Gradient,
    /// A colour whose changes are to be read.
    Colour,
    /// A number: where a shape is.
    Place,
    Skipped,
    Other,
}

/// What goes for the runs of a paragraph.
#[derive(Default)]
pub(super) struct Paragraph {
    pub(super) style: Rc<Style>,
    pub(super) ground: Option<Paint>,
    pub(super) place: Place,
    /// The room of its frame, once its properties are known.
    pub(super) room: Option<Room>,
    /// Where its text begins.
    pub(super) begins: usize,
    /// Whether it begins a page.
    pub(super) breaks: bool,
}

/// Takes over a child of `pPr`.
pub(super) fn paragraph_property(
    name: &str,
    element: &BytesStart<'_>,
    paragraph: &mut Paragraph,
    styles: &mut Styles,
) -> Result<()> {
    match name {
        "pStyle" => {
            paragraph.style = styles.style("paragraph", attribute(element, "val")?.as_deref());
        }
        "pageBreakBefore" => paragraph.breaks = on(element)?,
        "shd" => paragraph.ground = shading(element, &styles.theme)?.or(paragraph.ground),
        _ => paragraph.place.read(name, element)?,
    }
    Ok(())
}

/// What an element of markup compatibility is: of alternatives Word takes the first whose required
/// namespaces it knows, else the fallback.
pub(super) fn alternative(
    element: &BytesStart<'_>,
    reader: &NsReader<&[u8]>,
    kinds: &mut [Kind],
) -> Result<Kind> {
    let name = element.local_name();
    let shown = match name.as_ref() {
        "AlternateContent" => return Ok(Kind::Alternatives { found: false }),
        "Choice" => {
            let required = attribute(element, "Requires")?.unwrap_or_default();
            !required.trim().is_empty()
                && required.split_whitespace().all(|prefix| {
                    let named = format!("{prefix}:name");
                    match reader.resolver().resolve_element(QName(&named)).0 {
                        ResolveResult::Bound(name) => space(name.as_ref()) != Space::Other,
                        _ => false,
                    }
                })
        }
        "Fallback" => true,
        _ => return Ok(Kind::Other),
    };
    match kinds.last_mut() {
        Some(Kind::Alternatives { found }) if shown && !*found => {
            *found = true;
            Ok(Kind::Other)
        }
        _ => Ok(Kind::Skipped),
    }
}

/// What an element of a drawing is.
pub(super) fn shape_kind(
    space: Space,
    name: &str,
    element: &BytesStart<'_>,
    inside: Option<Kind>,
    shape: Option<&mut Shape>,
    theme: &Theme,
) -> Result<Kind> {
    let Some(shape) = shape else {
        let opens = match space {
            Space::Placed => matches!(name, "inline" | "anchor" | "wsp"),
            Space::Vml => Shape::is_vml(name),
            _ => false,
        };
        return Ok(if opens { Kind::Shape } else { Kind::Other });
    };
    Ok(match (space, name) {
        (Space::Placed, "inline" | "anchor" | "wsp") => Kind::Shape,
        (Space::Vml, name) if Shape::is_vml(name) => Kind::Shape,
        (Space::Placed, "spPr") => Kind::ShapeProperties,
        (Space::Placed, "posOffset") => Kind::Place,
        (Space::Placed, "extent") => {
            shape.extent(number(element, "cx")?, number(element, "cy")?);
            Kind::Other
        }
        (Space::Placed, "docPr") => {
            if attribute(element, "hidden")?
                .is_some_and(|value| matches!(value.as_str(), "1" | "true"))
            {
                shape.hidden = Some(Hidden::Vanished);
            }
            Kind::Other
        }
        // The theme's own styles of shapes are not looked up.
        (Space::Placed, "style") => {
            shape.styled();
            Kind::Other
        }
        // Outlines and effects have colours too.
        (Space::Drawing, "ln" | "effectLst") => Kind::Skipped,
        (Space::Drawing, "solidFill") if inside == Some(Kind::ShapeProperties) => Kind::Fill,
        (Space::Drawing, "noFill") if inside == Some(Kind::ShapeProperties) => {
            shape.fill(Paint::Auto);
            Kind::Other
        }
        (Space::Drawing, "gradFill") if inside == Some(Kind::ShapeProperties) => Kind::Gradient,
        (Space::Drawing, "gsLst" | "gs") if inside == Some(Kind::Gradient) => Kind::Gradient,
        (Space::Drawing, "blipFill" | "pattFill" | "grpFill")
            if inside == Some(Kind::ShapeProperties) =>
        {
            shape.fill(Paint::Unknown);
            Kind::Other
        }
        (Space::Drawing, "srgbClr" | "schemeClr")
            if matches!(inside, Some(Kind::Fill | Kind::Gradient)) =>
        {
            let value = attribute(element, "val")?.unwrap_or_default();
            let paint = if name == "srgbClr" {
                Paint::parse(&value)
            } else {
                theme.colour(&value).map(Paint::Rgb)
            };
            let paint = paint.unwrap_or(Paint::Unknown);
            // Stops are taken as they stand: what is changed differs from the next one anyway.
            if inside == Some(Kind::Gradient) {
                shape.stop(paint);
                Kind::Other
            } else {
                shape.fill(paint);
                Kind::Colour
            }
        }
        (Space::Drawing, name) if inside == Some(Kind::Colour) => {
            if let Some(part) = number(element, "val")? {
                shape.change(name, part);
            }
            Kind::Other
        }
        (Space::Vml, "fill") => {
            shape.vml_fill(element)?;
            Kind::Other
        }
        (Space::Vml, "imagedata") => {
            shape.wrapped();
            Kind::Other
        }
        (Space::Drawing, "fillRef") => {
            if number(element, "idx")? == Some(0) {
                shape.unfilled();
            }
            Kind::Other
        }
        (Space::Placed, "wrapNone") => {
            shape.unwrapped();
            Kind::Other
        }
        (Space::Placed, "positionH" | "positionV") => {
            shape.offset_from(name == "positionV", attribute(element, "relativeFrom")?);
            Kind::Other
        }
        _ => Kind::Other,
    })
}
