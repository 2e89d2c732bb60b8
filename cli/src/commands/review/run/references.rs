//! What files are compared with: the leaves of the Datanets whose files this account judges, and what committees have
//! before them. Its files are fetched in the background, and a file that does not come is left out.

use super::{
    examine::Target,
    work::{once, Shared},
};
use crate::error::Result;
use openledger_client::{AccountId, Client};
use openledger_primitives::{
    committee::{api::DrawView, FileState, Purpose},
    DatanetId, FileHash, SubmissionId, Verdict,
};
use openledger_reviewer::Leaf;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Files that are fetched at the same time.
const AT_ONCE: usize = 4;
/// Files that are begun for a Datanet before others have their turn.
const PAGE: u32 = 64;
/// How often a file is asked for until it is left alone for [`REST`].
const TRIES: u32 = 2;
/// Until a file that did not come is asked for again.
const REST: Duration = Duration::from_secs(600);

/// An earlier submission that a committee has before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
    pub(crate) submission: SubmissionId,
    pub(crate) sha256: FileHash,
}

/// Submissions that committees have before them, by Datanet, in the order of their numbers: neither refused nor over,
/// and of a committee that was drawn, so that they cannot be taken back.
pub(crate) fn before_committees(draws: &[DrawView<AccountId>]) -> BTreeMap<DatanetId, Vec<Before>> {
    let mut found: BTreeMap<DatanetId, Vec<Before>> = BTreeMap::new();
    for view in draws {
        let drawn = match view.draw.purpose {
            Purpose::Review { asked } => asked > 0 || !view.draw.members.is_empty(),
            Purpose::Challenge { .. } => false,
        };
        let stands = |state: &FileState| {
            matches!(
                state,
                FileState::Open
                    | FileState::Judged(Verdict::Accept { .. })
                    | FileState::Challenged { verdict: Verdict::Accept { .. }, .. }
            )
        };
        for file in view.draw.files.iter().filter(|file| drawn && stands(&file.state)) {
            let one = Before { submission: file.submission, sha256: file.sha256 };
            found.entry(view.datanet).or_default().push(one);
        }
    }
    found.values_mut().for_each(|files| files.sort_by_key(|file| file.submission));
    found
}

/// Files that are being looked at, and those that did not come.
#[derive(Default)]
pub(crate) struct References {
    tasks: JoinSet<(FileHash, bool)>,
    running: HashMap<FileHash, ()>,
    failed: HashMap<FileHash, (u32, Instant)>,
    /// Leaves that the chain had when it was looked at last.
    leaves: HashMap<DatanetId, u64>,
    /// Leaves whose files were not looked at then, up to a page, and those of them that may still come.
    unknown: HashMap<DatanetId, (usize, usize)>,
}

impl References {
    /// Reads new leaves of a Datanet.
    pub(crate) async fn read(
        &mut self,
        client: &Client,
        shared: &Shared,
        datanet: DatanetId,
    ) -> Result<()> {
        let Some(view) = client.datanet(datanet).await? else { return Ok(()) };
        let count = view.version.leaves;
        if self.leaves.get(&datanet) == Some(&count) {
            return Ok(());
        }
        let mut next = 0;
        if let Some(last) = shared.index.last_leaf(datanet)? {
            let page = client.leaves(datanet, last.leaf).await?;
            let stands = page.first().is_some_and(|view| {
                (view.index, view.leaf.submission, view.leaf.sha256)
                    == (last.leaf, last.submission, last.sha256)
            });
            match stands {
                true => next = last.leaf.saturating_add(1),
                // The chain went another way.
                false => shared.index.forget_leaves(datanet)?,
            }
        }
        while next < count {
            let page = client.leaves(datanet, next).await?;
            let leaves: Vec<Leaf> = page
                .iter()
                .map(|view| Leaf {
                    leaf: view.index,
                    submission: view.leaf.submission,
                    sha256: view.leaf.sha256,
                    text_root: view.leaf.text_root.0,
                    content: view.content,
                    size: view.leaf.size,
                    media: view.media,
                })
                .collect();
            let Some(last) = leaves.last() else { break };
            next = last.leaf.saturating_add(1);
            shared.index.add_leaves(datanet, &leaves)?;
        }
        self.leaves.insert(datanet, count);
        Ok(())
    }

    /// Takes what has come, and begins with what has not: leaves of these Datanets, and what committees have
    /// before them there.
    pub(crate) async fn fetch(
        &mut self,
        client: &Client,
        shared: &Arc<Shared>,
        datanet: DatanetId,
        before: &[Before],
    ) -> Result<()> {
        while let Some(done) = self.tasks.try_join_next() {
            let Ok((sha256, came)) = done else { continue };
            self.running.remove(&sha256);
            match came {
                true => drop(self.failed.remove(&sha256)),
                false => {
                    let (failed, since) = self.failed.entry(sha256).or_insert((0, Instant::now()));
                    (*failed, *since) = (failed.saturating_add(1), Instant::now());
                }
            }
        }
        // Whatever a task that panicked held is free again.
        if self.tasks.is_empty() {
            self.running.clear();
        }
        self.failed.retain(|_, (failed, since)| *failed < TRIES || since.elapsed() < REST);
        let most = PAGE.saturating_add(self.failed.len() as u32);
        let unknown = shared.index.unknown(datanet, most)?;
        let open = unknown.iter().filter(|leaf| !self.is_left_out(&leaf.sha256)).count();
        self.unknown.insert(datanet, (unknown.len(), open));
        for one in before {
            if self.tasks.len() >= AT_ONCE {
                return Ok(());
            }
            if self.is_taken(&one.sha256) || shared.index.knows(&one.sha256)? {
                continue;
            }
            if let Some(pending) = client.pending_file(datanet, one.sha256).await? {
                self.begin(shared, Target::from(&pending.item));
            }
        }
        for leaf in unknown {
            if self.tasks.len() >= AT_ONCE {
                return Ok(());
            }
            if !self.is_taken(&leaf.sha256) {
                let Leaf { content, sha256, size, media, .. } = leaf;
                self.begin(shared, Target { content, sha256, size, media });
            }
        }
        Ok(())
    }

    fn is_left_out(&self, sha256: &FileHash) -> bool {
        self.failed.get(sha256).is_some_and(|(failed, _)| *failed >= TRIES)
    }

    fn is_taken(&self, sha256: &FileHash) -> bool {
        self.running.contains_key(sha256) || self.is_left_out(sha256)
    }

    fn begin(&mut self, shared: &Arc<Shared>, target: Target) {
        self.running.insert(target.sha256, ());
        let shared = shared.clone();
        self.tasks.spawn(async move {
            // No draw's seed: of references no possession is shown.
            let came = once(&shared, &[0; 32], &target, shared.timeout).await.is_ok();
            (target.sha256, came)
        });
    }

    /// Whether everything that was submitted before a submission is known, but for what does not come.
    pub(crate) fn are_known(
        &self,
        shared: &Shared,
        datanet: DatanetId,
        submission: SubmissionId,
        before: &[Before],
    ) -> Result<bool> {
        for one in before.iter().filter(|one| one.submission < submission) {
            if !self.is_left_out(&one.sha256) && !shared.index.knows(&one.sha256)? {
                return Ok(false);
            }
        }
        Ok(self.unknown.get(&datanet).is_some_and(|(_, open)| *open == 0))
    }

    /// Leaves whose files were not looked at, of a Datanet up to a page.
    pub(crate) fn unknown(&self) -> u64 {
        self.unknown.values().map(|(all, _)| *all as u64).sum()
    }
}
