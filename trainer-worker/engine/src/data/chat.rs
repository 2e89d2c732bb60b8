//! Conversations as tokens: the chat template is rendered prefix by prefix, so that it is known to
//! the token which part each message is.

use super::messages::Turn;
use crate::error::{Error, Result};
use crate::tokenizer::{Json, Message, Tokenizer};

/// Tokens, which of them are learned, and whether the end was cut off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sequence {
    pub(super) tokens: Vec<u32>,
    pub(super) labels: Vec<bool>,
    pub(super) cut: bool,
    /// Tokens that were cut off.
    pub(super) lost: usize,
    /// What the generation prompt goes on with that the template's answers do not begin with.
    pub(super) prefill: Option<String>,
}

impl Sequence {
    fn extend(&mut self, tokens: &[u32], learn: bool) {
        self.tokens.extend_from_slice(tokens);
        self.labels.resize(self.tokens.len(), learn);
    }

    /// Cuts to `limit` tokens; what is left must hold something to learn.
    fn limited(mut self, limit: usize) -> std::result::Result<Self, String> {
        self.cut = self.cut || self.tokens.len() > limit;
        self.lost = self.tokens.len().saturating_sub(limit);
        self.tokens.truncate(limit);
        self.labels.truncate(limit);
        // Nothing predicts the first token.
        if self.labels.iter().skip(1).any(|label| *label) {
            Ok(self)
        } else {
            Err(format!("what comes before the answer fills max_seq_length = {limit}"))
        }
    }

    /// The same with the loss on everything.
    pub(super) fn learned_whole(mut self) -> Self {
        self.labels.iter_mut().for_each(|label| *label = true);
        self
    }
}

/// A tokenizer whose template sees these tools.
#[derive(Clone, Copy)]
pub(super) struct Chat<'a> {
    pub(super) tokenizer: &'a Tokenizer,
    pub(super) tools: Option<&'a Json>,
}

type Said<T> = std::result::Result<T, String>;

const BROKEN: &str = "the chat template does not continue its own generation prompt, so it cannot \
                      be known which tokens are the answer";

