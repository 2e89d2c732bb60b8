//! Drawn committees: draws, seats, what was paid and lost, and the board over all Datanets.

use super::rows::{board_sum, json, moment, number, numbers, one, Select};
use super::{ranks, Result};
use crate::api::draws::{Draw, DrawDetail, Settlement};
use crate::api::global::{GlobalEntry, GlobalPeriod};
use crate::api::seats::Reviewer;
use crate::api::types::{DrawOf, Page};
use crate::index::sqlite::write::{ALL_TIME, GLOBAL};
use crate::index::storage::{DrawQuery, PageQuery};
use openledger_client::AccountId;
use rusqlite::{Connection, Row};

pub(super) fn draws(
    connection: &Connection,
    query: &DrawQuery,
    page: &PageQuery,
) -> Result<Page<Draw>> {
    let mut select = match &query.member {
        // A member's draws come through its row of each, in the same order.
        Some(member) => {
            let mut select = Select::new(
                "SELECT d.data FROM draw_members m CROSS JOIN draws d ON d.id = m.draw",
            );
            select.and("m.account = ?", member.clone());
            select.and_if("m.state = ?", query.state.clone());
            select.and_if("m.draw < ?", number(page.cursor.as_deref())?);
            select
        }
        None => {
            let mut select = Select::new("SELECT d.data FROM draws d");
            select.and_if("d.state = ?", query.state.clone());
            select.and_if("d.id < ?", number(page.cursor.as_deref())?);
            select
        }
    };
    select.and_if("d.datanet = ?", query.datanet);
    let order =
        if query.member.is_some() { " ORDER BY m.draw DESC" } else { " ORDER BY d.id DESC" };
    select.page(connection, order, page, json, |draw: &Draw| draw.id.to_string())
}

pub(super) fn draw(connection: &Connection, id: u64) -> Result<Option<DrawDetail>> {
    let found: Option<Draw> =
        one(connection, "SELECT data FROM draws WHERE id = ?", id as i64, json)?;
    let Some(draw) = found else { return Ok(None) };
    let sql = "SELECT name FROM datanets WHERE id = ?";
    let name = one(connection, sql, draw.datanet, |row| Ok(row.get(0)?))?;
    let mut select = Select::new(SETTLEMENT);
    select.and("draw = ?", id as i64);
    select.sql.push_str(" ORDER BY block, idx");
    let settlements = select.all(connection, settlement)?;
    Ok(Some(DrawDetail { draw, datanet_name: name.unwrap_or_default(), settlements }))
}

/// The draws of a submission, in order.
pub(super) fn draws_of(connection: &Connection, submission: u64) -> Result<Vec<DrawOf>> {
    let mut select = Select::new("SELECT d.data FROM draw_files f JOIN draws d ON d.id = f.draw");
    select.and("f.submission = ?", submission as i64);
    select.sql.push_str(" ORDER BY f.draw LIMIT 100");
    let draws: Vec<Draw> = select.all(connection, json)?;
    let of = |draw: Draw| {
        let file = draw.files.into_iter().find(|file| file.submission == submission);
        let found = file.as_ref().and_then(|file| file.found.as_ref());
        DrawOf {
            draw: draw.id,
            challenge: draw.challenges.is_some(),
            state: draw.state,
            found: found.map(|found| found.kind.clone()),
            outcome: file.and_then(|file| file.outcome),
        }
    };
    Ok(draws.into_iter().map(of).collect())
}

pub(super) fn reviewer(connection: &Connection, account: &AccountId) -> Result<Reviewer> {
    let name = account.to_string();
    let sql = "SELECT drawn, revealed, earned, lost FROM reviewers WHERE account = ?";
    let sums = one(connection, sql, name.clone(), |row| {
        Ok(Reviewer {
            seats: Vec::new(),
            drawn: row.get::<_, i64>(0)? as u64,
            revealed: row.get::<_, i64>(1)? as u64,
            earned: row.get(2)?,
            lost: row.get(3)?,
        })
    })?;
    let mut select = Select::new("SELECT data FROM seats");
    select.and("account = ?", name);
    select.sql.push_str(" ORDER BY pool LIMIT 100");
    let none = Reviewer { earned: "0".to_owned(), lost: "0".to_owned(), ..Reviewer::default() };
    Ok(Reviewer { seats: select.all(connection, json)?, ..sums.unwrap_or(none) })
}

const SETTLEMENT: &str =
    "SELECT account, block, idx, draw, submission, paid, amount, why, time, extrinsic FROM settlements";

