//! Statements that are put together, and rows as answers.

use super::Result;
use crate::api::types::{
    Adapter, BoardEntry, Counts, Datanet, Event, Funder, Limits, Moment, Page, Pool, Submission,
    Vote,
};
use crate::index::sqlite::{ranks, schema::FundsRecord};
use crate::index::storage::{Head, PageQuery, StorageError, MAX_PAGE};
use openledger_primitives::Modality;
use rusqlite::{params, params_from_iter, types::Value, Connection, OptionalExtension, Row};
use serde::de::DeserializeOwned;
use sp_core::U256;

pub(super) const SUBMISSION: &str = "SELECT id, datanet, contributor, sha256, content, size, media, state, block, \
    time, extrinsic, decided_block, decided_time, decided_extrinsic, reason, score, units, points, leaf, \
    text_root, extractor, revoked_at FROM submissions";

pub(super) const DATANET: &str =
    "SELECT id, owner, name, modality, min_units, max_units, daily_files, daily_bytes, \
    created, threshold, pending, accepted, rejected, withdrawn, contributors, leaves, units, pool, \
    funds, status, offered, summary, tags, committee, admission, least_points FROM datanets";

pub(super) const EVENT: &str = "SELECT block, idx, kind, time, extrinsic, fields FROM events";

/// A statement that is put together from the conditions that a query has. Values are always bound.
pub(super) struct Select {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
    pub(super) conditions: usize,
}

impl Select {
    pub(super) fn new(sql: &str) -> Self {
        Self { sql: sql.to_owned(), values: Vec::new(), conditions: 0 }
    }

    pub(super) fn and(&mut self, condition: &str, value: impl Into<Value>) {
        self.sql.push_str(if self.conditions == 0 { " WHERE " } else { " AND " });
        self.sql.push_str(condition);
        self.values.push(value.into());
        self.conditions += 1;
    }

    pub(super) fn and_if<V: Into<Value>>(&mut self, condition: &str, value: Option<V>) {
        if let Some(value) = value {
            self.and(condition, value);
        }
    }

    /// Runs it for one row more than the page has: whether there is a next page.
    pub(super) fn page<T>(
        mut self,
        connection: &Connection,
        order: &str,
        page: &PageQuery,
        read: impl Fn(&Row<'_>) -> Result<T>,
        cursor: impl Fn(&T) -> String,
    ) -> Result<Page<T>> {
        let limit = page.limit.clamp(1, MAX_PAGE) as usize;
        self.sql.push_str(order);
        self.sql.push_str(" LIMIT ?");
        self.values.push(((limit + 1) as i64).into());
        let mut items = self.all(connection, read)?;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(cursor);
        Ok(Page { items, next })
    }

    pub(super) fn all<T>(
        self,
        connection: &Connection,
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = connection.prepare_cached(&self.sql)?;
        let mut rows = statement.query(params_from_iter(self.values))?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            items.push(read(row)?);
        }
        Ok(items)
    }
}

/// The numbers of a cursor, which are written with points between them.
pub(super) fn numbers<const N: usize>(cursor: Option<&str>) -> Result<Option<[u128; N]>> {
    let Some(text) = cursor else { return Ok(None) };
    let bad = || StorageError::Cursor(text.chars().take(100).collect());
    let parts: Vec<u128> =
        text.split('.').map(|part| part.parse().map_err(|_| bad())).collect::<Result<_>>()?;
    parts.try_into().map(Some).map_err(|_| bad())
}

pub(super) fn number(cursor: Option<&str>) -> Result<Option<i64>> {
    let Some([number]) = numbers::<1>(cursor)? else { return Ok(None) };
    let text = || cursor.unwrap_or("").to_owned();
    i64::try_from(number).map(Some).map_err(|_| StorageError::Cursor(text()))
}

pub(super) fn moment(block: u32, time: i64, extrinsic: Option<String>) -> Moment {
    Moment { block, time: time as u64, extrinsic }
}

