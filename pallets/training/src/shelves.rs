//! The two sides of the market in storage: idle workers and queued jobs, each ordered on shelves.
//!
//! A row stands for a kind of job and a base model, or for a kind and all sizes. Its shelves are one
//! for each speed, and for each size. Beside the entries each row keeps the first one of every shelf,
//! so that a search reads a row once and then only what it finds.

use crate::{
    impls::JobOf,
    types::{Class, Firsts, IdleKey, OfferKey, OptIn, Row},
    Config, Idle, IdleFirsts, Jobs, Pallet, Shelved, Waiting, WaitingFirsts, Worker, Workers,
};
use alloc::vec::Vec;
use codec::FullCodec;
use frame_support::storage::{IterableStorageDoubleMap, StorageDoubleMap, StorageMap};
use openledger_primitives::{job::MAX_REFUSED, JobId, RateClass, SizeClass};

/// Entries that a search for a worker looks at: all that may be passed over, and the one that fits.
pub const WORKERS_TRIED: u32 = MAX_REFUSED + 1;

/// Entries that a search for a job looks at: jobs that this worker declined or lost are passed over.
pub const JOBS_TRIED: u32 = 32;

type Shelf = (Row, Class);

/// A side of the market: entries on shelves, and the first one of each.
trait Side {
    type Key: FullCodec + Ord + Copy;
    type Entry: FullCodec + Clone;
    type Entries: IterableStorageDoubleMap<Shelf, Self::Key, Self::Entry>
        + StorageDoubleMap<Shelf, Self::Key, Self::Entry, Query = Option<Self::Entry>>;
    type Firsts: StorageMap<Row, Firsts<Self::Key>, Query = Firsts<Self::Key>>;

    fn put(row: Row, class: Class, key: Self::Key, entry: &Self::Entry) {
        Self::Entries::insert((row, class), key, entry);
        Self::Firsts::mutate(row, |firsts| {
            match firsts.iter_mut().find(|(of, _)| *of == class) {
                Some((_, first)) => *first = key.min(*first),
                // There is room for each class that there is.
                None => {
                    let _ = firsts.try_push((class, key));
                }
            }
        });
    }

    fn take(row: Row, class: Class, key: Self::Key) {
        Self::Entries::remove((row, class), key);
        Self::Firsts::mutate_exists(row, |firsts| {
            let Some(list) = firsts else { return };
            let Some(at) = list.iter().position(|(of, first)| *of == class && *first == key) else {
                return;
            };
            match Self::Entries::iter_key_prefix((row, class)).next() {
                Some(next) => {
                    if let Some((_, first)) = list.get_mut(at) {
                        *first = next;
                    }
                }
                None => {
                    list.swap_remove(at);
                }
            }
            if list.is_empty() {
                *firsts = None;
            }
        });
    }

    /// The least entry of the rows' shelves that `fits`, among the first `limit`; `class` and `key`
    /// say which shelves are looked at.
    fn least(
        rows: &[Row],
        limit: u32,
        wanted: impl Fn(Class, Self::Key) -> bool,
        fits: impl Fn(&Self::Entry) -> bool,
    ) -> Option<Self::Entry> {
        let mut heads: Vec<(Self::Key, Shelf)> = Vec::new();
        for row in rows {
            let firsts = Self::Firsts::get(row);
            let shelves = firsts.iter().filter(|(class, key)| wanted(*class, *key));
            heads.extend(shelves.map(|(class, key)| (*key, (*row, *class))));
        }
        for _ in 0..limit {
            let (at, (key, shelf)) = heads
                .iter()
                .copied()
                .enumerate()
                .min_by(|(_, (one, _)), (_, (other, _))| one.cmp(other))?;
            if let Some(entry) = Self::Entries::get(shelf, key).filter(&fits) {
                return Some(entry);
            }
            let from = Self::Entries::hashed_key_for(shelf, key);
            match Self::Entries::iter_key_prefix_from(shelf, from).next() {
                Some(next) if wanted(shelf.1, next) => {
                    if let Some(head) = heads.get_mut(at) {
                        head.0 = next;
                    }
                }
                _ => {
                    heads.swap_remove(at);
                }
            }
        }
        None
    }
}

/// Workers that wait for jobs.
struct IdleSide<T>(core::marker::PhantomData<T>);

impl<T: Config> Side for IdleSide<T> {
    type Key = IdleKey;
    type Entry = T::AccountId;
    type Entries = Idle<T>;
    type Firsts = IdleFirsts<T>;
}

/// Jobs that wait for workers.
struct WaitingSide<T>(core::marker::PhantomData<T>);

impl<T: Config> Side for WaitingSide<T> {
    type Key = OfferKey;
    type Entry = JobId;
    type Entries = Waiting<T>;
    type Firsts = WaitingFirsts<T>;
}

