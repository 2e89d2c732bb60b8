//! What this node wants, and whom it asks.
//!
//! A wanted block is asked of one peer at a time, and moves on to the next when that peer says
//! "do not have", disconnects, or has been silent for a while. Which peer: one that said "have"; or
//! else one that served the same session before; or else everyone is asked with want-have first
//! (a single peer is sent want-block at once). When nobody has it, all are asked again, at growing
//! intervals, until the waiter gives up; a peer that connects meanwhile is asked at once.

use super::message::{Arrived, Entry, WantKind};
use bytes::Bytes;
use libp2p::PeerId;
use openledger_primitives::ContentId;
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// How long a peer may be silent (no answer, and no byte on its connection) before another is asked.
const SILENCE: Duration = Duration::from_secs(5);
/// The first and the longest pause before all peers are asked again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Number of a waiter, unique in this process.
pub(crate) type WaiterId = u64;
/// Number of a session: the blocks of one file.
pub(crate) type SessionId = u64;
/// What a waiter gets: the block, or its size when it is larger than any block may be.
pub(crate) type Reply = Result<Bytes, u64>;

#[derive(Debug)]
struct Waiter {
    id: WaiterId,
    session: SessionId,
    reply: oneshot::Sender<Reply>,
}

/// How far a peer has been asked for one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    WantHave,
    Has,
    WantBlock { since: Instant },
    Refused,
}

#[derive(Debug)]
struct Want {
    waiters: Vec<Waiter>,
    asked: HashMap<PeerId, Asked>,
    next_round: Instant,
    pause: Duration,
}

#[derive(Debug)]
struct Source {
    /// Blocks asked of it and not come yet.
    outstanding: usize,
    /// When it last sent anything.
    heard: Instant,
}

/// The wants of this node.
#[derive(Debug, Default)]
pub(crate) struct Client {
    wants: HashMap<ContentId, Want>,
    peers: HashMap<PeerId, Source>,
    /// Peers that had blocks of a session.
    sessions: HashMap<SessionId, HashSet<PeerId>>,
    outbox: HashMap<PeerId, Vec<Entry>>,
}

impl Client {
    /// Entries to be sent, a peer at a time.
    pub(crate) fn take_outbox(&mut self) -> HashMap<PeerId, Vec<Entry>> {
        std::mem::take(&mut self.outbox)
    }

    /// Blocks wanted.
    pub(crate) fn wanted(&self) -> usize {
        self.wants.len()
    }

    pub(crate) fn want(
        &mut self,
        id: ContentId,
        waiter: WaiterId,
        session: SessionId,
        reply: oneshot::Sender<Reply>,
        now: Instant,
    ) {
        let waiter = Waiter { id: waiter, session, reply };
        if let Some(want) = self.wants.get_mut(&id) {
            want.waiters.push(waiter);
            return;
        }
        let want = Want {
            waiters: vec![waiter],
            asked: HashMap::new(),
            next_round: now + FIRST_PAUSE,
            pause: FIRST_PAUSE,
        };
        self.wants.insert(id, want);
        self.choose(&id, now);
    }

    /// A waiter has given up.
    pub(crate) fn cancel(&mut self, id: &ContentId, waiter: WaiterId) {
        let Some(want) = self.wants.get_mut(id) else { return };
        want.waiters.retain(|other| other.id != waiter);
        if want.waiters.is_empty() {
            self.forget(id, None);
        }
    }

    pub(crate) fn end_session(&mut self, session: SessionId) {
        self.sessions.remove(&session);
    }

    pub(crate) fn connected(&mut self, peer: PeerId, now: Instant) {
        self.peers.insert(peer, Source { outstanding: 0, heard: now });
        let idle: Vec<ContentId> = self.wants.keys().copied().collect();
        for id in idle {
            self.choose(&id, now);
        }
    }

    pub(crate) fn disconnected(&mut self, peer: &PeerId, now: Instant) {
        self.peers.remove(peer);
        self.outbox.remove(peer);
        for session in self.sessions.values_mut() {
            session.remove(peer);
        }
        let mut orphans = Vec::new();
        for (id, want) in &mut self.wants {
            if matches!(want.asked.remove(peer), Some(Asked::WantBlock { .. })) {
                orphans.push(*id);
            }
        }
        for id in orphans {
            self.choose(&id, now);
        }
    }

    /// Bytes are coming from a peer, though no whole message may have come yet.
    pub(crate) fn heard(&mut self, peer: &PeerId, now: Instant) {
        if let Some(source) = self.peers.get_mut(peer) {
            source.heard = now;
        }
    }

    pub(crate) fn presence(&mut self, peer: PeerId, id: &ContentId, have: bool, now: Instant) {
        let Some(want) = self.wants.get_mut(id) else { return };
        // Only an answer to a question of ours counts.
        let Some(asked) = want.asked.get_mut(&peer) else { return };
        match (have, *asked) {
            (true, Asked::WantBlock { .. }) => {}
            (true, _) => {
                *asked = Asked::Has;
                for waiter in &want.waiters {
                    self.sessions.entry(waiter.session).or_default().insert(peer);
                }
            }
            (false, before) => {
                *asked = Asked::Refused;
                if matches!(before, Asked::WantBlock { .. }) {
                    self.settle(&peer);
                }
            }
        }
        self.choose(id, now);
    }

