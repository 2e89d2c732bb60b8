//! Bonding, what a bond does, and taking it out again. The chain does as much of what it is asked for as can be done, so
//! each answer tells what stands on the chain afterwards, and what would do nothing is refused.

use super::{in_hundredths, percent};
use crate::{
    context::Context,
    error::{CliError, Result},
    output::Answer,
};
use openledger_client::{
    staking::{Stake, StakeRole},
    AccountId, Amount, Client, Wait,
};
use openledger_primitives::{text::counted, Balance, EXISTENTIAL_DEPOSIT, OPEN};
use serde_json::json;

/// The era that withdrawals are compared with: that of the last election, which is held before the era begins.
pub(super) fn planned(stake: &Stake) -> u32 {
    stake.election.map_or(stake.era, |election| election.era.max(stake.era))
}

/// Plancks on their way out, and those of them that can be withdrawn now.
pub(super) fn unbonding(stake: &Stake) -> (Balance, Balance) {
    let sum = |due: bool| {
        let parts = stake.unlocking.iter().filter(|(_, era)| !due || *era <= planned(stake));
        parts.map(|(amount, _)| *amount).fold(0, Balance::saturating_add)
    };
    (sum(false), sum(true))
}

/// When what is on its way out is free, as `10 OPEN from era 7 on`.
pub(super) fn free_from(stake: &Stake) -> String {
    let waiting = stake.unlocking.iter().filter(|(_, era)| *era > planned(stake));
    let parts: Vec<String> =
        waiting.map(|(amount, era)| format!("{} from era {era} on", Amount(*amount))).collect();
    parts.join(", ")
}

/// Whether a withdrawal frees something, or ends a bond of which nothing is left.
pub(super) fn can_withdraw(stake: &Stake) -> bool {
    let over = stake.unlocking.is_empty() && stake.active < EXISTENTIAL_DEPOSIT;
    stake.bonded && (over || unbonding(stake).1 > 0)
}

fn does_nothing(stake: &Stake) -> bool {
    matches!(stake.role, StakeRole::Idle)
}

async fn bonded(client: &Client, account: AccountId) -> Result<Stake> {
    let stake = client.stake(account).await?;
    match stake.bonded {
        true => Ok(stake),
        false => Err(CliError::refused(format!("{account} has bonded nothing"))
            .next("bond OPEN with `openledger validator bond`")),
    }
}

/// That something is left to pay the fee of taking it out again. The chain bonds no more than there is, but all of
/// that.
pub(crate) async fn leaves_enough_for_fees(
    client: &Client,
    account: AccountId,
    amount: Amount,
) -> Result<()> {
    if amount.0 == 0 {
        return Err(CliError::usage("0 OPEN cannot be bonded"));
    }
    let free = client.balance(account).await?.free;
    if amount.0.saturating_add(OPEN) > free {
        return Err(CliError::refused(format!(
            "{account} has {} free, of which 1 OPEN stays for fees; {amount} cannot be bonded",
            Amount(free)
        ))
        .next(format!("bond {} or less", Amount(free.saturating_sub(OPEN)))));
    }
    Ok(())
}

/// The accounts, each once, all of which stand for election: the chain lets somebody back who does not, and that
/// elects nobody.
pub(crate) async fn candidates(context: &Context, names: &[String]) -> Result<Vec<AccountId>> {
    let client = context.client().await?;
    let mut targets: Vec<AccountId> = Vec::new();
    for name in names {
        let target = context.account(Some(name)).await?;
        if targets.contains(&target) {
            continue;
        }
        if !matches!(client.stake(target).await?.role, StakeRole::Validates { .. }) {
            return Err(CliError::refused(format!("{target} does not stand for election")).next(
                "leave it out; `openledger validator status ADDRESS` says what an account does",
            ));
        }
        targets.push(target);
    }
    Ok(targets)
}

pub(super) async fn bond(context: &Context, amount: Amount, compound: bool) -> Result<Answer> {
    let signer = context.signer().await?;
    let client = context.client().await?;
    let account = signer.account();
    let before = client.stake(account).await?;
    if before.bonded && compound {
        return Err(CliError::usage(format!(
            "--compound counts with the first bond, and {account} has bonded before"
        ))
        .next("leave --compound out"));
    }
    leaves_enough_for_fees(client, account, amount).await?;
    let receipt = client.bond(&signer, amount.0, compound, context.wait(Wait::InBlock)).await?;
    let active = client.stake(account).await?.active;
    let more = Amount(active.saturating_sub(before.active));
    let mut text = format!("{more} more are bonded on {account}, {} in all.", Amount(active));
    let (validator, nominator) = client.least_bonds().await?;
    if active < validator {
        text.push_str(&format!(
            "\nIt takes {} to nominate and {} to stand for election.",
            Amount(nominator),
            Amount(validator)
        ));
    }
    let json = json!({
        "account": account,
        "added": more.0.to_string(),
        "bonded": active.to_string(),
    });
    Ok(Answer::of_transaction(json, text, &receipt))
}

