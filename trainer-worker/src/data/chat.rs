//! Conversations as tokens: the chat template is rendered prefix by prefix, so that it is known to
//! the token which part each message is.

use super::records::Turn;
use crate::error::{Error, Result};
use crate::tokenizer::{Message, Tokenizer};

/// Tokens, which of them are learned, and whether the end was cut off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sequence {
    pub(super) tokens: Vec<u32>,
    pub(super) labels: Vec<bool>,
    pub(super) cut: bool,
}

impl Sequence {
    fn extend(&mut self, tokens: &[u32], learn: bool) {
        self.tokens.extend_from_slice(tokens);
        self.labels.resize(self.tokens.len(), learn);
    }

    /// Cuts to `limit` tokens; what is left must hold something to learn.
    fn limited(mut self, limit: usize) -> std::result::Result<Self, String> {
        self.cut = self.cut || self.tokens.len() > limit;
        self.tokens.truncate(limit);
        self.labels.truncate(limit);
        // Nothing predicts the first token.
        if self.labels.iter().skip(1).any(|label| *label) {
            Ok(self)
        } else {
            Err(format!("what comes before the answer fills max_seq_length = {limit}"))
        }
    }
}

/// Whether a token ends an answer.
fn ends(tokenizer: &Tokenizer, token: u32) -> bool {
    tokenizer.is_end(token)
}

/// A conversation with the loss on its learned messages and on the tokens that end them.
///
/// The conversation is one sequence if its beginning up to each learned answer, with the generation
/// prompt, is a prefix of the whole: then every label is exact, and the model sees in training what
/// it sees in use. A template that renders an earlier answer in another way once more follows (Qwen
/// 3 drops its thoughts) breaks that: then each learned answer is a sequence of its own, after the
/// prompt that the template gives it.
///
/// # Errors
///
/// In words, why it cannot be trained on.
pub(super) fn conversation(
    tokenizer: &Tokenizer,
    turns: &[Turn],
    limit: usize,
) -> std::result::Result<Vec<Sequence>, String> {
    let messages: Vec<Message> = turns.iter().map(|turn| turn.message.clone()).collect();
    check_messages(tokenizer, &messages)?;
    if let Some(sequence) = in_one(tokenizer, turns, &messages, limit)? {
        return Ok(vec![sequence.limited(limit)?]);
    }
    let mut sequences = Vec::new();
    for (index, _) in turns.iter().enumerate().filter(|(_, turn)| turn.learn) {
        let (before, through) = (messages.get(..index), messages.get(..=index));
        let (before, through) = (before.unwrap_or_default(), through.unwrap_or_default());
        let prompt = render(tokenizer, before, true)?;
        let full = render(tokenizer, through, false)?;
        let answer = full.strip_prefix(&prompt).ok_or(BROKEN)?;
        let mut sequence = Sequence::default();
        sequence.extend(&encode(tokenizer, &prompt)?, false);
        sequence.extend(&last_answer(tokenizer, answer)?, true);
        // An answer whose prompt is too long is left out; the ones before it remain.
        match sequence.limited(limit) {
            Ok(sequence) => sequences.push(sequence),
            Err(reason) if sequences.is_empty() => return Err(reason),
            Err(_) => break,
        }
    }
    Ok(sequences)
}

const BROKEN: &str = "the chat template does not continue its own generation prompt, so it cannot \
                      be known which tokens are the answer";

