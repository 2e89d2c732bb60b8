//! `trainer-worker bench`: this engine on this machine, and its side of `scripts/bench trainer`.
//!
//! A measurement runs in rounds. With `--wait` each round waits for a line on standard input and
//! answers with one JSON line, so that a script can let another program run the same work in turns
//! with it, on the same machine at the same time.

mod products;
mod random;

use super::{AdapterArgs, DeviceArgs, ModelArgs, OutputArgs};
use anyhow::{bail, Context, Result};
use clap::ValueEnum;
use openledger_engine::kernels::cpu::{instructions, use_instructions, Instructions};
use openledger_engine::kernels::gemm;
use openledger_engine::kernels::rng::Stream;
use openledger_engine::lora::Adapter;
use openledger_engine::model::decode::Session;
use openledger_engine::model::forward::{Batch, DropoutAt, Runner};
use openledger_engine::model::passes::{self, PassSettings};
use openledger_engine::model::{Model, Precision};
use openledger_engine::optim::{clip_by_global_norm, AdamW};
use openledger_engine::report::memory;
use openledger_engine::train::{on_training_threads, TrainSettings};
use serde_json::{json, Value};
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::time::Instant;

/// Arguments of `bench`.
#[derive(clap::Args)]
#[command(
    after_help = "With --json each figure is a line {\"name\": …, \"unit\": …, \"value\": …, \"best\": …}: the median and \
the best of the rounds. Tokens are random, so speeds do not depend on what a model would say.

Examples:
  trainer-worker bench --model MODEL.gguf
  trainer-worker bench decode --model MODEL.gguf --tokens 256 --adapter adapter/
  trainer-worker bench train --model MODEL.gguf --qlora --batch 2 --sequence 512 --json

scripts/bench trainer runs it beside PyTorch + PEFT and llama.cpp."
)]
pub(crate) struct Args {
    /// What to measure; everything when left out.
    what: Vec<What>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    adapter: AdapterArgs,
    /// Decode with a fresh adapter of rank 8 on the default modules, in place of one from a file.
    #[arg(long, conflicts_with = "adapter")]
    with_adapter: bool,
    /// Train on a base in few bits: a GGUF file's own, NF4 for a folder.
    #[arg(long)]
    qlora: bool,
    /// Make the weights from this seed; the model is a folder with a config.json alone.
    #[arg(long, value_name = "SEED")]
    random_weights: Option<u64>,
    /// Where to train; everything else is measured on the CPU.
    #[command(flatten)]
    device: DeviceArgs,
    /// Decode by f32 weights, in place of a GGUF file's few bits and integer products.
    #[arg(long)]
    dense: bool,
    /// Sequences of a training step (with --sequence 128 4, else 2).
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=256))]
    batch: Option<u64>,
    /// Tokens of each of them (both 128 and 512 when left out).
    #[arg(long, value_parser = clap::value_parser!(u64).range(2..=32768))]
    sequence: Option<u64>,
    /// Optimiser steps a round.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=1000))]
    steps: u64,
    /// Tokens to decode (128 when left out), of the prompt and the forward pass (512), rows of the products (512).
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=32768))]
    tokens: Option<u64>,
    /// Rounds of each measurement.
    #[arg(long, alias = "repeat", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    rounds: u64,
    /// Wait for a line on standard input before each round, and answer with a line of JSON; ends
    /// with the input. For one measurement.
    #[arg(long)]
    wait: bool,
    /// Threads (all of the machine's by default).
    #[arg(long)]
    threads: Option<usize>,
    /// Use lesser vector instructions: portable, avx2 or avx512.
    #[arg(long)]
    instructions: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// The products of a training step: ours, and the crate gemm in its own order of additions.
    Gemm,
    /// LoRA training steps (rank 8 on the default modules, AdamW), all tokens labelled.
    Train,
    /// A prompt read by the step of generation and serving, in its one order of additions.
    Prompt,
    /// The same prompt by the forward pass of training and evaluation, whose order follows the rows.
    Forward,
    /// Tokens generated one by one.
    Decode,
}

