//! Dataset leaves and versions: what exactly a job trained on, and how anyone proves it.

use crate::{
    verdict::{ExtractorVersion, FIRST_EXTRACTOR},
    BlockNumber, DatanetId, LeafIndex, Score, SubmissionId,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use mountain_range::{helper, Error, Merge, MerkleProof};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::traits::{BlakeTwo256, Hash};

/// sha2-256 of a file's flat bytes: what duplicates are recognised by.
pub type FileHash = [u8; 32];

/// Bytes of canonical text in one chunk under a text root.
pub const TEXT_CHUNK: usize = 1024;

// Each kind of hash input starts with its own tag, so that no inner node can pass for a leaf, no two
// bagged peaks for an inner node and no text chunk of 64 bytes for a node.
const LEAF_TAG: &[u8] = b"openledger/leaf/v1";
const LEAF_TAG_2: &[u8] = b"openledger/leaf/v2";
const NODE_TAG: &[u8] = b"openledger/node/v1";
const PEAK_TAG: &[u8] = b"openledger/peak/v1";
const TEXT_TAG: &[u8] = b"openledger/text/v1";

/// The shape of a leaf: its first byte, and what only this shape has. A new shape gets a new number;
/// old leaves keep theirs, byte by byte.
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
pub enum LeafVersion {
    /// The first shape, of 118 bytes: measured by extractor 1.
    #[codec(index = 1)]
    V1,
    /// The second, of 120 bytes: it says which extractor measured the file.
    #[codec(index = 2)]
    V2 {
        /// The extractor, 2 or above.
        extractor: ExtractorVersion,
    },
}

impl LeafVersion {
    /// The extractor by which units and text root were measured.
    pub const fn extractor(self) -> ExtractorVersion {
        match self {
            Self::V1 => FIRST_EXTRACTOR,
            Self::V2 { extractor } => extractor,
        }
    }

    /// What the hash of such a leaf begins with.
    const fn tag(self) -> &'static [u8] {
        match self {
            Self::V1 => LEAF_TAG,
            Self::V2 { .. } => LEAF_TAG_2,
        }
    }
}

/// An accepted file, as its Datanet's mountain range holds it.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct DatasetLeaf<AccountId> {
    /// Shape of the leaf, with its extractor.
    pub version: LeafVersion,
    /// The submission that brought it.
    pub submission: SubmissionId,
    /// Who gave it.
    pub contributor: AccountId,
    /// sha2-256 of the flat bytes.
    pub sha256: FileHash,
    /// Size of the flat bytes.
    pub size: u32,
    /// Bytes of canonical text, pixels or milliseconds.
    pub units: u64,
    /// Quality, 1 to 100.
    pub score: Score,
    /// Merkle root over the chunks of the canonical text ([`text_root`]); zero where there is none.
    pub text_root: H256,
}

impl<AccountId: Encode> DatasetLeaf<AccountId> {
    /// blake2b-256 of the tagged SCALE encoding.
    pub fn hash(&self) -> H256 {
        let mut bytes = self.version.tag().to_vec();
        self.encode_to(&mut bytes);
        BlakeTwo256::hash(&bytes)
    }
}

/// A Datanet at one moment: any job names exactly what it trained on.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct DatasetVersion {
    /// How many leaves the range had.
    pub leaves: u64,
    /// Its root then; zero for an empty range.
    pub root: H256,
}

/// A Datanet at a version, as a job lists it.
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
pub struct DatasetRef {
    /// The Datanet.
    pub datanet: DatanetId,
    /// Its version.
    pub version: DatasetVersion,
}

/// Whether a job leaves a leaf of its versions out: it was revoked in a block before the job's own. What
/// is revoked in that block or later was trained on, and flags the adapter.
///
/// Both numbers stand for ever once they are on chain, so whoever reads the data of a job again, at any
/// time, leaves the same leaves out.
pub const fn leaves_out(created_at: BlockNumber, revoked_at: BlockNumber) -> bool {
    revoked_at < created_at
}

/// blake2b-256 over the SCALE encoding of a job's datasets: one hash for all a job trained on.
pub fn dataset_root(datasets: &[DatasetRef]) -> H256 {
    BlakeTwo256::hash_of(&datasets)
}

/// How two nodes of a Datanet's mountain range become their parent, and two peaks one.
pub struct MergeNodes;

impl MergeNodes {
    fn tagged(tag: &[u8], first: &H256, second: &H256) -> H256 {
        BlakeTwo256::hash(&[tag, first.as_bytes(), second.as_bytes()].concat())
    }
}

impl Merge for MergeNodes {
    type Item = H256;

    fn merge(left: &H256, right: &H256) -> Result<H256, Error> {
        Ok(Self::tagged(NODE_TAG, left, right))
    }

    // Under the same tag, a peak of one leaf and its left neighbour would pass for two nodes of a
    // peak, and the leaf could be shown at another index.
    fn merge_peaks(right: &H256, left: &H256) -> Result<H256, Error> {
        Ok(Self::tagged(PEAK_TAG, right, left))
    }
}

/// The version of a range with exactly these leaves in this order, given by their hashes
/// ([`DatasetLeaf::hash`]). Whoever has read all leaves checks them against the chain with it.
pub fn version_of(leaves: impl IntoIterator<Item = H256>) -> DatasetVersion {
    let nodes = Nodes::default();
    let mut range = mountain_range::MMR::<H256, MergeNodes, _>::new(0, &nodes);
    let mut count = 0;
    for leaf in leaves {
        // Neither the store in memory nor the merge can fail.
        if range.push(leaf).is_err() || range.commit().is_err() {
            return DatasetVersion::default();
        }
        count += 1;
    }
    let root = if count == 0 { H256::zero() } else { range.get_root().unwrap_or_default() };
    DatasetVersion { leaves: count, root }
}

