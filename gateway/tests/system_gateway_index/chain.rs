//! What the index says beside what the chain says.

use super::gateway::Gateway;
use async_trait::async_trait;
use openledger_client::{blocks::Block, AccountId, Client, NewDatanet, Signer, Wait};
use openledger_gateway::index::{
    source::{BlockSource, NodeSource, SourceError},
    sqlite::Sqlite,
    storage::Storage,
    Index,
};
use openledger_primitives::{
    api::SubmissionItem, ContentId, DatanetText, MediaType, Modality, RejectionReason,
    ReviewPolicy, RewardTerms, Score, Verdict, OPEN,
};
use openledger_tests::{Binaries, Network};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A node that ends at a block.
struct Until(NodeSource, u32);

#[async_trait]
impl BlockSource for Until {
    async fn finalised(&self) -> Result<u32, SourceError> {
        Ok(self.0.finalised().await?.min(self.1))
    }
    async fn hash(&self, number: u32) -> Result<Option<String>, SourceError> {
        self.0.hash(number).await
    }
    async fn require(&self, first: u32, last: u32) -> Result<(), SourceError> {
        self.0.require(first, last).await
    }
    async fn block(&self, number: u32) -> Result<Block, SourceError> {
        self.0.block(number).await
    }
}

fn file(text: &str) -> SubmissionItem {
    let sha256: [u8; 32] = Sha256::digest(text).into();
    SubmissionItem {
        content: ContentId::raw(sha256),
        sha256,
        size: text.len() as u32,
        media: MediaType::Txt,
    }
}

fn curators(members: Vec<AccountId>, threshold: u8) -> ReviewPolicy<AccountId> {
    ReviewPolicy::Curators { members: members.try_into().unwrap(), threshold }
}

