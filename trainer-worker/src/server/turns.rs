//! Turns at the processor, for what takes it beside the scheduler: taking bodies apart, and reading
//! prompts into tokens.
//!
//! Some work at a time, and keys in turns by the time that they have had: who has nothing under way goes
//! before who has, and then who had less. With several keys one is always left to the others.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Work at the same time.
const PLACES: usize = 2;

#[derive(Default)]
struct Client {
    under_way: usize,
    spent: Duration,
    waiting: VecDeque<oneshot::Sender<Turn>>,
}

impl Client {
    fn is_idle(&self) -> bool {
        self.under_way == 0 && self.waiting.is_empty()
    }
}

struct State {
    free: usize,
    /// Places that one client may have.
    of_one: usize,
    clients: BTreeMap<u64, Client>,
    /// What the client had had that came last to its turn: who comes anew has had no less, so that
    /// nobody saves turns up.
    level: Duration,
}

/// Who may compute, in turns. Clones are the same.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Mutex<State>>);

/// A place at the processor, until it is dropped.
pub(crate) struct Turn {
    turns: Turns,
    client: u64,
    began: Instant,
}

impl Turns {
    /// Nobody computes. Where there are several clients, none has all places.
    pub(super) fn new(several: bool) -> Self {
        let of_one = if several { PLACES - 1 } else { PLACES };
        let (clients, level) = (BTreeMap::new(), Duration::ZERO);
        Self(Arc::new(Mutex::new(State { free: PLACES, of_one, clients, level })))
    }

    /// Waits for a client's turn. `None` cannot happen while the server lives.
    pub(crate) async fn take(&self, client: u64) -> Option<Turn> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut state = self.lock();
            let queued = state.clients.values().filter(|client| !client.waiting.is_empty());
            let level = queued.map(|client| client.spent).min().unwrap_or(state.level);
            // Who has had no more is lifted to the level anyway.
            state.clients.retain(|_, client| !client.is_idle() || client.spent > level);
            let entry = state.clients.entry(client).or_default();
            if entry.is_idle() {
                entry.spent = entry.spent.max(level);
            }
            entry.waiting.push_back(sender);
        }
        self.next();
        receiver.await.ok()
    }

    /// Gives free places to those whose turn it is.
    fn next(&self) {
        while let Some((sender, turn)) = self.choose() {
            // Who has gone meanwhile gives it back by dropping it.
            drop(sender.send(turn));
        }
    }

    fn choose(&self) -> Option<(oneshot::Sender<Turn>, Turn)> {
        let mut state = self.lock();
        if state.free == 0 {
            return None;
        }
        let of_one = state.of_one;
        for client in state.clients.values_mut() {
            client.waiting.retain(|sender| !sender.is_closed());
        }
        let ready = state
            .clients
            .iter_mut()
            .filter(|(_, client)| !client.waiting.is_empty() && client.under_way < of_one);
        let (number, client) = ready.min_by_key(|(_, client)| (client.under_way, client.spent))?;
        let sender = client.waiting.pop_front()?;
        client.under_way += 1;
        let (number, spent) = (*number, client.spent);
        state.free -= 1;
        state.level = state.level.max(spent);
        drop(state);
        Some((sender, Turn { turns: self.clone(), client: number, began: Instant::now() }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.turns.lock();
        state.free += 1;
        if let Some(client) = state.clients.get_mut(&self.client) {
            client.under_way = client.under_way.saturating_sub(1);
            client.spent += self.began.elapsed();
        }
        drop(state);
        self.turns.next();
    }
}
