//! How many tokens may be asked for a day: by a visitor's address, by an account, by all accounts and visitors of
//! an address, and by all together.
//!
//! Before an answer its most is reserved, after it what it took is spent, so that askers at the same time
//! cannot have more than there is. What is spent stands in a file and outlives a restart; days are UTC's.

use crate::error::ApiError;
use crate::extract::Address;
use openledger_client::AccountId;
use rusqlite::{params, Connection, OptionalExtension};
use serde::Serialize;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use utoipa::ToSchema;

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// Whose budget is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    /// Where the request comes from.
    pub address: Address,
    /// The account that signed in; without it a visitor asks.
    pub account: Option<AccountId>,
}

/// Tokens a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Of an address without an account.
    pub visitor: u64,
    /// Of an account.
    pub account: u64,
    /// Of an address with all accounts that ask from it: accounts cost nothing where there is a faucet.
    pub address: u64,
    /// Of all together.
    pub all: u64,
    /// Answers of one asker at the same time.
    pub at_once: usize,
    /// Answers of one address at the same time.
    pub address_at_once: usize,
    /// Answers of all at the same time.
    pub all_at_once: usize,
}

/// A budget that an asker uses.
struct Share {
    /// Under which it is counted.
    who: String,
    tokens: u64,
    at_once: usize,
}

impl Tokens {
    /// The budgets of an asker: its own, its address's, and everybody's.
    fn shares(&self, asker: Asker) -> [Share; 3] {
        let address = asker.address.0;
        let (who, tokens) = match asker.account {
            Some(account) => (format!("account {account}"), self.account),
            None => (format!("address {address}"), self.visitor),
        };
        [
            Share { who, tokens, at_once: self.at_once },
            Share {
                who: format!("all of {address}"),
                tokens: self.address,
                at_once: self.address_at_once,
            },
            Share { who: "all".to_owned(), tokens: self.all, at_once: self.all_at_once },
        ]
    }
}

/// What is left today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Remaining {
    /// `visitor` or `account`.
    pub kind: &'static str,
    /// Tokens that may be asked for today, prompts and answers together.
    pub limit: u64,
    /// Tokens that are left of them, those of answers under way taken off; no more than all who ask from this
    /// network address have left, and all askers together.
    pub remaining: u64,
    /// When the next day begins, milliseconds since 1970.
    pub resets_at: u64,
}

#[derive(Default)]
struct Reserved {
    tokens: u64,
    answers: usize,
}

struct Ledger {
    file: Connection,
    /// By the names of budgets, as in the file.
    reserved: HashMap<String, Reserved>,
}

/// The budgets.
#[derive(Clone)]
pub struct Budgets {
    tokens: Tokens,
    ledger: Arc<Mutex<Ledger>>,
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Ledger {
    fn spent(&self, day: u64, who: &str) -> rusqlite::Result<u64> {
        let mut select =
            self.file.prepare_cached("SELECT tokens FROM spent WHERE day = ?1 AND who = ?2")?;
        Ok(select.query_row(params![day, who], |row| row.get(0)).optional()?.unwrap_or(0))
    }

    fn spend(&mut self, day: u64, shares: &[Share], tokens: u64) -> rusqlite::Result<()> {
        let work = self.file.transaction()?;
        work.execute("DELETE FROM spent WHERE day < ?1", params![day])?;
        for share in shares {
            work.execute(
                "INSERT INTO spent VALUES (?1, ?2, ?3)
                 ON CONFLICT (day, who) DO UPDATE SET tokens = tokens + ?3",
                params![day, share.who, tokens],
            )?;
        }
        work.commit()
    }

    /// What is left of a budget beside what is spent and reserved.
    fn left(&self, day: u64, share: &Share) -> rusqlite::Result<u64> {
        let reserved = self.reserved.get(&share.who).map_or(0, |reserved| reserved.tokens);
        Ok(share.tokens.saturating_sub(self.spent(day, &share.who)?.saturating_add(reserved)))
    }

    fn answers(&self, share: &Share) -> usize {
        self.reserved.get(&share.who).map_or(0, |reserved| reserved.answers)
    }
}

fn failed(error: rusqlite::Error) -> ApiError {
    ApiError::database("reading the chat's budgets", &error)
}

impl Budgets {
    /// Budgets in `chat.sqlite` of a folder.
    ///
    /// # Errors
    ///
    /// Where the file cannot be opened.
    pub fn open(directory: &Path, tokens: Tokens) -> rusqlite::Result<Self> {
        let file = Connection::open(directory.join("chat.sqlite"))?;
        file.pragma_update(None, "journal_mode", "WAL")?;
        file.pragma_update(None, "synchronous", "NORMAL")?;
        file.execute_batch(
            "CREATE TABLE IF NOT EXISTS spent (
                day INTEGER NOT NULL, who TEXT NOT NULL, tokens INTEGER NOT NULL,
                PRIMARY KEY (day, who)
            ) WITHOUT ROWID",
        )?;
        let ledger = Ledger { file, reserved: HashMap::new() };
        Ok(Self { tokens, ledger: Arc::new(Mutex::new(ledger)) })
    }

