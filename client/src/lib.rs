//! One typed chain client for every OpenLedger program.
//!
//! It connects to a node over WebSocket, comes back by itself when the node restarts, signs with
//! keys from encrypted files, the environment or (on development chains) `//Alice`, sends
//! transactions once and only once, and puts every refusal in words with its value, limit and next
//! step. Other crates see the types of `openledger-primitives` only.
//!
//! ```no_run
//! use openledger_client::{Client, Signer, Wait};
//!
//! # async fn example() -> openledger_client::Result<()> {
//! let client = Client::connect_to("ws://127.0.0.1:9944").await?;
//! client.require_development().await?;
//! let alice = Signer::from_secret("//Alice")?;
//! let receipt = client.register_contributor(&alice, Wait::InBlock).await?;
//! println!("in block {}, paid {} plancks", receipt.block, receipt.fee);
//! println!("quota: {:?}", client.quota(alice.account()).await?);
//! # Ok(()) }
//! ```
//!
//! # The life of a transaction
//!
//! 1. It gets the account's next number, counting what waits in the pool; one client numbers one
//!    transaction of an account at a time.
//! 2. It is signed for 128 blocks, beginning at the last finalised one, and handed to the node. A pool
//!    that does not take it now (its number is used by now, another free submission waits, there is no
//!    room) is asked again with a new signature. What the pool refuses otherwise is final:
//!    [`ClientError::Rule`] for the rules of submissions, [`ClientError::FeeUnaffordable`],
//!    [`ClientError::Unreadable`], [`ClientError::Invalid`].
//! 3. The best chain is searched for it until it is there ([`Wait::InBlock`]) or finalised
//!    ([`Wait::Finalised`]). A node that restarted is waited for, and given the same bytes again if
//!    it lost them. From then on nothing that a pool says is final, since another node may hold the bytes. Only
//!    when finalised blocks show that another transaction of the account has its number is it numbered
//!    anew, and only when they show that its time is over does it fail with [`ClientError::Expired`].
//! 4. The [`Receipt`] holds block and fee. A call that failed in its block is
//!    [`ClientError::Pallet`], in the words of the pallet's documentation. If the time runs out
//!    first, the answer is [`ClientError::Unknown`]: neither done nor undone is claimed.
//!
//! # Amounts
//!
//! Everything is in plancks (10⁻¹⁸ OPEN); [`Amount`] reads and writes `1.5 OPEN`.

pub mod amount;
pub mod blocks;
pub mod calls;
pub mod committee;
pub mod connection;
pub mod errors;
pub mod follow;
pub mod key_reference;
pub mod keyfile;
pub mod metrics;
pub mod nomination;
pub mod pool;
pub mod prepare;
pub mod reads;
pub mod refusals;
mod relay;
pub mod revocations;
mod runtime;
pub mod secretbox;
pub mod signer;
pub mod staking;
pub mod transactions;
mod transport;

pub use amount::{Amount, AmountError};
pub use calls::{
    commitment, finding_hash, ManyVote, NewBaseModel, NewDatanet, NewJob, SubmittedFile, Voted,
    WorkerOffer,
};
pub use connection::{ChainStatus, Client, Settings};
pub use errors::{ClientError, ErrorKind, Result};
pub use key_reference::KeyReference;
pub use keyfile::{KeyFile, KeyFileError};
pub use prepare::Prepared;
pub use reads::{AccountBalance, BaseModel, ContributorRecord};
pub use signer::{is_development_secret, InvalidSecret, Signer};
/// A block's or transaction's hash.
pub use subxt::utils::H256;
pub use transactions::{Receipt, Wait};

/// An account; its text form is SS58 with prefix 42.
pub type AccountId = subxt::utils::AccountId32;
