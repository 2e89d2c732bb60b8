//! An adapter that is served with its base gives what the merged model gives: LoRA on every family,
//! rsLoRA with patterns, and DoRA.

use crate::common::golden;
use crate::drawn::GOLDEN;
use openledger_engine::export::{merge, tensors::Dtype, MergeSettings, PeftAdapter};
use openledger_engine::generate::argmax;
use openledger_engine::model::fast::{BatchStep, Part, PreparedAdapter, ServingArithmetic};
use openledger_engine::model::kv::{KvPages, KvPool};
use openledger_engine::model::Model;
use openledger_engine::peft;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bases and adapters.
fn cases() -> Vec<(PathBuf, PathBuf)> {
    let more = ["llama-dynamic", "mistral-longrope"];
    let own = GOLDEN.iter().chain(&more).map(|name| (golden(name), golden(name).join("adapter")));
    let others = ["adapter-patterns", "adapter-dora-llama", "adapter-dora-gpt2"].map(|name| {
        let dir = golden(name);
        let text = std::fs::read_to_string(dir.join("golden.json")).expect("golden.json");
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        (golden(json["base"].as_str().expect("a base")), dir.join("adapter"))
    });
    own.chain(others).collect()
}

/// The logits after each token.
fn logits(model: &Arc<Model>, adapter: Option<&PreparedAdapter>, tokens: &[u32]) -> Vec<Vec<f32>> {
    let mut step = BatchStep::new(model.clone(), ServingArithmetic::F32, 2).expect("a step");
    let pool = KvPool::for_tokens(&model.config, tokens.len()).expect("a pool");
    let mut pages = KvPages::new(&pool, tokens.len());
    let after = tokens.iter().map(|token| {
        let mut logits = vec![0f32; model.config.vocab_size];
        let out = Some(&mut logits[..]);
        let part = Part { pages: &mut pages, tokens: &[*token], adapter, logits: out };
        step.run(&mut [part]).expect("a step");
        logits
    });
    after.collect()
}

/// The greatest value and how far the next one lies below it.
fn gap(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    sorted[0] - sorted[1]
}

fn merged(base: &Path, adapter: &Path) -> Arc<Model> {
    let out = tempfile::tempdir().expect("a folder");
    let adapter = PeftAdapter::open(adapter).expect("an adapter");
    let settings = MergeSettings { dtype: Some(Dtype::F32) };
    let out = out.path().join("merged");
    merge(base, Some(&adapter), &out, settings, |_, _| ()).expect("merged");
    Arc::new(Model::open(&out).expect("the merged model loads"))
}

#[test]
fn an_adapter_beside_its_base_equals_the_merged_model() {
    let (mut compared, mut all, mut worst) = (0, 0, 0f32);
    for (base, adapter) in cases() {
        let name = adapter.display().to_string();
        let model = Arc::new(Model::open(&base).expect("it loads"));
        let loaded = peft::load(&adapter, &model.config).expect("it loads");
        let prepared = PreparedAdapter::new(&model, &loaded).expect("it fits");
        let n = model.config.max_position_embeddings.min(24);
        let vocabulary = model.config.vocab_size;
        let tokens: Vec<u32> = (0..n).map(|i| ((i * 29 + i * i) % vocabulary) as u32).collect();
        let beside = logits(&model, Some(&prepared), &tokens);
        let apart = logits(&model, None, &tokens);
        let merged = logits(&merged(&base, &adapter), None, &tokens);
        let difference = |a: &[Vec<f32>], b: &[Vec<f32>]| {
            let pairs = a.iter().flatten().zip(b.iter().flatten());
            pairs.map(|(a, b)| (a - b).abs()).fold(0f32, f32::max)
        };
        let error = difference(&beside, &merged);
        assert!(error <= 1e-4, "{name}: {error}");
        assert!(difference(&beside, &apart) > 1e-2, "{name}: the adapter acts");
        worst = worst.max(error);
        for (beside, merged) in beside.iter().zip(&merged) {
            all += 1;
            if gap(merged) > 2e-4 {
                assert_eq!(argmax(beside), argmax(merged), "{name}");
                compared += 1;
            }
        }
    }
    println!("{compared} of {all} greedy tokens compared; greatest difference {worst}");
    assert!(compared * 10 >= all * 9, "{compared} of {all}");
}
