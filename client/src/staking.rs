//! Staking: session keys, bonds, validating, nominating, payouts, and where an account stands.

use crate::{
    connection::Client,
    errors::{ClientError, Result},
    runtime::{
        self,
        runtime_types::{
            openledger_runtime::SessionKeys,
            pallet_staking::{RewardDestination, ValidatorPrefs},
            sp_arithmetic::per_things::Perbill,
            sp_consensus_babe::app::Public as BabeKey,
            sp_consensus_grandpa::app::Public as GrandpaKey,
        },
    },
    signer::Signer,
    transactions::{Receipt, Wait},
    AccountId,
};
use codec::Encode;
use openledger_primitives::{
    staking::{least_backing, least_to_stay},
    Balance,
};
use subxt::{rpcs::client::rpc_params, utils::H256};

/// Decodes what stands in storage under an address, if anything does.
macro_rules! read {
    ($client:expr, $at:expr, $what:literal, $address:expr, $key:expr) => {{
        let value = $at.storage().try_fetch($address, $key).await;
        match value.map_err(|error| $client.odd($what, error))? {
            Some(value) => Some(value.decode().map_err(|error| $client.odd($what, error))?),
            None => None,
        }
    }};
}

/// Parts of a commission in a whole.
pub const COMMISSION_PARTS: u32 = 1_000_000_000;
/// Eras whose payouts the chain still makes.
pub const HISTORY: u32 = 84;
/// More accounts than ever validate or stand for election, at which a search ends.
const MOST_CANDIDATES: u32 = 400;

/// Session keys that a node has made, and what shows that it has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeKeys {
    /// The public keys, as `session.set_keys` takes them.
    pub keys: Vec<u8>,
    /// Signatures of the keys over their owner.
    pub proof: Vec<u8>,
}

/// What an account does with its stake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StakeRole {
    /// Nothing.
    #[default]
    Idle,
    /// Offers itself as a validator.
    Validates {
        /// What it keeps of its stakers' payouts, in parts of [`COMMISSION_PARTS`].
        commission: u32,
    },
    /// Backs validators.
    Nominates {
        /// Whom.
        targets: Vec<AccountId>,
    },
}

/// Where an account stands in staking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stake {
    /// The era that is paid next.
    pub era: u32,
    /// Plancks that count in the next election.
    pub active: Balance,
    /// Plancks on their way out, with the era from which each can be withdrawn.
    pub unlocking: Vec<(Balance, u32)>,
    /// What it does with them.
    pub role: StakeRole,
    /// Whether its session keys are set.
    pub keys: bool,
    /// Whether it makes blocks now.
    pub elected: bool,
    /// Whether it has bonded anything.
    pub bonded: bool,
    /// Plancks that it needs behind it for a seat, own and nominated: half of what the validators of this era
    /// have, by the median, and a fifth less for who is one of them. It moves with them until the election.
    pub least_backing: Balance,
    /// What the last election said of it; none before the first.
    pub election: Option<Election>,
    /// Ended eras of which this validator and its nominators were not paid yet.
    pub unpaid: Vec<Unpaid>,
}

/// What an election said of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Election {
    /// The era that it was for: the one of now, or the next one, for which it is held a session before that begins.
    pub era: u32,
    /// Whether the account has a seat in that era.
    pub elected: bool,
    /// Plancks behind the account in that era, own and nominated; 0 without a seat.
    pub backing: Balance,
    /// Plancks that it needed: half of what those who had a seat and kept it have, by the median, and a fifth less for
    /// who was one of them.
    pub needed: Balance,
}

/// What an ended era owes a validator and who nominates it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unpaid {
    /// The era.
    pub era: u32,
    /// Calls that it takes: each pays a page of 64 stakers.
    pub calls: u32,
}

