//! A job's data: the uploaded lines, in shapes that `trainer-worker train` reads.

use super::{FineTuningError, Method};
use serde_json::{json, Value};
use std::{
    fs,
    io::{BufRead, BufReader, BufWriter, Read, Write},
    path::Path,
};

/// Longest line that is read.
const MAX_LINE: u64 = 16 << 20;

/// Writes the data of a file of `field` to `to`. Answers are taken as they are; OpenAI's preferences
/// (`input`, `preferred_output`, `non_preferred_output`) become a question with two answers.
///
/// # Errors
///
/// [`FineTuningError::Field`] naming the line that cannot be read, [`FineTuningError::Disk`].
pub(super) fn prepare(
    from: &Path,
    to: &Path,
    method: Method,
    field: &str,
) -> Result<(), FineTuningError> {
    let source = fs::File::open(from).map_err(FineTuningError::disk("read", from))?;
    let mut source = BufReader::new(source);
    let target = fs::File::create(to).map_err(FineTuningError::disk("write", to))?;
    let mut target = BufWriter::new(target);
    let mut line = Vec::new();
    let mut number = 0u64;
    loop {
        line.clear();
        number += 1;
        let read = source.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut line);
        if read.map_err(FineTuningError::disk("read", from))? == 0 {
            break;
        }
        let refuse = |reason: String| {
            Err(FineTuningError::field(field, format!("line {number} of {field} {reason}")))
        };
        if line.len() as u64 > MAX_LINE {
            return refuse(format!("is longer than {MAX_LINE} bytes"));
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let record: Value = match serde_json::from_slice(text) {
            Ok(record @ Value::Object(_)) => record,
            Ok(_) => return refuse("is no JSON object".to_owned()),
            Err(error) => return refuse(format!("is no JSON: {error}")),
        };
        let record = match method {
            Method::Dpo if record.get("preferred_output").is_some() => preference(&record),
            _ => record,
        };
        let write = serde_json::to_writer(&mut target, &record).map_err(std::io::Error::other);
        write.and_then(|()| target.write_all(b"\n")).map_err(FineTuningError::disk("write", to))?;
    }
    let file = target.into_inner().map_err(|error| error.into_error());
    file.and_then(|file| file.sync_all()).map_err(FineTuningError::disk("write", to))
}

fn preference(record: &Value) -> Value {
    let part = |name: &str| record.get(name).cloned().unwrap_or(Value::Null);
    let input = part("input");
    let question = input.get("messages").cloned().unwrap_or(input);
    json!({
        "prompt": question,
        "chosen": part("preferred_output"),
        "rejected": part("non_preferred_output"),
    })
}
