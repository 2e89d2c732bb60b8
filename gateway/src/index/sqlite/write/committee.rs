//! Rows of drawn committees: draws, what members said, and what it paid and cost.
//!
//! The chain forgets a draw when it is over, and often in the block that decides it. What was found and how every
//! word stands to it therefore follows here as it does there, from what was revealed, by the same functions.

use super::{add, hash, Result, Writer};
use crate::api::draws::{Challenged, Draw, DrawFile, Member, MemberWord, SeatPool, Word};
use crate::api::seats::SeatHolding;
use openledger_client::{
    blocks::{BlockEvent, ChainEvent, Detail},
    AccountId, H256,
};
use openledger_primitives::{
    committee::{
        api::DrawView, vote, DrawnFile, End, FileState, Finding, Majority, Opinion, Opinions,
        Outcome, PoolId, Purpose, Stand,
    },
    ClosedList, MediaType, RejectionReason, Score, Verdict,
};
use rusqlite::params;

/// A payment or a loss of this block whose reason the end of its file tells.
pub(super) struct Waiting {
    draw: u64,
    submission: Option<u64>,
    account: AccountId,
    paid: bool,
    amount: u128,
    index: u32,
    extrinsic: Option<String>,
}

pub(super) fn pool_of(pool: &PoolId) -> SeatPool {
    match pool {
        PoolId::Modality(modality) => {
            SeatPool { modality: Some(modality.name().to_owned()), datanet: None }
        }
        PoolId::Datanet(datanet) => SeatPool { modality: None, datanet: Some(*datanet) },
    }
}

/// How a pool is written where it is a key.
fn key(pool: &SeatPool) -> String {
    match (&pool.modality, pool.datanet) {
        (Some(modality), _) => modality.clone(),
        (None, datanet) => datanet.unwrap_or_default().to_string(),
    }
}

fn word(verdict: &Verdict) -> Word {
    let empty = |kind: &str| Word {
        kind: kind.to_owned(),
        reason: None,
        score: None,
        units: None,
        text_root: None,
        extractor: None,
    };
    match verdict {
        Verdict::Reject(reason) => {
            Word { reason: Some(reason.name().to_owned()), ..empty("reject") }
        }
        Verdict::Unavailable => empty("unavailable"),
        Verdict::Accept { score, units, text_root, extractor } => Word {
            score: Some(score.get()),
            units: Some(*units),
            text_root: (!text_root.is_zero()).then(|| hex::encode(text_root.0)),
            extractor: Some(*extractor),
            ..empty("accept")
        },
    }
}

/// The verdict that [`word`] wrote.
fn verdict(word: &Word) -> Option<Verdict> {
    let root = || -> Option<[u8; 32]> {
        let Some(text) = &word.text_root else { return Some([0; 32]) };
        hex::decode(text).ok()?.try_into().ok()
    };
    match word.kind.as_str() {
        "accept" => Some(Verdict::Accept {
            score: Score::new(word.score?)?,
            units: word.units?,
            text_root: root()?.into(),
            extractor: word.extractor?,
        }),
        "reject" => RejectionReason::of_name(word.reason.as_deref()?).ok().map(Verdict::Reject),
        _ => Some(Verdict::Unavailable),
    }
}

fn opinion(said: &MemberWord) -> Option<Opinion> {
    let possession: [u8; 32] = match &said.possession {
        Some(text) => hex::decode(text).ok()?.try_into().ok()?,
        None => [0; 32],
    };
    Some(Opinion { verdict: verdict(&said.word)?, possession: possession.into() })
}

fn found(finding: &Finding) -> Word {
    let of = |kind: &str| Word { kind: kind.to_owned(), ..word(&Verdict::Unavailable) };
    match finding {
        Finding::Verdict { verdict, .. } => word(verdict),
        Finding::Unavailable => of("unavailable"),
        Finding::Split => of("split"),
        Finding::NoQuorum => of("no-quorum"),
        Finding::Undecided => of("undecided"),
    }
}

fn stand(stand: Stand) -> &'static str {
    match stand {
        Stand::Agreed => "agreed",
        Stand::Dissented => "dissented",
        Stand::Unavailable => "unavailable",
        Stand::Void => "void",
        Stand::Absent => "absent",
    }
}

