//! What is said of the files of a draw: by the policy, by a person, or by the end of the time.

use super::{
    examine::{Examined, Target},
    work::{State, Work, OF_A_DRAW},
    Daemon, LAST_BLOCKS,
};
use crate::{
    commands::review::queue::nearest as nearest_as_json,
    error::{CliError, Result},
};
use openledger_client::{AccountId, H256};
use openledger_primitives::{
    api::{SubmissionKey, SubmissionState},
    committee::{api::DrawView, DrawnFile, Opinion, Opinions, Purpose},
    Verdict,
};
use openledger_reviewer::{
    earlier::{compared_with, lacking, must_compare, of_an_acceptance},
    policy::{may_be_a_copy, what_accepting_risks},
    Decision, Earlier, Facts, Lacking, Nearest, Waiting, Word,
};
use serde_json::{json, Value};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::Semaphore;

impl Daemon<'_> {
    /// The opinions on a draw's files, once there is one of each or no more time; and whether anything is waited
    /// for but a person.
    pub(super) async fn opinions(
        &mut self,
        view: &DrawView<AccountId>,
        now: u32,
        by: u32,
        before: &[Earlier],
    ) -> Result<(Option<(Opinions, Value)>, bool)> {
        let last = by.saturating_sub(self.reserve);
        let late = now >= last;
        if !self.works.contains_key(&view.id) {
            let (mut works, turns) = (Vec::new(), Arc::new(Semaphore::new(OF_A_DRAW)));
            for file in &view.draw.files {
                works.push(self.begin(view, file, last, &turns).await?);
            }
            self.works.insert(view.id, works);
        }
        let Some(works) = self.works.get(&view.id) else { return Ok((None, true)) };
        let (mut opinions, mut words) = (Opinions::default(), Vec::new());
        let (mut complete, mut waits) = (true, false);
        let mut held = BTreeMap::new();
        for (file, work) in view.draw.files.iter().zip(works) {
            let state = work.as_ref().map_or(State::Gone, Work::state);
            let found = match state {
                State::Gone => Some(Said::unavailable("it did not come")),
                State::Coming if late => Some(Said::unavailable("it has not come in time")),
                State::Coming => {
                    waits = true;
                    None
                }
                State::Here(found) => {
                    let since = work.as_ref().map_or(0, |work| work.submitted_at);
                    let others = before.iter().copied();
                    let others = others.chain(self.references.refused(view.datanet));
                    let mut compared = compared_with(file.submission, since, others);
                    if self.judges_an_acceptance(view, file) {
                        compared = of_an_acceptance(compared);
                    }
                    // What it is compared with has half as many blocks less as are left then at least.
                    let soon = now.saturating_add(LAST_BLOCKS / 2) >= last;
                    let known = (soon && self.references.were_read(view.datanet))
                        || self.references.are_known(&self.shared, view.datanet, &compared)?;
                    let (proof, mut lacks) = (found.possession, None);
                    let said = if known {
                        let target = work.as_ref().map(|work| work.target);
                        match self.judge(view, file, &found, target, &compared, last)? {
                            Judged::Said(said) => Some(said),
                            Judged::Asked(found) => {
                                lacks = found;
                                None
                            }
                            Judged::Held(found) => {
                                // It may come yet.
                                waits = true;
                                lacks = Some(found);
                                held.insert(file.submission, found);
                                None
                            }
                        }
                    } else {
                        waits = true;
                        None
                    };
                    said.or_else(|| {
                        late.then(|| match known {
                            true => Said::nothing(proof, lacks),
                            false => Said::undecided(proof, "what came before it is not known"),
                        })
                    })
                }
            };
            let Some(said) = found else {
                complete = false;
                continue;
            };
            words.push(said.as_json(file));
            opinions
                .try_push(said.opinion)
                .map_err(|_| CliError::failed("a draw has more files than a call"))?;
        }
        for (submission, lacks) in &held {
            if self.held.get(&view.id).and_then(|held| held.get(submission)) != Some(lacks) {
                let next = match lacks {
                    Lacking::File(_) => "other peers (--peer) may have that",
                    Lacking::Committee(_) => "`openledger review request` asks one",
                };
                let why = may_be_a_copy(*lacks);
                tracing::warn!(draw = view.id, submission, "not accepted: {why}; {next}");
            }
        }
        self.held.insert(view.id, held);
        Ok((complete.then_some((opinions, words.into())), waits))
    }

    /// Whether it is asked once more about a file that a committee accepted.
    fn judges_an_acceptance(&self, view: &DrawView<AccountId>, file: &DrawnFile) -> bool {
        let challenge = matches!(view.draw.purpose, Purpose::Challenge { .. });
        challenge && self.accepted.contains(&file.submission)
    }

    /// Begins with a file; none of one that does not wait any more.
    async fn begin(
        &self,
        view: &DrawView<AccountId>,
        file: &DrawnFile,
        last: u32,
        turns: &Arc<Semaphore>,
    ) -> Result<Option<Work>> {
        let key = SubmissionKey::Number(file.submission);
        let found = self.client.submission(view.datanet, key).await?.map(|view| view.state);
        let Some(SubmissionState::Pending { item, since, .. }) = found else { return Ok(None) };
        let target = Target::from(&item);
        let (shared, turns) = (self.shared.clone(), turns.clone());
        Ok(Some(Work::begin(shared, turns, view, file.submission, target, since, last)))
    }

    /// What is said of a file that is here, or whether a person is asked.
    fn judge(
        &self,
        view: &DrawView<AccountId>,
        file: &DrawnFile,
        found: &Examined,
        target: Option<Target>,
        compared: &[Earlier],
        last: u32,
    ) -> Result<Judged> {
        let measured = found.measured;
        let asked = self.queue().find(file.submission)?;
        // Who refused it as a copy may have had anything that this machine has not.
        let copy = self.copies.contains(&file.submission);
        let missing =
            self.references.missing(&self.shared, view.datanet, file.submission, compared, copy)?;
        let holds = copy || must_compare(&view.draw.purpose);
        let undrawn = self.references.undrawn(view.datanet);
        let purpose = &view.draw.purpose;
        let lacks = lacking(purpose, file.submission, missing.filter(|_| holds), undrawn);
        // A person who accepts it knows for whose sake the policy does not, and what that risks.
        let is_told = |waiting: &Waiting| {
            !matches!(waiting.word, Some(Word::Accept(_)))
                || lacks.is_none_or(|lacks| waiting.why.contains(&may_be_a_copy(lacks)))
        };
        let asked = match asked {
            Some(waiting) if !is_told(&waiting) => {
                self.queue().withdraw(file.submission)?;
                Some(Waiting { word: None, ..waiting })
            }
            asked => asked,
        };
        let (word, why, nearest) = match asked {
            Some(Waiting { word: Some(word), nearest, .. }) => {
                (word, "by a person".to_owned(), nearest)
            }
            // Also of what a person was asked already: what was missing may have come.
            asked => {
                let nearest = self.shared.nearest(view, file, found, compared)?;
                let facts = Facts {
                    media: file.media,
                    units: measured.map(|measured| measured.units),
                    min_units: view.draw.min_units,
                    nearest,
                    lacks,
                };
                let ask = |why: String| {
                    let Some(target) = target else { return Ok(()) };
                    let risk = lacks.and_then(|_| what_accepting_risks(&view.draw.purpose));
                    let why = risk.map_or(why.clone(), |risk| format!("{why}; {risk}"));
                    let ask = Waiting {
                        submission: file.submission,
                        draw: view.id,
                        datanet: view.datanet,
                        sha256: file.sha256,
                        content: target.content,
                        size: file.size,
                        media: file.media,
                        units: facts.units.unwrap_or(0),
                        why,
                        by_block: last,
                        nearest,
                        word: None,
                    };
                    match asked.as_ref() == Some(&ask) {
                        true => Ok(()),
                        false => self.queue().ask(&ask),
                    }
                };
                match self.policies.of(view.datanet).decide(&facts) {
                    Decision::Say(word) => {
                        let missing = missing.filter(|_| matches!(word, Word::Accept(_)));
                        let missing = missing.map(Lacking::File);
                        let missing = missing.map(|one| format!("; {}", may_be_a_copy(one)));
                        (word, format!("by the policy{}", missing.unwrap_or_default()), nearest)
                    }
                    Decision::Ask(why) => {
                        ask(why)?;
                        return Ok(Judged::Asked(lacks));
                    }
                    Decision::Hold(lacks) => {
                        ask(may_be_a_copy(lacks))?;
                        return Ok(Judged::Held(lacks));
                    }
                }
            }
        };
        let verdict = match (word, measured) {
            (Word::Accept(score), Some(measured)) => Verdict::Accept {
                score,
                units: measured.units,
                text_root: measured.text_root.into(),
                extractor: view.draw.extractor,
            },
            (Word::Reject(reason), _) => Verdict::Reject(reason),
            (Word::Unavailable | Word::Accept(_), _) => Verdict::Unavailable,
        };
        let word = if verdict == Verdict::Unavailable { Word::Unavailable } else { word };
        let possession = found.possession.0.into();
        let opinion = Opinion { verdict, possession };
        Ok(Judged::Said(Said { opinion, word, why, nearest }))
    }
}

