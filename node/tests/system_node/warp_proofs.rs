//! Where the proofs end that a node serves to others who sync by warp.

use codec::{DecodeAll, Encode};
use openledger_runtime::{Hash, Header, OpaqueBlock as Block};
use sc_consensus_grandpa::{warp_proof::WarpSyncFragment, GrandpaJustification};
use sc_network_sync::strategy::warp::{EncodedProof, Verifier, WarpSyncProvider};
use sp_runtime::traits::Header as _;
use warp::ProofsToBeginFrom;

#[path = "../../src/warp.rs"]
mod warp;

type Proof = (Vec<WarpSyncFragment<Block>>, bool);

/// Bytes in the place of GRANDPA's own proofs.
struct Bytes(Vec<u8>);

impl WarpSyncProvider<Block> for Bytes {
    fn generate(&self, _: Hash) -> Result<EncodedProof, Box<dyn std::error::Error + Send + Sync>> {
        Ok(EncodedProof(self.0.clone()))
    }

    fn create_verifier(&self) -> Box<dyn Verifier<Block>> {
        unreachable!("nothing is verified here")
    }
}

fn header(number: u32, parent: Hash) -> Header {
    Header::new(number, Hash::zero(), Hash::zero(), parent, Default::default())
}

fn fragment(header: &Header) -> WarpSyncFragment<Block> {
    // A round, a commit of no votes, and no ancestries.
    let signed = (1_u64, (header.hash(), *header.number(), Vec::<u8>::new()), Vec::<u8>::new());
    let justification = GrandpaJustification::decode_all(&mut signed.encode().as_slice());
    WarpSyncFragment { header: header.clone(), justification: justification.expect("one") }
}

/// The blocks of what is served where GRANDPA's proof has these.
fn served(headers: &[&Header]) -> Vec<u32> {
    let fragments: Vec<_> = headers.iter().map(|header| fragment(header)).collect();
    let provider = ProofsToBeginFrom(Bytes((fragments, true).encode()));
    let EncodedProof(proof) = provider.generate(Hash::zero()).expect("it is a proof");
    let (fragments, is_finished) = Proof::decode_all(&mut proof.as_slice()).expect("it decodes");
    assert!(is_finished);
    fragments.iter().map(|fragment| *fragment.header.number()).collect()
}

#[test]
fn a_proof_ends_where_a_node_can_begin() {
    let change = header(10, Hash::repeat_byte(9));
    let child = header(11, change.hash());
    let grandchild = header(12, child.hash());

    assert_eq!(served(&[&change, &child]), [10]);
    assert_eq!(served(&[&change, &grandchild]), [10, 12]);
    assert_eq!(served(&[&change]), [10]);
    // Never an empty one, which others take for a fault of who sent it.
    assert_eq!(served(&[&child]), [11]);
    assert_eq!(served(&[]), [0_u32; 0]);
}

#[test]
fn what_is_no_proof_is_not_served() {
    assert!(ProofsToBeginFrom(Bytes(vec![4, 0])).generate(Hash::zero()).is_err());
}
