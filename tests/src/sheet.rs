//! The balance sheet: every account of the chain, read from its state, at genesis and at the end.
//!
//! It is read from storage over JSON-RPC, not from what any program of ours says of itself. OPEN is
//! conserved if both columns add up to the supply, and each account's difference is explained if the
//! payments and fees that its owner knows of add up to it, to the planck.

use crate::{error::ensure, report, rpc::Rpc, Error, Result};
use serde_json::{json, Value};
use sp_core::crypto::{AccountId32, Ss58Codec};
use std::collections::BTreeMap;

/// `twox128("System") ++ twox128("Account")`
const ACCOUNTS: &str = "0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9";
/// `twox128("Balances") ++ twox128("TotalIssuance")`
const ISSUANCE: &str = "0xc2261276cc9d1f8598ea4b6a74b15c2f57c875e4cff74148e4628f264b974c80";
/// Keys asked for at once.
const PAGE: usize = 500;

/// An account's OPEN in plancks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Free to be spent.
    pub free: u128,
    /// Held for something.
    pub held: u128,
}

impl Holding {
    /// Both.
    pub fn total(self) -> u128 {
        self.free.saturating_add(self.held)
    }
}

/// Every account of the chain at one block.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The block's number.
    pub block: u64,
    /// Total issuance as the chain keeps it.
    pub issuance: u128,
    /// What each account has.
    pub accounts: BTreeMap<[u8; 32], Holding>,
}

impl Snapshot {
    /// Reads all accounts at the best block, or at block `number`.
    ///
    /// # Errors
    ///
    /// If the node cannot be asked or its state is not understood.
    pub fn read(rpc: &Rpc, number: Option<u64>) -> Result<Self> {
        let ask = |method: &str, params: Value| {
            rpc.call(method, params).map_err(|error| {
                Error::failed("the balance sheet", error.to_string(), "read the node's log")
            })
        };
        let block = match number {
            Some(number) => number,
            None => rpc.block().map_err(|error| {
                Error::failed("the balance sheet", error.to_string(), "read the node's log")
            })?,
        };
        let at = ask("chain_getBlockHash", json!([block]))?;
        let issuance = ask("state_getStorage", json!([ISSUANCE, at]))?;
        let issuance = bytes(&issuance)
            .and_then(|bytes| amount(&bytes, 0))
            .ok_or_else(|| odd("the total issuance", &issuance))?;
        let mut accounts = BTreeMap::new();
        let mut start = Value::Null;
        loop {
            let keys = ask("state_getKeysPaged", json!([ACCOUNTS, PAGE, start, at]))?;
            let page = keys.as_array().ok_or_else(|| odd("the accounts' keys", &keys))?;
            let Some(last) = page.last() else { break };
            start = last.clone();
            for key in page {
                let value = ask("state_getStorage", json!([key, at]))?;
                let account = bytes(key)
                    .and_then(|key| {
                        <[u8; 32]>::try_from(key.get(key.len().checked_sub(32)?..)?).ok()
                    })
                    .ok_or_else(|| odd("an account's key", key))?;
                let holding = bytes(&value)
                    .and_then(|data| {
                        // nonce, consumers, providers, sufficients; then free and reserved.
                        Some(Holding { free: amount(&data, 16)?, held: amount(&data, 32)? })
                    })
                    .ok_or_else(|| odd("an account", &value))?;
                accounts.insert(account, holding);
            }
        }
        Ok(Self { block, issuance, accounts })
    }

    /// What all accounts hold together.
    pub fn total(&self) -> u128 {
        self.accounts.values().map(|holding| holding.total()).sum()
    }

    /// What one account holds.
    pub fn of(&self, account: &[u8; 32]) -> Holding {
        self.accounts.get(account).copied().unwrap_or_default()
    }
}

fn odd(what: &str, value: &Value) -> Error {
    Error::broken("the balance sheet", format!("{what} cannot be read: {value}"))
}

