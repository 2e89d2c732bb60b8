//! Content streams: the operators that place text (ISO 32000-1, 8 and 9).

mod external;
mod show;

use super::actual::{Stretch, Waiting};
use super::cmap::utf16;
use super::document::{Document, Page, Stream};
use super::font::Font;
use super::graphics::Ink;
use super::layout::Layout;
use super::matrix::Matrix;
use super::object::{is_space, Dict, Lexer, Object, Token};
use super::paint::colour::{Blend, Contrasts, Space};
use super::paint::function::Function;
use super::paint::layers::Layers;
use super::paint::path::{corners, Edge, Path};
use super::paint::picture::{Allowance, Picture};
use super::paint::raster::{Clip, Ground, Raster, Rect, Rgb};
use super::paint::sight::Judged;
use crate::budget::{Fault, Result};
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
    /// What the open page names.
    page_resources: Rc<Dict>,
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
            page_resources: Rc::default(),
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
        self.page_resources = resources.clone();
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
            b"Tj" => self.show(operands.first(), false)?,
            b"'" => {
                self.next_line(0.0, -self.state.leading);
                self.show(operands.first(), false)?;
            }
            b"\"" => {
                self.state.word_spacing = number(0);
                self.state.character_spacing = number(1);
                self.next_line(0.0, -self.state.leading);
                self.show(operands.get(2), false)?;
            }
            b"TJ" => {
                let items = operands.first().and_then(Object::array).unwrap_or_default();
                let spaces = self.spaces_by_spacing(items);
                for item in items {
                    match item {
                        Object::Number(back) => self.advance(-back / 1000.0 * self.state.size),
                        other => self.show(Some(other), spaces)?,
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

    /// Whether a line's character spacing stands for its spaces, as Ghostscript writes them: within
    /// words it is taken back.
    fn spaces_by_spacing(&self, items: &[Object]) -> bool {
        let spacing = self.state.character_spacing;
        let taken_back = |back: f64| (back / 1000.0 * self.state.size - spacing).abs();
        let takes_back = |back: f64| taken_back(back) <= spacing / 10.0;
        spacing > 0.0 && items.iter().filter_map(Object::number).any(takes_back)
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

    /// The named resource of a kind, as it is written.
    pub(super) fn resource(&mut self, resources: &Dict, kind: &str, name: &[u8]) -> Result<Object> {
        let all = self.document.get(resources, kind)?;
        let entries = resources.len() + all.dict().map_or(0, |all| all.len());
        self.document.budget.scan(entries)?;
        let found = all.dict().and_then(|all| {
            all.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
        });
        match found {
            Some(found) => Ok(found),
            // Old forms use what their page has, and viewers look there for what a form lacks.
            None if !std::ptr::eq(resources, &*self.page_resources) => {
                let page = self.page_resources.clone();
                self.resource(&page, kind, name)
            }
            None => Ok(Object::Null),
        }
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
