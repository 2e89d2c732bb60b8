//! The two sides of the market in storage: idle workers and queued jobs, each ordered on shelves.
//!
//! A row stands for a kind of job and a base model, or for a kind and all sizes. Its shelves are one
//! for each speed, and for each size. Beside the entries each row keeps the first one of every shelf,
//! so that a search reads a row once and then only what it finds.

use crate::{
    impls::JobOf,
    types::{Class, Firsts, IdleKey, OfferKey, OptIn, Row},
    Config, Error, Idle, IdleFirsts, Jobs, Pallet, SearchOf, Searches, SequenceKey, Shelved,
    Waiting, WaitingFirsts, Worker, Workers,
};
use alloc::vec::Vec;
use codec::FullCodec;
use frame_support::storage::{
    with_storage_layer, IterableStorageDoubleMap, StorageDoubleMap, StorageMap,
};
use openledger_primitives::{job::MAX_REFUSED, JobId, RateClass, SizeClass};
use sp_runtime::DispatchError;

/// Entries that a search for a worker looks at: all that may be passed over, and the one that fits.
pub const WORKERS_TRIED: u32 = MAX_REFUSED + 1;

/// Entries that a search for a job looks at in one go: jobs that this worker declined or lost are passed
/// over. A search that has not come to the end goes on in the next blocks, so that no number of them hides
/// a job that the worker would get.
pub const JOBS_TRIED: u32 = 32;

/// Most searches that go on in a block.
pub const SEARCHES: u32 = 4;

type Shelf = (Row, Class);

/// What a search came to.
pub(crate) enum Looked<Key, Entry> {
    /// The least entry that fits.
    Found(Entry),
    /// As many as it may look at do not fit, this one the last; there are more behind it.
    Behind(Key),
    /// None fits.
    Nothing,
}

impl<Key, Entry> Looked<Key, Entry> {
    fn found(self) -> Option<Entry> {
        match self {
            Self::Found(entry) => Some(entry),
            Self::Behind(_) | Self::Nothing => None,
        }
    }
}

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

    /// The entry of a shelf that comes behind a key, whether or not something stands there.
    fn behind(shelf: Shelf, key: Self::Key) -> Option<Self::Key> {
        let from = Self::Entries::hashed_key_for(shelf, key);
        Self::Entries::iter_key_prefix_from(shelf, from).next()
    }

    /// The least entry of the rows' shelves that `fits`, among the first `limit` behind `after`; `class`
    /// and `key` say which shelves are looked at. Adds the shelves of which the first is passed over to
    /// `sought`.
    fn least(
        rows: &[Row],
        limit: u32,
        after: Option<Self::Key>,
        wanted: impl Fn(Class, Self::Key) -> bool,
        fits: impl Fn(&Self::Entry) -> bool,
        sought: &mut u32,
    ) -> Looked<Self::Key, Self::Entry> {
        let mut heads: Vec<(Self::Key, Shelf)> = Vec::new();
        for row in rows {
            for (class, first) in Self::Firsts::get(row) {
                let shelf = (*row, class);
                let head = match after {
                    Some(after) if first <= after => {
                        *sought = sought.saturating_add(1);
                        Self::behind(shelf, after)
                    }
                    _ => Some(first),
                };
                heads.extend(head.filter(|key| wanted(class, *key)).map(|key| (key, shelf)));
            }
        }
        let mut last = None;
        for _ in 0..limit {
            let least = heads
                .iter()
                .copied()
                .enumerate()
                .min_by(|(_, (one, _)), (_, (other, _))| one.cmp(other));
            let Some((at, (key, shelf))) = least else { return Looked::Nothing };
            if let Some(entry) = Self::Entries::get(shelf, key).filter(&fits) {
                return Looked::Found(entry);
            }
            last = Some(key);
            match Self::behind(shelf, key) {
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
        match last {
            Some(key) if !heads.is_empty() => Looked::Behind(key),
            _ => Looked::Nothing,
        }
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
        // Whoever refused a job is one of fewer than are looked at, so these searches come to the end.
        let mut none = 0;
        let by_size = IdleSide::<T>::least(
            &[by_size],
            WORKERS_TRIED,
            None,
            |class, key| class.size >= job.size && wanted(class, key),
            fits,
            &mut none,
        );
        let of_base =
            IdleSide::<T>::least(&[of_base], WORKERS_TRIED, None, wanted, fits, &mut none);
        match (of_base.found(), by_size.found()) {
            (Some(one), Some(other)) => {
                let key = |who: &T::AccountId| Workers::<T>::get(who).map(|w| w.idle_key());
                Some(if key(&one) <= key(&other) { one } else { other })
            }
            (one, other) => one.or(other),
        }
    }

    /// The job that a worker gets: of the queued ones behind `after` that fit it the one that pays most a
    /// token, then the earliest.
    pub(crate) fn job_for(
        who: &T::AccountId,
        worker: &Worker,
        after: Option<OfferKey>,
        sought: &mut u32,
    ) -> Looked<OfferKey, JobId> {
        let shelves = worker_shelves(worker);
        let Some(size) = shelves.first().map(|(_, class)| class.size) else {
            return Looked::Nothing;
        };
        let rows: Vec<Row> = shelves.into_iter().map(|(row, _)| row).collect();
        WaitingSide::<T>::least(
            &rows,
            JOBS_TRIED,
            after,
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
            sought,
        )
    }

    /// Has an idle worker's search go on behind a job in one of the next blocks. What comes before that job
    /// meanwhile, or is put there anew, looks for a worker itself.
    pub(crate) fn search_on(who: &T::AccountId, behind: OfferKey) -> Result<(), Error<T>> {
        let place = SequenceKey::from(Self::next_place()?);
        SearchOf::<T>::insert(who, place);
        Searches::<T>::insert(place, (who, behind));
        Ok(())
    }

    /// Ends a worker's search, if it has one: it is idle no longer, or begins anew.
    pub(crate) fn end_search(who: &T::AccountId) {
        if let Some(place) = SearchOf::<T>::take(who) {
            Searches::<T>::remove(place);
        }
    }

    /// Lets the searches go on that waited longest. Returns how many did, and the shelves that they had to
    /// look for their places on.
    pub(crate) fn go_on_searching() -> (u32, u32) {
        let first: Vec<_> = Searches::<T>::iter_values().take(SEARCHES as usize).collect();
        let (searches, mut sought) = (first.len() as u32, 0);
        for (who, behind) in first {
            Self::end_search(&who);
            let Some(worker) = Workers::<T>::get(&who).filter(Worker::is_idle) else { continue };
            // What fails leaves the worker idle, and the job to whoever is idle next.
            let _ = with_storage_layer(|| {
                match Self::job_for(&who, &worker, Some(behind), &mut sought) {
                    Looked::Nothing => Ok(()),
                    Looked::Behind(key) => Self::search_on(&who, key).map_err(Into::into),
                    Looked::Found(id) => {
                        let mut job = Jobs::<T>::get(id).ok_or(Error::<T>::UnknownJob)?;
                        Self::unshelve_worker(&worker);
                        Self::unshelve_job(id, &job);
                        Self::assign(id, &mut job, who.clone(), worker)?;
                        Jobs::<T>::insert(id, job);
                        Ok::<(), DispatchError>(())
                    }
                }
            });
        }
        (searches, sought)
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
