//! Where a reviewer's databases are: `DIR/review/<genesis>/index.sqlite`, shared by all accounts on a chain, and
//! `DIR/review/<genesis>/<account>/{queue,challenges}.sqlite`.

use crate::{
    context::Context,
    error::{CliError, Result},
};
use openledger_client::AccountId;
use openledger_reviewer::{Challenges, Index, Queue};
use std::path::PathBuf;

async fn folder(context: &Context) -> Result<PathBuf> {
    let genesis = hex::encode(context.client().await?.genesis().await?.0);
    Ok(context.ipfs_directory()?.join("review").join(genesis))
}

/// The index of likenesses of a chain.
pub(super) async fn index(context: &Context) -> Result<Index> {
    Ok(Index::open(&folder(context).await?.join("index.sqlite"))?)
}

/// The queue of an account.
pub(super) async fn queue(context: &Context, account: AccountId) -> Result<Queue> {
    Ok(Queue::open(&folder(context).await?.join(account.to_string()).join("queue.sqlite"))?)
}

/// What an account has challenged by program.
pub(super) async fn challenges(context: &Context, account: AccountId) -> Result<Challenges> {
    let folder = folder(context).await?.join(account.to_string());
    Ok(Challenges::open(&folder.join("challenges.sqlite"))?)
}

impl From<openledger_reviewer::Error> for CliError {
    fn from(error: openledger_reviewer::Error) -> Self {
        match error {
            openledger_reviewer::Error::Policy { .. } => Self::usage(error.to_string()),
            _ => Self::failed(error.to_string()),
        }
    }
}
