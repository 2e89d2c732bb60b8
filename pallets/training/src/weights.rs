//! Weights of the calls, estimated by hand from what they read and write.
//!
//! Each database access is charged through the runtime's `DbWeight`; computing time and proof size
//! are rounded up from comparable calls of the SDK. Measured weights replace them once the pallet
//! has benchmarks.

use crate::{DRAW_TRIES, JOBS_TRIED, WORKERS_TRIED};
use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{RuntimeDbWeight, Weight},
};
use openledger_primitives::{
    job::{dispute::DRAWN, MAX_REFUSED},
    market::MAX_MODELS,
    JobKind, Method, ModelFamily, SizeClass,
};

/// Weights of the calls and of the work at the start of a block.
pub trait WeightInfo {
    /// Of `register_base_model`.
    fn register_base_model() -> Weight;
    /// Of `register_worker` for so many kinds.
    fn register_worker(kinds: u32) -> Weight;
    /// Of `update_worker` to so many kinds.
    fn update_worker(kinds: u32) -> Weight;
    /// Of `pause`.
    fn pause() -> Weight;
    /// Of `resume`.
    fn resume() -> Weight;
    /// Of `deregister_worker`.
    fn deregister_worker() -> Weight;
    /// Of `create_job` on so many Datanets.
    fn create_job(datasets: u32) -> Weight;
    /// Of `refine_adapter` on so many Datanets.
    fn refine_adapter(datasets: u32) -> Weight;
    /// Of `cancel_job`.
    fn cancel_job() -> Weight;
    /// Of `take`.
    fn take() -> Weight;
    /// Of `heartbeat`.
    fn heartbeat() -> Weight;
    /// Of `submit_result`.
    fn submit_result() -> Weight;
    /// Of `decline`.
    fn decline() -> Weight;
    /// Of `raise_price`.
    fn raise_price() -> Weight;
    /// Of `extend_deadline`.
    fn extend_deadline() -> Weight;
    /// Of `prune_job`.
    fn prune_job() -> Weight;
    /// Of `retire_base_model`.
    fn retire_base_model() -> Weight;
    /// Of `dispute`.
    fn dispute() -> Weight;
    /// Of `commit_finding`.
    fn commit_finding() -> Weight;
    /// Of `reveal_finding`.
    fn reveal_finding() -> Weight;
    /// Of the start of a block that drew workers for so many disputes and settled so many.
    fn judge(drawn: u32, settled: u32) -> Weight;
    /// Of the start of a block in which so many workers gained seniority.
    fn admit(workers: u32) -> Weight;
    /// Of the start of a block in which so many searches for jobs went on, and looked for their places on so
    /// many shelves.
    fn search(searches: u32, shelves: u32) -> Weight;
    /// Of the start of a block that paid for so many results, took so many jobs from a worker or ended
    /// them, and entered so many anew.
    fn begin_block(paid: u32, timed_out: u32, moved: u32) -> Weight;
}

/// Most rows of shelves that a worker stands in: one a kind where it opted in by size, one a method
/// and model where it named models.
const ROWS: u64 = {
    let (by_size, by_model) = (JobKind::COUNT, MAX_MODELS * Method::ALL.len() as u32);
    (if by_size > by_model { by_size } else { by_model }) as u64
};

/// Weights under the runtime's database.
pub struct SubstrateWeight<T>(PhantomData<T>);

/// Weights as computing time, proof size, reads and writes.
#[derive(Clone, Copy)]
struct Cost(u64, u64, u64, u64);

impl Cost {
    fn under(self, db: RuntimeDbWeight) -> Weight {
        let Self(time, proof, reads, writes) = self;
        Weight::from_parts(time, proof).saturating_add(db.reads_writes(reads, writes))
    }

    const fn and(self, other: Self) -> Self {
        Self(
            self.0.saturating_add(other.0),
            self.1.saturating_add(other.1),
            self.2.saturating_add(other.2),
            self.3.saturating_add(other.3),
        )
    }

    const fn times(self, times: u32) -> Self {
        let times = times as u64;
        Self(
            self.0.saturating_mul(times),
            self.1.saturating_mul(times),
            self.2.saturating_mul(times),
            self.3.saturating_mul(times),
        )
    }
}

// Account and holds are two reads and two writes wherever OPEN is held or released.

/// A row of firsts is at most some 8 kB; an entry that is looked at takes it, its job and the next key.
const fn search(rows: u64, entries: u64) -> Cost {
    Cost(
        rows.saturating_mul(4_000_000).saturating_add(entries.saturating_mul(3_000_000)),
        rows.saturating_mul(8_000).saturating_add(entries.saturating_mul(1_500)),
        rows.saturating_add(entries.saturating_mul(3)),
        0,
    )
}

/// Entry and row's firsts are written; of an entry taken the next one is read.
const fn shelve(rows: u64) -> Cost {
    Cost(rows.saturating_mul(6_000_000), 0, rows.saturating_mul(2), rows.saturating_mul(2))
}

