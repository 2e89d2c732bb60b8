//! A sequence's logits are the same bytes whatever else is in a step, however the sequence is cut into
//! steps, with any number of threads, on shared pages and after tokens were taken back: for models of
//! every family, without and with adapters, in both arithmetics.

use crate::common::{golden, real_model_path};
use crate::drawn::{adapter, models, GOLDEN};
use openledger_engine::error::Error;
use openledger_engine::model::decode::Session;
use openledger_engine::model::fast::{BatchStep, Part, PreparedAdapter, ServingArithmetic};
use openledger_engine::model::forward::{Batch, Runner};
use openledger_engine::model::kv::{KvPages, KvPool, PAGE};
use openledger_engine::model::{Model, Precision};
use std::sync::Arc;

/// A model, what it is served with, and a step on so many threads.
struct Served {
    step: BatchStep,
    pool: KvPool,
    adapters: Vec<Option<Arc<PreparedAdapter>>>,
}

impl Served {
    fn new(model: &Arc<Model>, arithmetic: ServingArithmetic, threads: usize) -> Self {
        let prepared = |use_dora| {
            let adapter = adapter(model, use_dora);
            Some(Arc::new(PreparedAdapter::new(model, &adapter).expect("it fits")))
        };
        Self {
            step: BatchStep::new(model.clone(), arithmetic, threads).expect("a step"),
            pool: KvPool::new(&model.config, 200 * KvPool::page_bytes(&model.config))
                .expect("a pool"),
            adapters: vec![None, prepared(false), prepared(true)],
        }
    }

    fn open(&self) -> KvPages {
        KvPages::new(&self.pool, self.length())
    }

    fn vocabulary(&self) -> usize {
        self.step.model().config.vocab_size
    }

    /// Tokens of the longest sequence: more than a page where the model allows.
    fn length(&self) -> usize {
        self.step.model().config.max_position_embeddings.min(PAGE + 9)
    }

    /// Different tokens for each `seed`.
    fn tokens(&self, seed: usize) -> Vec<u32> {
        let next = |i: usize| ((i * 29 + i * i + seed * 13) % self.vocabulary()) as u32;
        (0..self.length()).map(next).collect()
    }

    /// Reads tokens in chunks; the logits after each chunk.
    fn read(
        &mut self,
        pages: &mut KvPages,
        tokens: &[u32],
        which: usize,
        chunk: usize,
    ) -> Vec<Vec<f32>> {
        let adapter = self.adapters[which].clone();
        let chunks = tokens.chunks(chunk).map(|tokens| {
            let mut logits = vec![f32::NAN; self.step.model().config.vocab_size];
            let adapter = adapter.as_deref();
            let part = Part { pages: &mut *pages, tokens, adapter, logits: Some(&mut logits) };
            self.step.run(&mut [part]).expect("a step");
            logits
        });
        chunks.collect()
    }
}

const BOTH: [ServingArithmetic; 2] = [ServingArithmetic::Integer, ServingArithmetic::F32];

fn finite(logits: &[Vec<f32>]) -> bool {
    logits.iter().flatten().all(|v| v.is_finite())
}

/// All models: quantised ones of every family, and the golden ones as they are.
fn all_models() -> Vec<(String, Arc<Model>)> {
    let dense = |case: &&str| {
        let model = Model::open(&golden(case)).expect("it loads");
        (format!("{case} dense"), Arc::new(model))
    };
    let more = ["llama-dynamic", "mistral-longrope"];
    models().into_iter().chain(GOLDEN.iter().chain(&more).map(dense)).collect()
}

#[test]
fn logits_do_not_depend_on_chunks_threads_or_company() {
    for (name, model) in all_models() {
        for arithmetic in BOTH {
            let mut alone = Served::new(&model, arithmetic, 1);
            // Token by token, alone, on one thread.
            let expected: Vec<_> = (0..3)
                .map(|which| {
                    let tokens = alone.tokens(which);
                    let logits = alone.read(&mut alone.open(), &tokens, which, 1);
                    assert!(finite(&logits), "{name}");
                    logits
                })
                .collect();
            assert!(expected[0].last() != expected[1].last(), "{name}: the adapter acts");
            for threads in [1, 2, 3] {
                let mut served = Served::new(&model, arithmetic, threads);
                for (which, expected) in expected.iter().enumerate() {
                    let tokens = served.tokens(which);
                    for chunk in [7, 32, tokens.len()] {
                        let logits = served.read(&mut served.open(), &tokens, which, chunk);
                        let ends = (1..=logits.len()).map(|i| (i * chunk).min(tokens.len()));
                        for (end, logits) in ends.zip(&logits) {
                            let same = *logits == expected[end - 1];
                            assert!(same, "{name} {arithmetic:?} {threads} {which} {chunk}: {end}");
                        }
                    }
                }
                among_others(&name, &mut served, &expected);
            }
        }
    }
}

