//! Frozen weights in few bits: the block formats of GGUF files, NF4, and integer products for
//! decoding.
//!
//! - `blocks`: dequantisation of GGUF's formats, bit for bit as ggml's reference.
//! - `nf4`: four-bit NormalFloat as in bitsandbytes.
//! - [`QuantMatrix`]: a weight in either, dequantised in panels of rows for exact products.
//! - `activation`, `packed`, `product`: activations in 15 bits times weights laid out for AVX-512 VNNI,
//!   AVX2 or any CPU, with the same bits from all three.

pub mod activation;
pub mod blocks;
mod matrix;
pub mod nf4;
pub mod packed;
pub mod product;
pub mod team;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use activation::{Activations, SharedActivations};
pub use blocks::BlockType;
pub use matrix::{QuantMatrix, Stored};
pub use packed::Packed;
pub use product::Isa;
pub use team::Team;
