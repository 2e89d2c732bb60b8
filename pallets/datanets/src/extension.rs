//! The transaction extension that keeps refused free calls out of pool and block.

use crate::{Call, Config, FeelessUsed, Pallet, WeightInfo};
use codec::{Decode, DecodeWithMemTracking, Encode};
use core::{fmt, marker::PhantomData};
use frame_support::{
    dispatch::{DispatchClass, DispatchInfo, PostDispatchInfo},
    pallet_prelude::{TransactionSource, Weight},
    traits::{Get, IsSubType, OriginTrait},
};
use openledger_primitives::{api::SubmissionItem, DatanetId, FileHash, Salt};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::{
    traits::{
        DispatchInfoOf, Dispatchable, Implication, PostDispatchInfoOf, TransactionExtension,
        ValidateResult,
    },
    transaction_validity::{InvalidTransaction, TransactionValidityError, ValidTransaction},
    DispatchResult,
};

/// Blocks that a free call stays valid in the pool: admission depends on the day.
const LONGEVITY: u64 = 100;

/// Applies the admission rules to a signed, top-level call that costs no fee: [`Call::submit`],
/// [`Call::precommit`], [`Call::open`], [`Call::withdraw`].
///
/// `validate` answers `InvalidTransaction::Custom(rule.code())` with the
/// [`RefusalRule`](openledger_primitives::RefusalRule) that is broken, and tags the transaction with
/// its account, so that an account has one free call pending at a time: two would be judged against
/// the same quota. A block validates once more on the state right before dispatch, and `prepare`, which
/// follows on the same state, only keeps all free calls of a block within [`Config::FeelessShare`] of what
/// normal transactions may take (`InvalidTransaction::ExhaustsResources` otherwise: it fits a later block).
/// Dispatch then cannot fail, and uses up the quota. What it did not need of its weight is given back to
/// the share.
///
/// Any other call passes untouched. A free call inside another call is not seen here: the outer call
/// pays its fee, and dispatch checks it.
///
/// Nothing is added to what wallets sign.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[scale_info(skip_type_params(T))]
pub struct AdmitSubmission<T>(PhantomData<T>);

impl<T> AdmitSubmission<T> {
    /// The extension.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for AdmitSubmission<T> {
    fn default() -> Self {
        Self::new()
    }
}

// By hand: derives would ask the same of `T`, the runtime.
impl<T> Clone for AdmitSubmission<T> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<T> PartialEq for AdmitSubmission<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for AdmitSubmission<T> {}

impl<T> fmt::Debug for AdmitSubmission<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdmitSubmission")
    }
}

