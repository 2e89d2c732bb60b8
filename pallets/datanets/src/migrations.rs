//! How the storage of earlier versions becomes today's.

use crate::{
    Bars, Config, Invitations, Listed, Pallet, Pending, PendingFile, Submissions, Unlisted,
    Waiting, WaitingFile,
};
use core::marker::PhantomData;
use frame_support::{
    migrations::VersionedMigration,
    traits::{Get, UncheckedOnRuntimeUpgrade},
    weights::Weight,
    Twox64Concat,
};
use openledger_primitives::{DatanetId, LeafIndex};

/// Storage version 1 to 2: contributors have lists of their waiting files, and settled submissions are
/// found by number and by contributor.
///
/// Nothing stored changes its shape. Files that wait count as submitted now, so that nobody's time is
/// cut short, and as settled long enough to be accepted. The work grows with the files that wait; accepted ones, of which
/// there are ever more, are listed by the blocks after this one ([`Unlisted`]).
pub type ToV2<T> =
    VersionedMigration<1, 2, ListFiles<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// The work of [`ToV2`].
pub struct ListFiles<T>(PhantomData<T>);

impl<T: Config> UncheckedOnRuntimeUpgrade for ListFiles<T> {
    fn on_runtime_upgrade() -> Weight {
        let (mut files, now) = (0u64, Pallet::<T>::now());
        let age = now.saturating_sub(T::SettleDelay::get());
        for (datanet, number, sha256) in Pending::<T>::iter() {
            files = files.saturating_add(1);
            let record = Submissions::<T>::get(datanet, sha256);
            let Some(file) = record.and_then(|record| PendingFile::of(record, sha256)) else {
                continue;
            };
            let waiting = WaitingFile { submission: number.into(), datanet, since: now, age };
            Waiting::<T>::mutate(&file.contributor, |list| {
                // Datanet by Datanet they come in order; one account's are over all of them.
                let place = list.iter().position(|other| other.submission > waiting.submission);
                // Of more files than the list has room for, those beyond it count as waiting for ever:
                // anyone may expire them. No quota of the time before allowed so many.
                let _ = list.try_insert(place.unwrap_or(list.len()), waiting);
            });
        }
        Unlisted::<T>::put((0, 0));
        let (reads, writes) = (files.saturating_mul(3), files.saturating_add(1));
        T::DbWeight::get().reads_writes(reads, writes)
    }
}

/// Storage version 2 to 3: which leaf of a Datanet was revoked first decides nothing any more.
///
/// Jobs leave revoked leaves out by the block of each revocation, which [`Revoked`](crate::Revoked) has
/// kept from the beginning; so nothing of it changes.
pub type ToV3<T> = VersionedMigration<
    2,
    3,
    ForgetFirstRevoked<T>,
    Pallet<T>,
    <T as frame_system::Config>::DbWeight,
>;

/// The work of [`ToV3`].
pub struct ForgetFirstRevoked<T>(PhantomData<T>);

/// Entries that [`ToV3`] removes, at most: what it leaves is read by nothing.
const MOST_FORGOTTEN: u32 = 10_000;

/// Storage of version 2 that is gone.
// The macro documents nothing of what it writes.
#[allow(missing_docs)]
pub mod old {
    use super::*;

    #[frame_support::storage_alias]
    pub type FirstRevoked<T: Config> = StorageMap<Pallet<T>, Twox64Concat, DatanetId, LeafIndex>;
}

impl<T: Config> UncheckedOnRuntimeUpgrade for ForgetFirstRevoked<T> {
    fn on_runtime_upgrade() -> Weight {
        let gone = old::FirstRevoked::<T>::clear(MOST_FORGOTTEN, None);
        let (reads, writes) = (gone.loops, gone.unique.max(gone.backend));
        T::DbWeight::get().reads_writes(reads.into(), writes.into())
    }
}

/// Storage version 3 to 4: invitations and bars are counted.
///
/// Nothing is held for those of before; what is held for later ones comes back with any of them, and all of it
/// with the last. The work grows with the entries, each of which was paid for by a fee.
pub type ToV4<T> =
    VersionedMigration<3, 4, CountEntries<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// The work of [`ToV4`].
pub struct CountEntries<T>(PhantomData<T>);

impl<T: Config> UncheckedOnRuntimeUpgrade for CountEntries<T> {
    fn on_runtime_upgrade() -> Weight {
        let mut entries = 0u64;
        let invited = Invitations::<T>::iter_keys().map(|(datanet, _)| datanet);
        let barred = Bars::<T>::iter_keys().map(|(datanet, _)| datanet);
        for datanet in invited.chain(barred) {
            entries = entries.saturating_add(1);
            Listed::<T>::mutate(datanet, |listing| {
                listing.entries = listing.entries.saturating_add(1);
            });
        }
        T::DbWeight::get().reads_writes(entries.saturating_mul(2), entries)
    }
}
