//! Batches that are taken in parts, the buffers that they use, and the sizes of models.

use crate::common::{golden, lora_config, tiny};
use openledger_engine::error::{Error, Result};
use openledger_engine::lora::patterns::LayerChoice;
use openledger_engine::lora::{Adapter, LoraConfig};
use openledger_engine::model::config::Sizes;
use openledger_engine::model::forward::{Batch, DropoutAt, Runner};
use openledger_engine::model::{rows_at_once, Family, Model, ModelConfig, Precision, WeightSource};
use safetensors::SafeTensors;
use std::sync::Arc;

/// Sequences of the given lengths, the first tokens of each not labelled.
fn batch(lengths: &[usize]) -> Batch {
    let sequences: Vec<(Vec<u32>, Vec<bool>)> = lengths
        .iter()
        .enumerate()
        .map(|(s, len)| {
            let tokens = (0..*len).map(|i| 2 + ((i * 37 + s * 11) % 40) as u32).collect();
            (tokens, (0..*len).map(|i| i > s % 5).collect())
        })
        .collect();
    let sequences: Vec<_> = sequences.iter().map(|(t, l)| (&t[..], &l[..])).collect();
    Batch::new(&sequences)
}

fn adapter(model: &Model, dropout: f64, targets: &[&str]) -> Adapter {
    let config = LoraConfig { dropout, ..lora_config(model, 3, 6.0, targets) };
    let mut adapter = Adapter::new(config, &model.config, 1);
    let values = adapter.layers.iter_mut().flatten().enumerate();
    values.for_each(|(i, p)| *p += ((i * 13 % 29) as f32 - 14.0) * 4e-3);
    adapter
}

/// Loss and gradients as bits, and the most bytes that were in use.
fn run(runner: Runner, batch: &Batch, adapter: &Adapter) -> (u64, Vec<Option<Vec<u32>>>, usize) {
    let at = Some(DropoutAt { seed: 1, step: 3, micro: 1 });
    let result = runner.loss_and_gradients(batch, adapter, 0.01, at).expect("gradients");
    let bits = |g: Vec<f32>| g.into_iter().map(f32::to_bits).collect();
    let gradients = result.gradients.into_iter().map(|g| g.map(bits)).collect();
    (result.loss_sum.to_bits(), gradients, runner.workspace().peak_bytes())
}

#[test]
fn a_batch_in_parts_gives_the_bits_of_the_whole_in_less_memory() {
    let (model, _) = tiny(3);
    // More rows than a slice of a product and than two chunks of the head hold.
    let batch = batch(&[90, 33, 200, 61, 7, 120, 55, 128, 44]);
    let runner = |rows| Runner::new(model.clone(), 200).expect("a runner").with_rows_at_once(rows);
    for (dropout, targets) in [(0.0, &["q_proj", "v_proj"][..]), (0.2, &["all-linear"][..])] {
        let adapter = adapter(&model, dropout, targets);
        let whole = run(runner(usize::MAX), &batch, &adapter);
        for rows in [60, 150, 256] {
            let parts = run(runner(rows), &batch, &adapter);
            assert!(parts.0 == whole.0 && parts.1 == whole.1, "{rows} rows, {targets:?}");
            assert!(parts.2 < whole.2, "{} and {} bytes", parts.2, whole.2);
            let noise = Some(5.0);
            let again =
                run(runner(rows).with_recompute(true).with_neftune(noise), &batch, &adapter);
            let noisy = run(runner(usize::MAX).with_neftune(noise), &batch, &adapter);
            assert!(again.0 == noisy.0 && again.1 == noisy.1, "{rows} rows, recomputed");
            assert_ne!(again.0, parts.0, "the noise is there");
        }
    }
    // A layer without an adapter below one that has it, and nothing above.
    let config = LoraConfig {
        layers_to_transform: LayerChoice { layers: Some(vec![1]), ..LayerChoice::default() },
        ..lora_config(&model, 3, 6.0, &["v_proj"])
    };
    let adapter = Adapter::new(config, &model.config, 1);
    let (whole, parts) = (runner(usize::MAX), runner(60));
    let (whole, parts) = (run(whole, &batch, &adapter), run(parts, &batch, &adapter));
    assert!(whole.1[0].is_none() && whole.1[1].is_some());
    assert!(parts.0 == whole.0 && parts.1 == whole.1, "one layer");
}

