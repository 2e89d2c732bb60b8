//! OpenLedger's training engine: LoRA fine-tuning of decoder-only transformers, evaluation,
//! export in PEFT's format, and generation.
//!
//! ```no_run
//! use openledger_engine::{data, model, tokenizer::Tokenizer, train};
//! use openledger_primitives::MediaType;
//! use std::{path::Path, sync::Arc};
//!
//! let path = Path::new("SmolLM2-135M-Instruct.Q4_1.gguf");
//! let model = Arc::new(model::Model::open(path)?);
//! let tokenizer = Tokenizer::open(path)?;
//! let text = b"Q: Who pays the reviewers?\nA: The pool of the Datanet.\n".to_vec();
//! let files = [data::DataFile::new(text, MediaType::Txt, "notes.txt", "")];
//! let settings = train::TrainSettings::default();
//! let run = train::Run { model, tokenizer: &tokenizer, files: &files, settings: &settings };
//! let outcome = run.train(&train::Control::default())?;
//! openledger_engine::peft::save(Path::new("adapter"), &outcome.adapter, "SmolLM2-135M-Instruct")?;
//! # Ok::<(), openledger_engine::error::Error>(())
//! ```
//!
//! # Parts
//!
//! * [`model`]: configuration, weights from GGUF or Hugging Face folders, the differentiable forward
//!   and the step-by-step one;
//! * [`kernels`]: the arithmetic, each forward beside its hand-written backward;
//! * [`lora`], [`optim`], [`train`]: adapters, AdamW, the training loop with checkpoints;
//! * [`device`]: where the passes run: the CPU's own kernels, or candle's on a GPU;
//! * [`data`]: from files to examples that know their origin;
//! * [`tokenizer`], [`generate`]: text in and out;
//! * [`serving`]: many requests at the same time, each with its own adapter;
//! * [`peft`]: adapters as Hugging Face PEFT reads and writes them;
//! * [`export`]: merged models, GGUF adapters for llama.cpp, Modelfiles for Ollama;
//! * [`report`]: what a run tells others: `trainer_state.json`, TensorBoard, MLflow, memory;
//! * [`hub`]: models fetched from the Hugging Face hub or a package index.

pub mod data;
pub mod device;
pub mod error;
pub mod export;
pub mod generate;
mod http;
pub mod hub;
pub mod lora;
pub mod model;
pub mod optim;
pub mod peft;
pub mod report;
pub mod serving;
pub mod tokenizer;
pub mod train;

pub use error::{Error, Result};
pub use openledger_kernels as kernels;