/// That enough is bonded for what it shall do.
fn enough(stake: &Stake, account: AccountId, least: Balance, what: &str) -> Result<()> {
    if stake.active >= least {
        return Ok(());
    }
    let message = format!(
        "{account} has {} bonded, and it takes {} to {what}",
        Amount(stake.active),
        Amount(least)
    );
    let more = Amount(least - stake.active);
    Err(CliError::refused(message)
        .next(format!("bond {more} more with `openledger validator bond`")))
}

pub(super) async fn validate(context: &Context, commission: u32) -> Result<Answer> {
    let signer = context.signer().await?;
    let client = context.client().await?;
    let account = signer.account();
    let before = bonded(client, account).await?;
    enough(&before, account, client.least_bonds().await?.0, "stand for election")?;
    let receipt = client.validate(&signer, commission, context.wait(Wait::InBlock)).await?;
    let stake = client.stake(account).await?;
    let mut text =
        format!("{account} stands for election, for a commission of {}.", percent(commission));
    if matches!(before.role, StakeRole::Nominates { .. }) {
        text.push_str(" It nominates nobody any more.");
    }
    text.push_str(match stake.keys {
        true => " See that its node runs with --validator (`openledger validator status`).",
        false => {
            "\nIt has no session keys, and without them it is not elected: run its node with --validator, then \
             `openledger validator keys`."
        }
    });
    if stake.active < stake.least_backing {
        text.push_str(&format!(
            "\nA seat takes {} or more behind it, half of what the validators of now have by the \
             median; {} of its own are bonded. It needs more, or nominators.",
            in_hundredths(stake.least_backing),
            Amount(stake.active)
        ));
    }
    let json = json!({ "account": account, "commissionParts": commission, "keysSet": stake.keys });
    Ok(Answer::of_transaction(json, text, &receipt))
}

pub(super) async fn nominate(context: &Context, validators: &[String]) -> Result<Answer> {
    let targets = candidates(context, validators).await?;
    let signer = context.signer().await?;
    let client = context.client().await?;
    let account = signer.account();
    let before = bonded(client, account).await?;
    enough(&before, account, client.least_bonds().await?.1, "nominate")?;
    let wait = context.wait(Wait::InBlock);
    let receipt = client.nominate(&signer, targets.clone(), wait).await?;
    let mut text = format!(
        "{account} backs {} from the next election on.",
        counted(targets.len(), "validator")
    );
    if matches!(before.role, StakeRole::Validates { .. }) {
        text.push_str(" It does not stand for election itself any more.");
    }
    let json = json!({ "account": account, "targets": targets });
    Ok(Answer::of_transaction(json, text, &receipt))
}

pub(super) async fn chill(context: &Context) -> Result<Answer> {
    let signer = context.signer().await?;
    let client = context.client().await?;
    let account = signer.account();
    let before = bonded(client, account).await?;
    if does_nothing(&before) {
        return Err(CliError::refused(format!("{account} neither validates nor nominates"))
            .next("take its bond out with `openledger validator unbond`"));
    }
    let receipt = client.chill(&signer, context.wait(Wait::InBlock)).await?;
    let mut text = format!("{account} stands back from the next election on.");
    if client.stake(account).await?.elected {
        text.push_str(" It makes blocks until then: keep its node running.");
    }
    Ok(Answer::of_transaction(json!({ "account": account }), text, &receipt))
}

