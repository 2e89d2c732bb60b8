//! TensorBoard event files, written without TensorFlow.
//!
//! A file is a sequence of TFRecords, each framed as length (u64, little-endian), masked CRC-32C of
//! the length, payload, masked CRC-32C of the payload. A payload is the protocol buffer
//! `tensorflow.Event` (tensorflow/core/util/event.proto); only the fields that scalars need are
//! encoded here.

use crate::error::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Longest tag that is written, in bytes.
const MAX_TAG: usize = 1024;

const CRC_TABLE: [u32; 256] = crc_table();

/// The table of CRC-32C (Castagnoli, reflected polynomial 0x82F63B78).
const fn crc_table() -> [u32; 256] {
    let mut table = [0u32; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82F6_3B78 } else { crc >> 1 };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
}

/// CRC-32C of some bytes.
pub fn crc32c(bytes: &[u8]) -> u32 {
    let crc = bytes.iter().fold(!0u32, |crc, byte| {
        let index = ((crc ^ u32::from(*byte)) & 0xFF) as usize;
        (crc >> 8) ^ CRC_TABLE[index]
    });
    !crc
}

/// The masked checksum of TFRecords: a file that holds records must not hold their checksums as
/// they are.
pub fn masked_crc32c(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xA282_EAD8)
}

/// A protocol buffer under construction.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value as u8 & 0x7F) | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn key(&mut self, field: u64, wire_type: u64) {
        self.varint(field << 3 | wire_type);
    }

    fn double(mut self, field: u64, value: f64) -> Self {
        self.key(field, 1);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn float(mut self, field: u64, value: f32) -> Self {
        self.key(field, 5);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn integer(mut self, field: u64, value: u64) -> Self {
        self.key(field, 0);
        self.varint(value);
        self
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.key(field, 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }
}

/// An event file that is open for writing.
#[derive(Debug)]
pub struct EventWriter {
    file: File,
    path: PathBuf,
}

impl EventWriter {
    /// Creates an event file in `dir`, which is created. When the run goes on from a checkpoint,
    /// `resumed` is the number of steps done: TensorBoard then drops what an earlier file of the
    /// folder says about later ones.
    pub fn create(dir: &Path, resumed: Option<u64>) -> Result<Self> {
        std::fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
        let seconds = now();
        let host: String = std::fs::read_to_string("/proc/sys/kernel/hostname")
            .unwrap_or_default()
            .trim()
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .take(64)
            .collect();
        let host = if host.is_empty() { "localhost" } else { host.as_str() };
        let process = std::process::id();
        // The first free number: two runs may start in one second.
        for number in 0..1000 {
            let name = format!("events.out.tfevents.{}.{host}.{process}.{number}", seconds as u64);
            let path = dir.join(name);
            match File::options().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    let mut writer = Self { file, path };
                    let version = Message::default().double(1, seconds).bytes(3, b"brain.Event:2");
                    writer.record(&version.0)?;
                    if let Some(step) = resumed {
                        // SessionLog with status START.
                        let log = Message::default().integer(1, 1);
                        let event = Message::default()
                            .double(1, seconds)
                            .integer(2, step + 1)
                            .bytes(7, &log.0);
                        writer.record(&event.0)?;
                    }
                    return Ok(writer);
                }
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(Error::io("create", &path)(e)),
            }
        }
        Err(Error::io("create an event file in", dir)(std::io::ErrorKind::AlreadyExists.into()))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the scalars of a step, each under its tag (such as `train/loss`).
    pub fn scalars(&mut self, step: u64, values: &[(&str, f64)]) -> Result<()> {
        let mut summary = Message::default();
        for (tag, value) in values {
            let tag = tag.as_bytes();
            let tag = tag.get(..MAX_TAG).unwrap_or(tag);
            let value = Message::default().bytes(1, tag).float(2, *value as f32);
            summary = summary.bytes(1, &value.0);
        }
        let event = Message::default().double(1, now()).integer(2, step).bytes(5, &summary.0);
        self.record(&event.0)
    }

    /// One write a record, so that a reader never sees half of one for long.
    fn record(&mut self, payload: &[u8]) -> Result<()> {
        let length = (payload.len() as u64).to_le_bytes();
        let mut bytes = Vec::with_capacity(payload.len() + 16);
        bytes.extend_from_slice(&length);
        bytes.extend_from_slice(&masked_crc32c(&length).to_le_bytes());
        bytes.extend_from_slice(payload);
        bytes.extend_from_slice(&masked_crc32c(payload).to_le_bytes());
        self.file.write_all(&bytes).map_err(Error::io("write", &self.path))
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}
