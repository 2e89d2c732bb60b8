//! Parquet. Rows come from the `parquet` crate; pages are decompressed here, so that none becomes
//! more than is read, and the footer is walked before the crate sees it, since sizes and depths that
//! it only claims would be believed.

use super::{too_deep, Lines, MAX_DEPTH, MAX_ROWS};
use crate::data::unpack;
use bytes::Bytes;
use parquet::basic::{Compression, Type as Physical};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::{SerializedFileReader, SerializedPageReader};
use parquet::record::reader::RowIter;
use parquet::record::Field;
use parquet::schema::types::Type;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

/// Largest footer, in bytes.
const MAX_FOOTER: usize = 8 << 20;
/// Most bytes of one page.
const MAX_PAGE: usize = 128 << 20;
/// Most values of one column of a row group: a few bytes can claim billions that are empty.
const MAX_VALUES: usize = 16 << 20;
/// Most bytes of all pages of a file.
const MAX_PAGES: usize = 2 << 30;

pub(super) fn read(bytes: &[u8], lines: &mut Lines) -> Result<(), String> {
    check_footer(bytes)?;
    let fail = |error: ParquetError| match error {
        ParquetError::External(own) => own.to_string(),
        other => format!("it is no Parquet file that can be read: {other}"),
    };
    let data = Bytes::copy_from_slice(bytes);
    let file = SerializedFileReader::new(data.clone()).map_err(fail)?;
    let schema = file.metadata().file_metadata().schema().clone();
    let (read, numbers): (Vec<_>, Vec<_>) =
        schema.get_fields().iter().cloned().partition(|field| !only_numbers(field, false));
    if read.is_empty() {
        return Err("its columns hold only lists of numbers; give the text itself".to_owned());
    }
    let projection = Type::group_type_builder(schema.name()).with_fields(read).build();
    let projection = projection.map_err(fail)?;
    let room = Arc::new(AtomicUsize::new(MAX_PAGES));
    for index in 0..file.metadata().num_row_groups() {
        let metadata = file.metadata().row_group(index);
        if usize::try_from(metadata.num_rows()).map_or(true, |rows| rows > MAX_ROWS) {
            return Err(format!(
                "a row group has {} rows, at most {MAX_ROWS}",
                metadata.num_rows()
            ));
        }
        let group = Group { metadata, data: Arc::new(data.clone()), room: room.clone() };
        for row in RowIter::from_row_group(Some(projection.clone()), &group).map_err(fail)? {
            let row = row.map_err(fail)?;
            lines.raw("{")?;
            for (index, (name, field)) in row.get_column_iter().enumerate() {
                if index > 0 {
                    lines.raw(",")?;
                }
                lines.string(name)?;
                lines.raw(":")?;
                value(field, lines, 0)?;
            }
            for column in &numbers {
                lines.raw(",")?;
                lines.string(column.name())?;
                lines.raw(":\"(numbers)\"")?;
            }
            lines.raw("}")?;
            lines.end()?;
        }
    }
    Ok(())
}

/// Whether a column is lists of numbers, such as tokens or embeddings, which no rule reads.
fn only_numbers(field: &Type, repeated: bool) -> bool {
    let info = field.get_basic_info();
    let repeated = repeated
        || (info.has_repetition() && info.repetition() == parquet::basic::Repetition::REPEATED);
    match field {
        Type::PrimitiveType { physical_type, .. } => {
            repeated
                && !matches!(physical_type, Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY)
        }
        Type::GroupType { fields, .. } => {
            !fields.is_empty() && fields.iter().all(|field| only_numbers(field, repeated))
        }
    }
}

fn value(field: &Field, lines: &mut Lines, depth: usize) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    match field {
        Field::Null => lines.raw("null"),
        Field::Bool(value) => lines.raw(if *value { "true" } else { "false" }),
        Field::Byte(value) => lines.raw(&value.to_string()),
        Field::Short(value) => lines.raw(&value.to_string()),
        Field::Int(value) => lines.raw(&value.to_string()),
        Field::Long(value) => lines.raw(&value.to_string()),
        Field::UByte(value) => lines.raw(&value.to_string()),
        Field::UShort(value) => lines.raw(&value.to_string()),
        Field::UInt(value) => lines.raw(&value.to_string()),
        Field::ULong(value) => lines.raw(&value.to_string()),
        Field::Float16(value) => lines.number(f64::from(*value)),
        Field::Float(value) => lines.number(f64::from(*value)),
        Field::Double(value) => lines.number(*value),
        Field::Str(text) => lines.string(text),
        // Some writers leave out that a column is text.
        Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
            Ok(text) => lines.string(text),
            Err(_) => lines.string("(bytes)"),
        },
        Field::Group(row) => {
            lines.items(["{", "}"], row.get_column_iter(), |lines, (name, field)| {
                lines.string(name)?;
                lines.raw(":")?;
                value(field, lines, depth + 1)
            })
        }
        Field::ListInternal(list) => {
            lines.items(["[", "]"], list.elements().iter(), |lines, item| {
                value(item, lines, depth + 1)
            })
        }
        Field::MapInternal(map) => {
            lines.items(["{", "}"], map.entries().iter(), |lines, (key, item)| {
                let key = match key {
                    Field::Str(text) => text.clone(),
                    other => other.to_string(),
                };
                lines.string(&key)?;
                lines.raw(":")?;
                value(item, lines, depth + 1)
            })
        }
        // Times and decimals are no text; that the column was there is still seen.
        other => lines.string(&other.to_string()),
    }
}

