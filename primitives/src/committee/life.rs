//! A draw's transitions. Each does all that it says, or leaves the draw as it was.

use super::{
    vote::{self, Opinions},
    Draw, DrawId, DrawnFile, FileState, Finding, Lengths, Member, Opinion, Outcome, Phase,
    Progress, Purpose, Rules, Seed, Session, Stand, MAX_MEMBERS, MAX_TRIES, PARKED_SESSIONS,
    SESSIONS_TO_DRAW,
};
use crate::{precommit::Salt, BlockNumber, ExtractorVersion, RejectionReason, Verdict, MAX_ITEMS};
use alloc::vec::Vec;
use codec::Encode;
use sp_core::H256;
use sp_runtime::BoundedVec;

/// Why a transition is not possible. The draw is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawError {
    /// Not in this phase.
    WrongPhase,
    /// The block for it has passed.
    TooLate,
    /// The block for it has not come.
    TooEarly,
    /// Not by this account.
    NotMember,
    /// It committed before: there is one commitment.
    AlreadyCommitted,
    /// It committed to nothing.
    NotCommitted,
    /// It revealed before.
    AlreadyRevealed,
    /// What is shown is not what was committed to.
    OtherCommitment,
    /// One word for each file of the draw.
    OtherFiles,
    /// The draw has no such file, or it is over.
    NoFile,
    /// The file is challenged already: there is one challenge.
    AlreadyChallenged,
    /// A refusal is its contributor's to challenge.
    NotContributor,
    /// A member of the majority challenges itself.
    OwnVerdict,
    /// Too many files or members, or none.
    Size,
    /// A member twice, the contributor or the challenger.
    Barred,
}

/// Why no committee can be drawn now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lack {
    /// As many accounts as are wanted have seats, but too few of them were found: another seed finds others.
    Seats,
    /// Fewer accounts have seats than are wanted: no seed finds them.
    Accounts,
    /// The review budget does not cover a committee.
    Budget,
}

impl<AccountId: Clone + PartialEq + Encode> Draw<AccountId> {
    /// A draw of files that were submitted in `session`. A challenge waits as long as a submission.
    ///
    /// # Errors
    ///
    /// [`DrawError::Size`] of no file, more than a call holds, or more than one challenged.
    pub fn new(
        purpose: Purpose,
        contributor: AccountId,
        challenger: Option<AccountId>,
        files: Vec<DrawnFile>,
        min_units: u64,
        session: Session,
    ) -> Result<Self, DrawError> {
        let one = matches!(purpose, Purpose::Challenge { .. });
        if files.is_empty() || files.len() > MAX_ITEMS as usize || (one && files.len() != 1) {
            return Err(DrawError::Size);
        }
        let session = session.saturating_add(SESSIONS_TO_DRAW);
        Ok(Self {
            purpose,
            contributor,
            challenger,
            files: files.try_into().map_err(|_| DrawError::Size)?,
            min_units,
            extractor: 0,
            seed: Default::default(),
            members: Default::default(),
            phase: Phase::Waiting { session, tries: 0 },
        })
    }

    /// How many members it wants.
    pub fn wanted(&self, rules: &Rules) -> u8 {
        match self.purpose {
            Purpose::Review { .. } | Purpose::Uncompared { .. } => rules.size,
            Purpose::Challenge { .. } => rules.challenge_size(),
        }
    }

    /// The session by whose seed it is drawn, while it waits.
    pub fn session(&self) -> Option<Session> {
        match self.phase {
            Phase::Waiting { session, .. } => Some(session),
            _ => None,
        }
    }

    /// The files that nothing was decided of yet, and that may be.
    pub fn open(&self) -> impl Iterator<Item = &DrawnFile> {
        self.files.iter().filter(|file| matches!(file.state, FileState::Open))
    }

    /// Takes a file out that ended otherwise before the committee was drawn. Whether any is left.
    ///
    /// # Errors
    ///
    /// [`DrawError::WrongPhase`] from the draw on, [`DrawError::NoFile`].
    pub fn take_out(&mut self, submission: crate::SubmissionId) -> Result<bool, DrawError> {
        if self.session().is_none() {
            return Err(DrawError::WrongPhase);
        }
        let before = self.files.len();
        self.files.retain(|file| file.submission != submission);
        if self.files.len() == before {
            return Err(DrawError::NoFile);
        }
        if self.files.is_empty() {
            self.phase = Phase::Over;
        }
        Ok(!self.files.is_empty())
    }