/// A call that costs no fee.
enum Free<'a> {
    Submit(DatanetId, &'a [SubmissionItem]),
    Precommit(&'a [H256]),
    Open(DatanetId, &'a [SubmissionItem], &'a Salt),
    Withdraw(DatanetId, &'a FileHash),
}

impl<'a> Free<'a> {
    fn of<T: Config>(call: &'a T::RuntimeCall) -> Option<Self>
    where
        T::RuntimeCall: IsSubType<Call<T>>,
    {
        Some(match call.is_sub_type()? {
            Call::submit { datanet, items } => Self::Submit(*datanet, items),
            Call::precommit { commitments } => Self::Precommit(commitments),
            Call::open { datanet, items, salt } => Self::Open(*datanet, items, salt),
            Call::withdraw { datanet, sha256 } => Self::Withdraw(*datanet, sha256),
            _ => return None,
        })
    }

    fn check<T: Config>(&self, who: &T::AccountId) -> Result<(), TransactionValidityError> {
        match self {
            Self::Submit(datanet, items) => Pallet::<T>::check_admission(who, *datanet, items),
            Self::Precommit(commitments) => Pallet::<T>::check_precommit(who, commitments),
            Self::Open(datanet, items, salt) => {
                Pallet::<T>::check_opening(who, *datanet, items, salt)
            }
            Self::Withdraw(datanet, sha256) => {
                Pallet::<T>::admit_withdrawal(who, *datanet, sha256).map(drop)
            }
        }
        .map_err(|refusal| InvalidTransaction::Custom(refusal.rule.code()).into())
    }

    fn weight<T: Config>(&self) -> Weight {
        match self {
            Self::Submit(_, items) => T::WeightInfo::admit(items.len() as u32),
            Self::Precommit(_) => T::WeightInfo::admit_precommit(),
            Self::Open(_, items, _) => T::WeightInfo::admit_opening(items.len() as u32),
            Self::Withdraw(..) => T::WeightInfo::admit_withdrawal(),
        }
    }
}

/// Books a free call, unless the block's share for them is used up.
fn take_share<T: Config>(info: &DispatchInfo, length: usize) -> Result<(), InvalidTransaction> {
    let share = T::FeelessShare::get();
    let weights = T::BlockWeights::get();
    let normal = weights.get(DispatchClass::Normal);
    let most_time = share.mul_floor(normal.max_total.unwrap_or(weights.max_block).ref_time());
    let most_length = share.mul_floor(*T::BlockLength::get().max.get(DispatchClass::Normal));

    let mut used = FeelessUsed::<T>::get();
    used.weight =
        used.weight.saturating_add(info.total_weight()).saturating_add(normal.base_extrinsic);
    used.length = used.length.saturating_add(u32::try_from(length).unwrap_or(u32::MAX));
    if used.weight.ref_time() > most_time || used.length > most_length {
        return Err(InvalidTransaction::ExhaustsResources);
    }
    FeelessUsed::<T>::put(used);
    Ok(())
}

/// Gives back what a free call did not need.
fn give_back_share<T: Config>(unspent: Weight) {
    if unspent != Weight::zero() {
        FeelessUsed::<T>::mutate(|used| used.weight = used.weight.saturating_sub(unspent));
    }
}

impl<T: Config + Send + Sync> TransactionExtension<T::RuntimeCall> for AdmitSubmission<T>
where
    T::RuntimeCall:
        Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo> + IsSubType<Call<T>>,
{
    const IDENTIFIER: &'static str = "AdmitSubmission";
    type Implicit = ();
    /// Whether the call is free.
    type Val = bool;
    /// The same.
    type Pre = bool;

    fn weight(&self, call: &T::RuntimeCall) -> Weight {
        Free::of::<T>(call).map_or(Weight::zero(), |free| free.weight::<T>())
    }

    fn validate(
        &self,
        origin: T::RuntimeOrigin,
        call: &T::RuntimeCall,
        _info: &DispatchInfoOf<T::RuntimeCall>,
        _len: usize,
        _self_implicit: Self::Implicit,
        _inherited_implication: &impl Implication,
        _source: TransactionSource,
    ) -> ValidateResult<Self::Val, T::RuntimeCall> {
        let Some(free) = Free::of::<T>(call) else {
            return Ok((ValidTransaction::default(), false, origin));
        };
        // Without a signer nobody's quota would pay for it.
        let who = origin.as_signer().cloned().ok_or(InvalidTransaction::BadSigner)?;
        free.check::<T>(&who)?;
        let validity = ValidTransaction {
            provides: alloc::vec![(b"quota", &who).encode()],
            longevity: LONGEVITY,
            ..ValidTransaction::default()
        };
        Ok((validity, true, origin))
    }

    fn prepare(
        self,
        free: Self::Val,
        _origin: &T::RuntimeOrigin,
        _call: &T::RuntimeCall,
        info: &DispatchInfoOf<T::RuntimeCall>,
        len: usize,
    ) -> Result<Self::Pre, TransactionValidityError> {
        if free {
            take_share::<T>(info, len)?;
        }
        Ok(free)
    }

    fn post_dispatch_details(
        free: Self::Pre,
        info: &DispatchInfoOf<T::RuntimeCall>,
        post_info: &PostDispatchInfoOf<T::RuntimeCall>,
        _len: usize,
        _result: &DispatchResult,
    ) -> Result<Weight, TransactionValidityError> {
        if free {
            give_back_share::<T>(post_info.calc_unspent(info));
        }
        // Of its own weight it needs all.
        Ok(Weight::zero())
    }
}
