//! `openledger rewards show`

use super::{words, Target};
use crate::{
    commands::datanet::require as require_datanet,
    context::Context,
    error::Result,
    output::{fields, Answer},
};
use openledger_client::{AccountId, Amount};
use openledger_primitives::{
    api::{PayoutView, PoolView, ShareView, WaitingPolicyView},
    json, Balance, BlockNumber, Period, ReviewPolicy, WayOut,
};
use serde_json::json;

/// Why funders may leave, in words.
fn reason(way_out: WayOut) -> &'static str {
    match way_out {
        WayOut::Closed => "the Datanet is closed",
        WayOut::Dead => "no points were earned for long",
        WayOut::Terms => "terms wait that pay out faster",
        WayOut::Policy => "another review policy waits",
    }
}

fn of_pool(
    pool: &PoolView,
    policy: Option<&WaitingPolicyView<AccountId>>,
    (period, next): (Period, BlockNumber),
) -> String {
    let mut rows = vec![
        ("Paid in", Amount(pool.total_in).to_string()),
        ("Claimed", Amount(pool.claimed).to_string()),
        ("Owed", Amount(pool.owed).to_string()),
        ("Available", Amount(pool.available).to_string()),
        (
            "Back with funders",
            format!("{}, {} on its way", Amount(pool.returned), Amount(pool.returning)),
        ),
        ("Terms", words(&pool.rules.terms)),
    ];
    if let Some(waiting) = &pool.waiting {
        let from = format!("from period {} (block {}) on", waiting.from, waiting.block);
        rows.push(("Terms that wait", format!("{}, {from}", words(&waiting.terms))));
    }
    if let Some(WaitingPolicyView { policy, block }) = policy {
        let who = match policy {
            ReviewPolicy::Curators { members, threshold } => {
                let members: Vec<_> = members.iter().map(AccountId::to_string).collect();
                format!("{threshold} of {}: {}", members.len(), members.join(", "))
            }
            ReviewPolicy::Committee { own_seats: false } => {
                "committees drawn from the modality's seats".to_owned()
            }
            ReviewPolicy::Committee { own_seats: true } => {
                "committees drawn from seats for this Datanet".to_owned()
            }
        };
        rows.push(("Policy that waits", format!("{who}, from block {block} on")));
    }
    rows.push((
        "Funders",
        match pool.way_out {
            Some(way_out) => format!("may leave: {}", reason(way_out)),
            None => "stay: nothing waits that lets them go".to_owned(),
        },
    ));
    rows.push(("Period", format!("{period}, until block {}", next.saturating_sub(1))));
    fields(rows)
}

fn of_account(
    account: AccountId,
    claimable: Balance,
    share: Option<&ShareView>,
    payout: Option<&PayoutView<AccountId>>,
) -> String {
    let mut text = format!("\n{account} could claim {}.", Amount(claimable));
    if let Some(ShareView { shares, worth, leaving, due }) = share {
        text.push_str(&format!(" It holds {shares} shares, worth {}", Amount(*worth)));
        if *leaving > 0 {
            text.push_str(&format!("; {leaving} more leave when the period ends"));
        }
        if *due > 0 {
            text.push_str(&format!("; {} can be withdrawn", Amount(*due)));
        }
        text.push('.');
    }
    if let Some(payout) = payout {
        if payout.to != account {
            text.push_str(&format!(" Its rewards are paid to {}.", payout.to));
        }
        if let Some((next, block)) = payout.next {
            text.push_str(&format!(" From block {block} on they are paid to {next}."));
        }
    }
    text
}

pub(super) async fn run(context: &Context, target: Target) -> Result<Answer> {
    let Target { datanet, account } = target;
    let client = context.client().await?;
    require_datanet(client, datanet).await?;
    // Without a key there is nobody to ask for, and the pool is shown all the same.
    let account = match account {
        Some(account) => Some(context.account(Some(&account)).await?),
        None => context.account(None).await.ok(),
    };
    let pool = client.pool_view(datanet).await?;
    let policy = client.waiting_policy(datanet).await?;
    let (period, next) = client.period().await?;
    let mut text = match &pool {
        Some(pool) => of_pool(pool, policy.as_ref(), (period, next)),
        None => format!("Datanet {datanet} has no pool yet."),
    };
    let mut json = json!({
        "datanet": datanet,
        "pool": pool.map(json::Pool::from),
        "waitingPolicy": policy.map(json::WaitingPolicy::from),
        "account": account,
        "claimable": null,
        "share": null,
        "payout": null,
        "period": period,
        "nextPeriodBlock": next,
    });
    if let Some(account) = account {
        let claimable = client.claimable(datanet, account).await?;
        let share = client.share(datanet, account).await?;
        let payout = client.payout(account).await?;
        text.push_str(&of_account(account, claimable, share.as_ref(), payout.as_ref()));
        json["claimable"] = claimable.to_string().into();
        json["share"] = json!(share.map(json::Share::from));
        json["payout"] = json!(payout.map(json::Payout::from));
    }
    Ok(Answer::new(json, text))
}
