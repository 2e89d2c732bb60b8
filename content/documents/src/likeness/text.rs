//! How alike two texts are, by all of their letters.
//!
//! | | compared by |
//! |---|---|
//! | prose | what of each the other has, letter by letter: runs that both have are found wherever they stand, and within them what was put in, left out or put in another's place |
//! | what repeats itself, consists of numbers, or is short | runs of twenty letters and digits (Jaccard) |
//!
//! Of prose a file is a copy if nearly all of it stands in the earlier one (a part of it), or if it has nearly all of
//! the earlier one and not much beside. What is new in it weighs by its length: a typing error nothing, a word a quarter of its
//! letters, a phrase all of them and [`PHRASE`] more, so that a form filled in otherwise, which has few other phrases, is
//! another one, and a text with as many other letters spread over it is not. What is put in again and again, as a footer, is new
//! once.
//!
//! # What everybody finds
//!
//! Who compares a text with many looks only at those that its traces lead to, and what traces there are is chance: each
//! index has a key of its own. Two of them must find the same copies nevertheless, so **nothing counts as alike whose runs
//! are less the same than [`FLOOR`] and [`PART`] say**, counted exactly ([`is_found`]). The traces are taken to lead to a
//! text ([`least_traces`]) from [`SURE`] standard deviations below what they are at the floor on average, at least
//! [`FEWEST`]. So of files at the floor one in 17,000 is missed, and of those above it far fewer:
//!
//! | of the earlier text's runs a file at the floor has | traces of 192 on average | found from | missed, of a million |
//! |---|---|---|---|
//! | 1/16 | 12 | 2 | 57 |
//! | 1/14 | 13.7 | 2 | 11 |
//! | 1/8 | 24 | 5 | 0.2 |
//! | 1/4 | 48 | 21 | 0.3 |
//! | 1/2 | 96 | 57 | 0.004 |

use super::MAX_LETTERS;
use crate::{
    letters::{apart, from_end, weight, COUNTER, END, NUMBER},
    measure::tiles::mix,
};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// Letters of a run by which texts are compared that are no prose: about five words.
const RUN: usize = 20;
/// Fewer letters are no prose.
const LEAST: usize = 200;
/// Letters that both have in a row, by which a place is found.
const SEED: usize = 12;
/// Letters that two places have in common, at least.
const PLACE: usize = 12;
/// The same in texts of a million letters, of which others have more by chance.
const PLACE_IN_MANY: usize = 32;
const MANY: usize = 1 << 20;
/// Letters after which both go on alike.
const ON: usize = 6;
/// Letters that are put in, left out or replaced within a place, at most.
const NEAR: usize = 8;
const FAR: usize = 48;
/// Letters that are a phrase, and no longer one word.
const WORDS: usize = 9;
/// What a phrase that is new weighs beside its letters.
const PHRASE: usize = 40;
/// Letters of a typing error, at most.
const TYPO: usize = 2;
/// Letters that were put in before.
const AGAIN: usize = 16;
/// How much more that is new weighs in a part of an earlier text: notices of one licence have few other names in them.
const AS_PART: f64 = 1.6;
/// The same of what is missing of the earlier one.
const WITH_ALL: f64 = 1.3;
/// What weighs what stands beside the earlier one.
const BESIDE: f64 = 2.0 / 3.0;
/// What another number weighs.
const OTHER_NUMBER: usize = 8;
/// Letters from which on one other word is not more than its letters.
const LONG: usize = 500;
/// Steps of one comparison that look for where both go on alike.
const STEPS: u64 = 400_000_000;
/// Letters of a run by which texts that may be alike are found.
const TRACE: usize = 10;
/// Hashes of a text that are kept to find it: so many fit into a page of the database beside other files'.
const TRACES: usize = 192;
/// The least share of a text's runs that an earlier one has which is alike. With another letter in place of each thirteenth,
/// three runs of [`TRACE`] in thirteen are left, which are fewer; of each fourteenth four, which are enough.
const FLOOR: f64 = 0.25;
/// The least share of an earlier text's runs that one has which is alike.
const PART: f64 = 1.0 / 16.0;
/// By how many standard deviations fewer traces of an earlier text lead to one than it has at the floor on average.
const SURE: f64 = 4.0;
/// Traces that two texts have in common, at least.
const FEWEST: usize = 2;
/// Bytes before them: what they are of, how many runs there are.
const HEAD: usize = 1 + 4;

