//! Search: BM25 over the parts of pages, in memory, then weighed by how much of the question a part covers.

use crate::page::{plain, shorten, BlockKind, Page};
use crate::synonyms::SYNONYMS;
use crate::words::{analyzer, is_compound, words};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, BoostQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{TextAnalyzer, TokenizerManager};
use tantivy::{Index, Searcher, TantivyDocument, Term};

/// How much a word counts in a page's title, a part's heading, the headings above it, its text, and what users
/// ask of it.
const WEIGHTS: [f32; 5] = [1.5, 3.0, 1.0, 1.0, 2.0];
/// How much it counts for a part what share of a question its heading has, a piece of it, and its whole page; what
/// the part has counts beside a beginning.
const HEADING: f32 = 1.0;
const TOGETHER: f32 = 1.5;
const PAGE: f32 = 0.5;
const BEGINNING: f32 = 0.25;
/// How much a word of the goal counts beside one of the question.
const GOAL: f32 = 0.5;
/// How much it counts how like the question is to one that users ask of the part, and from when on they are alike.
const LIKE: f32 = 2.0;
const ALIKE: f32 = 0.5;
/// Bytes that the index is built in; tantivy's least.
const ARENA: usize = 15_000_000;
/// Parts that are weighed for a question.
const CANDIDATES: usize = 200;
/// Words of a question that are looked for.
const MAX_WORDS: usize = 64;
/// Words that one beginning stands for, at most.
const MAX_ENDINGS: usize = 12;
/// Letters of a beginning that stands for whole words.
const MIN_BEGINNING: usize = 4;
/// How much a word counts that stands for the one that was asked: one that it begins, one that is spelt almost
/// so, one that means the same.
const BEGUN: f32 = 0.8;
const NEAR: f32 = 0.7;
const MEANT: f32 = 0.8;
/// What a word counts at most, however rare. A word that the book does not have counts as much: without it,
/// every question would be answered.
const MOST: f32 = 5.0;
/// Words that say what kind of answer is wanted, and little of what about.
const SMALL: &[&str] = &[
    "actual",
    "afterward",
    "alway",
    "anyth",
    "bad",
    "becom",
    "best",
    "better",
    "come",
    "defin",
    "describ",
    "els",
    "everyth",
    "exact",
    "exampl",
    "explain",
    "find",
    "good",
    "happen",
    "kind",
    "know",
    "learn",
    "like",
    "long",
    "look",
    "make",
    "mean",
    "need",
    "never",
    "next",
    "old",
    "play",
    "possibl",
    "put",
    "see",
    "somebodi",
    "someon",
    "someth",
    "still",
    "stop",
    "take",
    "thing",
    "tri",
    "use",
    "way",
    "who",
    "why",
    "word",
    "work",
    "write",
];
const LITTLE: f32 = 1.0;
/// Letters of a word that may be misspelt.
const MIN_MISSPELT: usize = 6;
/// Characters of an excerpt.
const MAX_EXCERPT: usize = 240;

/// What users ask, by the page and the section that answer it.
pub(crate) type Asked = BTreeMap<(usize, usize), Vec<String>>;

/// A part of the book that words lead to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hit {
    /// The page.
    pub path: String,
    /// The heading's anchor; the page's first part has that of its title.
    pub anchor: String,
    /// The page's title.
    pub title: String,
    /// The heading.
    pub heading: String,
    /// What of it fits best, without markup.
    pub excerpt: String,
    /// Higher is better; comparable within one search.
    pub score: f32,
}

/// A part of the book and how it fits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) page: usize,
    pub(crate) section: usize,
    /// In the index.
    number: usize,
    pub(crate) score: f32,
    /// What share of the question's words it has, each counting by how rare it is.
    pub(crate) coverage: f32,
}

/// What a question looks for.
#[derive(Debug)]
pub(crate) struct Sought {
    /// Each word, with the words of the book that it stands for, and how rare it is.
    words: Vec<SoughtWord>,
    /// Whether it names something of the code, as `DeadlineTooSoon` and `--trusted-proxy` do.
    names: bool,
    /// What kind of page it asks for, by what counts how much more.
    kinds: Vec<&'static Kind>,
}