/// Three sequences whose logits are known, among 30 others of other lengths with other adapters, in
/// steps of chunks of different lengths.
fn among_others(name: &str, served: &mut Served, expected: &[Vec<Vec<f32>>]) {
    const SEQUENCES: usize = 33;
    let length = served.length();
    let all: Vec<Vec<u32>> = (0..SEQUENCES).map(|s| served.tokens(s)).collect();
    let mut pages: Vec<KvPages> = (0..SEQUENCES).map(|_| served.open()).collect();
    let mut logits = vec![vec![0f32; served.vocabulary()]; SEQUENCES];
    let adapters = served.adapters.clone();
    for round in 0.. {
        if pages.iter().all(|p| p.len() == length) {
            break;
        }
        let mut parts = Vec::new();
        for (s, (pages, logits)) in pages.iter_mut().zip(&mut logits).enumerate() {
            let n = (1 + (s * 7 + round * 5) % 19).min(length - pages.len());
            if n == 0 || (s + round) % 4 == 3 {
                continue;
            }
            let tokens = &all[s][pages.len()..pages.len() + n];
            let adapter = adapters[s % 3].as_deref();
            parts.push(Part { pages, tokens, adapter, logits: Some(logits) });
        }
        // Another order in each step.
        let middle = round % parts.len();
        parts.rotate_left(middle);
        served.step.run(&mut parts).expect("a step");
        for (s, expected) in expected.iter().enumerate() {
            if !pages[s].is_empty() {
                let same = logits[s] == expected[pages[s].len() - 1];
                assert!(same, "{name} {:?}: sequence {s}", served.step);
            }
        }
    }
    drop(pages);
    assert_eq!(served.pool.free(), served.pool.pages());
}

#[test]
fn logits_do_not_depend_on_shared_pages_or_tokens_taken_back() {
    for (name, model) in all_models() {
        for arithmetic in BOTH {
            let mut served = Served::new(&model, arithmetic, 2);
            let tokens = served.tokens(1);
            let mut first = served.open();
            let expected = served.read(&mut first, &tokens, 1, 1);
            // After half the tokens were taken back and others read in their place.
            let half = tokens.len() / 2;
            first.truncate(half);
            let others: Vec<u32> = tokens[half..].iter().rev().copied().collect();
            let with_others = served.read(&mut first, &others, 1, 5);
            first.truncate(half);
            let again = served.read(&mut first, &tokens[half..], 1, 3);
            assert!(again.last() == expected.last(), "{name} {arithmetic:?}: taken back");
            // On the first one's pages.
            let mut second = first.share_prefix(first.pages());
            assert_eq!(second.len(), tokens.len() / PAGE * PAGE);
            let rest = second.len();
            if rest < tokens.len() {
                let last = served.read(&mut second, &tokens[rest..], 1, 100);
                assert!(last.last() == expected.last(), "{name} {arithmetic:?}: shared");
            }
            // A sequence that goes back into a shared page writes to a page of its own.
            let mut third = first.share_prefix(1);
            if third.len() > half {
                third.truncate(half);
                let other = served.read(&mut third, &others, 1, 100);
                assert!(other.last() == with_others.last(), "{name} {arithmetic:?}");
                first.truncate(tokens.len() - 1);
                let last = served.read(&mut first, &tokens[tokens.len() - 1..], 1, 1);
                assert!(last.last() == expected.last(), "{name} {arithmetic:?}: not written to");
            }
        }
    }
}

#[test]
fn the_real_model_gives_the_same_bytes_in_a_batch_of_long_sequences() {
    let open = || Model::open_with(&real_model_path(), Precision::Quantised).expect("it loads");
    let model = Arc::new(open());
    let adapter = adapter(&model, false);
    let prepared = PreparedAdapter::new(&model, &adapter).expect("it fits");
    assert!(prepared.bytes() > 1 << 20);
    let vocabulary = model.config.vocab_size;
    let mut step = BatchStep::new(model.clone(), ServingArithmetic::Integer, 2).expect("a step");
    let pool = KvPool::new(&model.config, 64 << 20).expect("a pool");
    let tokens = |s: usize, n: usize| -> Vec<u32> {
        (0..n).map(|i| ((i * 7919 + s * 104_729) % vocabulary) as u32).collect()
    };
    let prompts: Vec<Vec<u32>> = (0..5).map(|s| tokens(s, 150 - 11 * s)).collect();
    let with = |s: usize| (s % 2 == 1).then_some(&prepared);
    let mut expected = Vec::new();
    for (s, tokens) in prompts.iter().enumerate() {
        let mut logits = vec![0f32; vocabulary];
        let mut pages = KvPages::new(&pool, 200);
        let adapter = with(s);
        for part in tokens.chunks(40) {
            let logits = Some(&mut logits[..]);
            step.run(&mut [Part { pages: &mut pages, tokens: part, adapter, logits }])
                .expect("a step");
        }
        expected.push(logits);
    }
    let mut pages: Vec<KvPages> = prompts.iter().map(|_| KvPages::new(&pool, 200)).collect();
    let mut logits = vec![vec![0f32; vocabulary]; prompts.len()];
    let each = prompts.iter().zip(&mut pages).zip(&mut logits).enumerate();
    let mut parts: Vec<Part<'_>> = each
        .map(|(s, ((tokens, pages), logits))| Part {
            pages,
            tokens,
            adapter: with(s),
            logits: Some(logits),
        })
        .collect();
    step.run(&mut parts).expect("a step");
    assert!(finite(&expected));
    assert!(logits == expected);
    // A session gives the same.
    let mut session = Session::new(model, Some(adapter), 200).expect("a session");
    assert!(session.push(&prompts[1]).expect("logits") == &expected[1][..]);
}

