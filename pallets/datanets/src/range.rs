//! The mountain range of a Datanet: a kept library over nodes in chain storage.

use crate::{Config, Error, RangeNodes};
use alloc::vec::Vec;
use core::marker::PhantomData;
use mountain_range::{helper, MMRStoreReadOps, MMRStoreWriteOps, MMR};
use openledger_primitives::{
    leaf::{range_size, MergeNodes},
    DatanetId, DatasetVersion, LeafIndex,
};
use sp_core::H256;

/// The nodes of one Datanet.
struct Nodes<T>(DatanetId, PhantomData<T>);

impl<T: Config> MMRStoreReadOps<H256> for Nodes<T> {
    fn get_elem(&self, position: u64) -> mountain_range::Result<Option<H256>> {
        Ok(RangeNodes::<T>::get(self.0, position))
    }
}

impl<T: Config> MMRStoreWriteOps<H256> for Nodes<T> {
    fn append(&mut self, first: u64, nodes: Vec<H256>) -> mountain_range::Result<()> {
        for (position, node) in (first..).zip(nodes) {
            RangeNodes::<T>::insert(self.0, position, node);
        }
        Ok(())
    }
}

type Range<T> = MMR<H256, MergeNodes, Nodes<T>>;

/// The range of `datanet` when it had `leaves` leaves. Later nodes stand behind its end and are never
/// read, so every past range is still there.
fn range<T: Config>(datanet: DatanetId, leaves: u64) -> Range<T> {
    MMR::new(range_size(leaves), Nodes(datanet, PhantomData))
}

/// Appends the hash of leaf number `leaves`; writes it and the nodes it completes.
///
/// # Errors
///
/// `InconsistentRange` if a stored node is missing.
pub(crate) fn append<T: Config>(
    datanet: DatanetId,
    leaves: u64,
    leaf: H256,
) -> Result<(), Error<T>> {
    let mut range = range::<T>(datanet, leaves);
    range.push(leaf).and_then(|_| range.commit()).map_err(|_| Error::InconsistentRange)
}

/// The version with `leaves` leaves; `None` if a stored node is missing.
pub(crate) fn version<T: Config>(datanet: DatanetId, leaves: u64) -> Option<DatasetVersion> {
    if leaves == 0 {
        return Some(DatasetVersion::default());
    }
    let root = range::<T>(datanet, leaves).get_root().ok()?;
    Some(DatasetVersion { leaves, root })
}

/// The proof of leaf `index` in the version with `leaves` leaves; `None` if it has no such leaf.
pub(crate) fn proof<T: Config>(
    datanet: DatanetId,
    index: LeafIndex,
    leaves: u64,
) -> Option<Vec<H256>> {
    if index >= leaves {
        return None;
    }
    let position = helper::leaf_index_to_pos(index);
    let proof = range::<T>(datanet, leaves).gen_proof(alloc::vec![position]).ok()?;
    Some(proof.proof_items().to_vec())
}
