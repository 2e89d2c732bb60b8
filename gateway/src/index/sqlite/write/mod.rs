//! A block's rows.

mod batch;
mod committee;
mod records;

pub(super) use batch::Batch;

use crate::api::types::{Moment, WaitingTerms};
use crate::index::sqlite::ranks::{self, Key};
use crate::index::storage::StorageError;
use openledger_client::{
    blocks::{Block, BlockEvent, ChainEvent, Detail},
    AccountId,
};
use openledger_primitives::{
    committee::global_points, AdmissionPolicy, DatasetLeaf, Ending, ReviewPolicy, SubmissionId,
    Verdict,
};
use rusqlite::{params, OptionalExtension};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

type Result<T> = std::result::Result<T, StorageError>;

/// The board of all time.
pub(super) const ALL_TIME: i64 = -1;

/// Where the board over all Datanets stands among theirs: no Datanet has this number.
pub(super) const GLOBAL: u32 = u32::MAX;

fn hash(hash: openledger_client::H256) -> String {
    hex::encode(hash.0)
}

/// What became of a submission.
#[derive(Clone, Copy)]
enum Outcome<'a> {
    Accepted { leaf: u64, points: u128, measured: &'a DatasetLeaf<AccountId> },
    Rejected(&'static str),
    Withdrawn,
}

/// Writes one block within a transaction.
pub(super) struct Writer<'a> {
    batch: &'a Batch<'a>,
    block: &'a Block,
    /// What was paid and lost, until the end of its file tells why.
    waiting: RefCell<Vec<committee::Waiting>>,
    /// Submissions that left a draw, with the draw.
    ended: RefCell<BTreeMap<SubmissionId, u64>>,
}

/// The curators of a policy and how many of them must agree; nobody and 0 where committees are drawn.
fn curators(policy: &ReviewPolicy<AccountId>) -> (&[AccountId], u8) {
    match policy {
        ReviewPolicy::Curators { members, threshold } => (members.as_slice(), *threshold),
        ReviewPolicy::Committee { .. } => (&[], 0),
    }
}

/// The seats that a policy's committees are drawn from.
fn seats_of(policy: &ReviewPolicy<AccountId>) -> Option<&'static str> {
    match policy {
        ReviewPolicy::Curators { .. } => None,
        ReviewPolicy::Committee { own_seats: true } => Some("datanet"),
        ReviewPolicy::Committee { own_seats: false } => Some("modality"),
    }
}

impl<'a> Writer<'a> {
    pub(super) fn new(batch: &'a Batch<'a>, block: &'a Block) -> Self {
        Self { batch, block, waiting: RefCell::default(), ended: RefCell::default() }
    }

    pub(super) fn write(&self) -> Result<()> {
        let block = self.block;
        self.run(
            "INSERT INTO blocks VALUES(?, ?, ?, ?, ?)",
            params![
                block.number,
                hash(block.hash),
                hash(block.parent),
                block.time as i64,
                block.spec
            ],
        )?;
        // Rows that events add to come first.
        self.datanets()?;
        for event in &block.events {
            self.event(event)?;
            self.effect(event)?;
            self.committee(event)?;
        }
        self.seats()?;
        self.changed()
    }

