//! Events as they come. Whoever listens pulls: from the last blocks, which are kept in memory, or from the
//! storage when it is further behind. So nothing is queued for a slow listener, there is no moment
//! between the past and the present in which an event could be lost or come twice, and the place after
//! which to go on is all that a listener is.

use super::storage::StreamedBlock;
use super::Index;
use crate::api::types::Event;
use crate::error::ApiError;
use crate::extract::Address;
use bytes::Bytes;
use serde::Serialize;
use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Blocks that are kept in memory.
pub(super) const KEPT: u32 = 256;
/// Blocks that are read of the storage at a time.
const PAGE: u32 = 32;
/// Time without events after which a sign of life is sent.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Topics of one stream, at most.
const MAX_TOPICS: usize = 32;

/// The last blocks.
#[derive(Default)]
pub(super) struct Recent(RwLock<VecDeque<Arc<StreamedBlock>>>);

impl Recent {
    pub(super) fn push(&self, blocks: Vec<StreamedBlock>) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for block in blocks {
            // Only what follows: a hole would be taken for silence.
            if kept.back().is_some_and(|last| last.number.saturating_add(1) != block.number) {
                kept.clear();
            }
            kept.push_back(Arc::new(block));
            if kept.len() > KEPT as usize {
                kept.pop_front();
            }
        }
    }

    fn from(&self, number: u32) -> Option<Vec<Arc<StreamedBlock>>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let first = kept.front()?.number;
        let skip = number.checked_sub(first)? as usize;
        Some(kept.iter().skip(skip).take(PAGE as usize).cloned().collect())
    }
}

/// A place in the chain's events: everything up to it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The block.
    pub block: u32,
    /// The event in it; `None` for the whole block.
    pub event: Option<u32>,
}

impl Place {
    /// Reads `<block>-<index>` and `<block>-end`.
    pub fn parse(text: &str) -> Option<Self> {
        let (block, event) = text.split_once('-')?;
        let event = match event {
            "end" => None,
            index => Some(index.parse().ok()?),
        };
        Some(Self { block: block.parse().ok()?, event })
    }

    fn has_seen(&self, index: u32) -> bool {
        self.event.is_none_or(|seen| index <= seen)
    }
}

/// What a listener wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topics {
    /// Nothing named: everything.
    all: bool,
    blocks: bool,
    datanets: BTreeSet<u64>,
    submissions: BTreeSet<u64>,
    jobs: BTreeSet<u64>,
    draws: BTreeSet<u64>,
    accounts: BTreeSet<String>,
    kinds: BTreeSet<String>,
}

impl Topics {
    /// Reads `datanet:0,account:5…,job:3,draw:2,submission:7,kind:Review.Voted,blocks`; nothing is everything.
    ///
    /// # Errors
    ///
    /// 400 that names the topic.
    pub fn parse(text: Option<&str>) -> Result<Self, ApiError> {
        let mut topics = Self::default();
        let text = text.unwrap_or("").trim();
        if text.is_empty() {
            topics.all = true;
            return Ok(topics);
        }
        if text.split(',').count() > MAX_TOPICS {
            return Err(ApiError::field(
                "topics",
                format!("a stream has at most {MAX_TOPICS} topics"),
            ));
        }
        for topic in text.split(',').map(str::trim) {
            let bad = || {
                let shown: String = topic.chars().take(80).collect();
                ApiError::field(
                    "topics",
                    format!(
                        "{shown:?} is no topic; topics are blocks, datanet:N, submission:N, job:N, \
                         draw:N, account:SS58 and kind:Pallet.Event"
                    ),
                )
            };
            let number = |text: &str| text.parse::<u64>().map_err(|_| bad());
            match topic.split_once(':') {
                None if topic == "blocks" => topics.blocks = true,
                Some(("datanet", id)) => drop(topics.datanets.insert(number(id)?)),
                Some(("submission", id)) => drop(topics.submissions.insert(number(id)?)),
                Some(("job", id)) => drop(topics.jobs.insert(number(id)?)),
                Some(("draw", id)) => drop(topics.draws.insert(number(id)?)),
                Some(("account", account)) => drop(topics.accounts.insert(account.to_owned())),
                Some(("kind", kind)) => drop(topics.kinds.insert(kind.to_owned())),
                _ => return Err(bad()),
            }
        }
        Ok(topics)
    }

    fn wants_blocks(&self) -> bool {
        self.all || self.blocks
    }

    fn wants(&self, event: &Event) -> bool {
        if self.all || self.kinds.contains(&event.kind) {
            return true;
        }
        let Some(fields) = event.fields.as_object() else { return false };
        let among = |name: &str, wanted: &BTreeSet<u64>| {
            fields
                .get(name)
                .and_then(serde_json::Value::as_u64)
                .is_some_and(|id| wanted.contains(&id))
        };
        among("datanet", &self.datanets)
            || among("submission", &self.submissions)
            || among("job", &self.jobs)
            || among("draw", &self.draws)
            || fields
                .values()
                .filter_map(|field| field.as_str())
                .any(|text| self.accounts.contains(text))
    }
}

