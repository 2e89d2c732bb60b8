//! `trainer-worker train`.

mod args;
mod display;
mod mark;
mod plan;

pub(crate) use args::{Args, Stage};
pub(crate) use plan::examples;

use super::error::{refused, usage};
use super::out_of_memory::advise;
use super::stop_on_signal;
use anyhow::{Context, Result};
use display::Display;
use mark::Mark;
use openledger_engine::data;
use openledger_engine::device::Arithmetic;
use openledger_engine::hub::sha256_of;
use openledger_engine::model::folder;
use openledger_engine::peft;
use openledger_engine::report::{
    event_files, mlflow, trainer_state, MlflowSettings, Provenance, Recorder, RecorderSettings,
    Summary,
};
use openledger_engine::train::{store, Control, DpoRun, Outcome, Run};
use openledger_primitives::text::counted;
use plan::Forecast;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::Arc;

pub(crate) fn run(args: Args) -> Result<()> {
    let settings = args.settings()?;
    let dpo = args.dpo()?;
    let (tensorboard, mlflow) = args.reports()?;
    let sources = data::read_training(&args.data, &args.eval_data)?;
    let files = &sources.files;
    let config = args.model.config()?;
    let parameters = u64::try_from(config.parameters()).unwrap_or(u64::MAX);
    let said;
    let needed = {
        let tokenizer = args.model.tokenizer()?;
        let forecast = Forecast::new(&args, &settings, config, &tokenizer, &sources)?;
        if args.dry_run {
            if args.json {
                println!("{}", forecast.json());
            } else {
                print!("{}", super::pipe::visible(&forecast.text(&args)));
            }
            return Ok(());
        }
        // A plan needs no weights; a training does, and says so before it takes time.
        folder::check(&args.model.model)?;
        if !args.ignore_memory {
            forecast.check_memory(&settings)?;
        }
        said = forecast.said();
        forecast.needed()
    };
    // A device that does not answer is found before the model is loaded.
    settings.arithmetic.device.open()?;
    prepare_output(&args)?;
    let (mark, killed) = Mark::set(&args.output, needed)?;
    advise(
        "lower --per-device-train-batch-size (--gradient-accumulation-steps makes up for it) or \
         --max-seq-length, or set --gradient-checkpointing true, or use --method qlora",
    );

    // Read while the model is loaded: both want the same bytes of the disk.
    let digests = {
        let path = args.model.model.clone();
        std::thread::spawn(move || digests(&path))
    };
    let (model, tokenizer) = args.model.load_with(args.precision())?;
    let initial = args
        .adapter
        .as_deref()
        .map(|path| {
            peft::load(path, &model.config).with_context(|| format!("loading {}", path.display()))
        })
        .transpose()?;
    let name = args.base_name();
    let display = Arc::new(Display::new());
    for line in said {
        display.say(&line);
    }
    if let Some(text) = killed {
        display.say(&text);
    }
    let recorder = {
        let display = display.clone();
        let uri = args.mlflow_tracking_uri.clone().filter(|_| mlflow);
        let settings = RecorderSettings {
            directory: args.output.clone(),
            logging_steps: args.logging_steps,
            tensorboard: tensorboard
                .then(|| args.logging_dir.clone().unwrap_or_else(|| args.output.join("runs"))),
            mlflow: uri.map(|tracking_uri| MlflowSettings {
                tracking_uri,
                experiment_name: args.mlflow_experiment.clone(),
                run_name: args.run_name.clone(),
                directory: args.output.clone(),
                resume: false,
            }),
            base_parameters: parameters,
            provenance: Provenance {
                model: args.model.model.display().to_string(),
                model_files: digests.join().unwrap_or_default(),
                data: files
                    .iter()
                    .map(|f| (f.origin.submission.clone(), hex::encode(f.origin.sha256)))
                    .collect(),
            },
        };
        let train = args.settings()?;
        Recorder::new(settings, &train, &name, Arc::new(move |text: &str| display.say(text)))
    };
    let stop = Arc::new(AtomicBool::new(false));
    {
        let display = display.clone();
        stop_on_signal(stop.clone(), move || {
            display.say(
                "Stopping after this step; the same command goes on from there. Once more to stop \
                 at once.",
            );
        });
    }
    let show = |event: &_| {
        display.show(event);
        recorder.record(event);
    };
    let control = Control {
        on_event: Some(&show),
        cancel: Some(&stop),
        checkpoints: Some(args.output.clone()),
        base_model: Some(name.clone()),
    };
    let result = match args.stage {
        Stage::Sft => {
            let run = Run { model, tokenizer: &tokenizer, files, settings: &settings };
            match &initial {
                Some(adapter) => run.train_from(adapter, &control),
                None => run.train(&control),
            }
        }
        Stage::Dpo => {
            let max_seq = settings.max_seq_length.min(model.config.max_position_embeddings);
            let options = settings.data_options(max_seq);
            let (preferences, _) = data::preferences(files, &tokenizer, &options)?;
            let run = DpoRun {
                model,
                tokenizer: &tokenizer,
                preferences,
                settings: &settings,
                dpo,
                initial: initial.as_ref(),
                reference: initial.as_ref(),
            };
            run.train(&control)
        }
    };
    display.finish();
    let summary = recorder.finish(&result);
    let outcome = result?;
    peft::save(&args.output, &outcome.adapter, &name)?;
    // The run is complete: its checkpoint would only stand in the way of another one.
    store::complete(&args.output)?;
    drop(mark);
    answer(&args, &outcome, summary, &name, settings.arithmetic);
    Ok(())
}

