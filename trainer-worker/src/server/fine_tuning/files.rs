//! Uploaded files, kept for the key that sent them.

use super::{is_id, new_id, now, private_folder, write_durably, FineTuningError, Owner};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// How a file's id begins.
const PREFIX: &str = "file-";
/// Longest name of a file that is kept, in bytes.
const MAX_NAME: usize = 255;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// To be trained on.
    FineTune,
    /// What a training wrote.
    FineTuneResults,
}

/// A file, as OpenAI's API shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileObject {
    /// Its id.
    pub id: String,
    /// `file`.
    pub object: String,
    /// Its size.
    pub bytes: u64,
    /// Seconds since 1970.
    pub created_at: u64,
    /// The name it was sent with.
    pub filename: String,
    /// What it is for.
    pub purpose: Purpose,
    /// `processed`: it is looked at when a job names it.
    pub status: String,
    /// Whose it is.
    #[serde(rename = "owner")]
    owner: Owner,
}

impl FileObject {
    /// As it is shown: everything but whose it is.
    pub fn shown(&self) -> serde_json::Value {
        serde_json::json!({
            "id": self.id,
            "object": self.object,
            "bytes": self.bytes,
            "created_at": self.created_at,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": self.status,
        })
    }
}

/// What a key may keep.
#[derive(Debug, Clone, Copy)]
pub struct FileQuota {
    /// Bytes of a file.
    pub file_bytes: u64,
    /// Bytes in all.
    pub bytes: u64,
    /// Files.
    pub files: u64,
}

impl Default for FileQuota {
    fn default() -> Self {
        Self { file_bytes: 100 << 20, bytes: 1 << 30, files: 1_000 }
    }
}

/// A folder of files, `<id>` with the bytes and `<id>.json` with what is known of it.
pub struct FileStore {
    folder: PathBuf,
    quota: FileQuota,
    files: Mutex<Files>,
}

/// Files of each key, by id.
type Files = BTreeMap<Owner, BTreeMap<String, FileObject>>;

