//! The book: its links, its search, its answers, and its texts for agents.

mod content_docs {
    mod answers;
    mod code;
    mod links;
    mod reading;
    mod search;
    mod texts;
}