impl Client {
    /// Has the node make new session keys, which it keeps, for the account `owner`. Only a node that was started with
    /// `--rpc-methods unsafe`, or is asked from its own machine, does so.
    pub async fn rotate_session_keys(&self, owner: AccountId) -> Result<NodeKeys> {
        const METHOD: &str = "author_rotateKeysWithOwner";
        #[derive(serde::Deserialize)]
        struct Answer {
            keys: String,
            proof: Option<String>,
        }
        let owner = format!("0x{}", hex::encode(owner.encode()));
        let answer: Answer = self.request(METHOD, rpc_params![owner]).await?;
        let bytes = |text: &str| {
            hex::decode(text.trim_start_matches("0x")).map_err(|error| ClientError::Answer {
                what: METHOD.into(),
                reason: error.to_string(),
            })
        };
        let proof = answer.proof.ok_or_else(|| ClientError::Answer {
            what: METHOD.into(),
            reason: "the node gives no proof that the keys are its own".into(),
        })?;
        Ok(NodeKeys { keys: bytes(&answer.keys)?, proof: bytes(&proof)? })
    }

    /// Accounts other than `owner` that validate or stand for election and whose session keys the node has. It is
    /// asked as for [new ones](Self::rotate_session_keys), and knows of each whether it has all of its keys.
    pub async fn others_with_keys_on_node(&self, owner: AccountId) -> Result<Vec<AccountId>> {
        let block = self.best().await?.1;
        let at = self.at(block).await?;
        let storage = runtime::storage();
        let validators = read!(self, at, "Session::Validators", storage.session().validators(), ());
        let mut accounts = validators.unwrap_or_default();
        let entry = at.storage().entry(storage.staking().validators());
        let prefix = entry.map_err(|error| self.odd("Staking::Validators", error))?.key_prefix();
        accounts.extend(self.accounts_under(&prefix, block).await?);
        accounts.sort_unstable();
        accounts.dedup();
        let mut found = Vec::new();
        for account in accounts.into_iter().filter(|account| *account != owner) {
            let address = storage.session().next_keys();
            let Some(keys) = read!(self, at, "Session::NextKeys", address, (account,)) else {
                continue;
            };
            let keys = [keys.babe.0, keys.grandpa.0].concat();
            let params = rpc_params![format!("0x{}", hex::encode(keys))];
            if self.request("author_hasSessionKeys", params).await? {
                found.push(account);
            }
        }
        Ok(found)
    }

    /// The accounts that a map has values for: those that its keys under a prefix end with.
    async fn accounts_under(&self, prefix: &[u8], block: H256) -> Result<Vec<AccountId>> {
        let methods = &self.inner.methods;
        let keys = methods.state_get_keys_paged(prefix, MOST_CANDIDATES, None, Some(block)).await;
        let keys = keys.map_err(|error| self.failed("state_getKeysPaged", error))?;
        let account = |key: Vec<u8>| Some(AccountId::from(*key.last_chunk::<32>()?));
        Ok(keys.into_iter().filter_map(account).collect())
    }

    /// What the last election, for the era `era`, said of an account. What it needed is reckoned from those who had a
    /// seat and kept it: of who lost one the chain keeps nothing.
    async fn election(&self, account: AccountId, era: u32) -> Result<Option<Election>> {
        let Some(before) = era.checked_sub(1) else { return Ok(None) };
        let block = self.best().await?.1;
        let at = self.at(block).await?;
        const WHAT: &str = "Staking::ErasStakersOverview";
        let address = || runtime::storage().staking().eras_stakers_overview();
        let entry = at.storage().entry(address()).map_err(|error| self.odd(WHAT, error))?;
        let prefix = entry.iter_key((before,)).map_err(|error| self.odd(WHAT, error))?;
        let incumbents = self.accounts_under(&prefix, block).await?;
        let mut kept = Vec::new();
        for who in &incumbents {
            let stakers = read!(self, at, "Staking::ErasStakersOverview", address(), (era, *who));
            kept.extend(stakers.map(|stakers| stakers.total));
        }
        let least = least_backing(kept).unwrap_or(0);
        let own = read!(self, at, "Staking::ErasStakersOverview", address(), (era, account));
        let backing = own.as_ref().map_or(0, |stakers| stakers.total);
        let needed = if incumbents.contains(&account) { least_to_stay(least) } else { least };
        Ok(Some(Election { era, elected: own.is_some(), backing, needed }))
    }

