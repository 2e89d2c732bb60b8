//! Disputes: what their calls do, and what is due of them at the start of a block.
//!
//! Money moves when a dispute is settled, and only then: from the bond of whoever was wrong to the
//! workers who found so.

mod verifiers;

pub(crate) use verifiers::{serves_sets, verifier_sets};
pub use verifiers::{ADMITTED, DRAW_TRIES};

use crate::{
    block_impls::Done, impls::JobOf, Config, DisputeOf, Disputes, Duties, Error, Event, HoldReason,
    Jobs, Pallet, Workers,
};
use alloc::vec::Vec;
use frame_support::{
    pallet_prelude::*,
    storage::with_storage_layer,
    traits::{
        fungible::hold::Mutate,
        tokens::{Fortitude, Precision, Restriction},
    },
};
use openledger_primitives::{
    job::{
        dispute::{Dispute, Finding, Outcome, Settlement},
        Assignment,
    },
    Balance, BlockNumber, JobId, Salt,
};
use sp_core::H256;

/// Most open disputes that a worker is drawn for at a time. Who has so many is passed over.
pub const MAX_DUTIES: u32 = 8;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_dispute(who: T::AccountId, id: JobId) -> DispatchResult {
        let mut job = Jobs::<T>::get(id).ok_or(Error::<T>::UnknownJob)?;
        let now = Self::now();
        job.dispute(now).map_err(Error::<T>::from)?;
        // Nobody uses up the owner's own dispute, nor two accounts the time in which it is paid.
        let before = Disputes::<T>::get(id);
        ensure!(before.is_none() || who == job.owner, Error::<T>::DisputedBefore);
        ensure!(Self::can_draw(&job, &who), Error::<T>::TooFewVerifiers);
        let bond = T::DisputeBond::get();
        T::Currency::hold(&HoldReason::DisputeBond.into(), &who, bond)?;
        let dispute = Dispute::open(who.clone(), bond, now);
        let draw_at = dispute.draw_at;
        Self::store_dispute(id, dispute, &job);
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::JobDisputed { job: id, disputer: who, bond, draw_at });
        Ok(())
    }

    pub(crate) fn do_commit_finding(
        who: T::AccountId,
        id: JobId,
        commitment: H256,
    ) -> DispatchResult {
        let (job, mut dispute) = Self::open_dispute(id)?;
        dispute
            .commit(&who, commitment, Self::now(), &Self::dispute_windows())
            .map_err(Error::<T>::from)?;
        Self::store_dispute(id, dispute, &job);
        Self::deposit_event(Event::FindingCommitted { job: id, worker: who });
        Ok(())
    }

    pub(crate) fn do_reveal_finding(
        who: T::AccountId,
        id: JobId,
        finding: Finding,
        salt: Salt,
    ) -> DispatchResult {
        let (job, mut dispute) = Self::open_dispute(id)?;
        dispute.reveal(id, &who, finding, &salt, Self::now()).map_err(Error::<T>::from)?;
        Self::store_dispute(id, dispute, &job);
        Self::deposit_event(Event::FindingRevealed { job: id, worker: who, finding });
        Ok(())
    }

    fn open_dispute(id: JobId) -> Result<(JobOf<T>, DisputeOf<T>), Error<T>> {
        let job = Jobs::<T>::get(id).ok_or(Error::<T>::UnknownJob)?;
        let dispute = Disputes::<T>::get(id).ok_or(Error::<T>::NotInDispute)?;
        Ok((job, dispute))
    }

    /// Stores an open dispute and enters its job where it is due.
    fn store_dispute(id: JobId, dispute: DisputeOf<T>, job: &JobOf<T>) {
        Disputes::<T>::insert(id, dispute);
        Self::enter_agenda(id, job);
    }

    /// Does what is due for a dispute: draws workers, or settles it.
    pub(crate) fn judge(
        id: JobId,
        job: JobOf<T>,
        now: BlockNumber,
        done: &mut Done,
    ) -> DispatchResult {
        let mut dispute = Disputes::<T>::get(id).ok_or(Error::<T>::NotInDispute)?;
        if dispute.due().is_none_or(|due| now < due) {
            done.moved = done.moved.saturating_add(1);
            Self::enter_agenda(id, &job);
            return Ok(());
        }
        if !dispute.is_drawn() {
            done.drawn = done.drawn.saturating_add(1);
            let workers = Self::draw_verifiers(id, &job, &dispute.disputer);
            dispute.draw(workers, now, &Self::dispute_windows()).map_err(Error::<T>::from)?;
            // Whoever keeps those who could judge busy with disputes of its own must not use this one up.
            if !dispute.is_drawn() && Self::can_draw(&job, &dispute.disputer) {
                let until = dispute.draw_again(now);
                Self::store_dispute(id, dispute, &job);
                Self::deposit_event(Event::JobDelayed { job: id, until });
                return Ok(());
            }
        }
        if dispute.due().is_some_and(|due| now < due) {
            let workers = Self::drawn(&dispute);
            for worker in &workers {
                // Whoever has no room was not drawn.
                let _ = Duties::<T>::try_append(worker, id);
            }
            let commit_by = dispute.commit_by;
            Self::store_dispute(id, dispute, &job);
            Self::deposit_event(Event::VerifiersDrawn { job: id, workers, commit_by });
            return Ok(());
        }
        done.settled = done.settled.saturating_add(1);
        Self::settle(id, job, dispute, now)
    }

    /// Ends a dispute: pays those who were right, and the worker or the owner.
    fn settle(
        id: JobId,
        mut job: JobOf<T>,
        mut dispute: DisputeOf<T>,
        now: BlockNumber,
    ) -> DispatchResult {
        let Settlement { outcome, paid, absent } = dispute.settle(now).map_err(Error::<T>::from)?;
        let again = now.saturating_add(T::ChallengeWindow::get());
        let again = (dispute.disputer != job.owner).then_some(again);
        let (assignment, result) = job.settle(outcome, again, now).map_err(Error::<T>::from)?;
        for worker in Self::drawn(&dispute) {
            Self::note_served(&worker);
            Duties::<T>::mutate_exists(&worker, |duties| {
                if let Some(list) = duties {
                    list.retain(|duty| *duty != id);
                    if list.is_empty() {
                        *duties = None;
                    }
                }
            });
        }
        let (bond, fee) = (dispute.bond, dispute.fee());
        let reason = HoldReason::DisputeBond;
        let (penalty, lost) = match outcome {
            Outcome::Upheld => (Self::refute(id, &assignment, &dispute, &paid)?, 0),
            Outcome::Rejected => {
                let fees = Self::pay_verifiers(id, reason, &dispute.disputer, fee, &paid);
                let rest = bond.saturating_sub(fees);
                (0, fees.saturating_add(Self::forfeit(reason, &dispute.disputer, rest)))
            }
            Outcome::NoQuorum => {
                (0, Self::pay_verifiers(id, reason, &dispute.disputer, fee, &paid))
            }
        };
        let returned = bond.saturating_sub(lost);
        let disputer = dispute.disputer.clone();
        T::Currency::release(&reason.into(), &disputer, returned, Precision::Exact)?;
        // One that does not answer is drawn no more until it says that it is back.
        for worker in absent {
            if let Some(mut record) = Workers::<T>::get(&worker).filter(|worker| !worker.paused) {
                record.paused = true;
                Self::pause_worker(&worker, record);
            }
        }
        Disputes::<T>::insert(id, dispute);
        let worker = assignment.worker.clone();
        Self::deposit_event(Event::DisputeSettled { job: id, worker, outcome, penalty, returned });
        match outcome {
            Outcome::Upheld => Self::go_on(id, job),
            Outcome::Rejected | Outcome::NoQuorum if again.is_some() => {
                Self::enter_agenda(id, &job);
                Jobs::<T>::insert(id, job);
                Ok(())
            }
            Outcome::Rejected | Outcome::NoQuorum => {
                Self::pay_out(id, job, assignment, result, now)
            }
        }
    }

    /// Takes the job from the worker whose result was wrong. Returns what it lost.
    fn refute(
        id: JobId,
        assignment: &Assignment<T::AccountId>,
        dispute: &DisputeOf<T>,
        paid: &[T::AccountId],
    ) -> Result<Balance, DispatchError> {
        let who = &assignment.worker;
        let mut worker = Workers::<T>::get(who).ok_or(Error::<T>::NotAWorker)?;
        let penalty = dispute.loss(T::PenaltyShare::get().mul_ceil(assignment.price), worker.bond);
        let fee = dispute.fee_out_of(penalty);
        let fees = Self::pay_verifiers(id, HoldReason::WorkerBond, who, fee, paid);
        let rest = Self::forfeit(HoldReason::WorkerBond, who, penalty.saturating_sub(fees));
        let lost = fees.saturating_add(rest);
        Self::unshelve_worker(&worker);
        let before = worker.clone();
        worker.bond = worker.bond.saturating_sub(lost);
        worker.paused = true;
        worker.lost = worker.lost.saturating_add(1);
        worker.open_results = worker.open_results.saturating_sub(1);
        Self::update_verifier(who, Some(&before), Some(&worker));
        Workers::<T>::insert(who, worker);
        Ok(lost)
    }

    /// Pays each of them a fee out of what is held of `payer`. Returns how much in all.
    fn pay_verifiers(
        id: JobId,
        reason: HoldReason,
        payer: &T::AccountId,
        fee: Balance,
        verifiers: &[T::AccountId],
    ) -> Balance {
        let mut sum: Balance = 0;
        for worker in verifiers.iter().filter(|_| fee > 0) {
            // Only an account that cannot exist makes this fail; then nobody else waits for it.
            let paid = with_storage_layer(|| {
                T::Currency::transfer_on_hold(
                    &reason.into(),
                    payer,
                    worker,
                    fee,
                    Precision::Exact,
                    Restriction::Free,
                    Fortitude::Force,
                )
            });
            if let Ok(amount) = paid {
                sum = sum.saturating_add(amount);
                let worker = worker.clone();
                Self::deposit_event(Event::VerifierPaid { job: id, worker, pay: amount });
            }
        }
        sum
    }

    fn drawn(dispute: &DisputeOf<T>) -> Vec<T::AccountId> {
        dispute.drawn.iter().map(|verifier| verifier.worker.clone()).collect()
    }
}
