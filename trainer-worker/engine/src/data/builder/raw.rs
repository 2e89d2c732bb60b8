//! Raw text: its tokens, and windows of it.

use super::super::report::Source;
use super::super::{Kind, Objective};
use super::{line_of, Builder, Said};
use crate::error::Result;
use std::ops::Range;

/// Shortest window of plain text that is trained on, in tokens.
const MIN_WINDOW: usize = 2;

/// Special tokens of models that people train, for a word where another model's are written.
const WELL_KNOWN: [&str; 20] = [
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<|user|>",
    "<|assistant|>",
    "<|system|>",
    "<|end|>",
    "<|start|>",
    "<|message|>",
];

impl Builder<'_> {
    /// Tokens of raw text, by the one rule for special tokens that are written out: those of whoever
    /// trains are special tokens, those of strangers are letters.
    fn raw(
        &mut self,
        source: Source<'_>,
        line: usize,
        text: &str,
    ) -> Result<Vec<(u32, (usize, usize))>> {
        let Some(token) = self.tokenizer.special_in(text).map(str::to_owned) else {
            for foreign in WELL_KNOWN.iter().filter(|token| text.contains(**token)) {
                let what = format!(
                    "texts with {foreign}, a special token of other models: it is letters to this one"
                );
                self.remark(source, line, &what, 1);
            }
            return self.tokenizer.encode_plain(text);
        };
        if !source.file.own {
            let what = format!(
                "texts of a Datanet that write out a special token ({token}, …): letters, so that \
                 nobody ends a turn or speaks for another"
            );
            self.remark(source, line, &what, 1);
            return self.tokenizer.encode_plain(text);
        }
        let tokens = self.tokenizer.encode_marked(text)?;
        let written = tokens.iter().filter(|(id, _)| self.tokenizer.is_special(*id)).count();
        self.remark(source, line, "special tokens written in raw text, taken as such", written);
        Ok(tokens)
    }

    /// Tokens of a text that begins a sequence, with the token for that where the model wants one.
    pub(super) fn beginning(
        &mut self,
        source: Source<'_>,
        line: usize,
        text: &str,
    ) -> Said<Vec<u32>> {
        let tokens = self.raw(source, line, text).map_err(|error| error.to_string())?;
        let mut tokens: Vec<u32> = tokens.into_iter().map(|(id, _)| id).collect();
        if let (true, Some(bos)) = (self.tokenizer.add_bos, self.tokenizer.bos) {
            if tokens.first() != Some(&bos) {
                tokens.insert(0, bos);
            }
        }
        Ok(tokens)
    }

    /// Tokens of a text that ends a sequence, with the token for that if it is not written.
    pub(super) fn ending(&mut self, source: Source<'_>, line: usize, text: &str) -> Said<Vec<u32>> {
        let tokens = self.raw(source, line, text).map_err(|error| error.to_string())?;
        let mut tokens: Vec<u32> = tokens.into_iter().map(|(id, _)| id).collect();
        if !self.has_end(source, text) {
            tokens.push(self.tokenizer.eos);
        }
        Ok(tokens)
    }

    /// Whether a text ends, apart from white space, with a token that ends an answer.
    fn has_end(&self, source: Source<'_>, text: &str) -> bool {
        let ends = self.tokenizer.end_tokens();
        let written = |id: &u32| {
            self.tokenizer.id_to_token(*id).is_some_and(|token| text.trim_end().ends_with(&token))
        };
        source.file.own && ends.iter().any(written)
    }

    /// Windows of a range of a text. Those of a record have its span, those of a file their own.
    pub(super) fn text(
        &mut self,
        source: Source<'_>,
        text: &str,
        range: Range<usize>,
        record: Option<(usize, Range<usize>)>,
    ) -> Result<()> {
        let first = range.start;
        let text_line = || line_of(text, first);
        let line = record.as_ref().map_or_else(text_line, |(line, _)| *line);
        if self.objective == Objective::Preference {
            self.refuse(source, line, "it is no preference");
            return Ok(());
        }
        let text = text.get(range).unwrap_or_default();
        if text.trim().is_empty() {
            if record.is_some() {
                self.refuse(source, line, "its text is blank");
            }
            return Ok(());
        }
        let mut tokens = self.raw(source, line, text)?;
        if let (true, Some(bos)) = (self.tokenizer.add_bos, self.tokenizer.bos) {
            if tokens.first().map(|(id, _)| *id) != Some(bos) {
                tokens.insert(0, (bos, (0, 0)));
            }
        }
        if !self.has_end(source, text) {
            tokens.push((self.tokenizer.eos, (text.len(), text.len())));
        }
        let size = self.options.max_seq_length.max(1);
        let kind = if record.is_some() { Kind::Text } else { Kind::Window };
        let mut start = 0;
        for (index, window) in tokens.chunks(size).enumerate() {
            // A window ends where the next one begins, whatever a tokenizer's offsets leave out
            // between two tokens or give to several tokens of one character.
            let next = tokens.get((index + 1).saturating_mul(size));
            let end = next.map_or(text.len(), |(_, (at, _))| (*at).clamp(start, text.len()));
            let own = first + start..first + end;
            start = end;
            if window.len() < MIN_WINDOW {
                if index == 0 {
                    self.refuse(source, line, "its text is a single token");
                }
                continue;
            }
            self.report.windows += 1;
            let labels = (0..window.len()).map(|i| i > 0).collect();
            let ids = window.iter().map(|(id, _)| *id).collect();
            let span = record.as_ref().map_or(own, |(_, span)| span.clone());
            self.push(source, kind, ids, labels, span);
        }
        Ok(())
    }
}
