//! Following a grammar byte by byte, in all ways at once.
//!
//! A state is a set of places in the rules, each with the places to return to. States and steps between
//! them are remembered, so that a grammar turns into an automaton as far as it is used.

use super::memory::{Charge, ClientGrammars, GrammarMemory};
use super::rules::{contains, Compiled, Symbol};
use super::vocabulary::Vocabulary;
use super::Grammar;
use crate::error::{Error, Result};
use crate::tokenizer::Tokenizer;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Ways that may be followed at once.
const MAX_WAYS: usize = 4096;
/// Ways that may be looked at for one token: no schema may keep others waiting.
const MAX_WORK: usize = 200_000;
/// States that are remembered, about a kilobyte each; then those that are not at hand are forgotten.
const MAX_STATES: usize = 4096;
/// States that the tokens of one place may lead through.
const MAX_STATES_AT_ONCE: usize = 4 * MAX_STATES;
/// Sets of tokens that are remembered.
const MAX_MASKS: usize = 64;
/// Bytes of the place where an answer stands, which cannot be forgotten: ways, and how deep they are.
const MAX_PLACE: usize = 256 << 10;
/// Bytes of a state beside its ways, with its entry by which it is found.
const STATE_BYTES: usize = size_of::<State>() + 256 * size_of::<u32>() + 2 * 64;
/// Bytes of each of a state's ways, which are there twice.
const WAY_BYTES: usize = 2 * size_of::<Way>();
/// Bytes of an entry of the stacks, in both of their tables, which grow by doubling.
const STACK_BYTES: usize = 56;

const UNKNOWN: u32 = u32::MAX;
const DEAD: u32 = u32::MAX - 1;
/// No place to return to: the end of the whole.
const EMPTY: u32 = 0;

/// A place in the rules and the stack of places to return to.
type Way = (u32, u32);

struct State {
    ways: Vec<Way>,
    accepting: bool,
    next: Box<[u32; 256]>,
}

struct Automaton {
    rules: Arc<Compiled>,
    /// Where to return to, and the stack below.
    stacks: Vec<(u32, u32)>,
    stack_ids: HashMap<(u32, u32), u32>,
    states: Vec<State>,
    state_ids: HashMap<(Vec<Way>, bool), u32>,
    /// Ways looked at since the last token.
    work: usize,
    /// Its part of the client's memory, with the masks.
    charge: Charge,
}

impl Automaton {
    fn new(rules: Arc<Compiled>, memory: &Arc<ClientGrammars>) -> Self {
        Self {
            rules,
            charge: memory.charge(),
            stacks: vec![(0, EMPTY)],
            stack_ids: HashMap::new(),
            states: Vec::new(),
            state_ids: HashMap::new(),
            work: 0,
        }
    }

    fn stack(&mut self, back: u32, below: u32) -> u32 {
        let (stacks, next) = (&mut self.stacks, self.stack_ids.len() as u32 + 1);
        let charge = &mut self.charge;
        *self.stack_ids.entry((back, below)).or_insert_with(|| {
            charge.grow(STACK_BYTES);
            stacks.push((back, below));
            next
        })
    }

    /// The state of all that can follow some ways without a byte between.
    fn state(&mut self, begin: impl IntoIterator<Item = Way>) -> Result<u32> {
        let mut open: Vec<Way> = begin.into_iter().collect();
        let mut seen: HashSet<Way> = open.iter().copied().collect();
        let (mut ways, mut accepting) = (Vec::new(), false);
        while let Some((place, stack)) = open.pop() {
            self.work += 1;
            let many = seen.len() > MAX_WAYS || self.work > MAX_WORK;
            if many || self.states.len() > MAX_STATES_AT_ONCE {
                let reason =
                    "it is too ambiguous to be followed; make its parts more different, or \
                              fewer";
                return Err(Error::grammar("", reason));
            }
            match self.rules.at(place) {
                Symbol::Byte(_) => ways.push((place, stack)),
                Symbol::End if stack == EMPTY => accepting = true,
                Symbol::End => {
                    let way = self.stacks.get(stack as usize).copied().unwrap_or((0, EMPTY));
                    if seen.insert(way) {
                        open.push(way);
                    }
                }
                Symbol::Rule(rule) => {
                    // A rule at the end returns to where this one does, so that lists need no stack.
                    let last = self.rules.at(place + 1) == Symbol::End;
                    let back = if last { stack } else { self.stack(place + 1, stack) };
                    for start in Arc::clone(&self.rules).starts(rule) {
                        if seen.insert((*start, back)) {
                            open.push((*start, back));
                        }
                    }
                }
            }
        }
        ways.sort_unstable();
        let id = self.states.len() as u32;
        let key = (ways, accepting);
        if let Some(known) = self.state_ids.get(&key) {
            return Ok(*known);
        }
        self.charge.grow(STATE_BYTES + key.0.len() * WAY_BYTES);
        let next = Box::new([UNKNOWN; 256]);
        self.states.push(State { ways: key.0.clone(), accepting, next });
        self.state_ids.insert(key, id);
        Ok(id)
    }

