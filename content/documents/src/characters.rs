//! Which characters of a text count: what shows something, marks and blanks in proportion to it.
//!
//! Units are paid for, and Unicode has many ways to make a text longer that nobody sees. The rules,
//! in the order in which they are applied to text in normalisation form C:
//!
//! 1. **Signs without a stated character** go: U+FFFD, U+FFFC, private use, unassigned code points
//!    and noncharacters ([`Hidden::Unmapped`]).
//! 2. **Characters that show nothing** go: default-ignorable code points (zero-width, tags, variation
//!    selectors, bidirectional controls, soft hyphens, fillers), controls except tab and line ends,
//!    interlinear annotation. Up to [`LAYOUT`] of them in a row are taken for layout
//!    ([`Hidden::Format`]), longer runs, tags and controls for hidden ([`Hidden::Invisible`]).
//!    One of them stays where it changes what is seen: see [`kept`].
//! 3. Of the **marks** (general categories Mn and Me) on one base, [`MARKS`] stay, the same one after
//!    itself never ([`Hidden::Stacked`]).
//! 4. **Blanks** (White_Space, and signs whose glyph is blank) are paid for by what is visible: at a
//!    line's end [`TRAILING`] stay; a run of blanks has at most as many bytes as there are bytes of
//!    visible characters before it that no run has used, and [`CREDIT`]. Of what is beyond, a
//!    line end stays if there is one, else a space ([`Hidden::Blank`]).
//!
//! The rules are applied until they change nothing, so that canonical text is its own canonical
//! text. Properties are those of `icu_properties`, whose version is part of the extractor's.

use crate::left_out::{Hidden, LeftOut};
use icu_properties::props::{
    DefaultIgnorableCodePoint, Emoji, ExtendedPictographic, GeneralCategory, JoiningType,
    WhiteSpace,
};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::char::canonical_combining_class;

/// Invisible characters in a row that are taken for layout.
const LAYOUT: usize = 3;
/// Most marks on one base; pointed Hebrew, Tibetan and Vietnamese need up to five.
const MARKS: usize = 5;
/// Most blanks at a line's end; Markdown's hard line break needs two.
const TRAILING: usize = 2;
/// Bytes of blanks that a text may begin with.
const CREDIT: usize = 80;
/// Rounds after which joiners and selectors go altogether. Every round makes the text shorter, and
/// without them no rule looks at neighbours.
const ROUNDS: usize = 4;

const ZWNJ: char = '\u{200c}';
const ZWJ: char = '\u{200d}';
const KEYCAP: char = '\u{20e3}';
const FLAG: char = '\u{1f3f4}';

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Shown,
    Mark,
    Blank,
    /// Shows nothing, and may be layout.
    Ignorable,
    /// Shows nothing: a tag or a control.
    Hidden,
    Unmapped,
}

fn class(character: char) -> Class {
    match character {
        ' '..='~' if character != ' ' => return Class::Shown,
        ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' => return Class::Blank,
        // Blank glyphs: Braille without dots, a note without a head, blanks of Egyptian.
        '\u{2800}' | '\u{1d159}' | '\u{13441}' | '\u{13442}' => return Class::Blank,
        '\u{e0000}'..='\u{e007f}' | '\u{fff9}'..='\u{fffb}' => return Class::Hidden,
        '\u{16fe4}' => return Class::Ignorable,
        // They only say how Egyptian signs stand together.
        '\u{13430}'..='\u{1343f}' => return Class::Mark,
        '\u{fffc}' | '\u{fffd}' => return Class::Unmapped,
        _ => {}
    }
    if CodePointSetData::new::<WhiteSpace>().contains(character) {
        return Class::Blank;
    }
    if CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character) {
        return Class::Ignorable;
    }
    match CodePointMapData::<GeneralCategory>::new().get(character) {
        GeneralCategory::Control => Class::Hidden,
        GeneralCategory::PrivateUse | GeneralCategory::Unassigned | GeneralCategory::Surrogate => {
            Class::Unmapped
        }
        GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark => Class::Mark,
        _ => Class::Shown,
    }
}

