//! What a node's transaction pool says of a transaction.

use crate::{errors::ClientError, AccountId};
use openledger_primitives::RefusalRule;

/// What a pool said of a transaction that was handed in.
///
/// Only of one that was signed this moment does a refusal say that it counts nowhere. Of one that was handed in
/// before it does not: another node may hold it and have it included yet.
#[derive(Debug)]
pub enum PoolAnswer {
    /// It has it.
    Held,
    /// It does not take it now, for reasons that pass: its number is used or wanted by another transaction of the
    /// account, one of a number before it is missing, or there is no room.
    NotNow(ClientError),
    /// The chain finds it wrong as things stand.
    Refused(ClientError),
}

/// Reads the error that answered `author_submitExtrinsic`. `None` if it is not about the transaction itself.
pub fn pool_answer(
    code: i32,
    message: &str,
    data: Option<&str>,
    account: AccountId,
) -> Option<PoolAnswer> {
    use PoolAnswer::{Held, NotNow, Refused};
    let data = data.map_or("", |data| data.trim_matches('"'));
    let reason = match data {
        "" => message.to_owned(),
        data => format!("{message}: {data}"),
    };
    let rule = || {
        let code = data.strip_prefix("Custom error: ")?.parse().ok()?;
        RefusalRule::from_code(code).map(ClientError::Rule)
    };
    // The codes of `sc-rpc-api`, module `author::error`.
    Some(match code {
        1010 if data.contains("Inability to pay") => {
            Refused(ClientError::FeeUnaffordable { account })
        }
        // `InvalidTransaction::Stale` and `InvalidTransaction::Future`.
        1010 if data.contains("outdated") => NotNow(ClientError::Invalid { reason }),
        1010 if data.contains("in the future") => NotNow(ClientError::Busy { account }),
        1010 => Refused(rule().unwrap_or(ClientError::Invalid { reason })),
        // A runtime that cannot read a transaction panics, as the SDK has it, and the node sends the trap on.
        1002 if reason.contains("TaggedTransactionQueue_validate_transaction")
            && reason.contains("unreachable") =>
        {
            Refused(ClientError::Unreadable)
        }
        1013 => Held,
        1014 => NotNow(ClientError::Busy { account }),
        1016 => NotNow(ClientError::PoolFull),
        // Banned for a while after it was refused or dropped; a node that is behind; no room for what comes later.
        1012 | 1020 | 1021 => NotNow(ClientError::Invalid { reason }),
        1000..=1099 => Refused(ClientError::Invalid { reason }),
        _ => return None,
    })
}
