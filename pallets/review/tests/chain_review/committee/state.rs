//! Damage to seats, draws, agendas and money is found.

use super::story::*;
use crate::mock::*;
use frame_support::assert_ok;
use openledger_primitives::{
    committee::{FileState, PoolId, PoolSize},
    OPEN,
};
use pallet_review::*;

/// Damages a chain with a waiting draw (0), one that is judged and challenged (1, by 2), one that members
/// reveal for (3), and seats that wait, and expects `try_state` to name it.
#[track_caller]
fn detects(words: &'static str, damage: impl FnOnce()) {
    unchecked(3, || {
        let policy = openledger_primitives::ReviewPolicy::Committee { own_seats: false };
        assert_ok!(Review::set_policy(signed(OWNER), DATANET, policy));
        assert_ok!(Review::fund_budget(signed(OWNER), DATANET, 100 * OPEN));
        for who in FIRST..FIRST + 30 {
            assert_ok!(Review::bond_seats(signed(who), POOL, 1));
        }
        sessions(2);
        let judged = submit_from(50, 2);
        draw(judged);
        judge(judged, &[GOOD; 5]);
        assert_ok!(Review::challenge(signed(CHALLENGER), judged, 0));
        let revealed = submit_from(60, 1);
        CurrentSession::mutate(|session| *session += 1);
        let waiting = submit_from(70, 1);
        CurrentSession::mutate(|session| *session += 1);
        block();
        let committee = members(revealed);
        for who in &committee {
            let words = opinions(revealed, GOOD);
            let seed = record(revealed).draw.seed;
            let sealed =
                openledger_primitives::committee::commitment(revealed, &seed, who, &words, &SALT);
            assert_ok!(Review::commit(signed(*who), revealed, sealed));
        }
        assert_ok!(Review::reveal(signed(committee[0]), revealed, opinions(revealed, GOOD), SALT));
        assert_ok!(Review::bond_seats(signed(FIRST + 31), POOL, 2));
        assert_ok!(Review::unbond_seats(signed(FIRST), POOL, 1));
        assert_eq!((judged, revealed, waiting), (0, 2, 3));
        checked();
        damage();
        assert_eq!(Review::do_try_state(), Err(words.into()));
    });
}

const JUDGED: u64 = 0;
const CHALLENGE: u64 = 1;
const REVEALED: u64 = 2;
const WAITING: u64 = 3;

fn change(draw: u64, change: impl FnOnce(&mut DrawRecord<AccountId>)) {
    Draws::<Test>::mutate(draw, |record| change(record.as_mut().unwrap()));
}

fn seat(who: AccountId, change: impl FnOnce(&mut Seats)) {
    Reviewers::<Test>::mutate(POOL, who, |record| change(record.as_mut().unwrap()));
}

#[test]
fn damaged_queues_are_detected() {
    let first = || SeatChanges::<Test>::iter_key_prefix(POOL).next().unwrap();
    detects("waiting seats are miscounted", || SeatChanges::<Test>::remove(POOL, first()));
    detects("waiting seats are miscounted", || {
        WaitingSeats::<Test>::mutate(POOL, u32::from(first().0), |seats| *seats += 1)
    });
    detects("waiting seats are miscounted", || {
        WaitingSeats::<Test>::insert(PoolId::Datanet(0), 7, 0)
    });
    detects("a change has a number that was not given yet", || NextChange::<Test>::put(0));
    let change = |change: fn(&mut SeatChange<AccountId>)| {
        SeatChanges::<Test>::mutate(POOL, first(), |one| change(one.as_mut().unwrap()))
    };
    detects("a change moves no seat", || change(|one| one.seats = 0));
    detects("a change cannot be read", || {
        let key = SeatChanges::<Test>::hashed_key_for(POOL, (first().0, Ordered64::from(99)));
        frame_support::storage::unhashed::put_raw(&key, &[0; 3]);
    });
}

