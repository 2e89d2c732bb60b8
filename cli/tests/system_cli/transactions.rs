//! What decides whether a call is sent anew: what pools say, and what blocks show.

use openledger_client::{
    follow::{ended, Ended, Place, Search},
    pool::{pool_answer, PoolAnswer},
    AccountId, ClientError, ErrorKind, H256,
};
use openledger_primitives::RefusalRule;

fn account() -> AccountId {
    AccountId::from([7; 32])
}

/// As `sc-rpc-api` words it: the data is a JSON string.
fn answer(code: i32, message: &str, data: &str) -> Option<PoolAnswer> {
    let data = (!data.is_empty()).then(|| format!("{data:?}"));
    pool_answer(code, message, data.as_deref(), account())
}

#[test]
fn what_a_pool_does_not_take_now_is_no_refusal() {
    let invalid = "Invalid Transaction";
    for (code, message, data) in [
        (1010, invalid, "Transaction is outdated"),
        (1010, invalid, "Transaction will be valid in the future"),
        (1012, "Transaction is temporarily banned", ""),
        (1014, "Priority is too low: (7 vs 7)", "The transaction has too low priority"),
        (1016, "Immediately Dropped", "The transaction couldn't enter the pool"),
        (1020, "The provided block ID is not valid", ""),
        (1021, "The pool is not accepting future transactions", ""),
    ] {
        let answer = answer(code, message, data);
        assert!(matches!(answer, Some(PoolAnswer::NotNow(_))), "{code} {data}: {answer:?}");
    }
}

#[test]
fn what_the_chain_finds_wrong_is_refused_with_its_reason() {
    let refused = |code, message: &str, data: &str| match answer(code, message, data) {
        Some(PoolAnswer::Refused(error)) => error,
        other => panic!("{code} {data}: {other:?}"),
    };
    let invalid = "Invalid Transaction";
    let rule = RefusalRule::DailyFiles;
    let code = format!("Custom error: {}", rule.code());
    assert!(matches!(refused(1010, invalid, &code), ClientError::Rule(found) if found == rule));
    let fee = refused(1010, invalid, "Inability to pay some fees (e.g. account balance too low)");
    assert!(
        matches!(fee, ClientError::FeeUnaffordable { account: who } if who == account()),
        "{fee}"
    );
    for (code, message, data) in [
        (1010, invalid, "Custom error: 255"),
        (1010, invalid, "Transaction has a bad signature"),
        (1011, "Unknown Transaction Validity", "CannotLookup"),
        (1018, "Unactionable", "The transaction is unactionable"),
    ] {
        let error = refused(code, message, data);
        assert!(error.to_string().contains(data), "{error}");
        assert_eq!(error.kind(), ErrorKind::Refused);
    }
    let trap =
        "Runtime: Execution failed: TaggedTransactionQueue_validate_transaction: unreachable";
    assert!(matches!(refused(1002, trap, ""), ClientError::Unreadable));
}

#[test]
fn what_the_pool_has_is_held_and_errors_of_the_node_are_no_answer() {
    assert!(matches!(answer(1013, "Transaction Already Imported", "0x07"), Some(PoolAnswer::Held)));
    for code in [-32601, -32603, 4003] {
        assert!(answer(code, "the node's own", "").is_none(), "{code}");
    }
}

#[test]
fn only_a_finalised_number_or_the_end_of_its_time_ends_a_transaction() {
    // Number 5, valid to block 127.
    let ends = |finalised, next| ended(5, 127, finalised, next);
    assert_eq!(ends(20, 5), None, "its turn");
    assert_eq!(ends(20, 3), None, "one before it is missing");
    assert_eq!(ends(20, 6), Some(Ended::Overtaken));
    assert_eq!(ends(126, 5), None, "block 127 may still hold it");
    assert_eq!(ends(127, 5), Some(Ended::Expired));
    assert_eq!(ends(127, 4), Some(Ended::Expired), "also where one before it never came");
    assert_eq!(ends(127, 6), Some(Ended::Overtaken));
}

fn hash(number: u8) -> H256 {
    H256([number; 32])
}

#[test]
fn a_search_follows_one_chain() {
    assert_eq!(Search::new(0).tip(), None);
    let mut search = Search::new(10);
    assert_eq!((search.next_number(), search.tip(), search.block(10)), (10, None, None));
    assert!(search.push(hash(9), hash(10), None), "any block may be the first");
    assert!(search.push(hash(10), hash(11), None));
    assert!(!search.push(hash(99), hash(12), Some(0)), "another chain's block 12");
    assert_eq!((search.next_number(), search.found()), (12, None));
    assert_eq!(search.tip(), Some((11, hash(11))));
    assert_eq!((search.block(9), search.block(11)), (None, Some(hash(11))));
}

#[test]
fn a_search_forgets_what_the_best_chain_has_left() {
    let mut search = Search::new(10);
    assert!(search.push(hash(9), hash(10), None));
    assert!(search.push(hash(10), hash(11), Some(3)));
    let place = Place { block: 11, hash: hash(11), index: 3 };
    assert_eq!(search.found(), Some(place));
    search.pop();
    assert_eq!((search.next_number(), search.found()), (11, None));
    // On the other chain it comes a block later.
    assert!(search.push(hash(10), hash(21), None));
    assert!(search.push(hash(21), hash(22), Some(1)));
    assert!(search.push(hash(22), hash(23), None));
    search.pop();
    assert_eq!(search.found(), Some(Place { block: 12, hash: hash(22), index: 1 }));
    for _ in 0..5 {
        search.pop();
    }
    assert_eq!((search.next_number(), search.tip(), search.found()), (10, None, None));
}
