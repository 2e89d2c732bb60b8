//! What an operator sets.

use crate::agents::AgentArguments;
use crate::chat::ChatArguments;
use crate::proxies::{Network, ProxyHeader};
use crate::uploads::options::UploadArguments;
use clap::Parser;
use std::net::SocketAddr;
use std::path::PathBuf;

/// OpenLedger for browsers: the chain's index, uploads and the web app on one address.
///
/// Examples:
///
///   openledger-gateway --node ws://127.0.0.1:9944
///   openledger-gateway --node ws://127.0.0.1:9944 --listen 0.0.0.0:8000 --host data.example.org
#[derive(Parser, Clone, Debug)]
#[command(name = "openledger-gateway", version, verbatim_doc_comment)]
pub struct Arguments {
    /// The node whose chain is shown; it must keep every block's state (`--state-pruning archive`)
    #[arg(
        long,
        value_name = "URL",
        default_value = "ws://127.0.0.1:9944",
        env = "OPENLEDGER_NODE"
    )]
    pub node: String,

    /// Address to listen on; port 0 takes a free one, which is printed
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    pub listen: SocketAddr,

    /// Names by which browsers may reach this server, beside localhost; requests that name another host
    /// are refused
    #[arg(long = "host", value_name = "NAME")]
    pub hosts: Vec<String>,

    /// Origins of other web pages that may ask, as browsers name them (`https://example.org`)
    #[arg(long = "origin", value_name = "ORIGIN")]
    pub origins: Vec<String>,

    /// Addresses or networks of reverse proxies in front, as 127.0.0.1 or 10.0.0.0/8: what they say of their
    /// clients' addresses is believed, and limits an address count by it
    #[arg(long = "trusted-proxy", value_name = "NETWORK")]
    pub trusted_proxies: Vec<Network>,

    /// The header in which these proxies name their clients; the other one is not read
    #[arg(long, value_name = "HEADER", value_enum, default_value_t)]
    pub proxy_header: ProxyHeader,

    /// Folder of the index, of uploads and of the IPFS node
    #[arg(long, value_name = "DIR", default_value = "openledger-gateway")]
    pub directory: PathBuf,

    /// Uploads, files and the faucet.
    #[command(flatten)]
    pub uploads: UploadArguments,

    /// Serve the web app from this folder instead of the one within the program
    #[arg(long, value_name = "DIR")]
    pub web: Option<PathBuf>,

    /// Serve the documentation from this folder, which looks like docs/, instead of the one within the program
    #[arg(long, value_name = "DIR")]
    pub docs: Option<PathBuf>,

    /// Servers of answers and budgets.
    #[command(flatten)]
    pub chat: ChatArguments,

    /// Documentation that adapters ask.
    #[command(flatten)]
    pub agents: AgentArguments,

    /// Connections at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 1200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_connections: u32,

    /// Of them, those of one network address; those of trusted proxies are not counted so
    #[arg(long, value_name = "COUNT", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_connections_per_address: u32,
}
