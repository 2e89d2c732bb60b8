//! Base models and workers: what their calls do.

use crate::{
    disputes::serves_sets,
    impls::{ensure_endpoint, ensure_file, refill, text_error},
    shelves::Looked,
    types::{OptIn, Raise, WorkerOffer},
    BaseModel, BaseModels, Config, Contradicted, Duties, Error, Event, HoldReason, Jobs, Kinds,
    LeavesFrom, ModelFiles, NextBaseModel, Pallet, ShortText, Worker, Workers,
};
use alloc::vec::Vec;
use frame_support::{
    pallet_prelude::*,
    traits::{fungible::hold::Mutate, tokens::Precision},
};
use openledger_primitives::{text, BaseModelId, ModelFamily, RateClass, Serves};

/// Base models.
impl<T: Config> Pallet<T> {
    pub(crate) fn do_register_base_model(
        registrar: T::AccountId,
        family: ModelFamily,
        name: ShortText,
        files: ModelFiles,
        licence: ShortText,
    ) -> DispatchResult {
        text::check(&name).map_err(|error| text_error::<T>(error, Error::EmptyName))?;
        text::check(&licence).map_err(|error| text_error::<T>(error, Error::EmptyLicence))?;
        ensure_file::<T>(&files.weights, &files.weights_sha256, files.weights_size)?;
        let deposit = T::BaseModelDeposit::get();
        T::Currency::hold(&HoldReason::BaseModelDeposit.into(), &registrar, deposit)?;
        let base = NextBaseModel::<T>::get();
        NextBaseModel::<T>::put(base.checked_add(1).ok_or(Error::<T>::Overflow)?);
        let model = BaseModel {
            registrar: registrar.clone(),
            family,
            name,
            files,
            licence,
            deposit,
            retired: false,
            jobs: 0,
        };
        BaseModels::<T>::insert(base, model);
        Self::deposit_event(Event::BaseModelRegistered { base, registrar });
        Ok(())
    }

    pub(crate) fn do_retire_base_model(who: T::AccountId, base: BaseModelId) -> DispatchResult {
        let mut model = BaseModels::<T>::get(base).ok_or(Error::<T>::UnknownBaseModel)?;
        ensure!(model.registrar == who, Error::<T>::NotTheRegistrar);
        ensure!(!model.retired, Error::<T>::BaseModelRetired);
        let deposit = core::mem::take(&mut model.deposit);
        let reason = HoldReason::BaseModelDeposit.into();
        T::Currency::release(&reason, &who, deposit, Precision::Exact)?;
        model.retired = true;
        // What jobs on record name stays; each of them has a deposit of its own.
        match model.jobs {
            0 => BaseModels::<T>::remove(base),
            _ => BaseModels::<T>::insert(base, model),
        }
        Self::deposit_event(Event::BaseModelRetired { base, deposit });
        Ok(())
    }

    /// Notes that a job on record no longer names a base model, and forgets a retired one with the
    /// last of them.
    pub(crate) fn forget_job_of_model(base: BaseModelId) {
        BaseModels::<T>::mutate_exists(base, |model| {
            if let Some(known) = model {
                known.jobs = known.jobs.saturating_sub(1);
                if known.retired && known.jobs == 0 {
                    *model = None;
                }
            }
        });
    }
}

/// Workers.
impl<T: Config> Pallet<T> {
    pub(crate) fn do_register_worker(who: T::AccountId, offer: WorkerOffer) -> DispatchResult {
        ensure!(!Workers::<T>::contains_key(&who), Error::<T>::AlreadyAWorker);
        let opt_in = Self::opt_in(&offer)?;
        let WorkerOffer { kinds, price_per_token, endpoint, tokens_per_second, .. } = offer;
        let bond = T::WorkerBond::get();
        T::Currency::hold(&HoldReason::WorkerBond.into(), &who, bond)?;
        let worker = Worker {
            bond,
            kinds,
            price_per_token,
            endpoint,
            job: None,
            paused: false,
            open_results: 0,
            opt_in,
            rate: RateClass::declared(tokens_per_second),
            place: Self::next_place()?,
            lost: 0,
            declines: 0,
            rests_until: 0,
            raise: None,
        };
        Self::note_newcomer(&who)?;
        Self::deposit_event(Event::WorkerRegistered { worker: who.clone(), price_per_token });
        Self::place_worker(who, worker)
    }