/// A job is given to a worker: it, worker, shelf's mark, and agenda.
const ASSIGN: Cost = Cost(30_000_000, 5_000, 4, 6);

/// Most sets of verifiers that a worker belongs to: one a model, or one a family.
const SETS: u64 = {
    let families = ModelFamily::ALL.len() as u64;
    if families > MAX_MODELS as u64 {
        families
    } else {
        MAX_MODELS as u64
    }
};

/// A worker enters its sets of verifiers, or leaves them: its number, the size, and the last one.
const VERIFY: Cost =
    Cost(8_000_000u64.saturating_mul(SETS), 0, SETS.saturating_mul(3), SETS.saturating_mul(5));

/// The sizes of the sets that a draw is made from.
const SET_SIZES: Cost = Cost(10_000_000, 5_000, 1 + SizeClass::COUNT as u64, 0);

/// Of those that declined a job it is seen which of them have seniority, and a part of its deposit is
/// forfeited.
const BLAME: Cost =
    Cost(40_000_000, 8_000, 4, 4).and(Cost(4_000_000, 1_000, 2, 0).times(MAX_REFUSED));

/// A search ends, or is to go on: its place and what stands there.
const SEARCH: Cost = Cost(6_000_000, 500, 2, 4);

/// A worker becomes idle: it looks for a job, and goes on its shelves or takes the job off its two.
const fn enter_worker() -> Cost {
    search(ROWS, JOBS_TRIED as u64).and(shelve(ROWS)).and(shelve(2)).and(ASSIGN).and(SEARCH)
}

/// A job is offered: it looks for a worker by model and by size, and goes on its shelves or takes the
/// worker off its own.
const fn enter_job() -> Cost {
    search(2, 2u64.saturating_mul(WORKERS_TRIED as u64))
        .and(shelve(ROWS))
        .and(shelve(2))
        .and(ASSIGN)
        .and(SEARCH)
}

fn register_base_model() -> Cost {
    Cost(50_000_000, 8_000, 4, 5)
}

fn register_worker(kinds: u32) -> Cost {
    let models = u64::from(MAX_MODELS);
    // Place and block among the newcomers are written, and those of before forgotten.
    Cost(60_000_000, 9_000, models.saturating_add(7), 9)
        .and(Cost(1_000_000, 0, 0, 0).times(kinds))
        .and(enter_worker())
        .and(VERIFY)
}

fn update_worker(kinds: u32) -> Cost {
    register_worker(kinds).and(shelve(ROWS)).and(VERIFY)
}

fn pause() -> Cost {
    Cost(20_000_000, 4_000, 2, 1).and(SEARCH).and(shelve(ROWS)).and(VERIFY)
}

fn resume() -> Cost {
    Cost(50_000_000, 8_000, 4, 4).and(enter_worker()).and(VERIFY)
}

fn deregister_worker() -> Cost {
    Cost(60_000_000, 9_000, 6, 7).and(SEARCH).and(shelve(ROWS)).and(VERIFY)
}

fn create_job(datasets: u32) -> Cost {
    // Reading a version takes up to 64 peaks of the Datanet's range.
    Cost(80_000_000, 15_000, 8, 13)
        .and(Cost(150_000_000, 200_000, 65, 0).times(datasets))
        .and(enter_job())
}

fn refine_adapter(datasets: u32) -> Cost {
    // The parent's adapter and job are read, and its number is written.
    create_job(datasets).and(Cost(30_000_000, 10_000, 2, 1))
}

fn cancel_job() -> Cost {
    Cost(100_000_000, 15_000, 11, 12).and(shelve(2)).and(enter_worker()).and(BLAME)
}

fn take() -> Cost {
    Cost(40_000_000, 9_000, 3, 5)
}

fn heartbeat() -> Cost {
    Cost(25_000_000, 5_000, 1, 1)
}

fn submit_result() -> Cost {
    // Those that declined the job were wrong.
    Cost(60_000_000, 10_000, 6, 8)
        .and(Cost(4_000_000, 1_000, 3, 2).times(MAX_REFUSED))
        .and(enter_worker())
}

fn decline() -> Cost {
    // Of each that declined it: its record, whether it has seniority, and its number in its set.
    Cost(80_000_000, 10_000, 7, 9)
        .and(Cost(4_000_000, 1_000, 3, 0).times(MAX_REFUSED))
        .and(SET_SIZES)
        .and(BLAME)
        .and(enter_job())
        .and(enter_worker())
        .and(VERIFY)
}

fn raise_price() -> Cost {
    Cost(60_000_000, 10_000, 4, 4).and(shelve(2)).and(enter_job())
}

fn extend_deadline() -> Cost {
    Cost(40_000_000, 8_000, 2, 2).and(shelve(2)).and(enter_job())
}

