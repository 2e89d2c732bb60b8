//! `openledger text`

use crate::{
    content,
    context::Context,
    error::{CliError, Result},
    output::Answer,
    views,
};
use clap::Args;
use openledger_documents::{Measured, EXTRACTOR_VERSION};
use serde_json::json;
use std::path::PathBuf;

/// Most bytes of a file that are read: no submission has more.
const MAX_BYTES: u64 = openledger_primitives::QuotaLimits::ACCOUNT.bytes;

/// Show what of a file is paid: canonical text (of images and sound none), units, and what is left
/// out. Needs no node.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  openledger text notes.pdf
  openledger text notes.pdf > notes.txt
  openledger text notes.docx --output json

The text goes to stdout, its measures to stderr; with --output json both are one object.")]
pub(crate) struct Text {
    /// The file; the end of its name says the format.
    file: PathBuf,
}

pub(crate) async fn run(_: &Context, arguments: Text) -> Result<Answer> {
    let Text { file } = arguments;
    let media = content::media_type(&file)?;
    let failed = |error| openledger_content::Error::io("read", &file, error);
    let size = std::fs::metadata(&file).map_err(failed)?.len();
    if size > MAX_BYTES {
        return Err(CliError::failed(format!(
            "{} has {size} bytes; no file of more than {MAX_BYTES} can be submitted",
            file.display()
        ))
        .next("split it"));
    }
    let bytes = std::fs::read(&file).map_err(failed)?;
    let name = file.display().to_string();
    let reading = content::read(media, &bytes, &name)?;
    let Measured { units, text_root } = reading.measured;
    let json = json!({
        "file": file,
        "media": media,
        "size": size,
        "units": units,
        "textRoot": hex::encode(text_root),
        "extractorVersion": EXTRACTOR_VERSION,
        "leftOut": views::left_out(&reading.left_out, units),
        "isolation": reading.isolation.map(|isolation| isolation.name()),
        "text": reading.text,
    });
    let note = format!(
        "{units} {} of {size} bytes, extractor version {EXTRACTOR_VERSION}{}",
        media.modality().unit(),
        views::left_out_in_words(&reading.left_out, units)
    );
    Ok(Answer::new(json, reading.text.unwrap_or_default()).with_note(note))
}
