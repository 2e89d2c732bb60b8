//! OPEN for newcomers, on development chains only.

pub mod api;

use crate::uploads::options::UploadArguments;
use openledger_client::{Client, ClientError, KeyFileError, KeyReference, Signer};
use std::io::Read;
use tokio::sync::Semaphore;

/// Gifts that wait for their block at the same time.
const WAITING: usize = 16;
/// Bytes of a password file, at most.
const MAX_PASSWORD: u64 = 4096;

/// Gives OPEN away.
pub struct Faucet {
    client: Client,
    signer: Signer,
    amount: u128,
    per_address: u32,
    per_day: u32,
    waiting: Semaphore,
}

impl Faucet {
    /// The faucet of a key, where the operator named one.
    ///
    /// # Errors
    ///
    /// [`ClientError::DevelopmentKey`] on a chain that is not for development, and those of key files.
    pub async fn open(
        arguments: &UploadArguments,
        client: &Client,
    ) -> Result<Option<Self>, ClientError> {
        let Some(key) = &arguments.faucet_key else { return Ok(None) };
        // Whatever the key is: what is given away here must be worth nothing.
        client.require_development().await?;
        let password = password(arguments)?;
        let reference = KeyReference::parse(key, &arguments.keys())?;
        let signer = reference.open(client, password.as_deref()).await?;
        Ok(Some(Self {
            client: client.clone(),
            signer,
            amount: arguments.faucet_amount.0,
            per_address: arguments.faucet_per_address,
            per_day: arguments.faucet_per_day,
            waiting: Semaphore::new(WAITING),
        }))
    }
}

fn password(arguments: &UploadArguments) -> Result<Option<String>, ClientError> {
    let Some(path) = &arguments.password_file else {
        return Ok(std::env::var("OPENLEDGER_PASSWORD").ok());
    };
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_PASSWORD).read_to_string(&mut text))
        .map_err(|source| KeyFileError::Io { action: "read", path: path.clone(), source })?;
    // Editors end files with a line ending, passwords do not.
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}