/// The shelves a worker stands on: one of each row it belongs in.
pub(crate) fn worker_shelves(worker: &Worker) -> Vec<Shelf> {
    let rate = worker.rate;
    let kinds = worker.kinds.iter().copied();
    match &worker.opt_in {
        OptIn::Models(models) => {
            let of_family = |(base, family): (u32, _)| {
                let base = Some(base);
                let kinds = kinds.clone().filter(move |kind| kind.family == family);
                kinds.map(move |kind| {
                    (Row { kind, base }, Class { size: SizeClass::default(), rate })
                })
            };
            models.iter().copied().flat_map(of_family).collect()
        }
        OptIn::UpTo(bytes) => match SizeClass::up_to(*bytes) {
            Some(size) => {
                kinds.map(|kind| (Row { kind, base: None }, Class { size, rate })).collect()
            }
            None => Vec::new(),
        },
    }
}

/// The two shelves a job stands on: by its base model, and by its size.
pub(crate) fn job_shelves<A>(job: &openledger_primitives::Job<A>, rate: RateClass) -> [Shelf; 2] {
    let kind = job.kind;
    [
        (Row { kind, base: Some(job.base) }, Class { size: SizeClass::default(), rate }),
        (Row { kind, base: None }, Class { size: job.size, rate }),
    ]
}

impl<T: Config> Pallet<T> {
    /// The worker to whom a job goes: of the idle ones that fit it the one with the lowest floor, then
    /// the fewest jobs lost, then the longest idle.
    pub(crate) fn worker_for(job: &JobOf<T>, rate: RateClass) -> Option<T::AccountId> {
        let rows = job_shelves(job, rate).map(|(row, _)| row);
        // A row of one base model has one size only, which is the smallest.
        let wanted = |class: Class, key: IdleKey| {
            class.rate >= rate && key.price_per_token() <= job.price_per_token
        };
        let [of_base, by_size] = rows;
        let fits = |who: &T::AccountId| job.may_go_to(who);
        let by_size = IdleSide::<T>::least(
            &[by_size],
            WORKERS_TRIED,
            |class, key| class.size >= job.size && wanted(class, key),
            fits,
        );
        let of_base = IdleSide::<T>::least(&[of_base], WORKERS_TRIED, wanted, fits);
        match (of_base, by_size) {
            (Some(one), Some(other)) => {
                let key = |who: &T::AccountId| Workers::<T>::get(who).map(|w| w.idle_key());
                Some(if key(&one) <= key(&other) { one } else { other })
            }
            (one, other) => one.or(other),
        }
    }

    /// The job that a worker gets: of the queued ones that fit it the one that pays most a token, then
    /// the earliest.
    pub(crate) fn job_for(who: &T::AccountId, worker: &Worker) -> Option<JobId> {
        let shelves = worker_shelves(worker);
        let size = shelves.first().map(|(_, class)| class.size)?;
        let rows: Vec<Row> = shelves.into_iter().map(|(row, _)| row).collect();
        WaitingSide::<T>::least(
            &rows,
            JOBS_TRIED,
            |class, key| {
                class.rate <= worker.rate
                    && class.size <= size
                    && key.price_per_token() >= worker.price_per_token
            },
            // A job whose class of speed rose in this block may still stand where it stood.
            |id| {
                Jobs::<T>::get(id).is_some_and(|job| {
                    let fast_enough = |rate| rate <= worker.rate;
                    job.may_go_to(who) && Self::rate_for(&job).is_some_and(fast_enough)
                })
            },
        )
    }

    /// Puts an idle worker on its shelves.
    pub(crate) fn shelve_worker(who: &T::AccountId, worker: &Worker) {
        for (row, class) in worker_shelves(worker) {
            IdleSide::<T>::put(row, class, worker.idle_key(), who);
        }
    }

    /// Takes an idle worker off its shelves; others stand on none.
    pub(crate) fn unshelve_worker(worker: &Worker) {
        if worker.is_idle() {
            for (row, class) in worker_shelves(worker) {
                IdleSide::<T>::take(row, class, worker.idle_key());
            }
        }
    }

    /// Puts a queued job on its shelves, among those that need a worker of such a speed.
    pub(crate) fn shelve_job(id: JobId, job: &JobOf<T>, rate: RateClass) {
        let key = OfferKey::new(job.price_per_token, job.sequence);
        for (row, class) in job_shelves(job, rate) {
            WaitingSide::<T>::put(row, class, key, &id);
        }
        Shelved::<T>::insert(id, rate);
    }

    /// Takes a queued job off its shelves, as it was when it was put there; others stand on none.
    pub(crate) fn unshelve_job(id: JobId, job: &JobOf<T>) {
        let Some(rate) = Shelved::<T>::take(id) else { return };
        let key = OfferKey::new(job.price_per_token, job.sequence);
        for (row, class) in job_shelves(job, rate) {
            WaitingSide::<T>::take(row, class, key);
        }
    }
}
