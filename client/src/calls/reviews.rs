//! Reviews and rewards.

use super::{fund_call, ManyVote, Voted, ACCEPTABLE_PATIENCE, ACCEPTABLE_POLL};
use crate::{
    connection::Client,
    errors::Result,
    runtime::{self, runtime_types::bounded_collections::bounded_vec::BoundedVec},
    signer::Signer,
    transactions::{Receipt, Wait},
    AccountId,
};
use openledger_primitives::{
    api::{SubmissionKey, SubmissionState, SubmissionView},
    Balance, BlockNumber, DatanetId, FileHash, Period, PoolRules, ReviewPolicy, RewardTerms,
    Shares, SubmissionId, Verdict,
};
use std::{collections::BTreeMap, time::Instant};
use subxt::utils::Static;

/// Reviews.
impl Client {
    /// Votes on a pending submission. One to accept waits until the file is old enough.
    pub async fn vote(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        sha256: FileHash,
        submission: SubmissionId,
        verdict: Verdict,
        wait: Wait,
    ) -> Result<(Receipt, Voted)> {
        if matches!(verdict, Verdict::Accept { .. }) {
            self.until_acceptable(datanet, sha256).await?;
        }
        let call =
            runtime::transactions().review().vote(datanet, sha256, submission, Static(verdict));
        let receipt = self.send(signer, &call, wait).await?;
        let voted = receipt.require::<runtime::review::events::Voted>("Review::Voted")?;
        let decided = receipt.find::<runtime::review::events::Decided>();
        let settled = decided.map(|event| event.accepted);
        Ok((receipt, Voted { settled, replaced: voted.replaced }))
    }

    /// Votes on 1 to 20 pending submissions; answers what became of each, in their order. A vote that is
    /// refused keeps none of the others back.
    pub async fn vote_many(
        &self,
        signer: &Signer,
        votes: &[ManyVote],
        wait: Wait,
    ) -> Result<(Receipt, Vec<Result<Voted>>)> {
        for vote in votes.iter().filter(|vote| matches!(vote.verdict, Verdict::Accept { .. })) {
            self.until_acceptable(vote.datanet, vote.sha256).await?;
        }
        let cast = |vote: &ManyVote| runtime::runtime_types::pallet_review::types::CastVote {
            datanet: vote.datanet,
            sha256: vote.sha256,
            submission: vote.submission,
            verdict: Static(vote.verdict),
        };
        let call = runtime::transactions()
            .review()
            .vote_many(BoundedVec(votes.iter().map(cast).collect()));
        let receipt = self.send(signer, &call, wait).await?;
        let decided: BTreeMap<_, _> = receipt
            .find_all::<runtime::review::events::Decided>()
            .map(|event| (event.submission, event.accepted))
            .collect();
        let voted: BTreeMap<_, _> = receipt
            .find_all::<runtime::review::events::Voted>()
            .map(|event| (event.submission, event.replaced))
            .collect();
        let outcome = |vote: &ManyVote| match voted.get(&vote.submission) {
            Some(replaced) => {
                Ok(Voted { settled: decided.get(&vote.submission).copied(), replaced: *replaced })
            }
            None => Err(receipt.refused_vote(vote.submission)),
        };
        let outcomes = votes.iter().map(outcome).collect();
        Ok((receipt, outcomes))
    }

    /// Ends the signer's part in a Datanet's verdicts. Answers how many of those who are left must agree.
    pub async fn resign(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        wait: Wait,
    ) -> Result<(Receipt, u8)> {
        let call = runtime::transactions().review().resign(datanet);
        let receipt = self.send(signer, &call, wait).await?;
        let event: runtime::review::events::CuratorResigned =
            receipt.require("Review::CuratorResigned")?;
        Ok((receipt, event.threshold))
    }

    /// Waits until a pending file is old enough to be accepted: at most a minute.
    async fn until_acceptable(&self, datanet: DatanetId, sha256: FileHash) -> Result<()> {
        let key = SubmissionKey::Sha256(sha256);
        let Some(SubmissionView { state: SubmissionState::Pending { acceptable_at, .. }, .. }) =
            self.submission(datanet, key).await?
        else {
            return Ok(());
        };
        let until = Instant::now() + ACCEPTABLE_PATIENCE;
        // A transaction comes into the block after the best one at the earliest.
        while self.best().await?.0.saturating_add(1) < acceptable_at && Instant::now() < until {
            tokio::time::sleep(ACCEPTABLE_POLL).await;
        }
        Ok(())
    }

