//! What of the files goes today: described, compared with what the chain has, and measured.

use super::{collect::Found, earlier, precommit::Standing, refused, Skipped};
use crate::{
    content,
    context::Context,
    error::{CliError, Result},
};
use indicatif::{ProgressBar, ProgressStyle};
use openledger_client::{AccountId, Client};
use openledger_content::{describe_file, Added};
use openledger_documents::Measured;
use openledger_primitives::{
    api::{DatanetView, QuotaStatus, SubmissionItem},
    FileHash, MediaType, QuotaLimits, Refusal, RefusalRule, Salt, SubmissionId, MAX_ITEMS,
};
use std::{collections::BTreeMap, path::PathBuf};

/// A file on its way to the chain.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    pub(super) named: bool,
    pub(super) media: MediaType,
    pub(super) described: Added,
    /// Set when it is measured.
    pub(super) units: u64,
    /// The submission that brought the same file before, where it is not there any more.
    pub(super) before: Option<SubmissionId>,
    /// What opens its precommitment of an earlier run.
    pub(super) salt: Option<Salt>,
}

impl Candidate {
    pub(super) fn item(&self) -> Result<SubmissionItem> {
        let Added { content, sha256, size } = self.described;
        let size = u32::try_from(size).map_err(|_| {
            CliError::failed(format!("{} grew while it was read", self.path.display()))
        })?;
        Ok(SubmissionItem { content, sha256, size, media: self.media })
    }
}

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Sent now, at most 20 a call.
    pub(super) batches: Vec<Vec<Candidate>>,
    /// In this Datanet already, with the submission that brought them.
    pub(super) present: Vec<(PathBuf, SubmissionId)>,
    /// Those of them that wait for a verdict as the account's own: somebody must be able to fetch them.
    pub(super) served: Vec<(PathBuf, Added)>,
    /// Never sent.
    pub(super) skipped: Vec<Skipped>,
    /// Beyond today's quota.
    pub(super) waiting: Vec<PathBuf>,
    /// The rule that lets them wait.
    pub(super) limit: Option<Refusal>,
}

/// Plans a submission to `datanet`.
///
/// # Errors
///
/// Whatever is wrong with a file that was named itself. Nothing has been sent then.
pub(super) async fn plan(
    context: &Context,
    client: &Client,
    account: AccountId,
    datanet: &DatanetView<AccountId>,
    quota: &QuotaStatus,
    found: Vec<Found>,
) -> Result<Plan> {
    let bar = context.progress(ProgressBar::new(found.len() as u64));
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} files") {
        bar.set_style(style);
    }
    bar.set_message("reading");
    let mut planner = Planner {
        context,
        standing: Standing::of(client, account).await?,
        datanet,
        left: quota.used.remaining(quota.day, &quota.limits),
        quota,
        plan: Plan::default(),
        seen: BTreeMap::new(),
    };
    let mut candidates = Vec::new();
    for (index, file) in (0u32..).zip(found) {
        bar.inc(1);
        candidates.extend(planner.describe(index, file)?);
    }

    bar.set_position(0);
    bar.set_message("measuring");
    let mut rest = candidates.into_iter().peekable();
    let mut today: Vec<Candidate> = Vec::new();
    // Only what can go today is measured; what is there already is found out of all, so that nothing
    // waits that has been sent.
    while rest.peek().is_some() {
        let chunk: Vec<Candidate> = rest.by_ref().take(MAX_ITEMS as usize).collect();
        let read = chunk.len() as u64;
        for candidate in planner.missing(client, account, chunk).await? {
            let Some(mut candidate) = planner.measure(candidate)? else { continue };
            let sha256 = candidate.described.sha256;
            candidate.before = earlier::find(context, client, datanet.id, &sha256).await?;
            today.push(candidate);
        }
        bar.inc(read);
    }
    bar.finish_and_clear();
    let mut plan = planner.plan;
    // What one salt opens goes in one call.
    let mut groups: BTreeMap<Option<Salt>, Vec<Candidate>> = BTreeMap::new();
    for candidate in today {
        groups.entry(candidate.salt).or_default().push(candidate);
    }
    for group in groups.into_values() {
        let mut group = group.into_iter().peekable();
        while group.peek().is_some() {
            plan.batches.push(group.by_ref().take(MAX_ITEMS as usize).collect());
        }
    }
    Ok(plan)
}

/// Which of the candidates a refusal is about.
fn place(refusal: &Refusal, chunk: &[Candidate]) -> usize {
    refusal.item.map_or(0, |item| item as usize).min(chunk.len().saturating_sub(1))
}

struct Planner<'a> {
    context: &'a Context,
    standing: Standing,
    datanet: &'a DatanetView<AccountId>,
    quota: &'a QuotaStatus,
    /// What is left of the account's day.
    left: QuotaLimits,
    plan: Plan,
    /// Each file's first place among the arguments.
    seen: BTreeMap<FileHash, (u32, PathBuf)>,
}

