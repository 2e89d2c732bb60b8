//! Training settings: what a job owner may ask for, with the bounds of every field.

use crate::list::closed_list;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

closed_list! {
    /// Architecture of a base model. Append, never reorder.
    "a family", pub enum ModelFamily {
        Llama = 0, "llama", "LLaMA 2 and 3, SmolLM2";
        Mistral = 1, "mistral", "Mistral";
        Qwen = 2, "qwen", "Qwen 2, 2.5 and 3";
        DeepSeek = 3, "deepseek", "DeepSeek V2 and V3";
        Gpt2 = 4, "gpt2", "GPT-2";
        Bloom = 5, "bloom", "BLOOM";
        ChatGlm = 6, "chatglm", "ChatGLM 2 and 3, GLM-4";
    }
}

closed_list! {
    /// How the adapter is trained. Append, never reorder.
    "a method", pub enum Method {
        Lora = 0, "lora", "LoRA on a dense base";
        Qlora = 1, "qlora", "LoRA on a quantised base";
    }
}

/// What a worker must be able to do for a job. There is one queue a kind, so that a job which nobody
/// can train holds up none of another kind.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
pub struct JobKind {
    /// Architecture of the base model.
    pub family: ModelFamily,
    /// How the adapter is trained.
    pub method: Method,
}

impl JobKind {
    /// How many kinds there are.
    pub const COUNT: u32 = (ModelFamily::ALL.len() * Method::ALL.len()) as u32;

    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        ModelFamily::ALL
            .into_iter()
            .flat_map(|family| Method::ALL.into_iter().map(move |method| Self { family, method }))
    }
}

closed_list! {
    /// Learning-rate schedule. Append, never reorder.
    "a schedule", pub enum Schedule {
        Linear = 0, "linear", "down to zero in a straight line after warm-up";
        Cosine = 1, "cosine", "down to zero along a half cosine after warm-up";
        Constant = 2, "constant", "unchanged after warm-up";
    }
}

/// The linear layers of a block by the part they play; each family maps them to its own names.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct TargetModules(pub u16);

impl TargetModules {
    /// The family's defaults, as PEFT chooses them.
    pub const DEFAULT: Self = Self(0);
    /// Query projection.
    pub const QUERY: Self = Self(1);
    /// Key projection.
    pub const KEY: Self = Self(1 << 1);
    /// Value projection.
    pub const VALUE: Self = Self(1 << 2);
    /// Attention output projection.
    pub const OUTPUT: Self = Self(1 << 3);
    /// Gate of the feed-forward network.
    pub const GATE: Self = Self(1 << 4);
    /// Up projection of the feed-forward network.
    pub const UP: Self = Self(1 << 5);
    /// Down projection of the feed-forward network.
    pub const DOWN: Self = Self(1 << 6);
    /// Every linear layer of a block.
    pub const ALL_LINEAR: Self = Self(0x7f);

    /// Whether `part` is among them.
    pub const fn contains(self, part: Self) -> bool {
        self.0 & part.0 == part.0
    }

    /// Both.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A training job's settings, in integers of a named unit.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct TrainingSpec {
    /// LoRA or QLoRA.
    pub method: Method,
    /// Rank of the adapter.
    pub lora_r: u16,
    /// Its alpha: updates are scaled by alpha ÷ rank.
    pub lora_alpha: u16,
    /// Dropout before the adapter, in basis points (1/10,000).
    pub lora_dropout_bp: u16,
    /// Which layers get an adapter.
    pub target_modules: TargetModules,
    /// Peak learning rate in 10⁻⁹.
    pub learning_rate_nano: u32,
    /// How it changes.
    pub schedule: Schedule,
    /// Share of all steps spent warming up, in basis points.
    pub warmup_ratio_bp: u16,
    /// Examples a step and device.
    pub per_device_train_batch_size: u16,
    /// Steps whose gradients are added before the weights move.
    pub gradient_accumulation_steps: u16,
    /// Passes over the training examples.
    pub num_train_epochs: u16,
    /// Longest example in tokens; longer ones are cut.
    pub max_seq_length: u32,
    /// Weight decay in 10⁻⁶.
    pub weight_decay_micro: u32,
    /// Gradient norm above which gradients are scaled down, in 10⁻³; 0 switches it off.
    pub max_grad_norm_milli: u32,
    /// Seed of initialisation, shuffle, dropout and split.
    pub seed: u64,
    /// Share of the examples held out for evaluation, in basis points.
    pub eval_fraction_bp: u16,
}

impl Default for TrainingSpec {
    fn default() -> Self {
        Self {
            method: Method::Lora,
            lora_r: 8,
            lora_alpha: 16,
            lora_dropout_bp: 0,
            target_modules: TargetModules::DEFAULT,
            learning_rate_nano: 1_000_000,
            schedule: Schedule::Cosine,
            warmup_ratio_bp: 500,
            per_device_train_batch_size: 4,
            gradient_accumulation_steps: 1,
            num_train_epochs: 3,
            max_seq_length: 512,
            weight_decay_micro: 0,
            max_grad_norm_milli: 1_000,
            seed: 42,
            eval_fraction_bp: 1_000,
        }
    }
}

