//! `trainer-worker serve` with the real model, over HTTP as any client meets it.

/// The engine's folder, where the golden files are.
const ENGINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/engine");

#[path = "engine_server/access.rs"]
mod access;
#[path = "engine_server/adapters.rs"]
mod adapters;
#[path = "engine_server/answers.rs"]
mod answers;
#[path = "engine_server/clients.rs"]
mod clients;
// Not all of it is used here.
#[allow(dead_code)]
#[path = "../engine/tests/engine_models/common.rs"]
mod common;
#[path = "engine_server/docs.rs"]
mod docs;
#[path = "engine_server/ending.rs"]
mod ending;
#[path = "engine_server/errors.rs"]
mod errors;
#[path = "engine_server/fine_tuning.rs"]
mod fine_tuning;
#[path = "engine_server/http.rs"]
mod http;
#[path = "engine_server/limits.rs"]
mod limits;
#[path = "engine_server/load.rs"]
mod load;
#[path = "engine_server/shares.rs"]
mod shares;