/// A figure of each round: its name there, its name and unit for readers.
type Figure = (&'static str, String, &'static str);

/// Something that is ready to be measured.
struct Measurement {
    /// What a script is told before the first round.
    ready: Value,
    figures: Vec<Figure>,
    round: Box<dyn FnMut() -> Result<Value>>,
}

/// Floating-point operations a second of a large matrix product with `rows` rows.
pub(crate) fn gemm_rate(rows: usize) -> f64 {
    let (m, n, k) = (rows.max(1), 1536, 576);
    let (x, w) = (vec![0.5f32; m * k], vec![0.25f32; n * k]);
    let mut y = vec![0f32; m * n];
    gemm::nt(&mut y, &x, &w, (m, n, k), 1.0, false);
    let mut best = 0f64;
    for _ in 0..5 {
        let started = Instant::now();
        gemm::nt(&mut y, black_box(&x), &w, (m, n, k), 1.0, false);
        black_box(&y);
        let seconds = started.elapsed().as_secs_f64().max(1e-9);
        best = best.max(2.0 * (m * n * k) as f64 / seconds);
    }
    best
}

pub(crate) fn run(mut args: Args) -> Result<()> {
    if let Some(name) = &args.instructions {
        let set = Instructions::ALL.into_iter().find(|i| i.name() == name);
        let Some(set) = set else {
            bail!("--instructions {name}: choose portable, avx2 or avx512");
        };
        if !use_instructions(set) {
            bail!("this CPU has no {name}");
        }
    }
    let settings = TrainSettings { threads: args.threads, ..TrainSettings::default() };
    settings.validate()?;
    if args.what.is_empty() {
        args.what = What::value_variants().to_vec();
    }
    let sequences: &[u64] = match &args.sequence {
        Some(length) => std::slice::from_ref(length),
        None => &[128, 512],
    };
    let jobs: Vec<(What, u64)> = args
        .what
        .iter()
        .flat_map(|what| {
            let lengths = if *what == What::Train { sequences } else { &sequences[..1] };
            lengths.iter().map(|length| (*what, *length))
        })
        .collect();
    if args.wait && jobs.len() != 1 {
        bail!("--wait goes with one measurement: name one, and for train a --sequence");
    }
    on_training_threads(args.threads, || -> Result<()> {
        if !args.wait {
            show(&args, "threads", "threads", &[rayon::current_num_threads() as f64]);
        }
        let limit = args.model.config()?.max_position_embeddings as u64;
        for (what, length) in jobs {
            if what == What::Train && args.sequence.is_none() && length > limit {
                continue;
            }
            let measurement = match what {
                What::Gemm => products::measurement(&args),
                What::Train => train(&args, length as usize),
                What::Forward => forward(&args, limit as usize),
                What::Prompt | What::Decode => decode(&args, what == What::Prompt, limit as usize),
            }?;
            if args.wait {
                answer_in_turns(measurement)?;
            } else {
                summarise(&args, measurement)?;
            }
        }
        Ok(())
    })??;
    if let Some(peak) = memory::peak_resident().filter(|_| !args.wait) {
        show(&args, "peak_memory", "MiB", &[peak as f64 / (1 << 20) as f64]);
    }
    Ok(())
}

/// Prints the median and the best of a figure's rounds.
fn show(args: &Args, name: &str, unit: &str, rounds: &[f64]) {
    let mut sorted = rounds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let Some(best) = sorted.last().copied() else { return };
    let value = if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        (sorted[middle - 1] + sorted[middle]) / 2.0
    };
    if args.output.json() {
        println!("{}", json!({ "name": name, "unit": unit, "value": value, "best": best }));
    } else if rounds.len() > 1 {
        println!("{name:<32} {value:>12.2} {unit:<9} (best {best:.2})");
    } else {
        println!("{name:<32} {value:>12.2} {unit}");
    }
}

