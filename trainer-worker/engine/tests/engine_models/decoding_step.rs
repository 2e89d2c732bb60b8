//! The step that takes single tokens through quantised models, beside the general forward of the same
//! weights, for every family: with the golden models' odd widths, and with widths that integer
//! products take.

use crate::common::{golden, random};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use openledger_engine::error::Result;
use openledger_engine::generate::argmax;
use openledger_engine::kernels::quant::{BlockType, QuantMatrix};
use openledger_engine::lora::{Adapter, LoraConfig};
use openledger_engine::model::config::Sizes;
use openledger_engine::model::decode::Session;
use openledger_engine::model::forward::{Batch, Runner};
use openledger_engine::model::hf::HfFolder;
use openledger_engine::model::{Family, Model, ModelConfig, Precision, WeightSource};
use openledger_engine::train::{on_training_threads, TrainSettings};
use serde_json::{json, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Tokens of a sequence (longer than all windows), and how many are read at once at its beginning.
const TOKENS: usize = 22;
const PROMPT: usize = 9;

/// Weights drawn by their names, so that a model of any family and size needs no file.
struct Drawn;

impl WeightSource for Drawn {
    fn load(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let seed = name.bytes().fold(7u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
        let len = shape.iter().product();
        Ok(match shape {
            [_] if name.ends_with(".weight") => {
                random(seed, len, 0.2).into_iter().map(|v| v + 1.0).collect()
            }
            [_] => random(seed, len, 0.2),
            _ => random(seed, len, 1.6 / (shape[shape.len() - 1] as f32).sqrt()),
        })
    }

    fn has(&self, name: &str) -> bool {
        !name.ends_with("gate_up_proj")
    }
}

/// A source whose matrices come in blocks of Q8_0 where their rows are whole blocks.
struct Rounded<S> {
    source: S,
    conv1d: bool,
}

impl<S: WeightSource> WeightSource for Rounded<S> {
    fn load(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        self.source.load(name, shape)
    }

    fn quantised(&self, name: &str, output: usize, input: usize) -> Result<Option<QuantMatrix>> {
        if !input.is_multiple_of(32) {
            return Ok(None);
        }
        let values = if self.conv1d && name.contains(".h.") {
            let stored = self.load(name, &[input, output])?;
            (0..output * input).map(|i| stored[i % input * output + i / input]).collect()
        } else {
            self.load(name, &[output, input])?
        };
        let tensor = Tensor::from_vec(values, (output, input), &Device::Cpu).expect("a matrix");
        let blocks = QTensor::quantize(&tensor, GgmlDType::Q8_0).expect("blocks");
        let bytes = blocks.data().expect("bytes").to_vec();
        let matrix = QuantMatrix::from_blocks(BlockType::Q8_0, bytes, output, input);
        Ok(Some(matrix.expect("a matrix")))
    }

    fn has(&self, name: &str) -> bool {
        self.source.has(name)
    }
}

fn config_json(case: &str) -> Value {
    let text = std::fs::read_to_string(golden(case).join("config.json")).expect("config.json");
    serde_json::from_str(&text).expect("JSON")
}

fn read(json: &Value) -> ModelConfig {
    ModelConfig::from_hf_json(&json.to_string(), "test").expect("a configuration")
}

const GOLDEN: [&str; 14] = [
    "llama-tied",
    "llama-untied",
    "mistral",
    "qwen2",
    "qwen3",
    "gpt2",
    "bloom",
    "bloom-after-norm",
    "chatglm",
    "glm",
    "glm4",
    "deepseek-v2",
    "deepseek-v2-lite",
    "deepseek-v3",
];

/// Configurations of which every product's input is whole blocks of 32 wide.
fn wide() -> Vec<ModelConfig> {
    let mut all: Vec<ModelConfig> = [
        Family::Llama,
        Family::Mistral,
        Family::Qwen2,
        Family::Qwen3,
        Family::Gpt2,
        Family::Bloom,
        Family::ChatGlm,
        Family::Glm,
        Family::Glm4,
    ]
    .into_iter()
    .map(|family| {
        let equal = matches!(family, Family::Gpt2 | Family::Bloom);
        let sizes = Sizes {
            hidden_size: 64,
            intermediate_size: 96,
            num_hidden_layers: 2,
            num_attention_heads: 4,
            num_key_value_heads: if equal { 4 } else { 2 },
            head_dim: 16,
            vocab_size: 80,
            max_position_embeddings: 64,
        };
        let mut config = ModelConfig::new(family, "wide", sizes);
        match family {
            Family::Mistral => config.windows = vec![Some(7); 2],
            Family::Gpt2 => config.scale_by_inverse_layer = true,
            Family::Bloom => config.residual_after_norm = true,
            _ => {}
        }
        config
    })
    .collect();
    for case in ["deepseek-v2", "deepseek-v2-lite", "deepseek-v3"] {
        let mut json = config_json(case);
        for (key, value) in [
            ("hidden_size", 64),
            ("intermediate_size", 96),
            ("moe_intermediate_size", 32),
            ("kv_lora_rank", 32),
            ("v_head_dim", 32),
            ("vocab_size", 80),
        ] {
            json[key] = json!(value);
        }
        if json["q_lora_rank"].is_number() {
            json["q_lora_rank"] = json!(32);
        }
        all.push(read(&json));
    }
    all
}

/// The golden models and the wide ones, in blocks of Q8_0 and in NF4.
fn models() -> Vec<(String, Arc<Model>)> {
    let mut models = Vec::new();
    let mut add = |name: &str, config: &ModelConfig, source: &(dyn WeightSource + Sync)| {
        for precision in [Precision::Quantised, Precision::Nf4 { double_quant: true }] {
            let model = Model::load_with(config.clone(), source, precision).expect("it loads");
            // Some golden models have no rows of whole blocks.
            if model.is_quantised() {
                models.push((format!("{name} {precision:?}"), Arc::new(model)));
            }
        }
    };
    for case in GOLDEN {
        let config = read(&config_json(case));
        let source = HfFolder::open(&golden(case)).expect("it opens");
        let conv1d = config.fan_in_fan_out();
        add(case, &config, &Rounded { source, conv1d });
    }
    for config in wide() {
        let conv1d = config.fan_in_fan_out();
        let name = format!("wide {}", config.family.model_type());
        add(&name, &config, &Rounded { source: Drawn, conv1d });
    }
    models
}

/// An adapter on all linear modules that changes what the model says.
fn adapter(model: &Model, use_dora: bool) -> Arc<Adapter> {
    let settings = TrainSettings {
        lora_r: 3,
        target_modules: vec!["all-linear".to_owned()],
        ..TrainSettings::default()
    };
    let config = settings.lora(&model.config).expect("a configuration");
    // For every module of every family, also where PEFT could not load what would be written.
    let config = LoraConfig { use_dora, ..config };
    let mut adapter = Adapter::fresh(config, model, 1).expect("an adapter");
    for (layer, values) in adapter.layers.iter_mut().enumerate() {
        let noise = random(layer as u64, values.len(), 0.1);
        values.iter_mut().zip(noise).for_each(|(v, n)| *v += n);
    }
    Arc::new(adapter)
}

fn tokens(model: &Model) -> Vec<u32> {
    (0..TOKENS).map(|i| ((i * 29 + i * i) % model.config.vocab_size) as u32).collect()
}

/// The logits after each token from the prompt's last on: the prompt at once, the others one by one.
fn step_by_step(model: &Arc<Model>, adapter: Option<&Arc<Adapter>>) -> Vec<Vec<f32>> {
    let mut session = Session::new(model.clone(), adapter.cloned(), TOKENS).expect("a session");
    assert!(session.is_fast());
    let tokens = tokens(model);
    let mut logits = vec![session.push(&tokens[..PROMPT]).expect("logits").to_vec()];
    logits.extend(tokens[PROMPT..].iter().map(|t| session.push(&[*t]).expect("logits").to_vec()));
    logits
}

/// The same by the general forward, all tokens at once.
fn at_once(model: &Arc<Model>, adapter: Option<&Arc<Adapter>>) -> Vec<Vec<f32>> {
    let runner = Runner::new(model.clone(), TOKENS).expect("a runner");
    let batch = Batch::new(&[(&tokens(model), &[])]);
    let all = runner.logits(&batch, adapter.map(Arc::as_ref)).expect("logits");
    all.chunks_exact(model.config.vocab_size).skip(PROMPT - 1).map(<[f32]>::to_vec).collect()
}

/// Greatest difference, as a share of the greatest logit.
fn difference(a: &[Vec<f32>], b: &[Vec<f32>]) -> f32 {
    assert_eq!(a.len(), b.len());
    let (a, b) = (a.concat(), b.concat());
    let most = |v: &mut dyn Iterator<Item = f32>| v.fold(0f32, |m, v| m.max(v.abs()));
    most(&mut a.iter().zip(&b).map(|(a, b)| a - b)) / most(&mut b.iter().copied())
}

#[test]
fn single_tokens_give_what_the_general_forward_gives_in_every_family() {
    let (mut worst, mut families) = ((0f32, String::new()), BTreeSet::new());
    let (mut agreed, mut all) = (0, 0);
    for (name, model) in models() {
        families.insert(model.config.family);
        let base = at_once(&model, None);
        for (kind, adapter) in [
            ("alone", None),
            ("with LoRA", Some(adapter(&model, false))),
            ("with DoRA", Some(adapter(&model, true))),
        ] {
            let general = at_once(&model, adapter.as_ref());
            let step = step_by_step(&model, adapter.as_ref());
            let error = difference(&step, &general);
            if error > worst.0 {
                worst = (error, format!("{name} {kind}"));
            }
            assert!(error < 1e-3, "{name} {kind}: {error}");
            let same = step.iter().zip(&general).filter(|(s, g)| argmax(s) == argmax(g)).count();
            (agreed, all) = (agreed + same, all + step.len());
            if adapter.is_some() {
                let effect = difference(&general, &base);
                assert!(effect > 50.0 * error, "{name} {kind}: {effect} beside {error}");
            }
        }
    }
    println!("{agreed} of {all} top tokens agree; greatest difference {worst:?}");
    assert_eq!(families.len(), Family::ALL.len(), "{families:?}");
    // Two logits may lie nearer to one another than the rounding of an input.
    assert!(agreed * 200 >= all * 199, "{agreed} of {all}");
}

#[test]
fn single_tokens_do_not_depend_on_the_number_of_threads_in_any_family() {
    for (name, model) in models() {
        let adapter = adapter(&model, true);
        let with = |threads| {
            on_training_threads(Some(threads), || step_by_step(&model, Some(&adapter)))
                .expect("threads")
        };
        let one = with(1);
        assert!(one.concat().iter().all(|v| v.is_finite()), "{name}");
        assert!(one == with(2) && one == with(3), "{name}");
    }
}

#[test]
fn products_of_whole_blocks_are_taken_in_integers_and_others_by_their_values() {
    let packed = |model: &Model| {
        let all: Vec<bool> =
            model.linears().map(|l| l.quant().is_some_and(|q| q.packed().is_some())).collect();
        (all.iter().filter(|p| **p).count(), all.len())
    };
    for (name, model) in models() {
        let (count, all) = packed(&model);
        if name.ends_with("Quantised") && name.starts_with("wide") {
            assert_eq!(count, all, "{name}");
        } else {
            assert!(count < all, "{name}");
        }
    }
}
