//! Who signs: sr25519 keys from key files, secrets in the environment, and development keys.

use crate::{
    connection::Client,
    errors::{ClientError, Result},
    keyfile::{self, KeyFileError},
    AccountId,
};
use sp_core::{
    crypto::{Pair as _, DEV_PHRASE},
    sr25519::Pair,
};
use std::path::{Path, PathBuf};
use subxt::{utils::MultiSignature, SubstrateConfig};
use zeroize::Zeroizing;

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
    /// [`is_development_secret`] and [`Client::require_development`] first.
    ///
    /// # Errors
    ///
    /// [`ClientError::Secret`]; it does not repeat the secret.
    pub fn from_secret(secret: &str) -> Result<Self> {
        // The error is not shown: some of its variants quote their input.
        let pair = Pair::from_string(secret.trim(), None).map_err(|_| ClientError::Secret)?;
        Ok(Self { pair })
    }

    /// The key of an expanded secret key of 64 bytes, as key files hold it.
    ///
    /// # Errors
    ///
    /// [`ClientError::Secret`].
    pub(crate) fn from_secret_key(bytes: &[u8]) -> Result<Self> {
        let secret =
            schnorrkel::SecretKey::from_ed25519_bytes(bytes).map_err(|_| ClientError::Secret)?;
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

/// How a user names a key: `//Alice`, a file, or the name of a file in the keys directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyReference {
    /// A development key, for chains of type Development or Local only.
    Development(String),
    /// A key file.
    File(PathBuf),
}

impl KeyReference {
    /// Reads what a user wrote. A text with a path separator, or that ends in `.json`, is a path.
    ///
    /// # Errors
    ///
    /// [`KeyFileError::Name`], and [`ClientError::SecretInArguments`] for a phrase.
    pub fn parse(text: &str, keys_directory: &Path) -> Result<Self> {
        if text.starts_with("//") {
            return Ok(Self::Development(text.to_owned()));
        }
        let hexadecimal = text.strip_prefix("0x").is_some_and(|seed| seed.len() == 64);
        if text.split_whitespace().count() >= 12 || hexadecimal {
            return Err(ClientError::SecretInArguments);
        }
        if text.contains(['/', '\\']) || text.ends_with(".json") {
            return Ok(Self::File(text.into()));
        }
        Ok(Self::File(keyfile::path_of(keys_directory, text)?))
    }

    /// Opens the key. Development keys are refused unless the chain is one for development.
    ///
    /// # Errors
    ///
    /// [`ClientError::DevelopmentKey`], [`ClientError::KeyFile`].
    pub async fn open(&self, client: &Client, password: Option<&str>) -> Result<Signer> {
        match self {
            Self::Development(uri) => {
                client.require_development().await?;
                Signer::from_secret(uri)
            }
            Self::File(path) => {
                // A missing file is reported as such, not as a missing password.
                keyfile::account(path)?;
                let password =
                    password.ok_or_else(|| KeyFileError::PasswordNeeded(path.clone()))?;
                Ok(keyfile::read(path, password)?)
            }
        }
    }

    /// The account of the key, without opening it.
    ///
    /// # Errors
    ///
    /// [`ClientError::KeyFile`], [`ClientError::Secret`].
    pub fn account(&self) -> Result<AccountId> {
        match self {
            Self::Development(uri) => Ok(Signer::from_secret(uri)?.account()),
            Self::File(path) => Ok(keyfile::account(path)?),
        }
    }
}
