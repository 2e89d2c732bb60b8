//! Agents over a real chain: official clients call the tools, and what a tool prepares is signed by a key that the
//! gateway never sees and stands in a block.

use super::door::{own_chain, Door};
use openledger_client::{AccountId, Client, NewBaseModel, NewDatanet, Signer, Wait};
use openledger_primitives::{
    leaf::text_root, Modality, ModelFamily, ReviewPolicy, RewardTerms, Score, Verdict, OPEN,
};
use serde_json::{json, Value};
use sp_core::{sr25519, Pair};
use sp_crypto_hashing::blake2_256;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const TEXT: &[u8] = include_bytes!("../../../tests/data/pancakes.txt");

/// Where `scripts/clients mcp` put them; none where `scripts/test` said that there is no network.
fn clients() -> Option<PathBuf> {
    if std::env::var_os("OPENLEDGER_MCP_CLIENTS").is_some_and(|value| value == "none") {
        return None;
    }
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/openledger");
    let cache = std::env::var_os("OPENLEDGER_CACHE").map_or_else(home, PathBuf::from);
    let folder = cache.join("mcp-clients");
    assert!(
        folder.join("complete").exists(),
        "the clients are not in {}; run ./scripts/clients mcp, which fetches them",
        folder.display()
    );
    Some(folder)
}

/// Runs a client; answers what it prints.
fn talk(
    program: &Path,
    script: &Path,
    arguments: &[String],
    environment: &[(&str, PathBuf)],
) -> String {
    let mut command = Command::new(program);
    command.arg(script).args(arguments);
    for (name, value) in environment {
        command.env(name, value);
    }
    let done = command.output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (said(&done.stdout), said(&done.stderr));
    assert!(done.status.success(), "{}: {out}\n{err}", script.display());
    out
}

/// What a tool answers, by the revision without sessions.
async fn call(door: &Door, headers: &[(&str, &str)], name: &str, arguments: Value) -> Value {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({ "name": name, "arguments": arguments, "_meta": meta });
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let mut all = vec![
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/call"),
        ("Mcp-Name", name),
    ];
    all.extend_from_slice(headers);
    let answer = door.ask("POST", "/mcp", &all, message.to_string().as_bytes()).await.ok();
    answer["result"].clone()
}

