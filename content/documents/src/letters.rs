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

/// Digits that are written for letters in Latin words, beside those that Unicode has.
const DIGITS: [(char, char); 6] =
    [('0', 'o'), ('1', 'l'), ('3', 'e'), ('4', 'a'), ('5', 's'), ('7', 't')];

/// What a character looks like, where that is not itself alone: letters, of which none looks like another.
static LOOKS: LazyLock<HashMap<char, Box<str>>> = LazyLock::new(looks);
/// Two letters beside each other that look like the third.
static PAIR: LazyLock<[char; 3]> = LazyLock::new(|| ['r', 'n', 'm'].map(|one| look(&LOOKS, one)));

/// Letters that are others turned upside down, and `n`, `u`, `b`, `q`, `d` and `p`, which turned are each other.
const TURNED: &str = "ɐaɔcǝeɟfƃgɥhᴉiɾjʞkʃlɯmɹrʇtʌvʍwʎynuunbqqbdppd";
/// Of those, which stand in no text but one that is turned.
const TURNED_ALONE: &str = "ɐɔǝɟƃɥᴉɾʞʃɯɹʇʌʍʎ";

/// Before a number that says something.
pub(crate) const NUMBER: char = '\u{1}';
/// Before a number of a line or of the time, which anybody can add.
pub(crate) const COUNTER: char = '\u{2}';
/// After a number.
pub(crate) const END: char = '\u{3}';

/// The letters of a text as they are seen, at most `most` bytes of them, and in their places the numbers: [`NUMBER`] or
/// [`COUNTER`], digits, [`END`]. A digit between letters is the letter that it looks like.
pub(crate) fn seen(text: &str, most: usize) -> String {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let turned = turned(text);
    let mut out = Writer { digits_are_letters: digits_are_letters(text), ..Writer::default() };
    let upright = |one: char| turned.as_ref().and_then(|map| map.get(&one).copied()).unwrap_or(one);
    for character in text.chars().map(upright).nfkd() {
        if !character.is_ascii()
            && (canonical_combining_class(character) != 0 || ignorable.contains(character))
        {
            continue;
        }
        if out.out.len() > most {
            break;
        }
        match character {
            '0'..='9' => out.token.push(character),
            // Within a word they stand for letters.
            '@' | '$' if out.token.chars().any(char::is_alphabetic) => {
                out.token.push(if character == '@' { 'a' } else { 's' });
            }
            _ => match LOOKS.get(&character) {
                Some(letters) if letters.is_empty() => out.between(character),
                Some(_) => out.token.push(character),
                None if character.is_alphanumeric() => out.token.push(character),
                None => out.between(character),
            },
        }
    }
    out.flush();
    out.out
}

/// Whether digits stand after letters in each eighth word or more, as where they are written for letters: then they are letters
/// at the beginning of a word and alone too.
fn digits_are_letters(text: &str) -> bool {
    let (mut words, mut mixed) = (0usize, 0usize);
    let (mut letter, mut counted) = (false, false);
    for one in text.chars() {
        if one.is_alphabetic() {
            words += usize::from(!letter);
            letter = true;
        } else if letter && !counted && DIGITS.iter().any(|(digit, _)| *digit == one) {
            mixed += 1;
            counted = true;
        } else if !one.is_ascii_digit() {
            (letter, counted) = (false, false);
        }
    }
    mixed * 8 > words
}

/// What turned letters stand for, of a text with so many that it is turned.
fn turned(text: &str) -> Option<HashMap<char, char>> {
    let alone = text.chars().filter(|one| !one.is_ascii() && TURNED_ALONE.contains(*one)).count();
    if alone == 0 || alone * 8 < text.chars().filter(|one| one.is_alphabetic()).count() {
        return None;
    }
    let mut pairs = TURNED.chars();
    let mut map = HashMap::new();
    while let (Some(one), Some(letter)) = (pairs.next(), pairs.next()) {
        map.insert(one, letter);
    }
    Some(map)
}

