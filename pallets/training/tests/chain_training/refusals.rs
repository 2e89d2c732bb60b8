//! Every refusal by its name.

use crate::mock::*;
use frame_support::assert_noop;
use openledger_primitives::{
    job::Datasets,
    leaf::DatasetRef,
    training::{SpecField, TargetModules},
    ContentCodec, ContentId, DatasetVersion, JobResult, Method, ModelFamily, TrainingSpec,
};
use pallet_training::{Error, ModelFiles};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult, TokenError};

struct Offer {
    base: u32,
    datasets: Datasets,
    spec: TrainingSpec,
    token_ceiling: u64,
    price: u128,
    deadline: u32,
}

fn offer() -> Offer {
    Offer {
        base: 0,
        datasets: datasets(&[(0, 3)]),
        spec: spec(Method::Lora),
        token_ceiling: 1_000,
        price: 10,
        deadline: System::block_number() + 100,
    }
}

fn create(change: impl FnOnce(&mut Offer)) -> DispatchResult {
    let mut offer = offer();
    change(&mut offer);
    let Offer { base, datasets, spec, token_ceiling, price, deadline } = offer;
    Training::create_job(signed(OWNER), base, datasets, spec, token_ceiling, price, deadline)
}

#[test]
fn a_job_that_nothing_is_wrong_with_is_taken() {
    run(|| assert_eq!(create(|_| ()), Ok(())));
}

#[test]
fn jobs_on_unknown_base_models_are_refused() {
    run(|| {
        assert_noop!(create(|offer| offer.base = 1), Error::<Test>::UnknownBaseModel);
    });
}

#[test]
fn jobs_on_no_or_repeated_datanets_are_refused() {
    run(|| {
        assert_noop!(create(|offer| offer.datasets = datasets(&[])), Error::<Test>::NoDatasets);
        assert_noop!(
            create(|offer| offer.datasets = datasets(&[(0, 3), (1, 3), (0, 4)])),
            Error::<Test>::RepeatedDatanet
        );
    });
}

#[test]
fn jobs_on_versions_that_never_were_are_refused() {
    run(|| {
        assert_noop!(
            create(|offer| offer.datasets = datasets(&[(0, 11)])),
            Error::<Test>::UnknownVersion
        );
        assert_noop!(
            create(|offer| offer.datasets = datasets(&[(10, 1)])),
            Error::<Test>::UnknownVersion
        );
        let forged = DatasetVersion { leaves: 3, root: H256::repeat_byte(1) };
        let forged = vec![DatasetRef { datanet: 0, version: forged }];
        assert_noop!(
            create(|offer| offer.datasets = forged.try_into().expect("one")),
            Error::<Test>::UnknownVersion
        );
        assert_noop!(
            create(|offer| offer.datasets = datasets(&[(0, 3), (1, 0)])),
            Error::<Test>::EmptyVersion
        );
    });
}

