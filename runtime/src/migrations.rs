//! What an upgrade to this runtime changes in storage.
//!
//! Each migration looks at its pallet's storage version, so that it runs once and a chain may skip
//! releases. A migration stays here for as long as a network exists that has not passed it.
//!
//! | to spec version | what |
//! |---|---|
//! | 101 | votes name their extractor: [`pallet_review::migrations::ToV2`] |
//! | 102 | nothing: jobs' parents stand in a map of their own, which is empty |
//! | 103 | pools have shares, nobody's at first: [`pallet_leaderboard::migrations::ToV2`] |
//! | 103 | lists of waiting and settled files: [`pallet_datanets::migrations::ToV2`] |
//! | 103 | jobs offer a price a token, workers opt in: [`pallet_training::migrations::ToV2`] |
//! | 103 | nothing: seats, draws, review budgets, admissions and global points stand in maps of their own, empty |
//! | 104 | which leaf was revoked first decides nothing: [`pallet_datanets::migrations::ToV3`] |
//! | 104 | nothing: the blocks of jobs stand in a map of their own, which is empty |
//! | 104 | a day of governance as long as the chain's other lengths: [`DayOfGovernance`] |

use crate::{parameters, Runtime};
use frame_support::{traits::OnRuntimeUpgrade, weights::Weight};

/// Run in this order when the runtime is replaced.
pub type SingleBlock = (
    pallet_review::migrations::ToV2<crate::Runtime>,
    pallet_leaderboard::migrations::ToV2<crate::Runtime>,
    pallet_datanets::migrations::ToV2<crate::Runtime>,
    pallet_datanets::migrations::ToV3<crate::Runtime>,
    pallet_training::migrations::ToV2<crate::Runtime>,
    DayOfGovernance,
);

/// Gives a chain that began without governance the day that a new one of its kind begins with.
pub struct DayOfGovernance;

impl OnRuntimeUpgrade for DayOfGovernance {
    fn on_runtime_upgrade() -> Weight {
        let weights = <Runtime as frame_system::Config>::DbWeight::get();
        if parameters::DayOfGovernance::<Runtime>::exists() {
            return weights.reads(1);
        }
        let watched = parameters::is_watched::<Runtime>();
        parameters::DayOfGovernance::<Runtime>::put(if watched {
            parameters::WATCHED_DAY
        } else {
            crate::DAY
        });
        weights.reads_writes(2, 1)
    }
}
