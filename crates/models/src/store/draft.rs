//! A version in the making.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::manifest;
use super::{FileRecord, Manifest, StoreError, digest};

/// Begins the name of a folder in which a version is made.
const NEW: &str = ".new-";

/// Begins the name of a folder that is being deleted.
const OLD: &str = ".old-";

/// Held locked in a draft's folder while its process lives.
const LOCK: &str = "lock";

/// A draft without a lock is between two steps of its process, or its process died there.
const STEP: Duration = Duration::from_secs(3600);

/// A folder in which a version is made; it is deleted when it is dropped before it became one.
#[derive(Debug)]
pub struct Draft {
    folder: TempDir,
    _lock: File,
}

impl Draft {
    pub(super) fn new(root: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(root).map_err(StoreError::io("create", root))?;
        // Nobody sweeps while a draft has no lock of its own yet.
        let gate = root.with_extension("lock");
        let gate = File::create(&gate)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(StoreError::io("lock", &gate))?;
        sweep(root);
        let folder = temporary(NEW, root)?;
        let path = folder.path().join(LOCK);
        let lock = File::create(&path).map_err(StoreError::io("create", &path))?;
        lock.lock().map_err(StoreError::io("lock", &path))?;
        drop(gate);
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// Writes a file that belongs to the model.
    pub fn write(&self, role: &str, name: &str, bytes: &[u8]) -> Result<FileRecord, StoreError> {
        let path = self.folder.path().join(name);
        let mut file = create(&path)?;
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .map_err(StoreError::io("write", &path))?;
        Ok(FileRecord {
            role: role.to_owned(),
            path: PathBuf::from(name),
            bytes: bytes.len() as u64,
            sha256: digest::of(bytes),
        })
    }

    /// Takes a copy of a file, under `name`.
    pub fn copy(&self, role: &str, from: &Path, name: &str) -> Result<FileRecord, StoreError> {
        let path = self.folder.path().join(name);
        let mut file = create(&path)?;
        let (bytes, sha256) =
            digest::of_file(from, Some(&mut file)).map_err(StoreError::io("copy", from))?;
        file.sync_all().map_err(StoreError::io("write", &path))?;
        Ok(FileRecord {
            role: role.to_owned(),
            path: PathBuf::from(name),
            bytes,
            sha256,
        })
    }

    /// Refers to a file that stays where it is; `path` is absolute.
    pub fn refer(&self, role: &str, path: &Path) -> Result<FileRecord, StoreError> {
        if path.to_str().is_none() {
            return Err(StoreError::Path(path.to_owned()));
        }
        let (bytes, sha256) = digest::of_file(path, None).map_err(StoreError::io("read", path))?;
        Ok(FileRecord {
            role: role.to_owned(),
            path: path.to_owned(),
            bytes,
            sha256,
        })
    }

    /// Returns where a file of this draft, or one that it refers to, lies.
    pub fn place(&self, path: &Path) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes the manifest; what is left is the rename.
    pub(super) fn complete(&self, manifest: &Manifest) -> Result<(), StoreError> {
        let mut text =
            serde_json::to_vec_pretty(manifest).map_err(|source| StoreError::Manifest {
                path: self.folder.path().join(manifest::FILE),
                source,
            })?;
        text.push(b'\n');
        self.write("manifest", manifest::FILE, &text)?;
        let lock = self.folder.path().join(LOCK);
        fs::remove_file(&lock).map_err(StoreError::io("delete", &lock))?;
        sync(self.folder.path())
    }

    /// Returns the folder, in which a file without a name may lie meanwhile.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Lets the folder be: it has another name now.
    pub(super) fn renamed(self) {
        let _ = self.folder.keep();
    }
}

/// Moves a folder out of sight and deletes it; `false` where it is not there.
pub(super) fn remove(root: &Path, folder: &Path) -> Result<bool, StoreError> {
    let out_of_sight = temporary(OLD, root)?;
    // A folder that is renamed onto an empty one takes its place.
    match fs::rename(folder, out_of_sight.path()) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(StoreError::io("delete", folder)(error)),
    }
    sync(root)?;
    // Whatever stays behind is swept by the next draft.
    drop(out_of_sight);
    Ok(true)
}

/// Makes renames in a folder last.
pub(super) fn sync(folder: &Path) -> Result<(), StoreError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(StoreError::io("sync", folder))
}

fn create(path: &Path) -> Result<File, StoreError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
    }
    File::create(path).map_err(StoreError::io("create", path))
}

fn temporary(prefix: &str, root: &Path) -> Result<TempDir, StoreError> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    {
        // As the umask says: a store may be shared.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o777));
    }
    builder
        .tempdir_in(root)
        .map_err(StoreError::io("create a folder in", root))
}

/// Deletes what killed processes have left: nothing depends on it, so nothing is said where that fails.
fn sweep(root: &Path) {
    let Ok(entries) = fs::read_dir(root) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(OLD) || name.starts_with(NEW) && is_abandoned(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_abandoned(draft: &Path) -> bool {
    match File::open(draft.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(_) => fs::metadata(draft)
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|modified| {
                SystemTime::now()
                    .duration_since(modified)
                    .is_ok_and(|age| age > STEP)
            }),
    }
}
