//! How a file ends: who is paid, who loses, and what becomes of the file.

use super::draws::RecordOf;
use crate::{Config, CurrentExtractor, DrawOf, Draws, Error, Event, HoldReason, Pallet, Reveals};
use alloc::vec::Vec;
use frame_support::{
    traits::{fungible::Mutate, tokens::Preservation, Get},
    BoundedVec,
};
use openledger_primitives::{
    committee::{
        settle,
        settle::{Committee, Purse},
        vote::confirms,
        Draw, DrawId, DrawnFile, End, FileState, Finding, Outcome, Phase, Purpose, Side, Stand,
        Transfer,
    },
    traits::{OnVerdict, Sessions, Submissions},
    Balance, SubmissionId, Verdict,
};
use sp_runtime::DispatchResult;

/// The sides of a committee's members on the file at a place, in their order; `upheld` says of an account whether
/// a larger committee bears out what it said.
fn sides<T: Config>(
    record: &RecordOf<T>,
    place: usize,
    upheld: impl Fn(&T::AccountId) -> bool,
) -> Vec<Side> {
    let Some(file) = record.draw.files.get(place) else { return Vec::new() };
    let members = record.draw.members.iter().zip(&file.stands);
    members
        .map(|(one, stand)| Side {
            stand: *stand,
            held: Pallet::<T>::held(record.pool, &one.account),
            upheld: upheld(&one.account),
        })
        .collect()
}

/// The verdict that a challenge's committee found.
pub(crate) fn word<T: Config>(larger: &RecordOf<T>) -> Option<Verdict> {
    match larger.draw.files.first()?.state {
        FileState::Word(Finding::Verdict { verdict, .. }) => Some(verdict),
        _ => None,
    }
}

/// Members who said what their committee found.
fn agreed<T: Config>(record: &RecordOf<T>, place: usize) -> Vec<T::AccountId> {
    let Some(file) = record.draw.files.get(place) else { return Vec::new() };
    let members = record.draw.members.iter().zip(&file.stands);
    members
        .filter(|(_, stand)| **stand == Stand::Agreed)
        .map(|(one, _)| one.account.clone())
        .collect()
}

/// What is left to do for a draw.
enum Next {
    /// The file at this place is over and its money has not moved.
    Settle(usize, Outcome),
    /// The verdict at this place may be challenged no more.
    Conclude(usize, Verdict),
    /// Verdicts may be challenged until then.
    Wait(openledger_primitives::BlockNumber),
    /// Only challenges are left, or nothing.
    Nothing,
}

impl<T: Config> Pallet<T> {
    fn next(record: &RecordOf<T>) -> Next {
        let mut judged = None;
        for (place, file) in record.draw.files.iter().enumerate() {
            match file.state {
                FileState::Over(outcome) if !Self::is_settled(record, place) => {
                    return Next::Settle(place, outcome);
                }
                FileState::Judged(verdict) => {
                    judged = judged.or(Some((place, verdict)));
                }
                _ => {}
            }
        }
        match (record.draw.phase, judged) {
            (Phase::Judged { until }, Some((place, verdict))) if Self::now() > until => {
                Next::Conclude(place, verdict)
            }
            (Phase::Judged { until }, Some(_)) => Next::Wait(until),
            _ => Next::Nothing,
        }
    }

    pub(crate) fn is_settled(record: &RecordOf<T>, place: usize) -> bool {
        1u32.checked_shl(place as u32).is_some_and(|bit| record.settled & bit != 0)
    }

    pub(crate) fn mark_settled(record: &mut RecordOf<T>, place: usize) {
        record.settled |= 1u32.checked_shl(place as u32).unwrap_or(0);
    }

    /// Keeps a draw with the block in which it is looked at again, or ends it.
    pub(crate) fn go_on(id: DrawId, mut record: RecordOf<T>) {
        let due = match Self::next(&record) {
            Next::Settle(..) | Next::Conclude(..) => Some(Self::now()),
            Next::Wait(until) => Some(until.saturating_add(1)),
            Next::Nothing => None,
        };
        // The word of a challenge is said to the draw that was challenged.
        let challenge = matches!(record.draw.purpose, Purpose::Challenge { .. });
        match (record.draw.phase, due, challenge) {
            (Phase::Over, None, false) => Self::finish(id, record),
            (Phase::Over, _, true) => {
                Self::set_due(id, &mut record, Some(Self::now()));
                Draws::<T>::insert(id, record);
            }
            _ => {
                Self::set_due(id, &mut record, due);
                Draws::<T>::insert(id, record);
            }
        }
    }

