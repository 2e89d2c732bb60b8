//! What axolotl says of a dataset, and its plugins.

use super::yaml::{Entry, Node};
use openledger_engine::data::{ANSWER, INPUT, MESSAGES, QUESTION, SYSTEM};

/// Names that may be said of the parts of a record, with the names that are recognised as that part
/// without being told.
const PARTS: &[(&str, &[&str])] = &[
    ("field_messages", MESSAGES),
    ("field_instruction", QUESTION),
    ("field_input", INPUT),
    ("field_output", ANSWER),
    ("field_system", SYSTEM),
    ("field_tools", &["tools", "functions"]),
    ("field_thinking", &["reasoning_content", "thinking", "reasoning"]),
    ("field_chosen", &["chosen"]),
    ("field_rejected", &["rejected"]),
    ("field", &["text"]),
    ("message_field_role", &["role", "from"]),
    ("message_field_content", &["content", "value"]),
    ("message_property_mappings: role", &["role", "from"]),
    ("message_property_mappings: content", &["content", "value"]),
];

/// How the datasets library names kinds of files where `data_files` has their paths.
const BUILDERS: &[&str] = &["json", "csv", "parquet", "arrow", "text"];

/// Beginnings of the plugins that make training faster and change nothing of its result.
const PASSED_PLUGINS: &[&str] =
    &["axolotl.integrations.liger.", "axolotl.integrations.cut_cross_entropy."];

/// What a dataset of axolotl's list says.
#[derive(Debug, Default)]
pub(super) struct Dataset {
    /// Its files and folders.
    pub(super) paths: Vec<String>,
    /// What is seen from the records, so that saying it changes nothing.
    pub(super) recognised: Vec<String>,
    /// Lines with what is not read.
    pub(super) problems: Vec<(usize, String)>,
}

/// Reads an entry of `datasets`.
pub(super) fn dataset(fields: &[Entry]) -> Dataset {
    let mut read = Dataset::default();
    let files = fields.iter().find(|field| field.key == "data_files").map(|field| &field.node);
    if let Some(files) = files {
        read.paths = values(files);
    }
    for field in fields {
        let name = field.key.as_str();
        match (name, &field.node) {
            (_, Node::Nothing) => {}
            ("path", Node::Value(kind)) if files.is_some() && BUILDERS.contains(&kind.as_str()) => {
            }
            ("path", Node::Value(path)) if files.is_none() => read.paths.push(path.clone()),
            ("data_files", Node::Value(_)) => {}
            ("data_files", Node::List(list)) if values(&field.node).len() == list.len() => {}
            ("type" | "ds_type", Node::Value(kind)) => {
                read.recognised.push(format!("{name}: {kind} (recognised from the records)"));
            }
            ("split" | "train_on_split", Node::Value(split)) if split == "train" => {}
            ("chat_template", Node::Value(template)) if template == "tokenizer_default" => {}
            ("message_property_mappings", Node::Map(parts)) => {
                for part in parts {
                    named(&mut read, part, &format!("{name}: {}", part.key));
                }
            }
            _ => named(&mut read, field, name),
        }
    }
    read
}

/// A part of the records under a name of its own.
fn named(read: &mut Dataset, field: &Entry, name: &str) {
    let value = match &field.node {
        Node::Value(value) => value.as_str(),
        Node::Nothing => return,
        _ => "…",
    };
    let known = PARTS.iter().find(|(part, _)| *part == name).map(|(_, names)| *names);
    match known {
        Some(names) if names.contains(&value) => {
            read.recognised.push(format!("{name}: {value} (recognised from the records)"));
        }
        Some(names) => read.problems.push((
            field.line,
            format!("{name}: {value}: rename it to one of {} in the records", names.join(", ")),
        )),
        None => read.problems.push((
            field.line,
            format!(
                "{name}: {value}: path, data_files and type are read; write the records as \
                 docs/data.md has them"
            ),
        )),
    }
}

fn values(node: &Node) -> Vec<String> {
    match node {
        Node::Value(value) => vec![value.clone()],
        Node::List(items) => items.iter().flat_map(values).collect(),
        Node::Map(_) | Node::Nothing => Vec::new(),
    }
}

/// The first plugin that is none of those that change nothing.
pub(super) fn foreign_plugin(items: &[Node]) -> Option<String> {
    items.iter().find_map(|item| match item {
        Node::Value(plugin) if PASSED_PLUGINS.iter().any(|known| plugin.starts_with(known)) => None,
        Node::Value(plugin) => Some(plugin.clone()),
        _ => Some("…".to_owned()),
    })
}
