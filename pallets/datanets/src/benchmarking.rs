//! What the calls and the checks of the transaction extension cost, measured on lists that are as long as they can be.

// What is set up is small, and what goes wrong here stops a benchmark and no chain.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

use super::*;
use alloc::{vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
    pallet_prelude::ConstU32,
    traits::{
        fungible::{hold::Mutate as _, Mutate},
        Get,
    },
    weights::Weight,
    BoundedVec,
};
use frame_system::RawOrigin;
use openledger_primitives::{
    api::SubmissionItem, precommit::MAX_PRECOMMITS, precommitment, traits::BenchmarkSetup,
    verdict::MAX_CURATORS, AdmissionPolicy, BarReason, BlockNumber, ContentId, DatanetId,
    DatanetStatus, DatanetText, DatasetLeaf, Ending, FileHash, LeafVersion, MediaType, Modality,
    QuotaLimits, RejectionReason, ReviewPolicy, Salt, Score, SubmissionId, MAX_ITEMS,
    MILLISECONDS_PER_DAY, OPEN,
};
use sp_core::H256;
use sp_runtime::traits::{BlakeTwo256, Hash};

/// A block late enough for anything to lie behind,
const NOW: BlockNumber = 10_000_000;
/// and its moment.
const MOMENT: u64 = 1_000 * MILLISECONDS_PER_DAY;
/// What files are opened with.
const SALT: Salt = [7; 32];
/// Entries of a Datanet whose owner hands it over or takes them away.
const ENTRIES: u32 = 100;

fn rich<T: Config>(name: &'static str, n: u32) -> T::AccountId {
    let who: T::AccountId = account(name, n, 0);
    T::Currency::set_balance(&who, 1_000_000 * OPEN);
    who
}

fn begin<T: Config>() {
    frame_system::Pallet::<T>::set_block_number(NOW.into());
    T::BenchmarkHelper::set_time(MOMENT);
}

fn name() -> DatanetName {
    BoundedVec::truncate_from(vec![b'n'; MAX_NAME as usize])
}

fn curators<T: Config>() -> ReviewPolicy<T::AccountId> {
    let members = (0..MAX_CURATORS).map(|n| account("curator", n, 0)).collect();
    ReviewPolicy::Curators { members: BoundedVec::truncate_from(members), threshold: 16 }
}

/// A Datanet that its owner has paid for, with a limit a day.
fn datanet<T: Config>(
    policy: ReviewPolicy<T::AccountId>,
) -> Result<(T::AccountId, DatanetId), BenchmarkError> {
    begin::<T>();
    let owner = rich::<T>("owner", 0);
    let id = NextDatanet::<T>::get();
    let limit = Some(QuotaLimits { files: 10_000, bytes: 1 << 40 });
    let (least, most) = (1, 1_000_000);
    Pallet::<T>::do_create_datanet(
        owner.clone(),
        name(),
        Modality::Text,
        least,
        most,
        limit,
        policy,
    )?;
    Ok((owner, id))
}

/// A contributor whom a sponsor pays for, with as many files waiting and as many precommitments as leave room for a
/// call.
fn contributor<T: Config>(n: u32) -> T::AccountId {
    let who = rich::<T>("contributor", n);
    let depositor = rich::<T>("sponsor", n);
    let hold = T::ContributorHold::get();
    let held = T::Currency::hold(&HoldReason::Contributor.into(), &depositor, hold);
    debug_assert!(held.is_ok());
    let waiting = T::MaxPending::get().saturating_sub(MAX_ITEMS);
    let record = Contributor { depositor, hold, last_submission: Some(1), pending: waiting };
    Contributors::<T>::insert(&who, record);
    let entry = |submission| WaitingFile { submission, datanet: 0, since: 0, age: 0 };
    let first = SubmissionId::from(n).saturating_mul(1_000);
    let files = (0..u64::from(waiting)).map(|at| entry(first.saturating_add(at))).collect();
    Waiting::<T>::insert(&who, WaitingFiles::truncate_from(files));
    who
}