/// The rows that a whole index from genesis has up to a block.
async fn derived(client: &Client, folder: &std::path::Path, head: u32) -> String {
    let storage = Arc::new(Sqlite::open(folder).unwrap());
    let index = Index::new(storage.clone(), None, openledger_gateway::node::Pulse::none()).unwrap();
    index.catch_up(&Until(NodeSource::new(client.clone()), head)).await.unwrap();
    assert_eq!(storage.head().unwrap().unwrap().number, head);
    storage.dump().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_says_what_the_chain_says() {
    let folder = tempfile::tempdir().unwrap();
    let binaries = Binaries::beside_this_program().unwrap();
    let network = Network::start(binaries, &folder.path().join("network"), false).unwrap();
    let directory = folder.path().join("gateway");
    let gateway = Gateway::start(&network.url(), &directory);
    let client = Client::connect_to(&network.url()).await.unwrap();
    let signer = |name: &str| Signer::from_secret(name).unwrap();
    let (alice, bob, charlie) = (signer("//Alice"), signer("//Bob"), signer("//Charlie"));

    let datanet = NewDatanet {
        name: "Töne & <b>Wörter</b>".to_owned(),
        modality: Modality::Text,
        min_units: 1,
        max_units: 1_000,
        daily_limit: None,
        policy: curators(vec![bob.account()], 1),
    };
    let wait = Wait::InBlock;
    let (_, datanet) = client.create_datanet(&alice, datanet, wait).await.unwrap();
    client.register_contributor(&charlie, wait).await.unwrap();
    let items = vec![file("one"), file("two"), file("three"), file("four")];
    let (_, files) = client.submit_files(&charlie, datanet, items, wait).await.unwrap();
    let extractor = client.extractor().await.unwrap();
    let score = Score::new(50).unwrap();
    let text_root = [3; 32].into();
    let accept = Verdict::Accept { score, units: 3, text_root, extractor };
    let reject = Verdict::Reject(RejectionReason::OffTopic);
    // One vote decides: at the end of its block the ballot is gone, and only the call says the verdict.
    for (place, verdict) in [(0, accept), (1, reject)] {
        let (sha256, id) = (files[place].sha256, files[place].submission);
        client.vote(&bob, datanet, sha256, id, verdict, wait).await.unwrap();
    }
    client.withdraw(&charlie, datanet, files[2].sha256, wait).await.unwrap();
    // Two votes of three decide: after the first, the ballot says the verdict.
    let policy = curators(vec![alice.account(), bob.account()], 2);
    client.set_review_policy(&alice, datanet, policy, wait).await.unwrap();
    // Paid in last: once money is in the pool, another policy waits for a period.
    let terms = RewardTerms { per_period: OPEN, max_per_point: OPEN / 1_000 };
    client.set_reward_terms(&alice, datanet, terms, wait).await.unwrap();
    let rules = client.pool_view(datanet).await.unwrap().expect("it has terms").rules;
    client.fund_pool(&alice, datanet, 5 * OPEN, rules, wait).await.unwrap();
    let (sha256, id) = (files[3].sha256, files[3].submission);
    client.vote(&alice, datanet, sha256, id, accept, wait).await.unwrap();
    let (receipt, voted) = client.vote(&bob, datanet, sha256, id, accept, wait).await.unwrap();
    assert_eq!(voted.settled, Some(true));
    // Whatever a heard stream and its successors say: everything, once.
    gateway.wait_for(receipt.block).await;
    let mut heard = gateway.listen("0-end", receipt.block).await;
    gateway.kill();
    client.submit_files(&charlie, datanet, vec![file("five")], wait).await.unwrap();
    // What the owner says and announces, and what a contributor takes back.
    let text = DatanetText {
        summary: b"Words and sounds".to_vec().try_into().unwrap(),
        description: b"# Sounds\n\nOf *words*.".to_vec().try_into().unwrap(),
        tags: vec![b"words".to_vec().try_into().unwrap()].try_into().unwrap(),
    };
    client.set_datanet_text(&alice, datanet, text, wait).await.unwrap();
    client.pause_datanet(&alice, datanet, true, wait).await.unwrap();
    client.offer_datanet(&alice, datanet, Some(bob.account()), wait).await.unwrap();
    client
        .set_review_policy(&alice, datanet, curators(vec![bob.account()], 1), wait)
        .await
        .unwrap();
    let faster = RewardTerms { per_period: 2 * OPEN, max_per_point: OPEN / 1_000 };
    client.set_reward_terms(&alice, datanet, faster, wait).await.unwrap();
    let receipt = client.revoke_leaf(&charlie, datanet, 1, Wait::Finalised).await.unwrap();
    let gateway = Gateway::start(&network.url(), &directory);
    gateway.wait_for(receipt.block).await;
    heard.extend(gateway.listen(&heard.last().unwrap().clone(), receipt.block).await);
    let mut events: Vec<String> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = gateway.get(&format!("/v1/events?limit=7{cursor}")).await;
        let items = page["items"].as_array().unwrap();
        events.extend(items.iter().map(|event| event["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    events.reverse();
    let of_block = |id: &String| id.split('-').next().unwrap().parse::<u32>().unwrap();
    let last = of_block(heard.last().unwrap());
    let blocks = heard.iter().filter(|id| id.ends_with("-end")).count();
    assert_eq!(blocks, last as usize, "every block once: {heard:?}");
    heard.retain(|id| !id.ends_with("-end"));
    events.retain(|id| of_block(id) <= last);
    assert_eq!(heard, events);

    // Rows beside the chain's state.
    let row = gateway.get(&format!("/v1/datanets/{datanet}")).await;
    let view = client.datanet(datanet).await.unwrap().unwrap();
    assert_eq!(row["name"], "Töne & <b>Wörter</b>");
    assert_eq!(row["owner"], alice.account().to_string());
    assert_eq!((&row["counts"]["pending"], &row["leaves"]), (&1.into(), &2.into()));
    assert_eq!(row["counts"]["pending"], view.pending);
    assert_eq!(row["leaves"], view.version.leaves);
    assert_eq!(row["units"], view.units.to_string());
    assert_eq!((&row["threshold"], row["curators"].as_array().unwrap().len()), (&2.into(), 2));
    let pool = client.pool(datanet).await.unwrap().unwrap();
    assert_eq!(row["pool"]["totalIn"], pool.total_in.to_string());
    assert_eq!(row["pool"]["available"], pool.available.to_string());
    assert_eq!(row["pool"]["perPeriod"], OPEN.to_string());
    // What runtime APIs say of the owner's words, and of what waits.
    let details = client.datanet_details(datanet).await.unwrap().unwrap();
    assert_eq!((&row["status"], details.status.name()), (&"paused".into(), "paused"));
    assert_eq!(row["summary"].as_str().unwrap().as_bytes(), details.summary);
    assert_eq!(row["description"].as_str().unwrap().as_bytes(), details.description);
    assert_eq!(row["tags"], serde_json::json!(["words"]));
    assert_eq!(row["offeredTo"], details.offered_to.unwrap().to_string());
    let pool = client.pool_view(datanet).await.unwrap().unwrap();
    let waits = pool.waiting.unwrap();
    assert_eq!(row["waitingTerms"]["perPeriod"], waits.terms.per_period.to_string());
    assert_eq!(row["waitingTerms"]["from"], waits.from);
    let waits = client.waiting_policy(datanet).await.unwrap().unwrap();
    assert_eq!(row["waitingPolicy"]["from"], waits.block);
    assert_eq!(row["waitingPolicy"]["curators"], serde_json::json!([bob.account().to_string()]));
    assert_eq!(row["pool"]["shares"], pool.shares.to_string());
    let share = client.share(datanet, alice.account()).await.unwrap().unwrap();
    let funder = &row["funders"][0];
    assert_eq!(funder["account"], alice.account().to_string());
    assert_eq!(funder["funded"], (5 * OPEN).to_string());
    assert_eq!(funder["shares"], share.shares.to_string());
    assert_eq!(funder["worth"], share.worth.to_string());
    assert_eq!(client.revoked(datanet, 0).await.unwrap(), [1]);
    for (leaf, place) in [(0, 0), (1, 3)] {
        let file = gateway.get(&format!("/v1/submissions/{}", files[place].submission)).await;
        let on_chain = &client.leaves(datanet, leaf).await.unwrap()[0];
        assert_eq!((&file["state"], &file["leaf"]), (&"accepted".into(), &leaf.into()));
        assert_eq!(file["revoked"], leaf == 1);
        assert_eq!(file["content"], on_chain.content.to_string());
        assert_eq!(file["size"], on_chain.leaf.size);
        assert_eq!(file["score"], on_chain.leaf.score.get());
        assert_eq!(file["textRoot"], hex::encode([3; 32]));
        let votes = file["votes"].as_array().unwrap();
        assert_eq!(votes.len(), if place == 0 { 1 } else { 2 });
        assert!(votes.iter().all(|vote| vote["accept"] == true && vote["score"] == 50));
    }
    let refused = gateway.get(&format!("/v1/submissions/{}", files[1].submission)).await;
    assert_eq!((&refused["state"], &refused["reason"]), (&"rejected".into(), &"off-topic".into()));
    assert_eq!(refused["votes"][0]["reason"], "off-topic");
    assert_eq!(refused["content"], file("two").content.to_string());
    let taken = gateway.get(&format!("/v1/submissions/{}", files[2].submission)).await;
    assert_eq!(taken["state"], "withdrawn");
    let board = gateway.get(&format!("/v1/datanets/{datanet}/board")).await;
    let on_chain = client.leaderboard(datanet, None, 10).await.unwrap();
    assert_eq!(board["items"].as_array().unwrap().len(), on_chain.len());
    assert_eq!(board["items"][0]["account"], on_chain[0].account.to_string());
    assert_eq!(board["items"][0]["points"], on_chain[0].points.to_string());
    assert_eq!(board["items"][0]["sequence"], on_chain[0].sequence);
    let rewards = gateway.get(&format!("/v1/accounts/{}/rewards", charlie.account())).await;
    let claimable = client.claimable(datanet, charlie.account()).await.unwrap();
    assert_eq!(rewards["items"][0]["claimable"], claimable.to_string());
    let account = gateway.get(&format!("/v1/accounts/{}", bob.account())).await;
    assert_eq!(account["roles"]["curatorOf"], serde_json::json!([datanet]));

    // From genesis, in one go, the same rows as those that came one by one over two gateways.
    gateway.kill();
    let followed = Sqlite::open(&directory.join("index.sqlite")).unwrap();
    let head = followed.head().unwrap().unwrap().number;
    let again = derived(&client, &folder.path().join("again.sqlite"), head).await;
    assert_eq!(followed.dump().unwrap(), again);
}
