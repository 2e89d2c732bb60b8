//! Structured training data: what a JSON object says. The spellings of each part are the lists
//! below, which `docs/data.md` has too.

use super::messages::{are_messages, tools, turn, turns, Turn};
use crate::tokenizer::{Json, Message};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Most bytes of one line or object.
pub const MAX_RECORD: usize = 4 << 20;
/// Most messages of one conversation.
pub const MAX_MESSAGES: usize = 256;

/// Keys of a conversation; the first that is there counts.
pub const MESSAGES: &[&str] =
    &["messages", "conversations", "conversation", "dialogue", "dialog", "chat", "turns"];
/// Keys of a question.
pub const QUESTION: &[&str] =
    &["instruction", "question", "query", "prompt", "problem", "input", "user", "human"];
/// Keys of what stands below a question.
pub const INPUT: &[&str] = &["input", "context"];
/// Keys of its answer.
pub const ANSWER: &[&str] =
    &["output", "response", "answer", "completion", "solution", "assistant", "target"];
/// Keys of the system's message.
pub const SYSTEM: &[&str] = &["system", "system_prompt", "system_message"];

/// What an example was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A `Q:` and `A:` pair.
    QuestionAnswer,
    /// A window of plain text.
    Window,
    /// JSON with `messages`.
    Messages,
    /// JSON with `conversations`, or another name of a list of messages.
    ShareGpt,
    /// JSON with `instruction` and `output`.
    Alpaca,
    /// Records with a question and an answer under other names.
    Question,
    /// JSON with `prompt` and `completion`.
    PromptCompletion,
    /// A window of JSON's `text`.
    Text,
    /// JSON with `chosen` and `rejected`.
    Preference,
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
    /// A conversation, with the tools that the assistant may call.
    Chat(Vec<Turn>, Option<Json>),
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

/// A record with what of its object was not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// What it was made of.
    pub kind: Kind,
    /// What it says.
    pub record: Record,
    /// Keys with a value that no rule uses.
    pub unused: Vec<String>,
}

/// An object whose keys are ticked off as they are used.
pub(super) struct Fields<'a> {
    object: &'a Map<String, Value>,
    /// The same with its keys in order, where they matter.
    ordered: Option<Json>,
    used: BTreeSet<&'a str>,
    in_messages: BTreeSet<String>,
}

impl<'a> Fields<'a> {
    /// A value, which is thereby used.
    pub(super) fn take(&mut self, key: &str) -> Option<&'a Value> {
        let (key, value) = self.object.get_key_value(key)?;
        self.used.insert(key);
        Some(value)
    }

    /// A value of the object with its keys in order.
    pub(super) fn in_order(&self, value: &Value) -> Json {
        let mut entries = self.object.iter();
        let key = entries.find(|(_, other)| std::ptr::eq(*other, value)).map(|(key, _)| key);
        let ordered = key.and_then(|key| self.ordered.as_ref()?.get(key));
        ordered.cloned().unwrap_or_else(|| Json::from(value))
    }

    /// The first of these keys whose value is not empty.
    fn first(&mut self, keys: &[&'static str]) -> Option<(&'static str, &'a Value)> {
        let key = keys.iter().find(|key| self.object.get(**key).is_some_and(is_some))?;
        self.take(key).map(|value| (*key, value))
    }

    /// Notes a key of a message that no rule uses.
    pub(super) fn unused_in_message(&mut self, key: &str) {
        if self.in_messages.len() < 16 {
            self.in_messages.insert(key.chars().take(64).collect());
        }
    }

    fn unused(self) -> Vec<String> {
        let keys = self
            .object
            .iter()
            .filter(|(key, value)| !self.used.contains(key.as_str()) && is_some(value));
        let mut unused: Vec<String> =
            keys.take(64).map(|(key, _)| key.chars().take(64).collect()).collect();
        unused.extend(self.in_messages.iter().map(|key| format!("{key} (of a message)")));
        unused
    }
}