/// What a tool prepares.
async fn prepared(door: &Door, name: &str, arguments: Value) -> Value {
    let result = call(door, &[], name, arguments).await;
    assert_eq!(result["isError"], false, "{result}");
    result["structuredContent"].clone()
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

fn hash(value: &Value) -> [u8; 32] {
    hex::decode(value.as_str().unwrap()).unwrap().try_into().unwrap()
}

/// Numbers below 64, 2¹⁴ and 2³⁰ in SCALE's compact form.
fn compact(value: u32) -> Vec<u8> {
    match value {
        0..0x40 => vec![(value << 2) as u8],
        0x40..0x4000 => ((value << 2 | 1) as u16).to_le_bytes().to_vec(),
        _ => (value << 2 | 2).to_le_bytes().to_vec(),
    }
}

/// A transaction of what was prepared, with nothing but what the answer says: as a wallet that was written by
/// others would.
fn signed(pair: &sr25519::Pair, prepared: &Value) -> String {
    let call = hex::decode(prepared["call"].as_str().unwrap().trim_start_matches("0x")).unwrap();
    let mortality = &prepared["mortality"];
    let (period, birth) = (number(&mortality["period"]), number(&mortality["birthBlock"]));
    let era = (period.trailing_zeros() - 1) as u16 | ((birth % period) as u16) << 4;
    // Era, number, tip, and that no hash of the metadata is signed.
    let mut extra = era.to_le_bytes().to_vec();
    extra.extend(compact(number(&prepared["nonce"])));
    extra.extend([0, 0]);
    let mut payload = [call.as_slice(), extra.as_slice()].concat();
    payload.extend(number(&prepared["specVersion"]).to_le_bytes());
    payload.extend(number(&prepared["transactionVersion"]).to_le_bytes());
    payload.extend(hash(&prepared["genesisHash"]));
    payload.extend(hash(&mortality["birthHash"]));
    payload.push(0);
    let signature = match payload.len() > 256 {
        true => pair.sign(&blake2_256(&payload)),
        false => pair.sign(&payload),
    };
    let mut body = vec![0x84, 0];
    body.extend(pair.public().0);
    body.push(1);
    body.extend(signature.0);
    body.extend(extra);
    body.extend(call);
    let length = compact(u32::try_from(body.len()).unwrap());
    format!("0x{}", hex::encode([length, body].concat()))
}

/// Hands a transaction in and waits until something is so.
async fn include<F, O>(door: &Door, transaction: String, mut so: F)
where
    F: FnMut() -> O,
    O: std::future::Future<Output = bool>,
{
    let node = door.chain.network.rpc();
    node.call("author_submitExtrinsic", json!([transaction])).unwrap();
    let end = Instant::now() + Duration::from_secs(90);
    while !so().await {
        assert!(Instant::now() < end, "the transaction is in no block");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// A Datanet with a pool, that Alice owns and judges.
async fn datanet(client: &Client) -> u32 {
    let alice = Signer::from_secret("//Alice").unwrap();
    let datanet = NewDatanet {
        name: "Recipes".to_owned(),
        modality: Modality::Text,
        min_units: 1,
        max_units: 1 << 20,
        daily_limit: None,
        policy: ReviewPolicy::Curators {
            members: vec![alice.account()].try_into().unwrap(),
            threshold: 1,
        },
    };
    let (_, datanet) = client.create_datanet(&alice, datanet, Wait::InBlock).await.unwrap();
    let terms = RewardTerms { per_period: OPEN, max_per_point: 1_000_000 };
    client.set_reward_terms(&alice, datanet, terms, Wait::InBlock).await.unwrap();
    datanet
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_read_and_prepare_and_people_sign() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open_on(own_chain(), folder, &["--host", "data.example.org"]);
    let client = Client::connect_to(&door.chain.network.url()).await.unwrap();
    let datanet = datanet(&client).await;
    let bob = sr25519::Pair::from_string("//Bob", None).unwrap();
    let account = AccountId::from(bob.public().0).to_string();
    door.wait_for(client.best().await.unwrap().0).await;

    // Official clients, unmodified.
    if let Some(clients) = clients() {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
        // Node looks for packages beside the script.
        let folder = tempfile::tempdir().unwrap();
        for script in ["talk.mjs", "client.mjs", "sdk.mjs"] {
            std::fs::copy(scripts.join(script), folder.path().join(script)).unwrap();
        }
        let modules = folder.path().join("node_modules");
        std::os::unix::fs::symlink(clients.join("js/node_modules"), modules).unwrap();
        let url = format!("http://localhost:{}/mcp", door.address.port());
        let arguments = [url, datanet.to_string(), account.clone()];
        for script in ["client.mjs", "sdk.mjs"] {
            let script = folder.path().join(script);
            print!("{}", talk(&clients.join("bin/node"), &script, &arguments, &[]));
        }
        let packages = [("PYTHONPATH", clients.join("python"))];
        let script = scripts.join("client.py");
        print!("{}", talk(Path::new("python3"), &script, &arguments, &packages));
    }

    // Funding.
    let funding = json!({ "account": account, "datanet": datanet, "amount": "2 OPEN" });
    let funding = prepared(&door, "prepareFunding", funding).await;
    let genesis = client.block_hash(0).await.unwrap().unwrap();
    assert_eq!(hash(&funding["genesisHash"]), genesis.0);
    assert_eq!(funding["arguments"]["rules"]["terms"]["perPeriod"], OPEN.to_string());
    let fee: u128 = funding["cost"]["fee"].as_str().unwrap().parse().unwrap();
    let before = client.balance(bob.public().0.into()).await.unwrap().free;
    let total = || async { client.pool_view(datanet).await.unwrap().unwrap().total_in };
    include(&door, signed(&bob, &funding), || async { total().await == 2 * OPEN }).await;
    let paid = before - client.balance(bob.public().0.into()).await.unwrap().free - 2 * OPEN;
    assert!(paid > 0 && paid <= fee + fee / 20, "the fee was {paid}, and {fee} was said");

    // A submission, which is refused first because nobody registered the account.
    let sha256 = super::http::hash(TEXT);
    let file = json!({ "sha256": sha256, "size": TEXT.len(), "media": "txt" });
    let files = json!({ "account": account, "datanet": datanet, "files": [file] });
    let refused = call(&door, &[], "prepareSubmission", files.clone()).await;
    assert_eq!(refused["isError"], true);
    let message = refused["content"][0]["text"].as_str().unwrap();
    assert!(message.contains("prepareRegistration"), "{message}");
    let registration = json!({ "account": account });
    let prepared_first = prepared(&door, "prepareRegistration", registration.clone()).await;
    assert_eq!(prepared_first["method"], "Datanets.register");
    assert_eq!(prepared_first["cost"]["held"], OPEN.to_string());
    let registered = |account: AccountId| {
        let client = &client;
        async move { client.contributor(account).await.unwrap() }
    };
    let own: AccountId = bob.public().0.into();
    include(&door, signed(&bob, &prepared_first), || async { registered(own).await.is_some() })
        .await;
    let refused = call(&door, &[], "prepareRegistration", registration).await;
    let message = refused["content"][0]["text"].as_str().unwrap();
    assert!(message.contains("is a contributor already, at its own expense"), "{message}");

    // Bob registers an account that does not exist, which a sponsor's call brings into being.
    let new = AccountId::from([9; 32]);
    let sponsored = json!({ "account": account, "contributor": new.to_string() });
    let prepared_second = prepared(&door, "prepareRegistration", sponsored.clone()).await;
    assert_eq!(prepared_second["method"], "Datanets.register_for");
    assert_eq!(prepared_second["arguments"]["contributor"], new.to_string());
    let deposit = client.existential_deposit().await.unwrap();
    assert_eq!(prepared_second["cost"]["spent"], deposit.to_string());
    include(&door, signed(&bob, &prepared_second), || async { registered(new).await.is_some() })
        .await;
    assert_eq!(registered(new).await.unwrap().depositor, own);
    assert_eq!(client.balance(new).await.unwrap().free, deposit);
    let refused = call(&door, &[], "prepareRegistration", sponsored).await;
    let message = refused["content"][0]["text"].as_str().unwrap();
    assert!(message.contains(&format!("at the expense of {account}")), "{message}");
    let submission = prepared(&door, "prepareSubmission", files).await;
    assert_eq!(submission["cost"]["fee"], "0");
    let sha: [u8; 32] = hex::decode(&sha256).unwrap().try_into().unwrap();
    let free = client.balance(bob.public().0.into()).await.unwrap().free;
    let pending = || async { client.pending_file(datanet, sha).await.unwrap() };
    include(&door, signed(&bob, &submission), || async { pending().await.is_some() }).await;
    assert_eq!(client.balance(bob.public().0.into()).await.unwrap().free, free);

    // A job on the accepted file.
    let alice = Signer::from_secret("//Alice").unwrap();
    let text = openledger_documents::read(openledger_primitives::MediaType::Txt, TEXT).unwrap();
    let verdict = Verdict::Accept {
        score: Score::new(80).unwrap(),
        units: text.text.len() as u64,
        text_root: text_root(text.text.as_bytes()),
        extractor: client.extractor().await.unwrap(),
    };
    let number = pending().await.unwrap().submission;
    client.vote(&alice, datanet, sha, number, verdict, Wait::InBlock).await.unwrap();
    let weights = openledger_content::describe(TEXT).unwrap();
    let model = NewBaseModel {
        family: ModelFamily::Llama,
        name: "Tiny".to_owned(),
        licence: "Apache-2.0".to_owned(),
        weights: weights.content,
        weights_sha256: weights.sha256,
        weights_size: weights.size,
        tokenizer: None,
        config: None,
    };
    let (_, base) = client.register_base_model(&alice, model, Wait::InBlock).await.unwrap();
    let datanets = json!([{ "datanet": datanet }]);
    let job = json!({
        "account": account, "base": base, "datanets": datanets, "budget": "1OPEN",
        "settings": { "loraR": 4, "seed": "18446744073709551615" },
    });
    let job = prepared(&door, "prepareJob", job).await;
    let (deposit, _) = client.job_terms().await.unwrap();
    assert_eq!(job["cost"]["held"], (OPEN + deposit).to_string());
    let found = || async { client.job(0).await.unwrap() };
    include(&door, signed(&bob, &job), || async { found().await.is_some() }).await;
    let found = found().await.unwrap();
    assert_eq!((found.spec.lora_r, found.spec.seed, found.budget), (4, u64::MAX, OPEN));

    // And the agent reads what came of it.
    door.wait_for(client.best().await.unwrap().0).await;
    let shown = call(&door, &[], "getJob", json!({ "job": 0 })).await;
    assert_eq!(shown["structuredContent"]["owner"], account);
    let rewards = json!({ "account": account, "datanet": datanet });
    let rewards = call(&door, &[], "explainRewards", rewards).await;
    let points = u128::from(80u8) * text.text.len() as u128;
    assert_eq!(rewards["structuredContent"]["standing"]["entry"]["points"], points.to_string());
    let poor = AccountId::from([7; 32]).to_string();
    let poor = json!({ "account": poor, "datanet": datanet, "amount": "1" });
    let refused = call(&door, &[], "prepareFunding", poor).await;
    let message = refused["content"][0]["text"].as_str().unwrap();
    assert!(message.contains("has 0 OPEN free, and this takes 1.0"), "{message}");
}
