//! Content ids: the 33 bytes under which the chain names a file on IPFS.

use alloc::string::ToString;
use cid::Cid;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{fmt, str::FromStr};
use multihash::Multihash;
use scale_info::TypeInfo;

/// The multihash code of sha2-256.
const SHA2_256: u64 = 0x12;
/// Bytes of a binary CIDv1 with sha2-256: version, codec, hash code, digest length, digest.
const BINARY_LENGTH: usize = 36;
/// Characters of such a CID in base32, its multibase prefix included.
const TEXT_LENGTH: usize = 59;

/// How the bytes behind a [`ContentId`] are to be read. The SCALE index is the multicodec code.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum ContentCodec {
    /// The bytes themselves: a file of at most one block.
    #[codec(index = 0x55)]
    Raw,
    /// A UnixFS file in dag-pb: a tree of blocks.
    #[codec(index = 0x70)]
    DagPb,
}

impl ContentCodec {
    /// The multicodec code.
    pub const fn code(self) -> u64 {
        match self {
            Self::Raw => 0x55,
            Self::DagPb => 0x70,
        }
    }
}

/// A CIDv1 with sha2-256 and codec raw or dag-pb, 33 bytes in SCALE.
///
/// No other CID can be expressed, so whoever holds a `ContentId` needs no further check of version,
/// codec, hash function or length.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct ContentId {
    codec: ContentCodec,
    digest: [u8; 32],
}

/// Why bytes or text are not a [`ContentId`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentIdError {
    /// A binary CID of the accepted kind has 36 bytes, a textual one 59 characters.
    Length {
        /// What was given.
        found: usize,
        /// What is needed.
        expected: usize,
    },
    /// Not a CID at all.
    Malformed,
    /// CIDv0, or a version to come.
    Version,
    /// A codec other than raw (0x55) and dag-pb (0x70).
    Codec(u64),
    /// A hash function other than sha2-256 (0x12).
    Hash(u64),
    /// The text is not in lower-case base32, the canonical form of a CIDv1.
    Base,
}

impl fmt::Display for ContentIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found, expected } => write!(
                f,
                "a CIDv1 with sha2-256 has length {expected}, this one has {found}; \
                 make one with profile unixfs-v1-2025"
            ),
            Self::Malformed => f.write_str("not a CID"),
            Self::Version => f.write_str("only CID version 1 is accepted (Kubo: --cid-version=1)"),
            Self::Codec(code) => {
                write!(f, "codec {code:#x} is not accepted; use raw (0x55) or dag-pb (0x70)")
            }
            Self::Hash(code) => {
                write!(f, "hash function {code:#x} is not accepted; use sha2-256 (0x12)")
            }
            Self::Base => f.write_str("write the CID in lower-case base32 (it begins with b)"),
        }
    }
}

impl core::error::Error for ContentIdError {}

impl ContentId {
    /// A content id from its parts.
    pub const fn new(codec: ContentCodec, digest: [u8; 32]) -> Self {
        Self { codec, digest }
    }

    /// The id of a block that is the file itself.
    pub const fn raw(digest: [u8; 32]) -> Self {
        Self::new(ContentCodec::Raw, digest)
    }

    /// How the bytes are to be read.
    pub const fn codec(&self) -> ContentCodec {
        self.codec
    }

    /// The sha2-256 digest of the (root) block.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The binary CIDv1, 36 bytes.
    pub fn to_bytes(&self) -> [u8; BINARY_LENGTH] {
        let mut bytes = [0; BINARY_LENGTH];
        let (head, digest) = bytes.split_at_mut(4);
        head.copy_from_slice(&[1, self.codec.code() as u8, SHA2_256 as u8, 32]);
        digest.copy_from_slice(&self.digest);
        bytes
    }

    /// Reads a binary CIDv1.
    ///
    /// # Errors
    ///
    /// Any other version, codec, hash function or length, and any trailing byte.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ContentIdError> {
        // A cap before parsing: no length field of a hostile CID is ever followed.
        if bytes.len() > 2 * BINARY_LENGTH {
            return Err(ContentIdError::Length { found: bytes.len(), expected: BINARY_LENGTH });
        }
        let cid = Cid::try_from(bytes).map_err(|_| ContentIdError::Malformed)?;
        let id = Self::from_cid(&cid)?;
        if bytes != id.to_bytes() {
            return Err(ContentIdError::Length { found: bytes.len(), expected: BINARY_LENGTH });
        }
        Ok(id)
    }

    fn from_cid(cid: &Cid) -> Result<Self, ContentIdError> {
        if cid.version() != cid::Version::V1 {
            return Err(ContentIdError::Version);
        }
        let codec = match cid.codec() {
            0x55 => ContentCodec::Raw,
            0x70 => ContentCodec::DagPb,
            other => return Err(ContentIdError::Codec(other)),
        };
        let hash = cid.hash();
        if hash.code() != SHA2_256 {
            return Err(ContentIdError::Hash(hash.code()));
        }
        let digest = hash
            .digest()
            .try_into()
            .map_err(|_| ContentIdError::Length { found: hash.digest().len(), expected: 32 })?;
        Ok(Self { codec, digest })
    }

    fn cid(&self) -> Option<Cid> {
        Multihash::wrap(SHA2_256, &self.digest)
            .ok()
            .map(|hash| Cid::new_v1(self.codec.code(), hash))
    }
}

impl FromStr for ContentId {
    type Err = ContentIdError;

    /// Reads a CIDv1 in lower-case base32.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > 2 * TEXT_LENGTH {
            return Err(ContentIdError::Length { found: text.len(), expected: TEXT_LENGTH });
        }
        let cid = Cid::try_from(text).map_err(|_| ContentIdError::Malformed)?;
        let id = Self::from_cid(&cid)?;
        let canonical = id.to_string();
        match () {
            () if text == canonical => Ok(id),
            () if text.len() != canonical.len() && text.starts_with('b') => {
                Err(ContentIdError::Length { found: text.len(), expected: TEXT_LENGTH })
            }
            () => Err(ContentIdError::Base),
        }
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cid() {
            Some(cid) => write!(f, "{cid}"),
            // A 32-byte digest always fits a multihash; this arm only spares a panic path on chain.
            None => Err(fmt::Error),
        }
    }
}

#[cfg(feature = "std")]
impl serde::Serialize for ContentId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "std")]
impl<'de> serde::Deserialize<'de> for ContentId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <alloc::string::String as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
