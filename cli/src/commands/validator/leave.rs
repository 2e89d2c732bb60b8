//! `openledger validator leave`: out of staking for good, a step whenever the chain allows one.
//!
//! The order is what keeps it safe: who still makes blocks keeps its session keys, since blocks would be missing
//! otherwise, and they go last, so that until then the account can change its mind.

use super::stake::{can_withdraw, free_from, freed, unbonded};
use crate::{context::Context, error::Result, output::Answer};
use openledger_client::{
    staking::{Stake, StakeRole},
    AccountId, Amount, Receipt, Wait,
};
use openledger_primitives::Balance;
use serde_json::{json, Value};

/// What was done in this run.
#[derive(Default)]
struct Steps {
    words: Vec<String>,
    json: Vec<Value>,
    receipts: Vec<Receipt>,
}

impl Steps {
    fn add(&mut self, words: String, json: Value, receipt: Receipt) {
        self.words.push(words);
        self.json.push(json);
        self.receipts.push(receipt);
    }
}

/// Whether the account makes blocks, or may do so later without anything else happening.
fn may_make_blocks(stake: &Stake) -> bool {
    let next = stake.election.is_some_and(|election| election.elected);
    stake.elected || next || matches!(stake.role, StakeRole::Validates { .. })
}

pub(super) async fn run(context: &Context) -> Result<Answer> {
    let signer = context.signer().await?;
    let client = context.client().await?;
    let account = signer.account();
    let wait = context.wait(Wait::InBlock);
    let mut steps = Steps::default();
    let mut now = client.stake(account).await?;

    if now.active > 0 {
        // Asked for more than there is, the chain has the account stand back and takes all.
        let receipt = client.unbond(&signer, Balance::MAX, wait).await?;
        let after = client.stake(account).await?;
        let out = Amount(now.active.saturating_sub(after.active));
        let mut words = unbonded(&after, account, out);
        let stood = !matches!(now.role, StakeRole::Idle);
        if stood {
            words = format!("{account} stands back from the next election on.\n{words}");
        }
        let json = json!({ "step": "unbond", "amount": out.0.to_string(), "stoodBack": stood });
        steps.add(words, json, receipt);
        now = after;
    } else if !matches!(now.role, StakeRole::Idle) {
        // A slash took all.
        let receipt = client.chill(&signer, wait).await?;
        let words = format!("{account} stands back from the next election on.");
        steps.add(words, json!({ "step": "chill" }), receipt);
        now = client.stake(account).await?;
    }
    if can_withdraw(&now) {
        let receipt = client.withdraw_unbonded(&signer, wait).await?;
        let after = client.stake(account).await?;
        let freed = freed(&now, &after);
        let json = json!({ "step": "withdraw", "amount": freed.0.to_string() });
        steps.add(format!("{freed} of {account} are free."), json, receipt);
        now = after;
    }
    if now.keys && !now.bonded && !may_make_blocks(&now) {
        let receipt = client.purge_session_keys(&signer, wait).await?;
        let words = format!("{account} has no session keys on the chain any more.");
        steps.add(words, json!({ "step": "purgeKeys" }), receipt);
        now = client.stake(account).await?;
    }
    Ok(answer(account, &now, steps))
}

fn answer(account: AccountId, now: &Stake, mut steps: Steps) -> Answer {
    let left = !now.bonded && !now.keys;
    steps.words.push(match left {
        true => format!(
            "{account} has left: nothing is bonded, and it has no session keys. Its node can be stopped, and the \
             account emptied."
        ),
        false => next(now),
    });
    let mut json = json!({
        "account": account,
        "left": left,
        "steps": steps.json,
        "era": now.era,
        "freeFromEra": now.unlocking.iter().map(|(_, era)| *era).max(),
        "makesBlocks": now.elected,
        "keysSet": now.keys,
    });
    let text = steps.words.join("\n");
    match steps.receipts.last() {
        Some(last) => {
            let mut answer = Answer::of_transaction(json, text, last);
            answer.transactions(steps.receipts.iter());
            answer
        }
        None => {
            json["transactions"] = json!([]);
            Answer::new(json, text)
        }
    }
}

/// What it waits for, and what to do then.
fn next(now: &Stake) -> String {
    let mut waits = Vec::new();
    if now.bonded {
        waits.push(format!(
            "What was bonded is free: {}; this is era {}.",
            free_from(now),
            now.era
        ));
    }
    if may_make_blocks(now) {
        let last = now.election.filter(|election| election.elected);
        let until = last.map_or(now.era, |election| election.era.max(now.era)).saturating_add(1);
        waits.push(format!(
            "It makes blocks, until era {until} at least: keep its node running until `openledger validator status` says \
             that it makes none."
        ));
    }
    let keys = if now.keys { "; session keys come off last" } else { "" };
    waits.push(format!("Run `openledger validator leave` again then{keys}."));
    waits.join("\n")
}
