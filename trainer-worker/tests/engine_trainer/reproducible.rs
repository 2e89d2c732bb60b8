//! The arithmetic is what docs/arithmetic.md says, and neither threads nor the CPU's vector
//! instructions change a bit of it.

use crate::common::{golden, random, real_model_path, write_tiny_gguf};
use openledger_engine::kernels::cpu::{instructions, use_instructions, Instructions};
use openledger_engine::kernels::{gemm, math, scalar};
use openledger_engine::train::on_training_threads;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

/// The choice of instructions is the process's: tests that change it run one after the other.
static CHOICE: Mutex<()> = Mutex::new(());

fn table() -> BTreeMap<String, Vec<Vec<f64>>> {
    let text = std::fs::read(golden("elementary.json")).expect("the golden file is there");
    let rows: BTreeMap<String, Vec<Vec<String>>> =
        serde_json::from_slice(&text).expect("the golden file is JSON");
    let numbers = |row: Vec<String>| row.iter().map(|x| x.parse().expect("a number")).collect();
    rows.into_iter().map(|(name, rows)| (name, rows.into_iter().map(numbers).collect())).collect()
}

#[test]
fn elementary_functions_keep_their_stated_errors() {
    let table = table();
    let mut seen = 0;
    // (name, bound, whether it bounds the relative error, function of a row's arguments)
    type Row = (&'static str, f64, bool, fn(&[f64]) -> f64);
    let rows: [Row; 10] = [
        ("exp", 1e-15, true, |x| scalar::exp(x[0])),
        ("ln", 1e-15, true, |x| scalar::ln(x[0])),
        ("sin", 4e-16, false, |x| scalar::sin_cos(x[0]).0),
        ("cos", 4e-16, false, |x| scalar::sin_cos(x[0]).1),
        ("pow", 1e-14, true, |x| scalar::pow(x[0], x[1])),
        ("softplus", 1e-15, true, |x| scalar::softplus(x[0])),
        ("sigmoid", 1e-15, true, |x| scalar::sigmoid(x[0])),
        ("exp_f32", 2e-7, true, |x| f64::from(math::exp(x[0] as f32))),
        ("tanh_f32", 3e-7, true, |x| f64::from(math::tanh(x[0] as f32))),
        ("erf_f32", 3e-7, false, |x| f64::from(math::erf(x[0] as f32))),
    ];
    for (name, bound, relative, function) in rows {
        for row in &table[name] {
            let (arguments, exact) = row.split_at(row.len() - 1);
            let got = function(arguments);
            let size = if relative { exact[0].abs() } else { 1.0 };
            let error = (got - exact[0]).abs() / size.max(f64::MIN_POSITIVE);
            assert!(error <= bound, "{name}({arguments:?}) = {got}, not {}: {error}", exact[0]);
            seen += 1;
        }
    }
    assert!(seen > 300, "only {seen} values were compared");
    assert!(scalar::sin_cos(f64::NAN).0.is_nan() && scalar::sin_cos(f64::INFINITY).0.is_nan());
    let (sin, cos) = scalar::sin_cos(1e300);
    assert!((sin * sin + cos * cos - 1.0).abs() < 1e-15);
    assert!(scalar::ln(0.0).is_nan() && scalar::ln(-1.0).is_nan());
}

#[test]
fn sums_over_rows_that_come_in_parts_equal_the_sum_over_all_to_the_bit() {
    let _turn = CHOICE.lock().unwrap_or_else(|e| e.into_inner());
    let before = instructions();
    for (case, (m, n, rows)) in [(8, 50, 1300), (17, 3, 513), (3, 96, 1024)].into_iter().enumerate()
    {
        let (x, w) = (random(case as u64, m * rows, 1.0), random(7, n * rows, 1.0));
        for set in Instructions::ALL {
            if !use_instructions(set) {
                continue;
            }
            let mut whole = vec![0.25f32; m * n];
            gemm::tn(&mut whole, &x, &w, (m, n, rows), 0.75, true);
            // Parts that end within slices, with them, and within the slice that they began in.
            for cuts in [vec![512], vec![100, 300, 511], vec![300, 512, 513], vec![1, 2, 512]] {
                let mut bounds = cuts;
                bounds.insert(0, 0);
                bounds.push(rows);
                let (mut sum, mut begun) = (vec![0.25f32; m * n], vec![f32::NAN; m * n]);
                for part in bounds.windows(2) {
                    let (from, to) = (part[0], part[1]);
                    let continued =
                        &mut gemm::Continued { begun: &mut begun, before: from, last: to == rows };
                    let (x, w) = (&x[from * m..to * m], &w[from * n..to * n]);
                    gemm::tn_continued(&mut sum, x, w, (m, n, to - from), 0.75, continued);
                }
                let same = sum.iter().zip(&whole).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same, "{} in parts {bounds:?}", set.name());
            }
        }
    }
    assert!(use_instructions(before));
}

/// A product as docs/arithmetic.md defines it, element by element.
fn defined(
    y: &mut [f32],
    (x, w): (impl Fn(usize, usize) -> f32, impl Fn(usize, usize) -> f32),
    (m, n, k): (usize, usize, usize),
    scale: f32,
    accumulate: bool,
) {
    for i in 0..m {
        for j in 0..n {
            for start in (0..k).step_by(gemm::K_SLICE) {
                let end = (start + gemm::K_SLICE).min(k);
                let sum = (start..end).fold(0f32, |sum, l| x(i, l).mul_add(w(l, j), sum));
                let y = &mut y[i * n + j];
                *y = if accumulate || start > 0 { scale.mul_add(sum, *y) } else { scale * sum };
            }
        }
    }
}

