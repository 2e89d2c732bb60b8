//! Signatures of wallets over raw bytes.

use openledger_client::AccountId;
use serde::Deserialize;
use sp_core::{ecdsa, sr25519, Pair};
use sp_crypto_hashing::blake2_256;
use utoipa::ToSchema;

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Schnorr over ristretto25519, context `substrate`; the account is the public key.
    Sr25519,
    /// The account is the public key.
    Ed25519,
    /// secp256k1 over BLAKE2b-256, recoverable; the account is BLAKE2b-256 of the compressed key.
    Ecdsa,
}

/// Whether `signature` is the account's over `<Bytes>`, `message` and `</Bytes>`.
///
/// The wrapping is what wallets put around raw bytes, so that no signature of theirs can be one of a
/// transaction. A leading byte that names the scheme, as some wallets write it, is taken too. Without
/// `scheme`, each that has signatures of this length is tried.
pub fn verify(
    account: &AccountId,
    message: &[u8],
    signature: &[u8],
    scheme: Option<Scheme>,
) -> bool {
    let mut wrapped = b"<Bytes>".to_vec();
    wrapped.extend_from_slice(message);
    wrapped.extend_from_slice(b"</Bytes>");
    [Scheme::Sr25519, Scheme::Ed25519, Scheme::Ecdsa]
        .into_iter()
        .filter(|one| scheme.is_none_or(|scheme| scheme == *one))
        .any(|one| fits(one, account, &wrapped, signature))
}

fn fits(scheme: Scheme, account: &AccountId, wrapped: &[u8], signature: &[u8]) -> bool {
    // Places of the variants of sp_runtime's MultiSignature.
    let (name, length) = match scheme {
        Scheme::Ed25519 => (0, 64),
        Scheme::Sr25519 => (1, 64),
        Scheme::Ecdsa => (2, 65),
    };
    let signature = match signature {
        [first, rest @ ..] if *first == name && rest.len() == length => rest,
        whole => whole,
    };
    match scheme {
        Scheme::Sr25519 => <[u8; 64]>::try_from(signature).is_ok_and(|bytes| {
            // Of ristretto's points only this one is of small order, with the same consequence.
            if account.0 == [0; 32] {
                return false;
            }
            let key = sr25519::Public::from_raw(account.0);
            sr25519::Pair::verify(&sr25519::Signature::from_raw(bytes), wrapped, &key)
        }),
        // Strictly: for a key of small order there are signatures that anyone can make, of any text.
        Scheme::Ed25519 => <[u8; 64]>::try_from(signature).is_ok_and(|bytes| {
            let signature = ed25519_dalek::Signature::from_bytes(&bytes);
            let key = ed25519_dalek::VerifyingKey::from_bytes(&account.0);
            key.is_ok_and(|key| key.verify_strict(wrapped, &signature).is_ok())
        }),
        Scheme::Ecdsa => <[u8; 65]>::try_from(signature).is_ok_and(|mut bytes| {
            // Ethereum's way of counting the recovery id, which some wallets keep.
            if let [.., last @ (27 | 28)] = &mut bytes {
                *last -= 27;
            }
            let key = ecdsa::Signature::from_raw(bytes).recover(wrapped);
            key.is_some_and(|key| blake2_256(&key.0) == account.0)
        }),
    }
}
