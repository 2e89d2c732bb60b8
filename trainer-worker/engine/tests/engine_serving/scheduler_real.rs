//! The scheduler over the engine's own models: served answers are the ones that `generate` writes.

use crate::common::{lora_config, real_model, tiny};
use openledger_engine::error::Error;
use openledger_engine::generate::{generate, Finish, Sampling};
use openledger_engine::lora::Adapter;
use openledger_engine::model::fast::PreparedAdapter;
use openledger_engine::model::kv::{KvPool, PAGE};
use openledger_engine::model::Model;
use openledger_engine::serving::{Event, Refused, Request, Scheduler, ServingSettings, Stats};
use openledger_engine::tokenizer::Tokenizer;
use std::sync::{mpsc, Arc};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(300);

/// An adapter that changes answers.
fn adapter(model: &Model, seed: u64) -> Arc<Adapter> {
    let config = lora_config(model, 4, 8.0, &["q_proj", "v_proj", "down_proj"]);
    let mut adapter = Adapter::new(config, &model.config, seed);
    let mut seed = seed * 1000;
    for layer in &mut adapter.layers {
        seed += 1;
        let noise = crate::common::random(seed, layer.len(), 0.05);
        layer.iter_mut().zip(noise).for_each(|(value, noise)| *value += noise);
    }
    Arc::new(adapter)
}

struct Ask {
    prompt: Vec<u32>,
    adapter: Option<usize>,
    sampling: Sampling,
    client: u64,
}

type Told = (String, Option<(Finish, usize)>);

/// Serves all of them at the same time.
fn served(
    scheduler: &Scheduler,
    adapters: &[Arc<PreparedAdapter>],
    asks: &[Ask],
    cancel: &[usize],
) -> Vec<Option<Told>> {
    let mut waiting = Vec::new();
    for (i, ask) in asks.iter().enumerate() {
        let mut adapter_key = [0; 32];
        if let Some(adapter) = ask.adapter {
            adapter_key[0] = adapter as u8 + 1;
        }
        let request = Request {
            prompt: ask.prompt.clone(),
            adapter: ask.adapter.map(|adapter| adapters[adapter].clone()),
            adapter_key,
            sampling: ask.sampling.clone(),
            client: ask.client,
        };
        let (tell, told) = mpsc::channel();
        let mut text = String::new();
        let sink = move |event: Event| {
            match event {
                Event::Text { text: more, .. } => text.push_str(&more),
                Event::Done { finish, usage } => {
                    let _ = tell.send((text.clone(), Some((finish, usage.completion_tokens))));
                }
                Event::Failed(error) => {
                    let _ = tell.send((error.to_string(), None));
                }
            }
            true
        };
        let id = scheduler.submit(request, Box::new(sink)).expect("the request is taken");
        waiting.push((id, told));
        if cancel.contains(&i) {
            std::thread::sleep(Duration::from_millis(20));
            scheduler.cancel(id);
        }
    }
    waiting.into_iter().map(|(_, told)| told.recv_timeout(PATIENCE).ok()).collect()
}

fn expected(
    model: &Arc<Model>,
    tokenizer: &Tokenizer,
    adapters: &[Arc<Adapter>],
    ask: &Ask,
) -> (String, bool) {
    let adapter = ask.adapter.map(|adapter| &adapters[adapter]);
    let alone = generate(model, adapter, tokenizer, &ask.prompt, &ask.sampling, |_| true);
    let alone = alone.expect("an answer");
    (alone.text, alone.stopped)
}

fn check_all(
    (model, tokenizer): (Arc<Model>, Arc<Tokenizer>),
    asks: &[Ask],
    cancel: &[usize],
    settings: &[ServingSettings],
) -> Vec<Stats> {
    let adapters: Vec<_> = (1..3).map(|seed| adapter(&model, seed)).collect();
    let prepared: Vec<_> = adapters
        .iter()
        .map(|adapter| Arc::new(PreparedAdapter::new(&model, adapter).expect("it fits")))
        .collect();
    let alone: Vec<_> =
        asks.iter().map(|ask| expected(&model, &tokenizer, &adapters, ask)).collect();
    let mut all = Vec::new();
    for settings in settings {
        let scheduler = Scheduler::start(model.clone(), tokenizer.clone(), settings.clone())
            .expect("the server starts");
        // A second time, with the pages of the first kept.
        for cancel in [cancel, &[]] {
            let told = served(&scheduler, &prepared, asks, cancel);
            for (i, (told, (text, stopped))) in told.into_iter().zip(&alone).enumerate() {
                let Some((served, end)) = told else {
                    assert!(cancel.contains(&i), "request {i} was answered");
                    continue;
                };
                assert_eq!(&served, text, "request {i} with {settings:?}");
                let (finish, _) = end.expect("an answer");
                assert_eq!(finish == Finish::Stop, *stopped, "request {i}");
            }
        }
        let stats = scheduler.stats();
        assert_eq!(stats.refused, 0);
        all.push(stats);
        assert!(scheduler.drain(PATIENCE));
        let stats = scheduler.stats();
        assert_eq!((stats.free_pages, stats.used_pages), (stats.pages, 0), "every page is back");
    }
    all
}

