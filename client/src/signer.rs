//! Who signs: sr25519 keys from key files, secrets in the environment, and development keys.

use crate::AccountId;
use sp_core::{
    crypto::{Pair as _, DEV_PHRASE},
    sr25519::Pair,
};
use subxt::{utils::MultiSignature, SubstrateConfig};
use zeroize::Zeroizing;

/// A secret that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not a secret: a recovery phrase has 12 to 24 words of the BIP-39 list, a seed is 0x \
     and 64 hexadecimal digits"
)]
pub struct InvalidSecret;

/// An sr25519 key pair that signs transactions.
///
/// Its `Debug` form shows the account only.
#[derive(Clone)]
pub struct Signer {
    pair: Pair,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.account())
    }
}

impl Signer {
    /// A new random key with its recovery phrase of 12 words, from which wallets restore it.
    pub fn generate() -> (Self, Zeroizing<String>) {
        let (pair, phrase, _seed) = Pair::generate_with_phrase(None);
        (Self { pair }, Zeroizing::new(phrase))
    }

    /// The key of a recovery phrase or secret URI (`word word …//hard/soft///password`, or a seed
    /// as `0x` and 64 hexadecimal digits). `//Alice` and the like give development keys: ask
    /// [`is_development_secret`] and [`Client::require_development`](crate::Client::require_development) first.
    ///
    /// # Errors
    ///
    /// [`InvalidSecret`]; it does not repeat the secret.
    pub fn from_secret(secret: &str) -> Result<Self, InvalidSecret> {
        // The error is not shown: some of its variants quote their input.
        let pair = Pair::from_string(secret.trim(), None).map_err(|_| InvalidSecret)?;
        Ok(Self { pair })
    }

    /// The key of an expanded secret key of 64 bytes, as key files hold it.
    ///
    /// # Errors
    ///
    /// [`InvalidSecret`].
    pub(crate) fn from_secret_key(bytes: &[u8]) -> Result<Self, InvalidSecret> {
        let secret = schnorrkel::SecretKey::from_ed25519_bytes(bytes).map_err(|_| InvalidSecret)?;
        Ok(Self { pair: secret.into() })
    }

    /// The expanded secret key, as key files hold it.
    pub(crate) fn secret(&self) -> Zeroizing<[u8; 64]> {
        Zeroizing::new(self.pair.as_ref().secret.to_ed25519_bytes())
    }

    /// An sr25519 signature of any bytes, under the context `substrate`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.pair.sign(message).0
    }

    /// The account that signs.
    pub fn account(&self) -> AccountId {
        AccountId::from(self.pair.public().0)
    }
}

impl subxt::tx::Signer<SubstrateConfig> for Signer {
    fn account_id(&self) -> AccountId {
        self.account()
    }

    fn sign(&self, payload: &[u8]) -> MultiSignature {
        MultiSignature::Sr25519(Signer::sign(self, payload))
    }
}

/// Whether a secret belongs to the keys that everybody knows (`//Alice` and the like).
pub fn is_development_secret(secret: &str) -> bool {
    let secret = secret.trim();
    secret.starts_with('/') || secret.contains(DEV_PHRASE)
}
