//! What dialects of Markdown do not show: comments of templates, blocks that attribute lists hide,
//! comments and phantoms of formulas, comments of diagrams.
//!
//! CommonMark knows none of them, and a reader of the bare source sees them; the programs that
//! they are written for do not show them, so they do not count.

use super::style::{class_hides, style_hides};
use std::ops::Range;

/// Comments of Liquid, kramdown, MDX, Hugo and Obsidian.
const COMMENTS: [(&str, &str); 7] = [
    ("{% comment %}", "{% endcomment %}"),
    ("{%- comment -%}", "{%- endcomment -%}"),
    ("{%comment%}", "{%endcomment%}"),
    ("{::comment}", "{:/comment}"),
    ("{{/*", "*/}}"),
    ("{/*", "*/}"),
    ("%%", "%%"),
];
/// Commands of TeX that show nothing of the groups after them, and how many groups those are.
const UNSHOWN: [(&str, usize); 12] = [
    ("\\phantom", 1),
    ("\\hphantom", 1),
    ("\\vphantom", 1),
    ("\\label", 1),
    ("\\style", 2),
    ("\\newcommand", 2),
    ("\\renewcommand", 2),
    ("\\providecommand", 2),
    ("\\textcolor{white}", 1),
    // To the end.
    ("\\color{white}", usize::MAX),
    ("\\color{#fff}", usize::MAX),
    ("\\def", 1),
];

/// The end of front matter: YAML from a first line of `---` to the next of `---` or `...`, TOML
/// between lines of `+++`.
pub(super) fn front_matter(source: &str) -> usize {
    let mut lines = source.split_inclusive('\n');
    let first = lines.next().unwrap_or_default();
    let mut end = first.len();
    let ends: &[&str] = match first.trim_end() {
        "---" => &["---", "..."],
        "+++" => &["+++"],
        _ => return 0,
    };
    for (number, line) in lines.enumerate() {
        end += line.len();
        match line.trim_end() {
            line if ends.contains(&line) => return end,
            // A thematic break, and what comes after it.
            "" if number == 0 => return 0,
            _ => {}
        }
    }
    0
}

/// Parts of the source outside fenced code that a dialect does not show, in their order.
pub(super) fn unseen(source: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    let mut fence: Option<(char, usize)> = None;
    // Where the block began, and a formula's or a comment's first line.
    let mut block = 0;
    let mut formula: Option<usize> = None;
    let mut comment = 0;
    // Whether a comment of a kind may still end.
    let mut ends = [true; COMMENTS.len()];
    let mut next_is_hidden = false;
    let mut division: Option<usize> = None;
    for line in source.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let text = line.trim();
        if start < comment {
            block = at;
            continue;
        }
        let sign = text.chars().next().filter(|sign| matches!(sign, '`' | '~'));
        let length = sign.map_or(0, |sign| text.len() - text.trim_start_matches(sign).len());
        match (fence, sign) {
            (None, Some(sign)) if length >= 3 && formula.is_none() => {
                fence = Some((sign, length));
                continue;
            }
            (Some((open, least)), Some(sign)) if sign == open && length >= least => fence = None,
            _ => {}
        }
        if fence.is_some() {
            continue;
        }
        if text.is_empty() {
            if std::mem::take(&mut next_is_hidden) && start > block {
                found.push(block..start);
            }
            block = at;
            continue;
        }
        if text == "$$" {
            match formula.take() {
                Some(from) => {
                    let inside = source.get(from..start).unwrap_or_default();
                    found.extend(of_formula(inside).map(|r| from + r.start..from + r.end));
                }
                None => formula = Some(at),
            }
            continue;
        }
        if formula.is_some() {
            continue;
        }
        if let Some(rest) = text.strip_prefix(":::") {
            match division {
                Some(from) if rest.trim_matches(':').trim().is_empty() => {
                    found.push(from..at);
                    division = None;
                }
                None if list_hides(rest.trim_matches([':', ' ', '{', '}'])) => {
                    division = Some(start);
                }
                _ => {}
            }
            continue;
        }
        if line.contains('`') {
            continue;
        }
        if let Some((may_end, opens, closes, place)) = comment_in(line, &mut ends) {
            let (from, after) = (start + place, start + place + opens.len());
            match source.get(after..).and_then(|rest| rest.find(closes)) {
                Some(end) => {
                    comment = after + end + closes.len();
                    found.push(from..comment);
                    continue;
                }
                None => *may_end = false,
            }
        }
        if line.contains('$') && line.contains('\\') {
            found.extend(in_formulas(line).map(|r| start + r.start..start + r.end));
        }
        if let Some((opens, list)) = attributes(line) {
            if list_hides(list) {
                let alone = line.get(..opens).unwrap_or_default().trim().is_empty();
                match alone && start == block {
                    true => next_is_hidden = true,
                    false if alone => found.push(block..at),
                    false => found.push(start..at),
                }
            }
        }
    }
    let open = division.or((next_is_hidden && block < at).then_some(block));
    found.extend(open.map(|from| from..at));
    found.sort_by_key(|range| range.start);
    found
}

