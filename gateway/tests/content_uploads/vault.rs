//! Sealed keys: for whoever has the passkey, and for nobody else.

use super::door::{Answer, Door};

const ID: &str = "AbCdEfGhIjKlMnOpQrStUv_-";

fn key(byte: &str) -> String {
    byte.repeat(32)
}

async fn ask(door: &Door, method: &str, id: &str, key: &str, body: &[u8]) -> Answer {
    door.ask(method, &format!("/v1/vault/{id}"), &[("Vault-Key", key)], body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_key_is_shown_replaced_and_forgotten_for_its_own_key_only() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (own, other) = (key("11"), key("22"));
    assert_eq!(ask(&door, "PUT", ID, &own, b"sealed").await.status, 204);
    let missing = (404, "not_found".to_owned());
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(ask(&door, method, ID, &other, b"stolen").await.error(), missing);
    }
    // As if there were none.
    let absent = ask(&door, "GET", "ZZZZZZZZZZZZZZZZZZZZ", &other, b"").await;
    let foreign = ask(&door, "GET", ID, &other, b"").await;
    assert_eq!((absent.status, absent.body), (foreign.status, foreign.body));

    let answer = ask(&door, "GET", ID, &own, b"").await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"sealed".as_slice()));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-security-policy"), Some("sandbox"));
    assert_eq!(ask(&door, "PUT", ID, &own, b"again").await.status, 204);
    let chain = door.chain.clone();
    door.close().await;
    let door = Door::open_on(chain, folder.path(), &[]).await;
    assert_eq!(ask(&door, "GET", ID, &own, b"").await.body, b"again");
    assert_eq!(ask(&door, "DELETE", ID, &own, b"").await.status, 204);
    assert_eq!(ask(&door, "GET", ID, &own, b"").await.error(), missing);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_keys_and_sizes_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let own = key("11");
    let wrong = (400, "invalid_value".to_owned());
    for id in ["short", "with%2fslash%2fwith%2fslash", &"a".repeat(1365), "with.dots.with.dots"] {
        assert_eq!(ask(&door, "PUT", id, &own, b"sealed").await.error(), wrong, "{id}");
    }
    assert_eq!(ask(&door, "PUT", ID, "11", b"sealed").await.error(), wrong);
    assert_eq!(ask(&door, "PUT", ID, &own, b"").await.error(), wrong);
    let large = ask(&door, "PUT", ID, &own, &[1; 4097]).await;
    assert_eq!(large.error(), (413, "too_large".to_owned()));
    assert_eq!(ask(&door, "PUT", ID, &own, &[1; 4096]).await.status, 204);
    // There is no list.
    assert_eq!(door.ask("GET", "/v1/vault", &[], &[]).await.status, 404);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_keeps_and_guesses_a_bounded_number_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let own = key("11");
    let many = (429, "too_many".to_owned());
    for count in 0..20 {
        let id = format!("credential-number-{count:04}");
        assert_eq!(ask(&door, "PUT", &id, &own, b"sealed").await.status, 204);
    }
    assert_eq!(ask(&door, "PUT", ID, &own, b"sealed").await.error(), many);
    // One that is there is replaced all the same.
    let id = "credential-number-0007";
    assert_eq!(ask(&door, "PUT", id, &own, b"again").await.status, 204);
    for _ in 0..200 {
        assert_eq!(ask(&door, "GET", id, &key("22"), b"").await.status, 404);
    }
    assert_eq!(ask(&door, "GET", id, &key("22"), b"").await.error(), many);
    assert_eq!(ask(&door, "GET", id, &own, b"").await.status, 200);
    door.close().await;
}
