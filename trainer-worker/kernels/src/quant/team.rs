//! A few threads that take every step together.
//!
//! A decoded token is about 150 products of some microseconds with a meeting of all threads after
//! each. Waking threads for every product, as a general pool does, costs as much as the product;
//! the members of a team spin between two meetings and between two tokens instead, and go to sleep
//! only when no work has come for a while.

use std::cell::UnsafeCell;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Turns of spinning at a meeting before the CPU is offered to other programs.
const SPINS_BEFORE_YIELD: u32 = 1 << 12;
/// Turns of waiting for the next work, thereof most with a yield, before going to sleep.
const TURNS_BEFORE_SLEEP: u32 = SPINS_BEFORE_YIELD + 256;
/// Most members: more wait longer for one another than they gain.
const MOST: usize = 16;

type Work<'a> = dyn Fn(&Member<'_>) + Sync + 'a;

struct Common {
    size: usize,
    /// The work of this round, set before `round` advances.
    work: UnsafeCell<Option<*const Work<'static>>>,
    round: AtomicUsize,
    finished: AtomicUsize,
    arrived: AtomicUsize,
    meeting: AtomicUsize,
    failed: AtomicBool,
    stop: AtomicBool,
    sleeping: AtomicUsize,
    bed: Mutex<()>,
    alarm: Condvar,
}

// SAFETY: `work` is written by the one thread that holds the `Team` while no member works, and read
// by members after they saw `round` advance (release and acquire). What it points to is `Sync` and
// outlives the round, because `Team::run` waits for all members.
unsafe impl Sync for Common {}
// SAFETY: as above.
unsafe impl Send for Common {}

/// One thread's view of the work.
pub struct Member<'a> {
    /// Its number, from 0.
    pub index: usize,
    common: &'a Common,
}

impl Member<'_> {
    /// Members of the team.
    pub fn size(&self) -> usize {
        self.common.size
    }

    /// The part of `0..n` that falls to this member.
    pub fn share(&self, n: usize) -> std::ops::Range<usize> {
        let size = self.common.size;
        n * self.index / size..n * (self.index + 1) / size
    }

    /// Waits until all members are here. What any of them wrote before is visible to all after.
    pub fn meet(&self) {
        let common = self.common;
        if common.size == 1 {
            return;
        }
        let meeting = common.meeting.load(Ordering::Acquire);
        if common.arrived.fetch_add(1, Ordering::AcqRel) + 1 == common.size {
            common.arrived.store(0, Ordering::Relaxed);
            common.meeting.store(meeting.wrapping_add(1), Ordering::Release);
            return;
        }
        let mut turns = 0;
        while common.meeting.load(Ordering::Acquire) == meeting {
            assert!(!common.failed.load(Ordering::Relaxed), "another thread of the team failed");
            pause(&mut turns);
        }
    }
}

fn pause(turns: &mut u32) {
    *turns = turns.saturating_add(1);
    if *turns < SPINS_BEFORE_YIELD {
        std::hint::spin_loop();
    } else {
        std::thread::yield_now();
    }
}

/// Threads that work together until dropped; the calling thread is one of them.
pub struct Team {
    common: Arc<Common>,
    handles: Vec<JoinHandle<()>>,
}