type Hashes = HashSet<u32, BuildHasherDefault<Spread>>;

/// Spreads what is a hash already.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = mix(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// A number in a text.
#[derive(Clone, Copy)]
struct Number {
    /// How many letters stand before it.
    at: u32,
    digits: u64,
}

/// A text that is compared.
struct Text {
    letters: Vec<char>,
    /// Those that say something, in their order.
    numbers: Vec<Number>,
    /// Letters and all digits.
    all: Vec<char>,
    /// How many letters of an alphabet one counts as, on average.
    each: usize,
    is_prose: bool,
}

impl Text {
    fn of(seen: &str) -> Self {
        let (mut letters, mut all, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        let (mut digits, mut open) = (0, None);
        for one in seen.chars() {
            match one {
                NUMBER | COUNTER => open = Some((one, 0u64)),
                END => {
                    if let Some((NUMBER, hash)) = open.take() {
                        let at = u32::try_from(letters.len()).unwrap_or(u32::MAX);
                        numbers.push(Number { at, digits: hash });
                    }
                }
                one => match &mut open {
                    Some((kind, hash)) => {
                        *hash = mix(*hash ^ u64::from(one));
                        digits += usize::from(*kind == NUMBER);
                        all.push(one);
                    }
                    None => {
                        letters.extend(apart(one));
                        all.extend(apart(one));
                    }
                },
            }
        }
        let weight: usize = letters.iter().map(|one| usize::from(weight(*one))).sum();
        let each = if weight >= 2 * letters.len() { 4 } else { 1 };
        let mut text = Self { letters, numbers, all, each, is_prose: false };
        text.is_prose = weight >= LEAST && 2 * digits <= weight && !text.repeats();
        text
    }

    /// How many letters this many of an alphabet are.
    fn count(&self, letters: usize) -> usize {
        (letters / self.each).max(2)
    }

    /// Whether most runs of letters stand there several times.
    fn repeats(&self) -> bool {
        let size = self.count(SEED);
        let runs = self.letters.len().saturating_sub(size) + 1;
        2 * about(hashes(&self.letters, size, 0)) < runs
    }
}

/// A hash of each run of letters; of the whole if it is shorter.
fn hashes(letters: &[char], size: usize, key: u64) -> impl Iterator<Item = u64> + '_ {
    // Polynomials modulo 2^61 - 1, whose place the key decides.
    const PRIME: u128 = (1 << 61) - 1;
    let base = u128::from(mix(key ^ 0x6f70_656e) >> 4) | 1;
    let times = move |one: u64, other: u128| (u128::from(one) * other % PRIME) as u64;
    let size = size.min(letters.len()).max(1);
    let leaving = (1..size).fold(1, |power, _| times(power, base));
    let mut hash = 0u64;
    letters.iter().enumerate().filter_map(move |(at, letter)| {
        if let Some(left) = at.checked_sub(size).and_then(|left| letters.get(left)) {
            let part = times(leaving, u128::from(u32::from(*left) + 1));
            hash = ((u128::from(hash) + PRIME - u128::from(part)) % PRIME) as u64;
        }
        let next = u128::from(times(hash, base)) + u128::from(u32::from(*letter) + 1);
        hash = (next % PRIME) as u64;
        (at + 1 >= size).then(|| mix(hash ^ key))
    })
}

/// How alike a text is to an earlier one: 0 to 1, and 0 of one that is not found by its traces for certain.
pub(super) fn alike(seen: &str, earlier: &str) -> f64 {
    let (one, other) = (Text::of(seen), Text::of(earlier));
    if !other.is_prose {
        let (own, others) =
            (distinct(&one.all, one.run(), 0), distinct(&other.all, other.run(), 0));
        let both = in_both(&own, &others);
        return match is_found(both, own.len(), others.len()) {
            true => jaccard(both, own.len(), others.len()),
            false => 0.0,
        };
    }
    let others = distinct(&other.letters, other.count(TRACE), 0);
    let of = |one: &Text| {
        let own = distinct(&one.letters, one.count(TRACE), 0);
        let found = is_found(in_both(&own, &others), own.len(), others.len());
        drop(own);
        match (found, one.is_prose) {
            (true, true) => by_letters(one, &other),
            (true, false) => by_runs(one, &other),
            (false, _) => 0.0,
        }
    };
    let found = of(&one);
    match found < 0.5 {
        true => found.max(of(&Text::of(&from_end(seen)))),
        false => found,
    }
}

