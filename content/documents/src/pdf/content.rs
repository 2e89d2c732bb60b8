//! Content streams: the operators that place text (ISO 32000-1, 8 and 9).

use super::actual::{Stretch, Waiting};
use super::cmap::utf16;
use super::document::{Document, Page, Stream};
use super::font::Font;
use super::graphics::{Ink, Procedure};
use super::layout::{Layout, MAX_CHARACTERS};
use super::matrix::Matrix;
use super::object::{is_space, Dict, Lexer, Object, Token};
use super::paint::colour::{Blend, Contrasts, Space};
use super::paint::function::Function;
use super::paint::layers::Layers;
use super::paint::path::{corners, outline, Edge, Path};
use super::paint::picture::{Allowance, Picture};
use super::paint::raster::{Clip, Ground, Raster, Rect, Rgb};
use super::paint::sight::{self, Extent, Inks, Judged, Mode, Places};
use crate::budget::{Fault, Result};
use crate::left_out::Hidden;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Most bytes of content of one page with its open forms, decompressed.
const MAX_CONTENT: usize = 16 << 20;
/// Deepest nesting of forms; a form inside itself draws nothing.
const MAX_FORMS: usize = 64;
/// Most glyphs, and stretches of marked content with a text of their own, on one page.
const MAX_EVENTS: usize = 200_000;
/// Deepest nesting of saved states and of marked content.
const MAX_STATES: usize = 4096;
/// Most operands that an operator gets.
const MAX_OPERANDS: usize = 64;
/// Most entries of the fonts that are kept; beyond, all are let go and loaded again when needed.
const MAX_FONTS: usize = 150_000;
/// Most entries of a font that is no object of its own.
const MAX_DIRECT: usize = 2_000;

/// Largest procedure of a glyph that is looked at.
const MAX_PROCEDURE: usize = 1 << 20;
/// Width of a line along a glyph's outline that leaves nothing of its inside, in its size.
const WIDE: f64 = 0.12;
/// Most bytes of a string whose character spacing counts as a gap after each character.
const MAX_PAIR: usize = 2;
/// Most UTF-16 units of one `ActualText`.
const MAX_ACTUAL: usize = 4096;

/// The font in use. Of a font that is an object of its own only the number is kept, so that saved
/// states keep no fonts that the cache has let go.
#[derive(Clone)]
pub(super) enum InUse {
    None,
    Numbered(u32),
    Direct(Rc<Font>),
}

/// What `q` saves.
#[derive(Clone)]
pub(super) struct State {
    pub(super) ctm: Matrix,
    font: InUse,
    vertical: bool,
    pub(super) size: f64,
    character_spacing: f64,
    word_spacing: f64,
    scale: f64,
    leading: f64,
    rise: f64,
    /// The render mode.
    mode: f64,
    pub(super) fill: Ink,
    pub(super) stroke: Ink,
    pub(super) fill_alpha: f64,
    pub(super) stroke_alpha: f64,
    /// What the groups around it are painted with.
    pub(super) outer_alpha: f64,
    pub(super) line_width: f64,
    /// Whether lines go on beyond their ends, and whether they have gaps.
    pub(super) capped: bool,
    pub(super) dashed: bool,
    pub(super) blend: Blend,
    /// The text that is a clip now, by its number; 0 for none.
    pub(super) text_clip: u32,
    pub(super) clip: Clip,
    pub(super) mask: Option<Rc<SoftMask>>,
    outer_masks: Option<Rc<Masks>>,
}

impl State {
    /// As a group begins.
    pub(super) fn plain(&mut self) {
        (self.fill_alpha, self.stroke_alpha, self.outer_alpha) = (1.0, 1.0, 1.0);
        (self.mask, self.outer_masks) = (None, None);
        (self.blend, self.text_clip) = (Blend::Normal, 0);
    }

    /// Whether the soft masks in force let a point be seen.
    pub(super) fn shows(&self, point: (f64, f64)) -> bool {
        self.mask.as_ref().is_none_or(|mask| mask.shows(point))
            && self.outer_masks.as_ref().is_none_or(|masks| masks.show(point))
    }
}

