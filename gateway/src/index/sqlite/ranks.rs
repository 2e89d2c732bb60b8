//! Places on boards of any length.
//!
//! A board is an index of keys, and counting those above one takes as long as there are many. So its keys are cut
//! into chunks of some thousand, of which each knows how many it has: a place is the sum of the chunks above, and
//! a count within one. Chunks only help readers and follow from the rows that stand beside them, like an index.

use super::StorageError;
use rusqlite::{params, Connection, OptionalExtension};

/// Keys of a chunk after it was cut, and at most.
const CUT: i64 = 1_024;
const MOST: i64 = 2 * CUT;

/// Orders a board: 16 bytes of points, and 8 of the inverted sequence, since of equal points the earlier ones
/// rank first.
pub(super) type Key = [u8; 24];

/// Before every key.
const LEAST: Key = [0; 24];

type Result<T> = std::result::Result<T, StorageError>;

/// The key of points that an acceptance completed.
pub(super) fn key(points: u128, sequence: u64) -> Key {
    let mut key = LEAST;
    let (high, low) = key.split_at_mut(16);
    high.copy_from_slice(&points.to_be_bytes());
    low.copy_from_slice(&(u64::MAX - sequence).to_be_bytes());
    key
}

/// The points and the acceptance of a key.
pub(super) fn parts(key: &Key) -> (u128, u64) {
    let number = |bytes: &[u8]| bytes.iter().fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
    let (high, low) = key.split_at(16);
    (number(high), u64::MAX - number(low) as u64)
}

/// The chunk that a key belongs to.
fn chunk(connection: &Connection, datanet: u32, period: i64, key: &Key) -> Result<Option<Key>> {
    let sql = "SELECT first FROM board_chunks WHERE datanet = ? AND period = ? AND first <= ? \
               ORDER BY first DESC LIMIT 1";
    let mut found = connection.prepare_cached(sql)?;
    Ok(found.query_row(params![datanet, period, key], |row| row.get(0)).optional()?)
}

/// The chunk after one; the end of the board where there is none.
fn after(connection: &Connection, datanet: u32, period: i64, first: &Key) -> Result<Key> {
    let sql = "SELECT first FROM board_chunks WHERE datanet = ? AND period = ? AND first > ? \
               ORDER BY first LIMIT 1";
    let mut found = connection.prepare_cached(sql)?;
    let next = found.query_row(params![datanet, period, first], |row| row.get(0)).optional()?;
    Ok(next.unwrap_or([u8::MAX; 24]))
}

/// Notes that an account's key has changed, once its row is written.
pub(super) fn moved(
    connection: &Connection,
    datanet: u32,
    period: i64,
    before: Option<&Key>,
    now: &Key,
) -> Result<()> {
    let of = "WHERE datanet = ?1 AND period = ?2 AND first = ?3";
    if let Some(before) = before {
        if let Some(first) = chunk(connection, datanet, period, before)? {
            let sql = format!("UPDATE board_chunks SET keys = keys - 1 {of}");
            connection.prepare_cached(&sql)?.execute(params![datanet, period, first])?;
            // The first one begins the board, with or without keys.
            let sql = format!("DELETE FROM board_chunks {of} AND keys = 0 AND first > ?4");
            connection.prepare_cached(&sql)?.execute(params![datanet, period, first, LEAST])?;
        }
    }
    let first = chunk(connection, datanet, period, now)?.unwrap_or(LEAST);
    let sql = "INSERT INTO board_chunks VALUES(?, ?, ?, 1) \
               ON CONFLICT DO UPDATE SET keys = keys + 1 RETURNING keys";
    let keys: i64 = connection
        .prepare_cached(sql)?
        .query_row(params![datanet, period, first], |row| row.get(0))?;
    if keys <= MOST {
        return Ok(());
    }
    let sql = "SELECT key FROM boards WHERE datanet = ? AND period = ? AND key >= ? \
               ORDER BY key LIMIT 1 OFFSET ?";
    let cut: Key = connection
        .prepare_cached(sql)?
        .query_row(params![datanet, period, first, CUT], |row| row.get(0))?;
    let sql = format!("UPDATE board_chunks SET keys = ?4 {of}");
    connection.prepare_cached(&sql)?.execute(params![datanet, period, first, CUT])?;
    let sql = "INSERT INTO board_chunks VALUES(?, ?, ?, ?)";
    connection.prepare_cached(sql)?.execute(params![datanet, period, cut, keys - CUT])?;
    Ok(())
}

/// Forgets all chunks, while many rows are written.
pub(super) fn forget(connection: &Connection) -> Result<()> {
    Ok(connection.execute_batch("DELETE FROM board_chunks")?)
}

/// Cuts all boards anew, where that was left out.
pub(super) fn cut_all(connection: &Connection) -> Result<()> {
    let sql = "SELECT EXISTS(SELECT 1 FROM board_chunks)";
    if connection.query_row(sql, [], |row| row.get(0))? {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO board_chunks \
         SELECT datanet, period, CASE place WHEN 0 THEN zeroblob(24) ELSE min(key) END, count(*) FROM \
         (SELECT datanet, period, key, (row_number() OVER \
          (PARTITION BY datanet, period ORDER BY key) - 1) / {CUT} AS place FROM boards) \
         GROUP BY datanet, period, place"
    );
    Ok(connection.execute_batch(&sql)?)
}

/// The place of a key on a board, from 1.
pub(super) fn rank(connection: &Connection, datanet: u32, period: i64, key: &Key) -> Result<u64> {
    let first = chunk(connection, datanet, period, key)?.unwrap_or(LEAST);
    let next = after(connection, datanet, period, &first)?;
    let sql = "SELECT (SELECT coalesce(sum(keys), 0) FROM board_chunks \
                WHERE datanet = ?1 AND period = ?2 AND first > ?3) \
               + (SELECT count(*) FROM boards \
                WHERE datanet = ?1 AND period = ?2 AND key > ?4 AND key < ?5)";
    let better: i64 = connection
        .prepare_cached(sql)?
        .query_row(params![datanet, period, first, key, next], |row| row.get(0))?;
    Ok(better as u64 + 1)
}
