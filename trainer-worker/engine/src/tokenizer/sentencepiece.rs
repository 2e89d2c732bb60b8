//! SentencePiece's `tokenizer.model`: a protobuf of pieces with scores and how text is normalised
//! (`sentencepiece_model.proto`), read field by field with everything bounded.
//!
//! Token ids equal SentencePiece's own, which the models were trained with. transformers 5 builds
//! other merges from the same file where scores are equal (runs of spaces), and for some kinds of
//! model leaves out the space before the text. One difference to SentencePiece remains: text after
//! a piece that a user defined (Mistral's file has 20 for references to documents) begins with a
//! space again, as after special tokens.

use super::ggml::{sentence_piece, Prefix, Vocabulary, USER_DEFINED};
use crate::error::{Error, Result};
use serde_json::Value;

/// Largest file, in bytes.
pub(super) const MAX_FILE: u64 = 64 << 20;
/// Most pieces; real vocabularies have up to 256,000.
const MAX_PIECES: usize = 1 << 20;

// `TrainerSpec.ModelType`.
const BPE: u64 = 2;
const KINDS: [(u64, &str); 3] = [(1, "unigram"), (3, "word"), (4, "char")];

/// A `tokenizer.model`.
#[derive(Debug)]
pub(super) struct Model {
    tokens: Vec<String>,
    scores: Vec<f32>,
    types: Vec<i64>,
    kind: u64,
    byte_fallback: bool,
    ids: Ids,
    /// Whether a space is put before the text.
    dummy_prefix: bool,
    charsmap: bool,
    removes_spaces: bool,
    escapes: bool,
    suffix: bool,
}

/// Ids of the tokens with a meaning; negative ones are not used.
#[derive(Debug, Clone, Copy)]
struct Ids {
    unknown: i64,
    bos: i64,
    eos: i64,
    pad: i64,
}

fn fail(reason: impl Into<String>) -> Error {
    Error::tokenizer(format!("tokenizer.model: {}", reason.into()))
}

/// A field's value.
enum Field<'a> {
    Varint(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
    Other,
}

impl<'a> Field<'a> {
    fn varint(&self) -> Result<u64> {
        match self {
            Self::Varint(v) => Ok(*v),
            _ => Err(fail("a whole number was expected in another field's place")),
        }
    }

    fn bytes(&self) -> Result<&'a [u8]> {
        match self {
            Self::Bytes(b) => Ok(b),
            _ => Err(fail("bytes were expected in another field's place")),
        }
    }
}

/// The fields of a message, one after the other.
struct Message<'a>(&'a [u8]);

impl<'a> Message<'a> {
    fn varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or_else(|| fail("the file is cut short"))?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(fail("a number has more than 64 bits"))
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8]> {
        let len = usize::try_from(len).ok().filter(|len| *len <= self.0.len());
        let (taken, rest) = self.0.split_at(len.ok_or_else(|| fail("the file is cut short"))?);
        self.0 = rest;
        Ok(taken)
    }

    /// The next field's number and value.
    fn next(&mut self) -> Result<Option<(u64, Field<'a>)>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Field::Varint(self.varint()?),
            1 => {
                self.take(8)?;
                Field::Other
            }
            2 => {
                let len = self.varint()?;
                Field::Bytes(self.take(len)?)
            }
            5 => {
                let bytes = self.take(4)?;
                Field::Fixed32(bytes.iter().rev().fold(0, |v, b| v << 8 | u32::from(*b)))
            }
            kind => return Err(fail(format!("a field of kind {kind}; is it a protobuf?"))),
        };
        Ok(Some((key >> 3, value)))
    }
}

