//! Runtime APIs.

use crate::{
    AccountId, Babe, Balance, Block, BlockNumber, Datanets, Executive, Grandpa, Historical,
    InherentDataExt, Leaderboard, NominationPools, Nonce, Review, Runtime, RuntimeCall,
    RuntimeGenesisConfig, SessionKeys, Staking, System, Training, TransactionPayment, BABE_EPOCH,
    VERSION,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
    genesis_builder_helper::{build_state, get_preset},
    traits::{Get, KeyOwnerProofSystem},
};
use openledger_primitives::{
    api::{
        BarView, BaseModelView, BoardCursor, BoardEntry, CapsView, DatanetDetails, DatanetView,
        DisputeView, JobView, LeafView, PayoutView, PendingView, PoolView, PrecommitView,
        QueuePlace, QuotaStatus, RevocationView, ShareView, SubmissionItem, SubmissionKey,
        SubmissionState, SubmissionView, WaitingPolicyView, WorkerView,
    },
    committee::{
        api::{BudgetView, DrawView, SeatsView},
        Addresses, DrawId, PoolId, PoolSize, Session as SessionNumber,
    },
    job::Adapter,
    nomination::{NominationPoolId, NominationPoolView, NominationTerms, PoolMemberView},
    traits::OnAccepted,
    AdmissionPolicy, BaseModelId, DatanetId, DatasetVersion, ExtractorVersion, JobId, LeafIndex,
    Period, Points, Pool, Refusal, Salt, SubmissionId, Windows,
};
use sp_api::impl_runtime_apis;
use sp_core::{OpaqueMetadata, H256};
use sp_runtime::{
    traits::{Block as BlockT, NumberFor},
    transaction_validity::{TransactionSource, TransactionValidity},
    ApplyExtrinsicResult,
};
use sp_session::OpaqueGeneratedSessionKeys;
use sp_version::RuntimeVersion;

/// Fills in what another pallet keeps of a submission: the votes on it.
fn with_votes(mut view: SubmissionView<AccountId>) -> SubmissionView<AccountId> {
    if let SubmissionState::Pending { votes, .. } = &mut view.state {
        let ballot = pallet_review::Ballots::<Runtime>::get(view.submission);
        *votes = ballot.map(|ballot| ballot.votes.into_inner()).unwrap_or_default();
    }
    view
}

