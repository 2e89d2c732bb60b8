//! `trainer-worker bench`.

use super::{AdapterArgs, ModelArgs, OutputArgs, PrecisionArgs};
use anyhow::Result;
use serde_json::json;
use std::hint::black_box;
use std::time::Instant;
use trainer_worker::kernels::gemm;
use trainer_worker::kernels::rng::Stream;
use trainer_worker::lora::Adapter;
use trainer_worker::model::decode::Session;
use trainer_worker::model::forward::{Batch, Runner};
use trainer_worker::report::memory;
use trainer_worker::train::{on_training_threads, TrainSettings};

/// Arguments of `bench`.
#[derive(clap::Args)]
#[command(
    after_help = "With --json each measurement is a line {\"name\": …, \"unit\": …, \"value\": …}; the best of
--repeat counts.

Example:
  trainer-worker bench --model MODEL.gguf --json"
)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    precision: PrecisionArgs,
    #[command(flatten)]
    adapter: AdapterArgs,
    /// Threads (all of the machine's by default).
    #[arg(long)]
    threads: Option<usize>,
    /// Measurements of each figure.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    repeat: u64,
    /// Tokens of the prompt.
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u64).range(1..=32768))]
    prompt_tokens: u64,
    /// Tokens to decode after it.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u64).range(1..=32768))]
    decode_tokens: u64,
    /// Rank of the adapter that is trained.
    #[arg(long, default_value_t = 8)]
    lora_r: usize,
    #[command(flatten)]
    output: OutputArgs,
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

pub(crate) fn run(args: Args) -> Result<()> {
    let settings =
        TrainSettings { lora_r: args.lora_r, threads: args.threads, ..TrainSettings::default() };
    settings.validate()?;
    let (model, _) = args.model.load_with(args.precision.get())?;
    let adapter = args.adapter.load(&model)?;
    let show = |name: &str, unit: &str, value: f64| {
        if args.output.json() {
            println!("{}", json!({ "name": name, "unit": unit, "value": value }));
        } else {
            println!("{name:<32} {value:>12.2} {unit}");
        }
    };
    on_training_threads(args.threads, || -> Result<()> {
        show("threads", "threads", rayon::current_num_threads() as f64);
        show("gemm_rate", "GFLOP/s", gemm_rate(512) / 1e9);
        let vocabulary = model.config.vocab_size;
        let mut stream = Stream::new(1, "bench", &[]);
        let mut tokens = |n: usize| -> Vec<u32> {
            (0..n)
                .map(|_| ((stream.uniform() * vocabulary as f32) as u32).min(vocabulary as u32 - 1))
                .collect()
        };
        let limit = model.config.max_position_embeddings;
        for (name, sequences, length) in
            [("lora_tokens_per_second_128", 4, 128), ("lora_tokens_per_second_512", 2, 512)]
        {
            if length > limit {
                continue;
            }
            let trained = Adapter::new(settings.lora(&model.config)?, &model.config, 42);
            let runner = Runner::new(model.clone(), length)?;
            let rows: Vec<Vec<u32>> = (0..sequences).map(|_| tokens(length)).collect();
            let labels = vec![true; length];
            let pairs: Vec<(&[u32], &[bool])> =
                rows.iter().map(|t| (t.as_slice(), labels.as_slice())).collect();
            let batch = Batch::new(&pairs);
            let count = (sequences * length) as f64;
            let mut best = 0f64;
            // The first pass allocates its buffers.
            for round in 0..=args.repeat {
                let started = Instant::now();
                black_box(runner.loss_and_gradients(&batch, &trained, 1.0 / count, None)?);
                if round > 0 {
                    best = best.max(count / started.elapsed().as_secs_f64());
                }
            }
            show(name, "tokens/s", best);
        }
        let prompt = (args.prompt_tokens as usize).min(limit.saturating_sub(1)).max(1);
        let decode = (args.decode_tokens as usize).min(limit - prompt).max(1);
        let read = tokens(prompt);
        let (mut reading, mut writing) = (0f64, 0f64);
        for _ in 0..args.repeat {
            let mut session = Session::new(model.clone(), adapter.clone(), prompt + decode)?;
            let started = Instant::now();
            session.push(&read)?;
            reading = reading.max(prompt as f64 / started.elapsed().as_secs_f64());
            let started = Instant::now();
            for token in tokens(decode) {
                session.push(&[token])?;
            }
            writing = writing.max(decode as f64 / started.elapsed().as_secs_f64());
        }
        show("prompt_tokens_per_second", "tokens/s", reading);
        show("decode_tokens_per_second", "tokens/s", writing);
        Ok(())
    })??;
    if let Some(peak) = memory::peak_resident() {
        show("peak_memory", "MiB", peak as f64 / (1 << 20) as f64);
    }
    Ok(())
}
