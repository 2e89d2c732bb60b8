//! What `/fix` writes: rows of preferences, which `train` reads.

use anyhow::{bail, Context, Result};
use openledger_engine::tokenizer::{Message, Tokenizer};
use serde_json::{json, Value};
use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Appends one row: the conversation so far, the answer to prefer, the one to avoid. It is refused where
/// a training would refuse it.
pub(super) fn append(
    path: &Path,
    tokenizer: &Tokenizer,
    asked: &[Message],
    better: &Message,
    wrong: &Message,
) -> Result<()> {
    tokenizer.check_messages(std::slice::from_ref(better)).context("the better answer")?;
    if better.content.trim() == wrong.content.trim() {
        bail!("the better answer is the one that is there");
    }
    if wrong.content.trim().is_empty() {
        bail!("the last answer is blank: nothing could be learned to avoid; /undo takes it back");
    }
    tokenizer.check_messages(std::slice::from_ref(wrong)).context("the last answer")?;
    let message = |m: &Message| json!({ "role": m.role, "content": m.content });
    let row = json!({
        "prompt": asked.iter().map(message).collect::<Vec<Value>>(),
        "chosen": [message(better)],
        "rejected": [message(wrong)],
    });
    let what = || format!("writing {}", path.display());
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).open(path).with_context(what)?;
    // A file that an editor left without a line end must not have two rows in one line.
    let mut text = String::new();
    if file.metadata().with_context(what)?.len() > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1)).with_context(what)?;
        file.read_exact(&mut last).with_context(what)?;
        if last != *b"\n" {
            text.push('\n');
        }
    }
    text.push_str(&row.to_string());
    text.push('\n');
    file.write_all(text.as_bytes()).with_context(what)?;
    file.sync_all().with_context(what)
}