impl Chat<'_> {
    fn render(&self, messages: &[Message], prompt: bool) -> Said<String> {
        let rendered = self.tokenizer.render_chat_with(messages, self.tools, prompt);
        rendered.map_err(|error| error.to_string())
    }

    fn encode(&self, text: &str) -> Said<Vec<u32>> {
        self.tokenizer.encode(text).map_err(|error| error.to_string())
    }

    /// A conversation with the loss on its learned messages and on the tokens that end them.
    ///
    /// The conversation is one sequence if its beginning up to each learned answer, with the
    /// generation prompt, is a prefix of the whole: then every label is exact, and the model sees in
    /// training what it sees in use. A template that renders an earlier answer in another way once
    /// more follows (Qwen 3 drops its thoughts) breaks that: then each learned answer is a sequence of
    /// its own, after the prompt that the template gives it.
    ///
    /// # Errors
    ///
    /// In words, why it cannot be trained on.
    pub(super) fn conversation(&self, turns: &[Turn], limit: usize) -> Said<Vec<Sequence>> {
        let messages: Vec<Message> = turns.iter().map(|turn| turn.message.clone()).collect();
        self.check(&messages)?;
        if let Some(sequence) = self.in_one(turns, &messages, limit)? {
            return Ok(vec![sequence.limited(limit)?]);
        }
        let mut sequences = Vec::new();
        for (index, _) in turns.iter().enumerate().filter(|(_, turn)| turn.learn) {
            let (before, through) = (messages.get(..index), messages.get(..=index));
            let (before, through) = (before.unwrap_or_default(), through.unwrap_or_default());
            let full = self.render(through, false)?;
            let (start, prefill) = self.answer_start(before, &full)?;
            let (prompt, answer) = full.split_at_checked(start).ok_or(BROKEN)?;
            let mut sequence = Sequence { prefill, ..Sequence::default() };
            sequence.extend(&self.encode(prompt)?, false);
            sequence.extend(&self.last_answer(answer)?, true);
            // An answer whose prompt is too long is left out; the ones before it remain.
            match sequence.limited(limit) {
                Ok(sequence) => sequences.push(sequence),
                Err(reason) if sequences.is_empty() => return Err(reason),
                Err(_) => {
                    if let Some(last) = sequences.last_mut() {
                        last.cut = true;
                    }
                    break;
                }
            }
        }
        Ok(sequences)
    }

    /// The whole conversation as one sequence, or `None` if the template has no prefix property.
    fn in_one(&self, turns: &[Turn], messages: &[Message], limit: usize) -> Said<Option<Sequence>> {
        let whole = self.render(messages, false)?;
        let mut sequence = Sequence::default();
        let mut done = 0;
        let last = turns.iter().rposition(|turn| turn.learn).unwrap_or_default();
        for (index, _) in turns.iter().enumerate().filter(|(_, turn)| turn.learn) {
            let through = match index + 1 == messages.len() {
                true => whole.clone(),
                false => self.render(messages.get(..=index).unwrap_or_default(), false)?,
            };
            if !whole.starts_with(&through) {
                return Ok(None);
            }
            let before = messages.get(..index).unwrap_or_default();
            let (start, prefill) = self.answer_start(before, &through)?;
            let (Some(before), Some(answer)) =
                (whole.get(done..start), whole.get(start..through.len()))
            else {
                return Ok(None);
            };
            sequence.prefill = sequence.prefill.or(prefill);
            sequence.extend(&self.encode(before)?, false);
            if index == last {
                sequence.extend(&self.last_answer(answer)?, true);
            } else {
                let tokens = self.encode(answer)?;
                let end = tokens.iter().rposition(|token| self.tokenizer.is_end(*token));
                let (answer, after) = tokens.split_at(end.map_or(tokens.len(), |end| end + 1));
                sequence.extend(answer, true);
                sequence.extend(after, false);
            }
            done = through.len();
            // The rest would be cut off.
            if sequence.tokens.len() >= limit && index != last {
                sequence.cut = true;
                break;
            }
        }
        Ok(Some(sequence))
    }

    /// Where the answer begins in a rendered conversation: after the generation prompt. Where that
    /// ends in what the model is to go on from (`<think>`) and the answer does not have it, the
    /// answer begins before it.
    fn answer_start(&self, before: &[Message], full: &str) -> Said<(usize, Option<String>)> {
        // Many templates refuse to render no messages at all.
        let prompt = match self.render(before, true) {
            Ok(prompt) => prompt,
            Err(_) if before.is_empty() => return Ok((self.first_answer_start(full)?, None)),
            Err(reason) => return Err(reason),
        };
        if full.starts_with(&prompt) {
            return Ok((prompt.len(), None));
        }
        if before.is_empty() {
            return self.first_answer_start(full).map(|start| (start, None));
        }
        let base = self.render(before, false)?;
        if !prompt.starts_with(&base) {
            return Err(BROKEN.to_owned());
        }
        let bytes = prompt.bytes().zip(full.bytes());
        let common = bytes.take_while(|(a, b)| a == b).count();
        // At the beginning of a line, or before or after a special token; never within one.
        let start = (base.len() + 1..=common).rev().find(|at| {
            prompt.split_at_checked(*at).is_some_and(|(head, rest)| {
                head.ends_with('\n') || self.tokenizer.special_at(head, rest)
            })
        });
        let start = start.ok_or(BROKEN)?;
        Ok((start, prompt.get(start..).map(str::to_owned)))
    }

    /// Where the answer begins in a conversation that begins with it. A template may put a system
    /// message of its own before it, which its generation prompt for no messages at all lacks; so the
    /// end of that prompt is looked for as it is after a question.
    fn first_answer_start(&self, full: &str) -> Said<usize> {
        const UNKNOWN: &str = "it begins with the assistant, and the chat template does not show where \
                               such an answer begins; put a user's message before it, or take it out";
        let question = [Message::user("?")];
        let asked = self.render(&question, false)?;
        let prompted = self.render(&question, true)?;
        let opening = prompted.strip_prefix(&asked).filter(|opening| !opening.trim().is_empty());
        let opening = opening.ok_or(UNKNOWN)?;
        let start = full.find(opening).ok_or(UNKNOWN)?;
        Ok(start + opening.len())
    }

    /// Tokens of an answer up to the one that ends it, which is added where the template writes
    /// none: nothing after it is ever generated, so nothing after it is trained.
    fn last_answer(&self, answer: &str) -> Said<Vec<u32>> {
        let mut tokens = self.encode(answer)?;
        match tokens.iter().rposition(|token| self.tokenizer.is_end(*token)) {
            Some(end) => tokens.truncate(end + 1),
            None => tokens.push(self.tokenizer.end_of_turn()),
        }
        Ok(tokens)
    }

    /// What a template or tokenizer must not be given, and what a template would drop without a word.
    fn check(&self, messages: &[Message]) -> Said<()> {
        if !self.tokenizer.has_chat_template() {
            return Err("the model has no chat template; train it on text, or on prompt and \
                        completion"
                .to_owned());
        }
        self.tokenizer.check_messages(messages).map_err(|error| error.to_string())?;
        if let Some(tools) = self.tools {
            if let Some(token) = self.tokenizer.special_in(&tools.to_string()) {
                return Err(format!("its tools write out the model's special token {token:?}"));
            }
            let without = Chat { tools: None, ..*self };
            if without.render(messages, false)? == self.render(messages, false)? {
                return Err(
                    "it lists tools, for which the model's chat template has no place".into()
                );
            }
        }
        for (index, message) in messages.iter().enumerate() {
            let through = messages.get(..=index).unwrap_or_default();
            for (keys, name) in [
                (&["reasoning_content", "thinking"][..], "reasoning (reasoning_content, thinking)"),
                (&["tool_calls"][..], "tool_calls"),
            ] {
                if !keys.iter().any(|key| message.extra.contains_key(*key)) {
                    continue;
                }
                let mut without = through.to_vec();
                if let Some(last) = without.last_mut() {
                    last.extra.retain(|key, _| !keys.contains(&key.as_str()));
                }
                // A template may refuse the message without them, which shows that it looks at them.
                let bare = self.render(&without, false).ok();
                if bare.as_ref() == Some(&self.render(through, false)?) {
                    return Err(format!(
                        "message {} has {name}, for which the model's chat template has no place",
                        index + 1
                    ));
                }
            }
            let text = message.content.trim();
            if message.role == "system" && !text.is_empty() && index == 0 {
                // Alone it may be refused: templates want somebody to speak after it.
                let whole = self.render(messages, false)?;
                if !whole.contains(text) {
                    return Err("the model's chat template drops its system message; put it into \
                                the user's"
                        .to_owned());
                }
            }
        }
        Ok(())
    }

    /// A preference between two continuations of messages: prompt, chosen and rejected tokens.
    pub(super) fn preferred(
        &self,
        prompt: &[Message],
        answers: [&[Message]; 2],
    ) -> Said<(Vec<u32>, [Vec<u32>; 2])> {
        let rendered = answers.map(|answer| {
            let all = [prompt, answer].concat();
            self.check(&all)?;
            let full = self.render(&all, false)?;
            let (start, _) = self.answer_start(prompt, &full)?;
            Ok::<_, String>((full, start))
        });
        let [chosen, rejected] = rendered;
        let ((chosen, start), (rejected, other)) = (chosen?, rejected?);
        // Both sides have the same prompt.
        let start = start.min(other);
        let (prompt, chosen) = chosen.split_at_checked(start).ok_or(BROKEN)?;
        let rejected = rejected.strip_prefix(prompt).ok_or(BROKEN)?;
        let answers = [self.last_answer(chosen)?, self.last_answer(rejected)?];
        Ok((self.encode(prompt)?, answers))
    }
}

