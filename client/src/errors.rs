//! What can go wrong, in words: what happened, the value and the limit, and what to do next.

use crate::{amount::AmountError, keyfile::KeyFileError, signer::InvalidSecret, AccountId, H256};
use openledger_primitives::{Refusal, RefusalRule};
use std::time::Duration;
use subxt::{error::DispatchError, metadata::ArcMetadata};

/// Result of this crate.
pub type Result<T, E = ClientError> = std::result::Result<T, E>;

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request itself was wrong: change it.
    Usage,
    /// The chain refused, before or after inclusion.
    Refused,
    /// Node or content could not be reached in time: try again.
    Unavailable,
    /// Anything else.
    Failed,
}

/// Why something could not be done on the chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    // Reaching the node
    /// The address is not one of a node.
    #[error("{url:?} is not the address of a node: {reason}")]
    Address {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No node answers.
    #[error("no node answers at {url} (tried for {} s): {reason}", patience.as_secs())]
    Unreachable {
        /// Its address.
        url: String,
        /// How long it was tried.
        patience: Duration,
        /// What the last try said.
        reason: String,
    },
    /// The node has as many connections as it takes.
    #[error("the node at {url} takes no more connections (tried for {} s)", patience.as_secs())]
    Full {
        /// Its address.
        url: String,
        /// How long it was tried.
        patience: Duration,
    },
    /// The node refused a request.
    #[error("the node refused {method}: {message} ({code})")]
    Rpc {
        /// The method.
        method: String,
        /// Its JSON-RPC error code.
        code: i32,
        /// What it said.
        message: String,
    },
    /// The node's answer is not what this version understands.
    #[error("the node's answer to {what} could not be read: {reason}")]
    Answer {
        /// What was asked.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// The chain's runtime has another shape than the one this program was built for.
    #[error("this program does not fit the chain: {what} has another shape there")]
    Incompatible {
        /// The call or storage entry.
        what: String,
    },

    // Transactions that were not included
    /// The admission check refuses a submission.
    #[error("{0}")]
    Admission(Refusal),
    /// The pool refused a submission by this rule, and the numbers behind it are not known any more.
    #[error("refused: {}", .0.help())]
    Rule(RefusalRule),
    /// An argument is longer than the chain takes, or no such argument at all.
    #[error(
        "the chain cannot read this transaction, so it was refused and cost nothing: an argument is longer than \
         its limit, or of another shape; shorten the text or the list, or update this program"
    )]
    Unreadable,
    /// The account cannot pay the fee.
    #[error("the account {account} cannot pay the fee of this transaction")]
    FeeUnaffordable {
        /// Who should have paid.
        account: AccountId,
    },
    /// Another transaction of the account stands in the way.
    #[error(
        "another transaction of {account} with the same number, or another free submission of it, \
         is still waiting, or one of a number before it is missing"
    )]
    Busy {
        /// Whose.
        account: AccountId,
    },
    /// The pool has no room, and did not take it.
    #[error(
        "the node has no room for transactions that wait; this one was not taken and cost nothing"
    )]
    PoolFull,
    /// The pool refused for another reason.
    #[error("the chain refused the transaction: {reason}")]
    Invalid {
        /// What the pool said.
        reason: String,
    },
    /// Another transaction took the nonce. This one was not and never will be included.
    #[error(
        "transaction {hash:?} was overtaken: another transaction of the account used its number \
         {nonce}; this one did nothing and cost nothing"
    )]
    Overtaken {
        /// The transaction.
        hash: H256,
        /// The nonce.
        nonce: u64,
    },
    /// Its time ran out. It was not and never will be included.
    #[error("transaction {hash:?} was not included before block {last}; it did nothing and cost nothing")]
    Expired {
        /// The transaction.
        hash: H256,
        /// The last block in which it was valid.
        last: u64,
    },
    /// It is not known yet whether it is included.
    #[error(
        "it is not known after {} s whether transaction {hash:?} is included ({reason}); it stays valid \
         until block {last}", waited.as_secs()
    )]
    Unknown {
        /// The transaction.
        hash: H256,
        /// How long it was waited for.
        waited: Duration,
        /// What it waits for, or why nothing more is known.
        reason: String,
        /// The last block in which it is valid.
        last: u64,
    },

    // Transactions that were included and failed
    /// The call was refused by a pallet.
    #[error("{words} ({pallet}::{name})")]
    Pallet {
        /// The pallet.
        pallet: String,
        /// The error's name.
        name: String,
        /// The error's documentation.
        words: String,
    },
    /// The call was refused by the system.
    #[error("the chain refused: {0}")]
    Dispatch(String),
    /// The transaction succeeded without the event that says what it did.
    #[error("the transaction in block {block} lacks its event {event}")]
    MissingEvent {
        /// The block.
        block: u64,
        /// The event.
        event: &'static str,
    },

    // Keys and amounts
    /// A secret that is none.
    #[error(transparent)]
    Secret(#[from] InvalidSecret),
    /// A secret where everybody on the machine can read it.
    #[error("a secret does not belong in arguments: other users and the shell's history see them")]
    SecretInArguments,
    /// A key that everybody knows, on a chain where money is real.
    #[error(
        "this is a development key, which everybody knows; the chain is of type {chain_type} and \
         takes them only if it is Development or Local"
    )]
    DevelopmentKey {
        /// The node's chain type.
        chain_type: String,
    },
    /// A key file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// An amount.
    #[error(transparent)]
    Amount(#[from] AmountError),
}

