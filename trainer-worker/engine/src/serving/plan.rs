//! What a step computes: which answers get a token, and how many rows of which prompts.
//!
//! A step is bounded in work, not in rows alone: attention over a long context costs many times what a row
//! costs otherwise, and whoever else is answered would wait for it. Clients get equal parts of a step;
//! what one does not need goes to the others.

use super::request::RequestId;
use std::collections::BTreeMap;

/// An answer that waits for its next token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writing {
    pub(super) id: RequestId,
    pub(super) client: u64,
    /// The step in which it was computed last.
    pub(super) last: u64,
    /// Work of its row.
    pub(super) work: u64,
}

/// A prompt that is not read yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) id: RequestId,
    pub(super) client: u64,
    /// Tokens that were read.
    pub(super) position: usize,
    /// Tokens that were not.
    pub(super) rows: usize,
}

/// What a step has room for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) rows: usize,
    pub(super) work: u64,
}

/// Divides an amount evenly among clients by what each needs.
fn divide(needs: &BTreeMap<u64, u64>, amount: u64) -> BTreeMap<u64, u64> {
    let mut order: Vec<(u64, u64)> = needs.iter().map(|(client, need)| (*need, *client)).collect();
    order.sort_unstable();
    let (mut left, mut clients) = (amount, order.len() as u64);
    let mut shares = BTreeMap::new();
    for (need, client) in order {
        let share = need.min(left / clients);
        shares.insert(client, share);
        left -= share;
        clients -= 1;
    }
    shares
}

/// The answers that get a token: all, where their rows are within `bound`. Else each client's within its
/// share, those first that were computed longest ago, so that all come to their turn. Whose row alone is
/// more than the share gets it nevertheless.
pub(super) fn writers(mut all: Vec<Writing>, bound: u64) -> Vec<RequestId> {
    let mut needs: BTreeMap<u64, u64> = BTreeMap::new();
    for writing in &all {
        *needs.entry(writing.client).or_default() += writing.work;
    }
    if needs.values().sum::<u64>() <= bound {
        return all.iter().map(|writing| writing.id).collect();
    }
    let shares = divide(&needs, bound);
    all.sort_unstable_by_key(|writing| (writing.last, writing.id));
    let (mut chosen, mut total) = (Vec::new(), 0);
    let mut taken: BTreeMap<u64, u64> = BTreeMap::new();
    for writing in all {
        let own = taken.entry(writing.client).or_default();
        let share = shares.get(&writing.client).copied().unwrap_or(0);
        let fits = *own + writing.work <= share || (*own == 0 && total < bound);
        if fits {
            *own += writing.work;
            total += writing.work;
            chosen.push(writing.id);
        }
    }
    chosen
}

impl Room {
    /// Takes rows of a prompt, at most so many and within `share`. Gives how many, and their work.
    fn take(
        &mut self,
        reading: &Reading,
        most: usize,
        share: u64,
        row_work: &impl Fn(usize) -> u64,
    ) -> (usize, u64) {
        let (most, share) = (most.min(reading.rows).min(self.rows), share.min(self.work));
        let (mut rows, mut work) = (0, 0);
        while rows < most {
            let next = work + row_work(reading.position + rows);
            if next > share {
                break;
            }
            (rows, work) = (rows + 1, next);
        }
        self.rows -= rows;
        self.work -= work;
        (rows, work)
    }
}

/// Rows of prompts. Half of the room is for the first, so that it gets on whatever comes, with a row at
/// least; the rest is divided among the clients of the others, in each the shortest first, so that short
/// prompts need not wait for long ones.
pub(super) fn readers(
    all: &[Reading],
    mut room: Room,
    row_work: impl Fn(usize) -> u64,
) -> Vec<(RequestId, usize)> {
    let Some((first, others)) = all.split_first() else { return Vec::new() };
    if room.rows == 0 {
        return Vec::new();
    }
    let (half, share) = (room.rows.div_ceil(2), room.work.div_ceil(2));
    let (mut given, _) = room.take(first, half, share, &row_work);
    if given == 0 {
        given = 1;
        room.rows -= 1;
        room.work = room.work.saturating_sub(row_work(first.position));
    }
    let mut others = others.to_vec();
    others.sort_unstable_by_key(|reading| (reading.rows, reading.id));
    let mut needs: BTreeMap<u64, u64> = BTreeMap::new();
    for reading in &others {
        // More than there is makes no difference.
        let (_, work) = { room }.take(reading, usize::MAX, u64::MAX, &row_work);
        *needs.entry(reading.client).or_default() += work;
    }
    let mut shares = divide(&needs, room.work);
    let mut plan = Vec::new();
    for reading in others {
        let Some(share) = shares.get_mut(&reading.client) else { continue };
        let (rows, work) = room.take(&reading, usize::MAX, *share, &row_work);
        *share -= work;
        if rows > 0 {
            plan.push((reading.id, rows));
        }
    }
    let rest = Reading { position: first.position + given, rows: first.rows - given, ..*first };
    given += room.take(&rest, usize::MAX, u64::MAX, &row_work).0;
    plan.push((first.id, given));
    plan
}
