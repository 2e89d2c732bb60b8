//! Datanets, what goes into them, and what their owners do.

use super::{
    commitment, register_call, register_for_call, submit_call, submitted, text, NewDatanet,
    SubmittedFile,
};
use crate::{
    connection::Client,
    errors::{ClientError, Result},
    runtime::{self, runtime_types::bounded_collections::bounded_vec::BoundedVec},
    signer::Signer,
    transactions::{Receipt, Wait},
    AccountId, H256,
};
use openledger_primitives::{
    api::SubmissionItem, BarReason, DatanetId, DatanetText, FileHash, LeafIndex, QuotaLimits,
    RefusalRule, Salt,
};
use std::time::Duration;
use subxt::utils::Static;

/// How often files are opened anew that a pool refuses though they were promised,
const TRIES: u32 = 5;
/// and the time in between.
const PAUSE: Duration = Duration::from_secs(2);

/// Datanets and contributions.
impl Client {
    /// Creates a Datanet; its deposit is held on the signer.
    pub async fn create_datanet(
        &self,
        signer: &Signer,
        datanet: NewDatanet,
        wait: Wait,
    ) -> Result<(Receipt, DatanetId)> {
        let call = runtime::transactions().datanets().create_datanet(
            text(&datanet.name),
            Static(datanet.modality),
            datanet.min_units,
            datanet.max_units,
            datanet.daily_limit.map(Static),
            Static(datanet.policy),
        );
        let receipt = self.send(signer, &call, wait).await?;
        let event: runtime::datanets::events::DatanetCreated =
            receipt.require("Datanets::DatanetCreated")?;
        Ok((receipt, event.datanet))
    }

    /// Makes the signer a contributor.
    pub async fn register_contributor(&self, signer: &Signer, wait: Wait) -> Result<Receipt> {
        self.send(signer, &register_call(), wait).await
    }

    /// Makes another account a contributor at the signer's expense.
    pub async fn register_contributor_for(
        &self,
        signer: &Signer,
        contributor: AccountId,
        wait: Wait,
    ) -> Result<Receipt> {
        self.send(signer, &register_for_call(contributor), wait).await
    }

    /// Ends a registration and releases its hold.
    pub async fn deregister_contributor(
        &self,
        signer: &Signer,
        contributor: AccountId,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().deregister(contributor);
        self.send(signer, &call, wait).await
    }

    /// Submits 1 to 20 files, all or none, free of charge within the quota.
    ///
    /// Asks the chain first, so that a refusal comes with rule, value and limit
    /// ([`ClientError::Admission`]).
    pub async fn submit_files(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        items: Vec<SubmissionItem>,
        wait: Wait,
    ) -> Result<(Receipt, Vec<SubmittedFile>)> {
        let account = signer.account();
        self.require_admission(account, datanet, &items).await?;
        let call = submit_call(datanet, &items);
        let receipt = match self.send(signer, &call, wait).await {
            Err(ClientError::Rule(rule)) => {
                // The pool says the rule only; the state that it judged may say the numbers.
                self.require_admission(account, datanet, &items).await?;
                return Err(ClientError::Rule(rule));
            }
            result => result?,
        };
        let files = submitted(&receipt);
        Ok((receipt, files))
    }

    /// Precommits to files, free of charge within the quota: whoever reads the pool learns nothing of
    /// them, and what is opened within a day counts as submitted in this block.
    pub async fn precommit_files(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        files: &[FileHash],
        salt: &Salt,
        wait: Wait,
    ) -> Result<Receipt> {
        let account = signer.account();
        let commitments: Vec<H256> =
            files.iter().map(|sha256| commitment(&account, datanet, sha256, salt)).collect();
        let checked = self.check_precommit(account, &commitments).await?;
        checked.map_err(ClientError::Admission)?;
        let call = runtime::transactions().datanets().precommit(BoundedVec(commitments));
        self.send(signer, &call, wait).await
    }

