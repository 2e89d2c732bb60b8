//! What a job may set, and how `trainer-worker train` spells it.

use super::FineTuningError;
use serde_json::{Map, Value};

/// How a job trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// On answers.
    Supervised,
    /// On the preferred of two answers.
    Dpo,
}

impl Method {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Supervised => "supervised",
            Self::Dpo => "dpo",
        }
    }
}

/// What a value must be; the ranges are `train`'s, which checks them before it begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Word,
    Flag,
}

/// Every hyperparameter: its name here and `train`'s option. No option that names a file or an
/// address is among them.
const KNOWN: &[(&str, &str, Kind)] = &[
    ("n_epochs", "--num-train-epochs", Kind::Number),
    ("batch_size", "--per-device-train-batch-size", Kind::Number),
    ("beta", "--pref-beta", Kind::Number),
    ("learning_rate", "--learning-rate", Kind::Number),
    ("lr_scheduler_type", "--lr-scheduler-type", Kind::Word),
    ("warmup_ratio", "--warmup-ratio", Kind::Number),
    ("gradient_accumulation_steps", "--gradient-accumulation-steps", Kind::Number),
    ("max_seq_length", "--max-seq-length", Kind::Number),
    ("max_steps", "--max-steps", Kind::Number),
    ("lora_r", "--lora-r", Kind::Number),
    ("lora_alpha", "--lora-alpha", Kind::Number),
    ("lora_dropout", "--lora-dropout", Kind::Number),
    ("target_modules", "--target-modules", Kind::Word),
    ("use_rslora", "--use-rslora", Kind::Flag),
    ("use_dora", "--use-dora", Kind::Flag),
    ("weight_decay", "--weight-decay", Kind::Number),
    ("max_grad_norm", "--max-grad-norm", Kind::Number),
    ("label_smoothing", "--label-smoothing", Kind::Number),
    ("packing", "--packing", Kind::Flag),
    ("mask_history", "--mask-history", Kind::Flag),
    ("train_on_prompt", "--train-on-prompt", Kind::Flag),
];

/// `train`'s learning rate, which OpenAI's multiplier multiplies.
const LEARNING_RATE: f64 = 2e-4;
/// Longest word among the values.
const MAX_WORD: usize = 256;

/// A job's hyperparameters, checked for names and kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hyperparameters {
    /// How it trains.
    pub method: Method,
    /// As they were given, with what was left open as `auto`.
    pub shown: Map<String, Value>,
    /// The options of `train`.
    pub options: Vec<String>,
}

impl Hyperparameters {
    /// Those of a request: `method: { type, supervised | dpo: { hyperparameters } }`, or the older
    /// `hyperparameters` beside it.
    ///
    /// # Errors
    ///
    /// [`FineTuningError::Field`] that names the one which cannot be taken.
    pub fn parse(method: &Value, older: &Value) -> Result<Self, FineTuningError> {
        let (kind, given, place) = match method {
            Value::Null => (Method::Supervised, older, "hyperparameters".to_owned()),
            Value::Object(fields) => {
                let kind = match fields.get("type").and_then(Value::as_str) {
                    Some("supervised") => Method::Supervised,
                    Some("dpo") => Method::Dpo,
                    other => {
                        let reason = format!(
                            "method.type is {}; supervised and dpo are trained here",
                            other.map_or("missing".to_owned(), |name| format!("{name:?}"))
                        );
                        return Err(FineTuningError::field("method.type", reason));
                    }
                };
                if !older.is_null() {
                    let reason = "give hyperparameters within method, or beside it, not both";
                    return Err(FineTuningError::field("hyperparameters", reason));
                }
                let inner = fields.get(kind.name()).and_then(|m| m.get("hyperparameters"));
                let place = format!("method.{}.hyperparameters", kind.name());
                (kind, inner.unwrap_or(&Value::Null), place)
            }
            _ => return Err(FineTuningError::field("method", "method is an object")),
        };
        let empty = Map::new();
        let given = match given {
            Value::Null => &empty,
            Value::Object(given) => given,
            _ => return Err(FineTuningError::field(place, "hyperparameters are an object")),
        };
        let mut this = Self { method: kind, shown: Map::new(), options: Vec::new() };
        for name in ["n_epochs", "batch_size", "learning_rate_multiplier"] {
            this.shown.insert(name.to_owned(), "auto".into());
        }
        if given.contains_key("learning_rate") && given.contains_key("learning_rate_multiplier") {
            let reason = "learning_rate and learning_rate_multiplier exclude each other";
            return Err(FineTuningError::field(format!("{place}.learning_rate"), reason));
        }
        for (name, value) in given {
            let field = format!("{place}.{name}");
            this.take(&field, name, value)?;
            this.shown.insert(name.clone(), value.clone());
        }
        Ok(this)
    }

    fn take(&mut self, field: &str, name: &str, value: &Value) -> Result<(), FineTuningError> {
        if value.is_null() || value == "auto" {
            return Ok(());
        }
        if name == "learning_rate_multiplier" {
            let factor = value.as_f64().filter(|f| *f > 0.0).ok_or_else(|| {
                FineTuningError::field(field, format!("{name} is {value}; it is a number above 0"))
            })?;
            self.options
                .extend(["--learning-rate".to_owned(), format!("{:e}", LEARNING_RATE * factor)]);
            return Ok(());
        }
        let Some((_, option, kind)) = KNOWN.iter().find(|(known, ..)| *known == name) else {
            let known: Vec<&str> = KNOWN.iter().map(|(known, ..)| *known).collect();
            let reason = format!(
                "{name} is no hyperparameter; they are learning_rate_multiplier, {}",
                known.join(", ")
            );
            return Err(FineTuningError::field(field, reason));
        };
        if name == "beta" && self.method != Method::Dpo {
            return Err(FineTuningError::field(field, "beta belongs to method dpo"));
        }
        let wrong =
            |what| FineTuningError::field(field, format!("{name} is {value}; it is {what}"));
        match kind {
            Kind::Number => {
                let number = value.as_number().ok_or_else(|| wrong("a number"))?;
                self.options.push(format!("{option}={number}"));
            }
            Kind::Word => {
                let word = value.as_str().ok_or_else(|| wrong("a text"))?;
                let plain = |c: char| c.is_ascii_alphanumeric() || "_-,.".contains(c);
                if word.is_empty() || word.len() > MAX_WORD || !word.chars().all(plain) {
                    return Err(wrong(
                        "made of letters, digits and _ - , . with at most 256 of them",
                    ));
                }
                self.options.push(format!("{option}={word}"));
            }
            Kind::Flag => {
                if value.as_bool().ok_or_else(|| wrong("true or false"))? {
                    self.options.push((*option).to_owned());
                }
            }
        }
        Ok(())
    }

    /// What is shown of them.
    pub fn method_object(&self) -> Value {
        serde_json::json!({
            "type": self.method.name(),
            self.method.name(): { "hyperparameters": self.shown },
        })
    }
}