/// Hashes of the runs of letters, each once, in order.
fn distinct(letters: &[char], size: usize, key: u64) -> Vec<u64> {
    let mut all: Vec<u64> = hashes(letters, size, key).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// How many of two ordered lists are in both.
fn in_both(one: &[u64], other: &[u64]) -> usize {
    let (mut left, mut right, mut both) = (one.iter().peekable(), other.iter().peekable(), 0usize);
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let order = a.cmp(b);
        both += usize::from(order.is_eq());
        if order.is_le() {
            left.next();
        }
        if order.is_ge() {
            right.next();
        }
    }
    both
}

fn jaccard(both: usize, one: usize, other: usize) -> f64 {
    both as f64 / (one + other - both).max(1) as f64
}

/// The share of runs of letters and digits that both have.
fn by_runs(one: &Text, other: &Text) -> f64 {
    let (one, other) = (distinct(&one.all, one.run(), 0), distinct(&other.all, other.run(), 0));
    jaccard(in_both(&one, &other), one.len(), other.len())
}

/// The least share of the earlier text's runs that one has which counts as alike, so many runs having both.
fn least_part(own: usize, earlier: usize) -> f64 {
    PART.max(FLOOR * own as f64 / earlier.max(1) as f64)
}

/// Whether so many runs are in both texts that the traces of the earlier one lead there with any key.
fn is_found(both: usize, own: usize, earlier: usize) -> bool {
    both as f64 >= least_part(own, earlier) * earlier as f64
}

/// How many of the traces that are kept of an earlier text must be a text's own that may be alike.
fn least_traces(own: usize, earlier: usize, kept: usize) -> f64 {
    let expected = least_part(own, earlier) * kept as f64;
    (expected - SURE * expected.sqrt()).max(FEWEST.min(kept) as f64)
}

fn by_letters(one: &Text, other: &Text) -> f64 {
    let (new, lost) = (News::of(one, other), News::of(other, one));
    let share = |part: usize, text: &Text| part as f64 / text.letters.len().max(1) as f64;
    let as_part = 1.0 - AS_PART * share(new.weight, one);
    let with_all = 1.0 - WITH_ALL * share(lost.weight, other);
    let with_much = 1.0 - BESIDE * share(new.letters, one);
    as_part.max(with_all.min(with_much)).clamp(0.0, 1.0)
}

/// What of a text another one does not have.
#[derive(Clone, Copy, Debug, Default)]
struct News {
    letters: usize,
    weight: usize,
}

impl News {
    fn of(text: &Text, other: &Text) -> Self {
        let found = Places::find(text, other);
        let letters = &text.letters;
        let (mut news, mut known) = (Self::default(), HashSet::new());
        let size = text.count(AGAIN);
        let extra = LONG.saturating_sub(letters.len() * text.each);
        for run in found.gaps {
            let new = letters.get(run).unwrap_or_default();
            let fresh = if new.len() < size {
                let is_new = known.insert(hashes(new, size, 1).next().unwrap_or_default());
                if is_new {
                    new.len()
                } else {
                    0
                }
            } else {
                // Letters that stand in no run that was new before.
                let (mut fresh, mut end) = (0, 0);
                for (at, hash) in hashes(new, size, 0).enumerate() {
                    // Of very much that is new it does not matter any more what of it comes again.
                    if known.len() < MANY && !known.insert(hash) {
                        fresh += at.saturating_sub(end);
                        end = end.max(at + size);
                    }
                }
                fresh + new.len().saturating_sub(end)
            };
            news.letters += fresh;
            let fresh = fresh * text.each;
            news.weight += match fresh {
                0..=TYPO => 0,
                // In a short text one word may make another one.
                word if word < WORDS => word / 4 + (word + TYPO * 6) * extra / LONG,
                phrase => phrase + PHRASE,
            } / text.each;
        }
        news.weight += found.other_numbers * OTHER_NUMBER / text.each;
        news
    }
}

/// Where a text says what another one says.
#[derive(Default)]
struct Places {
    /// What stands nowhere there, in order.
    gaps: Vec<std::ops::Range<usize>>,
    /// Numbers in whose place others stand there.
    other_numbers: usize,
}

