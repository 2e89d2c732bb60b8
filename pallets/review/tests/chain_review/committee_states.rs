//! Every state that a committee's review of a file can get into, by the transition functions themselves:
//! never stuck, money conserved, at most one verdict.
//!
//! All sequences of all steps by all who may take one are followed, right and wrong ones: members who commit
//! to anything, reveal, or wait; a seed that finds too few seats or an empty budget; a challenge; blocks that
//! pass. Once with three members and whatever a larger committee may say, once with one member and a larger
//! committee of three whose every step is taken. Members are alike, so those who commit do so in the order of
//! their places and words (that no order of members changes a decision is a property test of the primitives),
//! and blocks are counted from each phase's last one, so that nothing is looked at twice.

use codec::Encode;
use openledger_primitives::{
    committee::{
        commitment,
        life::Lack,
        possession, settle,
        settle::{missed, Committee, Purse},
        vote::confirms,
        Budget, Draw, DrawnFile, End, FileState, Finding, Lengths, Opinion, Opinions, Outcome,
        Phase, Progress, Purpose, Rules, Side, Stand,
    },
    MediaType, RejectionReason, Score, Verdict, EXTRACTOR,
};
use sp_core::H256;
use stateright::{Checker, Model, Property};
use std::hash::{Hash, Hasher};

const LENGTHS: Lengths = Lengths { commit: 1, reveal: 1, challenge: 1, enter: 1, leave: 1 };
const CONTRIBUTOR: u8 = 1;
const CHALLENGER: u8 = 2;
/// The first members of the first and of the larger committee.
const FIRST: u8 = 10;
const LARGER: u8 = 20;
const DRAW: u64 = 0;
const CHALLENGE: u64 = 1;
const SALT: [u8; 32] = [6; 32];
const FUNDS: u128 = 1_000;

fn rules(size: u8) -> Rules {
    Rules {
        size,
        asks: 2,
        score_tolerance: 10,
        pay: 2,
        missed: 3,
        seat: 100,
        overturned: 40,
        bond: 30,
    }
}

/// What a member commits to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode)]
enum Says {
    Accept,
    Reject,
    Unavailable,
    /// Without the file.
    Guess,
    /// With a tombstone.
    Harmful,
    /// As a copy.
    Copied,
    /// With the file, and without an earlier one to compare it with.
    Lacks,
    /// With another text root.
    AcceptOther,
}

const WORDS: [Says; 8] = [
    Says::Accept,
    Says::Reject,
    Says::Unavailable,
    Says::Guess,
    Says::Harmful,
    Says::Copied,
    Says::Lacks,
    Says::AcceptOther,
];

fn opinions(says: Says, seed: &[u8; 32]) -> Opinions {
    let accept = |root| Verdict::Accept {
        score: Score::MAX,
        units: 50,
        text_root: H256::repeat_byte(root),
        extractor: EXTRACTOR,
    };
    let here = possession(seed, b"bytes");
    let (verdict, possession) = match says {
        Says::Accept => (accept(1), here),
        Says::AcceptOther => (accept(2), here),
        Says::Reject => (Verdict::Reject(RejectionReason::OffTopic), here),
        Says::Harmful => (Verdict::Reject(RejectionReason::Harmful), here),
        Says::Copied => (Verdict::Reject(RejectionReason::Duplicate), here),
        Says::Unavailable => (Verdict::Unavailable, H256::zero()),
        Says::Lacks => (Verdict::Unavailable, here),
        Says::Guess => (accept(1), H256::repeat_byte(9)),
    };
    vec![Opinion { verdict, possession }].try_into().unwrap()
}

/// A draw with what its members committed to.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
struct Table {
    draw: Draw<u8>,
    says: Vec<Option<Says>>,
}

impl Table {
    fn new(draw: Draw<u8>) -> Self {
        Self { draw, says: Vec::new() }
    }

