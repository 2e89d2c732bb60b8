//! How long a referendum takes, and how many must agree.
//!
//! A referendum waits for its preparation and its decision deposit, is then decided, and passes as soon as both its
//! approval (share of the votes, with conviction) and its support (share of the OPEN that may vote, without) stand
//! above the track's curves for the whole of its confirmation. The curves fall over the decision period. What passes
//! is carried out after the enactment, at the earliest.
//!
//! Support never falls below a part that somebody has to have bought: the treasury votes with nothing, and may hold
//! many times what votes. What spends take of it in a while is limited beside
//! ([`PaidInPeriod`](super::PaidInPeriod)).

use super::origins::Origin;
use crate::{parameters::GovernanceDay, Balance, BlockNumber, OriginCaller, Runtime};
use alloc::borrow::Cow;
use frame_support::traits::Get;
use openledger_primitives::OPEN;
use pallet_referenda::{Curve, Track, TrackInfo};
use sp_runtime::Perbill;

/// What is fixed about a track; its periods are in days of governance.
struct Plan {
    id: u16,
    name: &'static str,
    most_at_once: u32,
    deposit: Balance,
    days_to_decide: BlockNumber,
    /// Parts of a day of governance, in twenty-fourths.
    prepare: BlockNumber,
    confirm: BlockNumber,
    enact: BlockNumber,
    /// Per cent at the beginning and at the end of the decision period.
    approval: (u32, u32),
    support: (u32, u32),
}

/// The tracks, by their ids. A number stays what it is: referenda are stored with it.
const PLANS: [Plan; 4] = [
    Plan {
        id: 0,
        name: "root",
        // Nobody keeps others from an upgrade by holding the places with what nobody votes for: a deposit each, which
        // comes back.
        most_at_once: 20,
        deposit: 1_000 * OPEN,
        days_to_decide: 14,
        prepare: 24,
        confirm: 24,
        enact: 24,
        approval: (100, 60),
        support: (50, 20),
    },
    Plan {
        id: 1,
        name: "general_admin",
        // What undoes a slash has to be decided before the slash is applied, 6.5 days after it, though others' referenda
        // hold all places: for two days, after which the one that most agree to of those that wait has the first.
        most_at_once: 50,
        deposit: 500 * OPEN,
        days_to_decide: 2,
        prepare: 1,
        confirm: 3,
        enact: 1,
        approval: (90, 60),
        support: (50, 10),
    },
    Plan {
        id: 2,
        name: "big_spender",
        most_at_once: 10,
        deposit: 500 * OPEN,
        days_to_decide: 14,
        prepare: 24,
        confirm: 24,
        enact: 24,
        approval: (90, 50),
        support: (30, 15),
    },
    Plan {
        id: 3,
        name: "small_spender",
        most_at_once: 50,
        deposit: 50 * OPEN,
        days_to_decide: 7,
        prepare: 4,
        confirm: 12,
        enact: 4,
        approval: (80, 50),
        support: (10, 5),
    },
];

/// The tracks of this network.
pub struct Tracks;

/// A name in the room that the SDK has for it, filled up with zeros.
const fn name(text: &str) -> [u8; 25] {
    let bytes = text.as_bytes();
    let mut out = [0; 25];
    let mut at = 0;
    while at < bytes.len() && at < out.len() {
        out[at] = bytes[at];
        at += 1;
    }
    out
}

const fn falling((ceil, floor): (u32, u32)) -> Curve {
    Curve::LinearDecreasing {
        length: Perbill::from_percent(100),
        floor: Perbill::from_percent(floor),
        ceil: Perbill::from_percent(ceil),
    }
}

impl Plan {
    fn track(&self, day: BlockNumber) -> Track<u16, Balance, BlockNumber> {
        // At least a block, also where a day is a few.
        let part = |hours: BlockNumber| (day.saturating_mul(hours) / 24).max(1);
        let info = TrackInfo {
            name: name(self.name),
            max_deciding: self.most_at_once,
            decision_deposit: self.deposit,
            prepare_period: part(self.prepare),
            decision_period: day.saturating_mul(self.days_to_decide).max(1),
            confirm_period: part(self.confirm),
            min_enactment_period: part(self.enact),
            min_approval: falling(self.approval),
            min_support: falling(self.support),
        };
        Track { id: self.id, info }
    }
}

impl pallet_referenda::TracksInfo<Balance, BlockNumber> for Tracks {
    type Id = u16;
    type RuntimeOrigin = OriginCaller;

    fn tracks() -> impl Iterator<Item = Cow<'static, Track<u16, Balance, BlockNumber>>> {
        let day = GovernanceDay::<Runtime>::get();
        PLANS.iter().map(move |plan| Cow::Owned(plan.track(day)))
    }

    fn track_for(origin: &OriginCaller) -> Result<u16, ()> {
        match origin {
            OriginCaller::system(frame_system::RawOrigin::Root) => Ok(0),
            OriginCaller::Origins(Origin::GeneralAdmin) => Ok(1),
            OriginCaller::Origins(Origin::BigSpender) => Ok(2),
            OriginCaller::Origins(Origin::SmallSpender) => Ok(3),
            _ => Err(()),
        }
    }
}