/// A row group whose pages are decompressed within limits.
struct Group<'a> {
    metadata: &'a RowGroupMetaData,
    data: Arc<Bytes>,
    /// Bytes that the file's pages may still become.
    room: Arc<AtomicUsize>,
}

impl RowGroupReader for Group<'_> {
    fn metadata(&self) -> &RowGroupMetaData {
        self.metadata
    }

    fn num_columns(&self) -> usize {
        self.metadata.num_columns()
    }

    fn get_column_page_reader(&self, i: usize) -> ParquetResult<Box<dyn PageReader>> {
        let column = self.metadata.column(i);
        let compression = column.compression();
        // Taken as not compressed, the crate hands out pages as they lie in the file.
        let plain =
            column.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
        let rows = usize::try_from(self.metadata.num_rows())?;
        let inner = SerializedPageReader::new(self.data.clone(), &plain, rows, None)?;
        Ok(Box::new(Pages { inner, compression, values: 0, room: self.room.clone() }))
    }

    fn get_column_bloom_filter(&self, _: usize) -> Option<&Sbbf> {
        None
    }

    fn get_row_iter(&self, projection: Option<Type>) -> ParquetResult<RowIter<'_>> {
        RowIter::from_row_group(projection, self)
    }
}

struct Pages {
    inner: SerializedPageReader<Bytes>,
    compression: Compression,
    values: usize,
    room: Arc<AtomicUsize>,
}

fn own(reason: impl Into<String>) -> ParquetError {
    ParquetError::External(reason.into().into())
}

impl Pages {
    fn unpacked(&self, data: &Bytes) -> ParquetResult<Bytes> {
        let room = self.room.load(Ordering::Relaxed).min(MAX_PAGE);
        let much = || {
            own(format!(
                "its pages decompress to more than is read ({MAX_PAGE} bytes a page, {MAX_PAGES} a \
                 file); split it into smaller files"
            ))
        };
        let made = match self.compression {
            Compression::UNCOMPRESSED => data.clone(),
            // A page of nothing but nulls has no data.
            _ if data.is_empty() => data.clone(),
            Compression::SNAPPY => {
                let size = snap::raw::decompress_len(data).map_err(|e| own(e.to_string()))?;
                if size > room {
                    return Err(much());
                }
                let made = snap::raw::Decoder::new().decompress_vec(data);
                Bytes::from(made.map_err(|e| own(format!("a page is damaged: {e}")))?)
            }
            Compression::GZIP(_) => Bytes::from(unpack::gzip(data, room).map_err(own)?),
            Compression::ZSTD(_) => Bytes::from(unpack::zstd(data, room).map_err(own)?),
            other => {
                return Err(own(format!(
                    "its pages are compressed by {other}; write it with compression=\"zstd\" or \
                     \"snappy\""
                )))
            }
        };
        if made.len() > room {
            return Err(much());
        }
        self.room.fetch_sub(made.len(), Ordering::Relaxed);
        Ok(made)
    }

    fn bounded(&mut self, page: Page) -> ParquetResult<Page> {
        self.values = self.values.saturating_add(page.num_values() as usize);
        if self.values > MAX_VALUES {
            return Err(own(format!(
                "a column has more than {MAX_VALUES} values in one row group; write smaller ones \
                 (row_group_size)"
            )));
        }
        Ok(match page {
            Page::DataPage {
                buf,
                num_values,
                encoding,
                def_level_encoding,
                rep_level_encoding,
                ..
            } => Page::DataPage {
                buf: self.unpacked(&buf)?,
                num_values,
                encoding,
                def_level_encoding,
                rep_level_encoding,
                statistics: None,
            },
            Page::DataPageV2 {
                buf,
                num_values,
                encoding,
                num_nulls,
                num_rows,
                def_levels_byte_len,
                rep_levels_byte_len,
                is_compressed,
                ..
            } => {
                let levels = def_levels_byte_len as usize + rep_levels_byte_len as usize;
                if levels > buf.len() {
                    return Err(own("a page is damaged: its levels are longer than itself"));
                }
                let buf = if is_compressed {
                    let mut made = buf.slice(..levels).to_vec();
                    made.extend_from_slice(&self.unpacked(&buf.slice(levels..))?);
                    Bytes::from(made)
                } else {
                    buf
                };
                Page::DataPageV2 {
                    buf,
                    num_values,
                    encoding,
                    num_nulls,
                    num_rows,
                    def_levels_byte_len,
                    rep_levels_byte_len,
                    is_compressed: false,
                    statistics: None,
                }
            }
            Page::DictionaryPage { buf, num_values, encoding, is_sorted } => {
                Page::DictionaryPage { buf: self.unpacked(&buf)?, num_values, encoding, is_sorted }
            }
        })
    }
}

