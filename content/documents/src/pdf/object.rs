//! PDF's objects and tokens (ISO 32000-1, 7.2 and 7.3).

use crate::budget::{Budget, Fault, Result};
use std::rc::Rc;

/// Deepest nesting of arrays and dictionaries.
const MAX_DEPTH: usize = 64;
/// Most values in one object.
const MAX_VALUES: usize = 100_000;

/// A value. Containers are shared, so that a copy is cheap.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Object {
    #[default]
    Null,
    Bool(bool),
    Number(f64),
    String(Rc<[u8]>),
    Name(Rc<[u8]>),
    Array(Rc<Vec<Object>>),
    Dict(Rc<Dict>),
    Ref(u32),
}

/// A dictionary; of two equal keys the first counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Dict(Vec<(Rc<[u8]>, Object)>);

impl Dict {
    /// The value of a key as it is written: perhaps a reference.
    pub(crate) fn get(&self, key: &str) -> &Object {
        let found = self.0.iter().find(|(name, _)| **name == *key.as_bytes());
        found.map_or(&Object::Null, |(_, value)| value)
    }

    /// A dictionary of keys and values, one after the other.
    pub(crate) fn of(items: Vec<Object>) -> Self {
        dict(items)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &Object)> {
        self.0.iter().map(|(key, value)| (&**key, value))
    }
}

impl Object {
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A number that is a whole one from 0 to `limit`.
    pub(crate) fn index(&self, limit: usize) -> Option<usize> {
        let number = self.number()?;
        (number >= 0.0 && number <= limit as f64 && number.fract() == 0.0)
            .then_some(number as usize)
    }

    pub(crate) fn name(&self) -> Option<&[u8]> {
        match self {
            Self::Name(name) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn is_name(&self, name: &str) -> bool {
        self.name() == Some(name.as_bytes())
    }

    pub(crate) fn string(&self) -> Option<&[u8]> {
        match self {
            Self::String(string) => Some(string),
            _ => None,
        }
    }

    pub(crate) fn array(&self) -> Option<&[Object]> {
        match self {
            Self::Array(array) => Some(array),
            _ => None,
        }
    }

    pub(crate) fn dict(&self) -> Option<&Rc<Dict>> {
        match self {
            Self::Dict(dict) => Some(dict),
            _ => None,
        }
    }
}

/// A token or a whole object, as far as no reference is meant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Value(Object),
    Keyword(Rc<[u8]>),
    ArrayStart,
    ArrayEnd,
    DictStart,
    DictEnd,
}

pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

pub(crate) fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

fn is_regular(byte: u8) -> bool {
    !is_space(byte) && !is_delimiter(byte)
}

/// Reads tokens from bytes.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Steps over white space and comments.
    pub(crate) fn skip_space(&mut self) {
        while let Some(byte) = self.peek() {
            if byte == b'%' {
                while self.peek().is_some_and(|byte| byte != b'\n' && byte != b'\r') {
                    self.at += 1;
                }
            } else if is_space(byte) {
                self.at += 1;
            } else {
                break;
            }
        }
    }

    /// Steps over `word` if it comes next.
    pub(crate) fn eat(&mut self, word: &[u8]) -> bool {
        let found = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        if found {
            self.at += word.len();
        }
        found
    }

    /// The next token, or nothing at the end.
    pub(crate) fn token(&mut self, budget: &mut Budget) -> Result<Option<Token>> {
        let start = self.at;
        let token = self.next_token();
        budget.scan(self.at - start + 1)?;
        Ok(token)
    }