impl Team {
    /// A team of `size` threads, at least 1 and at most 16. Threads that the system refuses are
    /// done without.
    pub fn new(size: usize) -> Self {
        let size = size.clamp(1, MOST);
        let (go, started) = (Arc::new(Mutex::new(None)), Arc::new(Condvar::new()));
        // How many there are is known only when all were spawned.
        let mut handles = Vec::new();
        for index in 1..size {
            let (go, started) = (go.clone(), started.clone());
            let spawned =
                std::thread::Builder::new().name(format!("decode-{index}")).spawn(move || {
                    let mut common = go.lock().unwrap_or_else(PoisonError::into_inner);
                    while common.is_none() {
                        common = started.wait(common).unwrap_or_else(PoisonError::into_inner);
                    }
                    let mine: Option<Arc<Common>> = common.clone();
                    drop(common);
                    if let Some(common) = mine {
                        serve(&common, index);
                    }
                });
            match spawned {
                Ok(handle) => handles.push(handle),
                Err(_) => break,
            }
        }
        let common = Arc::new(Common {
            size: handles.len() + 1,
            work: UnsafeCell::new(None),
            round: AtomicUsize::new(0),
            finished: AtomicUsize::new(0),
            arrived: AtomicUsize::new(0),
            meeting: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            sleeping: AtomicUsize::new(0),
            bed: Mutex::new(()),
            alarm: Condvar::new(),
        });
        *go.lock().unwrap_or_else(PoisonError::into_inner) = Some(common.clone());
        started.notify_all();
        Self { common, handles }
    }

    /// Number of members.
    pub fn size(&self) -> usize {
        self.common.size
    }

    /// Runs `work` once on every member, all at the same time, and returns when all are done.
    pub fn run(&mut self, work: &Work<'_>) {
        let common = &*self.common;
        assert!(!common.failed.load(Ordering::Acquire), "the team failed before");
        let pointer: *const Work<'_> = work;
        // SAFETY: no member works now, so nobody else touches `work`; the lifetime is restored by
        // waiting for all members below.
        unsafe {
            *common.work.get() =
                Some(std::mem::transmute::<*const Work<'_>, *const Work<'static>>(pointer));
        }
        common.finished.store(0, Ordering::Relaxed);
        self.call();
        let member = Member { index: 0, common };
        let result = catch_unwind(AssertUnwindSafe(|| work(&member)));
        if result.is_err() {
            common.failed.store(true, Ordering::Release);
        }
        let mut turns = 0;
        while common.finished.load(Ordering::Acquire) + 1 < common.size {
            pause(&mut turns);
        }
        if let Err(panic) = result {
            resume_unwind(panic);
        }
        assert!(!common.failed.load(Ordering::Acquire), "a thread of the team failed");
    }

    /// Begins the next round and wakes who sleeps.
    fn call(&self) {
        self.common.round.fetch_add(1, Ordering::SeqCst);
        if self.common.sleeping.load(Ordering::SeqCst) > 0 {
            drop(self.common.bed.lock().unwrap_or_else(PoisonError::into_inner));
            self.common.alarm.notify_all();
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.common.stop.store(true, Ordering::SeqCst);
        self.call();
        for handle in self.handles.drain(..) {
            // A member's panic was reported by `run`.
            let _ = handle.join();
        }
    }
}

fn serve(common: &Common, index: usize) {
    let mut round = 0;
    loop {
        let mut turns = 0;
        while common.round.load(Ordering::Acquire) == round {
            if turns < TURNS_BEFORE_SLEEP {
                pause(&mut turns);
                continue;
            }
            let mut bed = common.bed.lock().unwrap_or_else(PoisonError::into_inner);
            common.sleeping.fetch_add(1, Ordering::SeqCst);
            while common.round.load(Ordering::SeqCst) == round {
                bed = common.alarm.wait(bed).unwrap_or_else(PoisonError::into_inner);
            }
            common.sleeping.fetch_sub(1, Ordering::SeqCst);
        }
        round = common.round.load(Ordering::Acquire);
        if common.stop.load(Ordering::SeqCst) {
            return;
        }
        // SAFETY: the round has begun, so `work` is set and stays valid until `finished` counts
        // this member.
        let work = unsafe { *common.work.get() };
        if let Some(work) = work {
            let member = Member { index, common };
            // SAFETY: as above.
            let result = catch_unwind(AssertUnwindSafe(|| unsafe { (*work)(&member) }));
            if result.is_err() {
                common.failed.store(true, Ordering::Release);
            }
        }
        common.finished.fetch_add(1, Ordering::AcqRel);
    }
}
