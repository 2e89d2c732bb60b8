//! What files are compared with: the leaves of the Datanets whose files this account judges, and what committees have
//! before them or refused lately. Its files are fetched in the background; a file that does not come is waited for no
//! more, asked for again now and then, and holds back what may be a copy of it ([`openledger_reviewer::earlier`]).

use super::{
    examine::{Target, Within},
    work::{once, Shared},
};
use crate::error::Result;
use openledger_client::Client;
use openledger_primitives::{
    api::{SubmissionKey, SubmissionState},
    DatanetId, FileHash, SubmissionId,
};
use openledger_reviewer::{earlier::undrawn, Earlier, Leaf};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Files that are fetched at the same time.
const AT_ONCE: usize = 4;
/// Files that are begun for a Datanet before others have their turn.
const PAGE: u32 = 64;
/// How often a file is asked for until it is waited for no more, and left alone for [`REST`] after each other time.
const TRIES: u32 = 2;
/// Leaves that are asked for once more for each new draw, the latest of those that did not come.
const ASKED_ANEW: usize = 100;
/// Until a file that did not come is asked for again.
const REST: Duration = Duration::from_secs(600);

/// How many numbers of submissions, of all Datanets, a file is looked back for what was refused since it was submitted.
const LOOK_BACK: SubmissionId = 50_000;
/// Files of which it is asked at a look what became of them: words that are due wait for that.
const GONE_AT_ONCE: usize = 100;
/// Files before committees of which it is remembered where they are, for when they are refused.
const REMEMBERED: usize = 100_000;

/// The first of a Datanet's submissions before a number that no committee was drawn for. It reads as many pages as those
/// have that committees have before them, which `before` names, and one more.
pub(crate) async fn first_undrawn(
    client: &Client,
    datanet: DatanetId,
    last: SubmissionId,
    before: &[Earlier],
) -> Result<Option<SubmissionId>> {
    let mut after = None;
    loop {
        let page = client.pending(datanet, after).await?;
        let Some(end) = page.last().map(|view| view.submission) else { return Ok(None) };
        if let Some(first) = undrawn(page.iter().map(|view| view.submission), before) {
            return Ok(Some(first).filter(|first| *first < last));
        }
        if end >= last {
            return Ok(None);
        }
        after = Some(end);
    }
}

/// A submission; where the chain goes another way its number is another file's.
type Key = (SubmissionId, FileHash);

/// Files that are being looked at, and those that did not come.
#[derive(Default)]
pub(crate) struct References {
    tasks: JoinSet<(Target, bool)>,
    running: HashSet<Target>,
    failed: HashMap<Target, (u32, Instant)>,
    /// Leaves that the chain had when it was looked at last.
    leaves: HashMap<DatanetId, u64>,
    /// Leaves whose files were not looked at then, up to a page, and those of them that may still come.
    unknown: HashMap<DatanetId, (usize, usize)>,
    /// What has ended without a leaf.
    refused: HashMap<DatanetId, BTreeMap<SubmissionId, Earlier>>,
    /// What committees had before them and have no more, until it is read what became of it.
    gone: Vec<(DatanetId, SubmissionId)>,
    /// The first submission that no committee was drawn for, as far as files were to be judged.
    undrawn: HashMap<DatanetId, Option<SubmissionId>>,
    /// Where files are that committees had before them; those that are found no more are none.
    places: HashMap<Key, Option<Target>>,
    /// Submissions of which the index has the formats.
    formats: HashSet<Key>,
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
                (view.index, view.leaf.submission, view.leaf.sha256, view.media)
                    == (last.leaf, last.submission, last.sha256, last.media)
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
    /// before them there. For a draw that is `anew`, once more with what did not come for another and holds files back.
    pub(crate) async fn fetch(
        &mut self,
        client: &Client,
        shared: &Arc<Shared>,
        datanet: DatanetId,
        before: &[Earlier],
        anew: bool,
    ) -> Result<()> {
        while let Some(done) = self.tasks.try_join_next() {
            let Ok((target, came)) = done else { continue };
            self.running.remove(&target);
            match came {
                true => drop(self.failed.remove(&target)),
                false => {
                    let (failed, since) = self.failed.entry(target).or_insert((0, Instant::now()));
                    (*failed, *since) = (failed.saturating_add(1), Instant::now());
                }
            }
        }
        // Whatever a task that panicked held is free again.
        if self.tasks.is_empty() {
            self.running.clear();
        }
        if self.failed.len() > REMEMBERED {
            self.failed.retain(|_, (_, since)| since.elapsed() < REST);
        }
        let most = PAGE.saturating_add(self.failed.len() as u32);
        let unknown = shared.index.unknown(datanet, most)?;
        if anew {
            let leaves = unknown.iter().take(ASKED_ANEW).map(Target::from);
            let places: Vec<_> =
                before.iter().filter_map(|one| self.place(one.submission, one.sha256)).collect();
            for target in leaves.chain(places) {
                if let Some((failed, _)) = self.failed.get_mut(&target) {
                    *failed = (*failed).min(TRIES - 1);
                }
            }
        }
        let open = unknown.iter().filter(|leaf| !self.is_left_out(&Target::from(*leaf))).count();
        self.unknown.insert(datanet, (unknown.len(), open));
        for one in before {
            if self.tasks.len() >= AT_ONCE {
                return Ok(());
            }
            if is_known(shared, one)? {
                continue;
            }
            self.remember(client, datanet, one).await?;
            if let Some(target) =
                self.place(one.submission, one.sha256).filter(|target| !self.is_taken(target))
            {
                self.begin(shared, target);
            }
        }
        // What was never asked for comes first, or files that nobody serves would take all the time.
        let (again, new): (Vec<_>, Vec<_>) =
            unknown.into_iter().partition(|leaf| self.is_left_out(&Target::from(leaf)));
        for leaf in new.into_iter().chain(again) {
            if self.tasks.len() >= AT_ONCE {
                return Ok(());
            }
            let target = Target::from(&leaf);
            if !self.is_taken(&target) {
                self.begin(shared, target);
            }
        }
        Ok(())
    }