fn sha256(n: u32) -> FileHash {
    BlakeTwo256::hash_of(&n).0
}

type Items = BoundedVec<SubmissionItem, ConstU32<MAX_ITEMS>>;

fn items(count: u32) -> Items {
    let item = |n| {
        let sha256 = sha256(n);
        let content = ContentId::raw(sha256);
        SubmissionItem { content, sha256, size: 1_000, media: MediaType::Md }
    };
    Items::truncate_from((0..count).map(item).collect())
}

/// A Datanet of a committee that takes files of who has points, and a contributor that gave it the same files before.
fn place<T: Config>(count: u32) -> Result<(T::AccountId, DatanetId, Items), BenchmarkError> {
    let (_, id) = datanet::<T>(ReviewPolicy::Committee { own_seats: false })?;
    T::BenchmarkHelper::fund_reviews(id);
    Admissions::<T>::insert(id, AdmissionPolicy::Points { least: 0 });
    CapShares::<T>::insert(id, 100);
    let who = contributor::<T>(0);
    let items = items(count);
    for (n, item) in (0u64..).zip(&items) {
        let refused = RefusedFile {
            submission: n,
            contributor: who.clone(),
            ending: Ending::Rejected(RejectionReason::LowQuality),
            judges: Default::default(),
            at: 0,
            age: 0,
            kept_until: BlockNumber::MAX,
        };
        RefusedFiles::<T>::insert(id, item.sha256, refused);
    }
    NextSubmission::<T>::put(1_000_000);
    Ok((who, id, items))
}

/// Precommits files, behind as many others as there is room for.
fn commit_to<T: Config>(who: &T::AccountId, id: DatanetId, items: &Items) {
    let at = NOW.saturating_sub(1);
    let others = MAX_PRECOMMITS.saturating_sub(items.len() as u32);
    let other = |n: u32| Precommit { commitment: BlakeTwo256::hash_of(&(n, at)), at };
    let own = items
        .iter()
        .map(|item| Precommit { commitment: precommitment(who, id, &item.sha256, &SALT), at });
    Precommits::<T>::insert(
        who,
        PrecommitsOf::truncate_from((0..others).map(other).chain(own).collect()),
    );
}

/// Younger submissions of so many of the files, each by somebody else.
fn submitted_by_others<T: Config>(
    id: DatanetId,
    items: &Items,
    count: u32,
) -> Result<(), BenchmarkError> {
    for (n, item) in (1u32..).zip(items.iter().take(count as usize)) {
        RefusedFiles::<T>::remove(id, item.sha256);
        let other = contributor::<T>(n);
        Ended::<T>::remove(&other);
        let item = Items::truncate_from(vec![*item]);
        Pallet::<T>::do_submit(other, id, item, None)?;
    }
    Ok(())
}

/// A file of a contributor that waits, before a committee that was not drawn yet.
fn waits<T: Config>() -> Result<(T::AccountId, DatanetId, FileHash), BenchmarkError> {
    let (who, id, items) = place::<T>(1)?;
    let sha256 = items.first().map(|item| item.sha256).unwrap_or_default();
    Pallet::<T>::do_submit(who.clone(), id, items, None)?;
    Ok((who, id, sha256))
}

fn weigh_free<T: Config>() {
    // As the extension does before dispatch.
    FeelessUsed::<T>::mutate(|used| {
        used.weight = used.weight.saturating_add(Weight::from_parts(1, 0));
    });
}

fn text() -> DatanetText {
    let tag = |n: u8| BoundedVec::truncate_from(vec![b'a'.saturating_add(n); 32]);
    DatanetText {
        summary: BoundedVec::truncate_from(vec![b's'; 200]),
        description: BoundedVec::truncate_from(vec![b'd'; 4_096]),
        tags: BoundedVec::truncate_from((0..8).map(tag).collect()),
    }
}