    fn votes(&self) -> Vec<Option<Opinions>> {
        let vote =
            |(member, says): (&openledger_primitives::committee::Member<u8>, &Option<Says>)| {
                let says = (*says)?;
                matches!(member.progress, Progress::Revealed)
                    .then(|| opinions(says, &self.draw.seed))
            };
        self.draw.members.iter().zip(&self.says).map(vote).collect()
    }
}

/// The review of one file, and where all money is.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
struct At {
    now: u32,
    first: Table,
    larger: Option<Table>,
    budget: Budget,
    /// Whether what a committee costs was set aside when the file was submitted; not so of draws from before.
    reserved: bool,
    bond: u128,
    /// What seats of the first and of the larger committee have left.
    held: [Vec<u128>; 2],
    /// Earned by members, gained by the challenger, lost to the treasury.
    earned: u128,
    challenger: u128,
    treasury: u128,
    /// Outcomes of the file, by their codes, in order.
    outcomes: Vec<u8>,
    /// Verdicts that were credited or said.
    verdicts: u8,
}

impl Hash for At {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.encode().hash(state);
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Begin,
    Lacks(Lack),
    /// Accounts that a parked draw waits for have not come.
    Expire,
    Commit(u8, Says),
    Reveal(u8),
    /// Shows something else than was committed to.
    RevealOther(u8),
    /// Shows what another member committed to.
    RevealAnothers(u8),
    OpenReveals,
    Decide,
    Conclude,
    Challenge(u8),
    /// What a larger committee says that is not played.
    Word(Option<Says>, bool),
    Resolve,
    AskAgain,
    Block,
}

struct Review {
    rules: Rules,
    /// Whether the larger committee is played.
    plays: bool,
    /// Whether the verdict counts beyond its Datanet.
    beyond: bool,
}

impl Review {
    fn total(&self) -> u128 {
        let larger = if self.plays { u128::from(self.rules.challenge_size()) } else { 0 };
        FUNDS + self.rules.seat * (u128::from(self.rules.size) + larger) + self.rules.bond
    }

    fn end(&self, at: &mut At) {
        let FileState::Over(outcome) = at.first.draw.files[0].state else { return };
        let word = at.larger.as_ref().and_then(|larger| match &larger.draw.files[0].state {
            FileState::Word(Finding::Verdict { verdict, .. }) => Some(*verdict),
            _ => None,
        });
        let sides = |table: &Table, held: &[u128]| -> Vec<Side> {
            let side =
                |(stand, held): (&Stand, &u128)| Side { stand: *stand, held: *held, upheld: false };
            table.draw.files[0].stands.iter().zip(held).map(side).collect()
        };
        let mut first = sides(&at.first, &at.held[0]);
        for (side, vote) in first.iter_mut().zip(at.first.votes()) {
            let own = vote.map(|words| words[0].verdict);
            side.upheld =
                word.zip(own).is_some_and(|(word, own)| confirms(&word, &own, &self.rules));
        }
        let larger = at.larger.as_ref().map(|one| sides(one, &at.held[1])).unwrap_or_default();
        let reserve = if at.reserved { self.rules.reserve() } else { 0 };
        let bond = if outcome.bond() == openledger_primitives::committee::Bond::None {
            0
        } else {
            at.bond
        };
        let mut pot = 0u128;
        let mut back = 0;
        for transfer in settle(outcome, &self.rules, 0, reserve, &first, &larger, bond) {
            let amount = transfer.amount;
            if matches!(outcome, Outcome::AcceptanceUnavailable | Outcome::RefusalUndecided) {
                let gains = matches!(transfer.to, Purse::Account(..) | Purse::Challenger);
                assert!(!gains || transfer.from == Purse::Bond, "somebody gains by a hidden file");
            }
            match transfer.from {
                Purse::Reserve => {}
                Purse::Bond => at.bond -= amount,
                Purse::Pot => pot -= amount,
                Purse::Seat(Committee::First, n) => {
                    let right = first[n].upheld && first[n].stand == Stand::Agreed;
                    assert!(!right, "a member loses that was right");
                    at.held[0][n] -= amount;
                }
                Purse::Seat(Committee::Larger, n) => at.held[1][n] -= amount,
                other => panic!("{other:?} pays"),
            }
            match transfer.to {
                Purse::Budget => back += amount,
                Purse::Pot => pot += amount,
                Purse::Challenger => at.challenger += amount,
                Purse::Account(..) => at.earned += amount,
                Purse::Treasury => at.treasury += amount,
                other => panic!("{other:?} is paid"),
            }
        }
        assert_eq!(pot, 0);
        // What was set aside goes on with a file that others are asked about.
        if outcome.end() != End::Again {
            at.budget.settle(reserve, reserve - back).expect("what was set aside");
        }
        at.outcomes.push(outcome.code());
        if matches!(outcome.end(), End::Leaf | End::LeafOfChallenge | End::Refusal) {
            at.verdicts += 1;
        }
    }

