//! What is taken, decided before a byte is kept.

use super::door::{bytes, hash, Door};
use openledger_gateway::uploads::named::Role;
use openledger_primitives::MediaType;
use std::sync::atomic::Ordering;

fn incoming(folder: &std::path::Path) -> usize {
    std::fs::read_dir(folder.join("incoming")).unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_25_files_the_quota_takes_20_and_what_is_submitted_makes_room_for_none() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (account, bearer) = door.contributor("//Alice").await;
    let mut taken = 0;
    for seed in 0..25 {
        let answer = door.put(&bearer, &bytes(seed, 100)).await;
        match answer.status {
            200 => taken += 1,
            _ => assert_eq!(answer.error(), (409, "daily_files".to_owned())),
        }
    }
    assert_eq!(taken, 20);
    // The chain counts them now, so the gateway does not.
    for seed in 0..20 {
        door.chain.name(&bytes(seed, 100), MediaType::Txt, Role::Pending);
    }
    door.chain.used(account, 20, 2_000);
    let refused = door.put(&bearer, &bytes(30, 100)).await;
    assert_eq!(refused.error(), (409, "daily_files".to_owned()));
    door.chain.used(account, 0, 0);
    door.put(&bearer, &bytes(30, 100)).await.ok();
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_uploaded_and_precommitted_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (account, bearer) = door.contributor("//Alice").await;
    for seed in 0..12 {
        door.put(&bearer, &bytes(seed, 100)).await.ok();
    }
    // The chain counts the files, and their bytes when they are opened.
    door.chain.used(account, 12, 0);
    door.chain.precommitted(account, 12);
    for seed in 12..20 {
        door.put(&bearer, &bytes(seed, 100)).await.ok();
    }
    let refused = door.put(&bearer, &bytes(20, 100)).await;
    assert_eq!(refused.error(), (409, "daily_files".to_owned()));
    // All of them are precommitted: a file that is here already may be sent again, another one may not.
    door.chain.used(account, 20, 0);
    door.chain.precommitted(account, 20);
    door.put(&bearer, &bytes(3, 100)).await.ok();
    let path = format!("/v1/blobs/{}?size=100&media=txt&datanet=0", hash(&bytes(3, 100)));
    let header = [("Authorization", bearer.as_str())];
    door.ask("PUT", &path, &header, &bytes(3, 100)).await.ok();
    let path = format!("/v1/blobs/{}?size=100&media=txt&datanet=0", hash(&bytes(20, 100)));
    let refused = door.ask("PUT", &path, &header, &bytes(20, 100)).await;
    assert_eq!(refused.error(), (409, "daily_files".to_owned()));
    // They are opened: the chain names them, and what was precommitted is no more.
    for seed in 0..20 {
        door.chain.name(&bytes(seed, 100), MediaType::Txt, Role::Pending);
    }
    door.chain.used(account, 20, 2_000);
    door.chain.precommitted(account, 0);
    let refused = door.put(&bearer, &bytes(20, 100)).await;
    assert_eq!(refused.error(), (409, "daily_files".to_owned()));
    // What was precommitted elsewhere gives a file that comes in now no room.
    door.chain.used(account, 20, 2_000);
    door.chain.precommitted(account, 5);
    let refused = door.put(&bearer, &bytes(21, 100)).await;
    assert_eq!(refused.error(), (409, "daily_files".to_owned()));
    // Bytes that are here count until the chain counts them.
    let (account, bearer) = door.contributor("//Bob").await;
    door.put(&bearer, &bytes(30, 6 << 20)).await.ok();
    door.chain.used(account, 1, 0);
    door.chain.precommitted(account, 1);
    let refused = door.put(&bearer, &bytes(31, 5 << 20)).await;
    assert_eq!(refused.error(), (409, "daily_bytes".to_owned()));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_of_chain_and_gateway_together_stay_within_the_quota() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (account, bearer) = door.contributor("//Alice").await;
    door.chain.used(account, 1, 9 << 20);
    door.put(&bearer, &bytes(1, 700_000)).await.ok();
    let refused = door.put(&bearer, &bytes(2, 700_000)).await;
    assert_eq!(refused.error(), (409, "daily_bytes".to_owned()));
    // The same file again is no second one.
    door.put(&bearer, &bytes(1, 700_000)).await.ok();
    // What is given up makes room.
    let path = format!("/v1/blobs/{}", hash(&bytes(1, 700_000)));
    let header = [("Authorization", bearer.as_str())];
    assert_eq!(door.ask("DELETE", &path, &header, &[]).await.status, 204);
    assert_eq!(door.ask("DELETE", &path, &header, &[]).await.status, 404);
    assert_eq!(door.state(&bearer, &bytes(1, 700_000)).await["complete"], false);
    door.put(&bearer, &bytes(2, 700_000)).await.ok();
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_at_the_same_time_do_not_pass_the_quota_together() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (account, bearer) = door.contributor("//Alice").await;
    door.chain.used(account, 17, 0);
    let files: Vec<Vec<u8>> = (0..6).map(|seed| bytes(seed, 50_000)).collect();
    let all = files.iter().map(|file| door.put(&bearer, file));
    let answers = futures::future::join_all(all).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 3);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &["--storage", "1000"]).await;
    let file = bytes(1, 2_000);
    let name = hash(&file);
    let put = |path: String, bearer: Option<String>| {
        let (door, file) = (&door, &file);
        async move {
            let header = bearer.as_deref().map(|bearer| ("Authorization", bearer));
            door.ask("PUT", &path, header.as_slice(), file).await.error()
        }
    };
    let refused = put(format!("/v1/blobs/{name}?size=2000"), None).await;
    assert_eq!(refused, (401, "no_session".to_owned()));
    let (_, bearer) = door.contributor("//Alice").await;
    for (path, status, code) in [
        (format!("/v1/blobs/{name}?size=2000"), 507, "storage_full"),
        (format!("/v1/blobs/{name}?size=0"), 400, "invalid_value"),
        (format!("/v1/blobs/{name}"), 400, "invalid_value"),
        (format!("/v1/blobs/{name}?size=-1"), 400, "invalid_value"),
        (format!("/v1/blobs/{name}?size=10485761"), 413, "too_large"),
        (format!("/v1/blobs/{name}?size=100&media=exe"), 400, "invalid_value"),
        (format!("/v1/blobs/{name}?size=100&media=txt&datanet=9"), 409, "refused"),
        (format!("/v1/blobs/{}?size=100", name.to_uppercase()), 400, "invalid_value"),
        (format!("/v1/blobs/..%2f..%2f{}?size=100", &name[6..]), 400, "invalid_value"),
        (format!("/v1/blobs/{}%00?size=100", &name[1..]), 400, "invalid_value"),
    ] {
        let refused = put(path.clone(), Some(bearer.clone())).await;
        assert_eq!(refused, (status, code.to_owned()), "{path}");
    }
    assert_eq!(incoming(folder.path()), 0);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_of_a_pending_submission_are_taken_from_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let file = bytes(1, 3_000_000);
    let path = format!("/v1/blobs/{}?size={}", hash(&file), file.len());
    let refused = door.ask("PUT", &path, &[], &file).await;
    assert_eq!(refused.error(), (401, "no_session".to_owned()));
    let content = door.chain.name(&file, MediaType::Pdf, Role::Pending);

    // Another size than the submission's, other bytes, and a part are refused and leave nothing.
    let wrong = format!("/v1/blobs/{}?size=5", hash(&file));
    assert_eq!(door.ask("PUT", &wrong, &[], b"wrong").await.status, 400);
    let refused = door.ask("PUT", &path, &[], &bytes(2, 3_000_000)).await;
    assert_eq!(refused.error(), (422, "wrong_hash".to_owned()));
    let refused = door.ask("PUT", &path, &[("Upload-Offset", "10")], &file[10..]).await;
    assert_eq!(refused.error(), (409, "wrong_offset".to_owned()));
    assert_eq!(incoming(folder.path()), 0);

    let state = door.ask("PUT", &path, &[], &file).await.ok();
    assert_eq!(state["complete"], true);
    assert_eq!(state["named"], true);
    assert_eq!(state["content"], content.to_string());
    assert_eq!(state["expiresAt"], serde_json::Value::Null);
    assert_eq!(incoming(folder.path()), 0);

    // Of what is accepted already, nobody needs bytes from strangers.
    let accepted = bytes(5, 1_000);
    door.chain.name(&accepted, MediaType::Pdf, Role::Accepted);
    let path = format!("/v1/blobs/{}?size=1000", hash(&accepted));
    let refused = door.ask("PUT", &path, &[], &accepted).await;
    assert_eq!(refused.error(), (401, "no_session".to_owned()));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_names_is_dropped_and_what_is_named_stays() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &["--keep-unnamed", "3"]).await;
    let (_, bearer) = door.contributor("//Alice").await;
    // Both have the same first block.
    let shared = bytes(9, 1 << 20);
    let named: Vec<u8> = [shared.as_slice(), b"named"].concat();
    let forgotten: Vec<u8> = [shared.as_slice(), b"forgotten"].concat();
    door.put(&bearer, &named).await.ok();
    let state = door.put(&bearer, &forgotten).await.ok();
    assert!(state["expiresAt"].as_i64().is_some());
    door.chain.name(&named, MediaType::Txt, Role::Accepted);
    // Half of another file, whose sender never comes back.
    let half = bytes(3, 1_000);
    let path = format!("/v1/blobs/{}?size=1000", hash(&half));
    let answer = door.ask("PUT", &path, &[("Authorization", &bearer)], &half[..500]).await;
    assert_eq!(answer.error(), (400, "incomplete".to_owned()));
    assert_eq!(door.state(&bearer, &half).await["received"], 500);

    let gone = async {
        while door.state(&bearer, &forgotten).await["complete"] == true
            || door.state(&bearer, &half).await["received"] != 0
        {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), gone).await.expect("both are dropped");
    assert_eq!(incoming(folder.path()), 0);
    let state = door.state(&bearer, &named).await;
    assert_eq!((&state["complete"], &state["named"]), (&true.into(), &true.into()));
    // All its blocks are there still.
    let path = format!("/v1/files/{}", hash(&named));
    let answer = door.ask("GET", &path, &[], &[]).await;
    assert_eq!((answer.status, answer.body), (200, named.clone()));

    // An index that catches up does not know it yet: that is no reason.
    door.chain.behind.store(true, Ordering::Relaxed);
    door.chain.forget();
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    assert_eq!(door.state(&bearer, &named).await["complete"], true);
    // The chain has forgotten it (it was refused): it goes.
    door.chain.behind.store(false, Ordering::Relaxed);
    let gone = async {
        while door.state(&bearer, &named).await["complete"] == true
            || walk(&folder.path().join("ipfs/blocks")) > 0
        {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    let gone = tokio::time::timeout(std::time::Duration::from_secs(20), gone).await;
    gone.expect("it is dropped with all its blocks");
    door.close().await;
}

fn walk(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { walk(&path) } else { 1 }).sum()
}