    /// Sets the signer's session keys: from the next session but one on, blocks are made and finalised with them, if
    /// the signer is elected.
    pub async fn set_session_keys(
        &self,
        signer: &Signer,
        keys: NodeKeys,
        wait: Wait,
    ) -> Result<Receipt> {
        let parts = |bytes: &[u8]| {
            let (babe, grandpa) = bytes.split_at_checked(32)?;
            Some((babe.try_into().ok()?, grandpa.try_into().ok()?))
        };
        let (babe, grandpa) = parts(&keys.keys).ok_or_else(|| ClientError::Answer {
            what: "the session keys".into(),
            reason: format!(
                "{} bytes are not a key of BABE and one of GRANDPA, 32 each",
                keys.keys.len()
            ),
        })?;
        let decoded = SessionKeys { babe: BabeKey(babe), grandpa: GrandpaKey(grandpa) };
        let call = runtime::transactions().session().set_keys(decoded, keys.proof);
        self.send(signer, &call, wait).await
    }

    /// Bonds `amount` plancks more of the signer's; its payouts are bonded too if `compound`. The second is fixed
    /// by the first bond.
    pub async fn bond(
        &self,
        signer: &Signer,
        amount: Balance,
        compound: bool,
        wait: Wait,
    ) -> Result<Receipt> {
        let calls = runtime::transactions().staking();
        let at = self.at(self.best().await?.1).await?;
        let ledger = runtime::storage().staking().ledger();
        if read!(self, at, "Staking::Ledger", ledger, (signer.account(),)).is_some() {
            return self.send(signer, &calls.bond_extra(amount), wait).await;
        }
        let payee = if compound { RewardDestination::Staked } else { RewardDestination::Stash };
        self.send(signer, &calls.bond(amount, payee), wait).await
    }

    /// Offers the signer as a validator that keeps `commission` parts of [`COMMISSION_PARTS`].
    pub async fn validate(&self, signer: &Signer, commission: u32, wait: Wait) -> Result<Receipt> {
        let prefs = ValidatorPrefs { commission: Perbill(commission), blocked: false };
        self.send(signer, &runtime::transactions().staking().validate(prefs), wait).await
    }

    /// Backs validators with the signer's stake.
    pub async fn nominate(
        &self,
        signer: &Signer,
        targets: Vec<AccountId>,
        wait: Wait,
    ) -> Result<Receipt> {
        let targets = targets.into_iter().map(Into::into).collect();
        self.send(signer, &runtime::transactions().staking().nominate(targets), wait).await
    }