/// A kind of page that a question can ask for.
#[derive(Debug)]
pub(crate) struct Kind {
    /// How such questions are put.
    asked: &'static [&'static str],
    /// How paths of such pages begin.
    paths: &'static [&'static str],
    /// How much more such pages count.
    by: f32,
}

const KINDS: &[Kind] = &[
    // How something is done.
    Kind {
        asked: &[
            "how do i ",
            "how to ",
            "step by step",
            "first steps",
            "set up ",
            "setup ",
            "tutorial",
            "get started",
            "example",
            "my own program",
            "walk me through",
            "from scratch",
        ],
        paths: &["tutorials/"],
        by: 1.6,
    },
    // What happened to somebody.
    Kind { asked: &[" i ", " my ", " me "], paths: &["troubleshooting", "faq"], by: 1.3 },
];

#[derive(Clone, Debug)]
struct SoughtWord {
    /// The word itself, the words that it begins or that are spelt almost so, and those that mean the same;
    /// with how much each counts.
    stands_for: BTreeMap<String, f32>,
    weight: f32,
}

impl Sought {
    /// What share of the question a set of words covers.
    pub(crate) fn coverage(&self, there: &BTreeSet<String>) -> f32 {
        let all: f32 = self.words.iter().map(|word| word.weight).sum();
        let best = |word: &SoughtWord| {
            let there = word.stands_for.iter().filter(|(one, _)| there.contains(*one));
            word.weight * there.map(|(_, share)| *share).fold(0.0, f32::max)
        };
        let found: f32 = self.words.iter().map(best).sum();
        if all > 0.0 {
            found / all
        } else {
            0.0
        }
    }

    /// The words of a goal beside it, which count less.
    fn with(&self, goal: Option<&Self>) -> Self {
        let mut words = self.words.clone();
        words.extend(goal.into_iter().flat_map(|goal| &goal.words).map(|word| {
            let weight = word.weight * GOAL;
            SoughtWord { weight, ..word.clone() }
        }));
        Self { words, names: self.names, kinds: self.kinds.clone() }
    }

    /// How like the question a set of words is, each counting by how rare it is (Dice, 1945).
    fn likeness(&self, asked: &AskedWords) -> f32 {
        let all: f32 = self.words.iter().map(|word| word.weight).sum();
        let both = self.coverage(&asked.words) * all;
        let size = all + asked.weight;
        if size > 0.0 {
            2.0 * both / size
        } else {
            0.0
        }
    }

    /// How much more a page counts for being of the kind that is asked for.
    fn intent(&self, path: &str) -> f32 {
        let is = |kind: &&&Kind| kind.paths.iter().any(|begin| path.starts_with(begin));
        self.kinds.iter().filter(is).map(|kind| kind.by).product()
    }

    /// Whether a part has enough of the question to say something of it: one word that it has by chance, beside
    /// others that it has not, says nothing. One that users ask it with does, in a question like theirs.
    fn is_enough(&self, there: &There) -> bool {
        let large = self.words.iter().filter(|word| word.weight > LITTLE);
        let has = |words: &BTreeSet<String>| {
            let known = |word: &&SoughtWord| word.stands_for.keys().any(|one| words.contains(one));
            large.clone().filter(known).count()
        };
        let alike = |asked: &AskedWords| self.likeness(asked) >= ALIKE && has(&asked.words) > 0;
        has(&there.all) >= large.clone().count().min(2) || there.asked.iter().any(alike)
    }

