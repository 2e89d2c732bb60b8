//! Leaves that must not be trained on any more, and which of them a job leaves out.

use crate::{
    connection::Client,
    errors::{ClientError, Result},
    reads::PAGE,
};
use openledger_primitives::{
    api::RevocationView,
    leaf::{leaves_out, DatasetRef},
    BlockNumber, DatanetId, LeafIndex,
};
use std::collections::BTreeSet;

impl Client {
    /// At most 100 revoked leaves of a Datanet at positions from `start` on.
    pub async fn revoked(&self, datanet: DatanetId, start: LeafIndex) -> Result<Vec<LeafIndex>> {
        self.api("DatanetsApi_revoked", (datanet, start, PAGE)).await
    }

    /// At most 100 revoked leaves of a Datanet at positions from `start` on, each with its block.
    pub async fn revocations(
        &self,
        datanet: DatanetId,
        start: LeafIndex,
    ) -> Result<Vec<RevocationView>> {
        self.api("DatanetsApi_revocations", (datanet, start, PAGE)).await
    }

    /// Which of the first `leaves` leaves of a Datanet were revoked, each with its block.
    pub async fn revocations_until(
        &self,
        datanet: DatanetId,
        leaves: u64,
    ) -> Result<Vec<RevocationView>> {
        let mut found: Vec<RevocationView> = Vec::new();
        loop {
            let start = found.last().map_or(0, |last| last.leaf.saturating_add(1));
            let page = self.revocations(datanet, start).await?;
            let whole = page.len() < PAGE as usize;
            // A page that does not go on from where the last one ended would be asked for without end.
            let in_order = page.iter().try_fold(start, |from, view| {
                (view.leaf >= from).then(|| view.leaf.saturating_add(1))
            });
            if in_order.is_none() {
                return Err(ClientError::Answer {
                    what: "DatanetsApi_revocations".to_owned(),
                    reason: format!("leaves of Datanet {datanet} after {start} are out of order"),
                });
            }
            let past = page.last().is_some_and(|last| last.leaf >= leaves);
            found.extend(page.into_iter().filter(|view| view.leaf < leaves));
            if whole || past {
                return Ok(found);
            }
        }
    }

    /// The leaves of a version that a job of block `created_at` leaves out: those revoked before it.
    pub async fn left_out(
        &self,
        dataset: &DatasetRef,
        created_at: BlockNumber,
    ) -> Result<BTreeSet<LeafIndex>> {
        let revoked = self.revocations_until(dataset.datanet, dataset.version.leaves).await?;
        let out = revoked.iter().filter(|revoked| leaves_out(created_at, revoked.at));
        Ok(out.map(|revoked| revoked.leaf).collect())
    }

    /// Whether a leaf of these versions was revoked that a job of block `created_at` did not leave out:
    /// what its adapter is flagged by.
    pub async fn hold_revoked(
        &self,
        datasets: &[DatasetRef],
        created_at: BlockNumber,
    ) -> Result<bool> {
        for dataset in datasets {
            let revoked = self.revocations_until(dataset.datanet, dataset.version.leaves).await?;
            if revoked.iter().any(|revoked| !leaves_out(created_at, revoked.at)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
