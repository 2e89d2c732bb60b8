//! Who may be drawn for a dispute, and the draw.
//!
//! Workers that have seniority and are not paused are numbered without gaps in the sets that they have opted in to, so
//! that a draw reads the sizes of the sets and then only whom it draws, each with the same chance.

use super::MAX_DUTIES;
use crate::{
    impls::JobOf,
    types::{OptIn, VerifierSet},
    BaseModels, Config, Duties, Error, NewcomerPlace, Newcomers, Pallet, SequenceKey,
    VerifierCount, VerifierIndex, Verifiers, Worker, Workers,
};
use alloc::{collections::BTreeMap, vec::Vec};
use codec::{Decode, Encode};
use frame_support::traits::{Get, Randomness};
use openledger_primitives::{job::dispute::DRAWN, BaseModelId, JobId, ModelFamily, SizeClass};

/// Workers that a draw looks at: those drawn, at most three parties to the dispute, and as many that
/// are drawn for other disputes already.
pub const DRAW_TRIES: u32 = 16;

/// Most newcomers that gain seniority in a block.
pub const ADMITTED: u32 = 4;

/// The sets that a worker with seniority belongs to; none while it is paused.
pub fn verifier_sets(worker: &Worker) -> Vec<VerifierSet> {
    if worker.paused {
        return Vec::new();
    }
    serves_sets(worker)
}

/// The sets of what a worker has opted in to.
pub(crate) fn serves_sets(worker: &Worker) -> Vec<VerifierSet> {
    let mut sets = Vec::new();
    match &worker.opt_in {
        OptIn::Models(models) => {
            for (base, family) in models {
                if worker.kinds.iter().any(|kind| kind.family == *family) {
                    let (family, base) = (*family, Some(*base));
                    sets.push(VerifierSet { family, base, size: SizeClass::default() });
                }
            }
        }
        OptIn::UpTo(bytes) => {
            let Some(size) = SizeClass::up_to(*bytes) else { return sets };
            for kind in &worker.kinds {
                let set = VerifierSet { family: kind.family, base: None, size };
                if !sets.contains(&set) {
                    sets.push(set);
                }
            }
        }
    }
    sets
}

/// The sets whose workers have opted in to a job's base model.
fn sets_for<A>(job: &openledger_primitives::Job<A>) -> impl Iterator<Item = VerifierSet> {
    sets_of(job.kind.family, job.base, job.size)
}

/// The sets whose workers have opted in to a base model of such a size.
fn sets_of(
    family: ModelFamily,
    base: BaseModelId,
    size: SizeClass,
) -> impl Iterator<Item = VerifierSet> {
    let of_base = VerifierSet { family, base: Some(base), size: SizeClass::default() };
    let by_size = size.and_larger().map(move |size| VerifierSet { family, base: None, size });
    core::iter::once(of_base).chain(by_size)
}

impl<T: Config> Pallet<T> {
    /// Keeps the sets up with a change of a worker.
    pub(crate) fn update_verifier(
        who: &T::AccountId,
        before: Option<&Worker>,
        after: Option<&Worker>,
    ) {
        let before = before.map(verifier_sets).unwrap_or_default();
        let after = after.map(verifier_sets).unwrap_or_default();
        for set in before.iter().filter(|set| !after.contains(set)) {
            Self::leave_set(who, *set);
        }
        // A newcomer stays in the sets in which it was before, and enters no other yet.
        if after.is_empty() || NewcomerPlace::<T>::contains_key(who) {
            return;
        }
        for set in after.iter().filter(|set| !before.contains(set)) {
            Self::enter_set(who, *set);
        }
    }

    /// Lets a worker wait before it may be drawn: who registers, or opts in to more, when a dispute is
    /// near, could otherwise judge it. While the chain is younger than that, everybody is new.
    pub(crate) fn note_newcomer(who: &T::AccountId) -> Result<(), Error<T>> {
        let (now, notice) = (Self::now(), T::WorkerNotice::get());
        if notice == 0 || now <= notice {
            return Ok(());
        }
        Self::forget_newcomer(who);
        let place = Self::next_place()?;
        NewcomerPlace::<T>::insert(who, place);
        Newcomers::<T>::insert(SequenceKey::from(place), (who, now.saturating_add(notice)));
        Ok(())
    }

    pub(crate) fn forget_newcomer(who: &T::AccountId) {
        if let Some(place) = NewcomerPlace::<T>::take(who) {
            Newcomers::<T>::remove(SequenceKey::from(place));
        }
    }

    /// Lets the newcomers whose time has come enter their sets, the earliest first. Returns how many.
    pub(crate) fn admit_newcomers() -> u32 {
        let now = Self::now();
        let first = Newcomers::<T>::iter_values().take(ADMITTED as usize);
        let due: Vec<T::AccountId> =
            first.take_while(|(_, from)| *from <= now).map(|(who, _)| who).collect();
        for who in &due {
            Self::forget_newcomer(who);
            let sets = Workers::<T>::get(who).as_ref().map(verifier_sets).unwrap_or_default();
            for set in sets.into_iter().filter(|set| !VerifierIndex::<T>::contains_key(who, set)) {
                Self::enter_set(who, set);
            }
        }
        due.len() as u32
    }

    fn enter_set(who: &T::AccountId, set: VerifierSet) {
        let index = VerifierCount::<T>::get(set);
        Verifiers::<T>::insert(set, index, who);
        VerifierIndex::<T>::insert(who, set, index);
        VerifierCount::<T>::insert(set, index.saturating_add(1));
    }

