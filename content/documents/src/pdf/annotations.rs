//! What annotations and form fields show on a page (ISO 32000-1, 12.5 and 12.7): their appearance, in
//! the order in which they are listed, after the page's own content.
//!
//! Comments of readers and windows that open are not on the page. A text or choice field without an
//! appearance is shown by viewers all the same, and counts as its value; so do all of them where the
//! form says that appearances are to be made anew (`NeedAppearances`). A list shows its options, from
//! the first that is scrolled to, as many as have room.

use super::content::Pages;
use super::document::{Document, Page};
use super::matrix::Matrix;
use super::object::{Dict, Object};
use super::paint::path::corners;
use super::paint::raster::Rect;
use crate::budget::{Fault, Result};
use std::rc::Rc;

/// Most annotations of a page.
const MAX_ANNOTATIONS: usize = 10_000;
/// Longest chain of parents of a field.
const MAX_PARENTS: usize = 16;
/// Most bytes of a field's value.
const MAX_VALUE: usize = 1 << 16;
/// Size of the letters of a value without an appearance that states none, in points.
const VALUE_SIZE: f64 = 8.0;
/// Flag of a field whose value is shown as stars.
const PASSWORD: usize = 1 << 13;
/// Flag of a choice that shows one value, and no list.
const COMBO: usize = 1 << 17;
/// Most options of a list that are looked at, and how far apart they stand, in their size.
const MAX_OPTIONS: usize = 1_000;
const OPTION: f64 = 1.15;

/// Flags that keep an annotation off the screen.
const HIDDEN: usize = 1 << 1;
const NO_VIEW: usize = 1 << 5;

/// A form that only programs of its maker can draw.
pub(crate) fn refuse_dynamic_forms(document: &mut Document<'_>) -> Result<()> {
    let Some(catalog) = document.catalog_dict()? else { return Ok(()) };
    let form = document.get(&catalog, "AcroForm")?.dict().cloned().unwrap_or_default();
    let needed = document.get(&catalog, "NeedsRendering")? == Object::Bool(true);
    match needed && *form.get("XFA") != Object::Null {
        true => Err(Fault::DynamicForm),
        false => Ok(()),
    }
}

impl Pages<'_, '_> {
    /// Draws what a page's annotations show.
    pub(super) fn annotations(&mut self, page: &Page) -> Result<()> {
        let dict = self.document.page_dict(page)?;
        let listed = self.document.get(&dict, "Annots")?;
        let all = listed.array().unwrap_or_default();
        if all.len() > MAX_ANNOTATIONS {
            let what = "annotations on a page";
            return Err(Fault::TooMuch { what, limit: MAX_ANNOTATIONS as u64 });
        }
        let anew = self.makes_appearances_anew()?;
        for annotation in all {
            let Some(annotation) = self.document.resolve(annotation)?.dict().cloned() else {
                continue;
            };
            self.annotation(&annotation, anew)?;
        }
        Ok(())
    }

    /// Whether viewers are to make the appearances of fields anew.
    fn makes_appearances_anew(&mut self) -> Result<bool> {
        let Some(catalog) = self.document.catalog_dict()? else { return Ok(false) };
        let form = self.document.get(&catalog, "AcroForm")?.dict().cloned().unwrap_or_default();
        Ok(self.document.get(&form, "NeedAppearances")? == Object::Bool(true))
    }

    fn annotation(&mut self, annotation: &Dict, anew: bool) -> Result<()> {
        let flags = self.document.get(annotation, "F")?.index(u32::MAX as usize).unwrap_or(0);
        if self.document.get(annotation, "Subtype")?.is_name("Popup") {
            return Ok(());
        }
        let Some(rect) = self.document.rectangle(annotation, "Rect")? else { return Ok(()) };
        let membership = annotation.get("OC").clone();
        let off = membership != Object::Null && self.layers.is_off(self.document, &membership)?;
        let hidden = off || flags & (HIDDEN | NO_VIEW) != 0;
        self.hidden_layers += usize::from(hidden);
        let drawn = match self.appearance(annotation)? {
            Some(appearance) => match anew && self.field(annotation)?.is_made_anew() {
                true => self.value(annotation, rect),
                false => self.draw(&appearance, rect),
            },
            None => self.value(annotation, rect),
        };
        self.hidden_layers -= usize::from(hidden);
        drawn
    }

    /// The stream of an annotation's normal appearance, in its state.
    fn appearance(&mut self, annotation: &Dict) -> Result<Option<Object>> {
        let appearances = self.document.get(annotation, "AP")?.dict().cloned().unwrap_or_default();
        let normal = appearances.get("N").clone();
        if self.document.stream(&normal)?.is_some() {
            return Ok(Some(normal));
        }
        let Some(states) = self.document.resolve(&normal)?.dict().cloned() else { return Ok(None) };
        let state = self.document.get(annotation, "AS")?;
        let state = state.name().unwrap_or(b"Off").to_vec();
        self.document.budget.scan(states.len())?;
        let found = states.iter().find(|(name, _)| *name == state);
        Ok(Some(found.map_or(Object::Null, |(_, stream)| stream.clone())))
    }

