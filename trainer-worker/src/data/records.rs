//! Structured training data: what a JSON object says (see the rule in [`super`]).

use super::Kind;
use crate::tokenizer::Message;
use serde_json::{Map, Value};
use std::ops::Range;

/// Most bytes of one line or object.
pub const MAX_RECORD: usize = 4 << 20;
/// Most messages of one conversation.
pub const MAX_MESSAGES: usize = 256;

/// A message and whether the model learns to write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Role and text.
    pub message: Message,
    /// Whether its tokens count in the loss: answers do, except those of weight 0.
    pub learn: bool,
}

/// A side of a preference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// Text as it is.
    Text(String),
    /// Messages for the chat template.
    Messages(Vec<Message>),
}

/// What one JSON object says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A conversation.
    Chat(Vec<Turn>),
    /// Text with the loss on its second part only.
    Completion {
        /// What is given.
        prompt: String,
        /// What is learned.
        completion: String,
    },
    /// Text with the loss on all of it.
    Text(String),
    /// A preference; all sides are of the same kind.
    Preference {
        /// What is given.
        prompt: Side,
        /// The answer to prefer.
        chosen: Side,
        /// The answer to avoid.
        rejected: Side,
    },
}

/// The shape of an object, by its keys and the types of their values.
pub fn shape(object: &Map<String, Value>) -> Option<Kind> {
    let text = |key: &str| matches!(object.get(key), Some(Value::String(_)));
    let list = |key: &str| matches!(object.get(key), Some(Value::Array(_)));
    let absent = |key: &str| matches!(object.get(key), None | Some(Value::Null));
    if (text("chosen") && text("rejected") && (absent("prompt") || text("prompt")))
        || (list("chosen") && list("rejected"))
    {
        Some(Kind::Preference)
    } else if list("messages") {
        Some(Kind::Messages)
    } else if list("conversations") {
        Some(Kind::ShareGpt)
    } else if text("instruction") && text("output") && (absent("input") || text("input")) {
        Some(Kind::Alpaca)
    } else if (text("prompt") && text("completion")) || (list("prompt") && list("completion")) {
        Some(Kind::PromptCompletion)
    } else if text("text") {
        Some(Kind::Text)
    } else {
        None
    }
}

/// Reads one JSON object.
///
/// # Errors
///
/// Why it cannot be trained on, in words.
pub fn parse(json: &str) -> Result<(Kind, Record), String> {
    if json.len() > MAX_RECORD {
        return Err(format!("it has {} bytes; at most {MAX_RECORD} are read", json.len()));
    }
    // The parser refuses more than 128 levels and halves of surrogate pairs.
    let value: Value = serde_json::from_str(json).map_err(|e| format!("it is no JSON: {e}"))?;
    let Value::Object(object) = value else { return Err("it is no JSON object".to_owned()) };
    let kind = shape(&object).ok_or_else(|| {
        "its keys have none of the known shapes: messages, conversations, instruction and output, \
         prompt and completion, text, or chosen and rejected"
            .to_owned()
    })?;
    let record = match kind {
        Kind::Messages => {
            refuse_tools(&object)?;
            Record::Chat(turns(list(&object, "messages"), openai)?)
        }
        Kind::ShareGpt => {
            refuse_tools(&object)?;
            let mut turns = turns(list(&object, "conversations"), sharegpt)?;
            if let Some(Value::String(system)) = object.get("system") {
                turns.insert(0, turn("system", system.clone()));
            }
            Record::Chat(turns)
        }
        Kind::Alpaca => Record::Chat(alpaca(&object)?),
        Kind::PromptCompletion => match (object.get("prompt"), object.get("completion")) {
            (Some(Value::String(prompt)), Some(Value::String(completion))) => {
                Record::Completion { prompt: prompt.clone(), completion: completion.clone() }
            }
            _ => {
                refuse_tools(&object)?;
                let mut all = turns(list(&object, "prompt"), openai)?;
                all.iter_mut().for_each(|turn| turn.learn = false);
                all.extend(turns(list(&object, "completion"), openai)?);
                Record::Chat(all)
            }
        },
        Kind::Text => Record::Text(string(&object, "text").to_owned()),
        Kind::Preference => preference(&object)?,
        Kind::QuestionAnswer | Kind::Window => return Err("it is no JSON record".to_owned()),
    };
    if let Record::Chat(turns) = &record {
        if turns.len() > MAX_MESSAGES {
            return Err(format!("{} messages; at most {MAX_MESSAGES} are read", turns.len()));
        }
        if !turns.iter().any(|turn| turn.learn) {
            return Err("it has no answer of the assistant to learn".to_owned());
        }
    }
    Ok((kind, record))
}

