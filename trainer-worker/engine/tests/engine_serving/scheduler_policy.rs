//! What the policy of the scheduler promises, whatever comes: answers that do not depend on who else
//! asks, progress of everybody, and no page beyond the pool.

use crate::toy::{alone, tokenizer, vocabulary, Answer, Fault, Toy, UNFIT};
use openledger_engine::generate::{Sampling, Writer};
use openledger_engine::serving::forward::PAGE;
use openledger_engine::serving::policy::{Accepted, Limits, Policy};
use openledger_engine::serving::{Event, RequestId, ROW};
use proptest::prelude::*;
use std::sync::{Arc, Mutex};

/// A request and what befalls it.
#[derive(Debug, Clone)]
pub struct Ask {
    pub prompt: Vec<u32>,
    pub adapter: u64,
    pub sampling: Sampling,
    pub client: u64,
    pub arrives: usize,
    /// Cancelled before this step.
    pub cancelled: Option<usize>,
    /// Refuses all events after so many.
    pub deserts: Option<usize>,
}

impl Ask {
    pub fn new(client: u64, prompt: Vec<u32>, max_new_tokens: usize) -> Self {
        let sampling = Sampling { max_new_tokens, ignore_end: true, ..Sampling::default() };
        Self { prompt, adapter: 0, sampling, client, arrives: 0, cancelled: None, deserts: None }
    }

    fn limit(&self) -> usize {
        self.prompt.len() + self.sampling.max_new_tokens
    }

    fn alone(&self) -> Answer {
        alone(&self.prompt, self.adapter, &self.sampling)
    }
}

/// Tokens that no other stream begins with.
pub fn words(stream: u32, len: usize) -> Vec<u32> {
    (0..len as u32).map(|i| 2 + (stream * 97 + i * 31 + i / 7) % 250).collect()
}

struct Bench {
    policy: Policy<Toy>,
    toy: Toy,
    limits: Limits,
    answers: Vec<Arc<Mutex<Answer>>>,
    /// The step in which each answer ended.
    ended: Vec<Option<usize>>,
    steps: usize,
}

impl Bench {
    fn new(pages: usize, limits: Limits) -> Self {
        Self {
            policy: Policy::new(limits),
            toy: Toy::new(pages),
            limits,
            answers: Vec::new(),
            ended: Vec::new(),
            steps: 0,
        }
    }

    fn submit(&mut self, ask: &Ask) -> usize {
        let number = self.answers.len();
        let answer = Arc::new(Mutex::new(Answer::default()));
        self.answers.push(answer.clone());
        self.ended.push(None);
        let deserts = ask.deserts;
        let sink = move |event: Event| {
            let mut answer = answer.lock().expect("an answer");
            answer.take(event);
            deserts.is_none_or(|most| answer.events < most)
        };
        let mut adapter_key = [0; 32];
        adapter_key[0] = ask.adapter as u8;
        self.policy.accept(Accepted {
            id: RequestId(number as u64),
            client: ask.client,
            prompt: ask.prompt.clone(),
            limit: ask.limit(),
            adapter: (ask.adapter > 0).then(|| Arc::new(ask.adapter)),
            adapter_key,
            writer: Writer::new(tokenizer(), &ask.sampling, &ask.prompt).expect("right settings"),
            sink: Box::new(sink),
        });
        number
    }

    fn submit_all(&mut self, asks: &[Ask]) {
        for ask in asks {
            self.submit(ask);
        }
    }

    fn take(&mut self, steps: usize) {
        for _ in 0..steps {
            self.step();
        }
    }

    fn step(&mut self) -> usize {
        let idle = self.policy.is_idle();
        let report = self.policy.step(&mut self.toy);
        self.steps += 1;
        assert_eq!(report.rows > 0, !idle, "there is progress whenever there is work");
        assert!(report.rows <= self.limits.max_batch_rows);
        assert!(self.policy.running() <= self.limits.max_running);
        for (answer, ended) in self.answers.iter().zip(&mut self.ended) {
            if ended.is_none() && answer.lock().expect("an answer").has_ended() {
                *ended = Some(self.steps);
            }
        }
        report.rows
    }

