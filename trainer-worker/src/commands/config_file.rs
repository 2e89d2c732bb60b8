//! `--config run.yaml`: options from a file. Each key is the name of an option (underscores or
//! hyphens) or one of the names that LLaMA-Factory, TRL and transformers use for it; options on the
//! command line win.

use super::error::usage;
use anyhow::{Context, Result};
use clap::{Arg, ArgAction, Command};
use std::ffi::OsString;
use std::path::Path;
use yaml_rust2::parser::{Event, Parser};

/// Longest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// Most keys and values of a file.
const MAX_VALUES: usize = 10_000;

/// Keys of other programs that have no option here, with the values that mean what this program
/// does, and what to say about others.
const FIXED: [(&str, &[&str], &str); 13] = [
    ("do-train", &["true"], "use the eval command to evaluate only"),
    ("do-eval", &["true", "false"], ""),
    ("do-predict", &["false"], "use the generate command"),
    ("bf16", &["false"], "the CPU trains in f32; on a GPU write device: cuda and dtype: bf16"),
    ("fp16", &["false"], "the CPU trains in f32; on a GPU write device: cuda and dtype: f16"),
    ("tf32", &["false"], "the CPU trains in f32; leave it out"),
    ("trust-remote-code", &["false"], "code of a model is never run"),
    ("overwrite-cache", &["true", "false"], ""),
    ("optim", &["adamw_torch", "adamw_hf", "adamw"], "AdamW is the only optimiser"),
    ("lora-bias", &["none", "false"], "biases are not trained"),
    ("bias", &["none"], "biases are not trained"),
    ("task-type", &["causal_lm", "CAUSAL_LM"], "causal language models only"),
    ("ddp-timeout", &["180000000"], "there is one process; leave it out"),
];

/// Puts hyphens for underscores in the names of options, and the options of a `--config` file
/// before those of the command line.
pub(crate) fn expand(program: &Command, arguments: Vec<OsString>) -> Result<Vec<OsString>> {
    let mut arguments: Vec<OsString> = hyphenated(arguments);
    let Some(command) =
        arguments.get(1).and_then(|a| a.to_str()).and_then(|n| program.find_subcommand(n))
    else {
        return Ok(arguments);
    };
    if !command.get_arguments().any(|a| a.get_long() == Some("config")) {
        return Ok(arguments);
    }
    let Some(path) = value_of(&arguments, "--config") else { return Ok(arguments) };
    let path = Path::new(&path);
    let what = || format!("reading {}", path.display());
    let size = std::fs::metadata(path).with_context(what)?.len();
    if size > MAX_FILE {
        return Err(usage(format!(
            "{} is {size} bytes; at most {MAX_FILE} are read",
            path.display()
        )));
    }
    let text = std::fs::read_to_string(path).with_context(what)?;
    let entries = parse(&text).map_err(|e| usage(format!("{}: {e}", path.display())))?;
    let mut options = Vec::new();
    for entry in entries {
        let add = options_of(command, &entry, &arguments)
            .map_err(|e| usage(format!("{} line {}: {e}", path.display(), entry.line)))?;
        options.extend(add);
    }
    arguments.splice(2..2, options);
    Ok(arguments)
}

fn hyphenated(arguments: Vec<OsString>) -> Vec<OsString> {
    let mut literal = false;
    arguments
        .into_iter()
        .map(|argument| {
            literal |= argument == "--";
            match argument.to_str().filter(|a| !literal && a.starts_with("--")) {
                Some(text) => {
                    let (name, rest) = text.split_at(text.find('=').unwrap_or(text.len()));
                    OsString::from(format!("{}{rest}", name.replace('_', "-")))
                }
                None => argument,
            }
        })
        .collect()
}

fn value_of(arguments: &[OsString], option: &str) -> Option<OsString> {
    let mut found = None;
    let mut following = false;
    for argument in arguments {
        if argument == "--" {
            break;
        }
        if following {
            found = Some(argument.clone());
        }
        following = argument == option;
        if let Some(value) =
            argument.to_str().and_then(|a| a.strip_prefix(option)?.strip_prefix('='))
        {
            found = Some(OsString::from(value));
        }
    }
    found
}

/// A key with its value or values.
struct Entry {
    line: usize,
    key: String,
    values: Vec<String>,
    list: bool,
}

/// The top-level keys of a YAML document. Anything that a list of options cannot be is refused:
/// nested mappings, anchors, several documents.
fn parse(text: &str) -> Result<Vec<Entry>, String> {
    let mut parser = Parser::new(text.chars());
    let mut entries: Vec<Entry> = Vec::new();
    let mut key: Option<(String, usize)> = None;
    let (mut depth, mut documents, mut values) = (0, 0, 0usize);
    loop {
        let (event, mark) = parser.next_token().map_err(|e| format!("is not YAML: {e}"))?;
        let line = mark.line();
        values += 1;
        if values > MAX_VALUES {
            return Err(format!("holds more than {MAX_VALUES} values"));
        }
        match event {
            Event::StreamEnd => return Ok(entries),
            Event::DocumentStart => {
                documents += 1;
                if documents > 1 {
                    return Err(format!("line {line}: a second document; one is read"));
                }
            }
            Event::MappingStart(..) => {
                depth += 1;
                if depth > 1 || key.is_some() {
                    let key = key.map_or("a list".to_owned(), |(k, _)| k);
                    return Err(format!(
                        "line {line}: {key} holds a mapping; write each option on a line of its own"
                    ));
                }
            }
            Event::MappingEnd => depth -= 1,
            Event::SequenceStart(..) => match key.take() {
                Some((key, line)) => {
                    entries.push(Entry { line, key, values: Vec::new(), list: true });
                    depth += 1;
                }
                None => return Err(format!("line {line}: a list where an option belongs")),
            },
            Event::SequenceEnd => depth -= 1,
            Event::Alias(_) => return Err(format!("line {line}: aliases are not read")),
            Event::Scalar(value, style, ..) => {
                let plain = style == yaml_rust2::scanner::TScalarStyle::Plain;
                let nothing =
                    plain && matches!(value.as_str(), "" | "~" | "null" | "Null" | "NULL");
                if depth == 2 {
                    if let Some(entry) = entries.last_mut() {
                        entry.values.push(value);
                    }
                } else if depth == 0 && !nothing {
                    return Err(format!("line {line}: options are written as `name: value`"));
                } else if let Some((key, line)) = key.take() {
                    // A key without a value is an option that is left at its default.
                    if !nothing {
                        entries.push(Entry { line, key, values: vec![value], list: false });
                    }
                } else if depth == 1 {
                    if entries.iter().any(|e| e.key == value) {
                        return Err(format!("line {line}: {value} occurs twice"));
                    }
                    key = Some((value, line));
                }
            }
            Event::Nothing | Event::StreamStart | Event::DocumentEnd => {}
        }
    }
}

