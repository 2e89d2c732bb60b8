//! Weights of the calls, estimated by hand from what they read and write.
//!
//! Each database access is charged through the runtime's `DbWeight`; computing time and proof size
//! are rounded up from comparable calls of the SDK. Measured weights replace them once the pallet
//! has benchmarks.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{RuntimeDbWeight, Weight},
};
use openledger_primitives::JobKind;

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
    /// Of the start of a block that looked at so many due jobs, tried so many queued jobs and idle
    /// workers, and assigned so many jobs.
    fn begin_block(due: u32, jobs_tried: u32, workers_tried: u32, assigned: u32) -> Weight;
}

/// Most kinds of a worker: a worker stands in two queues for each.
const KINDS: u64 = JobKind::COUNT as u64;

/// Weights under the runtime's database.
pub struct SubstrateWeight<T>(PhantomData<T>);

/// Weights as computing time, proof size, reads and writes.
struct Cost(u64, u64, u64, u64);

impl Cost {
    fn under(self, db: RuntimeDbWeight) -> Weight {
        let Self(time, proof, reads, writes) = self;
        Weight::from_parts(time, proof).saturating_add(db.reads_writes(reads, writes))
    }
}

// Account and holds are two reads and two writes wherever OPEN is held or released.

fn register_base_model() -> Cost {
    Cost(50_000_000, 8_000, 4, 5)
}

fn register_worker(kinds: u32) -> Cost {
    let kinds = u64::from(kinds);
    Cost(
        kinds.saturating_mul(3_000_000).saturating_add(50_000_000),
        8_000,
        4,
        kinds.saturating_mul(2).saturating_add(4),
    )
}

fn update_worker(kinds: u32) -> Cost {
    // The kinds it had are not known before: as many as there are.
    let kinds = u64::from(kinds).saturating_add(KINDS);
    Cost(
        kinds.saturating_mul(3_000_000).saturating_add(25_000_000),
        4_000,
        1,
        kinds.saturating_mul(2).saturating_add(1),
    )
}

fn pause() -> Cost {
    Cost(60_000_000, 4_000, 1, KINDS.saturating_mul(2).saturating_add(1))
}

fn resume() -> Cost {
    Cost(90_000_000, 8_000, 4, KINDS.saturating_mul(2).saturating_add(4))
}

fn deregister_worker() -> Cost {
    Cost(90_000_000, 8_000, 3, KINDS.saturating_mul(2).saturating_add(3))
}

fn create_job(datasets: u32) -> Cost {
    // Reading a version takes up to 64 peaks of the Datanet's range.
    let datasets = u64::from(datasets);
    Cost(
        datasets.saturating_mul(150_000_000).saturating_add(80_000_000),
        datasets.saturating_mul(200_000).saturating_add(15_000),
        datasets.saturating_mul(66).saturating_add(6),
        9,
    )
}

fn refine_adapter(datasets: u32) -> Cost {
    // The parent's adapter and job are read, and its number is written.
    let Cost(time, proof, reads, writes) = create_job(datasets);
    Cost(
        time.saturating_add(30_000_000),
        proof.saturating_add(10_000),
        reads.saturating_add(2),
        writes.saturating_add(1),
    )
}

fn cancel_job() -> Cost {
    Cost(100_000_000, 15_000, 8, KINDS.saturating_mul(2).saturating_add(9))
}

fn take() -> Cost {
    Cost(35_000_000, 8_000, 2, 4)
}

fn heartbeat() -> Cost {
    Cost(25_000_000, 5_000, 1, 1)
}

fn submit_result() -> Cost {
    Cost(90_000_000, 10_000, 4, KINDS.saturating_mul(2).saturating_add(6))
}

fn begin_block(due: u32, jobs_tried: u32, workers_tried: u32, assigned: u32) -> Cost {
    let [due, jobs_tried, workers_tried, assigned] =
        [due, jobs_tried, workers_tried, assigned].map(u64::from);
    let sum = |base: u64, of: [u64; 4]| {
        let [d, j, w, a] = of;
        base.saturating_add(due.saturating_mul(d))
            .saturating_add(jobs_tried.saturating_mul(j))
            .saturating_add(workers_tried.saturating_mul(w))
            .saturating_add(assigned.saturating_mul(a))
    };
    let queues = KINDS.saturating_mul(2);
    Cost(
        // Each kind's queue is looked at in every block.
        sum(80_000_000, [150_000_000, 20_000_000, 10_000_000, 80_000_000]),
        sum(60_000, [20_000, 6_000, 5_000, 6_000]),
        sum(KINDS.saturating_mul(3).saturating_add(3), [12, 3, 2, 3]),
        sum(1, [queues.saturating_add(14), 5, 0, queues.saturating_add(7)]),
    )
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

        fn begin_block(due: u32, jobs_tried: u32, workers_tried: u32, assigned: u32) -> Weight {
            begin_block(due, jobs_tried, workers_tried, assigned).under($db)
        }
    };
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    weights!(T::DbWeight::get());
}

impl WeightInfo for () {
    weights!(RuntimeDbWeight::default());
}
