//! `trainer-worker measure`: this engine's side of `scripts/bench trainer`.
//!
//! A measurement runs in rounds. With `--wait` each round waits for a line on standard input and
//! answers with one JSON line, so that a script can let another program run the same work in turns
//! with it, on the same machine at the same time.

use super::{AdapterArgs, DeviceArgs, ModelArgs};
use anyhow::{bail, Context, Result};
use clap::Subcommand;
use gemm::Parallelism;
use serde_json::{json, Value};
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use trainer_worker::kernels::cpu::{instructions, use_instructions, Instructions};
use trainer_worker::kernels::gemm as product;
use trainer_worker::kernels::rng::Stream;
use trainer_worker::lora::Adapter;
use trainer_worker::model::decode::Session;
use trainer_worker::model::forward::{Batch, DropoutAt};
use trainer_worker::model::passes::{self, PassSettings};
use trainer_worker::model::{Model, Precision, WeightSource};
use trainer_worker::optim::{clip_by_global_norm, AdamW};
use trainer_worker::train::{on_training_threads, TrainSettings};

/// Arguments of `measure`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  trainer-worker measure train --model MODEL.gguf --batch 4 --sequence 128
  trainer-worker measure decode --model MODEL.gguf --tokens 128
  trainer-worker measure gemm --tokens 512

scripts/bench trainer runs all of it beside PyTorch + PEFT and llama.cpp.")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// LoRA training steps (r = 8 on q_proj and v_proj, AdamW) on random tokens, all labelled.
    Train(TrainArgs),
    /// Tokens generated one by one.
    Decode(DecodeArgs),
    /// A prompt read at once.
    Prompt(DecodeArgs),
    /// The products of a training step: ours, and the crate gemm in its own order of additions.
    Gemm(GemmArgs),
}

/// How rounds are run.
#[derive(clap::Args)]
struct Rounds {
    /// Rounds.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Wait for a line on standard input before each round; ends with the input.
    #[arg(long)]
    wait: bool,
    /// Threads (all of the machine's by default).
    #[arg(long)]
    threads: Option<usize>,
    /// Use lesser vector instructions: portable, avx2 or avx512.
    #[arg(long)]
    instructions: Option<String>,
}

#[derive(clap::Args)]
struct TrainArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Keep the base quantised as the file has it, or in NF4 (QLoRA).
    #[arg(long)]
    qlora: bool,
    /// Make the weights from this seed; the model is a folder with a config.json alone.
    #[arg(long, value_name = "SEED")]
    random_weights: Option<u64>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Sequences a step.
    #[arg(long, default_value_t = 4)]
    batch: usize,
    /// Tokens a sequence.
    #[arg(long, default_value_t = 128)]
    sequence: usize,
    /// Optimiser steps a round.
    #[arg(long, default_value_t = 2)]
    steps: usize,
    #[command(flatten)]
    rounds: Rounds,
}

#[derive(clap::Args)]
struct DecodeArgs {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    adapter: AdapterArgs,
    /// A fresh adapter (r = 8 on q_proj and v_proj) in place of one from a file.
    #[arg(long)]
    with_adapter: bool,
    /// Tokens a round.
    #[arg(long, default_value_t = 128)]
    tokens: usize,
    #[command(flatten)]
    rounds: Rounds,
}

#[derive(clap::Args)]
struct GemmArgs {
    /// The model whose products are run (sizes only).
    #[command(flatten)]
    model: ModelArgs,
    /// Rows: tokens a step.
    #[arg(long, default_value_t = 512)]
    tokens: usize,
    #[command(flatten)]
    rounds: Rounds,
}

pub(crate) fn run(args: Args) -> Result<()> {
    match args.what {
        What::Train(args) => train(args),
        What::Decode(args) => decode(args, false),
        What::Prompt(args) => decode(args, true),
        What::Gemm(args) => gemm_products(args),
    }
}

