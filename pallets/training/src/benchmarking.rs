//! What the calls and the work at the start of a block cost, measured: workers stand on as many shelves as they can,
//! and whoever looks for somebody passes over as many as it may.

// What is set up is small, and what goes wrong here stops a benchmark and no chain.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

mod setup;

use super::*;
use alloc::{vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{traits::Get, BoundedVec};
use frame_system::RawOrigin;
use openledger_primitives::{
    job::{dispute::Finding, DeclineReason, Refused, MAX_DATASETS, MAX_REFUSED},
    market::MAX_MODELS,
    Adapter, Job, JobId, JobKind, JobState, Method, ModelFamily, RateClass, TrainingSpec, OPEN,
};
use setup::*;
use sp_core::H256;
use sp_runtime::DispatchError;

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register_base_model() {
        let who = rich::<T>("registrar", 0);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), ModelFamily::Llama, text(), files(), text());
    }

    /// It looks for a job, finds none in one go, and stands on all its shelves.
    #[benchmark]
    fn register_worker(k: Linear<1, { JobKind::COUNT }>) -> Result<(), BenchmarkError> {
        let who = rich::<T>("new", 0);
        let serves = serves::<T>();
        declined_jobs::<T>(&who)?;
        let kinds = kinds(k.max(KINDS));
        #[extrinsic_call]
        _(RawOrigin::Signed(who), kinds, 1, text(), serves, 1_000_000);
        Ok(())
    }

    /// Its shelves and its sets of verifiers are others than before.
    #[benchmark]
    fn update_worker(k: Linear<1, { JobKind::COUNT }>) -> Result<(), BenchmarkError> {
        let serves = serves::<T>();
        let who = worker_of::<T>(0, false, 100)?;
        worker_of::<T>(1, false, 100)?;
        declined_jobs::<T>(&who)?;
        let kinds = kinds(k.max(KINDS));
        #[extrinsic_call]
        _(RawOrigin::Signed(who), kinds, 1, text(), serves, 1_000_000);
        Ok(())
    }

    #[benchmark]
    fn pause() -> Result<(), BenchmarkError> {
        models::<T>();
        let who = worker::<T>(0, false)?;
        worker::<T>(1, false)?;
        search_from::<T>(&who, 1, 1)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(who));
        Ok(())
    }

    #[benchmark]
    fn resume() -> Result<(), BenchmarkError> {
        models::<T>();
        let who = worker::<T>(0, true)?;
        declined_jobs::<T>(&who)?;
        Workers::<T>::mutate(&who, |worker| {
            if let Some(worker) = worker {
                worker.bond = worker.bond.saturating_sub(OPEN);
            }
        });
        #[extrinsic_call]
        _(RawOrigin::Signed(who));
        Ok(())
    }

    #[benchmark]
    fn deregister_worker() -> Result<(), BenchmarkError> {
        models::<T>();
        let who = worker::<T>(0, false)?;
        worker::<T>(1, false)?;
        search_from::<T>(&who, 1, 1)?;
        Pallet::<T>::note_newcomer(&who).map_err(DispatchError::from)?;
        LeavesFrom::<T>::insert(&who, 1);
        Workers::<T>::mutate(&who, |worker| {
            if let Some(worker) = worker {
                worker.open_results = 0;
            }
        });
        #[extrinsic_call]
        _(RawOrigin::Signed(who));
        Ok(())
    }

    #[benchmark]
    fn create_job(d: Linear<1, MAX_DATASETS>) -> Result<(), BenchmarkError> {
        models::<T>();
        worker::<T>(0, false)?;
        worker::<T>(1, false)?;
        let owner = rich::<T>("owner", 0);
        let datasets = datasets::<T>(d);
        let spec = TrainingSpec::default();
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), 0, datasets, spec, TOKENS, PRICE, DEADLINE);
        Ok(())
    }

    #[benchmark]
    fn refine_adapter(d: Linear<1, MAX_DATASETS>) -> Result<(), BenchmarkError> {
        models::<T>();
        worker::<T>(0, false)?;
        worker::<T>(1, false)?;
        let parent = job::<T>(7)?;
        let adapter = Adapter {
            owner: parent.owner.clone(),
            worker: parent.owner.clone(),
            base: 0,
            datasets: parent.datasets.clone(),
            result: result::<T>(&parent),
            registered_at: 1,
        };
        Adapters::<T>::insert(7, adapter);
        Jobs::<T>::insert(7, parent);
        let owner = rich::<T>("owner", 0);
        let datasets = datasets::<T>(d);
        let spec = TrainingSpec::default();
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), 7, 0, datasets, spec, TOKENS, PRICE, DEADLINE);
        Ok(())
    }

    /// Its worker is paid for what it has done, and looks for another job.
    #[benchmark]
    fn cancel_job() -> Result<(), BenchmarkError> {
        let who = given::<T>(1, 0, Life::Training)?;
        refuse::<T>(1)?;
        declined_jobs::<T>(&who)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(owner_of::<T>(1)), 1);
        Ok(())
    }

    #[benchmark]
    fn take() -> Result<(), BenchmarkError> {
        let who = given::<T>(1, 0, Life::Assigned)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(who), 1);
        Ok(())
    }

    #[benchmark]
    fn heartbeat() -> Result<(), BenchmarkError> {
        let who = given::<T>(1, 0, Life::Training)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(who), 1, 5, 10);
        Ok(())
    }

    /// As many as may be have declined it and were wrong.
    #[benchmark]
    fn submit_result() -> Result<(), BenchmarkError> {
        let who = given::<T>(1, 0, Life::Training)?;
        refuse::<T>(1)?;
        declined_jobs::<T>(&who)?;
        let job = Jobs::<T>::get(1).ok_or(BenchmarkError::Stop("there is no job"))?;
        let result = result::<T>(&job);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), 1, result);
        Ok(())
    }

    /// Many declined it, but not most of those who could say so: it passes over all of them, and finds another one.
    #[benchmark]
    fn decline() -> Result<(), BenchmarkError> {
        let who = given::<T>(1, 0, Life::Assigned)?;
        refuse::<T>(1)?;
        for n in 0..2 * MAX_REFUSED {
            worker::<T>(2_000 + n, false)?;
        }
        declined_jobs::<T>(&who)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(who), 1, DeclineReason::Unusable);
        Ok(())
    }

    /// It passes over all that declined it, and finds one.
    #[benchmark]
    fn raise_price() -> Result<(), BenchmarkError> {
        models::<T>();
        queued::<T>(1)?;
        refuse::<T>(1)?;
        worker::<T>(2_000, false)?;
        worker::<T>(2_001, false)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(owner_of::<T>(1)), 1, PRICE * 2);
        Ok(())
    }

    #[benchmark]
    fn extend_deadline() -> Result<(), BenchmarkError> {
        models::<T>();
        queued::<T>(1)?;
        refuse::<T>(1)?;
        worker::<T>(2_000, false)?;
        worker::<T>(2_001, false)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(owner_of::<T>(1)), 1, DEADLINE + 1);
        Ok(())
    }

    #[benchmark]
    fn prune_job() -> Result<(), BenchmarkError> {
        models::<T>();
        let mut job = job::<T>(1)?;
        job.state = JobState::Cancelled;
        Jobs::<T>::insert(1, job);
        BaseModels::<T>::mutate(0, |model| {
            if let Some(model) = model {
                (model.retired, model.jobs) = (true, 1);
            }
        });
        #[extrinsic_call]
        _(RawOrigin::Signed(owner_of::<T>(1)), 1);
        Ok(())
    }

    #[benchmark]
    fn retire_base_model() -> Result<(), BenchmarkError> {
        models::<T>();
        let who: T::AccountId = account("registrar", 0, 0);
        let deposit = T::BaseModelDeposit::get();
        hold::<T>(HoldReason::BaseModelDeposit, &who, deposit)?;
        BaseModels::<T>::mutate(0, |model| {
            if let Some(model) = model {
                model.deposit = deposit;
            }
        });
        #[extrinsic_call]
        _(RawOrigin::Signed(who), 0);
        Ok(())
    }

    #[benchmark]
    fn dispute() -> Result<(), BenchmarkError> {
        given::<T>(1, 0, Life::Submitted)?;
        for n in 1..9 {
            worker::<T>(n, false)?;
        }
        let who = worker::<T>(9, false)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(who), 1);
        Ok(())
    }

    /// The last one, which lets findings be shown.
    #[benchmark]
    fn commit_finding() -> Result<(), BenchmarkError> {
        let mut drawn = disputed::<T>(1)?;
        let who = drawn.pop().ok_or(BenchmarkError::Stop("nobody was drawn"))?;
        for other in drawn {
            Pallet::<T>::do_commit_finding(other, 1, H256::zero())?;
        }
        #[extrinsic_call]
        _(RawOrigin::Signed(who), 1, H256::repeat_byte(1));
        Ok(())
    }

    /// The last one.
    #[benchmark]
    fn reveal_finding() -> Result<(), BenchmarkError> {
        let mut drawn = disputed::<T>(1)?;
        let who = drawn.pop().ok_or(BenchmarkError::Stop("nobody was drawn"))?;
        found::<T>(1, Finding::Holds);
        Pallet::<T>::leave_agenda(1);
        Disputes::<T>::mutate(1, |record| {
            if let Some(open) = record {
                open.reveal_by = NOW.saturating_add(10);
            }
        });
        #[extrinsic_call]
        _(RawOrigin::Signed(who), 1, Finding::Holds, SALT);
        Ok(())
    }

    /// The start of a block in which nothing is due.
    #[benchmark]
    fn begin_block_idle() {
        idle::<T>();
        #[block]
        {
            Pallet::<T>::begin_block();
        }
    }

    #[benchmark]
    fn pay(p: Linear<0, 64>) -> Result<(), BenchmarkError> {
        idle::<T>();
        for n in 0..p {
            let id = JobId::from(n + 1);
            given::<T>(id, n, Life::Submitted)?;
            Jobs::<T>::mutate(id, |job| {
                if let Some(Job { state: JobState::Submitted { completes_at, .. }, .. }) = job {
                    *completes_at = NOW;
                }
            });
            due_now::<T>(id);
        }
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        assert_eq!(Adapters::<T>::iter_keys().count(), p as usize);
        Ok(())
    }

    /// Each of them is offered anew and passes over who declined it; its worker is paused.
    #[benchmark]
    fn time_out(t: Linear<0, 32>) -> Result<(), BenchmarkError> {
        models::<T>();
        idle::<T>();
        let refused = BoundedVec::truncate_from(refusers::<T>()?);
        for n in 0..t {
            let id = JobId::from(n + 1);
            given::<T>(id, n, Life::Training)?;
            worker::<T>(2_000 + n, false)?;
            Jobs::<T>::mutate(id, |job| {
                if let Some(job) = job {
                    job.refused = refused.clone();
                    if let JobState::Training { heartbeat_by, .. } = &mut job.state {
                        *heartbeat_by = NOW.saturating_sub(1);
                    }
                }
            });
            due_now::<T>(id);
        }
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        Ok(())
    }

    /// Each of them goes to the shelves of faster workers.
    #[benchmark]
    fn move_on(m: Linear<0, 32>) -> Result<(), BenchmarkError> {
        models::<T>();
        idle::<T>();
        for n in 0..m {
            let id = JobId::from(n + 1);
            queued::<T>(id)?;
            due_now::<T>(id);
        }
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        Ok(())
    }

    /// Nobody could be drawn but the last of those looked at.
    #[benchmark]
    fn draw_verifiers(d: Linear<0, 8>) -> Result<(), BenchmarkError> {
        idle::<T>();
        let duties =
            BoundedVec::truncate_from((0..u64::from(MAX_DUTIES)).map(|n| 500 + n).collect());
        for n in 0..d {
            let id = JobId::from(n + 1);
            disputed::<T>(id)?;
            Disputes::<T>::mutate(id, |record| {
                if let Some(open) = record {
                    open.drawn = Default::default();
                }
            });
            due_now::<T>(id);
        }
        // All but a few are drawn for as much as they may be.
        for (n, who) in Workers::<T>::iter_keys().enumerate().collect::<Vec<_>>() {
            Duties::<T>::remove(&who);
            if n % 4 != 0 {
                Duties::<T>::insert(&who, &duties);
            }
        }
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        Ok(())
    }

    /// Two found that the result is wrong, the third says nothing: all are paid, lose, or are paused.
    #[benchmark]
    fn settle_dispute(s: Linear<0, 8>) -> Result<(), BenchmarkError> {
        idle::<T>();
        for n in 0..s {
            let id = JobId::from(n + 1);
            disputed::<T>(id)?;
            found::<T>(id, Finding::DoesNotLoad);
        }
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        Ok(())
    }

    /// The same, but that the result holds, and its worker is paid.
    #[benchmark]
    fn settle_upheld(s: Linear<0, 8>) -> Result<(), BenchmarkError> {
        idle::<T>();
        for n in 0..s {
            let id = JobId::from(n + 1);
            disputed::<T>(id)?;
            found::<T>(id, Finding::Holds);
            // Of the owner's own dispute nothing is waited for any more.
            let owner = owner_of::<T>(id);
            hold::<T>(HoldReason::DisputeBond, &owner, T::DisputeBond::get())?;
            Disputes::<T>::mutate(id, |record| {
                if let Some(open) = record {
                    open.disputer = owner.clone();
                }
            });
        }
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        Ok(())
    }

    #[benchmark]
    fn admit_newcomers(w: Linear<0, ADMITTED>) -> Result<(), BenchmarkError> {
        models::<T>();
        for n in 0..w {
            let who = worker::<T>(n, false)?;
            let worker = Workers::<T>::get(&who);
            Pallet::<T>::update_verifier(&who, worker.as_ref(), None);
            let place = Pallet::<T>::next_place().map_err(DispatchError::from)?;
            NewcomerPlace::<T>::insert(&who, place);
            Newcomers::<T>::insert(SequenceKey::from(place), (who, NOW));
        }
        idle::<T>();
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        assert_eq!(Newcomers::<T>::iter_keys().count(), 0);
        Ok(())
    }

    /// Each passes over as many jobs as in one go, of a base model that no other one serves.
    #[benchmark]
    fn go_on_searching(s: Linear<0, SEARCHES>) -> Result<(), BenchmarkError> {
        models::<T>();
        for n in 0..s {
            let base = n * MAX_MODELS;
            let who = worker_of::<T>(n, false, base)?;
            let refused = vec![Refused { worker: who.clone(), reason: None }];
            for at in 0..=JOBS_TRIED + 1 {
                let id = JobId::from(n * 1_000 + at + 1);
                let mut job = job::<T>(id)?;
                job.base = base;
                job.refused = BoundedVec::truncate_from(refused.clone());
                Pallet::<T>::shelve_job(id, &job, RateClass::default());
                Jobs::<T>::insert(id, job);
            }
            search_from::<T>(&who, PRICE, u64::from(n * 1_000 + 1))?;
        }
        idle::<T>();
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        Ok(())
    }

    /// One looks for its place on so many shelves, behind which nothing stands.
    #[benchmark]
    fn seek(h: Linear<0, 256>) -> Result<(), BenchmarkError> {
        models::<T>();
        let who = worker::<T>(0, false)?;
        let rates: Vec<_> = RateClass::all().collect();
        for n in 0..h {
            let id = JobId::from(n + 1);
            let mut job = job::<T>(id)?;
            job.base = n % MAX_MODELS;
            job.kind.method = Method::ALL[(n / MAX_MODELS % 2) as usize];
            let rate = rates.get((n / MAX_MODELS / 2) as usize).copied().unwrap_or_default();
            Pallet::<T>::shelve_job(id, &job, rate);
            Jobs::<T>::insert(id, job);
        }
        search_from::<T>(&who, PRICE, u64::MAX)?;
        idle::<T>();
        #[block]
        {
            Pallet::<T>::begin_block();
        }
        Ok(())
    }
}