#[test]
fn settings_out_of_bounds_are_refused_by_the_fields_name() {
    fn set(spec: &mut TrainingSpec, field: SpecField, value: u64) {
        match field {
            SpecField::LoraR => spec.lora_r = value as u16,
            SpecField::LoraAlpha => spec.lora_alpha = value as u16,
            SpecField::LoraDropoutBp => spec.lora_dropout_bp = value as u16,
            SpecField::TargetModules => spec.target_modules = TargetModules(value as u16),
            SpecField::LearningRateNano => spec.learning_rate_nano = value as u32,
            SpecField::WarmupRatioBp => spec.warmup_ratio_bp = value as u16,
            SpecField::PerDeviceTrainBatchSize => spec.per_device_train_batch_size = value as u16,
            SpecField::GradientAccumulationSteps => spec.gradient_accumulation_steps = value as u16,
            SpecField::NumTrainEpochs => spec.num_train_epochs = value as u16,
            SpecField::MaxSeqLength => spec.max_seq_length = value as u32,
            SpecField::WeightDecayMicro => spec.weight_decay_micro = value as u32,
            SpecField::MaxGradNormMilli => spec.max_grad_norm_milli = value as u32,
            SpecField::EvalFractionBp => spec.eval_fraction_bp = value as u16,
        }
    }
    let named: [(SpecField, Error<Test>); 13] = [
        (SpecField::LoraR, Error::LoraR),
        (SpecField::LoraAlpha, Error::LoraAlpha),
        (SpecField::LoraDropoutBp, Error::LoraDropoutBp),
        (SpecField::TargetModules, Error::TargetModules),
        (SpecField::LearningRateNano, Error::LearningRateNano),
        (SpecField::WarmupRatioBp, Error::WarmupRatioBp),
        (SpecField::PerDeviceTrainBatchSize, Error::PerDeviceTrainBatchSize),
        (SpecField::GradientAccumulationSteps, Error::GradientAccumulationSteps),
        (SpecField::NumTrainEpochs, Error::NumTrainEpochs),
        (SpecField::MaxSeqLength, Error::MaxSeqLength),
        (SpecField::WeightDecayMicro, Error::WeightDecayMicro),
        (SpecField::MaxGradNormMilli, Error::MaxGradNormMilli),
        (SpecField::EvalFractionBp, Error::EvalFractionBp),
    ];
    run(|| {
        for (field, error) in named {
            let (least, greatest) = field.bounds();
            let error = DispatchError::from(error);
            assert_noop!(create(|offer| set(&mut offer.spec, field, greatest + 1)), error);
            if least > 0 {
                assert_noop!(create(|offer| set(&mut offer.spec, field, least - 1)), error);
            }
            assert_eq!(create(|offer| set(&mut offer.spec, field, least)), Ok(()));
            assert_eq!(create(|offer| set(&mut offer.spec, field, greatest)), Ok(()));
        }
    });
}

#[test]
fn jobs_for_no_tokens_or_too_little_are_refused() {
    run(|| {
        assert_noop!(create(|offer| offer.token_ceiling = 0), Error::<Test>::ZeroTokenCeiling);
        assert_noop!(create(|offer| offer.price = 0), Error::<Test>::BelowMinimumBudget);
        let little = |tokens| {
            move |offer: &mut Offer| {
                offer.price = 1;
                offer.token_ceiling = tokens;
            }
        };
        assert_noop!(create(little(MINIMUM as u64 - 1)), Error::<Test>::BelowMinimumBudget);
        assert_eq!(create(little(MINIMUM as u64)), Ok(()));
    });
}

#[test]
fn deadlines_lie_ahead_and_within_reach() {
    run(|| {
        let now = System::block_number();
        assert_noop!(create(|offer| offer.deadline = now), Error::<Test>::DeadlinePassed);
        assert_noop!(create(|offer| offer.deadline = 0), Error::<Test>::DeadlinePassed);
        assert_noop!(
            create(|offer| offer.deadline = now + LONGEST + 1),
            Error::<Test>::DeadlineTooFar
        );
        assert_noop!(create(|offer| offer.deadline = u32::MAX), Error::<Test>::DeadlineTooFar);
        // Both windows, and a block of training.
        let floor = now + TAKE + HEARTBEAT + 1;
        assert_noop!(create(|offer| offer.deadline = floor - 1), Error::<Test>::DeadlineTooSoon);
        assert_noop!(create(|offer| offer.deadline = now + 1), Error::<Test>::DeadlineTooSoon);
        assert_eq!(create(|offer| offer.deadline = floor), Ok(()));
        assert_eq!(create(|offer| offer.deadline = now + LONGEST), Ok(()));
    });
}

#[test]
fn a_budget_that_the_owner_does_not_have_cannot_be_held() {
    run(|| {
        assert_noop!(create(|offer| offer.price = RICH / 1_000), TokenError::FundsUnavailable);
        assert_noop!(create(|offer| offer.price = u128::MAX), Error::<Test>::Overflow);
    });
}

