//! Calls that somebody else signs: encoded, priced, and with all that a signature has to name.
//!
//! No key is needed for this. Whoever holds one checks the bytes and signs them; a program that acts for
//! somebody need not be trusted with more.

use crate::{
    calls::{fund_call, job_call, register_call, register_for_call, submit_call, JobCall, NewJob},
    connection::Client,
    errors::{ClientError, Result},
    runtime, AccountId, H256,
};
use openledger_primitives::{api::SubmissionItem, Balance, BlockNumber, DatanetId, PoolRules};
use subxt::{
    config::substrate::SubstrateExtrinsicParamsBuilder, tx::Payload, utils::MultiSignature,
};

/// Blocks within which a prepared transaction can be included, a power of two: about 51 minutes. People look at
/// what they sign, so it is more than what this client gives itself; the chain remembers 2,400 blocks.
pub const MORTALITY: u32 = 1_024;

/// A call, and what a signature over it has to name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The call in SCALE.
    pub call: Vec<u8>,
    /// Its pallet.
    pub pallet: String,
    /// Its name.
    pub name: String,
    /// Hash of the chain's first block.
    pub genesis: H256,
    /// The runtime's version.
    pub spec_version: u32,
    /// The version of the runtime's transactions.
    pub transaction_version: u32,
    /// The account's next number.
    pub nonce: u64,
    /// The final block at which its life begins.
    pub birth: (BlockNumber, H256),
    /// The last block that may hold it.
    pub last: BlockNumber,
    /// Plancks that the chain takes for including it, without a tip. Free calls pay less.
    pub fee: Balance,
}

/// Preparing calls.
impl Client {
    /// The submission of 1 to 20 files. The chain is asked first whether it would take them.
    ///
    /// # Errors
    ///
    /// [`ClientError::Admission`] if not; errors of the connection.
    pub async fn prepare_submission(
        &self,
        account: AccountId,
        datanet: DatanetId,
        items: &[SubmissionItem],
    ) -> Result<Prepared> {
        self.require_admission(account, datanet, items).await?;
        self.prepare(account, &submit_call(datanet, items)).await
    }

    /// A contributor's registration: the account's own, or another one's at its expense.
    ///
    /// # Errors
    ///
    /// Errors of the connection.
    pub async fn prepare_registration(
        &self,
        account: AccountId,
        contributor: AccountId,
    ) -> Result<Prepared> {
        match account == contributor {
            true => self.prepare(account, &register_call()).await,
            false => self.prepare(account, &register_for_call(contributor)).await,
        }
    }

    /// Paying into a pool under the given rules.
    ///
    /// # Errors
    ///
    /// Errors of the connection.
    pub async fn prepare_funding(
        &self,
        account: AccountId,
        datanet: DatanetId,
        amount: Balance,
        rules: PoolRules,
    ) -> Result<Prepared> {
        self.prepare(account, &fund_call(datanet, amount, rules)).await
    }

    /// Queueing a job.
    ///
    /// # Errors
    ///
    /// Errors of the connection.
    pub async fn prepare_job(&self, account: AccountId, job: NewJob) -> Result<Prepared> {
        match job_call(job) {
            JobCall::Fresh(call) => self.prepare(account, &call).await,
            JobCall::Further(call) => self.prepare(account, &call).await,
        }
    }

    /// Plancks held for a job's record beside its budget, and the least budget.
    ///
    /// # Errors
    ///
    /// [`ClientError::Answer`] if the chain's metadata lacks them; errors of the connection.
    pub async fn job_terms(&self) -> Result<(Balance, Balance)> {
        let at = self.at(self.best().await?.1).await?;
        let training = runtime::constants().training();
        let constant = |address| {
            at.constants().entry(address).map_err(|error| self.odd("constants of Training", error))
        };
        Ok((constant(training.job_deposit())?, constant(training.minimum_budget())?))
    }

    /// Plancks held for a contributor.
    ///
    /// # Errors
    ///
    /// [`ClientError::Answer`] if the chain's metadata lacks it; errors of the connection.
    pub async fn contributor_hold(&self) -> Result<Balance> {
        let at = self.at(self.best().await?.1).await?;
        let constant = at.constants().entry(runtime::constants().datanets().contributor_hold());
        constant.map_err(|error| self.odd("constants of Datanets", error))
    }

    /// Plancks that an account keeps to exist.
    ///
    /// # Errors
    ///
    /// [`ClientError::Answer`] if the chain's metadata lacks it; errors of the connection.
    pub async fn existential_deposit(&self) -> Result<Balance> {
        let at = self.at(self.best().await?.1).await?;
        let constant = at.constants().entry(runtime::constants().balances().existential_deposit());
        constant.map_err(|error| self.odd("constants of Balances", error))
    }

    /// The least that a pool takes at once, in plancks.
    ///
    /// # Errors
    ///
    /// [`ClientError::Answer`] if the chain's metadata lacks it; errors of the connection.
    pub async fn minimum_funding(&self) -> Result<Balance> {
        let at = self.at(self.best().await?.1).await?;
        let address = runtime::constants().leaderboard().minimum_funding();
        let constant = at.constants().entry(address);
        constant.map_err(|error| self.odd("constants of Leaderboard", error))
    }

    async fn prepare(&self, account: AccountId, call: &impl Payload) -> Result<Prepared> {
        let best = self.best().await?;
        let birth = self.finalised().await?;
        let nonce = self
            .inner
            .methods
            .system_account_next_index(&account)
            .await
            .map_err(|error| self.failed("system_accountNextIndex", error))?;
        let params = SubstrateExtrinsicParamsBuilder::new()
            .nonce(nonce)
            .mortal_from_unchecked(MORTALITY.into(), birth.0.into(), birth.1)
            .build();
        let at = self.at(best.1).await?;
        let name = || format!("{}::{}", call.pallet_name(), call.call_name());
        let odd = |error| self.odd(&format!("encoding {}", name()), error);
        let transactions = at.transactions();
        transactions
            .validate(call)
            .map_err(|_| ClientError::Incompatible { what: format!("the call {}", name()) })?;
        let bytes = transactions.call_data(call).map_err(odd)?;
        // What extensions weigh counts too, so the fee is that of a whole transaction; its signature is looked
        // at by nobody.
        let whole = transactions
            .create_signable_offline(call, params)
            .and_then(|mut signable| {
                let signature = MultiSignature::Sr25519([0; 64]);
                signable.sign_with_account_and_signature(&account, &signature)
            })
            .map_err(odd)?;
        let fee = whole.partial_fee_estimate().await;
        let fee = fee.map_err(|error| self.odd(&format!("the fee of {}", name()), error))?;
        Ok(Prepared {
            fee,
            call: bytes,
            pallet: call.pallet_name().to_owned(),
            name: call.call_name().to_owned(),
            genesis: self.online().await?.genesis_hash(),
            spec_version: at.spec_version(),
            transaction_version: at.transaction_version(),
            nonce,
            last: birth.0.saturating_add(MORTALITY - 1),
            birth,
        })
    }
}
