//! `--config run.yaml`: options from a file. Each key is the name of an option (underscores or
//! hyphens) or one of the names that LLaMA-Factory, axolotl, TRL and transformers use for it; options on
//! the command line win.
//!
//! Everything that is wrong with a file is said at once, and what is passed over is said too.

mod axolotl;
mod foreign;
mod yaml;

use super::error::usage;
use anyhow::{Context, Result};
use clap::{Arg, ArgAction, Command};
use foreign::{truth, Verdict};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use yaml::{Entry, Node};

/// Longest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The arguments with the options of the file, and what is to be said.
#[derive(Default)]
pub(crate) struct Expanded {
    /// What the program is called with.
    pub(crate) arguments: Vec<OsString>,
    /// Everything for which it must not start.
    pub(crate) problems: Vec<String>,
    /// What was passed over.
    pub(crate) notes: Vec<String>,
    /// The file.
    file: Option<PathBuf>,
}

impl Expanded {
    /// Refuses to start where there is any problem, naming all, and `more` that were found later.
    pub(crate) fn check(&self, more: Vec<String>) -> Result<()> {
        let mut problems = self.problems.clone();
        problems.extend(more);
        let file = self.file.as_ref().map(|f| f.display().to_string()).unwrap_or_default();
        let space = if file.is_empty() { "" } else { " " };
        match problems.as_slice() {
            [] => Ok(()),
            [one] => Err(usage(format!("{file}{space}{one}"))),
            many => Err(usage(format!(
                "{file}{space}{} problems:\n  {}",
                many.len(),
                many.join("\n  ")
            ))),
        }
    }
}

/// Puts hyphens for underscores in the names of options, and the options of a `--config` file
/// before those of the command line.
///
/// # Errors
///
/// A file that cannot be read or is no YAML; other problems are collected.
pub(crate) fn expand(program: &Command, arguments: Vec<OsString>) -> Result<Expanded> {
    let mut expanded = Expanded { arguments: hyphenated(arguments), ..Expanded::default() };
    let name = expanded.arguments.get(1).and_then(|a| a.to_str());
    let Some(command) = name.and_then(|name| program.find_subcommand(name)) else {
        return Ok(expanded);
    };
    expanded.problems = two_spellings(command, &expanded.arguments);
    if !command.get_arguments().any(|a| a.get_long() == Some("config")) {
        return Ok(expanded);
    }
    let Some(path) = value_of(&expanded.arguments, "--config") else { return Ok(expanded) };
    let path = PathBuf::from(path);
    let text = read(&path)?;
    let (entries, wrong) =
        yaml::parse(&text).map_err(|e| usage(format!("{}: {e}", path.display())))?;
    let mut reading = Reading {
        command,
        given: expanded.arguments.clone(),
        seen: BTreeMap::new(),
        options: Vec::new(),
        problems: wrong,
        passed: Vec::new(),
        qlora: false,
    };
    for entry in &entries {
        if let Err(problem) = reading.entry(entry) {
            reading.problems.push((entry.line, problem));
        }
    }
    reading.finish();
    reading.problems.sort_by_key(|(line, _)| *line);
    let lines = reading.problems.iter().map(|(line, text)| format!("line {line}: {text}"));
    expanded.problems.extend(lines);
    expanded.arguments.splice(2..2, reading.options);
    if !reading.passed.is_empty() {
        expanded.notes.push(format!(
            "{}: passed over, since it cannot change the result here: {}",
            path.display(),
            reading.passed.join(", ")
        ));
    }
    expanded.file = Some(path);
    Ok(expanded)
}