impl Rounds {
    fn prepare(&self) -> Result<()> {
        if let Some(name) = &self.instructions {
            let set = Instructions::ALL.into_iter().find(|i| i.name() == name);
            let Some(set) = set else {
                bail!("--instructions {name}: choose portable, avx2 or avx512");
            };
            if !use_instructions(set) {
                bail!("this CPU has no {name}");
            }
        }
        Ok(())
    }

    /// Prints `ready` and then a line a round.
    fn run(&self, ready: &Value, mut round: impl FnMut() -> Result<Value>) -> Result<()> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{ready}")?;
        out.flush()?;
        let mut lines = std::io::stdin().lock().lines();
        let mut done = 0;
        while self.wait || done < self.rounds {
            if self.wait && lines.next().transpose()?.is_none() {
                break;
            }
            writeln!(out, "{}", round()?)?;
            out.flush()?;
            done += 1;
        }
        Ok(())
    }

    fn on_threads<T: Send>(&self, f: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        on_training_threads(self.threads, f)?
    }
}

/// A figure of /proc/self/status in bytes, such as `VmHWM`; none elsewhere than on Linux.
fn memory(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with(field))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

fn load(model: &ModelArgs, precision: Precision) -> Result<(Arc<Model>, Option<u64>)> {
    let path: &PathBuf = &model.model;
    let before = memory("VmRSS");
    let model =
        Model::open_with(path, precision).with_context(|| format!("loading {}", path.display()))?;
    let grown = before.zip(memory("VmRSS")).map(|(b, a)| a.saturating_sub(b));
    Ok((Arc::new(model), grown))
}

/// Weights made from a seed, for models of which only the configuration is there: small values around
/// zero, and ones in normalisations.
struct RandomWeights {
    seed: u64,
}

impl WeightSource for RandomWeights {
    fn load(&self, name: &str, shape: &[usize]) -> trainer_worker::Result<Vec<f32>> {
        let count = shape.iter().product();
        if shape.len() == 1 {
            let value = if name.ends_with("weight") { 1.0 } else { 0.0 };
            return Ok(vec![value; count]);
        }
        let mut stream = Stream::new(self.seed, name, &[]);
        // As wide as a normal distribution of 0.02, which most families are initialised with.
        Ok((0..count).map(|_| (stream.uniform() - 0.5) * 0.07).collect())
    }

    fn has(&self, _name: &str) -> bool {
        true
    }
}

fn random_model(model: &ModelArgs, seed: u64, precision: Precision) -> Result<Arc<Model>> {
    Ok(Arc::new(Model::load_with(model.config()?, &RandomWeights { seed }, precision)?))
}

fn random_tokens(seed: u64, count: usize, vocabulary: usize) -> Vec<u32> {
    let mut stream = Stream::new(seed, "bench", &[]);
    (0..count).map(|_| stream.below(vocabulary) as u32).collect()
}

