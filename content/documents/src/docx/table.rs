//! Tables: which of their rows and cells are seen, and what their style makes of them.

use super::element::{FAR, FLAT};
use super::look::{shading, Look, Paint};
use super::page::Claim;
use super::place::Room;
use super::styles::{Style, Styles, PARTS};
use super::xml::{attribute, number, on};
use crate::budget::Result;
use crate::left_out::Hidden;
use quick_xml::events::BytesStart;
use std::rc::Rc;

/// Points that a row may be wide.
const WIDE: f64 = 1_000.0;

/// A table that is being read, at one of its cells.
pub(super) struct Table {
    style: Rc<Style>,
    /// First row, last row, first column, last column, no bands of rows, no bands of columns.
    special: [bool; 6],
    row: usize,
    column: usize,
    in_cell: bool,
    /// The parts of the style that the row and the cell say they are (`cnfStyle`).
    row_is: u16,
    cell_is: u16,
    ground: Option<Paint>,
    cell_ground: Option<Paint>,
    /// Why the table, the row, the cell is not seen.
    hidden: [Option<Hidden>; 3],
    /// The room of a row of a fixed height.
    pub(super) room: Room,
    /// Where its text begins, and where it stands on the page.
    pub(super) begins: usize,
    /// What its columns take together.
    width: i64,
    pub(super) place: Option<Claim>,
}

/// Bits of `cnfStyle` from the left, as parts of a style.
const CONDITIONS: [&str; 12] = [
    "firstRow",
    "lastRow",
    "firstCol",
    "lastCol",
    "band1Vert",
    "band2Vert",
    "band1Horz",
    "band2Horz",
    "neCell",
    "nwCell",
    "seCell",
    "swCell",
];

impl Table {
    pub(super) fn new(style: Rc<Style>) -> Self {
        Self {
            style,
            special: [false; 6],
            row: 0,
            column: 0,
            in_cell: false,
            row_is: 0,
            cell_is: 0,
            ground: None,
            cell_ground: None,
            hidden: [None; 3],
            room: Room::default(),
            begins: 0,
            width: 0,
            place: None,
        }
    }

    /// Whether none of its rows has begun.
    pub(super) fn first(&self) -> bool {
        self.row == 0
    }

    /// A column more, of so many twentieths of a point.
    pub(super) fn widen(&mut self, column: i64) {
        self.width = self.width.saturating_add(column.max(0));
    }

    /// What its place says of the text in it.
    pub(super) fn claim(&self) -> Option<Claim> {
        match self.place? {
            Claim::At { x, y, size: [_, down] } if self.width > 0 => {
                Some(Claim::At { x, y, size: [self.width, down] })
            }
            claim => Some(claim),
        }
    }

    /// That its text is not seen.
    pub(super) fn hide(&mut self, why: Hidden) {
        self.hidden[0] = Some(why);
    }

    pub(super) fn row(&mut self) {
        self.row += 1;
        self.column = 0;
        self.row_is = 0;
        self.hidden[1] = None;
        self.hidden[2] = None;
        self.room = Room::default();
    }

    pub(super) fn cell(&mut self) {
        self.column += 1;
        self.cell_is = 0;
        self.cell_ground = None;
        self.in_cell = true;
        self.hidden[2] = None;
    }

    pub(super) fn end_cell(&mut self) {
        self.in_cell = false;
        self.hidden[2] = None;
        self.cell_ground = None;
    }

    pub(super) fn hidden(&self) -> Option<Hidden> {
        self.hidden.into_iter().flatten().next()
    }