/// A soft mask, drawn.
#[derive(Debug)]
pub(super) struct SoftMask {
    pub(super) raster: Raster,
    pub(super) luminosity: bool,
    /// What becomes of its light.
    pub(super) transfer: Option<Function>,
}

/// The soft masks of the groups around something.
#[derive(Debug)]
pub(super) struct Masks {
    pub(super) mask: Rc<SoftMask>,
    pub(super) outer: Option<Rc<Masks>>,
}

/// A procedure, by its object's number, with the matrix that it is drawn through.
pub(super) type Sketched = (u32, [u64; 6]);

/// What a page draws, in its order. Whether a glyph is seen is known when the page is complete.
pub(super) enum Event {
    /// Marked content with a text of its own, or without one.
    Begin(Option<Box<str>>),
    End,
    Glyph(Waiting, Judged),
}

/// Takes the text of pages, one after the other.
pub(crate) struct Pages<'d, 'a> {
    pub(super) document: &'d mut Document<'a>,
    pub(crate) layout: Layout,
    fonts: BTreeMap<u32, Rc<Font>>,
    /// Entries of the fonts that are kept.
    kept: usize,
    pub(super) state: State,
    saved: Vec<State>,
    text: Matrix,
    line: Matrix,
    /// The text that stands for what is drawn, for each open marked content that has one.
    marked: Vec<Option<Stretch>>,
    /// Bytes of the contents that are open.
    held: usize,
    events: Vec<Event>,
    /// For each open marked content, whether its layer is off.
    pub(super) open: Vec<bool>,
    pub(super) hidden_layers: usize,
    pub(super) layers: Layers,
    pub(super) raster: Raster,
    /// How much has been painted on the page.
    pub(super) now: u32,
    /// The moments when pictures were painted that may be scans.
    pub(super) scans: BTreeSet<u32>,
    pub(super) path: Path,
    /// Whether the path is to be clipped by, and how its inside is told.
    pub(super) clipping: Option<bool>,
    /// Boxes of text that becomes a clip.
    text_clip: Vec<Edge>,
    pub(super) pictures: Vec<(u32, Rc<Picture>)>,
    pub(super) allowance: Allowance,
    pub(super) contrasts: Contrasts,
    /// Tells one file's cells from another's.
    pub(super) seed: u64,
    /// How many texts have become a clip on the page.
    text_clips: u32,
    /// The device's spaces as these resources have them.
    pub(super) devices: Option<(Rc<Dict>, Vec<Rc<Space>>)>,
    /// Marks of glyphs that procedures draw, and their own colour.
    pub(super) sketches: BTreeMap<Sketched, (f64, Option<Rgb>)>,
    /// Points of one unit of the page.
    pub(super) unit: f64,
    /// Soft masks that are being drawn, one inside the other.
    pub(super) masks: usize,
    /// Forms that are being drawn, by their objects' numbers.
    forms: Vec<u32>,
}

impl<'d, 'a> Pages<'d, 'a> {
    pub(crate) fn new(document: &'d mut Document<'a>) -> Result<Self> {
        let layers = Layers::load(document)?;
        let nowhere = Rect { left: 0.0, bottom: 0.0, right: 1.0, top: 1.0 };
        let seed = document.seed();
        let raster = Raster::new(nowhere, Ground::Paper, seed);
        let clip = raster.whole();
        Ok(Self {
            document,
            layout: Layout::default(),
            fonts: BTreeMap::new(),
            kept: 0,
            state: initial(Matrix::IDENTITY, clip),
            saved: Vec::new(),
            text: Matrix::IDENTITY,
            line: Matrix::IDENTITY,
            marked: Vec::new(),
            held: 0,
            events: Vec::new(),
            open: Vec::new(),
            hidden_layers: 0,
            layers,
            raster,
            now: 0,
            scans: BTreeSet::new(),
            path: Path::default(),
            clipping: None,
            text_clip: Vec::new(),
            pictures: Vec::new(),
            allowance: Allowance::default(),
            contrasts: Contrasts::new(),
            seed,
            text_clips: 0,
            devices: None,
            sketches: BTreeMap::new(),
            unit: 1.0,
            masks: 0,
            forms: Vec::new(),
        })
    }

