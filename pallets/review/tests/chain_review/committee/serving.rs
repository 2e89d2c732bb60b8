//! Where reviewers serve what they judge.

use super::story::*;
use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use openledger_primitives::{
    committee::{Addresses, Lengths, PoolId, MAX_ADDRESS, MAX_ADDRESSES},
    Modality,
};
use pallet_review::{Error, Event, ServedAt};

const HERE: &str = "/ip4/203.0.113.7/tcp/4001";
const THERE: &str = "/ip6/2001:db8::7/udp/4001/quic-v1";

#[test]
fn whoever_has_seats_says_where_it_serves() {
    with_committees(2, || {
        let (one, other) = (FIRST, FIRST + 1);
        assert_eq!(Review::addresses(POOL, vec![one, other]), []);
        assert_ok!(Review::serve_at(signed(one), POOL, addresses(&[HERE, THERE])));
        System::assert_last_event(
            Event::<Test>::ServesAt { pool: POOL, account: one, addresses: 2 }.into(),
        );
        let said = (one, addresses(&[HERE, THERE]));
        assert_eq!(Review::addresses(POOL, vec![other, 7, one]), [said], "those that say so");
        // Other addresses take their place, and none says that it serves no more.
        assert_ok!(Review::serve_at(signed(one), POOL, addresses(&[THERE])));
        assert_eq!(Review::addresses(POOL, vec![one])[0].1, addresses(&[THERE]));
        assert_ok!(Review::serve_at(signed(one), POOL, addresses(&[])));
        assert_eq!(ServedAt::<Test>::iter_keys().count(), 0);
        // Seats of one pool say nothing of another.
        let images = PoolId::Modality(Modality::Image);
        assert_noop!(
            Review::serve_at(signed(one), images, addresses(&[HERE])),
            Error::<Test>::NoSeats
        );
        let stranger = signed(CHALLENGER);
        assert_noop!(Review::serve_at(stranger, POOL, addresses(&[HERE])), Error::<Test>::NoSeats);
    });
}

#[test]
fn an_address_is_a_text_that_can_be_read() {
    with_committees(1, || {
        for bad in ["", "  ", "/ip4/203.0.113.7/tcp/4001\n", "\u{202e}/ip4", "\x1b[2J"] {
            assert_noop!(
                Review::serve_at(signed(FIRST), POOL, addresses(&[HERE, bad])),
                Error::<Test>::InvalidAddress
            );
        }
        let bytes: Addresses = vec![vec![b'/', 0xff].try_into().unwrap()].try_into().unwrap();
        assert_noop!(Review::serve_at(signed(FIRST), POOL, bytes), Error::<Test>::InvalidAddress);
        let long = "x".repeat(MAX_ADDRESS as usize);
        let most = vec![long.as_str(); MAX_ADDRESSES as usize];
        assert_ok!(Review::serve_at(signed(FIRST), POOL, addresses(&most)));
    });
}

#[test]
fn what_is_said_is_forgotten_with_the_last_seat() {
    with_committees(1, || {
        assert_ok!(Review::bond_seats(signed(FIRST), POOL, 1));
        sessions(2);
        assert_ok!(Review::serve_at(signed(FIRST), POOL, addresses(&[HERE])));
        for left in [1, 0] {
            assert_ok!(Review::unbond_seats(signed(FIRST), POOL, 1));
            assert_eq!(Review::addresses(POOL, vec![FIRST]).len(), 1, "while it can be drawn");
            sessions(Lengths::DEVELOPMENT.leave / 10 + 2);
            assert_ok!(Review::withdraw_seats(signed(FIRST), POOL));
            checked();
            assert_eq!(Review::addresses(POOL, vec![FIRST]).len(), left);
        }
        assert_noop!(
            Review::serve_at(signed(FIRST), POOL, addresses(&[HERE])),
            Error::<Test>::NoSeats
        );
    });
}

#[test]
fn one_read_is_of_a_hundred_accounts_at_most() {
    with_committees(1, || {
        assert_ok!(Review::serve_at(signed(FIRST), POOL, addresses(&[HERE])));
        let mut asked: Vec<_> = (1_000..1_100).collect();
        asked.push(FIRST);
        assert_eq!(Review::addresses(POOL, asked.clone()), []);
        assert_eq!(Review::addresses(POOL, asked.split_off(1)).len(), 1);
    });
}
