//! What an account may let another one do for it.

use crate::RuntimeCall;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::InstanceFilter;
use scale_info::TypeInfo;

/// Kinds of proxies. Stored with every proxy: append only.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum ProxyType {
    /// Everything. With a delay, this is how a lost account is recovered.
    #[default]
    Any,
    /// Referenda, votes in them, preimages and what the treasury approved.
    Governance,
    /// Gives files to Datanets and takes them back: a contributor's key on a machine.
    Contribute,
    /// Votes on files, also sealed ones of a committee: a reviewer's key on a machine.
    Review,
    /// Takes jobs, trains and judges disputed results, but registers no worker and moves no bond.
    Work,
    /// Rejects announcements of other proxies, and nothing else.
    RejectAnnouncement,
    /// Validates and nominates with what is bonded, but bonds nothing first and sends no payout elsewhere: a validator's
    /// key on a machine.
    Staking,
}

impl InstanceFilter<RuntimeCall> for ProxyType {
    fn filter(&self, call: &RuntimeCall) -> bool {
        // Calls in a batch are looked at one by one when they are dispatched.
        let batch = matches!(
            call,
            RuntimeCall::Utility(
                pallet_utility::Call::batch { .. }
                    | pallet_utility::Call::batch_all { .. }
                    | pallet_utility::Call::force_batch { .. }
            )
        );
        match self {
            Self::Any => true,
            Self::Governance => {
                batch
                    || matches!(
                        call,
                        RuntimeCall::Preimage(..)
                            | RuntimeCall::Referenda(..)
                            | RuntimeCall::ConvictionVoting(..)
                            | RuntimeCall::Treasury(..)
                    )
            }
            Self::Contribute => {
                use pallet_datanets::Call;
                batch
                    || matches!(
                        call,
                        RuntimeCall::Datanets(
                            Call::submit { .. }
                                | Call::precommit { .. }
                                | Call::open { .. }
                                | Call::withdraw { .. }
                        )
                    )
            }
            Self::Review => {
                use pallet_review::Call;
                batch
                    || matches!(
                        call,
                        RuntimeCall::Review(
                            Call::vote { .. }
                                | Call::vote_many { .. }
                                | Call::commit { .. }
                                | Call::reveal { .. }
                                | Call::advance {}
                        )
                    )
            }
            Self::Work => {
                use pallet_training::Call;
                batch
                    || matches!(
                        call,
                        RuntimeCall::Training(
                            Call::take { .. }
                                | Call::decline { .. }
                                | Call::heartbeat { .. }
                                | Call::submit_result { .. }
                                | Call::commit_finding { .. }
                                | Call::reveal_finding { .. }
                                | Call::pause {}
                                | Call::resume {}
                        )
                    )
            }
            // `bond`, `set_payee`, `join`, `create` and commissions say who is paid.
            Self::Staking => {
                use pallet_nomination_pools::Call as Pools;
                use pallet_staking::Call;
                batch
                    || matches!(
                        call,
                        RuntimeCall::Staking(
                            Call::bond_extra { .. }
                                | Call::unbond { .. }
                                | Call::rebond { .. }
                                | Call::withdraw_unbonded { .. }
                                | Call::validate { .. }
                                | Call::nominate { .. }
                                | Call::chill {}
                                | Call::payout_stakers { .. }
                        ) | RuntimeCall::Session(
                            pallet_session::Call::set_keys { .. }
                                | pallet_session::Call::purge_keys {}
                        ) | RuntimeCall::BagsList(pallet_bags_list::Call::rebag { .. })
                            | RuntimeCall::NominationPools(
                                Pools::bond_extra { .. }
                                    | Pools::claim_payout {}
                                    | Pools::unbond { .. }
                                    | Pools::withdraw_unbonded { .. }
                                    | Pools::pool_withdraw_unbonded { .. }
                                    | Pools::nominate { .. }
                                    | Pools::chill { .. }
                            )
                    )
            }
            Self::RejectAnnouncement => {
                matches!(call, RuntimeCall::Proxy(pallet_proxy::Call::reject_announcement { .. }))
            }
        }
    }

    fn is_superset(&self, other: &Self) -> bool {
        self == &Self::Any || self == other
    }
}
