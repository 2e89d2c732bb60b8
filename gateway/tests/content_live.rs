//! Live training and chat through the HTTP door, with a chain, workers and servers that the tests plant.

// Denied in `index`; see clippy.toml.
#![allow(clippy::disallowed_methods)]

mod content_live {
    mod agents;
    mod chat;
    mod door;
    mod knowledge;
    mod metrics;
    mod outside;
    mod servers;
    mod writer;
}
