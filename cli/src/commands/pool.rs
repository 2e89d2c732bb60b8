//! `openledger pool`: nomination pools.

use super::validator::{candidates, commission, leaves_enough_for_fees, percent};
use crate::{
    context::Context,
    error::{CliError, Result},
    output::{fields, table, Answer},
};
use clap::{Args, Subcommand, ValueEnum};
use openledger_client::{AccountId, Amount, Receipt, Signer, Wait};
use openledger_primitives::{
    nomination::{
        NominationPoolId, NominationPoolState, NominationPoolView, PoolMemberView, COMMISSION_PARTS,
    },
    text::counted,
    Balance,
};
use serde_json::{json, Value};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the pools, and what joining or making one takes.
    #[command(after_help = "Examples:
  openledger pool list
  openledger pool list --output json")]
    List,
    /// Show an account's part of its pool: worth, rewards, what is on its way out.
    #[command(after_help = "Examples:
  openledger --key me pool status
  openledger pool status 5GrwvaEF… --output json")]
    Status {
        /// Whose; without it that of --key.
        account: Option<String>,
    },
    /// Make a pool, of which you have all roles.
    #[command(after_help = "Examples:
  openledger --key me pool create 100 --name \"Bread and blocks\"
  openledger --key me pool nominate 1 5GrwvaEF… 5FHneW46…
  openledger --key me pool commission 1 5

Who makes a pool leaves it last; 0.001 OPEN more keeps its reward account alive and comes back then.")]
    Create(Create),
    #[command(flatten)]
    Member(Member),
    #[command(flatten)]
    Owner(Owner),
}

/// What members do.
#[derive(Debug, Subcommand)]
pub(crate) enum Member {
    /// Bring OPEN into a pool. It stays on your account, held, and votes in referenda.
    #[command(after_help = "Examples:
  openledger --key me pool join 1 50")]
    Join {
        /// Its number.
        pool: NominationPoolId,
        /// How much, as 50 or 50.5 OPEN.
        amount: Amount,
    },
    /// Bring more into the pool that you are in.
    #[command(after_help = "Examples:
  openledger --key me pool bond-extra 10
  openledger --key me pool bond-extra --rewards

What the pool owes you is paid out with it.")]
    BondExtra(Extra),
    /// Have what the pool owes you paid to your account.
    #[command(after_help = "Examples:
  openledger --key me pool claim")]
    Claim,
    /// Begin to take OPEN out; it is free after the bonding time.
    #[command(after_help = "Examples:
  openledger --key me pool unbond 10
  openledger --key me pool unbond --all
  openledger --key me pool unbond --all --member 5GrwvaEF…    # of a pool that is blocked or ends")]
    Unbond(Unbond),
    /// Free what was unbonded for long enough.
    #[command(after_help = "Examples:
  openledger --key me pool withdraw
  openledger --key me pool withdraw --member 5GrwvaEF…    # of a pool that is blocked or ends")]
    Withdraw {
        /// Another member.
        #[arg(long)]
        member: Option<String>,
    },
    /// Have a slash taken that a member owes. Anyone may, without fee.
    #[command(after_help = "Examples:
  openledger --key me pool slash 5GrwvaEF…")]
    Slash {
        /// Whose.
        member: String,
    },
}

