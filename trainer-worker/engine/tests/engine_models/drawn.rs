//! Models of every family that need no files: the golden models and wide ones, in blocks of Q8_0 and in
//! NF4, with adapters that change what they say.

use crate::common::{golden, random};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use openledger_engine::error::Result;
use openledger_engine::kernels::quant::{BlockType, QuantMatrix};
use openledger_engine::lora::{Adapter, LoraConfig};
use openledger_engine::model::config::Sizes;
use openledger_engine::model::hf::HfFolder;
use openledger_engine::model::{Family, Model, ModelConfig, Precision, WeightSource};
use openledger_engine::train::TrainSettings;
use serde_json::{json, Value};
use std::sync::Arc;

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

pub const GOLDEN: [&str; 14] = [
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
pub fn models() -> Vec<(String, Arc<Model>)> {
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
pub fn adapter(model: &Model, use_dora: bool) -> Arc<Adapter> {
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