/// What becomes of a file that is here.
enum Judged {
    /// This is said of it.
    Said(Said),
    /// A person is asked; who accepts it would do so without this one.
    Asked(Option<Lacking>),
    /// It would be accepted but for this one.
    Held(Lacking),
}

/// What is said of a file, and why.
struct Said {
    opinion: Opinion,
    word: Word,
    why: String,
    nearest: Option<Nearest>,
}

impl Said {
    fn unavailable(why: &str) -> Self {
        Self {
            opinion: Opinion::UNAVAILABLE,
            word: Word::Unavailable,
            why: why.to_owned(),
            nearest: None,
        }
    }

    /// Of a file that is here, and cannot be judged.
    fn undecided(possession: H256, why: &str) -> Self {
        let opinion = Opinion::undecided(possession.0.into());
        Self { opinion, word: Word::Unavailable, why: why.to_owned(), nearest: None }
    }

    /// Of a file that is here, and that nobody decided on. To say that it cannot be fetched would have an acceptance that was
    /// challenged end, and its members charged, because people slept.
    fn nothing(possession: H256, lacks: Option<Lacking>) -> Self {
        Self::undecided(possession, &lacks.map_or("nobody decided".to_owned(), may_be_a_copy))
    }

    fn as_json(&self, file: &DrawnFile) -> Value {
        json!({
            "submission": file.submission,
            "word": self.word.to_text(),
            "why": self.why,
            "nearest": self.nearest.as_ref().map(nearest_as_json),
        })
    }
}
