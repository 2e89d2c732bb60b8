//! Learning rates, clipping and AdamW against transformers and torch (scripts/golden/dpo.py), and
//! the elementary functions behind them.

use crate::common::golden;
use openledger_engine::kernels::scalar;
use openledger_engine::optim::{clip_by_global_norm, AdamW, Schedule};
use serde_json::Value;

fn json() -> Value {
    let text = std::fs::read_to_string(golden("optimiser.json")).expect("golden file");
    serde_json::from_str(&text).expect("JSON")
}

fn numbers<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).expect("numbers")
}

#[test]
fn learning_rates_equal_transformers() {
    let json = json();
    let cases = json["schedules"].as_array().expect("cases");
    assert_eq!(cases.len(), 12);
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let schedule = Schedule::from_name(name).expect("a schedule");
        assert_eq!(schedule.name(), name);
        let (warmup, total): (u64, u64) = (numbers(&case["warmup"]), numbers(&case["total"]));
        let expected: Vec<f64> = numbers(&case["factors"]);
        for (step, expected) in expected.iter().enumerate() {
            let ours = schedule.factor(step as u64, warmup, total);
            assert!((ours - expected).abs() < 1e-12, "{name} {step}: {ours} and {expected}");
        }
    }
    assert!(Schedule::from_name("polynomial").is_err());
}

#[test]
fn clipping_and_adamw_equal_torch() {
    let json = &json()["adamw"];
    let mut parameters: Vec<Vec<f32>> = numbers(&json["start"]);
    let gradients: Vec<Vec<Vec<f32>>> = numbers(&json["gradients"]);
    let states: Vec<Vec<Vec<f32>>> = numbers(&json["states"]);
    let norms: Vec<f64> = numbers(&json["norms"]);
    let number = |key: &str| json[key].as_f64().expect("a number");
    let mut optimizer = AdamW::new(&parameters, number("weight_decay"));
    let (mut clipped, mut kept) = (0, 0);
    for ((gradient, state), norm) in gradients.iter().zip(&states).zip(&norms) {
        let mut gradient = gradient.clone();
        let ours = clip_by_global_norm(&mut gradient, number("max_grad_norm"));
        assert!((ours - norm).abs() < 1e-4 * norm, "{ours} and {norm}");
        *(if ours > 1.0 { &mut clipped } else { &mut kept }) += 1;
        optimizer.update(&mut parameters, &gradient, number("learning_rate"));
        for (ours, theirs) in parameters.iter().flatten().zip(state.iter().flatten()) {
            assert!((ours - theirs).abs() < 2e-6, "{ours} and {theirs}");
        }
    }
    assert!(clipped > 0 && kept > 0, "both sides of the limit were seen");
}

#[test]
fn scalar_functions_equal_the_library_to_the_last_digits() {
    let close = |what: &str, x: f64, ours: f64, theirs: f64| {
        let error = (ours - theirs).abs() / theirs.abs().max(1e-300);
        assert!(error < 4e-15, "{what}({x}): {ours:e} and {theirs:e}");
    };
    for i in -2000..2000 {
        let x = f64::from(i) * 0.171;
        close("exp", x, scalar::exp(x), x.exp());
        close("softplus", x, scalar::softplus(x), x.max(0.0) + (-x.abs()).exp().ln_1p());
        close(
            "sigmoid",
            x,
            scalar::sigmoid(x),
            if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) },
        );
        let positive = x.exp();
        if positive.is_normal() && positive != 1.0 {
            close("ln", positive, scalar::ln(positive), positive.ln());
        }
        let angle = std::f64::consts::PI * f64::from(i + 2000) / 4000.0;
        let error = (scalar::cos_half_turn(angle) - angle.cos()).abs();
        assert!(error < 1e-15, "cos({angle}): {error:e}");
    }
    assert_eq!(scalar::exp(0.0), 1.0);
    assert_eq!(scalar::exp(-1e9), 0.0);
    assert_eq!(scalar::exp(1e9), f64::INFINITY);
    assert!(scalar::exp(f64::NAN).is_nan() && scalar::ln(-1.0).is_nan());
    assert_eq!(scalar::ln(1.0), 0.0);
}