impl ClientError {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreachable { .. }
            | Self::Full { .. }
            | Self::PoolFull
            | Self::Unknown { .. }
            | Self::Expired { .. } => ErrorKind::Unavailable,
            Self::Admission(_)
            | Self::Rule(_)
            | Self::FeeUnaffordable { .. }
            | Self::Unreadable
            | Self::Busy { .. }
            | Self::Invalid { .. }
            | Self::Overtaken { .. }
            | Self::Pallet { .. }
            | Self::Dispatch(_) => ErrorKind::Refused,
            Self::Address { .. }
            | Self::Secret(_)
            | Self::SecretInArguments
            | Self::DevelopmentKey { .. }
            | Self::KeyFile(KeyFileError::Name(_) | KeyFileError::PasswordNeeded(_))
            | Self::Amount(_) => ErrorKind::Usage,
            Self::Rpc { .. }
            | Self::Answer { .. }
            | Self::Incompatible { .. }
            | Self::MissingEvent { .. }
            | Self::KeyFile(_) => ErrorKind::Failed,
        }
    }

    /// The number of the admission rule that was broken, where it is one.
    pub fn code(&self) -> Option<u8> {
        match self {
            Self::Admission(refusal) => Some(refusal.rule.code()),
            Self::Rule(rule) => Some(rule.code()),
            // The pallet's errors of the same names are the same rules.
            Self::Pallet { pallet, name, .. } if pallet == "Datanets" => {
                RefusalRule::ALL.into_iter().find(|rule| rule.name() == name).map(RefusalRule::code)
            }
            _ => None,
        }
    }

    /// What to do next, where there is something to say that the message does not say.
    pub fn next_step(&self) -> Option<&'static str> {
        Some(match self {
            Self::Address { .. } => {
                "give an address like ws://127.0.0.1:9944 with --node or OPENLEDGER_NODE"
            }
            Self::Unreachable { .. } => {
                "see that a node runs there (openledger-node --dev starts one), or give another \
                 address with --node"
            }
            Self::Full { .. } | Self::PoolFull => {
                "try again in a minute, run a node of your own, or give another address with --node"
            }
            Self::Rpc { .. } | Self::Answer { .. } | Self::Incompatible { .. } => {
                "see that node and program are of the same version"
            }
            Self::FeeUnaffordable { .. } => {
                "have OPEN sent to it; `openledger account show` shows what it has"
            }
            Self::Busy { .. } => "wait until it is in a block, then try again",
            Self::Expired { .. } | Self::Overtaken { .. } => "send it again",
            Self::Unknown { .. } => {
                "look whether it took effect before you send it again; nothing is ever paid twice \
                 for one transaction"
            }
            Self::SecretInArguments => {
                "put it in the environment variable OPENLEDGER_SECRET, or import it into a key file \
                 with `openledger account import NAME`"
            }
            Self::DevelopmentKey { .. } => "make a key of your own with `openledger account new`",
            Self::Pallet { pallet, name, .. } => return pallet_next_step(pallet, name),
            Self::Dispatch(_) => "`openledger account show` shows what is free and what is held",
            _ => return None,
        })
    }
}

