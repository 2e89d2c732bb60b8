//! Pages of keys and values: bounded, counted, and given back.

use crate::common::golden;
use openledger_engine::error::Error;
use openledger_engine::model::fast::{BatchStep, Part, ServingArithmetic};
use openledger_engine::model::kv::{Full, KvPages, KvPool, PAGE};
use openledger_engine::model::Model;
use proptest::prelude::*;
use std::sync::{Arc, OnceLock};

fn model() -> Arc<Model> {
    static MODEL: OnceLock<Arc<Model>> = OnceLock::new();
    let open = || Arc::new(Model::open(&golden("deepseek-v3")).expect("it loads"));
    MODEL.get_or_init(open).clone()
}

fn pool(pages: usize) -> KvPool {
    let config = &model().config;
    KvPool::new(config, pages * KvPool::page_bytes(config)).expect("a pool")
}

#[test]
fn a_pool_is_as_large_as_its_bytes_and_no_larger() {
    let model = model();
    let (config, heads) = (&model.config, model.config.heads(0));
    let a_position = 4 * config.num_hidden_layers * (heads.key_width() + heads.value_width());
    let page = KvPool::page_bytes(config);
    assert_eq!(page, PAGE * a_position);
    assert_eq!(KvPool::new(config, 3 * page - 1).expect("a pool").pages(), 2);
    assert_eq!(KvPool::for_tokens(config, PAGE + 1).expect("a pool").pages(), 2);
    let error = KvPool::new(config, page - 1).expect_err("less than a page");
    assert!(matches!(error, Error::Setting { name: "kv_bytes", .. }), "{error}");
    let error = KvPool::new(config, usize::MAX / 2).expect_err("more than there is");
    assert!(matches!(error, Error::Setting { name: "kv_bytes", .. }), "{error}");
}

#[test]
fn a_full_pool_refuses_with_numbers_and_takes_nothing() {
    let pool = pool(3);
    let (mut first, mut second) = (KvPages::new(&pool, 128), KvPages::new(&pool, 128));
    first.reserve(PAGE + 1).expect("two pages");
    assert_eq!(second.reserve(PAGE + 1), Err(Full { needed: 2, free: 1 }));
    assert_eq!((pool.free(), second.pages()), (1, 0));
    first.truncate(0);
    assert_eq!(pool.free(), 3);
    second.reserve(PAGE + 1).expect("two pages");
    drop(second);
    assert_eq!(pool.free(), 3);
}

fn read(step: &mut BatchStep, pages: &mut KvPages, n: usize) {
    let tokens: Vec<u32> = (0..n).map(|i| (pages.len() + i) as u32 % 40).collect();
    step.run(&mut [Part { pages, tokens: &tokens, adapter: None, logits: None }]).expect("a step");
}

#[test]
fn only_whole_written_pages_are_handed_out() {
    let (model, pool) = (model(), pool(6));
    let mut step = BatchStep::new(model, ServingArithmetic::F32, 1).expect("a step");
    let mut pages = KvPages::new(&pool, 100);
    read(&mut step, &mut pages, PAGE - 1);
    assert!(pages.page(0).is_none() && pages.share_prefix(1).is_empty());
    read(&mut step, &mut pages, 2);
    let page = pages.page(0).expect("it is whole");
    assert!(pages.page(1).is_none() && !page.is_alone());
    assert_eq!(pages.share_prefix(7).len(), PAGE);
    drop(pages);
    assert!(page.is_alone());
    assert_eq!(pool.free(), 5);
    let next = KvPages::from_pages(&pool, 100, [page.clone(), page.clone()]);
    assert_eq!((next.len(), next.pages()), (2 * PAGE, 2));
    // No more than the limit, and none of another pool.
    assert_eq!(KvPages::from_pages(&pool, PAGE - 1, [page.clone()]).len(), 0);
    assert_eq!(KvPages::from_pages(&self::pool(1), 100, [page.clone()]).len(), 0);
    drop((page, next));
    assert_eq!(pool.free(), 6);
}

#[derive(Debug, Clone)]
enum Act {
    Read(usize, usize),
    Share(usize, usize),
    Truncate(usize, usize),
    Drop(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0..4usize, 1..40usize).prop_map(|(s, n)| Act::Read(s, n)),
        (0..4usize, 0..4usize).prop_map(|(from, to)| Act::Share(from, to)),
        (0..4usize, 0..100usize).prop_map(|(s, n)| Act::Truncate(s, n)),
        (0..4usize).prop_map(Act::Drop),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever sequences do with a tiny pool, each page is free or held, and all come back.
    #[test]
    fn pages_are_never_lost_or_given_twice(acts in proptest::collection::vec(act(), 1..30)) {
        let (config, pool) = (&model().config, pool(5));
        let mut step =
            BatchStep::new(model(), ServingArithmetic::F32, 1).expect("a step");
        let mut all: Vec<KvPages> = (0..4).map(|_| KvPages::new(&pool, 128)).collect();
        for act in acts {
            match act {
                Act::Read(s, n) => {
                    let n = n.min(config.max_position_embeddings - all[s].len());
                    let needed = all[s].needed(n);
                    if needed <= pool.free() && n > 0 {
                        let before = pool.free();
                        read(&mut step, &mut all[s], n);
                        prop_assert!(before - pool.free() <= needed);
                    } else if n > 0 {
                        prop_assert!(all[s].reserve(n).is_err());
                    }
                }
                Act::Share(from, to) => all[to] = all[from].share_prefix(9),
                Act::Truncate(s, n) => all[s].truncate(n),
                Act::Drop(s) => all[s] = KvPages::new(&pool, 128),
            }
            let held: usize = all.iter().map(KvPages::pages).sum();
            prop_assert!(pool.pages() - pool.free() <= held);
        }
        drop(all);
        prop_assert_eq!(pool.free(), 5);
    }
}
