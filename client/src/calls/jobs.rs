//! Base models, jobs, and what workers do.

use super::{job_call, text, JobCall, NewBaseModel, NewJob, WorkerOffer};
use crate::{
    connection::Client,
    errors::Result,
    runtime::{self, runtime_types::bounded_collections::bounded_vec::BoundedVec},
    signer::Signer,
    transactions::{Receipt, Wait},
    H256,
};
use openledger_primitives::{
    job::{dispute::Finding, DeclineReason},
    Balance, BaseModelId, BlockNumber, JobId, JobResult, Salt,
};
use subxt::utils::Static;

/// Base models and jobs.
impl Client {
    /// Registers a base model; its deposit is held on the signer.
    pub async fn register_base_model(
        &self,
        signer: &Signer,
        model: NewBaseModel,
        wait: Wait,
    ) -> Result<(Receipt, BaseModelId)> {
        let files = runtime::runtime_types::pallet_training::types::ModelFiles {
            weights: Static(model.weights),
            weights_sha256: model.weights_sha256,
            weights_size: model.weights_size,
            tokenizer: model.tokenizer.map(Static),
            config: model.config.map(Static),
        };
        let call = runtime::transactions().training().register_base_model(
            Static(model.family),
            text(&model.name),
            files,
            text(&model.licence),
        );
        let receipt = self.send(signer, &call, wait).await?;
        let event: runtime::training::events::BaseModelRegistered =
            receipt.require("Training::BaseModelRegistered")?;
        Ok((receipt, event.base))
    }

    /// Lets a base model take no new jobs; its deposit goes back to the signer, who registered it.
    pub async fn retire_base_model(
        &self,
        signer: &Signer,
        base: BaseModelId,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().retire_base_model(base);
        self.send(signer, &call, wait).await
    }

    /// Queues a training job; its budget and a deposit are held on the signer.
    pub async fn create_job(
        &self,
        signer: &Signer,
        job: NewJob,
        wait: Wait,
    ) -> Result<(Receipt, JobId)> {
        let receipt = match job_call(job) {
            JobCall::Fresh(call) => self.send(signer, &call, wait).await?,
            JobCall::Further(call) => self.send(signer, &call, wait).await?,
        };
        let event: runtime::training::events::JobCreated =
            receipt.require("Training::JobCreated")?;
        Ok((receipt, event.job))
    }

    /// Calls off a job without a result; a worker that trains is paid for what it has shown.
    pub async fn cancel_job(&self, signer: &Signer, job: JobId, wait: Wait) -> Result<Receipt> {
        let call = runtime::transactions().training().cancel_job(job);
        self.send(signer, &call, wait).await
    }

    /// Offers more a token for a job that waits; the difference is held.
    pub async fn raise_price(
        &self,
        signer: &Signer,
        job: JobId,
        price_per_token: Balance,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().raise_price(job, price_per_token);
        self.send(signer, &call, wait).await
    }

    /// Gives a job without a result more time.
    pub async fn extend_deadline(
        &self,
        signer: &Signer,
        job: JobId,
        deadline: BlockNumber,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().extend_deadline(job, deadline);
        self.send(signer, &call, wait).await
    }

    /// Forgets a job that failed or was called off; its deposit goes back to its owner.
    pub async fn prune_job(&self, signer: &Signer, job: JobId, wait: Wait) -> Result<Receipt> {
        let call = runtime::transactions().training().prune_job(job);
        self.send(signer, &call, wait).await
    }
}

/// What workers do.
impl Client {
    /// Registers the signer as a worker; its bond is held.
    pub async fn register_worker(
        &self,
        signer: &Signer,
        offer: WorkerOffer,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().register_worker(
            BoundedVec(offer.kinds.into_iter().map(Static).collect()),
            offer.price_per_token,
            text(&offer.endpoint),
            Static(offer.serves),
            offer.tokens_per_second,
        );
        self.send(signer, &call, wait).await
    }

    /// Changes what the signer offers. A higher floor waits.
    pub async fn update_worker(
        &self,
        signer: &Signer,
        offer: WorkerOffer,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().update_worker(
            BoundedVec(offer.kinds.into_iter().map(Static).collect()),
            offer.price_per_token,
            text(&offer.endpoint),
            Static(offer.serves),
            offer.tokens_per_second,
        );
        self.send(signer, &call, wait).await
    }

    /// Takes no further jobs.
    pub async fn pause_worker(&self, signer: &Signer, wait: Wait) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().training().pause(), wait).await
    }

    /// Takes jobs again, and fills the bond up.
    pub async fn resume_worker(&self, signer: &Signer, wait: Wait) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().training().resume(), wait).await
    }

    /// Stops being a worker and releases the bond.
    pub async fn deregister_worker(&self, signer: &Signer, wait: Wait) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().training().deregister_worker(), wait).await
    }

    /// Begins a job that was given to the signer.
    pub async fn take_job(&self, signer: &Signer, job: JobId, wait: Wait) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().training().take(job), wait).await
    }

    /// Gives back a job that was given to the signer and that it has not taken.
    pub async fn decline_job(
        &self,
        signer: &Signer,
        job: JobId,
        reason: DeclineReason,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().decline(job, Static(reason));
        self.send(signer, &call, wait).await
    }

    /// A sign of life with the optimiser steps done and in all.
    pub async fn heartbeat(
        &self,
        signer: &Signer,
        job: JobId,
        step: u32,
        total_steps: u32,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().heartbeat(job, step, total_steps);
        self.send(signer, &call, wait).await
    }

    /// Posts the adapter.
    pub async fn submit_result(
        &self,
        signer: &Signer,
        job: JobId,
        result: JobResult,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().submit_result(job, Static(result));
        self.send(signer, &call, wait).await
    }

    /// Disputes the result of a job before its window has passed; a bond is held on the signer. Returns
    /// how much, and the block at whose start workers are drawn.
    pub async fn dispute_job(
        &self,
        signer: &Signer,
        job: JobId,
        wait: Wait,
    ) -> Result<(Receipt, Balance, BlockNumber)> {
        let call = runtime::transactions().training().dispute(job);
        let receipt = self.send(signer, &call, wait).await?;
        let event: runtime::training::events::JobDisputed =
            receipt.require("Training::JobDisputed")?;
        let (bond, draw_at) = (event.bond, event.draw_at);
        Ok((receipt, bond, draw_at))
    }

    /// Shows the hash of what the signer, who was drawn for a dispute, found.
    pub async fn commit_finding(
        &self,
        signer: &Signer,
        job: JobId,
        commitment: H256,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().commit_finding(job, commitment);
        self.send(signer, &call, wait).await
    }

    /// Shows what the signer found, once no hash can be shown any more.
    pub async fn reveal_finding(
        &self,
        signer: &Signer,
        job: JobId,
        finding: Finding,
        salt: Salt,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().training().reveal_finding(job, Static(finding), salt);
        self.send(signer, &call, wait).await
    }
}
