//! The index with a real node: rows beside the chain's state, streams over a gateway that is killed, equal
//! rows from genesis, the node's JSON-RPC, and a node that threw its past away.

// Denied in `index`; see clippy.toml.
#![allow(clippy::disallowed_methods)]

mod system_gateway_index {
    mod chain;
    mod gateway;
    // Shared by test programs, each of which uses a part.
    #[allow(dead_code)]
    #[path = "../common/http.rs"]
    mod http;
    mod pruned;
}