/// Whether a character shows something of its own.
pub(crate) fn is_shown(character: char) -> bool {
    class(character) == Class::Shown
}

/// Takes out of a text in normalisation form C what does not count. Its form may have to be made
/// again.
pub(crate) fn counted(text: &str, round: usize, left_out: &mut LeftOut) -> String {
    let visible = visible(text, round < ROUNDS, left_out);
    proportionate(&visible, left_out)
}

/// Rules 1 and 2.
fn visible(text: &str, joiners: bool, left_out: &mut LeftOut) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        let first = class(character);
        if !matches!(first, Class::Ignorable | Class::Hidden | Class::Unmapped) {
            out.push(character);
            continue;
        }
        let mut classes = (0, 0);
        let mut end = at;
        let mut next = Some((character, first));
        while let Some((character, class)) = next {
            end += character.len_utf8();
            match class {
                Class::Unmapped => left_out.add(Hidden::Unmapped, character.len_utf8() as u64),
                Class::Hidden => classes.1 += character.len_utf8(),
                _ => classes.0 += 1,
            }
            let invisible = |character| Some((character, class_of_gap(character)?));
            next = rest.peek().and_then(|(_, character)| invisible(*character));
            if next.is_some() {
                rest.next();
            }
        }
        let run = text.get(at..end).unwrap_or_default();
        let after = text.get(end..).unwrap_or_default();
        let before = out.len();
        if joiners {
            kept(&mut out, run, after);
        }
        let stays = out.get(before..).unwrap_or_default();
        let unmapped: usize = (run.chars())
            .filter(|character| class(*character) == Class::Unmapped)
            .map(char::len_utf8)
            .sum();
        let gone = run.len() - unmapped - stays.len();
        let layout = classes.1 == 0 && classes.0 - stays.chars().count().min(classes.0) <= LAYOUT;
        left_out.add(if layout { Hidden::Format } else { Hidden::Invisible }, gone as u64);
    }
    out
}

/// The class of a character that the first two rules are about.
fn class_of_gap(character: char) -> Option<Class> {
    let class = class(character);
    matches!(class, Class::Ignorable | Class::Hidden | Class::Unmapped).then_some(class)
}

/// Appends what stays of a run of invisible characters between `out` and `after`: the tags of the
/// three flags that are told apart by them; else one selector and one joiner where they change what
/// is seen.
///
/// * U+FE0E and U+FE0F after an emoji that is not ASCII, and in keycaps; Mongolian selectors and the
///   vowel separator after a Mongolian letter. Other variation selectors only choose a shape.
/// * Zero-width joiners within emoji, beside a virama, and where a letter that joins stands alone
///   on one side.
/// * Zero-width non-joiners after a virama and between letters that would join (RFC 5892,
///   appendix A.1).
fn kept(out: &mut String, run: &str, after: &str) {
    let Some(before) = out.chars().next_back() else { return };
    let next = after.chars().next();
    if before == FLAG {
        let tags = |name: &str| -> String {
            name.chars().filter_map(|letter| char::from_u32(0xe0000 + letter as u32)).collect()
        };
        for region in ["gbeng", "gbsct", "gbwls"] {
            let tags = format!("{}\u{e007f}", tags(region));
            if run.starts_with(&tags) {
                out.push_str(&tags);
                return;
            }
        }
    }
    let emoji = CodePointSetData::new::<Emoji>();
    let selector = run.chars().find(|character| match *character {
        '\u{fe0e}' | '\u{fe0f}' => {
            (!before.is_ascii() && emoji.contains(before))
                || (emoji.contains(before) && next == Some(KEYCAP))
        }
        '\u{180b}'..='\u{180f}' => matches!(before, '\u{1820}'..='\u{18aa}'),
        _ => false,
    });
    out.extend(selector);
    let joiner = run.chars().find(|character| matches!(*character, ZWJ | ZWNJ));
    if joiner.is_some_and(|joiner| joins(out, joiner, after)) {
        out.extend(joiner);
    }
}