fn settlement(row: &Row<'_>) -> Result<Settlement> {
    Ok(Settlement {
        account: row.get(0)?,
        draw: row.get::<_, i64>(3)? as u64,
        submission: row.get::<_, Option<i64>>(4)?.map(|id| id as u64),
        paid: row.get(5)?,
        amount: row.get(6)?,
        why: row.get(7)?,
        at: moment(row.get(1)?, row.get(8)?, row.get(9)?),
    })
}

pub(super) fn settlements(
    connection: &Connection,
    account: &AccountId,
    page: &PageQuery,
) -> Result<Page<Settlement>> {
    let mut select = Select::new(SETTLEMENT);
    select.and("account = ?", account.to_string());
    if let Some([block, index]) = numbers::<2>(page.cursor.as_deref())? {
        select.and("(block, idx) < (?", block.min(i64::MAX as u128) as i64);
        select.sql.push_str(", ?)");
        select.values.push((index.min(i64::MAX as u128) as i64).into());
    }
    let read = |row: &Row<'_>| Ok((row.get::<_, i64>(2)?, settlement(row)?));
    let cursor = |(index, entry): &(i64, Settlement)| format!("{}.{index}", entry.at.block);
    let found = select.page(connection, " ORDER BY block DESC, idx DESC", page, read, cursor)?;
    Ok(Page { items: found.items.into_iter().map(|(_, entry)| entry).collect(), next: found.next })
}

const BOARD: &str = "SELECT account, key, files FROM boards";

fn entry(row: &Row<'_>, rank: u64, all: u128) -> Result<GlobalEntry> {
    let (points, sequence) = ranks::parts(&row.get(1)?);
    Ok(GlobalEntry {
        rank,
        account: row.get(0)?,
        points: points.to_string(),
        share: if all == 0 { 0.0 } else { points as f64 / all as f64 },
        sequence,
        files: row.get::<_, i64>(2)? as u64,
    })
}

pub(super) fn board(
    connection: &Connection,
    period: Option<u32>,
    page: &PageQuery,
) -> Result<Page<GlobalEntry>> {
    let period = period.map_or(ALL_TIME, i64::from);
    let all = board_sum(connection, GLOBAL, period)?;
    let mut select = Select::new(BOARD);
    select.and("datanet = ?", GLOBAL);
    select.and("period = ?", period);
    let mut first = 0;
    if let Some([points, sequence, rank]) = numbers::<3>(page.cursor.as_deref())? {
        let sequence = sequence.min(u64::MAX as u128) as u64;
        select.and("key < ?", ranks::key(points, sequence).to_vec());
        first = rank.min(u64::MAX as u128) as u64;
    }
    let read = |row: &Row<'_>| entry(row, 0, all);
    let mut found = select.page(connection, " ORDER BY key DESC", page, read, |_| String::new())?;
    for (entry, rank) in found.items.iter_mut().zip(first.saturating_add(1)..) {
        entry.rank = rank;
    }
    if let (Some(next), Some(last)) = (&mut found.next, found.items.last()) {
        *next = format!("{}.{}.{}", last.points, last.sequence, last.rank);
    }
    Ok(found)
}

pub(super) fn board_entry(
    connection: &Connection,
    period: Option<u32>,
    account: &AccountId,
) -> Result<Option<GlobalEntry>> {
    let period = period.map_or(ALL_TIME, i64::from);
    let all = board_sum(connection, GLOBAL, period)?;
    let mut select = Select::new(BOARD);
    select.and("datanet = ?", GLOBAL);
    select.and("period = ?", period);
    select.and("account = ?", account.to_string());
    let found = select.all(connection, |row| {
        let rank = ranks::rank(connection, GLOBAL, period, &row.get(1)?)?;
        entry(row, rank, all)
    });
    Ok(found?.pop())
}

pub(super) fn periods(connection: &Connection, page: &PageQuery) -> Result<Page<GlobalPeriod>> {
    let mut select = Select::new("SELECT period, points FROM board_sums");
    select.and("datanet = ?", GLOBAL);
    select.and("period > ?", ALL_TIME);
    select.and_if("period < ?", number(page.cursor.as_deref())?);
    let read = |row: &Row<'_>| {
        let points: [u8; 16] = row.get(1)?;
        Ok(GlobalPeriod { period: row.get(0)?, points: u128::from_be_bytes(points).to_string() })
    };
    let cursor = |period: &GlobalPeriod| period.period.to_string();
    select.page(connection, " ORDER BY period DESC", page, read, cursor)
}
