//! Arguments that commands share, and how values are read.

use clap::{
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
    Args, ValueEnum,
};
use openledger_client::{Amount, Wait};
use openledger_content::Multiaddr;
use openledger_primitives::{Balance, ClosedList, FileHash};
use std::path::PathBuf;

/// How answers and errors are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object: on stdout the answer, on stderr the error.
    Json,
}

/// What to wait for after sending a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WaitFor {
    /// That it is in a block.
    InBlock,
    /// That its block is finalised.
    Finalised,
}

impl From<WaitFor> for Wait {
    fn from(wait: WaitFor) -> Self {
        match wait {
            WaitFor::InBlock => Self::InBlock,
            WaitFor::Finalised => Self::Finalised,
        }
    }
}

/// Arguments that every command takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// WebSocket address of the node.
    #[arg(long, global = true, env = "OPENLEDGER_NODE", default_value = "ws://127.0.0.1:9944")]
    pub(crate) node: String,
    /// Key that signs: the name of a key, a key file, or //Alice and the like on development
    /// chains. Without it OPENLEDGER_SECRET may hold a phrase or secret URI.
    #[arg(long, global = true, env = "OPENLEDGER_KEY", value_name = "NAME|FILE|//Alice")]
    pub(crate) key: Option<String>,
    /// File with the key's password (or OPENLEDGER_PASSWORD holds it, or it is asked for).
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Where key files are [default: openledger/keys in the XDG data directory].
    #[arg(long, global = true, env = "OPENLEDGER_KEYS", value_name = "DIR")]
    pub(crate) keys_directory: Option<PathBuf>,
    /// Where IPFS blocks are [default: openledger/ipfs in the XDG data directory].
    #[arg(long, global = true, env = "OPENLEDGER_IPFS", value_name = "DIR")]
    pub(crate) ipfs_directory: Option<PathBuf>,
    /// IPFS peer to fetch from, as /ip4/127.0.0.1/tcp/4001/p2p/12D3… (repeatable).
    #[arg(
        long = "peer",
        global = true,
        env = "OPENLEDGER_PEERS",
        value_delimiter = ',',
        value_name = "MULTIADDR"
    )]
    pub(crate) peers: Vec<Multiaddr>,
    /// How answers and errors are printed.
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(crate) output: OutputFormat,
    /// Seconds to wait for the node, a transaction, or a block of content.
    #[arg(
        long, global = true, default_value_t = 120, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=86_400)
    )]
    pub(crate) timeout: u64,
    /// What to wait for where a transaction is sent [default: finalised for transfers and claims,
    /// in-block for everything else].
    #[arg(long, global = true, value_enum)]
    pub(crate) wait: Option<WaitFor>,
}

/// Reads an entry of a closed list by its name; `--help` lists the names and what they mean.
pub(crate) fn one_of<L: ClosedList>() -> impl TypedValueParser<Value = L> {
    let values = L::ALL.iter().map(|entry| PossibleValue::new(entry.name()).help(entry.help()));
    PossibleValuesParser::new(values).try_map(|name| L::of_name(&name))
}

/// Reads an amount of OPEN.
pub(crate) fn amount(text: &str) -> Result<Amount, String> {
    text.parse().map_err(|error: openledger_client::AmountError| error.to_string())
}

/// Reads an amount that is usually given in plancks: a bare whole number counts plancks, anything
/// with a unit is an amount of OPEN.
pub(crate) fn plancks(text: &str) -> Result<Balance, String> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map_err(|_| format!("{text:?} is not a number of plancks"));
    }
    if !text.contains(|character: char| character.is_alphabetic()) {
        return Err(format!(
            "{text:?} has no unit: give a whole number of plancks, or a unit as in 0.000001OPEN"
        ));
    }
    amount(text).map(|amount| amount.0)
}

/// Reads a hash of 64 hexadecimal digits.
pub(crate) fn file_hash(text: &str) -> Result<FileHash, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let mut hash = [0; 32];
    hex::decode_to_slice(digits, &mut hash)
        .map_err(|_| format!("{text:?} is not a sha256: it takes 64 hexadecimal digits"))?;
    Ok(hash)
}