impl Planner<'_> {
    /// Format, size and hashes of a file; `None` where it is passed over.
    fn describe(&mut self, index: u32, file: Found) -> Result<Option<Candidate>> {
        let Found { path, named } = file;
        let names = || vec![path.clone(); index as usize + 1];
        let media = match content::media_type(&path) {
            Err(error) if named => return Err(error),
            Err(_) => return Ok(self.skip(path, "the end of its name is that of no known format")),
            Ok(media) => media,
        };
        if media.modality() != self.datanet.modality {
            let modality = Some(self.datanet.modality);
            let rule = RefusalRule::WrongModality;
            let refusal = Refusal::of_item(rule, index, media as u64, 0);
            return match named {
                true => Err(refused(Refusal { modality, ..refusal }, &names())),
                false => Ok(self.skip(path, "its format does not belong to this Datanet")),
            };
        }
        let failed = |error| openledger_content::Error::io("read", &path, error);
        let size = std::fs::metadata(&path).map_err(failed)?.len();
        let limit = self.quota.limits.bytes;
        if size > limit {
            let refusal = Refusal::of_item(RefusalRule::DailyBytes, index, size, limit);
            return match named {
                true => Err(refused(refusal, &names())),
                false => Ok(self.skip(
                    path,
                    format!("it has {size} bytes; a day's limit, and so a file's, is {limit}"),
                )),
            };
        }
        if size == 0 {
            let refusal = Refusal::of_item(RefusalRule::EmptyFile, index, 0, 0);
            return match named {
                true => Err(refused(refusal, &names())),
                false => Ok(self.skip(path, "it is empty")),
            };
        }
        let described = tokio::task::block_in_place(|| describe_file(&path))?;
        if let Some((first, other)) = self.seen.get(&described.sha256) {
            let refusal = Refusal::of_item(RefusalRule::RepeatedItem, index, (*first).into(), 0);
            return match named {
                true => Err(refused(refusal, &names())),
                false => {
                    let reason = format!("it is the same file as {}", other.display());
                    Ok(self.skip(path, reason))
                }
            };
        }
        self.seen.insert(described.sha256, (index, path.clone()));
        let salt = self.standing.salt(self.context, self.datanet.id, &described.sha256)?;
        Ok(Some(Candidate { path, named, media, described, units: 0, before: None, salt }))
    }

    /// The candidates that the Datanet does not have yet.
    async fn missing(
        &mut self,
        client: &Client,
        account: AccountId,
        mut chunk: Vec<Candidate>,
    ) -> Result<Vec<Candidate>> {
        while !chunk.is_empty() {
            let items: Vec<SubmissionItem> =
                chunk.iter().map(Candidate::item).collect::<Result<_>>()?;
            match client.check_submission(account, self.datanet.id, &items).await? {
                Err(refusal @ Refusal { rule: RefusalRule::AlreadySubmitted, value, .. }) => {
                    let place = place(&refusal, &chunk);
                    let Candidate { path, described, .. } = chunk.remove(place);
                    let file = client.pending_file(self.datanet.id, described.sha256).await?;
                    if file.is_some_and(|file| file.contributor == account) {
                        self.plan.served.push((path.clone(), described));
                    }
                    self.plan.present.push((path, value));
                }
                // Waiting does not help, and the rest of a folder may go.
                Err(refusal @ Refusal { item: Some(_), .. })
                    if matches!(
                        refusal.rule,
                        RefusalRule::Tombstone
                            | RefusalRule::KeptForAnother
                            | RefusalRule::ShareBytes
                    ) && !chunk[place(&refusal, &chunk)].named =>
                {
                    let Candidate { path, .. } = chunk.remove(place(&refusal, &chunk));
                    let reason = Refusal { item: None, ..refusal }.to_string();
                    self.skip(path, reason);
                }
                // Limits of the day are looked at last, so nothing of it is there.
                Ok(()) | Err(Refusal { item: None, .. }) => break,
                Err(refusal) => {
                    let names: Vec<PathBuf> = chunk.into_iter().map(|file| file.path).collect();
                    return Err(refused(refusal, &names));
                }
            }
        }
        Ok(chunk)
    }

    /// Measures a file that fits into what is left of today.
    fn measure(&mut self, candidate: Candidate) -> Result<Option<Candidate>> {
        let size = candidate.described.size;
        // A precommitment was counted when it was made.
        if self.left.files == 0 && candidate.salt.is_none() {
            let most: u64 = self.quota.limits.files.into();
            let refusal = Refusal::of_call(RefusalRule::DailyFiles, most + 1, most);
            self.plan.limit.get_or_insert(refusal);
            self.plan.waiting.push(candidate.path);
            return Ok(None);
        }
        if size > self.left.bytes {
            let total = self.quota.used.on(self.quota.day).bytes.saturating_add(size);
            self.plan.limit.get_or_insert(Refusal::of_call(
                RefusalRule::DailyBytes,
                total,
                self.quota.limits.bytes,
            ));
            self.plan.waiting.push(candidate.path);
            return Ok(None);
        }
        let failed = |error| openledger_content::Error::io("read", &candidate.path, error);
        let bytes = std::fs::read(&candidate.path).map_err(failed)?;
        let name = candidate.path.display().to_string();
        let measured =
            tokio::task::block_in_place(|| content::measure_file(candidate.media, &bytes, &name));
        let enough = measured.and_then(|Measured { units, .. }| {
            let least = self.datanet.min_units;
            let unit = self.datanet.modality.unit();
            match units < least {
                false => Ok(units),
                true => Err(CliError::failed(format!(
                    "{name} has {units} {unit}; Datanet {} takes {least} or more",
                    self.datanet.id
                ))),
            }
        });
        match enough {
            Ok(units) => {
                if candidate.salt.is_none() {
                    self.left.files -= 1;
                }
                self.left.bytes -= size;
                Ok(Some(Candidate { units, ..candidate }))
            }
            Err(error) if candidate.named => {
                Err(error.next("curators could not accept it, so nothing was submitted"))
            }
            Err(error) => {
                let reason = error.message().trim_start_matches(&format!("{name}: ")).to_owned();
                Ok(self.skip(candidate.path, reason))
            }
        }
    }

    fn skip(&mut self, path: PathBuf, reason: impl Into<String>) -> Option<Candidate> {
        self.plan.skipped.push(Skipped { path, reason: reason.into() });
        None
    }
}
