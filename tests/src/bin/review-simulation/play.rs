//! Calls of files from their submission to the last challenge, by the chain's own functions.

use crate::{
    open,
    world::{Dice, File, Strategy, World, DOWN, FILES, SEATS},
};
use openledger_primitives::{
    committee::{
        commitment, draw_seed, pick, settle,
        settle::{missed, Committee, Purse},
        vote::confirms,
        Draw, DrawId, DrawnFile, End, FileState, Finding, Lengths, Opinions, Outcome, Phase,
        Purpose, Rules, Side,
    },
    MediaType, Verdict, EXTRACTOR,
};

/// What a side got.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Purses {
    /// OPEN earned less what was lost and spent.
    pub(crate) earned: f64,
    /// Files that its members were drawn for.
    pub(crate) judged: u64,
    /// Bad files of its own that passed.
    pub(crate) passed: u64,
}

impl Purses {
    /// OPEN a member and file, where a bad file that passes brings `gain`.
    pub(crate) fn each(&self, gain: f64) -> f64 {
        (self.earned + gain * self.passed as f64) / self.judged.max(1) as f64
    }
}

/// What came of all calls.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Played {
    /// Bad files that became leaves, of all.
    pub(crate) bad: (u64, u64),
    /// Good files that did not, of all.
    pub(crate) good: (u64, u64),
    pub(crate) honest: Purses,
    pub(crate) others: Purses,
}

/// Who gave the files, and who challenges: accounts without seats.
const CONTRIBUTOR: u64 = 1 << 40;
const CHALLENGER: u64 = CONTRIBUTOR + 1;
const LENGTHS: Lengths = Lengths::DEFAULT;

/// A committee's work that is decided.
struct Judged {
    draw: Draw<u64>,
    votes: Vec<Option<Opinions>>,
    now: u32,
}

struct Game<'a> {
    world: &'a World,
    rules: &'a Rules,
    dice: Dice,
    next: DrawId,
    played: Played,
}

pub(crate) fn play(world: &World, rules: &Rules) -> Played {
    // Every strategy plays the same files and the same draws.
    let dice = Dice(world.seed);
    let mut game = Game { world, rules, dice, next: 0, played: Played::default() };
    for _ in 0..world.calls {
        game.call();
    }
    game.played
}