    /// The committee is drawn: accounts with their generations.
    ///
    /// # Errors
    ///
    /// [`DrawError::WrongPhase`], [`DrawError::Size`] of another number than [`wanted`](Self::wanted),
    /// [`DrawError::Barred`] of accounts that [`pick`](super::pick) passes over.
    pub fn begin(
        &mut self,
        members: Vec<(AccountId, u32)>,
        seed: Seed,
        extractor: ExtractorVersion,
        now: BlockNumber,
        rules: &Rules,
        lengths: &Lengths,
    ) -> Result<(), DrawError> {
        if self.session().is_none() {
            return Err(DrawError::WrongPhase);
        }
        let members: Vec<_> = members
            .into_iter()
            .map(|(account, generation)| Member { account, generation, progress: Progress::Drawn })
            .collect();
        if members.len() != usize::from(self.wanted(rules)) || members.len() > MAX_MEMBERS as usize
        {
            return Err(DrawError::Size);
        }
        let barred = |(place, one): (usize, &Member<AccountId>)| {
            let others = members.iter().take(place);
            one.account == self.contributor
                || self.challenger.as_ref() == Some(&one.account)
                || others.map(|other| &other.account).any(|other| *other == one.account)
        };
        if members.iter().enumerate().any(barred) {
            return Err(DrawError::Barred);
        }
        self.members = members.try_into().map_err(|_| DrawError::Size)?;
        self.seed = seed;
        self.extractor = extractor;
        self.phase = Phase::Committing { by: now.saturating_add(lengths.commit) };
        Ok(())
    }

    /// No committee can be drawn from this session's seed: waits for a later one, twice as long each time; for
    /// accounts that take seats, and at most [`PARKED_SESSIONS`]; or is over. Whether it still waits.
    ///
    /// # Errors
    ///
    /// [`DrawError::WrongPhase`].
    pub fn postpone(&mut self, lack: Lack) -> Result<bool, DrawError> {
        let Phase::Waiting { session, tries } = self.phase else {
            return Err(DrawError::WrongPhase);
        };
        let wait = match lack {
            Lack::Seats => Some(1u32.checked_shl(tries.into()).unwrap_or(u32::MAX)),
            Lack::Accounts => Some(PARKED_SESSIONS),
            // Money is set aside before the seed is known: who may pay later would choose among seeds.
            Lack::Budget => None,
        };
        let next = tries.saturating_add(1);
        if let Some(wait) = wait.filter(|_| next < MAX_TRIES) {
            self.phase = Phase::Waiting { session: session.saturating_add(wait), tries: next };
            return Ok(true);
        }
        self.end_undrawn(match lack {
            Lack::Seats | Lack::Accounts => Outcome::TooFewSeats,
            Lack::Budget => Outcome::EmptyBudget,
        });
        Ok(false)
    }

    /// The accounts that it waited for have not come in time: it is over.
    ///
    /// # Errors
    ///
    /// [`DrawError::WrongPhase`].
    pub fn expire(&mut self) -> Result<(), DrawError> {
        self.session().ok_or(DrawError::WrongPhase)?;
        self.end_undrawn(Outcome::TooFewSeats);
        Ok(())
    }

    fn end_undrawn(&mut self, outcome: Outcome) {
        self.files.iter_mut().for_each(|file| file.state = FileState::Over(outcome));
        self.phase = Phase::Over;
    }

    fn member(&mut self, who: &AccountId) -> Result<&mut Member<AccountId>, DrawError> {
        self.members.iter_mut().find(|one| one.account == *who).ok_or(DrawError::NotMember)
    }

    /// Members who have at least committed, and who have revealed.
    fn heard(&self) -> (usize, usize) {
        let revealed =
            self.members.iter().filter(|one| matches!(one.progress, Progress::Revealed)).count();
        let drawn =
            self.members.iter().filter(|one| matches!(one.progress, Progress::Drawn)).count();
        (self.members.len().saturating_sub(drawn), revealed)
    }

    /// A member commits. When the last one has, reveals open at once.
    ///
    /// # Errors
    ///
    /// [`DrawError::WrongPhase`], [`DrawError::TooLate`], [`DrawError::NotMember`],
    /// [`DrawError::AlreadyCommitted`].
    pub fn commit(
        &mut self,
        who: &AccountId,
        now: BlockNumber,
        commitment: H256,
        lengths: &Lengths,
    ) -> Result<(), DrawError> {
        let Phase::Committing { by } = self.phase else { return Err(DrawError::WrongPhase) };
        if now > by {
            return Err(DrawError::TooLate);
        }
        let member = self.member(who)?;
        if !matches!(member.progress, Progress::Drawn) {
            return Err(DrawError::AlreadyCommitted);
        }
        member.progress = Progress::Committed(commitment);
        if self.heard().0 == self.members.len() {
            self.phase = Phase::Revealing { by: now.saturating_add(lengths.reveal) };
        }
        Ok(())
    }