/// Decides on every file as the chain does.
fn decide(draw: &mut Draw) {
    let Some(extractor) = draw.extractor else { return };
    let revealed = draw.members.iter().filter(|member| member.revealed.is_some()).count();
    for place in 0..draw.files.len() {
        let Some(file) = draw.files.get_mut(place) else { continue };
        let Ok(media) = MediaType::of_name(&file.media) else { continue };
        let drawn = DrawnFile {
            submission: file.submission,
            sha256: [0; 32],
            media,
            size: file.size,
            state: FileState::Open,
            stands: Default::default(),
        };
        let said: Vec<Option<Opinion>> =
            draw.members.iter().map(|member| member.words.get(place).and_then(opinion)).collect();
        let possible = |one: &Opinion| one.is_possible(&drawn, draw.min_units, extractor);
        let counted: Vec<Option<Opinion>> =
            said.iter().map(|said| said.filter(|one| possible(one))).collect();
        let finding = match draw.challenges.is_some() {
            true => vote::last_finding(&counted, revealed),
            false => vote::finding(&counted, revealed),
        };
        file.found = Some(found(&finding));
        for (member, (said, counted)) in draw.members.iter_mut().zip(said.iter().zip(&counted)) {
            if let Some(word) = member.words.get_mut(place) {
                let how = vote::stand(said.as_ref(), counted.is_some(), &finding);
                word.stand = Some(stand(how).to_owned());
            }
        }
    }
}

