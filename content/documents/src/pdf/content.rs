//! Content streams: the operators that place text (ISO 32000-1, 8 and 9).

use super::actual::{Stretch, Waiting};
use super::cmap::utf16;
use super::document::{Document, Page};
use super::font::Font;
use super::layout::{Layout, MAX_CHARACTERS};
use super::matrix::Matrix;
use super::object::{is_space, Dict, Lexer, Object, Token};
use crate::budget::{Fault, Result};
use crate::left_out::Hidden;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Most bytes of content of one page with its open forms, decompressed.
const MAX_CONTENT: usize = 16 << 20;
/// Deepest nesting of forms.
const MAX_FORMS: usize = 6;
/// Deepest nesting of saved states and of marked content.
const MAX_STATES: usize = 128;
/// Most operands that an operator gets.
const MAX_OPERANDS: usize = 64;
/// Most entries of the fonts that are kept; beyond, all are let go and loaded again when needed.
const MAX_FONTS: usize = 150_000;
/// Most entries of a font that is no object of its own.
const MAX_DIRECT: usize = 2_000;

/// Most bytes of a string whose character spacing counts as a gap after each character.
const MAX_PAIR: usize = 2;
/// Most UTF-16 units of one `ActualText`.
const MAX_ACTUAL: usize = 4096;

/// The font in use. Of a font that is an object of its own only the number is kept, so that saved
/// states keep no fonts that the cache has let go.
#[derive(Clone)]
enum InUse {
    None,
    Numbered(u32),
    Direct(Rc<Font>),
}

/// What `q` saves.
#[derive(Clone)]
struct State {
    ctm: Matrix,
    font: InUse,
    vertical: bool,
    size: f64,
    character_spacing: f64,
    word_spacing: f64,
    scale: f64,
    leading: f64,
    rise: f64,
    /// The render mode.
    mode: f64,
}

/// Takes the text of pages, one after the other.
pub(crate) struct Pages<'d, 'a> {
    document: &'d mut Document<'a>,
    pub(crate) layout: Layout,
    fonts: BTreeMap<u32, Rc<Font>>,
    /// Entries of the fonts that are kept.
    kept: usize,
    state: State,
    saved: Vec<State>,
    text: Matrix,
    line: Matrix,
    /// The text that stands for what is drawn, for each open marked content that has one.
    marked: Vec<Option<Stretch>>,
    /// Bytes of the contents that are open.
    held: usize,
}

impl<'d, 'a> Pages<'d, 'a> {
    pub(crate) fn new(document: &'d mut Document<'a>) -> Self {
        Self {
            document,
            layout: Layout::default(),
            fonts: BTreeMap::new(),
            kept: 0,
            state: initial(Matrix::IDENTITY),
            saved: Vec::new(),
            text: Matrix::IDENTITY,
            line: Matrix::IDENTITY,
            marked: Vec::new(),
            held: 0,
        }
    }

    /// Appends a page's text.
    pub(crate) fn page(&mut self, page: &Page) -> Result<()> {
        self.state = initial(Matrix::turned(page.turns));
        self.saved.clear();
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
        self.unmark(0)?;
        self.layout.end_page();
        Ok(())
    }

