//! Review by committees: draws, seals, what a committee says, every outcome, and where the money goes.

#[path = "committee/draws.rs"]
mod draws;
#[path = "committee/life.rs"]
mod life;
#[path = "committee/outcomes.rs"]
mod outcomes;
#[path = "committee/places.rs"]
mod places;
#[path = "committee/seats.rs"]
mod seats;
#[path = "committee/votes.rs"]
mod votes;

use openledger_primitives::{
    committee::{
        commitment, possession, settle::missed, settle::Purse, Draw, DrawnFile, FileState, Finding,
        Lengths, Opinion, Opinions, Purpose, Rules, Side, Stand, Transfer,
    },
    MediaType, RejectionReason, Score, Verdict, EXTRACTOR,
};
use sp_core::H256;
use std::collections::BTreeMap;

const CONTRIBUTOR: u64 = 1;
const CHALLENGER: u64 = 2;
/// The first of the accounts of a first, and of a larger committee.
const FIRST: u64 = 100;
const LARGER: u64 = 200;
const DRAW: u64 = 7;
const CHALLENGE: u64 = 8;
const RULES: Rules = Rules::DEFAULT;
const LENGTHS: Lengths = Lengths { commit: 10, reveal: 5, challenge: 20, enter: 1, leave: 1 };
const BYTES: &[u8] = b"the bytes of a file";

fn file(submission: u64) -> DrawnFile {
    DrawnFile {
        submission,
        sha256: [9; 32],
        media: MediaType::Txt,
        size: 1_000,
        state: FileState::Open,
        stands: Default::default(),
    }
}

fn seed_of(draw: u64) -> [u8; 32] {
    [draw as u8; 32]
}

/// What a member may do on one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// Accepts with score and units.
    Accept(u8, u64),
    Reject,
    /// With a tombstone.
    Harmful,
    /// As a duplicate.
    Copied,
    Unavailable,
    /// Has it, and lacks an earlier file to compare it with.
    Lacks,
    /// Accepts without having the file.
    Guess,
    /// Commits, and does not reveal.
    Waits,
    /// Is not heard of.
    Nothing,
}
use Says::{Accept, Copied, Guess, Harmful, Lacks, Nothing, Reject, Unavailable, Waits};

fn accept(score: u8, units: u64) -> Verdict {
    let score = Score::new(score).unwrap();
    Verdict::Accept { score, units, text_root: H256::repeat_byte(5), extractor: EXTRACTOR }
}

fn opinion(draw: u64, says: Says) -> Opinion {
    let here = possession(&seed_of(draw), BYTES);
    let (verdict, possession) = match says {
        Accept(score, units) => (accept(score, units), here),
        Reject => (Verdict::Reject(RejectionReason::LowQuality), here),
        Harmful => (Verdict::Reject(RejectionReason::Harmful), here),
        Copied => (Verdict::Reject(RejectionReason::Duplicate), here),
        Guess | Waits => (accept(70, 500), H256::repeat_byte(3)),
        Unavailable | Nothing => return Opinion::UNAVAILABLE,
        Lacks => return Opinion::undecided(here),
    };
    Opinion { verdict, possession }
}

fn opinions(draw: u64, says: Says, files: usize) -> Opinions {
    vec![opinion(draw, says); files].try_into().unwrap()
}

fn review(files: usize) -> Draw<u64> {
    draw_for(Purpose::Review { asked: 0 }, files)
}

fn draw_for(purpose: Purpose, files: usize) -> Draw<u64> {
    let files = (0..files as u64).map(file).collect();
    Draw::new(purpose, CONTRIBUTOR, None, files, 10, 0).unwrap()
}

/// Draws a committee whose members are `first`, `first + 1`, and so on.
fn begin(draw: u64, life: &mut Draw<u64>, first: u64, now: u32) {
    let members = (0..u64::from(life.wanted(&RULES))).map(|n| (first + n, 0)).collect();
    life.begin(members, seed_of(draw), EXTRACTOR, now, &RULES, &LENGTHS).unwrap();
}

/// Lets each member do what it does, on all files alike, and decides. Returns who is absent, and the block.
fn judge(draw: u64, life: &mut Draw<u64>, says: &[Says], start: u32) -> (Vec<usize>, u32) {
    let members: Vec<u64> = life.members.iter().map(|member| member.account).collect();
    assert_eq!(says.len(), members.len(), "one word a member");
    let (mut now, salt) = (start, [4; 32]);
    let all = life.files.len();
    for (who, says) in members.iter().zip(says).filter(|(_, says)| **says != Nothing) {
        let sealed = commitment(draw, &seed_of(draw), who, &opinions(draw, *says, all), &salt);
        life.commit(who, now, sealed, &LENGTHS).unwrap();
    }
    if says.contains(&Nothing) {
        now += LENGTHS.commit + 1;
        let _ = life.open_reveals(now, &LENGTHS);
    }
    let mut votes = vec![None; members.len()];
    for (place, (who, says)) in members.iter().zip(says).enumerate() {
        let words = opinions(draw, *says, all);
        if !matches!(says, Nothing | Waits) && life.reveal(draw, who, now, &words, &salt).is_ok() {
            votes[place] = Some(words);
        }
    }
    if !life.is_ready(now) {
        now += LENGTHS.reveal + 1;
    }
    (life.decide(now, &votes, &RULES, &LENGTHS).unwrap(), now)
}

/// How a committee's words on a file stand to what it found, with whole seats.
fn sides(life: &Draw<u64>, file: usize) -> Vec<Side> {
    let side = |stand: &Stand| Side { stand: *stand, held: RULES.seat, upheld: false };
    life.files[file].stands.iter().map(side).collect()
}

/// What every purse has gained; what it lost is below zero.
fn balance(transfers: &[Transfer]) -> BTreeMap<Purse, i128> {
    let mut purses = BTreeMap::new();
    for Transfer { from, to, amount } in transfers {
        assert!(*amount > 0, "nothing is no transfer");
        let amount = i128::try_from(*amount).unwrap();
        *purses.entry(*from).or_default() -= amount;
        *purses.entry(*to).or_default() += amount;
    }
    purses
}

/// Checks what is true of every settlement, and returns what every purse has gained.
#[track_caller]
fn conserved(
    transfers: &[Transfer],
    reserve: u128,
    bond: u128,
    held: impl Fn(Purse) -> u128,
) -> BTreeMap<Purse, i128> {
    let purses = balance(transfers);
    let of = |purse| purses.get(&purse).copied().unwrap_or(0);
    assert_eq!(of(Purse::Reserve), -(reserve as i128), "the whole reserve moves");
    assert_eq!(of(Purse::Bond), -(bond as i128), "the whole bond moves");
    assert_eq!(of(Purse::Pot), 0, "what was lost is handed on");
    assert_eq!(purses.values().sum::<i128>(), 0);
    for (purse, change) in &purses {
        match purse {
            Purse::Reserve | Purse::Bond => {}
            Purse::Seat(..) => {
                assert!(*change <= 0 && change.unsigned_abs() <= held(*purse), "{purse:?}");
            }
            _ => assert!(*change >= 0, "{purse:?} pays for others"),
        }
    }
    purses
}

/// What a member that is not heard of on one file loses.
fn charge() -> i128 {
    missed(1, RULES.seat, &RULES) as i128
}
