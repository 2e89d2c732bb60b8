//! What `serve` says when it is there.

use super::super::mebibytes;
use openledger_engine::model::Model;
use openledger_engine::serving::ServingMemory;
use serde_json::json;
use std::net::SocketAddr;
use trainer_worker::server::keys::Keys;
use trainer_worker::server::names::Base;
use trainer_worker::server::Limits;

/// Bytes that a connection takes, at most, without its body: buffers of its head and its answer, and its
/// task.
const CONNECTION_BYTES: usize = 192 << 10;
/// Bytes that a body takes while it is taken apart, for each of its own: a list of small numbers is the
/// worst.
const PARSED_BYTES: usize = 64;

/// What is said when the server is there.
pub(super) struct Start<'a> {
    pub(super) address: SocketAddr,
    pub(super) model: &'a Model,
    pub(super) base: &'a Base,
    pub(super) memory: ServingMemory,
    /// Bytes of adapters, at most.
    pub(super) adapters: usize,
    pub(super) limits: &'a Limits,
    pub(super) keys: &'a Keys,
}

impl Start<'_> {
    /// Bytes that connections and bodies take, at most.
    fn http_bytes(&self) -> usize {
        let connections = self.limits.connections.connections.saturating_mul(CONNECTION_BYTES);
        // Two workers take bodies apart.
        let parsed = self.limits.body_bytes.saturating_mul(2 * PARSED_BYTES);
        let held = self.limits.all_bodies.saturating_add(self.limits.all_answers);
        connections.saturating_add(held).saturating_add(parsed)
    }

    pub(super) fn say(&self, as_json: bool, names: &[String]) {
        let Self { address, model, base, memory, adapters, limits, keys } = self;
        let weights = model.weight_bytes();
        let http = self.http_bytes();
        let mut models = vec![base.name.clone()];
        models.extend(names.iter().map(|name| format!("{}:{name}", base.name)));
        if as_json {
            let line = json!({
                "address": format!("http://{address}"),
                "models": models,
                "base_sha256": hex::encode(base.sha256),
                "arithmetic": base.arithmetic,
                "keys": keys.count(),
                "memory": {
                    "weights": weights, "keys_and_values": memory.kv_bytes, "step": memory.step_bytes,
                    "logits": memory.logits_bytes, "requests": memory.request_bytes,
                    "grammars": memory.grammar_bytes, "http": http,
                    "adapters": adapters, "total": memory.total() + weights + http + adapters,
                },
                "limits": {
                    "context": limits.context, "answer_tokens": limits.answer_tokens,
                    "connections": limits.connections.connections, "headers": limits.connections.headers,
                    "body_bytes": limits.body_bytes, "all_bodies_bytes": limits.all_bodies,
                    "all_answers_bytes": limits.all_answers,
                    "header_seconds": limits.connections.header_time.as_secs(),
                    "body_seconds": limits.body_time.as_secs(),
                    "write_seconds": limits.connections.write_time.as_secs(),
                    "request_seconds": limits.request_time.as_secs(),
                },
            });
            println!("{line}");
            return;
        }
        let size = |bytes: usize| mebibytes(bytes as u64);
        println!("listening on http://{address}");
        println!("models       {}", models.join(", "));
        println!("base         sha256 {}", hex::encode(base.sha256));
        println!("arithmetic   {}", base.arithmetic);
        println!(
            "memory       at most {}: weights {}, keys and values {}, steps {}, logits {}, requests {}, \
             grammars {}, connections {}, adapters {}",
            size(memory.total() + weights + http + adapters),
            size(weights),
            size(memory.kv_bytes),
            size(memory.step_bytes),
            size(memory.logits_bytes),
            size(memory.request_bytes),
            size(memory.grammar_bytes),
            size(http),
            size(*adapters),
        );
        println!(
            "limits       {} tokens of prompt and answer, {} of an answer; {} connections; bodies of {} KiB \
             within {} s; answers within {} s",
            limits.context,
            limits.answer_tokens,
            limits.connections.connections,
            limits.body_bytes >> 10,
            limits.body_time.as_secs(),
            limits.request_time.as_secs(),
        );
        match keys.count() {
            0 => println!("access       anybody on this machine (no --api-keys)"),
            count => println!("access       {count} keys"),
        }
    }
}