    /// The last of a set takes the number of the one that leaves.
    fn leave_set(who: &T::AccountId, set: VerifierSet) {
        let Some(index) = VerifierIndex::<T>::take(who, set) else { return };
        let last = VerifierCount::<T>::get(set).saturating_sub(1);
        let moved = Verifiers::<T>::take(set, last);
        if let Some(moved) = moved.filter(|_| index != last) {
            Verifiers::<T>::insert(set, index, &moved);
            VerifierIndex::<T>::insert(&moved, set, index);
        }
        match last {
            0 => VerifierCount::<T>::remove(set),
            _ => VerifierCount::<T>::insert(set, last),
        }
    }

    /// How many workers have opted in to a job's base model, have seniority and are not paused; and whether
    /// one of them is among these.
    pub(crate) fn able(job: &JobOf<T>) -> (u32, impl Fn(&T::AccountId) -> bool) {
        let sets: Vec<VerifierSet> = sets_for(job).collect();
        let all = sets.iter().map(VerifierCount::<T>::get).fold(0, u32::saturating_add);
        let counts = move |who: &T::AccountId| {
            let own = Workers::<T>::get(who).as_ref().map(verifier_sets).unwrap_or_default();
            let mut shared = own.into_iter().filter(|set| sets.contains(set));
            shared.any(|set| VerifierIndex::<T>::contains_key(who, set))
        };
        (all, counts)
    }

    /// How many workers could be drawn for disputes about a base model, beside `owner`: those that have opted in
    /// to it, have seniority and are not paused. A dispute takes three, beside the worker whose result it is
    /// about.
    pub fn judges(base: BaseModelId, owner: Option<&T::AccountId>) -> u32 {
        let Some(model) = BaseModels::<T>::get(base) else { return 0 };
        let size = SizeClass::of(model.files.weights_size);
        let sets: Vec<VerifierSet> = sets_of(model.family, base, size).collect();
        let all = sets.iter().map(VerifierCount::<T>::get).fold(0, u32::saturating_add);
        let own = owner.is_some_and(|owner| {
            sets.iter().any(|set| VerifierIndex::<T>::contains_key(owner, set))
        });
        all.saturating_sub(u32::from(own))
    }

    /// Whether a worker is one and no newcomer.
    pub(crate) fn has_seniority(who: &T::AccountId) -> bool {
        Workers::<T>::contains_key(who) && !NewcomerPlace::<T>::contains_key(who)
    }

    /// Whether enough workers have opted in to a job's base model, beside its parties.
    pub(crate) fn can_draw(job: &JobOf<T>, disputer: &T::AccountId) -> bool {
        let (all, counts) = Self::able(job);
        let theirs = parties::<T>(job, disputer).iter().filter(|party| counts(party)).count();
        all.saturating_sub(theirs as u32) >= DRAWN
    }

    /// Draws three workers for a dispute, or as many as there are: never its parties, and none twice.
    pub(crate) fn draw_verifiers(
        id: JobId,
        job: &JobOf<T>,
        disputer: &T::AccountId,
    ) -> Vec<T::AccountId> {
        let sets: Vec<(VerifierSet, u32)> = sets_for(job)
            .map(|set| (set, VerifierCount::<T>::get(set)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let all = sets.iter().map(|(_, count)| *count).fold(0, u32::saturating_add);
        let parties = parties::<T>(job, disputer);
        let mut drawn = Vec::new();
        // The first numbers of a shuffle: what was swapped is noted, nothing else is touched.
        let mut swapped = BTreeMap::<u32, u32>::new();
        for n in 0..DRAW_TRIES.min(all) {
            let at = n.saturating_add(random_below::<T>(id, n, all.saturating_sub(n)));
            let number = swapped.get(&at).copied().unwrap_or(at);
            let first = swapped.get(&n).copied().unwrap_or(n);
            swapped.insert(at, first);
            let Some(worker) = nth::<T>(&sets, number) else { continue };
            let busy = || Duties::<T>::decode_len(&worker).unwrap_or(0) >= MAX_DUTIES as usize;
            if !parties.contains(&worker) && !drawn.contains(&worker) && !busy() {
                drawn.push(worker);
            }
            if drawn.len() == DRAWN as usize {
                break;
            }
        }
        drawn
    }
}

/// Who has a part in a dispute, each once.
fn parties<T: Config>(job: &JobOf<T>, disputer: &T::AccountId) -> Vec<T::AccountId> {
    let worker = job.assignment().map(|assignment| assignment.worker.clone());
    let mut parties: Vec<_> =
        [job.owner.clone(), disputer.clone()].into_iter().chain(worker).collect();
    parties.sort();
    parties.dedup();
    parties
}

/// The worker of a number, counted over all the sets.
fn nth<T: Config>(sets: &[(VerifierSet, u32)], number: u32) -> Option<T::AccountId> {
    let mut left = number;
    for (set, count) in sets {
        match left.checked_sub(*count) {
            Some(rest) => left = rest,
            None => return Verifiers::<T>::get(set, left),
        }
    }
    None
}

/// A number below `bound`, which is at least 1.
fn random_below<T: Config>(id: JobId, n: u32, bound: u32) -> u32 {
    let subject = (b"openledger/draw", id, n).encode();
    let (random, _) = T::Randomness::random(&subject);
    // 16 bytes, so that the remainder favours no number noticeably.
    let random = u128::decode(&mut random.as_ref()).unwrap_or_default();
    random.checked_rem(bound.into()).unwrap_or(0) as u32
}
