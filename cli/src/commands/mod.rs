//! The commands, one group a file.

pub(crate) mod account;
pub(crate) mod adapter;
pub(crate) mod contributor;
pub(crate) mod datanet;
pub(crate) mod job;
pub(crate) mod leaderboard;
pub(crate) mod model;
pub(crate) mod review;
pub(crate) mod rewards;
pub(crate) mod spec;
pub(crate) mod status;
pub(crate) mod submit;
pub(crate) mod text;

use crate::{
    arguments::{Cli, Command},
    context::Context,
    error::Result,
    output::Answer,
};

/// Runs a command to its end.
pub(crate) async fn run(cli: Cli) -> Result<Answer> {
    let context = Context::new(cli.global);
    match cli.command {
        Command::Account(command) => account::run(&context, command).await,
        Command::Datanet(command) => datanet::run(&context, command).await,
        Command::Contributor(command) => contributor::run(&context, command).await,
        Command::Submit(command) => submit::submit(&context, command).await,
        Command::Text(command) => text::run(&context, command).await,
        Command::Withdraw(command) => submit::withdraw(&context, command).await,
        Command::Review(command) => review::run(&context, command).await,
        Command::Leaderboard(command) => leaderboard::run(&context, command).await,
        Command::Rewards(command) => rewards::run(&context, command).await,
        Command::Model(command) => model::run(&context, command).await,
        Command::Job(command) => job::run(&context, command).await,
        Command::Adapter(command) => adapter::run(&context, command).await,
        Command::Status => status::run(&context).await,
    }
}
