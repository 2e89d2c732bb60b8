//! Keys by name, as users give them.

use crate::{
    connection::Client,
    errors::{ClientError, Result},
    keyfile::{self, KeyFileError},
    signer::Signer,
    AccountId,
};
use std::path::{Path, PathBuf};

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
                Ok(Signer::from_secret(uri)?)
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