impl Writer<'_> {
    /// What an event says of seats, draws, and what is paid for verdicts.
    pub(super) fn committee(&self, event: &BlockEvent) -> Result<()> {
        let moment = || self.moment(self.extrinsic(event));
        match (&event.event, &event.detail) {
            (ChainEvent::DrawOpened { draw, datanet, session, .. }, _) => {
                self.open_draw(event, *draw, *datanet, *session)
            }
            (ChainEvent::DrawPostponed { draw, lacks_seats, session }, _) => {
                self.draw(*draw, |draw| {
                    let lacked = if *lacks_seats { "seats" } else { "budget" };
                    draw.lacked = Some(lacked.to_owned());
                    draw.session = *session;
                    // A challenge that nobody can be drawn for is over; files of a call end each for itself.
                    if session.is_none() && draw.challenges.is_some() {
                        end(draw, moment());
                    }
                })
            }
            (ChainEvent::CommitteeDrawn { draw, members, commit_by, .. }, _) => {
                self.begin_draw(event, *draw, members, *commit_by)
            }
            (ChainEvent::Committed { draw, account }, _) => self.draw(*draw, |draw| {
                if let Some(member) = member(draw, &self.name(account)) {
                    member.committed = Some(moment());
                }
            }),
            (ChainEvent::RevealsOpened { draw, reveal_by }, _) => self.draw(*draw, |draw| {
                draw.state = "revealing".to_owned();
                draw.reveal_by = Some(*reveal_by);
            }),
            (ChainEvent::Revealed { draw, account }, Detail::Opinions(opinions)) => {
                self.reveal(event, *draw, account, opinions)
            }
            (ChainEvent::Revealed { .. }, _) => {
                Err(self.unknown("Review.Revealed without what it shows".to_owned()))
            }
            (ChainEvent::DrawDecided { draw, challenge_by, .. }, _) => {
                self.settle(*draw, None)?;
                self.draw(*draw, |draw| {
                    decide(draw);
                    draw.decided = Some(moment());
                    draw.challenge_by = *challenge_by;
                    if draw.state != "over" {
                        draw.state = "judged".to_owned();
                    }
                    if draw.challenges.is_some() {
                        end(draw, moment());
                    }
                })
            }
            (ChainEvent::Challenged { draw, submission, by, .. }, _) => self.draw(*draw, |draw| {
                if let Some(file) = file(draw, *submission) {
                    file.challenged_by = Some(*by);
                }
            }),
            (ChainEvent::FileEnded { draw, submission, outcome }, _) => {
                self.ended.borrow_mut().insert(*submission, *draw);
                if outcome.end() != End::Again {
                    self.settle(*draw, Some((*submission, *outcome)))?;
                }
                self.draw(*draw, |draw| {
                    if let Some(file) = file(draw, *submission) {
                        file.outcome = Some(outcome.name().to_owned());
                        file.ended = Some(moment());
                    }
                    if draw.files.iter().all(|file| file.outcome.is_some()) {
                        end(draw, moment());
                    }
                })
            }
            (ChainEvent::ReviewPaid { draw, submission, account, amount }, _) => {
                self.waits(event, *draw, Some(*submission), account, true, *amount);
                Ok(())
            }
            (ChainEvent::SeatsLost { draw, account, amount, .. }, _) => {
                self.waits(event, *draw, None, account, false, *amount);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn draw(&self, id: u64, change: impl FnOnce(&mut Draw)) -> Result<()> {
        match self.batch.draw(id, change)? {
            Some(()) => Ok(()),
            None => Err(self.unknown(format!("draw {id}"))),
        }
    }

    fn read_draw(&self, id: u64) -> Result<Draw> {
        let found = self.batch.draw(id, |draw| draw.clone())?;
        found.ok_or_else(|| self.unknown(format!("draw {id}")))
    }

    /// The draw as it stands at the end of this block.
    fn view(&self, id: u64) -> Option<&DrawView<AccountId>> {
        self.block.changed.draws.iter().find(|view| view.id == id)
    }

    fn files(&self, view: &DrawView<AccountId>) -> Vec<DrawFile> {
        let file = |file: &DrawnFile| DrawFile {
            submission: file.submission,
            sha256: hex::encode(file.sha256),
            media: file.media.name().to_owned(),
            size: file.size,
            found: None,
            challenged_by: None,
            outcome: None,
            ended: None,
        };
        view.draw.files.iter().map(file).collect()
    }

    fn open_draw(&self, event: &BlockEvent, id: u64, datanet: u32, session: u32) -> Result<()> {
        let moment = self.moment(self.extrinsic(event));
        // Its files were taken back in the block that brought them.
        let gone = self.view(id).is_none();
        let mut draw = Draw {
            id,
            datanet,
            state: if gone { "over" } else { "waiting" }.to_owned(),
            pool: None,
            asked: 0,
            challenges: None,
            contributor: None,
            challenger: None,
            bond: None,
            session: Some(session),
            lacked: None,
            counts_globally: None,
            seed: None,
            min_units: 0,
            extractor: None,
            commit_by: None,
            reveal_by: None,
            challenge_by: None,
            files: Vec::new(),
            members: Vec::new(),
            opened: moment.clone(),
            drawn: None,
            decided: None,
            ended: gone.then_some(moment),
        };
        if let Some(view) = self.view(id) {
            draw.pool = Some(pool_of(&view.pool));
            draw.contributor = Some(self.name(&view.draw.contributor).to_string());
            draw.min_units = view.draw.min_units;
            draw.files = self.files(view);
            match view.draw.purpose {
                Purpose::Review { asked } | Purpose::Uncompared { asked } => draw.asked = asked,
                Purpose::Challenge { draw: of, file } => {
                    draw.challenges = Some(Challenged { draw: of, file });
                    draw.bond = Some(view.bond.to_string());
                }
            }
            let challenger = view.draw.challenger.as_ref();
            draw.challenger = challenger.map(|who| self.name(who).to_string());
        }
        for file in &draw.files {
            self.run(
                "INSERT INTO draw_files VALUES(?, ?)",
                params![file.submission as i64, id as i64],
            )?;
        }
        self.batch.open_draw(draw);
        Ok(())
    }

    fn begin_draw(
        &self,
        event: &BlockEvent,
        id: u64,
        members: &[AccountId],
        commit_by: u32,
    ) -> Result<()> {
        let moment = self.moment(self.extrinsic(event));
        for account in members {
            let name = self.name(account);
            let sql = "INSERT INTO draw_members VALUES(?, ?, 'committing')";
            self.run(sql, params![id as i64, name])?;
            self.reviewer(account, |reviewer| reviewer.drawn += 1)?;
        }
        self.draw(id, |draw| {
            draw.state = "committing".to_owned();
            draw.commit_by = Some(commit_by);
            draw.lacked = None;
            draw.drawn = Some(moment);
            draw.members = members
                .iter()
                .map(|account| Member {
                    account: self.name(account).to_string(),
                    committed: None,
                    revealed: None,
                    words: Vec::new(),
                })
                .collect();
            if let Some(view) = self.view(id) {
                draw.seed = Some(hex::encode(view.draw.seed));
                draw.extractor = Some(view.draw.extractor);
                // A challenge's word counts as the verdict does that it is about.
                let review = draw.challenges.is_none();
                draw.counts_globally = review.then_some(view.global);
            }
        })
    }

    fn reveal(
        &self,
        event: &BlockEvent,
        id: u64,
        account: &AccountId,
        opinions: &Opinions,
    ) -> Result<()> {
        let moment = self.moment(self.extrinsic(event));
        let said = |opinion: &Opinion| MemberWord {
            word: word(&opinion.verdict),
            possession: (!opinion.possession.is_zero()).then(|| hash(H256(opinion.possession.0))),
            stand: None,
        };
        self.draw(id, |draw| {
            if let Some(member) = member(draw, &self.name(account)) {
                member.revealed = Some(moment);
                member.words = opinions.iter().map(said).collect();
            }
        })?;
        self.reviewer(account, |reviewer| reviewer.revealed += 1)
    }

    /// Takes a file out of a draw that it leaves before the committee is drawn.
    pub(super) fn leave_draw(&self, submission: u64) -> Result<()> {
        let sql = "SELECT draw FROM draw_files WHERE submission = ? ORDER BY draw DESC LIMIT 1";
        let mut statement = self.batch.tx.prepare_cached(sql)?;
        let mut rows = statement.query(params![submission as i64])?;
        let Some(row) = rows.next()? else { return Ok(()) };
        let id: i64 = row.get(0)?;
        self.draw(id as u64, |draw| {
            if draw.state != "waiting"
                || file(draw, submission).is_none_or(|file| file.outcome.is_some())
            {
                return;
            }
            draw.files.retain(|file| file.submission != submission);
            if draw.files.is_empty() {
                end(draw, self.moment(None));
            }
        })
    }

    fn waits(
        &self,
        event: &BlockEvent,
        draw: u64,
        submission: Option<u64>,
        account: &AccountId,
        paid: bool,
        amount: u128,
    ) {
        let (account, index) = (*account, event.index);
        let extrinsic = self.extrinsic(event);
        self.waiting.borrow_mut().push(Waiting {
            draw,
            submission,
            account,
            paid,
            amount,
            index,
            extrinsic,
        });
    }

    /// Writes what was paid and lost since the file before, with the reason: how the file ended, or, where none
    /// did, that members were absent.
    fn settle(&self, id: u64, ended: Option<(u64, Outcome)>) -> Result<()> {
        let waiting = std::mem::take(&mut *self.waiting.borrow_mut());
        if waiting.is_empty() {
            return Ok(());
        }
        let draw = self.read_draw(id)?;
        let challenged = ended.and_then(|(submission, _)| {
            let file = draw.files.iter().find(|file| file.submission == submission)?;
            file.challenged_by
        });
        let larger = challenged.map(|by| self.read_draw(by)).transpose()?;
        let sits = |draw: &Draw, who: &str| draw.members.iter().any(|one| one.account == who);
        let is_challenger = |name: &str| {
            larger.as_ref().and_then(|larger| larger.challenger.as_deref()) == Some(name)
        };
        let mut paid_before: Vec<AccountId> = Vec::new();
        for entry in waiting {
            let name = self.name(&entry.account);
            let of_larger = larger.as_ref().is_some_and(|larger| sits(larger, &name));
            let slashed = ended.is_some_and(|(_, how)| how.majority() == Majority::Slashed);
            let liable = ended.is_some_and(|(_, how)| how.majority() == Majority::Liable);
            let why = match (entry.paid, ended) {
                (false, None) => "absent",
                (false, Some(_)) if liable && !of_larger => "unserved",
                (false, Some(_)) if slashed && !of_larger => "overturned",
                (false, Some(_)) => "void",
                (true, _) if of_larger => "larger-committee",
                // Members of an overturned majority are paid for a word of their own that was right.
                (true, _) if slashed && !sits(&draw, &name) => "challenger",
                (true, _) if slashed && is_challenger(&name) => "challenger",
                (true, _) if paid_before.contains(&entry.account) => "bond",
                (true, _) => "agreed",
            };
            if entry.paid {
                paid_before.push(entry.account);
            }
            let submission = entry.submission.or(ended.map(|(submission, _)| submission));
            self.run(
                "INSERT INTO settlements VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    name,
                    self.block.number,
                    entry.index,
                    entry.draw as i64,
                    submission.map(|id| id as i64),
                    entry.paid,
                    entry.amount.to_string(),
                    why,
                    self.block.time as i64,
                    entry.extrinsic,
                ],
            )?;
            self.reviewer(&entry.account, |reviewer| {
                let sum = if entry.paid { &mut reviewer.earned } else { &mut reviewer.lost };
                *sum = add(sum, entry.amount);
            })?;
        }
        Ok(())
    }

    fn reviewer(&self, account: &AccountId, change: impl FnOnce(&mut Sums)) -> Result<()> {
        let name = self.name(account);
        let sql = "SELECT drawn, revealed, earned, lost FROM reviewers WHERE account = ?";
        let mut statement = self.batch.tx.prepare_cached(sql)?;
        let mut rows = statement.query(params![name])?;
        let mut sums = match rows.next()? {
            Some(row) => Sums {
                drawn: row.get(0)?,
                revealed: row.get(1)?,
                earned: row.get(2)?,
                lost: row.get(3)?,
            },
            None => Sums { drawn: 0, revealed: 0, earned: "0".to_owned(), lost: "0".to_owned() },
        };
        drop(rows);
        change(&mut sums);
        self.run(
            "INSERT OR REPLACE INTO reviewers VALUES(?, ?, ?, ?, ?)",
            params![name, sums.drawn, sums.revealed, sums.earned, sums.lost],
        )?;
        Ok(())
    }

    /// Seats as they stand at the end of the block.
    pub(super) fn seats(&self) -> Result<()> {
        for (pool, account, seats) in &self.block.changed.seats {
            let pool = pool_of(pool);
            let record = SeatHolding {
                seats: seats.reviewer.seats,
                leaving: seats.reviewer.leaving,
                held: seats.reviewer.held.to_string(),
                pool,
            };
            self.run(
                "INSERT OR REPLACE INTO seats VALUES(?, ?, ?)",
                params![self.name(account), key(&record.pool), serde_json::to_string(&record)?],
            )?;
        }
        Ok(())
    }

    /// Whether points count over all Datanets: the acceptance that follows them is the end of a file whose draw
    /// does.
    pub(super) fn counts_globally(&self, event: &BlockEvent) -> Result<bool> {
        if self.ended.borrow().is_empty() {
            return Ok(false);
        }
        let mut after = self.block.events.iter().skip_while(|one| one.index <= event.index);
        let accepted = after.find_map(|one| match one.event {
            ChainEvent::Accepted { submission, .. } => Some(submission),
            _ => None,
        });
        let ended = accepted.and_then(|id| self.ended.borrow().get(&id).copied());
        let Some(draw) = ended else { return Ok(false) };
        Ok(self.read_draw(draw)?.counts_globally == Some(true))
    }
}

/// What judging brought and cost an account.
struct Sums {
    drawn: i64,
    revealed: i64,
    earned: String,
    lost: String,
}

fn member<'a>(draw: &'a mut Draw, account: &str) -> Option<&'a mut Member> {
    draw.members.iter_mut().find(|member| member.account == account)
}

fn file(draw: &mut Draw, submission: u64) -> Option<&mut DrawFile> {
    draw.files.iter_mut().find(|file| file.submission == submission)
}

fn end(draw: &mut Draw, at: crate::api::types::Moment) {
    draw.state = "over".to_owned();
    draw.ended.get_or_insert(at);
}