    fn finish(&mut self, most: usize) {
        while !self.policy.is_idle() {
            self.step();
            assert!(self.steps <= most, "all is answered within {most} steps");
        }
    }

    fn answer(&self, number: usize) -> Answer {
        self.answers[number].lock().expect("an answer").clone()
    }

    /// The answer is the one computed alone, but for the tokens that were there already.
    fn check(&self, number: usize, ask: &Ask) {
        let (mut answer, mut expected) = (self.answer(number), ask.alone());
        assert!(answer.done.is_some(), "request {number} was answered: {answer:?}");
        if let Some((_, usage)) = &mut answer.done {
            assert!(usage.cached_tokens < usage.prompt_tokens);
            assert_eq!(usage.cached_tokens % PAGE, 0);
            usage.cached_tokens = 0;
        }
        (answer.events, expected.events) = (0, 0);
        assert_eq!(answer, expected, "request {number}");
    }

    fn everything_is_freed(&mut self) {
        assert!(self.policy.is_idle());
        assert_eq!(self.policy.cached_pages(), self.toy.pool.used());
        self.policy.forget_prefixes();
        assert_eq!(self.toy.pool.used(), 0, "every page is back");
    }
}

pub fn limits() -> Limits {
    Limits {
        max_running: 8,
        max_batch_rows: 64,
        prefill_chunk: 16,
        vocabulary: vocabulary(),
        share_between_clients: false,
    }
}

fn sampling() -> impl Strategy<Value = Sampling> {
    let shape = (1usize..70, prop_oneof![Just(0.0), Just(0.9)], any::<u64>(), 0usize..6);
    shape.prop_map(|(max_new_tokens, temperature, seed, kind)| Sampling {
        max_new_tokens,
        temperature,
        seed,
        presence_penalty: if kind == 1 { 1.5 } else { 0.0 },
        repetition_penalty: if kind == 2 { 1.3 } else { 1.0 },
        logprobs: (kind == 3).then_some(2),
        stop: if kind == 4 { vec!["a".to_owned(), "zq".to_owned()] } else { Vec::new() },
        ignore_end: kind == 5,
        ..Sampling::default()
    })
}

fn ask() -> impl Strategy<Value = Ask> {
    let prompt = (0u32..3, 0usize..130, 0u32..1000, 1usize..20);
    let fate = (0usize..60, proptest::option::weighted(0.2, 0usize..120));
    let deserts = proptest::option::weighted(0.1, 1usize..20);
    (prompt, 0u64..3, sampling(), 0u64..3, fate, deserts).prop_map(
        |((stream, begin, tail, len), adapter, sampling, client, (arrives, later), deserts)| {
            let mut prompt = words(stream, begin);
            prompt.extend(words(1000 + tail, len));
            let cancelled = later.map(|later| arrives + later);
            Ask { prompt, adapter, sampling, client, arrives, cancelled, deserts }
        },
    )
}

fn any_limits() -> impl Strategy<Value = Limits> {
    (1usize..8, 0usize..40, 1usize..40, any::<bool>()).prop_map(|(running, more, chunk, share)| {
        let max_batch_rows = running + more;
        Limits {
            max_running: running,
            max_batch_rows,
            prefill_chunk: chunk.min(max_batch_rows),
            vocabulary: vocabulary(),
            share_between_clients: share,
        }
    })
}

