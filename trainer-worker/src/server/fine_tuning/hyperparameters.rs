//! What a job may set, and how `trainer-worker train` spells it.

use super::FineTuningError;
use openledger_engine::model::ModelConfig;
use openledger_engine::optim::Schedule;
use openledger_engine::train::{DpoSettings, TrainSettings};
use openledger_engine::Error;
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

/// What a value must be; the ranges are `train`'s own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Whole,
    Word,
    Flag,
}

/// Every hyperparameter: its name here and `train`'s option. No option that names a file or an
/// address is among them.
const KNOWN: &[(&str, &str, Kind)] = &[
    ("n_epochs", "--num-train-epochs", Kind::Number),
    ("batch_size", "--per-device-train-batch-size", Kind::Whole),
    ("beta", "--pref-beta", Kind::Number),
    ("learning_rate", "--learning-rate", Kind::Number),
    ("lr_scheduler_type", "--lr-scheduler-type", Kind::Word),
    ("warmup_ratio", "--warmup-ratio", Kind::Number),
    ("gradient_accumulation_steps", "--gradient-accumulation-steps", Kind::Whole),
    ("max_seq_length", "--max-seq-length", Kind::Whole),
    ("max_steps", "--max-steps", Kind::Whole),
    ("lora_r", "--lora-r", Kind::Whole),
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

/// A module as `train` knows it.
fn module(name: &str) -> String {
    match name.trim() {
        // LLaMA-Factory's word.
        "all" => "all-linear".to_owned(),
        name => name.to_owned(),
    }
}

/// A job's hyperparameters, checked for names and kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hyperparameters {
    /// How it trains.
    pub method: Method,
    /// As they were given, with what was left open as `auto`.
    pub shown: Map<String, Value>,
    /// The options of `train`.
    pub options: Vec<String>,
    /// Where they stand in the request.
    place: String,
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
        let mut this =
            Self { method: kind, shown: Map::new(), options: Vec::new(), place: String::new() };
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
        this.place = place;
        Ok(this)
    }

    /// Refuses values out of `train`'s ranges, and modules that the model does not have, so that a job
    /// does not wait for its turn to be told.
    ///
    /// # Errors
    ///
    /// [`FineTuningError::Field`] that names the first.
    pub fn check(&self, model: &ModelConfig) -> Result<(), FineTuningError> {
        let (settings, dpo) = self.settings().map_err(|error| self.refused(&error))?;
        let found = settings.problems().into_iter().next();
        let found = found.or_else(|| dpo.validate().err());
        match found.or_else(|| settings.lora(model).err()) {
            Some(error) => Err(self.refused(&error)),
            None => Ok(()),
        }
    }

    fn refused(&self, error: &Error) -> FineTuningError {
        let told = error.to_string();
        let Error::Setting { name, .. } = error else {
            return FineTuningError::field(format!("{}.target_modules", self.place), told);
        };
        let multiplied = self.shown.get("learning_rate_multiplier").is_some_and(Value::is_number);
        let here = match *name {
            "num_train_epochs" => "n_epochs",
            "per_device_train_batch_size" => "batch_size",
            "learning_rate" if multiplied => "learning_rate_multiplier",
            name => name,
        };
        FineTuningError::field(format!("{}.{here}", self.place), told.replace(name, here))
    }

    /// What `train` makes of them.
    fn settings(&self) -> Result<(TrainSettings, DpoSettings), Error> {
        let (mut s, mut dpo) = (TrainSettings::default(), DpoSettings::default());
        for (name, value) in &self.shown {
            let number = value.as_f64();
            let whole = value.as_u64().map(|n| usize::try_from(n).unwrap_or(usize::MAX));
            let flag = value.as_bool();
            match (name.as_str(), number, whole) {
                ("n_epochs", Some(n), _) => s.num_train_epochs = n,
                ("batch_size", _, Some(n)) => s.per_device_train_batch_size = n,
                ("beta", Some(n), _) => dpo.beta = n,
                ("learning_rate", Some(n), _) => s.learning_rate = n,
                ("learning_rate_multiplier", Some(n), _) => s.learning_rate = LEARNING_RATE * n,
                ("warmup_ratio", Some(n), _) => s.warmup_ratio = n,
                ("gradient_accumulation_steps", _, Some(n)) => s.gradient_accumulation_steps = n,
                ("max_seq_length", _, Some(n)) => s.max_seq_length = n,
                ("max_steps", _, Some(n)) => s.max_steps = Some(n as u64),
                ("lora_r", _, Some(n)) => s.lora_r = n,
                ("lora_alpha", Some(n), _) => s.lora_alpha = n,
                ("lora_dropout", Some(n), _) => s.lora_dropout = n,
                ("weight_decay", Some(n), _) => s.weight_decay = n,
                ("max_grad_norm", Some(n), _) => s.max_grad_norm = n,
                ("label_smoothing", Some(n), _) => dpo.label_smoothing = n,
                _ => {}
            }
            match (name.as_str(), value.as_str().filter(|text| *text != "auto")) {
                ("lr_scheduler_type", Some(text)) => {
                    s.lr_scheduler_type = Schedule::from_name(text)?;
                }
                ("target_modules", Some(text)) => {
                    s.target_modules = text.split(',').map(module).collect();
                }
                _ => {}
            }
            match (name.as_str(), flag) {
                ("packing", Some(flag)) => s.packing = flag,
                ("mask_history", Some(flag)) => s.mask_history = flag,
                ("train_on_prompt", Some(flag)) => s.train_on_prompt = flag,
                _ => {}
            }
        }
        Ok((s, dpo))
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
            Kind::Whole => {
                let number = value.as_u64().ok_or_else(|| wrong("a whole number of at least 1"))?;
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
