//! What an operator sets for uploads.

use clap::Args;
use openledger_content::Multiaddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Uploads, files and the faucet.
#[derive(Args, Clone, Debug)]
pub struct UploadArguments {
    /// Address on which the gateway's IPFS node listens, so that others fetch what was uploaded here
    #[arg(long = "ipfs-listen", value_name = "MULTIADDR", default_value = "/ip4/127.0.0.1/tcp/0")]
    pub ipfs_listen: Vec<Multiaddr>,

    /// Peer of the gateway's IPFS node, from which files are fetched
    #[arg(long = "ipfs-peer", value_name = "MULTIADDR")]
    pub ipfs_peers: Vec<Multiaddr>,

    /// Bytes of files on this gateway's disk: uploads, and copies of what was fetched for readers
    #[arg(long, value_name = "BYTES", default_value_t = 20 << 30)]
    pub storage: u64,

    /// Bytes of the disk that files leave free, for the index and other databases
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    pub reserve: u64,

    /// Seconds that a file is kept which no submission names
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    pub keep_unnamed: u64,

    /// Bytes of a file that `/ipfs` gives, at most; larger ones go over IPFS
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    pub max_download: u64,

    /// Uploads at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub max_uploads: u32,

    /// Of them, those of one network address; behind a proxy all have the same
    #[arg(long, value_name = "COUNT", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub max_uploads_per_address: u32,

    /// Files that are decoded for previews and pictures at the same time; each takes up to 1 GiB of memory
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub max_decoders: u32,

    /// Key that gives OPEN to newcomers: `//Alice`, a key file or its name; development chains only
    #[arg(long, value_name = "KEY")]
    pub faucet_key: Option<String>,

    /// Folder of key files [default: openledger/keys in the XDG data directory]
    #[arg(long, value_name = "DIR", env = "OPENLEDGER_KEYS")]
    pub keys_directory: Option<PathBuf>,

    /// File with the password of the faucet's key file (or the variable OPENLEDGER_PASSWORD)
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,

    /// OPEN that the faucet gives
    #[arg(long, value_name = "OPEN", default_value = "20")]
    pub faucet_amount: openledger_client::Amount,

    /// Times a day that the faucet gives to one network address
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub faucet_per_address: u32,

    /// Times a day that the faucet gives in all
    #[arg(long, value_name = "COUNT", default_value_t = 500)]
    pub faucet_per_day: u32,
}

impl UploadArguments {
    /// Where key files are, as the command line has them.
    pub fn keys(&self) -> PathBuf {
        if let Some(directory) = &self.keys_directory {
            return directory.clone();
        }
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let home = || set("HOME").map(|home| Path::new(&home).join(".local/share"));
        let base = set("XDG_DATA_HOME").map(PathBuf::from).or_else(home).unwrap_or_default();
        base.join("openledger/keys")
    }
}

/// What uploads are set up with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of everything that is kept.
    pub directory: PathBuf,
    /// Names by which browsers may reach this server.
    pub hosts: Vec<String>,
    /// Origins of other pages that may ask.
    pub origins: Vec<String>,
    /// How long a text to sign may be signed.
    pub challenge: Duration,
    /// How long a session lasts.
    pub session: Duration,
    /// What the operator set.
    pub arguments: UploadArguments,
}