#[test]
fn damaged_turns_are_detected() {
    detects("a pool waits for no turn", || {
        let (of, turn) = TurnOf::<Test>::take(POOL).unwrap();
        Turns::<Test>::remove(Ordered32::from(of), Ordered64::from(turn));
    });
    detects("a turn is no pool's", || {
        Turns::<Test>::insert(Ordered32::from(7), Ordered64::from(0), POOL)
    });
    detects("a pool's turn is another's", || {
        TurnOf::<Test>::insert(PoolId::Datanet(0), (1, 0));
    });
    detects("a turn has a number that was not given yet", || NextTurn::<Test>::put(0));
    detects("a pool is not known to be as large as it is", || LargeSince::<Test>::remove(POOL));
    detects("a pool that is not there is large", || {
        LargeSince::<Test>::insert(PoolId::Datanet(0), 1)
    });
}

#[test]
fn damaged_addresses_are_detected() {
    let at = |who, of: &[&str]| ServedAt::<Test>::insert(POOL, who, addresses(of));
    detects("who has no seats serves files", || at(FIRST + 40, &["/ip4/203.0.113.7/tcp/4001"]));
    detects("an account serves files nowhere", || at(FIRST, &[]));
    detects("an address cannot be read", || at(FIRST, &["/ip4/203.0.113.7/tcp/4001\u{200b}"]));
    detects("an address cannot be read", || {
        let key = ServedAt::<Test>::hashed_key_for(POOL, FIRST);
        frame_support::storage::unhashed::put_raw(&key, &[255; 3]);
    });
}

#[test]
fn damaged_places_are_detected() {
    detects("a seat does not know its place", || {
        SeatPlaces::<Test>::insert(POOL, (FIRST, 0), 7);
    });
    detects("places have gaps", || {
        PoolSizes::<Test>::insert(POOL, PoolSize { seats: 29, accounts: 30 })
    });
    detects("a pool's seats are miscounted", || {
        PoolSizes::<Test>::insert(POOL, PoolSize { seats: 31, accounts: 30 })
    });
    detects("a pool's accounts are miscounted", || {
        PoolSizes::<Test>::insert(POOL, PoolSize { seats: 30, accounts: 29 })
    });
    detects("a place is nobody's", || SeatPlaces::<Test>::insert(POOL, (FIRST + 40, 0), 7));
    detects("an account's places are miscounted", || seat(FIRST, |one| one.placed = 2));
    detects("seats have no places and wait for none", || {
        seat(FIRST + 1, |one| one.reviewer.seats = 2)
    });
    detects("seats do not leave", || seat(FIRST, |one| one.reviewer.left = true));
    detects("seats that leave are drawn as others are", || seat(FIRST, |one| one.going = 0));
    detects("the seats that leave a pool are miscounted", || LeavingSizes::<Test>::remove(POOL));
    detects("a seat is nobody's", || Reviewers::<Test>::remove(POOL, FIRST));
}

#[test]
fn damaged_draws_are_detected() {
    detects("a draw has a number that was not given yet", || NextDraw::<Test>::put(3));
    detects("a draw of no file", || change(WAITING, |one| one.draw.files.clear()));
    detects("a submission is before no draw", || DrawOf::<Test>::insert(99, WAITING));
    detects("a file is before another draw", || DrawOf::<Test>::insert(70, REVEALED));
    detects("a draw of what is not pending", || wait(hash(70), 71, CONTRIBUTOR));
    detects("a committee is missing", || change(REVEALED, |one| one.draw.members.clear()));
    detects("an account is a member twice", || {
        change(REVEALED, |one| one.draw.members[1].account = one.draw.members[0].account)
    });
    detects("a contributor judges itself", || {
        change(REVEALED, |one| one.draw.members[0].account = CONTRIBUTOR)
    });
    detects("nobody judges a challenge", || Draws::<Test>::remove(CHALLENGE));
    detects("a challenge of no verdict", || {
        change(JUDGED, |one| {
            let FileState::Challenged { verdict, .. } = one.draw.files[0].state else { panic!() };
            one.draw.files[0].state = FileState::Judged(verdict);
        })
    });
    detects("a challenge is paid from a budget", || change(CHALLENGE, |one| one.reserve = 1));
    detects("a file is settled too early", || change(JUDGED, |one| one.settled = 1));
    detects("a draw is stuck", || change(REVEALED, |one| one.due = None));
    detects("a draw cannot be read", || {
        let key = Draws::<Test>::hashed_key_for(WAITING);
        frame_support::storage::unhashed::put_raw(&key, &[0; 10]);
    });
}

