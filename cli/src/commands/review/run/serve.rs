//! That others find what this program accepts, and this program what others have accepted.

use super::{is_to_commit, Daemon};
use crate::{
    commands::{review::serving, seat},
    error::{CliError, Result},
};
use openledger_client::{AccountId, Client, Wait};
use openledger_content::{announced, IpfsNode, Multiaddr, Reach};
use openledger_primitives::{
    committee::{api::DrawView, PoolId, MAX_ADDRESSES},
    Modality,
};
use openledger_reviewer::holders::{holders, Holders};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// Until those who may have the files are asked anew where they serve, and until seats are looked for anew.
const EVERY: Duration = Duration::from_secs(30);
/// Until addresses that were said are said anew, where others took their place.
const SAY_EVERY: Duration = Duration::from_secs(3_600);

/// Where this program serves, and whom it visits.
pub(super) struct Serving {
    reach: Reach,
    /// Addresses at which others reach it, as its owner says; none where those that it listens at are.
    named: Vec<String>,
    /// What was found to be said on the chain, or was said, for seats in a pool, and when.
    said: BTreeMap<PoolId, (Vec<String>, Instant)>,
    looked_at: Option<Instant>,
    holders: Holders<AccountId>,
    asked_at: Option<Instant>,
}

impl Serving {
    /// Of a node whose owner names such addresses, without its key.
    pub(super) async fn new(
        client: &Client,
        node: &IpfsNode,
        announce: &[Multiaddr],
    ) -> Result<Self> {
        let reach = serving::reach(client).await?;
        let whole = |address: &Multiaddr| {
            let address = address.clone().with_p2p(node.peer_id()).unwrap_or_else(|other| other);
            serving::require(&address, reach)
        };
        let named = announce.iter().map(whole).collect::<Result<Vec<_>>>()?;
        if named.len() > MAX_ADDRESSES as usize {
            let most = format!("{} addresses, and at most {MAX_ADDRESSES} are said", named.len());
            return Err(CliError::usage(most).next("name those that most others reach"));
        }
        let (said, holders) = (BTreeMap::new(), Holders::new());
        Ok(Self { reach, named, said, looked_at: None, holders, asked_at: None })
    }

    /// What is said, of a node that listens or does not.
    fn own(&self, node: &IpfsNode) -> Vec<String> {
        if !self.named.is_empty() {
            return self.named.clone();
        }
        let listens = node.listen_addresses();
        let texts = listens.iter().map(Multiaddr::to_string);
        let mut own: Vec<_> = texts.filter(|text| announced(text, self.reach).is_ok()).collect();
        own.sort();
        own.truncate(MAX_ADDRESSES as usize);
        own
    }
}

impl Daemon<'_> {
    /// Says on the chain where this program serves, for the seats of every kind of file and of the draws that it is
    /// in; where it serves nowhere that anybody is told of, says what that risks.
    pub(super) async fn announce(&mut self, mine: &[&DrawView<AccountId>]) -> Result<()> {
        if self.serving.looked_at.is_some_and(|at| at.elapsed() < EVERY) {
            return Ok(());
        }
        self.serving.looked_at = Some(Instant::now());
        let own = self.serving.own(&self.shared.node);
        let kinds = Modality::ALL.into_iter().map(PoolId::Modality);
        let pools: BTreeSet<PoolId> = kinds.chain(mine.iter().map(|view| view.pool)).collect();
        for pool in pools {
            let before = self.serving.said.get(&pool);
            if before.is_some_and(|(said, at)| *said == own || at.elapsed() < SAY_EVERY)
                || self.client.seats(pool, self.account).await?.is_none()
            {
                continue;
            }
            let said = self.client.addresses(pool, &[self.account]).await?;
            let said = said.into_iter().next().map(|(_, said)| said).unwrap_or_default();
            if own.is_empty() && said.is_empty() {
                let json = json!({ "pool": seat::as_json(pool), "servesAt": [] });
                let name = seat::name(pool);
                self.say(json, format!(
                    "Nobody is told where to fetch what this account accepts with its seats for {name}: a file that \
                     somebody hides from a challenge's committee costs it up to 10 OPEN. Start with --listen (and \
                     --announce, behind a router), or serve the directory with `openledger-ipfs daemon` and \
                     name that with `openledger seat serve-at`."
                ));
            } else if !own.is_empty() && own != said {
                let wait = self.context.wait(Wait::InBlock);
                self.client.serve_at(&self.signer, pool, &own, wait).await?;
                let json = json!({ "pool": seat::as_json(pool), "servesAt": own });
                self.say(json, format!("Serves {} at {}.", seat::name(pool), own.join(", ")));
            }
            self.serving.said.insert(pool, (own.clone(), Instant::now()));
        }
        Ok(())
    }

    /// Keeps the node connected with those who may have the files that wait for this account's word.
    pub(super) async fn visit(
        &mut self,
        all: &[DrawView<AccountId>],
        mine: &[&DrawView<AccountId>],
    ) -> Result<()> {
        let open: Vec<_> =
            mine.iter().copied().filter(|view| is_to_commit(view, &self.account)).collect();
        let holders = holders(&open, all, &self.account);
        let asked = self.serving.asked_at.is_some_and(|at| at.elapsed() < EVERY);
        if asked && holders == self.serving.holders {
            return Ok(());
        }
        let found = serving::of_holders(&self.client, &holders, self.serving.reach).await?;
        self.shared.node.visit(found)?;
        (self.serving.holders, self.serving.asked_at) = (holders, Some(Instant::now()));
        Ok(())
    }
}
