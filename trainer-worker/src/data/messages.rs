//! Messages of conversations: the spellings that people use, as the chat template takes them.

use super::records::{Fields, MAX_MESSAGES};
use crate::tokenizer::Message;
use serde_json::{json, Map, Value};

/// A message and whether the model learns to write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Role, text and what the template may use beside them.
    pub message: Message,
    /// Whether its tokens count in the loss: answers do, except those of weight 0.
    pub learn: bool,
}

/// Names of roles, and the role of the chat template that each stands for.
pub const ROLES: [(&str, &str); 16] = [
    ("system", "system"),
    ("developer", "system"),
    ("user", "user"),
    ("human", "user"),
    ("prompter", "user"),
    ("assistant", "assistant"),
    ("gpt", "assistant"),
    ("chatgpt", "assistant"),
    ("model", "assistant"),
    ("bot", "assistant"),
    ("function_call", "assistant"),
    ("tool", "tool"),
    ("function", "tool"),
    ("ipython", "tool"),
    ("observation", "tool"),
    ("function_response", "tool"),
];

/// Keys of the reasoning before an answer.
pub(super) const REASONING: [&str; 3] = ["reasoning_content", "thinking", "reasoning"];

pub(super) fn turn(role: &str, content: impl Into<String>) -> Turn {
    Turn { learn: role == "assistant", message: Message::new(role, content) }
}

pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(32).collect()
}

fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    })
}

/// A list of messages, or a single one.
pub(super) fn turns(value: &Value, fields: &mut Fields<'_>) -> Result<Vec<Turn>, String> {
    let one = std::slice::from_ref(value);
    let messages = value.as_array().map_or(one, Vec::as_slice);
    if messages.len() > MAX_MESSAGES {
        return Err(format!("{} messages; at most {MAX_MESSAGES} are read", messages.len()));
    }
    let mut turns = Vec::with_capacity(messages.len());
    for (index, message) in messages.iter().enumerate() {
        let place = |reason: String| format!("message {}: {reason}", index + 1);
        let object = message.as_object().ok_or_else(|| place("it is no object".to_owned()))?;
        turns.push(read(object, fields).map_err(place)?);
    }
    Ok(turns)
}

/// Whether a value is a message or a list of them.
pub(super) fn are_messages(value: &Value) -> bool {
    let one = |value: &Value| {
        value.as_object().is_some_and(|o| o.contains_key("role") || o.contains_key("from"))
    };
    match value {
        Value::Array(list) => list.iter().all(Value::is_object) && list.first().is_none_or(one),
        value => one(value),
    }
}

fn read(message: &Map<String, Value>, fields: &mut Fields<'_>) -> Result<Turn, String> {
    let named = |key| message.get(key).and_then(Value::as_str);
    let (key, name) = match (named("role"), named("from")) {
        (Some(role), _) => ("role", role),
        (None, Some(from)) => ("from", from),
        (None, None) => return Err("it has no role".to_owned()),
    };
    let known = name.to_ascii_lowercase();
    let Some((_, role)) = ROLES.iter().find(|(spelling, _)| *spelling == known) else {
        let is = if key == "role" { "its role is" } else { "it is from" };
        let names: Vec<&str> = ROLES.iter().map(|(spelling, _)| *spelling).collect();
        return Err(format!("{is} {:?}; known are {}", excerpt(name), names.join(", ")));
    };
    let mut calls = present(message.get("tool_calls")).map(tool_calls).transpose()?;
    if let Some(call) = present(message.get("function_call")) {
        calls = Some(tool_calls(&Value::Array(vec![call.clone()]))?);
    }
    let extra = calls.is_some() || REASONING.iter().any(|key| present(message.get(*key)).is_some());
    let content = ["content", "value", "text"].iter().find_map(|key| match message.get(*key) {
        None | Some(Value::Null) => None,
        some => some,
    });
    let mut content = match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts_of_text(parts)?,
        // What a tool answers is often an object.
        Some(other @ Value::Object(_)) if *role == "tool" => other.to_string(),
        None if extra => String::new(),
        _ => return Err("its content is no text".to_owned()),
    };
    if known == "function_call" {
        let call: Value = serde_json::from_str(&content)
            .map_err(|_| "its function call is no JSON with name and arguments".to_owned())?;
        let list = if call.is_array() { call } else { Value::Array(vec![call]) };
        calls = Some(tool_calls(&list)?);
        content.clear();
    }
    let mut turn = turn(role, content);
    if let Some(calls) = calls {
        if *role != "assistant" {
            return Err("it has tool_calls, which only the assistant makes".to_owned());
        }
        turn.message.extra.insert("tool_calls".to_owned(), calls);
    }
    let mut reasoning = None;
    for key in REASONING {
        match present(message.get(key)) {
            None => {}
            Some(Value::String(text)) if reasoning.is_none_or(|other| other == text) => {
                reasoning = Some(text);
            }
            Some(Value::String(_)) => {
                return Err(format!("its {key} is another than its other reasoning"))
            }
            Some(_) => return Err(format!("its {key} is no text")),
        }
    }
    if let Some(text) = reasoning {
        // Templates call it by one of these names.
        for key in ["reasoning_content", "thinking"] {
            turn.message.extra.insert(key.to_owned(), Value::String(text.clone()));
        }
    }
    for key in ["name", "tool_call_id"] {
        if let Some(Value::String(text)) = present(message.get(key)) {
            turn.message.extra.insert(key.to_owned(), Value::String(text.clone()));
        }
    }
    turn.learn = learned(message, role)?;
    const USED: [&str; 13] = [
        "role",
        "from",
        "content",
        "value",
        "text",
        "tool_calls",
        "function_call",
        "name",
        "tool_call_id",
        "weight",
        "train",
        "training",
        "refusal",
    ];
    for (key, value) in message {
        let used = USED.contains(&key.as_str()) || REASONING.contains(&key.as_str());
        if !used && present(Some(value)).is_some() {
            fields.unused_in_message(key);
        }
    }
    Ok(turn)
}

