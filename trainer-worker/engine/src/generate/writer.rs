//! One answer being written.

use super::grammar::{ClientGrammars, GrammarMemory, Matcher};
use super::logprobs::{RawLogprobs, TokenLogprob};
use super::sampler::Sampler;
use super::sampling::Sampling;
use super::stop::StopStrings;
use crate::error::{Error, Result};
use crate::tokenizer::{TextStream, Tokenizer};
use std::borrow::Borrow;
use std::collections::VecDeque;
use std::sync::Arc;

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// A token that ends an answer, a stop string, or the end of what the grammar allows.
    Stop,
    /// [`Sampling::max_new_tokens`] were written.
    Length,
}

/// What one step of the model added to an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// The token that the model reads next; none at the end.
    pub token: Option<u32>,
    /// Text, which is empty while a character or a stop string may still grow.
    pub text: String,
    /// Of the tokens that this text holds the last part of, where [`Sampling::logprobs`] asks for them.
    pub logprobs: Vec<TokenLogprob>,
    /// Set at the end.
    pub finish: Option<Finish>,
}

/// One answer: fed with logits, it gives text. It knows no clock and no threads: what it writes depends
/// on its settings, the prompt and the logits alone.
pub struct Writer<T: Borrow<Tokenizer> = Arc<Tokenizer>> {
    tokenizer: T,
    sampler: Sampler,
    stream: TextStream,
    stops: StopStrings,
    raw: RawLogprobs,
    matcher: Option<Matcher>,
    logprobs: Option<usize>,
    max_new_tokens: usize,
    ignore_end: bool,
    tokens: Vec<u32>,
    drawn: usize,
    /// Bytes of text that were decoded, and that were given out.
    decoded: usize,
    given: usize,
    /// Of tokens whose text was not given out wholly: where it begins and ends.
    waiting: VecDeque<(usize, usize, TokenLogprob)>,
    finish: Option<Finish>,
}

