//! What is wrong with acceptances, and which of them are challenged.

use super::{file::Watched, until, Daemon, Place};
use crate::{
    commands::review::{
        queue::nearest as nearest_as_json,
        run::examine::{fetch, Target, Trouble, Within},
    },
    error::Result,
};
use openledger_client::{AccountId, Amount, Wait};
use openledger_content::{ContentStore, Limits};
use openledger_primitives::{
    committee::{api::DrawView, DrawId, FileState, Purpose, Rules, Stand},
    Balance, DatanetId, SubmissionId, Verdict,
};
use openledger_reviewer::{
    earlier::{compared_with, must_compare, of_an_acceptance},
    Acceptance, Challenge, Earlier, Fault, Nearest,
};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use tokio::task::JoinSet;

/// Blocks in which what was sent before a restart comes into one, or does not.
const SETTLES: u32 = 3;
/// What a challenge takes.
const BOND: Balance = Rules::DEFAULT.bond;
/// How often a file must have been asked for until it is challenged for not coming.
const LEAST_TRIES: u32 = 3;

/// An acceptance that is to be challenged.
struct Due<'a> {
    key: Place,
    view: &'a DrawView<AccountId>,
    until: u32,
    fault: Fault,
}

impl Daemon<'_> {
    /// Looks at accepted files that are here, and challenges those that something is wrong with, the dearest and most
    /// urgent first. Whether anything is waited for that will end by itself.
    pub(super) async fn challenge(
        &mut self,
        draws: &[DrawView<AccountId>],
        chosen: &[&DrawView<AccountId>],
        before: &BTreeMap<DatanetId, Vec<Earlier>>,
        now: u32,
    ) -> Result<bool> {
        let (mut waits, mut due) = (false, Vec::new());
        for view in chosen.iter().copied() {
            let Some(until) = until(view).filter(|until| now < *until) else { continue };
            let before = before.get(&view.datanet).map(Vec::as_slice).unwrap_or_default();
            for place in (0u8..).take(view.draw.files.len()) {
                let key = (view.id, place);
                let Some(mut watched) = self.files.remove(&key) else { continue };
                watched.is_accepted = true;
                let looked = self.examine(view, place, &mut watched, before, until, now);
                let fault = watched.fault;
                self.files.insert(key, watched);
                waits |= looked?;
                due.extend(fault.map(|fault| Due { key, view, until, fault }));
            }
        }
        due.sort_by_key(|due| {
            let early = must_compare(&due.view.draw.purpose);
            // Of a copy the larger committee must find the earlier file too.
            let copy = matches!(due.fault, Fault::Copy(_));
            (!due.fault.takes_seats(early), copy, due.until, due.key)
        });
        self.reconcile(draws)?;
        let (mut bonds, mut sending) = (self.bonds(draws), Sending::new());
        let mut free = self.client.balance(self.account).await?.free;
        for due in due {
            match self.hindrance(&due, bonds, free, now).await? {
                Hindrance::Silent => {}
                Hindrance::Because(why) => self.hold(&due, why),
                Hindrance::Lacks(submission, target) => {
                    self.get(target);
                    self.hold(&due, format!("submission {submission} is not here to be shown"));
                }
                Hindrance::None => {
                    if self.send(&due, now, &mut sending)? {
                        bonds = bonds.saturating_add(BOND);
                        free = free.saturating_sub(BOND);
                    }
                }
            }
        }
        while let Some(sent) = sending.join_next().await {
            match sent {
                Ok(sent) => self.sent(sent)?,
                Err(error) => tracing::warn!("a challenge broke off: {error}"),
            }
        }
        Ok(waits)
    }

    /// Looks at an accepted file. Whether it, or something that it may be a copy of, is still being fetched.
    fn examine(
        &self,
        view: &DrawView<AccountId>,
        place: u8,
        watched: &mut Watched,
        before: &[Earlier],
        until: u32,
        now: u32,
    ) -> Result<bool> {
        let Some(file) = view.draw.files.get(usize::from(place)) else { return Ok(false) };
        let FileState::Judged(Verdict::Accept { units, text_root, .. }) = file.state else {
            return Ok(false);
        };
        let state = watched.state();
        let Some(found) = state.found else {
            let late = until.saturating_sub(now) <= self.window / 3;
            if self.arguments.missing && late && state.failed >= LEAST_TRIES {
                watched.fault = Some(Fault::Missing(state.failed));
            }
            return Ok(!state.given_up);
        };
        // It has come after all.
        if matches!(watched.fault, Some(Fault::Missing(_))) {
            watched.fault = None;
        }
        if !watched.is_due(self.pause) && !self.arguments.once {
            return Ok(false);
        }
        if found.stopped {
            tracing::warn!(
                submission = file.submission,
                "its decoder was stopped for time or memory: it is not challenged, since others may read it"
            );
            return Ok(false);
        }
        let others = before.iter().copied().chain(self.references.refused(view.datanet));
        let compared = compared_with(file.submission, watched.submitted_at, others);
        let compared = of_an_acceptance(compared);
        let known = self.references.are_known(&self.shared, view.datanet, &compared)?;
        let fault = Fault::of(&Acceptance {
            media: file.media,
            units,
            text_root: text_root.0,
            min_units: view.draw.min_units,
            measured: found.measured,
            nearest: self.shared.nearest(view, file, &found, &compared)?,
            copy_from: self.policies.of(view.datanet).duplicate_from(file.media.modality()),
        });
        let missing = self.references.missing(
            &self.shared,
            view.datanet,
            file.submission,
            &compared,
            false,
        )?;
        if !std::mem::replace(&mut watched.is_counted, true) {
            self.challenges.looked_at()?;
        }
        // What has no committee yet may be an original by the time it has one.
        let undrawn = self.references.undrawn(view.datanet);
        let may_come = undrawn.is_some_and(|first| first < file.submission);
        watched.looked(known && missing.is_none() && !may_come, fault);
        Ok(!known)
    }

    /// Learns of challenges that came into a block after this program was killed.
    fn reconcile(&self, draws: &[DrawView<AccountId>]) -> Result<()> {
        for view in draws.iter().filter(|view| view.draw.challenger == Some(self.account)) {
            let Purpose::Challenge { draw, file } = view.draw.purpose else { continue };
            if self.challenges.find(draw, file)?.is_some_and(|sent| sent.larger.is_none()) {
                self.challenges.stands(draw, file, view.id)?;
            }
        }
        Ok(())
    }

    /// What keeps an acceptance from being challenged.
    async fn hindrance(
        &self,
        due: &Due<'_>,
        bonds: Balance,
        free: Balance,
        now: u32,
    ) -> Result<Hindrance> {
        let Due { key: (draw, place), view, fault, .. } = due;
        let file = view.draw.files.get(usize::from(*place));
        let mut words = view.draw.members.iter().zip(file.iter().flat_map(|file| &file.stands));
        if words.any(|(one, stand)| one.account == self.account && *stand == Stand::Agreed) {
            return Ok(Hindrance::because("this account has accepted it itself"));
        }
        if let Some(sent) = self.challenges.find(*draw, *place)? {
            // It may be on its way since before this program was started.
            if now <= sent.sent_at.saturating_add(SETTLES) {
                return Ok(Hindrance::Silent);
            }
        }
        let Some(watched) = self.files.get(&due.key) else { return Ok(Hindrance::Silent) };
        if self.signer.is_some() {
            let (limit, reserve) = (self.arguments.bond_limit, self.arguments.reserve);
            if bonds.saturating_add(BOND) > limit.0 {
                return Ok(Hindrance::Because(format!(
                    "bonds may come to {limit} at once (--bond-limit)"
                )));
            }
            if free < BOND.saturating_add(reserve.0) {
                return Ok(Hindrance::Because(format!(
                    "the account has not {} for a bond beside the {reserve} that stay free (--reserve)",
                    Amount(BOND)
                )));
            }
        } else if watched.is_told() {
            return Ok(Hindrance::Silent);
        }
        if !self.can_be_drawn(view).await? {
            return Ok(Hindrance::because("too few accounts have seats for a larger committee"));
        }
        if matches!(fault, Fault::Missing(_)) {
            let came = self.files.values().any(|file| file.state().found.is_some());
            if !came {
                return Ok(Hindrance::because("no file at all comes, so it may be this machine"));
            }
            return Ok(Hindrance::None);
        }
        self.cannot_show(view.datanet, watched, fault).await
    }

    /// Whether enough accounts have seats for a committee three times the size, without those that it may not have.
    async fn can_be_drawn(&self, view: &DrawView<AccountId>) -> Result<bool> {
        let members = &view.draw.members;
        let mut barred = members.len();
        let mut others = vec![view.draw.contributor];
        others.extend(Some(self.account).filter(|account| *account != view.draw.contributor));
        for who in others {
            let counted = members.iter().any(|member| member.account == who);
            if !counted && self.client.seats(view.pool, who).await?.is_some() {
                barred = barred.saturating_add(1);
            }
        }
        let wanted = usize::from(Rules::DEFAULT.challenge_size());
        let accounts = self.client.pool_size(view.pool).await?.accounts;
        Ok(accounts as usize >= barred.saturating_add(wanted))
    }

    /// Whether the larger committee can be shown what it needs: the file, and what it is a copy of.
    async fn cannot_show(
        &self,
        datanet: DatanetId,
        watched: &Watched,
        fault: &Fault,
    ) -> Result<Hindrance> {
        let mut shown = vec![(watched.submission, Some(watched.target))];
        if let Fault::Copy(nearest) = fault {
            shown.push((nearest.submission, self.place_of(datanet, nearest)?));
        }
        for (submission, target) in shown {
            let Some(target) = target else {
                return Ok(Hindrance::Because(format!(
                    "nobody says where submission {submission} is"
                )));
            };
            let limits = Limits::for_bytes(target.size.into());
            if !matches!(self.shared.node.has(&target.content, &limits).await, Ok(true)) {
                return Ok(Hindrance::Lacks(submission, target));
            }
            if self.signer.is_some() {
                self.shared.queue.pin(&target.sha256, &target.content, target.size)?;
            }
        }
        Ok(Hindrance::None)
    }

    /// Fetches what the larger committee is to be shown, one at a time.
    fn get(&mut self, target: Target) {
        if self.getting.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        let shared = self.shared.clone();
        self.getting = Some(tokio::spawn(async move {
            let within = Within { block: shared.timeout, file: shared.timeout.saturating_mul(4) };
            if let Err(Trouble::NotThere(why) | Trouble::Ours(why)) =
                fetch(&shared.node, &target, within).await
            {
                tracing::warn!("{why}");
            }
        }));
    }

    /// Where the file is that another one is a copy of.
    fn place_of(&self, datanet: DatanetId, nearest: &Nearest) -> Result<Option<Target>> {
        let leaf = self.shared.index.leaf_of(datanet, nearest.submission)?;
        let leaf = leaf.map(|leaf| Target {
            content: leaf.content,
            sha256: leaf.sha256,
            size: leaf.size,
            media: leaf.media,
        });
        let watched = || {
            let found = self.files.values().find(|file| file.submission == nearest.submission);
            found.map(|file| file.target)
        };
        Ok(leaf
            .or_else(watched)
            .or_else(|| self.references.place(nearest.submission, nearest.sha256)))
    }

    /// Says once why something is not challenged.
    fn hold(&mut self, due: &Due<'_>, why: String) {
        let Some(watched) = self.files.get_mut(&due.key) else { return };
        if watched.held.as_ref() == Some(&why) {
            return;
        }
        watched.held = Some(why.clone());
        let text = format!(
            "Did not challenge submission {} (draw {}, file {}): {}; but {why}.",
            watched.submission,
            due.key.0,
            due.key.1,
            due.fault.why()
        );
        let json = as_json("held", due, &json!({ "because": why }));
        self.tell(json, text);
    }

    /// Sends a challenge, or says what would be. Whether a bond is held for it.
    fn send(&mut self, due: &Due<'_>, now: u32, sending: &mut Sending) -> Result<bool> {
        let (draw, file) = due.key;
        let Some(watched) = self.files.get_mut(&due.key) else { return Ok(false) };
        let submission = watched.submission;
        let what =
            format!("submission {submission} (draw {draw}, file {file}): {}", due.fault.why());
        let Some(signer) = self.signer.clone() else {
            watched.tell();
            let json = as_json("would-challenge", due, &Value::Null);
            self.tell(json, format!("Would challenge {what}."));
            return Ok(false);
        };
        // On the disk first: who is killed before it is in a block waits until it is, or cannot be any more.
        let sent = Challenge::new(due.key, due.view.datanet, submission, &due.fault, now);
        self.challenges.send(&sent)?;
        let (client, wait) = (self.client.clone(), self.context.wait(Wait::InBlock));
        let (key, json) = (due.key, as_json("challenged", due, &Value::Null));
        sending.spawn(async move {
            let sent = client.challenge(&signer, draw, file, wait).await;
            let by = sent.map(|(_, by)| by).map_err(|error| error.to_string());
            Sent { key, what, json, by }
        });
        Ok(true)
    }

    /// Takes what became of what was sent.
    fn sent(&mut self, sent: Sent) -> Result<()> {
        let Sent { key: (draw, file), what, mut json, by } = sent;
        match by {
            Ok(by) => {
                self.challenges.stands(draw, file, by)?;
                self.files.remove(&(draw, file));
                if let Value::Object(json) = &mut json {
                    json.insert("by".to_owned(), by.into());
                }
                self.tell(json, format!("Challenged {what}; draw {by} has the last word."));
            }
            // Somebody else may have been first: the next look tells.
            Err(error) => tracing::warn!(draw, file, "not challenged: {error}"),
        }
        Ok(())
    }
}