/// Tokens and labels of one question and answer: the loss is on the answer and its end token.
/// `None` when the prompt leaves no room for the answer; the flag says that the answer was cut.
///
/// # Errors
///
/// [`Error::Tokenizer`] for a template that refuses the pair or does not continue its own
/// generation prompt.
#[allow(clippy::type_complexity)]
pub fn chat_tokens(
    tokenizer: &Tokenizer,
    question: &str,
    answer: &str,
    max_seq_length: usize,
) -> Result<Option<(Vec<u32>, Vec<bool>, bool)>> {
    let sequence = pair(tokenizer, question, answer)?.limited(max_seq_length).ok();
    Ok(sequence.map(|sequence| (sequence.tokens, sequence.labels, sequence.cut)))
}

/// One question and answer, as long as they are.
fn pair(tokenizer: &Tokenizer, question: &str, answer: &str) -> Result<Sequence> {
    let chat = Chat { tokenizer, tools: None };
    let user = Message::user(question);
    let full = tokenizer.render_chat(&[user.clone(), Message::assistant(answer)], false)?;
    let start = chat.answer_start(&[user], &full).map_err(Error::tokenizer)?;
    let (start, prefill) = start;
    let (prompt, answer) = full.split_at_checked(start).ok_or_else(|| Error::tokenizer(BROKEN))?;
    let mut sequence = Sequence { prefill, ..Sequence::default() };
    sequence.extend(&tokenizer.encode(prompt)?, false);
    sequence.extend(&chat.last_answer(answer).map_err(Error::tokenizer)?, true);
    Ok(sequence)
}

/// As [`chat_tokens`], with what else is known of the sequence.
pub(super) fn question_and_answer(
    tokenizer: &Tokenizer,
    question: &str,
    answer: &str,
    limit: usize,
) -> Result<Option<Sequence>> {
    Ok(pair(tokenizer, question, answer)?.limited(limit).ok())
}

/// A prompt and its completion, with the loss on the completion.
pub(super) fn completion(prompt: Vec<u32>, completion: &[u32], limit: usize) -> Said<Sequence> {
    let mut sequence = Sequence::default();
    sequence.extend(&prompt, false);
    sequence.extend(completion, true);
    sequence.limited(limit)
}
