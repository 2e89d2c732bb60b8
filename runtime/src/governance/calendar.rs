//! When what referenda schedule is done: at the block they ask for, or at the next one with room.
//!
//! A block's agenda has so many places, anybody who submits a referendum has its alarm put on one, and
//! pallet-referenda goes on where the scheduler refuses it a place. So whoever filled the agenda of the block
//! in which a referendum was to be carried out kept it from ever being so, and one that filled the agenda of the
//! block after an end kept its track's place taken for ever. Here alarms leave places that only enactments may
//! have, and what finds no place in a block gets one in a later block.

use crate::{BlockNumber, OriginCaller, Runtime, RuntimeCall, Scheduler, System};
use frame_support::traits::{
    schedule::{
        v3::{Anon, Named, TaskName},
        DispatchTime, Period, Priority,
    },
    Bounded,
};
use pallet_scheduler::{Agenda, TaskAddress};
use sp_runtime::DispatchError;

/// Calls that a block carries out.
pub const PLACES: u32 = 50;
/// Those of them that alarms of referenda may have; the others are for what referenda have decided.
pub const ALARMS: u32 = 40;
/// Blocks that are looked at for a place. Each that somebody fills with alarms costs it 40 OPEN of deposits, which do not
/// come back: 40,000 OPEN to have one refused.
pub const LOOKED_AT: BlockNumber = 1_000;

type Hasher = <Runtime as frame_system::Config>::Hashing;
type Call = Bounded<RuntimeCall, Hasher>;

/// [`Scheduler`], of which nobody can take all places.
pub struct Calendar;

impl Calendar {
    /// The first block from `when` on of whose places fewer than `most` are taken.
    fn with_room(when: DispatchTime<BlockNumber>, most: u32) -> DispatchTime<BlockNumber> {
        let first = when.evaluate(System::block_number());
        let found = (0..LOOKED_AT).map(|later| first.saturating_add(later)).find(|block| {
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
        let when = Self::with_room(when, ALARMS);
        <Scheduler as Anon<_, _, _>>::schedule(when, maybe_periodic, priority, origin, call)
    }

    fn cancel(address: Self::Address) -> Result<(), DispatchError> {
        <Scheduler as Anon<_, RuntimeCall, OriginCaller>>::cancel(address)
    }

    fn reschedule(
        address: Self::Address,
        when: DispatchTime<BlockNumber>,
    ) -> Result<Self::Address, DispatchError> {
        let when = Self::with_room(when, ALARMS);
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
        let when = Self::with_room(when, PLACES);
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
        let when = Self::with_room(when, PLACES);
        <Scheduler as Named<_, RuntimeCall, OriginCaller>>::reschedule_named(id, when)
    }

    fn next_dispatch_time(id: TaskName) -> Result<BlockNumber, DispatchError> {
        <Scheduler as Named<_, RuntimeCall, OriginCaller>>::next_dispatch_time(id)
    }
}
