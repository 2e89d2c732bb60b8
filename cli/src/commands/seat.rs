//! `openledger seat`: reviewers' seats, from which committees are drawn.

use super::{datanet::require, review::serving};
use crate::{
    arguments::one_of,
    context::Context,
    error::{CliError, Result},
    output::{table, Answer},
};
use clap::{Args, Subcommand};
use openledger_client::{Amount, Wait};
use openledger_content::Multiaddr;
use openledger_primitives::{
    committee::{api::SeatsView, Lengths, PoolId},
    text::counted,
    BlockNumber, DatanetId, Modality,
};
use serde_json::{json, Value};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bond seats in a pool. They can be drawn in 30 hours, on a development chain with the next session but one.
    #[command(after_help = "Examples:
  openledger --key me seat bond --modality text --seats 2
  openledger --key me seat bond --datanet 0

A seat costs 100 OPEN, which are held: who does not reveal, shows that it has not a file, or is overturned \
loses a part of them.")]
    Bond(Seats),
    /// Give seats up. They judge challenges for 30 hours more (four minutes and a half on a development chain), and are
    /// bound until what they judged is final.
    #[command(after_help = "Examples:
  openledger --key me seat unbond --modality text --seats 1
  openledger --key me seat withdraw --modality text")]
    Unbond(Seats),
    /// Get the OPEN of seats back that have left.
    #[command(after_help = "Examples:
  openledger --key me seat withdraw --modality text")]
    Withdraw {
        #[command(flatten)]
        pool: Pool,
    },
    /// Bond anew what seats have lost: below three quarters of its price a seat is not drawn.
    #[command(after_help = "Examples:
  openledger --key me seat top-up --modality text")]
    TopUp {
        #[command(flatten)]
        pool: Pool,
    },
    /// Say where files are served that the key's account judges with its seats in a pool, in place of what was said before. Who
    /// accepts a file answers for it being there until its challenge is over. `openledger review run --listen` says
    /// so by itself.
    #[command(after_help = "Examples:
  openledger --key me seat serve-at --modality text /ip4/203.0.112.7/tcp/4001/p2p/12D3…
  openledger --key me seat serve-at --modality text --nowhere

Up to 4 addresses: a number of the public internet, a port (/tcp/PORT or /udp/PORT/quic-v1) and the peer id. What
serves there is an `openledger-ipfs daemon`, or another IPFS node that has what the account accepts.")]
    ServeAt {
        #[command(flatten)]
        pool: Pool,
        /// Where.
        #[arg(value_name = "MULTIADDR", num_args = 1..=4, required_unless_present = "nowhere")]
        addresses: Vec<Multiaddr>,
        /// Take back what was said.
        #[arg(long, conflicts_with = "addresses")]
        nowhere: bool,
    },
    /// List an account's seats, and how large their pools are.
    #[command(after_help = "Examples:
  openledger --key me seat list
  openledger seat list --account 5Grw… --datanet 0")]
    List {
        /// Whose: address, name of a key, or //Alice; that of the key without it.
        #[arg(long)]
        account: Option<String>,
        /// Datanets with seats of their own to look at, besides the modalities (repeatable).
        #[arg(long = "datanet")]
        datanets: Vec<DatanetId>,
    },
}

/// Seats of a pool.
#[derive(Args, Debug)]
pub(crate) struct Seats {
    #[command(flatten)]
    pool: Pool,
    /// How many, 1 to 64.
    #[arg(long, default_value_t = 1)]
    seats: u32,
}

/// Which pool.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Pool {
    /// The seats for every Datanet of a modality that names none of its own.
    #[arg(long, value_parser = one_of::<Modality>())]
    modality: Option<Modality>,
    /// The seats for one Datanet alone.
    #[arg(long)]
    datanet: Option<DatanetId>,
}

