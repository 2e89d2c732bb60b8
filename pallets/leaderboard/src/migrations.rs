//! How the storage of earlier versions becomes today's.

use crate::{Config, Pallet, PoolFunds, Pools};
use core::marker::PhantomData;
use frame_support::{
    migrations::VersionedMigration,
    traits::{Get, UncheckedOnRuntimeUpgrade},
    weights::Weight,
};
use openledger_primitives::Funds;

/// Storage version 1 to 2: funders hold shares.
///
/// Who paid into a pool before stands in events only, so what is available is nobody's: it goes on being
/// paid for points, and `recover` gives it to the treasury once the Datanet is closed or dead. Terms stay
/// as they are; from now on they are the owner's, and a change waits. The work grows with the pools,
/// of which each Datanet has one, and for each Datanet a deposit is held.
pub type ToV2<T> =
    VersionedMigration<1, 2, GiveShares<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// The work of [`ToV2`].
pub struct GiveShares<T>(PhantomData<T>);

impl<T: Config> UncheckedOnRuntimeUpgrade for GiveShares<T> {
    fn on_runtime_upgrade() -> Weight {
        let now = Pallet::<T>::period().0;
        let mut pools = 0u64;
        for (datanet, pool) in Pools::<T>::iter() {
            pools = pools.saturating_add(1);
            if pool.total_in > 0 {
                PoolFunds::<T>::insert(datanet, Funds::unowned(pool.available, now));
            }
        }
        T::DbWeight::get().reads_writes(pools, pools)
    }
}
