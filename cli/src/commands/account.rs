//! `openledger account`

use crate::{
    arguments::amount,
    context::Context,
    error::{CliError, Result},
    output::{fields, table, Answer},
};
use clap::Subcommand;
use openledger_client::{keyfile, AccountId, Amount, Signer, Wait};
use serde_json::json;
use std::path::Path;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a new key, encrypted with a password.
    #[command(after_help = "Examples:
  openledger account new me
  openledger account new me --words            (shows the recovery phrase, once)
  OPENLEDGER_PASSWORD=… openledger account new robot --output json")]
    New {
        /// Name of the key file.
        name: String,
        /// Show the 12 words from which the key can be restored. They are shown this once.
        #[arg(long)]
        words: bool,
    },
    /// Encrypt a phrase or seed from stdin or OPENLEDGER_SECRET into a key file.
    #[command(after_help = "Examples:
  openledger account import me < phrase.txt
  OPENLEDGER_SECRET='word word … word//path' openledger account import me")]
    Import {
        /// Name of the key file.
        name: String,
    },
    /// List the key files.
    #[command(after_help = "Examples:
  openledger account list
  openledger --keys-directory ./keys account list --output json")]
    List,
    /// Show what an account has.
    #[command(after_help = "Examples:
  openledger --key me account show
  openledger account show 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY")]
    Show {
        /// Address, name of a key, or //Alice; without it the account of --key.
        account: Option<String>,
    },
    /// Send OPEN.
    #[command(after_help = "Examples:
  openledger --key me account transfer --to 5Grw… --amount 1.5OPEN
  openledger --key me account transfer --to friend --amount 300planck --wait in-block
  openledger --key me account transfer --to 5Grw… --to friend --amount 20    (20 OPEN to each, or to none)")]
    Transfer {
        /// Address, name of a key, or //Alice (repeatable: all are paid in one transaction).
        #[arg(long, required = true)]
        to: Vec<String>,
        /// How much each gets: 1.5, 1.5OPEN or 300planck.
        #[arg(long, value_parser = amount, allow_hyphen_values = true, value_name = "OPEN")]
        amount: Amount,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Answer> {
    match command {
        Command::New { name, words } => new(context, &name, words),
        Command::Import { name } => import(context, &name),
        Command::List => list(context),
        Command::Show { account } => show(context, account.as_deref()).await,
        Command::Transfer { to, amount } => transfer(context, &to, amount).await,
    }
}

fn written(name: &str, account: AccountId, path: &Path) -> serde_json::Value {
    json!({ "name": name, "account": account, "file": path })
}

/// Before a password is asked for in vain; writing checks it again.
fn refuse_existing(path: &Path) -> Result<()> {
    match path.symlink_metadata() {
        Ok(_) => Err(keyfile::KeyFileError::Exists(path.to_path_buf()).into()),
        Err(_) => Ok(()),
    }
}

fn new(context: &Context, name: &str, words: bool) -> Result<Answer> {
    let path = keyfile::path_of(&context.keys_directory()?, name)?;
    refuse_existing(&path)?;
    let password = context.new_password()?;
    let (signer, phrase) = Signer::generate();
    keyfile::write(&path, &signer, &password)?;
    let mut json = written(name, signer.account(), &path);
    let mut text = format!("Key {name} is account {}, in {}.", signer.account(), path.display());
    if words {
        json["words"] = phrase.as_str().into();
        text.push_str("\nWrite these words down and keep them secret; they restore the key:\n  ");
        text.push_str(&phrase);
    }
    Ok(Answer::new(json, text))
}

fn import(context: &Context, name: &str) -> Result<Answer> {
    let path = keyfile::path_of(&context.keys_directory()?, name)?;
    refuse_existing(&path)?;
    let signer = Signer::from_secret(&context.secret()?)?;
    let password = context.new_password()?;
    keyfile::write(&path, &signer, &password)?;
    let text = format!("Key {name} is account {}, in {}.", signer.account(), path.display());
    Ok(Answer::new(written(name, signer.account(), &path), text))
}

fn list(context: &Context) -> Result<Answer> {
    let directory = context.keys_directory()?;
    let keys = keyfile::list(&directory)?;
    let json = json!({
        "accounts": keys
            .iter()
            .map(|key| written(&key.name, key.account, &key.path))
            .collect::<Vec<_>>(),
    });
    if keys.is_empty() {
        let text =
            format!("No keys in {}. `openledger account new NAME` makes one.", directory.display());
        return Ok(Answer::new(json, text));
    }
    let rows = keys.into_iter().map(|key| [key.name, key.account.to_string()]);
    Ok(Answer::new(json, table(["name", "account"], rows)))
}

async fn show(context: &Context, account: Option<&str>) -> Result<Answer> {
    let account = context.account(account).await?;
    let balance = context.client().await?.balance(account).await?;
    let json = json!({
        "account": account,
        "free": balance.free.to_string(),
        "held": balance.held.to_string(),
        "holds": balance
            .holds
            .iter()
            .map(|(reason, amount)| json!({ "reason": reason, "amount": amount.to_string() }))
            .collect::<Vec<_>>(),
        "nonce": balance.nonce,
    });
    let mut text = fields([
        ("Account", account.to_string()),
        ("Free", Amount(balance.free).to_string()),
        ("Held", Amount(balance.held).to_string()),
        ("Transactions", balance.nonce.to_string()),
    ]);
    for (reason, amount) in &balance.holds {
        text.push_str(&format!("\n  held for {reason}: {}", Amount(*amount)));
    }
    Ok(Answer::new(json, text))
}

async fn transfer(context: &Context, to: &[String], amount: Amount) -> Result<Answer> {
    let mut accounts = Vec::new();
    for to in to {
        accounts.push(context.account(Some(to)).await?);
    }
    let signer = context.signer().await?;
    let client = context.client().await?;
    let wait = context.wait(Wait::Finalised);
    let from = signer.account();
    if amount.0 == 0 {
        return Err(CliError::usage("0 OPEN cannot be sent"));
    }
    let sum = Amount(amount.0.saturating_mul(accounts.len() as u128));
    let free = Amount(client.balance(from).await?.free);
    if sum.0 > free.0 {
        return Err(CliError::refused(format!("{from} has {free} free, which is less than {sum}")));
    }
    if let [to] = accounts[..] {
        let sent = client.transfer(&signer, to, amount.0, wait);
        let receipt = context.waiting(wait, sent).await?;
        let json = json!({ "from": from, "to": to, "amount": amount.0.to_string() });
        let text = format!("Sent {amount} from {from} to {to}.");
        return Ok(Answer::of_transaction(json, text, &receipt));
    }
    let sent = client.transfer_to_each(&signer, &accounts, amount.0, wait);
    let receipt = context.waiting(wait, sent).await?;
    let text = format!("Sent {amount} from {from} to each of {} accounts.", accounts.len());
    let json = json!({ "from": from, "toEach": accounts, "amount": amount.0.to_string() });
    Ok(Answer::of_transaction(json, text, &receipt))
}
