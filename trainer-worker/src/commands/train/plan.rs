//! What a training will take: for `--dry-run`, and to refuse what cannot fit into memory.

use super::super::error::refused;
use super::super::{duration, mebibytes};
use super::args::{Args, Stage};
use anyhow::Result;
use openledger_engine::data::{self, Report, Shown, Sources};
use openledger_engine::device::{Arithmetic, Device};
use openledger_engine::lora::Layout;
use openledger_engine::model::{folder, weights::Precision, ModelConfig};
use openledger_engine::report::memory::{self, Available};
use openledger_engine::tokenizer::Tokenizer;
use openledger_engine::train::plan::Plan;
use openledger_engine::train::{
    memory_estimate, takes_batches_whole, GradientCheckpointing, MemoryEstimate, TrainSettings,
};
use openledger_primitives::text::counted;
use serde_json::{json, Value};
use std::time::Duration;

/// What the program, its threads, the tokenizer and the allocator take besides the estimate, in
/// bytes. On the CPU a little more than was measured on SmolLM2 (90 and 104 MiB with LoRA, 70 and 83
/// with QLoRA, on batches of 4 × 128 and 2 × 512); on a device, its own program as well.
fn program_bytes(device: Device) -> u64 {
    if device == Device::Cpu {
        112 << 20
    } else {
        224 << 20
    }
}

/// What the base model takes in memory, or in that of the device that the run has.
fn base_bytes(args: &Args, config: &ModelConfig, value: u64) -> u64 {
    let parameters = u64::try_from(config.parameters()).unwrap_or(u64::MAX);
    match args.precision() {
        Precision::Dense => parameters.saturating_mul(value),
        // The file's own blocks.
        Precision::Quantised => folder::weight_bytes(&args.model.model),
        // 4.13 bits a value, embedding and head in 16.
        Precision::Nf4 { .. } => {
            let ends = 2 * (config.vocab_size * config.hidden_size) as u64;
            parameters.saturating_mul(52) / 100 + 2 * ends
        }
    }
}

/// A run before it starts.
pub(super) struct Forecast {
    config: ModelConfig,
    trainable: usize,
    train: usize,
    held_out: usize,
    report: Report,
    steps: u64,
    tokens: u64,
    memory: MemoryEstimate,
    program: u64,
    recompute: bool,
    available: Option<Available>,
    previews: Vec<Shown>,
    sources: Sources,
    capped: Vec<String>,
}

impl Forecast {
    pub(super) fn new(
        args: &Args,
        settings: &TrainSettings,
        config: ModelConfig,
        tokenizer: &Tokenizer,
        sources: &Sources,
    ) -> Result<Self> {
        let files = &sources.files;
        let max_seq = settings.max_seq_length.min(config.max_position_embeddings);
        config.check_batched_length(max_seq)?;
        let shown = |e: &data::Example| Ok(Shown::of(tokenizer, e)?);
        let options = settings.data_options(max_seq);
        let (lengths, previews, report) = match args.stage {
            Stage::Sft => {
                let (all, report) = data::examples_with(files, tokenizer, &options)?;
                let previews = all.iter().take(3).map(shown).collect::<Result<Vec<_>>>()?;
                let length = |e: &data::Example| (e.tokens.len(), e.origin.evaluation);
                (all.iter().map(length).collect::<Vec<_>>(), previews, report)
            }
            Stage::Dpo => {
                let (all, report) = data::preferences(files, tokenizer, &options)?;
                let previews = all
                    .iter()
                    .take(2)
                    .flat_map(|p| [&p.chosen, &p.rejected])
                    .map(shown)
                    .collect::<Result<Vec<_>>>()?;
                let length = |p: &data::Preference| (p.tokens(), p.chosen.origin.evaluation);
                (all.iter().map(length).collect(), previews, report)
            }
        };
        let (fraction, seed) = (settings.eval_fraction, settings.seed);
        let (train, held_out) = data::divide(lengths, |(_, held)| *held, fraction, seed);
        let train: Vec<usize> = train.into_iter().map(|(length, _)| length).collect();
        let examples = train.len();
        let plan = Plan::of_lengths(settings, train);
        let (steps, tokens) = (plan.total_steps, plan.total_tokens);
        let lora = settings.lora(&config)?;
        let Arithmetic { device, dtype } = settings.arithmetic;
        let whole = args.stage == Stage::Dpo || takes_batches_whole(&config, lora.use_dora, device);
        let rows = plan.rows_at_once(whole);
        let trainable =
            (0..config.num_hidden_layers).map(|layer| Layout::new(&config, &lora, layer).len).sum();
        let value = if device == Device::Cpu { 4 } else { dtype.bytes() };
        let mut base = base_bytes(args, &config, value);
        if device == Device::CandleCpu {
            // Beside the copy that candle computes with.
            base = base.saturating_add(base_bytes(args, &config, 4));
        }
        let estimate =
            |recompute| memory_estimate(&config, base, trainable, rows, settings, recompute);
        let available = if device.uses_host_memory() {
            memory::available()
        } else {
            openledger_engine::device::memory(device).map(|(free, _)| Available {
                bytes: free,
                limit: format!("the memory of {}", device.name()),
                swap: 0,
            })
        };
        let program = program_bytes(device);
        let free = available.as_ref().map_or(u64::MAX, |a| a.bytes);
        let recompute = match settings.gradient_checkpointing {
            GradientCheckpointing::On => true,
            GradientCheckpointing::Off => false,
            GradientCheckpointing::Auto => estimate(false).total() + program > free,
        };
        let memory = estimate(recompute);
        Ok(Self {
            config,
            trainable,
            train: examples,
            held_out: held_out.len(),
            report,
            steps,
            tokens,
            memory,
            program,
            recompute,
            available,
            previews,
            capped: capped(settings, max_seq, steps),
            sources: Sources { files: Vec::new(), ..sources.clone() },
        })
    }

