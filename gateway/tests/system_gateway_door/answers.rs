//! What answers carry, so that no text of a stranger becomes a page.

use super::door::Door;
use openledger_client::{Client, NewDatanet, Signer, Wait};
use openledger_primitives::{api::SubmissionItem, ContentId, MediaType, Modality, ReviewPolicy};

const SCRIPT: &str = "</script><img src=x onerror=alert(1)>";

#[tokio::test(flavor = "multi_thread")]
async fn whatever_strangers_write_goes_out_as_data_that_browsers_do_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let web = folder.path().join("web");
    std::fs::create_dir_all(web.join("assets")).unwrap();
    std::fs::write(web.join("index.html"), "<!doctype html><title>the page</title>").unwrap();
    let served = web.to_str().unwrap().to_owned();
    let door = Door::open_in(folder, &["--web", &served]);
    // A name that is a page to who believes it.
    let client = Client::connect_to(&door.chain.network.url()).await.unwrap();
    let alice = Signer::from_secret("//Alice").unwrap();
    let members = vec![alice.account()].try_into().unwrap();
    let datanet = NewDatanet {
        name: SCRIPT.to_owned(),
        modality: Modality::Text,
        min_units: 1,
        max_units: 10,
        daily_limit: None,
        policy: ReviewPolicy::Curators { members, threshold: 1 },
    };
    let (_, datanet) = client.create_datanet(&alice, datanet, Wait::InBlock).await.unwrap();
    client.register_contributor(&alice, Wait::InBlock).await.unwrap();
    let item = SubmissionItem {
        content: ContentId::raw([9; 32]),
        sha256: [9; 32],
        size: 3,
        media: MediaType::Txt,
    };
    let (receipt, files) =
        client.submit_files(&alice, datanet, vec![item], Wait::Finalised).await.unwrap();
    door.wait_for(receipt.block).await;
    let (account, submission) = (alice.account(), files[0].submission);
    assert_eq!(door.get(&format!("/v1/datanets/{datanet}")).await.ok()["name"], SCRIPT);

    let json = "application/json";
    let text = "text/plain";
    for (path, kind) in [
        (format!("/v1/datanets/{datanet}"), json),
        ("/v1/datanets".to_owned(), json),
        (format!("/v1/datanets/{datanet}/submissions"), json),
        (format!("/v1/submissions/{submission}"), json),
        (format!("/v1/accounts/{account}/activity"), json),
        (format!("/v1/accounts/{account}/rewards"), json),
        (format!("/v1/accounts/{account}/rewards.csv"), "text/csv"),
        ("/v1/search?q=script".to_owned(), json),
        ("/v1/events".to_owned(), json),
        ("/v1/jobs/0/metrics".to_owned(), json),
        ("/v1/models".to_owned(), json),
        ("/v1/workers".to_owned(), json),
        ("/v1/chat/models".to_owned(), json),
        ("/openapi.json".to_owned(), json),
        ("/metrics".to_owned(), text),
        ("/healthz".to_owned(), text),
        // What was asked for comes back within errors.
        ("/v1/%3Cscript%3Ealert(1)%3C/script%3E".to_owned(), json),
        ("/v1/datanets/%3Cscript%3E".to_owned(), json),
        ("/v1/datanets?cursor=%3Cscript%3E".to_owned(), json),
        ("/v1/datanets?modality=%3Cscript%3E".to_owned(), json),
        ("/v1/datanets?limit=%3Cscript%3E".to_owned(), json),
        ("/v1/accounts/%3Cscript%3E".to_owned(), json),
        ("/v1/stream?topics=%3Cscript%3E".to_owned(), json),
        ("/v1/blobs/%3Cscript%3E".to_owned(), json),
        ("/v1/files/%3Cscript%3E".to_owned(), json),
        ("/ipfs/%3Cscript%3E".to_owned(), json),
        (format!("/ipfs/{}?format=%3Cscript%3E", ContentId::raw([9; 32])), json),
        ("/v1/vault/%3Cscript%3E".to_owned(), json),
        ("/rpc".to_owned(), json),
        ("/".to_owned(), "text/html"),
        ("/%3Cscript%3Ealert(1)%3C/script%3E".to_owned(), "text/html"),
    ] {
        let answer = door.get(&path).await;
        assert!(answer.status < 500, "{path}: {}", answer.status);
        let header = |name: &str| answer.header(name).unwrap_or("");
        assert!(header("content-type").starts_with(kind), "{path}: {}", answer.head);
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        for lax in ["'unsafe-inline'", "'unsafe-eval'", "http:", "https:", "*"] {
            assert!(!policy.contains(lax), "{path}: {policy}");
        }
        // No cookie: nothing of this origin is worth stealing by another's page.
        assert_eq!(answer.header("set-cookie"), None, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
        if kind == "text/html" {
            // The page is the operator's file, to the byte: nothing is written into it.
            assert_eq!(answer.body, b"<!doctype html><title>the page</title>", "{path}");
            assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
            assert!(policy.contains("script-src 'self'"), "{policy}");
        } else if kind == json {
            answer.json();
        }
    }
    let table = door.get(&format!("/v1/accounts/{account}/rewards.csv")).await;
    assert!(table.header("content-disposition").unwrap().starts_with("attachment"));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_origins_read_nothing_unless_the_operator_named_them() {
    let door = Door::open(&["--origin", "https://friend.example"]);
    for (origin, allowed) in [
        ("https://friend.example", Some("https://friend.example")),
        ("https://evil.example", None),
        ("null", None),
    ] {
        for method in ["GET", "OPTIONS"] {
            let headers = [("Origin", origin), ("Access-Control-Request-Method", "GET")];
            let answer = door.ask(method, "/v1/status", &headers, &[]).await;
            assert_eq!(answer.header("access-control-allow-origin"), allowed, "{method} {origin}");
            assert_eq!(answer.header("access-control-allow-credentials"), None);
        }
    }
}
