//! Sessions: one signature proves to the gateway who uploads, for at most twelve hours.
//!
//! The gateway keeps nothing until a signature is right: a nonce carries its expiry and a tag that only
//! this process can make over it, account, purpose and origin. A nonce that was used is remembered until
//! it would have ended anyway.

pub mod api;
mod message;
mod verify;

use crate::error::ApiError;
use crate::uploads::database::{none_is, now, Database};
use axum::http::StatusCode;
pub use message::{text, Challenge};
use openledger_client::AccountId;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use subtle::ConstantTimeEq;
pub use verify::{verify, Scheme};

/// How long a challenge may be signed.
pub const CHALLENGE: Duration = Duration::from_secs(5 * 60);
/// How long a session lasts.
pub const SESSION: Duration = Duration::from_secs(12 * 60 * 60);
/// Sessions of one account; a further one ends the oldest.
const MAX_ACCOUNT: i64 = 8;
/// Sessions of all accounts.
const MAX_ALL: i64 = 20_000;
/// Nonces that are remembered as used.
const MAX_USED: usize = 50_000;

/// Bytes of randomness in a nonce, before its expiry (8) and its tag (16).
const RANDOM: usize = 16;

/// Opens, knows and ends sessions.
pub struct Sessions {
    database: Database,
    genesis: [u8; 32],
    challenge: Duration,
    session: Duration,
    key: [u8; 32],
    used: Mutex<HashMap<[u8; RANDOM], i64>>,
}

/// An open session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who signed.
    pub account: AccountId,
    /// When it ends, in milliseconds since 1970.
    pub expires: i64,
}

fn random<const N: usize>() -> Result<[u8; N], ApiError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| ApiError::internal("the system's randomness", &error))?;
    Ok(bytes)
}

impl Sessions {
    /// Sessions on a chain, and how long a text may be signed and a session lasts.
    ///
    /// # Errors
    ///
    /// Where the system has no randomness.
    pub fn new(
        database: Database,
        genesis: [u8; 32],
        challenge: Duration,
        session: Duration,
    ) -> Result<Self, ApiError> {
        let used = Mutex::default();
        Ok(Self { database, genesis, challenge, session, key: random()?, used })
    }

    fn tag(&self, random: &[u8], expires: i64, account: &AccountId, origin: &str) -> [u8; 16] {
        let mut bytes = self.key.to_vec();
        bytes.extend_from_slice(random);
        bytes.extend_from_slice(&expires.to_be_bytes());
        bytes.extend_from_slice(&account.0);
        bytes.extend_from_slice(origin.as_bytes());
        // Keyed by its first block; BLAKE2b cannot be lengthened.
        let hash = sp_crypto_hashing::blake2_256(&bytes);
        let mut tag = [0; 16];
        tag.copy_from_slice(&hash[..16]);
        tag
    }

    /// The text that an account has to sign for a page.
    ///
    /// # Errors
    ///
    /// 500 without randomness.
    pub fn challenge(&self, account: AccountId, origin: &str) -> Result<Challenge, ApiError> {
        let random: [u8; RANDOM] = random()?;
        let expires = now().saturating_add(self.challenge.as_millis() as i64);
        let mut nonce = random.to_vec();
        nonce.extend_from_slice(&expires.to_be_bytes());
        nonce.extend_from_slice(&self.tag(&random, expires, &account, origin));
        Ok(self.text(account, origin, hex::encode(nonce), expires))
    }

    fn text(&self, account: AccountId, origin: &str, nonce: String, expires: i64) -> Challenge {
        let message = message::text(origin, &self.genesis, &account, &nonce, expires);
        Challenge { message, nonce, expires_at: expires }
    }

