//! `openledger rewards`

mod show;

use super::datanet::require as require_datanet;
use crate::{
    arguments::{amount, plancks},
    context::Context,
    error::{CliError, Result},
    output::{price, Answer},
};
use clap::{Args, Subcommand};
use openledger_client::{Amount, Client, Wait};
use openledger_primitives::{api::PoolView, json, Balance, DatanetId, RewardTerms, Shares};
use serde_json::json;

/// Most Datanets that one call claims from.
const MAX_CLAIMS: usize = 20;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Pay into a Datanet's pool, for shares of it, under the rules that stand.
    #[command(after_help = "Examples:
  openledger --key me rewards fund --datanet 0 --amount 5OPEN
  openledger --key me rewards fund --datanet 0 --amount 100 --per-period 10 --max-per-point 1000000000
      (only if these are the terms)")]
    Fund(Fund),
    /// Say how fast the pool of a Datanet of yours pays out; other terms wait once money is in it.
    #[command(after_help = "Examples:
  openledger --key me rewards terms --datanet 0 --per-period 20 --max-per-point 2000000000")]
    Terms(Terms),
    /// Show a pool, what waits, and what an account holds of it and could claim.
    #[command(after_help = "Examples:
  openledger rewards show --datanet 0
  openledger rewards show --datanet 0 5FHn… --output json")]
    Show(Target),
    /// Pay an account what is owed to it; anyone may do this for anyone.
    #[command(after_help = "Examples:
  openledger --key me rewards claim --datanet 0
  openledger --key me rewards claim --datanet 0 --datanet 3 5FHn…")]
    Claim(Claim),
    /// Take your shares out of a pool when the reward period ends, while funders may leave.
    #[command(after_help = "Examples:
  openledger --key me rewards leave --datanet 0
  openledger --key me rewards leave --datanet 0 --shares 5000000000000000000")]
    Leave(Leave),
    /// Pay a funder what its shares brought that have left; anyone may do this for anyone.
    #[command(after_help = "Examples:
  openledger --key me rewards withdraw --datanet 0
  openledger --key me rewards withdraw --datanet 0 5FHn…")]
    Withdraw(Target),
    /// Let what is nobody's of a closed or dead pool leave for the treasury.
    #[command(after_help = "Examples:
  openledger --key me rewards recover --datanet 0")]
    Recover {
        /// The Datanet's number.
        #[arg(long)]
        datanet: DatanetId,
    },
    /// Have your rewards paid to another account, or to yourself again.
    #[command(after_help = "Examples:
  openledger --key me rewards payout savings
  openledger --key savings rewards payout --of me 5FHn…     (by the account that is paid now: at once)")]
    Payout {
        /// Who is to be paid: address, name of a key, or //Alice.
        to: String,
        /// Whose rewards; without it those of --key.
        #[arg(long)]
        of: Option<String>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Fund {
    /// The Datanet's number.
    #[arg(long)]
    datanet: DatanetId,
    /// How much: 1.5, 1.5OPEN or 300planck.
    #[arg(long, value_parser = amount, allow_hyphen_values = true, value_name = "OPEN")]
    amount: Amount,
    /// Only if this is the most OPEN that one reward period pays out.
    #[arg(long, value_parser = amount, requires = "max_per_point", value_name = "OPEN")]
    per_period: Option<Amount>,
    /// Only if this is the most plancks for one point (or an amount with a unit).
    #[arg(long, value_parser = plancks, requires = "per_period", value_name = "PLANCKS")]
    max_per_point: Option<Balance>,
}

#[derive(Args, Debug)]
pub(crate) struct Claim {
    /// The Datanet's number; up to 20 of them.
    #[arg(long = "datanet", required = true)]
    datanets: Vec<DatanetId>,
    /// Whose rewards: address, name of a key, or //Alice; without it those of --key.
    account: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Leave {
    /// The Datanet's number.
    #[arg(long)]
    datanet: DatanetId,
    /// How many shares; without it all of them.
    #[arg(long)]
    shares: Option<Shares>,
}

#[derive(Args, Debug)]
pub(crate) struct Terms {
    /// The Datanet's number.
    #[arg(long)]
    datanet: DatanetId,
    /// Most OPEN that one reward period pays out.
    #[arg(long, value_parser = amount, allow_hyphen_values = true, value_name = "OPEN")]
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
        Command::Show(target) => show::run(context, target).await,
        Command::Claim(arguments) => claim(context, arguments).await,
        Command::Leave(arguments) => leave(context, arguments).await,
        Command::Withdraw(target) => withdraw(context, target).await,
        Command::Recover { datanet } => recover(context, datanet).await,
        Command::Payout { to, of } => payout(context, &to, of.as_deref()).await,
    }
}

/// A Datanet's pool, or an error that says how to get one.
async fn pool(client: &Client, datanet: DatanetId) -> Result<PoolView> {
    require_datanet(client, datanet).await?;
    client.pool_view(datanet).await?.ok_or_else(|| {
        CliError::refused(format!("Datanet {datanet} has no pool yet"))
            .next("its owner sets the terms of one with `openledger rewards terms`")
    })
}

/// Terms in a sentence.
fn words(terms: &RewardTerms) -> String {
    format!(
        "{} a period at most, {} a point at most",
        Amount(terms.per_period),
        price(terms.max_per_point)
    )
}

async fn fund(context: &Context, arguments: Fund) -> Result<Answer> {
    let Fund { datanet, amount, per_period, max_per_point } = arguments;
    let client = context.client().await?;
    let rules = pool(client, datanet).await?.rules;
    if let Some((per_period, max_per_point)) = per_period.zip(max_per_point) {
        let terms = RewardTerms { per_period: per_period.0, max_per_point };
        let lasting = rules.next_terms.unwrap_or(rules.terms);
        if rules.terms != terms || lasting != terms {
            return Err(CliError::refused(format!(
                "the terms are not those that you name: they are {}{} (Leaderboard::TermsDiffer)",
                words(&rules.terms),
                match rules.next_terms {
                    Some(next) => format!("; {} wait", words(&next)),
                    None => String::new(),
                }
            ))
            .next("`openledger rewards show` says more; leave both out to pay in all the same"));
        }
    }
    let signer = context.signer().await?;
    let wait = context.wait(Wait::InBlock);
    let receipt = client.fund_pool(&signer, datanet, amount.0, rules, wait).await?;
    let json = json!({
        "datanet": datanet,
        "amount": amount.0.to_string(),
        "rules": json::PoolRules::from(rules),
    });
    let text = format!(
        "Paid {amount} into the pool of Datanet {datanet}, which pays {}.",
        words(&rules.terms)
    );
    Ok(Answer::of_transaction(json, text, &receipt))
}

async fn terms(context: &Context, arguments: Terms) -> Result<Answer> {
    let Terms { datanet, per_period, max_per_point } = arguments;
    let terms = RewardTerms { per_period: per_period.0, max_per_point };
    let signer = context.signer().await?;
    let client = context.client().await?;
    let wait = context.wait(Wait::InBlock);
    let (receipt, from) = client.set_reward_terms(&signer, datanet, terms, wait).await?;
    let json = json!({
        "datanet": datanet,
        "perPeriod": terms.per_period.to_string(),
        "maxPerPoint": terms.max_per_point.to_string(),
        "fromPeriod": from,
    });
    let text = match from {
        None => format!("The pool of Datanet {datanet} pays {}.", words(&terms)),
        Some(period) => format!(
            "From reward period {period} on the pool of Datanet {datanet} pays {}. Until then it keeps \
             the terms it has, and funders may leave if these pay out faster.",
            words(&terms)
        ),
    };
    Ok(Answer::of_transaction(json, text, &receipt))
}

async fn claim(context: &Context, arguments: Claim) -> Result<Answer> {
    let Claim { datanets, account } = arguments;
    let client = context.client().await?;
    if datanets.len() > MAX_CLAIMS {
        return Err(CliError::usage(format!(
            "{} Datanets; one claim takes up to {MAX_CLAIMS}",
            datanets.len()
        )));
    }
    for datanet in &datanets {
        require_datanet(client, *datanet).await?;
    }
    let account = context.account(account.as_deref()).await?;
    let mut owed = 0;
    for datanet in &datanets {
        owed += client.claimable(*datanet, account).await?;
    }
    if owed == 0 {
        let (period, next) = client.period().await?;
        let names: Vec<_> = datanets.iter().map(DatanetId::to_string).collect();
        return Err(CliError::refused(format!(
            "nothing is owed to {account} in Datanet {} (Leaderboard::NothingToClaim)",
            names.join(", ")
        ))
        .next(format!(
            "points are paid once the reward period they were earned in has ended; the current \
             one, {period}, ends with block {}",
            next.saturating_sub(1)
        )));
    }
    let signer = context.signer().await?;
    let wait = context.wait(Wait::Finalised);
    let sent = client.claim_rewards(&signer, &datanets, account, wait);
    let (receipt, paid, to) = context.waiting(wait, sent).await?;
    let sum: Balance = paid.iter().map(|(_, amount)| amount).sum();
    let claims: Vec<_> = paid
        .iter()
        .map(|(datanet, amount)| json!({ "datanet": datanet, "amount": amount.to_string() }))
        .collect();
    let json = json!({
        "datanet": datanets.first(),
        "account": account,
        "amount": sum.to_string(),
        "claims": claims,
        "paidTo": to,
    });
    let from: Vec<_> = paid.iter().map(|(datanet, _)| datanet.to_string()).collect();
    let mut text = format!("{account} was paid {} from Datanet {}.", Amount(sum), from.join(", "));
    if to != account {
        text.push_str(&format!(" It went to {to}."));
    }
    Ok(Answer::of_transaction(json, text, &receipt))
}

async fn leave(context: &Context, arguments: Leave) -> Result<Answer> {
    let Leave { datanet, shares } = arguments;
    let signer = context.signer().await?;
    let client = context.client().await?;
    let view = pool(client, datanet).await?;
    let held = client.share(datanet, signer.account()).await?.map_or(0, |share| share.shares);
    let shares = shares.unwrap_or(held);
    if view.way_out.is_none() {
        return Err(CliError::refused(format!(
            "funders of Datanet {datanet} may not leave now (Leaderboard::NoWayOut)"
        ))
        .next(
            "they may while terms wait that pay out faster, or another review policy, and when the \
             Datanet is closed or long without points; `openledger rewards show` says so",
        ));
    }
    let receipt = client.leave_pool(&signer, datanet, shares, context.wait(Wait::InBlock)).await?;
    let (period, next) = client.period().await?;
    let json = json!({
        "datanet": datanet,
        "shares": shares.to_string(),
        "period": period,
        "withdrawFromBlock": next,
    });
    let text = format!(
        "{shares} shares of Datanet {datanet} leave when reward period {period} has paid. From block \
         {next} on, `openledger rewards withdraw --datanet {datanet}` pays what they brought."
    );
    Ok(Answer::of_transaction(json, text, &receipt))
}

async fn withdraw(context: &Context, target: Target) -> Result<Answer> {
    let Target { datanet, account } = target;
    let account = context.account(account.as_deref()).await?;
    let signer = context.signer().await?;
    let client = context.client().await?;
    let wait = context.wait(Wait::InBlock);
    let (receipt, amount) = client.withdraw_from_pool(&signer, datanet, account, wait).await?;
    let json = json!({ "datanet": datanet, "account": account, "amount": amount.to_string() });
    let text = format!("{account} got {} back from the pool of Datanet {datanet}.", Amount(amount));
    Ok(Answer::of_transaction(json, text, &receipt))
}

async fn recover(context: &Context, datanet: DatanetId) -> Result<Answer> {
    let signer = context.signer().await?;
    let client = context.client().await?;
    let receipt = client.recover_pool(&signer, datanet, context.wait(Wait::InBlock)).await?;
    let text = format!(
        "What is nobody's of Datanet {datanet}'s pool leaves for the treasury when the reward period \
         has ended."
    );
    Ok(Answer::of_transaction(json!({ "datanet": datanet }), text, &receipt))
}

async fn payout(context: &Context, to: &str, of: Option<&str>) -> Result<Answer> {
    let account = context.account(of).await?;
    let to = context.account(Some(to)).await?;
    let signer = context.signer().await?;
    let client = context.client().await?;
    let wait = context.wait(Wait::InBlock);
    let (receipt, from) = client.set_payout(&signer, account, to, wait).await?;
    let json = json!({ "account": account, "to": to, "fromBlock": from });
    let text = format!("From block {from} on the rewards of {account} are paid to {to}.");
    Ok(Answer::of_transaction(json, text, &receipt))
}
