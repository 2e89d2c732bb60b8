//! What a wallet has to sign, byte for byte: the vectors of docs/uploads.md. `OPENLEDGER_UPDATE=1` writes
//! them anew.

use openledger_client::AccountId;
use openledger_gateway::sessions::{text, verify, Scheme};
use serde_json::{json, Value};
use sp_core::{ecdsa, ed25519, sr25519, Pair};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/uploads.md");
const BEGIN: &str = "<!-- vectors -->\n```json\n";
const END: &str = "\n```\n<!-- end of vectors -->";
const ORIGIN: &str = "http://localhost:8000";
const GENESIS: [u8; 32] = [7; 32];
const NONCE: &str =
    "000102030405060708090a0b0c0d0e0f00000193770ce490f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
const EXPIRES: i64 = 1_732_866_930_000;

fn new_vectors() -> String {
    let sr = sr25519::Pair::from_string("//Alice", None).unwrap();
    let ed = ed25519::Pair::from_string("//Alice", None).unwrap();
    let ec = ecdsa::Pair::from_string("//Alice", None).unwrap();
    let accounts = [
        ("sr25519", AccountId::from(sr.public().0)),
        ("ed25519", AccountId::from(ed.public().0)),
        ("ecdsa", AccountId::from(sp_crypto_hashing::blake2_256(&ec.public().0))),
    ];
    let vectors = accounts.map(|(scheme, account)| {
        let message = text(ORIGIN, &GENESIS, &account, NONCE, EXPIRES);
        let wrapped = format!("<Bytes>{message}</Bytes>");
        let signature = match scheme {
            "sr25519" => hex::encode(sr.sign(wrapped.as_bytes()).0),
            "ed25519" => hex::encode(ed.sign(wrapped.as_bytes()).0),
            _ => hex::encode(ec.sign(wrapped.as_bytes()).0),
        };
        json!({ "scheme": scheme, "account": account.to_string(), "message": message,
            "signature": signature })
    });
    serde_json::to_string_pretty(&vectors).unwrap()
}

fn vectors() -> Vec<Value> {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("docs/uploads.md has vectors");
    let (mut vectors, after) = rest.split_once(END).expect("they end");
    let new = new_vectors();
    if std::env::var_os("OPENLEDGER_UPDATE").is_some() {
        std::fs::write(PAGE, format!("{before}{BEGIN}{new}{END}{after}")).unwrap();
        vectors = &new;
    }
    serde_json::from_str(vectors).unwrap()
}

fn word<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap()
}

#[test]
fn the_documented_signatures_are_accepted_by_their_scheme_and_for_nothing_else() {
    let schemes = [Scheme::Sr25519, Scheme::Ed25519, Scheme::Ecdsa];
    let vectors = vectors();
    assert_eq!(vectors.len(), schemes.len());
    for (vector, scheme) in vectors.iter().zip(schemes) {
        let named: Scheme = serde_json::from_value(vector["scheme"].clone()).unwrap();
        assert_eq!(named, scheme);
        let account: AccountId = word(vector, "account").parse().unwrap();
        // The text is what the gateway writes today.
        let message = text(ORIGIN, &GENESIS, &account, NONCE, EXPIRES);
        assert_eq!(word(vector, "message"), message);
        assert!(message.ends_with("Expires: 2024-11-29T07:55:30Z"), "{message}");

        let signature = hex::decode(word(vector, "signature")).unwrap();
        let fits = |message: &str, signature: &[u8], scheme| {
            verify(&account, message.as_bytes(), signature, scheme)
        };
        assert!(fits(&message, &signature, None));
        for other in schemes {
            assert_eq!(fits(&message, &signature, Some(other)), other == scheme);
        }
        assert!(!fits(&format!("{message} "), &signature, None));
        let mut damaged = signature.clone();
        damaged[40] ^= 1;
        assert!(!fits(&message, &damaged, None));
        assert!(!fits(&message, &signature[1..], None));
    }
}