    /// Draws an appearance where its box, transformed, fills the rectangle (algorithm 8.1).
    fn draw(&mut self, appearance: &Object, rect: Rect) -> Result<()> {
        let Some(stream) = self.document.stream(appearance)? else { return Ok(()) };
        let matrix = self.document.get(&stream.dict, "Matrix")?;
        let matrix = matrix.array().and_then(Matrix::from_objects).unwrap_or(Matrix::IDENTITY);
        let Some(Rect { left, bottom, right, top }) =
            self.document.rectangle(&stream.dict, "BBox")?
        else {
            return Ok(());
        };
        let bounds = Rect::around(&corners(&matrix, [left, bottom, right, top]));
        if bounds.is_empty() {
            return Ok(());
        }
        let (x, y) = (rect.width() / bounds.width(), rect.height() / bounds.height());
        let fit =
            Matrix([x, 0.0, 0.0, y, rect.left - bounds.left * x, rect.bottom - bounds.bottom * y]);
        let saved = self.state.clone();
        self.state.ctm = fit.then(&self.state.ctm);
        let drawn = self.run_form(appearance, &stream, &Rc::default(), 0);
        self.state = saved;
        drawn
    }

    /// What a field says of itself or takes from those that it is a part of.
    fn field(&mut self, annotation: &Dict) -> Result<Field> {
        let mut found = Field::default();
        let mut field = Rc::new(annotation.clone());
        for _ in 0..MAX_PARENTS {
            for (value, key) in [
                (&mut found.kind, "FT"),
                (&mut found.value, "V"),
                (&mut found.style, "DA"),
                (&mut found.flags, "Ff"),
                (&mut found.options, "Opt"),
                (&mut found.top, "TI"),
            ] {
                if *value == Object::Null {
                    *value = self.document.get(&field, key)?;
                }
            }
            let Some(parent) = self.document.get(&field, "Parent")?.dict().cloned() else { break };
            field = parent;
        }
        Ok(found)
    }

    /// An option of a list: what it is called in the file, and what it shows.
    fn option(&mut self, option: &Object) -> Result<Option<(Box<str>, Box<str>)>> {
        let option = self.document.resolve(option)?;
        let pair = match option.array() {
            Some([export, shown, ..]) => {
                (self.document.resolve(export)?, self.document.resolve(shown)?)
            }
            _ => (option.clone(), option),
        };
        Ok(pair.0.string().zip(pair.1.string()).map(|(export, shown)| {
            let text =
                |bytes: &[u8]| super::content::text_string(bytes.get(..MAX_VALUE).unwrap_or(bytes));
            (text(export), text(shown))
        }))
    }

    /// The lines that a field shows, and whether they are a list's.
    fn lines(&mut self, field: &Field) -> Result<(Vec<Box<str>>, bool)> {
        let text =
            |bytes: &[u8]| super::content::text_string(bytes.get(..MAX_VALUE).unwrap_or(bytes));
        let value = field.value.string().map(text);
        if !field.kind.is_name("Ch") {
            return Ok((value.into_iter().collect(), false));
        }
        let listed = field.options.array().unwrap_or_default();
        let list = field.flags() & COMBO == 0;
        let first = field.top.index(MAX_OPTIONS).filter(|_| list).unwrap_or(0);
        let mut lines = Vec::new();
        for option in listed.iter().skip(first).take(MAX_OPTIONS) {
            let Some((export, shown)) = self.option(option)? else { continue };
            match list {
                true => lines.push(shown),
                false if value.as_ref() == Some(&export) => return Ok((vec![shown], false)),
                false => {}
            }
        }
        match list && !lines.is_empty() {
            true => Ok((lines, true)),
            false => Ok((value.into_iter().collect(), false)),
        }
    }

    /// The value of a text or choice field without an appearance, as far as the rectangle has room.
    fn value(&mut self, annotation: &Dict, rect: Rect) -> Result<()> {
        let field = self.field(annotation)?;
        if !field.is_made_anew() || field.flags() & PASSWORD != 0 {
            return Ok(());
        }
        let (lines, list) = self.lines(&field)?;
        let saved = self.state.clone();
        // The default appearance says size and colour, by the operators of content.
        self.state.size = 0.0;
        if let Some(style) = field.style.string() {
            self.run(style.get(..MAX_VALUE).unwrap_or(style), &Rc::default(), 0)?;
        }
        // 0 means that the viewer chooses.
        let size = if self.state.size > 0.0 { self.state.size } else { VALUE_SIZE };
        // A letter takes at least half its size of the line, and lines are as high as letters.
        let letters = if size < 2.0 { 2.0 } else { size };
        let (step, height) = match list {
            true => (letters * OPTION, letters),
            false => (0.0, rect.height()),
        };
        let room = rect.width() * height / (letters * letters / 2.0);
        let fit = if list { rect.height() / step } else { 1.0 };
        for (place, text) in lines.iter().take(fit as usize).enumerate() {
            let text: String = text.chars().take(room.clamp(0.0, 1e6) as usize).collect();
            let bottom = match list {
                true => rect.bottom + rect.height() - step * (place as f64 + 1.0),
                false => rect.bottom,
            };
            let place = Matrix([size, 0.0, 0.0, size, rect.left, bottom]);
            let place = place.then(&self.state.ctm);
            self.show_value(&text, &place, rect.width())?;
        }
        self.state = saved;
        Ok(())
    }
}

/// Entries of a form field.
#[derive(Default)]
struct Field {
    kind: Object,
    value: Object,
    style: Object,
    flags: Object,
    options: Object,
    top: Object,
}

impl Field {
    fn flags(&self) -> usize {
        self.flags.index(u32::MAX as usize).unwrap_or(0)
    }

    /// Whether viewers make its appearance: fields of text and choices, not buttons and signatures.
    fn is_made_anew(&self) -> bool {
        self.kind.is_name("Tx") || self.kind.is_name("Ch")
    }
}