fn read(path: &Path) -> Result<String> {
    let what = || format!("reading {}", path.display());
    let size = std::fs::metadata(path).with_context(what)?.len();
    if size > MAX_FILE {
        return Err(usage(format!(
            "{} is {size} bytes; at most {MAX_FILE} are read",
            path.display()
        )));
    }
    let bytes = std::fs::read(path).with_context(what)?;
    String::from_utf8(bytes).map_err(|_| {
        usage(format!(
            "{} is not UTF-8; save it as UTF-8 (some editors write UTF-16)",
            path.display()
        ))
    })
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

/// Options that the command line gives under two of their names: which one counts nobody can see.
fn two_spellings(command: &Command, arguments: &[OsString]) -> Vec<String> {
    let mut used: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for argument in arguments.iter().skip(2).take_while(|a| *a != "--") {
        let Some(name) = argument.to_str().and_then(|a| a.strip_prefix("--")) else { continue };
        let name = name.split('=').next().unwrap_or(name);
        let option = command.get_arguments().find(|a| names(a).any(|n| n == name));
        let Some(long) = option.and_then(Arg::get_long) else { continue };
        let spellings = used.entry(long).or_default();
        if !spellings.iter().any(|s| s == name) {
            spellings.push(name.to_owned());
        }
    }
    used.into_values()
        .filter(|spellings| spellings.len() > 1)
        .map(|spellings| {
            format!("--{} are spellings of one option; give one of them", spellings.join(" and --"))
        })
        .collect()
}

/// A file that is being read.
struct Reading<'a> {
    command: &'a Command,
    given: Vec<OsString>,
    /// Where each option was met, and under which name.
    seen: BTreeMap<String, (usize, String)>,
    options: Vec<OsString>,
    problems: Vec<(usize, String)>,
    passed: Vec<String>,
    /// Whether any of the keys for it asks for a quantised base.
    qlora: bool,
}