/// What is said of a block once all its events were.
#[derive(Serialize)]
struct BlockLine<'a> {
    number: u32,
    hash: &'a str,
    time: u64,
    events: usize,
}

/// One listener.
pub(crate) struct Listener {
    index: Index,
    topics: Topics,
    after: Place,
    progress: watch::Receiver<super::Progress>,
    spoken: Instant,
    begun: bool,
    _place: crate::places::Place,
}

impl Index {
    /// A listener after a place; after the last block, if it names none.
    ///
    /// # Errors
    ///
    /// 429 and 503 where there are as many as there may be, of the address or in all.
    pub(crate) fn listen(
        &self,
        topics: Topics,
        after: Option<Place>,
        address: Address,
    ) -> Result<Listener, ApiError> {
        let place = self.0.streams.take(address)?;
        let progress = self.progress();
        let head = progress.borrow().head.as_ref().map(|head| head.number);
        let now = head.map(|block| Place { block, event: None });
        // A place that is not there yet is one of another chain, or of an index that is made anew.
        let after = after.filter(|after| head.is_some_and(|head| after.block <= head));
        // Nothing is indexed yet: everything is to come.
        let after = after.or(now).unwrap_or(Place { block: 0, event: Some(0) });
        Ok(Listener {
            index: self.clone(),
            topics,
            after,
            progress,
            spoken: Instant::now(),
            begun: false,
            _place: place,
        })
    }
}

impl Listener {
    /// The next piece of the stream, when there is one; `None` at its end.
    pub(crate) async fn next(mut self) -> Option<(Result<Bytes, ApiError>, Self)> {
        if !self.begun {
            // Says at once where the listener is, so that a connection that breaks now resumes here.
            self.begun = true;
            let text = format!("retry: 2000\nid: {}\n\n", self.id());
            return Some((Ok(text.into()), self));
        }
        loop {
            let head = self.progress.borrow_and_update().head.as_ref().map(|head| head.number);
            let next = match self.after.event {
                None => self.after.block.saturating_add(1),
                Some(_) => self.after.block,
            };
            if head.is_some_and(|head| head >= next) {
                let blocks = match self.blocks(next).await {
                    Ok(blocks) => blocks,
                    Err(error) => return Some((Err(error), self)),
                };
                let text = self.render(&blocks);
                if !text.is_empty() {
                    self.spoken = Instant::now();
                    return Some((Ok(text.into()), self));
                }
                if !blocks.is_empty() && self.spoken.elapsed() < HEARTBEAT {
                    continue;
                }
            }
            let silent = self.spoken + HEARTBEAT;
            tokio::select! {
                changed = self.progress.changed() => {
                    if changed.is_err() {
                        return None;
                    }
                }
                () = tokio::time::sleep_until(silent) => {
                    self.spoken = Instant::now();
                    // An id without data moves the place of the browser's next connection, and is no event.
                    let text = format!(": here\nid: {}\n\n", self.id());
                    return Some((Ok(text.into()), self));
                }
            }
        }
    }

    fn id(&self) -> String {
        match self.after.event {
            None => format!("{}-end", self.after.block),
            Some(index) => format!("{}-{index}", self.after.block),
        }
    }

    async fn blocks(&self, from: u32) -> Result<Vec<Arc<StreamedBlock>>, ApiError> {
        if let Some(blocks) = self.index.0.recent.from(from) {
            return Ok(blocks);
        }
        let read = move |storage: &dyn super::Storage| storage.stream(from, PAGE);
        Ok(self.index.read(read).await?.into_iter().map(Arc::new).collect())
    }

    fn render(&mut self, blocks: &[Arc<StreamedBlock>]) -> String {
        let mut text = String::new();
        for block in blocks {
            for (index, event) in &block.events {
                let seen = self.after.block == block.number && self.after.has_seen(*index);
                if seen || !self.topics.wants(event) {
                    continue;
                }
                if let Ok(data) = serde_json::to_string(event) {
                    let _ = write!(text, "event: chain\nid: {}\ndata: {data}\n\n", event.id);
                }
            }
            self.after = Place { block: block.number, event: None };
            if self.topics.wants_blocks() {
                let line = BlockLine {
                    number: block.number,
                    hash: &block.hash,
                    time: block.time,
                    events: block.events.len(),
                };
                if let Ok(data) = serde_json::to_string(&line) {
                    let id = self.id();
                    let _ = write!(text, "event: block\nid: {id}\ndata: {data}\n\n");
                }
            }
        }
        text
    }
}
