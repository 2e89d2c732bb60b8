//! What every command may need: the node, the key, the IPFS directory.

use crate::{
    arguments::{Global, OutputFormat},
    error::{CliError, Result},
};
use indicatif::{ProgressBar, ProgressDrawTarget};
use openledger_client::{
    is_development_secret, keyfile, AccountId, Client, KeyFileError, KeyReference, Settings,
    Signer, Wait,
};
use openledger_content::BlockStore;
use std::{
    env, fs,
    io::{IsTerminal, Read},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::sync::OnceCell;

const NO_KEY: &str = "this command needs a key, and none is given";
const NAME_A_KEY: &str =
    "name a key file with --key or OPENLEDGER_KEY (`openledger account new` makes one)";
/// Environment variable that may hold a phrase or secret URI.
const SECRET: &str = "OPENLEDGER_SECRET";
/// Environment variable that may hold the key file's password.
const PASSWORD: &str = "OPENLEDGER_PASSWORD";
/// Most bytes of a password file or of a secret on stdin.
const MAX_SECRET: u64 = 4096;

/// The global arguments and what is made of them when it is first needed.
pub(crate) struct Context {
    pub(crate) global: Global,
    client: OnceCell<Client>,
}

/// Who a command is about to sign as, not yet opened.
enum Key {
    Reference(KeyReference),
    Secret(String),
}

impl Context {
    pub(crate) fn new(global: Global) -> Self {
        Self { global, client: OnceCell::new() }
    }

    /// The connection to the node.
    pub(crate) async fn client(&self) -> Result<&Client> {
        let connect = || async {
            let timeout = Duration::from_secs(self.global.timeout);
            Client::connect(Settings::new(&self.global.node).with_timeout(timeout)).await
        };
        Ok(self.client.get_or_try_init(connect).await?)
    }

    /// What to wait for; `usual` where the user does not say.
    pub(crate) fn wait(&self, usual: Wait) -> Wait {
        self.global.wait.map_or(usual, Into::into)
    }

    /// The key that was given, if any was.
    fn given_key(&self) -> Result<Option<Key>> {
        if let Some(key) = self.global.key.as_deref().filter(|key| !key.is_empty()) {
            return Ok(Some(Key::Reference(KeyReference::parse(key, &self.keys_directory()?)?)));
        }
        Ok(env::var(SECRET).ok().filter(|secret| !secret.trim().is_empty()).map(Key::Secret))
    }

    fn key(&self) -> Result<Key> {
        self.given_key()?.ok_or_else(|| CliError::usage(NO_KEY).next(NAME_A_KEY))
    }

    /// The key that signs.
    pub(crate) async fn signer(&self) -> Result<Signer> {
        match self.key()? {
            Key::Secret(secret) => {
                if is_development_secret(&secret) {
                    self.client().await?.require_development().await?;
                }
                Ok(Signer::from_secret(&secret)?)
            }
            Key::Reference(KeyReference::Development(uri)) => {
                self.client().await?.require_development().await?;
                Ok(Signer::from_secret(&uri)?)
            }
            Key::Reference(KeyReference::File(path)) => {
                // A key that does not exist is said before a password is asked for, and a password
                // that is wrong before a node is looked for.
                keyfile::account(&path)?;
                let password = self
                    .password(&format!("Password of {}: ", path.display()))?
                    .ok_or_else(|| KeyFileError::PasswordNeeded(path.clone()))?;
                Ok(keyfile::read(&path, &password)?)
            }
        }
    }

    /// The account that a text names (SS58, the name of a key, `//Alice`); without one, the
    /// account of the key. No password is needed.
    pub(crate) async fn account(&self, text: Option<&str>) -> Result<AccountId> {
        let key = match text {
            None => self.given_key()?.ok_or_else(|| {
                CliError::usage(NO_KEY).next(format!(
                    "{NAME_A_KEY}, or the account itself where the command takes one (--help)"
                ))
            })?,
            Some(text) => match text.parse::<AccountId>() {
                Ok(account) => return Ok(account),
                Err(error) if looks_like_address(text) => {
                    return Err(CliError::usage(format!(
                        "{text} is not an account address: {error}"
                    ))
                    .next("copy the whole address; a typing error breaks its check sum"));
                }
                Err(_) => Key::Reference(KeyReference::parse(text, &self.keys_directory()?)?),
            },
        };
        match key {
            Key::Secret(secret) => Ok(Signer::from_secret(&secret)?.account()),
            Key::Reference(reference) => {
                if matches!(reference, KeyReference::Development(_)) {
                    self.client().await?.require_development().await?;
                }
                Ok(reference.account()?)
            }
        }
    }

    /// The password for a key file: from a file, the environment, or the terminal.
    pub(crate) fn password(&self, prompt: &str) -> Result<Option<String>> {
        if let Some(path) = &self.global.password_file {
            return read_secret_file(path).map(Some);
        }
        if let Ok(password) = env::var(PASSWORD) {
            return Ok(Some(password));
        }
        if !std::io::stdin().is_terminal() {
            return Ok(None);
        }
        let typed = rpassword::prompt_password(prompt);
        typed.map(Some).map_err(|error| CliError::failed(format!("could not ask: {error}")))
    }

    /// The password for a new key file; typed ones twice.
    pub(crate) fn new_password(&self) -> Result<String> {
        let asked = self.global.password_file.is_none() && env::var(PASSWORD).is_err();
        let needed = || {
            CliError::usage("a key file needs a password, and none is given")
                .next("give one with --password-file or OPENLEDGER_PASSWORD")
        };
        let password = self.password("Password for the new key: ")?.ok_or_else(needed)?;
        if password.is_empty() {
            return Err(needed());
        }
        if asked {
            let again = rpassword::prompt_password("The same again: ");
            if again.ok().as_deref() != Some(password.as_str()) {
                return Err(CliError::usage("the two passwords differ; nothing was written"));
            }
        }
        Ok(password)
    }

    /// A phrase or secret URI from the environment or stdin.
    pub(crate) fn secret(&self) -> Result<String> {
        if let Ok(secret) = env::var(SECRET) {
            return Ok(secret);
        }
        if std::io::stdin().is_terminal() {
            let typed = rpassword::prompt_password("Recovery phrase: ");
            return typed.map_err(|error| CliError::failed(format!("could not ask: {error}")));
        }
        let mut secret = String::new();
        std::io::stdin()
            .take(MAX_SECRET)
            .read_to_string(&mut secret)
            .map_err(|error| CliError::failed(format!("could not read stdin: {error}")))?;
        Ok(secret)
    }

    /// Where key files are.
    pub(crate) fn keys_directory(&self) -> Result<PathBuf> {
        self.global.keys_directory.clone().map_or_else(|| data_directory("keys"), Ok)
    }

    /// Where IPFS blocks are.
    pub(crate) fn ipfs_directory(&self) -> Result<PathBuf> {
        self.global.ipfs_directory.clone().map_or_else(|| data_directory("ipfs"), Ok)
    }

    /// The blocks of the IPFS directory; a daemon on it serves what is added at once.
    pub(crate) fn store(&self) -> Result<BlockStore> {
        Ok(BlockStore::open(&self.ipfs_directory()?)?)
    }

    /// Waits for a transaction, and shows for what, where somebody looks.
    pub(crate) async fn waiting<T>(
        &self,
        wait: Wait,
        sent: impl std::future::Future<Output = T>,
    ) -> T {
        let bar = self.progress(ProgressBar::new_spinner());
        bar.set_message(match wait {
            Wait::InBlock => "sending; waiting for a block",
            Wait::Finalised => "sending; waiting until its block is final, mostly 10 to 20 s",
        });
        bar.enable_steady_tick(Duration::from_millis(120));
        let result = sent.await;
        bar.finish_and_clear();
        result
    }

    /// A progress bar on stderr; hidden for JSON, and where stderr is no terminal.
    pub(crate) fn progress(&self, bar: ProgressBar) -> ProgressBar {
        if self.global.output == OutputFormat::Json {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        bar
    }
}

/// Whether a text is meant as an SS58 address, which has 46 to 50 characters, though some of it may be lost or
/// doubled: no name of a key is that long.
fn looks_like_address(text: &str) -> bool {
    (40..=60).contains(&text.chars().count()) && text.chars().all(char::is_alphanumeric)
}

fn read_secret_file(path: &Path) -> Result<String> {
    let failed = |error| CliError::failed(format!("could not read {}: {error}", path.display()));
    let mut text = String::new();
    let file = fs::File::open(path).map_err(failed)?;
    file.take(MAX_SECRET).read_to_string(&mut text).map_err(failed)?;
    // Editors end files with a line ending, passwords do not.
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// A folder of ours in the user's data directory.
fn data_directory(name: &str) -> Result<PathBuf> {
    openledger_content::data_directory(name).ok_or_else(|| {
        CliError::usage("neither XDG_DATA_HOME nor HOME says where your data is")
            .next("give --keys-directory and --ipfs-directory")
    })
}
