//! Who is paid and who loses: transfers that follow from the table of [`Outcome`]s.
//!
//! Whatever happens, all of a file's reserve and of a challenger's bond is moved, nothing is taken from a
//! seat that does not go somewhere, and nothing comes from nowhere.

use super::{Bond, Majority, Outcome, Rules, Stand};
use crate::Balance;
use alloc::vec::Vec;

/// Which committee a member is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Committee {
    /// The one that judged the call.
    First,
    /// The larger one that a challenge brought.
    Larger,
}

/// Where plancks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purse {
    /// What the Datanet's review budget set aside for the file.
    Reserve,
    /// The Datanet's review budget.
    Budget,
    /// The challenger's bond.
    Bond,
    /// The challenger.
    Challenger,
    /// The bond of a member's seats.
    Seat(Committee, usize),
    /// A member.
    Account(Committee, usize),
    /// What the overturned lost, before it is handed on: empty in the end.
    Pot,
    /// The treasury.
    Treasury,
}

/// An amount that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// From where.
    pub from: Purse,
    /// To where.
    pub to: Purse,
    /// Plancks, more than none.
    pub amount: Balance,
}

/// A member, by its place in its committee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// How its word on the file stands to what its committee found.
    pub stand: Stand,
    /// What its seats have left to lose.
    pub held: Balance,
    /// Whether the larger committee [bears out](super::vote::confirms) what the member said itself, whatever it
    /// and others said together; not so where there is none.
    pub upheld: bool,
}

struct Transfers(Vec<Transfer>);

impl Transfers {
    fn push(&mut self, from: Purse, to: Purse, amount: Balance) {
        if amount > 0 {
            self.0.push(Transfer { from, to, amount });
        }
    }

    /// Pays `each` to the members in these places, as far as `left` goes; returns what is left.
    fn pay(
        &mut self,
        from: Purse,
        committee: Committee,
        places: &[usize],
        each: Balance,
        left: Balance,
    ) -> Balance {
        let each = each.min(left.checked_div(places.len() as Balance).unwrap_or(0));
        for place in places {
            self.push(from, Purse::Account(committee, *place), each);
        }
        left.saturating_sub(each.saturating_mul(places.len() as Balance))
    }

    /// Takes what showing that one has not the file costs.
    fn void(&mut self, committee: Committee, sides: &[Side], rules: &Rules) {
        for (place, side) in sides.iter().enumerate() {
            if side.stand == Stand::Void {
                let lost = rules.missed.min(side.held);
                self.push(Purse::Seat(committee, place), Purse::Treasury, lost);
            }
        }
    }
}

fn agreed(sides: &[Side]) -> Vec<usize> {
    let agreed = |(place, side): (usize, &Side)| (side.stand == Stand::Agreed).then_some(place);
    sides.iter().enumerate().filter_map(agreed).collect()
}

/// Settles one file of a call: `reserve` was set aside for it, `first` judged it, and, if it was
/// challenged, `larger` judged it again and `bond` was put up. Members who did not reveal have been
/// charged by [`missed`] before.
///
/// Of a majority that was overturned those lose whose own word the larger committee contradicts, which are one
/// at least: each part of what was found somebody said. The others are paid. Of its committee nobody is charged
/// for not having what that majority called the file.
///
/// A majority that is fined loses as much, of which the challenger has no more than half of what they are not paid.
///
/// A majority that is liable loses as much, all of it to the treasury: neither who challenges nor who judges gains by a
/// file that is not there.
///
/// A majority that is unpaid loses nothing: half of what it would have been paid is the challenger's, the other half is
/// shared by those who said so.
///
/// `left` files of the call are not settled yet: a seat keeps so much that each of them can be overturned too and
/// pay who says so.
pub fn settle(
    outcome: Outcome,
    rules: &Rules,
    left: usize,
    reserve: Balance,
    first: &[Side],
    larger: &[Side],
    bond: Balance,
) -> Vec<Transfer> {
    let mut done = Transfers(Vec::new());
    let mut reserve = reserve;
    let (majority, final_say) = (agreed(first), agreed(larger));
    match outcome.majority() {
        Majority::None => {}
        Majority::Paid => {
            reserve = done.pay(Purse::Reserve, Committee::First, &majority, rules.pay, reserve);
            done.void(Committee::First, first, rules);
        }
        found @ (Majority::Slashed | Majority::Fined) => {
            let upheld = |place: &usize| first.get(*place).is_some_and(|side| side.upheld);
            let (right, wrong): (Vec<usize>, Vec<usize>) =
                majority.iter().partition(|place| upheld(place));
            reserve = done.pay(Purse::Reserve, Committee::First, &right, rules.pay, reserve);
            let mut pot: Balance = 0;
            let unpaid = rules.pay.saturating_mul(wrong.len() as Balance);
            for place in wrong {
                let held = first.get(place).map_or(0, |side| side.held);
                let lost = overturned(left, held, rules);
                done.push(Purse::Seat(Committee::First, place), Purse::Pot, lost);
                pot = pot.saturating_add(lost);
            }
            let reward = match found {
                Majority::Fined => (unpaid / 2).min(pot / 2),
                _ => pot / 2,
            };
            done.push(Purse::Pot, Purse::Challenger, reward);
            pot = pot.saturating_sub(reward);
            // Seats that have little left to lose do not leave those unpaid who were right.
            let fees = rules.pay.saturating_mul(final_say.len() as Balance);
            let more = fees.saturating_sub(pot).min(reserve);
            done.push(Purse::Reserve, Purse::Pot, more);
            reserve = reserve.saturating_sub(more);
            pot = pot.saturating_add(more);
            pot = done.pay(Purse::Pot, Committee::Larger, &final_say, rules.pay, pot);
            done.push(Purse::Pot, Purse::Treasury, pot);
        }
        Majority::Liable => {
            for place in &majority {
                let held = first.get(*place).map_or(0, |side| side.held);
                let lost = overturned(left, held, rules);
                done.push(Purse::Seat(Committee::First, *place), Purse::Treasury, lost);
            }
        }
        Majority::Unpaid => {
            let kept = rules.pay.saturating_mul(majority.len() as Balance).min(reserve);
            done.push(Purse::Reserve, Purse::Challenger, kept / 2);
            let rest = kept.saturating_sub(kept / 2);
            let rest = done.pay(Purse::Reserve, Committee::Larger, &final_say, rules.pay, rest);
            reserve = reserve.saturating_sub(kept).saturating_add(rest);
        }
    }
    done.push(Purse::Reserve, Purse::Budget, reserve);
    match outcome.bond() {
        Bond::None => {}
        Bond::Back | Bond::Rewarded => done.push(Purse::Bond, Purse::Challenger, bond),
        Bond::Lost => {
            let mut left = done.pay(Purse::Bond, Committee::Larger, &final_say, rules.pay, bond);
            left = done.pay(Purse::Bond, Committee::First, &majority, Balance::MAX, left);
            done.push(Purse::Bond, Purse::Treasury, left);
        }
    }
    done.void(Committee::Larger, larger, rules);
    done.0
}

/// What a member loses of what its seats have left for a file that is overturned, if as many files of the call as
/// `left` may be after it.
pub fn overturned(left: usize, held: Balance, rules: &Rules) -> Balance {
    let least = rules.least_overturned();
    let spare = held.saturating_sub(least.saturating_mul(left as Balance));
    rules.overturned.min(spare.max(least)).min(held)
}

/// What a member loses to the treasury that did not reveal on so many files, of what its seats have left.
pub fn missed(files: usize, held: Balance, rules: &Rules) -> Balance {
    rules.missed.saturating_mul(files as Balance).min(held)
}