    /// The time to commit has passed: reveals open, for as long as ever, however late this is noticed. Where
    /// too few committed for any verdict, the draw can be [decided](Self::decide) instead.
    ///
    /// # Errors
    ///
    /// [`DrawError::WrongPhase`], [`DrawError::TooEarly`], [`DrawError::Size`] where too few committed.
    pub fn open_reveals(&mut self, now: BlockNumber, lengths: &Lengths) -> Result<(), DrawError> {
        let Phase::Committing { by } = self.phase else { return Err(DrawError::WrongPhase) };
        if now <= by {
            return Err(DrawError::TooEarly);
        }
        if self.heard().0 < Rules::quorum(self.members.len()) {
            return Err(DrawError::Size);
        }
        self.phase = Phase::Revealing { by: now.saturating_add(lengths.reveal) };
        Ok(())
    }

    /// A member shows what it committed to. The caller keeps `opinions` for [`decide`](Self::decide).
    ///
    /// What is shown may be impossible: that is found when the draw is decided, and costs as much as not
    /// showing it.
    ///
    /// # Errors
    ///
    /// [`DrawError::WrongPhase`], [`DrawError::TooLate`], [`DrawError::NotMember`],
    /// [`DrawError::NotCommitted`], [`DrawError::AlreadyRevealed`], [`DrawError::OtherFiles`],
    /// [`DrawError::OtherCommitment`].
    pub fn reveal(
        &mut self,
        draw: DrawId,
        who: &AccountId,
        now: BlockNumber,
        opinions: &Opinions,
        salt: &Salt,
    ) -> Result<(), DrawError> {
        let Phase::Revealing { by } = self.phase else { return Err(DrawError::WrongPhase) };
        if now > by {
            return Err(DrawError::TooLate);
        }
        let (seed, files) = (self.seed, self.files.len());
        let member = self.member(who)?;
        let committed = match member.progress {
            Progress::Drawn => return Err(DrawError::NotCommitted),
            Progress::Revealed => return Err(DrawError::AlreadyRevealed),
            Progress::Committed(committed) => committed,
        };
        if opinions.len() != files {
            return Err(DrawError::OtherFiles);
        }
        if vote::commitment(draw, &seed, who, opinions, salt) != committed {
            return Err(DrawError::OtherCommitment);
        }
        member.progress = Progress::Revealed;
        Ok(())
    }

    /// Whether [`decide`](Self::decide) is possible: everybody who committed has revealed, or the time for
    /// it has passed, or too few committed in time for any verdict.
    pub fn is_ready(&self, now: BlockNumber) -> bool {
        let (committed, revealed) = self.heard();
        match self.phase {
            Phase::Committing { by } => now > by && committed < Rules::quorum(self.members.len()),
            Phase::Revealing { by } => now > by || revealed == committed,
            _ => false,
        }
    }

    /// The last block in which nothing happens by itself; `None` if it waits for a seed or is over.
    pub fn due(&self) -> Option<BlockNumber> {
        match self.phase {
            Phase::Committing { by } | Phase::Revealing { by } => Some(by),
            Phase::Judged { until } => Some(until),
            Phase::Waiting { .. } | Phase::Over => None,
        }
    }