    /// Decides the draw of one table. Charges the absent.
    fn decide(&self, at: &mut At, larger: bool) -> Option<()> {
        let now = at.now;
        let table = if larger { at.larger.as_mut()? } else { &mut at.first };
        let votes = table.votes();
        for place in table.draw.decide(now, &votes, &self.rules, &LENGTHS).ok()? {
            let held = &mut at.held[usize::from(larger)][place];
            let lost = missed(1, *held, &self.rules);
            *held -= lost;
            at.treasury += lost;
        }
        Some(())
    }

    fn take(&self, at: &mut At, step: Step) -> Option<()> {
        let now = at.now;
        // A challenge's draw is the one that goes on while there is one.
        let larger = at.larger.is_some();
        if larger && !self.plays && !matches!(step, Step::Word(..) | Step::Block) {
            return None;
        }
        match step {
            Step::Begin => {
                let funded =
                    larger || at.reserved || at.budget.reserve(self.rules.reserve()).is_ok();
                at.reserved |= !larger && funded;
                let table = if larger { at.larger.as_mut()? } else { &mut at.first };
                let id = if larger { LARGER } else { FIRST };
                let wanted = table.draw.wanted(&self.rules);
                let members = (0..wanted).map(|n| (id + n, 0)).collect();
                funded.then_some(())?;
                let seed = [id; 32];
                table.draw.begin(members, seed, EXTRACTOR, now, &self.rules, &LENGTHS).ok()?;
                table.says = vec![None; wanted.into()];
            }
            Step::Lacks(lack) => {
                (lack != Lack::Budget || !(larger || at.reserved)).then_some(())?;
                let table = if larger { at.larger.as_mut()? } else { &mut at.first };
                let waits = table.draw.postpone(lack).ok()?;
                if !waits && !larger {
                    self.end(at);
                }
            }
            Step::Expire => {
                let table = if larger { at.larger.as_mut()? } else { &mut at.first };
                table.draw.expire().ok()?;
                if !larger {
                    self.end(at);
                }
            }
            Step::Commit(place, says) => {
                let (id, first) = if larger { (CHALLENGE, LARGER) } else { (DRAW, FIRST) };
                let table = if larger { at.larger.as_mut()? } else { &mut at.first };
                let seed = table.draw.seed;
                let who = first + place;
                if let Some(before) = usize::from(place).checked_sub(1) {
                    let before = table.says.get(before).copied().flatten()?;
                    (before as u8 <= says as u8).then_some(())?;
                }
                let sealed = commitment(id, &seed, &who, &opinions(says, &seed), &SALT);
                table.draw.commit(&who, now, sealed, &LENGTHS).ok()?;
                table.says[usize::from(place)] = Some(says);
            }
            Step::Reveal(place) | Step::RevealOther(place) | Step::RevealAnothers(place) => {
                let (id, first) = if larger { (CHALLENGE, LARGER) } else { (DRAW, FIRST) };
                let table = if larger { at.larger.as_mut()? } else { &mut at.first };
                let own = *table.says.get(usize::from(place))?;
                let says = match step {
                    Step::RevealOther(_) => WORDS.into_iter().find(|says| Some(*says) != own),
                    Step::RevealAnothers(_) => {
                        table.says.iter().flatten().find(|says| Some(**says) != own).copied()
                    }
                    _ => own,
                }?;
                let words = opinions(says, &table.draw.seed);
                table.draw.reveal(id, &(first + place), now, &words, &SALT).ok()?;
            }
            Step::OpenReveals => {
                let table = if larger { at.larger.as_mut()? } else { &mut at.first };
                table.draw.open_reveals(now, &LENGTHS).ok()?;
            }
            Step::Decide => {
                self.decide(at, larger)?;
                if !larger {
                    self.end(at);
                }
            }
            Step::Conclude => {
                at.first.draw.conclude(0, now).ok()?;
                self.end(at);
            }
            Step::Challenge(who) => {
                let other = at.first.draw.challenge(DRAW, 0, &who, now, 0, CHALLENGE).ok()?;
                at.larger = Some(Table::new(other));
                at.challenger = at.challenger.checked_sub(self.rules.bond)?;
                at.bond += self.rules.bond;
            }
            Step::Word(says, quorum) => {
                let table = at.larger.as_mut().filter(|_| !self.plays)?;
                let found = match says {
                    _ if !quorum => Some(Finding::NoQuorum),
                    Some(Says::Unavailable) => Some(Finding::Unavailable),
                    Some(Says::Lacks) => Some(Finding::Undecided),
                    Some(Says::Guess) => Some(Finding::Split),
                    Some(says) => {
                        let word = opinions(says, &[LARGER; 32])[0];
                        let (verdict, possession) = (word.verdict, word.possession);
                        Some(Finding::Verdict { verdict, possession })
                    }
                    None => None,
                };
                let file = &mut table.draw.files[0];
                if let Some(found) = found {
                    file.state = FileState::Word(found);
                }
                if let Some(Finding::Verdict { .. }) = found {
                    let all = usize::from(self.rules.challenge_size());
                    file.stands = vec![Stand::Agreed; all].try_into().unwrap();
                    at.held[1] = vec![0; all];
                }
                table.draw.phase = Phase::Over;
                let other = table.draw.clone();
                // A committee that came to nothing was drawn.
                let beyond = self.beyond && found.is_none();
                at.first.draw.resolve(0, CHALLENGE, &other, &self.rules, beyond).ok()?;
                self.end(at);
            }
            Step::Resolve => {
                let other = &at.larger.as_ref().filter(|_| self.plays)?.draw;
                at.first.draw.resolve(0, CHALLENGE, other, &self.rules, self.beyond).ok()?;
                self.end(at);
            }
            Step::AskAgain => {
                let draw = at.first.draw.asked_again(0)?;
                at.first = Table::new(draw);
            }
            Step::Block => {
                // Later than late is no other state, and a seed is not waited for in blocks.
                let draw = at.larger.as_ref().map_or(&at.first.draw, |table| &table.draw);
                (now <= draw.due()?).then_some(())?;
                at.now += 1;
            }
        }
        self.count_blocks_anew(at);
        Some(())
    }