impl<T: Borrow<Tokenizer>> Writer<T> {
    /// An answer to `prompt`, of which only [`Sampling::repetition_penalty`] takes notice.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn new(tokenizer: T, sampling: &Sampling, prompt: &[u32]) -> Result<Self> {
        Self::within(tokenizer, sampling, prompt, &GrammarMemory::alone())
    }

    /// The same beside other answers, within what its client may take of the memory for grammars.
    ///
    /// # Errors
    /// As [`Self::new`], and where that is used up.
    pub fn within(
        tokenizer: T,
        sampling: &Sampling,
        prompt: &[u32],
        memory: &Arc<ClientGrammars>,
    ) -> Result<Self> {
        sampling.validate()?;
        let vocabulary = tokenizer.borrow().vocab_size();
        if let Some((id, _)) = sampling.logit_bias.iter().find(|(id, _)| *id as usize >= vocabulary)
        {
            return Err(Error::Setting {
                name: "logit_bias",
                value: format!("token {id}"),
                range: format!("token ids below {vocabulary}"),
            });
        }
        let matcher = match &sampling.grammar {
            Some(grammar) => Some(Matcher::new(grammar, tokenizer.borrow().vocabulary()?, memory)?),
            None => None,
        };
        Ok(Self {
            tokenizer,
            sampler: Sampler::new(sampling, prompt),
            stream: TextStream::default(),
            stops: StopStrings::new(&sampling.stop),
            raw: RawLogprobs::new(),
            matcher,
            logprobs: sampling.logprobs,
            max_new_tokens: sampling.max_new_tokens,
            ignore_end: sampling.ignore_end,
            tokens: Vec::new(),
            drawn: 0,
            decoded: 0,
            given: 0,
            waiting: VecDeque::new(),
            finish: None,
        })
    }

    /// Takes the logits after the last token, one for each token of the model's vocabulary, and writes
    /// one token. The logits are changed. After the end it writes nothing more.
    ///
    /// # Errors
    /// When the logits leave no token to choose, or the tokenizer fails on a token.
    pub fn next(&mut self, logits: &mut [f32]) -> Result<Piece> {
        if self.finish.is_some() {
            return Ok(Piece {
                token: None,
                text: String::new(),
                logprobs: Vec::new(),
                finish: self.finish,
            });
        }
        if let Some(top) = self.logprobs {
            self.raw.read(logits, top);
        }
        let tokenizer = self.tokenizer.borrow();
        if let Some(matcher) = &mut self.matcher {
            matcher.restrict(tokenizer, logits)?;
        }
        let id = self.sampler.pick(logits)?;
        self.drawn += 1;
        if !self.ignore_end && tokenizer.is_end(id) {
            return Ok(self.end(Finish::Stop, String::new()));
        }
        let first = self.tokens.is_empty();
        self.tokens.push(id);
        self.sampler.count(id);
        let text = self.stream.push(tokenizer, id)?;
        let begin = self.decoded;
        self.decoded += text.len();
        if self.logprobs.is_some() {
            let entry = self.raw.of(tokenizer, id, first)?;
            // A character that is not whole yet will be one more byte at least.
            let end = self.decoded + usize::from(self.stream.is_within_character());
            self.waiting.push_back((begin, end, entry));
        }
        let complete = match &mut self.matcher {
            Some(matcher) => matcher.take(&tokenizer.token_bytes(id, false)?)?,
            None => false,
        };
        let (text, stopped) = self.stops.push(&text);
        self.given += text.len();
        if complete {
            return Ok(self.end(Finish::Stop, text));
        }
        if stopped {
            // What lies in the stop string is not part of the answer.
            self.waiting.retain(|(begin, _, _)| *begin < self.given);
            self.finish = Some(Finish::Stop);
            let logprobs = self.waiting.drain(..).map(|(_, _, entry)| entry).collect();
            return Ok(Piece { token: None, text, logprobs, finish: self.finish });
        }
        if self.tokens.len() >= self.max_new_tokens {
            return Ok(self.end(Finish::Length, text));
        }
        let mut logprobs = Vec::new();
        while self.waiting.front().is_some_and(|(_, end, _)| *end <= self.given) {
            logprobs.extend(self.waiting.pop_front().map(|(_, _, entry)| entry));
        }
        Ok(Piece { token: Some(id), text, logprobs, finish: None })
    }

    /// Ends the answer where it stands, because the caller has no room for more of it: what was held back
    /// is given out.
    pub fn cut(&mut self) -> Piece {
        match self.finish {
            None => self.end(Finish::Length, String::new()),
            finish => Piece { token: None, text: String::new(), logprobs: Vec::new(), finish },
        }
    }

    fn end(&mut self, finish: Finish, mut text: String) -> Piece {
        let rest = self.stream.finish();
        let (rest, stopped) = self.stops.push(&rest);
        text.push_str(&rest);
        if stopped {
            self.given += rest.len();
            self.waiting.retain(|(begin, _, _)| *begin < self.given);
        } else {
            text.push_str(&self.stops.finish());
        }
        let finish = if stopped { Finish::Stop } else { finish };
        self.finish = Some(finish);
        let logprobs = self.waiting.drain(..).map(|(_, _, entry)| entry).collect();
        Piece { token: None, text, logprobs, finish: Some(finish) }
    }

    /// Gives back the memory that choosing a token takes, some bytes for each token of the vocabulary,
    /// where the next one is not to be written soon. What is written does not change.
    pub fn rest(&mut self) {
        self.sampler.rest();
        self.raw = RawLogprobs::new();
        if let Some(matcher) = &mut self.matcher {
            matcher.rest();
        }
    }

    /// The tokens written, without the one that ended the answer.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Number of tokens that the model chose, with the one that ended the answer: what vLLM and
    /// llama-server count as tokens of the completion.
    pub fn completion_tokens(&self) -> usize {
        self.drawn
    }

    /// Why the answer ended, once it has.
    pub fn finish(&self) -> Option<Finish> {
        self.finish
    }
}