    /// What a person should know of the data before it is trained on, a line each.
    pub(super) fn said(&self) -> Vec<String> {
        [self.sources.lines(), self.capped.clone(), self.report.lines()].concat()
    }

    /// Bytes of the whole process.
    pub(super) fn needed(&self) -> u64 {
        self.memory.total().saturating_add(self.program)
    }

    /// Refuses a run that the machine has too little memory for.
    pub(super) fn check_memory(&self, settings: &TrainSettings) -> Result<()> {
        let Some(available) = &self.available else { return Ok(()) };
        if self.needed() <= available.bytes {
            return Ok(());
        }
        let total = self.memory.total();
        let mut lower = Vec::new();
        if self.memory.activations + self.memory.buffers > total / 4 {
            if settings.per_device_train_batch_size > 1 {
                lower.push(format!(
                    "lower per_device_train_batch_size (now {}; gradient_accumulation_steps makes \
                     up for it)",
                    settings.per_device_train_batch_size
                ));
            }
            lower.push(format!("lower max_seq_length (now {})", settings.max_seq_length));
            if !self.recompute {
                lower.push("set gradient_checkpointing true".to_owned());
            }
        }
        if self.memory.adapter > total / 8 {
            lower.push(format!("lower lora_r (now {})", settings.lora_r));
        }
        if self.memory.weights > total / 2 {
            lower.push("choose a smaller base model".to_owned());
        }
        Err(refused(format!(
            "this training needs about {} of memory, {} are left by {}; {}, or pass \
             --ignore-memory to start all the same",
            mebibytes(self.needed()),
            mebibytes(available.bytes),
            available.limit,
            lower.join(", ")
        )))
    }

    /// Seconds of training, from the speed at which this machine multiplies matrices. LoRA takes
    /// 4 floating-point operations a base parameter and token (one pass forward, one backward).
    fn seconds(&self) -> f64 {
        let operations = 4.0 * self.config.parameters() as f64 * self.tokens as f64;
        let again = if self.recompute { 1.5 } else { 1.0 };
        // Of the limit, what training reaches on small and middle-sized models.
        const SHARE: f64 = 0.6;
        operations * again / (super::super::bench::gemm_rate(512) * SHARE)
    }