/// Whether a message is learned: answers are, unless `weight` is 0 or `train` false.
fn learned(message: &Map<String, Value>, role: &str) -> Result<bool, String> {
    let weight = match message.get("weight") {
        None | Some(Value::Null) => None,
        Some(weight) => match weight.as_f64() {
            Some(0.0) => Some(false),
            Some(1.0) => Some(true),
            _ => return Err("its weight is neither 0 nor 1".to_owned()),
        },
    };
    let mut train = None;
    for key in ["train", "training"] {
        train = match message.get(key) {
            None | Some(Value::Null) => train,
            Some(Value::Bool(value)) => Some(*value),
            Some(_) => return Err(format!("its {key} is neither true nor false")),
        };
    }
    if role != "assistant" {
        if train == Some(true) {
            return Err("train is true, but only answers of the assistant are learned; \
                        --train-on-prompt learns all"
                .to_owned());
        }
        return Ok(false);
    }
    match (weight, train) {
        (Some(a), Some(b)) if a != b => Err("its weight and its train disagree".to_owned()),
        (a, b) => Ok(a.or(b).unwrap_or(true)),
    }
}

fn parts_of_text(parts: &[Value]) -> Result<String, String> {
    let mut text = String::new();
    for part in parts {
        let kind = part.get("type").and_then(Value::as_str);
        match (kind, part.get("text").and_then(Value::as_str)) {
            (Some("text"), Some(piece)) => text.push_str(piece),
            (Some(kind), None) => {
                return Err(format!(
                    "its content has a part of type {:?}, and only text is trained on",
                    excerpt(kind)
                ))
            }
            _ => return Err("its content has a part that is no text".to_owned()),
        }
    }
    Ok(text)
}

/// Calls as templates take them: `{"type": "function", "function": {"name", "arguments"}}`, with the
/// arguments as an object (OpenAI writes them as a text of JSON).
fn tool_calls(value: &Value) -> Result<Value, String> {
    const WRONG: &str = "its tool_calls are no list of calls with a name and arguments";
    let list = value.as_array().ok_or(WRONG)?;
    let calls = list.iter().map(|call| {
        let function = call.get("function").filter(|f| f.is_object()).unwrap_or(call);
        let name = function.get("name").and_then(Value::as_str).ok_or(WRONG)?;
        let arguments = match function.get("arguments").or_else(|| function.get("parameters")) {
            Some(Value::String(text)) => {
                serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
            }
            Some(other) => other.clone(),
            None => json!({}),
        };
        let mut made = Map::new();
        if let Some(id) = call.get("id").filter(|id| id.is_string()) {
            made.insert("id".to_owned(), id.clone());
        }
        made.insert("type".to_owned(), json!("function"));
        made.insert("function".to_owned(), json!({ "name": name, "arguments": arguments }));
        Ok(Value::Object(made))
    });
    calls.collect::<Result<Vec<_>, &str>>().map(Value::Array).map_err(str::to_owned)
}

/// Tools as templates take them, from OpenAI's `tools` or its older `functions`.
pub(super) fn tools(fields: &mut Fields<'_>) -> Result<Option<Value>, String> {
    for key in ["tools", "functions"] {
        let Some(value) = present(fields.take(key)) else { continue };
        let wrong = || format!("its {key} are no list of objects with a name");
        let parsed = match value {
            Value::String(text) => serde_json::from_str(text).map_err(|_| wrong())?,
            other => other.clone(),
        };
        let list = parsed.as_array().ok_or_else(wrong)?;
        let tools = list.iter().map(|tool| {
            let function = tool.get("function").filter(|f| f.is_object()).unwrap_or(tool);
            let named = function.get("name").is_some_and(Value::is_string);
            named.then(|| json!({ "type": "function", "function": function })).ok_or_else(wrong)
        });
        let tools = tools.collect::<Result<Vec<_>, _>>()?;
        return Ok((!tools.is_empty()).then_some(Value::Array(tools)));
    }
    Ok(None)
}
