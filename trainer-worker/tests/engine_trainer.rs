//! The training engine, through its public door: arithmetic against finite differences and golden
//! files from PyTorch, adapters in PEFT's format, resume to the bit, hostile files, the data rule,
//! and the real model.

#[path = "engine_trainer/adapters.rs"]
mod adapters;
#[path = "engine_trainer/checkpoints.rs"]
mod checkpoints;
#[path = "engine_trainer/commands.rs"]
mod commands;
#[path = "engine_trainer/commands_chat.rs"]
mod commands_chat;
#[path = "engine_trainer/commands_data.rs"]
mod commands_data;
#[path = "engine_trainer/commands_export.rs"]
mod commands_export;
#[path = "engine_trainer/commands_train.rs"]
mod commands_train;
#[path = "engine_trainer/common.rs"]
mod common;
#[path = "engine_trainer/data_faults.rs"]
mod data_faults;
#[path = "engine_trainer/data_formats.rs"]
mod data_formats;
#[path = "engine_trainer/data_properties.rs"]
mod data_properties;
#[path = "engine_trainer/data_records.rs"]
mod data_records;
#[path = "engine_trainer/data_rule.rs"]
mod data_rule;
#[path = "engine_trainer/data_shapes.rs"]
mod data_shapes;
#[path = "engine_trainer/decoding_step.rs"]
mod decoding_step;
#[path = "engine_trainer/deepseek.rs"]
mod deepseek;
#[path = "engine_trainer/deepseek_ops.rs"]
mod deepseek_ops;
#[path = "engine_trainer/device.rs"]
mod device;
#[path = "engine_trainer/device_ops.rs"]
mod device_ops;
#[path = "engine_trainer/dpo.rs"]
mod dpo;
#[path = "engine_trainer/families.rs"]
mod families;
#[path = "engine_trainer/gguf_files.rs"]
mod gguf_files;
#[path = "engine_trainer/golden.rs"]
mod golden;
#[path = "engine_trainer/graph.rs"]
mod graph;
#[path = "engine_trainer/hostile.rs"]
mod hostile;
#[path = "engine_trainer/memory.rs"]
mod memory;
#[path = "engine_trainer/merging.rs"]
mod merging;
#[path = "engine_trainer/model_files.rs"]
mod model_files;
#[path = "engine_trainer/mutations.rs"]
mod mutations;
#[path = "engine_trainer/ops.rs"]
mod ops;
#[path = "engine_trainer/optimiser.rs"]
mod optimiser;
#[path = "engine_trainer/peft_format.rs"]
mod peft_format;
#[path = "engine_trainer/posted_loss.rs"]
mod posted_loss;
#[path = "engine_trainer/quant.rs"]
mod quant;
#[path = "engine_trainer/quant_model.rs"]
mod quant_model;
#[path = "engine_trainer/real_lora.rs"]
mod real_lora;
#[path = "engine_trainer/real_model.rs"]
mod real_model;
#[path = "engine_trainer/reproducible.rs"]
mod reproducible;
#[path = "engine_trainer/runs.rs"]
mod runs;
#[path = "engine_trainer/seeming.rs"]
mod seeming;
#[path = "engine_trainer/sentencepiece.rs"]
mod sentencepiece;
#[path = "engine_trainer/server.rs"]
mod server;
#[path = "engine_trainer/tokenizers.rs"]
mod tokenizers;
#[path = "engine_trainer/train_options.rs"]
mod train_options;
#[path = "engine_trainer/training.rs"]
mod training;
#[path = "engine_trainer/yaml_files.rs"]
mod yaml_files;
