//! A job's data: the uploaded lines, in shapes that `trainer-worker train` reads.

use super::{private_file, FineTuningError, Method};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{json, Value};
use std::{
    collections::HashSet,
    fmt, fs,
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
    let target = private_file()
        .write(true)
        .truncate(true)
        .open(to)
        .map_err(FineTuningError::disk("write", to))?;
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
        if let Err(error) = serde_json::from_slice::<Once>(text) {
            return refuse(format!("cannot be taken: {}", without_place(&error)));
        }
        let record: Value = match serde_json::from_slice(text) {
            Ok(record @ Value::Object(_)) => record,
            Ok(_) => return refuse("is no JSON object".to_owned()),
            Err(error) => return refuse(format!("cannot be taken: {}", without_place(&error))),
        };
        if method == Method::Supervised && record.get("preferred_output").is_some() {
            return refuse(
                "holds a preference (preferred_output); train on it with method {\"type\": \"dpo\"}"
                    .to_owned(),
            );
        }
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

/// What is wrong, and in which column; which line it is, is said before.
fn without_place(error: &serde_json::Error) -> String {
    let told = error.to_string();
    let told = told.split(" at line ").next().unwrap_or(&told);
    format!("{told} (column {})", error.column())
}

/// JSON in which no key of an object stands twice: readers differ in which of them counts.
struct Once;

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Looking)
    }
}

struct Looking;

impl<'de> Visitor<'de> for Looking {
    type Value = Once;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_str<E>(self, _: &str) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Once, A::Error> {
        while list.next_element::<Once>()?.is_some() {}
        Ok(Once)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Once, A::Error> {
        let mut keys = HashSet::new();
        while let Some((key, Once)) = object.next_entry::<String, Once>()? {
            if let Some(key) = keys.replace(key) {
                return Err(de::Error::custom(format!("the key {key:?} stands there twice")));
            }
        }
        Ok(Once)
    }
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