    /// Appends a page's text.
    pub(crate) fn page(&mut self, page: &Page) -> Result<()> {
        let turned = Matrix::turned(page.turns);
        let Rect { left, bottom, right, top } = page.shown;
        let area = Rect::around(&corners(&turned, [left, bottom, right, top]));
        self.raster = Raster::new(area, Ground::Paper, self.seed);
        self.unit = page.unit;
        self.state = initial(turned, self.raster.whole());
        self.saved.clear();
        self.scans.clear();
        (self.now, self.path, self.clipping) = (0, Path::default(), None);
        self.text_clips = 0;
        let (contents, resources) = self.document.page(page)?;
        let contents = match self.document.resolve(&contents)? {
            Object::Array(parts) => parts.to_vec(),
            _ => vec![contents],
        };
        let mut bytes = Vec::new();
        for part in &contents {
            let Some(stream) = self.document.stream(part)? else { continue };
            let left = MAX_CONTENT.saturating_sub(bytes.len());
            bytes.append(&mut self.document.decode(&stream, left)?);
            bytes.push(b'\n');
        }
        self.run(&bytes, &resources, 0)?;
        // Whatever the content leaves behind, annotations are drawn on the page as it is.
        self.state = initial(turned, self.raster.whole());
        self.saved.clear();
        self.close_marked(0)?;
        self.annotations(page)?;
        self.replay()?;
        self.layout.end_page();
        Ok(())
    }

    pub(super) fn run(&mut self, bytes: &[u8], resources: &Rc<Dict>, depth: usize) -> Result<()> {
        self.held += bytes.len();
        let floor = self.saved.len();
        let open = self.open.len();
        let mut lexer = Lexer::new(bytes, 0);
        let mut operands: Vec<Object> = Vec::new();
        while let Some(token) = lexer.token(&mut self.document.budget)? {
            match token {
                Token::Keyword(word) => {
                    self.document.budget.operate()?;
                    if &*word == b"BI" {
                        self.inline_image(&mut lexer, resources)?;
                    } else {
                        self.operator(&word, &operands, resources, depth, floor)?;
                    }
                    operands.clear();
                }
                first => {
                    let object = lexer.object_from(Some(first), &mut self.document.budget)?;
                    if operands.len() == MAX_OPERANDS {
                        operands.remove(0);
                    }
                    operands.extend(object);
                }
            }
        }
        // What a form leaves open does not reach its caller.
        if let Some(state) = self.saved.get(floor).cloned() {
            self.state = state;
            self.saved.truncate(floor);
        }
        self.close_marked(open)?;
        self.held -= bytes.len();
        Ok(())
    }

    /// Paints an inline image, which ends with `EI` between white space.
    fn inline_image(&mut self, lexer: &mut Lexer<'_>, resources: &Rc<Dict>) -> Result<()> {
        let mut entries = Vec::new();
        while let Some(token) = lexer.token(&mut self.document.budget)? {
            match token {
                Token::Keyword(word) if &*word == b"ID" => break,
                Token::Keyword(word) if &*word == b"EI" => return Ok(()),
                Token::Keyword(_) => {}
                first => {
                    let object = lexer.object_from(Some(first), &mut self.document.budget)?;
                    if entries.len() < MAX_OPERANDS {
                        entries.extend(object);
                    }
                }
            }
        }
        // One white space stands between `ID` and the data.
        lexer.at += 1;
        let rest = lexer.bytes.get(lexer.at..).unwrap_or_default();
        let space = |byte: Option<&u8>| byte.is_none_or(|byte| is_space(*byte));
        let ends = |at: &usize| {
            rest.get(*at..*at + 2) == Some(b"EI")
                && *at > 0
                && space(rest.get(*at - 1))
                && space(rest.get(*at + 2))
        };
        let found = (0..rest.len()).find(ends);
        let length = found.map_or(rest.len(), |at| at + 2);
        self.document.budget.scan(length)?;
        lexer.at += length;
        let data = rest.get(..length.saturating_sub(3)).unwrap_or_default().to_vec();
        let dict = Rc::new(Dict::of(entries));
        let picture = self.load_inline(dict, &data, resources)?;
        self.picture(&picture)
    }