    /// Whether a file was asked for so often that nothing waits for it.
    fn is_left_out(&self, target: &Target) -> bool {
        self.failed.get(target).is_some_and(|(failed, _)| *failed >= TRIES)
    }

    /// Whether a file is not asked for now.
    fn is_taken(&self, target: &Target) -> bool {
        let rests = |(failed, since): &(u32, Instant)| *failed >= TRIES && since.elapsed() < REST;
        self.running.contains(target) || self.failed.get(target).is_some_and(rests)
    }

    fn begin(&mut self, shared: &Arc<Shared>, target: Target) {
        self.running.insert(target);
        let shared = shared.clone();
        self.tasks.spawn(async move {
            // No draw's seed: of references no possession is shown.
            let within = Within { block: shared.timeout, file: shared.timeout.saturating_mul(4) };
            let looked = once(&shared, &[0; 32], &target, within).await.is_ok();
            // One whose decoder was stopped is missing: with more time it may be read.
            (target, looked && shared.index.knows(&target.file()).unwrap_or(false))
        });
    }

    /// Remembers where a file is that a committee has before it: once it is refused the chain does not say so.
    pub(crate) async fn remember(
        &mut self,
        client: &Client,
        datanet: DatanetId,
        one: &Earlier,
    ) -> Result<()> {
        let key = (one.submission, one.sha256);
        if self.places.contains_key(&key) || self.places.len() >= REMEMBERED {
            return Ok(());
        }
        let found = client.pending_file(datanet, one.sha256).await?;
        // The same bytes may have been submitted once more, as something else.
        let found = found.filter(|found| found.submission == one.submission);
        self.places.insert(key, found.map(|found| Target::from(&found.item)));
        Ok(())
    }

    /// Forgets where files are that are neither before a committee nor refused lately.
    pub(crate) fn forget_places(&mut self, before: &BTreeMap<DatanetId, Vec<Earlier>>) {
        if self.places.len() < REMEMBERED {
            return;
        }
        let waiting = before.values().flatten();
        let refused = self.refused.values().flat_map(BTreeMap::values);
        let kept: BTreeSet<Key> =
            waiting.chain(refused).map(|one| (one.submission, one.sha256)).collect();
        self.places.retain(|key, _| kept.contains(key));
    }

    /// Remembers of which formats files are that committees have before them: of a refused one the chain does not say it,
    /// and what its bytes are read as decides what it is like.
    pub(crate) fn remember_formats(
        &mut self,
        shared: &Shared,
        before: &BTreeMap<DatanetId, Vec<Earlier>>,
    ) -> Result<()> {
        let all = before.values().flatten();
        let new: Vec<_> = all
            .filter(|one| !self.formats.contains(&(one.submission, one.sha256)))
            .filter_map(|one| Some((one.submission, one.file()?)))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        shared.index.remember(&new)?;
        if self.formats.len() > REMEMBERED {
            self.formats.clear();
        }
        self.formats.extend(new.iter().map(|(submission, file)| (*submission, file.sha256)));
        Ok(())
    }

    /// Where a file is that was remembered.
    pub(crate) fn place(&self, submission: SubmissionId, sha256: FileHash) -> Option<Target> {
        self.places.get(&(submission, sha256)).copied().flatten()
    }

    /// Reads what ended without a leaf of a Datanet's submissions before a number.
    pub(crate) async fn read_refused(
        &mut self,
        client: &Client,
        shared: &Shared,
        datanet: DatanetId,
        before: SubmissionId,
    ) -> Result<()> {
        let from = before.saturating_sub(LOOK_BACK);
        let settled = client.settled(datanet, from, before).await?;
        let accepted = shared.index.accepted(datanet, from, before)?;
        let known = self.refused.entry(datanet).or_default();
        // What the chain has forgotten was refused long before anything that waits was submitted.
        *known = known.split_off(&from);
        for number in settled {
            if accepted.contains(&number) || known.contains_key(&number) {
                continue;
            }
            let Some(view) = client.submission(datanet, SubmissionKey::Number(number)).await?
            else {
                continue;
            };
            if let SubmissionState::Refused { ending, at, .. } = view.state {
                let media = shared.index.format(number, &view.sha256)?;
                known.insert(number, Earlier::ended(number, view.sha256, media, ending, at));
            }
        }
        Ok(())
    }