impl_runtime_apis! {
    impl sp_api::Core<Block> for Runtime {
        fn version() -> RuntimeVersion {
            VERSION
        }

        fn execute_block(block: <Block as BlockT>::LazyBlock) {
            Executive::execute_block(block);
        }

        fn initialize_block(
            header: &<Block as BlockT>::Header,
        ) -> sp_runtime::ExtrinsicInclusionMode {
            Executive::initialize_block(header)
        }
    }

    impl sp_api::Metadata<Block> for Runtime {
        fn metadata() -> OpaqueMetadata {
            OpaqueMetadata::new(Runtime::metadata().into())
        }

        fn metadata_at_version(version: u32) -> Option<OpaqueMetadata> {
            Runtime::metadata_at_version(version)
        }

        fn metadata_versions() -> Vec<u32> {
            Runtime::metadata_versions()
        }
    }

    impl frame_support::view_functions::runtime_api::RuntimeViewFunction<Block> for Runtime {
        fn execute_view_function(
            id: frame_support::view_functions::ViewFunctionId,
            input: Vec<u8>,
        ) -> Result<Vec<u8>, frame_support::view_functions::ViewFunctionDispatchError> {
            Runtime::execute_view_function(id, input)
        }
    }

    impl sp_block_builder::BlockBuilder<Block> for Runtime {
        fn apply_extrinsic(extrinsic: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
            Executive::apply_extrinsic(extrinsic)
        }

        fn finalize_block() -> <Block as BlockT>::Header {
            Executive::finalize_block()
        }

        fn inherent_extrinsics(
            data: sp_inherents::InherentData,
        ) -> Vec<<Block as BlockT>::Extrinsic> {
            data.create_extrinsics()
        }

        fn check_inherents(
            block: <Block as BlockT>::LazyBlock,
            data: sp_inherents::InherentData,
        ) -> sp_inherents::CheckInherentsResult {
            data.check_extrinsics(&block)
        }
    }

    impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
        fn validate_transaction(
            source: TransactionSource,
            tx: <Block as BlockT>::Extrinsic,
            block_hash: <Block as BlockT>::Hash,
        ) -> TransactionValidity {
            Executive::validate_transaction(source, tx, block_hash)
        }
    }

    impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
        fn offchain_worker(header: &<Block as BlockT>::Header) {
            Executive::offchain_worker(header)
        }
    }

    impl sp_consensus_babe::BabeApi<Block> for Runtime {
        fn configuration() -> sp_consensus_babe::BabeConfiguration {
            let epoch_config = Babe::epoch_config().unwrap_or(BABE_EPOCH);
            sp_consensus_babe::BabeConfiguration {
                slot_duration: Babe::slot_duration(),
                epoch_length: <Runtime as pallet_babe::Config>::EpochDuration::get(),
                c: epoch_config.c,
                authorities: Babe::authorities().to_vec(),
                randomness: Babe::randomness(),
                allowed_slots: epoch_config.allowed_slots,
            }
        }

        fn current_epoch_start() -> sp_consensus_babe::Slot {
            Babe::current_epoch_start()
        }

        fn current_epoch() -> sp_consensus_babe::Epoch {
            Babe::current_epoch()
        }

        fn next_epoch() -> sp_consensus_babe::Epoch {
            Babe::next_epoch()
        }

        fn generate_key_ownership_proof(
            _slot: sp_consensus_babe::Slot,
            authority_id: sp_consensus_babe::AuthorityId,
        ) -> Option<sp_consensus_babe::OpaqueKeyOwnershipProof> {
            Historical::prove((sp_consensus_babe::KEY_TYPE, authority_id))
                .map(|proof| sp_consensus_babe::OpaqueKeyOwnershipProof::new(proof.encode()))
        }

        fn submit_report_equivocation_unsigned_extrinsic(
            equivocation_proof: sp_consensus_babe::EquivocationProof<<Block as BlockT>::Header>,
            key_owner_proof: sp_consensus_babe::OpaqueKeyOwnershipProof,
        ) -> Option<()> {
            // Nodes of this release report headers without their seal too: nothing to fill blocks with.
            if !sp_consensus_babe::check_equivocation_proof(equivocation_proof.clone()) {
                return None;
            }
            Babe::submit_unsigned_equivocation_report(
                equivocation_proof,
                key_owner_proof.decode()?,
            )
        }
    }

    impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
        fn grandpa_authorities() -> sp_consensus_grandpa::AuthorityList {
            Grandpa::grandpa_authorities()
        }

        fn current_set_id() -> sp_consensus_grandpa::SetId {
            pallet_grandpa::CurrentSetId::<Runtime>::get()
        }

        fn submit_report_equivocation_unsigned_extrinsic(
            equivocation_proof: sp_consensus_grandpa::EquivocationProof<
                <Block as BlockT>::Hash,
                NumberFor<Block>,
            >,
            key_owner_proof: sp_consensus_grandpa::OpaqueKeyOwnershipProof,
        ) -> Option<()> {
            Grandpa::submit_unsigned_equivocation_report(
                equivocation_proof,
                key_owner_proof.decode()?,
            )
        }

        fn generate_key_ownership_proof(
            _set_id: sp_consensus_grandpa::SetId,
            authority_id: sp_consensus_grandpa::AuthorityId,
        ) -> Option<sp_consensus_grandpa::OpaqueKeyOwnershipProof> {
            Historical::prove((sp_consensus_grandpa::KEY_TYPE, authority_id))
                .map(|proof| sp_consensus_grandpa::OpaqueKeyOwnershipProof::new(proof.encode()))
        }
    }

    impl pallet_staking_runtime_api::StakingApi<Block, Balance, AccountId> for Runtime {
        fn nominations_quota(balance: Balance) -> u32 {
            Staking::api_nominations_quota(balance)
        }

        fn eras_stakers_page_count(era: sp_staking::EraIndex, account: AccountId) -> sp_staking::Page {
            Staking::api_eras_stakers_page_count(era, account)
        }

        fn pending_rewards(era: sp_staking::EraIndex, account: AccountId) -> bool {
            Staking::api_pending_rewards(era, account)
        }
    }

    impl pallet_nomination_pools_runtime_api::NominationPoolsApi<Block, AccountId, Balance>
        for Runtime
    {
        fn pending_rewards(who: AccountId) -> Balance {
            NominationPools::api_pending_rewards(who).unwrap_or_default()
        }

        fn points_to_balance(pool: NominationPoolId, points: Balance) -> Balance {
            NominationPools::api_points_to_balance(pool, points)
        }

        fn balance_to_points(pool: NominationPoolId, new_funds: Balance) -> Balance {
            NominationPools::api_balance_to_points(pool, new_funds)
        }

        fn pool_pending_slash(pool: NominationPoolId) -> Balance {
            crate::staking::pools::pool(pool).map_or(0, |pool| pool.pending_slash)
        }

        fn member_pending_slash(member: AccountId) -> Balance {
            NominationPools::api_member_pending_slash(member)
        }

        fn pool_needs_delegate_migration(pool: NominationPoolId) -> bool {
            NominationPools::api_pool_needs_delegate_migration(pool)
        }

        fn member_needs_delegate_migration(member: AccountId) -> bool {
            NominationPools::api_member_needs_delegate_migration(member)
        }

        fn member_total_balance(who: AccountId) -> Balance {
            NominationPools::api_member_total_balance(who)
        }

        fn pool_balance(pool: NominationPoolId) -> Balance {
            NominationPools::api_pool_balance(pool)
        }

        fn pool_accounts(pool: NominationPoolId) -> (AccountId, AccountId) {
            NominationPools::api_pool_accounts(pool)
        }
    }

    impl openledger_primitives::nomination::NominationApi<Block, AccountId> for Runtime {
        fn terms() -> NominationTerms {
            crate::staking::pools::terms()
        }

        fn pool(id: NominationPoolId) -> Option<NominationPoolView<AccountId>> {
            crate::staking::pools::pool(id)
        }

        fn pools(start: NominationPoolId, limit: u32) -> Vec<NominationPoolView<AccountId>> {
            crate::staking::pools::pools(start, limit)
        }

        fn member(account: AccountId) -> Option<PoolMemberView> {
            crate::staking::pools::member(&account)
        }
    }

    impl sp_session::SessionKeys<Block> for Runtime {
        fn generate_session_keys(
            owner: Vec<u8>,
            seed: Option<Vec<u8>>,
        ) -> OpaqueGeneratedSessionKeys {
            SessionKeys::generate(&owner, seed).into()
        }

        fn decode_session_keys(
            encoded: Vec<u8>,
        ) -> Option<Vec<(Vec<u8>, sp_core::crypto::KeyTypeId)>> {
            SessionKeys::decode_into_raw_public_keys(&encoded)
        }
    }

    impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
        fn account_nonce(account: AccountId) -> Nonce {
            System::account_nonce(account)
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance>
        for Runtime
    {
        fn query_info(
            uxt: <Block as BlockT>::Extrinsic,
            len: u32,
        ) -> pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo<Balance> {
            TransactionPayment::query_info(uxt, len)
        }

        fn query_fee_details(
            uxt: <Block as BlockT>::Extrinsic,
            len: u32,
        ) -> pallet_transaction_payment::FeeDetails<Balance> {
            TransactionPayment::query_fee_details(uxt, len)
        }

        fn query_weight_to_fee(weight: frame_support::weights::Weight) -> Balance {
            TransactionPayment::weight_to_fee(weight)
        }

        fn query_length_to_fee(length: u32) -> Balance {
            TransactionPayment::length_to_fee(length)
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentCallApi<
        Block, Balance, RuntimeCall,
    > for Runtime
    {
        fn query_call_info(
            call: RuntimeCall,
            len: u32,
        ) -> pallet_transaction_payment::RuntimeDispatchInfo<Balance> {
            TransactionPayment::query_call_info(call, len)
        }

        fn query_call_fee_details(
            call: RuntimeCall,
            len: u32,
        ) -> pallet_transaction_payment::FeeDetails<Balance> {
            TransactionPayment::query_call_fee_details(call, len)
        }

        fn query_weight_to_fee(weight: frame_support::weights::Weight) -> Balance {
            TransactionPayment::weight_to_fee(weight)
        }

        fn query_length_to_fee(length: u32) -> Balance {
            TransactionPayment::length_to_fee(length)
        }
    }

    impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
        fn build_state(config: Vec<u8>) -> sp_genesis_builder::Result {
            build_state::<RuntimeGenesisConfig>(config)
        }

        fn get_preset(id: &Option<sp_genesis_builder::PresetId>) -> Option<Vec<u8>> {
            get_preset::<RuntimeGenesisConfig>(id, crate::genesis_presets::get_preset)
        }

        fn preset_names() -> Vec<sp_genesis_builder::PresetId> {
            crate::genesis_presets::preset_names()
        }
    }

    #[api_version(4)]
    impl openledger_primitives::api::DatanetsApi<Block, AccountId> for Runtime {
        fn quota(account: AccountId) -> QuotaStatus {
            Datanets::quota(&account)
        }

        fn check_submission(
            account: AccountId,
            datanet: DatanetId,
            items: Vec<SubmissionItem>,
        ) -> Result<(), Refusal> {
            Datanets::check_admission(&account, datanet, &items)
        }

        fn datanet(datanet: DatanetId) -> Option<DatanetView<AccountId>> {
            let mut view = Datanets::datanet(datanet)?;
            view.policy = Review::policy(datanet);
            Some(view)
        }

        fn datanets(start: DatanetId, limit: u32) -> Vec<DatanetView<AccountId>> {
            let mut views = Datanets::datanets(start, limit);
            for view in &mut views {
                view.policy = Review::policy(view.id);
            }
            views
        }

        fn pending(
            datanet: DatanetId,
            after: Option<SubmissionId>,
            limit: u32,
        ) -> Vec<PendingView<AccountId>> {
            Datanets::pending(datanet, after, limit)
        }

        fn leaves(datanet: DatanetId, start: LeafIndex, limit: u32) -> Vec<LeafView<AccountId>> {
            Datanets::leaves(datanet, start, limit)
        }

        fn version_at(datanet: DatanetId, leaves: u64) -> Option<DatasetVersion> {
            <Datanets as openledger_primitives::traits::DatasetVersions>::version_at(datanet, leaves)
        }

        fn leaf_proof(datanet: DatanetId, index: LeafIndex, leaves: u64) -> Option<Vec<H256>> {
            Datanets::leaf_proof(datanet, index, leaves)
        }

        fn details(datanet: DatanetId) -> Option<DatanetDetails<AccountId>> {
            Datanets::details(datanet)
        }

        fn check_precommit(account: AccountId, commitments: Vec<H256>) -> Result<(), Refusal> {
            Datanets::check_precommit(&account, &commitments)
        }

        fn check_opening(
            account: AccountId,
            datanet: DatanetId,
            items: Vec<SubmissionItem>,
            salt: Salt,
        ) -> Result<(), Refusal> {
            Datanets::check_opening(&account, datanet, &items, &salt)
        }

        fn precommits(account: AccountId) -> Vec<PrecommitView> {
            Datanets::precommits(&account)
        }

        fn submission(
            datanet: DatanetId,
            key: SubmissionKey,
        ) -> Option<SubmissionView<AccountId>> {
            Datanets::submission(datanet, key).map(with_votes)
        }

        fn submissions_of(
            account: AccountId,
            after: Option<SubmissionId>,
            limit: u32,
        ) -> Vec<SubmissionView<AccountId>> {
            let views = Datanets::submissions_of(&account, after, limit);
            views.into_iter().map(with_votes).collect()
        }

        fn caps(datanet: DatanetId) -> Option<CapsView> {
            Datanets::caps(datanet)
        }

        fn bar(datanet: DatanetId, account: AccountId) -> Option<BarView> {
            Datanets::bar_of(datanet, &account)
        }

        fn revoked(datanet: DatanetId, start: LeafIndex, limit: u32) -> Vec<LeafIndex> {
            Datanets::revoked(datanet, start, limit)
        }

        fn admission(datanet: DatanetId, account: AccountId) -> (AdmissionPolicy, bool) {
            let invited = pallet_datanets::Invitations::<Runtime>::contains_key(datanet, &account);
            (pallet_datanets::Admissions::<Runtime>::get(datanet), invited)
        }

        fn revocations(datanet: DatanetId, start: LeafIndex, limit: u32) -> Vec<RevocationView> {
            Datanets::revocations(datanet, start, limit)
        }
    }

    impl openledger_primitives::api::ReviewApi<Block> for Runtime {
        fn extractor() -> ExtractorVersion {
            pallet_review::CurrentExtractor::<Runtime>::get()
        }
    }

    #[api_version(2)]
    impl openledger_primitives::committee::api::CommitteeApi<Block, AccountId> for Runtime {
        fn next_draw() -> (DrawId, SessionNumber) {
            Review::next_draw()
        }

        fn draw(draw: DrawId) -> Option<DrawView<AccountId>> {
            Review::draw_view(draw)
        }

        fn draws(start: DrawId, limit: u32) -> Vec<DrawView<AccountId>> {
            Review::draw_views(start, limit)
        }

        fn draw_of(submission: SubmissionId) -> Option<DrawId> {
            pallet_review::DrawOf::<Runtime>::get(submission)
        }

        fn seats(pool: PoolId, account: AccountId) -> Option<SeatsView> {
            Review::seats_view(pool, &account)
        }

        fn pool_size(pool: PoolId) -> PoolSize {
            Review::pool_size(pool)
        }

        fn addresses(pool: PoolId, accounts: Vec<AccountId>) -> Vec<(AccountId, Addresses)> {
            Review::addresses(pool, accounts)
        }

        fn budget(datanet: DatanetId) -> BudgetView {
            Review::budget_view(datanet)
        }

        fn reserved_for(datanet: DatanetId, account: AccountId) -> (Balance, Balance) {
            Review::reserved_for(datanet, &account)
        }
    }

    #[api_version(3)]
    impl openledger_primitives::api::LeaderboardApi<Block, AccountId> for Runtime {
        fn leaderboard(
            datanet: DatanetId,
            cursor: Option<BoardCursor>,
            limit: u32,
        ) -> Vec<BoardEntry<AccountId>> {
            Leaderboard::leaderboard(datanet, cursor, limit)
        }

        fn points(datanet: DatanetId, account: AccountId) -> Points {
            Leaderboard::points(datanet, &account)
        }

        fn claimable(datanet: DatanetId, account: AccountId) -> Balance {
            Leaderboard::claimable(datanet, &account)
        }

        fn pool(datanet: DatanetId) -> Option<Pool> {
            Leaderboard::pool(datanet)
        }

        fn period() -> (Period, BlockNumber) {
            Leaderboard::period()
        }

        fn pool_view(datanet: DatanetId) -> Option<PoolView> {
            Leaderboard::pool_view(datanet)
        }

        fn share(datanet: DatanetId, account: AccountId) -> Option<ShareView> {
            Leaderboard::share_view(datanet, &account)
        }

        fn waiting_policy(datanet: DatanetId) -> Option<WaitingPolicyView<AccountId>> {
            Review::waiting_policy(datanet)
                .map(|waiting| WaitingPolicyView { policy: waiting.policy, block: waiting.from })
        }

        fn payout(account: AccountId) -> Option<PayoutView<AccountId>> {
            Leaderboard::payout_view(&account)
        }

        fn global_board(
            cursor: Option<BoardCursor>,
            limit: u32,
        ) -> Vec<BoardEntry<AccountId>> {
            Leaderboard::global_board(cursor, limit)
        }

        fn global_points(account: AccountId) -> Points {
            <Leaderboard as OnAccepted<AccountId>>::global_points(&account)
        }
    }

    #[api_version(6)]
    impl openledger_primitives::api::TrainingApi<Block, AccountId> for Runtime {
        fn job(job: JobId) -> Option<JobView<AccountId>> {
            Training::job(job)
        }

        fn jobs(start: JobId, limit: u32) -> Vec<(JobId, JobView<AccountId>)> {
            Training::jobs(start, limit)
        }

        fn adapter(job: JobId) -> Option<Adapter<AccountId>> {
            Training::adapter(job)
        }

        fn worker(account: AccountId) -> Option<WorkerView<AccountId>> {
            Training::worker(account)
        }

        fn parents(start: JobId, limit: u32) -> Vec<(JobId, JobId)> {
            Training::parents(start, limit)
        }

        fn ancestry(job: JobId, limit: u32) -> Vec<JobId> {
            Training::ancestry(job, limit)
        }

        fn jobs_of(
            owner: AccountId,
            start: JobId,
            limit: u32,
        ) -> Vec<(JobId, JobView<AccountId>)> {
            Training::jobs_of(owner, start, limit)
        }

        fn workers(after: Option<AccountId>, limit: u32) -> Vec<WorkerView<AccountId>> {
            Training::workers(after, limit)
        }

        fn base_models(start: BaseModelId, limit: u32) -> Vec<BaseModelView<AccountId>> {
            Training::base_models(start, limit)
        }

        fn place(job: JobId) -> Option<QueuePlace> {
            Training::place(job)
        }

        fn windows() -> Windows {
            Training::windows()
        }

        fn dispute(job: JobId) -> Option<DisputeView<AccountId>> {
            Training::dispute_of(job)
        }

        fn duties(account: AccountId) -> Vec<JobId> {
            Training::duties(account)
        }

        fn created_at(job: JobId) -> BlockNumber {
            Training::created_at(job)
        }

        fn judges(base: BaseModelId, owner: Option<AccountId>) -> u32 {
            Training::judges(base, owner.as_ref())
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    impl frame_benchmarking::Benchmark<Block> for Runtime {
        fn benchmark_metadata(
            extra: bool,
        ) -> (Vec<frame_benchmarking::BenchmarkList>, Vec<frame_support::traits::StorageInfo>) {
            crate::benchmarking::metadata(extra)
        }

        fn dispatch_benchmark(
            config: frame_benchmarking::BenchmarkConfig,
        ) -> Result<Vec<frame_benchmarking::BenchmarkBatch>, alloc::string::String> {
            crate::benchmarking::dispatch(config)
        }
    }
}
