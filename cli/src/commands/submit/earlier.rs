//! What was submitted before: notes beside the blocks, `DIR/submitted/<Datanet>/<sha256>`.
//!
//! The chain forgets a file that was rejected, so only who sent it can know that it was there. A note
//! names the submission and its block; where the chain has another block of that number (a development
//! chain that was started anew, a fork that was left), the note says nothing.

use crate::{context::Context, error::Result};
use openledger_client::{Client, Receipt, H256};
use openledger_primitives::{DatanetId, FileHash, SubmissionId};
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

/// Most bytes of a note: two numbers, a hash, two blanks and a line's end.
const MAX_NOTE: u64 = 128;

fn place(context: &Context, datanet: DatanetId, sha256: &FileHash) -> Result<PathBuf> {
    let folder = context.ipfs_directory()?.join("submitted").join(datanet.to_string());
    Ok(folder.join(hex::encode(sha256)))
}

/// Submission, number of its block, and that block's hash.
fn read(path: &Path) -> Option<(SubmissionId, u32, H256)> {
    let mut text = String::new();
    fs::File::open(path).ok()?.take(MAX_NOTE).read_to_string(&mut text).ok()?;
    let mut words = text.split_ascii_whitespace();
    let (submission, block) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let hash: [u8; 32] = hex::decode(words.next()?).ok()?.try_into().ok()?;
    words.next().is_none().then_some((submission, block, H256(hash)))
}

/// The submission by which this file came to this Datanet of this chain before. A note that cannot be
/// read is none.
pub(super) async fn find(
    context: &Context,
    client: &Client,
    datanet: DatanetId,
    sha256: &FileHash,
) -> Result<Option<SubmissionId>> {
    let Some((submission, block, hash)) = read(&place(context, datanet, sha256)?) else {
        return Ok(None);
    };
    Ok((client.block_hash(block).await? == Some(hash)).then_some(submission))
}

/// Notes a submission.
pub(super) fn note(
    context: &Context,
    datanet: DatanetId,
    sha256: &FileHash,
    submission: SubmissionId,
    receipt: &Receipt,
) -> Result<()> {
    let path = place(context, datanet, sha256)?;
    let folder = path.parent().unwrap_or(&path);
    let failed = |source| openledger_content::Error::io("write", &path, source);
    fs::create_dir_all(folder).map_err(failed)?;
    let text = format!("{submission} {} {}\n", receipt.block, hex::encode(receipt.block_hash));
    Ok(fs::write(&path, text).map_err(failed)?)
}

/// Forgets a file that its contributor took back: nobody rejected it.
pub(super) fn forget(context: &Context, datanet: DatanetId, sha256: &FileHash) -> Result<()> {
    let path = place(context, datanet, sha256)?;
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(openledger_content::Error::io("remove", &path, error).into())
        }
        _ => Ok(()),
    }
}