    fn run(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize> {
        Ok(self.batch.tx.prepare_cached(sql)?.execute(params)?)
    }

    fn name(&self, account: &AccountId) -> Rc<str> {
        self.batch.name(account)
    }

    fn json<T: serde::de::DeserializeOwned>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> Result<Option<T>> {
        let mut statement = self.batch.tx.prepare_cached(sql)?;
        let text: Option<String> = statement.query_row(params, |row| row.get(0)).optional()?;
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
    }

    fn unknown(&self, what: String) -> StorageError {
        StorageError::Unknown { block: self.block.number, what }
    }

    fn extrinsic(&self, event: &BlockEvent) -> Option<String> {
        let place = event.extrinsic? as usize;
        self.block.extrinsics.get(place).map(|of| hash(*of))
    }

    fn moment(&self, extrinsic: Option<String>) -> Moment {
        Moment { block: self.block.number, time: self.block.time, extrinsic }
    }

    fn datanets(&self) -> Result<()> {
        for datanet in &self.block.changed.datanets {
            let event = self.block.events.iter().find(|event| {
                matches!(event.event, ChainEvent::DatanetCreated { datanet: id, .. } if id == datanet.id)
            });
            let created = self.moment(event.and_then(|event| self.extrinsic(event)));
            self.run(
                "INSERT INTO datanets(id, owner, name, modality, min_units, max_units, daily_files, \
                 daily_bytes, created) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    datanet.id,
                    datanet.owner.to_string(),
                    datanet.name,
                    datanet.modality.name(),
                    datanet.min_units as i64,
                    datanet.max_units as i64,
                    datanet.daily_limit.map(|limit| limit.files),
                    datanet.daily_limit.map(|limit| limit.bytes as i64),
                    serde_json::to_string(&created)?,
                ],
            )?;
        }
        for (datanet, owner) in &self.block.changed.owners {
            self.run(
                "UPDATE datanets SET owner = ? WHERE id = ?",
                params![self.name(owner), datanet],
            )?;
        }
        for (datanet, text) in &self.block.changed.texts {
            let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let tags: Vec<String> = text.tags.iter().map(|tag| said(tag)).collect();
            self.run(
                "UPDATE datanets SET summary = ?, description = ?, tags = ? WHERE id = ?",
                params![
                    said(&text.summary),
                    said(&text.description),
                    serde_json::to_string(&tags)?,
                    datanet
                ],
            )?;
        }
        for (datanet, policy) in &self.block.changed.policies {
            let (members, threshold) = curators(policy);
            self.run(
                "UPDATE datanets SET threshold = ?, committee = ? WHERE id = ?",
                params![threshold, seats_of(policy), datanet],
            )?;
            self.run("DELETE FROM curators WHERE datanet = ?", params![datanet])?;
            for (place, member) in members.iter().enumerate() {
                self.run(
                    "INSERT INTO curators VALUES(?, ?, ?)",
                    params![datanet, place as i64, self.name(member)],
                )?;
            }
        }
        Ok(())
    }