    fn load_inline(
        &mut self,
        dict: Rc<Dict>,
        data: &[u8],
        resources: &Rc<Dict>,
    ) -> Result<Picture> {
        let stream = Stream { dict, data, id: None };
        Picture::load(self.document, &stream, resources, &mut self.allowance)
    }

    fn operator(
        &mut self,
        word: &[u8],
        operands: &[Object],
        resources: &Rc<Dict>,
        depth: usize,
        floor: usize,
    ) -> Result<()> {
        // Viewers take the last operands, however many there are.
        let needed = match word {
            b"Tc" | b"Tw" | b"Tz" | b"TL" | b"Tr" | b"Ts" | b"Tj" | b"'" | b"TJ" | b"BMC"
            | b"Do" => 1,
            b"Tf" | b"Td" | b"TD" | b"BDC" => 2,
            b"\"" => 3,
            b"cm" | b"Tm" => 6,
            _ => operands.len(),
        };
        let start = operands.len().saturating_sub(needed);
        let operands = operands.get(start..).unwrap_or_default();
        let number = |place: usize| operands.get(place).and_then(Object::number).unwrap_or(0.0);
        match word {
            b"q" | b"BMC" | b"BDC" if self.saved.len().max(self.open.len()) >= MAX_STATES => {
                let what = "levels of states and marked content";
                return Err(Fault::TooMuch { what, limit: MAX_STATES as u64 });
            }
            b"q" => self.saved.push(self.state.clone()),
            b"Q" if self.saved.len() > floor => {
                if let Some(state) = self.saved.pop() {
                    self.state = state;
                }
            }
            b"cm" => {
                if let Some(matrix) = Matrix::from_objects(operands) {
                    self.state.ctm = matrix.then(&self.state.ctm);
                }
            }
            b"BT" => {
                self.text_clip.clear();
                self.set_line(Matrix::IDENTITY);
            }
            b"ET" => {
                let edges = std::mem::take(&mut self.text_clip);
                if !edges.is_empty() {
                    self.clip(&edges, false)?;
                    self.text_clips += 1;
                    self.state.text_clip = self.text_clips;
                }
            }
            b"Tc" => self.state.character_spacing = number(0),
            b"Tw" => self.state.word_spacing = number(0),
            b"Tz" => self.state.scale = number(0) / 100.0,
            b"TL" => self.state.leading = number(0),
            b"Tr" => self.state.mode = f64::from(number(0) as i32 & 7),
            b"Ts" => self.state.rise = number(0),
            b"Tf" => {
                let reference = match operands.first().and_then(Object::name) {
                    Some(name) => self.resource(resources, "Font", name)?,
                    None => Object::Null,
                };
                self.use_font(&reference, number(1))?;
            }
            b"Td" => self.next_line(number(0), number(1)),
            b"TD" => {
                self.state.leading = -number(1);
                self.next_line(number(0), number(1));
            }
            b"Tm" => {
                if let Some(matrix) = Matrix::from_objects(operands) {
                    self.set_line(matrix);
                }
            }
            b"T*" => self.next_line(0.0, -self.state.leading),
            b"Tj" => self.show(operands.first())?,
            b"'" => {
                self.next_line(0.0, -self.state.leading);
                self.show(operands.first())?;
            }
            b"\"" => {
                self.state.word_spacing = number(0);
                self.state.character_spacing = number(1);
                self.next_line(0.0, -self.state.leading);
                self.show(operands.get(2))?;
            }
            b"TJ" => {
                for item in operands.first().and_then(Object::array).unwrap_or_default() {
                    match item {
                        Object::Number(back) => self.advance(-back / 1000.0 * self.state.size),
                        other => self.show(Some(other))?,
                    }
                }
            }
            b"BMC" | b"BDC" => {
                let properties = match operands.get(1) {
                    Some(Object::Name(name)) => self.resource(resources, "Properties", name)?,
                    Some(direct) => direct.clone(),
                    None => Object::Null,
                };
                let replaced = self.actual_text(&properties)?;
                let layer = operands.first().is_some_and(|tag| tag.is_name("OC"));
                self.open_marked(layer.then_some(properties))?;
                self.record(Event::Begin(replaced))?;
            }
            b"EMC" => self.close_marked(self.open.len().saturating_sub(1))?,
            b"Do" => {
                if let Some(name) = operands.first().and_then(Object::name) {
                    self.external(name, resources, depth)?;
                }
            }
            word => self.graphics(word, operands, resources, depth)?,
        }
        Ok(())
    }

