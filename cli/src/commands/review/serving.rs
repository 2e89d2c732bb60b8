//! Where files of draws are to be had: who accepts a file answers for it being there, and says on the chain where it
//! serves it. An address that an account announced is a text that a stranger wrote: [`announced`] says which are dialled.

use crate::{
    context::Context,
    error::{CliError, Result},
};
use openledger_client::{AccountId, Client};
use openledger_content::{announced, Multiaddr, Reach, MAX_VISITED};
use openledger_primitives::{
    committee::{FileState, PoolId},
    SubmissionId,
};
use openledger_reviewer::holders::{by_stand, Holders};

/// Which addresses are dialled, and announced, on a chain.
pub(crate) async fn reach(client: &Client) -> Result<Reach> {
    Ok(match client.is_development().await? {
        true => Reach::Any,
        false => Reach::Public,
    })
}

/// An address to announce: one that others would dial.
pub(crate) fn require(address: &Multiaddr, reach: Reach) -> Result<String> {
    let address = announced(&address.to_string(), reach).map_err(|error| {
        CliError::usage(error.to_string()).next(
            "name the address at which others reach the node, as /ip4/NUMBER/tcp/PORT/p2p/PEER: \
             `openledger-ipfs daemon` and `openledger review run` say their own when they start",
        )
    })?;
    Ok(address.to_string())
}

/// Most accounts of a pool whose addresses are dialled at the same time.
const MAX_ACCOUNTS: usize = 48;

/// Where the first of these accounts with seats in a pool serve, as far as this machine dials it: one address of each in
/// their order, then a second one of each, and so on, so that nobody's many keep others' out.
pub(crate) async fn addresses(
    client: &Client,
    pool: PoolId,
    accounts: &[AccountId],
    reach: Reach,
) -> Result<Vec<Multiaddr>> {
    let first = accounts.get(..MAX_ACCOUNTS).unwrap_or(accounts);
    let said = client.addresses(pool, first).await?;
    let dialled =
        |texts: Vec<String>| texts.into_iter().filter_map(move |text| announced(&text, reach).ok());
    Ok(in_turns(said.into_iter().map(|(_, texts)| dialled(texts)).collect()))
}

/// The first of each, then the second of each, and so on.
fn in_turns(mut each: Vec<impl Iterator<Item = Multiaddr>>) -> Vec<Multiaddr> {
    let mut found = Vec::new();
    while found.len() < MAX_VISITED {
        let turn: Vec<_> = each.iter_mut().filter_map(Iterator::next).collect();
        if turn.is_empty() {
            break;
        }
        found.extend(turn);
    }
    found.truncate(MAX_VISITED);
    found
}

/// Where the file of a submission may be had that committees have before them; nowhere, if the chain does not say.
pub(crate) async fn of_submission(context: &Context, submission: SubmissionId) -> Vec<Multiaddr> {
    match find(context, submission).await {
        Ok(found) => found,
        Err(error) => {
            // It is asked for all the same, of whom --peer names.
            tracing::info!(submission, "who serves it is not known: {}", error.text());
            Vec::new()
        }
    }
}

async fn find(context: &Context, submission: SubmissionId) -> Result<Vec<Multiaddr>> {
    let client = context.client().await?;
    let Some(id) = client.draw_of(submission).await? else { return Ok(Vec::new()) };
    let Some(view) = client.draw(id).await? else { return Ok(Vec::new()) };
    let place = view.draw.files.iter().position(|file| file.submission == submission);
    let mut accounts = by_stand(&view, place.unwrap_or_default());
    let state = place.and_then(|place| view.draw.files.get(place)).map(|file| &file.state);
    if let Some(FileState::Challenged { by, .. }) = state {
        let larger = client.draw(*by).await?;
        accounts.extend(larger.iter().flat_map(|view| &view.draw.members).map(|one| one.account));
    }
    addresses(client, view.pool, &accounts, reach(client).await?).await
}

/// Where those serve who may have what waits, a turn each pool, so that none keeps another's out.
pub(crate) async fn of_holders(
    client: &Client,
    holders: &Holders<AccountId>,
    reach: Reach,
) -> Result<Vec<Multiaddr>> {
    let mut pools = Vec::new();
    for (pool, accounts) in holders {
        pools.push(addresses(client, *pool, accounts, reach).await?.into_iter());
    }
    Ok(in_turns(pools))
}