/// Runs all rounds and prints each figure.
fn summarise(args: &Args, mut measurement: Measurement) -> Result<()> {
    let mut rounds = vec![Vec::new(); measurement.figures.len()];
    for _ in 0..args.rounds {
        let result = (measurement.round)()?;
        for ((key, ..), values) in measurement.figures.iter().zip(&mut rounds) {
            values.extend(result[*key].as_f64());
        }
    }
    for ((_, name, unit), values) in measurement.figures.iter().zip(&rounds) {
        show(args, name, unit, values);
    }
    Ok(())
}

/// Prints `ready` and then a line a round, each when asked for.
fn answer_in_turns(mut measurement: Measurement) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", measurement.ready)?;
    out.flush()?;
    let mut lines = std::io::stdin().lock().lines();
    while lines.next().transpose()?.is_some() {
        writeln!(out, "{}", (measurement.round)()?)?;
        out.flush()?;
    }
    Ok(())
}

/// The model, and by how much memory grew while it was loaded.
fn load(args: &Args, precision: Precision) -> Result<(Arc<Model>, Option<u64>)> {
    if let Some(seed) = args.random_weights {
        return Ok((random::model(&args.model, seed, precision)?, None));
    }
    let before = memory::resident();
    let model = args.model.weights(precision)?;
    let grown = before.zip(memory::resident()).map(|(b, a)| a.saturating_sub(b));
    Ok((model, grown))
}

fn random_tokens(seed: u64, count: usize, vocabulary: usize) -> Vec<u32> {
    let mut stream = Stream::new(seed, "bench", &[]);
    (0..count).map(|_| stream.below(vocabulary) as u32).collect()
}

fn train(args: &Args, sequence: usize) -> Result<Measurement> {
    let arithmetic = args.device.arithmetic()?;
    arithmetic.device.open()?;
    let precision =
        if args.qlora { Precision::for_qlora(&args.model.model) } else { Precision::Dense };
    let batch = args.batch.unwrap_or(if sequence <= 128 { 4 } else { 2 }) as usize;
    let steps = args.steps as usize;
    let (model, base) = load(args, precision)?;
    let settings = TrainSettings::default();
    let mut adapter = Adapter::new(settings.lora(&model.config)?, &model.config, settings.seed);
    let mut optimizer = AdamW::new(&adapter.layers, 0.0);
    let passes = PassSettings { max_tokens: sequence, ..PassSettings::default() };
    let passes = passes::open(&model, arithmetic, passes)?;
    let flops_per_token = products::training_flops(&model, sequence);
    let parameters = u64::try_from(model.config.parameters()).unwrap_or(u64::MAX);
    let mut step = 0u64;
    let mut one = move || -> Result<f64> {
        let tokens = random_tokens(step, batch * sequence, model.config.vocab_size);
        let labels = vec![true; sequence];
        let sequences: Vec<(&[u32], &[bool])> =
            tokens.chunks(sequence).map(|t| (t, labels.as_slice())).collect();
        let data = Batch::new(&sequences);
        let scale = 1.0 / data.targets.len() as f64;
        let at = DropoutAt { seed: settings.seed, step, micro: 0 };
        let result = passes.loss_and_gradients(&data, &adapter, scale, Some(at))?;
        let gradients = result.gradients.into_iter().collect::<Option<Vec<_>>>();
        let mut gradients = gradients.context("a layer has no gradient")?;
        clip_by_global_norm(&mut gradients, settings.max_grad_norm);
        optimizer.update(&mut adapter.layers, &gradients, settings.learning_rate);
        step += 1;
        Ok(result.loss_sum * scale)
    };
    // Buffers are allocated in the first step.
    one()?;
    let ready = json!({
        "ready": "train",
        "instructions": instructions().name(),
        "base_memory": base,
        "parameters": parameters,
        "device": arithmetic.device.name(),
        "dtype": arithmetic.dtype.name(),
        "flops_per_token": flops_per_token,
    });
    let name =
        format!("{}_tokens_per_second_{sequence}", if args.qlora { "qlora" } else { "lora" });
    Ok(Measurement {
        ready,
        figures: vec![("tokens_per_second", name, "tokens/s")],
        round: Box::new(move || {
            let started = Instant::now();
            let mut loss = 0.0;
            for _ in 0..steps {
                loss = one()?;
            }
            let seconds = started.elapsed().as_secs_f64();
            Ok(json!({
                "tokens_per_second": (steps * batch * sequence) as f64 / seconds,
                "seconds": seconds,
                "loss": loss,
                "peak_memory": memory::peak_resident(),
            }))
        }),
    })
}

