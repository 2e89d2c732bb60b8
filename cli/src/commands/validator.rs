//! `openledger validator`

mod leave;
mod stake;

pub(crate) use stake::{candidates, leaves_enough_for_fees};

use crate::{
    context::Context,
    error::{CliError, Result},
    output::{fields, Answer},
};
use clap::{Args, Subcommand};
use openledger_client::{
    staking::{Election, Stake, StakeRole, Unpaid, COMMISSION_PARTS},
    Amount, Wait,
};
use openledger_primitives::{Balance, OPEN};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Have the node make session keys, which it keeps, and set them for the account of --key.
    #[command(
        after_help = "The node is asked over --node, and makes keys only for who is on its machine. One validator has one
node: it is refused where the node has the keys of another account that validates or stands for election.

Examples:
  openledger --key me validator keys
  openledger --key me --node ws://127.0.0.1:9945 validator keys"
    )]
    Keys {
        /// Also on a node that has another validator's keys.
        #[arg(long)]
        force: bool,
    },
    /// Bond OPEN: it stays yours, and is lost in part if what it backs misbehaves.
    #[command(after_help = "Examples:
  openledger --key me validator bond 50000
  openledger --key me validator bond 1000 --compound")]
    Bond {
        /// How much more, as 1000 or 1000.5 OPEN.
        amount: Amount,
        /// Bond payouts too; it counts with the first bond.
        #[arg(long)]
        compound: bool,
    },
    /// Offer the account as a validator, from the next election on.
    #[command(after_help = "Examples:
  openledger --key me validator validate
  openledger --key me validator validate --commission 5")]
    Validate(Validate),
    /// Back up to 16 validators with what is bonded.
    #[command(after_help = "Examples:
  openledger --key me validator nominate 5GrwvaEF… 5FHneW46…")]
    Nominate {
        /// Their addresses.
        #[arg(required = true, num_args = 1..=16)]
        validators: Vec<String>,
    },
    /// Neither validate nor nominate any more, from the next election on.
    #[command(after_help = "Examples:
  openledger --key me validator chill")]
    Chill,
    /// Begin to take OPEN out; it is free after the bonding time.
    #[command(
        after_help = "Who validates or nominates keeps the least bond of that; --all stands back too.

Examples:
  openledger --key me validator unbond 1000
  openledger --key me validator unbond --all
  openledger --key me validator withdraw         # once `status` says so"
    )]
    Unbond(Unbond),
    /// Free what was unbonded for long enough.
    #[command(after_help = "Examples:
  openledger --key me validator withdraw")]
    Withdraw,
    /// Leave staking for good: stand back, take the bond out, and take the session keys off the chain.
    #[command(
        after_help = "Each run does what can be done now and says what it waits for; run it again then, in any case after \
the bonding time. It stands back and begins to take everything out, withdraws what has become free, and, once nothing \
is bonded and the account makes no blocks, takes the session keys off, so that the account can be emptied. Keep the \
node running as long as it makes blocks. What --compound bonds meanwhile waits for the bonding time too.

Examples:
  openledger --key me validator leave
  openledger --key me validator leave --output json      # `left` says whether it is done"
    )]
    Leave,
    /// Have what ended eras still owe a validator and its nominators paid at once. The chain does so by itself, from the
    /// block on in which an era ends.
    #[command(after_help = "Examples:
  openledger --key me validator payout
  openledger --key me validator payout 5GrwvaEF…")]
    Payout {
        /// Whose; without it that of --key.
        validator: Option<String>,
    },
    /// Show where an account stands: bond, role, keys, election, eras to be paid.
    #[command(after_help = "Examples:
  openledger --key me validator status
  openledger validator status 5GrwvaEF… --output json")]
    Status {
        /// Whose; without it that of --key.
        account: Option<String>,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Unbond {
    /// How much.
    amount: Option<Amount>,
    /// Everything.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Per cent of its stakers' payouts that the validator keeps before they are shared.
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = commission)]
    commission: u32,
}