    /// Takes over a child of `tblPr`, `trPr` or `tcPr`.
    pub(super) fn property(
        &mut self,
        name: &str,
        element: &BytesStart<'_>,
        styles: &mut Styles,
    ) -> Result<()> {
        match name {
            "tblStyle" => {
                self.style = styles.style("table", attribute(element, "val")?.as_deref());
            }
            "tblLook" => {
                let bits =
                    attribute(element, "val")?.and_then(|v| u16::from_str_radix(&v, 16).ok());
                let names =
                    ["firstRow", "lastRow", "firstColumn", "lastColumn", "noHBand", "noVBand"];
                let masks = [0x20, 0x40, 0x80, 0x100, 0x200, 0x400];
                for ((set, name), mask) in self.special.iter_mut().zip(names).zip(masks) {
                    *set = match attribute(element, name)? {
                        Some(value) => matches!(value.as_str(), "1" | "true" | "on"),
                        None => bits.is_some_and(|bits| bits & mask != 0),
                    };
                }
            }
            "tblpPr" => {
                let at = |place, anchor| -> Result<Option<i64>> {
                    let from = attribute(element, anchor)?;
                    let fixed = from.is_some_and(|from| matches!(from.as_str(), "page" | "margin"));
                    Ok(number(element, place)?.filter(|_| fixed))
                };
                for place in ["tblpX", "tblpY"] {
                    if number(element, place)?.is_some_and(|twips| twips.abs() >= FAR) {
                        self.hidden[0] = Some(Hidden::OffPage);
                    }
                }
                let (x, y) = (at("tblpX", "horzAnchor")?, at("tblpY", "vertAnchor")?);
                // As wide as it needs to be: only what begins beyond the page is known to lie there.
                let size = [FAR, FAR];
                self.place = (x.is_some() || y.is_some()).then_some(Claim::At { x, y, size });
            }
            "tblInd" => {
                if let Some(left) = number(element, "w")? {
                    if left.abs() >= FAR {
                        self.hidden[0] = Some(Hidden::OffPage);
                    }
                    self.place = Some(Claim::At { x: Some(left), y: None, size: [FAR, FAR] });
                }
            }
            "hidden" if on(element)? => self.hidden[1] = Some(Hidden::Vanished),
            "trHeight" => {
                let exact = attribute(element, "hRule")?.as_deref() == Some("exact");
                if let (true, Some(height)) = (exact, number(element, "val")?) {
                    self.room = Room::of(WIDE, height as f64 / 20.0);
                    if height < FLAT {
                        self.hidden[1] = Some(Hidden::Clipped);
                    }
                }
            }
            // What is in a cell that another one has taken in.
            "vMerge" | "hMerge" if attribute(element, "val")?.as_deref() != Some("restart") => {
                self.hidden[2] = Some(Hidden::Covered);
            }
            "cnfStyle" => {
                let value = attribute(element, "val")?.unwrap_or_default();
                let bits = u16::from_str_radix(&value, 2).unwrap_or(0);
                *(if self.in_cell { &mut self.cell_is } else { &mut self.row_is }) = bits;
            }
            "shd" if self.in_cell => self.cell_ground = shading(element, &styles.theme)?,
            "shd" => self.ground = shading(element, &styles.theme)?,
            _ => {}
        }
        Ok(())
    }

    /// Whether a part of the style goes for this cell.
    fn is(&self, part: &str) -> bool {
        let [first_row, last_row, first_column, last_column, no_rows, no_columns] = self.special;
        let said = |part: &str| {
            let bit = CONDITIONS.iter().position(|name| *name == part).map_or(0, |at| 11 - at);
            (self.row_is | self.cell_is) >> bit & 1 == 1
        };
        // Bands are counted from the first row or column that is none of those.
        let row = self.row - usize::from(first_row && self.row > 0);
        let column = self.column - usize::from(first_column && self.column > 0);
        let body = !(first_row && self.row == 1);
        match part {
            "wholeTable" => true,
            "firstRow" => first_row && self.row == 1,
            "firstCol" => first_column && self.column == 1,
            "lastRow" => last_row && said(part),
            "lastCol" => last_column && said(part),
            "band1Horz" => !no_rows && body && !row.is_multiple_of(2),
            "band2Horz" => !no_rows && body && row.is_multiple_of(2),
            "band1Vert" => !no_columns && !column.is_multiple_of(2),
            "band2Vert" => !no_columns && column.is_multiple_of(2),
            "nwCell" => first_row && first_column && self.row == 1 && self.column == 1,
            corner => said(corner),
        }
    }

    /// What the style states for the runs of this cell.
    pub(super) fn look(&self) -> Look {
        let mut look = self.style.run.clone();
        for (_, (run, _)) in self.parts() {
            look.put(run);
            look.vanish = run.vanish.or(look.vanish);
        }
        look
    }

    /// The ground of this cell.
    pub(super) fn ground(&self) -> Option<Paint> {
        let by_style = || {
            let by_part = self.parts().filter_map(|(_, (_, ground))| *ground);
            by_part.last().or(self.style.ground)
        };
        self.cell_ground.or(self.ground).or_else(by_style)
    }

    fn parts(&self) -> impl Iterator<Item = (&'static str, &(Look, Option<Paint>))> + '_ {
        PARTS
            .into_iter()
            .filter(|part| self.is(part))
            .filter_map(|part| Some((part, self.style.parts.get(part)?)))
    }
}