    /// Whether there is anything to look for.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

/// The words of a part.
struct There {
    /// The page.
    path: String,
    /// Of its text and its headings.
    all: BTreeSet<String>,
    /// Of its own heading.
    heading: BTreeSet<String>,
    /// Of each of its pieces.
    blocks: Vec<BTreeSet<String>>,
    /// Of each question that users ask of it.
    asked: Vec<AskedWords>,
    /// What it counts for a question in plain words.
    prior: f32,
}

/// The words of a question that users ask.
struct AskedWords {
    words: BTreeSet<String>,
    /// How rare they are, together.
    weight: f32,
}

/// The index.
pub(crate) struct Search {
    analyzer: TextAnalyzer,
    searcher: Searcher,
    fields: [Field; 5],
    /// Parts in the order of the index: page and section.
    parts: Vec<(usize, usize)>,
    /// The words of each part.
    there: Vec<There>,
    /// The words of each page.
    pages: Vec<BTreeSet<String>>,
    /// What words mean.
    synonyms: BTreeMap<String, Vec<String>>,
    /// In how many parts a word stands.
    frequencies: BTreeMap<String, usize>,
}

impl Search {
    /// Indexes pages, each with what it counts for a question in plain words; those of 0 are left out.
    pub(crate) fn new(
        pages: &[Page],
        prior: impl Fn(&str) -> f32,
        asked: &Asked,
    ) -> tantivy::Result<Self> {
        let analyzer = analyzer();
        let mut schema = Schema::builder();
        let indexing = TextFieldIndexing::default()
            .set_tokenizer("words")
            .set_index_option(IndexRecordOption::WithFreqs);
        let text = TextOptions::default().set_indexing_options(indexing);
        let fields = ["title", "heading", "above", "text", "asked"]
            .map(|name| schema.add_text_field(name, text.clone()));
        let [title, heading, above, body, ask] = fields;
        let tokenizers = TokenizerManager::new();
        tokenizers.register("words", analyzer.clone());
        // One segment without threads: the same pages give the same index.
        let mut writer = Index::builder()
            .schema(schema.build())
            .tokenizers(tokenizers)
            .single_segment_index_writer(tantivy::directory::RamDirectory::create(), ARENA)?;
        let mut parts = Vec::new();
        let mut there = Vec::new();
        let mut frequencies = BTreeMap::new();
        let mut page_words: Vec<BTreeSet<String>> = Vec::new();
        for (page_number, page) in pages.iter().enumerate() {
            let prior = prior(&page.path);
            if prior <= 0.0 {
                continue;
            }
            page_words.resize_with(page_number + 1, BTreeSet::new);
            for (number, section) in page.sections.iter().enumerate() {
                let text = page.text(&section.text);
                let headings = section.above.join("\n");
                let mut document = TantivyDocument::default();
                document.add_text(title, &page.title);
                document.add_text(heading, &section.heading);
                document.add_text(above, &headings);
                document.add_text(body, text);
                let asked = asked.get(&(page_number, number)).map_or(&[][..], Vec::as_slice);
                let questions = asked.join("\n");
                document.add_text(ask, &questions);
                writer.add_document(document)?;
                let all = [page.title.as_str(), &section.heading, &headings, text, &questions];
                let own: BTreeSet<String> =
                    all.iter().flat_map(|text| words(&analyzer, text)).collect();
                for word in &own {
                    *frequencies.entry(word.clone()).or_insert(0) += 1;
                }
                if let Some(words) = page_words.get_mut(page_number) {
                    words.extend(own.iter().cloned());
                }
                parts.push((page_number, number));
                let heading = words(&analyzer, &section.heading).into_iter().collect();
                let blocks = section.blocks.iter();
                let blocks = blocks.map(|block| words(&analyzer, page.text(&block.at)));
                let blocks = blocks.map(|words| words.into_iter().collect()).collect();
                let asked = asked.iter().map(|question| AskedWords {
                    words: words(&analyzer, question).into_iter().collect(),
                    weight: 0.0,
                });
                let (path, asked) = (page.path.clone(), asked.collect());
                there.push(There { path, all: own, heading, blocks, asked, prior });
            }
        }
        let searcher = writer.finalize()?.reader()?.searcher();
        let synonyms = synonyms(&analyzer);
        let mut search = Self {
            analyzer,
            searcher,
            fields,
            parts,
            there,
            pages: page_words,
            synonyms,
            frequencies,
        };
        search.weigh_asked();
        Ok(search)
    }

