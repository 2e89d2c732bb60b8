//! What was committed to and is to be shown: `DIR/votes/<genesis>/<account>/<draw>/<commitment>`.
//!
//! Whoever loses a salt between commitment and reveal loses a part of its seat. So a vote is on the disk,
//! flushed with its folder, before its commitment is sent, and no vote ever takes the place of another: which
//! of several the chain has is for the chain to say.

use crate::{
    context::Context,
    error::{CliError, Result},
};
use codec::{Decode, DecodeAll, Encode};
use openledger_client::{committee::seal, secretbox, AccountId, H256};
use openledger_primitives::{
    committee::{DrawId, Opinions, Seed},
    Salt,
};
use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// Most bytes of a kept vote: 20 opinions have less than 2,000.
const MAX_FILE: u64 = 16 * 1024;

/// A vote that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Sealed {
    /// The draw.
    pub(crate) draw: DrawId,
    /// Its seed.
    pub(crate) seed: Seed,
    /// Whose, as 32 bytes.
    account: [u8; 32],
    /// What is said of each file.
    pub(crate) opinions: Opinions,
    /// What keeps it secret.
    pub(crate) salt: Salt,
}

impl Sealed {
    /// A vote with a fresh salt.
    pub(crate) fn new(
        draw: DrawId,
        seed: Seed,
        account: AccountId,
        opinions: Opinions,
    ) -> Result<Self> {
        let salt: Salt = secretbox::random()
            .map_err(|error| CliError::failed(format!("no random numbers: {error}")))?;
        Ok(Self { draw, seed, account: account.0, opinions, salt })
    }

    /// What is committed to.
    pub(crate) fn commitment(&self) -> H256 {
        seal(self.draw, &self.seed, &AccountId::from(self.account), &self.opinions, &self.salt)
    }
}

/// Where the votes of an account on a draw are kept.
pub(crate) async fn folder(context: &Context, account: AccountId, draw: DrawId) -> Result<PathBuf> {
    let genesis = hex::encode(context.client().await?.genesis().await?.0);
    let folder = context.ipfs_directory()?.join("votes").join(genesis);
    Ok(folder.join(account.to_string()).join(draw.to_string()))
}

/// Keeps a vote. When this returns, it is on the disk.
pub(crate) fn keep(folder: &Path, vote: &Sealed) -> Result<PathBuf> {
    let path = folder.join(hex::encode(vote.commitment().0));
    let failed = |source| CliError::from(openledger_content::Error::io("keep", &path, source));
    write(folder, &path, &vote.encode()).map_err(failed)?;
    Ok(path)
}

fn write(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let temporary = path.with_extension("tmp");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    // The folders' own entries, up to the one that all votes are in.
    for folder in folder.ancestors().take(4) {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// The vote whose commitment the chain has.
pub(crate) fn kept(folder: &Path, commitment: H256) -> Result<Sealed> {
    let path = folder.join(hex::encode(commitment.0));
    let lost = |why: String| {
        CliError::failed(format!(
            "what was committed to cannot be read from {}: {why}",
            path.display()
        ))
        .next(
            "without it nothing can be shown; name the folder it was kept in with --ipfs-directory",
        )
    };
    let mut bytes = Vec::new();
    let file = fs::File::open(&path).map_err(|error| lost(error.to_string()))?;
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(|error| lost(error.to_string()))?;
    let vote =
        Sealed::decode_all(&mut bytes.as_slice()).map_err(|error| lost(error.to_string()))?;
    match vote.commitment() == commitment {
        true => Ok(vote),
        false => Err(lost("it is another vote".to_owned())),
    }
}
