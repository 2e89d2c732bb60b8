//! Files that are pages, and more of everything than there may be.

use super::door::{bytes, hash, Door};
use openledger_client::AccountId;
use openledger_gateway::uploads::named::Role;
use openledger_primitives::MediaType;
use serde_json::json;
use sp_core::{sr25519, Pair};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_a_page_is_a_download_and_its_preview_a_text() {
    const PAGE: &[u8] = b"<!doctype html><script>alert(document.domain)</script> and some words\n";
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (_, bearer) = door.contributor("//Alice").await;
    assert_eq!(door.put(&bearer, PAGE).await.ok()["complete"], true);
    let content = door.chain.name(PAGE, MediaType::Txt, Role::Pending);
    for path in [format!("/v1/files/{}", hash(PAGE)), format!("/ipfs/{content}?format=raw")] {
        let answer = door.ask("GET", &path, &[("Accept", "text/html")], &[]).await;
        assert_eq!((answer.status, answer.body.as_slice()), (200, PAGE), "{path}");
        let kind = answer.header("content-type").unwrap();
        assert!(["application/octet-stream", "application/vnd.ipld.raw"].contains(&kind), "{kind}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("content-security-policy"), Some("sandbox"), "{path}");
        let disposition = answer.header("content-disposition").unwrap();
        assert!(disposition.starts_with("attachment; filename=\""), "{path}: {disposition}");
        assert!(!disposition.contains(".htm"), "{path}: {disposition}");
    }
    let path = format!("/v1/previews/{}", hash(PAGE));
    let preview = door.ask("GET", &path, &[("Accept", "text/html")], &[]).await;
    assert_eq!(preview.header("content-type"), Some("application/json"));
    assert!(preview.ok()["text"].as_str().unwrap().contains("<script>alert"));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_all_accounts_have_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    // As if so many accounts had signed.
    door.add_sessions(20_000).await;
    let pair = sr25519::Pair::from_string("//Alice", None).unwrap();
    let account = AccountId::from(pair.public().0);
    door.chain.register(account);
    let challenge = door.challenge(account).await;
    let text = format!("<Bytes>{}</Bytes>", challenge["message"].as_str().unwrap());
    let signature = hex::encode(pair.sign(text.as_bytes()).0);
    let body = json!({ "account": account.to_string(), "nonce": challenge["nonce"],
        "signature": signature });
    let refused = door.post("/v1/sessions", body).await;
    assert_eq!(refused.error(), (503, "unavailable".to_owned()));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_at_the_same_time_have_an_end_for_an_address_and_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let limits = ["--max-uploads", "2", "--max-uploads-per-address", "1"];
    let door = Door::open(folder.path(), &limits).await;
    let (_, bearer) = door.contributor("//Alice").await;
    let file = bytes(7, 1_000);
    let path = format!("/v1/blobs/{}?size=1000", hash(&file));
    let held = door.begin_upload(&path, &bearer, &file[..10]).await;
    let other = bytes(8, 1_000);
    assert_eq!(door.put(&bearer, &other).await.error(), (429, "too_many".to_owned()));
    drop(held);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while door.put(&bearer, &other).await.status != 200 {
        assert!(std::time::Instant::now() < end, "the place is given back");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    door.close().await;
}
