//! `openledger rewards`

use super::datanet::require as require_datanet;
use crate::{
    arguments::{amount, plancks},
    context::Context,
    error::{CliError, Result},
    output::{fields, Answer},
};
use clap::{Args, Subcommand};
use openledger_client::{Amount, Wait};
use openledger_primitives::{Balance, DatanetId, RewardTerms};
use serde_json::{json, Value};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Pay into a Datanet's pool. The first funding brings the terms.
    #[command(after_help = "Examples:
  openledger --key me rewards fund --datanet 0 --amount 100 --per-period 10 --max-per-point 1000000000
  openledger --key me rewards fund --datanet 0 --amount 5OPEN       (under the current terms)")]
    Fund(Fund),
    /// Change how fast the pool of a Datanet of yours pays out.
    #[command(after_help = "Examples:
  openledger --key me rewards terms --datanet 0 --per-period 20 --max-per-point 2000000000")]
    Terms(Terms),
    /// Show a pool, and what an account could claim.
    #[command(after_help = "Examples:
  openledger rewards show --datanet 0
  openledger rewards show --datanet 0 5FHn… --output json")]
    Show(Target),
    /// Pay an account what is owed to it; anyone may do this for anyone.
    #[command(after_help = "Examples:
  openledger --key me rewards claim --datanet 0
  openledger --key me rewards claim --datanet 0 5FHn…")]
    Claim(Target),
}

#[derive(Args, Debug)]
pub(crate) struct Fund {
    /// The Datanet's number.
    #[arg(long)]
    datanet: DatanetId,
    /// How much: 1.5, 1.5OPEN or 300planck.
    #[arg(long, value_parser = amount, allow_hyphen_values = true)]
    amount: Amount,
    /// Most OPEN that one reward period pays out.
    #[arg(long, value_parser = amount, requires = "max_per_point")]
    per_period: Option<Amount>,
    /// Most plancks for one point (or an amount with a unit).
    #[arg(long, value_parser = plancks, requires = "per_period", value_name = "PLANCKS")]
    max_per_point: Option<Balance>,
}

#[derive(Args, Debug)]
pub(crate) struct Terms {
    /// The Datanet's number.
    #[arg(long)]
    datanet: DatanetId,
    /// Most OPEN that one reward period pays out.
    #[arg(long, value_parser = amount, allow_hyphen_values = true)]
    per_period: Amount,
    /// Most plancks for one point (or an amount with a unit).
    #[arg(long, value_parser = plancks, value_name = "PLANCKS")]
    max_per_point: Balance,
}

#[derive(Args, Debug)]
pub(crate) struct Target {
    /// The Datanet's number.
    #[arg(long)]
    datanet: DatanetId,
    /// Whose rewards: address, name of a key, or //Alice; without it those of --key.
    account: Option<String>,
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Answer> {
    match command {
        Command::Fund(arguments) => fund(context, arguments).await,
        Command::Terms(arguments) => terms(context, arguments).await,
        Command::Show(target) => show(context, target).await,
        Command::Claim(target) => claim(context, target).await,
    }
}

async fn fund(context: &Context, arguments: Fund) -> Result<Answer> {
    let Fund { datanet, amount, per_period, max_per_point } = arguments;
    let terms = per_period
        .zip(max_per_point)
        .map(|(per_period, max_per_point)| RewardTerms { per_period: per_period.0, max_per_point });
    let signer = context.signer().await?;
    let client = context.client().await?;
    let wait = context.wait(Wait::InBlock);
    let receipt = client.fund_pool(&signer, datanet, amount.0, terms, wait).await?;
    let json = json!({ "datanet": datanet, "amount": amount.0.to_string() });
    let text = format!("Paid {amount} into the pool of Datanet {datanet}.");
    Ok(Answer::of_transaction(json, text, &receipt))
}

async fn terms(context: &Context, arguments: Terms) -> Result<Answer> {
    let Terms { datanet, per_period, max_per_point } = arguments;
    let terms = RewardTerms { per_period: per_period.0, max_per_point };
    let signer = context.signer().await?;
    let client = context.client().await?;
    let wait = context.wait(Wait::InBlock);
    let receipt = client.set_reward_terms(&signer, datanet, terms, wait).await?;
    let json = json!({
        "datanet": datanet,
        "perPeriod": terms.per_period.to_string(),
        "maxPerPoint": terms.max_per_point.to_string(),
    });
    let text = format!(
        "The pool of Datanet {datanet} pays {per_period} a period at most, and {max_per_point} \
         plancks a point."
    );
    Ok(Answer::of_transaction(json, text, &receipt))
}

async fn show(context: &Context, target: Target) -> Result<Answer> {
    let Target { datanet, account } = target;
    let client = context.client().await?;
    require_datanet(client, datanet).await?;
    // Without a key there is nobody to ask for, and the pool is shown all the same.
    let account = match account {
        Some(account) => Some(context.account(Some(&account)).await?),
        None => context.account(None).await.ok(),
    };
    let pool = client.pool(datanet).await?;
    let claimable = match account {
        Some(account) => Some(client.claimable(datanet, account).await?),
        None => None,
    };
    let (period, next) = client.period().await?;
    let json = json!({
        "datanet": datanet,
        "pool": pool.map(|pool| json!({
            "totalIn": pool.total_in.to_string(),
            "claimed": pool.claimed.to_string(),
            "owed": pool.owed.to_string(),
            "available": pool.available.to_string(),
            "perPeriod": pool.terms.per_period.to_string(),
            "maxPerPoint": pool.terms.max_per_point.to_string(),
            "period": pool.period,
        })),
        "account": account,
        "claimable": claimable.map_or(Value::Null, |amount| amount.to_string().into()),
        "period": period,
        "nextPeriodBlock": next,
    });
    let mut text = match pool {
        Some(pool) => fields([
            ("Paid in", Amount(pool.total_in).to_string()),
            ("Claimed", Amount(pool.claimed).to_string()),
            ("Owed", Amount(pool.owed).to_string()),
            ("Available", Amount(pool.available).to_string()),
            (
                "Terms",
                format!(
                    "{} a period at most, {} plancks a point at most",
                    Amount(pool.terms.per_period),
                    pool.terms.max_per_point
                ),
            ),
            ("Period", format!("{period}, until block {next}")),
        ]),
        None => format!("Datanet {datanet} has no pool yet."),
    };
    if let (Some(account), Some(claimable)) = (account, claimable) {
        text.push_str(&format!("\n{account} could claim {}.", Amount(claimable)));
    }
    Ok(Answer::new(json, text))
}

async fn claim(context: &Context, target: Target) -> Result<Answer> {
    let Target { datanet, account } = target;
    let client = context.client().await?;
    require_datanet(client, datanet).await?;
    let account = context.account(account.as_deref()).await?;
    if client.claimable(datanet, account).await? == 0 {
        let (period, next) = client.period().await?;
        return Err(CliError::refused(format!(
            "nothing is owed to {account} in Datanet {datanet} (Leaderboard::NothingToClaim)"
        ))
        .next(format!(
            "points are paid once the reward period they were earned in has ended; the current \
             one, {period}, ends with block {}",
            next.saturating_sub(1)
        )));
    }
    let signer = context.signer().await?;
    let wait = context.wait(Wait::Finalised);
    let (receipt, amount) = client.claim_rewards(&signer, datanet, account, wait).await?;
    let json = json!({ "datanet": datanet, "account": account, "amount": amount.to_string() });
    let text = format!("{account} was paid {} from Datanet {datanet}.", Amount(amount));
    Ok(Answer::of_transaction(json, text, &receipt))
}
