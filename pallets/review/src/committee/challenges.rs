//! Challenges, and what the larger committee's word changes.

use super::{draws::RecordOf, settlement::word};
use crate::{Config, Draws, Error, Event, HoldReason, NextDraw, Pallet};
use frame_support::traits::{fungible::hold::Mutate as _, Get};
use openledger_primitives::{
    committee::{DrawId, End, FileState, Purpose},
    traits::Sessions,
};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_challenge(who: T::AccountId, id: DrawId, file: u8) -> DispatchResult {
        let mut record = Draws::<T>::get(id).ok_or(Error::<T>::UnknownDraw)?;
        let by = NextDraw::<T>::get();
        let (now, session) = (Self::now(), T::Sessions::current());
        let larger =
            record.draw.challenge(id, file, &who, now, session, by).map_err(Error::<T>::from)?;
        let submission =
            larger.files.first().map(|file| file.submission).ok_or(Error::<T>::Inconsistent)?;
        let bond = T::Rules::get().bond;
        T::Currency::hold(&HoldReason::Challenge.into(), &who, bond)?;
        let (datanet, pool) = (record.datanet, record.pool);
        Draws::<T>::insert(id, record);
        Self::enter_draw(datanet, pool, 0, bond, larger)?;
        Self::deposit_event(Event::Challenged { draw: id, submission, challenger: who, by });
        Ok(())
    }

    /// The draw of a challenge is over: its word settles the file that it was asked about.
    pub(crate) fn resolve(by: DrawId, larger: RecordOf<T>) -> DispatchResult {
        let Purpose::Challenge { draw: id, file } = larger.draw.purpose else {
            return Err(Error::<T>::Inconsistent.into());
        };
        let place = usize::from(file);
        let mut record = Draws::<T>::get(id).ok_or(Error::<T>::Inconsistent)?;
        let state = record.draw.files.get(place).map(|file| &file.state);
        let Some(FileState::Challenged { verdict, .. }) = state else {
            return Err(Error::<T>::Inconsistent.into());
        };
        let verdict = *verdict;
        let outcome = record
            .draw
            .resolve(file, by, &larger.draw, &T::Rules::get(), record.global)
            .map_err(Error::<T>::from)?;
        // Why a file is refused, and how it is measured anew, the larger committee says if it says anything.
        let last = match outcome.end() {
            End::Nothing | End::Again => None,
            End::Leaf => Some(verdict),
            End::LeafOfChallenge | End::Refusal => word::<T>(&larger).or(Some(verdict)),
        };
        Self::settle_file(id, &mut record, place, outcome, last, Some(&larger))?;
        Self::finish(by, larger);
        Self::go_on(id, record);
        Ok(())
    }
}
