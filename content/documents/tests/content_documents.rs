//! Reading files through the public doors: canonical text, documents, what is left out.

#[path = "content_documents/canonical.rs"]
mod canonical;
#[path = "content_documents/characters.rs"]
mod characters;
#[path = "content_documents/copies.rs"]
mod copies;
#[path = "content_documents/corpus.rs"]
mod corpus;
#[path = "content_documents/corpus_words.rs"]
mod corpus_words;
#[path = "content_documents/documents.rs"]
mod documents;
#[path = "content_documents/fuzzed.rs"]
mod fuzzed;
#[path = "content_documents/letters.rs"]
mod letters;
#[path = "content_documents/markdown.rs"]
mod markdown;
#[path = "content_documents/media.rs"]
mod media;
#[path = "content_documents/near_copies.rs"]
mod near_copies;
#[path = "content_documents/right_to_left.rs"]
mod right_to_left;
#[path = "content_documents/spaces.rs"]
mod spaces;
#[path = "content_documents/structure.rs"]
mod structure;
#[path = "content_documents/visibility.rs"]
mod visibility;
#[path = "content_documents/visibility_paint.rs"]
mod visibility_paint;
#[path = "content_documents/word.rs"]
mod word;
