//! Training settings: bounds, names and stored indices.

use codec::{DecodeAll, Encode};
use openledger_primitives::{
    training::{Schedule, SpecError, SpecField, TargetModules},
    JobKind, Method, ModelFamily, TrainingSpec,
};
use std::collections::BTreeSet;

/// Every bounded field with its name, bounds, and how to set it.
type Row = (SpecField, &'static str, u64, u64, fn(&mut TrainingSpec, u64));

const TABLE: [Row; 13] = [
    (SpecField::LoraR, "lora_r", 1, 256, |spec, value| spec.lora_r = value as u16),
    (SpecField::LoraAlpha, "lora_alpha", 1, 1_024, |spec, value| spec.lora_alpha = value as u16),
    (SpecField::LoraDropoutBp, "lora_dropout_bp", 0, 5_000, |spec, value| {
        spec.lora_dropout_bp = value as u16
    }),
    (SpecField::TargetModules, "target_modules", 0, 0x7f, |spec, value| {
        spec.target_modules = TargetModules(value as u16)
    }),
    (SpecField::LearningRateNano, "learning_rate_nano", 1, 100_000_000, |spec, value| {
        spec.learning_rate_nano = value as u32
    }),
    (SpecField::WarmupRatioBp, "warmup_ratio_bp", 0, 5_000, |spec, value| {
        spec.warmup_ratio_bp = value as u16
    }),
    (SpecField::PerDeviceTrainBatchSize, "per_device_train_batch_size", 1, 64, |spec, value| {
        spec.per_device_train_batch_size = value as u16
    }),
    (SpecField::GradientAccumulationSteps, "gradient_accumulation_steps", 1, 256, |spec, value| {
        spec.gradient_accumulation_steps = value as u16
    }),
    (SpecField::NumTrainEpochs, "num_train_epochs", 1, 100, |spec, value| {
        spec.num_train_epochs = value as u16
    }),
    (SpecField::MaxSeqLength, "max_seq_length", 16, 8_192, |spec, value| {
        spec.max_seq_length = value as u32
    }),
    (SpecField::WeightDecayMicro, "weight_decay_micro", 0, 1_000_000, |spec, value| {
        spec.weight_decay_micro = value as u32
    }),
    (SpecField::MaxGradNormMilli, "max_grad_norm_milli", 0, 100_000, |spec, value| {
        spec.max_grad_norm_milli = value as u32
    }),
    (SpecField::EvalFractionBp, "eval_fraction_bp", 100, 5_000, |spec, value| {
        spec.eval_fraction_bp = value as u16
    }),
];

#[test]
fn the_defaults_are_within_all_bounds() {
    assert_eq!(TrainingSpec::default().validate(), Ok(()));
}

#[test]
fn every_field_is_taken_at_its_bounds_and_refused_beyond_by_name() {
    for (n, (field, name, least, greatest, set)) in TABLE.into_iter().enumerate() {
        assert_eq!(field.encode(), [n as u8]);
        assert_eq!((field.name(), field.bounds()), (name, (least, greatest)));
        let with = |value| {
            let mut spec = TrainingSpec::default();
            set(&mut spec, value);
            assert_eq!(spec.fields()[n], (field, value));
            spec.validate()
        };
        assert_eq!(with(least), Ok(()));
        assert_eq!(with(greatest), Ok(()));
        let beyond = SpecError { field, value: greatest + 1 };
        assert_eq!(with(greatest + 1), Err(beyond));
        if least > 0 {
            assert_eq!(with(least - 1), Err(SpecError { field, value: least - 1 }));
        }
        let words = beyond.to_string();
        assert!(words.contains(name) && words.contains(&greatest.to_string()), "{words}");
    }
}

#[test]
fn the_first_of_several_wrong_fields_is_named() {
    let spec = TrainingSpec { lora_alpha: 0, num_train_epochs: 0, ..TrainingSpec::default() };
    assert_eq!(spec.validate(), Err(SpecError { field: SpecField::LoraAlpha, value: 0 }));
}

#[test]
fn families_methods_and_schedules_have_their_index_and_name() {
    let families = [
        (ModelFamily::Llama, "llama"),
        (ModelFamily::Mistral, "mistral"),
        (ModelFamily::Qwen, "qwen"),
        (ModelFamily::DeepSeek, "deepseek"),
        (ModelFamily::Gpt2, "gpt2"),
        (ModelFamily::Bloom, "bloom"),
        (ModelFamily::ChatGlm, "chatglm"),
    ];
    assert_eq!(ModelFamily::ALL, families.map(|row| row.0));
    for (n, (family, name)) in families.into_iter().enumerate() {
        assert_eq!((family.name(), family.encode()), (name, vec![n as u8]));
    }
    assert!(ModelFamily::decode_all(&mut &[7][..]).is_err());
    for (n, (method, name)) in
        [(Method::Lora, "lora"), (Method::Qlora, "qlora")].into_iter().enumerate()
    {
        assert_eq!(Method::ALL[n], method);
        assert_eq!((method.name(), method.encode()), (name, vec![n as u8]));
    }
    for (n, schedule) in
        [Schedule::Linear, Schedule::Cosine, Schedule::Constant].into_iter().enumerate()
    {
        assert_eq!(schedule.encode(), [n as u8]);
    }
}

#[test]
fn there_is_one_kind_for_each_family_and_method() {
    let kinds: BTreeSet<JobKind> = JobKind::all().collect();
    assert_eq!(kinds.len(), 14);
    assert_eq!(JobKind::all().count(), JobKind::COUNT as usize);
}

#[test]
fn target_modules_are_a_set() {
    let all = TargetModules::QUERY
        .union(TargetModules::KEY)
        .union(TargetModules::VALUE)
        .union(TargetModules::OUTPUT)
        .union(TargetModules::GATE)
        .union(TargetModules::UP)
        .union(TargetModules::DOWN);
    assert_eq!(all, TargetModules::ALL_LINEAR);
    let two = TargetModules::QUERY.union(TargetModules::VALUE);
    assert!(two.contains(TargetModules::QUERY) && two.contains(TargetModules::VALUE));
    assert!(!two.contains(TargetModules::KEY) && !two.contains(all));
    assert_eq!(TargetModules::DEFAULT, TargetModules(0));
}
