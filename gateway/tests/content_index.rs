//! The index over made-up chains: rows, pages, streams, and what a killed writer leaves.

// Denied in `index`; see clippy.toml.
#![allow(clippy::disallowed_methods)]

mod content_index {
    mod agents;
    mod committees;
    mod common;
    mod compared;
    mod description;
    mod disputes;
    mod numbers;
    mod owners;
    mod pages;
    mod proxies;
    mod reference;
    mod rows;
    mod streams;
    mod trouble;
    mod writer;
}
