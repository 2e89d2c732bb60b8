//! Precommitments: what lets an account show a file first without showing it.
//!
//! Whoever watches the transaction pool sees every submission before it is in a block, and can pay to
//! be there first. So an account first puts a hash in a block that only it can open, and then opens
//! it: the file counts as submitted in the block of the hash. Nobody else can open it, because the
//! account is part of what is hashed, and nobody can guess what it hides, because the salt is.

use crate::{DatanetId, FileHash};
use alloc::vec::Vec;
use codec::Encode;
use sp_core::H256;
use sp_crypto_hashing::sha2_256;

/// Random bytes that hide what a precommitment is of.
pub type Salt = [u8; 32];

/// What is hashed first, so that no other hash can be taken for a precommitment.
pub const TAG: &[u8] = b"openledger/precommit";

/// Precommitments that an account may have standing: those of two days, since a day of UTC is over
/// before a precommitment of its last hour is.
pub const MAX_PRECOMMITS: u32 = 40;

/// The precommitment of `account` to submit the file `sha256` to `datanet`: sha2-256 of
/// [`TAG`], the SCALE-encoded account (32 bytes on OpenLedger), the Datanet's number (4 bytes,
/// little-endian), the file's hash and the salt.
pub fn precommitment<A: Encode>(
    account: &A,
    datanet: DatanetId,
    sha256: &FileHash,
    salt: &Salt,
) -> H256 {
    let mut bytes = Vec::with_capacity(TAG.len().saturating_add(100));
    bytes.extend_from_slice(TAG);
    account.encode_to(&mut bytes);
    bytes.extend_from_slice(&datanet.to_le_bytes());
    bytes.extend_from_slice(sha256);
    bytes.extend_from_slice(salt);
    H256(sha2_256(&bytes))
}
