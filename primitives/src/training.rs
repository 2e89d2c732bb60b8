//! Training settings: what a job owner may ask for, with the bounds of every field.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// Architecture of a base model. Append, never reorder.
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
#[cfg_attr(feature = "std", serde(rename_all = "lowercase"))]
pub enum ModelFamily {
    /// LLaMA 2 and 3, SmolLM2.
    Llama,
    /// Mistral.
    Mistral,
    /// Qwen 2, 2.5 and 3.
    Qwen,
    /// DeepSeek V2 and V3.
    DeepSeek,
    /// GPT-2.
    Gpt2,
    /// BLOOM.
    Bloom,
    /// ChatGLM 2 and 3, GLM-4.
    ChatGlm,
}

impl ModelFamily {
    /// Every family, in SCALE order.
    pub const ALL: [Self; 7] = [
        Self::Llama,
        Self::Mistral,
        Self::Qwen,
        Self::DeepSeek,
        Self::Gpt2,
        Self::Bloom,
        Self::ChatGlm,
    ];

    /// The name users write.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Mistral => "mistral",
            Self::Qwen => "qwen",
            Self::DeepSeek => "deepseek",
            Self::Gpt2 => "gpt2",
            Self::Bloom => "bloom",
            Self::ChatGlm => "chatglm",
        }
    }
}

/// How the adapter is trained. Append, never reorder.
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
#[cfg_attr(feature = "std", serde(rename_all = "lowercase"))]
pub enum Method {
    /// LoRA on a dense base.
    Lora,
    /// LoRA on a quantised base.
    Qlora,
}

impl Method {
    /// Every method, in SCALE order.
    pub const ALL: [Self; 2] = [Self::Lora, Self::Qlora];

    /// The name users write.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lora => "lora",
            Self::Qlora => "qlora",
        }
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
    pub const COUNT: u32 = 14;

    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        ModelFamily::ALL
            .into_iter()
            .flat_map(|family| Method::ALL.into_iter().map(move |method| Self { family, method }))
    }
}

/// Learning-rate schedule. Append, never reorder.
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
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "std", serde(rename_all = "lowercase"))]
pub enum Schedule {
    /// Down to zero in a straight line after warm-up.
    Linear,
    /// Down to zero along a half cosine after warm-up.
    Cosine,
    /// Unchanged after warm-up.
    Constant,
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

/// A field of [`TrainingSpec`] that has bounds. Append, never reorder.
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
pub enum SpecField {
    /// `lora_r`
    LoraR,
    /// `lora_alpha`
    LoraAlpha,
    /// `lora_dropout_bp`
    LoraDropoutBp,
    /// `target_modules`
    TargetModules,
    /// `learning_rate_nano`
    LearningRateNano,
    /// `warmup_ratio_bp`
    WarmupRatioBp,
    /// `per_device_train_batch_size`
    PerDeviceTrainBatchSize,
    /// `gradient_accumulation_steps`
    GradientAccumulationSteps,
    /// `num_train_epochs`
    NumTrainEpochs,
    /// `max_seq_length`
    MaxSeqLength,
    /// `weight_decay_micro`
    WeightDecayMicro,
    /// `max_grad_norm_milli`
    MaxGradNormMilli,
    /// `eval_fraction_bp`
    EvalFractionBp,
}

impl SpecField {
    /// The field as users write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoraR => "lora_r",
            Self::LoraAlpha => "lora_alpha",
            Self::LoraDropoutBp => "lora_dropout_bp",
            Self::TargetModules => "target_modules",
            Self::LearningRateNano => "learning_rate_nano",
            Self::WarmupRatioBp => "warmup_ratio_bp",
            Self::PerDeviceTrainBatchSize => "per_device_train_batch_size",
            Self::GradientAccumulationSteps => "gradient_accumulation_steps",
            Self::NumTrainEpochs => "num_train_epochs",
            Self::MaxSeqLength => "max_seq_length",
            Self::WeightDecayMicro => "weight_decay_micro",
            Self::MaxGradNormMilli => "max_grad_norm_milli",
            Self::EvalFractionBp => "eval_fraction_bp",
        }
    }

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
