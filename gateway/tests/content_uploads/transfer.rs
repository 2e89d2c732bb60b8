//! Bytes on their way: whole, in parts, again, at once, wrong, too slow, too many.

use super::door::{bytes, hash, Answer, Door};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_stored_once_under_the_content_id_of_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (_, bearer) = door.contributor("//Alice").await;
    for length in [1, 65_537, 1 << 20, (1 << 20) + 1, 3_333_333] {
        let file = bytes(1, length);
        let content = openledger_content::describe(file.as_slice()).unwrap().content.to_string();
        let state = door.put(&bearer, &file).await.ok();
        assert_eq!(state["content"], content, "{length} bytes");
        assert_eq!(state["size"], length);
        let again = door.put(&bearer, &file).await.ok();
        assert_eq!(again["content"], content);
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_upload_goes_on_where_it_stopped_also_behind_another_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (_, bearer) = door.contributor("//Alice").await;
    let file = bytes(1, 2_500_000);
    let path = format!("/v1/blobs/{}?size={}", hash(&file), file.len());
    let authorization = [("Authorization", bearer.as_str())];
    let mut head = door.head("PUT", &path, &authorization);
    head.push_str(&format!("Content-Length: {}\r\n\r\n", file.len()));
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&file[..900_000]).await.unwrap();
    stream.shutdown().await.unwrap();
    let broken = Answer::read(stream).await;
    assert_eq!(broken.status, 400);
    let state = door.state(&bearer, &file).await;
    assert_eq!(state["received"], 900_000);
    assert_eq!(state["size"], 2_500_000);

    let chain = door.chain.clone();
    door.close().await;
    let door = Door::open_on(chain, folder.path(), &[]).await;
    // Another place than where it stopped is refused, and says where to go on.
    let wrong = [("Authorization", bearer.as_str()), ("Upload-Offset", "900001")];
    let refused = door.ask("PUT", &path, &wrong, &file[900_001..]).await;
    assert_eq!(refused.error(), (409, "wrong_offset".to_owned()));
    let message = refused.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("900000 bytes"), "{message}");
    let range =
        [("Authorization", bearer.as_str()), ("Content-Range", "bytes 900000-1499999/2500000")];
    let part = door.ask("PUT", &path, &range, &file[900_000..1_500_000]).await;
    assert_eq!(part.error(), (400, "incomplete".to_owned()));
    let rest = [("Authorization", bearer.as_str()), ("Upload-Offset", "1500000")];
    let state = door.ask("PUT", &path, &rest, &file[1_500_000..]).await.ok();
    assert_eq!(state["complete"], true);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (_, bearer) = door.contributor("//Alice").await;
    let file = bytes(1, 100);
    let path = format!("/v1/blobs/{}?size=100", hash(&file));
    for (name, value) in [
        ("Upload-Offset", "100"),
        ("Upload-Offset", "-1"),
        ("Upload-Offset", "x"),
        ("Content-Range", "bytes 0-99/101"),
        ("Content-Range", "bytes 5-4/100"),
        ("Content-Range", "bytes */100"),
        ("Content-Range", "lines 0-9/100"),
    ] {
        let headers = [("Authorization", bearer.as_str()), (name, value)];
        let refused = door.ask("PUT", &path, &headers, &file).await;
        assert_eq!(refused.error(), (400, "invalid_value".to_owned()), "{name}: {value}");
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_bytes_than_announced_are_dropped_and_use_no_quota() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (account, bearer) = door.contributor("//Alice").await;
    door.chain.used(account, 19, 0);
    let file = bytes(1, 10_000);
    let path = format!("/v1/blobs/{}?size=10000", hash(&file));
    let authorization = [("Authorization", bearer.as_str())];
    let refused = door.ask("PUT", &path, &authorization, &bytes(2, 10_000)).await;
    assert_eq!(refused.error(), (422, "wrong_hash".to_owned()));
    assert_eq!(door.state(&bearer, &file).await["received"], 0);
    let refused = door.ask("PUT", &path, &authorization, &bytes(1, 10_001)).await;
    assert_eq!(refused.error(), (413, "too_large".to_owned()));
    door.put(&bearer, &file).await.ok();
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_at_once_is_written_once_and_accounts_do_not_disturb_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (_, alice) = door.contributor("//Alice").await;
    let (_, bob) = door.contributor("//Bob").await;
    let file = bytes(1, 5_000_000);
    let all = [&alice, &alice, &alice, &bob].map(|bearer| door.put(bearer, &file));
    let answers = futures::future::join_all(all).await;
    for answer in &answers {
        if answer.status != 200 {
            assert_eq!(answer.error(), (409, "in_progress".to_owned()));
        }
    }
    assert!(answers[..3].iter().any(|answer| answer.status == 200));
    assert_eq!(answers[3].status, 200);

    // Somebody who began the same file with other bytes spoils it for nobody.
    let file = bytes(2, 100_000);
    let path = format!("/v1/blobs/{}?size=100000", hash(&file));
    let authorization = [("Authorization", bob.as_str())];
    let part = door.ask("PUT", &path, &authorization, &bytes(7, 50_000)).await;
    assert_eq!(part.error(), (400, "incomplete".to_owned()));
    assert_eq!(door.state(&alice, &file).await["received"], 0);
    door.put(&alice, &file).await.ok();
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stands_still_is_cut_off_and_its_place_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &["--max-uploads", "1"]).await;
    let (_, bearer) = door.contributor("//Alice").await;
    let file = bytes(1, 1_000);
    let path = format!("/v1/blobs/{}?size=1000", hash(&file));
    let mut head = door.head("PUT", &path, &[("Authorization", &bearer)]);
    head.push_str("Content-Length: 1000\r\n\r\n");
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&file[..10]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let other = bytes(2, 10);
    let refused = door.put(&bearer, &other).await;
    assert_eq!(refused.error(), (503, "unavailable".to_owned()));
    assert!(refused.header("retry-after").is_some());
    let slow = Answer::read(stream).await;
    assert_eq!(slow.error(), (408, "too_slow".to_owned()));
    assert_eq!(door.state(&bearer, &file).await["received"], 10);
    door.put(&bearer, &other).await.ok();
    door.close().await;
}
