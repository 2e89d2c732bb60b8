//! Pools, their terms and shares.

use super::hex;
use crate::{
    api::{PoolView, ShareView},
    funding::WayOut,
    RewardTerms,
};
use alloc::string::{String, ToString};
use serde::Serialize;

/// How fast a pool pays out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// Most plancks released for one period.
    pub per_period: String,
    /// Most plancks for one point.
    pub max_per_point: String,
}

impl From<RewardTerms> for Terms {
    fn from(terms: RewardTerms) -> Self {
        Self {
            per_period: terms.per_period.to_string(),
            max_per_point: terms.max_per_point.to_string(),
        }
    }
}

/// What `fund` has to name.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolRules {
    /// The terms.
    pub terms: Terms,
    /// The terms that wait.
    pub next_terms: Option<Terms>,
    /// Hash of the review policy.
    pub policy: String,
    /// Hash of the policy that waits.
    pub next_policy: Option<String>,
}

impl From<crate::PoolRules> for PoolRules {
    fn from(rules: crate::PoolRules) -> Self {
        Self {
            terms: rules.terms.into(),
            next_terms: rules.next_terms.map(Into::into),
            policy: hex(rules.policy),
            next_policy: rules.next_policy.map(hex),
        }
    }
}

/// Terms that wait, and until when.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingTerms {
    /// The terms.
    #[serde(flatten)]
    pub terms: Terms,
    /// The first period that they count for.
    pub from_period: u32,
    /// Its first block.
    pub from_block: u32,
}

/// A reward pool as it is now.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pool {
    /// Plancks ever paid in.
    pub total_in: String,
    /// Paid out for points.
    pub claimed: String,
    /// Released to points, not yet paid out.
    pub owed: String,
    /// Not yet released.
    pub available: String,
    /// Left with shares, not yet withdrawn.
    pub returning: String,
    /// Withdrawn by funders.
    pub returned: String,
    /// Most plancks released for one period.
    pub per_period: String,
    /// Most plancks for one point.
    pub max_per_point: String,
    /// The current period.
    pub period: u32,
    /// Points earned in it.
    pub points: String,
    /// Terms that wait.
    pub waiting: Option<WaitingTerms>,
    /// What `fund` has to name.
    pub rules: PoolRules,
    /// Shares of what is available.
    pub shares: String,
    /// Those of them that nobody holds.
    pub unowned: String,
    /// Why funders may leave now; nothing if they may not.
    pub way_out: Option<WayOut>,
}

impl From<PoolView> for Pool {
    fn from(pool: PoolView) -> Self {
        let terms = Terms::from(pool.rules.terms);
        Self {
            total_in: pool.total_in.to_string(),
            claimed: pool.claimed.to_string(),
            owed: pool.owed.to_string(),
            available: pool.available.to_string(),
            returning: pool.returning.to_string(),
            returned: pool.returned.to_string(),
            per_period: terms.per_period,
            max_per_point: terms.max_per_point,
            period: pool.period,
            points: pool.points.to_string(),
            waiting: pool.waiting.map(|waiting| WaitingTerms {
                terms: waiting.terms.into(),
                from_period: waiting.from,
                from_block: waiting.block,
            }),
            rules: pool.rules.into(),
            shares: pool.shares.to_string(),
            unowned: pool.unowned.to_string(),
            way_out: pool.way_out,
        }
    }
}

/// What a funder owns of a pool.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// Shares that stay.
    pub shares: String,
    /// Plancks that they are worth now.
    pub worth: String,
    /// Shares that leave at the end of the period.
    pub leaving: String,
    /// Plancks that can be withdrawn.
    pub due: String,
}

impl From<ShareView> for Share {
    fn from(share: ShareView) -> Self {
        Self {
            shares: share.shares.to_string(),
            worth: share.worth.to_string(),
            leaving: share.leaving.to_string(),
            due: share.due.to_string(),
        }
    }
}
