//! The gateway beside its own description, asked by schemathesis: no answer with a status of 500 or more, and
//! each one of a status, a type and a shape that the description names.

use super::door::{own_chain, Door};
use super::http::hash;
use openledger_client::{Client, NewDatanet, Signer, Wait};
use openledger_primitives::{api::SubmissionItem, MediaType, Modality, ReviewPolicy};
use openledger_tests::cli::forget_environment;
use std::path::PathBuf;
use std::process::Command;

/// Checks of what is answered. Those that are left out demand what this API does not promise: that every
/// request of the described shape succeeds (a chain refuses what it knows nothing of), and that none of another
/// shape does (unknown parameters are passed over).
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
     response_headers_conformance,response_schema_conformance,missing_required_header,\
     unsupported_method,allow_header_conformance,use_after_free";

/// Where `scripts/schemathesis` put it; none where `scripts/test` said that there is no network.
fn schemathesis() -> Option<PathBuf> {
    if std::env::var_os("OPENLEDGER_SCHEMATHESIS").is_some_and(|value| value == "none") {
        return None;
    }
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/openledger");
    let cache = std::env::var_os("OPENLEDGER_CACHE").map_or_else(home, PathBuf::from);
    let folder = cache.join("schemathesis");
    assert!(
        folder.join("complete").exists(),
        "schemathesis is not in {}; run ./scripts/schemathesis, which fetches it",
        folder.display()
    );
    Some(folder.join("python"))
}

const TEXT: &[u8] = include_bytes!("../../../tests/data/pancakes.txt");

/// A Datanet with a file that waits for its verdict and lies at the gateway, so that there is something to ask
/// for: schemathesis asks again for what earlier answers named.
async fn plant(door: &Door) {
    let client = Client::connect_to(&door.chain.network.url()).await.unwrap();
    let alice = Signer::from_secret("//Alice").unwrap();
    let members = vec![alice.account()].try_into().unwrap();
    let datanet = NewDatanet {
        name: "Recipes".to_owned(),
        modality: Modality::Text,
        min_units: 1,
        max_units: 1 << 20,
        daily_limit: None,
        policy: ReviewPolicy::Curators { members, threshold: 1 },
    };
    let (_, datanet) = client.create_datanet(&alice, datanet, Wait::InBlock).await.unwrap();
    client.register_contributor(&alice, Wait::InBlock).await.unwrap();
    let described = openledger_content::describe(TEXT).unwrap();
    let item = SubmissionItem {
        content: described.content,
        sha256: described.sha256,
        size: described.size as u32,
        media: MediaType::Txt,
    };
    let (receipt, _) =
        client.submit_files(&alice, datanet, vec![item], Wait::Finalised).await.unwrap();
    door.wait_for(receipt.block).await;
    let path = format!("/v1/blobs/{}?size={}", hash(TEXT), TEXT.len());
    assert_eq!(door.ask("PUT", &path, &[], TEXT).await.ok()["complete"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_one_that_the_description_names() {
    let Some(packages) = schemathesis() else {
        println!("not run: there is no schemathesis, see scripts/schemathesis");
        return;
    };
    let door = Door::open_on(own_chain(), tempfile::tempdir().unwrap(), &[]);
    plant(&door).await;
    let url = format!("http://localhost:{}/openapi.json", door.address.port());
    let mut command = Command::new("python3");
    forget_environment(&mut command);
    let asked = command
        .env("PYTHONPATH", packages)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(&door.folder)
        .args(["-m", "schemathesis.cli", "run", &url, "--checks", CHECKS])
        .args([
            "--seed",
            "20260101",
            "--max-examples",
            "12",
            "--phases",
            "examples,coverage,fuzzing",
        ])
        .args(["--generation-deterministic", "--workers", "2", "--request-timeout", "20"])
        .args(["--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure"])
        // Streams have no end.
        .args(["--exclude-path-regex", "/stream$"])
        .output()
        .expect("python3 runs");
    let said = String::from_utf8_lossy(&asked.stdout);
    let errors = String::from_utf8_lossy(&asked.stderr);
    println!("{said}\n{errors}");
    assert!(asked.status.success(), "answers differ from gateway/openapi.json, see above");
}
