use crate::common::real_model_path;
use std::sync::Arc;
use std::time::Instant;
use trainer_worker::lora::Adapter;
use trainer_worker::model::decode::Session;
use trainer_worker::model::forward::{Batch, DropoutAt, Runner};
use trainer_worker::model::{Model, Precision};
use trainer_worker::train::TrainSettings;

fn env(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

#[test]
fn probe() {
    if std::env::var("PROBE").is_err() {
        return;
    }
    let start = Instant::now();
    let model = Arc::new(Model::open_with(&real_model_path(), Precision::Quantised).expect("m"));
    println!("load {:?} bytes {}", start.elapsed(), model.weight_bytes());
    let np = env("NP", 512);
    let prompt: Vec<u32> = (0..np as u32).map(|i| (i * 97 + 13) % 40000).collect();
    let lora = TrainSettings::default().lora(&model.config).expect("lora");
    let mut adapter = Adapter::new(lora, &model.config, 1);
    for l in &mut adapter.layers {
        for v in l.iter_mut() {
            if *v == 0.0 {
                *v = 0.01;
            }
        }
    }
    let adapter = Arc::new(adapter);
    for round in 0..env("ROUNDS", 3) {
        for (name, a) in [("plain", None), ("adapter", Some(adapter.clone()))] {
            let mut s = Session::new(model.clone(), a.clone(), 700).expect("s");
            let start = Instant::now();
            let l = s.push(&prompt).expect("p")[5];
            let p = start.elapsed().as_secs_f64();
            drop(s);
            let mut s = Session::new(model.clone(), a, 700).expect("s");
            s.push(&prompt[..1]).expect("p");
            let (mut times, mut token) = (vec![], 5u32);
            let start = Instant::now();
            for _ in 0..128 {
                let t = Instant::now();
                let l = s.push(&[token]).expect("d");
                token = trainer_worker::generate::argmax(l);
                times.push(t.elapsed().as_secs_f64());
            }
            let d = start.elapsed().as_secs_f64();
            times.sort_by(f64::total_cmp);
            println!("{round} {name}: prompt {:.0} t/s, decode {:.1} t/s, median {:.1}, best {:.1} t/s ({l:.3})", np as f64 / p, 128.0 / d, 1.0 / times[64], 1.0 / times[0]);
        }
    }
    if env("TRAIN", 1) == 0 {
        return;
    }
    let dense = Arc::new(Model::open(&real_model_path()).expect("m"));
    let seqs: Vec<Vec<u32>> =
        (0..4).map(|s| (0..128).map(|i| (i * 97 + 13 + s * 7) % 40000).collect()).collect();
    let labels = vec![true; 128];
    let refs: Vec<(&[u32], &[bool])> =
        seqs.iter().map(|s| (s.as_slice(), labels.as_slice())).collect();
    let batch = Batch::new(&refs);
    for _ in 0..3 {
        for (name, m) in [("lora", &dense), ("qlora", &model)] {
            let runner = Runner::new(m.clone(), 128).expect("r");
            runner
                .loss_and_gradients(
                    &batch,
                    &adapter,
                    1.0,
                    Some(DropoutAt { seed: 1, step: 0, micro: 0 }),
                )
                .expect("g");
            let start = Instant::now();
            let r = runner
                .loss_and_gradients(
                    &batch,
                    &adapter,
                    1.0,
                    Some(DropoutAt { seed: 1, step: 0, micro: 0 }),
                )
                .expect("g");
            println!(
                "{name}: {:.0} tokens/s loss {}",
                512.0 / start.elapsed().as_secs_f64(),
                r.loss_sum
            );
        }
    }
}