    /// Notes what is drawn; a soft mask draws no text for people.
    pub(super) fn record(&mut self, event: Event) -> Result<()> {
        if self.events.len() >= MAX_EVENTS {
            let what = "glyphs on one page";
            return Err(Fault::TooMuch { what, limit: MAX_EVENTS as u64 });
        }
        if self.masks == 0 {
            self.events.push(event);
        }
        Ok(())
    }

    /// Where text goes on, for what draws something else in between.
    pub(super) fn text_places(&self) -> (Matrix, Matrix) {
        (self.text, self.line)
    }

    pub(super) fn set_text_places(&mut self, text: Matrix, line: Matrix) {
        (self.text, self.line) = (text, line);
    }

    fn set_line(&mut self, matrix: Matrix) {
        self.text = matrix;
        self.line = matrix;
    }

    fn next_line(&mut self, x: f64, y: f64) {
        self.set_line(Matrix::translation(x, y).then(&self.line));
    }

    /// Moves on in the direction of writing.
    fn advance(&mut self, by: f64) {
        let (x, y) = if self.state.vertical { (0.0, by) } else { (by * self.state.scale, 0.0) };
        self.text = Matrix::translation(x, y).then(&self.text);
    }

    fn actual_text(&mut self, properties: &Object) -> Result<Option<Box<str>>> {
        let Some(dict) = self.document.resolve(properties)?.dict().cloned() else {
            return Ok(None);
        };
        let text = self.document.get(&dict, "ActualText")?;
        Ok(text.string().map(text_string))
    }

    /// Shows a text of which only the place is known.
    pub(super) fn show_value(&mut self, text: &str, place: &Matrix, width: f64) -> Result<()> {
        if text.is_empty() || self.masks > 0 {
            return Ok(());
        }
        let place = *place;
        let [a, ..] = place.0;
        let size = if a == 0.0 { 1.0 } else { a.abs() };
        let letter = width / size / text.chars().count() as f64;
        let letter = if letter < 0.5 { letter } else { 0.5 };
        for (index, character) in text.chars().enumerate() {
            let start = index as f64 * letter;
            let place = Matrix::translation(start, 0.0).then(&place);
            let extent = Extent { place, width: letter, height: 1.0, vertical: false };
            let judged = self.judge(extent, false, None);
            let text = character.to_string();
            match judged.why {
                Some(why) => self.leave_out(why, &text),
                None => {
                    let advance = place.vector(letter, 0.0);
                    let glyph = Waiting { text, place, vertical: false, advance };
                    self.record(Event::Glyph(glyph, judged))?;
                }
            }
        }
        Ok(())
    }

    /// The named resource of a kind, as it is written.
    pub(super) fn resource(&mut self, resources: &Dict, kind: &str, name: &[u8]) -> Result<Object> {
        let all = self.document.get(resources, kind)?;
        let entries = resources.len() + all.dict().map_or(0, |all| all.len());
        self.document.budget.scan(entries)?;
        let found = all.dict().and_then(|all| {
            all.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
        });
        Ok(found.unwrap_or(Object::Null))
    }