    fn step(&mut self, from: u32, byte: u8) -> Result<Option<u32>> {
        let Some(state) = self.states.get(from as usize) else { return Ok(None) };
        let slot = usize::from(byte);
        let known = state.next.get(slot).copied().unwrap_or(DEAD);
        if known != UNKNOWN {
            return Ok((known != DEAD).then_some(known));
        }
        let follows = |(place, _): &&Way| match self.rules.at(*place) {
            Symbol::Byte(set) => contains(&self.rules.set(set), byte),
            _ => false,
        };
        let ways: Vec<Way> =
            state.ways.iter().filter(follows).map(|(place, stack)| (place + 1, *stack)).collect();
        let to = if ways.is_empty() { DEAD } else { self.state(ways)? };
        if let Some(next) =
            self.states.get_mut(from as usize).and_then(|state| state.next.get_mut(slot))
        {
            *next = to;
        }
        Ok((to != DEAD).then_some(to))
    }

    /// Forgets all states but one, which gets another id.
    fn forget(&mut self, state: u32) -> u32 {
        let Some(State { ways, accepting, .. }) = self.states.get(state as usize) else {
            return state;
        };
        let (ways, accepting) = (ways.clone(), *accepting);
        self.charge.shrink(self.charge.bytes());
        let old = std::mem::replace(&mut self.stacks, vec![(0, EMPTY)]);
        self.stack_ids = HashMap::new();
        self.states = Vec::new();
        self.state_ids = HashMap::new();
        let mut moved = Vec::with_capacity(ways.len());
        for (place, mut stack) in ways {
            let mut backs = Vec::new();
            while stack != EMPTY {
                let Some((back, below)) = old.get(stack as usize) else { break };
                backs.push(*back);
                stack = *below;
            }
            let mut new = EMPTY;
            for back in backs.into_iter().rev() {
                new = self.stack(back, new);
            }
            moved.push((place, new));
        }
        moved.sort_unstable();
        self.charge.grow(STATE_BYTES + moved.len() * WAY_BYTES);
        self.states.push(State { ways: moved.clone(), accepting, next: Box::new([UNKNOWN; 256]) });
        self.state_ids.insert((moved, accepting), 0);
        0
    }

    fn accepting(&self, state: u32) -> bool {
        self.states.get(state as usize).is_some_and(|s| s.accepting)
    }

    fn is_whole(&self, state: u32) -> bool {
        self.states.get(state as usize).is_some_and(|s| s.accepting && s.ways.is_empty())
    }
}

fn full(memory: &ClientGrammars) -> Error {
    Error::GrammarMemory { taken: memory.used(), limit: memory.limit() }
}

/// One answer on its way through a grammar.
pub(crate) struct Matcher {
    automaton: Automaton,
    vocabulary: Arc<Vocabulary>,
    state: u32,
    /// Which tokens may follow a state, one bit for each id.
    masks: HashMap<u32, Arc<Vec<u64>>>,
}

impl Matcher {
    /// Follows a grammar from its beginning, within what its client may take.
    ///
    /// # Errors
    /// When it is too ambiguous to be followed, or the memory is used up.
    pub(crate) fn new(
        grammar: &Grammar,
        vocabulary: Arc<Vocabulary>,
        memory: &Arc<ClientGrammars>,
    ) -> Result<Self> {
        grammar.count_in(memory);
        let mut automaton = Automaton::new(Arc::clone(&grammar.rules), memory);
        let mut begin = vec![(0, EMPTY)];
        if vocabulary.leaves_out_space {
            begin.push((grammar.after_space, EMPTY));
        }
        let state = automaton.state(begin)?;
        if memory.is_full() {
            return Err(full(memory));
        }
        Ok(Self { automaton, vocabulary, state, masks: HashMap::new() })
    }