impl Places {
    fn find(text: &Text, other: &Text) -> Self {
        let (a, b) = (text.letters.as_slice(), other.letters.as_slice());
        let size = text.count(SEED);
        let least = text.count(if b.len() < MANY { PLACE } else { PLACE_IN_MANY });
        // Of a long text some runs lead to its places: others are beside them.
        let each = (b.len() >> 20).max(1) as u64;
        let mut at: HashMap<u64, u32, BuildHasherDefault<Spread>> = HashMap::default();
        for (place, hash) in (0..).zip(hashes(b, size, 0)) {
            if hash % each == 0 {
                at.entry(hash).or_insert(place);
            }
        }
        let own: Vec<u64> = hashes(a, size, 0).collect();
        let seed = |from: usize, most: usize| {
            let runs = own.iter().enumerate().skip(from).take(most);
            let mut found = runs.filter_map(|(i, hash)| Some((i, *at.get(hash)? as usize)));
            found.find(|(i, p)| same(a, *i, b, *p, size))
        };
        let (near, far, on) = (text.count(NEAR), text.count(FAR), text.count(ON));
        let mut steps = STEPS;
        let mut places = Self::default();
        let (mut end, mut next) = (0, 0);
        while let Some((mut i, mut p)) = seed(next, usize::MAX) {
            next = i + 1;
            while i > end && p > 0 && a.get(i - 1) == b.get(p - 1) {
                (i, p) = (i - 1, p - 1);
            }
            let start = i;
            let (mut gaps, mut parts, mut matched) = (Vec::new(), Vec::new(), 0);
            loop {
                let from = (i, p);
                while i < a.len() && a.get(i) == b.get(p) {
                    (i, p) = (i + 1, p + 1);
                }
                matched += i - from.0;
                parts.push((from.0, i, from.1));
                let closer = go_on(a, i, b, p, near, on, &mut steps);
                let found = closer.or_else(|| {
                    let beside = seed(i, far).map_or(far + 1, |(seed, _)| seed - i);
                    go_on(a, i, b, p, far, on, &mut steps).filter(|(gap, _)| *gap <= beside)
                });
                let Some((new, left)) = found else { break };
                gaps.push(i..i + new);
                (i, p) = (i + new, p + left);
            }
            if matched < least {
                continue;
            }
            places.push(end..start);
            gaps.into_iter().for_each(|gap| places.push(gap));
            for (from, to, there) in parts {
                places.compare_numbers(text, other, from..to, there);
            }
            (end, next) = (i, i);
        }
        places.push(end..a.len());
        places
    }

    fn push(&mut self, gap: std::ops::Range<usize>) {
        if !gap.is_empty() {
            self.gaps.push(gap);
        }
    }

    /// Counts the numbers in a part for which others stand there.
    fn compare_numbers(
        &mut self,
        text: &Text,
        other: &Text,
        part: std::ops::Range<usize>,
        there: usize,
    ) {
        let from = text.numbers.partition_point(|one| (one.at as usize) < part.start);
        let in_part = |one: &&Number| (one.at as usize) < part.end;
        for number in text.numbers.iter().skip(from).take_while(in_part) {
            let place = there + number.at as usize - part.start;
            let first =
                other.numbers.partition_point(|one| (one.at as usize) < place.saturating_sub(TYPO));
            let beside = |one: &&Number| one.at as usize <= place + TYPO;
            let mut found = other.numbers.iter().skip(first).take_while(beside);
            self.other_numbers += usize::from(!found.any(|one| one.digits == number.digits));
        }
    }
}

fn same(a: &[char], i: usize, b: &[char], p: usize, size: usize) -> bool {
    let (one, other) = (a.get(i..i + size), b.get(p..p + size));
    one.is_some() && one == other
}

/// How many letters of both to pass over, as few as possible, until both go on alike.
fn go_on(
    a: &[char],
    i: usize,
    b: &[char],
    p: usize,
    most: usize,
    on: usize,
    steps: &mut u64,
) -> Option<(usize, usize)> {
    for sum in 1..=most {
        *steps = steps.checked_sub(sum as u64)?;
        // What is passed over is no more than half of what follows, or two texts of one kind would go on and on.
        let for_as_long = (2 * sum).clamp(on, 4 * on);
        for new in 0..=sum {
            if same(a, i + new, b, p + sum - new, for_as_long) {
                return Some((new, sum - new));
            }
        }
    }
    None
}

