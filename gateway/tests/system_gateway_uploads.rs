//! Uploads with a real node: a newcomer's way to an accepted file, a gateway that is killed, many uploads
//! at once, and a faucet that gives nothing of value away.

// Denied in `index`; see clippy.toml.
#![allow(clippy::disallowed_methods)]

mod system_gateway_uploads {
    mod gateway;
    #[path = "../common/http.rs"]
    mod http;
    mod newcomer;
    mod pressure;
}
