//! Who judges, and how.

use openledger_primitives::{
    committee::{possession, Opinion, Purpose, Rules, Seed},
    RejectionReason, Score, Verdict, EXTRACTOR, MILLI_OPEN,
};
use sp_core::H256;

/// Accounts with a seat each.
pub(crate) const SEATS: u32 = 1_000;
/// Files of a call.
pub(crate) const FILES: usize = 5;
/// Plancks that fetching and measuring a file costs.
pub(crate) const FETCHING: i128 = 5 * MILLI_OPEN as i128;
/// Plancks that judging a file costs.
pub(crate) const JUDGING: i128 = 15 * MILLI_OPEN as i128;
/// Of a thousand calls, those in which an honest member is down between draw and reveal.
pub(crate) const DOWN: u64 = 10;

/// What those do who are not honest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// The same as the others.
    Honest,
    /// Accepts everything, and fetches nothing.
    Lazy,
    /// Fetches and measures, and accepts everything.
    Stamping,
    /// Commits what another member committed, and shows what that one shows.
    CopyingSeals,
    /// Waits with its commitment until it has seen others reveal.
    CopyingReveals,
    /// Passes bad files of its own; judges the others honestly.
    Colluding,
    /// The same, and challenges refusals of its bad files.
    ColludingInCourt,
    /// The same as [`Colluding`](Self::Colluding), and shows its bad files only to each other.
    Hiding,
    /// The same as [`Hiding`](Self::Hiding), and shows them to half of a challenge's committee, so that neither those who
    /// refuse them nor those without them are a majority.
    HidingInPart,
    /// The same as [`Colluding`](Self::Colluding), with files of its own that are copies of earlier ones.
    Copying,
    /// The same, while somebody runs `openledger review watch`, which challenges every copy that passes.
    CopyingWatched,
    /// Copies of files that are hidden from all others until the last committee that is asked, which judges without them,
    /// and found by the larger committee of a challenge.
    CopyingHidden,
    /// Copies that are themselves hidden from every committee but the last.
    CopyingLate,
    /// Says the opposite of what is right, on every file.
    Opposing,
}

impl Strategy {
    pub(crate) const ALL: [Self; 14] = [
        Self::Honest,
        Self::Lazy,
        Self::Stamping,
        Self::CopyingSeals,
        Self::CopyingReveals,
        Self::Colluding,
        Self::ColludingInCourt,
        Self::Hiding,
        Self::HidingInPart,
        Self::Copying,
        Self::CopyingWatched,
        Self::CopyingHidden,
        Self::CopyingLate,
        Self::Opposing,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Honest => "honest",
            Self::Lazy => "lazy: accepts without the file",
            Self::Stamping => "stamping: fetches, accepts all",
            Self::CopyingSeals => "copying commitments",
            Self::CopyingReveals => "copying reveals",
            Self::Colluding => "colluding for bad files of its own",
            Self::ColludingInCourt => "the same, and challenging refusals",
            Self::Hiding => "the same, hiding the files from others",
            Self::HidingInPart => "hiding them from half of a challenge's committee",
            Self::Copying => "the same, with copies of earlier files",
            Self::CopyingWatched => "the same, while every copy is challenged",
            Self::CopyingHidden => "hiding the earlier files until the last committee",
            Self::CopyingLate => "showing the copies to the last committee alone",
            Self::Opposing => "opposing: says the opposite",
        }
    }

    /// Whether bad files are its own, so that it gains by each that passes.
    pub(crate) const fn gains(self) -> bool {
        self.colludes()
    }

    /// Whether it accepts bad files of its own, and judges the others as the honest do.
    const fn colludes(self) -> bool {
        let openly = matches!(self, Self::Colluding | Self::ColludingInCourt);
        openly || matches!(self, Self::Hiding | Self::HidingInPart) || self.copies()
    }

    /// Whether bad files are copies of earlier ones.
    pub(crate) const fn copies(self) -> bool {
        matches!(
            self,
            Self::Copying | Self::CopyingWatched | Self::CopyingHidden | Self::CopyingLate
        )
    }

    /// Whether its bad files pass by what their contributor does, whoever has seats.
    pub(crate) const fn needs_no_seats(self) -> bool {
        matches!(self, Self::CopyingHidden)
    }
}

/// What is played.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    /// Percent of the seats that follow the strategy.
    pub(crate) share: u8,
    pub(crate) strategy: Strategy,
    pub(crate) calls: u32,
    /// Percent of wrong verdicts that are challenged.
    pub(crate) challenged: u8,
    /// Percent of files that are bad.
    pub(crate) bad: u8,
    /// Percent of files that honest members misjudge.
    pub(crate) errors: u8,
    pub(crate) seed: u64,
}

/// A file as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct File {
    pub(crate) bytes: [u8; 16],
    pub(crate) bad: bool,
}

/// Numbers that look random and are the same for the same seed: splitmix64.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(crate) fn percent(&mut self, chance: u8) -> bool {
        self.below(100) < chance.into()
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next() as u8)
    }
}

impl World {
    /// Whether an account follows the strategy.
    pub(crate) fn is_other(&self, account: u64) -> bool {
        self.strategy != Strategy::Honest
            && account < u64::from(SEATS) * u64::from(self.share) / 100
    }

    /// What a member says of a file, and what it did for that.
    pub(crate) fn opinion(
        &self,
        account: u64,
        file: &File,
        seed: &Seed,
        (purpose, rules): (&Purpose, &Rules),
        dice: &mut Dice,
    ) -> (Opinion, i128) {
        let challenge = matches!(purpose, Purpose::Challenge { .. });
        let shown = possession(seed, &file.bytes);
        let says = |accepts: bool, dice: &mut Dice| {
            let score = Score::new((60 + dice.below(21)) as u8).unwrap_or(Score::MAX);
            let units = u64::from(file.bytes[0]) + 100;
            let text_root = H256::repeat_byte(file.bytes[1] | 1);
            if accepts {
                Verdict::Accept { score, units, text_root, extractor: EXTRACTOR }
            } else if self.strategy.copies() && file.bad {
                Verdict::Reject(RejectionReason::Duplicate)
            } else {
                Verdict::Reject(RejectionReason::LowQuality)
            }
        };
        let others = self.is_other(account);
        let hidden = match self.strategy {
            Strategy::Hiding => true,
            Strategy::HidingInPart => !challenge || dice.percent(50),
            _ => false,
        };
        if hidden && file.bad && !others {
            return (Opinion::UNAVAILABLE, FETCHING);
        }
        // While another committee is left to ask, nobody says more of a copy whose original is hidden; the last one takes it
        // for a good file.
        let unseen = self.strategy == Strategy::CopyingHidden && file.bad && !challenge;
        if unseen && purpose.must_compare(rules) {
            return (Opinion::undecided(shown), FETCHING);
        }
        let honest = (file.bad && !unseen) == dice.percent(self.errors);
        let (verdict, possession, cost) = match self.strategy {
            Strategy::Lazy if others => (says(true, dice), H256(dice.bytes()), 0),
            Strategy::Stamping if others => (says(true, dice), shown, FETCHING),
            strategy if strategy.colludes() && others && file.bad => {
                (says(true, dice), shown, FETCHING)
            }
            Strategy::Opposing if others => (says(!honest, dice), shown, FETCHING + JUDGING),
            _ => (says(honest, dice), shown, FETCHING + JUDGING),
        };
        (Opinion { verdict, possession }, cost)
    }
}