fn register(change: impl FnOnce(&mut ModelFiles), name: &str, licence: &str) -> DispatchResult {
    let mut files = files();
    change(&mut files);
    Training::register_base_model(
        signed(REGISTRAR),
        ModelFamily::Qwen,
        text(name),
        files,
        text(licence),
    )
}

#[test]
fn base_models_that_say_too_little_are_refused() {
    run(|| {
        let same = |_: &mut ModelFiles| ();
        assert_noop!(register(same, "", "MIT"), Error::<Test>::EmptyName);
        assert_noop!(register(same, "Qwen", ""), Error::<Test>::EmptyLicence);
        assert_noop!(
            register(|files| files.weights_size = 0, "Qwen", "MIT"),
            Error::<Test>::EmptyFile
        );
        assert_noop!(
            register(|files| files.weights_sha256 = [8; 32], "Qwen", "MIT"),
            Error::<Test>::DigestMismatch
        );
        // The root of a tree of blocks says nothing about the hash of the whole.
        let tree = ContentId::new(ContentCodec::DagPb, [7; 32]);
        let of_tree = |files: &mut ModelFiles| {
            files.weights = tree;
            files.weights_sha256 = [8; 32];
        };
        assert_eq!(register(of_tree, "Qwen", "MIT"), Ok(()));
        assert_noop!(
            Training::register_base_model(
                signed(REGISTRAR),
                ModelFamily::Qwen,
                vec![0xff].try_into().expect("short"),
                files(),
                text("MIT")
            ),
            Error::<Test>::NotUtf8
        );
        assert_noop!(
            Training::register_base_model(
                signed(REGISTRAR),
                ModelFamily::Qwen,
                text("Qwen"),
                files(),
                vec![0xc3].try_into().expect("short"),
            ),
            Error::<Test>::NotUtf8
        );
        for (name, licence, error) in [
            ("Qwen", "MIT\u{1b}[2J\u{1b}]0;x\u{7}", Error::<Test>::HiddenCharacter),
            ("Qwen\u{2066}", "MIT", Error::<Test>::HiddenCharacter),
            (" ", "MIT", Error::<Test>::EmptyName),
            ("Qwen", "\t", Error::<Test>::EmptyLicence),
        ] {
            assert_noop!(register(|_| (), name, licence), error);
        }
        assert_noop!(
            Training::register_base_model(
                signed(1_000),
                ModelFamily::Qwen,
                text("Qwen"),
                files(),
                text("MIT")
            ),
            TokenError::FundsUnavailable
        );
    });
}

#[test]
fn a_base_model_costs_its_deposit() {
    run(|| {
        use frame_support::traits::fungible::InspectHold;
        let reason = pallet_training::HoldReason::BaseModelDeposit.into();
        assert_eq!(Balances::balance_on_hold(&reason, &REGISTRAR), DEPOSIT);
        base_model(ModelFamily::Bloom);
        assert_eq!(Balances::balance_on_hold(&reason, &REGISTRAR), 2 * DEPOSIT);
        let model = pallet_training::BaseModels::<Test>::get(1).expect("registered");
        assert_eq!((model.family, model.deposit), (ModelFamily::Bloom, DEPOSIT));
    });
}

#[test]
fn calls_about_jobs_that_are_not_there_are_refused() {
    run(|| {
        assert_noop!(Training::take(signed(WANDA), 0), Error::<Test>::UnknownJob);
        assert_noop!(Training::heartbeat(signed(WANDA), 0, 0, 0), Error::<Test>::UnknownJob);
        assert_noop!(
            Training::submit_result(signed(WANDA), 0, result()),
            Error::<Test>::UnknownJob
        );
        assert_noop!(Training::cancel_job(signed(OWNER), 0), Error::<Test>::UnknownJob);
        assert_eq!(Training::job(0), None);
        assert_eq!(Training::adapter(0), None);
    });
}

