//! JSON without a schema.
//!
//! White space is what people and models write: nothing, one space, or a line break with at most 20
//! spaces or tabs. More of it would let a model fill its answer with it.

use super::numbers;
use super::pattern::json_character;
use super::rules::{Rules, Symbol};
use crate::error::Result;

/// Rules that every schema needs.
#[derive(Clone, Copy)]
pub(super) struct Parts {
    pub(super) space: Symbol,
    pub(super) character: Symbol,
    pub(super) string: Symbol,
    pub(super) value: Symbol,
    pub(super) object: Symbol,
    pub(super) quote: Symbol,
}

impl Parts {
    pub(super) fn new(rules: &mut Rules) -> Result<Self> {
        let one = rules.byte(&[(b' ', b' ')]);
        let indent = rules.byte(&[(b' ', b' '), (b'\t', b'\t')]);
        let mut line = vec![rules.byte(&[(b'\n', b'\n')])];
        line.extend(rules.repeat(&[indent], 0, Some(20))?);
        let space = rules.any(vec![Vec::new(), vec![one], line])?;
        let character = json_character(rules)?;
        let quote = rules.byte(&[(b'"', b'"')]);
        let mut string = vec![quote];
        string.extend(rules.repeat(&[character], 0, None)?);
        string.push(quote);
        let string = rules.any(vec![string])?;
        let (value, object, array) = (rules.reserve(), rules.reserve(), rules.reserve());
        let mut alternatives =
            vec![vec![Symbol::Rule(object)], vec![Symbol::Rule(array)], vec![string]];
        alternatives.extend(numbers::number(rules, None, None)?.map(|number| vec![number]));
        for word in ["true", "false", "null"] {
            alternatives.push(rules.text(word));
        }
        rules.define(value, alternatives)?;
        let (value, object, array) =
            (Symbol::Rule(value), Symbol::Rule(object), Symbol::Rule(array));
        let parts = Self { space, character, string, value, object, quote };
        let pair = parts.pair(rules, &[string], value);
        let members = parts.list(rules, &pair, 0, None)?;
        parts.enclose(rules, object, '{', members, '}')?;
        let items = parts.list(rules, &[value], 0, None)?;
        parts.enclose(rules, array, '[', items, ']')?;
        Ok(parts)
    }

    /// A key, a colon, a value.
    pub(super) fn pair(&self, rules: &mut Rules, key: &[Symbol], value: Symbol) -> Vec<Symbol> {
        let colon = rules.byte(&[(b':', b':')]);
        [key, &[colon, self.space, value]].concat()
    }

    /// A comma before what follows.
    pub(super) fn comma(&self, rules: &mut Rules) -> [Symbol; 2] {
        [rules.byte(&[(b',', b',')]), self.space]
    }

    /// `least` to `most` items with commas between.
    pub(super) fn list(
        &self,
        rules: &mut Rules,
        item: &[Symbol],
        least: u64,
        most: Option<u64>,
    ) -> Result<Vec<Symbol>> {
        if most == Some(0) {
            return Ok(Vec::new());
        }
        let more = [&self.comma(rules)[..], item].concat();
        let mut all = item.to_vec();
        all.extend(rules.repeat(&more, least.saturating_sub(1), most.map(|most| most - 1))?);
        Ok(if least == 0 { vec![rules.any(vec![all, Vec::new()])?] } else { all })
    }

    /// Defines `rule` as what stands between two brackets.
    pub(super) fn enclose(
        &self,
        rules: &mut Rules,
        rule: Symbol,
        open: char,
        inside: Vec<Symbol>,
        close: char,
    ) -> Result<()> {
        let Symbol::Rule(rule) = rule else { return Ok(()) };
        let mut symbols = rules.text(open.encode_utf8(&mut [0; 4]));
        symbols.push(self.space);
        symbols.extend(inside);
        symbols.push(self.space);
        symbols.extend(rules.text(close.encode_utf8(&mut [0; 4])));
        rules.define(rule, vec![symbols])
    }
}
