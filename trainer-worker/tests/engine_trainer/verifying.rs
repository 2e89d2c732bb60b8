//! What a worker that is drawn for a dispute finds of a result, from the adapter's bytes on.

use crate::common::write_tiny_gguf;
use openledger_engine::{
    data::DataFile,
    device::Arithmetic,
    model::{weights::Precision, Model},
    peft,
    tokenizer::Tokenizer,
    train::{Control, Outcome, Run},
};
use openledger_primitives::{job::dispute::Finding, MediaType, ModelFamily, TrainingSpec};
use std::{path::Path, sync::Arc};
use tempfile::TempDir;
use trainer_worker::runner::{is_reproduced, judge, train_settings, Losses, Posting};

const CEILING: u64 = 4_000;

fn files() -> Vec<DataFile> {
    let text: String =
        (0..40).map(|i| format!("Line {i}: the cat sat on the mat and the dog ran. ")).collect();
    vec![DataFile::new(text.into_bytes(), MediaType::Txt, "a", "alice")]
}

fn spec() -> TrainingSpec {
    TrainingSpec {
        learning_rate_nano: 10_000_000,
        lora_r: 4,
        lora_alpha: 8,
        max_seq_length: 64,
        eval_fraction_bp: 2_000,
        ..TrainingSpec::default()
    }
}

/// Trains as a job runner does, from a fresh adapter or from a parent's bytes.
fn train(weights: &Path, spec: &TrainingSpec, parent: Option<&[u8]>) -> Outcome {
    let model = Arc::new(Model::open_with(weights, Precision::Dense).expect("opens"));
    let config = model.config.clone();
    let settings = train_settings(spec, CEILING, &config);
    let tokenizer = Tokenizer::open(weights).expect("a tokenizer");
    let files = files();
    let run = Run { model, tokenizer: &tokenizer, files: &files, settings: &settings };
    let outcome = match parent {
        None => run.train(&Control::default()),
        Some(bytes) => {
            let lora = settings.lora(&config).expect("settings of the model");
            let initial = peft::from_bytes(bytes, None, &config).expect("an adapter");
            run.train_from(&initial.under(lora, &config).expect("fits"), &Control::default())
        }
    };
    outcome.expect("trains")
}

fn bytes(outcome: &Outcome) -> Vec<u8> {
    peft::to_bytes(&outcome.adapter, "tiny")
}

fn losses(outcome: &Outcome) -> Losses {
    let loss = |loss: Option<f64>| loss.expect("held out");
    Losses { before: loss(outcome.eval_loss_before), after: loss(outcome.eval_loss_after) }
}

fn model() -> (TempDir, std::path::PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("tiny.gguf");
    write_tiny_gguf(&path, 1);
    (folder, path)
}

fn posting(weights: &Path, adapter: Vec<u8>, parent: Option<Vec<u8>>) -> Posting {
    Posting {
        base: 0,
        family: ModelFamily::Llama,
        spec: spec(),
        token_ceiling: CEILING,
        weights: weights.to_owned(),
        parent,
        files: files(),
        adapter,
        arithmetic: Arithmetic::default(),
    }
}

#[test]
fn the_losses_of_an_honest_result_are_reproduced_to_the_last_digit() {
    let (_folder, weights) = model();
    let honest = train(&weights, &spec(), None);
    let measured = posting(&weights, bytes(&honest), None).measure(0).expect("measures");
    assert_eq!(measured, Ok(losses(&honest)));
    assert!(losses(&honest).after < losses(&honest).before - 0.1, "it has learned something");
    let found = judge(losses(&honest), losses(&honest));
    assert_eq!(found.finding, Finding::Holds);

    // And those of one that was trained further, whose loss before is its parent's.
    let parent = bytes(&honest);
    let further = train(&weights, &spec(), Some(&parent));
    let measured = posting(&weights, bytes(&further), Some(parent)).measure(0).expect("measures");
    assert_eq!(measured, Ok(losses(&further)));
}

#[test]
fn losses_that_an_adapter_does_not_reach_are_found() {
    let (_folder, weights) = model();
    let honest = train(&weights, &spec(), None);
    // One step, posted with the losses of them all.
    let lazy = train(&weights, &TrainingSpec { num_train_epochs: 1, seed: 1, ..spec() }, None);
    let measured = posting(&weights, bytes(&lazy), None).measure(0).expect("measures");
    let measured = measured.expect("it is an adapter of the model");
    let found = judge(losses(&honest), measured);
    assert_eq!(found.finding, Finding::NotReproduced, "{}", found.cause);
    assert!(found.cause.contains("with the adapter"), "{}", found.cause);
    // A loss before that makes the training look better than it was.
    let shown = Losses { before: losses(&honest).before + 0.2, ..losses(&honest) };
    let found = judge(shown, losses(&honest));
    assert_eq!(found.finding, Finding::NotReproduced);
    assert!(found.cause.contains("before training"), "{}", found.cause);
}

#[test]
fn an_adapter_of_other_settings_is_found() {
    let (_folder, weights) = model();
    let other = |spec: TrainingSpec| {
        let adapter = bytes(&train(&weights, &spec, None));
        posting(&weights, adapter, None).measure(0).expect("measures").expect_err("is another")
    };
    let rank = other(TrainingSpec { lora_r: 8, ..spec() });
    assert!(rank.contains("settings ask for"), "{rank}");
    other(TrainingSpec { lora_alpha: 16, ..spec() });
    let down = openledger_primitives::training::TargetModules::DOWN;
    other(TrainingSpec { target_modules: down, ..spec() });
}

#[test]
fn what_this_machine_cannot_measure_is_no_finding() {
    let (_folder, weights) = model();
    let honest = bytes(&train(&weights, &spec(), None));
    let none = Posting { files: Vec::new(), ..posting(&weights, honest.clone(), None) };
    assert!(none.measure(0).is_err(), "no files, nothing held out");
    let other = Posting { family: ModelFamily::Gpt2, ..posting(&weights, honest, None) };
    assert!(other.measure(0).is_err(), "the weights are not what the chain says");
}

#[test]
fn the_tolerance_is_a_share_of_the_loss_and_never_less_than_a_hundredth() {
    assert!(is_reproduced(2.0, 2.019) && is_reproduced(2.0, 1.981));
    assert!(!is_reproduced(2.0, 2.021) && !is_reproduced(2.0, 1.979));
    assert!(is_reproduced(0.1, 0.109) && !is_reproduced(0.1, 0.112));
    assert!(!is_reproduced(2.0, f64::NAN) && !is_reproduced(2.0, f64::INFINITY));
}