    /// Counts blocks such that the running phase's last one is always the same.
    fn count_blocks_anew(&self, at: &mut At) {
        const LAST: u32 = 100;
        let (now, challenged) = (&mut at.now, at.larger.is_some());
        let mut count = |draw: &mut Draw<u8>, runs: bool| {
            if let Phase::Committing { by }
            | Phase::Revealing { by }
            | Phase::Judged { until: by } = &mut draw.phase
            {
                if runs {
                    *now = *now + LAST - *by;
                }
                *by = LAST;
            } else if runs {
                *now = LAST;
            }
        };
        count(&mut at.first.draw, !challenged);
        if let Some(table) = &mut at.larger {
            count(&mut table.draw, true);
        }
    }

    /// Every step that anyone may take.
    fn steps(&self) -> Vec<Step> {
        let mut steps = vec![
            Step::Begin,
            Step::OpenReveals,
            Step::Decide,
            Step::Conclude,
            Step::Resolve,
            Step::AskAgain,
            Step::Block,
        ];
        steps.extend([Lack::Seats, Lack::Accounts, Lack::Budget].map(Step::Lacks));
        steps.push(Step::Expire);
        steps.extend([CONTRIBUTOR, CHALLENGER, FIRST].map(Step::Challenge));
        steps.extend(WORDS.map(|says| Step::Word(Some(says), true)));
        steps.extend([Step::Word(None, true), Step::Word(None, false)]);
        // A text root of its own matters where a challenge is played: elsewhere it is one more split.
        let words = if self.plays { WORDS.len() } else { WORDS.len() - 1 };
        for place in 0..3 {
            steps.extend(WORDS.into_iter().take(words).map(|says| Step::Commit(place, says)));
            steps.extend([
                Step::Reveal(place),
                Step::RevealOther(place),
                Step::RevealAnothers(place),
            ]);
        }
        steps
    }

