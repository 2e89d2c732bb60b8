//! The engine, through its public door: arithmetic against finite differences and golden files from
//! PyTorch, adapters in PEFT's format, resume to the bit, hostile files, the data rule, and the real
//! model.

/// The engine's own folder.
const ENGINE: &str = env!("CARGO_MANIFEST_DIR");

#[path = "engine_models/adapters.rs"]
mod adapters;
#[path = "engine_models/common.rs"]
mod common;
#[path = "engine_models/data_faults.rs"]
mod data_faults;
#[path = "engine_models/data_formats.rs"]
mod data_formats;
#[path = "engine_models/data_properties.rs"]
mod data_properties;
#[path = "engine_models/data_records.rs"]
mod data_records;
#[path = "engine_models/data_rule.rs"]
mod data_rule;
#[path = "engine_models/data_shapes.rs"]
mod data_shapes;
#[path = "engine_models/decoding_step.rs"]
mod decoding_step;
#[path = "engine_models/deepseek.rs"]
mod deepseek;
#[path = "engine_models/deepseek_ops.rs"]
mod deepseek_ops;
#[path = "engine_models/device_ops.rs"]
mod device_ops;
#[path = "engine_models/dpo.rs"]
mod dpo;
#[path = "engine_models/drawn.rs"]
mod drawn;
#[path = "engine_models/families.rs"]
mod families;
#[path = "engine_models/gguf_files.rs"]
mod gguf_files;
#[path = "engine_models/golden.rs"]
mod golden;
#[path = "engine_models/graph.rs"]
mod graph;
#[path = "engine_models/hostile.rs"]
mod hostile;
#[path = "engine_models/memory.rs"]
mod memory;
#[path = "engine_models/merging.rs"]
mod merging;
#[path = "engine_models/mutations.rs"]
mod mutations;
#[path = "engine_models/ops.rs"]
mod ops;
#[path = "engine_models/optimiser.rs"]
mod optimiser;
#[path = "engine_models/peft_format.rs"]
mod peft_format;
#[path = "engine_models/quant.rs"]
mod quant;
#[path = "engine_models/quant_model.rs"]
mod quant_model;
#[path = "engine_models/real_lora.rs"]
mod real_lora;
#[path = "engine_models/real_model.rs"]
mod real_model;
#[path = "engine_models/sentencepiece.rs"]
mod sentencepiece;
#[path = "engine_models/tokenizers.rs"]
mod tokenizers;
#[path = "engine_models/train_options.rs"]
mod train_options;