/// Bytes in hexadecimal, as the node answers them.
pub(crate) fn bytes(value: &Value) -> Option<Vec<u8>> {
    hex::decode(value.as_str()?.trim_start_matches("0x")).ok()
}

/// The amount at a place.
pub(crate) fn amount(data: &[u8], at: usize) -> Option<u128> {
    data.get(at..at.checked_add(16)?)?.try_into().ok().map(u128::from_le_bytes)
}

/// The account of an address.
///
/// # Errors
///
/// If it is not SS58.
pub fn account(address: &str) -> Result<[u8; 32]> {
    AccountId32::from_ss58check(address).map(Into::into).map_err(|cause| {
        Error::broken("an account", format!("{address:?} is not an SS58 address: {cause:?}"))
    })
}

/// The address of an account.
pub fn address(account: &[u8; 32]) -> String {
    AccountId32::from(*account).to_ss58check()
}

/// The account of a pot: `modl` and eight bytes, then zeros.
pub fn pot(id: &[u8; 8]) -> [u8; 32] {
    let mut account = [0; 32];
    for (to, from) in account.iter_mut().zip(b"modl".iter().chain(id)) {
        *to = *from;
    }
    account
}

/// What an account was paid and what it paid, in order; each with its sign.
pub type Causes = Vec<(String, i128)>;

const PART: &str = "the balance sheet";

/// That all accounts hold what was issued, at genesis and at the end.
///
/// # Errors
///
/// Unless both snapshots add up to their issuance and to the supply.
pub fn conserved(genesis: &Snapshot, end: &Snapshot) -> Result<()> {
    let supply = openledger_primitives::TOTAL_SUPPLY;
    for (when, snapshot) in [("genesis", genesis), ("the end", end)] {
        let total = snapshot.total();
        ensure(total == supply, PART, || {
            format!("at {when} all accounts hold {total} plancks; the supply is {supply}")
        })?;
        ensure(snapshot.issuance == supply, PART, || {
            format!("at {when} the issuance is {}; the supply is {supply}", snapshot.issuance)
        })?;
    }
    Ok(())
}

/// Compares two snapshots.
///
/// `names` holds every account that may exist at the end, with its name; `causes` what explains each
/// account's difference.
///
/// # Errors
///
/// Unless both snapshots add up to their issuance and to the supply, every account is known, and
/// each difference is explained to the planck.
pub fn compare(
    genesis: &Snapshot,
    end: &Snapshot,
    names: &BTreeMap<[u8; 32], String>,
    causes: &BTreeMap<[u8; 32], Causes>,
) -> Result<report::Balances> {
    conserved(genesis, end)?;
    for account in genesis.accounts.keys().chain(end.accounts.keys()) {
        ensure(names.contains_key(account), PART, || {
            format!("account {} takes no part, but holds OPEN", address(account))
        })?;
    }
    let mut accounts = Vec::new();
    for (account, name) in names {
        let (before, after) = (genesis.of(account), end.of(account));
        let change = signed(after.total()) - signed(before.total());
        let because = causes.get(account).cloned().unwrap_or_default();
        let explained: i128 = because.iter().map(|(_, amount)| amount).sum();
        ensure(explained == change, PART, || {
            format!(
                "{name} changed by {change} plancks, but payments and fees add up to {explained}: \
                 {because:?}"
            )
        })?;
        accounts.push(report::Balance {
            name: name.clone(),
            account: address(account),
            genesis: before.total().to_string(),
            free: after.free.to_string(),
            held: after.held.to_string(),
            change: change.to_string(),
            because: because
                .into_iter()
                .map(|(what, amount)| report::Cause { what, amount: amount.to_string() })
                .collect(),
        });
    }
    accounts.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(report::Balances { block: end.block, total: end.total().to_string(), accounts })
}

/// An amount with a sign; the supply of 10²⁷ plancks fits many times over.
pub fn signed(amount: u128) -> i128 {
    i128::try_from(amount).unwrap_or(i128::MAX)
}
