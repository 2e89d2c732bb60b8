//! Models in few bits: what they give, what they weigh, and that QLoRA is LoRA on the dequantised
//! base.

use crate::common::{
    random, real_model, real_model_path, safetensors_bytes, tiny_config, tiny_weights,
    write_tiny_gguf_as,
};
use candle_core::quantized::GgmlDType;
use openledger_engine::data::DataFile;
use openledger_engine::generate::argmax;
use openledger_engine::kernels::quant::nf4::Nf4;
use openledger_engine::lora::Adapter;
use openledger_engine::model::decode::Session;
use openledger_engine::model::fast::ServingArithmetic;
use openledger_engine::model::forward::{Batch, Runner};
use openledger_engine::model::{Model, Precision};
use openledger_engine::peft;
use openledger_engine::tokenizer::Tokenizer;
use openledger_engine::train::{on_training_threads, Control, Run, TrainSettings};
use openledger_primitives::MediaType;
use std::path::Path;
use std::sync::{Arc, OnceLock};

const TEXT: &str = include_str!("facts.md");

/// The real model as its file has it, loaded once for all tests.
fn quantised() -> Arc<Model> {
    static MODEL: OnceLock<Arc<Model>> = OnceLock::new();
    let open = || Model::open_with(&real_model_path(), Precision::Quantised).expect("it loads");
    MODEL.get_or_init(|| Arc::new(open())).clone()
}

fn adapter(model: &Model, size: f32) -> Adapter {
    let settings = TrainSettings {
        lora_r: 8,
        target_modules: vec!["all-linear".to_owned()],
        ..TrainSettings::default()
    };
    let config = settings.lora(&model.config).expect("a configuration");
    let mut adapter = Adapter::new(config, &model.config, 1);
    for (layer, values) in adapter.layers.iter_mut().enumerate() {
        let noise = random(layer as u64, values.len(), size);
        values.iter_mut().zip(noise).for_each(|(v, n)| *v += n);
    }
    adapter
}

/// `-ln p(token)`, nats.
fn surprise(logits: &[f32], token: u32) -> f64 {
    let most = logits.iter().fold(f32::NEG_INFINITY, |m, v| m.max(*v));
    let sum: f64 = logits.iter().map(|v| f64::from(v - most).exp()).sum();
    sum.ln() - f64::from(logits[token as usize] - most)
}

#[test]
fn the_integer_path_agrees_with_the_exact_one() {
    let (dense, tokenizer) = real_model();
    let tokens = &tokenizer.encode(TEXT).expect("tokens")[..400];
    let runner = Runner::new(dense.clone(), tokens.len()).expect("a runner");
    let exact = runner.logits(&Batch::new(&[(tokens, &[])]), None).expect("logits");
    let mut session = Session::new(quantised(), None, tokens.len()).expect("a session");
    let (mut agreed, mut theirs, mut ours) = (0, 0.0, 0.0);
    for (i, exact) in exact.chunks(dense.config.vocab_size).enumerate() {
        let logits = session.push(&tokens[i..=i]).expect("logits");
        agreed += usize::from(argmax(exact) == argmax(logits));
        if let Some(next) = tokens.get(i + 1) {
            theirs += surprise(exact, *next);
            ours += surprise(logits, *next);
        }
    }
    let n = (tokens.len() - 1) as f64;
    let (theirs, ours) = ((theirs / n).exp(), (ours / n).exp());
    let share = agreed as f64 / tokens.len() as f64;
    println!(
        "{agreed} of {} top tokens agree; perplexity {theirs:.4} exact, {ours:.4} by integers ({:+.3} %)",
        tokens.len(),
        (ours / theirs - 1.0) * 100.0
    );
    assert!(share >= 0.98, "{share}");
    assert!((ours / theirs - 1.0).abs() <= 0.005, "{theirs} and {ours}");
}

#[test]
fn an_adapter_changes_the_integer_path_as_it_does_the_exact_one() {
    let (dense, tokenizer) = real_model();
    let tokens = &tokenizer.encode(TEXT).expect("tokens")[..12];
    let adapter = Arc::new(adapter(&dense, 0.02));
    let run = |model: &Arc<Model>, adapter: Option<Arc<Adapter>>| {
        let mut session = Session::new(model.clone(), adapter, 16).expect("a session");
        let step = |t| session.push(&[t]).expect("logits").to_vec();
        tokens.iter().copied().map(step).last().expect("logits")
    };
    let distance = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt()
    };
    let exact = run(&dense, Some(adapter.clone()));
    let integer = run(&quantised(), Some(adapter));
    let effect = distance(&exact, &run(&dense, None));
    let error = distance(&exact, &integer);
    assert!(error < 0.02 * effect, "an error of {error} beside an effect of {effect}");
}

#[test]
fn decoding_does_not_depend_on_the_number_of_threads() {
    let (_, tokenizer) = real_model();
    let model = quantised();
    let tokens = &tokenizer.encode(TEXT).expect("tokens")[..5];
    let adapter = Arc::new(adapter(&model, 0.02));
    let with = |threads| {
        on_training_threads(Some(threads), || {
            let mut session =
                Session::new(model.clone(), Some(adapter.clone()), 8).expect("a session");
            session.push(tokens).expect("logits").to_vec()
        })
        .expect("threads")
    };
    let one = with(1);
    assert!(one.iter().all(|v| v.is_finite()));
    assert!(one == with(2));
    assert!(one == with(3));
}