/// The first comment that begins in a line, of those that may end: whether it may, its signs, its
/// place. Obsidian's is one at a line's beginning alone, as `%%` stands elsewhere for other things.
fn comment_in<'a>(
    line: &str,
    ends: &'a mut [bool; COMMENTS.len()],
) -> Option<(&'a mut bool, &'static str, &'static str, usize)> {
    let kinds = COMMENTS.iter().zip(ends).filter(|(_, ends)| **ends);
    let begun = kinds.filter_map(|((opens, closes), ends)| {
        let place = line.find(opens)?;
        let alone = *opens != "%%" || place == line.len() - line.trim_start().len();
        alone.then_some((ends, *opens, *closes, place))
    });
    begun.min_by_key(|(.., place)| *place)
}

/// The attribute list of a line (`{: .a}` of kramdown, `{.a}` of Pandoc): where it begins, and what
/// it lists.
fn attributes(line: &str) -> Option<(usize, &str)> {
    let (opens, closes) = (line.rfind('{')?, line.rfind('}')?);
    let list = line.get(opens + 1..closes)?;
    let is_one = list.starts_with([':', '.', '#']) || list.contains("style=");
    is_one.then_some((opens, list.trim_start_matches(':')))
}

/// Whether an attribute list hides what it is for.
fn list_hides(list: &str) -> bool {
    let list = list.to_ascii_lowercase();
    super::style::Attributes(&list).any(|(key, value)| match key {
        "hidden" => true,
        "style" => style_hides(value),
        "class" => value.split_ascii_whitespace().any(class_hides),
        key => key.split('.').skip(1).any(class_hides),
    })
}

/// Parts of a drawn block of code that are not in the drawing.
pub(super) fn of_code(language: &str, code: &str) -> Vec<Range<usize>> {
    match language {
        "math" => of_formula(code).collect(),
        "mermaid" => {
            let mut at = 0;
            let lines = code.split_inclusive('\n').map(|line| {
                at += line.len();
                (at - line.len()..at, line.trim_start().starts_with("%%"))
            });
            lines.filter_map(|(range, comment)| comment.then_some(range)).collect()
        }
        _ => Vec::new(),
    }
}

/// What formulas between dollar signs in a line do not draw. Comments are left out of that: a line has
/// per cents and dollars that are none.
fn in_formulas(line: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    let mut inside = false;
    let pieces = line.split('$').filter_map(move |piece| {
        let from = at;
        at += piece.len() + 1;
        // Two dollars are one sign.
        if piece.is_empty() && from > 0 {
            return None;
        }
        let formula = inside;
        inside = !inside;
        formula.then_some((from, piece))
    });
    pieces.flat_map(|(from, piece)| {
        let commands = of_formula(piece).filter(|r| piece.as_bytes().get(r.start) == Some(&b'\\'));
        commands.map(move |r| from + r.start..from + r.end).collect::<Vec<_>>()
    })
}

/// Parts of a formula that are not drawn: comments, phantoms, definitions.
fn of_formula(formula: &str) -> impl Iterator<Item = Range<usize>> {
    let mut found = Vec::new();
    let bytes = formula.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let rest = formula.get(at..).unwrap_or_default();
        match byte {
            b'%' => {
                let end = rest.find('\n').unwrap_or(rest.len());
                found.push(at..at + end);
                at += end.max(1);
            }
            b'\\' => {
                let command = UNSHOWN.iter().find(|(command, _)| {
                    let after = rest.get(command.len()..).and_then(|rest| rest.chars().next());
                    rest.starts_with(command)
                        && (command.ends_with('}') || !after.is_some_and(char::is_alphabetic))
                });
                let end = command.map(|(command, n)| at + groups_end(rest, command.len(), *n));
                match end {
                    Some(end) => {
                        found.push(at..end);
                        at = end;
                    }
                    // The sign after a backslash stands for itself.
                    None => at += 2,
                }
            }
            _ => at += 1,
        }
    }
    found.into_iter()
}

/// Where so many groups after a command end.
fn groups_end(text: &str, from: usize, groups: usize) -> usize {
    let (mut depth, mut left, mut escaped) = (0_usize, groups, false);
    for (at, sign) in text.char_indices().skip_while(|(at, _)| *at < from) {
        if left == 0 {
            return at;
        }
        match sign {
            _ if std::mem::take(&mut escaped) => {}
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    left -= 1;
                }
            }
            // No group follows.
            _ if depth == 0
                && !sign.is_whitespace()
                && left == groups
                && groups == 1
                && from > 4 =>
            {
                return at
            }
            _ => {}
        }
    }
    text.len()
}
