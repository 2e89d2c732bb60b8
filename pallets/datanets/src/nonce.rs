//! [`frame_system::CheckNonce`], with bounds on what may wait in the pool: how far ahead free calls are numbered, and
//! how long a transaction is.

use codec::{Decode, DecodeWithMemTracking, Encode};
use core::fmt;
use frame_support::traits::Get;
use frame_support::{
    dispatch::{CheckIfFeeless, DispatchInfo},
    pallet_prelude::{TransactionSource, Weight},
};
use frame_system::{CheckNonce as Inner, Config};
use scale_info::TypeInfo;
use sp_runtime::{
    traits::{
        AsSystemOriginSigner, DispatchInfoOf, Dispatchable, Implication, PostDispatchInfoOf,
        TransactionExtension, ValidateResult,
    },
    transaction_validity::{InvalidTransaction, TransactionValidityError},
    DispatchResult, SaturatedConversion, Saturating,
};

/// How far ahead of the account's next number a free call may be numbered.
pub const FREE_CALLS_AHEAD: u32 = 4;
/// Bytes of a block that no single transaction takes of what its class may: a header, inherents and others fit beside it.
pub const ROOM_FOR_OTHERS: u32 = 64 * 1024;

/// Checks a transaction's number as [`frame_system::CheckNonce`] does, under the same name and with
/// the same bytes, so that no wallet sees a difference, and refuses free calls numbered more than
/// [`FREE_CALLS_AHEAD`] ahead, and transactions that leave less than [`ROOM_FOR_OTHERS`] of an empty block.
///
/// A transaction that is numbered ahead waits in the pool until those before it have come, and one that
/// pays nothing for it would be a free way to fill the pool: an account could let as many wait as the
/// pool has room for. One that fits no block beside what every block holds would wait for ever at the pool's head, be
/// tried by every author, and never pay.
#[derive(Encode, Decode, DecodeWithMemTracking, Clone, Eq, PartialEq, TypeInfo)]
#[scale_info(skip_type_params(T))]
pub struct CheckNonce<T: Config>(#[codec(compact)] pub T::Nonce);

impl<T: Config> CheckNonce<T> {
    /// The extension of a transaction with a number.
    pub fn from(nonce: T::Nonce) -> Self {
        Self(nonce)
    }
}

impl<T: Config> fmt::Debug for CheckNonce<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CheckNonce({:?})", self.0)
    }
}

impl<T: Config> TransactionExtension<T::RuntimeCall> for CheckNonce<T>
where
    T::RuntimeCall: Dispatchable<Info = DispatchInfo> + CheckIfFeeless<Origin = T::RuntimeOrigin>,
    T::RuntimeOrigin: AsSystemOriginSigner<T::AccountId> + Clone,
{
    const IDENTIFIER: &'static str = "CheckNonce";
    type Implicit = ();
    type Val = <Inner<T> as TransactionExtension<T::RuntimeCall>>::Val;
    type Pre = <Inner<T> as TransactionExtension<T::RuntimeCall>>::Pre;

    fn weight(&self, call: &T::RuntimeCall) -> Weight {
        Inner::<T>(self.0).weight(call)
    }

    fn validate(
        &self,
        origin: T::RuntimeOrigin,
        call: &T::RuntimeCall,
        info: &DispatchInfoOf<T::RuntimeCall>,
        len: usize,
        implicit: Self::Implicit,
        implication: &impl Implication,
        source: TransactionSource,
    ) -> ValidateResult<Self::Val, T::RuntimeCall> {
        let class = *T::BlockLength::get().max.get(info.class);
        if len > class.saturating_sub(ROOM_FOR_OTHERS) as usize {
            return Err(InvalidTransaction::ExhaustsResources.into());
        }
        if let Some(who) = origin.as_system_origin_signer() {
            let next = frame_system::Account::<T>::get(who).nonce;
            let last = next.saturating_add(FREE_CALLS_AHEAD.saturated_into());
            if self.0 > last && call.is_feeless(&origin) {
                return Err(InvalidTransaction::Future.into());
            }
        }
        Inner::<T>(self.0).validate(origin, call, info, len, implicit, implication, source)
    }

    fn prepare(
        self,
        val: Self::Val,
        origin: &T::RuntimeOrigin,
        call: &T::RuntimeCall,
        info: &DispatchInfoOf<T::RuntimeCall>,
        len: usize,
    ) -> Result<Self::Pre, TransactionValidityError> {
        Inner::<T>(self.0).prepare(val, origin, call, info, len)
    }

    fn post_dispatch_details(
        pre: Self::Pre,
        info: &DispatchInfo,
        post_info: &PostDispatchInfoOf<T::RuntimeCall>,
        len: usize,
        result: &DispatchResult,
    ) -> Result<Weight, TransactionValidityError> {
        Inner::<T>::post_dispatch_details(pre, info, post_info, len, result)
    }
}
