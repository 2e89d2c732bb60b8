//! The files of the draws that this account judges: each is fetched and examined by a task of its own, and kept in
//! memory until the draw is committed to. What a task must remember over restarts is in the queue.

use super::examine::{examine, fetch, Examined, Target, Trouble, Within};
use crate::error::Result;
use openledger_client::AccountId;
use openledger_content::{ContentStore, IpfsNode, Limits, Wanted};
use openledger_primitives::{
    committee::{api::DrawView, DrawId, DrawnFile, Seed},
    BlockNumber, SubmissionId,
};
use openledger_reviewer::{index::Subject, Earlier, File, Index, Nearest, Queue};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{watch, Semaphore},
    task::JoinHandle,
};

/// Files of a draw that are fetched at the same time: those that do not come keep no other draw's waiting.
pub(crate) const OF_A_DRAW: usize = 8;
/// Files that are examined at the same time.
const AT_ONCE: usize = 8;
/// Seconds between blocks, by which the time of a try is measured.
pub(crate) const SLOT: u64 = 3;
/// Pause after a trouble of this machine.
const PAUSE: Duration = Duration::from_secs(5);

/// What all tasks share.
pub(crate) struct Shared {
    pub(crate) node: IpfsNode,
    pub(crate) index: Index,
    pub(crate) queue: Queue,
    /// Most time that a block of a file may take to come.
    pub(crate) timeout: Duration,
    /// How often a file is asked for until it is unavailable.
    pub(crate) tries: u32,
    /// The best block.
    pub(crate) block: watch::Receiver<u32>,
    turns: Semaphore,
}

impl Shared {
    pub(crate) fn new(
        node: IpfsNode,
        index: Index,
        queue: Queue,
        timeout: Duration,
        tries: u32,
        block: watch::Receiver<u32>,
    ) -> Self {
        let turns = Semaphore::new(AT_ONCE);
        Self { node, index, queue, timeout, tries, block, turns }
    }

    /// The file that came before a file of a draw, of those that it is compared with, and is most like it.
    pub(crate) fn nearest(
        &self,
        view: &DrawView<AccountId>,
        file: &DrawnFile,
        found: &Examined,
        compared: &[Earlier],
    ) -> Result<Option<Nearest>> {
        // What it is compared by is in the index, where `examine` put it: a text's is as long as the text.
        let own = File { sha256: file.sha256, media: file.media };
        let known = self.index.known(&own)?.unwrap_or_default();
        let subject = Subject {
            datanet: view.datanet,
            submission: file.submission,
            file: own,
            text_root: found.measured.map_or([0; 32], |measured| measured.text_root),
            likeness: known.likeness.as_ref(),
            min_units: view.draw.min_units,
        };
        let others = compared.iter().filter_map(|one| Some((one.submission, one.file()?)));
        let others: Vec<_> = others.collect();
        Ok(self.index.nearest(&subject, &others)?)
    }

    /// Looks whether everything that is kept is whole, and fetches what is not.
    pub(crate) async fn restore(&self) {
        let pins = match self.queue.pins() {
            Ok(pins) => pins,
            Err(error) => return tracing::warn!("{error}"),
        };
        for (sha256, content, size) in pins {
            let limits = Limits::for_bytes(size.into());
            if matches!(self.node.has(&content, &limits).await, Ok(true)) {
                continue;
            }
            let wanted = Wanted::exactly(content, sha256, size.into());
            if let Err(error) = self.node.fetch_bytes(&wanted, &limits).await {
                tracing::warn!(%content, "a file that was kept is gone: {error}");
            }
        }
    }
}

/// How far a file is.
#[derive(Clone, Debug, Default)]
pub(crate) enum State {
    /// It has not come yet.
    #[default]
    Coming,
    /// It was examined.
    Here(Examined),
    /// It was asked for as often as it is.
    Gone,
}

/// A file of a draw.
pub(crate) struct Work {
    pub(crate) target: Target,
    /// The block in which it was submitted.
    pub(crate) submitted_at: BlockNumber,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for Work {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Work {
    /// Begins. `last` is the last block in which anything can still be said.
    pub(crate) fn begin(
        shared: Arc<Shared>,
        turns: Arc<Semaphore>,
        view: &DrawView<AccountId>,
        submission: SubmissionId,
        target: Target,
        submitted_at: BlockNumber,
        last: u32,
    ) -> Self {
        let (draw, seed) = (view.id, view.draw.seed);
        let state = Arc::new(Mutex::new(State::Coming));
        let told = state.clone();
        let task = tokio::spawn(async move {
            let found = look(&shared, &turns, draw, seed, submission, &target, last).await;
            *told.lock().unwrap_or_else(PoisonError::into_inner) = found;
        });
        Self { target, submitted_at, state, task }
    }

    pub(crate) fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Asks for a file until it is there, or was asked for often enough, spread over the blocks until `last`.
async fn look(
    shared: &Shared,
    turns: &Semaphore,
    draw: DrawId,
    seed: Seed,
    submission: SubmissionId,
    target: &Target,
    last: u32,
) -> State {
    let mut block = shared.block.clone();
    loop {
        let now = *block.borrow_and_update();
        let tries = match shared.queue.tries(draw, submission, now) {
            Ok(tries) => tries,
            Err(error) => {
                tracing::warn!("{error}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        if tries.failed >= shared.tries {
            return State::Gone;
        }
        let span = u64::from(last.saturating_sub(tries.since));
        let wait = span * u64::from(tries.failed) / u64::from(shared.tries);
        let due = u64::from(tries.since) + wait;
        // Nobody tells of blocks any more: the program ends.
        if block.wait_for(|now| u64::from(*now) >= due).await.is_err() {
            return State::Coming;
        }
        // A try whose file does not begin to come ends before the next one is due, and every one in time.
        let between = Duration::from_secs((span / u64::from(shared.tries)).max(1) * SLOT);
        let Ok(_turn) = turns.acquire().await else { return State::Coming };
        let left = u64::from(last.saturating_sub(*block.borrow())).max(1) * SLOT;
        let within = Within { block: between.min(shared.timeout), file: Duration::from_secs(left) };
        match once(shared, &seed, target, within).await {
            Ok(found) => return State::Here(found),
            Err(Trouble::NotThere(why)) => {
                tracing::info!(draw, submission, try_number = tries.failed + 1, "{why}");
                if let Err(error) = shared.queue.failed(draw, submission) {
                    tracing::warn!("{error}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
            Err(Trouble::Ours(why)) => {
                tracing::warn!(draw, submission, "{why}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Fetches and examines a file once.
pub(crate) async fn once(
    shared: &Shared,
    seed: &Seed,
    target: &Target,
    within: Within,
) -> std::result::Result<Examined, Trouble> {
    let closed = |_| Trouble::Ours("the program ends".to_owned());
    let bytes = fetch(&shared.node, target, within).await?;
    let _turn = shared.turns.acquire().await.map_err(closed)?;
    tokio::task::block_in_place(|| examine(&shared.index, target, seed, &bytes))
}
