//! A disk that is full, or nearly: what is said, and what stays.

use super::door::{bytes, hash, Door};
use serde_json::json;
use sp_core::{sr25519, Pair};
use std::path::Path;

fn incoming(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder.join("incoming")).unwrap();
    files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

fn full() -> (u16, String) {
    (507, "storage_full".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn files_leave_free_what_databases_grow_by() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &["--reserve", "1000000000000000000"]).await;
    let (_, bearer) = door.contributor("//Alice").await;
    let file = bytes(1, 10_000);
    let refused = door.put(&bearer, &file).await;
    assert_eq!(refused.error(), full());
    assert!(refused.header("retry-after").is_some());
    // Neither bytes nor a claim of the account's day.
    let state = door.state(&bearer, &file).await;
    assert_eq!((&state["received"], &state["size"]), (&json!(0), &json!(null)));
    assert_eq!(incoming(folder.path()), Vec::<String>::new());
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_fills_the_disk_gives_its_bytes_back() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (account, bearer) = door.contributor("//Alice").await;
    let file = bytes(2, 300_000);
    // A device on which every byte is one too many.
    let name = format!("{}-{}.part", hash(&file), hex::encode(account.0));
    std::os::unix::fs::symlink("/dev/full", folder.path().join("incoming").join(&name)).unwrap();
    assert_eq!(door.put(&bearer, &file).await.error(), full());
    assert_eq!(incoming(folder.path()), Vec::<String>::new());
    let state = door.state(&bearer, &file).await;
    assert_eq!((&state["received"], &state["size"]), (&json!(0), &json!(null)));
    // Once there is room, the same file comes as if nothing had been.
    assert_eq!(door.put(&bearer, &file).await.ok()["complete"], true);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_and_sealed_keys_say_that_the_disk_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    // SQLite says what it would of a disk without room.
    door.fill_database().await;
    let mut statuses = Vec::new();
    for number in 0..300 {
        let pair = sr25519::Pair::from_string(&format!("//{number}"), None).unwrap();
        let account = openledger_client::AccountId::from(pair.public().0);
        door.chain.register(account);
        let challenge = door.challenge(account).await;
        let text = format!("<Bytes>{}</Bytes>", challenge["message"].as_str().unwrap());
        let signature = hex::encode(pair.sign(text.as_bytes()).0);
        let body = json!({ "account": account.to_string(), "nonce": challenge["nonce"],
            "signature": signature });
        let opened = door.post("/v1/sessions", body).await;
        statuses.push(opened.status);
        if opened.status != 200 {
            assert_eq!(opened.error(), full());
            break;
        }
    }
    assert_eq!(statuses.last(), Some(&507), "{statuses:?}");
    let key = "11".repeat(32);
    let sealed = bytes(3, 4_000);
    let path = "/v1/vault/AAAAAAAAAAAAAAAAAAAAAAAA";
    let refused = door.ask("PUT", path, &[("Vault-Key", &key)], &sealed).await;
    assert_eq!(refused.error(), full());
    door.close().await;
}