fn train(args: TrainArgs) -> Result<()> {
    let arithmetic = args.device.arithmetic()?;
    arithmetic.device.open()?;
    args.rounds.prepare()?;
    let precision =
        if args.qlora { Precision::for_qlora(&args.model.model) } else { Precision::Dense };
    let (batch, sequence) = (args.batch.clamp(1, 256), args.sequence.clamp(2, 32_768));
    args.rounds.on_threads(|| {
        let (model, base) = match args.random_weights {
            Some(seed) => (random_model(&args.model, seed, precision)?, None),
            None => load(&args.model, precision)?,
        };
        let settings = TrainSettings::default();
        let mut adapter = Adapter::new(settings.lora(&model.config)?, &model.config, settings.seed);
        let mut optimizer = AdamW::new(&adapter.layers, 0.0);
        let settings_of_passes = PassSettings { max_tokens: sequence, ..PassSettings::default() };
        let passes = passes::open(&model, arithmetic, settings_of_passes)?;
        let mut step = 0u64;
        let mut losses = Vec::new();
        let mut one = |losses: &mut Vec<f64>| -> Result<()> {
            let tokens = random_tokens(step, batch * sequence, model.config.vocab_size);
            let labels = vec![true; sequence];
            let sequences: Vec<(&[u32], &[bool])> =
                tokens.chunks(sequence).map(|t| (t, labels.as_slice())).collect();
            let data = Batch::new(&sequences);
            let scale = 1.0 / data.targets.len() as f64;
            let at = DropoutAt { seed: settings.seed, step, micro: 0 };
            let result = passes.loss_and_gradients(&data, &adapter, scale, Some(at))?;
            losses.push(result.loss_sum * scale);
            let mut gradients = result
                .gradients
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .context("a layer has no gradient")?;
            clip_by_global_norm(&mut gradients, settings.max_grad_norm);
            optimizer.update(&mut adapter.layers, &gradients, settings.learning_rate);
            step += 1;
            Ok(())
        };
        // Buffers are allocated in the first step.
        one(&mut losses)?;
        let ready = json!({
            "ready": "train",
            "instructions": instructions().name(),
            "base_memory": base,
            "parameters": u64::try_from(model.config.parameters()).unwrap_or(u64::MAX),
            "device": arithmetic.device.name(),
            "dtype": arithmetic.dtype.name(),
            "flops_per_token": training_flops(&model, sequence),
        });
        args.rounds.run(&ready, || {
            let started = Instant::now();
            for _ in 0..args.steps.max(1) {
                one(&mut losses)?;
            }
            let seconds = started.elapsed().as_secs_f64();
            let tokens = args.steps.max(1) * batch * sequence;
            Ok(json!({
                "tokens_per_second": tokens as f64 / seconds,
                "seconds": seconds,
                "loss": losses.last(),
                "peak_memory": memory("VmHWM"),
            }))
        })
    })
}

fn decode(args: DecodeArgs, prompt: bool) -> Result<()> {
    args.rounds.prepare()?;
    let count = args.tokens.clamp(1, 32_768);
    args.rounds.on_threads(|| {
        // As the file has it: decoding by integer products, a prompt by its values.
        let (model, base) = load(&args.model, Precision::Quantised)?;
        let mut adapter = args.adapter.load(&model)?;
        if adapter.is_none() && args.with_adapter {
            let mut fresh =
                Adapter::new(TrainSettings::default().lora(&model.config)?, &model.config, 1);
            for values in &mut fresh.layers {
                values.iter_mut().enumerate().for_each(|(i, v)| *v += (i % 7) as f32 * 1e-4);
            }
            adapter = Some(Arc::new(fresh));
        }
        let tokens = random_tokens(1, count, model.config.vocab_size);
        let ready = json!({
            "ready": if prompt { "prompt" } else { "decode" },
            "instructions": instructions().name(),
            "base_memory": base,
        });
        let round = || {
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
                "peak_memory": memory("VmHWM"),
            }))
        };
        args.rounds.run(&ready, round)
    })
}

/// One product of a training step: `[m, k] · [k, n]`, the right matrix transposed or not, and how
/// often a step has it.
#[derive(Clone, Copy)]
struct Shape {
    m: usize,
    n: usize,
    k: usize,
    transposed: bool,
    times: usize,
}

impl Shape {
    fn flops(&self) -> f64 {
        2.0 * (self.m * self.n * self.k * self.times) as f64
    }
}

/// The large products of a LoRA step on `q_proj` and `v_proj` over `rows` tokens, all labelled.
fn training_products(model: &Model, rows: usize) -> Vec<Shape> {
    let config = &model.config;
    let (d, f, heads) = (config.hidden_size, config.intermediate_size, config.heads(0));
    let (qw, kw) = (heads.query_width(), heads.key_width());
    let layers = config.num_hidden_layers;
    let mut shapes = Vec::new();
    // (output, input, how many a layer, whether the lowest layer's input gets a gradient too)
    for (output, input, times, below) in
        [(qw, d, 1, false), (kw, d, 2, false), (d, qw, 1, true), (f, d, 2, true), (d, f, 1, true)]
    {
        let forward =
            Shape { m: rows, n: output, k: input, transposed: true, times: times * layers };
        let backward = if below { layers } else { layers - 1 };
        shapes.push(forward);
        shapes.push(Shape {
            n: input,
            k: output,
            transposed: false,
            times: times * backward,
            ..forward
        });
    }
    let (m, v) = (rows.min(trainer_worker::kernels::loss::CHUNK), config.vocab_size);
    let times = rows.div_ceil(m.max(1));
    shapes.push(Shape { m, n: v, k: d, transposed: true, times });
    shapes.push(Shape { m, n: d, k: v, transposed: false, times });
    shapes
}