fn asks(tokenizer: &Tokenizer, count: usize, most_new: usize, long: usize) -> Vec<Ask> {
    let story = "The reviewers of a Datanet look at each file before it counts. ";
    (0..count)
        .map(|i| {
            let text = format!("{}Question {i}: who pays?", story.repeat(i % 4 * long));
            let sampling = Sampling {
                max_new_tokens: 4 + i * 7 % most_new,
                temperature: if i % 3 == 0 { 0.0 } else { 0.8 },
                top_p: 0.95,
                seed: i as u64,
                repetition_penalty: if i % 5 == 0 { 1.2 } else { 1.0 },
                ..Sampling::default()
            };
            Ask {
                prompt: tokenizer.encode(&text).expect("tokens"),
                adapter: [None, Some(0), Some(1)][i % 3],
                sampling,
                client: i as u64 % 2,
            }
        })
        .collect()
}

#[test]
fn served_answers_are_those_that_generate_writes() {
    let (model, tokenizer) = real_model();
    let asks = asks(&tokenizer, 8, 14, 2);
    let page = KvPool::page_bytes(&model.config);
    let settings = ServingSettings { threads: 2, kv_bytes: 200 * page, ..Default::default() };
    // Nine pages for eight requests of up to four pages, and chunks that cut anywhere.
    let tiny = ServingSettings {
        threads: 1,
        kv_bytes: 9 * page,
        max_running: 6,
        max_batch_rows: 23,
        prefill_chunk: 11,
        ..Default::default()
    };
    let stats = check_all((model, tokenizer), &asks, &[4, 7], &[settings, tiny]);
    assert!(stats[0].counts.cached_tokens > 0, "beginnings were shared");
}

#[test]
fn small_pools_and_odd_chunks_change_no_answer() {
    let (model, tokenizer) = tiny(3);
    let tokenizer = Arc::new(tokenizer);
    let asks = asks(&tokenizer, 16, 40, 1);
    let page = KvPool::page_bytes(&model.config);
    let settings: Vec<_> = [(1, 8, 1), (2, 9, 3), (3, 40, 32)]
        .into_iter()
        .map(|(threads, pages, prefill_chunk)| ServingSettings {
            threads,
            kv_bytes: pages * page,
            max_running: 5,
            max_batch_rows: 37,
            prefill_chunk,
            max_waiting: 16,
            max_waiting_per_client: 16,
            share_between_clients: threads == 2,
            ..Default::default()
        })
        .collect();
    let stats = check_all((model.clone(), tokenizer.clone()), &asks, &[2, 9], &settings);
    assert!(stats[2].counts.cached_tokens > 0, "beginnings were shared: {stats:?}");
    // Short questions with long answers: those that run begin with a page each and come to need more than
    // there are, whoever comes first.
    let growing = self::asks(&tokenizer, 16, 150, 0);
    let stats = check_all((model, tokenizer), &growing, &[2, 9], &settings[..1]);
    assert!(stats[0].counts.preemptions > 0, "some had to wait again: {stats:?}");
}

#[test]
fn memory_is_known_from_model_and_settings() {
    let (model, tokenizer) = tiny(3);
    let page = KvPool::page_bytes(&model.config);
    let settings = ServingSettings { kv_bytes: 5 * page + 1, ..Default::default() };
    let memory = settings.memory(&model.config).expect("right settings");
    assert_eq!((memory.pages, memory.kv_bytes, memory.longest), (5, 5 * page, 5 * PAGE));
    assert!(memory.total() > memory.kv_bytes && memory.to_string().contains("5 pages of 32"));
    let large = ServingSettings { kv_bytes: 100 * page, ..Default::default() };
    let longest = large.memory(&model.config).expect("right settings").longest;
    assert_eq!(longest, model.config.max_position_embeddings, "the model's context bounds it too");
    let none = ServingSettings { kv_bytes: page - 1, ..Default::default() };
    assert!(matches!(none.memory(&model.config), Err(Error::Setting { name: "kv_bytes", .. })));

    let scheduler = Scheduler::start(model, Arc::new(tokenizer), settings).expect("it starts");
    assert_eq!(scheduler.longest(), 5 * PAGE);
    let request = Request {
        prompt: vec![5; 150],
        adapter: None,
        adapter_key: [0; 32],
        sampling: Sampling { max_new_tokens: 11, ..Sampling::default() },
        client: 0,
    };
    match scheduler.submit(request, Box::new(|_: Event| true)) {
        Err(Refused::TooLong { prompt: 150, max_new_tokens: 11, limit: 160 }) => {}
        other => panic!("{other:?}"),
    }
}
