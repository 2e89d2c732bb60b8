//! Words as the index counts them: of texts and of questions alike.
//!
//! An identifier is one word and its parts: `openledger_whyRefused` is found by itself, by `whyRefused` and
//! by `refused`; `--trusted-proxy` by `proxy`. Words are stemmed (`rewards`, `rewarded`), and words that say
//! nothing are left out.

use tantivy::tokenizer::{
    Language, LowerCaser, RemoveLongFilter, Stemmer, StopWordFilter, TextAnalyzer, Token,
    TokenStream, Tokenizer,
};

/// Bytes of a word, less one; longer ones (hashes in full) are not counted.
const MAX_WORD: usize = 65;

/// Words without which a question asks the same. `who` and `why` stay.
const STOP_WORDS: &[&str] = &[
    "a", "about", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because",
    "been", "but", "by", "can", "cannot", "could", "did", "do", "does", "doing", "don", "done",
    "for", "from", "get", "gets", "getting", "give", "given", "gives", "go", "got", "had", "has",
    "have", "he", "her", "him", "his", "how", "i", "if", "in", "into", "is", "isn", "it", "its",
    "just", "let", "ll", "may", "me", "might", "mine", "much", "must", "my", "myself", "no", "not",
    "now", "of", "on", "one", "or", "our", "out", "own", "please", "re", "s", "shall", "she",
    "should", "so", "some", "such", "t", "tell", "than", "that", "the", "their", "them", "then",
    "there", "these", "they", "this", "those", "to", "too", "up", "us", "ve", "very", "want",
    "was", "we", "were", "what", "when", "where", "which", "while", "will", "with", "won", "would",
    "yet", "you", "your",
];

/// Names that are no compound of words.
const NAMES: &[&str] = &["OpenLedger"];

/// What turns a text into words.
pub(crate) fn analyzer() -> TextAnalyzer {
    TextAnalyzer::builder(Words)
        .filter(RemoveLongFilter::limit(MAX_WORD))
        .filter(LowerCaser)
        .filter(StopWordFilter::remove(STOP_WORDS.iter().map(|&word| word.to_owned())))
        .filter(Stemmer::new(Language::English))
        .build()
}

/// The words of a text, in order.
pub(crate) fn words(analyzer: &TextAnalyzer, text: &str) -> Vec<String> {
    let mut analyzer = analyzer.clone();
    let mut found = Vec::new();
    analyzer.token_stream(text).process(&mut |token| found.push(token.text.clone()));
    found
}

#[derive(Clone)]
struct Words;

struct Stream {
    tokens: std::vec::IntoIter<Token>,
    token: Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = Stream;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Stream {
        let mut tokens = Vec::new();
        for (start, raw) in raw_words(text) {
            let position = tokens.last().map_or(0, |token: &Token| token.position + 1);
            let parts = parts(raw);
            if parts.len() != 1 || parts.first() != Some(&raw) {
                tokens.push(token(start, raw, position));
            }
            let parts = parts.into_iter().enumerate();
            tokens.extend(parts.map(|(n, part)| token(start, part, position + n)));
        }
        Stream { tokens: tokens.into_iter(), token: Token::default() }
    }
}

fn token(offset: usize, text: &str, position: usize) -> Token {
    let mut token = Token { position, ..Token::default() };
    token.offset_from = offset;
    token.offset_to = offset + text.len();
    token.text.push_str(text);
    token
}

impl TokenStream for Stream {
    fn advance(&mut self) -> bool {
        match self.tokens.next() {
            Some(token) => {
                self.token = token;
                true
            }
            None => false,
        }
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

/// Runs of letters and digits, with `_`, `-` and `.` between them.
fn raw_words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let joins = |c: char| matches!(c, '_' | '-' | '.');
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = text.get(from..)?;
        let start = from + rest.find(char::is_alphanumeric)?;
        let word = text.get(start..)?;
        let end = word.find(|c: char| !c.is_alphanumeric() && !joins(c)).unwrap_or(word.len());
        from = start + end;
        Some((start, word.get(..end)?.trim_end_matches(joins)))
    })
}

/// What a word is made of: itself, where it is a plain one.
fn parts(word: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for piece in word.split(['_', '-', '.']).filter(|piece| !piece.is_empty()) {
        // `datanetDetails` of `openledger_datanetDetails`, and then its own parts.
        if is_compound(piece) && piece.len() < word.len() {
            parts.push(piece);
        }
        match is_compound(piece) {
            true => parts.extend(humps(piece)),
            false => parts.push(piece),
        }
    }
    parts
}

/// Whether a word is made of others, as `whyRefused` is and `LoRA` is not.
pub(crate) fn is_compound(word: &str) -> bool {
    let humps = humps(word);
    !NAMES.contains(&word) && humps.len() > 1 && humps.iter().all(|hump| hump.len() > 2)
}

/// `whyRefused` as `why` and `Refused`.
fn humps(word: &str) -> Vec<&str> {
    let mut humps = Vec::new();
    let mut start = 0;
    let mut before_lower = false;
    for (at, c) in word.char_indices() {
        if before_lower && c.is_uppercase() {
            humps.extend(word.get(start..at));
            start = at;
        }
        before_lower = c.is_lowercase();
    }
    humps.extend(word.get(start..));
    humps
}
