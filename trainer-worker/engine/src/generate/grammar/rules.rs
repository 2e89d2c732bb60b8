//! Context-free rules over bytes.

use crate::error::{Error, Result};
use std::collections::HashMap;

/// Most symbols of one grammar: what a schema or an expression may grow to.
const MAX_SYMBOLS: usize = 200_000;
/// Most times that a part may be repeated by a count.
pub(super) const MAX_REPEAT: u64 = 4096;

/// What a grammar's text is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Symbol {
    /// End of an alternative.
    End,
    /// One byte of a set.
    Byte(u32),
    /// What a rule says.
    Rule(u32),
}

/// A set of bytes.
pub(super) type ByteSet = [u64; 4];

pub(super) fn contains(set: &ByteSet, byte: u8) -> bool {
    set.get(usize::from(byte >> 6)).is_some_and(|word| word >> (byte & 63) & 1 == 1)
}

/// Rules being collected: each one a list of alternatives, each a list of symbols.
#[derive(Debug, Default)]
pub(super) struct Rules {
    rules: Vec<Vec<Vec<Symbol>>>,
    sets: Vec<ByteSet>,
    set_ids: HashMap<ByteSet, u32>,
    symbols: usize,
}

impl Rules {
    /// A rule that is defined later, so that it may speak of itself.
    pub(super) fn reserve(&mut self) -> u32 {
        self.rules.push(Vec::new());
        self.rules.len() as u32 - 1
    }

    pub(super) fn define(&mut self, rule: u32, alternatives: Vec<Vec<Symbol>>) -> Result<()> {
        self.symbols += alternatives.iter().map(|a| a.len() + 1).sum::<usize>();
        if self.symbols > MAX_SYMBOLS {
            return Err(Error::grammar("", format!("it needs more than {MAX_SYMBOLS} symbols")));
        }
        if let Some(place) = self.rules.get_mut(rule as usize) {
            *place = alternatives;
        }
        Ok(())
    }

    /// One of several alternatives.
    pub(super) fn any(&mut self, alternatives: Vec<Vec<Symbol>>) -> Result<Symbol> {
        let rule = self.reserve();
        self.define(rule, alternatives)?;
        Ok(Symbol::Rule(rule))
    }

    /// One of many texts. What several begin with stands once, so that no more ways are followed than there are
    /// bytes that can come next.
    pub(super) fn any_text(&mut self, texts: Vec<Vec<Symbol>>) -> Result<Symbol> {
        let root = self.reserve();
        let mut open = vec![(root, texts)];
        while let Some((rule, texts)) = open.pop() {
            let mut alternatives = Vec::new();
            let mut ends = false;
            let mut groups: Vec<Vec<Vec<Symbol>>> = Vec::new();
            let mut places: HashMap<Symbol, usize> = HashMap::new();
            for text in texts {
                match text.first() {
                    Some(byte @ Symbol::Byte(_)) => {
                        let place = *places.entry(*byte).or_insert(groups.len());
                        match groups.get_mut(place) {
                            Some(group) => group.push(text),
                            None => groups.push(vec![text]),
                        }
                    }
                    None => ends = true,
                    // A list or an object begins with a rule.
                    Some(_) => alternatives.push(text),
                }
            }
            if ends {
                alternatives.push(Vec::new());
            }
            for group in groups {
                let Some((first, others)) = group.split_first() else { continue };
                let common = others.iter().fold(first.len(), |length, other| {
                    let same = first.iter().zip(other).take(length);
                    same.take_while(|(one, other)| one == other).count()
                });
                if others.iter().all(|other| other == first) {
                    alternatives.push(first.clone());
                    continue;
                }
                let rest = self.reserve();
                let mut begin = first.get(..common).unwrap_or(&[]).to_vec();
                begin.push(Symbol::Rule(rest));
                alternatives.push(begin);
                let rests = group.iter().map(|text| text.get(common..).unwrap_or(&[]).to_vec());
                open.push((rest, rests.collect()));
            }
            self.define(rule, alternatives)?;
        }
        Ok(Symbol::Rule(root))
    }

    /// One byte within some ranges, both ends included.
    pub(super) fn byte(&mut self, ranges: &[(u8, u8)]) -> Symbol {
        let mut set = ByteSet::default();
        for (first, last) in ranges {
            for byte in *first..=*last {
                if let Some(word) = set.get_mut(usize::from(byte >> 6)) {
                    *word |= 1 << (byte & 63);
                }
            }
        }
        let sets = &mut self.sets;
        Symbol::Byte(*self.set_ids.entry(set).or_insert_with(|| {
            sets.push(set);
            sets.len() as u32 - 1
        }))
    }

    pub(super) fn text(&mut self, text: &str) -> Vec<Symbol> {
        text.bytes().map(|byte| self.byte(&[(byte, byte)])).collect()
    }

    /// `part` from `least` to `most` times; any number where `most` is none.
    pub(super) fn repeat(
        &mut self,
        part: &[Symbol],
        least: u64,
        most: Option<u64>,
    ) -> Result<Vec<Symbol>> {
        let greatest = most.unwrap_or(least).max(least);
        if greatest > MAX_REPEAT {
            let what = format!("it repeats a part {greatest} times, and {MAX_REPEAT} is the most");
            return Err(Error::grammar("", what));
        }
        let part = match part {
            [one] => *one,
            _ => self.any(vec![part.to_vec()])?,
        };
        let mut all = vec![part; least as usize];
        let mut rest = None;
        match most {
            None => {
                let rule = self.reserve();
                self.define(rule, vec![vec![part, Symbol::Rule(rule)], Vec::new()])?;
                rest = Some(Symbol::Rule(rule));
            }
            Some(most) => {
                for _ in least..most {
                    let with = std::iter::once(part).chain(rest).collect();
                    rest = Some(self.any(vec![with, Vec::new()])?);
                }
            }
        }
        all.extend(rest);
        Ok(all)
    }

    /// The rules in one row of symbols, beginning with `root`.
    pub(super) fn finish(self, root: Symbol) -> Compiled {
        let mut symbols = vec![root, Symbol::End];
        let mut starts = Vec::with_capacity(self.rules.len());
        for alternatives in self.rules {
            let mut places = Vec::with_capacity(alternatives.len());
            for alternative in alternatives {
                places.push(symbols.len() as u32);
                symbols.extend(alternative);
                symbols.push(Symbol::End);
            }
            starts.push(places);
        }
        Compiled { symbols, starts, sets: self.sets }
    }
}

/// Rules laid out for matching. Place 0 begins the whole.
#[derive(Debug)]
pub(super) struct Compiled {
    symbols: Vec<Symbol>,
    starts: Vec<Vec<u32>>,
    sets: Vec<ByteSet>,
}

impl Compiled {
    /// Bytes in memory, with what the allocator adds to small lists.
    pub(super) fn bytes(&self) -> usize {
        let starts = self
            .starts
            .iter()
            .map(|places| size_of::<Vec<u32>>() + (places.capacity() * size_of::<u32>()).max(32));
        self.symbols.capacity() * size_of::<Symbol>()
            + starts.sum::<usize>()
            + self.sets.capacity() * size_of::<ByteSet>()
    }

    pub(super) fn at(&self, place: u32) -> Symbol {
        self.symbols.get(place as usize).copied().unwrap_or(Symbol::End)
    }

    pub(super) fn starts(&self, rule: u32) -> &[u32] {
        self.starts.get(rule as usize).map_or(&[], Vec::as_slice)
    }

    pub(super) fn set(&self, set: u32) -> ByteSet {
        self.sets.get(set as usize).copied().unwrap_or_default()
    }
}
