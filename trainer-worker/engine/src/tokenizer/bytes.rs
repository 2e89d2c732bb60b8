//! What single tokens stand for in bytes, so that text can be put together token by token.
//!
//! A token of a byte-level vocabulary stands for any bytes, one of a SentencePiece vocabulary for
//! characters or, as `<0xE2>`, for one byte: a character may be spread over several tokens. Bytes that
//! are no UTF-8 become U+FFFD, one for each longest beginning of a character
//! ([`String::from_utf8_lossy`]), which is what a byte-level decoder does with the whole text; the
//! library's byte fallback would take back a whole run of bytes for one wrong one, which no reader of a
//! stream can.

use super::Tokenizer;
use crate::error::Result;
use crate::generate::Vocabulary;
use std::sync::Arc;
use tokenizers::{Decoder, DecoderWrapper};

/// Longest token in bytes that text is made of; longer ones, which no real vocabulary has, are cut.
const MAX_TOKEN_BYTES: usize = 4096;
/// Stands beside a token where a decoder must see that it neither begins nor ends the text.
const BESIDE: &str = "x";

/// The byte of a character of GPT-2's byte-level alphabet: printable Latin-1 characters stand for
/// themselves, the 68 other bytes for U+0100 onwards in ascending order.
fn byte_of(c: char) -> Option<u8> {
    let code = u32::from(c);
    match code {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => Some(code as u8),
        0x100..=0x143 => match code - 0x100 {
            n @ 0..=0x20 => Some(n as u8),
            n @ 0x21..=0x42 => Some((n + 0x5e) as u8),
            _ => Some(0xad),
        },
        _ => None,
    }
}

/// The byte that a token of SentencePiece's byte fallback stands for.
fn fallback_byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok())?
}

fn is_byte_level(decoder: &DecoderWrapper) -> bool {
    match decoder {
        DecoderWrapper::ByteLevel(_) => true,
        DecoderWrapper::Sequence(sequence) => sequence.get_decoders().iter().any(is_byte_level),
        _ => false,
    }
}

fn has_byte_fallback(decoder: &DecoderWrapper) -> bool {
    match decoder {
        DecoderWrapper::ByteFallback(_) => true,
        DecoderWrapper::Sequence(sequence) => sequence.get_decoders().iter().any(has_byte_fallback),
        _ => false,
    }
}

impl Tokenizer {
    /// The bytes that a token adds to a text; none for special tokens and for ids without a token.
    /// Where it is the `first` of a text, some decoders leave out a space before it.
    ///
    /// # Errors
    /// When the decoder of a damaged `tokenizer.json` fails.
    pub fn token_bytes(&self, id: u32, first: bool) -> Result<Vec<u8>> {
        let Some(token) = self.inner.id_to_token(id) else { return Ok(Vec::new()) };
        if self.inner.get_added_vocabulary().is_special_token(&token) {
            return Ok(Vec::new());
        }
        let mut bytes = match self.inner.get_decoder() {
            Some(decoder) if is_byte_level(decoder) => {
                let bytes: Option<Vec<u8>> = token.chars().map(byte_of).collect();
                bytes.unwrap_or_else(|| token.into_bytes())
            }
            Some(decoder) => match fallback_byte(&token).filter(|_| has_byte_fallback(decoder)) {
                Some(byte) if !(first && byte == b' ') => vec![byte],
                _ => {
                    let before = if first { "" } else { BESIDE };
                    let mut chain: Vec<String> = Vec::with_capacity(3);
                    if !first {
                        chain.push(BESIDE.to_owned());
                    }
                    chain.push(token.clone());
                    chain.push(BESIDE.to_owned());
                    let text = super::guarded("token", || decoder.decode(chain))?;
                    let text = text.strip_prefix(before).and_then(|t| t.strip_suffix(BESIDE));
                    text.unwrap_or(&token).as_bytes().to_vec()
                }
            },
            // Without a decoder the library puts spaces between tokens.
            None if first => token.into_bytes(),
            None => format!(" {token}").into_bytes(),
        };
        bytes.truncate(MAX_TOKEN_BYTES);
        Ok(bytes)
    }
}

impl Tokenizer {
    /// The tokens that stand for text, for answers that follow a grammar; made once.
    ///
    /// # Errors
    /// As [`Self::token_bytes`].
    pub fn vocabulary(&self) -> Result<Arc<Vocabulary>> {
        if let Some(known) = self.vocabulary.get() {
            return Ok(Arc::clone(known));
        }
        let ends = self.end_tokens();
        let (mut tokens, mut leaves_out_space) = (Vec::new(), false);
        for id in self.inner.get_vocab(true).into_values() {
            if self.is_special(id) || ends.contains(&id) {
                continue;
            }
            let bytes = self.token_bytes(id, false)?;
            if !leaves_out_space && bytes.first() == Some(&b' ') {
                leaves_out_space = self.token_bytes(id, true)? != bytes;
            }
            tokens.push((id, bytes));
        }
        Ok(Arc::clone(
            self.vocabulary.get_or_init(|| Arc::new(Vocabulary::new(tokens, leaves_out_space))),
        ))
    }
}

/// Text put together token by token, with time and memory of the token at hand alone.
#[derive(Debug, Clone, Default)]
pub struct TextStream {
    begun: bool,
    /// The bytes of a character that is not whole yet, at most three.
    pending: Vec<u8>,
}

impl TextStream {
    /// The text that is certain once a token has come.
    ///
    /// # Errors
    /// As [`Tokenizer::token_bytes`].
    pub fn push(&mut self, tokenizer: &Tokenizer, id: u32) -> Result<String> {
        let special = tokenizer
            .id_to_token(id)
            .is_none_or(|token| tokenizer.inner.get_added_vocabulary().is_special_token(&token));
        if special {
            return Ok(String::new());
        }
        self.pending.extend(tokenizer.token_bytes(id, !self.begun)?);
        self.begun = true;
        let mut text = String::new();
        let mut used = 0;
        for chunk in self.pending.utf8_chunks() {
            text.push_str(chunk.valid());
            used += chunk.valid().len();
            let broken = chunk.invalid();
            if broken.is_empty() {
                break;
            }
            // What ends the bytes may be the beginning of a character.
            if used + broken.len() == self.pending.len() && may_grow(broken) {
                break;
            }
            text.push('\u{fffd}');
            used += broken.len();
        }
        self.pending.drain(..used);
        Ok(text)
    }

    /// Whether the last token ended within a character.
    pub fn is_within_character(&self) -> bool {
        !self.pending.is_empty()
    }

    /// What is left at the end of the text.
    pub fn finish(&mut self) -> String {
        let rest = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending.clear();
        rest
    }
}

/// Whether bytes are a beginning of a character, but not a whole one.
fn may_grow(bytes: &[u8]) -> bool {
    matches!(std::str::from_utf8(bytes), Err(e) if e.error_len().is_none())
}
