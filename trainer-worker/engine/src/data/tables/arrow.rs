//! Arrow's stream format, which `datasets` writes, and its file format, which is the same between a
//! mark and an index.

use super::{too_deep, Lines, MAX_DEPTH, MAX_ROWS};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Float16Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    Int8Type, UInt16Type, UInt32Type, UInt64Type, UInt8Type,
};
use arrow_array::Array;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::DataType;

const FILE_MARK: &[u8] = b"ARROW1\0\0";

pub(super) fn read(bytes: &[u8], lines: &mut Lines) -> Result<(), String> {
    let fail = |error: arrow_schema::ArrowError| match error {
        arrow_schema::ArrowError::NotYetImplemented(what)
        | arrow_schema::ArrowError::InvalidArgumentError(what)
            if what.contains("compress") || what.contains("feature") =>
        {
            "its buffers are compressed; write it without compression, or as Parquet".to_owned()
        }
        other => format!("it is no Arrow data that can be read: {other}"),
    };
    let stream = bytes.strip_prefix(FILE_MARK).unwrap_or(bytes);
    // A file's parts begin at multiples of 8 bytes, so the copy is aligned as they are.
    let mut buffer = Buffer::from(stream);
    let mut decoder = StreamDecoder::new();
    while !buffer.is_empty() {
        let before = buffer.len();
        let batch = match decoder.decode(&mut buffer) {
            Ok(batch) => batch,
            // What follows the end of a file's stream is its index.
            Err(_) if stream.len() != bytes.len() && ended(stream, buffer.len()) => break,
            Err(error) => return Err(fail(error)),
        };
        let Some(batch) = batch else {
            if buffer.len() == before {
                break;
            }
            continue;
        };
        if batch.num_rows() > MAX_ROWS {
            return Err(format!("it has more than {MAX_ROWS} rows"));
        }
        let schema = batch.schema();
        for row in 0..batch.num_rows() {
            let columns = schema.fields().iter().zip(batch.columns());
            lines.items(["{", "}"], columns, |lines, (field, column)| {
                lines.string(field.name())?;
                lines.raw(":")?;
                value(column.as_ref(), row, lines, 0)
            })?;
            lines.end()?;
        }
    }
    if decoder.schema().is_none() {
        return Err("it holds no Arrow data".to_owned());
    }
    Ok(())
}

/// Whether what was read so far ends with a stream's mark of its end.
fn ended(stream: &[u8], left: usize) -> bool {
    let read = stream.len().saturating_sub(left);
    const END: &[u8] = &[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0];
    stream.get(..read).is_some_and(|read| read.ends_with(END))
}

fn value(array: &dyn Array, row: usize, lines: &mut Lines, depth: usize) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    if array.is_null(row) {
        return lines.raw("null");
    }
    macro_rules! whole {
        ($type:ty) => {
            lines.raw(&array.as_primitive::<$type>().value(row).to_string())
        };
    }
    match array.data_type() {
        DataType::Null => lines.raw("null"),
        DataType::Boolean => lines.raw(&array.as_boolean().value(row).to_string()),
        DataType::Int8 => whole!(Int8Type),
        DataType::Int16 => whole!(Int16Type),
        DataType::Int32 => whole!(Int32Type),
        DataType::Int64 => whole!(Int64Type),
        DataType::UInt8 => whole!(UInt8Type),
        DataType::UInt16 => whole!(UInt16Type),
        DataType::UInt32 => whole!(UInt32Type),
        DataType::UInt64 => whole!(UInt64Type),
        DataType::Float16 => {
            lines.number(f64::from(array.as_primitive::<Float16Type>().value(row)))
        }
        DataType::Float32 => {
            lines.number(f64::from(array.as_primitive::<Float32Type>().value(row)))
        }
        DataType::Float64 => lines.number(array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => lines.string(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => lines.string(array.as_string::<i64>().value(row)),
        DataType::Utf8View => lines.string(array.as_string_view().value(row)),
        DataType::List(_) => list(array.as_list::<i32>().value(row).as_ref(), lines, depth),
        DataType::LargeList(_) => list(array.as_list::<i64>().value(row).as_ref(), lines, depth),
        DataType::FixedSizeList(..) => {
            list(array.as_fixed_size_list().value(row).as_ref(), lines, depth)
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            lines.items(["{", "}"], columns, |lines, (field, column)| {
                lines.string(field.name())?;
                lines.raw(":")?;
                value(column.as_ref(), row, lines, depth + 1)
            })
        }
        DataType::Dictionary(key, _) => match key.as_ref() {
            DataType::Int8 => word::<Int8Type>(array, row, lines, depth),
            DataType::Int16 => word::<Int16Type>(array, row, lines, depth),
            DataType::Int32 => word::<Int32Type>(array, row, lines, depth),
            DataType::Int64 => word::<Int64Type>(array, row, lines, depth),
            DataType::UInt8 => word::<UInt8Type>(array, row, lines, depth),
            DataType::UInt16 => word::<UInt16Type>(array, row, lines, depth),
            DataType::UInt32 => word::<UInt32Type>(array, row, lines, depth),
            DataType::UInt64 => word::<UInt64Type>(array, row, lines, depth),
            other => Err(format!("its dictionaries have keys of type {other}")),
        },
        // Times, decimals and bytes are no text; that the column was there is still seen.
        other => lines.string(&format!("({other})")),
    }
}

fn list(items: &dyn Array, lines: &mut Lines, depth: usize) -> Result<(), String> {
    lines.items(["[", "]"], 0..items.len(), |lines, index| value(items, index, lines, depth + 1))
}

/// A value of a dictionary.
fn word<K: ArrowDictionaryKeyType>(
    array: &dyn Array,
    row: usize,
    lines: &mut Lines,
    depth: usize,
) -> Result<(), String> {
    let dictionary = array.as_dictionary::<K>();
    match dictionary.key(row) {
        Some(key) if key < dictionary.values().len() => {
            value(dictionary.values().as_ref(), key, lines, depth + 1)
        }
        Some(_) => Err("it names a value that its dictionary lacks".to_owned()),
        None => lines.raw("null"),
    }
}
