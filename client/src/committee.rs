//! Review by drawn committees: seats, draws, sealed votes, challenges, review budgets.

use crate::{
    connection::Client,
    errors::Result,
    runtime,
    signer::Signer,
    transactions::{Receipt, Wait},
    AccountId, H256,
};
use openledger_primitives::{
    api::{BoardCursor, BoardEntry},
    committee::{
        api::{BudgetView, DrawView, SeatsView},
        Addresses, BudgetTerms, DrawId, Lengths, Opinions, PoolId, PoolSize, Session,
    },
    AdmissionPolicy, Balance, DatanetId, FileHash, Points, Salt, SubmissionId,
};
use runtime::runtime_types::bounded_collections::bounded_vec::BoundedVec;
use subxt::utils::Static;

/// What an account commits to in a draw.
pub fn seal(
    draw: DrawId,
    seed: &[u8; 32],
    account: &AccountId,
    opinions: &Opinions,
    salt: &Salt,
) -> H256 {
    let sealed =
        openledger_primitives::committee::commitment(draw, seed, &account.0, opinions, salt);
    H256(sealed.0)
}

/// Reads.
impl Client {
    /// The number of the next draw, and the session that lasts.
    pub async fn next_draw(&self) -> Result<(DrawId, Session)> {
        self.api("CommitteeApi_next_draw", ()).await
    }

    /// A draw that is not over.
    pub async fn draw(&self, draw: DrawId) -> Result<Option<DrawView<AccountId>>> {
        self.api("CommitteeApi_draw", draw).await
    }

    /// Those of at most 100 draws from number `start` on that are not over.
    pub async fn draws(&self, start: DrawId) -> Result<Vec<DrawView<AccountId>>> {
        self.api("CommitteeApi_draws", (start, 100u32)).await
    }

    /// The draw that decides on a pending submission.
    pub async fn draw_of(&self, submission: SubmissionId) -> Result<Option<DrawId>> {
        self.api("CommitteeApi_draw_of", submission).await
    }

    /// An account's seats in a pool.
    pub async fn seats(&self, pool: PoolId, account: AccountId) -> Result<Option<SeatsView>> {
        self.api("CommitteeApi_seats", (pool, account)).await
    }

    /// Where those of at most 100 accounts with seats in a pool serve what they judge that say so, in their order, as
    /// multiaddrs. Whoever has a seat may have written anything.
    pub async fn addresses(
        &self,
        pool: PoolId,
        accounts: &[AccountId],
    ) -> Result<Vec<(AccountId, Vec<String>)>> {
        let said: Vec<(AccountId, Addresses)> =
            self.api("CommitteeApi_addresses", (pool, accounts)).await?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let texts = |all: Addresses| all.iter().map(|one| text(one)).collect();
        Ok(said.into_iter().map(|(who, all)| (who, texts(all))).collect())
    }

    /// How large a pool is.
    pub async fn pool_size(&self, pool: PoolId) -> Result<PoolSize> {
        self.api("CommitteeApi_pool_size", pool).await
    }

    /// A Datanet's review budget.
    pub async fn review_budget(&self, datanet: DatanetId) -> Result<BudgetView> {
        self.api("CommitteeApi_budget", datanet).await
    }

    /// Plancks of a Datanet's review budget that are set aside for an account's files, and how many may be at a time.
    pub async fn review_budget_for(
        &self,
        datanet: DatanetId,
        account: AccountId,
    ) -> Result<(Balance, Balance)> {
        self.api("CommitteeApi_reserved_for", (datanet, account)).await
    }
}

/// Admission to Datanets, and points over all of them.
impl Client {
    /// Of whom a Datanet takes files, and whether an account is invited.
    pub async fn admission(
        &self,
        datanet: DatanetId,
        account: AccountId,
    ) -> Result<(AdmissionPolicy, bool)> {
        self.api("DatanetsApi_admission", (datanet, account)).await
    }

    /// Says of whom the signer's Datanet takes files.
    pub async fn set_admission(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        admission: AdmissionPolicy,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().set_admission(datanet, Static(admission));
        self.send(signer, &call, wait).await
    }

    /// Invites an account to the signer's Datanet, or takes the invitation back.
    pub async fn invite(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        account: AccountId,
        invited: bool,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().datanets().invite(datanet, account, invited);
        self.send(signer, &call, wait).await
    }

    /// At most 100 accounts over all Datanets in order of rank, after `cursor`.
    pub async fn global_board(
        &self,
        cursor: Option<BoardCursor>,
    ) -> Result<Vec<BoardEntry<AccountId>>> {
        self.api("LeaderboardApi_global_board", (cursor, 100u32)).await
    }

    /// An account's points over all Datanets.
    pub async fn global_points(&self, account: AccountId) -> Result<Points> {
        self.api("LeaderboardApi_global_points", account).await
    }
}

