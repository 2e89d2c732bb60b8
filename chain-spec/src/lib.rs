//! Readable genesis of the networks we know, and the check that a genesis endows exactly the supply.
//!
//! `development.json` and `local.json` beside this crate are what the runtime's presets say, without
//! the runtime's code: they are for readers and for differences in a review. A node takes a full
//! spec, which `openledger-node export-chain-spec` writes.
//!
//! ```
//! use openledger_chain_spec::{endowed, readable, Network};
//! use openledger_primitives::TOTAL_SUPPLY;
//!
//! let genesis = readable(Network::Local).unwrap();
//! assert_eq!(endowed(&genesis).unwrap(), TOTAL_SUPPLY);
//! ```

use openledger_primitives::{Balance, EXISTENTIAL_DEPOSIT};
use openledger_runtime::genesis_presets;
use serde_json::Value;
use std::collections::BTreeSet;

/// A network whose genesis the runtime knows as a preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// One author, sudo, short epochs: `openledger-node --dev`.
    Development,
    /// Two validators and the lengths of a real network: `openledger-node --chain local`.
    Local,
}

impl Network {
    /// Every network.
    pub const ALL: [Self; 2] = [Self::Development, Self::Local];

    /// The name of its file, without `.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Local => "local",
        }
    }

    fn genesis(self) -> Value {
        match self {
            Self::Development => genesis_presets::development(),
            Self::Local => genesis_presets::local(),
        }
    }
}

/// Why a genesis cannot be written or endows no sound set of balances.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// The text is not JSON.
    #[error("the genesis is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// There is no list of balances where one belongs.
    #[error("the genesis has no list at balances.balances; copy the shape of local.json")]
    NoBalances,
    /// An entry is not an account and a whole number of plancks.
    #[error("balance {index} is {entry}; it takes [\"SS58 account\", plancks]")]
    Entry {
        /// Its position, counted from 0.
        index: usize,
        /// What stands there.
        entry: Value,
    },
    /// An account is endowed twice; the chain would not start.
    #[error("balance {index} endows {account} a second time; add the two up")]
    Repeated {
        /// Its position, counted from 0.
        index: usize,
        /// The account.
        account: String,
    },
    /// Less than an account may hold; the chain would not start.
    #[error(
        "balance {index} is {amount} plancks; an account holds at least {EXISTENTIAL_DEPOSIT}"
    )]
    BelowExistentialDeposit {
        /// Its position, counted from 0.
        index: usize,
        /// The plancks.
        amount: Balance,
    },
    /// The sum leaves the range of 128 bits.
    #[error("the balances add up to more than 128 bits hold")]
    Overflow,
}

/// A network's genesis as the preset gives it: JSON with two spaces of indentation, keys in order of
/// the alphabet, amounts in plancks, a line break at the end.
///
/// # Errors
///
/// [`GenesisError::Json`], if the preset has no JSON form.
pub fn readable(network: Network) -> Result<String, GenesisError> {
    let mut genesis = network.genesis();
    // In the order of insertion where another crate of the build asked `serde_json` for that.
    genesis.sort_all_objects();
    let mut text = serde_json::to_string_pretty(&genesis)?;
    text.push('\n');
    Ok(text)
}

/// The sum of all balances of a genesis in plancks: `openledger_primitives::TOTAL_SUPPLY` in any
/// network of ours.
///
/// # Errors
///
/// The first entry that the chain would not start with; see [`GenesisError`].
pub fn endowed(genesis: &str) -> Result<Balance, GenesisError> {
    let genesis: Value = serde_json::from_str(genesis)?;
    let balances = genesis
        .pointer("/balances/balances")
        .and_then(Value::as_array)
        .ok_or(GenesisError::NoBalances)?;
    let mut accounts = BTreeSet::new();
    let mut sum: Balance = 0;
    for (index, entry) in balances.iter().enumerate() {
        let (account, amount) = account_and_amount(entry)
            .ok_or_else(|| GenesisError::Entry { index, entry: entry.clone() })?;
        if !accounts.insert(account) {
            return Err(GenesisError::Repeated { index, account: account.to_owned() });
        }
        if amount < EXISTENTIAL_DEPOSIT {
            return Err(GenesisError::BelowExistentialDeposit { index, amount });
        }
        sum = sum.checked_add(amount).ok_or(GenesisError::Overflow)?;
    }
    Ok(sum)
}

fn account_and_amount(entry: &Value) -> Option<(&str, Balance)> {
    let [account, amount] = entry.as_array()?.as_slice() else { return None };
    // Written out: a balance beyond 64 bits is a number in JSON, and one that must stay whole.
    let amount = amount.as_number()?.to_string().parse().ok()?;
    Some((account.as_str()?, amount))
}
