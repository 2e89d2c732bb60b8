//! Jobs that train an adapter further.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{
    training::{SpecField, TargetModules},
    JobState, Method, ModelFamily, TrainingSpec,
};
use pallet_training::{Error, Event, NextJob, Parents};

/// The one other account that owns jobs here.
const OTHER: AccountId = 3;

fn lora() -> TrainingSpec {
    spec(Method::Lora)
}

/// Has Wanda make adapter 0 for [`OWNER`].
fn adapter() {
    worker(WANDA, 5);
    job(1_000, 10_000);
    next_block();
    train(WANDA, 0);
    pass(Window::get());
    assert!(Training::adapter(0).is_some());
}

#[test]
fn an_adapter_is_trained_further_and_its_ancestry_can_be_read() {
    run(|| {
        adapter();
        for parent in 0..3 {
            assert_ok!(refine(OWNER, parent, 0, lora()));
            let id = NextJob::<Test>::get() - 1;
            assert_eq!(id, parent + 1);
            assert!(events().contains(&Event::ParentNamed { job: id, parent }));
            next_block();
            train(WANDA, id);
            pass(Window::get());
            assert!(matches!(state(id), JobState::Completed { .. }));
        }
        assert_eq!(Training::ancestry(3, 100), [2, 1, 0]);
        assert_eq!(Training::ancestry(3, 2), [2, 1]);
        assert!(Training::ancestry(0, 100).is_empty() && Training::ancestry(9, 100).is_empty());
        assert_eq!(Training::parents(0, 100), [(1, 0), (2, 1), (3, 2)]);
        assert_eq!(Training::parents(2, 1), [(2, 1)]);
        assert!(Training::parents(0, 1).is_empty());
    });
}

#[test]
fn a_refining_job_is_held_dispatched_and_paid_as_any_other() {
    run(|| {
        adapter();
        let (owner, wanda) = (free(OTHER), free(WANDA));
        assert_ok!(refine(OTHER, 0, 0, lora()));
        assert_eq!((free(OTHER), budget_held(OTHER)), (owner - 10_000, 10_000));
        next_block();
        train(WANDA, 1);
        pass(Window::get());
        // Nothing goes to the parent's owner or worker for being the parent's.
        assert_eq!((free(OTHER), free(WANDA)), (owner - 10_000, wanda + 10_000));
        assert_eq!((get(1).owner, budget_held(OTHER)), (OTHER, 0));
    });
}

#[test]
fn what_is_no_adapter_on_this_chain_is_refused_as_parent() {
    run(|| {
        adapter();
        assert_noop!(refine(OWNER, 1, 0, lora()), Error::<Test>::UnknownParent);
        // A job has no adapter while it waits, trains, or its window is open, nor after it was called off.
        assert_ok!(Training::pause(signed(WANDA)));
        job(1_000, 10_000);
        assert_noop!(refine(OWNER, 1, 0, lora()), Error::<Test>::UnknownParent);
        assert_ok!(Training::cancel_job(signed(OWNER), 1));
        assert_noop!(refine(OWNER, 1, 0, lora()), Error::<Test>::UnknownParent);
        assert_ok!(Training::resume(signed(WANDA)));
        job(1_000, 10_000);
        next_block();
        train(WANDA, 2);
        assert!(matches!(state(2), JobState::Submitted { .. }));
        assert_noop!(refine(OWNER, 2, 0, lora()), Error::<Test>::UnknownParent);
        pass(Window::get());
        assert_ok!(refine(OWNER, 2, 0, lora()));
    });
}

#[test]
fn a_parent_of_another_base_model_is_refused() {
    run(|| {
        adapter();
        base_model(ModelFamily::Llama);
        assert_noop!(refine(OWNER, 0, 1, lora()), Error::<Test>::ParentBaseModel);
        assert_noop!(refine(OWNER, 0, 2, lora()), Error::<Test>::UnknownBaseModel);
    });
}

#[test]
fn a_parent_of_another_rank_alpha_or_layers_is_refused_by_the_settings_name() {
    run(|| {
        adapter();
        let refused = |change: fn(&mut TrainingSpec), error: Error<Test>| {
            let mut spec = lora();
            change(&mut spec);
            assert_noop!(refine(OWNER, 0, 0, spec), error);
        };
        refused(|spec| spec.lora_r = 9, Error::ParentLoraR);
        refused(|spec| spec.lora_alpha = 17, Error::ParentLoraAlpha);
        refused(|spec| spec.target_modules = TargetModules::QUERY, Error::ParentTargetModules);
        // What is wrong with a setting by itself is said first.
        refused(|spec| spec.lora_r = 0, Error::LoraR);
    });
}

#[test]
fn every_setting_but_rank_alpha_and_layers_may_differ_from_the_parents() {
    run(|| {
        adapter();
        let other = TrainingSpec {
            method: Method::Qlora,
            lora_dropout_bp: 100,
            learning_rate_nano: 5,
            warmup_ratio_bp: 0,
            per_device_train_batch_size: 1,
            gradient_accumulation_steps: 2,
            num_train_epochs: 1,
            max_seq_length: 64,
            weight_decay_micro: 1,
            max_grad_norm_milli: 0,
            seed: 1,
            eval_fraction_bp: 200,
            ..lora()
        };
        let same = [SpecField::LoraR, SpecField::LoraAlpha, SpecField::TargetModules];
        for ((field, own), (_, parents)) in other.fields().into_iter().zip(lora().fields()) {
            assert_eq!(own == parents, same.contains(&field), "{}", field.name());
        }
        assert_ok!(refine(OWNER, 0, 0, other));
    });
}

#[test]
fn a_cancelled_job_keeps_its_parent_and_changes_nothing_about_it() {
    run(|| {
        adapter();
        let parent = Training::adapter(0);
        assert_ok!(Training::pause(signed(WANDA)));
        assert_ok!(refine(OWNER, 0, 0, lora()));
        assert_ok!(Training::cancel_job(signed(OWNER), 1));
        assert_eq!(Parents::<Test>::get(1), Some(0));
        assert_eq!(Training::adapter(0), parent);
    });
}
