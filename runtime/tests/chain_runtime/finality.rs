//! The way out when finality has stopped for good, because the machines of a third of the seats are lost.

use crate::{
    common::*,
    governance::{agree, info, propose, root, without_sudo},
};
use openledger_runtime::{BlockNumber, Executive, Grandpa, Runtime, RuntimeEvent, Session, System};
use pallet_referenda::ReferendumInfo;
use sp_consensus_grandpa::{ConsensusLog, GRANDPA_ENGINE_ID};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring::Alice};

/// As `docs/staking.md` says it.
const DELAY: BlockNumber = 100;
const FINALIZED: BlockNumber = 7;

/// Ends the block; what its header tells nodes about finality.
fn end_of_block() -> Vec<ConsensusLog<BlockNumber>> {
    let header = Executive::finalize_block();
    System::set_parent_hash(header.hash());
    let logs = header.digest.logs.into_iter();
    logs.filter_map(|log| log.consensus_try_to::<ConsensusLog<BlockNumber>>(&GRANDPA_ENGINE_ID))
        .collect()
}

fn enacted() -> bool {
    System::events().iter().any(|record| {
        matches!(record.event, RuntimeEvent::Grandpa(pallet_grandpa::Event::NewAuthorities { .. }))
    })
}

#[test]
fn a_referendum_as_root_has_the_next_sessions_validators_finalise() {
    without_sudo(|| {
        let index = propose(
            root(),
            pallet_grandpa::Call::note_stalled {
                delay: DELAY,
                best_finalized_block_number: FINALIZED,
            },
        );
        agree(index);
        while pallet_grandpa::Stalled::<Runtime>::get() != Some((DELAY, FINALIZED)) {
            assert!(!matches!(info(index), ReferendumInfo::Rejected(..)));
            assert_eq!(end_of_block(), []);
            begin_block();
        }
        let set = Grandpa::current_set_id();
        let session = Session::current_index();
        let logs = loop {
            let begun = Session::current_index() > session;
            let logs = end_of_block();
            assert_eq!(logs.is_empty(), !begun, "with the next session, and not before");
            if begun {
                break logs;
            }
            begin_block();
        };
        let signalled = System::block_number();
        // Nodes take it without anything being final, once so many blocks stand on it.
        let [ConsensusLog::ForcedChange(finalized, change)] = &logs[..] else {
            panic!("not one forced change: {logs:?}")
        };
        assert_eq!((*finalized, change.delay), (FINALIZED, DELAY));
        assert_eq!(change.next_authorities, [(Ed25519Keyring::Alice.public().into(), 1)]);
        assert_eq!(Session::validators(), [Alice.to_account_id()]);
        assert_eq!(Grandpa::current_set_id(), set + 1);
        assert_eq!(pallet_grandpa::Stalled::<Runtime>::get(), None, "once");
        while System::block_number() < signalled + DELAY {
            assert!(!enacted());
            begin_block();
            assert_eq!(end_of_block(), []);
        }
        assert!(enacted(), "in the block that the delay ends with");
        begin_block();
    });
}