    /// Settles one file that is over, or whose verdict may be challenged no more.
    pub(crate) fn settle_next(id: DrawId, mut record: RecordOf<T>) -> DispatchResult {
        match Self::next(&record) {
            Next::Settle(place, outcome) => {
                Self::settle_file(id, &mut record, place, outcome, None, None)?;
            }
            Next::Conclude(place, verdict) => {
                let file = u8::try_from(place).map_err(|_| Error::<T>::Inconsistent)?;
                let outcome = record.draw.conclude(file, Self::now()).map_err(Error::<T>::from)?;
                Self::settle_file(id, &mut record, place, outcome, Some(verdict), None)?;
            }
            Next::Wait(_) | Next::Nothing => {}
        }
        Self::go_on(id, record);
        Ok(())
    }

    /// A draw is over: its members are free of it.
    pub(crate) fn finish(id: DrawId, mut record: RecordOf<T>) {
        Self::set_due(id, &mut record, None);
        for member in &record.draw.members {
            Reveals::<T>::remove(id, &member.account);
            Self::note_finished(record.pool, &member.account, member.generation);
        }
        Draws::<T>::remove(id);
    }

    /// Moves all money of a file that is over, and says what became of it.
    pub(crate) fn settle_file(
        id: DrawId,
        record: &mut RecordOf<T>,
        place: usize,
        outcome: Outcome,
        verdict: Option<Verdict>,
        larger: Option<&RecordOf<T>>,
    ) -> DispatchResult {
        let file = record.draw.files.get(place).cloned().ok_or(Error::<T>::Inconsistent)?;
        let reserve = record.reserve;
        let rules = T::Rules::get();
        // A word of before they were kept for challenges is not to be had, and its member as its committee.
        let last = larger.and_then(word::<T>);
        let upheld = |who: &T::AccountId| {
            let Some(last) = &last else { return false };
            let own = Reveals::<T>::get(id, who).and_then(|words| words.get(place).copied());
            own.is_some_and(|own| confirms(last, &own.verdict, &rules))
        };
        let first = sides::<T>(record, place, upheld);
        let others = larger.map(|larger| sides::<T>(larger, 0, |_| false)).unwrap_or_default();
        let bond = larger.map_or(0, |larger| larger.bond);
        let files = 0..record.draw.files.len();
        let left = files.filter(|one| *one != place && !Self::is_settled(record, *one)).count();
        let mut back: Balance = 0;
        for Transfer { from, to, amount } in
            settle(outcome, &rules, left, reserve, &first, &others, bond)
        {
            if to == Purse::Budget {
                back = back.saturating_add(amount);
            }
            // What was set aside and goes back lies where it was.
            if (from, to) != (Purse::Reserve, Purse::Budget) {
                Self::transfer(id, record, larger, file.submission, from, to, amount)?;
            }
        }
        let (spent, contributor) = (reserve.saturating_sub(back), &record.draw.contributor);
        Self::settle_budget(record.datanet, contributor, reserve, spent)?;
        Self::mark_settled(record, place);
        Self::deposit_event(Event::FileEnded { draw: id, submission: file.submission, outcome });
        let judges = match larger {
            Some(larger) if outcome.end() == End::LeafOfChallenge => agreed::<T>(larger, 0),
            // Where it comes to no verdict, the refusal stands as its committee said.
            Some(larger) if outcome.end() == End::Refusal && last.is_some() => {
                agreed::<T>(larger, 0)
            }
            _ => agreed::<T>(record, place),
        };
        Self::end_file(record, file, outcome, verdict, &judges)
    }

