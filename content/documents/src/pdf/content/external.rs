//! External objects: forms and pictures.

use super::super::document::Stream;
use super::super::matrix::Matrix;
use super::super::object::{Dict, Object};
use super::super::paint::path::{corners, outline, Edge};
use super::super::paint::raster::Rect;
use super::{Masks, Pages, MAX_CONTENT, MAX_FORMS};
use crate::budget::{Fault, Result};
use std::rc::Rc;

impl Pages<'_, '_> {
    /// Draws an external object: a form or a picture.
    pub(super) fn external(
        &mut self,
        name: &[u8],
        resources: &Rc<Dict>,
        depth: usize,
    ) -> Result<()> {
        let reference = self.resource(resources, "XObject", name)?;
        let Some(stream) = self.document.stream(&reference)? else { return Ok(()) };
        let membership = stream.dict.get("OC").clone();
        if membership != Object::Null && self.layers.is_off(self.document, &membership)? {
            self.hidden_layers += 1;
            let drawn = self.draw_external(&reference, &stream, resources, depth);
            self.hidden_layers -= 1;
            return drawn;
        }
        self.draw_external(&reference, &stream, resources, depth)
    }

    pub(super) fn draw_external(
        &mut self,
        reference: &Object,
        stream: &Stream<'_>,
        resources: &Rc<Dict>,
        depth: usize,
    ) -> Result<()> {
        let subtype = self.document.get(&stream.dict, "Subtype")?;
        if subtype.is_name("Image") {
            let picture = self.picture_of(reference, stream, resources)?;
            return self.picture(&picture);
        }
        if !subtype.is_name("Form") {
            return Ok(());
        }
        let saved = self.state.clone();
        if self.document.get(&stream.dict, "Group")?.dict().is_some() {
            // A group is painted as one thing, with what is in force now.
            let state = &mut self.state;
            state.outer_alpha *= state.fill_alpha;
            (state.fill_alpha, state.stroke_alpha) = (1.0, 1.0);
            if let Some(mask) = state.mask.take() {
                let outer = state.outer_masks.take();
                state.outer_masks = Some(Rc::new(Masks { mask, outer }));
            }
        }
        let drawn = self.run_form(reference, stream, resources, depth);
        self.state = saved;
        drawn
    }

    /// Draws a form.
    pub(in crate::pdf) fn run_form(
        &mut self,
        reference: &Object,
        stream: &Stream<'_>,
        resources: &Rc<Dict>,
        depth: usize,
    ) -> Result<()> {
        if depth >= MAX_FORMS {
            return Err(Fault::TooMuch { what: "levels of forms", limit: MAX_FORMS as u64 });
        }
        let number = if let Object::Ref(number) = reference { *number } else { 0 };
        if self.forms.contains(&number) {
            return Ok(());
        }
        let bytes = self.document.decode(stream, MAX_CONTENT.saturating_sub(self.held))?;
        let own = self.document.get(&stream.dict, "Resources")?.dict().cloned();
        let matrix = self.document.get(&stream.dict, "Matrix")?;
        let matrix = matrix.array().and_then(Matrix::from_objects).unwrap_or(Matrix::IDENTITY);
        let bounds = self.document.rectangle(&stream.dict, "BBox")?;
        let (state, text, line) = (self.state.clone(), self.text, self.line);
        let path = std::mem::take(&mut self.path);
        let text_clip = std::mem::take(&mut self.text_clip);
        self.state.ctm = matrix.then(&self.state.ctm);
        if let Some(Rect { left, bottom, right, top }) = bounds {
            let corners = corners(&self.state.ctm, [left, bottom, right, top]);
            let edges: Vec<Edge> = outline(&corners).collect();
            self.clip(&edges, false)?;
        }
        self.forms.push(number);
        let drawn = self.run(&bytes, own.as_ref().unwrap_or(resources), depth + 1);
        self.forms.pop();
        (self.state, self.text, self.line) = (state, text, line);
        (self.path, self.text_clip) = (path, text_clip);
        drawn
    }
}