/// Invites some and bars as many.
fn list<T: Config>(owner: &T::AccountId, id: DatanetId) -> Result<(), BenchmarkError> {
    for n in 0..ENTRIES / 2 {
        Pallet::<T>::do_invite(owner, id, account("invited", n, 0), true)?;
        Pallet::<T>::do_bar(owner.clone(), id, account("barred", n, 0), BarReason::Spam)?;
    }
    Ok(())
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn create_datanet() {
        begin::<T>();
        let owner = rich::<T>("owner", 0);
        let limit = Some(QuotaLimits { files: 10_000, bytes: 1 << 40 });
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), name(), Modality::Text, 1, 1_000, limit, curators::<T>());
    }

    /// The stake comes over from a sponsor.
    #[benchmark]
    fn register() {
        begin::<T>();
        let who = contributor::<T>(0);
        Ended::<T>::insert(&who, 1);
        #[extrinsic_call]
        _(RawOrigin::Signed(who));
    }

    /// The account comes into being.
    #[benchmark]
    fn register_for() {
        begin::<T>();
        let sponsor = rich::<T>("sponsor", 0);
        let who: T::AccountId = account("new", 0, 0);
        #[extrinsic_call]
        _(RawOrigin::Signed(sponsor), who);
    }

    #[benchmark]
    fn deregister() {
        begin::<T>();
        let who = contributor::<T>(0);
        Contributors::<T>::mutate(&who, |record| {
            if let Some(record) = record {
                record.pending = 0;
            }
        });
        commit_to::<T>(&who, 0, &Items::default());
        Quotas::<T>::mutate(&who, |quota| quota.files = 1);
        Ended::<T>::insert(&who, 1);
        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), who.clone());
    }

    #[benchmark]
    fn submit(i: Linear<1, MAX_ITEMS>) -> Result<(), BenchmarkError> {
        let (who, id, items) = place::<T>(i)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(who), id, items);
        Ok(())
    }

    #[benchmark]
    fn withdraw() -> Result<(), BenchmarkError> {
        let (who, id, sha256) = waits::<T>()?;
        #[extrinsic_call]
        _(RawOrigin::Signed(who), id, sha256);
        Ok(())
    }

    #[benchmark]
    fn precommit(i: Linear<1, MAX_ITEMS>) {
        begin::<T>();
        let who = contributor::<T>(0);
        let room = Items::truncate_from(items(MAX_ITEMS).into_inner());
        commit_to::<T>(&who, 0, &room);
        Precommits::<T>::mutate(&who, |all| all.truncate((MAX_PRECOMMITS - MAX_ITEMS) as usize));
        let new = (0..i).map(|n| H256(sha256(n))).collect();
        #[extrinsic_call]
        _(RawOrigin::Signed(who), BoundedVec::truncate_from(new));
    }

    /// Without a file that gives way.
    #[benchmark]
    fn open_unrivalled(i: Linear<1, MAX_ITEMS>) -> Result<(), BenchmarkError> {
        let (who, id, items) = place::<T>(i)?;
        commit_to::<T>(&who, id, &items);
        #[extrinsic_call]
        open(RawOrigin::Signed(who), id, items, SALT);
        Ok(())
    }

    /// So many of the most files give way.
    #[benchmark]
    fn open_displacing(d: Linear<0, MAX_ITEMS>) -> Result<(), BenchmarkError> {
        let (who, id, items) = place::<T>(MAX_ITEMS)?;
        commit_to::<T>(&who, id, &items);
        submitted_by_others::<T>(id, &items, d)?;
        #[extrinsic_call]
        open(RawOrigin::Signed(who), id, items, SALT);
        Ok(())
    }

    #[benchmark]
    fn expire() -> Result<(), BenchmarkError> {
        let (_, id) = datanet::<T>(curators::<T>())?;
        let who = rich::<T>("contributor", 0);
        let sha256 = T::BenchmarkHelper::pending(id, &who).sha256;
        #[extrinsic_call]
        _(RawOrigin::Signed(who), id, sha256);
        Ok(())
    }

    #[benchmark]
    fn set_caps() -> Result<(), BenchmarkError> {
        let (owner, id) = datanet::<T>(curators::<T>())?;
        let limit = Some(QuotaLimits { files: 1, bytes: 1 });
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), id, limit, 1);
        Ok(())
    }

    /// So do `unbar` and `invite`.
    #[benchmark]
    fn bar() -> Result<(), BenchmarkError> {
        let (owner, id) = datanet::<T>(curators::<T>())?;
        list::<T>(&owner, id)?;
        let who = account("other", 0, 0);
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), id, who, BarReason::Spam);
        Ok(())
    }

    #[benchmark]
    fn clear_entries(e: Linear<1, MAX_CLEARED>) -> Result<(), BenchmarkError> {
        let (owner, id) = datanet::<T>(curators::<T>())?;
        list::<T>(&owner, id)?;
        Statuses::<T>::insert(id, DatanetStatus::Closed);
        // As many of one kind as of the other are left.
        for n in e / 2..ENTRIES / 2 {
            Invitations::<T>::remove(id, account::<T::AccountId>("invited", n, 0));
        }
        for n in e.div_ceil(2)..ENTRIES / 2 {
            Bars::<T>::remove(id, account::<T::AccountId>("barred", n, 0));
        }
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), id);
        Ok(())
    }

    #[benchmark]
    fn end_sponsorship() {
        begin::<T>();
        let who = contributor::<T>(0);
        let sponsor = account("sponsor", 0, 0);
        #[extrinsic_call]
        _(RawOrigin::Signed(sponsor), who);
    }

    #[benchmark]
    fn clear_refusal() -> Result<(), BenchmarkError> {
        let (_, id, items) = place::<T>(1)?;
        let sha256 = items.first().map(|item| item.sha256).unwrap_or_default();
        #[extrinsic_call]
        _(RawOrigin::Root, id, sha256);
        Ok(())
    }

    #[benchmark]
    fn revoke_leaf() -> Result<(), BenchmarkError> {
        begin::<T>();
        let contributor = rich::<T>("contributor", 0);
        let leaf = DatasetLeaf {
            version: LeafVersion::V2 { extractor: 2 },
            submission: 1,
            contributor: contributor.clone(),
            sha256: [1; 32],
            size: 1,
            units: 1,
            score: Score::MAX,
            text_root: H256::repeat_byte(1),
        };
        Leaves::<T>::insert(0, 0, leaf);
        #[extrinsic_call]
        _(RawOrigin::Signed(contributor), 0, 0);
        Ok(())
    }

    #[benchmark]
    fn set_text() -> Result<(), BenchmarkError> {
        let (owner, id) = datanet::<T>(curators::<T>())?;
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), id, text());
        Ok(())
    }

    /// So do `pause`, `resume` and `set_admission`.
    #[benchmark]
    fn set_status() -> Result<(), BenchmarkError> {
        let (owner, id) = datanet::<T>(curators::<T>())?;
        Offers::<T>::insert(id, rich::<T>("other", 0));
        #[extrinsic_call]
        offer_ownership(RawOrigin::Signed(owner), id, None);
        Ok(())
    }

    #[benchmark]
    fn accept_ownership() -> Result<(), BenchmarkError> {
        let (owner, id) = datanet::<T>(curators::<T>())?;
        list::<T>(&owner, id)?;
        let other = rich::<T>("other", 0);
        Offers::<T>::insert(id, &other);
        #[extrinsic_call]
        _(RawOrigin::Signed(other), id);
        Ok(())
    }

    #[benchmark]
    fn close() -> Result<(), BenchmarkError> {
        let (owner, id) = datanet::<T>(curators::<T>())?;
        Offers::<T>::insert(id, rich::<T>("other", 0));
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), id);
        Ok(())
    }

    /// What a block forgets at its end, of so many refusals whose time is over.
    #[benchmark]
    fn forget_refusals(r: Linear<0, 16>) {
        begin::<T>();
        let contributor = rich::<T>("contributor", 0);
        for n in 0..u64::from(r) {
            let sha256 = BlakeTwo256::hash_of(&n).0;
            let number = OrderedSubmissionId::from(n);
            let kept_until = NOW.saturating_sub(1);
            let refused = RefusedFile {
                submission: n,
                contributor: contributor.clone(),
                ending: Ending::Rejected(RejectionReason::LowQuality),
                judges: BoundedVec::truncate_from(vec![contributor.clone(); 16]),
                at: 0,
                age: 0,
                kept_until,
            };
            RefusedFiles::<T>::insert(0, sha256, refused);
            Expiries::<T>::insert(OrderedBlock::from(kept_until), number, (0, sha256));
            Settled::<T>::insert(0, number, sha256);
            SettledOf::<T>::insert(&contributor, number, 0);
        }
        #[block]
        {
            Pallet::<T>::forget_refusals(Weight::MAX);
        }
        assert_eq!(Expiries::<T>::iter_keys().count(), 0);
    }

    /// What the end of a block takes for a leaf of before there were lists.
    #[benchmark]
    fn list_leaf() {
        begin::<T>();
        let contributor = rich::<T>("contributor", 0);
        let leaf = DatasetLeaf {
            version: LeafVersion::V1,
            submission: 0,
            contributor: contributor.clone(),
            sha256: [1; 32],
            size: 1,
            units: 1,
            score: Score::MAX,
            text_root: H256::zero(),
        };
        Leaves::<T>::insert(0, 0, leaf);
        NextDatanet::<T>::put(1);
        Unlisted::<T>::put((0, 0));
        let a_leaf =
            T::WeightInfo::list_leaf().saturating_add(T::DbWeight::get().reads_writes(1, 1));
        #[block]
        {
            Pallet::<T>::list_leaves(a_leaf);
        }
        assert_eq!(Unlisted::<T>::get(), Some((0, 1)));
        assert_eq!(SettledOf::<T>::get(contributor, OrderedSubmissionId::from(0)), Some(0));
    }

    #[benchmark]
    fn admit(i: Linear<1, MAX_ITEMS>) -> Result<(), BenchmarkError> {
        let (who, id, items) = place::<T>(i)?;
        let admitted;
        #[block]
        {
            admitted = Pallet::<T>::check_admission(&who, id, &items);
            weigh_free::<T>();
        }
        ensure_admitted(admitted.is_ok())
    }

    #[benchmark]
    fn admit_precommit() -> Result<(), BenchmarkError> {
        begin::<T>();
        let who = contributor::<T>(0);
        commit_to::<T>(&who, 0, &items(MAX_ITEMS));
        Precommits::<T>::mutate(&who, |all| all.truncate((MAX_PRECOMMITS - MAX_ITEMS) as usize));
        let new: Vec<H256> = (0..MAX_ITEMS).map(|n| H256(sha256(n))).collect();
        let admitted;
        #[block]
        {
            admitted = Pallet::<T>::check_precommit(&who, &new);
            weigh_free::<T>();
        }
        ensure_admitted(admitted.is_ok())
    }

    /// Each displaces another's.
    #[benchmark]
    fn admit_opening(i: Linear<1, MAX_ITEMS>) -> Result<(), BenchmarkError> {
        let (who, id, items) = place::<T>(i)?;
        commit_to::<T>(&who, id, &items);
        submitted_by_others::<T>(id, &items, i)?;
        let admitted;
        #[block]
        {
            admitted = Pallet::<T>::check_opening(&who, id, &items, &SALT);
            weigh_free::<T>();
        }
        ensure_admitted(admitted.is_ok())
    }

    #[benchmark]
    fn admit_withdrawal() -> Result<(), BenchmarkError> {
        let (who, id, sha256) = waits::<T>()?;
        let admitted;
        #[block]
        {
            admitted = Pallet::<T>::admit_withdrawal(&who, id, &sha256);
            weigh_free::<T>();
        }
        ensure_admitted(admitted.is_ok())
    }
}

fn ensure_admitted(admitted: bool) -> Result<(), BenchmarkError> {
    match admitted {
        true => Ok(()),
        false => Err(BenchmarkError::Stop("a rule keeps what is measured out")),
    }
}