    pub(super) fn use_font(&mut self, reference: &Object, size: f64) -> Result<()> {
        self.state.size = size;
        self.state.font = self.font(reference)?;
        self.state.vertical = self.font_in_use()?.is_some_and(|font| font.vertical);
        Ok(())
    }

    fn font(&mut self, reference: &Object) -> Result<InUse> {
        if let Object::Ref(number) = reference {
            return Ok(InUse::Numbered(*number));
        }
        let Some(dict) = reference.dict() else { return Ok(InUse::None) };
        let font = self.load(dict)?;
        if font.size() > MAX_DIRECT {
            let what = "entries of a font in a page's resources";
            return Err(Fault::TooMuch { what, limit: MAX_DIRECT as u64 });
        }
        Ok(InUse::Direct(font))
    }

    fn load(&mut self, dict: &Dict) -> Result<Rc<Font>> {
        let font = Rc::new(Font::load(self.document, dict)?);
        self.document.budget.scan(font.size() * 16)?;
        Ok(font)
    }

    /// The font in use, loaded.
    fn font_in_use(&mut self) -> Result<Option<Rc<Font>>> {
        let number = match &self.state.font {
            InUse::None => return Ok(None),
            InUse::Direct(font) => return Ok(Some(font.clone())),
            InUse::Numbered(number) => *number,
        };
        if let Some(font) = self.fonts.get(&number) {
            return Ok(Some(font.clone()));
        }
        let Some(dict) = self.document.resolve(&Object::Ref(number))?.dict().cloned() else {
            return Ok(None);
        };
        let font = self.load(&dict)?;
        if self.kept + font.size() > MAX_FONTS {
            self.fonts.clear();
            self.kept = 0;
        }
        self.kept += font.size();
        self.fonts.insert(number, font.clone());
        Ok(Some(font))
    }

