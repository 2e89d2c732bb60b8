//! What the end of an element does: lines and cells end, boxes go to their paragraphs, sections settle.

use super::{Open, Output, XML_SPACE};
use crate::docx::element::{Kind, Paragraph};
use crate::docx::page::Claim;
use crate::docx::shape::Shape;
use crate::left_out::Hidden;

impl Output {
    pub(super) fn close(&mut self, kind: Kind, open: &mut Open) {
        match kind {
            Kind::Text { preserve } => {
                let text = std::mem::take(&mut open.value);
                let text = if preserve { &text } else { text.trim_matches(XML_SPACE) };
                self.put(text, open);
                return;
            }
            Kind::Instruction => {
                let text = std::mem::take(&mut open.value);
                if let Some(field) = open.fields.last_mut() {
                    // Its name is what is asked for.
                    if field.code.len() < 64 {
                        field.code.push_str(&text);
                    }
                }
                return;
            }
            Kind::Place => {
                let text = std::mem::take(&mut open.value);
                if let Some(shape) = open.shapes.last_mut() {
                    shape.place(&text);
                }
                return;
            }
            Kind::TextBox if open.flows.len() > 1 => {
                let Some(inner) = open.flows.pop() else { return };
                let placed = open.shapes.iter().rev().find(|shape| !shape.places.is_empty());
                // The same box at the same place covers itself.
                let again = placed.is_some_and(|shape| {
                    !self.boxes.insert((shape.places.clone(), inner.text.clone()))
                });
                let anchor = open.flows.first().map_or(0, |flow| flow.text.len());
                let shape = open.shapes.iter().rev().find_map(Shape::stands);
                let taken = !inner.text.trim().is_empty()
                    && shape.is_some_and(|place| open.page.is_taken(place, anchor));
                if again || taken {
                    let why = if again { Hidden::Repeated } else { Hidden::Covered };
                    self.left_out.add(why, inner.text.len() as u64);
                } else if let Some(outer) = open.flows.last_mut() {
                    let begins = outer.boxes.len();
                    outer.boxes.push_str(&inner.text);
                    if let Some(claim) = open.shapes.iter().rev().find_map(Shape::claim) {
                        outer.places.push((begins..outer.boxes.len(), claim));
                    }
                }
                return;
            }
            Kind::Shape => {
                let Some(shape) = open.shapes.pop() else { return };
                if let Some(around) = open.shapes.last_mut() {
                    around.holds(&shape);
                } else if let ([flow], Some((width, height))) =
                    (open.flows.as_slice(), shape.covers())
                {
                    open.page.cover(flow.text.len(), width, height);
                }
                return;
            }
            Kind::Run => drop(open.runs.pop()),
            Kind::Table => {
                let Some(table) = open.tables.pop() else { return };
                if let ([flow], Some(claim), []) =
                    (open.flows.as_slice(), table.claim(), open.tables.as_slice())
                {
                    open.page.claim(table.begins..flow.text.len(), claim);
                }
            }
            Kind::Unshown | Kind::Phantom => drop(open.shapes.pop()),
            Kind::Paragraph => {
                let Some(paragraph) = open.paragraphs.pop() else { return };
                self.placed(&paragraph, open);
            }
            Kind::Cell => {
                if let Some(table) = open.tables.last_mut() {
                    table.end_cell();
                }
            }
            _ => {}
        }
        if kind == Kind::Section {
            open.page.ends = true;
        }
        let outermost = open.flows.len() == 1;
        let Some(flow) = open.flows.last_mut() else { return };
        match kind {
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
        // A section states its pages at its end: in its last paragraph, or at that of the body.
        let ended = kind == Kind::Section && !open.kinds.contains(&Kind::ParagraphProperties)
            || kind == Kind::Paragraph && outermost;
        if ended && open.page.ends {
            open.page.settle(&mut flow.text, &mut self.left_out);
        }
    }

    /// Keeps what a paragraph, and the boxes that follow it, say of their places.
    fn placed(&self, paragraph: &Paragraph, open: &mut Open) {
        let [flow] = open.flows.as_mut_slice() else { return };
        if paragraph.breaks {
            open.page.broken(paragraph.begins);
        }
        let end = flow.text.len();
        // In cells they count from the cell's side.
        if flow.cells == 0 {
            let mut place = self.styles.place.clone();
            place.put(&paragraph.style.place);
            place.put(&paragraph.place);
            if let Some(claim) = place.claim() {
                open.page.claim(paragraph.begins..end, claim);
            }
            for (range, claim) in flow.places.drain(..) {
                // After the paragraph's line end.
                open.page.claim(end + 1 + range.start..end + 1 + range.end, claim);
            }
        }
        flow.places.clear();
    }
}

impl Open {
    /// Hides a table that stands where another one does.
    pub(super) fn stands(&mut self) {
        let Some(Claim::At { x: Some(x), y: Some(y), .. }) =
            self.tables.last().and_then(|table| table.place)
        else {
            return;
        };
        let ([flow], Some(table)) = (self.flows.as_slice(), self.tables.last_mut()) else { return };
        if table.first() {
            // Its size is not known; what begins within a line of another one is taken to lie on it.
            let place = [x, y, x.saturating_add(400), y.saturating_add(400)];
            if self.page.is_taken(place, flow.text.len()) {
                table.hide(Hidden::Covered);
            }
        }
    }
}