/// A percentage with up to seven decimals, in parts of a commission.
pub(crate) fn commission(text: &str) -> std::result::Result<u32, String> {
    let percent: f64 = text.parse().map_err(|_| format!("{text} is no percentage"))?;
    if !(0.0..=100.0).contains(&percent) {
        return Err(format!("{text} is not between 0 and 100"));
    }
    Ok((percent / 100.0 * f64::from(COMMISSION_PARTS)).round() as u32)
}

pub(crate) fn percent(commission: u32) -> String {
    let text = format!("{:.7}", f64::from(commission) * 100.0 / f64::from(COMMISSION_PARTS));
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Answer> {
    match command {
        Command::Keys { force } => keys(context, force).await,
        Command::Payout { validator } => payout(context, validator.as_deref()).await,
        Command::Status { account } => status(context, account.as_deref()).await,
        Command::Bond { amount, compound } => stake::bond(context, amount, compound).await,
        Command::Validate(Validate { commission }) => stake::validate(context, commission).await,
        Command::Nominate { validators } => stake::nominate(context, &validators).await,
        Command::Chill => stake::chill(context).await,
        Command::Unbond(Unbond { amount, .. }) => stake::unbond(context, amount).await,
        Command::Withdraw => stake::withdraw(context).await,
        Command::Leave => leave::run(context).await,
    }
}

async fn keys(context: &Context, force: bool) -> Result<Answer> {
    let signer = context.signer().await?;
    let client = context.client().await?;
    if !force {
        let others = client.others_with_keys_on_node(signer.account()).await?;
        if let Some(other) = others.first() {
            let message = format!(
                "this node has the session keys of {other}, which validates or stands for election; two accounts' \
                 keys on one node vote once where two votes are counted"
            );
            let next = format!(
                "run a node of its own for {} and name it by --node, or give --force if {other} gives up its seat",
                signer.account()
            );
            return Err(CliError::refused(message).next(next));
        }
    }
    let keys = client.rotate_session_keys(signer.account()).await?;
    let public = format!("0x{}", hex::encode(&keys.keys));
    let receipt = client.set_session_keys(&signer, keys, context.wait(Wait::InBlock)).await?;
    let text = format!(
        "The node has new session keys, and they are those of {} from the next session but one on.",
        signer.account()
    );
    let json = json!({ "account": signer.account(), "keys": public });
    Ok(Answer::of_transaction(json, text, &receipt))
}

async fn payout(context: &Context, validator: Option<&str>) -> Result<Answer> {
    let validator = context.account(validator).await?;
    let stake = context.client().await?.stake(validator).await?;
    if !stake.bonded {
        return Err(CliError::refused(format!("{validator} has bonded nothing")).next(
            "name a validator; `openledger validator status ADDRESS` says what an account does",
        ));
    }
    let due = stake.unpaid;
    let signer = context.signer().await?;
    let client = context.client().await?;
    let mut last = None;
    for Unpaid { era, calls } in &due {
        for _ in 0..*calls {
            let wait = context.wait(Wait::InBlock);
            last = Some(client.payout_stakers(&signer, validator, *era, wait).await?);
        }
    }
    let eras: Vec<u32> = due.iter().map(|unpaid| unpaid.era).collect();
    let json = json!({ "validator": validator, "eras": eras });
    match last {
        Some(receipt) => {
            let eras: Vec<String> = eras.iter().map(u32::to_string).collect();
            let text = format!(
                "{validator} and its nominators are paid for what it did in era {}.",
                eras.join(", ")
            );
            Ok(Answer::of_transaction(json, text, &receipt))
        }
        None => Ok(Answer::new(json, format!("No ended era of {validator} waits to be paid."))),
    }
}

async fn status(context: &Context, account: Option<&str>) -> Result<Answer> {
    let account = context.account(account).await?;
    // Also of who has bonded nothing yet and wants to know how much it takes.
    let stake = context.client().await?.stake(account).await?;
    let (name, role) = match &stake.role {
        StakeRole::Idle => ("idle", "nothing".to_owned()),
        StakeRole::Validates { commission } => {
            ("validator", format!("validates, for a commission of {}", percent(*commission)))
        }
        StakeRole::Nominates { targets } => {
            let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
            ("nominator", format!("nominates {}", targets.join(", ")))
        }
    };
    let unlocking: Vec<String> = (stake.unlocking.iter())
        .map(|(amount, era)| match *era > stake::planned(&stake) {
            true => format!("{} from era {era} on", Amount(*amount)),
            false => format!("{} now (`openledger validator withdraw`)", Amount(*amount)),
        })
        .collect();
    let or_none =
        |items: Vec<String>| if items.is_empty() { "none".to_owned() } else { items.join(", ") };
    let eras: Vec<u32> = stake.unpaid.iter().map(|unpaid| unpaid.era).collect();
    let unpaid: Vec<String> = eras.iter().map(u32::to_string).collect();
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let (validator, nominator) = context.client().await?.least_bonds().await?;
    let mut bonded = Amount(stake.active).to_string();
    if stake.active < nominator {
        bonded.push_str(&format!("; too little for anything: it takes {}", Amount(nominator)));
    } else if stake.active < validator {
        bonded.push_str(&format!("; too little to validate: it takes {}", Amount(validator)));
    }
    let text = fields([
        ("Account", account.to_string()),
        ("Era", stake.era.to_string()),
        ("Bonded", bonded),
        ("Does", role),
        ("Session keys set", yes(stake.keys)),
        ("Makes blocks now", yes(stake.elected)),
        ("Last election", last_election(&stake)),
        (
            "Needed for a seat",
            format!(
                "{} or more at the next election, own and nominated",
                in_hundredths(stake.least_backing)
            ),
        ),
        ("Free again", or_none(unlocking)),
        ("Eras to be paid", or_none(unpaid)),
    ]);
    let json = json!({
        "account": account,
        "era": stake.era,
        "bonded": stake.active.to_string(),
        "role": name,
        "commissionParts": match &stake.role {
            StakeRole::Validates { commission } => Some(*commission),
            _ => None,
        },
        "targets": match &stake.role {
            StakeRole::Nominates { targets } => Some(targets),
            _ => None,
        },
        "keysSet": stake.keys,
        "elected": stake.elected,
        "lastElection": stake.election.map(|election| json!({
            "era": election.era,
            "elected": election.elected,
            "backing": election.backing.to_string(),
            "needed": election.needed.to_string(),
        })),
        "leastBacking": stake.least_backing.to_string(),
        "leastToNominate": nominator.to_string(),
        "leastToValidate": validator.to_string(),
        "unlocking": stake.unlocking.iter()
            .map(|(amount, era)| json!({ "amount": amount.to_string(), "era": era }))
            .collect::<Vec<_>>(),
        "unpaidEras": eras,
    });
    Ok(Answer::new(json, text))
}

/// What came of the last election for an account, and why, if it stood and has no seat.
fn last_election(stake: &Stake) -> String {
    let Some(Election { era, elected, backing, needed }) = stake.election else {
        return format!("none yet; the first is a session before era {}", stake.era + 1);
    };
    let when = if era > stake.era { "the next one" } else { "that of now" };
    if elected {
        return format!("elected for era {era}, {when}, with {} behind it", in_hundredths(backing));
    }
    let mut text = format!("not elected for era {era}, {when}");
    if let StakeRole::Validates { .. } = stake.role {
        let (own, enough) = (Amount(stake.active), stake.active >= needed);
        let needed = in_hundredths(needed);
        text.push_str(&match enough {
            false => format!(": a seat took {needed} or more, own and nominated; it has {own} of its own"),
            true => format!(
                ": a seat took {needed} or more; the {own} that it has came too late, or others had more"
            ),
        });
    }
    text
}

/// An amount in hundredths of OPEN, rounded up: elections weigh votes in a way that loses a few plancks of each.
fn in_hundredths(plancks: Balance) -> Amount {
    const STEP: Balance = OPEN / 100;
    Amount(plancks.div_ceil(STEP).saturating_mul(STEP))
}