    /// The file's end where nobody but time does anything: as the agenda, or anyone's free call, serves it.
    fn left_alone(&self, at: &At) -> Option<At> {
        let mut at = at.clone();
        let serve = [
            Step::AskAgain,
            Step::Resolve,
            Step::Conclude,
            Step::Decide,
            Step::OpenReveals,
            Step::Lacks(Lack::Seats),
        ];
        for _ in 0..100 {
            if self.is_over(&at) {
                return Some(at);
            }
            let next = serve.iter().find_map(|step| {
                let mut next = at.clone();
                self.take(&mut next, *step).map(|()| next)
            });
            at = next.or_else(|| {
                let mut next = at.clone();
                // What a larger committee that is not played comes to.
                let step = if !self.plays && next.larger.is_some() {
                    Step::Word(None, true)
                } else {
                    Step::Block
                };
                self.take(&mut next, step).map(|()| next)
            })?;
        }
        None
    }

    fn is_over(&self, at: &At) -> bool {
        at.first.draw.phase == Phase::Over && at.first.draw.asked_again(0).is_none()
    }
}

fn reached<const CODE: u8>(_: &Review, at: &At) -> bool {
    at.outcomes.contains(&CODE)
}

impl Model for Review {
    type State = At;
    type Action = Step;

    fn init_states(&self) -> Vec<At> {
        let file = DrawnFile {
            submission: 5,
            sha256: [0; 32],
            media: MediaType::Txt,
            size: 100,
            state: FileState::Open,
            stands: Default::default(),
        };
        let purpose = Purpose::Review { asked: 0 };
        let draw = Draw::new(purpose, CONTRIBUTOR, None, vec![file], 1, 0).unwrap();
        let mut budget = Budget::default();
        budget.fund(FUNDS).unwrap();
        let mut set_aside = budget;
        set_aside.reserve(self.rules.reserve()).unwrap();
        let larger = if self.plays { self.rules.challenge_size().into() } else { 0 };
        let submitted = At {
            now: 100,
            first: Table::new(draw),
            larger: None,
            budget: set_aside,
            reserved: true,
            bond: 0,
            held: [vec![self.rules.seat; self.rules.size.into()], vec![self.rules.seat; larger]],
            earned: 0,
            challenger: self.rules.bond,
            treasury: 0,
            outcomes: Vec::new(),
            verdicts: 0,
        };
        let before = At { budget, reserved: false, ..submitted.clone() };
        vec![submitted, before]
    }

    fn actions(&self, _: &At, actions: &mut Vec<Step>) {
        actions.extend(self.steps());
    }