    /// Decides on every file by the votes that were revealed, in the order of the members. Verdicts of a
    /// call wait for challenges; everything else is over. Returns the places of the members who committed
    /// to nothing, or did not reveal though they could; the votes are needed no more.
    ///
    /// # Errors
    ///
    /// [`DrawError::WrongPhase`], [`DrawError::TooEarly`].
    pub fn decide(
        &mut self,
        now: BlockNumber,
        votes: &[Option<Opinions>],
        rules: &Rules,
        lengths: &Lengths,
    ) -> Result<Vec<usize>, DrawError> {
        if !matches!(self.phase, Phase::Committing { .. } | Phase::Revealing { .. }) {
            return Err(DrawError::WrongPhase);
        }
        if !self.is_ready(now) {
            return Err(DrawError::TooEarly);
        }
        // Where reveals never opened, whoever committed did what it could.
        let opened = matches!(self.phase, Phase::Revealing { .. });
        let absent = |(place, one): (usize, &Member<AccountId>)| match one.progress {
            Progress::Revealed => None,
            Progress::Committed(_) => opened.then_some(place),
            Progress::Drawn => Some(place),
        };
        let absent = self.members.iter().enumerate().filter_map(absent).collect();
        let again = self.purpose.leaves_another(rules);
        let challenge = matches!(self.purpose, Purpose::Challenge { .. });
        let (members, revealed) = (self.members.len(), self.heard().1);
        let (least, extractor) = (self.min_units, self.extractor);
        for (place, file) in self.files.iter_mut().enumerate() {
            let word = |member: usize| {
                let vote: Option<&Opinions> = votes.get(member).and_then(Option::as_ref);
                vote.and_then(|vote| vote.get(place))
            };
            let possible = |vote: &&Opinion| vote.is_possible(file, least, extractor);
            let words: Vec<Option<Opinion>> =
                (0..members).map(|member| word(member).filter(possible).copied()).collect();
            let found = match challenge {
                true => vote::last_finding(&words, revealed),
                false => vote::finding(&words, revealed),
            };
            // What none of them had is asked for no more: it may not exist, and keeps what came after it from being
            // compared as long as it is before a committee.
            let had = words.iter().flatten().any(|vote| !vote.possession.is_zero());
            let stand = |(member, possible): (usize, &Option<Opinion>)| {
                vote::stand(word(member), possible.is_some(), &found)
            };
            let stands: Vec<_> = words.iter().enumerate().map(stand).collect();
            file.stands = BoundedVec::truncate_from(stands);
            file.state = match found {
                found if challenge => FileState::Word(found),
                Finding::Verdict { verdict, .. } => FileState::Judged(verdict),
                Finding::Unavailable if again && vote::lack_an_earlier_one(&words) => {
                    FileState::Over(Outcome::UndecidedAgain)
                }
                Finding::Unavailable if again && had => FileState::Over(Outcome::UnavailableAgain),
                Finding::Unavailable => FileState::Over(Outcome::Unavailable),
                Finding::Split | Finding::Undecided if again => {
                    FileState::Over(Outcome::SplitAgain)
                }
                // Only a challenge's committee says the latter.
                Finding::Split | Finding::Undecided => FileState::Over(Outcome::Split),
                Finding::NoQuorum if again => FileState::Over(Outcome::NoQuorumAgain),
                Finding::NoQuorum => FileState::Over(Outcome::NoQuorum),
            };
        }
        self.phase = Phase::Judged { until: now.saturating_add(lengths.challenge) };
        self.end_if_over();
        Ok(absent)
    }

    /// What is left to ask another committee about, as a draw of its own.
    pub fn asked_again(&self, session: Session) -> Option<Self> {
        let asked = self.purpose.asked()?.saturating_add(1);
        let again = |file: &&DrawnFile| match file.state {
            FileState::Over(outcome) => outcome.end() == super::End::Again,
            _ => false,
        };
        let files = self.files.iter().filter(again);
        let lack = |file: &DrawnFile| file.state == FileState::Over(Outcome::UndecidedAgain);
        let before =
            matches!(self.purpose, Purpose::Review { asked: 0 } | Purpose::Uncompared { .. });
        let purpose = match before && files.clone().all(lack) {
            true => Purpose::Uncompared { asked },
            false => Purpose::Review { asked },
        };
        let files = files.map(DrawnFile::anew).collect();
        Self::new(purpose, self.contributor.clone(), None, files, self.min_units, session).ok()
    }

    /// Somebody challenges a verdict: an acceptance anyone who did not say so itself, a refusal its
    /// contributor. Returns the draw that judges it, whose number is `by`.
    ///
    /// # Errors
    ///
    /// [`DrawError::WrongPhase`], [`DrawError::TooLate`], [`DrawError::NoFile`],
    /// [`DrawError::AlreadyChallenged`], [`DrawError::NotContributor`], [`DrawError::OwnVerdict`].
    pub fn challenge(
        &mut self,
        draw: DrawId,
        file: u8,
        who: &AccountId,
        now: BlockNumber,
        session: Session,
        by: DrawId,
    ) -> Result<Self, DrawError> {
        let Phase::Judged { until } = self.phase else { return Err(DrawError::WrongPhase) };
        if now > until {
            return Err(DrawError::TooLate);
        }
        let drawn = self.files.get(usize::from(file)).ok_or(DrawError::NoFile)?;
        let verdict = match drawn.state {
            FileState::Judged(verdict) => verdict,
            FileState::Challenged { .. } => return Err(DrawError::AlreadyChallenged),
            _ => return Err(DrawError::NoFile),
        };
        if matches!(verdict, Verdict::Reject(_)) && *who != self.contributor {
            return Err(DrawError::NotContributor);
        }
        let mut words = self.members.iter().zip(&drawn.stands);
        if words.any(|(one, stand)| one.account == *who && *stand == Stand::Agreed) {
            return Err(DrawError::OwnVerdict);
        }
        let other = Self::new(
            Purpose::Challenge { draw, file },
            self.contributor.clone(),
            Some(who.clone()),
            [drawn.anew()].to_vec(),
            self.min_units,
            session,
        )?;
        if let Some(file) = self.files.get_mut(usize::from(file)) {
            file.state = FileState::Challenged { verdict, by };
        }
        Ok(other)
    }

