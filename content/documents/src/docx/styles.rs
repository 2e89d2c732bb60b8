//! Styles, theme and settings of a Word document, as far as they decide what is seen.

use super::fonts::Fonts;
use super::look::{shading, Look, Paint, Theme};
use super::place::Place;
use super::xml::{attribute, broken, doctype, on, space, text_of, Space};
use crate::budget::{Budget, Fault, Result};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::NsReader;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Longest chain of styles based on one another; Word allows ten.
const MAX_CHAIN: usize = 32;
/// Most styles; Word's templates have some four hundred.
const MAX_STYLES: usize = 20_000;

/// The parts of tables that a style tells apart, from the weakest on.
pub(super) const PARTS: [&str; 13] = [
    "wholeTable",
    "band1Vert",
    "band2Vert",
    "band1Horz",
    "band2Horz",
    "firstCol",
    "lastCol",
    "firstRow",
    "lastRow",
    "neCell",
    "nwCell",
    "seCell",
    "swCell",
];

/// What a style states, with what it is based on.
#[derive(Clone, Debug, Default)]
pub(super) struct Style {
    pub(super) run: Look,
    /// The ground of its paragraphs or cells.
    pub(super) ground: Option<Paint>,
    pub(super) place: Place,
    /// Of a table style: what it states for its first row, bands and so on.
    pub(super) parts: BTreeMap<String, (Look, Option<Paint>)>,
}

#[derive(Default)]
struct Stated {
    style: Style,
    based_on: Option<String>,
}

/// All styles.
#[derive(Default)]
pub(super) struct Styles {
    stated: BTreeMap<String, Stated>,
    /// What the document's defaults state.
    pub(super) defaults: Look,
    pub(super) place: Place,
    /// The style of a kind (`paragraph`, `character`, `table`) that says none.
    usual: BTreeMap<String, String>,
    made: BTreeMap<String, Rc<Style>>,
    pub(super) theme: Theme,
    pub(super) fonts: Fonts,
    /// Whether the page's background is shown.
    pub(super) background: bool,
}