/// Decides what becomes of what the output folder holds already.
fn prepare_output(args: &Args) -> Result<()> {
    let unfinished = !store::states(&args.output).is_empty();
    let adapter = args.output.join(peft::WEIGHTS);
    if args.resume {
        if args.overwrite_output_dir {
            return Err(usage("--resume and --overwrite-output-dir exclude each other"));
        }
        if !unfinished {
            return Err(refused(format!(
                "{} holds no checkpoint to resume; leave --resume out to start anew",
                args.output.display()
            )));
        }
    }
    if args.overwrite_output_dir {
        // TensorBoard would show the files of both runs as one. In a folder that was named other runs
        // may have theirs.
        for file in event_files(&args.output) {
            remove(&file)?;
        }
        remove_event_files(&args.output.join("runs"))?;
        // The adapter stays until the new one takes its place in one step.
        for file in [trainer_state::FILE, mlflow::FILE] {
            remove(&args.output.join(file))?;
        }
        return Ok(store::clear(&args.output)?);
    }
    if adapter.exists() && !unfinished {
        return Err(refused(format!(
            "{} holds a finished adapter; choose another --output, or pass --overwrite-output-dir \
             to replace it",
            args.output.display()
        )));
    }
    Ok(())
}

/// Removes the event files of a folder.
fn remove_event_files(dir: &Path) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Ok(()) };
    for entry in entries {
        let entry = entry.with_context(|| format!("reading {}", dir.display()))?;
        if entry.file_name().to_string_lossy().starts_with("events.out.tfevents.") {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// The weight files of a model with their digests.
fn digests(model: &Path) -> Vec<(String, Option<String>)> {
    let files = folder::weight_files(model).unwrap_or_default();
    let digest = |file: &PathBuf| (file.display().to_string(), sha256_of(file).ok());
    files.iter().map(digest).collect()
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn answer(
    args: &Args,
    outcome: &Outcome,
    summary: Option<Summary>,
    name: &str,
    arithmetic: Arithmetic,
) {
    let sha256 = hex::encode(Sha256::digest(peft::to_bytes(&outcome.adapter, name)));
    if args.json {
        println!(
            "{}",
            json!({
                "adapter": args.output.join(peft::WEIGHTS),
                "sha256": sha256,
                "steps": outcome.steps,
                "tokens": outcome.tokens,
                "tokens_per_second": outcome.tokens_per_second,
                "train_loss": outcome.train_loss,
                "last_loss": outcome.losses.last(),
                "epoch": outcome.epoch,
                "train_runtime": summary.map(|s| s.train_runtime),
                "train_samples_per_second": summary.map(|s| s.train_samples_per_second),
                "train_steps_per_second": summary.map(|s| s.train_steps_per_second),
                "eval_loss": {
                    "before": outcome.eval_loss_before, "after": outcome.eval_loss_after,
                },
                "best": outcome.best.map(|(step, loss)| json!({ "step": step, "loss": loss })),
                "stopped_early": outcome.stopped_early,
                "gradient_checkpointing": outcome.recomputed,
                "device": arithmetic.device.name(),
                "dtype": arithmetic.dtype.name(),
                "reproducible": arithmetic.device.is_reproducible(),
                "examples": { "train": outcome.examples.0, "held_out": outcome.examples.1 },
                "peak_memory_bytes": openledger_engine::report::memory::peak_resident(),
            })
        );
        return;
    }
    let shown = |l: Option<f64>| l.map_or("none held out".to_owned(), |l| format!("{l:.4}"));
    println!(
        "Adapter {} (sha256 {sha256})\n{}, {} tokens at {:.0} tokens/s; held-out loss {} -> {}",
        args.output.join(peft::WEIGHTS).display(),
        counted(outcome.steps, "step"),
        outcome.tokens,
        outcome.tokens_per_second,
        shown(outcome.eval_loss_before),
        shown(outcome.eval_loss_after),
    );
}