    /// The account behind a purse.
    fn account(
        record: &RecordOf<T>,
        larger: Option<&RecordOf<T>>,
        purse: Purse,
    ) -> Result<T::AccountId, Error<T>> {
        let member = |committee, place: usize| {
            let record = match committee {
                Committee::First => Some(record),
                Committee::Larger => larger,
            };
            record.and_then(|record| record.draw.members.get(place)).map(|one| one.account.clone())
        };
        let account = match purse {
            Purse::Reserve | Purse::Budget | Purse::Pot => Some(Self::pot()),
            Purse::Bond | Purse::Challenger => {
                larger.and_then(|larger| larger.draw.challenger.clone())
            }
            Purse::Seat(committee, place) | Purse::Account(committee, place) => {
                member(committee, place)
            }
            Purse::Treasury => Some(T::Treasury::get()),
        };
        account.ok_or(Error::<T>::Inconsistent)
    }

    fn transfer(
        draw: DrawId,
        record: &RecordOf<T>,
        larger: Option<&RecordOf<T>>,
        submission: SubmissionId,
        from: Purse,
        to: Purse,
        amount: Balance,
    ) -> DispatchResult {
        let source = Self::account(record, larger, from)?;
        let dest = Self::account(record, larger, to)?;
        match from {
            Purse::Seat(..) => Self::lose(draw, record.pool, &source, &dest, amount)?,
            Purse::Bond => Self::pay_held(HoldReason::Challenge, &source, &dest, amount)?,
            _ => {
                let give = |to: &T::AccountId| {
                    T::Currency::transfer(&source, to, amount, Preservation::Preserve)
                };
                // An account that is gone takes no dust.
                give(&dest).or_else(|_| give(&T::Treasury::get()))?;
            }
        }
        let paid = matches!(to, Purse::Account(..))
            || (matches!(to, Purse::Challenger) && !matches!(from, Purse::Bond));
        if paid {
            Self::deposit_event(Event::ReviewPaid { draw, submission, account: dest, amount });
        }
        Ok(())
    }

    /// What becomes of the file itself.
    fn end_file(
        record: &RecordOf<T>,
        file: DrawnFile,
        outcome: Outcome,
        verdict: Option<Verdict>,
        judges: &[T::AccountId],
    ) -> DispatchResult {
        let (datanet, sha256) = (record.datanet, file.sha256);
        DrawOf::<T>::remove(file.submission);
        // Nothing but this draw ends a file that is before it, but what is not there needs no end.
        let pending = T::Submissions::pending(datanet, &sha256);
        if pending.is_none_or(|pending| pending.submission != file.submission) {
            return Ok(());
        }
        match (outcome.end(), verdict) {
            (End::Again, _) => Err(Error::<T>::Inconsistent.into()),
            (End::Nothing, _) => match outcome {
                Outcome::Unavailable | Outcome::AcceptanceUnavailable => {
                    T::OnVerdict::on_verdict(datanet, &sha256, &Verdict::Unavailable, judges, false)
                }
                _ => T::OnVerdict::on_no_verdict(datanet, &sha256),
            },
            (_, Some(verdict)) => {
                let current = CurrentExtractor::<T>::get();
                if verdict.extractor().is_some_and(|extractor| extractor != current) {
                    // A Datanet's leaves name extractors that never go down: who judged is paid, and others
                    // measure anew.
                    return Self::ask_anew(record, file);
                }
                T::OnVerdict::on_verdict(datanet, &sha256, &verdict, judges, record.global)
            }
            (_, None) => Err(Error::<T>::Inconsistent.into()),
        }
    }

    /// Opens a draw for a file as if it had been submitted now. Where the review budget cannot pay for it, the
    /// file ends without prejudice at once: who funds a draw that waits would choose among committees.
    fn ask_anew(record: &RecordOf<T>, file: DrawnFile) -> DispatchResult {
        let sha256 = file.sha256;
        let file = DrawnFile { state: FileState::Open, stands: BoundedVec::default(), ..file };
        let draw = Draw::new(
            Purpose::Review { asked: 0 },
            record.draw.contributor.clone(),
            None,
            [file].to_vec(),
            record.draw.min_units,
            T::Sessions::current(),
        )
        .map_err(Error::<T>::from)?;
        match Self::reserve_files(record.datanet, &record.draw.contributor, 1) {
            Ok(reserve) => {
                Self::enter_draw(record.datanet, record.pool, reserve, 0, draw).map(drop)
            }
            Err(_) => T::OnVerdict::on_no_verdict(record.datanet, &sha256),
        }
    }
}
