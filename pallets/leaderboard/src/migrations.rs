//! How the storage of earlier versions becomes today's.

use crate::{Config, Exits, FunderShares, Pallet, PoolFunds, Pools};
use alloc::collections::BTreeMap;
use codec::{Decode, Encode};
use core::marker::PhantomData;
use frame_support::{
    migrations::VersionedMigration,
    traits::{Get, UncheckedOnRuntimeUpgrade},
    weights::Weight,
};
use openledger_primitives::{Balance, DatanetId, Exit, Funds, Period, Share, Shares};

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

/// Storage version 2 to 3: shares may be counted in larger ones, and it is known how many funders leave.
///
/// Everybody's shares stay as they are, at scale 0. The work grows with the funders, each of whom paid
/// at least the least payment in.
pub type ToV3<T> =
    VersionedMigration<2, 3, ScaleShares<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// The work of [`ToV3`].
pub struct ScaleShares<T>(PhantomData<T>);

/// What funders own of a pool, as version 2 stored it.
#[derive(Clone, Copy, Debug, Default, Encode, Decode)]
#[allow(missing_docs)]
pub struct FundsV2 {
    pub shares: Shares,
    pub unowned: Shares,
    pub leaving: Shares,
    pub batch: u32,
    pub generation: u32,
    pub returning: Balance,
    pub returned: Balance,
    pub active: Period,
}

/// What one funder owns of a pool, as version 2 stored it.
#[derive(Clone, Copy, Debug, Default, Encode, Decode)]
#[allow(missing_docs)]
pub struct ShareV2 {
    pub generation: u32,
    pub shares: Shares,
    pub leaving: Shares,
    pub batch: u32,
    pub due: Balance,
}

/// What left together, as version 2 stored it.
#[derive(Clone, Copy, Debug, Default, Encode, Decode)]
#[allow(missing_docs)]
pub struct ExitV2 {
    pub shares: Shares,
    pub amount: Balance,
}

impl<T: Config> UncheckedOnRuntimeUpgrade for ScaleShares<T> {
    fn on_runtime_upgrade() -> Weight {
        let mut touched = 0u64;
        let mut leavers = BTreeMap::<(DatanetId, u32), u32>::new();
        FunderShares::<T>::translate::<ShareV2, _>(|datanet, _, old| {
            touched = touched.saturating_add(1);
            let ShareV2 { generation, shares, leaving, batch, due } = old;
            if leaving > 0 {
                let count = leavers.entry((datanet, batch)).or_default();
                *count = count.saturating_add(1);
            }
            Some(Share { generation, shares, leaving, batch, due, scale: 0 })
        });
        let of = |datanet, batch| leavers.get(&(datanet, batch)).copied().unwrap_or(0);
        // The step before this one, where it ran just now, has written today's words: what is added to those of
        // before stands behind them, so that they are read alike.
        PoolFunds::<T>::translate::<FundsV2, _>(|datanet, old| {
            touched = touched.saturating_add(1);
            let FundsV2 { shares, unowned, leaving, batch, generation, .. } = old;
            let FundsV2 { returning, returned, active, .. } = old;
            let leavers = of(datanet, batch);
            Some(Funds {
                shares,
                unowned,
                leaving,
                batch,
                generation,
                returning,
                returned,
                active,
                scale: 0,
                leavers,
            })
        });
        Exits::<T>::translate::<ExitV2, _>(|datanet, batch, old| {
            touched = touched.saturating_add(1);
            let ExitV2 { shares, amount } = old;
            Some(Exit { shares, amount, scale: 0, funders: of(datanet, batch) })
        });
        T::DbWeight::get().reads_writes(touched, touched)
    }
}
