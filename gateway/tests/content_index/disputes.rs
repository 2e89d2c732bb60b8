//! A job's dispute, as its events tell it.

use super::common::Served;
use openledger_client::{
    blocks::{Block, BlockEvent, ChainEvent, Changed, Detail},
    AccountId,
};
use openledger_gateway::index::planted::{account, Maker, Plan};
use openledger_primitives::job::dispute::{Finding, Outcome};
use serde_json::{json, Value};

const OPEN: u128 = 1_000_000_000_000_000_000;
const JOB: u64 = 0;

/// The next block of a made-up chain, in which only these events happen.
fn next(maker: &mut Maker, events: Vec<ChainEvent>) -> Block {
    let mut block = maker.block();
    block.changed = Changed::default();
    let event = |(index, event)| BlockEvent {
        index: index as u32,
        extrinsic: Some(0),
        event,
        detail: Detail::None,
    };
    block.events = events.into_iter().enumerate().map(event).collect();
    block
}

struct Chain {
    served: Served,
    maker: Maker,
    blocks: Vec<Block>,
    _folder: tempfile::TempDir,
}

impl Chain {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let served = Served::start(folder.path()).await;
        let mut maker = Maker::new(Plan { files: 0, ..Plan::SMALL });
        let blocks: Vec<_> = (0..5).map(|_| maker.block()).collect();
        served.index(&blocks).await;
        Self { served, maker, blocks, _folder: folder }
    }

    async fn happens(&mut self, events: Vec<ChainEvent>) -> Value {
        self.blocks.push(next(&mut self.maker, events));
        self.served.index(&self.blocks).await;
        self.served.get(&format!("/v1/jobs/{JOB}/dispute")).await
    }
}

fn drawn() -> [AccountId; 3] {
    [11, 12, 13].map(account)
}

fn disputed() -> ChainEvent {
    ChainEvent::JobDisputed { job: JOB, disputer: account(9), bond: 3 * OPEN, draw_at: 7 }
}

fn committed(n: usize) -> ChainEvent {
    ChainEvent::FindingCommitted { job: JOB, worker: drawn()[n] }
}

fn revealed(n: usize, finding: Finding) -> ChainEvent {
    ChainEvent::FindingRevealed { job: JOB, worker: drawn()[n], finding }
}

#[tokio::test]
async fn a_dispute_is_told_from_its_opening_to_its_end() {
    let mut chain = Chain::start().await;
    let path = format!("/v1/jobs/{JOB}/dispute");
    for (path, word) in [(path.as_str(), "never disputed"), ("/v1/jobs/999/dispute", "no job 999")]
    {
        let answer = chain.served.ask(path).await;
        assert_eq!(answer.error(), (404, "not_found".to_owned()));
        assert!(answer.json()["error"]["message"].to_string().contains(word), "{path}");
    }

    let open = chain.happens(vec![disputed()]).await;
    assert_eq!((&open["state"], &open["disputer"]), (&json!("drawing"), &json!(account(9))));
    assert_eq!((&open["bond"], &open["drawAt"]), (&json!((3 * OPEN).to_string()), &json!(7)));
    assert_eq!((&open["verifiers"], &open["outcome"]), (&json!([]), &Value::Null));
    let said = &chain.blocks[5];
    assert_eq!((&open["opened"]["block"], &open["opened"]["time"]), (&json!(5), &json!(said.time)));

    let workers = drawn().to_vec();
    let event = ChainEvent::VerifiersDrawn { job: JOB, workers, commit_by: 1_206 };
    let drawing = chain.happens(vec![event]).await;
    assert_eq!((&drawing["state"], &drawing["commitBy"]), (&json!("hashes"), &json!(1_206)));
    let names: Vec<_> = drawn().iter().map(ToString::to_string).collect();
    let shown = drawing["verifiers"].as_array().unwrap();
    assert_eq!(shown.iter().map(|one| one["worker"].clone()).collect::<Vec<_>>(), names);

    let two = chain.happens(vec![committed(0), committed(2)]).await;
    assert_eq!(
        (&two["state"], &two["verifiers"][0]["committed"]["block"]),
        (&json!("hashes"), &json!(7))
    );
    assert_eq!(two["verifiers"][1]["committed"], Value::Null);
    // With the third the time for findings begins.
    let all = chain.happens(vec![committed(1)]).await;
    assert_eq!((&all["state"], &all["commitBy"]), (&json!("findings"), &json!(8)));

    let two =
        chain.happens(vec![revealed(0, Finding::NotReproduced), revealed(1, Finding::Holds)]).await;
    assert_eq!(two["verifiers"][0]["finding"], "not-reproduced");
    assert_eq!(two["verifiers"][1]["revealed"]["block"], 9);
    let paid = |n: usize| ChainEvent::VerifierPaid { job: JOB, worker: drawn()[n], pay: OPEN };
    let settled = ChainEvent::DisputeSettled {
        job: JOB,
        worker: account(5),
        outcome: Outcome::Upheld,
        penalty: 3 * OPEN,
        returned: 3 * OPEN,
    };
    let events = vec![revealed(2, Finding::NotReproduced), paid(0), paid(2), settled];
    let ended = chain.happens(events).await;
    assert_eq!((&ended["state"], &ended["outcome"]), (&json!("settled"), &json!("upheld")));
    let all = json!((3 * OPEN).to_string());
    assert_eq!((&ended["penalty"], &ended["returned"]), (&all, &all));
    assert_eq!(ended["settled"]["block"], 10);
    let pays: Vec<_> = (0..3).map(|n| ended["verifiers"][n]["paid"].clone()).collect();
    let one = json!(OPEN.to_string());
    assert_eq!(pays, [one.clone(), Value::Null, one]);

    // The chain forgets a job that failed, and with it its dispute; who asks here is told.
    let pruned = ChainEvent::JobPruned { job: JOB, deposit: OPEN };
    assert_eq!(chain.happens(vec![pruned]).await, ended);
}

#[tokio::test]
async fn a_dispute_that_nobody_could_judge_gives_the_bond_back() {
    let mut chain = Chain::start().await;
    let waits = ChainEvent::JobDelayed { job: JOB, until: 27 };
    assert_eq!(chain.happens(vec![disputed(), waits]).await["drawAt"], 27);
    let settled = ChainEvent::DisputeSettled {
        job: JOB,
        worker: account(5),
        outcome: Outcome::NoQuorum,
        penalty: 0,
        returned: 3 * OPEN,
    };
    let ended = chain.happens(vec![settled]).await;
    assert_eq!((&ended["outcome"], &ended["penalty"]), (&json!("no-quorum"), &Value::Null));
    assert_eq!((&ended["verifiers"], &ended["commitBy"]), (&json!([]), &Value::Null));
}

#[tokio::test]
async fn the_time_for_hashes_ends_by_itself() {
    let mut chain = Chain::start().await;
    let workers = drawn().to_vec();
    let event = ChainEvent::VerifiersDrawn { job: JOB, workers, commit_by: 7 };
    let open = chain.happens(vec![disputed(), event]).await;
    assert_eq!(open["state"], "hashes");
    let open = chain.happens(vec![committed(1)]).await;
    assert_eq!(open["state"], "hashes");
    let over = chain.happens(vec![]).await;
    assert_eq!((&over["state"], &over["commitBy"]), (&json!("findings"), &json!(7)));
}