    /// How rare words of questions are is known once all pages are.
    fn weigh_asked(&mut self) {
        let mut there = std::mem::take(&mut self.there);
        for asked in there.iter_mut().flat_map(|there| &mut there.asked) {
            let weights = asked.words.iter().map(|word| self.weight(word));
            asked.weight = weights.sum();
        }
        self.there = there;
    }

    /// What a word of the book counts.
    fn weight(&self, word: &str) -> f32 {
        let most = if SMALL.contains(&word) { LITTLE } else { MOST };
        self.rarity(self.frequencies.get(word).copied().unwrap_or(0)).min(most)
    }

    /// What a question looks for, each word once.
    pub(crate) fn sought(&self, question: &str) -> Sought {
        let mut seen = BTreeSet::new();
        let words = words(&self.analyzer, question).into_iter();
        let words = words.filter(|word| seen.insert(word.clone())).take(MAX_WORDS);
        let words = words.map(|word| {
            let stands_for = self.stands_for(&word);
            let frequencies = stands_for.keys().filter_map(|one| self.frequencies.get(one));
            let frequency = frequencies.max().copied().unwrap_or(0);
            let most = if SMALL.contains(&word.as_str()) { LITTLE } else { MOST };
            SoughtWord { weight: self.rarity(frequency).min(most), stands_for }
        });
        let lower = format!(" {} ", question.to_lowercase());
        let kinds =
            KINDS.iter().filter(|kind| kind.asked.iter().any(|begin| lower.contains(begin)));
        Sought { words: words.collect(), names: names_code(question), kinds: kinds.collect() }
    }

    /// BM25's inverse document frequency.
    fn rarity(&self, frequency: usize) -> f32 {
        let (all, frequency) = (self.parts.len() as f32, frequency as f32);
        (1.0 + (all - frequency + 0.5) / (frequency + 0.5)).ln()
    }

    /// The words of the book that a word stands for, and how much each counts.
    fn stands_for(&self, word: &str) -> BTreeMap<String, f32> {
        let mut found = BTreeMap::new();
        if self.frequencies.contains_key(word) {
            found.insert(word.to_owned(), 1.0);
        }
        let meant = self.synonyms.get(word).into_iter().flatten();
        let meant = meant.filter(|other| self.frequencies.contains_key(*other));
        for other in meant {
            found.entry(other.clone()).or_insert(MEANT);
        }
        if found.is_empty() && word.len() >= MIN_BEGINNING {
            let from = self.frequencies.range(word.to_owned()..);
            let begun = from.take_while(|(other, _)| other.starts_with(word));
            found.extend(begun.take(MAX_ENDINGS).map(|(other, _)| (other.clone(), BEGUN)));
        }
        if found.is_empty() && word.len() >= MIN_MISSPELT {
            let near = self.frequencies.keys().filter(|other| one_apart(word, other));
            found.extend(near.take(MAX_ENDINGS).map(|other| (other.clone(), NEAR)));
        }
        found
    }