/// Calls.
impl Client {
    /// How long committees have on this network, and seats take to enter and leave.
    ///
    /// # Errors
    ///
    /// [`ClientError::Answer`](crate::ClientError::Answer) if the chain's metadata lacks it; errors of the connection.
    pub async fn committee_lengths(&self) -> Result<Lengths> {
        let at = self.at(self.best().await?.1).await?;
        let constant = at.constants().entry(runtime::constants().review().lengths());
        let found = constant.map_err(|error| self.odd("constants of Review", error))?;
        let runtime::runtime_types::openledger_primitives::committee::Lengths {
            commit,
            reveal,
            challenge,
            enter,
            leave,
        } = found;
        Ok(Lengths { commit, reveal, challenge, enter, leave })
    }

    /// Bonds seats in a pool.
    pub async fn bond_seats(
        &self,
        signer: &Signer,
        pool: PoolId,
        seats: u32,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().review().bond_seats(Static(pool), seats);
        self.send(signer, &call, wait).await
    }

    /// Gives seats up.
    pub async fn unbond_seats(
        &self,
        signer: &Signer,
        pool: PoolId,
        seats: u32,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().review().unbond_seats(Static(pool), seats);
        self.send(signer, &call, wait).await
    }

    /// Pays back seats that have left their pool. Answers how many plancks.
    pub async fn withdraw_seats(
        &self,
        signer: &Signer,
        pool: PoolId,
        wait: Wait,
    ) -> Result<(Receipt, Balance)> {
        let call = runtime::transactions().review().withdraw_seats(Static(pool));
        let receipt = self.send(signer, &call, wait).await?;
        let event: runtime::review::events::SeatsReturned =
            receipt.require("Review::SeatsReturned")?;
        Ok((receipt, event.amount))
    }

    /// Bonds anew what seats have lost. Answers how many plancks.
    pub async fn top_up(
        &self,
        signer: &Signer,
        pool: PoolId,
        wait: Wait,
    ) -> Result<(Receipt, Balance)> {
        let call = runtime::transactions().review().top_up(Static(pool));
        let receipt = self.send(signer, &call, wait).await?;
        let event: runtime::review::events::SeatsToppedUp =
            receipt.require("Review::SeatsToppedUp")?;
        Ok((receipt, event.amount))
    }

    /// Says where the signer serves what it judges with its seats in a pool, as multiaddrs; none for nowhere.
    pub async fn serve_at(
        &self,
        signer: &Signer,
        pool: PoolId,
        addresses: &[String],
        wait: Wait,
    ) -> Result<Receipt> {
        let texts = addresses.iter().map(|text| BoundedVec(text.as_bytes().to_vec()));
        let addresses = BoundedVec(texts.collect());
        let call = runtime::transactions().review().serve_at(Static(pool), addresses);
        self.send(signer, &call, wait).await
    }

    /// Commits to what [`seal`] gives.
    pub async fn commit_opinions(
        &self,
        signer: &Signer,
        draw: DrawId,
        sealed: H256,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().review().commit(draw, sealed);
        self.send(signer, &call, wait).await
    }

    /// Shows what was committed to.
    pub async fn reveal_opinions(
        &self,
        signer: &Signer,
        draw: DrawId,
        opinions: &Opinions,
        salt: &Salt,
        wait: Wait,
    ) -> Result<Receipt> {
        let opinions = BoundedVec(opinions.iter().copied().map(Static).collect());
        let call = runtime::transactions().review().reveal(draw, opinions, *salt);
        self.send(signer, &call, wait).await
    }

    /// Challenges the verdict on a file of a draw. Answers the draw of the larger committee.
    pub async fn challenge(
        &self,
        signer: &Signer,
        draw: DrawId,
        file: u8,
        wait: Wait,
    ) -> Result<(Receipt, DrawId)> {
        let call = runtime::transactions().review().challenge(draw, file);
        let receipt = self.send(signer, &call, wait).await?;
        let event: runtime::review::events::Challenged = receipt.require("Review::Challenged")?;
        Ok((receipt, event.by))
    }

    /// Does what is due for seats and draws.
    pub async fn advance_reviews(&self, signer: &Signer, wait: Wait) -> Result<Receipt> {
        self.send(signer, &runtime::transactions().review().advance(), wait).await
    }

    /// Brings pending files of one contributor before a committee.
    pub async fn request_review(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        files: &[FileHash],
        wait: Wait,
    ) -> Result<Receipt> {
        let files = BoundedVec(files.to_vec());
        let call = runtime::transactions().review().request_review(datanet, files);
        self.send(signer, &call, wait).await
    }

    /// Pays into the review budget of the signer's Datanet.
    pub async fn fund_review_budget(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        amount: Balance,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().review().fund_budget(datanet, amount);
        self.send(signer, &call, wait).await
    }

    /// Takes back what no draw needs of the review budget of the signer's Datanet.
    pub async fn take_back_review_budget(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        amount: Balance,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().review().take_back(datanet, amount);
        self.send(signer, &call, wait).await
    }

    /// Says how fast the review budget of the signer's Datanet may be used up.
    pub async fn set_review_budget_terms(
        &self,
        signer: &Signer,
        datanet: DatanetId,
        terms: BudgetTerms,
        wait: Wait,
    ) -> Result<Receipt> {
        let call = runtime::transactions().review().set_budget_terms(datanet, Static(terms));
        self.send(signer, &call, wait).await
    }
}
