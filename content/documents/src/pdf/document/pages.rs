//! A document's pages, in the order of the page tree.

use super::super::object::{Dict, Object};
use super::super::paint::raster::Rect;
use super::{Document, MAX_OBJECTS};
use crate::budget::{Fault, Result};
use std::collections::BTreeSet;
use std::rc::Rc;

/// Most pages.
const MAX_PAGES: usize = 10_000;
/// Deepest page tree.
const MAX_TREE: usize = 64;

/// One page, by the numbers of objects: what they hold is read when its turn comes, so that many
/// pages cost no memory.
pub(crate) struct Page {
    number: u32,
    /// The node of the page tree whose resources it has.
    owner: u32,
    /// Quarter turns clockwise at which it is shown.
    pub(crate) turns: u8,
    /// What of the plane is shown, before it is turned.
    pub(crate) shown: Rect,
    media: Option<Rect>,
    crop: Option<Rect>,
    /// Points of one unit.
    pub(crate) unit: f64,
}

/// What a page without a box shows.
const LETTER: Rect = Rect { left: 0.0, bottom: 0.0, right: 612.0, top: 792.0 };

impl Page {
    fn new(number: u32) -> Self {
        Self { number, owner: number, turns: 0, shown: LETTER, media: None, crop: None, unit: 1.0 }
    }
}
impl Document<'_> {
    /// A rectangle of a dictionary, its corners in any order.
    pub(crate) fn rectangle(&mut self, dict: &Dict, key: &str) -> Result<Option<Rect>> {
        let list = self.get(dict, key)?;
        let mut sides = [0.0; 4];
        for (place, side) in sides.iter_mut().enumerate() {
            let Some(item) = list.array().and_then(|list| list.get(place)) else { return Ok(None) };
            let Some(number) = self.resolve(item)?.number() else { return Ok(None) };
            *side = number;
        }
        let [x0, y0, x1, y1] = sides;
        let rect = Rect::around(&[(x0, y0), (x1, y1)]);
        Ok((!rect.is_empty()).then_some(rect))
    }

    /// What a page draws, and with which resources.
    pub(crate) fn page(&mut self, page: &Page) -> Result<(Object, Rc<Dict>)> {
        let own = self.resolve(&Object::Ref(page.number))?.dict().cloned().unwrap_or_default();
        let owner = self.resolve(&Object::Ref(page.owner))?.dict().cloned().unwrap_or_default();
        let resources = self.get(&owner, "Resources")?.dict().cloned().unwrap_or_default();
        Ok((own.get("Contents").clone(), resources))
    }

    /// A page's own dictionary.
    pub(crate) fn page_dict(&mut self, page: &Page) -> Result<Rc<Dict>> {
        Ok(self.resolve(&Object::Ref(page.number))?.dict().cloned().unwrap_or_default())
    }

    /// The pages in order.
    pub(crate) fn pages(&mut self) -> Result<Vec<Page>> {
        let root = self.root.clone();
        let catalog = self.resolve(&root)?.dict().cloned().unwrap_or_default();
        let mut pages = Vec::new();
        let mut seen = BTreeSet::new();
        let mut open = Vec::new();
        if let Object::Ref(number) = catalog.get("Pages") {
            open.push((Page::new(*number), 0));
        }
        while let Some((node, depth)) = open.pop() {
            // A loop leads back to a node that has been seen.
            if !seen.insert(node.number) {
                continue;
            }
            let Some(dict) = self.resolve(&Object::Ref(node.number))?.dict().cloned() else {
                continue;
            };
            let has_own = *dict.get("Resources") != Object::Null;
            let owner = if has_own { node.number } else { node.owner };
            let turns = match self.get(&dict, "Rotate")?.number() {
                Some(degrees) => ((degrees / 90.0) as i64).rem_euclid(4) as u8,
                None => node.turns,
            };
            let media = self.rectangle(&dict, "MediaBox")?.or(node.media);
            let crop = self.rectangle(&dict, "CropBox")?.or(node.crop);
            match self.get(&dict, "Kids")? {
                Object::Array(kids) if !dict.get("Type").is_name("Page") => {
                    if depth == MAX_TREE {
                        return Err(Fault::TooMuch {
                            what: "levels of pages",
                            limit: MAX_TREE as u64,
                        });
                    }
                    for kid in kids.iter().rev() {
                        // Kids are references (7.7.3.2).
                        if let Object::Ref(number) = kid {
                            let page = Page { owner, turns, media, crop, ..Page::new(*number) };
                            open.push((page, depth + 1));
                        }
                    }
                    if open.len() > MAX_OBJECTS {
                        return Err(Fault::TooMuch { what: "pages", limit: MAX_PAGES as u64 });
                    }
                }
                _ => {
                    if pages.len() == MAX_PAGES {
                        return Err(Fault::TooMuch { what: "pages", limit: MAX_PAGES as u64 });
                    }
                    let media = media.unwrap_or(LETTER);
                    let shown = crop.map_or(media, |crop| crop.intersection(&media));
                    let shown = if shown.is_empty() { media } else { shown };
                    let unit = self.get(&dict, "UserUnit")?.number().unwrap_or(1.0);
                    let unit = if unit > 0.0 && unit.is_finite() { unit } else { 1.0 };
                    pages.push(Page { owner, turns, shown, unit, ..node });
                }
            }
        }
        Ok(pages)
    }
}