/// What is done for a pool by those who may.
#[derive(Debug, Subcommand)]
pub(crate) enum Owner {
    /// Back up to 16 validators with what a pool has.
    #[command(after_help = "Examples:
  openledger --key me pool nominate 1 5GrwvaEF… 5FHneW46…")]
    Nominate {
        /// The pool.
        pool: NominationPoolId,
        /// Addresses of validators.
        #[arg(required = true, num_args = 1..=16)]
        validators: Vec<String>,
    },
    /// Have a pool back nobody, from the next election on.
    #[command(after_help = "Examples:
  openledger --key me pool chill 1")]
    Chill {
        /// The pool.
        pool: NominationPoolId,
    },
    /// Set what a pool keeps of its payouts for you before they are shared.
    #[command(after_help = "Examples:
  openledger --key me pool commission 1 5
  openledger --key me pool claim-commission 1")]
    Commission {
        /// The pool.
        pool: NominationPoolId,
        /// Per cent of its payouts; 0 for none.
        #[arg(value_name = "PERCENT", value_parser = commission)]
        percent: u32,
    },
    /// Have what a pool kept paid.
    #[command(after_help = "Examples:
  openledger --key me pool claim-commission 1")]
    ClaimCommission {
        /// The pool.
        pool: NominationPoolId,
    },
    /// Open a pool, block it for newcomers, or begin to end it, which cannot be taken back.
    #[command(after_help = "Examples:
  openledger --key me pool state 1 blocked
  openledger --key me pool state 1 destroying")]
    State {
        /// The pool.
        pool: NominationPoolId,
        /// What it shall be.
        state: State,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Extra {
    /// How much.
    amount: Option<Amount>,
    /// What the pool owes you.
    #[arg(long)]
    rewards: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Unbond {
    #[command(flatten)]
    part: Part,
    /// Another member.
    #[arg(long)]
    member: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Part {
    /// How much.
    amount: Option<Amount>,
    /// Everything.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// How much of yours it begins with.
    amount: Amount,
    /// What it is called, up to 128 bytes.
    #[arg(long)]
    name: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum State {
    Open,
    Blocked,
    Destroying,
}

impl From<State> for NominationPoolState {
    fn from(state: State) -> Self {
        match state {
            State::Open => Self::Open,
            State::Blocked => Self::Blocked,
            State::Destroying => Self::Destroying,
        }
    }
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Answer> {
    match command {
        Command::List => list(context).await,
        Command::Status { account } => status(context, account.as_deref()).await,
        Command::Create(create) => make(context, create).await,
        Command::Member(command) => act_as_member(context, command).await,
        Command::Owner(command) => act_for_pool(context, command).await,
    }
}

/// What others wrote is made visible where it is printed; bytes that are no text stand as they are read best.
fn name(pool: &NominationPoolView<AccountId>) -> String {
    String::from_utf8_lossy(&pool.name).into_owned()
}

fn as_json(pool: &NominationPoolView<AccountId>) -> Value {
    json!({
        "pool": pool.id,
        "name": name(pool),
        "state": pool.state.name(),
        "members": pool.members,
        "bonded": pool.bonded.to_string(),
        "unbonding": pool.unbonding.to_string(),
        "pendingSlash": pool.pending_slash.to_string(),
        "account": pool.account,
        "rewardAccount": pool.reward_account,
        "depositor": pool.depositor,
        "root": pool.root,
        "nominator": pool.nominator,
        "bouncer": pool.bouncer,
        "commissionParts": pool.commission.as_ref().map(|(parts, _)| parts),
        "commissionPayee": pool.commission.as_ref().map(|(_, payee)| payee),
        "targets": pool.targets,
    })
}

async fn list(context: &Context) -> Result<Answer> {
    let client = context.client().await?;
    let terms = client.nomination_terms().await?;
    let pools = client.nomination_pools().await?;
    let rows = pools.iter().map(|pool| {
        [
            pool.id.to_string(),
            name(pool),
            pool.state.name().to_owned(),
            pool.members.to_string(),
            Amount(pool.bonded).to_string(),
            percent(pool.commission.as_ref().map_or(0, |(parts, _)| *parts)),
            pool.targets.len().to_string(),
            pool.root.as_ref().unwrap_or(&pool.depositor).to_string(),
        ]
    });
    let listed = match pools.is_empty() {
        true => "There are no nomination pools yet.".to_owned(),
        false => table(
            ["pool", "name", "state", "members", "bonded", "keeps", "validators", "owner"],
            rows,
        ),
    };
    let text = format!(
        "{listed}\nTo join one takes {} or more, to make one {}; a pool keeps {} of its payouts at most.",
        Amount(terms.min_join),
        Amount(terms.min_create),
        percent(terms.max_commission)
    );
    let json = json!({
        "minJoin": terms.min_join.to_string(),
        "minCreate": terms.min_create.to_string(),
        "maxPools": terms.max_pools,
        "maxCommissionParts": terms.max_commission.min(COMMISSION_PARTS),
        "pools": pools.iter().map(as_json).collect::<Vec<_>>(),
    });
    Ok(Answer::new(json, text))
}

/// An account's part of a pool, and the pool.
async fn part_of(
    context: &Context,
    account: AccountId,
) -> Result<(PoolMemberView, NominationPoolView<AccountId>)> {
    let client = context.client().await?;
    let nowhere = || {
        CliError::refused(format!("{account} is in no nomination pool")).next(
            "`openledger pool list` shows them; join one with `openledger pool join POOL AMOUNT`",
        )
    };
    let member = client.pool_member(account).await?.ok_or_else(nowhere)?;
    let pool = client.nomination_pool(member.pool).await?.ok_or_else(nowhere)?;
    Ok((member, pool))
}

async fn status(context: &Context, account: Option<&str>) -> Result<Answer> {
    let account = context.account(account).await?;
    let (member, pool) = part_of(context, account).await?;
    let unbonding: Vec<String> = (member.unbonding.iter())
        .map(|(amount, era)| match *era > member.era {
            true => format!("{} from era {era} on", Amount(*amount)),
            false => format!("{} now (`openledger pool withdraw`)", Amount(*amount)),
        })
        .collect();
    let unbonding = match unbonding.is_empty() {
        true => "none".to_owned(),
        false => unbonding.join(", "),
    };
    let targets: Vec<String> = pool.targets.iter().map(ToString::to_string).collect();
    let text = fields([
        ("Account", account.to_string()),
        ("Pool", format!("{} {}", pool.id, name(&pool)).trim_end().to_owned()),
        ("State", pool.state.name().to_owned()),
        ("Era", member.era.to_string()),
        ("Bonded", Amount(member.bonded).to_string()),
        ("Rewards", Amount(member.rewards).to_string()),
        ("Free again", unbonding),
        ("Slashes owed", Amount(member.pending_slash).to_string()),
        ("The pool backs", if targets.is_empty() { "nobody".into() } else { targets.join(", ") }),
    ]);
    let json = json!({
        "account": account,
        "era": member.era,
        "points": member.points.to_string(),
        "bonded": member.bonded.to_string(),
        "rewards": member.rewards.to_string(),
        "unbonding": member.unbonding.iter()
            .map(|(amount, era)| json!({ "amount": amount.to_string(), "era": era }))
            .collect::<Vec<_>>(),
        "pendingSlash": member.pending_slash.to_string(),
        "pool": as_json(&pool),
    });
    Ok(Answer::new(json, text))
}

async fn make(context: &Context, Create { amount, name }: Create) -> Result<Answer> {
    if let Some(bytes) = name.as_deref().map(str::len).filter(|bytes| *bytes > 128) {
        return Err(CliError::usage(format!("the name has {bytes} bytes, and may have 128")));
    }
    let signer = context.signer().await?;
    let client = context.client().await?;
    leaves_enough_for_fees(client, signer.account(), amount).await?;
    let account = signer.account();
    let wait = context.wait(Wait::InBlock);
    let receipt = client.create_pool(&signer, amount.0, wait).await?;
    let (member, _) = part_of(context, account).await?;
    let pool = member.pool;
    let mut receipts = vec![receipt];
    if let Some(name) = &name {
        receipts.push(client.name_pool(&signer, pool, name, wait).await?);
    }
    let text = format!(
        "Nomination pool {pool} is there, with {amount} of {account}. Choose whom it backs with `openledger pool \
         nominate {pool} ADDRESS…`."
    );
    let json = json!({ "account": account, "pool": pool });
    let last = receipts.len() - 1;
    let mut answer = Answer::of_transaction(json, text, &receipts[last]);
    answer.transactions(receipts.iter());
    Ok(answer)
}

/// Plancks of a member on their way out.
fn unbonding(member: &PoolMemberView) -> Balance {
    member.unbonding.iter().map(|(amount, _)| *amount).fold(0, Balance::saturating_add)
}

/// That a pool owes its member something: the chain pays nothing otherwise, and takes the fee.
fn owed(member: &PoolMemberView, account: AccountId) -> Result<()> {
    match member.rewards {
        0 => Err(CliError::refused(format!("the pool owes {account} nothing now"))
            .next("a pool is paid when an era ends; `openledger pool status` says what it owes")),
        _ => Ok(()),
    }
}

/// The points to take out.
async fn points(
    context: &Context,
    whose: AccountId,
    member: &PoolMemberView,
    part: &Part,
) -> Result<Balance> {
    if member.points == 0 {
        return Err(CliError::refused(format!(
            "all that {whose} has in the pool is on its way out"
        ))
        .next("`openledger pool status` says when it is free"));
    }
    let Some(amount) = part.amount else { return Ok(member.points) };
    if amount.0 == 0 {
        return Err(CliError::usage("0 OPEN cannot be taken out"));
    }
    let points = context.client().await?.pool_points(member.pool, amount.0).await?;
    if points > member.points {
        let has = Amount(member.bonded);
        return Err(CliError::refused(format!("{amount} is more than the {has} in the pool"))
            .next("take everything out with --all"));
    }
    Ok(points)
}

async fn act_as_member(context: &Context, command: Member) -> Result<Answer> {
    let wait = context.wait(Wait::InBlock);
    let signer = context.signer().await?;
    let client = context.client().await?;
    let account = signer.account();
    let other = match &command {
        Member::Unbond(Unbond { member, .. }) | Member::Withdraw { member } => member.clone(),
        Member::Slash { member } => Some(member.clone()),
        _ => None,
    };
    let whose = match other {
        Some(other) => context.account(Some(&other)).await?,
        None => account,
    };
    let (receipt, text) = match command {
        Member::Join { pool, amount } => {
            leaves_enough_for_fees(client, account, amount).await?;
            let receipt = client.join_pool(&signer, pool, amount.0, wait).await?;
            (receipt, format!("{amount} of {account} are in nomination pool {pool}."))
        }
        Member::BondExtra(Extra { amount, .. }) => {
            if let Some(amount) = amount {
                leaves_enough_for_fees(client, account, amount).await?;
            }
            let (before, _) = part_of(context, account).await?;
            if amount.is_none() {
                owed(&before, account)?;
            }
            let more = amount.map(|amount| amount.0);
            let receipt = client.bond_extra_to_pool(&signer, more, wait).await?;
            let (after, _) = part_of(context, account).await?;
            let more = Amount(after.bonded.saturating_sub(before.bonded));
            let all = Amount(after.bonded);
            (receipt, format!("{more} more of {account} are in its pool, {all} in all."))
        }
        Member::Claim => {
            let (before, _) = part_of(context, account).await?;
            owed(&before, account)?;
            let receipt = client.claim_pool_payout(&signer, wait).await?;
            (receipt, format!("{account} was paid about {}.", Amount(before.rewards)))
        }
        Member::Unbond(Unbond { part, .. }) => {
            let (member, _) = part_of(context, whose).await?;
            let points = points(context, whose, &member, &part).await?;
            let receipt = client.unbond_from_pool(&signer, whose, points, wait).await?;
            let (after, _) = part_of(context, whose).await?;
            let out = unbonding(&after).saturating_sub(unbonding(&member));
            let from = after.unbonding.iter().map(|(_, era)| *era).max().unwrap_or(after.era);
            let text = format!(
                "{} of {whose} are on their way out, free from era {from} on; this is era {}. {} stay in the pool.",
                Amount(out),
                after.era,
                Amount(after.bonded)
            );
            (receipt, text)
        }
        Member::Withdraw { .. } => {
            let (before, pool) = part_of(context, whose).await?;
            let receipt =
                client.withdraw_from_nomination_pool(&signer, whose, pool.account, wait).await?;
            let after = client.pool_member(whose).await?;
            let waits = after.as_ref().map_or(0, unbonding);
            let freed = Amount(unbonding(&before).saturating_sub(waits));
            let mut text = format!("{freed} of {whose} are free.");
            match after {
                Some(_) if waits > 0 => {
                    text.push_str(&format!(" {} are on their way still.", Amount(waits)));
                }
                Some(_) => {}
                None => text.push_str(" It is out of the pool."),
            }
            (receipt, text)
        }
        Member::Slash { .. } => {
            let receipt = client.apply_pool_slash(&signer, whose, wait).await?;
            (receipt, format!("What {whose} owed of a slash went to the treasury."))
        }
    };
    Ok(Answer::of_transaction(json!({ "account": whose }), text, &receipt))
}

async fn act_for_pool(context: &Context, command: Owner) -> Result<Answer> {
    let targets = match &command {
        Owner::Nominate { validators, .. } => candidates(context, validators).await?,
        _ => Vec::new(),
    };
    let signer = context.signer().await?;
    let (pool, receipt, text) = send_for_pool(context, &signer, command, targets).await?;
    Ok(Answer::of_transaction(json!({ "pool": pool }), text, &receipt))
}

async fn send_for_pool(
    context: &Context,
    signer: &Signer,
    command: Owner,
    targets: Vec<AccountId>,
) -> Result<(NominationPoolId, Receipt, String)> {
    let wait = context.wait(Wait::InBlock);
    let client = context.client().await?;
    Ok(match command {
        Owner::Nominate { pool, .. } => {
            let count = targets.len();
            let receipt = client.nominate_by_pool(signer, pool, targets, wait).await?;
            let text = format!(
                "Nomination pool {pool} backs {} from the next election on.",
                counted(count, "validator")
            );
            (pool, receipt, text)
        }
        Owner::Commission { pool, percent: parts } => {
            let payee = signer.account();
            let receipt = client.set_pool_commission(signer, pool, parts, payee, wait).await?;
            let text = format!(
                "Nomination pool {pool} keeps {} of its payouts for {payee}.",
                percent(parts)
            );
            (pool, receipt, text)
        }
        Owner::ClaimCommission { pool } => {
            let receipt = client.claim_pool_commission(signer, pool, wait).await?;
            (pool, receipt, format!("What nomination pool {pool} had kept is paid."))
        }
        Owner::State { pool, state } => {
            let state = NominationPoolState::from(state);
            let receipt = client.set_pool_state(signer, pool, state, wait).await?;
            (pool, receipt, format!("Nomination pool {pool} is {} now.", state.name()))
        }
        Owner::Chill { pool } => {
            let seen = client.nomination_pool(pool).await?;
            if seen.is_some_and(|seen| seen.targets.is_empty()) {
                return Err(CliError::refused(format!("nomination pool {pool} backs nobody"))
                    .next("choose whom with `openledger pool nominate`"));
            }
            let receipt = client.chill_pool(signer, pool, wait).await?;
            (
                pool,
                receipt,
                format!("Nomination pool {pool} backs nobody from the next election on."),
            )
        }
    })
}