fn pallet_next_step(pallet: &str, name: &str) -> Option<&'static str> {
    Some(match (pallet, name) {
        (_, "UnknownDatanet") => "list them with `openledger datanet list`",
        ("Datanets", "NotRegistered") => {
            "run `openledger contributor register`, or let a sponsor run `openledger contributor \
             register-for`"
        }
        ("Datanets", "AlreadyRegistered") => "nothing is left to do: submit files",
        ("Datanets", "HasPending") => {
            "wait for the verdicts, or take the files back with `openledger withdraw`"
        }
        ("Datanets", "HoldPeriod") => "try again 7 days after the last submission",
        (_, "NotPending") => "list what waits with `openledger review list`",
        ("Datanets", "UnitsBelowMinimum") => {
            "reject it with `openledger review reject --reason too-small`"
        }
        ("Review", "NotCurator") => "`openledger datanet show` names the curators",
        ("Review", "OtherExtractor") => {
            "update openledger: the chain names the extractor of another release \
             (`openledger status` says which)"
        }
        ("Review", "TooManyUnits" | "NoTextRoot" | "UnexpectedTextRoot") => {
            "let `openledger review accept` measure the file, or reject it with --reason wrong-format"
        }
        ("Datanets", "TooEarly") => {
            "vote again in a minute: an older precommitment of the file may still be opened"
        }
        ("Datanets", "NotExpired") => "`openledger submission show` says from which block on",
        ("Datanets", "NotOwner") => "`openledger datanet show` names the owner",
        ("Datanets", "NotRefused") => "`openledger submission show` says what became of it",
        ("Review", "LastCurator") => {
            "the Datanet's owner names another curator first (`openledger datanet curators`)"
        }
        ("Training", "HiddenCharacter") => "leave characters out that cannot be seen",
        ("Datanets", "InvalidName") => "leave characters out that cannot be seen",
        ("Datanets", "NotInvited" | "TooFewPoints") => {
            "`openledger datanet admission` says of whom it takes files"
        }
        ("Review", "BeforeCommittee") => "committees decide here; nobody votes openly",
        ("Review", "SeatQueueFull") => "try again when the session is over",
        ("Review", "SeatsLeaving" | "SeatsNotLeft") => {
            "seats that were given up stay for challenges first: `openledger seat list` says when they have left"
        }
        ("Review", "SeatsJudging") => {
            "they are bound until what they judged is final, challenges included"
        }
        ("Review", "NoSeats") => "bond seats with `openledger seat bond`",
        ("Review", "UnknownDraw") => "`openledger review draws` lists those that are not over",
        ("Review", "InvalidAddress") => "leave characters out that cannot be seen",
        ("Review", "SeedStands") => "a block draws four of them: try again a few blocks later",
        ("NominationPools", "PoolNotFound") => "list them with `openledger pool list`",
        ("NominationPools", "PoolMemberNotFound") => {
            "join one with `openledger pool join`; `openledger pool list` shows them"
        }
        ("NominationPools", "AccountBelongsToOtherPool") => {
            "an account is in one pool: bring more with `openledger pool bond-extra`"
        }
        ("NominationPools" | "Staking", "Restricted") => {
            "an account stakes by itself or in a pool, not both: use another account, or take out what it has first; if it \
             has nothing, try again in a minute: nobody joins while the payouts of an era that has ended are made"
        }
        ("NominationPools", "MinimumBondNotMet") => {
            "`openledger pool list` says what joining and making a pool take; who made one leaves last"
        }
        ("NominationPools", "CannotWithdrawAny") => {
            "`openledger pool status` says from which era on it is free"
        }
        ("NominationPools", "NotNominator" | "DoesNotHavePermission") => {
            "`openledger pool list` says who may"
        }
        ("NominationPools", "FullyUnbonding") => {
            "nothing of this account is in the pool any more: withdraw with `openledger pool withdraw`"
        }
        ("Review", "BudgetTooLow") => "`openledger datanet budget` says what is free",
        ("Review", "StaleSubmission") => "fetch the file again and vote on the new submission",
        ("Leaderboard", "NothingToClaim") => {
            "points are paid once the reward period they were earned in has ended; \
             `openledger rewards show` says when"
        }
        ("Leaderboard", "TermsRequired") => {
            "the Datanet's owner sets them with `openledger rewards terms`"
        }
        ("Leaderboard", "ZeroTerms") => "give --per-period and --max-per-point, both above 0",
        ("Leaderboard", "TermsDiffer" | "PolicyDiffers") => {
            "read the current rules with `openledger rewards show`, and send it again if you agree"
        }
        ("Leaderboard", "NoWayOut" | "NotEnoughShares") => {
            "`openledger rewards show` says what you hold and when funders may leave"
        }
        ("Leaderboard", "NothingToWithdraw") => {
            "shares leave at the end of the reward period; `openledger rewards show` says when"
        }
        ("Leaderboard", "NotThePayee") => "`openledger rewards show` says who is paid",
        ("Datanets", "DatanetHasPending") => {
            "pause it with `openledger datanet pause`, and close it when its files have verdicts"
        }
        ("Datanets", "NotOffered") => "`openledger datanet show` says to whom it is offered",
        ("Leaderboard", "BelowMinimumFunding") => "pay in at least 1 OPEN at a time",
        ("Training", "UnknownBaseModel") => "list them with `openledger model list`",
        ("Training", "UnknownParent") => "list adapters with `openledger adapter list`",
        ("Training", "ParentBaseModel") => "`openledger adapter show` names its base model",
        ("Training", "ParentLoraR" | "ParentLoraAlpha" | "ParentTargetModules") => {
            "leave --lora-r, --lora-alpha and --target-modules out to take the parent's"
        }
        ("Training", "UnknownJob") => "list them with `openledger job list`",
        ("Training", "UnknownVersion" | "EmptyVersion") => {
            "`openledger datanet show` says how many leaves a Datanet has"
        }
        ("Training", "BelowMinimumBudget") => "offer at least 0.1 OPEN",
        ("Training", "DeadlineTooFar") => "a job may last 7 days (201,600 blocks) at most",
        ("Training", "DeadlineTooSoon") => {
            "give it the minute to take a job, the three between signs of life, and the time to train"
        }
        ("Training", "StillBonded") => "a day after its last job or draw it can leave; `openledger worker pause` at once",
        ("Training", "DisputedBefore") => "`openledger job dispute-status` says how that ended",
        ("Training", "StillResting") => "`openledger worker show` says from which block on",
        ("Training", "RefusedBefore") => "a job is not offered again to who declined or lost it",
        ("Training", "NotHigher") => "`openledger job show` says what it offers a token",
        ("Training", "NotLater") => "`openledger job show` says its deadline",
        ("Training", "TooEarly") => "a day after its end anyone may; until then its owner alone",
        ("Training", "TooFewVerifiers") => {
            "three workers beside owner, worker and yourself must have opted in to the base model; \
             `openledger worker list` shows what they serve"
        }
        ("Training", "NotInDispute") => "`openledger job show` says where the job is in its life",
        ("Training", "NotDrawn") => "`openledger job dispute-status` says who was drawn",
        ("Training", "RevealTooEarly") => "`openledger job dispute-status` says until when hashes count",
        ("Training", "OpenVotes") => {
            "take its votes back and unlock them, or create the job from another account"
        }
        ("Training", "WorkerIsDrawn") => "`openledger worker show` says for which disputes",
        ("Training", "BaseModelRetired") => "list the others with `openledger model list`",
        ("Training", "WrongState") => "`openledger job show` says where the job is in its life",
        _ => return None,
    })
}

