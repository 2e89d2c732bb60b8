//! Commitments, reveals, and what they say together.

use super::draws::RecordOf;
use crate::{Config, DrawOf, Draws, Error, Event, Pallet, Reveals};
use alloc::vec::Vec;
use frame_support::traits::Get;
use openledger_primitives::{
    committee::{
        settle::missed, DrawId, End, FileState, Opinions, Outcome, Phase, Progress, Purpose,
    },
    traits::Sessions,
    Salt,
};
use sp_core::H256;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_commit(who: T::AccountId, id: DrawId, commitment: H256) -> DispatchResult {
        let mut record = Draws::<T>::get(id).ok_or(Error::<T>::UnknownDraw)?;
        let (now, lengths) = (Self::now(), T::Lengths::get());
        record.draw.commit(&who, now, commitment, &lengths).map_err(Error::<T>::from)?;
        Self::deposit_event(Event::Committed { draw: id, account: who });
        if let Phase::Revealing { by } = record.draw.phase {
            Self::set_due(id, &mut record, Some(by.saturating_add(1)));
            Self::deposit_event(Event::RevealsOpened { draw: id, reveal_by: by });
        }
        Draws::<T>::insert(id, record);
        Ok(())
    }

    pub(crate) fn do_reveal(
        who: T::AccountId,
        id: DrawId,
        opinions: Opinions,
        salt: Salt,
    ) -> DispatchResult {
        let mut record = Draws::<T>::get(id).ok_or(Error::<T>::UnknownDraw)?;
        let now = Self::now();
        record.draw.reveal(id, &who, now, &opinions, &salt).map_err(Error::<T>::from)?;
        Reveals::<T>::insert(id, &who, opinions);
        if record.draw.is_ready(now) {
            Self::set_due(id, &mut record, Some(now));
        }
        Draws::<T>::insert(id, record);
        Self::deposit_event(Event::Revealed { draw: id, account: who });
        Ok(())
    }

    /// The time to commit has passed, and enough did.
    pub(crate) fn open_reveals(id: DrawId, mut record: RecordOf<T>) -> DispatchResult {
        let lengths = T::Lengths::get();
        record.draw.open_reveals(Self::now(), &lengths).map_err(Error::<T>::from)?;
        let reveal_by = record.draw.due().ok_or(Error::<T>::Inconsistent)?;
        Self::set_due(id, &mut record, Some(reveal_by.saturating_add(1)));
        Draws::<T>::insert(id, record);
        Self::deposit_event(Event::RevealsOpened { draw: id, reveal_by });
        Ok(())
    }

    /// Counts a committee's votes, charges who is absent, and asks another committee where there is no
    /// verdict. What else ends is settled file by file.
    pub(crate) fn decide(id: DrawId, mut record: RecordOf<T>) -> DispatchResult {
        let (rules, lengths) = (T::Rules::get(), T::Lengths::get());
        // A call's words are kept until nobody can challenge them any more: who is contradicted is seen by its own.
        let last = matches!(record.draw.purpose, Purpose::Challenge { .. });
        let vote = |account: &T::AccountId| match last {
            true => Reveals::<T>::take(id, account),
            false => Reveals::<T>::get(id, account),
        };
        let members = record.draw.members.iter();
        let votes: Vec<Option<Opinions>> = members
            .map(|one| match one.progress {
                Progress::Revealed => vote(&one.account),
                _ => None,
            })
            .collect();
        let absent =
            record.draw.decide(Self::now(), &votes, &rules, &lengths).map_err(Error::<T>::from)?;
        let treasury = T::Treasury::get();
        for place in absent {
            let Some(member) = record.draw.members.get(place) else { continue };
            let account = member.account.clone();
            let held = Self::held(record.pool, &account);
            let amount = missed(record.draw.files.len(), held, &rules);
            Self::lose(id, record.pool, &account, &treasury, amount)?;
        }
        if record.draw.purpose.is_call() {
            Self::ask_again(id, &mut record)?;
        }
        let judged = |state: &FileState| matches!(state, FileState::Judged(_));
        let verdicts = record.draw.files.iter().filter(|file| judged(&file.state)).count() as u32;
        let challenge_by = record.draw.due();
        Self::deposit_event(Event::DrawDecided { draw: id, verdicts, challenge_by });
        Self::go_on(id, record);
        Ok(())
    }

    /// Opens another draw for the files that this one found nothing of, where another is left to ask.
    fn ask_again(id: DrawId, record: &mut RecordOf<T>) -> DispatchResult {
        let Some(again) = record.draw.asked_again(T::Sessions::current()) else { return Ok(()) };
        let mut ended: Vec<(usize, u64, Outcome)> = Vec::new();
        for (place, file) in record.draw.files.iter().enumerate() {
            if let FileState::Over(outcome) = file.state {
                if outcome.end() == End::Again {
                    ended.push((place, file.submission, outcome));
                }
            }
        }
        for (place, submission, outcome) in ended {
            Self::mark_settled(record, place);
            DrawOf::<T>::remove(submission);
            Self::deposit_event(Event::FileEnded { draw: id, submission, outcome });
        }
        // What was set aside for these files goes with them.
        Self::enter_draw(record.datanet, record.pool, record.reserve, 0, again).map(drop)
    }
}