impl FileStore {
    /// Opens the folder, which is made if need be. What an interrupted upload left is removed.
    ///
    /// # Errors
    ///
    /// [`FineTuningError::Disk`].
    pub fn open(folder: PathBuf, quota: FileQuota) -> Result<Self, FineTuningError> {
        private_folder(&folder)?;
        let mut files = BTreeMap::new();
        let mut bytes = Vec::new();
        let entries = fs::read_dir(&folder).map_err(FineTuningError::disk("list", &folder))?;
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            match name.strip_suffix(".json") {
                Some(id) if is_id(PREFIX, id) => {
                    let text = fs::read(entry.path());
                    let text = text.map_err(FineTuningError::disk("read", entry.path()))?;
                    // What another version wrote is somebody's: its bytes are not taken for half
                    // an upload.
                    let file = serde_json::from_slice::<FileObject>(&text)
                        .map_err(io::Error::from)
                        .map_err(FineTuningError::disk("understand", entry.path()))?;
                    files.insert(id.to_owned(), file);
                }
                _ => bytes.push((name, entry.path())),
            }
        }
        files.retain(|id, _| bytes.iter().any(|(name, _)| name == id));
        for (_, path) in bytes.into_iter().filter(|(name, _)| !files.contains_key(name)) {
            fs::remove_file(&path).map_err(FineTuningError::disk("remove", &path))?;
        }
        let mut of_owners = Files::new();
        for (id, file) in files {
            of_owners.entry(file.owner.clone()).or_default().insert(id, file);
        }
        Ok(Self { folder, quota, files: Mutex::new(of_owners) })
    }

    /// The most bytes that a file may have.
    pub fn file_limit(&self) -> u64 {
        self.quota.file_bytes
    }

    /// A temporary file in the store's folder, to receive an upload.
    ///
    /// # Errors
    ///
    /// [`FineTuningError::Disk`].
    pub fn receive(&self) -> Result<tempfile::NamedTempFile, FineTuningError> {
        let failed = FineTuningError::disk("create a file in", &self.folder);
        tempfile::NamedTempFile::new_in(&self.folder).map_err(failed)
    }

    /// Checks that a key may keep another file of `bytes` bytes.
    ///
    /// # Errors
    ///
    /// [`FineTuningError::Quota`].
    pub fn admit(&self, owner: &Owner, bytes: u64) -> Result<(), FineTuningError> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        self.check(&files, owner, bytes)
    }

    fn check(&self, files: &Files, owner: &Owner, bytes: u64) -> Result<(), FineTuningError> {
        let own = files.get(owner).into_iter().flatten().map(|(_, file)| file);
        let (count, total) = own.fold((0, 0), |(n, sum), file| (n + 1, sum + file.bytes));
        let quota = |what, value, limit, next| {
            (value > limit).then_some(FineTuningError::Quota { what, value, limit, next })
        };
        let next = "delete files that no job needs: DELETE /v1/files/{id}";
        let refused = quota("bytes of a file", bytes, self.quota.file_bytes, "split the file")
            .or_else(|| quota("bytes of files", total + bytes, self.quota.bytes, next))
            .or_else(|| quota("files", count + 1, self.quota.files, next));
        refused.map_or(Ok(()), Err)
    }

    /// Keeps what was received.
    ///
    /// # Errors
    ///
    /// [`FineTuningError::Quota`], [`FineTuningError::Field`] for an empty file,
    /// [`FineTuningError::Disk`].
    pub fn keep(
        &self,
        owner: &Owner,
        received: tempfile::NamedTempFile,
        filename: &str,
        purpose: Purpose,
    ) -> Result<FileObject, FineTuningError> {
        let failed =
            |cause| FineTuningError::Disk { action: "write", path: self.folder.clone(), cause };
        let bytes = received.as_file().metadata().map_err(failed)?.len();
        if bytes == 0 {
            return Err(FineTuningError::field("file", "the file is empty"));
        }
        received.as_file().sync_all().map_err(failed)?;
        let id = new_id(PREFIX)?;
        let odd = |c: char| c.is_control() || is_hidden(c) || c == '/' || c == '\\';
        let mut name = filename.replace(odd, "_");
        while name.len() > MAX_NAME {
            name.pop();
        }
        let file = FileObject {
            id: id.clone(),
            object: "file".to_owned(),
            bytes,
            created_at: now(),
            filename: if name.is_empty() { "upload.jsonl".to_owned() } else { name },
            purpose,
            status: "processed".to_owned(),
            owner: owner.clone(),
        };
        let text = serde_json::to_vec(&file).map_err(|error| failed(io::Error::other(error)))?;
        // Two uploads at once are both counted: the check and the entry are one step.
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        self.check(&files, owner, bytes)?;
        received.persist(self.path(&id)).map_err(|error| failed(error.error))?;
        write_durably(&self.folder.join(format!("{id}.json")), &text)?;
        files.entry(owner.clone()).or_default().insert(id, file.clone());
        Ok(file)
    }

    /// A key's files, the newest first.
    pub fn list(&self, owner: &Owner) -> Vec<FileObject> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let own = files.get(owner).into_iter().flatten();
        let mut own: Vec<_> = own.map(|(_, file)| file.clone()).collect();
        own.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| b.id.cmp(&a.id)));
        own
    }

    /// A file of a key.
    ///
    /// # Errors
    ///
    /// [`FineTuningError::Unknown`], also for another key's.
    pub fn get(&self, owner: &Owner, id: &str) -> Result<FileObject, FineTuningError> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let own = files.get(owner).and_then(|own| own.get(id));
        own.cloned().ok_or_else(|| FineTuningError::Unknown { what: "file", id: id.to_owned() })
    }

    /// Where a file's bytes lie. Only for ids that [`Self::get`] gave.
    pub fn path(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    /// Removes a file.
    ///
    /// # Errors
    ///
    /// [`FineTuningError::Unknown`], [`FineTuningError::Disk`].
    pub fn delete(&self, owner: &Owner, id: &str) -> Result<(), FineTuningError> {
        self.get(owner, id)?;
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        // The description goes first: bytes without one are removed at the next start.
        for path in [self.folder.join(format!("{id}.json")), self.path(id)] {
            remove(&path)?;
        }
        if let Some(own) = files.get_mut(owner) {
            own.remove(id);
        }
        Ok(())
    }
}

/// Whether a character is not seen, and can make what is seen be read in another order.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn remove(path: &Path) -> Result<(), FineTuningError> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(FineTuningError::Disk { action: "remove", path: path.to_owned(), cause })
        }
        _ => Ok(()),
    }
}