/// Goes through a part's elements with the names of those that are open.
pub(super) fn elements(
    xml: &[u8],
    budget: &mut Budget,
    mut visit: impl FnMut(Space, &BytesStart<'_>, &[String]) -> Result<()>,
) -> Result<()> {
    const MAX_DEPTH: usize = 64;
    budget.scan(xml.len())?;
    let xml = text_of(xml)?;
    let mut reader = NsReader::from_str(&xml);
    let mut open: Vec<String> = Vec::new();
    loop {
        let (bound, event) = reader.read_resolved_event().map_err(broken)?;
        let space = match bound {
            ResolveResult::Bound(name) => space(name.as_ref()),
            _ => Space::Other,
        };
        match event {
            Event::Start(element) => {
                if open.len() >= MAX_DEPTH {
                    let limit = MAX_DEPTH as u64;
                    return Err(Fault::TooMuch { what: "levels of XML elements", limit });
                }
                visit(space, &element, &open)?;
                open.push(element.local_name().as_ref().to_owned());
            }
            Event::Empty(element) => visit(space, &element, &open)?,
            Event::End(_) => drop(open.pop()),
            Event::DocType(_) => return Err(doctype()),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

impl Styles {
    /// Reads the colours of a theme.
    pub(super) fn read_theme(&mut self, xml: &[u8], budget: &mut Budget) -> Result<()> {
        let Theme { colours, fonts, .. } = &mut self.theme;
        elements(xml, budget, |space, element, open| {
            let name = element.local_name();
            if let ([.., scheme], "latin" | "ea" | "cs", Space::Drawing) =
                (open, name.as_ref(), space)
            {
                let which = scheme.strip_suffix("Font").filter(|which| which.len() == 5);
                let font = attribute(element, "typeface")?.filter(|font| !font.is_empty());
                if let (Some(which), Some(font)) = (which, font) {
                    let font: Rc<str> = font.to_lowercase().into();
                    let slots: &[&str] = match name.as_ref() {
                        "latin" => &["Ascii", "HAnsi"],
                        "ea" => &["EastAsia"],
                        _ => &["Bidi"],
                    };
                    for slot in slots {
                        fonts.insert(format!("{which}{slot}"), Rc::clone(&font));
                    }
                }
            }
            let value = match name.as_ref() {
                "srgbClr" => attribute(element, "val")?,
                "sysClr" => attribute(element, "lastClr")?,
                _ => None,
            };
            if let ([.., scheme, colour], Some(value)) = (open, value) {
                if let (Space::Drawing, "clrScheme", Some(Paint::Rgb(rgb))) =
                    (space, scheme.as_str(), Paint::parse(&value))
                {
                    colours.insert(colour.clone(), rgb);
                }
            }
            Ok(())
        })
    }

    /// Reads the settings.
    pub(super) fn read_settings(&mut self, xml: &[u8], budget: &mut Budget) -> Result<()> {
        elements(xml, budget, |space, element, _| {
            match element.local_name().as_ref() {
                "clrSchemeMapping" if space == Space::Word => {
                    for key in ["bg1", "t1", "bg2", "t2"] {
                        if let Some(to) = attribute(element, key)? {
                            self.theme.mapped.insert(key.to_owned(), to);
                        }
                    }
                }
                "displayBackgroundShape" if space == Space::Word => self.background = on(element)?,
                _ => {}
            }
            Ok(())
        })
    }

    /// Reads the styles; theme and settings have to be there.
    pub(super) fn read(&mut self, xml: &[u8], budget: &mut Budget) -> Result<()> {
        let theme = self.theme.clone();
        let mut id = String::new();
        let mut part: Option<String> = None;
        elements(xml, budget, |space, element, open| {
            let name = element.local_name();
            let open: Vec<&str> = open.iter().map(String::as_str).collect();
            match (space, name.as_ref(), open.as_slice()) {
                (Space::Word, "style", ["styles"]) => {
                    id = attribute(element, "styleId")?.unwrap_or_default();
                    part = None;
                    let is_default = attribute(element, "default")?;
                    if is_default.is_some_and(|value| !matches!(value.as_str(), "0" | "false")) {
                        let kind = attribute(element, "type")?.unwrap_or_default();
                        self.usual.entry(kind).or_insert_with(|| id.clone());
                    }
                    if self.stated.len() >= MAX_STYLES {
                        let limit = MAX_STYLES as u64;
                        return Err(Fault::TooMuch { what: "styles", limit });
                    }
                    self.stated.insert(id.clone(), Stated::default());
                    return Ok(());
                }
                (Space::Word, "tblStylePr", ["styles", "style"]) => {
                    // Others are none, and would only take memory.
                    part =
                        attribute(element, "type")?.filter(|name| PARTS.contains(&name.as_str()));
                    return Ok(());
                }
                (Space::Word, name, ["styles", "docDefaults", "pPrDefault", "pPr"]) => {
                    return self.place.read(name, element);
                }
                (
                    Space::Word | Space::Word2010,
                    _,
                    ["styles", "docDefaults", "rPrDefault", "rPr", ..],
                ) => {
                    return self.defaults.read(space, element, &theme);
                }
                _ => {}
            }
            let Some(stated) = self.stated.get_mut(&id) else { return Ok(()) };
            let style = &mut stated.style;
            match (name.as_ref(), open.as_slice()) {
                ("basedOn", ["styles", "style"]) => stated.based_on = attribute(element, "val")?,
                (_, ["styles", "style", "rPr", ..]) => style.run.read(space, element, &theme)?,
                ("shd", ["styles", "style", "pPr" | "tcPr"]) => {
                    style.ground = shading(element, &theme)?.or(style.ground);
                }
                (name, ["styles", "style", "pPr"]) => style.place.read(name, element)?,
                (_, ["styles", "style", "tblStylePr", inside, ..]) => {
                    let Some(key) = part.clone() else { return Ok(()) };
                    let (run, ground) = style.parts.entry(key).or_default();
                    match (name.as_ref(), *inside) {
                        (_, "rPr") => run.read(space, element, &theme)?,
                        ("shd", "tcPr" | "pPr") => *ground = shading(element, &theme)?.or(*ground),
                        _ => {}
                    }
                }
                _ => {}
            }
            Ok(())
        })
    }

    /// A style with what it is based on, the usual one of its kind if none is named.
    pub(super) fn style(&mut self, kind: &str, id: Option<&str>) -> Rc<Style> {
        // A style that is not there is the usual one.
        let id = id.filter(|id| self.stated.contains_key(*id));
        let Some(id) = id.or_else(|| self.usual.get(kind).map(String::as_str)) else {
            return Rc::default();
        };
        if let Some(made) = self.made.get(id) {
            return Rc::clone(made);
        }
        let mut chain = Vec::new();
        let mut next = Some(id.to_owned());
        while let Some(stated) = next.as_ref().and_then(|id| self.stated.get(id)) {
            if chain.len() >= MAX_CHAIN {
                break;
            }
            chain.push(stated);
            next = stated.based_on.clone();
        }
        let mut made = Style::default();
        for stated in chain.into_iter().rev() {
            let style = &stated.style;
            made.run.put(&style.run);
            made.run.vanish = style.run.vanish.or(made.run.vanish);
            made.ground = style.ground.or(made.ground);
            made.place.put(&style.place);
            for (part, (run, ground)) in &style.parts {
                let (made_run, made_ground) = made.parts.entry(part.clone()).or_default();
                made_run.put(run);
                made_run.vanish = run.vanish.or(made_run.vanish);
                *made_ground = ground.or(*made_ground);
            }
        }
        let made = Rc::new(made);
        self.made.insert(id.to_owned(), Rc::clone(&made));
        made
    }
}