/// Challenges that are on their way.
type Sending = JoinSet<Sent>;

/// What became of one.
struct Sent {
    key: Place,
    what: String,
    json: Value,
    /// The draw of the larger committee.
    by: std::result::Result<DrawId, String>,
}

/// What keeps an acceptance from being challenged.
enum Hindrance {
    None,
    /// This, which is said.
    Because(String),
    /// A submission's file, which the larger committee needs and which is not here.
    Lacks(SubmissionId, Target),
    /// Something that is over soon.
    Silent,
}

impl Hindrance {
    fn because(why: &str) -> Self {
        Self::Because(why.to_owned())
    }
}

fn as_json(did: &str, due: &Due<'_>, more: &Value) -> Value {
    let (draw, file) = due.key;
    let drawn = due.view.draw.files.get(usize::from(file));
    let mut json = json!({
        "did": did,
        "draw": draw,
        "file": file,
        "datanet": due.view.datanet,
        "submission": drawn.map(|drawn| drawn.submission),
        "fault": due.fault.name(),
        "why": due.fault.why(),
        "until": due.until,
        "nearest": match &due.fault {
            Fault::Copy(nearest) => nearest_as_json(nearest),
            _ => Value::Null,
        },
    });
    if let (Value::Object(json), Value::Object(more)) = (&mut json, more) {
        json.extend(more.clone());
    }
    json
}
