//! What a referendum acts as, besides root: each origin may do less, and is decided faster and by fewer.

pub use pallet::*;

#[frame_support::pallet]
pub mod pallet {
    //! The pallet's parts, as the macro lays them out. It has no calls.

    use codec::DecodeWithMemTracking;
    use frame_support::{
        pallet_prelude::*,
        traits::{EnsureOrigin, OriginTrait},
    };
    use openledger_primitives::{Balance, BlockNumber, OPEN};

    /// Most that a referendum of [`Origin::SmallSpender`] pays.
    pub const SMALL_SPEND: Balance = 10_000 * OPEN;
    /// Most that a referendum of [`Origin::BigSpender`] pays.
    pub const BIG_SPEND: Balance = 1_000_000 * OPEN;

    /// The pallet.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// Nothing to configure.
    #[pallet::config]
    pub trait Config: frame_system::Config {}

    /// The last period of the treasury in which spends were paid, and how much they were
    /// ([`PaidInPeriod`](crate::governance::PaidInPeriod)).
    #[pallet::storage]
    pub type Paid<T> = StorageValue<_, (BlockNumber, Balance), ValueQuery>;

    /// What a referendum acts as. Stored with every referendum: append only.
    #[pallet::origin]
    #[derive(
        Clone,
        Copy,
        Debug,
        PartialEq,
        Eq,
        Encode,
        Decode,
        DecodeWithMemTracking,
        MaxEncodedLen,
        TypeInfo,
    )]
    pub enum Origin {
        /// Cancels and kills referenda, voids spends that nobody has been paid yet, and cancels slashes that wait.
        GeneralAdmin,
        /// Spends up to [`BIG_SPEND`] of the treasury.
        BigSpender,
        /// Spends up to [`SMALL_SPEND`] of the treasury.
        SmallSpender,
    }

    /// Lets [`Origin::GeneralAdmin`] through.
    pub struct GeneralAdmin;

    impl<O: OriginTrait + From<Origin>> EnsureOrigin<O> for GeneralAdmin
    where
        for<'a> &'a O::PalletsOrigin: TryInto<&'a Origin>,
    {
        type Success = ();

        fn try_origin(origin: O) -> Result<(), O> {
            match origin.caller().try_into().ok().copied() {
                Some(Origin::GeneralAdmin) => Ok(()),
                _ => Err(origin),
            }
        }

        #[cfg(feature = "runtime-benchmarks")]
        fn try_successful_origin() -> Result<O, ()> {
            Ok(Origin::GeneralAdmin.into())
        }
    }

    /// Lets the spenders through, with the most that each of them may spend.
    pub struct Spender;

    impl<O: OriginTrait + From<Origin>> EnsureOrigin<O> for Spender
    where
        for<'a> &'a O::PalletsOrigin: TryInto<&'a Origin>,
    {
        type Success = Balance;

        fn try_origin(origin: O) -> Result<Balance, O> {
            match origin.caller().try_into().ok().copied() {
                Some(Origin::BigSpender) => Ok(BIG_SPEND),
                Some(Origin::SmallSpender) => Ok(SMALL_SPEND),
                _ => Err(origin),
            }
        }

        #[cfg(feature = "runtime-benchmarks")]
        fn try_successful_origin() -> Result<O, ()> {
            Ok(Origin::BigSpender.into())
        }
    }
}
