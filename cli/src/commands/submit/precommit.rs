//! Precommitments, and the salts that open them: `DIR/precommitted/<Datanet>/<sha256>`.
//!
//! A salt is kept until the chain forgets the precommitment, so that an interrupted command goes on
//! where it was: the file counts in the day's quota once.

use crate::{
    context::Context,
    error::{CliError, Result},
};
use openledger_client::{commitment, secretbox, AccountId, Client, Signer, Wait};
use openledger_primitives::{DatanetId, FileHash, Salt};
use std::{
    collections::BTreeSet,
    fs,
    io::{Read, Write},
    path::PathBuf,
    time::Duration,
};

fn place(context: &Context, datanet: DatanetId, sha256: &FileHash) -> Result<PathBuf> {
    let folder = context.ipfs_directory()?.join("precommitted").join(datanet.to_string());
    Ok(folder.join(hex::encode(sha256)))
}

/// The salt by which a file was precommitted. What cannot be read is none.
fn kept(path: &PathBuf) -> Option<Salt> {
    let mut text = String::new();
    fs::File::open(path).ok()?.take(65).read_to_string(&mut text).ok()?;
    hex::decode(text.trim_end()).ok()?.try_into().ok()
}

fn keep(path: &PathBuf, salt: &Salt) -> Result<()> {
    let failed = |source| openledger_content::Error::io("write", path, source);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    Ok(writeln!(file, "{}", hex::encode(salt)).map_err(failed)?)
}

/// How long what was sent is waited for, and how old a salt is of a run that may have sent something just now.
pub(super) const LATELY: Duration = Duration::from_secs(30);

/// Whether a salt was kept just now, by a run that has not come to its end.
pub(super) fn lately(context: &Context, datanet: DatanetId) -> Result<bool> {
    let folder = context.ipfs_directory()?.join("precommitted").join(datanet.to_string());
    let Ok(entries) = fs::read_dir(folder) else { return Ok(false) };
    let age = |entry: fs::DirEntry| entry.metadata().ok()?.modified().ok()?.elapsed().ok();
    Ok(entries.flatten().filter_map(age).any(|age| age < LATELY))
}

/// An account's precommitments that can still be opened.
pub(super) struct Standing {
    account: AccountId,
    commitments: BTreeSet<[u8; 32]>,
}

impl Standing {
    pub(super) async fn of(client: &Client, account: AccountId) -> Result<Self> {
        let standing = client.precommits(account).await?;
        let commitments = standing.into_iter().map(|precommit| precommit.commitment.0).collect();
        Ok(Self { account, commitments })
    }

    /// The salt by which a file was precommitted in an earlier run, if it can still be opened.
    pub(super) fn salt(
        &self,
        context: &Context,
        datanet: DatanetId,
        sha256: &FileHash,
    ) -> Result<Option<Salt>> {
        let salt = kept(&place(context, datanet, sha256)?);
        Ok(salt.filter(|salt| {
            let hash = commitment(&self.account, datanet, sha256, salt);
            self.commitments.contains(&hash.0)
        }))
    }
}

/// Puts precommitments of files into a block, and answers the salt that opens them.
pub(super) async fn promise(
    context: &Context,
    client: &Client,
    signer: &Signer,
    datanet: DatanetId,
    files: &[FileHash],
) -> Result<Salt> {
    let salt: Salt = secretbox::random()
        .map_err(|error| CliError::failed(format!("no random numbers: {error}")))?;
    // Kept before it is sent: a promise that nobody can open is a file of the quota for nothing.
    for sha256 in files {
        keep(&place(context, datanet, sha256)?, &salt)?;
    }
    client.precommit_files(signer, datanet, files, &salt, Wait::InBlock).await?;
    Ok(salt)
}

/// Forgets the salt of a file that is submitted.
pub(super) fn forget(context: &Context, datanet: DatanetId, sha256: &FileHash) -> Result<()> {
    let path = place(context, datanet, sha256)?;
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(openledger_content::Error::io("remove", &path, error).into())
        }
        _ => Ok(()),
    }
}