impl Model {
    /// Reads the file's bytes.
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        // Protobuf's defaults, as sentencepiece_model.proto has them.
        let mut model = Self {
            tokens: Vec::new(),
            scores: Vec::new(),
            types: Vec::new(),
            kind: 1,
            byte_fallback: false,
            ids: Ids { unknown: 0, bos: 1, eos: 2, pad: -1 },
            dummy_prefix: true,
            charsmap: false,
            removes_spaces: true,
            escapes: true,
            suffix: false,
        };
        let mut fields = Message(bytes);
        while let Some((number, value)) = fields.next()? {
            match number {
                1 => model.piece(value.bytes()?)?,
                2 => model.trainer(value.bytes()?)?,
                3 => model.normalizer(value.bytes()?)?,
                _ => {}
            }
        }
        if model.tokens.is_empty() {
            return Err(fail("it holds no pieces"));
        }
        Ok(model)
    }

    fn piece(&mut self, bytes: &[u8]) -> Result<()> {
        let id = self.tokens.len();
        if id == MAX_PIECES {
            return Err(fail(format!("more than {MAX_PIECES} pieces")));
        }
        let (mut text, mut score, mut kind) = (None, 0f32, 1);
        let mut fields = Message(bytes);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, value) => text = Some(value.bytes()?),
                (2, Field::Fixed32(bits)) => score = f32::from_bits(bits),
                (2, _) => return Err(fail(format!("piece {id} has a score that is no number"))),
                (3, value) => kind = value.varint()?,
                _ => {}
            }
        }
        let text = std::str::from_utf8(text.unwrap_or_default()).ok().filter(|t| !t.is_empty());
        let text = text.ok_or_else(|| fail(format!("piece {id} is empty or not UTF-8")))?;
        if score.is_nan() {
            return Err(fail(format!("piece {id} has a score that is no number")));
        }
        let kind = i64::try_from(kind).ok().filter(|k| (1..=6).contains(k));
        self.types.push(kind.ok_or_else(|| fail(format!("piece {id} is of an unknown type")))?);
        self.tokens.push(text.to_owned());
        self.scores.push(score);
        Ok(())
    }

    fn trainer(&mut self, bytes: &[u8]) -> Result<()> {
        let mut fields = Message(bytes);
        while let Some((number, value)) = fields.next()? {
            // Protobuf's int32 is a sign-extended varint.
            let id = |value: &Field<'_>| value.varint().map(|v| v as i64);
            match number {
                3 => self.kind = value.varint()?,
                24 => self.suffix = value.varint()? != 0,
                35 => self.byte_fallback = value.varint()? != 0,
                40 => self.ids.unknown = id(&value)?,
                41 => self.ids.bos = id(&value)?,
                42 => self.ids.eos = id(&value)?,
                43 => self.ids.pad = id(&value)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn normalizer(&mut self, bytes: &[u8]) -> Result<()> {
        let mut fields = Message(bytes);
        while let Some((number, value)) = fields.next()? {
            match number {
                2 => self.charsmap = !value.bytes()?.is_empty(),
                3 => self.dummy_prefix = value.varint()? != 0,
                4 => self.removes_spaces = value.varint()? != 0,
                5 => self.escapes = value.varint()? != 0,
                _ => {}
            }
        }
        Ok(())
    }

    /// The piece of an id that the file gives a meaning.
    fn named(&self, id: i64) -> Option<&str> {
        usize::try_from(id).ok().and_then(|id| self.tokens.get(id)).map(String::as_str)
    }

    /// Pieces that begin and end a text, stand for the unknown, and fill up.
    pub(super) fn special(&self) -> [(&'static str, Option<&str>); 4] {
        [
            ("bos_token", self.named(self.ids.bos)),
            ("eos_token", self.named(self.ids.eos)),
            ("unk_token", self.named(self.ids.unknown)),
            ("pad_token", self.named(self.ids.pad)),
        ]
    }

    /// A `tokenizer.json` that gives the same ids. `prefix_space` overrides whether a space is put
    /// before the text; `first_only` puts it before the first part of a text alone, not after each
    /// special token.
    ///
    /// # Errors
    /// By name for what cannot be said there: other kinds of model than BPE, normalisation of the
    /// text by a table, spaces that are taken away or not marked.
    pub(super) fn to_json(&self, prefix_space: Option<bool>, first_only: bool) -> Result<Value> {
        let convert = "use a folder that has the tokenizer.json beside it, or write one with the \
                       model's own Python code";
        let refuse = |what: &str| Err(fail(format!("{what}, which is not read; {convert}")));
        if self.kind != BPE {
            let name = KINDS.iter().find(|(k, _)| *k == self.kind).map_or("unknown", |(_, n)| n);
            return refuse(&format!("its pieces are chosen by the model type {name}"));
        }
        let checks = [
            (self.charsmap, "text is normalised by a table of its own (precompiled_charsmap)"),
            (self.removes_spaces, "extra spaces are taken away (remove_extra_whitespaces)"),
            (!self.escapes, "spaces are not marked (escape_whitespaces)"),
            (self.suffix, "spaces end words (treat_whitespace_as_suffix)"),
        ];
        if let Some((_, what)) = checks.iter().find(|(found, _)| *found) {
            return refuse(what);
        }
        let spaced =
            |(token, kind): (&String, &i64)| *kind == USER_DEFINED && token.contains('\u{2581}');
        if self.tokens.iter().zip(&self.types).any(spaced) {
            return refuse("it has pieces defined by the user with spaces in them");
        }
        let vocabulary = Vocabulary { tokens: &self.tokens, types: &self.types };
        let prefix = match (prefix_space.unwrap_or(self.dummy_prefix), first_only) {
            (false, _) => Prefix::None,
            (true, false) => Prefix::Each,
            (true, true) => Prefix::First,
        };
        let unknown = usize::try_from(self.ids.unknown).ok().filter(|id| *id < self.tokens.len());
        sentence_piece(&vocabulary, &self.scores, unknown, prefix, self.byte_fallback)
    }
}
