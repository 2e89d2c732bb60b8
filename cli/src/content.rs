//! Files: adding them to the IPFS directory, fetching them from peers, measuring them.

use crate::{
    commands::review::serving,
    context::Context,
    error::{CliError, Result},
};
use indicatif::{ProgressBar, ProgressStyle};
use openledger_client::AccountId;
use openledger_content::{Added, ContentStore, IpfsNode, Limits, Multiaddr, NodeConfig, Wanted};
use openledger_documents::{
    measurement, sandbox::Isolation, LeftOut, MeasureError, Measured, Measurement, Reading,
};
use openledger_primitives::{
    api::{PendingView, SubmissionItem},
    MediaType, Modality, SubmissionId,
};
use std::{path::Path, time::Duration};

/// The format of a file, by its name.
pub(crate) fn media_type(path: &Path) -> Result<MediaType> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned());
    extension.as_deref().and_then(MediaType::from_extension).ok_or_else(|| {
        let known: Vec<&str> = MediaType::ALL.into_iter().map(MediaType::extension).collect();
        CliError::usage(format!(
            "{} has no known format: its name ends in {}, known are .{}",
            path.display(),
            extension.map_or("no extension".to_owned(), |extension| format!(".{extension}")),
            known.join(", .")
        ))
    })
}

/// Adds a file to the IPFS directory, unless it changed since it was described.
pub(crate) async fn add(context: &Context, path: &Path, described: &Added) -> Result<()> {
    let added = context.store()?.add_file(path).await?;
    match added == *described {
        true => Ok(()),
        false => Err(CliError::failed(format!("{} changed while it was read", path.display()))
            .next("try again when nothing writes to it")),
    }
}

/// A node of its own kind for one fetch, of named peers and of `others`: it shares the directory's blocks with a daemon on
/// it.
async fn node(context: &Context, others: Vec<Multiaddr>) -> Result<IpfsNode> {
    let config = NodeConfig::new(context.ipfs_directory()?)
        // An empty variable OPENLEDGER_PEERS names one empty address.
        .with_peers(context.global.peers.iter().filter(|peer| !peer.is_empty()).cloned())
        .ephemeral();
    let node = IpfsNode::start(config).await?;
    node.visit(others)?;
    Ok(node)
}

/// A node for a program that is left running: where it listens, it is the directory's own.
pub(crate) async fn lasting_node(context: &Context, listen: &[Multiaddr]) -> Result<IpfsNode> {
    let config = NodeConfig::new(context.ipfs_directory()?)
        .with_peers(context.global.peers.iter().filter(|peer| !peer.is_empty()).cloned());
    let config = match listen.is_empty() {
        true => config.ephemeral(),
        false => config.listening(listen.iter().cloned()),
    };
    Ok(IpfsNode::start(config).await?)
}

/// Shows that a fetch is going on, for as long as it is kept.
fn spinner(context: &Context, what: &str, bytes: u64) -> ProgressBar {
    let bar = context.progress(ProgressBar::new_spinner());
    // The template is ours and valid; without it the bar only looks plainer.
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.set_message(format!("fetching {what}, {bytes} bytes"));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// Limits of a fetch of so many bytes.
pub(crate) fn limits(context: &Context, bytes: u64) -> Limits {
    let timeout = Duration::from_secs(context.global.timeout);
    let limits = Limits::for_bytes(bytes);
    let (block, file) = (limits.block_timeout.min(timeout), limits.file_timeout);
    limits.with_timeouts(block, file)
}

/// Says what to do about a fetch that failed.
fn explain(context: &Context, error: openledger_content::Error) -> CliError {
    let unavailable = error.is_unavailable();
    let error = CliError::from(error);
    match unavailable {
        true if context.global.peers.iter().all(Multiaddr::is_empty) => {
            error.next("name a node that has the file with --peer or OPENLEDGER_PEERS")
        }
        _ => error,
    }
}

/// Fetches a file of known hash and size to `destination`.
pub(crate) async fn fetch_file(
    context: &Context,
    wanted: &Wanted,
    bytes: u64,
    destination: &Path,
) -> Result<()> {
    let node = node(context, Vec::new()).await?;
    let bar = spinner(context, &wanted.content.to_string(), bytes);
    let fetched = node.fetch_file(wanted, destination, &limits(context, bytes)).await;
    bar.finish_and_clear();
    node.shutdown().await;
    fetched.map(drop).map_err(|error| explain(context, error))
}

/// Fetches a submitted file into memory: every byte is re-hashed, size and sha256 are those on
/// chain.
pub(crate) async fn fetch_submission(
    context: &Context,
    view: &PendingView<AccountId>,
) -> Result<Vec<u8>> {
    let SubmissionItem { content, sha256, size, .. } = view.item;
    fetch_wanted(context, &Wanted::exactly(content, sha256, size.into()), view.submission).await
}

/// Fetches the file of a submission into memory, of named peers and of members of committees that have it before them.
pub(crate) async fn fetch_wanted(
    context: &Context,
    wanted: &Wanted,
    submission: SubmissionId,
) -> Result<Vec<u8>> {
    let bytes = wanted.size.unwrap_or(0);
    let node = node(context, serving::of_submission(context, submission).await).await?;
    let bar = spinner(context, &wanted.content.to_string(), bytes);
    let fetched = node.fetch_bytes(wanted, &limits(context, bytes)).await;
    bar.finish_and_clear();
    node.shutdown().await;
    fetched.map_err(|error| explain(context, error))
}

/// What a file says and measures.
pub(crate) struct Read {
    /// Its canonical text, where it has one.
    pub(crate) text: Option<String>,
    /// Units and text root.
    pub(crate) measured: Measured,
    /// What does not count.
    pub(crate) left_out: LeftOut,
    /// What kept the decoder of an image or sound off the network.
    pub(crate) isolation: Option<Isolation>,
}

/// Reads a file as its modality is read, or says why not.
fn read_as_is(media: MediaType, bytes: &[u8]) -> std::result::Result<Read, MeasureError> {
    if media.modality() == Modality::Text {
        let Reading { text, left_out } = openledger_documents::read(media, bytes)?;
        let measured = Measured::of_text(&text)?;
        return Ok(Read { measured, text: Some(text), left_out, isolation: None });
    }
    // Images and sound are decoded in a child process, which is waited for.
    let found = tokio::task::block_in_place(|| measurement(media, bytes))?;
    let Measurement { measured, left_out, isolation } = found;
    Ok(Read { text: None, measured, left_out, isolation })
}

/// Reads a file as its modality is read; `name` is what errors call it.
pub(crate) fn read(media: MediaType, bytes: &[u8], name: &str) -> Result<Read> {
    read_as_is(media, bytes).map_err(|error| CliError::failed(format!("{name}: {error}")))
}

/// Units and text root of a file, as [`read`] measures them.
pub(crate) fn measure_file(media: MediaType, bytes: &[u8], name: &str) -> Result<Measured> {
    read(media, bytes, name).map(|read| read.measured)
}

/// Reads a submission.
pub(crate) fn read_submission(view: &PendingView<AccountId>, bytes: &[u8]) -> Result<Read> {
    read_as_is(view.item.media, bytes).map_err(|error| {
        let failed = CliError::failed(format!("submission {}: {error}", view.submission));
        match error.is_refusal() {
            true => failed.next("reject it with --reason wrong-format"),
            false => failed,
        }
    })
}