#[test]
fn products_equal_their_definition_to_the_bit_whatever_computes_them() {
    let _turn = CHOICE.lock().unwrap_or_else(|e| e.into_inner());
    let before = instructions();
    let mut compared = 0;
    for (case, (m, n, k)) in [
        (1, 1, 1),
        (2, 3, 5),
        (7, 47, 513),
        (8, 48, 512),
        (9, 50, 1100),
        (16, 96, 600),
        (17, 8, 576),
        (64, 64, 64),
        (3, 600, 8),
        (33, 300, 40),
        (130, 17, 1025),
        // Rows of the left matrix a multiple of 4 KiB apart.
        (20, 33, 1024),
    ]
    .into_iter()
    .enumerate()
    {
        let (x, w) = (random(case as u64, m * k, 1.0), random(90 + case as u64, n * k, 1.0));
        let mut expected = [vec![0.25f32; m * n], vec![0.25f32; m * n], vec![0.25f32; m * n]];
        let (scale, add) = (0.75, case % 2 == 0);
        let (xn, xt) = (|i: usize, l: usize| x[i * k + l], |i: usize, l: usize| x[l * m + i]);
        let (wn, wt) = (|l: usize, j: usize| w[l * n + j], |l: usize, j: usize| w[j * k + l]);
        defined(&mut expected[0], (xn, wt), (m, n, k), scale, add);
        defined(&mut expected[1], (xn, wn), (m, n, k), scale, add);
        defined(&mut expected[2], (xt, wn), (m, n, k), scale, add);
        for set in Instructions::ALL {
            if !use_instructions(set) {
                continue;
            }
            for threads in 1..=3 {
                let got = on_training_threads(Some(threads), || {
                    let mut got = [vec![0.25f32; m * n], vec![0.25f32; m * n], vec![0.25; m * n]];
                    gemm::nt(&mut got[0], &x, &w, (m, n, k), scale, add);
                    gemm::nn(&mut got[1], &x, &w, (m, n, k), scale, add);
                    gemm::tn(&mut got[2], &x, &w, (m, n, k), scale, add);
                    got
                })
                .expect("threads start");
                for (kind, (got, expected)) in got.iter().zip(&expected).enumerate() {
                    let same = got.iter().zip(expected).all(|(a, b)| a.to_bits() == b.to_bits());
                    assert!(same, "{m} × {n} × {k}, {kind}, {}, {threads} threads", set.name());
                    compared += 1;
                }
            }
        }
    }
    use_instructions(before);
    assert!(compared >= 12 * 3 * 3, "only {compared} products were compared");
}

/// Trains by the program with other instructions and threads; returns the digest of its adapter.
fn trained(model: &Path, data: &Path, set: Instructions, threads: usize, more: &[&str]) -> String {
    let output = tempfile::tempdir().expect("a folder");
    let threads = threads.to_string();
    let run = Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
        .env("OPENLEDGER_INSTRUCTIONS", set.name())
        .args(["train", "--save-steps", "0", "--learning-rate", "1e-3", "--threads", &threads])
        .args(more)
        .arg("--model")
        .arg(model)
        .arg("--data")
        .arg(data)
        .arg("--output")
        .arg(output.path())
        .output()
        .expect("the program starts");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let bytes = std::fs::read(output.path().join("adapter_model.safetensors")).expect("an adapter");
    hex::encode(Sha256::digest(bytes))
}

fn text(dir: &Path) -> std::path::PathBuf {
    let path = dir.join("text.txt");
    let text: String =
        (0..60).map(|i| format!("Sentence {i} tells of the {} ships at sea. ", i * 7)).collect();
    std::fs::write(&path, text).expect("the text is written");
    path
}

#[test]
fn adapters_are_equal_to_the_byte_with_every_instruction_set_and_thread_count() {
    let dir = tempfile::tempdir().expect("a folder");
    let model = dir.path().join("tiny.gguf");
    write_tiny_gguf(&model, 3);
    let data = text(dir.path());
    let more = ["--max-steps", "4", "--max-seq-length", "64", "--target-modules", "all-linear"];
    let mut first: Option<String> = None;
    for set in Instructions::ALL.into_iter().filter(|s| s.available()) {
        for threads in 1..=3 {
            let digest = trained(&model, &data, set, threads, &more);
            let first = first.get_or_insert_with(|| digest.clone());
            assert_eq!(*first, digest, "{} with {threads} threads", set.name());
        }
    }
}

#[test]
fn the_real_model_trains_to_the_same_bytes_with_avx2_and_avx512() {
    let dir = tempfile::tempdir().expect("a folder");
    let (model, data) = (real_model_path(), text(dir.path()));
    let more = [
        "--max-steps",
        "2",
        "--max-seq-length",
        "80",
        "--per-device-train-batch-size",
        "1",
        "--eval-fraction",
        "0",
    ];
    let best = Instructions::best();
    let first = trained(&model, &data, best, 2, &more);
    let lesser = if best == Instructions::Avx512 { Instructions::Avx2 } else { best };
    assert_eq!(first, trained(&model, &data, lesser, 1, &more), "{}", lesser.name());
    assert_eq!(first, trained(&model, &data, best, 3, &more), "three threads");
}