fn prune_job() -> Cost {
    Cost(50_000_000, 10_000, 4, 7)
}

fn retire_base_model() -> Cost {
    Cost(40_000_000, 8_000, 3, 3)
}

fn dispute() -> Cost {
    // The parties' records as workers are read, and a dispute of before.
    Cost(80_000_000, 13_000, 13, 7).and(SET_SIZES)
}

fn commit_finding() -> Cost {
    Cost(40_000_000, 8_000, 3, 6)
}

fn reveal_finding() -> Cost {
    Cost(40_000_000, 8_000, 3, 6)
}

/// Payment for a result: worker, owner, their holds, job, adapter.
const PAYMENT: Cost = Cost(150_000_000, 20_000, 13, 17);

fn judge(drawn: u32, settled: u32) -> Cost {
    // Of each worker that is looked at: its number, and what it is drawn for.
    let draw = Cost(60_000_000, 10_000, 5, 9)
        .and(SET_SIZES)
        .and(Cost(8_000_000, 1_000, 2, 0).times(DRAW_TRIES));
    // Each of the drawn may be paid, or be paused; the job's worker may be as well.
    let workers = Cost(60_000_000, 3_000, 7, 7).and(shelve(ROWS)).and(VERIFY).times(DRAWN + 1);
    let settle = Cost(60_000_000, 10_000, 6, 8).and(PAYMENT).and(workers);
    Cost(10_000_000, 5_000, 2, 1).and(draw.times(drawn)).and(settle.times(settled))
}

fn admit(workers: u32) -> Cost {
    // The first newcomer is looked at in every block.
    let worker = Cost(20_000_000, 4_000, 3, 2).and(VERIFY);
    Cost(5_000_000, 1_000, 2, 0).and(worker.times(workers))
}

fn go_on_searching(searches: u32, shelves: u32) -> Cost {
    // The first search is looked for in every block.
    let one = enter_worker().and(Cost(10_000_000, 2_000, 3, 1));
    let place = Cost(3_000_000, 500, 1, 0);
    Cost(3_000_000, 500, 1, 0).and(one.times(searches)).and(place.times(shelves))
}

fn begin_block(paid: u32, timed_out: u32, moved: u32) -> Cost {
    let payment = PAYMENT;
    let time_out = Cost(100_000_000, 15_000, 11, 15)
        .and(BLAME)
        .and(enter_job())
        .and(enter_worker())
        .and(VERIFY);
    let move_on = Cost(30_000_000, 10_000, 6, 6).and(shelve(4));
    Cost(20_000_000, 10_000, 4, 2)
        .and(payment.times(paid))
        .and(time_out.times(timed_out))
        .and(move_on.times(moved))
}

macro_rules! weights {
    ($db:expr) => {
        fn register_base_model() -> Weight {
            register_base_model().under($db)
        }

        fn register_worker(kinds: u32) -> Weight {
            register_worker(kinds).under($db)
        }

        fn update_worker(kinds: u32) -> Weight {
            update_worker(kinds).under($db)
        }

        fn pause() -> Weight {
            pause().under($db)
        }

        fn resume() -> Weight {
            resume().under($db)
        }

        fn deregister_worker() -> Weight {
            deregister_worker().under($db)
        }

        fn create_job(datasets: u32) -> Weight {
            create_job(datasets).under($db)
        }

        fn refine_adapter(datasets: u32) -> Weight {
            refine_adapter(datasets).under($db)
        }

        fn cancel_job() -> Weight {
            cancel_job().under($db)
        }

        fn take() -> Weight {
            take().under($db)
        }

        fn heartbeat() -> Weight {
            heartbeat().under($db)
        }

        fn submit_result() -> Weight {
            submit_result().under($db)
        }

        fn decline() -> Weight {
            decline().under($db)
        }

        fn raise_price() -> Weight {
            raise_price().under($db)
        }

        fn extend_deadline() -> Weight {
            extend_deadline().under($db)
        }

        fn prune_job() -> Weight {
            prune_job().under($db)
        }

        fn retire_base_model() -> Weight {
            retire_base_model().under($db)
        }

        fn dispute() -> Weight {
            dispute().under($db)
        }

        fn commit_finding() -> Weight {
            commit_finding().under($db)
        }

        fn reveal_finding() -> Weight {
            reveal_finding().under($db)
        }

        fn judge(drawn: u32, settled: u32) -> Weight {
            judge(drawn, settled).under($db)
        }

        fn admit(workers: u32) -> Weight {
            admit(workers).under($db)
        }

        fn search(searches: u32, shelves: u32) -> Weight {
            go_on_searching(searches, shelves).under($db)
        }

        fn begin_block(paid: u32, timed_out: u32, moved: u32) -> Weight {
            begin_block(paid, timed_out, moved).under($db)
        }
    };
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    weights!(T::DbWeight::get());
}

impl WeightInfo for () {
    weights!(RuntimeDbWeight::default());
}
