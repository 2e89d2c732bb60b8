//! What a transaction asked for: the files that it submitted, the votes that it cast and those that it revealed,
//! wherever they stand within batches, proxied calls and those of multisigs.

use crate::runtime::{runtime_types as types, Call};
use openledger_primitives::{
    api::SubmissionItem,
    committee::{DrawId, Opinions},
    DatanetId, SubmissionId, Verdict,
};
use types::{
    pallet_datanets::pallet::Call as Datanets, pallet_multisig::pallet::Call as Multisig,
    pallet_proxy::pallet::Call as Proxy, pallet_review::pallet::Call as Review,
    pallet_sudo::pallet::Call as Sudo, pallet_utility::pallet::Call as Utility,
};

/// The files, votes and reveals of one transaction, in the order of its calls.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) files: Vec<(DatanetId, SubmissionItem)>,
    pub(super) votes: Vec<(SubmissionId, Verdict)>,
    pub(super) reveals: Vec<(DrawId, Opinions)>,
}

impl Asked {
    pub(super) fn of(call: Call) -> Self {
        let mut asked = Self::default();
        // A stack, not recursion: how deep calls stand in each other is the sender's choice.
        let mut waiting = vec![call];
        while let Some(call) = waiting.pop() {
            match call {
                Call::Datanets(
                    Datanets::submit { datanet, items } | Datanets::open { datanet, items, .. },
                ) => {
                    asked.files.extend(items.0.into_iter().map(|item| (datanet, item.0)));
                }
                Call::Review(Review::vote { submission, verdict, .. }) => {
                    asked.votes.push((submission, verdict.0));
                }
                Call::Review(Review::reveal { draw, opinions, .. }) => {
                    let opinions: Vec<_> =
                        opinions.0.into_iter().map(|opinion| opinion.0).collect();
                    // The chain takes no more than fit.
                    asked.reveals.extend(opinions.try_into().ok().map(|opinions| (draw, opinions)));
                }
                Call::Utility(
                    Utility::batch { calls }
                    | Utility::batch_all { calls }
                    | Utility::force_batch { calls },
                ) => waiting.extend(calls.into_iter().rev()),
                Call::Utility(
                    Utility::as_derivative { call, .. }
                    | Utility::dispatch_as { call, .. }
                    | Utility::dispatch_as_fallible { call, .. }
                    | Utility::with_weight { call, .. },
                )
                | Call::Sudo(
                    Sudo::sudo { call }
                    | Sudo::sudo_unchecked_weight { call, .. }
                    | Sudo::sudo_as { call, .. },
                )
                | Call::Proxy(Proxy::proxy { call, .. } | Proxy::proxy_announced { call, .. })
                | Call::Multisig(
                    Multisig::as_multi { call, .. } | Multisig::as_multi_threshold_1 { call, .. },
                ) => waiting.push(*call),
                Call::Utility(Utility::if_else { main, fallback }) => {
                    waiting.push(*fallback);
                    waiting.push(*main);
                }
                _ => {}
            }
        }
        asked
    }
}
