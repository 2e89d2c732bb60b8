//! Content ids: one kind of CID, and nothing else.

use codec::{Decode, DecodeAll, Encode, MaxEncodedLen};
use openledger_primitives::{ContentCodec, ContentId, ContentIdError};
use proptest::prelude::*;

fn any_id() -> impl Strategy<Value = ContentId> {
    let codec = prop_oneof![Just(ContentCodec::Raw), Just(ContentCodec::DagPb)];
    (codec, any::<[u8; 32]>()).prop_map(|(codec, digest)| ContentId::new(codec, digest))
}

/// A binary CIDv1 of one-byte codec and hash codes.
fn binary(version: u8, codec: u8, hash: u8, digest: &[u8]) -> Vec<u8> {
    [&[version, codec, hash, digest.len() as u8], digest].concat()
}

// Computed with hashlib and base64 of Python: sha2-256 of nothing, of "hello world", and of the
// dag-pb block of an empty UnixFS directory.
const GOLDEN: [(ContentCodec, &str, &str); 3] = [
    (
        ContentCodec::Raw,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
    ),
    (
        ContentCodec::Raw,
        "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
        "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e",
    ),
    (
        ContentCodec::DagPb,
        "59948439065f29619ef41280cbb932be52c56d99c5966b65e0111239f098bbef",
        "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354",
    ),
];

fn digest(hex: &str) -> [u8; 32] {
    std::array::from_fn(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).expect("hex"))
}

#[test]
fn golden_cids_are_read_and_written() {
    for (codec, hex, text) in GOLDEN {
        let id = ContentId::new(codec, digest(hex));
        assert_eq!(id.to_string(), text);
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(id.to_bytes()[..4], [1, codec.code() as u8, 0x12, 32]);
        assert_eq!(id.to_bytes()[4..], digest(hex));
        assert_eq!((id.codec(), id.digest()), (codec, &digest(hex)));
    }
}

#[test]
fn a_content_id_takes_33_bytes_and_begins_with_its_multicodec() {
    let id = ContentId::raw([7; 32]);
    assert_eq!(id.encode(), [vec![0x55], vec![7; 32]].concat());
    assert_eq!(ContentId::new(ContentCodec::DagPb, [7; 32]).encode()[0], 0x70);
    assert_eq!(ContentId::max_encoded_len(), 33);
}

#[test]
fn stored_bytes_of_any_other_codec_are_not_a_content_id() {
    for code in 0..=u8::MAX {
        let bytes = [vec![code], vec![7; 32]].concat();
        let known = code == 0x55 || code == 0x70;
        assert_eq!(ContentId::decode_all(&mut &bytes[..]).is_ok(), known, "{code:#x}");
    }
    assert!(ContentId::decode(&mut &[0x55; 32][..]).is_err());
}

#[test]
fn every_other_version_codec_and_hash_is_refused() {
    let digest = [7; 32];
    for value in 0..0x80 {
        let version = ContentId::from_bytes(&binary(value, 0x55, 0x12, &digest));
        assert_eq!(version.is_ok(), value == 1, "version {value:#x}: {version:?}");
        let codec = ContentId::from_bytes(&binary(1, value, 0x12, &digest));
        match value {
            0x55 | 0x70 => assert!(codec.is_ok()),
            _ => assert_eq!(codec, Err(ContentIdError::Codec(value.into()))),
        }
        let hash = ContentId::from_bytes(&binary(1, 0x55, value, &digest));
        match value {
            0x12 => assert!(hash.is_ok()),
            _ => assert_eq!(hash, Err(ContentIdError::Hash(value.into()))),
        }
    }
    // blake2b-256, whose code takes three bytes.
    let blake = [&[1, 0x55, 0xa0, 0xe4, 0x02, 32], &digest[..]].concat();
    assert_eq!(ContentId::from_bytes(&blake), Err(ContentIdError::Hash(0xb220)));
    // An identity hash of nothing, which claims to hold the content itself.
    assert_eq!(ContentId::from_bytes(&[1, 0x55, 0, 0]), Err(ContentIdError::Hash(0)));
}

#[test]
fn a_cid_of_version_0_is_refused_by_name_in_bytes_and_text() {
    let bytes = [&[0x12, 32], &[7; 32][..]].concat();
    assert_eq!(ContentId::from_bytes(&bytes), Err(ContentIdError::Version));
    let text = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";
    assert_eq!(text.parse::<ContentId>(), Err(ContentIdError::Version));
}

