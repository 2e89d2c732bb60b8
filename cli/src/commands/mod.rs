//! The command line: its commands, one group a file.

pub(crate) mod account;
pub(crate) mod adapter;
mod caps;
pub(crate) mod contributor;
pub(crate) mod datanet;
pub(crate) mod job;
pub(crate) mod leaderboard;
pub(crate) mod model;
pub(crate) mod pool;
pub(crate) mod review;
pub(crate) mod rewards;
pub(crate) mod seat;
pub(crate) mod spec;
pub(crate) mod status;
pub(crate) mod submission;
pub(crate) mod submit;
pub(crate) mod text;
pub(crate) mod validator;
pub(crate) mod worker;

use crate::{arguments::Global, context::Context, error::Result, output::Answer};
use clap::{CommandFactory, Parser, Subcommand};

/// OpenLedger from a shell: Datanets, submissions, reviews, rewards, training jobs, adapters.
#[derive(Debug, Parser)]
#[command(
    name = "openledger",
    version,
    after_help = "Examples:
  openledger status
  openledger account new me
  openledger --key me contributor register
  openledger --key me submit --datanet 0 notes.md
  openledger job watch 3 --output json

Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 refused by the chain, 4 node or content not \
reachable (try again)."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Keys and balances.
    #[command(subcommand)]
    Account(account::Command),
    /// Datanets: collections of files of one modality.
    #[command(subcommand)]
    Datanet(datanet::Command),
    /// Registration of contributors.
    #[command(subcommand)]
    Contributor(contributor::Command),
    /// Submit files to a Datanet, free of charge within the daily quota.
    Submit(submit::Submit),
    /// What became of submissions.
    #[command(subcommand)]
    Submission(submission::Command),
    /// Show what of a file is paid: canonical text, units, what is left out.
    Text(text::Text),
    /// Take a pending file back.
    Withdraw(submit::Withdraw),
    /// Decide on submissions, as a curator or as a member of a drawn committee.
    #[command(subcommand)]
    Review(review::Command),
    /// Reviewers' seats, from which committees are drawn.
    #[command(subcommand)]
    Seat(seat::Command),
    /// Show the contributors of a Datanet in order of rank.
    Leaderboard(leaderboard::Leaderboard),
    /// Reward pools of Datanets.
    #[command(subcommand)]
    Rewards(rewards::Command),
    /// Base models.
    #[command(subcommand)]
    Model(model::Command),
    /// Training jobs.
    #[command(subcommand)]
    Job(job::Command),
    /// Workers: who trains what, how fast, and from which price on.
    #[command(subcommand)]
    Worker(worker::Command),
    /// Trained adapters.
    #[command(subcommand)]
    Adapter(adapter::Command),
    /// Validators and nominators: session keys, bonds, elections, payouts.
    #[command(subcommand)]
    Validator(validator::Command),
    /// Nomination pools: back validators together with others, from 1 OPEN on.
    #[command(subcommand)]
    Pool(pool::Command),
    /// Show where the chain stands.
    #[command(after_help = "Examples:
  openledger status
  openledger --node ws://127.0.0.1:9945 status --output json")]
    Status,
}

/// The arguments, with what only a program can say in their help.
pub(crate) fn command() -> clap::Command {
    Cli::command().mut_subcommand("job", |job| job.mut_subcommand("create", spec::with_defaults))
}

/// Runs a command to its end.
pub(crate) async fn run(cli: Cli) -> Result<Answer> {
    let context = Context::new(cli.global);
    match cli.command {
        Command::Account(command) => account::run(&context, command).await,
        Command::Datanet(command) => datanet::run(&context, command).await,
        Command::Contributor(command) => contributor::run(&context, command).await,
        Command::Submit(command) => submit::submit(&context, command).await,
        Command::Submission(command) => submission::run(&context, command).await,
        Command::Text(command) => text::run(&context, command).await,
        Command::Withdraw(command) => submit::withdraw(&context, command).await,
        Command::Review(command) => review::run(&context, command).await,
        Command::Seat(command) => seat::run(&context, command).await,
        Command::Leaderboard(command) => leaderboard::run(&context, command).await,
        Command::Rewards(command) => rewards::run(&context, command).await,
        Command::Model(command) => model::run(&context, command).await,
        Command::Job(command) => job::run(&context, command).await,
        Command::Worker(command) => worker::run(&context, command).await,
        Command::Adapter(command) => adapter::run(&context, command).await,
        Command::Validator(command) => validator::run(&context, command).await,
        Command::Pool(command) => pool::run(&context, command).await,
        Command::Status => status::run(&context).await,
    }
}