    fn next_state(&self, at: &At, step: Step) -> Option<At> {
        if self.is_over(at) {
            return None;
        }
        let mut next = at.clone();
        self.take(&mut next, step).map(|()| next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always("money is conserved", |review: &Review, at: &At| {
                let held: u128 = at.held.iter().flatten().sum();
                let out = held + at.bond + at.earned + at.challenger + at.treasury;
                at.budget.is_conserved() && out + FUNDS - at.budget.spent == review.total()
            }),
            Property::always("there is at most one verdict, and nothing after it", |_, at: &At| {
                let last = at.outcomes.last().and_then(|code| Outcome::ALL.get(usize::from(*code)));
                at.verdicts <= 1
                    && (at.verdicts == 0 || last.is_some_and(|last| last.end() != End::Again))
            }),
            Property::always("what is over holds nobody's money", |review: &Review, at: &At| {
                !review.is_over(at) || (at.bond == 0 && at.budget.reserved == 0)
            }),
            Property::always("left alone it ends", |review: &Review, at: &At| {
                review.left_alone(at).is_some_and(|end| {
                    end.bond == 0 && end.budget.reserved == 0 && end.budget.is_conserved()
                })
            }),
            Property::always("what is shown is what was committed to", |_, at: &At| {
                let shown = |table: &Table| {
                    table.draw.members.iter().zip(&table.says).all(|(member, says)| {
                        (member.progress == Progress::Drawn) == says.is_none()
                    })
                };
                shown(&at.first) && at.larger.as_ref().is_none_or(shown)
            }),
        ];
        if !self.plays {
            properties.extend([
                Property::sometimes("accepted", reached::<0>),
                Property::sometimes("refused", reached::<1>),
                Property::sometimes("unavailable-again", reached::<2>),
                Property::sometimes("undecided-again", reached::<23>),
                Property::sometimes("unavailable", reached::<3>),
                Property::sometimes("split-again", reached::<4>),
                Property::sometimes("split", reached::<5>),
                Property::sometimes("no-quorum-again", reached::<6>),
                Property::sometimes("no-quorum", reached::<7>),
                Property::sometimes("too-few-seats", reached::<8>),
                Property::sometimes("empty-budget", reached::<9>),
            ]);
        }
        properties.extend([
            Property::sometimes("acceptance-upheld", reached::<10>),
            Property::sometimes("acceptance-overturned", reached::<11>),
            Property::sometimes("measured-anew", reached::<12>),
            Property::sometimes("acceptance-unavailable", reached::<13>),
            Property::sometimes("acceptance-stands", reached::<14>),
            Property::sometimes("refusal-upheld", reached::<15>),
            Property::sometimes("refusal-overturned", reached::<16>),
            Property::sometimes("refusal-stands", reached::<17>),
            Property::sometimes("refusal-eased", reached::<18>),
            Property::sometimes("acceptance-copied", reached::<19>),
            Property::sometimes("refusal-undecided", reached::<21>),
            Property::sometimes("copy-accepted", reached::<22>),
        ]);
        properties.push(Property::always(
            "only the last committee accepts a copy for its pay alone",
            |_, at: &At| {
                let copied = at.outcomes.last() == Some(&Outcome::AcceptanceCopied.code());
                !copied || at.first.draw.purpose == Purpose::Uncompared { asked: 1 }
            },
        ));
        if self.beyond {
            properties.push(Property::sometimes("acceptance-unjudged", reached::<20>));
        }
        properties
    }
}

/// Explores everything, and says how much that was.
fn explore(review: Review, least: usize) {
    let checker = review.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    let states = checker.unique_state_count();
    println!("{states} states, {} steps deep", checker.max_depth());
    assert!(states >= least, "{states} states are not all there are");
}

#[test]
fn a_committee_of_three_is_never_stuck_conserves_money_and_says_one_verdict() {
    explore(Review { rules: rules(3), plays: false, beyond: true }, 1_000);
}

#[test]
fn a_challenge_whose_committee_is_played_is_never_stuck_and_conserves_money() {
    explore(Review { rules: rules(1), plays: true, beyond: true }, 1_000);
}

#[test]
fn a_verdict_that_counts_in_its_datanet_alone_is_never_stuck_either() {
    explore(Review { rules: rules(1), plays: true, beyond: false }, 1_000);
}
