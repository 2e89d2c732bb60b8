//! Sessions: who signed what, once, for which page and chain.

use super::door::{Answer, Door, GENESIS};
use openledger_client::AccountId;
use openledger_gateway::uploads::database::now;
use serde_json::{json, Value};
use sp_core::{ecdsa, ed25519, sr25519, Pair};
use std::sync::Arc;
use std::time::Duration;

fn wrapped(message: &Value) -> Vec<u8> {
    format!("<Bytes>{}</Bytes>", message.as_str().unwrap()).into_bytes()
}

fn alice() -> (sr25519::Pair, AccountId) {
    let pair = sr25519::Pair::from_string("//Alice", None).unwrap();
    let account = AccountId::from(pair.public().0);
    (pair, account)
}

async fn open(door: &Door, account: AccountId, nonce: &Value, signature: &[u8]) -> Answer {
    let signature = hex::encode(signature);
    let body = json!({ "account": account.to_string(), "nonce": nonce, "signature": signature });
    door.post("/v1/sessions", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_all_three_schemes_open_a_session() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let ed = ed25519::Pair::from_string("//Alice", None).unwrap();
    let ec = ecdsa::Pair::from_string("//Alice", None).unwrap();
    let (sr, sr_account) = alice();
    let ec_account = AccountId::from(sp_crypto_hashing::blake2_256(&ec.public().0));
    type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;
    let keys: [(AccountId, u8, Sign); 3] = [
        (AccountId::from(ed.public().0), 0, Box::new(move |text| ed.sign(text).0.to_vec())),
        (sr_account, 1, Box::new(move |text| sr.sign(text).0.to_vec())),
        (ec_account, 2, Box::new(move |text| ec.sign(text).0.to_vec())),
    ];
    for (account, name, sign) in keys {
        door.chain.register(account);
        let challenge = door.challenge(account).await;
        let signature = sign(&wrapped(&challenge["message"]));
        let opened = open(&door, account, &challenge["nonce"], &signature).await.ok();
        assert_eq!(opened["token"].as_str().unwrap().len(), 64);

        // Some wallets write the scheme's number before the signature.
        let challenge = door.challenge(account).await;
        let mut signature = sign(&wrapped(&challenge["message"]));
        signature.insert(0, name);
        open(&door, account, &challenge["nonce"], &signature).await.ok();
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_names_page_chain_account_purpose_nonce_and_end() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (_, account) = alice();
    let challenge = door.challenge(account).await;
    let message = challenge["message"].as_str().unwrap();
    for line in [
        format!("Origin: http://localhost:{}", door.address.port()),
        format!("Genesis: {}", hex::encode(GENESIS)),
        format!("Account: {account}"),
        "Purpose: upload".to_owned(),
        format!("Nonce: {}", challenge["nonce"].as_str().unwrap()),
    ] {
        assert!(message.lines().any(|found| found == line), "{line} is not in {message}");
    }
    let other = json!({ "account": account.to_string(), "purpose": "pay" });
    let refused = door.post("/v1/sessions/challenge", other).await;
    assert_eq!(refused.error(), (400, "invalid_value".to_owned()));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_over_anything_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (pair, account) = alice();
    door.chain.register(account);
    let challenge = door.challenge(account).await;
    let text = challenge["message"].as_str().unwrap();
    let other_chain = text.replace(&hex::encode(GENESIS), &hex::encode([8; 32]));
    let wrong = (401, "wrong_signature".to_owned());
    let refused = [
        // Without the wrapping that keeps it apart from transactions.
        text.to_owned(),
        format!("<Bytes>{text}</Bytes>\n"),
        format!("<Bytes>{other_chain}</Bytes>"),
        format!("<Bytes>{}</Bytes>", text.replace("localhost", "evil.example")),
    ];
    for text in refused {
        let signature = pair.sign(text.as_bytes()).0;
        assert_eq!(open(&door, account, &challenge["nonce"], &signature).await.error(), wrong);
    }
    let bob = sr25519::Pair::from_string("//Bob", None).unwrap();
    let signature = bob.sign(&wrapped(&challenge["message"])).0;
    assert_eq!(open(&door, account, &challenge["nonce"], &signature).await.error(), wrong);
    // A scheme that is named is the only one that is tried.
    let signature = hex::encode(pair.sign(&wrapped(&challenge["message"])).0);
    let body = json!({ "account": account.to_string(), "nonce": challenge["nonce"],
        "signature": signature, "scheme": "ed25519" });
    assert_eq!(door.post("/v1/sessions", body).await.error(), wrong);
    // None of this has used the challenge up.
    let signature = pair.sign(&wrapped(&challenge["message"])).0;
    open(&door, account, &challenge["nonce"], &signature).await.ok();
    door.close().await;
}

/// Encodings of the points of small order of edwards25519, and of ristretto's one.
const WEAK: [&str; 6] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
];

#[tokio::test(flavor = "multi_thread")]
async fn keys_for_which_anyone_can_sign_open_no_session() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let mut accepted = 0;
    for key in WEAK {
        let bytes: [u8; 32] = hex::decode(key).unwrap().try_into().unwrap();
        let account = AccountId::from(bytes);
        door.chain.register(account);
        let challenge = door.challenge(account).await;
        let text = wrapped(&challenge["message"]);
        // R and s of signatures without a secret: a point of small order and nothing.
        for point in WEAK {
            let mut signature = hex::decode(point).unwrap();
            signature.extend([0; 32]);
            let mut marked = signature.clone();
            marked[63] = 0x80;
            let loose = ed25519::Signature::from_raw(signature.clone().try_into().unwrap());
            let key = ed25519::Public::from_raw(bytes);
            accepted += usize::from(ed25519::Pair::verify(&loose, &text, &key));
            for signature in [signature, marked] {
                let opened = open(&door, account, &challenge["nonce"], &signature).await;
                assert_eq!(opened.error(), (401, "wrong_signature".to_owned()), "{key} {point}");
            }
        }
    }
    // The chain's own verification takes some of them (ZIP 215).
    assert!(accepted > 0);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_opens_one_session() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (pair, account) = alice();
    door.chain.register(account);
    let challenge = door.challenge(account).await;
    let signature = pair.sign(&wrapped(&challenge["message"])).0;
    open(&door, account, &challenge["nonce"], &signature).await.ok();
    let again = open(&door, account, &challenge["nonce"], &signature).await;
    assert_eq!(again.error(), (401, "used_nonce".to_owned()));
    // Another way to write the same nonce is the same nonce.
    let upper = json!(challenge["nonce"].as_str().unwrap().to_uppercase());
    let again = open(&door, account, &upper, &signature).await;
    assert_eq!(again.error(), (401, "used_nonce".to_owned()));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_belongs_to_gateway_account_and_page() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (pair, account) = alice();
    let bob = sr25519::Pair::from_string("//Bob", None).unwrap();
    let bob_account = AccountId::from(bob.public().0);
    door.chain.register(account);
    door.chain.register(bob_account);
    let unknown = (401, "unknown_nonce".to_owned());
    let challenge = door.challenge(account).await;
    let text = challenge["message"].as_str().unwrap();

    let text = text.replace(&account.to_string(), &bob_account.to_string());
    let signature = bob.sign(format!("<Bytes>{text}</Bytes>").as_bytes()).0;
    let refused = open(&door, bob_account, &challenge["nonce"], &signature).await;
    assert_eq!(refused.error(), unknown);

    // An end that was put off.
    let mut nonce = hex::decode(challenge["nonce"].as_str().unwrap()).unwrap();
    nonce[20] ^= 1;
    let signature = pair.sign(&wrapped(&challenge["message"])).0;
    let refused = open(&door, account, &json!(hex::encode(nonce)), &signature).await;
    assert_eq!(refused.error(), unknown);
    let refused = open(&door, account, &json!("../../etc/passwd"), &signature).await;
    assert_eq!(refused.error(), unknown);

    // The same challenge, sent on by another page that may ask.
    let body = json!({ "account": account.to_string(), "nonce": challenge["nonce"],
        "signature": hex::encode(signature) });
    let origin = [("Origin", "https://allowed.example")];
    let refused = door.ask("POST", "/v1/sessions", &origin, body.to_string().as_bytes()).await;
    assert_eq!(refused.error(), unknown);
    let origin = [("Origin", "https://evil.example")];
    let refused = door.ask("POST", "/v1/sessions", &origin, body.to_string().as_bytes()).await;
    assert_eq!(refused.error(), (403, "origin_not_allowed".to_owned()));

    // A gateway that started anew knows none of its old challenges.
    let (chain, folder) = (door.chain.clone(), folder);
    door.close().await;
    let door = Door::open_on(chain, folder.path(), &[]).await;
    let refused = open(&door, account, &challenge["nonce"], &signature).await;
    assert_eq!(refused.error(), unknown);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_get_no_session() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (pair, account) = alice();
    let challenge = door.challenge(account).await;
    let signature = pair.sign(&wrapped(&challenge["message"])).0;
    let refused = open(&door, account, &challenge["nonce"], &signature).await;
    assert_eq!(refused.error(), (403, "not_registered".to_owned()));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_outlives_the_gateway_and_ends_when_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (_, bearer) = door.contributor("//Alice").await;
    let (_, other) = door.contributor("//Alice").await;
    let chain = door.chain.clone();
    door.close().await;
    let door = Door::open_on(chain, folder.path(), &[]).await;
    door.state(&bearer, b"a").await;
    let revoked = door.ask("DELETE", "/v1/sessions", &[("Authorization", &bearer)], &[]).await;
    assert_eq!(revoked.status, 204);
    assert_eq!(door.put(&bearer, b"a").await.error(), (401, "no_session".to_owned()));
    door.put(&other, b"a").await.ok();
    // Only the header counts, and only as a bearer.
    let cookie = other.replace("Bearer ", "token=");
    let path = format!("/v1/blobs/{}?size=1", super::door::hash(b"b"));
    let refused = door.ask("PUT", &path, &[("Cookie", &cookie)], b"b").await;
    assert_eq!(refused.error(), (401, "no_session".to_owned()));
    let basic = other.replace("Bearer", "Basic");
    let refused = door.ask("PUT", &path, &[("Authorization", &basic)], b"b").await;
    assert_eq!(refused.error(), (401, "bad_token".to_owned()));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_of_many_sessions_of_an_account_ends() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (_, first) = door.contributor("//Alice").await;
    for _ in 0..7 {
        door.contributor("//Alice").await;
    }
    door.state(&first, b"a").await;
    door.contributor("//Alice").await;
    assert_eq!(door.put(&first, b"a").await.error(), (401, "no_session".to_owned()));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn challenges_and_sessions_end_when_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let times = (Duration::from_secs(2), Duration::from_secs(3));
    let door = Door::open_for(Arc::default(), folder.path(), &[], times).await;
    let (pair, account) = alice();
    let began = now();
    let (_, bearer) = door.contributor("//Alice").await;
    let challenge = door.challenge(account).await;
    let ends = challenge["expiresAt"].as_i64().unwrap();
    assert!((began + 2_000..=now() + 2_000).contains(&ends));
    door.put(&bearer, b"a").await.ok();

    tokio::time::sleep(Duration::from_millis(3_100)).await;
    let signature = pair.sign(&wrapped(&challenge["message"])).0;
    let late = open(&door, account, &challenge["nonce"], &signature).await;
    assert_eq!(late.error(), (401, "expired_nonce".to_owned()));
    assert_eq!(door.put(&bearer, b"b").await.error(), (401, "no_session".to_owned()));
    door.close().await;
}