    pub(crate) fn do_update_worker(who: T::AccountId, offer: WorkerOffer) -> DispatchResult {
        let mut worker = Workers::<T>::get(&who).ok_or(Error::<T>::NotAWorker)?;
        let opt_in = Self::opt_in(&offer)?;
        let WorkerOffer { kinds, price_per_token, endpoint, tokens_per_second, .. } = offer;
        Self::unshelve_worker(&worker);
        let before = serves_sets(&worker);
        worker.kinds = kinds;
        worker.endpoint = endpoint;
        worker.opt_in = opt_in;
        worker.rate = RateClass::declared(tokens_per_second);
        // Seniority is for what was served before.
        if serves_sets(&worker).iter().any(|set| !before.contains(set)) {
            Self::note_newcomer(&who)?;
        }
        Self::set_price(&mut worker, price_per_token)?;
        let raise = worker.raise;
        let price_per_token = worker.price_per_token;
        Self::deposit_event(Event::WorkerUpdated { worker: who.clone(), price_per_token });
        if let Some(Raise { price_per_token, from }) = raise {
            let worker = who.clone();
            Self::deposit_event(Event::PriceRaiseWaits { worker, price_per_token, from });
        }
        Self::place_worker(who, worker)
    }

    /// A lower floor counts at once; a higher one waits, and costs the place.
    fn set_price(worker: &mut Worker, price_per_token: u128) -> Result<(), Error<T>> {
        if price_per_token <= worker.price_per_token {
            worker.price_per_token = price_per_token;
            worker.raise = None;
            return Ok(());
        }
        let waits = worker.raise.filter(|raise| raise.price_per_token == price_per_token);
        if waits.is_none() {
            let from = Self::now().saturating_add(T::RaiseDelay::get());
            worker.raise = Some(Raise { price_per_token, from });
        }
        Self::apply_raise(worker)
    }

    /// A higher floor whose time has come takes effect, and the worker goes to the tail.
    fn apply_raise(worker: &mut Worker) -> Result<(), Error<T>> {
        if let Some(raise) = worker.raise.filter(|raise| raise.from <= Self::now()) {
            worker.price_per_token = raise.price_per_token;
            worker.raise = None;
            worker.place = Self::next_place()?;
        }
        Ok(())
    }

    pub(crate) fn do_pause(who: T::AccountId) -> DispatchResult {
        let mut worker = Workers::<T>::get(&who).ok_or(Error::<T>::NotAWorker)?;
        ensure!(!worker.paused, Error::<T>::AlreadyPaused);
        worker.paused = true;
        Self::pause_worker(&who, worker);
        Ok(())
    }

    /// Stores a worker that is paused from now on.
    pub(crate) fn pause_worker(who: &T::AccountId, worker: Worker) {
        let before = Workers::<T>::get(who);
        if let Some(before) = &before {
            Self::unshelve_worker(before);
        }
        Self::end_search(who);
        Self::update_verifier(who, before.as_ref(), Some(&worker));
        Workers::<T>::insert(who, worker);
        Self::deposit_event(Event::WorkerPaused { worker: who.clone() });
    }

    pub(crate) fn do_resume(who: T::AccountId) -> DispatchResult {
        let mut worker = Workers::<T>::get(&who).ok_or(Error::<T>::NotAWorker)?;
        ensure!(worker.paused, Error::<T>::NotPaused);
        ensure!(Self::now() >= worker.rests_until, Error::<T>::StillResting);
        // A worker without a stake could let jobs time out for nothing.
        let missing = T::WorkerBond::get().saturating_sub(worker.bond);
        T::Currency::hold(&HoldReason::WorkerBond.into(), &who, missing)?;
        worker.bond = worker.bond.checked_add(missing).ok_or(Error::<T>::Overflow)?;
        worker.paused = false;
        worker.rests_until = 0;
        worker.place = Self::next_place()?;
        Self::deposit_event(Event::WorkerResumed { worker: who.clone() });
        Self::place_worker(who, worker)
    }