    /// A block came. Returns whether it was wanted; what was not is dropped by the caller.
    pub(crate) fn arrived(&mut self, peer: PeerId, arrived: Arrived, now: Instant) -> bool {
        self.heard(&peer, now);
        let (id, reply) = match arrived {
            Arrived::Block(id, block) => (id, Ok(block)),
            Arrived::TooLarge(id, size) => (id, Err(size)),
        };
        let Some(want) = self.forget(&id, Some(&peer)) else { return false };
        for waiter in want.waiters {
            self.sessions.entry(waiter.session).or_default().insert(peer);
            // A waiter that has just given up needs no block.
            let _ = waiter.reply.send(reply.clone());
        }
        true
    }

    /// Moves on from silent peers, and asks everyone again when a round is over.
    pub(crate) fn tick(&mut self, now: Instant) {
        let ids: Vec<ContentId> = self.wants.keys().copied().collect();
        for id in ids {
            let silent: Vec<PeerId> = self
                .wants
                .get(&id)
                .into_iter()
                .flat_map(|want| &want.asked)
                .filter_map(|(peer, asked)| match asked {
                    Asked::WantBlock { since } => {
                        let heard = self.peers.get(peer).map_or(*since, |source| source.heard);
                        (now.duration_since(heard.max(*since)) > SILENCE).then_some(*peer)
                    }
                    _ => None,
                })
                .collect();
            for peer in &silent {
                self.settle(peer);
                if let Some(want) = self.wants.get_mut(&id) {
                    want.asked.insert(*peer, Asked::Refused);
                    for waiter in &want.waiters {
                        if let Some(session) = self.sessions.get_mut(&waiter.session) {
                            session.remove(peer);
                        }
                    }
                }
            }
            let Some(want) = self.wants.get_mut(&id) else { continue };
            let pending = want.asked.values().any(|asked| matches!(asked, Asked::WantBlock { .. }));
            let over = !pending && now >= want.next_round;
            if over {
                want.asked.clear();
                want.pause = (want.pause * 2).min(LONGEST_PAUSE);
                want.next_round = now + want.pause;
            }
            if over || !silent.is_empty() {
                self.choose(&id, now);
            }
        }
    }

    /// Decides whom to ask next for a block.
    fn choose(&mut self, id: &ContentId, now: Instant) {
        let Some(want) = self.wants.get_mut(id) else { return };
        let session_peers: HashSet<PeerId> = want
            .waiters
            .iter()
            .filter_map(|waiter| self.sessions.get(&waiter.session))
            .flatten()
            .copied()
            .collect();
        let unasked: Vec<PeerId> =
            self.peers.keys().filter(|peer| !want.asked.contains_key(peer)).copied().collect();

        let pending = want.asked.values().any(|asked| matches!(asked, Asked::WantBlock { .. }));
        if !pending {
            let outstanding =
                |peer: &PeerId| self.peers.get(peer).map_or(usize::MAX, |peer| peer.outstanding);
            let has = want
                .asked
                .iter()
                .filter(|(_, asked)| **asked == Asked::Has)
                .map(|(peer, _)| *peer)
                .min_by_key(outstanding);
            let known = unasked
                .iter()
                .filter(|peer| session_peers.contains(peer))
                .copied()
                .min_by_key(outstanding);
            let only = match unasked.as_slice() {
                [only] if want.asked.is_empty() => Some(*only),
                _ => None,
            };
            if let Some(peer) = has.or(known).or(only) {
                want.asked.insert(peer, Asked::WantBlock { since: now });
                if let Some(source) = self.peers.get_mut(&peer) {
                    source.outstanding += 1;
                }
                let entry = Entry::want(id, WantKind::Block);
                self.outbox.entry(peer).or_default().push(entry);
                return;
            }
            for peer in unasked {
                want.asked.insert(peer, Asked::WantHave);
                let entry = Entry::want(id, WantKind::Have);
                self.outbox.entry(peer).or_default().push(entry);
            }
        }
    }

    /// Drops a want and tells the peers that were asked, except the one that has just sent it.
    fn forget(&mut self, id: &ContentId, sender: Option<&PeerId>) -> Option<Want> {
        let want = self.wants.remove(id)?;
        for (peer, asked) in &want.asked {
            if matches!(asked, Asked::WantBlock { .. }) {
                self.settle(peer);
            }
            // Who refused keeps the want too, so as to tell us when it gets the block.
            if Some(peer) != sender && self.peers.contains_key(peer) {
                self.outbox.entry(*peer).or_default().push(Entry::cancel(id));
            }
        }
        Some(want)
    }

    /// A block asked of a peer is no longer awaited from it.
    fn settle(&mut self, peer: &PeerId) {
        if let Some(source) = self.peers.get_mut(peer) {
            source.outstanding = source.outstanding.saturating_sub(1);
        }
    }
}
