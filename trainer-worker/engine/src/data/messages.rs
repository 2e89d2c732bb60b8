//! Messages of conversations: the spellings that people use, as the chat template takes them.

use super::records::{Fields, MAX_MESSAGES};
use crate::tokenizer::{Json, Message};
use serde_json::{Map, Value};

/// A message and whether the model learns to write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Role, text and what the template may use beside them.
    pub message: Message,
    /// Whether its tokens count in the loss: answers do, except those of weight 0.
    pub learn: bool,
}

/// Names of roles, and the role of the chat template that each stands for.
pub const ROLES: [(&str, &str); 17] = [
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
    ("chatbot", "assistant"),
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
    let tooled = |m: &Value| m.get("tool_calls").is_some() || m.get("function_call").is_some();
    let ordered = messages.iter().any(tooled).then(|| fields.in_order(value));
    let mut turns = Vec::with_capacity(messages.len());
    for (index, message) in messages.iter().enumerate() {
        let place = |reason: String| format!("message {}: {reason}", index + 1);
        let object = message.as_object().ok_or_else(|| place("it is no object".to_owned()))?;
        let ordered = ordered.as_ref().and_then(|all| match all {
            Json::List(all) => all.get(index),
            one => Some(one),
        });
        turns.push(read(object, ordered, fields).map_err(place)?);
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

fn read(
    message: &Map<String, Value>,
    ordered: Option<&Json>,
    fields: &mut Fields<'_>,
) -> Result<Turn, String> {
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
    let kept = |key: &str| ordered.and_then(|message| message.get(key));
    let mut calls = None;
    for key in ["tool_calls", "function_call"] {
        let Some(value) = present(message.get(key)) else { continue };
        let value = kept(key).cloned().unwrap_or_else(|| Json::from(value));
        calls = Some(tool_calls(&value)?);
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
        let call = Json::parse(&content)
            .map_err(|_| "its function call is no JSON with name and arguments".to_owned())?;
        calls = Some(tool_calls(&call)?);
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
            turn.message.extra.insert(key.to_owned(), Json::Text(text.clone()));
        }
    }
    for key in ["name", "tool_call_id"] {
        if let Some(Value::String(text)) = present(message.get(key)) {
            turn.message.extra.insert(key.to_owned(), Json::Text(text.clone()));
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
            (None, Some(piece)) if part.as_object().is_some_and(|part| part.len() == 1) => {
                text.push_str(piece);
            }
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
/// arguments as an object (OpenAI writes them as a text of JSON). One call may stand without a list.
fn tool_calls(value: &Json) -> Result<Json, String> {
    const WRONG: &str = "its tool_calls are no list of calls with a name and arguments";
    let list = value.as_list().unwrap_or(std::slice::from_ref(value));
    let calls = list.iter().map(|call| {
        let function = call.get("function").filter(|f| f.is_object()).unwrap_or(call);
        let name = function.get("name").filter(|name| name.as_text().is_some()).ok_or(WRONG)?;
        let arguments = match function.get("arguments").or_else(|| function.get("parameters")) {
            Some(Json::Text(text)) => {
                Json::parse(text).unwrap_or_else(|_| Json::Text(text.clone()))
            }
            Some(other) => other.clone(),
            None => Json::Object(Vec::new()),
        };
        let id = call.get("id").filter(|id| id.as_text().is_some());
        let mut made: Vec<_> = id.map(|id| ("id".to_owned(), id.clone())).into_iter().collect();
        let called = [("name", name.clone()), ("arguments", arguments)];
        made.extend(function_of(object(called)));
        Ok(Json::Object(made))
    });
    calls.collect::<Result<Vec<_>, &str>>().map(Json::List).map_err(str::to_owned)
}

fn object<const N: usize>(entries: [(&str, Json); N]) -> Json {
    Json::Object(entries.map(|(key, value)| (key.to_owned(), value)).into())
}

fn function_of(function: Json) -> [(String, Json); 2] {
    let kind = Json::Text("function".to_owned());
    [("type".to_owned(), kind), ("function".to_owned(), function)]
}

/// Tools as templates take them, from OpenAI's `tools` or its older `functions`.
pub(super) fn tools(fields: &mut Fields<'_>) -> Result<Option<Json>, String> {
    for key in ["tools", "functions"] {
        let Some(value) = present(fields.take(key)) else { continue };
        let wrong = || format!("its {key} are no list of objects with a name");
        let parsed = match value {
            Value::String(text) => Json::parse(text).map_err(|_| wrong())?,
            other => fields.in_order(other),
        };
        let list = parsed.as_list().ok_or_else(wrong)?;
        let tools = list.iter().map(|tool| {
            let wrapped = tool.get("function").filter(|f| f.is_object());
            let named = wrapped.unwrap_or(tool).get("name").and_then(Json::as_text);
            named.ok_or_else(wrong)?;
            Ok(match wrapped {
                Some(_) => tool.clone(),
                None => Json::Object(function_of(tool.clone()).into()),
            })
        });
        let tools = tools.collect::<Result<Vec<_>, String>>()?;
        return Ok((!tools.is_empty()).then_some(Json::List(tools)));
    }
    Ok(None)
}
