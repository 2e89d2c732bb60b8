//! Of the writing of answers, what the tokenizer is read into.

#[path = "../src/generate/grammar/vocabulary.rs"]
mod vocabulary;

pub use vocabulary::Vocabulary;
