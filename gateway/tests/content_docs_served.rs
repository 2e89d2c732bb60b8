//! The documentation through real connections: what agents and people are answered.

// Denied in `index`; see clippy.toml.
#![allow(clippy::disallowed_methods)]

mod content_docs_served {
    mod agents;
    mod door;
    mod people;
}
