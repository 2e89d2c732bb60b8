//! `trainer-worker`: fine-tunes, evaluates and runs language models on this machine.

mod commands;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Fine-tunes language models with LoRA and runs them.
#[derive(Parser)]
#[command(
    name = "trainer-worker",
    version,
    about,
    after_help = "Examples:
  trainer-worker train --model SmolLM2-135M-Instruct.Q4_1.gguf --data notes/ --output adapter/
  trainer-worker generate --model MODEL.gguf --adapter adapter/ --chat 'Who pays the reviewers?'
  trainer-worker eval --model MODEL.gguf --adapter adapter/ --data held-out.txt
  trainer-worker run --key //Eve --model MODEL.gguf --price 1000000
  trainer-worker logits --model MODEL.gguf --prompt 'The capital of France is' --output json

The model that ./scripts/run uses is fetched by ./scripts/model, which prints its path."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train a LoRA adapter on text files.
    Train(commands::train::Args),
    /// Generate text, streamed to standard output.
    Generate(commands::generate::Args),
    /// Measure the loss of a model on text files.
    Eval(commands::eval::Args),
    /// Print the logits after every token of a prompt, for checks from outside.
    Logits(commands::logits::Args),
    /// Run training steps, decoding or matrix products in rounds for scripts/bench.
    #[command(hide = true)]
    Measure(commands::measure::Args),
    /// Do the training jobs that the chain dispatches to this worker.
    Run(commands::run::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Train(args) => commands::train::run(args),
        Command::Generate(args) => commands::generate::run(args),
        Command::Eval(args) => commands::eval::run(args),
        Command::Logits(args) => commands::logits::run(args),
        Command::Measure(args) => commands::measure::run(args),
        Command::Run(args) => commands::run::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