/// Puts the bytes of a `System::ExtrinsicFailed` event in words.
pub(crate) fn dispatch_error(bytes: &[u8], metadata: ArcMetadata) -> ClientError {
    let error = match DispatchError::decode_from(bytes, metadata) {
        Ok(error) => error,
        Err(error) => {
            return ClientError::Answer { what: "a failed call".into(), reason: error.to_string() }
        }
    };
    match error {
        DispatchError::Module(module) => match module.details() {
            Ok(details) => {
                let words = details.variant.docs.join(" ");
                let words = match words.trim() {
                    "" => "the call was refused".to_owned(),
                    words => words.trim_end_matches('.').to_owned(),
                };
                ClientError::Pallet {
                    pallet: details.pallet.name().to_owned(),
                    name: details.variant.name.clone(),
                    words,
                }
            }
            Err(error) => ClientError::Dispatch(error.to_string()),
        },
        DispatchError::Token(subxt::error::TokenError::FundsUnavailable)
        | DispatchError::Arithmetic(subxt::error::ArithmeticError::Underflow) => {
            ClientError::Dispatch("the account has too little free OPEN for this".into())
        }
        DispatchError::Token(error) => {
            ClientError::Dispatch(error.to_string().trim_end_matches('.').to_owned())
        }
        error => ClientError::Dispatch(error.to_string().trim_end_matches('.').to_owned()),
    }
}
