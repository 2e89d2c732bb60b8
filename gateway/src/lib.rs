//! `openledger-gateway`: OpenLedger for browsers (docs/gateway.md).
//!
//! It stands between people with a browser and a node: an index of the chain's whole history, uploads to
//! IPFS, and the web app, all on one address.
//!
//! # Parts
//!
//! * [`arguments`]: what its operator sets;
//! * [`app`]: what handlers share;
//! * [`server`]: routes, and what every response carries;
//! * `description`: the API's description;
//! * [`door`]: hosts, and what those are told that are not let in;
//! * [`error`]: errors as clients see them;
//! * [`index`], [`api`]: the chain's history, and what it answers;
//! * [`sessions`], [`uploads`]: who uploads, and what comes in;
//! * [`ipfs`]: files that the chain names, for readers;
//! * [`previews`]: what curators will measure of a file;
//! * [`likeness`]: which earlier file it is most like;
//! * [`faucet`]: OPEN for newcomers on development chains;
//! * [`vault`]: sealed copies of keys that browsers made;
//! * [`places`], [`proxies`]: connections that stay, and who sent what comes;
//! * [`rpc`]: the node's JSON-RPC, for browsers;
//! * [`node`]: how the node is;
//! * [`live`]: what workers tell of trainings;
//! * [`chat`]: questions relayed to servers of answers;
//! * [`agents`]: adapters that ask documentation before they answer;
//! * [`docs`]: the documentation, for people and agents;
//! * [`mcp`]: tools for agents;
//! * [`web`]: the web app within the program.

// Denied in `index`; see clippy.toml.
#![allow(clippy::disallowed_methods)]

pub mod agents;
pub mod api;
pub mod app;
pub mod arguments;
pub mod chat;
mod description;
pub mod docs;
pub mod door;
pub mod error;
pub mod extract;
pub mod faucet;
pub mod index;
pub mod ipfs;
pub mod likeness;
pub mod live;
pub mod mcp;
pub mod node;
pub mod places;
pub mod previews;
pub mod proxies;
pub mod rpc;
pub mod server;
pub mod sessions;
pub mod uploads;
pub mod vault;
pub mod web;