#[test]
fn damaged_agendas_are_detected() {
    let at = |draw: u64| Ordered32::from(record(draw).draw.session().unwrap());
    detects("a draw waits for no session", || {
        let session = record(WAITING).draw.session().unwrap();
        WaitingDraws::<Test>::remove(POOL, (at(WAITING), Ordered64::from(WAITING)));
        let left = SessionDraws::<Test>::get(session) - 1;
        match left {
            0 => SessionDraws::<Test>::remove(session),
            _ => SessionDraws::<Test>::insert(session, left),
        }
    });
    detects("draws that wait for a session are miscounted", || SessionDraws::<Test>::insert(99, 1));
    detects("the agenda of sessions names another draw", || {
        let key = (Ordered32::from(99), Ordered64::from(WAITING));
        WaitingDraws::<Test>::insert(POOL, key, ())
    });
    detects("a draw is set aside that does not wait", || {
        let key = (Ordered32::from(9), Ordered64::from(REVEALED));
        ParkedDraws::<Test>::insert(POOL, key, ());
        Parked::<Test>::insert(REVEALED, 9);
    });
    detects("a draw is set aside for no pool", || Parked::<Test>::insert(WAITING, 9));
    detects("a seed was not kept", || CurrentSession::set(99));
    detects("a seed is kept for nothing", || Seeds::<Test>::insert(1, [1; 32]));
    detects("the agenda names another draw", || {
        Agenda::<Test>::insert(Ordered32::from(9), Ordered64::from(REVEALED), ())
    });
    detects("the agenda lacks a draw", || {
        let due = record(REVEALED).due.unwrap();
        Agenda::<Test>::remove(Ordered32::from(due), Ordered64::from(REVEALED));
    });
}

#[test]
fn damaged_duties_are_detected() {
    detects("a reviewer's draws are miscounted", || {
        let member = members(REVEALED)[0];
        seat(member, |one| one.reviewer.open += 1);
    });
    detects("what was revealed is missing", || {
        Reveals::<Test>::remove(REVEALED, members(REVEALED)[0]);
    });
    detects("a vote of no draw", || {
        Reveals::<Test>::insert(REVEALED, FIRST + 50, opinions(REVEALED, GOOD));
    });
}

#[test]
fn damaged_money_is_detected() {
    detects("an account's holds are not its seats and challenges", || {
        seat(FIRST, |one| one.reviewer.held += 1)
    });
    detects("an account's holds are not its seats and challenges", || {
        change(CHALLENGE, |one| one.bond += 1)
    });
    detects("a review budget is not conserved", || {
        Budgets::<Test>::mutate(DATANET, |budget| budget.available += 1)
    });
    detects("a review budget's reserve is miscounted", || {
        Budgets::<Test>::mutate(DATANET, |budget| {
            budget.available += 1;
            budget.reserved -= 1;
        })
    });
    detects("a reserve of no budget", || Budgets::<Test>::remove(DATANET));
    detects("what is set aside for an account is miscounted", || {
        ReservedFor::<Test>::mutate(DATANET, CONTRIBUTOR, |sum| *sum += 1)
    });
    detects("the account of the review budgets lacks some", || {
        Budgets::<Test>::mutate(DATANET, |budget| {
            budget.available += OPEN;
            budget.paid_in += OPEN;
        })
    });
}
