//! Fifty uploads of ten megabytes at once.

use super::gateway::Gateway;
use super::http::{ask, bytes, hash};
use openledger_client::AccountId;
use serde_json::json;
use sp_core::{sr25519, Pair};

/// Memory that the gateway may take for all of them: less than what is sent.
const MOST: u64 = 256 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_uploads_of_ten_megabytes_at_once_take_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(folder.path());
    let before = gateway.peak();
    let newcomers = (0..50).map(|number| {
        let gateway = &gateway;
        async move {
            let pair = sr25519::Pair::from_string(&format!("//newcomer//{number}"), None).unwrap();
            let account = AccountId::from(pair.public().0).to_string();
            let body = json!({ "account": account, "contributor": true });
            loop {
                let given = gateway.post("/v1/faucet", body.clone()).await;
                match given.status {
                    200 => break,
                    _ => assert_eq!(given.error(), (503, "unavailable".to_owned())),
                }
            }
            (number, gateway.sign_in(&pair).await)
        }
    });
    let bearers = futures::future::join_all(newcomers).await;
    let uploads = bearers.into_iter().map(|(number, bearer)| {
        let address = gateway.address;
        tokio::spawn(async move {
            let file = bytes(number, 10 << 20);
            let path = format!("/v1/blobs/{}?size={}", hash(&file), file.len());
            let authorization = [("Authorization", bearer.as_str())];
            ask(address, "PUT", &path, &authorization, &file).await.ok()
        })
    });
    for upload in futures::future::join_all(uploads).await {
        assert_eq!(upload.unwrap()["complete"], true);
    }
    let peak = gateway.peak();
    println!("memory at the start {} MiB, at most {} MiB", before >> 20, peak >> 20);
    assert!(peak < MOST, "the gateway took {} MiB", peak >> 20);
}