impl Iterator for Pages {
    type Item = ParquetResult<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> ParquetResult<Option<Page>> {
        match self.inner.get_next_page()? {
            Some(page) => self.bounded(page).map(Some),
            None => Ok(None),
        }
    }

    fn peek_next_page(&mut self) -> ParquetResult<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> ParquetResult<()> {
        self.inner.skip_next_page()
    }
}

/// Walks the footer (Thrift's compact protocol): every list must be no longer than the bytes that are
/// left for it, and the schema no deeper than is read.
fn check_footer(bytes: &[u8]) -> Result<(), String> {
    let none = || "it is no Parquet file, or it is cut off".to_owned();
    let end = bytes.len().checked_sub(8).ok_or_else(none)?;
    let (length, mark) =
        bytes.get(end..).and_then(|end| end.split_at_checked(4)).ok_or_else(none)?;
    if mark == b"PARE" {
        return Err("it is encrypted".to_owned());
    }
    if mark != b"PAR1" || !bytes.starts_with(b"PAR1") {
        return Err(none());
    }
    let length = length.try_into().map(u32::from_le_bytes).map_err(|_| none())? as usize;
    if length > MAX_FOOTER {
        return Err(format!("its footer has {length} bytes, at most {MAX_FOOTER} are read"));
    }
    let footer = end.checked_sub(length).and_then(|at| bytes.get(at..end)).ok_or_else(none)?;
    let mut walk = Walk { rest: footer, children: Vec::new() };
    walk.structure(0, Place::File).ok_or("its footer is damaged")?;
    // Children follow their group, depth first.
    let mut open: Vec<u64> = Vec::new();
    for children in walk.children {
        while open.last() == Some(&0) {
            open.pop();
        }
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        if children > 0 {
            open.push(children);
        }
        if open.len() > MAX_DEPTH {
            return Err(too_deep());
        }
    }
    Ok(())
}

/// Where in the footer a value is.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    File,
    Schema,
    Other,
}

struct Walk<'a> {
    rest: &'a [u8],
    /// The number of children of each element of the schema, in the order of the file.
    children: Vec<u64>,
}

impl Walk<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn skip(&mut self, length: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(length).ok()?..)?;
        Some(())
    }

    fn structure(&mut self, depth: usize, place: Place) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        let element = self.children.len();
        if place == Place::Schema {
            self.children.push(0);
        }
        let mut field = 0_i64;
        loop {
            let head = self.byte()?;
            let kind = head & 15;
            if kind == 0 {
                return Some(());
            }
            field = match head >> 4 {
                0 => {
                    let number = self.varint()?;
                    (number >> 1) as i64 ^ -((number & 1) as i64)
                }
                step => field.checked_add(i64::from(step))?,
            };
            match (place, field, kind) {
                // `SchemaElement.num_children`
                (Place::Schema, 5, 4..=6) => {
                    let count = self.varint()? >> 1;
                    *self.children.get_mut(element)? = count;
                }
                // Booleans stand in the field's head.
                (_, _, 1 | 2) => {}
                // `FileMetaData.schema`
                (Place::File, 2, 9) => self.value(9, depth, Place::Schema)?,
                _ => self.value(kind, depth, Place::Other)?,
            }
        }
    }

    fn value(&mut self, kind: u8, depth: usize, place: Place) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match kind {
            1..=3 => self.skip(1),
            4..=6 => self.varint().map(|_| ()),
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = match head >> 4 {
                    15 => self.varint()?,
                    few => u64::from(few),
                };
                self.fits(count)?;
                (0..count).try_for_each(|_| self.value(head & 15, depth + 1, place))
            }
            11 => {
                let count = self.varint()?;
                if count == 0 {
                    return Some(());
                }
                self.fits(count)?;
                let kinds = self.byte()?;
                (0..count).try_for_each(|_| {
                    self.value(kinds >> 4, depth + 1, Place::Other)?;
                    self.value(kinds & 15, depth + 1, Place::Other)
                })
            }
            12 => self.structure(depth + 1, place),
            _ => None,
        }
    }

    /// Every item has a byte of its own.
    fn fits(&self, count: u64) -> Option<()> {
        (count <= self.rest.len() as u64).then_some(())
    }
}