impl Game<'_> {
    fn purses(&mut self, account: u64) -> &mut Purses {
        if self.world.is_other(account) {
            &mut self.played.others
        } else {
            &mut self.played.honest
        }
    }

    fn gain(&mut self, account: u64, plancks: i128) {
        self.purses(account).earned += open(plancks);
    }

    /// One call, asked about until every file is over.
    fn call(&mut self) {
        let files: Vec<File> = (0..FILES)
            .map(|_| File { bytes: self.dice.bytes(), bad: self.dice.percent(self.world.bad) })
            .collect();
        let drawn = (0..FILES as u64).map(|submission| DrawnFile {
            submission,
            sha256: [0; 32],
            media: MediaType::Txt,
            size: 10_000,
            state: FileState::Open,
            stands: Default::default(),
        });
        let last = self.rules.asks.saturating_sub(1);
        let late = self.world.strategy == Strategy::CopyingLate;
        let purpose = Purpose::Review { asked: if late { last } else { 0 } };
        let mut next = Draw::new(purpose, CONTRIBUTOR, None, drawn.collect(), 1, 0).ok();
        while let Some(draw) = next.take() {
            let id = self.number();
            let Some(mut judged) = self.judge(id, draw, &files, &[]) else { return };
            for place in 0..judged.draw.files.len() {
                let file = files[judged.draw.files[place].submission as usize];
                self.end(id, &mut judged, place, &file);
            }
            assert_eq!(judged.draw.phase, Phase::Over, "nothing is left over");
            next = judged.draw.asked_again(0);
        }
    }

    fn number(&mut self) -> DrawId {
        self.next += 1;
        self.next
    }

    /// Draws a committee, lets it commit and reveal, and decides. `None` if the pool is too small.
    fn judge(
        &mut self,
        id: DrawId,
        mut draw: Draw<u64>,
        files: &[File],
        barred: &[u64],
    ) -> Option<Judged> {
        let (world, rules) = (self.world, self.rules);
        let purpose = draw.purpose;
        let seed = draw_seed(&self.dice.bytes(), id);
        let owner = |seat| Some(u64::from(seat));
        let picked = pick(&seed, draw.wanted(rules), SEATS, owner, |who| barred.contains(who));
        let members: Vec<_> = picked.accounts.iter().map(|account| (*account, 0)).collect();
        draw.begin(members, seed, EXTRACTOR, 0, rules, &LENGTHS).ok()?;
        let shown: Vec<File> =
            draw.files.iter().map(|file| files[file.submission as usize]).collect();

        // Everybody who has something to say commits to it, with a salt of its own.
        let mut words = Vec::new();
        for account in &picked.accounts {
            let mut said = Vec::new();
            let mut cost = 0;
            for file in &shown {
                let (opinion, spent) =
                    world.opinion(*account, file, &seed, (&purpose, rules), &mut self.dice);
                said.push(opinion);
                cost += spent;
            }
            let said: Opinions = said.try_into().ok()?;
            let salt: [u8; 32] = self.dice.bytes();
            let down = !world.is_other(*account) && self.dice.below(1_000) < DOWN;
            let copies = world.is_other(*account)
                && matches!(world.strategy, Strategy::CopyingSeals | Strategy::CopyingReveals);
            self.purses(*account).judged += shown.len() as u64;
            self.gain(*account, if copies || down { 0 } else { -cost });
            words.push((*account, said, salt, down, copies));
        }
        // What a copier can see is a commitment, of which it knows neither words nor salt.
        let mut copied = None;
        for (account, said, salt, down, copies) in &words {
            if !*down && !*copies {
                let sealed = commitment(id, &seed, account, said, salt);
                draw.commit(account, 1, sealed, &LENGTHS).ok()?;
                copied = Some((said.clone(), *salt, sealed));
            }
        }
        if let (Strategy::CopyingSeals, Some((_, _, sealed))) = (world.strategy, &copied) {
            for (account, ..) in words.iter().filter(|(.., copies)| *copies) {
                draw.commit(account, 2, *sealed, &LENGTHS).ok()?;
            }
        }
        let mut now = 2;
        if let Phase::Committing { by } = draw.phase {
            now = by + 1;
            let _ = draw.open_reveals(now, &LENGTHS);
        }
        let mut votes = vec![None; words.len()];
        for (place, (account, said, salt, down, copies)) in words.iter().enumerate() {
            if !*down && !*copies && draw.reveal(id, account, now, said, salt).is_ok() {
                votes[place] = Some(said.clone());
            }
        }
        // Copiers show what they saw; only now could they commit to it.
        if let Some((said, salt, _)) = &copied {
            for (place, (account, ..)) in
                words.iter().enumerate().filter(|(_, (.., copies))| *copies)
            {
                let sealed = commitment(id, &seed, account, said, salt);
                let _ = draw.commit(account, now, sealed, &LENGTHS);
                if draw.reveal(id, account, now, said, salt).is_ok() {
                    votes[place] = Some(said.clone());
                }
            }
        }
        if !draw.is_ready(now) {
            now = draw.due()? + 1;
        }
        for place in draw.decide(now, &votes, rules, &LENGTHS).ok()? {
            let lost = missed(shown.len(), rules.seat, rules);
            self.gain(draw.members[place].account, -(lost as i128));
        }
        Some(Judged { draw, votes, now })
    }

    /// Sees one file of a decided draw to its end, with a challenge where somebody brings one.
    fn end(&mut self, id: DrawId, judged: &mut Judged, place: usize, file: &File) {
        let mut larger = None;
        if let FileState::Judged(verdict) = judged.draw.files[place].state {
            let accepts = matches!(verdict, Verdict::Accept { .. });
            let wrong = accepts == file.bad;
            let own = self.world.strategy == Strategy::ColludingInCourt && file.bad && !accepts;
            let watched = self.world.strategy == Strategy::CopyingWatched && file.bad && accepts;
            if own || watched || (wrong && self.dice.percent(self.world.challenged)) {
                larger = self.challenge(id, judged, place, file, own);
            } else {
                let _ = judged.draw.conclude(place as u8, judged.now + LENGTHS.challenge + 1);
            }
        }
        let FileState::Over(outcome) = judged.draw.files[place].state else {
            panic!("a file is left over");
        };
        let first: Vec<_> = judged.draw.members.iter().map(|member| member.account).collect();
        let word = larger.as_ref().and_then(|(word, _)| match &word.draw.files[0].state {
            FileState::Word(Finding::Verdict { verdict, .. }) => Some(*verdict),
            _ => None,
        });
        let sides = self.sides(judged, place, word.as_ref());
        let (accounts, larger, challenger) = match &larger {
            Some((word, own)) => (
                word.draw.members.iter().map(|member| member.account).collect(),
                self.sides(word, 0, None),
                Some(*own),
            ),
            None => (Vec::new(), Vec::new(), None),
        };
        let bond = if challenger.is_some() { self.rules.bond } else { 0 };
        let reserve = self.rules.reserve();
        for transfer in settle(outcome, self.rules, 0, reserve, &sides, &larger, bond) {
            let amount = transfer.amount as i128;
            for (purse, change) in [(transfer.from, -amount), (transfer.to, amount)] {
                match purse {
                    Purse::Account(Committee::First, n) | Purse::Seat(Committee::First, n) => {
                        self.gain(first[n], change);
                    }
                    Purse::Account(Committee::Larger, n) | Purse::Seat(Committee::Larger, n) => {
                        self.gain(accounts[n], change);
                    }
                    // A stranger who challenges is on nobody's side.
                    Purse::Bond | Purse::Challenger if challenger == Some(true) => {
                        self.played.others.earned += open(change);
                    }
                    _ => {}
                }
            }
        }
        self.count(outcome, file);
    }

    /// The larger committee's work on one file, and whether those who gave it brought the challenge.
    fn challenge(
        &mut self,
        id: DrawId,
        judged: &mut Judged,
        place: usize,
        file: &File,
        own: bool,
    ) -> Option<(Judged, bool)> {
        let by = self.number();
        let state = &judged.draw.files[place].state;
        let refusal = matches!(state, FileState::Judged(Verdict::Reject(_)));
        let who = if refusal { CONTRIBUTOR } else { CHALLENGER };
        let mut other = judged.draw.challenge(id, place as u8, &who, judged.now, 0, by).ok()?;
        if let Some(only) = other.files.get_mut(0) {
            only.submission = 0;
        }
        let barred: Vec<_> = judged.draw.members.iter().map(|member| member.account).collect();
        let word = self.judge(by, other, &[*file], &barred)?;
        judged.draw.resolve(place as u8, by, &word.draw, self.rules, true).ok()?;
        Some((word, own))
    }

    fn sides(&self, judged: &Judged, place: usize, word: Option<&Verdict>) -> Vec<Side> {
        let held = self.rules.seat;
        let stands = judged.draw.files[place].stands.iter().zip(&judged.votes);
        let upheld = |vote: &Option<Opinions>| {
            let own = vote.as_ref().and_then(|words| words.get(place));
            word.zip(own).is_some_and(|(word, own)| confirms(word, &own.verdict, self.rules))
        };
        stands.map(|(stand, vote)| Side { stand: *stand, held, upheld: upheld(vote) }).collect()
    }

    fn count(&mut self, outcome: Outcome, file: &File) {
        let leaf = match outcome.end() {
            End::Again => return,
            End::Leaf | End::LeafOfChallenge => true,
            End::Refusal | End::Nothing => false,
        };
        let (some, all) = if file.bad { &mut self.played.bad } else { &mut self.played.good };
        *all += 1;
        *some += u64::from(leaf == file.bad);
        if file.bad && leaf && self.world.strategy.gains() {
            self.played.others.passed += 1;
        }
    }
}