    /// The parts that fit a question, best first. Words of the goal count half.
    pub(crate) fn find(&self, sought: &Sought, goal: Option<&Sought>) -> Vec<Found> {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        let mut look_for = |sought: &Sought, share: f32| {
            for word in &sought.words {
                for (word, counts) in &word.stands_for {
                    for (&field, weight) in self.fields.iter().zip(WEIGHTS) {
                        let term = Term::from_field_text(field, word);
                        let term = Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs));
                        let term = BoostQuery::new(term, weight * share * counts);
                        clauses.push((Occur::Should, Box::new(term)));
                    }
                }
            }
        };
        look_for(sought, 1.0);
        if let Some(goal) = goal {
            look_for(goal, GOAL);
        }
        if clauses.is_empty() {
            return Vec::new();
        }
        let both = sought.with(goal);
        let query = BooleanQuery::new(clauses);
        let best = TopDocs::with_limit(CANDIDATES).order_by_score();
        // An index in memory has nothing that could fail to be read.
        let best = self.searcher.search(&query, &best).unwrap_or_default();
        let mut found: Vec<(u32, Found)> = Vec::new();
        for (score, address) in best {
            let number = address.doc_id as usize;
            let (Some(&(page, section)), Some(there)) =
                (self.parts.get(number), self.there.get(number))
            else {
                continue;
            };
            let coverage = match sought.is_enough(there) {
                true => sought.coverage(&there.all),
                false => 0.0,
            };
            // What answers is decided by the question alone; which of several is best, by the goal too.
            let fits = match coverage > 0.0 {
                true => both.coverage(&there.all),
                false => 0.0,
            };
            let by_heading = both.coverage(&there.heading);
            // Words that stand together are meant together.
            let together = there.blocks.iter().map(|block| both.coverage(block));
            let together = together.fold(0.0, f32::max);
            let like = there.asked.iter().map(|asked| both.likeness(asked)).fold(0.0, f32::max);
            let page_has = self.pages.get(page).map_or(0.0, |words| both.coverage(words));
            let prior = if sought.names { 1.0 } else { there.prior * sought.intent(&there.path) };
            let score = score
                * (BEGINNING + fits)
                * (1.0 + HEADING * by_heading)
                * (1.0 + TOGETHER * together)
                * (1.0 + PAGE * page_has)
                * (1.0 + LIKE * like * like)
                * prior;
            found.push((address.doc_id, Found { page, section, number, score, coverage }));
        }
        found.sort_by(|(a, x), (b, y)| y.score.total_cmp(&x.score).then(a.cmp(b)));
        found.into_iter().map(|(_, found)| found).collect()
    }

    /// How much of a question each piece of a part covers.
    pub(crate) fn pieces(&self, found: &Found, sought: &Sought) -> Vec<f32> {
        let blocks = self.there.get(found.number).map(|there| there.blocks.iter());
        blocks.into_iter().flatten().map(|block| sought.coverage(block)).collect()
    }

    /// A part as it is shown.
    pub(crate) fn hit(&self, page: &Page, found: &Found, sought: &Sought) -> Option<Hit> {
        let section = page.sections.get(found.section)?;
        // Of pieces that cover as much, the first.
        let pieces = self.pieces(found, sought).into_iter().zip(&section.blocks);
        let best = pieces.reduce(|best, other| if other.0 > best.0 { other } else { best });
        let excerpt = best.map(|(_, block)| match block.kind {
            BlockKind::Row(_) => row(page.text(&block.at)),
            _ => plain(page.text(&block.at)),
        });
        Some(Hit {
            path: page.path.clone(),
            anchor: section.anchor.clone(),
            title: page.title.clone(),
            heading: section.heading.clone(),
            excerpt: shorten(&excerpt.unwrap_or_default(), MAX_EXCERPT),
            score: found.score,
        })
    }
}

/// What words mean, as the index counts words.
fn synonyms(analyzer: &TextAnalyzer) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (said, meant) in SYNONYMS {
        let meant = words(analyzer, meant);
        for word in words(analyzer, said) {
            all.entry(word).or_default().extend(meant.iter().cloned());
        }
    }
    all
}

/// Whether a question names something of the code: `a_b`, `--option`, `a::b`, `/v1/x` or `aB`.
fn names_code(question: &str) -> bool {
    question.split_whitespace().any(|word| {
        word.contains(['_', '/'])
            || word.contains("::")
            || word.starts_with("--")
            || is_compound(word)
    })
}

/// A row of a table as text.
pub(crate) fn row(markdown: &str) -> String {
    let cells = markdown.trim().trim_matches('|').split(" | ");
    let cells = cells.map(|cell| plain(cell.trim())).filter(|cell| !cell.is_empty());
    cells.collect::<Vec<_>>().join(": ")
}

/// Whether one letter more, less or other makes the words the same. The first one is seldom wrong.
fn one_apart(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one.len().abs_diff(other.len()) > 1 || one.first() != other.first() {
        return false;
    }
    let same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let (one_rest, other_rest) = (&one[same..], &other[same..]);
    let after = |rest: &[char]| rest.get(1..).map(<[char]>::to_vec).unwrap_or_default();
    after(one_rest) == after(other_rest)
        || after(one_rest) == other_rest
        || one_rest == after(other_rest)
}