impl Pool {
    async fn id(&self, context: &Context) -> Result<PoolId> {
        match (self.modality, self.datanet) {
            (Some(modality), _) => Ok(PoolId::Modality(modality)),
            (None, Some(datanet)) => {
                require(context.client().await?, datanet).await?;
                Ok(PoolId::Datanet(datanet))
            }
            (None, None) => Err(CliError::usage("name a pool with --modality or --datanet")),
        }
    }
}

/// A pool in words.
pub(crate) fn name(pool: PoolId) -> String {
    match pool {
        PoolId::Modality(modality) => modality.name().to_owned(),
        PoolId::Datanet(datanet) => format!("Datanet {datanet}"),
    }
}

/// A pool as JSON.
pub(crate) fn as_json(pool: PoolId) -> Value {
    match pool {
        PoolId::Modality(modality) => json!({ "modality": modality.name() }),
        PoolId::Datanet(datanet) => json!({ "datanet": datanet }),
    }
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Answer> {
    match command {
        Command::Bond(seats) => bond(context, seats, true).await,
        Command::Unbond(seats) => bond(context, seats, false).await,
        Command::Withdraw { pool } => withdraw(context, &pool).await,
        Command::TopUp { pool } => top_up(context, &pool).await,
        Command::ServeAt { pool, addresses, nowhere: _ } => {
            serve_at(context, &pool, &addresses).await
        }
        Command::List { account, datanets } => list(context, account, datanets).await,
    }
}

async fn bond(context: &Context, Seats { pool, seats }: Seats, bonds: bool) -> Result<Answer> {
    let pool = pool.id(context).await?;
    let signer = context.signer().await?;
    let (client, wait) = (context.client().await?, context.wait(Wait::InBlock));
    let mut json = json!({ "pool": as_json(pool), "seats": seats });
    let Lengths { enter, leave, .. } = client.committee_lengths().await?;
    let (receipt, text) = match bonds {
        true => (
            client.bond_seats(&signer, pool, seats, wait).await?,
            format!(
                "Bonded {} for {}, to be drawn in {}, with the next session.",
                counted(seats, "seat"),
                name(pool),
                time(enter)
            ),
        ),
        false => (
            client.unbond_seats(&signer, pool, seats, wait).await?,
            format!(
                "Gave up {} for {}. Until that is over, in {}, challenges draw from it. Get the OPEN back with \
                 `openledger seat withdraw` when what was judged is final.",
                counted(seats, "seat"),
                name(pool),
                time(leave)
            ),
        ),
    };
    let PoolId::Datanet(datanet) = pool else {
        return Ok(Answer::of_transaction(json, text, &receipt));
    };
    // Nobody but its owner has reason to have most seats of a Datanet, and whoever has them judges all challenges.
    let size = client.pool_size(pool).await?;
    let owner = client.datanet(datanet).await?.map(|view| view.owner);
    let owners = match owner {
        Some(owner) => client.seats(pool, owner).await?.map_or(0, |view| view.placed),
        None => 0,
    };
    if let Value::Object(json) = &mut json {
        json.insert("poolSeats".into(), size.seats.into());
        json.insert("poolAccounts".into(), size.accounts.into());
        json.insert("ownersSeats".into(), owners.into());
    }
    let all = match bonds {
        true => format!(
            " {} has {} of {} now, of which its owner has {owners}, and may have more by other accounts: whoever \
             has more than half overturns what you judge, and takes a part of your seat.",
            name(pool),
            counted(size.seats, "seat"),
            counted(size.accounts, "account")
        ),
        false => String::new(),
    };
    Ok(Answer::of_transaction(json, format!("{text}{all}"), &receipt))
}

/// So many blocks as time: one is made every three seconds.
fn time(blocks: BlockNumber) -> String {
    let seconds = u64::from(blocks) * 3;
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

async fn withdraw(context: &Context, pool: &Pool) -> Result<Answer> {
    let pool = pool.id(context).await?;
    let signer = context.signer().await?;
    let wait = context.wait(Wait::InBlock);
    let (receipt, amount) = context.client().await?.withdraw_seats(&signer, pool, wait).await?;
    let text = format!("{} of seats for {} are free.", Amount(amount), name(pool));
    let json = json!({ "pool": as_json(pool), "amount": amount.to_string() });
    Ok(Answer::of_transaction(json, text, &receipt))
}

async fn top_up(context: &Context, pool: &Pool) -> Result<Answer> {
    let pool = pool.id(context).await?;
    let signer = context.signer().await?;
    let wait = context.wait(Wait::InBlock);
    let (receipt, amount) = context.client().await?.top_up(&signer, pool, wait).await?;
    let text = format!("{} are bonded: the seats for {} are whole.", Amount(amount), name(pool));
    let json = json!({ "pool": as_json(pool), "amount": amount.to_string() });
    Ok(Answer::of_transaction(json, text, &receipt))
}

async fn serve_at(context: &Context, pool: &Pool, addresses: &[Multiaddr]) -> Result<Answer> {
    let pool = pool.id(context).await?;
    let signer = context.signer().await?;
    let (client, wait) = (context.client().await?, context.wait(Wait::InBlock));
    let reach = serving::reach(client).await?;
    let addresses: Vec<String> =
        addresses.iter().map(|one| serving::require(one, reach)).collect::<Result<_>>()?;
    let receipt = client.serve_at(&signer, pool, &addresses, wait).await?;
    let text = match addresses.is_empty() {
        true => format!("Nobody is told where files of {} are served.", name(pool)),
        false => format!("Files of {} are served at {}.", name(pool), addresses.join(", ")),
    };
    let json = json!({ "pool": as_json(pool), "addresses": addresses });
    Ok(Answer::of_transaction(json, text, &receipt))
}

async fn list(
    context: &Context,
    account: Option<String>,
    datanets: Vec<DatanetId>,
) -> Result<Answer> {
    let account = context.account(account.as_deref()).await?;
    let client = context.client().await?;
    let pools = Modality::ALL
        .into_iter()
        .map(PoolId::Modality)
        .chain(datanets.into_iter().map(PoolId::Datanet));
    let (mut rows, mut json, mut served) = (Vec::new(), Vec::new(), Vec::new());
    for pool in pools {
        let size = client.pool_size(pool).await?;
        let Some(SeatsView { reviewer, placed, uncovered }) = client.seats(pool, account).await?
        else {
            continue;
        };
        let said = client.addresses(pool, &[account]).await?;
        let said = said.into_iter().next().map(|(_, said)| said).unwrap_or_default();
        served.push(match said.is_empty() {
            true => format!("Nobody is told where files of {} are served.", name(pool)),
            // Any account may have written anything.
            false => format!("Files of {} are served at {}.", name(pool), said.join(", ")),
        });
        // Those that were given up are drawn for challenges alone.
        let going = if reviewer.left { 0 } else { reviewer.leaving };
        let drawable = placed.saturating_sub(uncovered.max(going));
        rows.push([
            name(pool),
            reviewer.seats.to_string(),
            drawable.to_string(),
            match reviewer.left {
                true => format!("{}, left", reviewer.leaving),
                false => reviewer.leaving.to_string(),
            },
            Amount(reviewer.held).to_string(),
            reviewer.open.saturating_add(reviewer.open_before).to_string(),
            format!("{} of {}", size.seats, counted(size.accounts, "account")),
        ]);
        json.push(json!({
            "pool": as_json(pool),
            "seats": reviewer.seats,
            "drawable": drawable,
            "leaving": reviewer.leaving,
            "left": reviewer.left,
            "held": reviewer.held.to_string(),
            "openDraws": reviewer.open.saturating_add(reviewer.open_before),
            "addresses": said,
            "poolSeats": size.seats,
            "poolAccounts": size.accounts,
        }));
    }
    let heads = ["pool", "seats", "drawable", "leaving", "held", "judging", "seats in all"];
    let text = [vec![table(heads, rows)], served].concat().join("\n");
    Ok(Answer::new(json!({ "account": account, "pools": json }), text))
}