#[test]
fn batches_of_every_family_in_parts_give_the_bits_of_the_whole() {
    for name in ["qwen2", "qwen3", "gpt2", "bloom", "chatglm", "glm4", "deepseek-v2"] {
        let model = Arc::new(Model::open(&golden(name)).expect("the model loads"));
        let longest = model.config.max_position_embeddings.min(16);
        let batch = batch(&[longest, 5, longest - 2, 9, longest]);
        let adapter = adapter(&model, 0.1, &["all-linear"]);
        let runner =
            |rows| Runner::new(model.clone(), longest).expect("a runner").with_rows_at_once(rows);
        let whole = run(runner(usize::MAX), &batch, &adapter);
        let parts = run(runner(16), &batch, &adapter);
        assert!(parts.0 == whole.0 && parts.1 == whole.1, "{name}");
        // Routed experts see all rows at once.
        assert_eq!(parts.2 < whole.2, model.config.experts.is_none(), "{name}");
    }
}

#[test]
fn parts_are_whole_sequences_of_about_512_rows() {
    for (lengths, rows) in [
        (vec![512, 512], 512),
        (vec![511, 511], 511),
        (vec![128; 4], 512),
        (vec![1024], 1024),
        (vec![50; 40], 500),
        (vec![1000, 1000, 24], 1024),
        (vec![2000, 1], 2001),
        (vec![], 0),
    ] {
        assert_eq!(rows_at_once(lengths.clone(), false), rows, "{lengths:?}");
        let all: usize = lengths.iter().sum();
        assert_eq!(rows_at_once(lengths.clone(), true), all, "{lengths:?}");
    }
}

#[test]
fn buffers_of_batches_of_many_lengths_hold_little_more_than_was_ever_needed() {
    let (model, _) = tiny(2);
    let adapter = adapter(&model, 0.1, &["all-linear"]);
    let runner = Runner::new(model, 200).expect("a runner");
    for step in 0..30usize {
        let lengths: Vec<usize> = (0..3).map(|i| 20 + (step * 67 + i * 31) % 170).collect();
        runner.loss_and_gradients(&batch(&lengths), &adapter, 0.01, None).expect("gradients");
        let (all, needed) = (runner.workspace().bytes(), runner.workspace().peak_bytes());
        assert!(all <= needed + needed / 4, "step {step}: {all} bytes where {needed} were needed");
    }
}

#[test]
fn the_weights_of_routed_experts_count() {
    let dir = golden("deepseek-v2");
    let model = Model::open(&dir).expect("the model loads");
    let file = std::fs::read(dir.join("model.safetensors")).expect("the weights");
    let tensors = SafeTensors::deserialize(&file).expect("safetensors");
    let matrices = tensors.tensors().into_iter().filter(|(_, t)| t.shape().len() > 1);
    let values: usize = matrices.map(|(_, t)| t.shape().iter().product::<usize>()).sum();
    assert_eq!(model.weight_bytes(), 4 * values);
}

/// A file that says how large its blocks are, and holds nothing.
struct Promises(Option<u64>);

impl WeightSource for Promises {
    fn load(&self, name: &str, _shape: &[usize]) -> Result<Vec<f32>> {
        Err(Error::Weight { name: name.to_owned(), problem: "is not here".to_owned() })
    }
    fn stored_bytes(&self) -> Option<u64> {
        self.0
    }
    fn has(&self, _name: &str) -> bool {
        true
    }
}

#[test]
fn how_large_a_model_may_be_depends_on_how_its_weights_are_kept() {
    let sizes = Sizes {
        hidden_size: 5120,
        intermediate_size: 13_824,
        num_hidden_layers: 40,
        num_attention_heads: 40,
        num_key_value_heads: 40,
        head_dim: 128,
        vocab_size: 32_000,
        max_position_embeddings: 4096,
    };
    let load = |stored: Option<u64>, precision| {
        let config = ModelConfig::new(Family::Llama, "13B", sizes);
        config.validate().expect("sizes that may be read");
        assert!((12_000_000_000..14_000_000_000).contains(&config.parameters()));
        let error = Model::load_with(config, &Promises(stored), precision).expect_err("no weights");
        error.to_string()
    };
    let dense = load(None, Precision::Dense);
    assert!(dense.contains("32000000000") && dense.contains("--method qlora"), "{dense}");
    let nf4 = load(None, Precision::Nf4 { double_quant: true });
    assert!(nf4.contains("is not here"), "within the limit: {nf4}");
    let blocks = load(Some(8_000_000_000), Precision::Quantised);
    assert!(blocks.contains("is not here"), "within the limit: {blocks}");
    // Blocks that are none, or as large as values.
    for stored in [None, Some(40_000_000_000)] {
        let refused = load(stored, Precision::Quantised);
        assert!(refused.contains("32000000000"), "{refused}");
    }
}
