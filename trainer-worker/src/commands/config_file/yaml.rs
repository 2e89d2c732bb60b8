//! The little of YAML that a list of options needs, as a tree with line numbers.

use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::{Marker, TScalarStyle};

/// Most keys and values of a file.
const MAX_VALUES: usize = 10_000;
/// Deepest nesting that is read; what is deeper is no option of any program that this one knows.
const MAX_DEPTH: usize = 6;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Nothing, or null: the option's default.
    Nothing,
    /// One value as it is written.
    Value(String),
    /// A list.
    List(Vec<Node>),
    /// Keys with their values.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// Where the key is, counted from 1.
    pub(super) line: usize,
    /// The key as it is written.
    pub(super) key: String,
    /// Its value.
    pub(super) node: Node,
}

/// What a document says, and what in it is not read, as lines with the reason.
pub(super) type Document = (Vec<Entry>, Vec<(usize, String)>);

struct Reader<'a> {
    parser: Parser<std::str::Chars<'a>>,
    values: usize,
    problems: Vec<(usize, String)>,
}

/// The top-level keys of a document. A byte-order mark before it is no key.
///
/// # Errors
///
/// What is no YAML, no mapping, or too much of it.
pub(super) fn parse(text: &str) -> Result<Document, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { parser: Parser::new(text.chars()), values: 0, problems: Vec::new() };
    let mut entries = Vec::new();
    let mut documents = 0;
    loop {
        let (event, mark) = reader.next()?;
        match event {
            Event::StreamEnd => return Ok((entries, reader.problems)),
            Event::DocumentStart => {
                documents += 1;
                if documents > 1 {
                    let line = mark.line();
                    return Err(format!("line {line}: a second document; one is read"));
                }
            }
            Event::Nothing | Event::StreamStart | Event::DocumentEnd => {}
            event => match reader.node(event, mark, 0)? {
                Node::Map(found) => entries = found,
                Node::Nothing => {}
                Node::List(_) => {
                    return Err(format!("line {}: a list where an option belongs", mark.line()))
                }
                Node::Value(_) => {
                    return Err(format!(
                        "line {}: options are written as `name: value`",
                        mark.line()
                    ))
                }
            },
        }
    }
}

impl Reader<'_> {
    fn next(&mut self) -> Result<(Event, Marker), String> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(format!("holds more than {MAX_VALUES} values"));
        }
        self.parser.next_token().map_err(|e| format!("is not YAML: {e}"))
    }

    /// The node that begins with an event.
    fn node(&mut self, event: Event, mark: Marker, depth: usize) -> Result<Node, String> {
        if depth > MAX_DEPTH {
            let line = mark.line();
            return Err(format!("line {line}: nested deeper than {MAX_DEPTH} levels"));
        }
        match event {
            Event::Alias(_) => {
                self.problems.push((mark.line(), "aliases are not read".to_owned()));
                Ok(Node::Nothing)
            }
            Event::Scalar(value, style, ..) => {
                let plain = style == TScalarStyle::Plain;
                let nothing =
                    plain && matches!(value.as_str(), "" | "~" | "null" | "Null" | "NULL");
                Ok(if nothing { Node::Nothing } else { Node::Value(value) })
            }
            Event::SequenceStart(..) => {
                let mut list = Vec::new();
                loop {
                    let (event, mark) = self.next()?;
                    if event == Event::SequenceEnd {
                        return Ok(Node::List(list));
                    }
                    list.push(self.node(event, mark, depth + 1)?);
                }
            }
            Event::MappingStart(..) => {
                let mut entries: Vec<Entry> = Vec::new();
                loop {
                    let (event, mark) = self.next()?;
                    if event == Event::MappingEnd {
                        return Ok(Node::Map(entries));
                    }
                    let line = mark.line();
                    let key = match self.node(event, mark, depth + 1)? {
                        Node::Value(key) => key,
                        _ => {
                            self.problems.push((line, "a key that is no name".to_owned()));
                            String::new()
                        }
                    };
                    let (event, mark) = self.next()?;
                    let node = self.node(event, mark, depth + 1)?;
                    if let Some(first) = entries.iter().find(|e| e.key == key && !key.is_empty()) {
                        let text = format!("{key} occurs twice (first in line {})", first.line);
                        self.problems.push((line, text));
                    } else if !key.is_empty() {
                        entries.push(Entry { line, key, node });
                    }
                }
            }
            _ => Err(format!("line {}: not a value", mark.line())),
        }
    }
}