    /// Takes every token that cannot follow out of the logits.
    ///
    /// # Errors
    /// When the grammar is too ambiguous to be followed, or no token of the vocabulary can follow.
    pub(crate) fn restrict(&mut self, tokenizer: &Tokenizer, logits: &mut [f32]) -> Result<()> {
        let mask = self.mask()?;
        let accepting = self.automaton.accepting(self.state);
        let mut left = false;
        for (word, logits) in logits.chunks_mut(64).enumerate() {
            let bits = mask.get(word).copied().unwrap_or(0);
            left |= bits != 0;
            if bits == u64::MAX {
                continue;
            }
            for (bit, logit) in logits.iter_mut().enumerate() {
                if bits >> bit & 1 == 0
                    && !(accepting && tokenizer.is_end((word * 64 + bit) as u32))
                {
                    *logit = f32::NEG_INFINITY;
                }
            }
        }
        if !left && !accepting {
            return Err(Error::grammar(
                "",
                "no token of this model's vocabulary can follow".to_owned(),
            ));
        }
        Ok(())
    }

    /// Forgets everything but where it stands. What may follow does not change.
    pub(crate) fn rest(&mut self) {
        self.state = self.automaton.forget(self.state);
        self.masks = HashMap::new();
    }

    fn mask(&mut self) -> Result<Arc<Vec<u64>>> {
        if let Some(mask) = self.masks.get(&self.state) {
            return Ok(Arc::clone(mask));
        }
        if self.automaton.states.len() > MAX_STATES || self.automaton.charge.is_excessive() {
            self.forget()?;
        }
        let mask = match self.walk() {
            // What it remembers may be what the memory is full of.
            Err(Error::GrammarMemory { .. }) => {
                self.forget()?;
                self.walk()?
            }
            walked => walked?,
        };
        if self.automaton.charge.is_excessive() {
            self.forget()?;
        }
        let bytes = mask.len() * size_of::<u64>();
        if self.masks.len() >= MAX_MASKS {
            self.automaton.charge.shrink(bytes * self.masks.len());
            self.masks.clear();
        }
        self.automaton.charge.grow(bytes);
        let mask = Arc::new(mask);
        self.masks.insert(self.state, Arc::clone(&mask));
        Ok(mask)
    }

    /// Forgets everything but where it stands.
    ///
    /// # Errors
    /// When that alone takes too much.
    fn forget(&mut self) -> Result<()> {
        self.rest();
        if self.automaton.charge.bytes() > MAX_PLACE {
            return Err(Error::grammar("", "the answer is nested too deeply to be followed"));
        }
        Ok(())
    }

    /// The tokens that may follow.
    fn walk(&mut self) -> Result<Vec<u64>> {
        let automaton = &mut self.automaton;
        automaton.work = 0;
        let mut mask = vec![0u64; self.vocabulary.ids().div_ceil(64)];
        self.vocabulary.walk(
            self.state,
            |state, byte| {
                let next = automaton.step(state, byte);
                match automaton.charge.client() {
                    memory if memory.is_full() => Err(full(memory)),
                    _ => next,
                }
            },
            |id| {
                if let Some(word) = mask.get_mut(id as usize / 64) {
                    *word |= 1 << (id % 64);
                }
            },
        )?;
        Ok(mask)
    }

    /// Goes on by the bytes of a token that [`Self::restrict`] left. True when the text is complete and
    /// nothing can follow.
    ///
    /// # Errors
    /// For bytes that cannot follow.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<bool> {
        for byte in bytes {
            let Some(next) = self.automaton.step(self.state, *byte)? else {
                return Err(Error::grammar("", format!("byte {byte:#04x} cannot follow")));
            };
            self.state = next;
        }
        Ok(self.automaton.is_whole(self.state))
    }
}

/// Whether a whole text follows a grammar: for tests and for checking what was written.
pub(super) fn matches(rules: &Arc<Compiled>, text: &[u8]) -> Result<bool> {
    let mut automaton = Automaton::new(Arc::clone(rules), &GrammarMemory::alone());
    let mut state = automaton.state([(0, EMPTY)])?;
    for byte in text {
        match automaton.step(state, *byte)? {
            Some(next) => state = next,
            None => return Ok(false),
        }
        automaton.work = 0;
        if automaton.states.len() > MAX_STATES {
            state = automaton.forget(state);
        }
    }
    Ok(automaton.accepting(state))
}