/// An adapter that changes a little of everything.
fn fresh_adapter(model: &Model) -> Result<Arc<Adapter>> {
    let lora = TrainSettings::default().lora(&model.config)?;
    let mut fresh = Adapter::new(lora, &model.config, 1);
    for values in &mut fresh.layers {
        values.iter_mut().enumerate().for_each(|(i, v)| *v += (i % 7) as f32 * 1e-4);
    }
    Ok(Arc::new(fresh))
}

/// What the order of the step costs is told by the distance to this.
fn forward(args: &Args, limit: usize) -> Result<Measurement> {
    let count = args.tokens.unwrap_or(512) as usize;
    let count = count.min(limit).max(2);
    let precision = if args.dense { Precision::Dense } else { Precision::Quantised };
    let (model, base) = load(args, precision)?;
    let mut adapter = args.adapter.load(&model)?;
    if args.with_adapter {
        adapter = Some(fresh_adapter(&model)?);
    }
    let tokens = random_tokens(1, count, model.config.vocab_size);
    // One row of logits, as a prompt's: those of the last token but one.
    let labels: Vec<bool> = (1..=count).map(|place| place == count).collect();
    let runner = Runner::new(model, count)?;
    let one = move || runner.loss(&Batch::new(&[(&tokens, &labels)]), adapter.as_deref());
    // Buffers are allocated in the first pass.
    one()?;
    let ready = json!({
        "ready": "forward",
        "instructions": instructions().name(),
        "base_memory": base,
    });
    Ok(Measurement {
        ready,
        figures: vec![("tokens_per_second", "forward_tokens_per_second".to_owned(), "tokens/s")],
        round: Box::new(move || {
            let started = Instant::now();
            black_box(one()?);
            let seconds = started.elapsed().as_secs_f64();
            Ok(json!({
                "tokens_per_second": count as f64 / seconds,
                "seconds": seconds,
                "peak_memory": memory::peak_resident(),
            }))
        }),
    })
}

fn decode(args: &Args, prompt: bool, limit: usize) -> Result<Measurement> {
    let count = args.tokens.unwrap_or(if prompt { 512 } else { 128 }) as usize;
    let count = count.min(limit.saturating_sub(1)).max(1);
    // As the file has it: decoding by integer products, a prompt by its values.
    let precision = if args.dense { Precision::Dense } else { Precision::Quantised };
    let (model, base) = load(args, precision)?;
    let mut adapter = args.adapter.load(&model)?;
    if args.with_adapter {
        adapter = Some(fresh_adapter(&model)?);
    }
    let tokens = random_tokens(1, count, model.config.vocab_size);
    let what = if prompt { "prompt" } else { "decode" };
    let ready = json!({
        "ready": what,
        "instructions": instructions().name(),
        "base_memory": base,
    });
    Ok(Measurement {
        ready,
        figures: vec![("tokens_per_second", format!("{what}_tokens_per_second"), "tokens/s")],
        round: Box::new(move || {
            let mut session = Session::new(model.clone(), adapter.clone(), count + 1)?;
            session.push(&[1])?;
            let started = Instant::now();
            if prompt {
                session.push(&tokens)?;
            } else {
                for token in &tokens {
                    session.push(&[*token])?;
                }
            }
            let seconds = started.elapsed().as_secs_f64();
            Ok(json!({
                "tokens_per_second": count as f64 / seconds,
                "seconds": seconds,
                "peak_memory": memory::peak_resident(),
            }))
        }),
    })
}
