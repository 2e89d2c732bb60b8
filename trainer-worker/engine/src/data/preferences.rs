//! Preferences: what is asked, and the answer to prefer and the one to avoid, in the shapes of TRL,
//! LLaMA-Factory, UltraFeedback and the data sets of question and answer.

use super::messages::{are_messages, tools, turns};
use super::records::{is_blank, question, side, with_system, Fields, Record, Side, MESSAGES};
use crate::tokenizer::Message;
use serde_json::Value;

fn messages(turns: Vec<super::messages::Turn>) -> Vec<Message> {
    turns.into_iter().map(|turn| turn.message).collect()
}

pub(super) fn read(fields: &mut Fields<'_>) -> Result<Record, String> {
    let chosen = fields.take("chosen").unwrap_or(&Value::Null);
    let rejected = fields.take("rejected").unwrap_or(&Value::Null);
    if tools(fields)?.is_some() {
        return Err("it lists tools, which are not trained on with preferences yet".to_owned());
    }
    // The prompt, as raw text only where it is called so and nothing else belongs to it.
    let raw = matches!((chosen, rejected), (Value::String(_), Value::String(_)));
    let conversation = MESSAGES.iter().find_map(|key| {
        fields.take(key).filter(|value| !matches!(value, Value::Null) && are_messages(value))
    });
    let mut asked = match conversation {
        Some(value) => turns(value, fields)?,
        None => Vec::new(),
    };
    // UltraFeedback repeats the whole of what is chosen as `messages`.
    let ends = asked.last().is_some_and(|turn| turn.message.role == "assistant");
    if ends && side(chosen, "assistant", fields)? == asked {
        asked.clear();
    }
    if asked.is_empty() {
        let plain = match fields.take("prompt") {
            Some(Value::String(text)) => Some(text.as_str()),
            Some(Value::Null) | None => Some(""),
            Some(_) => None,
        };
        asked = question(fields)?;
        let only_prompt = asked.len() <= 1
            && asked.first().map_or("", |turn| turn.message.content.as_str())
                == plain.unwrap_or("\0");
        let with = with_system(asked.clone(), fields)?;
        if raw && plain.is_some() && only_prompt && with.len() == asked.len() {
            return texts(plain.unwrap_or_default(), chosen, rejected);
        }
        if asked.is_empty() && raw {
            return Err(
                "it has a system message, but no prompt beside chosen and rejected".to_owned()
            );
        }
    }
    let (mut chosen, mut rejected) = (
        messages(side(chosen, "assistant", fields).map_err(|e| format!("chosen, {e}"))?),
        messages(side(rejected, "assistant", fields).map_err(|e| format!("rejected, {e}"))?),
    );
    let common = chosen.iter().zip(&rejected).take_while(|(a, b)| a == b).count();
    // Each side keeps a message of its own.
    let common = common.min(chosen.len().min(rejected.len()).saturating_sub(1));
    rejected.drain(..common);
    let mut prompt: Vec<Message> = chosen.drain(..common).collect();
    // UltraFeedback repeats the prompt as a text beside lists that begin with it.
    let begins = prompt.iter().find(|m| m.role != "system").is_some_and(|m| m.role == "user");
    if begins && !asked.is_empty() {
        let same = |turn: &super::messages::Turn| {
            let text = turn.message.content.trim();
            prompt.iter().any(|message| message.content.trim() == text)
        };
        if !asked.iter().all(same) {
            return Err(
                "its question is another than the one that its answers begin with".to_owned()
            );
        }
        asked.clear();
    }
    let system = with_system(asked, fields)?;
    if system.is_empty() && prompt.is_empty() {
        return Err("it has no prompt, and its answers do not begin with one".to_owned());
    }
    if let [first, ..] = system.as_slice() {
        let twice = prompt.first().is_some_and(|m: &Message| m.role == "system");
        if twice && prompt.first() != Some(&first.message) {
            return Err("its system message and the one of its messages disagree".to_owned());
        }
        if twice {
            prompt.remove(0);
        }
    }
    let prompt = [messages(system), prompt].concat();
    if chosen == rejected {
        return Err("chosen and rejected are the same".to_owned());
    }
    for (name, answer) in [("chosen", &chosen), ("rejected", &rejected)] {
        if answer.first().is_none_or(|message| message.role != "assistant") {
            return Err(format!("after the prompt, {name} does not go on with the assistant"));
        }
        if answer.iter().any(|message| message.role == "assistant" && is_blank(message)) {
            return Err(format!("its {name} is blank"));
        }
    }
    if prompt.last().is_none_or(|message| message.role == "assistant") {
        return Err("its prompt is empty or ends with the assistant".to_owned());
    }
    if prompt.iter().any(|message| message.role == "user" && is_blank(message)) {
        return Err("its question is blank".to_owned());
    }
    let side = Side::Messages;
    Ok(Record::Preference { prompt: side(prompt), chosen: side(chosen), rejected: side(rejected) })
}

fn texts(prompt: &str, chosen: &Value, rejected: &Value) -> Result<Record, String> {
    let (chosen, rejected) =
        (chosen.as_str().unwrap_or_default(), rejected.as_str().unwrap_or_default());
    for (name, text) in [("chosen", chosen), ("rejected", rejected)] {
        if text.trim().is_empty() {
            return Err(format!("its {name} is blank"));
        }
    }
    let (prompt, chosen, rejected) = match prompt {
        "" => implicit_prompt(chosen, rejected),
        prompt => (prompt, chosen, rejected),
    };
    if chosen == rejected {
        return Err("chosen and rejected are the same".to_owned());
    }
    let text = |text: &str| Side::Text(text.to_owned());
    Ok(Record::Preference { prompt: text(prompt), chosen: text(chosen), rejected: text(rejected) })
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
