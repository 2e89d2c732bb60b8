//! LoRA on SmolLM2-135M-Instruct and real text, against PEFT on the same tokens, batches and initial
//! adapters (scripts/golden/real_lora.py).

use crate::common::{golden, real_model, real_model_path};
use openledger_engine::data::{self, DataFile, Example};
use openledger_engine::lora::Adapter;
use openledger_engine::model::forward::{Batch, Runner};
use openledger_engine::model::weights::Precision;
use openledger_engine::model::Model;
use openledger_engine::peft;
use openledger_engine::train::plan::Plan;
use openledger_engine::train::{Control, Run, TrainSettings};
use openledger_primitives::MediaType;
use serde_json::{json, Value};
use std::path::Path;
use std::sync::Arc;

const SEEDS: [u64; 3] = [1, 2, 3];
/// Real text: what this project is and how it works, in questions and answers.
const FACTS: &str = include_str!("facts.md");

fn files() -> Vec<DataFile> {
    vec![DataFile::new(FACTS.as_bytes().to_vec(), MediaType::Md, "facts.md", "contributor")]
}

fn settings(seed: u64) -> TrainSettings {
    TrainSettings {
        learning_rate: 2e-3,
        num_train_epochs: 2.0,
        per_device_train_batch_size: 4,
        max_seq_length: 96,
        lora_r: 8,
        lora_alpha: 16.0,
        weight_decay: 0.01,
        warmup_steps: Some(2),
        eval_fraction: 0.25,
        save_steps: 0,
        seed,
        ..TrainSettings::default()
    }
}

/// Writes what scripts/golden/real_lora.py needs, into the folder that OPENLEDGER_GOLDEN names.
#[test]
#[ignore = "writes what scripts/golden/real_lora.py reads: OPENLEDGER_GOLDEN=FOLDER, --ignored"]
fn inputs_of_the_golden_script_are_written() {
    let out = std::env::var("OPENLEDGER_GOLDEN").expect("OPENLEDGER_GOLDEN names a folder");
    let (model, tokenizer) = real_model();
    for seed in SEEDS {
        let settings = settings(seed);
        let max = settings.max_seq_length;
        let (all, _) = data::examples(&files(), &tokenizer, max).expect("examples");
        let (train, held_out) = data::split(all, settings.eval_fraction, settings.seed);
        let mut plan = Plan::new(&settings, &train);
        let shown = |e: &Example| json!({ "tokens": e.tokens, "labels": e.labels });
        let warmup = settings.warmup(plan.total_steps);
        let rates: Vec<f64> = (0..plan.total_steps)
            .map(|s| {
                let schedule = settings.lr_scheduler_type;
                settings.learning_rate * schedule.factor(s, warmup, plan.total_steps)
            })
            .collect();
        let steps: Vec<_> = (0..plan.total_steps).map(|s| plan.step(s)).collect();
        let input = json!({
            "train": train.iter().map(shown).collect::<Vec<_>>(),
            "held_out": held_out.iter().map(shown).collect::<Vec<_>>(),
            "steps": steps, "learning_rates": rates, "weight_decay": settings.weight_decay,
            "max_grad_norm": settings.max_grad_norm,
        });
        let dir = Path::new(&out).join(seed.to_string());
        std::fs::create_dir_all(&dir).expect("a folder");
        std::fs::write(dir.join("input.json"), input.to_string()).expect("written");
        let lora = settings.lora(&model.config).expect("a configuration");
        let adapter = Adapter::fresh(lora, &model, seed).expect("an adapter");
        peft::save(&dir, &adapter, "SmolLM2-135M-Instruct").expect("written");
    }
}

#[test]
fn lora_lowers_the_held_out_loss_as_peft_does_over_three_seeds() {
    let text = std::fs::read_to_string(golden("smollm2-lora.json")).expect("golden file");
    let golden: Value = serde_json::from_str(&text).expect("JSON");
    let (model, tokenizer) = real_model();
    for seed in SEEDS {
        let settings = settings(seed);
        let files = files();
        let run =
            Run { model: model.clone(), tokenizer: &tokenizer, files: &files, settings: &settings };
        let outcome = run.train(&Control::default()).expect("trains");
        let theirs = &golden[seed.to_string()];
        let number = |key: &str| theirs[key].as_f64().expect("a number");
        let losses: Vec<f64> = serde_json::from_value(theirs["losses"].clone()).expect("losses");
        assert_eq!(losses.len(), outcome.losses.len());
        for (step, (ours, theirs)) in outcome.losses.iter().zip(&losses).enumerate() {
            let error = (ours - theirs).abs();
            assert!(error < 5e-3, "seed {seed} step {step}: {ours} and {theirs}");
        }
        let before = outcome.eval_loss_before.expect("held out");
        let drop = before - outcome.eval_loss_after.expect("held out");
        let peft = number("before") - number("after");
        println!(
            "seed {seed}: held-out loss {before:.4} falls by {drop:.4}, PEFT's by {peft:.4}; {:.0} \
             tokens/s",
            outcome.tokens_per_second
        );
        assert!((before - number("before")).abs() < 1e-3, "{before}");
        assert!(drop >= 0.15, "seed {seed}: the held-out loss fell by {drop} only");
        assert!((drop - peft).abs() <= 0.05 * peft, "seed {seed}: {drop}, PEFT {peft}");
        if seed == SEEDS[0] {
            // QLoRA on the file's own blocks: the same values, so the same adapter.
            let path = real_model_path();
            let base = Model::open_with(&path, Precision::for_qlora(&path)).expect("the model");
            assert!(base.is_quantised());
            assert!(base.weight_bytes() * 4 < model.weight_bytes());
            let run = Run { model: Arc::new(base), ..run };
            let quantised = run.train(&Control::default()).expect("trains");
            let after = quantised.eval_loss_after.expect("held out");
            println!("QLoRA: held-out loss falls by {:.4}", before - after);
            assert!((before - after - drop).abs() <= 0.02 * drop, "QLoRA: {}", before - after);
        }
    }
}

/// Shows what recomputation costs and saves: one optimiser step on 4 × 512 random tokens.
#[test]
#[ignore = "a measurement, run by hand with --ignored, with and without OPENLEDGER_RECOMPUTE=1"]
fn peak_memory_and_speed_of_recomputation() {
    let recompute = std::env::var_os("OPENLEDGER_RECOMPUTE").is_some();
    let (model, _) = real_model();
    let lora = settings(1).lora(&model.config).expect("a configuration");
    let adapter = Adapter::fresh(lora, &model, 1).expect("an adapter");
    let runner = Runner::new(model, 512).expect("a runner").with_recompute(recompute);
    let tokens: Vec<u32> = (0..512).map(|i| 20 + (i * 7919) % 40_000).collect();
    let labels = vec![true; 512];
    let batch = Batch::new(&[(&tokens[..], &labels[..]); 4]);
    let started = std::time::Instant::now();
    let result = runner.loss_and_gradients(&batch, &adapter, 1e-3, None).expect("gradients");
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or_default();
    println!(
        "recompute {recompute}: {peak}, buffers {} MiB, {:.0} tokens/s, loss {:.6}",
        runner.workspace().peak_bytes() >> 20,
        2048.0 / started.elapsed().as_secs_f64(),
        result.loss_sum / 2044.0
    );
}