/// The arguments that an entry stands for; none when the command line has the option already.
fn options_of(
    command: &Command,
    entry: &Entry,
    given: &[OsString],
) -> Result<Vec<OsString>, String> {
    let key = entry.key.replace('_', "-");
    let value = entry.values.first().map_or("", String::as_str);
    if let Some((_, accepted, say)) = FIXED.iter().find(|(name, ..)| *name == key) {
        if accepted.contains(&value) || (value == "True" && accepted.contains(&"true")) {
            return Ok(Vec::new());
        }
        return Err(format!("{}: {value}: {say}", entry.key));
    }
    // How LLaMA-Factory asks for QLoRA.
    if key == "quantization-bit" {
        return match value {
            "4" if has(command, given, "method") => Ok(Vec::new()),
            "4" => Ok(vec!["--method=qlora".into()]),
            _ => Err(format!("{}: {value}: 4 is supported (method qlora)", entry.key)),
        };
    }
    let argument = command
        .get_arguments()
        .filter(|a| a.get_long() != Some("config"))
        .find(|a| names(a).any(|n| n == key))
        .ok_or_else(|| unknown(command, &entry.key, &key))?;
    let long = argument.get_long().unwrap_or_default();
    if has(command, given, long) {
        return Ok(Vec::new());
    }
    if matches!(argument.get_action(), ArgAction::SetTrue) {
        return match value {
            _ if entry.list => Err(format!("{} is true or false, not a list", entry.key)),
            "true" | "True" => Ok(vec![format!("--{long}").into()]),
            "false" | "False" => Ok(Vec::new()),
            _ => Err(format!("{}: {value}: true or false", entry.key)),
        };
    }
    let many = matches!(argument.get_action(), ArgAction::Append)
        || argument.get_num_args().is_some_and(|n| n.max_values() > 1)
        || argument.get_value_delimiter().is_some();
    if entry.list && !many {
        return Err(format!("{} takes one value, not a list", entry.key));
    }
    let value = |value: &String| -> OsString {
        // Others write whole numbers as 3.0.
        let whole = value.strip_suffix(".0").filter(|v| v.bytes().all(|b| b.is_ascii_digit()));
        let value = match whole {
            Some(whole) if !whole.is_empty() => whole,
            _ => value,
        };
        format!("--{long}={value}").into()
    };
    Ok(entry.values.iter().map(value).collect())
}

/// Long name and aliases of an option.
fn names(argument: &Arg) -> impl Iterator<Item = String> {
    let long = argument.get_long().map(str::to_owned);
    let aliases = argument.get_all_aliases().unwrap_or_default();
    long.into_iter().chain(aliases.into_iter().map(str::to_owned)).collect::<Vec<_>>().into_iter()
}

/// Whether the command line has an option, under whichever of its names.
fn has(command: &Command, given: &[OsString], long: &str) -> bool {
    let argument = command.get_arguments().find(|a| a.get_long() == Some(long));
    argument.is_some_and(|argument| {
        names(argument).any(|name| {
            let option = format!("--{name}");
            given.iter().take_while(|a| *a != "--").any(|a| {
                a.to_str().is_some_and(|a| {
                    a == option || a.strip_prefix(&option).is_some_and(|rest| rest.starts_with('='))
                })
            })
        })
    })
}

fn unknown(command: &Command, written: &str, key: &str) -> String {
    let hint = match key {
        "dataset" | "dataset-dir" => Some("name files or folders with data"),
        "template" => Some("the model's own chat template is used; leave it out"),
        "max-samples" => Some("use max_steps or max_tokens"),
        _ => None,
    };
    if let Some(hint) = hint {
        return format!("{written} is not an option here: {hint}");
    }
    let nearest = command
        .get_arguments()
        .flat_map(|a| names(a).collect::<Vec<_>>())
        .map(|name| (distance(&name, key), name))
        .min();
    match nearest {
        Some((far, name)) if far <= key.len().max(3) / 2 => {
            format!("there is no option {written}; did you mean {}?", name.replace('-', "_"))
        }
        _ => format!("there is no option {written}; see {} --help", command.get_name()),
    }
}

/// Edits between two names (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(256).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(256).enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, y) in b.iter().enumerate() {
            let (Some(&above), Some(&left)) = (row.get(j + 1), row.get(j)) else { break };
            let edit = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            diagonal = above;
            if let Some(cell) = row.get_mut(j + 1) {
                *cell = edit;
            }
        }
    }
    row.last().copied().unwrap_or(0)
}