    pub(super) fn json(&self) -> Value {
        let m = &self.memory;
        json!({
            "parameters": u64::try_from(self.config.parameters()).unwrap_or(u64::MAX),
            "trainable_parameters": self.trainable,
            "trainable_share": self.share(),
            "examples": { "train": self.train, "held_out": self.held_out },
            "data": {
                "files": self.report.files, "chats": self.report.chats,
                "windows": self.report.windows, "truncated": self.report.truncated,
                "skipped": self.report.skipped, "tokens": self.report.tokens,
                "labelled_tokens": self.report.labelled,
                "cut_tokens": self.report.cut_tokens, "reasons": self.report.reasons,
                "remarks": self.report.remarks, "notes": self.report.notes,
                "left_out": self.sources.left_out, "evaluation": self.sources.evaluation,
            },
            "capped": self.capped,
            "steps": self.steps,
            "tokens": self.tokens,
            "memory_bytes": {
                "weights": m.weights, "adapter": m.adapter, "activations": m.activations,
                "buffers": m.buffers, "program": self.program, "total": self.needed(),
            },
            "available_bytes": self.available.as_ref().map(|a| a.bytes),
            "fits": self.available.as_ref().map(|a| self.needed() <= a.bytes),
            "gradient_checkpointing": self.recompute,
            "estimated_seconds": self.seconds(),
            "preview": self.previews,
        })
    }

    fn share(&self) -> f64 {
        self.trainable as f64 / (self.config.parameters() as f64 + self.trainable as f64)
    }

    pub(super) fn text(&self, args: &Args) -> String {
        let m = &self.memory;
        let mut text = format!(
            "Model       {} parameters, of which {} more are trained ({:.3} %)\n",
            self.config.parameters(),
            self.trainable,
            self.share() * 100.0
        );
        let r = &self.report;
        text += &format!(
            "Data        {}: {}, {} of text ({} cut, {} skipped); {} tokens, {} of them labelled\n",
            counted(r.files, "file"),
            counted(r.chats, "chat example"),
            counted(r.windows, "window"),
            r.truncated,
            r.skipped,
            r.tokens,
            r.labelled
        );
        text += &format!(
            "Run         {} to train on, {} held out; {}, {} tokens\n",
            counted(self.train, "example"),
            self.held_out,
            counted(self.steps, "step"),
            self.tokens
        );
        text += &format!(
            "Memory      about {}: base {}, adapter and optimiser {}, activations {}{}, buffers {}\n",
            mebibytes(self.needed()),
            mebibytes(m.weights),
            mebibytes(m.adapter),
            mebibytes(m.activations),
            if self.recompute { " (recomputed)" } else { "" },
            mebibytes(m.buffers),
        );
        if let Some(available) = &self.available {
            let fits = if self.needed() <= available.bytes { "it fits" } else { "it does not fit" };
            text += &format!(
                "Available   {} ({}): {fits}\n",
                mebibytes(available.bytes),
                available.limit
            );
        }
        text += &format!(
            "Time        about {}, from this machine's matrix speed\n",
            duration(Duration::from_secs_f64(self.seconds().clamp(0.0, 1e9)))
        );
        text += &format!("Output      {}\n", args.output.display());
        for line in self.said() {
            text += &format!("{line}\n");
        }
        text + &examples(&self.previews)
    }
}

/// What was asked for and is not done as far, with the reason.
fn capped(settings: &TrainSettings, max_seq: usize, steps: u64) -> Vec<String> {
    let mut capped = Vec::new();
    if max_seq < settings.max_seq_length {
        capped.push(format!(
            "max_seq_length is {max_seq}, the model's window, instead of {}",
            settings.max_seq_length
        ));
    }
    let warmup = settings.warmup_steps.unwrap_or(0);
    if warmup > steps {
        capped.push(format!(
            "warm-up is {steps} steps, as many as the run has, instead of {warmup}: it ends before the \
             learning rate has reached its peak"
        ));
    }
    capped
}

/// Examples for people, with what is learned of each.
pub(crate) fn examples(shown: &[Shown]) -> String {
    let short = |text: &str| {
        let short: String = text.chars().take(400).collect();
        let more = if short.len() < text.len() { " …" } else { "" };
        short + more
    };
    let mut text = String::new();
    if !shown.is_empty() {
        text += "\nSpecial tokens stand between ⟦ and ⟧; anything else is letters.\n";
    }
    for (i, example) in shown.iter().enumerate() {
        text += &format!(
            "\nExample {} ({} tokens, {} labelled)\n{}\nlearned: {}\n",
            i + 1,
            example.tokens,
            example.labelled_tokens,
            short(&example.text),
            short(&example.learned)
        );
    }
    text
}