#[test]
fn by_its_values_a_quantised_model_is_the_dense_one() {
    let (dense, tokenizer) = real_model();
    let tokens = &tokenizer.encode(TEXT).expect("tokens")[..24];
    let run = |model: &Arc<Model>| {
        let (model, arithmetic) = (model.clone(), ServingArithmetic::F32);
        let mut session = Session::with(model, None, 40, arithmetic).expect("a session");
        session.push(tokens).expect("logits").to_vec()
    };
    assert!(run(&dense) == run(&quantised()));
    let arithmetic = |model| Session::new(model, None, 40).expect("a session").arithmetic();
    assert_eq!(arithmetic(dense), ServingArithmetic::F32);
    assert_eq!(arithmetic(quantised()), ServingArithmetic::Integer);
}

#[test]
fn the_quantised_base_weighs_less_than_a_quarter() {
    let (dense, _) = real_model();
    let quantised = quantised();
    let ratio = dense.weight_bytes() as f64 / quantised.weight_bytes() as f64;
    println!(
        "{} bytes dense, {} quantised: {ratio:.2}",
        dense.weight_bytes(),
        quantised.weight_bytes()
    );
    assert!(ratio >= 4.0, "{ratio}");
    assert!(quantised.is_quantised() && !dense.is_quantised());
}

fn settings() -> TrainSettings {
    TrainSettings {
        learning_rate: 5e-3,
        per_device_train_batch_size: 2,
        max_seq_length: 64,
        lora_r: 4,
        target_modules: vec!["all-linear".to_owned()],
        max_steps: Some(3),
        num_train_epochs: 1.0,
        eval_fraction: 0.1,
        ..TrainSettings::default()
    }
}

fn trained(model: Model, tokenizer: &Tokenizer) -> (Vec<u8>, Vec<f64>) {
    let files = [DataFile::new(TEXT.as_bytes().to_vec(), MediaType::Md, "facts.md", "us")];
    let settings = settings();
    let run = Run { model: Arc::new(model), tokenizer, files: &files, settings: &settings };
    let outcome = run.train(&Control::default()).expect("trains");
    assert_eq!(outcome.steps, 3);
    (peft::to_bytes(&outcome.adapter, "tiny"), outcome.losses)
}

#[test]
fn qlora_on_a_gguf_base_is_lora_on_its_values() {
    let dir = tempfile::tempdir().expect("a folder");
    for dtype in [GgmlDType::Q4_1, GgmlDType::Q8_0, GgmlDType::BF16] {
        let path = dir.path().join("tiny.gguf");
        write_tiny_gguf_as(&path, 3, dtype);
        let tokenizer = Tokenizer::open(&path).expect("its tokenizer");
        let quantised = Model::open_with(&path, Precision::for_qlora(&path)).expect("it loads");
        let dense = Model::open(&path).expect("it loads");
        assert!(quantised.is_quantised() && quantised.weight_bytes() < dense.weight_bytes());
        assert!(trained(quantised, &tokenizer) == trained(dense, &tokenizer), "{dtype:?}");
    }
}

/// The tiny model as a folder, its linear weights passed through `change`.
fn write_folder(dir: &Path, change: impl Fn(&str, Vec<f32>) -> Vec<f32>) {
    let mut weights = tiny_weights(3);
    for (name, (_, values)) in &mut weights {
        *values = change(name, std::mem::take(values));
    }
    std::fs::create_dir_all(dir).expect("a folder");
    std::fs::write(dir.join("config.json"), tiny_config().to_string()).expect("written");
    std::fs::write(dir.join("model.safetensors"), safetensors_bytes(&weights)).expect("written");
}

#[test]
fn qlora_on_an_nf4_base_is_lora_on_its_values() {
    let dir = tempfile::tempdir().expect("a folder");
    let gguf = dir.path().join("tiny.gguf");
    write_tiny_gguf_as(&gguf, 3, GgmlDType::F32);
    let tokenizer = Tokenizer::open(&gguf).expect("a tokenizer");
    let (original, rounded) = (dir.path().join("original"), dir.path().join("rounded"));
    write_folder(&original, |_, values| values);
    write_folder(&rounded, |name, values| {
        if name.ends_with("_proj.weight") {
            let nf4 = Nf4::quantise(&values, true);
            let mut out = vec![0f32; values.len()];
            nf4.dequantise(&mut out, 0);
            out
        } else if name.contains("embed") {
            values.iter().map(|v| half::bf16::from_f32(*v).to_f32()).collect()
        } else {
            values
        }
    });
    let precision = Precision::for_qlora(&original);
    assert_eq!(precision, Precision::Nf4 { double_quant: true });
    let nf4 = Model::open_with(&original, precision).expect("it loads");
    let dense = Model::open(&rounded).expect("it loads");
    assert!(nf4.weight_bytes() * 3 < dense.weight_bytes());
    assert!(trained(nf4, &tokenizer) == trained(dense, &tokenizer));
}