#[test]
fn only_the_owner_calls_a_job_off() {
    run(|| {
        let id = job(1_000, 10_000);
        assert_noop!(Training::cancel_job(signed(WANDA), id), Error::<Test>::NotTheOwner);
    });
}

#[test]
fn a_job_is_worked_on_in_order_by_its_worker() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10_000);
        worker(WALTER, 7);
        assert_noop!(Training::take(signed(WALTER), id), Error::<Test>::NotTheWorker);
        assert_noop!(Training::heartbeat(signed(WANDA), id, 0, 0), Error::<Test>::WrongState);
        assert_noop!(
            Training::submit_result(signed(WANDA), id, result()),
            Error::<Test>::WrongState
        );
        assert_eq!(Training::take(signed(WANDA), id), Ok(()));
        assert_noop!(Training::take(signed(WANDA), id), Error::<Test>::WrongState);
        assert_noop!(Training::heartbeat(signed(WALTER), id, 0, 0), Error::<Test>::NotTheWorker);
        assert_noop!(
            Training::submit_result(signed(WALTER), id, result()),
            Error::<Test>::NotTheWorker
        );
        assert_noop!(Training::heartbeat(signed(WANDA), id, 2, 1), Error::<Test>::StepBeyondTotal);
        assert_eq!(Training::submit_result(signed(WANDA), id, result()), Ok(()));
        assert_noop!(
            Training::submit_result(signed(WANDA), id, result()),
            Error::<Test>::WrongState
        );
        assert_noop!(Training::heartbeat(signed(WANDA), id, 0, 0), Error::<Test>::WrongState);
    });
}

#[test]
fn results_that_do_not_fit_are_refused_and_the_job_goes_on() {
    run(|| {
        worker(WANDA, 7);
        let id = job(1_000, 10_000);
        next_block();
        assert_eq!(Training::take(signed(WANDA), id), Ok(()));
        let submit = |result| Training::submit_result(signed(WANDA), id, result);
        assert_noop!(
            submit(JobResult { dataset_root: H256::zero(), ..result() }),
            Error::<Test>::DatasetRootMismatch
        );
        assert_noop!(submit(JobResult { size: 0, ..result() }), Error::<Test>::EmptyFile);
        assert_noop!(
            submit(JobResult { sha256: [8; 32], ..result() }),
            Error::<Test>::DigestMismatch
        );
        assert_eq!(submit(result()), Ok(()));
    });
}

#[test]
fn calls_have_to_be_signed() {
    run(|| {
        let none = RuntimeOrigin::none;
        let calls: [DispatchResult; 16] = [
            Training::register_base_model(
                none(),
                ModelFamily::Qwen,
                text("Qwen"),
                files(),
                text("MIT"),
            ),
            Training::register_worker(none(), kinds(&[LORA]), 1, text(""), models(&[]), 1),
            Training::update_worker(none(), kinds(&[LORA]), 1, text(""), models(&[]), 1),
            Training::pause(none()),
            Training::resume(none()),
            Training::deregister_worker(none()),
            Training::create_job(none(), 0, datasets(&[(0, 3)]), spec(Method::Lora), 1, MINIMUM, 9),
            Training::cancel_job(none(), 0),
            Training::take(none(), 0),
            Training::heartbeat(none(), 0, 0, 0),
            Training::submit_result(none(), 0, result()),
            Training::decline(none(), 0, openledger_primitives::job::DeclineReason::Other),
            Training::raise_price(none(), 0, 1),
            Training::extend_deadline(none(), 0, 1),
            Training::prune_job(none(), 0),
            Training::retire_base_model(none(), 0),
        ];
        assert!(calls.iter().all(|answer| *answer == Err(DispatchError::BadOrigin)));
    });
}