pub(super) fn submission(row: &Row<'_>) -> Result<Submission> {
    let decided: Option<u32> = row.get(11)?;
    Ok(Submission {
        id: row.get::<_, i64>(0)? as u64,
        datanet: row.get(1)?,
        contributor: row.get(2)?,
        sha256: row.get(3)?,
        content: row.get(4)?,
        size: row.get(5)?,
        media: row.get(6)?,
        state: row.get(7)?,
        submitted: moment(row.get(8)?, row.get(9)?, row.get(10)?),
        decided: match decided {
            Some(block) => Some(moment(block, row.get(12)?, row.get(13)?)),
            None => None,
        },
        reason: row.get(14)?,
        score: row.get(15)?,
        units: row.get::<_, Option<i64>>(16)?.map(|units| units as u64),
        points: row.get(17)?,
        leaf: row.get::<_, Option<i64>>(18)?.map(|leaf| leaf as u64),
        text_root: row.get(19)?,
        extractor: row.get(20)?,
        revoked: row.get::<_, Option<u32>>(21)?.is_some(),
        revoked_at: row.get(21)?,
    })
}

pub(super) fn event(row: &Row<'_>) -> Result<Event> {
    let (block, index): (u32, u32) = (row.get(0)?, row.get(1)?);
    let fields: String = row.get(5)?;
    Ok(Event {
        id: format!("{block}-{index}"),
        kind: row.get(2)?,
        block,
        time: row.get::<_, i64>(3)? as u64,
        extrinsic: row.get(4)?,
        fields: serde_json::from_str(&fields)?,
    })
}

pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>) -> Result<T> {
    let text: String = row.get(0)?;
    Ok(serde_json::from_str(&text)?)
}

pub(super) fn head(row: &Row<'_>) -> rusqlite::Result<Head> {
    Ok(Head { number: row.get(0)?, hash: row.get(1)?, time: row.get::<_, i64>(2)? as u64 })
}

pub(super) fn counts(row: &Row<'_>, from: usize) -> Result<Counts> {
    let count = |place: usize| row.get::<_, i64>(from + place).map(|count| count.max(0) as u64);
    Ok(Counts {
        pending: count(0)?,
        accepted: count(1)?,
        rejected: count(2)?,
        withdrawn: count(3)?,
    })
}

/// A Datanet without its curators, which stand in a table of their own.
pub(super) fn datanet(row: &Row<'_>) -> Result<Datanet> {
    let modality: String = row.get(3)?;
    let known = Modality::ALL.into_iter().find(|known| known.name() == modality);
    let formats = known.map(|known| known.formats().map(|media| media.name().to_owned()).collect());
    let (files, bytes): (Option<u32>, Option<i64>) = (row.get(6)?, row.get(7)?);
    let (created, pool): (String, Option<String>) = (row.get(8)?, row.get(17)?);
    let (funds, tags): (Option<String>, String) = (row.get(18)?, row.get(22)?);
    let mut pool: Option<Pool> = pool.map(|pool| serde_json::from_str(&pool)).transpose()?;
    if let Some(pool) = &mut pool {
        let funds = funds.map(|funds| serde_json::from_str(&funds)).transpose()?;
        let funds: FundsRecord = funds.unwrap_or_default();
        let or_none = |text: String| if text.is_empty() { "0".to_owned() } else { text };
        (pool.shares, pool.unowned) = (or_none(funds.shares), or_none(funds.unowned));
    }
    Ok(Datanet {
        id: row.get(0)?,
        owner: row.get(1)?,
        name: row.get(2)?,
        unit: known.map_or("", Modality::unit).to_owned(),
        formats: formats.unwrap_or_default(),
        modality,
        min_units: row.get::<_, i64>(4)? as u64,
        max_units: row.get::<_, i64>(5)? as u64,
        daily_limit: files.zip(bytes).map(|(files, bytes)| Limits { files, bytes: bytes as u64 }),
        created: serde_json::from_str(&created)?,
        curators: Vec::new(),
        threshold: row.get(9)?,
        counts: counts(row, 10)?,
        contributors: row.get::<_, i64>(14)? as u64,
        leaves: row.get::<_, i64>(15)? as u64,
        units: row.get(16)?,
        pool,
        status: row.get(19)?,
        offered_to: row.get(20)?,
        summary: row.get(21)?,
        tags: serde_json::from_str(&tags)?,
        committee: row.get(23)?,
        admission: row.get(24)?,
        least_points: row.get(25)?,
    })
}