    fn next_token(&mut self) -> Option<Token> {
        self.skip_space();
        let first = self.peek()?;
        Some(match first {
            b'(' => Token::Value(Object::String(self.literal().into())),
            b'/' => Token::Value(Object::Name(self.name().into())),
            b'[' => self.single(Token::ArrayStart),
            b']' => self.single(Token::ArrayEnd),
            b'<' if self.bytes.get(self.at + 1) == Some(&b'<') => {
                self.at += 2;
                Token::DictStart
            }
            b'<' => Token::Value(Object::String(self.hex().into())),
            b'>' if self.bytes.get(self.at + 1) == Some(&b'>') => {
                self.at += 2;
                Token::DictEnd
            }
            b'+' | b'-' | b'.' | b'0'..=b'9' => self.number(),
            b'>' | b')' | b'{' | b'}' => self.single(Token::Keyword([first].into())),
            _ => {
                let start = self.at;
                while self.peek().is_some_and(is_regular) {
                    self.at += 1;
                }
                match self.bytes.get(start..self.at).unwrap_or_default() {
                    b"null" => Token::Value(Object::Null),
                    b"true" => Token::Value(Object::Bool(true)),
                    b"false" => Token::Value(Object::Bool(false)),
                    word => Token::Keyword(word.into()),
                }
            }
        })
    }

    fn single(&mut self, token: Token) -> Token {
        self.at += 1;
        token
    }

    /// A number; what merely begins like one is a keyword. Signs and points that do not belong
    /// there are read as other readers do: the first point counts, a sign inside ends the number.
    fn number(&mut self) -> Token {
        let start = self.at;
        while self.peek().is_some_and(is_regular) {
            self.at += 1;
        }
        let word = self.bytes.get(start..self.at).unwrap_or_default();
        let negative = word.first() == Some(&b'-');
        let digits = word.iter().skip_while(|byte| matches!(byte, b'+' | b'-'));
        let mut clean = String::with_capacity(24);
        let mut point = false;
        for byte in digits {
            match byte {
                b'0'..=b'9' if clean.len() < 40 => clean.push(char::from(*byte)),
                b'0'..=b'9' => {}
                b'.' if !point => {
                    point = true;
                    clean.push('.');
                }
                b'-' => break,
                _ => return Token::Keyword(word.into()),
            }
        }
        if !clean.bytes().any(|byte| byte.is_ascii_digit()) {
            clean.push('0');
        }
        // Rust parses a decimal to the nearest double on every machine.
        let value: f64 = clean.parse().unwrap_or(0.0);
        Token::Value(Object::Number(if negative { -value } else { value }))
    }

    fn name(&mut self) -> Vec<u8> {
        self.at += 1;
        let mut name = Vec::new();
        while let Some(byte) = self.peek().filter(|byte| is_regular(*byte)) {
            self.at += 1;
            let code = (byte == b'#').then(|| {
                let high = self.bytes.get(self.at).copied().and_then(hex_digit)?;
                let low = self.bytes.get(self.at + 1).copied().and_then(hex_digit)?;
                Some(high << 4 | low)
            });
            match code.flatten() {
                Some(code) => {
                    self.at += 2;
                    name.push(code);
                }
                None => name.push(byte),
            }
        }
        name
    }