/// What may not be unbonded, in words: the chain would take less, or refuse it by a name. `least` has to stay bonded as
/// long as the account does what it does.
fn refuse_to_unbond(
    stake: &Stake,
    account: AccountId,
    amount: Option<Amount>,
    least: Balance,
) -> Result<()> {
    let active = Amount(stake.active);
    if active.0 == 0 {
        return Err(CliError::refused(format!("all that {account} has bonded is on its way out"))
            .next("`openledger validator status` says when it is free"));
    }
    let Some(amount) = amount else { return Ok(()) };
    if amount.0 == 0 {
        return Err(CliError::usage("0 OPEN cannot be unbonded"));
    }
    if amount.0 > active.0 {
        let most = match does_nothing(stake) {
            true => active,
            false => Amount(active.0.saturating_sub(least)),
        };
        return Err(CliError::refused(format!(
            "{account} has {active} bonded; {amount} cannot be unbonded"
        ))
        .next(format!("unbond {most} or less, or everything with --all")));
    }
    let left = active.0 - amount.0;
    if does_nothing(stake) || left >= least {
        return Ok(());
    }
    let does = match stake.role {
        StakeRole::Validates { .. } => "stand for election",
        _ => "nominate",
    };
    let message = format!(
        "{} would stay bonded, and it takes {} to {does}, as {account} does",
        Amount(left),
        Amount(least)
    );
    let most = Amount(active.0.saturating_sub(least));
    Err(CliError::refused(message).next(match most.0 {
        0 => "give --all, which stands back too, or `openledger validator chill` first".to_owned(),
        _ => format!("unbond {most} or less, or give --all, which stands back too"),
    }))
}

pub(super) async fn unbond(context: &Context, amount: Option<Amount>) -> Result<Answer> {
    let signer = context.signer().await?;
    let client = context.client().await?;
    let account = signer.account();
    let before = bonded(client, account).await?;
    let (validator, nominator) = client.least_bonds().await?;
    let least = match before.role {
        StakeRole::Validates { .. } => validator,
        _ => nominator,
    };
    refuse_to_unbond(&before, account, amount, least)?;
    // Asked for more than there is, the chain has the account stand back and takes all.
    let plancks = amount.map_or(Balance::MAX, |amount| amount.0);
    let receipt = client.unbond(&signer, plancks, context.wait(Wait::InBlock)).await?;
    let after = client.stake(account).await?;
    let out = Amount(before.active.saturating_sub(after.active));
    let from = after.unlocking.last().map(|(_, era)| *era);
    let mut text = unbonded(&after, account, out);
    if does_nothing(&after) && !does_nothing(&before) {
        text.push_str("\nIt stands back from the next election on.");
        if after.elected {
            text.push_str(" It makes blocks until then: keep its node running.");
        }
    }
    let json = json!({
        "account": account,
        "unbonded": out.0.to_string(),
        "bonded": after.active.to_string(),
        "era": after.era,
        "freeFromEra": from,
    });
    Ok(Answer::of_transaction(json, text, &receipt))
}

/// What a transaction put on its way out.
pub(super) fn unbonded(after: &Stake, account: AccountId, out: Amount) -> String {
    let from = after.unlocking.last().map_or(after.era, |(_, era)| *era);
    format!(
        "{out} of {account} are on their way out, free from era {from} on; this is era {}. {} stay bonded.",
        after.era,
        Amount(after.active)
    )
}

pub(super) async fn withdraw(context: &Context) -> Result<Answer> {
    let signer = context.signer().await?;
    let client = context.client().await?;
    let account = signer.account();
    let before = bonded(client, account).await?;
    if !can_withdraw(&before) {
        return Err(match before.unlocking.is_empty() {
            true => CliError::refused(format!("{account} has unbonded nothing"))
                .next("begin with `openledger validator unbond`"),
            false => CliError::refused(format!(
                "nothing of {account} is free yet: {}; this is era {}",
                free_from(&before),
                before.era
            ))
            .next("wait until then; `openledger validator status` says which era it is"),
        });
    }
    let receipt = client.withdraw_unbonded(&signer, context.wait(Wait::InBlock)).await?;
    let after = client.stake(account).await?;
    let freed = freed(&before, &after);
    let mut text = format!("{freed} of {account} are free.");
    if !after.unlocking.is_empty() {
        text.push_str(&format!(" On their way: {}.", free_from(&after)));
    }
    if !after.bonded {
        text.push_str(" Nothing of it is bonded any more.");
    }
    let json = json!({
        "account": account,
        "withdrawn": freed.0.to_string(),
        "bonded": after.active.to_string(),
    });
    Ok(Answer::of_transaction(json, text, &receipt))
}

/// What a withdrawal freed.
pub(super) fn freed(before: &Stake, after: &Stake) -> Amount {
    let all = |stake: &Stake| stake.active.saturating_add(unbonding(stake).0);
    Amount(all(before).saturating_sub(all(after)))
}