/// The whole conversation as one sequence, or `None` if the template has no prefix property.
fn in_one(
    tokenizer: &Tokenizer,
    turns: &[Turn],
    messages: &[Message],
    limit: usize,
) -> std::result::Result<Option<Sequence>, String> {
    let whole = render(tokenizer, messages, false)?;
    let mut sequence = Sequence::default();
    let mut done = 0;
    let last = turns.iter().rposition(|turn| turn.learn).unwrap_or_default();
    for (index, _) in turns.iter().enumerate().filter(|(_, turn)| turn.learn) {
        let prompt = render(tokenizer, messages.get(..index).unwrap_or_default(), true)?;
        let through = match index + 1 == messages.len() {
            true => whole.clone(),
            false => render(tokenizer, messages.get(..=index).unwrap_or_default(), false)?,
        };
        let stable = whole.starts_with(&prompt) && whole.starts_with(&through);
        let (Some(before), Some(answer)) =
            (whole.get(done..prompt.len()), whole.get(prompt.len()..through.len()))
        else {
            return Ok(None);
        };
        if !stable {
            return Ok(None);
        }
        sequence.extend(&encode(tokenizer, before)?, false);
        if index == last {
            sequence.extend(&last_answer(tokenizer, answer)?, true);
        } else {
            let tokens = encode(tokenizer, answer)?;
            let end = tokens.iter().rposition(|token| ends(tokenizer, *token));
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

/// Tokens of an answer up to the one that ends it, which is added where the template writes none:
/// nothing after it is ever generated, so nothing after it is trained.
fn last_answer(tokenizer: &Tokenizer, answer: &str) -> std::result::Result<Vec<u32>, String> {
    let mut tokens = encode(tokenizer, answer)?;
    match tokens.iter().rposition(|token| ends(tokenizer, *token)) {
        Some(end) => tokens.truncate(end + 1),
        None => tokens.push(tokenizer.end_of_turn()),
    }
    Ok(tokens)
}

/// What a template or tokenizer must not be given.
fn check_messages(tokenizer: &Tokenizer, messages: &[Message]) -> std::result::Result<(), String> {
    if !tokenizer.has_chat_template() {
        return Err(
            "the model has no chat template; train it on text, or on prompt and completion"
                .to_owned(),
        );
    }
    for (index, message) in messages.iter().enumerate() {
        // It could end a turn or speak for somebody else.
        if let Some(token) = tokenizer.special_in(&message.content) {
            let place = index + 1;
            return Err(format!("message {place} writes out the model's special token {token:?}"));
        }
    }
    Ok(())
}

/// A preference between two continuations of messages: prompt, chosen and rejected tokens.
pub(super) fn preferred(
    tokenizer: &Tokenizer,
    prompt: &[Message],
    answers: [&[Message]; 2],
) -> std::result::Result<(Vec<u32>, [Vec<u32>; 2]), String> {
    check_messages(tokenizer, prompt)?;
    let rendered = render(tokenizer, prompt, true)?;
    let continued = |answer: &[Message]| {
        check_messages(tokenizer, answer)?;
        let full = render(tokenizer, &[prompt, answer].concat(), false)?;
        last_answer(tokenizer, full.strip_prefix(&rendered).ok_or(BROKEN)?)
    };
    let [chosen, rejected] = answers;
    Ok((encode(tokenizer, &rendered)?, [continued(chosen)?, continued(rejected)?]))
}

/// Tokens of a text that is no conversation, with the token that begins a text where the model
/// wants one.
pub(super) fn beginning(
    tokenizer: &Tokenizer,
    text: &str,
) -> std::result::Result<Vec<u32>, String> {
    let bos = tokenizer.bos.filter(|_| tokenizer.add_bos);
    Ok(bos.into_iter().chain(plain(tokenizer, text)?).collect())
}

/// Tokens of a text that ends a sequence.
pub(super) fn ending(tokenizer: &Tokenizer, text: &str) -> std::result::Result<Vec<u32>, String> {
    let mut tokens = plain(tokenizer, text)?;
    tokens.push(tokenizer.eos);
    Ok(tokens)
}

fn plain(tokenizer: &Tokenizer, text: &str) -> std::result::Result<Vec<u32>, String> {
    let tokens = tokenizer.encode_plain(text).map_err(|error| error.to_string())?;
    Ok(tokens.into_iter().map(|(id, _)| id).collect())
}

/// A prompt and its completion, with the loss on the completion.
pub(super) fn completion(
    tokenizer: &Tokenizer,
    prompt: &str,
    completion: &str,
    limit: usize,
) -> std::result::Result<Sequence, String> {
    let mut sequence = Sequence::default();
    sequence.extend(&beginning(tokenizer, prompt)?, false);
    sequence.extend(&ending(tokenizer, completion)?, true);
    sequence.limited(limit)
}

fn render(
    tokenizer: &Tokenizer,
    messages: &[Message],
    prompt: bool,
) -> std::result::Result<String, String> {
    tokenizer.render_chat(messages, prompt).map_err(|error| error.to_string())
}

fn encode(tokenizer: &Tokenizer, text: &str) -> std::result::Result<Vec<u32>, String> {
    tokenizer.encode(text).map_err(|error| error.to_string())
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
    let user = Message::user(question);
    let prompt = tokenizer.render_chat(std::slice::from_ref(&user), true)?;
    let full = tokenizer.render_chat(&[user, Message::assistant(answer)], false)?;
    let answer = full.strip_prefix(&prompt).ok_or_else(|| Error::tokenizer(BROKEN))?;
    let mut sequence = Sequence::default();
    sequence.extend(&tokenizer.encode(&prompt)?, false);
    sequence.extend(&last_answer(tokenizer, answer).map_err(Error::tokenizer)?, true);
    let limited = sequence.limited(max_seq_length).ok();
    Ok(limited.map(|sequence| (sequence.tokens, sequence.labels, sequence.cut)))
}