closed_list! {
    /// A field of [`TrainingSpec`] that has bounds. Append, never reorder.
    "a setting", pub enum SpecField {
        LoraR = 0, "lora_r", "rank of the adapter";
        LoraAlpha = 1, "lora_alpha", "updates are scaled by alpha ÷ rank";
        LoraDropoutBp = 2, "lora_dropout_bp", "dropout before the adapter, 1/10,000";
        TargetModules = 3, "target_modules", "which layers get an adapter, bits";
        LearningRateNano = 4, "learning_rate_nano", "peak learning rate, 10⁻⁹";
        WarmupRatioBp = 5, "warmup_ratio_bp", "share of the steps spent warming up, 1/10,000";
        PerDeviceTrainBatchSize = 6, "per_device_train_batch_size", "examples a step and device";
        GradientAccumulationSteps = 7, "gradient_accumulation_steps", "steps before the weights move";
        NumTrainEpochs = 8, "num_train_epochs", "passes over the examples";
        MaxSeqLength = 9, "max_seq_length", "longest example, tokens";
        WeightDecayMicro = 10, "weight_decay_micro", "weight decay, 10⁻⁶";
        MaxGradNormMilli = 11, "max_grad_norm_milli", "largest gradient norm, 10⁻³; 0 for any";
        EvalFractionBp = 12, "eval_fraction_bp", "share of the examples held out, 1/10,000";
    }
}

impl SpecField {
    /// Least and greatest value.
    pub const fn bounds(self) -> (u64, u64) {
        match self {
            Self::LoraR => (1, 256),
            Self::LoraAlpha => (1, 1_024),
            Self::LoraDropoutBp => (0, 5_000),
            Self::TargetModules => (0, 0x7f),
            Self::LearningRateNano => (1, 100_000_000),
            Self::WarmupRatioBp => (0, 5_000),
            Self::PerDeviceTrainBatchSize => (1, 64),
            Self::GradientAccumulationSteps => (1, 256),
            Self::NumTrainEpochs => (1, 100),
            Self::MaxSeqLength => (16, 8_192),
            Self::WeightDecayMicro => (0, 1_000_000),
            Self::MaxGradNormMilli => (0, 100_000),
            Self::EvalFractionBp => (100, 5_000),
        }
    }
}

/// A field outside its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecError {
    /// Which.
    pub field: SpecField,
    /// What it holds.
    pub value: u64,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, greatest) = self.field.bounds();
        write!(f, "{} is {}; it may be {least} to {greatest}", self.field.name(), self.value)
    }
}

impl core::error::Error for SpecError {}

impl TrainingSpec {
    /// Every bounded field with its value.
    pub fn fields(&self) -> [(SpecField, u64); 13] {
        [
            (SpecField::LoraR, self.lora_r.into()),
            (SpecField::LoraAlpha, self.lora_alpha.into()),
            (SpecField::LoraDropoutBp, self.lora_dropout_bp.into()),
            (SpecField::TargetModules, self.target_modules.0.into()),
            (SpecField::LearningRateNano, self.learning_rate_nano.into()),
            (SpecField::WarmupRatioBp, self.warmup_ratio_bp.into()),
            (SpecField::PerDeviceTrainBatchSize, self.per_device_train_batch_size.into()),
            (SpecField::GradientAccumulationSteps, self.gradient_accumulation_steps.into()),
            (SpecField::NumTrainEpochs, self.num_train_epochs.into()),
            (SpecField::MaxSeqLength, self.max_seq_length.into()),
            (SpecField::WeightDecayMicro, self.weight_decay_micro.into()),
            (SpecField::MaxGradNormMilli, self.max_grad_norm_milli.into()),
            (SpecField::EvalFractionBp, self.eval_fraction_bp.into()),
        ]
    }

    /// The first setting that keeps an adapter trained with `parent` from being trained further with
    /// these: rank, alpha and layers decide its tensors and what it computes. All others may differ.
    pub fn unlike_parent(&self, parent: &Self) -> Option<SpecField> {
        let settled = [SpecField::LoraR, SpecField::LoraAlpha, SpecField::TargetModules];
        let pairs = self.fields().into_iter().zip(parent.fields());
        pairs
            .filter(|((field, own), (_, theirs))| settled.contains(field) && own != theirs)
            .map(|((field, _), _)| field)
            .next()
    }

    /// Whether every field is within its bounds.
    ///
    /// # Errors
    ///
    /// The first field that is not.
    pub fn validate(&self) -> Result<(), SpecError> {
        for (field, value) in self.fields() {
            let (least, greatest) = field.bounds();
            if value < least || value > greatest {
                return Err(SpecError { field, value });
            }
        }
        Ok(())
    }
}