impl Reading<'_> {
    /// Takes a key; says what is wrong with it.
    fn entry(&mut self, entry: &Entry) -> Result<(), String> {
        let key = entry.key.trim().replace('_', "-");
        // A key without a value is an option that is left at its default.
        let values: Vec<String> = match &entry.node {
            Node::Nothing => return self.known(entry, &key),
            Node::Value(value) => vec![value.clone()],
            Node::List(items) => {
                if key == "datasets" || key == "test-datasets" {
                    return self.datasets(entry, &key, items);
                }
                if key == "plugins" {
                    return match axolotl::foreign_plugin(items) {
                        None => self.pass(entry),
                        Some(plugin) => Err(format!(
                            "{}: {plugin}: no plugin of axolotl is run here; Liger's and Cut Cross \
                             Entropy's are passed over",
                            entry.key
                        )),
                    };
                }
                let plain = items.iter().filter_map(|item| match item {
                    Node::Value(value) => Some(value.clone()),
                    _ => None,
                });
                let plain: Vec<String> = plain.collect();
                let whole = plain.len() == items.len();
                if !whole && !matches!(foreign::verdict(&key, ""), Verdict::Passed) {
                    return Err(format!(
                        "{} holds a list of more than values; write each option on a line of its own",
                        entry.key
                    ));
                }
                plain
            }
            Node::Map(_) => {
                return match foreign::verdict(&key, "") {
                    Verdict::Passed => self.pass(entry),
                    Verdict::Refused(say) => Err(format!("{}: {say}", entry.key)),
                    _ => Err(format!(
                        "{} holds a mapping; write each option on a line of its own",
                        entry.key
                    )),
                }
            }
        };
        let list = matches!(entry.node, Node::List(_));
        // What is not reported to cannot change the result.
        let values: Vec<String> = if key == "report-to" {
            let names = values.iter().flat_map(|value| value.split(',')).map(str::trim);
            let (known, others): (Vec<&str>, Vec<&str>) =
                names.partition(|name| ["none", "tensorboard", "mlflow", "all"].contains(name));
            if !others.is_empty() {
                self.passed.push(format!("{}: {}", entry.key, others.join(", ")));
            }
            if known.is_empty() {
                return Ok(());
            }
            known.into_iter().map(str::to_owned).collect()
        } else {
            values
        };
        let value = values.first().map_or("", String::as_str);
        if self.special(entry, &key, value)? {
            return Ok(());
        }
        let key = self.renamed(&key);
        let Some(argument) = self.option(&key) else {
            return match foreign::verdict(&key, value) {
                Verdict::Passed => self.pass(entry),
                Verdict::Same => Ok(()),
                Verdict::Refused(say) => Err(format!("{}: {value}: {say}", entry.key)),
                Verdict::Unknown => Err(self.unknown(&entry.key, &key)),
            };
        };
        self.take(entry, argument, &values, list)
    }

    /// A key without a value: it must be known all the same.
    fn known(&self, entry: &Entry, key: &str) -> Result<(), String> {
        let special = ["datasets", "adapter", "quantization-bit", "resume-from-checkpoint"];
        let renamed = self.renamed(key);
        if special.contains(&key)
            || self.option(&renamed).is_some()
            || !matches!(foreign::verdict(key, ""), Verdict::Unknown)
        {
            return Ok(());
        }
        if key == "load-in-4bit" || key == "lora-target-linear" {
            return Ok(());
        }
        Err(self.unknown(&entry.key, key))
    }

    fn pass(&mut self, entry: &Entry) -> Result<(), String> {
        self.passed.push(entry.key.clone());
        Ok(())
    }

    /// The option under another program's name that is no alias, since options of other commands or
    /// other meanings stand in its way.
    fn renamed(&self, key: &str) -> String {
        let has = |name: &str| self.option(name).is_some();
        match key {
            "eval-dataset" if has("eval-data") => "eval-data",
            "test-datasets" if has("eval-data") => "eval-data",
            "train-on-inputs" if has("train-on-prompt") => "train-on-prompt",
            key => key,
        }
        .to_owned()
    }

    fn option(&self, key: &str) -> Option<Arg> {
        let mut all = self.command.get_arguments().filter(|a| a.get_long() != Some("config"));
        all.find(|a| names(a).any(|n| n == key)).cloned()
    }

    /// Keys whose values decide what they are. True where it was one.
    fn special(&mut self, entry: &Entry, key: &str, value: &str) -> Result<bool, String> {
        match (key, value) {
            // How LLaMA-Factory and axolotl ask for QLoRA.
            ("quantization-bit", "4") => self.qlora = true,
            ("quantization-bit", _) => {
                return Err(format!("{}: {value}: 4 is supported (method qlora)", entry.key))
            }
            ("load-in-4bit", _) => match truth(value) {
                Some(on) => self.qlora |= on,
                None => return Err(format!("{}: {value}: true or false", entry.key)),
            },
            ("adapter", "qlora") => self.qlora = true,
            ("adapter", "lora") => {}
            ("lora-target-linear", _) => match truth(value) {
                Some(false) => {}
                Some(true) => {
                    if let Some(argument) = self.option("target-modules") {
                        self.take(entry, argument, &["all-linear".to_owned()], false)?;
                    }
                }
                None => return Err(format!("{}: {value}: true or false", entry.key)),
            },
            ("resume-from-checkpoint", _) => match truth(value) {
                Some(_) => self.passed.push(entry.key.clone()),
                None => {
                    return Err(format!(
                        "{}: {value}: a run goes on from the checkpoint in its own output folder; \
                         write output_dir, and leave this out",
                        entry.key
                    ))
                }
            },
            ("dataset", names) => {
                let paths: Vec<String> =
                    names.split(',').map(|name| name.trim().to_owned()).collect();
                let there = paths.iter().all(|path| Path::new(path).exists());
                let argument = self.option("data").filter(|_| there);
                let Some(argument) = argument else {
                    return Err(format!(
                        "{} is not an option here: {names}: name files or folders with data (data: \
                         [FILE, FOLDER]); lists of named datasets are not read",
                        entry.key
                    ));
                };
                self.take(entry, argument, &paths, true)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// axolotl's list of datasets: the files of each; how its records are written is recognised from
    /// them.
    fn datasets(&mut self, entry: &Entry, key: &str, items: &[Node]) -> Result<(), String> {
        let mut paths = Vec::new();
        for item in items {
            match item {
                Node::Value(path) => paths.push(path.clone()),
                Node::Map(fields) => {
                    let read = axolotl::dataset(fields);
                    paths.extend(read.paths);
                    let named = |say: String| format!("{}: {say}", entry.key);
                    self.passed.extend(read.recognised.into_iter().map(named));
                    let problems = read.problems.into_iter();
                    self.problems.extend(problems.map(|(line, say)| (line, named(say))));
                }
                _ => return Err(format!("{}: a path, or a mapping with path", entry.key)),
            }
        }
        let name = if key == "datasets" { "data".to_owned() } else { self.renamed(key) };
        let Some(argument) = self.option(&name) else {
            return Err(format!(
                "{} is not an option here: eval_fraction holds out a part of the data",
                entry.key
            ));
        };
        self.take(entry, argument, &paths, true)
    }

    /// Adds an option, unless the command line has it.
    fn take(
        &mut self,
        entry: &Entry,
        argument: Arg,
        values: &[String],
        list: bool,
    ) -> Result<(), String> {
        let long = argument.get_long().unwrap_or_default().to_owned();
        let seen = self.seen.insert(long.clone(), (entry.line, entry.key.clone()));
        if let Some((line, first)) = seen {
            return Err(format!(
                "{} and {first} (line {line}) are two spellings of one option; write one of them",
                entry.key
            ));
        }
        if matches!(argument.get_action(), ArgAction::SetTrue) {
            let on = match values {
                _ if list => return Err(format!("{} is true or false, not a list", entry.key)),
                [value] => {
                    truth(value).ok_or_else(|| format!("{}: {value}: true or false", entry.key))?
                }
                _ => false,
            };
            if on && !self.has(&long) {
                self.options.push(format!("--{long}").into());
            }
            return Ok(());
        }
        let many = matches!(argument.get_action(), ArgAction::Append)
            || argument.get_num_args().is_some_and(|n| n.max_values() > 1)
            || argument.get_value_delimiter().is_some();
        if list && !many {
            return Err(format!("{} takes one value, not a list", entry.key));
        }
        let numbers: Vec<String> = values.iter().map(|value| whole(value).to_owned()).collect();
        check(&argument, &numbers).map_err(|e| format!("{}: {e}", entry.key))?;
        if !self.has(&long) {
            let options = numbers.iter().map(|value| format!("--{long}={value}").into());
            self.options.extend(options);
        }
        Ok(())
    }

    /// Adds what several keys decide together.
    fn finish(&mut self) {
        if self.qlora && !self.has("method") {
            self.options.retain(|o| !o.to_string_lossy().starts_with("--method="));
            self.options.push("--method=qlora".into());
        }
    }

    /// Whether the command line has an option, under whichever of its names.
    fn has(&self, long: &str) -> bool {
        let argument = self.command.get_arguments().find(|a| a.get_long() == Some(long));
        argument.is_some_and(|argument| {
            names(argument).any(|name| {
                let option = format!("--{name}");
                self.given.iter().take_while(|a| *a != "--").any(|a| {
                    a.to_str().is_some_and(|a| {
                        a == option
                            || a.strip_prefix(&option).is_some_and(|rest| rest.starts_with('='))
                    })
                })
            })
        })
    }

    fn unknown(&self, written: &str, key: &str) -> String {
        let own = self.command.get_arguments().flat_map(|a| names(a).collect::<Vec<_>>());
        let all = own.chain(foreign::names().map(str::to_owned));
        let nearest = all.map(|name| (distance(&name, key), name)).min();
        match nearest {
            Some((far, name)) if far <= key.chars().count().max(3) / 2 => {
                format!("there is no option {written}; did you mean {}?", name.replace('-', "_"))
            }
            _ => format!("there is no option {written}; see {} --help", self.command.get_name()),
        }
    }
}

/// Others write whole numbers as 3.0.
fn whole(value: &str) -> &str {
    match value.strip_suffix(".0") {
        Some(whole) if !whole.is_empty() && whole.bytes().all(|b| b.is_ascii_digit()) => whole,
        _ => value,
    }
}

/// Whether an option takes these values: one by one, so that each that is wrong is said.
fn check(argument: &Arg, values: &[String]) -> Result<(), String> {
    let parser = argument.get_value_parser().clone();
    let mut copy = Arg::new("value").long("value").value_parser(parser).action(ArgAction::Append);
    if argument.is_allow_negative_numbers_set() {
        copy = copy.allow_negative_numbers(true);
    }
    if let Some(delimiter) = argument.get_value_delimiter() {
        copy = copy.value_delimiter(delimiter);
    }
    let command = Command::new("option").no_binary_name(true).disable_help_flag(true).arg(copy);
    let arguments = values.iter().map(|value| format!("--value={value}"));
    match command.try_get_matches_from(arguments) {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = error.render().to_string();
            let lines = text.lines().map(str::trim);
            let lines: Vec<&str> = lines
                .take_while(|l| !l.starts_with("Usage:") && !l.starts_with("For more"))
                .filter(|l| !l.is_empty())
                .collect();
            let text = lines.join(" ");
            Err(text.strip_prefix("error: ").unwrap_or(&text).replace(" for '--value <value>'", ""))
        }
    }
}

/// Long name and aliases of an option.
fn names(argument: &Arg) -> impl Iterator<Item = String> {
    let long = argument.get_long().map(str::to_owned);
    let aliases = argument.get_all_aliases().unwrap_or_default();
    long.into_iter().chain(aliases.into_iter().map(str::to_owned)).collect::<Vec<_>>().into_iter()
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
