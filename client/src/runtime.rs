//! Calls, storage and events of the chain, generated from `metadata.scale`.
//!
//! A test of the runtime keeps that file current. Types of `openledger-primitives` stand in for the
//! generated ones, so that nothing of this module has to leave the crate.

#![allow(missing_docs, clippy::all)]

#[subxt::subxt(
    runtime_metadata_path = "metadata.scale",
    substitute_type(
        path = "openledger_primitives::media::Modality",
        with = "::subxt::utils::Static<::openledger_primitives::Modality>"
    ),
    substitute_type(
        path = "openledger_primitives::quota::QuotaLimits",
        with = "::subxt::utils::Static<::openledger_primitives::QuotaLimits>"
    ),
    substitute_type(
        path = "openledger_primitives::verdict::ReviewPolicy<A>",
        with = "crate::runtime::Policy"
    ),
    substitute_type(
        path = "openledger_primitives::verdict::Verdict",
        with = "::subxt::utils::Static<::openledger_primitives::Verdict>"
    ),
    substitute_type(
        path = "openledger_primitives::verdict::RejectionReason",
        with = "::subxt::utils::Static<::openledger_primitives::RejectionReason>"
    ),
    substitute_type(
        path = "openledger_primitives::refusal::BarReason",
        with = "::subxt::utils::Static<::openledger_primitives::BarReason>"
    ),
    substitute_type(
        path = "openledger_primitives::api::SubmissionItem",
        with = "::subxt::utils::Static<::openledger_primitives::api::SubmissionItem>"
    ),
    substitute_type(
        path = "openledger_primitives::content_id::ContentId",
        with = "::subxt::utils::Static<::openledger_primitives::ContentId>"
    ),
    substitute_type(
        path = "openledger_primitives::reward::RewardTerms",
        with = "::subxt::utils::Static<::openledger_primitives::RewardTerms>"
    ),
    substitute_type(
        path = "openledger_primitives::funding::PoolRules",
        with = "::subxt::utils::Static<::openledger_primitives::PoolRules>"
    ),
    substitute_type(
        path = "openledger_primitives::datanet::DatanetText",
        with = "::subxt::utils::Static<::openledger_primitives::DatanetText>"
    ),
    substitute_type(
        path = "openledger_primitives::datanet::DatanetStatus",
        with = "::subxt::utils::Static<::openledger_primitives::DatanetStatus>"
    ),
    substitute_type(
        path = "openledger_primitives::training::ModelFamily",
        with = "::subxt::utils::Static<::openledger_primitives::ModelFamily>"
    ),
    substitute_type(
        path = "openledger_primitives::training::JobKind",
        with = "::subxt::utils::Static<::openledger_primitives::JobKind>"
    ),
    substitute_type(
        path = "openledger_primitives::training::TrainingSpec",
        with = "::subxt::utils::Static<::openledger_primitives::TrainingSpec>"
    ),
    substitute_type(
        path = "openledger_primitives::leaf::DatasetRef",
        with = "::subxt::utils::Static<::openledger_primitives::leaf::DatasetRef>"
    ),
    substitute_type(
        path = "openledger_primitives::job::JobResult",
        with = "::subxt::utils::Static<::openledger_primitives::JobResult>"
    ),
    substitute_type(
        path = "openledger_primitives::job::JobFailure",
        with = "::subxt::utils::Static<::openledger_primitives::job::JobFailure>"
    ),
    substitute_type(
        path = "openledger_primitives::job::DeclineReason",
        with = "::subxt::utils::Static<::openledger_primitives::job::DeclineReason>"
    ),
    substitute_type(
        path = "openledger_primitives::job::dispute::Finding",
        with = "::subxt::utils::Static<::openledger_primitives::job::dispute::Finding>"
    ),
    substitute_type(
        path = "openledger_primitives::job::dispute::Outcome",
        with = "::subxt::utils::Static<::openledger_primitives::job::dispute::Outcome>"
    ),
    substitute_type(
        path = "openledger_primitives::committee::seats::PoolId",
        with = "::subxt::utils::Static<::openledger_primitives::committee::PoolId>"
    ),
    substitute_type(
        path = "openledger_primitives::committee::vote::Opinion",
        with = "::subxt::utils::Static<::openledger_primitives::committee::Opinion>"
    ),
    substitute_type(
        path = "openledger_primitives::committee::budget::BudgetTerms",
        with = "::subxt::utils::Static<::openledger_primitives::committee::BudgetTerms>"
    ),
    substitute_type(
        path = "openledger_primitives::datanet::AdmissionPolicy",
        with = "::subxt::utils::Static<::openledger_primitives::AdmissionPolicy>"
    ),
    substitute_type(
        path = "openledger_primitives::market::Serves",
        with = "::subxt::utils::Static<::openledger_primitives::Serves>"
    )
)]
mod generated {}

/// A review policy with the chain's accounts: the generated derives ask too little of a generic one.
pub type Policy =
    subxt::utils::Static<openledger_primitives::ReviewPolicy<subxt::utils::AccountId32>>;

pub use generated::*;