#[test]
fn every_other_length_of_digest_is_refused() {
    for length in 0..=64usize {
        let found = ContentId::from_bytes(&binary(1, 0x55, 0x12, &vec![7; length]));
        match length {
            32 => assert!(found.is_ok()),
            _ => assert_eq!(found, Err(ContentIdError::Length { found: length, expected: 32 })),
        }
    }
}

#[test]
fn numbers_that_are_written_longer_than_needed_are_refused() {
    let digest = [7; 32];
    for bytes in [
        [&[0x81, 0x00, 0x55, 0x12, 32], &digest[..]].concat(),
        [&[1, 0xd5, 0x00, 0x12, 32], &digest[..]].concat(),
        [&[1, 0x55, 0x92, 0x00, 32], &digest[..]].concat(),
        [&[1, 0x55, 0x12, 0xa0, 0x00], &digest[..]].concat(),
    ] {
        assert_eq!(ContentId::from_bytes(&bytes), Err(ContentIdError::Malformed));
    }
}

#[test]
fn only_lower_case_base32_is_taken() {
    let text = GOLDEN[0].2;
    let upper = text.to_uppercase();
    assert_eq!(upper.parse::<ContentId>(), Err(ContentIdError::Base));
    // The same CID in base58btc and base16.
    let hex: String = GOLDEN[0].1.into();
    assert_eq!(format!("f01551220{hex}").parse::<ContentId>(), Err(ContentIdError::Base));
    for damaged in [
        format!(" {text}"),
        format!("{text} "),
        format!("{text}="),
        format!("{text}a"),
        format!("ipfs://{text}"),
        text[..58].to_string(),
        String::new(),
        "b".to_string(),
    ] {
        assert!(damaged.parse::<ContentId>().is_err(), "{damaged:?}");
    }
}

#[test]
fn endless_input_is_refused_before_it_is_parsed() {
    let long = vec![1; 1 << 20];
    assert_eq!(
        ContentId::from_bytes(&long),
        Err(ContentIdError::Length { found: 1 << 20, expected: 36 })
    );
    let long = "b".repeat(1 << 20);
    assert_eq!(
        long.parse::<ContentId>(),
        Err(ContentIdError::Length { found: 1 << 20, expected: 59 })
    );
}

#[test]
fn refusals_say_what_is_wrong_and_what_to_do() {
    let words = |error: ContentIdError| error.to_string();
    assert!(words(ContentIdError::Codec(0x71)).contains("0x71"));
    assert!(words(ContentIdError::Hash(0x1e)).contains("0x1e"));
    assert!(words(ContentIdError::Version).contains("--cid-version=1"));
    let length = words(ContentIdError::Length { found: 37, expected: 36 });
    assert!(length.contains("37") && length.contains("36"));
}

proptest! {
    #[test]
    fn content_ids_survive_bytes_text_and_storage(id in any_id()) {
        prop_assert_eq!(ContentId::from_bytes(&id.to_bytes()), Ok(id));
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert_eq!(id.to_string().len(), 59);
        prop_assert_eq!(ContentId::decode_all(&mut &id.encode()[..]), Ok(id));
    }

    #[test]
    fn bytes_behind_a_content_id_are_refused(id in any_id(), tail in prop::collection::vec(any::<u8>(), 1..40)) {
        let bytes = [&id.to_bytes()[..], &tail].concat();
        let found = bytes.len();
        prop_assert_eq!(
            ContentId::from_bytes(&bytes),
            Err(ContentIdError::Length { found, expected: 36 })
        );
    }

    #[test]
    fn a_content_id_cut_short_is_refused(id in any_id(), length in 0usize..36) {
        prop_assert!(ContentId::from_bytes(&id.to_bytes()[..length]).is_err());
    }

    #[test]
    fn whatever_bytes_are_taken_are_the_only_ones_of_their_id(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(id) = ContentId::from_bytes(&bytes) {
            prop_assert_eq!(&id.to_bytes()[..], &bytes[..]);
        }
    }

    #[test]
    fn whatever_text_is_taken_is_the_only_one_of_its_id(id in any_id(), at in 0usize..59, with in "[ -~]") {
        let mut text = id.to_string();
        text.replace_range(at..=at, &with);
        if let Ok(other) = text.parse::<ContentId>() {
            prop_assert_eq!(other.to_string(), text);
        }
    }
}