#[test]
fn a_sequence_is_turned_for_the_length_it_was_announced_with() {
    for case in ["llama-dynamic", "mistral-longrope"] {
        let model = Arc::new(Model::open(&golden(case)).expect("it loads"));
        let rotary = model.config.rotary().expect("a rotary embedding");
        let same = rotary.same_up_to().expect("a limit");
        let long = model.config.max_position_embeddings.min(27);
        assert!(same < long, "{case}: {same}");
        let mut served = Served::new(&model, ServingArithmetic::F32, 2);
        let tokens = served.tokens(0);
        let mut last = |limit: usize, n: usize, chunk: usize| {
            let mut pages = KvPages::new(&served.pool, limit);
            served.read(&mut pages, &tokens[..n], 0, chunk).pop().expect("logits")
        };
        // Within the original context the announced length does not matter.
        assert!(last(same, same - 1, 1) == last(same - 1, same - 1, 4), "{case}");
        // Beyond it, how the sequence is read does not.
        let whole = last(long, long, long);
        assert!(whole == last(long, long, 1) && whole == last(long, long, 4), "{case}");
        // As transformers turns a sequence of that length that is read at once.
        let runner = Runner::new(model.clone(), long).expect("a runner");
        let all = runner.logits(&Batch::new(&[(&tokens[..long], &[])]), None).expect("logits");
        let general = &all[all.len() - whole.len()..];
        let differences = whole.iter().zip(general).map(|(a, b)| (a - b).abs());
        let worst = differences.fold(0f32, f32::max);
        assert!(worst <= 1e-4, "{case}: {worst}");
        // Pages that were turned for another length are not taken.
        let open = |limit: usize| KvPages::new(&served.pool, limit);
        assert_eq!(open(same).turned_for(), 0);
        assert_ne!(open(long).turned_for(), 0);
    }
}

#[test]
fn what_cannot_be_computed_is_refused_and_changes_nothing() {
    let model = Arc::new(Model::open(&golden("llama-tied")).expect("it loads"));
    let other = Arc::new(Model::open(&golden("qwen2")).expect("it loads"));
    let mut served = Served::new(&model, ServingArithmetic::F32, 2);
    let stranger = Served::new(&other, ServingArithmetic::F32, 1);
    let limit = model.config.max_position_embeddings;
    let mut pages = KvPages::new(&served.pool, limit);
    let first = served.read(&mut pages, &[1, 2, 3], 0, 3);
    let mut fails = |served: &mut Served, tokens: &[u32], adapter, size| {
        let mut logits = vec![0f32; size];
        let part = Part { pages: &mut pages, tokens, adapter, logits: Some(&mut logits) };
        let error = served.step.run(&mut [part]).expect_err("refused");
        assert_eq!(pages.len(), 3);
        error
    };
    let size = served.vocabulary();
    let id = size as u32;
    let error = fails(&mut served, &[1, id], None, size);
    assert!(matches!(error, Error::TokenId { id: i, .. } if i == id), "{error}");
    let error = fails(&mut served, &vec![1; limit - 2], None, size);
    let expected = matches!(error, Error::ContextExceeded { tokens, limit: l, .. } if tokens == limit + 1 && l == limit);
    assert!(expected, "{error}");
    let error = fails(&mut served, &[], None, size);
    assert!(matches!(error, Error::Setting { name: "tokens", .. }), "{error}");
    let error = fails(&mut served, &[1], None, size - 1);
    assert!(matches!(error, Error::Setting { name: "logits", .. }), "{error}");
    let error = fails(&mut served, &[1], stranger.adapters[1].as_deref(), size);
    assert!(matches!(error, Error::Adapter { .. }), "{error}");
    // A pool of one page, held by another sequence.
    let pool = KvPool::for_tokens(&model.config, 1).expect("a pool");
    let mut holder = KvPages::new(&pool, 9);
    served.read(&mut holder, &[1], 0, 1);
    let mut waiting = KvPages::new(&pool, 9);
    let part = Part { pages: &mut waiting, tokens: &[1], adapter: None, logits: None };
    let error = served.step.run(&mut [part]).expect_err("refused");
    assert!(matches!(error, Error::KvFull { needed: 1, free: 0 }), "{error}");
    // Pages of a pool for another model.
    let mut foreign = KvPages::new(&stranger.pool, 9);
    let part = Part { pages: &mut foreign, tokens: &[1], adapter: None, logits: None };
    let error = served.step.run(&mut [part]).expect_err("refused");
    assert!(matches!(error, Error::Setting { name: "pages", .. }), "{error}");
    // What was read before goes on as if nothing had happened.
    pages.truncate(0);
    assert!(served.read(&mut pages, &[1, 2, 3], 0, 1).last() == first.last());
}