    /// Replaces the review policy of the signer's Datanet. Answers the first block in which it counts,
    /// where it waits.
    pub async fn set_review_policy(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        policy: ReviewPolicy<AccountId>,
        wait: Wait,
    ) -> Result<(Receipt, Option<BlockNumber>)> {
        let call = runtime::transactions().review().set_policy(datanet, Static(policy));
        let receipt = self.send(signer, &call, wait).await?;
        let announced = receipt.find::<runtime::review::events::PolicyAnnounced>();
        Ok((receipt, announced.map(|event| event.from)))
    }
}

/// Rewards.
impl Client {
    /// Pays into a Datanet's pool under the rules that the signer saw; the chain refuses if they changed.
    pub async fn fund_pool(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        amount: Balance,
        rules: PoolRules,
        wait: Wait,
    ) -> Result<Receipt> {
        self.send(signer, &fund_call(datanet, amount, rules), wait).await
    }

    /// Says how fast the pool of the signer's Datanet pays out. Answers the first period that the terms
    /// count for, where they wait.
    pub async fn set_reward_terms(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        terms: RewardTerms,
        wait: Wait,
    ) -> Result<(Receipt, Option<Period>)> {
        let call = runtime::transactions().leaderboard().set_terms(datanet, Static(terms));
        let receipt = self.send(signer, &call, wait).await?;
        let announced = receipt.find::<runtime::leaderboard::events::TermsAnnounced>();
        Ok((receipt, announced.map(|event| event.from)))
    }

    /// Takes shares of the signer's out of a pool at the end of the running period.
    pub async fn leave_pool(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        shares: Shares,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().leaderboard().leave(datanet, shares);
        self.send(signer, &call, wait).await
    }

    /// Pays a funder what its shares brought that have left; anyone may send this. Returns the plancks.
    pub async fn withdraw_from_pool(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        account: AccountId,
        wait: Wait,
    ) -> Result<(Receipt, Balance)> {
        let call = runtime::transactions().leaderboard().withdraw(datanet, account);
        let receipt = self.send(signer, &call, wait).await?;
        let event: runtime::leaderboard::events::Withdrawn =
            receipt.require("Leaderboard::Withdrawn")?;
        Ok((receipt, event.amount))
    }

    /// Lets what is nobody's of a closed or dead pool leave for the treasury.
    pub async fn recover_pool(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        wait: Wait,
    ) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().leaderboard().recover(datanet), wait).await
    }

    /// Has an account's rewards paid to another one. Returns the block from which they are.
    pub async fn set_payout(
        &self,
        signer: &Signer,
        account: AccountId,
        to: AccountId,
        wait: Wait,
    ) -> Result<(Receipt, BlockNumber)> {
        let call = runtime::transactions().leaderboard().set_payout(account, to);
        let receipt = self.send(signer, &call, wait).await?;
        let event: runtime::leaderboard::events::PayoutSet =
            receipt.require("Leaderboard::PayoutSet")?;
        Ok((receipt, event.from))
    }

    /// Pays an account what is owed to it in up to 20 Datanets; anyone may send this. Returns the plancks
    /// paid in each that owed any, and to whom they went.
    pub async fn claim_rewards(
        &self,
        signer: &Signer,
        datanets: &[DatanetId],
        account: AccountId,
        wait: Wait,
    ) -> Result<(Receipt, Vec<(DatanetId, Balance)>, AccountId)> {
        let calls = runtime::transactions().leaderboard();
        let receipt = match datanets {
            [datanet] => self.send(signer, &calls.claim(*datanet, account), wait).await?,
            datanets => {
                let call = calls.claim_many(BoundedVec(datanets.to_vec()), account);
                self.send(signer, &call, wait).await?
            }
        };
        let paid = receipt
            .find_all::<runtime::leaderboard::events::Claimed>()
            .map(|event| (event.datanet, event.amount))
            .collect();
        let to = receipt
            .find::<runtime::leaderboard::events::PaidOut>()
            .map_or(account, |event| event.to);
        Ok((receipt, paid, to))
    }
}