    fn run(&mut self, bytes: &[u8], resources: &Rc<Dict>, depth: usize) -> Result<()> {
        self.held += bytes.len();
        let floor = self.saved.len();
        let marked = self.marked.len();
        let mut lexer = Lexer::new(bytes, 0);
        let mut operands: Vec<Object> = Vec::new();
        while let Some(token) = lexer.token(&mut self.document.budget)? {
            match token {
                Token::Keyword(word) => {
                    self.document.budget.operate()?;
                    if &*word == b"BI" {
                        self.skip_image(&mut lexer)?;
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
        self.unmark(marked)?;
        self.held -= bytes.len();
        Ok(())
    }

    /// Steps over an inline image: to `EI` between white space.
    fn skip_image(&mut self, lexer: &mut Lexer<'_>) -> Result<()> {
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
        Ok(())
    }

    fn operator(
        &mut self,
        word: &[u8],
        operands: &[Object],
        resources: &Rc<Dict>,
        depth: usize,
        floor: usize,
    ) -> Result<()> {
        let number = |place: usize| operands.get(place).and_then(Object::number).unwrap_or(0.0);
        match word {
            b"q" if self.saved.len() < MAX_STATES => self.saved.push(self.state.clone()),
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
            b"BT" => self.set_line(Matrix::IDENTITY),
            b"Tc" => self.state.character_spacing = number(0),
            b"Tw" => self.state.word_spacing = number(0),
            b"Tz" => self.state.scale = number(0) / 100.0,
            b"TL" => self.state.leading = number(0),
            b"Tr" => self.state.mode = number(0),
            b"Ts" => self.state.rise = number(0),
            b"Tf" => {
                self.state.size = number(1);
                self.state.font = match operands.first().and_then(Object::name) {
                    Some(name) => self.font(name, resources)?,
                    None => InUse::None,
                };
                self.state.vertical = self.font_in_use()?.is_some_and(|font| font.vertical);
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
            b"BMC" | b"BDC" if self.marked.len() < MAX_STATES => {
                let replaced = match operands.get(1) {
                    Some(properties) => self.actual_text(properties, resources)?,
                    None => None,
                };
                self.marked.push(replaced.map(Stretch::new));
            }
            b"EMC" => self.unmark(self.marked.len().saturating_sub(1))?,
            b"Do" => {
                if let Some(name) = operands.first().and_then(Object::name) {
                    self.form(name, resources, depth)?;
                }
            }
            _ => {}
        }
        Ok(())
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

    fn actual_text(
        &mut self,
        properties: &Object,
        resources: &Rc<Dict>,
    ) -> Result<Option<Box<str>>> {
        let properties = match properties {
            Object::Name(name) => self.resource(resources, "Properties", name)?,
            direct => direct.clone(),
        };
        let Some(dict) = self.document.resolve(&properties)?.dict().cloned() else {
            return Ok(None);
        };
        Ok(match self.document.get(&dict, "ActualText")?.string() {
            Some([0xfe, 0xff, rest @ ..]) => Some(utf16(rest, MAX_ACTUAL)),
            Some([0xef, 0xbb, 0xbf, rest @ ..]) => Some(String::from_utf8_lossy(rest).into()),
            // PDFDocEncoding, which is Latin-1 for the characters that matter.
            Some(bytes) => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
            None => None,
        })
    }

    /// The named resource of a kind, as it is written.
    fn resource(&mut self, resources: &Dict, kind: &str, name: &[u8]) -> Result<Object> {
        let all = self.document.get(resources, kind)?;
        let entries = resources.len() + all.dict().map_or(0, |all| all.len());
        self.document.budget.scan(entries)?;
        let found = all.dict().and_then(|all| {
            all.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
        });
        Ok(found.unwrap_or(Object::Null))
    }

    fn font(&mut self, name: &[u8], resources: &Dict) -> Result<InUse> {
        let reference = self.resource(resources, "Font", name)?;
        if let Object::Ref(number) = reference {
            return Ok(InUse::Numbered(number));
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

    fn form(&mut self, name: &[u8], resources: &Rc<Dict>, depth: usize) -> Result<()> {
        let reference = self.resource(resources, "XObject", name)?;
        let Some(stream) = self.document.stream(&reference)? else { return Ok(()) };
        if !self.document.get(&stream.dict, "Subtype")?.is_name("Form") {
            return Ok(());
        }
        if depth >= MAX_FORMS {
            return Err(Fault::TooMuch { what: "levels of forms", limit: MAX_FORMS as u64 });
        }
        let bytes = self.document.decode(&stream, MAX_CONTENT.saturating_sub(self.held))?;
        let own = self.document.get(&stream.dict, "Resources")?.dict().cloned();
        let matrix = self.document.get(&stream.dict, "Matrix")?;
        let matrix = matrix.array().and_then(Matrix::from_objects).unwrap_or(Matrix::IDENTITY);
        let (state, text, line) = (self.state.clone(), self.text, self.line);
        self.state.ctm = matrix.then(&self.state.ctm);
        self.run(&bytes, own.as_ref().unwrap_or(resources), depth + 1)?;
        (self.state, self.text, self.line) = (state, text, line);
        Ok(())
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

    /// Shows a string.
    fn show(&mut self, string: Option<&Object>) -> Result<()> {
        let Some(mut rest) = string.and_then(Object::string) else { return Ok(()) };
        let Some(font) = self.font_in_use()? else { return Ok(()) };
        // Spacing of some letters is part of them; that of one or two is how programs write a space.
        let spaced = rest.len() > MAX_PAIR;
        while !rest.is_empty() {
            self.document.budget.operate()?;
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
            let mut text = shown.text.unwrap_or_else(|| "\u{fffd}".into());
            // Text of mode 3 lies over a picture, whatever its font draws.
            if shown.blank && self.state.mode != 3.0 {
                self.layout.left_out.add(Hidden::Transparent, text.len() as u64);
                text.clear();
            }
            let glyph = Waiting { text, place, vertical: font.vertical, advance };
            match self.marked.iter_mut().find_map(Option::as_mut) {
                Some(stretch) => {
                    for glyph in stretch.push(glyph) {
                        self.put(&glyph)?;
                    }
                }
                None => self.put(&glyph)?,
            }
            self.advance(by);
        }
        Ok(())
    }
}

fn initial(ctm: Matrix) -> State {
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
    }
}