    fn literal(&mut self) -> Vec<u8> {
        self.at += 1;
        let mut out = Vec::new();
        let mut open = 0_usize;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'(' => {
                    open += 1;
                    out.push(byte);
                }
                b')' if open == 0 => break,
                b')' => {
                    open -= 1;
                    out.push(byte);
                }
                b'\\' => self.escape(&mut out),
                b'\r' => {
                    self.eat(b"\n");
                    out.push(b'\n');
                }
                _ => out.push(byte),
            }
        }
        out
    }

    fn escape(&mut self, out: &mut Vec<u8>) {
        let Some(byte) = self.peek() else { return };
        self.at += 1;
        match byte {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'\r' => {
                self.eat(b"\n");
            }
            b'\n' => {}
            b'0'..=b'7' => {
                let mut code = u32::from(byte - b'0');
                for _ in 0..2 {
                    match self.peek() {
                        Some(digit @ b'0'..=b'7') => {
                            code = code * 8 + u32::from(digit - b'0');
                            self.at += 1;
                        }
                        _ => break,
                    }
                }
                out.push(code as u8);
            }
            other => out.push(other),
        }
    }

    fn hex(&mut self) -> Vec<u8> {
        self.at += 1;
        let mut out = Vec::new();
        let mut half = None;
        while let Some(byte) = self.peek() {
            self.at += 1;
            if byte == b'>' {
                break;
            }
            let Some(digit) = hex_digit(byte) else { continue };
            match half.take() {
                Some(high) => out.push(high << 4 | digit),
                None => half = Some(digit),
            }
        }
        if let Some(high) = half {
            out.push(high << 4);
        }
        out
    }

    /// A whole object; `None` where there is none. Without recursion, so that nesting costs no
    /// stack.
    pub(crate) fn object(&mut self, budget: &mut Budget) -> Result<Option<Object>> {
        self.object_from(None, budget)
    }

    /// As [`Self::object`], when its first token has been read already.
    pub(crate) fn object_from(
        &mut self,
        mut first: Option<Token>,
        budget: &mut Budget,
    ) -> Result<Option<Object>> {
        // Open containers: whether it is a dictionary, and its values so far.
        let mut open: Vec<(bool, Vec<Object>)> = Vec::new();
        let mut values = 0;
        loop {
            let token = match first.take() {
                Some(token) => Some(token),
                None => self.token(budget)?,
            };
            let done = match token {
                // An object that ends too early, or none at all.
                None => return Ok(None),
                Some(Token::Keyword(word)) => {
                    let reference = &*word == b"R" && make_reference(open.last_mut());
                    if reference {
                        continue;
                    }
                    if open.is_empty() || matches!(&*word, b"endobj" | b"obj" | b"endstream") {
                        // It belongs to whoever comes next.
                        self.at -= word.len();
                        return Ok(None);
                    }
                    continue;
                }
                Some(Token::ArrayStart | Token::DictStart) if open.len() >= MAX_DEPTH => {
                    return Err(Fault::TooMuch {
                        what: "levels of objects",
                        limit: MAX_DEPTH as u64,
                    });
                }
                Some(Token::ArrayStart) => {
                    open.push((false, Vec::new()));
                    continue;
                }
                Some(Token::DictStart) => {
                    open.push((true, Vec::new()));
                    continue;
                }
                Some(Token::Value(value)) => value,
                Some(Token::ArrayEnd | Token::DictEnd) => match open.pop() {
                    None => return Ok(None),
                    Some((false, items)) => Object::Array(Rc::new(items)),
                    Some((true, items)) => Object::Dict(Rc::new(dict(items))),
                },
            };
            values += 1;
            if values > MAX_VALUES {
                return Err(Fault::TooMuch {
                    what: "values in one object",
                    limit: MAX_VALUES as u64,
                });
            }
            match open.last_mut() {
                Some((_, items)) => items.push(done),
                None => return Ok(Some(done)),
            }
        }
    }
}

/// Turns the last two numbers into the reference that `R` makes of them.
fn make_reference(open: Option<&mut (bool, Vec<Object>)>) -> bool {
    let Some((_, items)) = open else { return false };
    let [.., number, generation] = items.as_slice() else { return false };
    let (Some(number), Some(_)) = (number.index(u32::MAX as usize), generation.index(65_535))
    else {
        return false;
    };
    items.truncate(items.len() - 2);
    items.push(Object::Ref(number as u32));
    true
}

fn dict(items: Vec<Object>) -> Dict {
    let mut pairs = Vec::with_capacity(items.len() / 2);
    let mut items = items.into_iter();
    while let Some(key) = items.next() {
        // A value where a key should be is stepped over.
        let Object::Name(key) = key else { continue };
        let Some(value) = items.next() else { break };
        pairs.push((key, value));
    }
    Dict(pairs)
}

pub(crate) fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}