/// Whether a joiner changes what is seen between these texts.
fn joins(before: &str, joiner: char, after: &str) -> bool {
    let Some(last) = before.chars().next_back() else { return false };
    let virama = |character: char| canonical_combining_class(character) == 9;
    let next = after.chars().next();
    if virama(last) {
        return true;
    }
    let joining = CodePointMapData::<JoiningType>::new();
    // Marks do not join; of more than a few the rest goes anyway.
    let base = |characters: &mut dyn Iterator<Item = char>| {
        (characters.take(2 * MARKS))
            .find(|character| joining.get(*character) != JoiningType::Transparent)
            .map_or(JoiningType::NonJoining, |character| joining.get(character))
    };
    let left = matches!(
        base(&mut before.chars().rev()),
        JoiningType::DualJoining | JoiningType::LeftJoining
    );
    let right =
        matches!(base(&mut after.chars()), JoiningType::DualJoining | JoiningType::RightJoining);
    if joiner == ZWNJ {
        return left && right;
    }
    let pictographic = CodePointSetData::new::<ExtendedPictographic>();
    let picture = before.chars().rev().find(|character| *character != '\u{fe0f}');
    let pictures = picture.is_some_and(|character| {
        pictographic.contains(character) || matches!(character, '\u{1f3fb}'..='\u{1f3ff}')
    }) && next.is_some_and(|character| pictographic.contains(character));
    pictures || next.is_some_and(virama) && last.is_alphabetic() || left != right
}

/// Rules 3 and 4.
fn proportionate(text: &str, left_out: &mut LeftOut) -> String {
    let mut out = String::with_capacity(text.len());
    let mut credit = CREDIT;
    let mut marks = 0;
    let mut blanks = String::new();
    for character in text.chars() {
        let class = class(character);
        if class == Class::Blank {
            blanks.push(character);
            marks = 0;
            continue;
        }
        spend(&mut out, &mut blanks, false, &mut credit, left_out);
        match class {
            // The same mark again is drawn at the same place, or as good as.
            Class::Mark if marks >= MARKS || out.ends_with(character) => {
                left_out.add(Hidden::Stacked, character.len_utf8() as u64);
                continue;
            }
            Class::Mark => marks += 1,
            // A joiner or selector that stayed shows nothing of its own.
            Class::Ignorable | Class::Hidden | Class::Unmapped => {}
            Class::Shown | Class::Blank => marks = 0,
        }
        credit += character.len_utf8();
        out.push(character);
    }
    spend(&mut out, &mut blanks, true, &mut credit, left_out);
    out
}

/// Appends as much of a run of blanks as the visible characters before it pay for.
fn spend(
    out: &mut String,
    run: &mut String,
    last: bool,
    credit: &mut usize,
    left_out: &mut LeftOut,
) {
    if run.is_empty() {
        return;
    }
    let blanks = std::mem::take(run);
    let mut lines = blanks.split('\n').peekable();
    let mut trimmed = String::with_capacity(blanks.len());
    while let Some(line) = lines.next() {
        let ends = lines.peek().is_some();
        match line.char_indices().nth(TRAILING) {
            Some((end, _)) if ends || last => {
                trimmed.push_str(line.get(..end).unwrap_or_default());
            }
            _ => trimmed.push_str(line),
        }
        if ends {
            trimmed.push('\n');
        }
    }
    let paid = (trimmed.char_indices())
        .map(|(at, character)| at + character.len_utf8())
        .take_while(|end| end <= credit)
        .last()
        .unwrap_or(0);
    let stays = match trimmed.get(..paid).unwrap_or_default() {
        all if all.len() == trimmed.len() => all,
        part if trimmed.contains('\n') && !part.contains('\n') => "\n",
        "" => " ",
        part => part,
    };
    *credit = credit.saturating_sub(stays.len());
    left_out.add(Hidden::Blank, (blanks.len() as u64).saturating_sub(stays.len() as u64));
    out.push_str(stays);
}
