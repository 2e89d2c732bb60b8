//! `openledger-story`: the whole system in front of the user's eyes. `scripts/run` builds and starts
//! it.

use clap::Parser;
use openledger_tests::{interrupt, Binaries, Error, Story, StoryOptions};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// Plays the life of a file and of a training job on a development network of real processes.
#[derive(Parser)]
#[command(
    name = "openledger-story",
    version,
    about,
    long_about = "Plays the life of a file and of a training job on a development network of real \
                  processes: submissions, review, leaderboard, LoRA training, adapter, attribution, \
                  payments, balance sheet. Exit code 0 if everything held, 1 if not, 130 after \
                  Ctrl-C.",
    after_help = "Examples:
  scripts/run                                   build, play, keep the network up until Ctrl-C
  scripts/run --once                            the same, and stop at the end
  scripts/run --once --report report.json --keep ./network
  openledger-story --once --model \"$(scripts/model)\""
)]
struct Arguments {
    /// Stop the network at the end; without it, it stays up until Ctrl-C.
    #[arg(long)]
    once: bool,
    /// Write everything that happened to FILE as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Keep chain, IPFS stores, keys and logs in DIR, which must be empty or absent.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Where the programs are [default: the folder of this program].
    #[arg(long, value_name = "DIR")]
    binaries: Option<PathBuf>,
    /// The base model, SmolLM2-135M-Instruct.Q4_1.gguf; `scripts/model` fetches it.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match play(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Interrupted) => {
            eprintln!("\nStopped.");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("\nerror: {error}");
            ExitCode::FAILURE
        }
    }
}

fn play(arguments: &Arguments) -> Result<(), Error> {
    interrupt::listen()?;
    let binaries = match &arguments.binaries {
        Some(directory) => Binaries::in_directory(directory)?,
        None => Binaries::beside_this_program()?,
    };
    // What cannot be written is said now, and not when all has been played.
    if let Some(path) = &arguments.report {
        let opened = std::fs::OpenOptions::new().create(true).append(true).open(path);
        opened.map_err(|cause| Error::file(path, &cause))?;
    }
    let mut directory = Directory::new(arguments.keep.as_deref())?;
    let result = play_in(arguments, binaries, &directory.path);
    if matches!(result, Err(Error::Failed(_))) {
        directory.keep();
        eprintln!(
            "\nEverything of this run, its logs too, is kept in {}",
            directory.path.display()
        );
    }
    result
}

fn play_in(arguments: &Arguments, binaries: Binaries, directory: &Path) -> Result<(), Error> {
    let mut story = Story::start(StoryOptions::full(), binaries, &arguments.model, directory)?;
    let result = story.run();
    if let Some(path) = &arguments.report {
        let json = serde_json::to_vec_pretty(story.report())
            .map_err(|cause| Error::broken("the report", cause.to_string()))?;
        std::fs::write(path, json).map_err(|cause| Error::file(path, &cause))?;
    }
    result?;
    let report = story.report();
    println!("\nEverything held, in {:.0} s:", report.seconds);
    let phases: Vec<String> = report
        .phases
        .iter()
        .map(|phase| format!("{} {:.0} s", phase.name, phase.seconds))
        .collect();
    println!("   {}", phases.join(", "));
    if arguments.once {
        return Ok(());
    }
    println!("\nThe network stays up until Ctrl-C. Its data and logs: {}", directory.display());
    println!("Polkadot-js Apps: https://polkadot.js.org/apps/?rpc={}", story.network().url());
    println!("Try:");
    for line in story.things_to_try() {
        println!("   {line}");
    }
    loop {
        match interrupt::sleep(Duration::from_secs(1)) {
            Ok(()) => story.network().ensure_running()?,
            Err(_) => {
                println!("\nStopping.");
                return Ok(());
            }
        }
    }
}

/// Where a run keeps its files: a folder of the user's, or one that goes away at the end.
struct Directory {
    path: PathBuf,
    temporary: Option<tempfile::TempDir>,
}

impl Directory {
    fn new(keep: Option<&Path>) -> Result<Self, Error> {
        if let Some(path) = keep {
            let fail = |cause: std::io::Error| Error::file(path, &cause);
            std::fs::create_dir_all(path).map_err(fail)?;
            if std::fs::read_dir(path).map_err(fail)?.next().is_some() {
                return Err(Error::failed(
                    "--keep",
                    format!("{} is not empty", path.display()),
                    "name a folder that does not exist yet",
                ));
            }
            let path = std::fs::canonicalize(path).map_err(fail)?;
            return Ok(Self { path, temporary: None });
        }
        let temporary = tempfile::Builder::new()
            .prefix("openledger-story-")
            .tempdir()
            .map_err(|cause| Error::file(&std::env::temp_dir(), &cause))?;
        Ok(Self { path: temporary.path().to_owned(), temporary: Some(temporary) })
    }

    fn keep(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            self.path = temporary.keep();
        }
    }
}