    pub(crate) fn do_deregister_worker(who: T::AccountId) -> DispatchResult {
        let worker = Workers::<T>::get(&who).ok_or(Error::<T>::NotAWorker)?;
        ensure!(worker.job.is_none(), Error::<T>::WorkerHasJob);
        ensure!(worker.open_results == 0, Error::<T>::WorkerHasOpenResults);
        ensure!(!Duties::<T>::contains_key(&who), Error::<T>::WorkerIsDrawn);
        // Or it would register anew and go on declining.
        ensure!(Self::now() >= worker.rests_until, Error::<T>::StillResting);
        // Or a bond would do its work for as many accounts in turn as somebody likes.
        ensure!(Self::now() >= LeavesFrom::<T>::get(&who), Error::<T>::StillBonded);
        LeavesFrom::<T>::remove(&who);
        Contradicted::<T>::remove(&who);
        Self::end_search(&who);
        Self::forget_newcomer(&who);
        Self::unshelve_worker(&worker);
        Self::update_verifier(&who, Some(&worker), None);
        let bond = worker.bond;
        T::Currency::release(&HoldReason::WorkerBond.into(), &who, bond, Precision::Exact)?;
        Workers::<T>::remove(&who);
        Self::deposit_event(Event::WorkerDeregistered { worker: who, bond });
        Ok(())
    }

    /// Notes that a worker had a job or was drawn: its bond stays for some time.
    pub(crate) fn note_served(who: &T::AccountId) {
        if Workers::<T>::contains_key(who) {
            LeavesFrom::<T>::insert(who, Self::now().saturating_add(T::WorkerNotice::get()));
        }
    }

    /// Takes a worker's job from it, lets `change` note why, and offers it to the market again unless
    /// it is paused. The job must be stored as it is now.
    pub(crate) fn free_worker(
        who: &T::AccountId,
        change: impl FnOnce(&mut Worker) -> Result<(), Error<T>>,
    ) -> DispatchResult {
        let mut worker = Workers::<T>::get(who).ok_or(Error::<T>::NotAWorker)?;
        worker.job = None;
        Self::note_served(who);
        change(&mut worker)?;
        Self::place_worker(who.clone(), worker)
    }

    /// Stores a worker that stands on no shelf; an idle one gets the best job that waits for it, or
    /// goes on its shelves.
    fn place_worker(who: T::AccountId, mut worker: Worker) -> DispatchResult {
        Self::update_verifier(&who, Workers::<T>::get(&who).as_ref(), Some(&worker));
        Self::end_search(&who);
        if !worker.is_idle() {
            Workers::<T>::insert(&who, worker);
            return Ok(());
        }
        Self::apply_raise(&mut worker)?;
        let looked = Self::job_for(&who, &worker, None, &mut 0);
        if let Looked::Found(id) = looked {
            let mut job = Jobs::<T>::get(id).ok_or(Error::<T>::UnknownJob)?;
            Self::unshelve_job(id, &job);
            Self::assign(id, &mut job, who, worker)?;
            Jobs::<T>::insert(id, job);
            return Ok(());
        }
        if let Looked::Behind(key) = looked {
            Self::search_on(&who, key)?;
        }
        Self::shelve_worker(&who, &worker);
        Workers::<T>::insert(&who, worker);
        Ok(())
    }

    /// What a worker opts in to, checked.
    fn opt_in(offer: &WorkerOffer) -> Result<OptIn, Error<T>> {
        ensure_kinds::<T>(&offer.kinds)?;
        ensure_endpoint::<T>(&offer.endpoint)?;
        let models = match &offer.serves {
            Serves::UpTo(bytes) => return Ok(OptIn::UpTo(*bytes)),
            Serves::Models(models) => models,
        };
        let mut known = Vec::with_capacity(models.len());
        for (n, base) in models.iter().enumerate() {
            ensure!(!models.iter().take(n).any(|other| other == base), Error::<T>::RepeatedModel);
            let model = BaseModels::<T>::get(base).ok_or(Error::<T>::UnknownBaseModel)?;
            known.push((*base, model.family));
        }
        Ok(OptIn::Models(refill(known)))
    }
}

fn ensure_kinds<T: Config>(kinds: &Kinds) -> Result<(), Error<T>> {
    ensure!(!kinds.is_empty(), Error::<T>::NoKinds);
    for (n, kind) in kinds.iter().enumerate() {
        ensure!(!kinds.iter().take(n).any(|other| other == kind), Error::<T>::RepeatedKind);
    }
    Ok(())
}
