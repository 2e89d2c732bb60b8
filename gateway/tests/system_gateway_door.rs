//! The gateway's public door, as a stranger on the network finds it: what is slow, large, many, or not what it
//! says it is.

// Denied in `index`; see clippy.toml.
#![allow(clippy::disallowed_methods)]

mod system_gateway_door {
    mod agents;
    mod answers;
    mod description;
    mod door;
    mod gone;
    // Shared by test programs, each of which uses a part.
    #[allow(dead_code)]
    #[path = "../common/http.rs"]
    mod http;
    mod names;
    mod patience;
    mod relay;
    mod streams;
    mod websocket;
}