fn string<'a>(object: &'a Map<String, Value>, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(object: &'a Map<String, Value>, key: &str) -> &'a [Value] {
    object.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn turn(role: &str, content: String) -> Turn {
    let message = Message { role: role.to_owned(), content };
    Turn { learn: role == "assistant", message }
}

type ReadMessage = fn(&Map<String, Value>) -> Result<Turn, String>;

fn turns(messages: &[Value], read: ReadMessage) -> Result<Vec<Turn>, String> {
    if messages.len() > MAX_MESSAGES {
        return Err(format!("{} messages; at most {MAX_MESSAGES} are read", messages.len()));
    }
    let mut turns = Vec::with_capacity(messages.len());
    for (index, message) in messages.iter().enumerate() {
        let place = |reason: String| format!("message {}: {reason}", index + 1);
        let object = message.as_object().ok_or_else(|| place("it is no object".to_owned()))?;
        turns.push(read(object).map_err(place)?);
    }
    Ok(turns)
}

/// What would be lost without a word: the conversation would be another one than was meant.
fn refuse_tools(object: &Map<String, Value>) -> Result<(), String> {
    for key in ["tools", "functions"] {
        match object.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::Array(list)) if list.is_empty() => {}
            Some(_) => return Err(format!("it lists {key}, which are not trained on yet")),
        }
    }
    Ok(())
}

/// `{"role", "content"}`, with OpenAI's `weight` and parts of text.
fn openai(message: &Map<String, Value>) -> Result<Turn, String> {
    for key in ["tool_calls", "function_call"] {
        if !matches!(message.get(key), None | Some(Value::Null)) {
            return Err(format!("it has {key}, which are not trained on yet"));
        }
    }
    let role = message.get("role").and_then(Value::as_str).ok_or("it has no role")?;
    let role = match role {
        "system" | "user" | "assistant" | "tool" => role,
        other => {
            return Err(format!(
                "its role is {:?}; system, user, assistant and tool are known",
                excerpt(other)
            ))
        }
    };
    let content = match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts_of_text(parts)?,
        _ => return Err("its content is no text".to_owned()),
    };
    let mut turn = turn(role, content);
    match message.get("weight") {
        None | Some(Value::Null) => {}
        Some(weight) => match weight.as_f64() {
            Some(0.0) => turn.learn = false,
            Some(1.0) => {}
            _ => return Err("its weight is neither 0 nor 1".to_owned()),
        },
    }
    Ok(turn)
}

fn parts_of_text(parts: &[Value]) -> Result<String, String> {
    let mut text = String::new();
    for part in parts {
        let kind = part.get("type").and_then(Value::as_str);
        match (kind, part.get("text").and_then(Value::as_str)) {
            (Some("text"), Some(piece)) => text.push_str(piece),
            _ => return Err("its content has a part that is no text".to_owned()),
        }
    }
    Ok(text)
}

/// `{"from", "value"}`.
fn sharegpt(message: &Map<String, Value>) -> Result<Turn, String> {
    let from = message.get("from").and_then(Value::as_str).ok_or("it has no from")?;
    let role = match from {
        "human" | "user" => "user",
        "gpt" | "assistant" => "assistant",
        "system" => "system",
        "tool" | "observation" => "tool",
        other => {
            return Err(format!(
                "it is from {:?}; human, gpt, system and tool are known",
                excerpt(other)
            ))
        }
    };
    let value = message.get("value").and_then(Value::as_str).ok_or("its value is no text")?;
    Ok(turn(role, value.to_owned()))
}

/// `instruction`, `input`, `output`, with LLaMA-Factory's `system` and `history`.
fn alpaca(object: &Map<String, Value>) -> Result<Vec<Turn>, String> {
    let mut turns = Vec::new();
    if !string(object, "system").is_empty() {
        turns.push(turn("system", string(object, "system").to_owned()));
    }
    for pair in list(object, "history") {
        let sides = pair.as_array().map(Vec::as_slice);
        match sides {
            Some([Value::String(question), Value::String(answer)]) => {
                turns.push(turn("user", question.clone()));
                turns.push(turn("assistant", answer.clone()));
            }
            _ => return Err("its history is no list of pairs of texts".to_owned()),
        }
        if turns.len() > MAX_MESSAGES {
            return Err(format!("more than {MAX_MESSAGES} messages"));
        }
    }
    let instruction = string(object, "instruction");
    let question = match string(object, "input") {
        "" => instruction.to_owned(),
        input => format!("{instruction}\n{input}"),
    };
    turns.push(turn("user", question));
    turns.push(turn("assistant", string(object, "output").to_owned()));
    Ok(turns)
}