/// Writes letters and numbers word by word.
#[derive(Default)]
struct Writer {
    out: String,
    /// The word that is read, before it is folded.
    token: String,
    digits_are_letters: bool,
    /// Whether anything stood in this line.
    line: bool,
    /// Whether the last number was one of the time, and nothing but this sign came after it.
    clock: bool,
    /// The signs since the last word, at most two.
    signs: [Option<char>; 2],
}

impl Writer {
    /// A sign or blank.
    fn between(&mut self, sign: char) {
        // A number before a colon and a digit is one of the time; that is known when the digit comes.
        if !self.token.is_empty() {
            self.flush();
            self.signs = [Some(sign), None];
        } else {
            self.signs = [self.signs[0], Some(sign)];
        }
        if sign == '\n' {
            self.line = false;
        }
    }

    fn flush(&mut self) {
        let token = std::mem::take(&mut self.token);
        if token.is_empty() {
            return;
        }
        let digits = token.bytes().take_while(u8::is_ascii_digit).count();
        let (number, word) = token.split_at(digits);
        let is_word = |word: &str| {
            word.chars().any(|one| one.is_ascii_digit()) || word.chars().nth(3).is_some()
        };
        // `12km` is a number and a word, `3very` a word.
        let letters_alone = self.digits_are_letters
            && number.chars().all(|one| DIGITS.iter().any(|(digit, _)| *digit == one));
        if digits > 0 && !is_word(word) && !letters_alone {
            let after = self.signs[1].is_none().then_some(self.signs[0]).flatten();
            let in_time = after == Some(':') && self.out.ends_with(END)
                || self.clock && matches!(after, Some(':' | '.' | ','));
            if in_time {
                self.mark_as_time();
            }
            self.out.push(if in_time || !self.line { COUNTER } else { NUMBER });
            self.out.push_str(number);
            self.out.push(END);
            self.clock = in_time;
            self.fold(word);
        } else {
            self.clock = false;
            self.fold(&token);
        }
        if !word.is_empty() {
            self.clock = false;
        }
        self.line = true;
        self.signs = [None; 2];
    }

    /// Makes the last number one of the time.
    fn mark_as_time(&mut self) {
        if let Some(at) = self.out.rfind([NUMBER, COUNTER]) {
            // Both are one byte.
            self.out.replace_range(at..=at, COUNTER.encode_utf8(&mut [0; 4]));
        }
    }

    fn fold(&mut self, word: &str) {
        let is_latin = self.digits_are_letters || word.bytes().any(|one| one.is_ascii_alphabetic());
        let letter = |one: char| {
            let digit = DIGITS.iter().find(|(digit, _)| is_latin && *digit == one);
            digit.map_or(one, |(_, letter)| *letter)
        };
        for character in word.chars().map(letter) {
            match LOOKS.get(&character) {
                Some(letters) => self.out.push_str(letters),
                None => self.out.push(character),
            }
        }
    }
}

/// What [`seen`] wrote, read from its end.
pub(crate) fn from_end(seen: &str) -> String {
    let mut out = String::with_capacity(seen.len());
    let mut rest = seen;
    while let Some(last) = rest.chars().next_back() {
        // A number stays one.
        let number = if last == END { rest.rfind([NUMBER, COUNTER]) } else { None };
        let start = number.unwrap_or(rest.len() - last.len_utf8());
        out.push_str(rest.get(start..).unwrap_or_default());
        rest = rest.get(..start).unwrap_or_default();
    }
    out
}

/// The letters of what [`seen`] wrote as one, in which `m` is what it looks like: `rn`.
pub(crate) fn apart(letter: char) -> impl Iterator<Item = char> {
    let [left, right, both] = *PAIR;
    let pair = letter == both;
    [if pair { left } else { letter }].into_iter().chain(pair.then_some(right))
}

/// How many letters one counts as: one of a script in which a sign is a word or half of one counts as four.
pub(crate) fn weight(letter: char) -> u8 {
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