    fn event(&self, event: &BlockEvent) -> Result<()> {
        let (number, index) = (self.block.number, event.index);
        let said = &event.event;
        self.run(
            "INSERT INTO events VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                number,
                index,
                said.kind(),
                self.block.time as i64,
                self.extrinsic(event),
                said.submission().map(|id| id as i64),
                said.job().map(|id| id as i64),
                said.fields().to_string(),
            ],
        )?;
        for account in said.accounts() {
            self.run(
                "INSERT INTO activity VALUES(?, ?, ?)",
                params![self.name(&account), number, index],
            )?;
        }
        Ok(())
    }

    fn effect(&self, event: &BlockEvent) -> Result<()> {
        match (&event.event, &event.detail) {
            (
                ChainEvent::Submitted { datanet, submission, contributor, sha256 },
                Detail::File(item),
            ) => {
                self.run(
                    "INSERT INTO submissions(id, datanet, contributor, sha256, content, size, media, \
                     state, block, time, extrinsic) VALUES(?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?)",
                    params![
                        *submission as i64,
                        datanet,
                        self.name(contributor),
                        hex::encode(sha256),
                        item.content.to_string(),
                        item.size,
                        item.media.name(),
                        self.block.number,
                        self.block.time as i64,
                        self.extrinsic(event),
                    ],
                )?;
                let submissions: i64 = self
                    .batch
                    .tx
                    .prepare_cached(
                        "INSERT INTO contributions(account, datanet, pending) VALUES(?, ?, 1) \
                         ON CONFLICT DO UPDATE SET pending = pending + 1 \
                         RETURNING pending + accepted + rejected + withdrawn",
                    )?
                    .query_row(params![self.name(contributor), datanet], |row| row.get(0))?;
                self.batch.gain(self.block.number, *datanet, |gained| {
                    gained.pending += 1;
                    gained.contributors += i64::from(submissions == 1);
                });
                Ok(())
            }
            (
                ChainEvent::Accepted { datanet, submission, contributor, points, leaf, .. },
                Detail::Leaf(measured),
            ) => {
                let outcome = Outcome::Accepted { leaf: *leaf, points: *points, measured };
                self.decide(event, *datanet, *submission, contributor, outcome)
            }
            (ChainEvent::Rejected { datanet, submission, contributor, reason, .. }, _) => {
                let outcome = Outcome::Rejected(reason.name());
                self.decide(event, *datanet, *submission, contributor, outcome)
            }
            (ChainEvent::Unavailable { datanet, submission, contributor, .. }, _) => {
                let outcome = Outcome::Rejected(Ending::Unavailable.name());
                self.decide(event, *datanet, *submission, contributor, outcome)
            }
            (ChainEvent::Expired { datanet, submission, contributor, .. }, _) => {
                let outcome = Outcome::Rejected(Ending::Expired.name());
                self.decide(event, *datanet, *submission, contributor, outcome)
            }
            (ChainEvent::Displaced { datanet, submission, contributor, .. }, _) => {
                let outcome = Outcome::Rejected("displaced");
                self.decide(event, *datanet, *submission, contributor, outcome)
            }
            (ChainEvent::CapsSet { datanet, daily_limit, .. }, _) => {
                self.run(
                    "UPDATE datanets SET daily_files = ?, daily_bytes = ? WHERE id = ?",
                    params![
                        daily_limit.map(|limit| limit.files),
                        daily_limit.map(|limit| limit.bytes as i64),
                        datanet
                    ],
                )?;
                Ok(())
            }
            (ChainEvent::StatusSet { datanet, status }, _) => {
                let sql = "UPDATE datanets SET status = ? WHERE id = ?";
                self.run(sql, params![status.name(), datanet]).map(drop)
            }
            (ChainEvent::AdmissionSet { datanet, admission }, _) => {
                let (kind, least) = match admission {
                    AdmissionPolicy::Open => ("open", None),
                    AdmissionPolicy::Invited => ("invited", None),
                    AdmissionPolicy::Points { least } => ("points", Some(least.to_string())),
                };
                let sql = "UPDATE datanets SET admission = ?, least_points = ? WHERE id = ?";
                self.run(sql, params![kind, least, datanet]).map(drop)
            }
            (ChainEvent::Offered { datanet, to }, _) => {
                let to = to.map(|to| self.name(&to));
                let sql = "UPDATE datanets SET offered = ? WHERE id = ?";
                self.run(sql, params![to, datanet]).map(drop)
            }
            (ChainEvent::OwnerChanged { datanet, .. }, _) => {
                let sql = "UPDATE datanets SET offered = NULL WHERE id = ?";
                self.run(sql, params![datanet]).map(drop)
            }
            (ChainEvent::LeafRevoked { submission, .. }, _) => {
                let sql = "UPDATE submissions SET revoked_at = ? WHERE id = ?";
                self.run(sql, params![self.block.number, *submission as i64]).map(drop)
            }
            (ChainEvent::BaseModelRetired { base, .. }, _) => self.retire(*base),
            (ChainEvent::TermsAnnounced { datanet, per_period, max_per_point, from }, _) => {
                let terms = WaitingTerms {
                    per_period: per_period.to_string(),
                    max_per_point: max_per_point.to_string(),
                    from: *from,
                };
                let terms = serde_json::to_string(&terms)?;
                let sql = "UPDATE datanets SET waiting_terms = ? WHERE id = ?";
                self.run(sql, params![terms, datanet]).map(drop)
            }
            (ChainEvent::TermsKept { datanet } | ChainEvent::TermsSet { datanet, .. }, _) => {
                let sql = "UPDATE datanets SET waiting_terms = NULL WHERE id = ?";
                self.run(sql, params![datanet]).map(drop)
            }
            (ChainEvent::Funded { datanet, who, amount }, _) => {
                self.fund("funded", *datanet, who, *amount)
            }
            (ChainEvent::PoolWithdrawn { datanet, account, amount }, _) => {
                self.fund("withdrawn", *datanet, account, *amount)
            }
            (ChainEvent::Withdrawn { datanet, submission, contributor, .. }, _) => {
                self.decide(event, *datanet, *submission, contributor, Outcome::Withdrawn)
            }
            (ChainEvent::Voted { submission, curator, replaced, .. }, Detail::Vote(verdict)) => {
                self.vote(event, *submission, curator, *replaced, verdict)
            }
            (ChainEvent::PointsEarned { datanet, account, points, .. }, _) => {
                let sequence = self.batch.next_sequence()?;
                self.earn(*datanet, ALL_TIME, account, *points, sequence)?;
                self.earn(*datanet, self.period(), account, *points, sequence)?;
                if self.counts_globally(event)? {
                    let points = global_points(*points);
                    self.earn(GLOBAL, ALL_TIME, account, points, sequence)?;
                    self.earn(GLOBAL, self.period(), account, points, sequence)?;
                }
                Ok(())
            }
            (ChainEvent::PeriodClosed { datanet, period, points, rate }, _) => {
                let closed = self.moment(self.extrinsic(event));
                self.run(
                    "INSERT INTO periods VALUES(?, ?, ?, ?, ?)",
                    params![
                        datanet,
                        period,
                        points.to_string(),
                        rate.to_string(),
                        serde_json::to_string(&closed)?
                    ],
                )?;
                Ok(())
            }
            (ChainEvent::Claimed { datanet, account, amount }, _) => {
                let key = params![self.name(account), datanet];
                let claimed: Option<String> = self
                    .batch
                    .tx
                    .prepare_cached(
                        "SELECT claimed FROM contributions WHERE account = ? AND datanet = ?",
                    )?
                    .query_row(key, |row| row.get(0))
                    .optional()?;
                let claimed = claimed
                    .ok_or_else(|| self.unknown(format!("rewards of {account} in {datanet}")))?;
                self.run(
                    "UPDATE contributions SET claimed = ? WHERE account = ? AND datanet = ?",
                    params![add(&claimed, *amount), self.name(account), datanet],
                )?;
                Ok(())
            }
            (
                ChainEvent::Submitted { .. }
                | ChainEvent::Accepted { .. }
                | ChainEvent::Voted { .. },
                _,
            ) => Err(self.unknown(format!("{} without what it speaks of", event.event.kind()))),
            _ => Ok(()),
        }
    }

    /// Adds to what a funder paid in, or took out.
    fn fund(&self, column: &str, datanet: u32, who: &AccountId, amount: u128) -> Result<()> {
        let who = self.name(who);
        let before: Option<String> = self
            .batch
            .tx
            .prepare_cached(&format!(
                "SELECT {column} FROM funders WHERE datanet = ? AND account = ?"
            ))?
            .query_row(params![datanet, who], |row| row.get(0))
            .optional()?;
        let sum = add(before.as_deref().unwrap_or("0"), amount);
        let sql = format!(
            "INSERT INTO funders(datanet, account, shares, {column}) VALUES(?1, ?2, ?3, ?4) \
             ON CONFLICT DO UPDATE SET {column} = ?4"
        );
        self.run(&sql, params![datanet, who, 0u128.to_be_bytes(), sum]).map(drop)
    }

    fn period(&self) -> i64 {
        i64::from(self.block.number / self.block.period_length.max(1))
    }

    /// Ends a submission's wait.
    fn decide(
        &self,
        event: &BlockEvent,
        datanet: u32,
        id: SubmissionId,
        who: &AccountId,
        outcome: Outcome<'_>,
    ) -> Result<()> {
        let (state, moved) = match outcome {
            Outcome::Accepted { .. } => (
                "accepted",
                "UPDATE contributions SET pending = pending - 1, accepted = accepted + 1 \
                 WHERE account = ? AND datanet = ?",
            ),
            Outcome::Rejected(_) => (
                "rejected",
                "UPDATE contributions SET pending = pending - 1, rejected = rejected + 1 \
                 WHERE account = ? AND datanet = ?",
            ),
            Outcome::Withdrawn => (
                "withdrawn",
                "UPDATE contributions SET pending = pending - 1, withdrawn = withdrawn + 1 \
                 WHERE account = ? AND datanet = ?",
            ),
        };
        let (mut reason, mut accepted) = (None, None);
        match outcome {
            Outcome::Accepted { leaf, points, measured } => {
                accepted = Some((leaf, points.to_string(), measured));
            }
            Outcome::Rejected(why) => reason = Some(why),
            Outcome::Withdrawn => {}
        }
        let measured = accepted.as_ref().map(|accepted| accepted.2);
        let root = measured.map(|leaf| leaf.text_root).filter(|root| !root.is_zero());
        let changed = self.run(
            "UPDATE submissions SET state = ?, decided_block = ?, decided_time = ?, \
             decided_extrinsic = ?, reason = ?, score = ?, units = ?, points = ?, leaf = ?, \
             text_root = ?, extractor = ?, period = ? WHERE id = ? AND state = 'pending'",
            params![
                state,
                self.block.number,
                self.block.time as i64,
                self.extrinsic(event),
                reason,
                measured.map(|leaf| leaf.score.get()),
                measured.map(|leaf| leaf.units as i64),
                accepted.as_ref().map(|accepted| accepted.1.as_str()),
                accepted.as_ref().map(|accepted| accepted.0 as i64),
                root.map(hash),
                measured.map(|leaf| leaf.version.extractor()),
                measured.map(|_| self.period()),
                id as i64
            ],
        )?;
        if changed != 1 {
            return Err(self.unknown(format!("submission {id}")));
        }
        self.leave_draw(id)?;
        if self.run(moved, params![self.name(who), datanet])? != 1 {
            return Err(self.unknown(format!("contributor {who} of Datanet {datanet}")));
        }
        self.batch.gain(self.block.number, datanet, |gained| {
            gained.pending -= 1;
            match outcome {
                Outcome::Accepted { measured, .. } => {
                    gained.accepted += 1;
                    gained.leaves += 1;
                    gained.units = gained.units.saturating_add(measured.units.into());
                }
                Outcome::Rejected(_) => gained.rejected += 1,
                Outcome::Withdrawn => gained.withdrawn += 1,
            }
        });
        Ok(())
    }

    fn vote(
        &self,
        event: &BlockEvent,
        id: SubmissionId,
        curator: &AccountId,
        replaced: bool,
        verdict: &Verdict,
    ) -> Result<()> {
        let (accept, reason, measured) = match verdict {
            Verdict::Reject(reason) => (false, Some(reason.name()), None),
            Verdict::Unavailable => (false, Some(Ending::Unavailable.name()), None),
            Verdict::Accept { score, units, text_root, extractor } => {
                let root = (!text_root.is_zero()).then(|| hex::encode(text_root.0));
                (true, None, Some((score.get(), *units as i64, root, *extractor)))
            }
        };
        let measured = measured.as_ref();
        self.run(
            "INSERT INTO votes VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                id as i64,
                self.block.number,
                event.index,
                self.block.time as i64,
                self.extrinsic(event),
                self.name(curator),
                accept,
                reason,
                measured.map(|measured| measured.0),
                measured.map(|measured| measured.1),
                measured.and_then(|measured| measured.2.as_deref()),
                measured.map(|measured| measured.3),
                replaced,
            ],
        )?;
        Ok(())
    }

    fn earn(
        &self,
        datanet: u32,
        period: i64,
        account: &AccountId,
        points: u128,
        sequence: i64,
    ) -> Result<()> {
        let account = self.name(account);
        let before: Option<Key> = self
            .batch
            .tx
            .prepare_cached(
                "SELECT key FROM boards WHERE datanet = ? AND period = ? AND account = ?",
            )?
            .query_row(params![datanet, period, account], |row| row.get(0))
            .optional()?;
        let total = before.as_ref().map_or(0, |key| ranks::parts(key).0).saturating_add(points);
        self.batch.earned(datanet, period, points);
        let key = ranks::key(total, sequence as u64);
        self.run(
            "INSERT INTO boards VALUES(?1, ?2, ?3, ?4, 1) ON CONFLICT DO UPDATE SET \
             key = ?4, files = files + 1",
            params![datanet, period, account, key],
        )?;
        match self.batch.bulk {
            true => Ok(()),
            false => ranks::moved(self.batch.tx, datanet, period, before.as_ref(), &key),
        }
    }
}

fn add(sum: &str, more: u128) -> String {
    // Texts of this table are sums of the chain, which fit.
    sum.parse::<u128>().unwrap_or(0).saturating_add(more).to_string()
}
