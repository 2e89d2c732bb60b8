//! Places of seats: no gaps, whatever comes and goes.

use openledger_primitives::committee::{
    places::{due_session, join, leave, may_change, must_change_before},
    Places, PoolSize,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Default)]
struct Pool {
    size: PoolSize,
    seats: BTreeMap<u32, (u8, u32)>,
    places: BTreeMap<(u8, u32), u32>,
    /// Reads and writes so far.
    touched: std::cell::Cell<u32>,
}

impl Pool {
    fn touch(&self) {
        self.touched.set(self.touched.get() + 1);
    }

    /// Checks that the two sides are each other's, without gaps, and that sizes are counted.
    fn check(&self) {
        let dense: Vec<u32> = (0..self.size.seats).collect();
        assert_eq!(self.seats.keys().copied().collect::<Vec<_>>(), dense);
        let there: BTreeMap<_, _> =
            self.seats.iter().map(|(place, seat)| (*seat, *place)).collect();
        assert_eq!(there, self.places);
        let first = self.places.keys().filter(|(_, seat)| *seat == 0).count();
        assert_eq!(first, self.size.accounts as usize);
    }
}

impl Places<u8> for Pool {
    fn size(&self) -> PoolSize {
        self.touch();
        self.size
    }
    fn set_size(&mut self, size: PoolSize) {
        self.touch();
        self.size = size;
    }
    fn seat(&self, place: u32) -> Option<(u8, u32)> {
        self.touch();
        self.seats.get(&place).copied()
    }
    fn set_seat(&mut self, place: u32, seat: Option<(u8, u32)>) {
        self.touch();
        match seat {
            Some(seat) => self.seats.insert(place, seat),
            None => self.seats.remove(&place),
        };
    }
    fn place(&self, account: &u8, seat: u32) -> Option<u32> {
        self.touch();
        self.places.get(&(*account, seat)).copied()
    }
    fn set_place(&mut self, account: &u8, seat: u32, place: Option<u32>) {
        self.touch();
        match place {
            Some(place) => self.places.insert((*account, seat), place),
            None => self.places.remove(&(*account, seat)),
        };
    }
}

#[test]
fn seats_come_and_go_in_the_order_of_their_numbers() {
    let mut pool = Pool::default();
    assert!(!join(&mut pool, &1, 1), "the first is number 0");
    assert!(join(&mut pool, &1, 0) && join(&mut pool, &1, 1) && join(&mut pool, &2, 0));
    assert!(!join(&mut pool, &1, 1), "it is there");
    assert!(!leave(&mut pool, &1, 0), "another one comes after it");
    assert!(!leave(&mut pool, &2, 1) && !leave(&mut pool, &3, 0), "it is not there");
    assert!(leave(&mut pool, &1, 1));
    assert_eq!(pool.seat(1), Some((2, 0)), "the last one takes the place");
    pool.check();
}

#[test]
fn what_was_asked_for_in_a_session_counts_for_its_calls_and_for_no_earlier_ones() {
    // Draws of session 9 are of calls of session 7, and so on.
    let due = due_session(8, 0, 10);
    assert_eq!(due, 9, "not in the same session");
    assert!(!may_change(due, 8, false));
    assert!(!may_change(due, 9, true), "not before the draws of the next one");
    assert!(may_change(due, 9, false));
    assert!(!must_change_before(due, 9), "these are draws of calls of session 7");
    assert!(must_change_before(due, 10), "these are draws of calls of session 8");
    assert_eq!([1, 10, 11, 90].map(|blocks| due_session(8, blocks, 10)), [9, 9, 10, 17]);
    assert_eq!(due_session(8, u32::MAX, 0), u32::MAX, "a session of no length is one of a block");
}

proptest! {
    #[test]
    fn places_have_no_gaps_whatever_comes_and_goes(
        acts in prop::collection::vec((0u8..6, any::<bool>()), 0..200),
    ) {
        let mut pool = Pool::default();
        let mut counts = [0u32; 6];
        for (account, joins) in acts {
            let before = pool.touched.get();
            let count = &mut counts[usize::from(account)];
            if joins {
                prop_assert!(join(&mut pool, &account, *count));
                *count += 1;
            } else {
                let done = leave(&mut pool, &account, count.saturating_sub(1));
                prop_assert_eq!(done, *count > 0);
                *count = count.saturating_sub(1);
            }
            prop_assert!(pool.touched.get() - before <= 9, "the cost grows");
            pool.check();
        }
        prop_assert_eq!(counts.iter().sum::<u32>(), pool.size.seats);
    }
}