    /// Submits 1 to 20 precommitted files, all or none, free of charge.
    pub async fn open_files(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        items: Vec<SubmissionItem>,
        salt: &Salt,
        wait: Wait,
    ) -> Result<(Receipt, Vec<SubmittedFile>)> {
        let account = signer.account();
        let checked = self.check_opening(account, datanet, &items, salt).await?;
        checked.map_err(ClientError::Admission)?;
        let wrapped = BoundedVec(items.iter().copied().map(Static).collect());
        let call = runtime::transactions().datanets().open(datanet, wrapped, *salt);
        let mut tries = 0;
        let receipt = loop {
            match self.send(signer, &call, wait).await {
                Err(ClientError::Rule(rule)) => {
                    let checked = self.check_opening(account, datanet, &items, salt).await?;
                    checked.map_err(ClientError::Admission)?;
                    // The pool judged by the block before the newest, in which nothing was promised yet.
                    if rule != RefusalRule::NotPrecommitted || tries == TRIES {
                        return Err(ClientError::Rule(rule));
                    }
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                result => break result?,
            }
        };
        let files = submitted(&receipt);
        Ok((receipt, files))
    }

    /// Ends the wait of a file that nobody decided on in time; anyone may send this.
    pub async fn expire(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        sha256: FileHash,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().expire(datanet, sha256);
        self.send(signer, &call, wait).await
    }

    /// Pays for a contributor no longer.
    pub async fn end_sponsorship(
        &self,
        signer: &Signer,
        contributor: AccountId,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().end_sponsorship(contributor);
        self.send(signer, &call, wait).await
    }

    /// Changes what may be submitted to the signer's Datanet in a day.
    pub async fn set_caps(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        daily_limit: Option<QuotaLimits>,
        share: u8,
        wait: Wait,
    ) -> Result<Receipt> {
        let limit = daily_limit.map(Static);
        let call = runtime::transactions().datanets().set_caps(datanet, limit, share);
        self.send(signer, &call, wait).await
    }

    /// Takes no more files of an account into the signer's Datanet.
    pub async fn bar_account(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        account: AccountId,
        reason: BarReason,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().bar(datanet, account, Static(reason));
        self.send(signer, &call, wait).await
    }

    /// Takes files of an account again.
    pub async fn unbar_account(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        account: AccountId,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().unbar(datanet, account);
        self.send(signer, &call, wait).await
    }

    /// Flags a leaf of the signer's: no new job trains on it.
    pub async fn revoke_leaf(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        leaf: LeafIndex,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().revoke_leaf(datanet, leaf);
        self.send(signer, &call, wait).await
    }

    pub(crate) async fn require_admission(
        &self,
        account: AccountId,
        datanet: DatanetId,
        items: &[SubmissionItem],
    ) -> Result<()> {
        let checked = self.check_submission(account, datanet, items).await?;
        checked.map_err(ClientError::Admission)
    }

    /// Takes a pending file back.
    pub async fn withdraw(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        sha256: FileHash,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().withdraw(datanet, sha256);
        self.send(signer, &call, wait).await
    }
}

/// What owners do with Datanets.
impl Client {
    /// Says what the signer's Datanet is about.
    pub async fn set_datanet_text(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        text: DatanetText,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().set_text(datanet, Static(text));
        self.send(signer, &call, wait).await
    }

    /// Lets no files into the signer's Datanet for now, or lets them in again.
    pub async fn pause_datanet(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        paused: bool,
        wait: Wait,
    ) -> Result<Receipt> {
        let calls = runtime::transactions().datanets();
        if paused {
            self.send(signer, &calls.pause(datanet), wait).await
        } else {
            self.send(signer, &calls.resume(datanet), wait).await
        }
    }

    /// Offers the signer's Datanet to another account, or to nobody any more.
    pub async fn offer_datanet(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        to: Option<AccountId>,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().offer_ownership(datanet, to);
        self.send(signer, &call, wait).await
    }

    /// Becomes the owner of a Datanet that was offered to the signer; its deposit is held.
    pub async fn accept_datanet(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        wait: Wait,
    ) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().datanets().accept_ownership(datanet), wait).await
    }

    /// Closes the signer's Datanet for ever and releases its deposit.
    pub async fn close_datanet(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        wait: Wait,
    ) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().datanets().close(datanet), wait).await
    }

    /// Takes up to 50 invitations and bars of a closed Datanet away; their deposits go back to its owner.
    /// Answers how many are left.
    pub async fn clear_entries(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        wait: Wait,
    ) -> Result<(Receipt, u32)> {
        let call = runtime::transactions().datanets().clear_entries(datanet);
        let receipt = self.send(signer, &call, wait).await?;
        let event: runtime::datanets::events::EntriesCleared =
            receipt.require("Datanets::EntriesCleared")?;
        Ok((receipt, event.left))
    }
}