fn preference(object: &Map<String, Value>) -> Result<Record, String> {
    if let (Some(Value::String(chosen)), Some(Value::String(rejected))) =
        (object.get("chosen"), object.get("rejected"))
    {
        let (prompt, chosen, rejected) = match object.get("prompt") {
            Some(Value::String(prompt)) => (prompt.as_str(), chosen.as_str(), rejected.as_str()),
            _ => implicit_prompt(chosen, rejected),
        };
        if chosen == rejected {
            return Err("chosen and rejected are the same".to_owned());
        }
        let text = |text: &str| Side::Text(text.to_owned());
        return Ok(Record::Preference {
            prompt: text(prompt),
            chosen: text(chosen),
            rejected: text(rejected),
        });
    }
    refuse_tools(object)?;
    let messages = |key: &str| -> Result<Vec<Message>, String> {
        let turns = turns(list(object, key), openai).map_err(|e| format!("{key}, {e}"))?;
        Ok(turns.into_iter().map(|turn| turn.message).collect())
    };
    let (mut chosen, mut rejected) = (messages("chosen")?, messages("rejected")?);
    let common = chosen.iter().zip(&rejected).take_while(|(a, b)| a == b).count();
    // Each side keeps a message of its own.
    let common = common.min(chosen.len().min(rejected.len()).saturating_sub(1));
    let prompt = match object.get("prompt") {
        Some(Value::Array(_)) => messages("prompt")?,
        // UltraFeedback repeats the prompt as a text beside lists that begin with it.
        _ if common > 0 => {
            rejected.drain(..common);
            chosen.drain(..common).collect()
        }
        Some(Value::String(prompt)) => vec![Message::user(prompt.as_str())],
        _ => return Err("it has no prompt, and its answers do not begin with one".to_owned()),
    };
    if chosen == rejected {
        return Err("chosen and rejected are the same".to_owned());
    }
    for (name, answer) in [("chosen", &chosen), ("rejected", &rejected)] {
        if answer.first().is_none_or(|message| message.role != "assistant") {
            return Err(format!("after the prompt, {name} does not go on with the assistant"));
        }
    }
    if prompt.last().is_none_or(|message| message.role == "assistant") {
        return Err("its prompt is empty or ends with the assistant".to_owned());
    }
    let side = Side::Messages;
    Ok(Record::Preference { prompt: side(prompt), chosen: side(chosen), rejected: side(rejected) })
}

/// What two answers have in common at their beginning is the prompt, as in TRL's
/// `extract_prompt`: up to the first difference, without the space before it; each keeps a
/// character of its own.
fn implicit_prompt<'a>(chosen: &'a str, rejected: &'a str) -> (&'a str, &'a str, &'a str) {
    let mut at = 0;
    let mut differ = false;
    let mut last = 0;
    for (a, b) in chosen.chars().zip(rejected.chars()) {
        if a != b {
            differ = true;
            break;
        }
        last = a.len_utf8();
        at += last;
    }
    if !differ {
        at -= last;
    } else if chosen.get(..at).is_some_and(|prompt| prompt.ends_with(' ')) {
        at -= 1;
    }
    let cut = |text: &'a str| text.split_at_checked(at).unwrap_or((text, ""));
    (cut(chosen).0, cut(chosen).1, cut(rejected).1)
}

fn excerpt(text: &str) -> String {
    text.chars().take(32).collect()
}

/// Whether a text is JSON lines: at least one line with something on it, and every such line an
/// object of a known shape. Otherwise how many lines were and which one was the first that was not.
pub fn is_lines(text: &str) -> Result<(), Option<(usize, usize)>> {
    let mut good = 0;
    for (number, _, line) in lines(text) {
        let known = line.starts_with('{')
            && line.len() <= MAX_RECORD
            && serde_json::from_str::<Map<String, Value>>(line)
                .is_ok_and(|object| shape(&object).is_some());
        if !known {
            return Err((good > 0).then_some((good, number)));
        }
        good += 1;
    }
    if good > 0 {
        Ok(())
    } else {
        Err(None)
    }
}

/// The lines that are not blank: number from 1, byte range, and text, without white space around.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, Range<usize>, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').enumerate().filter_map(move |(index, line)| {
        let start = at + (line.len() - line.trim_start().len());
        at += line.len();
        let line = line.trim();
        (!line.is_empty()).then(|| (index + 1, start..start + line.len(), line))
    })
}

/// The byte ranges of the objects in a JSON file that is one array of them, or one object after
/// the other; the second says what ended them before the file's end.
pub fn elements(text: &str) -> (Vec<Range<usize>>, Option<String>) {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let base = usize::from(text.trim_start().starts_with('['));
    let (mut depth, mut start, mut quoted, mut escaped) = (0_usize, None, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        if quoted {
            (quoted, escaped) = (escaped || *byte != b'"', !escaped && *byte == b'\\');
            continue;
        }
        match byte {
            b'"' => {
                quoted = true;
                if depth == base && start.is_none() {
                    start = Some(at);
                }
            }
            b'{' | b'[' => {
                if depth == base && start.is_none() {
                    start = Some(at);
                }
                depth += 1;
            }
            b'}' | b']' => {
                let Some(less) = depth.checked_sub(1) else {
                    let reason = format!("a bracket too much at byte {at}");
                    return (found, Some(reason));
                };
                depth = less;
                if depth == base {
                    found.extend(start.take().map(|start| start..at + 1));
                } else if depth < base {
                    found.extend(start.take().map(|start| start..at));
                    let rest = text.get(at + 1..).unwrap_or_default().trim();
                    let after = (!rest.is_empty()).then(|| format!("text after byte {at}"));
                    return (found, after);
                }
            }
            b',' if depth == base => found.extend(start.take().map(|start| start..at)),
            other if depth == base && start.is_none() && !other.is_ascii_whitespace() => {
                start = Some(at);
            }
            _ => {}
        }
    }
    let open = depth > 0 || quoted || start.is_some();
    found.extend(start.map(|start| start..bytes.len()));
    (found, open.then(|| "the JSON ends too early".to_owned()))
}