    /// Learns what became of what committees had before them at the look before and have no more. The chain forgets within a
    /// day what ended without a verdict, and a copy of it that was refused may be judged anew after that.
    pub(crate) async fn read_gone(
        &mut self,
        client: &Client,
        shared: &Shared,
        before: &BTreeMap<DatanetId, Vec<Earlier>>,
        now: &BTreeMap<DatanetId, Vec<Earlier>>,
    ) -> Result<()> {
        for (datanet, files) in before {
            let still: BTreeSet<_> =
                now.get(datanet).into_iter().flatten().map(|one| one.submission).collect();
            let gone = files.iter().map(|one| one.submission).filter(|one| !still.contains(one));
            self.gone.extend(gone.map(|one| (*datanet, one)));
        }
        self.gone.truncate(REMEMBERED);
        for _ in 0..GONE_AT_ONCE {
            let Some((datanet, number)) = self.gone.last().copied() else { break };
            let view = client.submission(datanet, SubmissionKey::Number(number)).await?;
            if let Some((sha256, SubmissionState::Refused { ending, at, .. })) =
                view.map(|view| (view.sha256, view.state))
            {
                let media = shared.index.format(number, &sha256)?;
                let known = self.refused.entry(datanet).or_default();
                known.insert(number, Earlier::ended(number, sha256, media, ending, at));
                if known.len() > REMEMBERED {
                    known.pop_first();
                }
            }
            self.gone.pop();
        }
        Ok(())
    }

    /// Reads which of a Datanet's submissions before a number is the first that no committee was drawn for.
    pub(crate) async fn read_undrawn(
        &mut self,
        client: &Client,
        datanet: DatanetId,
        last: SubmissionId,
        before: &[Earlier],
    ) -> Result<()> {
        let first = first_undrawn(client, datanet, last, before).await?;
        self.undrawn.insert(datanet, first);
        Ok(())
    }

    /// The first of a Datanet's submissions that no committee was drawn for when that was read last.
    pub(crate) fn undrawn(&self, datanet: DatanetId) -> Option<SubmissionId> {
        self.undrawn.get(&datanet).copied().flatten()
    }

    /// What ended without a leaf of a Datanet's submissions.
    pub(crate) fn refused(&self, datanet: DatanetId) -> impl Iterator<Item = Earlier> + '_ {
        self.refused.get(&datanet).into_iter().flat_map(|ended| ended.values().copied())
    }

    /// Whether it was read what a Datanet's files are compared with, since that failed last: nothing is accepted for not
    /// being like what nobody has listed.
    pub(crate) fn were_read(&self, datanet: DatanetId) -> bool {
        self.unknown.contains_key(&datanet)
    }

    /// What a Datanet's files are compared with could not be read.
    pub(crate) fn were_not_read(&mut self, datanet: DatanetId) {
        self.unknown.remove(&datanet);
    }

    /// Whether everything that a file is compared with is known, but for what does not come.
    pub(crate) fn are_known(
        &self,
        shared: &Shared,
        datanet: DatanetId,
        compared: &[Earlier],
    ) -> Result<bool> {
        for one in compared {
            let may_come = match self.places.get(&(one.submission, one.sha256)) {
                Some(place) => place.is_some_and(|target| !self.is_left_out(&target)),
                None => true,
            };
            if may_come && !is_known(shared, one)? {
                return Ok(false);
            }
        }
        Ok(self.unknown.get(&datanet).is_some_and(|(_, open)| *open == 0))
    }

    /// The latest of what a file may be a copy of and that is not known: of all that came before it, also of what was
    /// refused as no original, or of what its acceptance would be overturned for.
    pub(crate) fn missing(
        &self,
        shared: &Shared,
        datanet: DatanetId,
        submission: SubmissionId,
        compared: &[Earlier],
        all: bool,
    ) -> Result<Option<SubmissionId>> {
        let others = compared.iter().copied().filter(|one| all || one.is_original);
        Ok(shared.index.missing(datanet, submission, others)?)
    }

    /// Leaves whose files were not looked at, of a Datanet up to a page.
    pub(crate) fn unknown(&self) -> u64 {
        self.unknown.values().map(|(all, _)| *all as u64).sum()
    }
}

impl From<&Leaf> for Target {
    fn from(leaf: &Leaf) -> Self {
        let Leaf { content, sha256, size, media, .. } = *leaf;
        Self { content, sha256, size, media }
    }
}

/// Whether a submission was looked at, as what it was submitted as.
fn is_known(shared: &Shared, one: &Earlier) -> Result<bool> {
    let Some(file) = one.file() else { return Ok(false) };
    Ok(shared.index.knows(&file)?)
}