/// Whether a value says anything.
fn is_some(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// A value as text; numbers are what they read.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The shape of an object, by its keys and the types of their values.
pub fn shape(object: &Map<String, Value>) -> Option<Kind> {
    let text = |key: &str| matches!(object.get(key), Some(Value::String(_)));
    let said = |key: &str| matches!(object.get(key), Some(Value::String(_) | Value::Number(_)));
    let list = |key: &str| match object.get(key) {
        Some(Value::Array(_)) => true,
        Some(Value::String(text)) => text.trim_start().starts_with('['),
        _ => false,
    };
    let side = |key: &str| {
        text(key) || list(key) || object.get(key).is_some_and(|v| v.is_object() && are_messages(v))
    };
    // Of an empty text among the names of one part, the next one may be meant.
    let any = |keys: &[&str], has: &dyn Fn(&str) -> bool| keys.iter().any(|key| has(key));
    if side("chosen") && side("rejected") {
        Some(Kind::Preference)
    } else if list("messages") {
        Some(Kind::Messages)
    } else if any(MESSAGES, &list) {
        Some(Kind::ShareGpt)
    } else if text("instruction") && text("output") {
        Some(Kind::Alpaca)
    } else if side("prompt") && side("completion") {
        Some(Kind::PromptCompletion)
    } else if any(ANSWER, &said) && (any(QUESTION, &text) || any(QUESTION, &list)) {
        Some(Kind::Question)
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
pub fn parse(json: &str) -> Result<Parsed, String> {
    if json.len() > MAX_RECORD {
        return Err(format!("it has {} bytes; at most {MAX_RECORD} are read", json.len()));
    }
    // The parser refuses more than 128 levels and halves of surrogate pairs.
    let value: Value = serde_json::from_str(json).map_err(|e| format!("it is no JSON: {e}"))?;
    let object = match value {
        Value::Object(object) => unfold(lowered(object))?,
        // A row of a table whose cells do not fit its header says so itself.
        Value::String(reason) if reason.starts_with("it has ") => return Err(reason),
        _ => return Err("it is no JSON object".to_owned()),
    };
    // The map keeps one value of a key; the text may have several.
    let written = Json::parse(json).map_err(|e| format!("it is no JSON: {e}"))?;
    if let Some(fault) = fault(&written) {
        return Err(fault);
    }
    refuse_labels(&object)?;
    let kind = shape(&object).ok_or_else(|| no_shape(&object))?;
    let tooled = ["tools", "functions", "tool_calls", "function_call"];
    let ordered = tooled.iter().any(|key| json.contains(key)).then_some(written);
    let mut fields =
        Fields { object: &object, ordered, used: BTreeSet::new(), in_messages: BTreeSet::new() };
    let record = match kind {
        Kind::Messages | Kind::ShareGpt => {
            let (_, value) = fields.first(MESSAGES).unwrap_or(("messages", &Value::Null));
            let turns = match value {
                Value::Null => Vec::new(),
                value => turns(value, &mut fields)?,
            };
            chat(with_system(turns, &mut fields)?, &mut fields)?
        }
        Kind::Alpaca | Kind::Question => {
            let turns = question_and_answer(&mut fields)?;
            chat(turns, &mut fields)?
        }
        Kind::PromptCompletion => prompt_and_completion(&mut fields)?,
        Kind::Text => {
            let text = fields.take("text").and_then(Value::as_str).unwrap_or_default();
            Record::Text(text.to_owned())
        }
        Kind::Preference => super::preferences::read(&mut fields)?,
        Kind::QuestionAnswer | Kind::Window => return Err("it is no JSON record".to_owned()),
    };
    if let Record::Chat(turns, _) = &record {
        if turns.len() > MAX_MESSAGES {
            return Err(format!("{} messages; at most {MAX_MESSAGES} are read", turns.len()));
        }
        if !turns.iter().any(|turn| turn.learn) {
            return Err("it has no answer of the assistant to learn".to_owned());
        }
        refuse_blank(turns, kind)?;
    }
    Ok(Parsed { kind, record, unused: fields.unused() })
}

/// What nobody can mean: a key that stands in an object twice, or a NUL character, which no text has.
fn fault(value: &Json) -> Option<String> {
    const NUL: &str = "it has a NUL character (U+0000), which text does not have";
    match value {
        Json::Text(text) => text.contains('\0').then(|| NUL.to_owned()),
        Json::List(items) => items.iter().find_map(fault),
        Json::Object(entries) => {
            let mut keys = BTreeSet::new();
            entries.iter().find_map(|(key, value)| {
                if key.contains('\0') {
                    return Some(NUL.to_owned());
                }
                // Columns of a table may lack a name.
                if !keys.insert(key) && !key.is_empty() {
                    let key: String = key.chars().take(64).collect();
                    return Some(format!("its key {key:?} stands in one object twice; rename one"));
                }
                fault(value)
            })
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => None,
    }
}

/// A question or an answer of nothing but white space teaches nothing.
fn refuse_blank(turns: &[Turn], kind: Kind) -> Result<(), String> {
    for (index, turn) in turns.iter().enumerate() {
        let asks = turn.message.role == "user";
        if !is_blank(&turn.message) || !(asks || turn.learn) {
            continue;
        }
        return Err(match (kind, asks) {
            (Kind::Messages | Kind::ShareGpt, _) => format!("message {} is blank", index + 1),
            (_, true) => "its question is blank".to_owned(),
            (_, false) => "its answer is blank".to_owned(),
        });
    }
    Ok(())
}

/// Whether a message says nothing, not even by its thoughts or the tools that it calls.
pub(super) fn is_blank(message: &Message) -> bool {
    let says = ["tool_calls", "reasoning_content"];
    message.content.trim().is_empty() && !says.iter().any(|key| message.extra.contains_key(*key))
}

/// Names of columns as spreadsheets have them (`Instruction`, ` answer `) in small letters, where only
/// that makes a shape of the object and no two become one.
fn lowered(object: Map<String, Value>) -> Map<String, Value> {
    let plain = |key: &str| key.trim().to_lowercase();
    if object.keys().all(|key| *key == plain(key)) || shape(&object).is_some() {
        return object;
    }
    let renamed: Map<String, Value> =
        object.iter().map(|(key, value)| (plain(key), value.clone())).collect();
    match renamed.len() == object.len() && shape(&renamed).is_some() {
        true => renamed,
        false => object,
    }
}

/// Lists that a table's cell holds as text, and rows that a viewer has wrapped.
fn unfold(mut object: Map<String, Value>) -> Result<Map<String, Value>, String> {
    // The hub's viewer gives rows as {"row_idx", "row", "truncated_cells"}.
    if object.contains_key("row_idx") {
        if let Some(Value::Object(row)) = object.remove("row") {
            object = row;
        }
    }
    for (key, value) in &mut object {
        let Value::String(text) = value else { continue };
        if !text.trim_start().starts_with(['[', '{']) {
            continue;
        }
        let conversation = MESSAGES.contains(&key.as_str());
        let side = ["chosen", "rejected", "prompt", "completion"].contains(&key.as_str());
        if !conversation && !side && key != "history" {
            continue;
        }
        match serde_json::from_str::<Value>(text) {
            Ok(list) if !side || are_messages(&list) => *value = list,
            Ok(_) => {}
            Err(_) if conversation => {
                return Err(format!(
                    "its {key} is a text that is no JSON, such as Python's notation; write JSON \
                     lines, or json.dumps into the cell"
                ))
            }
            Err(_) => {}
        }
    }
    Ok(object)
}

/// KTO's labels say of one answer whether it is good, which no objective here trains on.
fn refuse_labels(object: &Map<String, Value>) -> Result<(), String> {
    let label = |value: &Value| match value {
        Value::Bool(_) => true,
        Value::Number(number) => matches!(number.as_i64(), Some(0 | 1)),
        Value::String(text) => matches!(text.to_lowercase().as_str(), "true" | "false"),
        _ => false,
    };
    let answered = ANSWER.iter().chain(MESSAGES).any(|key| object.get(*key).is_some_and(is_some));
    let kto =
        (object.get("label").is_some_and(label) && answered && !object.contains_key("chosen"))
            || object.get("kto_tag").is_some_and(|tag| !tag.is_null())
            || matches!(object.get("completion"), Some(Value::Bool(_)));
    if kto {
        return Err(
            "it has a label of KTO, and KTO is not trained; give pairs of chosen and rejected \
                    (--stage dpo), or take out the label to learn the answer"
                .to_owned(),
        );
    }
    Ok(())
}

fn no_shape(object: &Map<String, Value>) -> String {
    let keys: Vec<String> = object.keys().take(12).map(|k| k.chars().take(32).collect()).collect();
    let columns = !object.is_empty()
        && object.values().all(|v| v.as_object().is_some_and(|column| column.contains_key("0")));
    if columns {
        return "it holds columns; write records: to_json(orient=\"records\", lines=True)"
            .to_owned();
    }
    if let Some(wrong) = wrong_values(object) {
        return wrong;
    }
    let hint =
        if object.contains_key("input_ids") { "; it is tokens already: give the text" } else { "" };
    format!(
        "its keys ({}) have none of the known shapes: messages, conversations, instruction and \
         output, question and answer, prompt and completion, text, or chosen and rejected; rename \
         them (docs/data.md lists all){hint}",
        keys.join(", ")
    )
}

/// Keys that have the right names, but values of a kind that their part cannot have.
fn wrong_values(object: &Map<String, Value>) -> Option<String> {
    let is = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    let text = |value: &Value| value.is_string();
    let said = |value: &Value| value.is_string() || value.is_number();
    let asked = |value: &Value| value.is_string() || value.is_array();
    let side = |value: &Value| asked(value) || are_messages(value);
    type Fits<'a> = &'a dyn Fn(&Value) -> bool;
    let parts: [(&[&str], Fits<'_>, &str); 6] = [
        (&["chosen"], &side, "a text, a message or a list of messages"),
        (&["rejected"], &side, "a text, a message or a list of messages"),
        (MESSAGES, &Value::is_array, "a list of messages"),
        (QUESTION, &asked, "a text"),
        (ANSWER, &said, "a text or a number"),
        (&["text"], &text, "a text"),
    ];
    let wrong = parts.iter().filter_map(|(keys, fits, must)| {
        let mut there = keys.iter().filter_map(|key| object.get_key_value(*key));
        // Of several names of a part one may be left empty.
        if there.clone().any(|(_, value)| fits(value)) {
            return None;
        }
        let (key, value) = there.next()?;
        Some(format!("its {key} is {}; it must be {must}", is(value)))
    });
    let wrong: Vec<String> = wrong.collect();
    (!wrong.is_empty()).then(|| wrong.join("; "))
}

fn chat(turns: Vec<Turn>, fields: &mut Fields<'_>) -> Result<Record, String> {
    Ok(Record::Chat(turns, tools(fields)?))
}

/// The system's message beside a conversation.
pub(super) fn system(fields: &mut Fields<'_>) -> Result<Option<String>, String> {
    let mut found: Option<(&str, String)> = None;
    for key in SYSTEM {
        let Some(value) = fields.take(key).filter(|value| is_some(value)) else { continue };
        let text = text_of(value).ok_or_else(|| format!("its {key} is no text"))?;
        match &found {
            Some((other, before)) if *before != text => {
                return Err(format!("its {other} and its {key} disagree"))
            }
            _ => found = Some((key, text)),
        }
    }
    Ok(found.map(|(_, text)| text))
}

pub(super) fn with_system(
    mut turns: Vec<Turn>,
    fields: &mut Fields<'_>,
) -> Result<Vec<Turn>, String> {
    let Some(text) = system(fields)? else { return Ok(turns) };
    match turns.first() {
        Some(first) if first.message.role == "system" => {
            if first.message.content != text {
                return Err(
                    "its system message and the one beside its messages disagree".to_owned()
                );
            }
        }
        _ => turns.insert(0, turn("system", text)),
    }
    Ok(turns)
}

/// What comes before an answer, by the keys of questions: the history, the question and what stands
/// below it. Empty where there is none.
pub(super) fn question(fields: &mut Fields<'_>) -> Result<Vec<Turn>, String> {
    let mut all = history(fields)?;
    let Some((key, value)) = fields.first(QUESTION) else { return Ok(all) };
    if are_messages(value) {
        let mut given = turns(value, fields)?;
        given.iter_mut().for_each(|turn| turn.learn = false);
        all.extend(given);
        return Ok(all);
    }
    let mut text = text_of(value).ok_or_else(|| format!("its {key} is no text"))?;
    let below: Vec<&'static str> = INPUT.iter().copied().filter(|input| *input != key).collect();
    if let Some((key, value)) = fields.first(&below) {
        let input = text_of(value).ok_or_else(|| format!("its {key} is no text"))?;
        text = format!("{text}\n{input}");
    }
    all.push(turn("user", text));
    Ok(all)
}

/// LLaMA-Factory's earlier questions and answers.
fn history(fields: &mut Fields<'_>) -> Result<Vec<Turn>, String> {
    let Some((_, value)) = fields.first(&["history"]) else { return Ok(Vec::new()) };
    const WRONG: &str = "its history is no list of pairs of texts";
    let mut turns = Vec::new();
    for pair in value.as_array().ok_or(WRONG)? {
        match pair.as_array().map(Vec::as_slice) {
            Some([Value::String(question), Value::String(answer)]) => {
                turns.push(turn("user", question.clone()));
                turns.push(turn("assistant", answer.clone()));
            }
            _ => return Err(WRONG.to_owned()),
        }
        if turns.len() > MAX_MESSAGES {
            return Err(format!("more than {MAX_MESSAGES} messages"));
        }
    }
    Ok(turns)
}

fn question_and_answer(fields: &mut Fields<'_>) -> Result<Vec<Turn>, String> {
    let mut turns = question(fields)?;
    let (key, value) = fields.first(ANSWER).ok_or("its answer is empty")?;
    if turns.last().is_none_or(|turn| turn.message.role == "assistant") {
        return Err("its question is empty".to_owned());
    }
    let answer = text_of(value).ok_or_else(|| format!("its {key} is no text"))?;
    turns.push(turn("assistant", answer));
    with_system(turns, fields)
}

fn prompt_and_completion(fields: &mut Fields<'_>) -> Result<Record, String> {
    let prompt = fields.take("prompt").unwrap_or(&Value::Null);
    let completion = fields.take("completion").unwrap_or(&Value::Null);
    let system_too = SYSTEM.iter().any(|key| fields.object.get(*key).is_some_and(is_some));
    if let (Value::String(prompt), Value::String(completion), false) =
        (prompt, completion, system_too)
    {
        if completion.is_empty() {
            return Err("its completion is empty".to_owned());
        }
        if completion.trim().is_empty() {
            return Err("its completion is blank".to_owned());
        }
        return Ok(Record::Completion { prompt: prompt.clone(), completion: completion.clone() });
    }
    let mut all = side(prompt, "user", fields)?;
    all.iter_mut().for_each(|turn| turn.learn = false);
    all.extend(side(completion, "assistant", fields)?);
    let all = with_system(all, fields)?;
    chat(all, fields)
}

/// A text as a message of a role, or messages as they are.
pub(super) fn side(
    value: &Value,
    role: &str,
    fields: &mut Fields<'_>,
) -> Result<Vec<Turn>, String> {
    match value {
        Value::String(text) => Ok(vec![turn(role, text.clone())]),
        value => turns(value, fields),
    }
}
