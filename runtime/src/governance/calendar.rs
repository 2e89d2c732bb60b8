//! When what referenda schedule is done: at the block they ask for, or at the next one with room.
//!
//! A block's agenda has so many places, anybody who submits a referendum has its alarm put on one, and
//! pallet-referenda goes on where the scheduler refuses it a place. So whoever filled the agenda of the block
//! in which a referendum was to be carried out kept it from ever being so, and one that filled the agenda of the
//! block after an end kept its track's place taken for ever. Here alarms leave places that only enactments may
//! have, and what finds no place in a block gets one in a later block.

use crate::{BlockNumber, OriginCaller, Runtime, RuntimeCall, Scheduler, System};
use codec::Encode;
use frame_support::{
    traits::{
        schedule::{
            v3::{Anon, Named, TaskName},
            DispatchTime, Period, Priority,
        },
        Bounded,
    },
    weights::{constants::RocksDbWeight, Weight},
};
use pallet_scheduler::{Agenda, TaskAddress};
use sp_runtime::{traits::Hash as _, DispatchError};

/// Calls that a block carries out.
pub const PLACES: u32 = 50;
/// Those of them that alarms of referenda may have; the others are for what referenda have decided.
pub const ALARMS: u32 = 40;
/// Blocks after the one that is asked for at which room is looked for first.
const NEAR: BlockNumber = 4;
/// Blocks beyond, chosen by chance within 8, 8, 16, 16, … 1,024, 1,024: looking at each of a thousand cost more than
/// who filled them paid for. Nobody knows beforehand which they are, so that it takes most of the thousand to have one
/// refused; each that somebody fills with alarms costs it 40 OPEN of deposits, which do not come back.
const FAR: usize = 16;
/// All that are looked at.
const LOOKS: u64 = NEAR as u64 + FAR as u64;

type Hasher = <Runtime as frame_system::Config>::Hashing;
type Call = Bounded<RuntimeCall, Hasher>;

/// [`Scheduler`], of which nobody can take all places.
pub struct Calendar;

impl Calendar {
    /// A block from `when` on of whose places fewer than `most` are taken. `what` is scheduled: what is scheduled in one
    /// block does not look for room at the same places.
    fn with_room(
        when: DispatchTime<BlockNumber>,
        most: u32,
        what: impl Encode,
    ) -> DispatchTime<BlockNumber> {
        let first = when.evaluate(System::block_number());
        let chance = Hasher::hash_of(&(System::parent_hash(), what));
        let far = chance.as_ref().chunks_exact(2).take(FAR).zip(0u32..).map(|(pair, number)| {
            let chance = pair.iter().fold(0, |sum, byte| sum << 8 | BlockNumber::from(*byte));
            NEAR.saturating_add(chance % (8 << (number / 2)))
        });
        let found = (0..NEAR).chain(far).map(|later| first.saturating_add(later)).find(|block| {
            // Places that are free again in the middle are not looked for.
            let taken = Agenda::<Runtime>::decode_len(block).unwrap_or(0);
            u32::try_from(taken).is_ok_and(|taken| taken < most)
        });
        DispatchTime::At(found.unwrap_or(first))
    }
}

impl Anon<BlockNumber, RuntimeCall, OriginCaller> for Calendar {
    type Address = TaskAddress<BlockNumber>;
    type Hasher = Hasher;

    fn schedule(
        when: DispatchTime<BlockNumber>,
        maybe_periodic: Option<Period<BlockNumber>>,
        priority: Priority,
        origin: OriginCaller,
        call: Call,
    ) -> Result<Self::Address, DispatchError> {
        let when = Self::with_room(when, ALARMS, &call);
        <Scheduler as Anon<_, _, _>>::schedule(when, maybe_periodic, priority, origin, call)
    }

    fn cancel(address: Self::Address) -> Result<(), DispatchError> {
        <Scheduler as Anon<_, RuntimeCall, OriginCaller>>::cancel(address)
    }

    fn reschedule(
        address: Self::Address,
        when: DispatchTime<BlockNumber>,
    ) -> Result<Self::Address, DispatchError> {
        let when = Self::with_room(when, ALARMS, address);
        <Scheduler as Anon<_, RuntimeCall, OriginCaller>>::reschedule(address, when)
    }

    fn next_dispatch_time(address: Self::Address) -> Result<BlockNumber, DispatchError> {
        <Scheduler as Anon<_, RuntimeCall, OriginCaller>>::next_dispatch_time(address)
    }
}

impl Named<BlockNumber, RuntimeCall, OriginCaller> for Calendar {
    type Address = TaskAddress<BlockNumber>;
    type Hasher = Hasher;

    fn schedule_named(
        id: TaskName,
        when: DispatchTime<BlockNumber>,
        maybe_periodic: Option<Period<BlockNumber>>,
        priority: Priority,
        origin: OriginCaller,
        call: Call,
    ) -> Result<Self::Address, DispatchError> {
        let when = Self::with_room(when, PLACES, id);
        <Scheduler as Named<_, _, _>>::schedule_named(
            id,
            when,
            maybe_periodic,
            priority,
            origin,
            call,
        )
    }

    fn cancel_named(id: TaskName) -> Result<(), DispatchError> {
        <Scheduler as Named<_, RuntimeCall, OriginCaller>>::cancel_named(id)
    }

    fn reschedule_named(
        id: TaskName,
        when: DispatchTime<BlockNumber>,
    ) -> Result<Self::Address, DispatchError> {
        let when = Self::with_room(when, PLACES, id);
        <Scheduler as Named<_, RuntimeCall, OriginCaller>>::reschedule_named(id, when)
    }

    fn next_dispatch_time(id: TaskName) -> Result<BlockNumber, DispatchError> {
        <Scheduler as Named<_, RuntimeCall, OriginCaller>>::next_dispatch_time(id)
    }
}

/// What calls of referenda weigh: as the pallet measured them, and looking for room.
pub struct Weights;

macro_rules! looking_for_room {
    ($($call:ident)*) => {
        impl pallet_referenda::WeightInfo for Weights {
            $(fn $call() -> Weight {
                let looks = RocksDbWeight::get().reads(LOOKS);
                pallet_referenda::weights::SubstrateWeight::<Runtime>::$call().saturating_add(looks)
            })*
        }
    };
}

looking_for_room! {
    submit
    place_decision_deposit_preparing
    place_decision_deposit_queued
    place_decision_deposit_not_queued
    place_decision_deposit_passing
    place_decision_deposit_failing
    refund_decision_deposit
    refund_submission_deposit
    cancel
    kill
    one_fewer_deciding_queue_empty
    one_fewer_deciding_failing
    one_fewer_deciding_passing
    nudge_referendum_requeued_insertion
    nudge_referendum_requeued_slide
    nudge_referendum_queued
    nudge_referendum_not_queued
    nudge_referendum_no_deposit
    nudge_referendum_preparing
    nudge_referendum_timed_out
    nudge_referendum_begin_deciding_failing
    nudge_referendum_begin_deciding_passing
    nudge_referendum_begin_confirming
    nudge_referendum_end_confirming
    nudge_referendum_continue_not_confirming
    nudge_referendum_continue_confirming
    nudge_referendum_approved
    nudge_referendum_rejected
    set_some_metadata
    clear_metadata
}
