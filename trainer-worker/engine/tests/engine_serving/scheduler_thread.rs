//! The scheduler's thread and its handle, over a model whose steps the test gives one by one.

use crate::scheduler_policy::words;
use crate::toy::{alone, tokenizer, vocabulary, Answer, Fault, Toy, ToyPool};
use openledger_engine::error::Error;
use openledger_engine::generate::Sampling;
use openledger_engine::serving::{
    Bounds, Event, Refused, Request, RequestId, Scheduler, ServingSettings, Stats,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{sync_channel, SyncSender};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

/// An answer that can be waited for.
#[derive(Default)]
struct Watched {
    answer: Mutex<Answer>,
    changed: Condvar,
    /// Whether the sink was dropped.
    dropped: Mutex<bool>,
}

impl Watched {
    fn wait(&self, until: impl Fn(&Answer) -> bool) -> Answer {
        let answer = self.answer.lock().expect("an answer");
        let (answer, late) = self
            .changed
            .wait_timeout_while(answer, PATIENCE, |answer| !until(answer))
            .expect("an answer");
        assert!(!late.timed_out(), "it comes in time: {answer:?}");
        answer.clone()
    }

    fn end(&self) -> Answer {
        self.wait(Answer::has_ended)
    }

    fn wait_dropped(&self) {
        let dropped = self.dropped.lock().expect("a flag");
        let waited = self.changed.wait_timeout_while(dropped, PATIENCE, |dropped| !*dropped);
        assert!(!waited.expect("a flag").1.timed_out(), "the sink is dropped in time");
    }
}

struct Told(Arc<Watched>);

impl openledger_engine::serving::Sink for Told {
    fn event(&mut self, event: Event) -> bool {
        self.0.answer.lock().expect("an answer").take(event);
        self.0.changed.notify_all();
        true
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        *self.0.dropped.lock().expect("a flag") = true;
        self.0.changed.notify_all();
    }
}

fn settings() -> ServingSettings {
    ServingSettings {
        threads: 1,
        max_running: 4,
        max_batch_rows: 64,
        prefill_chunk: 16,
        max_waiting: 6,
        max_waiting_per_client: 4,
        ..ServingSettings::default()
    }
}

struct Server {
    /// Gives steps; without it the server steps freely. Dropped first: the server's end waits for the
    /// step under way.
    ticks: Option<SyncSender<()>>,
    scheduler: Scheduler<Toy>,
    pool: ToyPool,
    steps: Arc<AtomicUsize>,
}

fn start(by_step: bool, faults: Vec<(usize, Fault)>) -> Server {
    start_with(by_step, faults, settings())
}

fn start_with(by_step: bool, faults: Vec<(usize, Fault)>, settings: ServingSettings) -> Server {
    let pages = 32;
    let (pool, steps) = (ToyPool::new(pages), Arc::new(AtomicUsize::new(0)));
    let (send, receive) = sync_channel(0);
    let mut receive = by_step.then_some(receive);
    let (of_toy, counted) = (pool.clone(), steps.clone());
    let make = move || {
        let mut toy = Toy::new(pages);
        toy.pool = of_toy.clone();
        toy.steps = counted.clone();
        toy.faults = faults.clone();
        toy.ticks = receive.take();
        Ok(toy)
    };
    let bounds = Bounds { longest: 500, vocabulary: vocabulary() };
    let scheduler =
        Scheduler::start_with(make, tokenizer(), bounds, settings).expect("the server starts");
    Server { scheduler, pool, steps, ticks: by_step.then_some(send) }
}

fn request(client: u64, prompt: Vec<u32>, max_new_tokens: usize) -> Request<u64> {
    let sampling = Sampling { max_new_tokens, ignore_end: true, ..Sampling::default() };
    Request { prompt, adapter: None, adapter_key: [0; 32], sampling, client }
}

impl Server {
    fn submit(&self, request: Request<u64>) -> Result<(RequestId, Arc<Watched>), Refused> {
        let watched = Arc::new(Watched::default());
        let id = self.scheduler.submit(request, Box::new(Told(watched.clone())))?;
        Ok((id, watched))
    }

    fn ask(&self, client: u64, prompt: Vec<u32>, new: usize) -> (RequestId, Arc<Watched>) {
        self.submit(request(client, prompt, new)).expect("the request is taken")
    }

    fn tick(&self) {
        self.ticks.as_ref().expect("steps are given").send(()).expect("the server takes steps");
    }

    /// Waits until the server says so.
    fn wait(&self, until: impl Fn(&Stats) -> bool) -> Stats {
        let started = Instant::now();
        loop {
            let stats = self.scheduler.stats();
            if until(&stats) {
                return stats;
            }
            assert!(started.elapsed() < PATIENCE, "it comes in time: {stats:?}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn check(answer: &Answer, prompt: &[u32], new: usize) {
    let sampling = Sampling { max_new_tokens: new, ignore_end: true, ..Sampling::default() };
    let expected = alone(prompt, 0, &sampling);
    assert_eq!(answer.text, expected.text);
    assert_eq!(answer.failed, None);
    assert_eq!(
        answer.done.map(|(finish, usage)| (finish, usage.completion_tokens)),
        expected.done.map(|(finish, usage)| (finish, usage.completion_tokens))
    );
}

#[test]
fn answers_come_to_everybody_from_many_threads() {
    let server = start_with(
        false,
        Vec::new(),
        ServingSettings { max_waiting: 100, max_waiting_per_client: 100, ..settings() },
    );
    std::thread::scope(|scope| {
        for thread in 0..8u32 {
            let server = &server;
            scope.spawn(move || {
                for i in 0..6 {
                    let prompt = words(thread * 10 + i, 20 + 30 * i as usize);
                    let (_, watched) = server.ask(u64::from(thread % 3), prompt.clone(), 30);
                    check(&watched.end(), &prompt, 30);
                }
            });
        }
    });
    let stats = server.wait(|stats| stats.running + stats.waiting == 0);
    assert_eq!((stats.counts.finished, stats.counts.generated_tokens), (48, 48 * 30));
    assert_eq!(stats.used_pages, 0);
    assert_eq!(stats.free_pages + stats.cached_pages, stats.pages);
    assert!(stats.rows_per_second > 0.0 && !stats.step_time.is_zero());
    assert!(server.scheduler.drain(PATIENCE));
    assert_eq!(server.pool.used(), 0);
}

#[test]
fn what_could_never_be_served_is_refused_with_numbers() {
    let server = start(false, Vec::new());
    let refused = |request| match server.submit(request) {
        Err(refused) => refused,
        Ok(_) => panic!("the request is refused"),
    };
    assert!(matches!(
        refused(request(0, words(0, 400), 101)),
        Refused::TooLong { prompt: 400, max_new_tokens: 101, limit: 500 }
    ));
    assert!(matches!(
        refused(request(0, Vec::new(), 5)),
        Refused::Invalid(Error::Setting { name: "prompt", .. })
    ));
    assert!(matches!(
        refused(request(0, vec![5, 260], 5)),
        Refused::Invalid(Error::TokenId { id: 260, vocabulary: 260 })
    ));
    let mut bad = request(0, words(0, 5), 5);
    bad.sampling.top_p = 0.0;
    assert!(matches!(refused(bad), Refused::Invalid(Error::Setting { name: "top_p", .. })));
    assert_eq!(server.scheduler.stats().refused, 4);
    let (_, watched) = server.ask(0, words(0, 400), 100);
    check(&watched.end(), &words(0, 400), 100);
}

#[test]
fn a_full_queue_says_when_to_come_back() {
    let server = start(true, Vec::new());
    let first: Vec<_> = (0..4).map(|i| server.ask(1, words(i, 10), 50)).collect();
    // The first step may have begun with the first of them.
    server.tick();
    server.tick();
    server.wait(|stats| stats.running == 4 && stats.waiting == 0);
    let second: Vec<_> = (0..4).map(|i| server.ask(1, words(i, 10), 50)).collect();
    match server.submit(request(1, words(9, 10), 50)).err() {
        Some(Refused::Full { waiting: 4, limit: 4, of_client: true, retry_after }) => {
            assert!(retry_after >= Duration::from_secs(1));
            assert!(retry_after <= Duration::from_secs(600));
        }
        other => panic!("{other:?}"),
    }
    let third: Vec<_> = (0..2).map(|i| server.ask(2, words(20 + i, 10), 50)).collect();
    match server.submit(request(3, words(9, 10), 50)).err() {
        Some(Refused::Full { waiting: 6, limit: 6, of_client: false, retry_after }) => {
            assert!(retry_after >= Duration::from_secs(1));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(server.scheduler.stats().waiting, 6);
    // A place that was given up is a place again.
    server.scheduler.cancel(second[3].0);
    server.tick();
    second[3].1.wait_dropped();
    server.tick();
    server.wait(|stats| stats.waiting == 5);
    let fourth = server.submit(request(5, words(9, 10), 50));
    let Server { scheduler, ticks, .. } = server;
    drop(ticks);
    let all = first.iter().chain(&second[..3]).chain(&third);
    all.for_each(|(_, watched)| drop(watched.end()));
    check(&fourth.expect("there is a place").1.end(), &words(9, 10), 50);
    assert!(scheduler.drain(PATIENCE));
}

#[test]
fn a_cancelled_request_ends_before_the_next_step() {
    let server = start(true, Vec::new());
    let (id, watched) = server.ask(0, words(0, 10), 400);
    let (_, other) = server.ask(0, words(1, 10), 30);
    for _ in 0..5 {
        server.tick();
    }
    server.scheduler.cancel(id);
    // The step that may be under way, and then none.
    server.tick();
    watched.wait_dropped();
    assert!(watched.answer.lock().expect("an answer").events <= 6);
    assert!(!watched.answer.lock().expect("an answer").has_ended());
    drop(server.ticks);
    check(&other.end(), &words(1, 10), 30);
    let unknown = RequestId(77);
    server.scheduler.cancel(unknown);
    server.scheduler.cancel(id);
    assert!(server.scheduler.drain(PATIENCE));
}

#[test]
fn a_sink_that_refuses_or_panics_ends_its_own_request_alone() {
    let server = start(false, Vec::new());
    let told = Arc::new(AtomicUsize::new(0));
    let count = told.clone();
    let refuses = move |_: Event| count.fetch_add(1, Ordering::SeqCst) < 2;
    let sink = Box::new(refuses);
    server.scheduler.submit(request(0, words(1, 40), 300), sink).expect("taken");
    let panics = |_: Event| panic!("a sink that fails");
    server.scheduler.submit(request(0, words(2, 40), 300), Box::new(panics)).expect("taken");
    let (_, watched) = server.ask(0, words(3, 40), 100);
    check(&watched.end(), &words(3, 40), 100);
    let stats = server.wait(|stats| stats.running == 0);
    assert_eq!((stats.counts.cancelled, stats.counts.finished), (2, 1));
    assert_eq!(told.load(Ordering::SeqCst), 3);
}

#[test]
fn after_a_step_that_panics_the_server_goes_on() {
    let server = start(false, vec![(3, Fault::Panic), (40, Fault::Error)]);
    let (_, watched) = server.ask(0, words(1, 40), 100);
    let reason = watched.end().failed.expect("its step failed");
    assert!(reason.contains("please report it"), "{reason}");
    server.wait(|stats| stats.restarts == 1);
    let (_, watched) = server.ask(0, words(1, 40), 20);
    check(&watched.end(), &words(1, 40), 20);
    let (_, watched) = server.ask(0, words(2, 40), 100);
    let reason = watched.end().failed.expect("its step failed");
    assert!(reason.contains("the model's step failed: 1 more pages"), "{reason}");
    let (_, watched) = server.ask(0, words(2, 40), 20);
    check(&watched.end(), &words(2, 40), 20);
    let stats = server.wait(|stats| stats.running == 0);
    assert_eq!((stats.restarts, stats.counts.failed, stats.counts.finished), (1, 2, 2));
    assert!(server.steps.load(Ordering::SeqCst) > 40);
}

#[test]
fn a_model_that_cannot_be_made_anew_stops_the_server_with_the_reason() {
    let (ticks, receive) = sync_channel(0);
    let (mut made, mut receive) = (0, Some(receive));
    let make = move || {
        made += 1;
        if made > 1 {
            return Err(Error::Threads { reason: "none left".to_owned() });
        }
        let mut toy = Toy::new(32);
        toy.faults = vec![(5, Fault::Panic)];
        toy.ticks = receive.take();
        Ok(toy)
    };
    let bounds = Bounds { longest: 500, vocabulary: vocabulary() };
    let scheduler = Scheduler::start_with(make, tokenizer(), bounds, settings()).expect("starts");
    let server =
        Server { scheduler, pool: ToyPool::new(0), steps: Arc::default(), ticks: Some(ticks) };
    // More than may run, so that some wait when it happens.
    let all: Vec<_> = (0..6).map(|i| server.ask(i / 3, words(i as u32, 20), 50).1).collect();
    let Server { ticks, scheduler, .. } = server;
    drop(ticks);
    for watched in all {
        let reason = watched.end().failed.expect("it failed");
        assert!(reason.contains("step"), "{reason}");
    }
    match scheduler.submit(request(0, words(0, 5), 5), Box::new(|_: Event| true)) {
        Err(Refused::Stopped { reason }) => assert!(reason.contains("none left"), "{reason}"),
        other => panic!("{other:?}"),
    }
    let started = Instant::now();
    while (scheduler.stats().waiting, scheduler.stats().running) != (0, 0) {
        assert!(started.elapsed() < PATIENCE, "nothing is left of it");
    }
}

#[test]
fn what_fails_at_the_start_is_said_there() {
    let make = || -> Result<Toy, Error> { Err(Error::Threads { reason: "none".to_owned() }) };
    let bounds = Bounds { longest: 500, vocabulary: vocabulary() };
    let failed = Scheduler::start_with(make, tokenizer(), bounds, settings()).err();
    assert!(matches!(failed, Some(Error::Threads { .. })));
    let wrong = ServingSettings { max_running: 65, ..settings() };
    let failed = Scheduler::start_with(|| Ok(Toy::new(1)), tokenizer(), bounds, wrong).err();
    assert!(matches!(failed, Some(Error::Setting { name: "max_batch_rows", .. })));
}

#[test]
fn a_drain_finishes_what_was_taken_and_takes_nothing_new() {
    let server = start(true, Vec::new());
    let all: Vec<_> = (0..6).map(|i| server.ask(i / 3, words(i as u32, 20), 30).1).collect();
    server.tick();
    let Server { scheduler, ticks, pool, .. } = server;
    let waiting = scheduler.clone();
    let drain = std::thread::spawn(move || waiting.drain(PATIENCE));
    let started = Instant::now();
    let refused = loop {
        let request = request(7, words(9, 5), 5);
        match scheduler.submit(request, Box::new(|_: Event| true)) {
            Err(refused) => break refused,
            Ok(id) => scheduler.cancel(id),
        }
        assert!(started.elapsed() < PATIENCE);
    };
    assert!(matches!(refused, Refused::Draining | Refused::Full { .. }), "{refused:?}");
    drop(ticks);
    for (i, watched) in (0u32..).zip(&all) {
        check(&watched.end(), &words(i, 20), 30);
    }
    assert!(drain.join().expect("it drains"), "all were answered in time");
    assert_eq!(pool.used(), 0);
    assert!(scheduler.drain(Duration::ZERO), "a second one finds nothing to do");
}

#[test]
fn a_drain_without_time_cuts_off_with_an_event() {
    let server = start(true, Vec::new());
    let (_, watched) = server.ask(0, words(0, 20), 400);
    for _ in 0..4 {
        server.tick();
    }
    let scheduler = server.scheduler.clone();
    let drain = std::thread::spawn(move || scheduler.drain(Duration::ZERO));
    // The step under way ends first.
    server.wait(|_| {
        matches!(server.submit(request(7, words(9, 5), 5)).err(), Some(Refused::Draining))
    });
    drop(server.ticks);
    assert!(!drain.join().expect("it drains"), "one was not answered");
    let reason = watched.end().failed.expect("it was cut off");
    assert!(reason.contains("shutting down"), "{reason}");
}

#[test]
fn the_last_handle_ends_the_thread() {
    let server = start(false, Vec::new());
    let (_, watched) = server.ask(0, words(0, 20), 450);
    watched.wait(|answer| answer.events > 2);
    drop(server.scheduler);
    watched.wait_dropped();
    assert_eq!(server.pool.used(), 0);
}