/// A mountain range's nodes in memory.
#[derive(Default)]
struct Nodes(core::cell::RefCell<Vec<H256>>);

impl mountain_range::MMRStoreReadOps<H256> for &Nodes {
    fn get_elem(&self, position: u64) -> Result<Option<H256>, Error> {
        Ok(self.0.borrow().get(position as usize).copied())
    }
}

impl mountain_range::MMRStoreWriteOps<H256> for &Nodes {
    fn append(&mut self, _position: u64, nodes: Vec<H256>) -> Result<(), Error> {
        self.0.borrow_mut().extend(nodes);
        Ok(())
    }
}

/// How many nodes a range of `leaves` leaves has.
pub fn range_size(leaves: u64) -> u64 {
    // No chain reaches 2^62 leaves; the bound keeps the arithmetic of the helper in range.
    match leaves.min(1 << 62).checked_sub(1) {
        Some(last) => helper::leaf_index_to_mmr_size(last),
        None => 0,
    }
}

/// How many hashes prove the leaf at `index` in a range of `leaves` leaves: its siblings up to its
/// peak, the peaks before that, and one for all peaks after it. `None` if there is no such leaf.
fn proof_length(index: LeafIndex, leaves: u64) -> Option<usize> {
    let (mut start, mut peaks_before) = (0u64, 0usize);
    for height in (0..u64::BITS).rev() {
        let size = 1u64 << height;
        if leaves & size == 0 {
            continue;
        }
        // The peaks' sizes add up to `leaves`, so this cannot overflow.
        if index < start + size {
            let peaks_after = usize::from(leaves & (size - 1) != 0);
            return Some(height as usize + peaks_before + peaks_after);
        }
        start += size;
        peaks_before += 1;
    }
    None
}

/// Whether `leaf` stands at `index` in `version`, by a proof of O(log n) hashes.
pub fn verify_leaf<AccountId: Encode>(
    version: &DatasetVersion,
    index: LeafIndex,
    leaf: &DatasetLeaf<AccountId>,
    proof: Vec<H256>,
) -> bool {
    // The library would also take a proof that leaves peaks out or has a hash too many. Of exact
    // length, a proof can only be read in one way.
    if version.leaves > 1 << 62 || proof_length(index, version.leaves) != Some(proof.len()) {
        return false;
    }
    let position = helper::leaf_index_to_pos(index);
    MerkleProof::<H256, MergeNodes>::new(range_size(version.leaves), proof)
        .verify(version.root, alloc::vec![(position, leaf.hash())])
        .unwrap_or(false)
}

fn tagged_chunks(canonical: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    canonical.chunks(TEXT_CHUNK).map(tagged_chunk)
}

fn tagged_chunk(chunk: &[u8]) -> Vec<u8> {
    [TEXT_TAG, chunk].concat()
}

/// Merkle root over the 1 KiB chunks of a canonical text (UTF-8, NFC, LF), blake2b-256.
///
/// A dispute over one span needs one chunk and a short path ([`text_chunk_proof`]). The empty text
/// has the zero root.
pub fn text_root(canonical: &[u8]) -> H256 {
    binary_merkle_tree::merkle_root::<BlakeTwo256, _>(tagged_chunks(canonical))
}

/// The path from chunk `index` of a canonical text to its [`text_root`]; `None` past its end.
pub fn text_chunk_proof(canonical: &[u8], index: u32) -> Option<Vec<H256>> {
    if index as usize >= canonical.len().div_ceil(TEXT_CHUNK) {
        return None;
    }
    let chunks: Vec<_> = tagged_chunks(canonical).collect();
    Some(binary_merkle_tree::merkle_proof::<BlakeTwo256, _, _>(chunks, index).proof)
}

/// Whether `chunk` is chunk `index` of the canonical text of `units` bytes whose root is `root`.
pub fn verify_text_chunk(
    root: &H256,
    units: u64,
    index: u32,
    chunk: &[u8],
    proof: &[H256],
) -> bool {
    let chunks = units.div_ceil(TEXT_CHUNK as u64);
    let start = u64::from(index).saturating_mul(TEXT_CHUNK as u64);
    let expected = units.saturating_sub(start).min(TEXT_CHUNK as u64);
    let Ok(chunks) = u32::try_from(chunks) else { return false };
    if index >= chunks || chunk.len() as u64 != expected {
        return false;
    }
    // Without this, the shorter path of a chunk near the end would also prove it at an earlier place.
    if proof.len() != path_length(index, chunks) {
        return false;
    }
    let leaf = tagged_chunk(chunk);
    binary_merkle_tree::verify_proof::<BlakeTwo256, _, _>(
        root,
        proof.iter().copied(),
        chunks,
        index,
        &leaf,
    )
}

/// How many hashes lead from leaf `index` of `leaves` to the root of a binary Merkle tree.
fn path_length(mut index: u32, leaves: u32) -> usize {
    let mut width = leaves;
    let mut length = 0;
    while width > 1 {
        // The last of an odd row has no sibling and moves up as it is.
        if index % 2 == 1 || index < width - 1 {
            length += 1;
        }
        index /= 2;
        width = width.div_ceil(2);
    }
    length
}