    /// Neither validates nor nominates any more, from the next election on.
    pub async fn chill(&self, signer: &Signer, wait: Wait) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().staking().chill(), wait).await
    }

    /// Takes the signer's session keys off the chain. Who makes blocks with them makes none any more.
    pub async fn purge_session_keys(&self, signer: &Signer, wait: Wait) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().session().purge_keys(), wait).await
    }

    /// Begins to unbond `amount` plancks.
    pub async fn unbond(&self, signer: &Signer, amount: Balance, wait: Wait) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().staking().unbond(amount), wait).await
    }

    /// Plancks that a validator and a nominator bond at least.
    pub async fn least_bonds(&self) -> Result<(Balance, Balance)> {
        let at = self.at(self.best().await?.1).await?;
        let storage = runtime::storage();
        let address = storage.staking().min_validator_bond();
        let validator = read!(self, at, "Staking::MinValidatorBond", address, ());
        let address = storage.staking().min_nominator_bond();
        let nominator = read!(self, at, "Staking::MinNominatorBond", address, ());
        Ok((validator.unwrap_or(0), nominator.unwrap_or(0)))
    }

    /// Frees what was unbonded for long enough.
    pub async fn withdraw_unbonded(&self, signer: &Signer, wait: Wait) -> Result<Receipt> {
        let spans = self.slashing_spans(signer.account()).await?;
        let call = runtime::transactions().staking().withdraw_unbonded(spans);
        self.send(signer, &call, wait).await
    }

    /// Spans of slashes of an account: who takes out all is asked for how many there are, which are cleared then.
    pub(crate) async fn slashing_spans(&self, account: AccountId) -> Result<u32> {
        let at = self.at(self.best().await?.1).await?;
        let address = runtime::storage().staking().slashing_spans();
        let spans = read!(self, at, "Staking::SlashingSpans", address, (account,));
        Ok(spans.map_or(0, |spans| spans.prior.len() as u32 + 1))
    }

    /// Has a validator and who nominates it paid for an era. Anyone may.
    pub async fn payout_stakers(
        &self,
        signer: &Signer,
        validator: AccountId,
        era: u32,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().staking().payout_stakers(validator, era);
        self.send(signer, &call, wait).await
    }

    /// Where an account stands, also one that has bonded nothing.
    pub async fn stake(&self, account: AccountId) -> Result<Stake> {
        let block = self.best().await?.1;
        let at = self.at(block).await?;
        let storage = runtime::storage();
        let ledger = read!(self, at, "Staking::Ledger", storage.staking().ledger(), (account,));
        let era = read!(self, at, "Staking::ActiveEra", storage.staking().active_era(), ());
        // Whoever does not validate has preferences too, those that are the default: what tells is whether any are
        // stored.
        let odd = |error| self.odd("Staking::Validators", error);
        let entry = at.storage().entry(storage.staking().validators()).map_err(odd)?;
        let key = entry.fetch_key((account,)).map_err(odd)?;
        let stored = self.inner.methods.state_get_storage(&key, Some(block)).await;
        let prefs = match stored.map_err(|error| self.failed("state_getStorage", error))? {
            Some(_) => {
                read!(self, at, "Staking::Validators", storage.staking().validators(), (account,))
            }
            None => None,
        };
        let nominations =
            read!(self, at, "Staking::Nominators", storage.staking().nominators(), (account,));
        let keys = read!(self, at, "Session::NextKeys", storage.session().next_keys(), (account,));
        let validators = read!(self, at, "Session::Validators", storage.session().validators(), ());
        let role = match (prefs, nominations) {
            (Some(prefs), _) => StakeRole::Validates { commission: prefs.commission.0 },
            (None, Some(nominations)) => StakeRole::Nominates { targets: nominations.targets.0 },
            (None, None) => StakeRole::Idle,
        };
        let era = era.map_or(0, |era| era.index);
        let planned = read!(self, at, "Staking::CurrentEra", storage.staking().current_era(), ());
        let election = self.election(account, planned.unwrap_or(era)).await?;
        let validators = validators.unwrap_or_default();
        let mut backing = Vec::new();
        for who in &validators {
            let address = storage.staking().eras_stakers_overview();
            let stakers = read!(self, at, "Staking::ErasStakersOverview", address, (era, *who));
            backing.push(stakers.map_or(0, |stakers| stakers.total));
        }
        let elected = validators.contains(&account);
        let least = least_backing(backing).unwrap_or(0);
        let mut unpaid = Vec::new();
        for ended in era.saturating_sub(HISTORY)..era {
            if !self.api::<bool>("StakingApi_pending_rewards", (ended, account)).await? {
                continue;
            }
            let pages: u32 =
                self.api("StakingApi_eras_stakers_page_count", (ended, account)).await?;
            let address = storage.staking().claimed_rewards();
            let paid = read!(self, at, "Staking::ClaimedRewards", address, (ended, account));
            let paid = paid.map_or(0, |pages| pages.len() as u32);
            unpaid.push(Unpaid { era: ended, calls: pages.saturating_sub(paid).max(1) });
        }
        let bonded = ledger.is_some();
        let (active, unlocking) = match ledger {
            Some(ledger) => {
                let chunks = ledger.unlocking.0.into_iter();
                (ledger.active, chunks.map(|chunk| (chunk.value, chunk.era)).collect())
            }
            None => (0, Vec::new()),
        };
        Ok(Stake {
            era,
            active,
            unlocking,
            role,
            keys: keys.is_some(),
            elected,
            bonded,
            least_backing: if elected { least_to_stay(least) } else { least },
            election,
            unpaid,
        })
    }
}
