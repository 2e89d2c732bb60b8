//! The step that takes single tokens through quantised models, beside the general forward of the same
//! weights, for every family: with the golden models' odd widths, and with widths that integer
//! products take.

use crate::drawn::{adapter, models};
use openledger_engine::generate::argmax;
use openledger_engine::lora::Adapter;
use openledger_engine::model::decode::Session;
use openledger_engine::model::fast::ServingArithmetic;
use openledger_engine::model::forward::{Batch, Runner};
use openledger_engine::model::{Family, Model};
use openledger_engine::train::on_training_threads;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Tokens of a sequence (longer than all windows), and how many are read at once at its beginning.
const TOKENS: usize = 22;
const PROMPT: usize = 9;

fn tokens(model: &Model) -> Vec<u32> {
    (0..TOKENS).map(|i| ((i * 29 + i * i) % model.config.vocab_size) as u32).collect()
}

/// The logits after each token from the prompt's last on: the prompt at once, the others one by one.
fn step_by_step(model: &Arc<Model>, adapter: Option<&Arc<Adapter>>) -> Vec<Vec<f32>> {
    let mut session = Session::new(model.clone(), adapter.cloned(), TOKENS).expect("a session");
    assert_eq!(session.arithmetic(), ServingArithmetic::Integer);
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