    /// Opens a session for whoever signed the text of a nonce; answers the token, which is kept nowhere.
    ///
    /// # Errors
    ///
    /// 401 for a nonce that is not this gateway's, is over or was used, was made for another account or
    /// origin, and for a signature that does not fit; 503 where there is no room.
    pub async fn open(
        &self,
        account: AccountId,
        origin: &str,
        nonce: &str,
        signature: &[u8],
        scheme: Option<Scheme>,
    ) -> Result<(String, Session), ApiError> {
        let refused = |code: &'static str, message: &str| {
            ApiError::new(
                StatusCode::UNAUTHORIZED,
                code,
                format!("{message}; ask for a new challenge"),
            )
        };
        let parts = hex::decode(nonce).ok().filter(|bytes| bytes.len() == RANDOM + 8 + 16);
        let unknown =
            || refused("unknown_nonce", "this nonce is not one of this gateway, account and page");
        let parts = parts.ok_or_else(unknown)?;
        let (random, rest) = parts.split_at(RANDOM);
        let (expires, tag) = rest.split_at(8);
        let random: [u8; RANDOM] = random.try_into().map_err(|_| unknown())?;
        let expires = i64::from_be_bytes(expires.try_into().map_err(|_| unknown())?);
        let expected = self.tag(&random, expires, &account, origin);
        if !bool::from(expected.as_slice().ct_eq(tag)) {
            return Err(unknown());
        }
        if now() > expires {
            return Err(refused("expired_nonce", "this challenge is over"));
        }
        // Written as this gateway writes it: upper-case digits would be another text.
        let text = self.text(account, origin, hex::encode(&parts), expires).message;
        if !verify(&account, text.as_bytes(), signature, scheme) {
            return Err(refused(
                "wrong_signature",
                "the signature is not this account's over <Bytes>, the message and </Bytes>",
            ));
        }
        self.use_up(random, expires)?;
        self.store(account).await
    }

    fn use_up(&self, random: [u8; RANDOM], expires: i64) -> Result<(), ApiError> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now();
        if used.len() >= MAX_USED {
            used.retain(|_, expires| *expires >= now);
        }
        if used.len() >= MAX_USED {
            return Err(ApiError::unavailable(60, "too many sessions are being opened"));
        }
        match used.insert(random, expires) {
            None => Ok(()),
            Some(_) => Err(ApiError::new(
                StatusCode::UNAUTHORIZED,
                "used_nonce",
                "this challenge was used before; ask for a new one",
            )),
        }
    }

    async fn store(&self, account: AccountId) -> Result<(String, Session), ApiError> {
        let token = hex::encode(random::<32>()?);
        let hash = hash(&token);
        let opened = now();
        let expires = opened.saturating_add(self.session.as_millis() as i64);
        let stored = self.database.run(move |db| {
            let transaction = db.transaction()?;
            transaction.execute("DELETE FROM sessions WHERE expires <= ?1", [opened])?;
            transaction.execute(
                "DELETE FROM sessions WHERE account = ?1 AND token NOT IN
                 (SELECT token FROM sessions WHERE account = ?1 ORDER BY opened DESC LIMIT ?2)",
                (account.0, MAX_ACCOUNT - 1),
            )?;
            let all: i64 =
                transaction.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0))?;
            if all >= MAX_ALL {
                return Ok(false);
            }
            transaction.execute(
                "INSERT INTO sessions VALUES(?1, ?2, ?3, ?4)",
                (hash, account.0, opened, expires),
            )?;
            transaction.commit()?;
            Ok(true)
        });
        match stored.await? {
            true => Ok((token, Session { account, expires })),
            false => Err(ApiError::unavailable(600, format!("{MAX_ALL} sessions are open"))),
        }
    }

    /// The session of a token.
    ///
    /// # Errors
    ///
    /// 401 for one that is not, is over, or was revoked.
    pub async fn of(&self, token: &str) -> Result<Session, ApiError> {
        let hash = hash(token);
        let found = self.database.run(move |db| {
            db.query_row("SELECT account, expires FROM sessions WHERE token = ?1", [hash], |row| {
                Ok(Some((row.get::<_, [u8; 32]>(0)?, row.get::<_, i64>(1)?)))
            })
            .or_else(none_is(None))
        });
        match found.await? {
            Some((account, expires)) if expires > now() => {
                Ok(Session { account: AccountId::from(account), expires })
            }
            _ => Err(ApiError::new(
                StatusCode::UNAUTHORIZED,
                "no_session",
                "this session is over, was revoked, or never was; open another with \
                 POST /v1/sessions/challenge",
            )),
        }
    }

    /// Ends the session of a token.
    ///
    /// # Errors
    ///
    /// 500.
    pub async fn revoke(&self, token: &str) -> Result<(), ApiError> {
        let hash = hash(token);
        let sql = "DELETE FROM sessions WHERE token = ?1";
        self.database.run(move |db| db.execute(sql, [hash]).map(drop)).await
    }
}

/// What is kept of a token: who reads the database cannot use it.
fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