/// Steps that suffice for any order: each step computes at least a row, and at worst a request is
/// computed anew for every token of all the others.
fn most_steps(asks: &[Ask]) -> usize {
    let all: usize = asks.iter().map(Ask::limit).sum();
    60 + all * (1 + asks.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_answer_equals_the_one_computed_alone(
        pages in 7usize..24,
        limits in any_limits(),
        attention in prop_oneof![Just(0), 1u64..2 * ROW],
        asks in proptest::collection::vec(ask(), 1..16),
    ) {
        let mut bench = Bench::new(pages, limits);
        bench.toy.attention = attention;
        let mut numbers = vec![None; asks.len()];
        let last = asks.iter().map(|ask| ask.arrives).max().unwrap_or(0);
        let most = most_steps(&asks);
        while bench.steps <= last || !bench.policy.is_idle() {
            let now = bench.steps;
            for (ask, number) in asks.iter().zip(&mut numbers) {
                if ask.arrives == now {
                    *number = Some(bench.submit(ask));
                }
                if let (true, Some(number)) = (ask.cancelled == Some(now), *number) {
                    bench.policy.cancel(RequestId(number as u64));
                }
            }
            bench.step();
            prop_assert!(bench.toy.pool.used() <= pages);
            prop_assert!(bench.steps <= most, "nobody waits for ever");
        }
        for (ask, number) in asks.iter().zip(numbers) {
            let number = number.expect("all were sent");
            let answer = bench.answer(number);
            if answer.done.is_some() {
                bench.check(number, ask);
            } else {
                prop_assert!(ask.cancelled.is_some() || ask.deserts.is_some());
                prop_assert!(ask.alone().text.starts_with(&answer.text));
                prop_assert_eq!(answer.failed, None);
            }
        }
        bench.everything_is_freed();
    }

    #[test]
    fn a_step_that_fails_ends_its_requests_and_no_others(
        pages in 7usize..24,
        limits in any_limits(),
        asks in proptest::collection::vec(ask(), 1..12),
        faults in proptest::collection::vec(
            (0usize..100, prop_oneof![Just(Fault::Error), Just(Fault::Panic)]), 1..4),
    ) {
        let mut bench = Bench::new(pages, limits);
        bench.toy.faults = faults;
        for ask in &asks {
            bench.submit(&Ask { deserts: None, ..ask.clone() });
        }
        bench.finish(most_steps(&asks));
        for (number, ask) in asks.iter().enumerate() {
            match bench.answer(number).failed {
                Some(reason) => prop_assert!(reason.contains("step failed"), "{}", reason),
                None => bench.check(number, ask),
            }
        }
        bench.everything_is_freed();
    }
}

#[test]
fn who_makes_a_step_fail_fails_alone() {
    let mut asks: Vec<Ask> = (0..4).map(|i| Ask::new(0, words(i, 30), 20)).collect();
    asks[2].adapter = UNFIT;
    let mut bench = Bench::new(40, limits());
    bench.submit_all(&asks);
    // The bench expects the rows of one step, and this one is taken in four.
    let report = bench.policy.step(&mut bench.toy);
    assert_eq!((report.rows, report.broken), (64, false));
    bench.finish(100);
    let reason = bench.answer(2).failed.expect("nothing takes it");
    assert!(reason.contains("the model's step failed"), "{reason}");
    for i in [0, 1, 3] {
        bench.check(i, &asks[i]);
    }
    bench.everything_is_freed();
}

#[test]
fn the_youngest_gives_way_when_pages_run_out_and_still_answers_the_same() {
    // Each grows to three pages, and there are four.
    let asks: Vec<Ask> = (0..2).map(|i| Ask::new(0, words(i, 30), 60)).collect();
    let mut bench = Bench::new(4, limits());
    bench.submit_all(&asks);
    bench.finish(200);
    assert!(bench.policy.counts().preemptions > 0);
    assert!(bench.ended[0] < bench.ended[1], "the older one was not stopped");
    assert_eq!(bench.ended[0], Some(60), "the older one lost no step: {:?}", bench.ended);
    asks.iter().enumerate().for_each(|(i, ask)| bench.check(i, ask));
    bench.everything_is_freed();
}

#[test]
fn one_request_of_a_client_is_not_behind_a_hundred_of_another() {
    let mut bench = Bench::new(200, limits());
    let many = Ask::new(1, words(1, 40), 50);
    for i in 0..100 {
        bench.submit(&Ask { prompt: words(i, 40), ..many.clone() });
    }
    bench.take(20);
    let one = Ask::new(2, words(500, 40), 50);
    let number = bench.submit(&one);
    let sent = bench.steps;
    while bench.ended[number].is_none() {
        bench.step();
    }
    // Three steps read its prompt beside those who decode, then it gets a token a step.
    assert!(bench.steps - sent <= 55, "it took {} steps", bench.steps - sent);
    bench.check(number, &one);
    let others = bench.ended.iter().flatten().count() - 1;
    assert!(others < 20, "{others} others ended meanwhile");
}

#[test]
fn two_busy_clients_get_equal_tokens_however_they_cut_them() {
    let mut bench = Bench::new(400, Limits { max_running: 4, ..limits() });
    // Two hundred short requests against twenty long ones, with as many tokens in all.
    for i in 0..200 {
        bench.submit(&Ask::new(1, words(i, 5), 15));
    }
    for i in 0..20 {
        bench.submit(&Ask::new(2, words(300 + i, 50), 150));
    }
    bench.take(400);
    let tokens =
        |range: std::ops::Range<usize>| -> usize { range.map(|i| bench.answer(i).events).sum() };
    let (short, long) =
        (tokens(0..200) as f64 / 15.0 * 20.0, tokens(200..220) as f64 / 150.0 * 200.0);
    assert!((0.7..1.4).contains(&(short / long)), "{short} against {long} tokens");
}

#[test]
fn a_long_prompt_stalls_nobody() {
    let mut bench = Bench::new(400, limits());
    bench.submit(&Ask::new(0, words(1, 10), 400));
    bench.take(3);
    let long = bench.submit(&Ask::new(0, words(2, 3000), 5));
    for _ in 0..20 {
        let before = bench.policy.counts().generated_tokens;
        let rows = bench.step();
        assert_eq!(rows, 17, "one row decodes, and the prompt gets its chunk");
        assert_eq!(bench.policy.counts().generated_tokens - before, 1, "a token came");
    }
    // A short prompt behind it, of the same client, gets its half of the chunk.
    bench.submit(&Ask::new(0, words(3, 24), 5));
    let before = bench.policy.counts().generated_tokens;
    bench.take(3);
    let tokens = bench.policy.counts().generated_tokens - before;
    assert_eq!(tokens, 3 + 1, "its first token came in the third step");
    assert_eq!(bench.answer(long).events, 0);
    bench.finish(1000);
}

/// The work of that many rows at the beginning of a prompt.
fn rows(rows: usize) -> u64 {
    rows as u64 * ROW
}

#[test]
fn a_step_has_no_more_work_in_the_middle_of_a_long_prompt_than_at_its_beginning() {
    let mut bench = Bench::new(400, limits());
    // At position 64 a row costs twice as much, and so on.
    bench.toy.attention = ROW / 64;
    let (short, long) = (Ask::new(1, words(1, 10), 300), Ask::new(2, words(2, 1500), 5));
    let written = bench.submit(&short);
    bench.take(2);
    let read = bench.submit(&long);
    while bench.ended[written].is_none() {
        bench.step();
        let own = ROW + bench.toy.attention * 310;
        assert!(bench.toy.work <= rows(16) + own, "{} at step {}", bench.toy.work, bench.steps);
    }
    assert_eq!(bench.ended[written], Some(300), "it got a token a step");
    // Alone it may have larger pieces, of bounded work still.
    while bench.ended[read].is_none() {
        bench.step();
        assert!(bench.toy.work <= 2 * rows(64), "{}", bench.toy.work);
    }
    bench.check(written, &short);
    bench.check(read, &long);
}

#[test]
fn who_writes_on_long_contexts_does_not_slow_another_down() {
    let mut bench = Bench::new(600, limits());
    let many: Vec<Ask> = (0..7).map(|i| Ask::new(1, words(i, 800 + i as usize), 600)).collect();
    bench.submit_all(&many);
    while (0..7).any(|i| bench.answer(i).events < 2) {
        bench.step();
    }
    // All have been read, and a row of theirs costs some thirty others.
    bench.toy.attention = ROW / 32;
    let one = Ask::new(2, words(500, 20), 30);
    let number = bench.submit(&one);
    while bench.answer(number).events == 0 {
        bench.step();
    }
    let before: Vec<usize> = (0..7).map(|i| bench.answer(i).events).collect();
    let (mut steps, mut work) = (0, 0);
    while bench.ended[number].is_none() {
        bench.step();
        assert!(bench.toy.work <= rows(64), "{}", bench.toy.work);
        (steps, work) = (steps + 1, work + bench.toy.work);
    }
    assert!(steps < 30, "it got a token a step, and its first before: {steps}");
    assert!(work / steps > rows(25), "what is left of a step is theirs: {}", work / steps);
    let progress: Vec<usize> = (0..7).map(|i| bench.answer(i).events - before[i]).collect();
    let (least, most) = (progress.iter().min(), progress.iter().max());
    // Some tokens are told with the one after them.
    let even = least.zip(most).is_some_and(|(least, most)| *least > 2 && *most <= 2 * least);
    assert!(even, "they take turns: {progress:?}");
    bench.finish(20_000);
    many.iter().enumerate().for_each(|(i, ask)| bench.check(i, ask));
}

#[test]
fn who_has_nothing_running_does_not_wait_for_anothers_next_one_to_fit() {
    // Of two of the one client a single one fits, beside which there is room.
    let mut bench = Bench::new(20, limits());
    for i in 0..2 {
        bench.submit(&Ask::new(1, words(i, 300), 60));
    }
    bench.take(2);
    let number = bench.submit(&Ask::new(2, words(500, 20), 5));
    while bench.ended[number].is_none() {
        bench.step();
    }
    assert_eq!(bench.ended[..2], [None, None]);
    bench.finish(1000);
}

#[test]
fn a_short_prompt_is_not_behind_many_of_another_client() {
    let mut bench = Bench::new(600, limits());
    bench.toy.attention = ROW / 16;
    for i in 0..7 {
        bench.submit(&Ask::new(1, words(i, 400), 5));
    }
    bench.take(3);
    let number = bench.submit(&Ask::new(2, words(500, 450), 5));
    let sent = bench.steps;
    while bench.ended[number].is_none() {
        bench.step();
    }
    let others = (0..7).filter(|i| bench.ended[*i].is_some_and(|at| at < bench.steps)).count();
    assert!(others <= 3, "{others} others came before it, in {} steps", bench.steps - sent);
}

#[test]
fn without_others_a_prompt_gets_all_rows() {
    let mut bench = Bench::new(400, limits());
    bench.submit(&Ask::new(0, words(2, 640), 1));
    bench.finish(10);
    assert_eq!(bench.steps, 10);
}

#[test]
fn the_next_turn_of_a_conversation_reads_only_what_is_new() {
    let mut bench = Bench::new(40, limits());
    let first = Ask::new(3, words(1, 100), 40);
    bench.submit(&first);
    bench.finish(100);
    // The prompt alone: 3 whole pages of 32.
    let rows = bench.policy.counts().rows;
    let mut prompt = first.prompt.clone();
    prompt.extend(words(9, 20));
    let second = Ask::new(3, prompt, 10);
    let number = bench.submit(&second);
    bench.finish(200);
    let (_, usage) = bench.answer(number).done.expect("an answer");
    assert_eq!((usage.prompt_tokens, usage.cached_tokens), (120, 96));
    assert_eq!(bench.policy.counts().rows - rows, 24 + 9);
    bench.check(number, &second);
    bench.everything_is_freed();
}

#[test]
fn an_equal_prompt_always_leaves_its_last_token_to_compute() {
    let mut bench = Bench::new(40, limits());
    let ask = Ask::new(0, words(1, 96), 5);
    bench.submit(&ask);
    bench.finish(100);
    let number = bench.submit(&ask);
    bench.finish(100);
    assert_eq!(bench.answer(number).done.expect("an answer").1.cached_tokens, 64);
    bench.check(number, &ask);
}

#[test]
fn requests_that_begin_alike_at_the_same_time_are_read_once() {
    let mut bench = Bench::new(60, limits());
    let asks: Vec<Ask> = (0..4)
        .map(|i| {
            let mut ask = Ask::new(0, words(1, 320), 4);
            ask.prompt.extend(words(100 + i, 3));
            ask
        })
        .collect();
    bench.submit_all(&asks);
    bench.finish(100);
    asks.iter().enumerate().for_each(|(i, ask)| bench.check(i, ask));
    // The beginning once, four tails, and three more tokens of each.
    assert_eq!(bench.policy.counts().rows, 320 + 4 * 3 + 4 * 3);
    assert_eq!(bench.policy.counts().cached_tokens, 3 * 320);
    bench.everything_is_freed();
}

#[test]
fn beginnings_are_shared_by_adapter_and_client_only() {
    let cached = |share: bool, change: fn(&mut Ask)| {
        let limits = Limits { share_between_clients: share, ..limits() };
        let mut bench = Bench::new(60, limits);
        let first = Ask::new(1, words(1, 100), 4);
        bench.submit(&first);
        bench.finish(100);
        let mut second = first.clone();
        change(&mut second);
        let number = bench.submit(&second);
        bench.finish(200);
        bench.check(number, &second);
        bench.answer(number).done.expect("an answer").1.cached_tokens
    };
    assert_eq!(cached(false, |_| ()), 96);
    assert_eq!(cached(false, |ask| ask.client = 2), 0);
    assert_eq!(cached(true, |ask| ask.client = 2), 96);
    assert_eq!(cached(true, |ask| ask.adapter = 1), 0);
    assert_eq!(cached(true, |ask| ask.prompt[0] += 1), 0);
    assert_eq!(cached(true, |ask| ask.prompt[40] += 1), 32);
    // Its keys are turned for another length.
    assert_eq!(cached(true, |ask| ask.sampling.max_new_tokens = 90), 0);
}

#[test]
fn kept_pages_go_the_least_recently_used_first() {
    let mut bench = Bench::new(12, limits());
    let asks: Vec<Ask> = (0..3).map(|i| Ask::new(0, words(i, 97), 4)).collect();
    let cached = |bench: &mut Bench, i: usize| {
        let number = bench.submit(&asks[i]);
        bench.finish(1000);
        bench.answer(number).done.expect("an answer").1.cached_tokens
    };
    for i in 0..3 {
        assert_eq!(cached(&mut bench, i), 0);
    }
    assert_eq!(cached(&mut bench, 0), 96, "all three are kept: 9 pages of 12");
    // One of 9 pages needs the room of the two that were used before.
    let big = Ask::new(0, words(9, 270), 10);
    let number = bench.submit(&big);
    bench.finish(2000);
    bench.check(number, &big);
    assert_eq!(cached(&mut bench, 0), 96, "it was used last");
    assert_eq!(cached(&mut bench, 1), 0);
    bench.everything_is_freed();
}

#[test]
fn a_cancelled_request_gives_its_pages_back_at_once() {
    let mut bench = Bench::new(40, limits());
    let number = bench.submit(&Ask::new(0, words(1, 100), 100));
    bench.take(10);
    assert!(bench.policy.cancel(RequestId(number as u64)));
    assert!(!bench.policy.cancel(RequestId(number as u64)));
    assert!(bench.policy.is_idle());
    assert_eq!(bench.policy.counts().cancelled, 1);
    bench.everything_is_freed();
}
