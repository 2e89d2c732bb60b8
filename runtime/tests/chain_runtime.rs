//! The runtime through its front door: genesis, signed extrinsics through Executive, metadata.

#[path = "chain_runtime/common.rs"]
mod common;
#[path = "chain_runtime/metadata.rs"]
mod metadata;