/// The funders of a pool with most shares.
pub(super) fn funders(
    connection: &Connection,
    datanet: u32,
    funds: &FundsRecord,
    available: &str,
) -> Result<Vec<Funder>> {
    let number = |text: &str| text.parse::<u128>().unwrap_or(0);
    let (all, available) = (number(&funds.shares), number(available));
    let mut select =
        Select::new("SELECT account, funded, withdrawn, shares, leaving, generation FROM funders");
    select.and("datanet = ?", datanet);
    select.sql.push_str(" ORDER BY generation DESC, shares DESC, account LIMIT 100");
    select.all(connection, |row| {
        let void = row.get::<_, u32>(5)? < funds.generation;
        let shares = if void { 0 } else { u128::from_be_bytes(row.get(3)?) };
        let worth = U256::from(available) * U256::from(shares) / U256::from(all.max(1));
        Ok(Funder {
            account: row.get(0)?,
            funded: row.get(1)?,
            withdrawn: row.get(2)?,
            shares: shares.to_string(),
            worth: worth.to_string(),
            leaving: if void { "0".to_owned() } else { row.get(4)? },
        })
    })
}

/// Flags an adapter if a leaf of its data was revoked that its job did not leave out.
pub(super) fn with_revoked(connection: &Connection, mut adapter: Adapter) -> Result<Adapter> {
    let sql = "SELECT EXISTS(SELECT 1 FROM submissions WHERE datanet = ? AND leaf < ? AND revoked_at >= ?)";
    for set in &adapter.datasets {
        let leaves = i64::try_from(set.leaves).unwrap_or(i64::MAX);
        let of_set = (set.datanet, leaves, adapter.created.block);
        adapter.holds_revoked |=
            connection.prepare_cached(sql)?.query_row(of_set, |row| row.get::<_, bool>(0))?;
    }
    Ok(adapter)
}

pub(super) fn with_curators(connection: &Connection, mut datanet: Datanet) -> Result<Datanet> {
    let mut select = Select::new("SELECT account FROM curators");
    select.and("datanet = ?", datanet.id);
    select.sql.push_str(" ORDER BY place");
    datanet.curators = select.all(connection, |row| Ok(row.get(0)?))?;
    Ok(datanet)
}

/// Columns of a board's line, whose rank is counted apart.
pub(super) const BOARD: &str =
    "SELECT b.account, b.key, b.files, c.pending, c.accepted, c.rejected, \
     c.withdrawn FROM boards b JOIN contributions c ON c.account = b.account AND c.datanet = b.datanet";

/// A board's line; `all` are the points of the whole board.
pub(super) fn board_entry(row: &Row<'_>, rank: u64, all: u128) -> Result<BoardEntry> {
    let (points, sequence) = ranks::parts(&row.get(1)?);
    Ok(BoardEntry {
        rank,
        account: row.get(0)?,
        points: points.to_string(),
        share: if all == 0 { 0.0 } else { points as f64 / all as f64 },
        sequence,
        files: row.get::<_, i64>(2)? as u64,
        counts: counts(row, 3)?,
    })
}

pub(super) fn one<T>(
    connection: &Connection,
    sql: &str,
    key: impl Into<Value>,
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut select = Select::new(sql);
    select.values.push(key.into());
    Ok(select.all(connection, read)?.into_iter().next())
}

pub(super) fn votes(connection: &Connection, submission: u64) -> Result<Vec<Vote>> {
    let mut select = Select::new(
        "SELECT curator, accept, reason, score, units, text_root, extractor, replaced, block, time, \
         extrinsic FROM votes",
    );
    select.and("submission = ?", submission as i64);
    select.sql.push_str(" ORDER BY block, idx LIMIT 1000");
    select.all(connection, |row| {
        Ok(Vote {
            curator: row.get(0)?,
            accept: row.get(1)?,
            reason: row.get(2)?,
            score: row.get(3)?,
            units: row.get::<_, Option<i64>>(4)?.map(|units| units as u64),
            text_root: row.get(5)?,
            extractor: row.get(6)?,
            replaced: row.get(7)?,
            at: moment(row.get(8)?, row.get(9)?, row.get(10)?),
        })
    })
}

/// All points of a board.
pub(super) fn board_sum(connection: &Connection, datanet: u32, period: i64) -> Result<u128> {
    let sql = "SELECT points FROM board_sums WHERE datanet = ? AND period = ?";
    let sum: Option<[u8; 16]> = connection
        .prepare_cached(sql)?
        .query_row(params![datanet, period], |row| row.get(0))
        .optional()?;
    Ok(sum.map_or(0, u128::from_be_bytes))
}