    /// Nobody challenged a verdict in time: it is final.
    ///
    /// # Errors
    ///
    /// [`DrawError::WrongPhase`], [`DrawError::TooEarly`], [`DrawError::NoFile`] of one that is over,
    /// [`DrawError::AlreadyChallenged`].
    pub fn conclude(&mut self, file: u8, now: BlockNumber) -> Result<Outcome, DrawError> {
        let Phase::Judged { until } = self.phase else { return Err(DrawError::WrongPhase) };
        if now <= until {
            return Err(DrawError::TooEarly);
        }
        let drawn = self.files.get_mut(usize::from(file)).ok_or(DrawError::NoFile)?;
        let outcome = match drawn.state {
            FileState::Judged(Verdict::Reject(_)) => Outcome::Refused,
            FileState::Judged(_) => Outcome::Accepted,
            FileState::Challenged { .. } => return Err(DrawError::AlreadyChallenged),
            _ => return Err(DrawError::NoFile),
        };
        drawn.state = FileState::Over(outcome);
        self.end_if_over();
        Ok(outcome)
    }

    /// What `other`, whose number is `by` and which is over, says of a verdict that was challenged. It is
    /// final; where it could not be drawn, the verdict stands, unless it would [count](super::GlobalPool) `beyond` its
    /// Datanet.
    ///
    /// # Errors
    ///
    /// [`DrawError::WrongPhase`] of either draw, [`DrawError::NoFile`] of one that `other` was not asked about.
    pub fn resolve(
        &mut self,
        file: u8,
        by: DrawId,
        other: &Self,
        rules: &Rules,
        beyond: bool,
    ) -> Result<Outcome, DrawError> {
        if !matches!(self.phase, Phase::Judged { .. }) || other.phase != Phase::Over {
            return Err(DrawError::WrongPhase);
        }
        let word = other.files.first().and_then(|file| match &file.state {
            FileState::Word(found) => Some(found),
            _ => None,
        });
        let drawn = self.files.get_mut(usize::from(file)).ok_or(DrawError::NoFile)?;
        let FileState::Challenged { verdict, by: asked } = drawn.state else {
            return Err(DrawError::NoFile);
        };
        if asked != by {
            return Err(DrawError::NoFile);
        }
        let refusal = matches!(verdict, Verdict::Reject(_));
        let compared = self.purpose.must_compare(rules);
        let outcome = match word {
            Some(Finding::Verdict { verdict: word, .. }) => {
                let confirmed = vote::confirms(word, &verdict, rules);
                match (refusal, confirmed, word) {
                    (true, true, _) => Outcome::RefusalUpheld,
                    (true, false, Verdict::Reject(_)) => Outcome::RefusalEased,
                    (true, false, _) => Outcome::RefusalOverturned,
                    (false, true, _) => Outcome::AcceptanceUpheld,
                    (false, false, Verdict::Accept { .. }) => Outcome::MeasuredAnew,
                    (false, false, Verdict::Reject(RejectionReason::Duplicate)) => match compared {
                        true => Outcome::CopyAccepted,
                        false => Outcome::AcceptanceCopied,
                    },
                    (false, false, _) => Outcome::AcceptanceOverturned,
                }
            }
            Some(Finding::Unavailable) if !refusal => Outcome::AcceptanceUnavailable,
            Some(Finding::Undecided) if verdict == Verdict::Reject(RejectionReason::Duplicate) => {
                Outcome::RefusalUndecided
            }
            _ if refusal => Outcome::RefusalStands,
            _ if beyond && other.members.is_empty() => Outcome::AcceptanceUnjudged,
            _ => Outcome::AcceptanceStands,
        };
        drawn.state = FileState::Over(outcome);
        self.end_if_over();
        Ok(outcome)
    }

    fn end_if_over(&mut self) {
        let over = |state: &FileState| matches!(state, FileState::Over(_) | FileState::Word(_));
        if self.files.iter().all(|file| over(&file.state)) {
            self.phase = Phase::Over;
        }
    }
}

impl DrawnFile {
    /// The file for another draw.
    fn anew(&self) -> Self {
        Self { state: FileState::Open, stands: Default::default(), ..self.clone() }
    }
}
