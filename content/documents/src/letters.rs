//! The letters that a reader sees of a text, whatever characters they are written with.
//!
//! A copy shall not become another text by what looks the same. So two characters are one letter if Unicode says that
//! they may be taken for each other (UTS 39, `confusables.txt`), if one is the other's capital, or if they are
//! compatible (NFKD: fullwidth, mathematical, circled letters, ligatures); and whatever is one letter with the same
//! third is one letter. That makes a few letters of a script one (`i`, `l` and `1`; `0` and `o`), which hardly
//! ever makes twenty of them in a row the same. Marks on letters, invisible characters, signs and blanks are no letters:
//! they can be put anywhere.

use icu_properties::{props::DefaultIgnorableCodePoint, CodePointSetData};
use std::{collections::HashMap, sync::LazyLock};
use unicode_normalization::{char::canonical_combining_class, UnicodeNormalization};
use unicode_security::confusable_detection::skeleton;

/// Characters that may look like others: in the planes without Han, of which few do (and those are compatible).
const LAST: char = '\u{1ffff}';
const HAN: std::ops::RangeInclusive<char> = '\u{3400}'..='\u{9fff}';
const SYLLABLES: std::ops::RangeInclusive<char> = '\u{ac00}'..='\u{d7a3}';

/// Capitals in a square or circle, and flags' letters, which are compatible with nothing: where each begins.
const ENCLOSED: [char; 4] = ['\u{1f130}', '\u{1f150}', '\u{1f170}', '\u{1f1e6}'];
/// Small capitals, which Unicode takes for letters of their own.
const SMALL: &str = "ᴀaʙbᴄcᴅdᴇeꜰfɢgʜhɪiᴊjᴋkʟlᴍmɴnᴏoᴘpꞯqʀrꜱsᴛtᴜuᴠvᴡwʏyᴢz";

/// What a character looks like, where that is not itself alone: letters, of which none looks like another.
static LOOKS: LazyLock<HashMap<char, Box<str>>> = LazyLock::new(looks);
/// Two letters beside each other that look like the third.
static PAIR: LazyLock<[char; 3]> = LazyLock::new(|| ['r', 'n', 'm'].map(|one| look(&LOOKS, one)));

/// The letters of a text, and where each begins, with how many it counts as: one of a script in which a sign is
/// a word or half of one counts as four.
pub(crate) fn seen(text: &str) -> (String, Vec<(u32, u8)>) {
    let mut letters = String::with_capacity(text.len());
    let mut starts = Vec::with_capacity(text.len());
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let [left, right, both] = *PAIR;
    let mut push = |letter: char| {
        // `rn` looks like `m`.
        if letter == right && letters.ends_with(left) {
            letters.pop();
            letters.push(both);
            return;
        }
        // No text of a file has 2³² bytes of letters; what is beyond would not be compared.
        let Ok(start) = u32::try_from(letters.len()) else { return };
        starts.push((start, weight(letter)));
        letters.push(letter);
    };
    for character in text.nfkd() {
        if !character.is_ascii()
            && (canonical_combining_class(character) != 0 || ignorable.contains(character))
        {
            continue;
        }
        match LOOKS.get(&character) {
            Some(letters) => letters.chars().for_each(&mut push),
            None if character.is_alphanumeric() => push(character),
            None => {}
        }
    }
    (letters, starts)
}

/// How many letters one counts as.
fn weight(letter: char) -> u8 {
    match letter {
        '\u{3040}'..='\u{30ff}' // Hiragana, Katakana
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' // Han
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}' => 4,
        _ => 1,
    }
}

fn look(looks: &HashMap<char, Box<str>>, letter: char) -> char {
    looks.get(&letter).and_then(|letters| letters.chars().next()).unwrap_or(letter)
}

/// The characters that a character may be taken for, without marks.
fn prototype(character: char) -> Vec<char> {
    let mut bytes = [0; 4];
    let text: &str = character.encode_utf8(&mut bytes);
    let seen = skeleton(text).nfkd().filter(|one| canonical_combining_class(*one) == 0);
    seen.collect()
}

fn looks() -> HashMap<char, Box<str>> {
    let mut classes = Classes::default();
    let mut apart: HashMap<char, Vec<char>> = HashMap::new();
    for character in '\0'..=LAST {
        // Of what is compatible with something else the letters of that are seen, of a syllable its parts.
        if HAN.contains(&character)
            || SYLLABLES.contains(&character)
            || !std::iter::once(character).nfkd().eq([character])
        {
            continue;
        }
        for other in character.to_lowercase().take(1).filter(|other| *other != character) {
            classes.join(character, other);
        }
        let found = prototype(character);
        match found.as_slice() {
            [same] if *same == character => {}
            // A sign that looks like a Latin letter or a digit is one, but for those of ASCII: a bar is a border more
            // often than a letter. One that looks like another letter is not: dashes look like Japanese ones.
            [other]
                if character.is_alphanumeric() && other.is_alphanumeric()
                    || !character.is_ascii() && other.is_ascii_alphanumeric() =>
            {
                classes.join(character, *other);
            }
            _ if !character.is_alphanumeric() && found.iter().any(|one| !one.is_ascii()) => {}
            // Of ASCII only `m` is two: see `seen`.
            _ if character.is_ascii() => {}
            // What looks like signs alone is no letter.
            _ => drop(apart.insert(character, found)),
        }
    }
    for start in ENCLOSED {
        for (enclosed, letter) in (start..).zip('a'..='z') {
            classes.join(enclosed, letter);
        }
    }
    let mut small = SMALL.chars();
    while let (Some(one), Some(letter)) = (small.next(), small.next()) {
        classes.join(one, letter);
    }
    let mut looks: HashMap<char, Box<str>> = HashMap::new();
    for character in classes.parent.keys() {
        let first = classes.first(*character);
        if first != *character {
            looks.insert(*character, first.to_string().into());
        }
    }
    for (character, found) in apart {
        let letters = found.iter().map(|one| classes.first(*one));
        let letters: String = letters.filter(|one| one.is_alphanumeric()).collect();
        looks.insert(character, letters.into());
    }
    looks
}

/// Which characters are one letter: those that lead to the same first one.
#[derive(Default)]
struct Classes {
    parent: HashMap<char, char>,
}

impl Classes {
    fn first(&self, character: char) -> char {
        let mut found = character;
        while let Some(parent) = self.parent.get(&found).filter(|parent| **parent != found) {
            found = *parent;
        }
        found
    }

    fn join(&mut self, one: char, other: char) {
        let (one, other) = (self.first(one), self.first(other));
        self.parent.insert(one.max(other), one.min(other));
        self.parent.entry(one.min(other)).or_insert(one.min(other));
    }
}