    /// Draws an external object: a form or a picture.
    fn external(&mut self, name: &[u8], resources: &Rc<Dict>, depth: usize) -> Result<()> {
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

    fn draw_external(
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
    pub(super) fn run_form(
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

    /// Takes what the page has drawn to the layout, as far as it is seen.
    fn replay(&mut self) -> Result<()> {
        let mut places = Places::default();
        for event in std::mem::take(&mut self.events) {
            match event {
                Event::Begin(text) => self.marked.push(text.map(Stretch::new)),
                Event::End => self.unmark(self.marked.len().saturating_sub(1))?,
                Event::Glyph(glyph, judged) => {
                    let scans = &self.scans;
                    let end = sight::judge_at_the_end(&judged, &self.raster, |moment| {
                        scans.contains(&moment)
                    });
                    let blank = glyph.text.chars().all(char::is_whitespace);
                    let why = match end {
                        None if !blank
                            && places.repeats(&glyph.text, &glyph.place, glyph.advance) =>
                        {
                            Some(Hidden::Repeated)
                        }
                        end => end,
                    };
                    match why {
                        Some(why) => self.leave_out(why, &glyph.text),
                        None => self.place(glyph)?,
                    }
                }
            }
        }
        self.unmark(0)
    }

    /// Counts text that is not seen; blanks are not.
    fn leave_out(&mut self, why: Hidden, text: &str) {
        if !text.chars().all(char::is_whitespace) {
            self.layout.left_out.add(why, text.len() as u64);
        }
    }

    fn place(&mut self, glyph: Waiting) -> Result<()> {
        match self.marked.iter_mut().find_map(Option::as_mut) {
            Some(stretch) => {
                for glyph in stretch.push(glyph) {
                    self.put(&glyph)?;
                }
                Ok(())
            }
            None => self.put(&glyph),
        }
    }

    /// How the text that is shown now is painted; `own` is a colour that its glyph brings along.
    fn inks(&self, own: Option<Rgb>, size: f64) -> (Mode, Inks) {
        let state = &self.state;
        let ink = |ink: &Ink, alpha: f64| {
            let alpha = if ink.nothing { 0.0 } else { alpha * state.outer_alpha };
            Some((ink.rgb, alpha))
        };
        let fill = || match own {
            Some(own) => Some((Some(own), state.fill_alpha * state.outer_alpha)),
            None => ink(&state.fill, state.fill_alpha),
        };
        let stroke = || ink(&state.stroke, state.stroke_alpha);
        let blend = state.blend;
        let painted = |fill, stroke| (Mode::Painted, Inks { fill, stroke, blend });
        match state.mode as i64 {
            1 | 5 => painted(None, stroke()),
            // A wide line along the outline leaves nothing of the inside.
            2 | 6 if state.line_width * state.ctm.scale() >= WIDE * size => painted(None, stroke()),
            2 | 6 => painted(fill(), stroke()),
            3 => (Mode::Unpainted, Inks::default()),
            7 => (Mode::Clip, Inks::default()),
            _ => painted(fill(), None),
        }
    }

    /// What is known of a glyph now.
    fn judge(&self, extent: Extent, blank: bool, own: Option<Rgb>) -> Judged {
        let [_, _, c, d, ..] = extent.place.0;
        let (mode, inks) = self.inks(own, (c * c + d * d).sqrt() * extent.height);
        let (raster, clip) = (&self.raster, &self.state.clip);
        let seen = sight::judge(&extent, self.unit, mode, &inks, raster, clip, &self.contrasts);
        let masked = || {
            let hidden = extent.samples().iter().filter(|point| !self.state.shows(**point)).count();
            hidden > 4
        };
        let why = if self.is_off() {
            Some(Hidden::LayerOff)
        } else if seen.is_some() {
            seen
        } else if blank && mode != Mode::Unpainted {
            // Text of mode 3 lies over a picture, whatever its font draws.
            Some(Hidden::Transparent)
        } else {
            masked().then_some(Hidden::Transparent)
        };
        Judged { why, mode, clip: self.text_clips + 1, drawn: self.now, extent }
    }

    /// Ends marked content down to a depth.
    fn unmark(&mut self, depth: usize) -> Result<()> {
        while self.marked.len() > depth {
            let Some(Some(stretch)) = self.marked.pop() else { continue };
            let (text, glyphs) = stretch.end(&self.document.letters);
            let Some(text) = text else {
                for glyph in &glyphs {
                    self.put(glyph)?;
                }
                continue;
            };
            let limit = MAX_CHARACTERS * glyphs.len();
            let mut text = &*text;
            for Waiting { place, vertical, advance, .. } in &glyphs {
                // The text stands where the first glyph does; the others only move on.
                let text = std::mem::take(&mut text);
                self.layout.glyphs(text, limit, place, *vertical, *advance)?;
            }
        }
        Ok(())
    }

    fn put(&mut self, glyph: &Waiting) -> Result<()> {
        let Waiting { text, place, vertical, advance } = glyph;
        self.layout.glyph(text, place, *vertical, *advance)
    }

    /// What a glyph leaves that a procedure draws. One that covers more than a letter is painted.
    fn procedure(
        &mut self,
        font: &Font,
        code: u8,
        place: &Matrix,
    ) -> Result<Option<(f64, Option<Rgb>)>> {
        let Some((reference, matrix, resources)) = font.procedure(code) else { return Ok(None) };
        let Object::Ref(number) = *reference else { return Ok(None) };
        let key = (number, matrix.0.map(f64::to_bits));
        let known = self.sketches.get(&key).copied();
        if let Some(found) = known.filter(|(marks, _)| !Self::is_cover(*marks)) {
            return Ok(Some(found));
        }
        let Some(stream) = self.document.stream(reference)? else { return Ok(None) };
        let Some(bytes) = self.document.decode_or_none(&stream, MAX_PROCEDURE)? else {
            return Ok(None);
        };
        let resources = resources.unwrap_or_default();
        let procedure =
            Procedure { bytes: &bytes, resources: &resources, matrix, height: font.height() };
        let (marks, own) = self.marks_of(key, &procedure)?;
        if Self::is_cover(marks) && self.masks == 0 {
            let (state, text, line) = (self.state.clone(), self.text, self.line);
            let path = std::mem::take(&mut self.path);
            self.state.ctm = matrix.then(place);
            // Text inside of a glyph is part of its drawing.
            self.masks += 1;
            let drawn = self.run(&bytes, &resources, 1);
            self.masks -= 1;
            (self.state, self.text, self.line, self.path) = (state, text, line, path);
            drawn?;
        }
        Ok(Some((marks, own)))
    }

    /// Shows a string.
    fn show(&mut self, string: Option<&Object>) -> Result<()> {
        let Some(mut rest) = string.and_then(Object::string) else { return Ok(()) };
        let Some(font) = self.font_in_use()? else { return Ok(()) };
        // Spacing of some letters is part of them; that of one or two is how programs write a space.
        let spaced = rest.len() > MAX_PAIR;
        while !rest.is_empty() {
            self.document.budget.operate()?;
            let code = rest.first().copied().unwrap_or_default();
            let (length, shown) = font.next(rest);
            rest = rest.get(length..).unwrap_or_default();
            let State { size, scale, rise, .. } = self.state;
            let space = if shown.is_space { self.state.word_spacing } else { 0.0 };
            let spacing = self.state.character_spacing + space;
            let to_page = self.text.then(&self.state.ctm);
            let place = Matrix([size * scale, 0.0, 0.0, size, 0.0, rise]).then(&to_page);
            let by = if font.vertical {
                -(shown.width * size) - spacing
            } else {
                shown.width * size + spacing
            };
            let seen = match (font.vertical, spaced || spacing < 0.0) {
                (_, true) => by,
                (true, false) => -(shown.width * size) - space,
                (false, false) => shown.width * size + space,
            };
            let advance = match font.vertical {
                true => to_page.vector(0.0, seen),
                false => to_page.vector(seen * scale, 0.0),
            };
            let text = shown.text.unwrap_or_else(|| "\u{fffd}".into());
            let extent = Extent {
                place,
                width: shown.width,
                height: font.height(),
                vertical: font.vertical,
            };
            if self.masks > 0 {
                self.paint_box(&place, extent.bounds())?;
                self.advance(by);
                continue;
            }
            if self.state.mode >= 4.0 && self.text_clip.len() < MAX_EVENTS {
                self.text_clip.extend(outline(&corners(&place, extent.bounds())));
            }
            let (blank, own) = match self.procedure(&font, code, &place)? {
                Some((marks, own)) => (Self::is_blank(marks), own),
                None => (shown.blank, None),
            };
            let judged = self.judge(extent, blank, own);
            match judged.why {
                // What is hidden whatever comes need not wait for the end of the page.
                Some(why) => self.leave_out(why, &text),
                None => {
                    let glyph = Waiting { text, place, vertical: font.vertical, advance };
                    self.record(Event::Glyph(glyph, judged))?;
                }
            }
            self.advance(by);
        }
        Ok(())
    }
}

/// A text string of a dictionary (7.9.2.2).
pub(super) fn text_string(bytes: &[u8]) -> Box<str> {
    match bytes {
        [0xfe, 0xff, rest @ ..] => utf16(rest, MAX_ACTUAL),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into(),
        // PDFDocEncoding, which is Latin-1 for the characters that matter.
        bytes => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

fn initial(ctm: Matrix, clip: Clip) -> State {
    State {
        ctm,
        font: InUse::None,
        vertical: false,
        size: 0.0,
        character_spacing: 0.0,
        word_spacing: 0.0,
        scale: 1.0,
        leading: 0.0,
        rise: 0.0,
        mode: 0.0,
        fill: Ink::black(),
        stroke: Ink::black(),
        fill_alpha: 1.0,
        stroke_alpha: 1.0,
        outer_alpha: 1.0,
        line_width: 1.0,
        capped: false,
        dashed: false,
        blend: Blend::Normal,
        text_clip: 0,
        clip,
        mask: None,
        outer_masks: None,
    }
}
