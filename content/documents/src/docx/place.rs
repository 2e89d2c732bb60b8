//! Where a paragraph stands, and how much room there is for text.

use super::element::{FAR, FLAT};
use super::page::Claim;
use super::xml::{attribute, number};
use crate::budget::Result;
use crate::left_out::Hidden;
use quick_xml::events::BytesStart;

/// What a letter takes of its height squared: a quarter of a narrow one, since boxes that grow with
/// their text may be stated smaller than they are.
const LETTER: f64 = 0.05;

/// Room of a fixed size.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Room {
    /// Points by points; none is without an end.
    area: Option<f64>,
    taken: f64,
}

impl Room {
    pub(super) fn of(width: f64, height: f64) -> Self {
        Self { area: Some(width * height), taken: 0.0 }
    }

    /// Takes room for so many letters more of a size in half points, and says if there is none.
    pub(super) fn full(&mut self, letters: usize, size: i64) -> bool {
        let height = size as f64 / 2.0;
        self.taken += letters as f64 * LETTER * height * height;
        self.area.is_some_and(|area| self.taken > area)
    }
}

/// Properties of a paragraph that may put it where nobody sees it, as far as they are stated.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// Whether its lines are lower than letters.
    flat: Option<bool>,
    /// Whether an indent takes it off the page.
    far: Option<bool>,
    frame: Option<(Option<Hidden>, Room)>,
    /// Indents from the left and the right, and of the first line.
    indents: [Option<i64>; 3],
    /// Where its frame stands on the page.
    stands: Option<Claim>,
}

impl Place {
    /// Takes over a child of `pPr`.
    pub(super) fn read(&mut self, name: &str, element: &BytesStart<'_>) -> Result<()> {
        let far = |names: &[&str]| -> Result<bool> {
            for name in names {
                if number(element, name)?.is_some_and(|twips| twips.abs() >= FAR) {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        match name {
            "spacing" => {
                if let Some(line) = number(element, "line")? {
                    let exact = attribute(element, "lineRule")?.as_deref() == Some("exact");
                    self.flat = Some(exact && line < FLAT);
                }
            }
            "ind" => {
                let sides = ["left", "start", "right", "end", "firstLine", "hanging"];
                self.far = Some(far(&sides)?);
                let either = |one, other| -> Result<Option<i64>> {
                    Ok(number(element, one)?.or(number(element, other)?))
                };
                let hanging = number(element, "hanging")?.map(|twips| -twips);
                let stated = [
                    either("left", "start")?,
                    either("right", "end")?,
                    hanging.or(number(element, "firstLine")?),
                ];
                for (indent, stated) in self.indents.iter_mut().zip(stated) {
                    *indent = stated.or(*indent);
                }
            }
            "framePr" => {
                let exact = attribute(element, "hRule")?.as_deref() == Some("exact");
                let (width, height) = (number(element, "w")?, number(element, "h")?);
                let height = height.filter(|_| exact);
                let flat = [width, height].into_iter().flatten().any(|side| side < FLAT);
                let hidden = if far(&["x", "y"])? {
                    Some(Hidden::OffPage)
                } else {
                    flat.then_some(Hidden::Clipped)
                };
                let room = match (width, height) {
                    (Some(width), Some(height)) => {
                        Room::of(width as f64 / 20.0, height as f64 / 20.0)
                    }
                    _ => Room::default(),
                };
                self.frame = Some((hidden, room));
                let fixed = |anchor: &str| -> Result<bool> {
                    let anchor = attribute(element, anchor)?;
                    Ok(anchor.is_some_and(|from| matches!(from.as_str(), "page" | "margin")))
                };
                let x = number(element, "x")?.filter(|_| fixed("hAnchor").unwrap_or(false));
                let y = number(element, "y")?.filter(|_| fixed("vAnchor").unwrap_or(false));
                let size = [width.unwrap_or(FAR), height.unwrap_or(FAR)];
                self.stands = (x.is_some() || y.is_some()).then_some(Claim::At { x, y, size });
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn put(&mut self, over: &Self) {
        self.flat = over.flat.or(self.flat);
        self.far = over.far.or(self.far);
        self.frame = over.frame.or(self.frame);
        self.stands = over.stands.or(self.stands);
        for (indent, over) in self.indents.iter_mut().zip(over.indents) {
            *indent = over.or(*indent);
        }
    }

    pub(super) fn hidden(&self) -> Option<Hidden> {
        if let Some((Some(why), _)) = self.frame {
            return Some(why);
        }
        if self.far == Some(true) {
            return Some(Hidden::OffPage);
        }
        (self.flat == Some(true)).then_some(Hidden::Clipped)
    }

    /// What it says of the place of its text on the page.
    pub(super) fn claim(&self) -> Option<Claim> {
        let [left, right, first] = self.indents;
        let any = left.or(right).or(first).is_some();
        let [left, right, first] = self.indents.map(Option::unwrap_or_default);
        self.stands.or(any.then_some(Claim::Lines { left, right, first }))
    }

    /// The room of its frame.
    pub(super) fn room(&self) -> Room {
        self.frame.map_or_else(Room::default, |(_, room)| room)
    }
}
