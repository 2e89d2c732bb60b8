//! What blocks of one transaction share: what each of them would read and write again is kept, and written once
//! at the end.

use super::{add, Result};
use crate::api::draws::Draw;
use crate::index::storage::StorageError;
use openledger_client::AccountId;
use rusqlite::{params, OptionalExtension, Transaction};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// What a Datanet's row gets added.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gained {
    pub(super) pending: i64,
    pub(super) accepted: i64,
    pub(super) rejected: i64,
    pub(super) withdrawn: i64,
    pub(super) contributors: i64,
    pub(super) leaves: i64,
    pub(super) units: u128,
}

/// A transaction with what its blocks share.
pub(in super::super) struct Batch<'a> {
    pub(super) tx: &'a Transaction<'a>,
    /// Whether what only helps readers is left out.
    pub(super) bulk: bool,
    names: RefCell<HashMap<[u8; 32], Rc<str>>>,
    sequence: Cell<Option<i64>>,
    /// By Datanet, with the first block that speaks of it.
    datanets: RefCell<BTreeMap<u32, (u32, Gained)>>,
    /// Points by Datanet and board.
    boards: RefCell<BTreeMap<(u32, i64), u128>>,
    /// Draws that something happened to.
    draws: RefCell<BTreeMap<u64, Draw>>,
}

impl<'a> Batch<'a> {
    pub(in super::super) fn new(tx: &'a Transaction<'a>, bulk: bool) -> Self {
        Self {
            tx,
            bulk,
            names: RefCell::default(),
            sequence: Cell::default(),
            datanets: RefCell::default(),
            boards: RefCell::default(),
            draws: RefCell::default(),
        }
    }

    /// An account in SS58, which costs a hash to write.
    pub(super) fn name(&self, account: &AccountId) -> Rc<str> {
        let mut names = self.names.borrow_mut();
        names.entry(account.0).or_insert_with(|| account.to_string().into()).clone()
    }

    /// Adds to a Datanet's row.
    pub(super) fn gain(&self, block: u32, datanet: u32, add: impl FnOnce(&mut Gained)) {
        let mut datanets = self.datanets.borrow_mut();
        add(&mut datanets.entry(datanet).or_insert((block, Gained::default())).1);
    }

    /// A draw that was opened.
    pub(super) fn open_draw(&self, draw: Draw) {
        self.draws.borrow_mut().insert(draw.id, draw);
    }

    /// Reads or changes a draw; nothing where there is none.
    pub(super) fn draw<T>(
        &self,
        id: u64,
        change: impl FnOnce(&mut Draw) -> T,
    ) -> Result<Option<T>> {
        let mut draws = self.draws.borrow_mut();
        if let Some(draw) = draws.get_mut(&id) {
            return Ok(Some(change(draw)));
        }
        let text: Option<String> = self
            .tx
            .prepare_cached("SELECT data FROM draws WHERE id = ?")?
            .query_row(params![id as i64], |row| row.get(0))
            .optional()?;
        let Some(mut draw) = text.map(|text| serde_json::from_str::<Draw>(&text)).transpose()?
        else {
            return Ok(None);
        };
        let changed = change(&mut draw);
        draws.insert(id, draw);
        Ok(Some(changed))
    }

    /// Adds to all points of a board.
    pub(super) fn earned(&self, datanet: u32, period: i64, points: u128) {
        let mut boards = self.boards.borrow_mut();
        let sum = boards.entry((datanet, period)).or_default();
        *sum = sum.saturating_add(points);
    }

    /// The chain numbers acceptances that bring points from 0, over all Datanets.
    pub(super) fn next_sequence(&self) -> Result<i64> {
        let next = match self.sequence.get() {
            Some(next) => next,
            None => {
                let text: Option<String> = self
                    .tx
                    .prepare_cached("SELECT value FROM meta WHERE key = 'sequence'")?
                    .query_row([], |row| row.get(0))
                    .optional()?;
                text.and_then(|text| text.parse().ok()).unwrap_or(0)
            }
        };
        self.sequence.set(Some(next + 1));
        Ok(next)
    }

    /// Writes what was kept.
    pub(in super::super) fn finish(self) -> Result<()> {
        if let Some(next) = self.sequence.get() {
            self.tx
                .prepare_cached("INSERT OR REPLACE INTO meta VALUES('sequence', ?)")?
                .execute(params![next.to_string()])?;
        }
        for (id, draw) in self.draws.into_inner() {
            let sql = "INSERT OR REPLACE INTO draws VALUES(?, ?, ?, ?)";
            let (id, data) = (id as i64, serde_json::to_string(&draw)?);
            self.tx.prepare_cached(sql)?.execute(params![id, draw.datanet, draw.state, data])?;
            let sql = "UPDATE draw_members SET state = ?1 WHERE draw = ?2 AND state <> ?1";
            self.tx.prepare_cached(sql)?.execute(params![draw.state, id])?;
        }
        for ((datanet, period), points) in self.boards.into_inner() {
            let sql = "SELECT points FROM board_sums WHERE datanet = ? AND period = ?";
            let before: Option<[u8; 16]> = self
                .tx
                .prepare_cached(sql)?
                .query_row(params![datanet, period], |row| row.get(0))
                .optional()?;
            let sum = before.map_or(0, u128::from_be_bytes).saturating_add(points);
            self.tx
                .prepare_cached("INSERT OR REPLACE INTO board_sums VALUES(?, ?, ?)")?
                .execute(params![datanet, period, sum.to_be_bytes()])?;
        }
        for (datanet, (block, gained)) in self.datanets.into_inner() {
            let units: Option<String> = self
                .tx
                .prepare_cached("SELECT units FROM datanets WHERE id = ?")?
                .query_row(params![datanet], |row| row.get(0))
                .optional()?;
            let what = || format!("Datanet {datanet}");
            let units = units.ok_or_else(|| StorageError::Unknown { block, what: what() })?;
            self.tx
                .prepare_cached(
                    "UPDATE datanets SET pending = pending + ?, accepted = accepted + ?, \
                     rejected = rejected + ?, withdrawn = withdrawn + ?, \
                     contributors = contributors + ?, leaves = leaves + ?, units = ? WHERE id = ?",
                )?
                .execute(params![
                    gained.pending,
                    gained.accepted,
                    gained.rejected,
                    gained.withdrawn,
                    gained.contributors,
                    gained.leaves,
                    add(&units, gained.units),
                    datanet
                ])?;
        }
        Ok(())
    }
}
