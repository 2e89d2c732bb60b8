//! From a key that was just made to a file that is accepted, with nothing but the gateway and a node.

use super::gateway::{Gateway, GATEWAY};
use super::http::{ask, bytes, hash};
use openledger_client::{keyfile, NewDatanet, Signer, Wait};
use openledger_primitives::{
    api::SubmissionItem, MediaType, Modality, ReviewPolicy, Score, Verdict,
};
use openledger_tests::{network::free_port, process::Process, Binaries, Rpc};
use serde_json::json;
use sp_core::{sr25519, Pair};
use std::process::Command;
use std::time::Instant;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const TEXT: &[u8] = include_bytes!("../../../tests/data/pancakes.txt");
const IMAGE: &[u8] = include_bytes!("../../../tests/data/hills.png");

fn new_datanet(name: &str, modality: Modality, curator: &Signer) -> NewDatanet {
    let members = vec![curator.account()].try_into().unwrap();
    NewDatanet {
        name: name.to_owned(),
        modality,
        min_units: 1,
        max_units: 1 << 20,
        daily_limit: None,
        policy: ReviewPolicy::Curators { members, threshold: 1 },
    }
}

fn submission(bytes: &[u8], media: MediaType) -> SubmissionItem {
    let described = openledger_content::describe(bytes).unwrap();
    SubmissionItem {
        content: described.content,
        sha256: described.sha256,
        size: described.size as u32,
        media,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_without_open_gets_to_an_accepted_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut gateway = Gateway::start(folder.path());
    let client = gateway.client().await;
    let alice = Signer::from_secret("//Alice").unwrap();
    let bob = Signer::from_secret("//Bob").unwrap();
    let recipes = new_datanet("Recipes", Modality::Text, &bob);
    let (_, datanet) = client.create_datanet(&alice, recipes, Wait::InBlock).await.unwrap();

    let began = Instant::now();
    let secret = "//somebody who has just opened the page";
    let (signer, pair) =
        (Signer::from_secret(secret).unwrap(), sr25519::Pair::from_string(secret, None).unwrap());
    let account = signer.account().to_string();
    let given =
        gateway.post("/v1/faucet", json!({ "account": account, "contributor": true })).await.ok();
    assert_eq!(given["contributor"], true);
    assert_eq!(given["amount"], "20000000000000000000");
    let again = gateway.post("/v1/faucet", json!({ "account": account })).await;
    assert_eq!(again.error(), (429, "too_many".to_owned()));

    let bearer = gateway.sign_in(&pair).await;
    let authorization = [("Authorization", bearer.as_str())];
    let path = format!("/v1/blobs/{}?size={}&datanet={datanet}&media=txt", hash(TEXT), TEXT.len());
    let state = ask(gateway.address, "PUT", &path, &authorization, TEXT).await.ok();
    let preview = format!("/v1/previews/{}?media=txt", hash(TEXT));
    let preview = ask(gateway.address, "GET", &preview, &authorization, &[]).await.ok();
    assert_eq!(preview["refusal"], serde_json::Value::Null);
    let read = openledger_documents::read(MediaType::Txt, TEXT).unwrap();
    assert_eq!(preview["text"], read.text);
    assert_eq!(preview["units"], read.text.len());
    // Read as what it is not, it would be refused, and says why.
    let wrong = format!("/v1/previews/{}?media=pdf", hash(TEXT));
    let wrong = ask(gateway.address, "GET", &wrong, &authorization, &[]).await.ok();
    assert!(wrong["refusal"].as_str().unwrap().contains(".pdf"), "{wrong}");

    let item = SubmissionItem {
        content: state["content"].as_str().unwrap().parse().unwrap(),
        sha256: hex::decode(hash(TEXT)).unwrap().try_into().unwrap(),
        size: TEXT.len() as u32,
        media: MediaType::Txt,
    };
    let sent = client.submit_files(&signer, datanet, vec![item], Wait::InBlock).await;
    let (receipt, files) = sent.unwrap();
    assert_eq!(receipt.fee, 0);
    let seconds = began.elapsed().as_secs();
    println!("{seconds} s from an empty account to a submitted file");
    assert!(seconds < 120, "{seconds} s until the file was submitted");

    // The chain's count stands in place of the gateway's: the rest of the day, and not a byte more, is free.
    let large = bytes(1, (10 << 20) - TEXT.len() + 1);
    let path = format!("/v1/blobs/{}?size={}", hash(&large), large.len());
    let refused = ask(gateway.address, "PUT", &path, &authorization, &large).await;
    assert_eq!(refused.error(), (409, "daily_bytes".to_owned()));
    let rest = &large[1..];
    let path = format!("/v1/blobs/{}?size={}", hash(rest), rest.len());
    ask(gateway.address, "PUT", &path, &authorization, rest).await.ok();

    // Reviewers read what was submitted, and the preview is what they measure.
    let file = format!("/v1/files/{}", hash(TEXT));
    let file = ask(gateway.address, "GET", &file, &[], &[]).await;
    assert_eq!((file.status, file.body.as_slice()), (200, TEXT));
    // The gateway's own policy does not take the place of the file's.
    assert_eq!(file.header("content-security-policy"), Some("sandbox"));
    let raw = format!("/ipfs/{}?format=raw", item.content);
    assert_eq!(ask(gateway.address, "GET", &raw, &[], &[]).await.body, TEXT);
    let text_root: [u8; 32] =
        hex::decode(preview["textRoot"].as_str().unwrap()).unwrap().try_into().unwrap();
    let verdict = Verdict::Accept {
        score: Score::new(80).unwrap(),
        units: preview["units"].as_u64().unwrap(),
        text_root: text_root.into(),
        extractor: client.extractor().await.unwrap(),
    };
    let (_, voted) = client
        .vote(&bob, datanet, item.sha256, files[0].submission, verdict, Wait::InBlock)
        .await
        .unwrap();
    assert_eq!(voted.settled, Some(true));
    let path = format!("/v1/blobs/{}", hash(TEXT));
    let state = ask(gateway.address, "GET", &path, &[], &[]).await.ok();
    assert_eq!((&state["named"], &state["complete"]), (&true.into(), &true.into()));

    // A wallet that signs no text submits first; a gateway that is killed while the bytes come loses
    // nothing that a session had sent.
    let file = bytes(7, 3_000_000);
    let described = openledger_content::describe(file.as_slice()).unwrap();
    let bearer = {
        let pair = sr25519::Pair::from_string("//Charlie", None).unwrap();
        let charlie = Signer::from_secret("//Charlie").unwrap();
        client.register_contributor(&charlie, Wait::InBlock).await.unwrap();
        let item = submission(&file, MediaType::Pdf);
        client.submit_files(&charlie, datanet, vec![item], Wait::InBlock).await.unwrap();
        gateway.sign_in(&pair).await
    };
    let path = format!("/v1/blobs/{}?size={}", hash(&file), file.len());
    let authorization = [("Authorization", bearer.as_str())];
    let mut head = super::http::head(gateway.address, "PUT", &path, &authorization);
    head.push_str(&format!("Content-Length: {}\r\n\r\n", file.len()));
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&file[..2_000_000]).await.unwrap();
    let ask_state = |address| {
        let path = format!("/v1/blobs/{}", hash(&file));
        async move { ask(address, "GET", &path, &authorization, &[]).await.ok() }
    };
    let mut received = 0;
    for _ in 0..100 {
        received = ask_state(gateway.address).await["received"].as_u64().unwrap();
        if received >= 1_900_000 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(received >= 1_900_000, "{received} bytes have come");
    gateway.kill_and_start();
    let received = ask_state(gateway.address).await["received"].as_u64().unwrap();
    assert!(received >= 1_900_000, "{received} bytes are left");
    let offset = received.to_string();
    let rest = [("Authorization", bearer.as_str()), ("Upload-Offset", offset.as_str())];
    let state = ask(gateway.address, "PUT", &path, &rest, &file[received as usize..]).await.ok();
    assert_eq!(state["content"], described.content.to_string());

    // The same without a session.
    let file = bytes(8, 2_000_000);
    let charlie = Signer::from_secret("//Charlie").unwrap();
    let item = submission(&file, MediaType::Pdf);
    let path = format!("/v1/blobs/{}?size={}", hash(&file), file.len());
    let refused = ask(gateway.address, "PUT", &path, &[], &file).await;
    assert_eq!(refused.error(), (401, "no_session".to_owned()));
    client.submit_files(&charlie, datanet, vec![item], Wait::InBlock).await.unwrap();
    let state = ask(gateway.address, "PUT", &path, &[], &file).await.ok();
    assert_eq!((&state["named"], &state["complete"]), (&true.into(), &true.into()));

    // Images are drawn by the confined decoder.
    let images = new_datanet("Hills", Modality::Image, &bob);
    let (_, images) = client.create_datanet(&alice, images, Wait::InBlock).await.unwrap();
    let image = submission(IMAGE, MediaType::Png);
    client.submit_files(&charlie, images, vec![image], Wait::InBlock).await.unwrap();
    let path = format!("/v1/blobs/{}?size={}", hash(IMAGE), IMAGE.len());
    ask(gateway.address, "PUT", &path, &[], IMAGE).await.ok();
    let path = format!("/v1/files/{}/picture", hash(IMAGE));
    let picture = ask(gateway.address, "GET", &path, &[], &[]).await;
    assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/png")));
    assert!(picture.body.starts_with(b"\x89PNG\r\n"));
    let path = format!("/v1/previews/{}", hash(IMAGE));
    let preview = ask(gateway.address, "GET", &path, &[], &[]).await.ok();
    let units = openledger_documents::measure(MediaType::Png, IMAGE).unwrap().units;
    assert_eq!((&preview["units"], &preview["text"]), (&units.into(), &serde_json::Value::Null));
    let path = format!("/v1/files/{}/picture", hash(TEXT));
    let refused = ask(gateway.address, "GET", &path, &[], &[]).await;
    assert_eq!(refused.error(), (415, "no_image".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_gateway_on_the_same_folder_and_a_faucet_without_its_key_do_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(folder.path());
    let start = |directory: &str, key: &str| {
        let output = Command::new(GATEWAY)
            .args(["--node", &gateway.node(), "--listen", "127.0.0.1:0", "--faucet-key", key])
            .arg("--directory")
            .arg(folder.path().join(directory))
            .env_remove("OPENLEDGER_PASSWORD")
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let words = start("gateway", "//Alice");
    assert!(words.contains("already"), "{words}");
    let words = start("other", "no-such-key");
    assert!(words.contains("no key file"), "{words}");
    let phrase = ["abandon"; 12].join(" ");
    let words = start("other", &phrase);
    assert!(!words.contains("abandon"), "a secret is repeated: {words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_faucet_gives_nothing_away_on_a_chain_that_is_not_for_development() {
    let folder = tempfile::tempdir().unwrap();
    let binaries = Binaries::beside_this_program().unwrap();
    let exported =
        exported_of(Command::new(&binaries.node).args(["export-chain-spec", "--chain", "dev"]));
    let mut spec: serde_json::Value = serde_json::from_slice(&exported).unwrap();
    spec["chainType"] = "Live".into();
    let file = folder.path().join("live.json");
    std::fs::write(&file, spec.to_string()).unwrap();
    let port = free_port().unwrap();
    let mut command = Command::new(&binaries.node);
    command.arg("--chain").arg(&file).arg("--base-path").arg(folder.path().join("node"));
    command.args(["--rpc-port", &port.to_string(), "--no-mdns", "--no-telemetry"]);
    command.args(["--no-prometheus", "--listen-addr", "/ip4/127.0.0.1/tcp/0"]);
    let _node = Process::start("the node", command, folder.path().join("node.log")).unwrap();
    let rpc = Rpc::new(port);
    let ready = async {
        while rpc.call("system_chainType", json!([])).is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(90), ready).await.expect("a node");
    assert_eq!(rpc.call("system_chainType", json!([])).unwrap(), "Live");

    let key = folder.path().join("key.json");
    let (signer, _) = Signer::generate();
    keyfile::write(&key, &signer, "password").unwrap();
    // Not the keys that everybody knows, nor any other.
    for key in ["//Alice", key.to_str().unwrap()] {
        let output = Command::new(GATEWAY)
            .args(["--node", &format!("ws://127.0.0.1:{port}"), "--listen", "127.0.0.1:0"])
            .args(["--faucet-key", key])
            .arg("--directory")
            .arg(folder.path().join("gateway"))
            .env("OPENLEDGER_PASSWORD", "password")
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(words.contains("the faucet cannot give anything"), "{words}");
        assert!(words.contains("Live"), "{words}");
    }
}

fn exported_of(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
