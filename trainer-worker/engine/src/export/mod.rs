//! What others load: adapters as GGUF for llama.cpp, Modelfiles for Ollama, merged models as Hugging
//! Face folders; and what each of them refuses of an adapter.
//!
//! Everything here reads PEFT's files tensor by tensor under their own names, so that it serves every
//! family, and adapters made by others.

pub mod adapter;
pub mod compatibility;
pub mod gguf_lora;
pub mod hf_config;
pub mod merge;
pub mod modelfile;
pub mod tensors;

pub use adapter::PeftAdapter;
pub use gguf_lora::{export_gguf_lora, Base};
pub use merge::{merge, MergeSettings};
