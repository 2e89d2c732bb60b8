//! Turning a file into blocks: CID profile `unixfs-v1-2025` (IPIP-499).
//!
//! CIDv1, sha2-256, raw leaves, chunks of 1 MiB, at most 1024 links a node, balanced layout. The
//! same bytes have the same content id on every machine; a file of at most 1 MiB is one raw block,
//! whose digest is the sha2-256 of the file.

use crate::{
    error::{Error, Result},
    store::BlockStore,
};
use openledger_primitives::ContentId;
use rust_unixfs::file::adder::{BalancedCollector, Chunker, FileAdder};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, Read},
    panic::resume_unwind,
    path::Path,
    sync::{mpsc::sync_channel, Arc, Mutex, PoisonError},
    thread,
};

/// Bytes in a chunk.
pub const CHUNK_BYTES: usize = 1 << 20;
/// Threads that write blocks, and blocks that wait for them.
const WRITERS: usize = 4;
/// Most links in a node.
pub const MAX_NODE_LINKS: usize = 1024;

/// What a file is called: all that a submission needs to name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Added {
    /// The root of its tree of blocks.
    pub content: ContentId,
    /// sha2-256 of its flat bytes.
    #[serde(serialize_with = "as_hex")]
    pub sha256: [u8; 32],
    /// Its size in bytes.
    pub size: u64,
}

/// Writes a hash as lower-case hexadecimal.
pub(crate) fn as_hex<S: serde::Serializer>(hash: &[u8; 32], out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&hex::encode(hash))
}

/// Computes content id, sha2-256 and size of a stream of bytes, and stores nothing.
///
/// # Errors
///
/// What reading answers.
pub fn describe(reader: impl Read) -> Result<Added> {
    build(reader, Path::new("the input"), |_, _| Ok(()))
}

/// [`describe`] for a file.
///
/// # Errors
///
/// [`Error::Io`] when the path is not a readable file.
pub fn describe_file(path: &Path) -> Result<Added> {
    build(open(path)?, path, |_, _| Ok(()))
}

/// Stores a stream of bytes, durably, and answers the ids of its blocks too.
///
/// # Errors
///
/// What reading or the store answers; blocks stored before an error stay (they are complete).
pub fn add(store: &BlockStore, reader: impl Read, name: &Path) -> Result<(Added, Vec<ContentId>)> {
    let mut blocks = Vec::new();
    // Blocks are written while the next ones are hashed: a flush waits for the disk, and several
    // share one.
    let (send, receive) = sync_channel::<(ContentId, Vec<u8>)>(WRITERS);
    let receive = Mutex::new(receive);
    let write = || {
        let mut outcome = Ok(());
        loop {
            let next = receive.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok((id, block)) = next else { return outcome };
            // After an error the rest is only taken out of the way of the one who sends it.
            if outcome.is_ok() {
                outcome = store.put_missing(&id, &block);
            }
        }
    };
    let added = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(write)).collect();
        let built = build(reader, name, |id, block| {
            blocks.push(id);
            // The writers receive until the sender is dropped.
            let _ = send.send((id, block));
            Ok(())
        });
        drop(send);
        for writer in writers {
            writer.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        }
        built
    })?;
    Ok((added, blocks))
}

/// Stores a file, durably.
///
/// # Errors
///
/// What the store answers, and [`Error::Io`] when the path is not a readable file.
pub fn add_file(store: &BlockStore, path: &Path) -> Result<Added> {
    add(store, open(path)?, path).map(|(added, _)| added)
}

/// [`add`] for a file.
pub(crate) fn add_blocks(store: &BlockStore, path: &Path) -> Result<(Added, Vec<ContentId>)> {
    add(store, open(path)?, path)
}

fn open(path: &Path) -> Result<File> {
    let file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    let metadata = file.metadata().map_err(|source| Error::io("inspect", path, source))?;
    if metadata.is_dir() {
        let source = io::Error::new(io::ErrorKind::IsADirectory, "it is a directory, not a file");
        return Err(Error::io("read", path, source));
    }
    Ok(file)
}

/// Cuts a stream into blocks, and hashes the whole of it beside.
fn build(
    mut reader: impl Read,
    name: &Path,
    mut sink: impl FnMut(ContentId, Vec<u8>) -> Result<()>,
) -> Result<Added> {
    let mut adder = FileAdder::builder()
        .with_chunker(Chunker::Size(CHUNK_BYTES))
        .with_collector(BalancedCollector::with_branching_factor(MAX_NODE_LINKS))
        .build();
    let mut size = 0u64;
    // The last block that comes out is the root.
    let mut root = None;
    let mut emit = |id: Vec<u8>, block: Vec<u8>| -> Result<()> {
        let id = ContentId::from_bytes(&id)
            .expect("the builder is set to CIDv1, sha2-256, raw leaves and dag-pb nodes");
        root = Some(id);
        sink(id, block)
    };

    // Every byte is hashed twice, in its block and in the whole: the whole has a thread of its own.
    let (send, receive) = sync_channel::<Arc<Vec<u8>>>(2);
    let sha256 = thread::scope(|scope| {
        let hasher = scope.spawn(move || {
            let mut sha256 = Sha256::new();
            for chunk in receive {
                sha256.update(chunk.as_slice());
            }
            sha256.finalize()
        });
        loop {
            let mut chunk = vec![0; CHUNK_BYTES];
            let filled =
                fill(&mut reader, &mut chunk).map_err(|source| Error::io("read", name, source))?;
            chunk.truncate(filled);
            size += filled as u64;
            let chunk = Arc::new(chunk);
            // The hasher receives until the sender is dropped.
            let _ = send.send(chunk.clone());
            let mut rest = chunk.as_slice();
            while !rest.is_empty() {
                let (blocks, consumed) = adder.push(rest);
                for (cid, block) in blocks {
                    emit(cid.to_bytes(), block)?;
                }
                rest = rest.get(consumed..).unwrap_or_default();
            }
            if filled < CHUNK_BYTES {
                break;
            }
        }
        drop(send);
        Ok(hasher.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })?;
    for (cid, block) in adder.finish() {
        emit(cid.to_bytes(), block)?;
    }
    let content = root.expect("even the empty file is one block");
    Ok(Added { content, sha256: sha256.into(), size })
}

/// Fills `buffer` as far as the stream goes; returns the bytes read.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