/// What a text is found by among many: the least of the keyed hashes of its runs. Nobody who does not know the key can
/// write a text whose runs have the least ones.
pub(super) fn traces(seen: &str, key: u64) -> Vec<u8> {
    let text = Text::of(seen);
    let all = match text.is_prose {
        true => distinct(&text.letters, text.count(TRACE), key),
        false => distinct(&text.all, text.run(), key),
    };
    let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let head = [&[u8::from(text.is_prose)], count.to_le_bytes().as_slice()].concat();
    let least = all.iter().take(TRACES).flat_map(|hash| short(*hash).to_le_bytes());
    head.into_iter().chain(least).collect()
}

/// About how many different hashes there are, from how close the least ones lie.
fn about(all: impl Iterator<Item = u64>) -> usize {
    let mut least = BTreeSet::new();
    for hash in all {
        if least.len() < TRACES || least.last().is_some_and(|last| hash < *last) {
            least.insert(hash);
        }
        if least.len() > TRACES {
            least.pop_last();
        }
    }
    let count = match least.last() {
        Some(last) if least.len() == TRACES => {
            let count = (TRACES as u128 - 1) << 64;
            (count / u128::from(*last).max(1)).max(TRACES as u128)
        }
        _ => least.len() as u128,
    };
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn short(hash: u64) -> u32 {
    (hash >> 32) as u32
}

impl Text {
    /// Letters and digits of a run.
    fn run(&self) -> usize {
        let heavy = self.all.iter().filter(|one| weight(**one) > 1).count();
        if 2 * heavy > self.all.len() {
            RUN / 4
        } else {
            RUN
        }
    }
}

/// The runs of a text that is looked for among many.
pub(super) struct Sieve {
    prose: [Runs; 2],
    runs: Runs,
}

/// The least hashes of runs: so many that a text of which it may be a copy has its own among them.
struct Runs {
    hashes: Hashes,
    /// Of how many.
    count: usize,
}

impl Runs {
    fn of(letters: &[char], size: usize, key: u64) -> Self {
        let all = distinct(letters, size, key);
        let count = all.len();
        // An earlier text of fewer runs than the floor's share has not enough of them.
        let limit = match (2.0 * TRACES as f64 / FLOOR) / count.max(1) as f64 {
            part if part < 1.0 => (part * u64::MAX as f64) as u64,
            _ => u64::MAX,
        };
        let hashes = all.into_iter().take_while(|hash| *hash <= limit).map(short).collect();
        Self { hashes, count }
    }
}

impl Sieve {
    pub(super) fn of(seen: &str, key: u64) -> Self {
        let text = Text::of(seen);
        let prose = |text: &Text| Runs::of(&text.letters, text.count(TRACE), key);
        Self {
            prose: [prose(&text), prose(&Text::of(&from_end(seen)))],
            runs: Runs::of(&text.all, text.run(), key),
        }
    }

    /// About which share of it a text has, of which this is kept; `None` where that is too little to be alike.
    pub(super) fn share(&self, traces: &[u8]) -> Option<f64> {
        let (head, rest) = traces.split_at_checked(HEAD)?;
        let (kind, count) = head.split_first()?;
        let count = u32::from_le_bytes(count.try_into().ok()?);
        let (earlier, kept) = (count as usize, (rest.len() / 4).max(1));
        let share = |own: &Runs| {
            let has = |four: &&[u8]| {
                let hash = <[u8; 4]>::try_from(*four).map(u32::from_le_bytes);
                hash.is_ok_and(|hash| own.hashes.contains(&hash))
            };
            let both = rest.chunks_exact(4).filter(has).count();
            if (both as f64) < least_traces(own.count, earlier, kept) {
                return 0.0;
            }
            let common = both as f64 / kept as f64 * f64::from(count);
            (common / own.count.max(1) as f64).min(1.0)
        };
        let found = match kind {
            0 => share(&self.runs),
            _ => self.prose.iter().map(share).fold(0.0, f64::max),
        };
        Some(found).filter(|found| *found > 0.0)
    }
}

/// Bytes of what a text is found by, at most.
pub(super) const MAX_TRACES: usize = HEAD + 4 * TRACES;

const _: () = assert!(MAX_LETTERS < u32::MAX as usize);