/// Floating-point operations that a token of a LoRA step needs: the products of
/// [`training_products`], and the attention's without what lies above the diagonal.
fn training_flops(model: &Model, sequence: usize) -> f64 {
    let linear: f64 = training_products(model, 128).iter().map(Shape::flops).sum::<f64>() / 128.0;
    let config = &model.config;
    // Forward: scores and their product with the values; backward: four such products. A query
    // sees half of the keys on average.
    let attention = 6.0 * 2.0 * config.heads(0).query_width() as f64 * sequence as f64 / 2.0;
    linear + attention * config.num_hidden_layers as f64
}

/// `y = x · w` by the crate gemm in one piece: its own order of additions, which depends on the CPU.
fn free_order(y: &mut [f32], x: &[f32], w: &[f32], shape: Shape, parallelism: Parallelism) {
    let Shape { m, n, k, transposed, .. } = shape;
    assert!(y.len() >= m * n && x.len() >= m * k && w.len() >= k * n, "matrices are whole");
    let (column, row) = if transposed { (k as isize, 1) } else { (1, n as isize) };
    // SAFETY: the lengths were just checked, `y` is borrowed mutably.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            y.as_mut_ptr(),
            1,
            n as isize,
            false,
            x.as_ptr(),
            1,
            k as isize,
            w.as_ptr(),
            column,
            row,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

fn gemm_products(args: GemmArgs) -> Result<()> {
    args.rounds.prepare()?;
    let rows = args.tokens.clamp(1, 8192);
    args.rounds.on_threads(|| {
        let (model, _) = load(&args.model, Precision::Dense)?;
        let shapes = training_products(&model, rows);
        let largest = |f: fn(&Shape) -> usize| shapes.iter().map(f).max().unwrap_or(0);
        let fill = |count: usize| -> Vec<f32> {
            let mut stream = Stream::new(count as u64, "bench", &[]);
            (0..count).map(|_| stream.uniform() - 0.5).collect()
        };
        let x = fill(largest(|s| s.m * s.k));
        let w = fill(largest(|s| s.k * s.n));
        let mut y = vec![0f32; largest(|s| s.m * s.n)];
        let parallelism = match rayon::current_num_threads() {
            0 | 1 => Parallelism::None,
            n => Parallelism::Rayon(n),
        };
        let ready = json!({ "ready": "gemm", "instructions": instructions().name() });
        args.rounds.run(&ready, || {
            // Seconds of a step's products: ours and in free order, in turns.
            let mut seconds = [0f64; 2];
            let mut fastest = 0f64;
            for shape in &shapes {
                let mut best = [f64::INFINITY; 2];
                for _ in 0..3 {
                    for (which, best) in best.iter_mut().enumerate() {
                        let started = Instant::now();
                        if which == 0 {
                            let size = (shape.m, shape.n, shape.k);
                            if shape.transposed {
                                product::nt(&mut y, &x, &w, size, 1.0, false);
                            } else {
                                product::nn(&mut y, &x, &w, size, 1.0, false);
                            }
                        } else {
                            free_order(&mut y, &x, &w, *shape, parallelism);
                        }
                        *best = best.min(started.elapsed().as_secs_f64());
                    }
                }
                for (sum, best) in seconds.iter_mut().zip(best) {
                    *sum += best * shape.times as f64;
                }
                let once = Shape { times: 1, ..*shape }.flops();
                fastest = fastest.max(once / best[0].min(best[1]));
            }
            let flops: f64 = shapes.iter().map(Shape::flops).sum();
            Ok(json!({
                "gflops": flops / seconds[0] / 1e9,
                "free_order_gflops": flops / seconds[1] / 1e9,
                "fastest_product_gflops": fastest / 1e9,
            }))
        })
    })
}