    fn remaining_of(&self, ledger: &Ledger, asker: Asker) -> Result<Remaining, ApiError> {
        let now = now();
        let (kind, limit) = match asker.account {
            Some(_) => ("account", self.tokens.account),
            None => ("visitor", self.tokens.visitor),
        };
        let mut remaining = limit;
        for share in self.tokens.shares(asker) {
            remaining = remaining.min(ledger.left(now / DAY, &share).map_err(failed)?);
        }
        Ok(Remaining { kind, limit, remaining, resets_at: (now / DAY + 1) * DAY })
    }

    /// What an asker has left today.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read.
    pub fn remaining(&self, asker: Asker) -> Result<Remaining, ApiError> {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        self.remaining_of(&ledger, asker)
    }

    /// Reserves tokens for an answer.
    ///
    /// # Errors
    ///
    /// 429 where they are not left, or too many answers are under way.
    pub fn reserve(&self, asker: Asker, tokens: u64) -> Result<Reservation, ApiError> {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let left = self.remaining_of(&ledger, asker)?;
        if tokens > left.remaining {
            let seconds = left.resets_at.saturating_sub(now()).div_ceil(1000);
            let Remaining { kind, limit, remaining, .. } = left;
            return Err(ApiError::too_many(
                seconds,
                format!(
                    "this question may take {tokens} tokens and {remaining} are left of the {limit} \
                     that this {kind} has a day, and of what all who ask from its network address have, \
                     and all together; ask for fewer with max_tokens, or tomorrow"
                ),
            ));
        }
        let shares = self.tokens.shares(asker);
        if shares.iter().any(|share| ledger.answers(share) >= share.at_once) {
            return Err(ApiError::too_many(2, "too many answers are under way; try again"));
        }
        for share in shares {
            let reserved = ledger.reserved.entry(share.who).or_default();
            reserved.tokens = reserved.tokens.saturating_add(tokens);
            reserved.answers += 1;
        }
        Ok(Reservation { budgets: self.clone(), asker, tokens, spent: None })
    }
}

/// Tokens that are set aside for an answer; what it took is spent when this is dropped, or all of them
/// where that is not known.
pub struct Reservation {
    budgets: Budgets,
    asker: Asker,
    tokens: u64,
    spent: Option<u64>,
}

impl Reservation {
    /// Notes what the answer took.
    pub fn spend(&mut self, tokens: u64) {
        self.spent = Some(tokens);
    }

    /// Ends it, and says what is left.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read.
    pub fn end(self) -> Result<Remaining, ApiError> {
        let (budgets, asker) = (self.budgets.clone(), self.asker);
        drop(self);
        budgets.remaining(asker)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut ledger = self.budgets.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let shares = self.budgets.tokens.shares(self.asker);
        for share in &shares {
            let Some(reserved) = ledger.reserved.get_mut(&share.who) else { continue };
            reserved.tokens = reserved.tokens.saturating_sub(self.tokens);
            reserved.answers = reserved.answers.saturating_sub(1);
            if reserved.answers == 0 {
                ledger.reserved.remove(&share.who);
            }
        }
        let spent = self.spent.unwrap_or(self.tokens);
        if spent > 0 {
            if let Err(error) = ledger.spend(now() / DAY, &shares, spent) {
                tracing::error!(%error, "the tokens of an answer could not be noted");
            }
        }
    }
}
