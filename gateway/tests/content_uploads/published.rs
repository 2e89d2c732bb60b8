//! Files that the gateway keeps by itself.

use super::door::{bytes, Door};
use openledger_gateway::uploads::published::Publisher;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_is_given_by_its_content_id_and_never_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &["--keep-unnamed", "1"]).await;
    let file = bytes(9, 3_000);
    let content = door.uploads.publish(file.clone()).await.unwrap();
    assert_eq!(content, openledger_content::describe(file.as_slice()).unwrap().content);
    assert_eq!(door.uploads.publish(file.clone()).await.unwrap(), content, "twice is once");
    let path = format!("/ipfs/{content}?format=raw");
    // Uploads that nobody names are dropped within this time.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let answer = door.ask("GET", &path, &[], &[]).await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, file.as_slice()));
    door.close().await;
    let door = Door::open(folder.path(), &["--keep-unnamed", "1"]).await;
    let answer = door.ask("GET", &path, &[], &[]).await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, file.as_slice()));
    // Its bytes are no submission's: they are not shown as one.
    let shown = format!("/v1/files/{}", super::door::hash(&file));
    assert_eq!(door.ask("GET", &shown, &[], &[]).await.status, 404);
    door.close().await;
}
