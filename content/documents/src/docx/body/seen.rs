//! What of a run's text is seen, by its looks, its place and the room for it.

use super::{Field, Open, Output};
use crate::docx::look::Paint;
use crate::docx::table::Table;
use crate::left_out::Hidden;

impl Output {
    /// Puts text into the flow, or counts it where it is not seen.
    pub(super) fn put(&mut self, text: &str, open: &mut Open) {
        let mut hidden = self.hidden(open);
        if hidden.is_none() {
            // Every shape around it has to have room for it.
            let size = open.runs.last().and_then(|run| run.size).unwrap_or(20);
            let letters = text.chars().count();
            let paragraph = open.paragraphs.last_mut().map(|paragraph| {
                let place = &paragraph.place;
                paragraph.room.get_or_insert_with(|| place.room())
            });
            let rooms = open.shapes.iter_mut().map(|shape| &mut shape.room);
            let rooms = rooms.chain(open.tables.iter_mut().map(|table| &mut table.room));
            let full =
                rooms.chain(paragraph).filter_map(|room| room.full(letters, size).then_some(()));
            let full = full.count();
            if full > 0 {
                hidden = Some(Hidden::Clipped);
            }
        }
        if hidden.is_none() {
            hidden = open.squeezes(text).then_some(Hidden::Tiny);
        }
        if hidden.is_none() && !self.styles.fonts.is_empty() {
            return self.put_letters(text, open);
        }
        match hidden {
            Some(why) => self.left_out.add(why, text.len() as u64),
            None => {
                if let Some(flow) = open.flows.last_mut() {
                    flow.text.push_str(text);
                }
            }
        }
    }

    /// Puts text in whose fonts some letters are blank.
    fn put_letters(&mut self, text: &str, open: &mut Open) {
        let look = open.runs.last().map(|run| &run.look);
        let fonts = &self.styles.fonts;
        let blank = |letter: &char| {
            look.is_some_and(|look| look.fonts(*letter).any(|font| fonts.leaves_out(font, *letter)))
        };
        let mut seen: String = text.chars().filter(|letter| !blank(letter)).collect();
        // Blanks between what is not seen are not seen either.
        if seen.len() < text.len() && seen.trim().is_empty() {
            seen.clear();
        }
        self.left_out.add(Hidden::Transparent, (text.len() - seen.len()) as u64);
        if let Some(flow) = open.flows.last_mut() {
            flow.text.push_str(&seen);
        }
    }

    /// Why text at this place is not seen.
    pub(super) fn hidden(&mut self, open: &mut Open) -> Option<Hidden> {
        if open.fields.iter().any(Field::hides) {
            return Some(Hidden::Vanished);
        }
        let around = (open.shapes.iter().find_map(|shape| shape.hidden))
            .or_else(|| open.tables.iter().find_map(Table::hidden))
            .or_else(|| {
                let paragraph = open.paragraphs.last()?;
                let mut place = self.styles.place.clone();
                place.put(&paragraph.style.place);
                place.put(&paragraph.place);
                place.hidden()
            });
        if around.is_some() {
            return around;
        }
        if let Some(known) = open.runs.last().and_then(|run| run.hidden) {
            return known;
        }
        let usual = self.styles.style("paragraph", None);
        let run = open.runs.last_mut()?;
        let paragraph = open.paragraphs.last();
        let style = paragraph.map_or(&usual, |paragraph| &paragraph.style);
        let table = open.tables.last().map(Table::look).unwrap_or_default();
        let mut look = self.styles.defaults.clone();
        for over in [&table, &style.run, &run.style.run, &run.direct] {
            look.put(over);
        }
        let toggles = [table.vanish, style.run.vanish, run.style.run.vanish];
        let odd = toggles.iter().filter(|toggle| **toggle == Some(true)).count() % 2 == 1;
        let vanished =
            run.direct.vanish.unwrap_or(odd || self.styles.defaults.vanish == Some(true));
        let under = paragraph
            .and_then(|paragraph| paragraph.ground.or(paragraph.style.ground))
            .into_iter()
            .chain(open.tables.iter().rev().filter_map(Table::ground))
            .chain(open.shapes.iter().rev().map(|shape| shape.ground))
            .find(|paint| *paint != Paint::Auto)
            .unwrap_or(self.page);
        let hidden = look.hides(vanished, under);
        run.hidden = Some(hidden);
        run.size = Some(look.height());
        run.look = look;
        hidden
    }
}

impl Open {
    /// Whether a run is squeezed into less than a point a letter, by itself or with others.
    fn squeezes(&mut self, text: &str) -> bool {
        let Some((twips, id)) = self.runs.last().and_then(|run| run.look.squeezed) else {
            return false;
        };
        let (known, letters) = self.squeezed;
        let before = if id == known && id != 0 { letters } else { 0 };
        self.squeezed = (id, before + text.chars().count() as i64);
        twips < 20 * self.squeezed.1
    }
}
