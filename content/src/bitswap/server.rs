//! What peers want of this node, bounded a peer, and how it is answered.

use super::message::{Answer, Entry, WantKind, WireCid, MAX_ENTRIES};
use crate::{dag::MAX_BLOCK_BYTES, store::BlockStore};
use openledger_primitives::ContentId;
use std::collections::{HashMap, VecDeque};

/// Most wants remembered for a peer. When there are more, the oldest ones that could not be served
/// are forgotten first; further ones are ignored until the queue is shorter.
const MAX_WANTS: usize = MAX_ENTRIES;
/// Most wants answered by one message.
const MAX_WANTS_A_MESSAGE: usize = 256;
/// A message with this many bytes gets no further block.
const TARGET_MESSAGE_BYTES: usize = 1024 * 1024;
/// Most bytes of a frame: one block of any size, or several small ones, and presences.
pub(crate) const MAX_ANSWER_BYTES: usize = MAX_BLOCK_BYTES + MAX_WANTS_A_MESSAGE * 192 + 8;

/// One want of a peer.
#[derive(Clone, Debug)]
pub(crate) struct Want {
    cid: WireCid,
    kind: WantKind,
    send_dont_have: bool,
}

#[derive(Debug)]
struct Place {
    want: Want,
    /// Which place in which line is this want's; places given up earlier are passed over.
    number: u64,
    absent: bool,
}

/// The wants of one peer.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    wants: HashMap<WireCid, Place>,
    /// To be answered, in order.
    queue: VecDeque<(WireCid, u64)>,
    /// Not here when asked for; answered if they come.
    absent: VecDeque<(WireCid, u64)>,
    next_number: u64,
}

impl Ledger {
    /// Wants remembered.
    pub(crate) fn len(&self) -> usize {
        self.wants.len()
    }

    /// Whether there is something to answer.
    pub(crate) fn is_waiting(&mut self) -> bool {
        self.drop_stale();
        !self.queue.is_empty()
    }

    /// Takes up a peer's wantlist.
    pub(crate) fn update(&mut self, full: bool, entries: Vec<Entry>) {
        if full {
            self.wants.clear();
            self.queue.clear();
            self.absent.clear();
        }
        for entry in entries {
            if entry.cancel {
                self.wants.remove(&entry.cid);
                continue;
            }
            let Entry { cid, kind, send_dont_have, .. } = entry;
            // Who wants the block and asks for word of it beside still wants the block.
            let queued = self.wants.get(&cid).filter(|place| !place.absent);
            if queued
                .is_some_and(|place| place.want.kind == WantKind::Block || place.want.kind == kind)
            {
                continue;
            }
            if self.wants.len() >= MAX_WANTS && !self.wants.contains_key(&cid) && !self.evict() {
                continue;
            }
            self.place(Want { cid, kind, send_dont_have }, false);
        }
        self.compact();
    }

    /// A block has come into the store: who asked for it in vain is answered now.
    pub(crate) fn stored(&mut self, id: &ContentId) {
        for cid in [Some(WireCid::new(id)), WireCid::version_0(id)].into_iter().flatten() {
            if self.wants.get(&cid).is_some_and(|place| place.absent) {
                if let Some(place) = self.wants.remove(&cid) {
                    self.place(place.want, false);
                }
            }
        }
    }

    /// Takes the next wants out, for one message.
    pub(crate) fn take(&mut self) -> Vec<Want> {
        let mut taken = Vec::new();
        while taken.len() < MAX_WANTS_A_MESSAGE {
            self.drop_stale();
            let Some((cid, _)) = self.queue.pop_front() else { break };
            taken.extend(self.wants.remove(&cid).map(|place| place.want));
        }
        taken
    }

    /// Puts back what one message could not answer: first the wants that are still to be answered,
    /// then those whose blocks are not here.
    pub(crate) fn put_back(&mut self, unanswered: Vec<Want>, absent: Vec<Want>) {
        for want in unanswered.into_iter().rev() {
            if self.wants.len() < MAX_WANTS && !self.wants.contains_key(&want.cid) {
                let number = self.number();
                self.queue.push_front((want.cid.clone(), number));
                self.wants.insert(want.cid.clone(), Place { want, number, absent: false });
            }
        }
        for want in absent {
            if self.wants.len() < MAX_WANTS && !self.wants.contains_key(&want.cid) {
                self.place(want, true);
            }
        }
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    fn place(&mut self, want: Want, absent: bool) {
        let number = self.number();
        let line = if absent { &mut self.absent } else { &mut self.queue };
        line.push_back((want.cid.clone(), number));
        self.wants.insert(want.cid.clone(), Place { want, number, absent });
    }

    /// Forgets the oldest want that could not be served; false when all are still to be answered.
    fn evict(&mut self) -> bool {
        while let Some((cid, number)) = self.absent.pop_front() {
            if self.wants.get(&cid).is_some_and(|place| place.number == number) {
                self.wants.remove(&cid);
                return true;
            }
        }
        false
    }

    fn drop_stale(&mut self) {
        while let Some((cid, number)) = self.queue.front() {
            if self.wants.get(cid).is_some_and(|place| place.number == *number) {
                break;
            }
            self.queue.pop_front();
        }
    }

    /// Want and cancel, a million times, must not make the lines long.
    fn compact(&mut self) {
        let wants = &self.wants;
        for line in [&mut self.queue, &mut self.absent] {
            if line.len() > 2 * MAX_WANTS {
                line.retain(|(cid, number)| {
                    wants.get(cid).is_some_and(|place| place.number == *number)
                });
            }
        }
    }
}

/// One message for a peer.
#[derive(Debug)]
pub(crate) struct Answered {
    /// The message, unless there is nothing to say.
    pub(crate) frame: Option<Vec<u8>>,
    /// Wants for which the message had no room.
    pub(crate) unanswered: Vec<Want>,
    /// Wants whose blocks are not here.
    pub(crate) absent: Vec<Want>,
}

/// Reads blocks from disk and builds one message of at most [`MAX_ANSWER_BYTES`] and its framing.
pub(crate) fn answer(store: &BlockStore, wants: Vec<Want>) -> Answered {
    let mut answer = Answer::default();
    let (mut unanswered, mut absent) = (Vec::new(), Vec::new());
    for want in wants {
        if answer.len() >= TARGET_MESSAGE_BYTES {
            unanswered.push(want);
            continue;
        }
        let Some(id) = want.cid.content() else {
            // A kind of content that this node never has.
            if want.send_dont_have {
                answer.presence(&want.cid, false);
            }
            continue;
        };
        let found = match want.kind {
            WantKind::Have => {
                let has = store.has_block(&id);
                if has {
                    answer.presence(&want.cid, true);
                }
                has
            }
            WantKind::Block => match store.get(&id) {
                Ok(Some(block))
                    if answer.len() > 0 && answer.len() + block.len() > TARGET_MESSAGE_BYTES =>
                {
                    // It opens the next message.
                    unanswered.push(want);
                    continue;
                }
                Ok(Some(block)) => {
                    answer.block(&want.cid, &block);
                    true
                }
                Ok(None) => false,
                Err(error) => {
                    tracing::warn!(block = %id, %error, "cannot serve a block");
                    false
                }
            },
        };
        if !found {
            if want.send_dont_have {
                answer.presence(&want.cid, false);
            }
            absent.push(want);
        }
    }
    Answered { frame: answer.finish(), unanswered, absent }
}
