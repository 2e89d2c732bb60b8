//! Where a new node begins that syncs by warp.

use codec::{DecodeAll, Encode};
use openledger_runtime::{Hash, OpaqueBlock as Block};
use sc_consensus_grandpa::warp_proof::WarpSyncFragment;
use sc_network_sync::strategy::warp::{EncodedProof, Verifier, WarpSyncProvider};
use sp_runtime::traits::Header as _;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// GRANDPA's proofs of finality for others, which never end right behind a block that changed the authorities.
///
/// A node that syncs by warp imports the headers of all blocks that changed the authorities, then the state of the
/// proof's last block, which is final. As of `sc-service` 0.62 it makes that one's parent final first if it knows the
/// parent, and fails if the blocks between it and the genesis are missing: `State sync failed`. It knows the parent
/// only if that changed the authorities. So a proof ends with the parent then, whose own parent is unknown.
pub(crate) struct ProofsToBeginFrom<P>(pub P);

impl<P: WarpSyncProvider<Block>> WarpSyncProvider<Block> for ProofsToBeginFrom<P> {
    fn generate(&self, start: Hash) -> Result<EncodedProof, Failure> {
        let EncodedProof(proof) = self.0.generate(start)?;
        Ok(EncodedProof(without_child_of_change(proof)?))
    }

    fn create_verifier(&self) -> Box<dyn Verifier<Block>> {
        self.0.create_verifier()
    }
}

/// A proof without its last block if that is the child of the one before, which changed the authorities as all before
/// the last do.
fn without_child_of_change(proof: Vec<u8>) -> Result<Vec<u8>, codec::Error> {
    // As `WarpSyncProof`, whose fields are private, is encoded.
    let (mut fragments, is_finished) =
        <(Vec<WarpSyncFragment<Block>>, bool)>::decode_all(&mut proof.as_slice())?;
    match fragments.as_slice() {
        [.., before, last] if *last.header.parent_hash() == before.header.hash() => {
            fragments.pop();
            Ok((fragments, is_finished).encode())
        }
        _ => Ok(proof),
    }
}
