//! Output folder of a job: the files of finished units, the lock and the manifest.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::config::TableParquetOptions;

use super::manifest::Manifest;
use crate::error::BatchError;
use lexstream_output::{Claim, sweep};

/// What readers do not see, as its name begins with `_`.
const WORK: &str = "_lexstream";

/// Where rows that failed are written, in the first output of a job.
const ERRORS: &str = "_errors";

/// Held by every process that works on the job, and by none where it begins anew.
const LOCK: &str = "job.lock";

/// Begins the name of a unit's file.
const PART: &str = "part-";

/// A folder of Parquet files, one a unit.
#[derive(Debug, Clone)]
pub(crate) struct OutputFolder {
    /// The name that the script gives it.
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) schema: SchemaRef,
    pub(crate) options: TableParquetOptions,
}

impl OutputFolder {
    /// Returns the folder of temporary files and of the manifest.
    pub(crate) fn work(&self) -> PathBuf {
        self.folder.join(WORK)
    }

    /// Returns the folder of rows that failed.
    pub(crate) fn errors(&self) -> PathBuf {
        self.folder.join(ERRORS)
    }

    /// Returns where a unit's file is, or will be.
    pub(crate) fn part(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn manifest_path(&self) -> PathBuf {
        self.work().join(super::manifest::FILE)
    }

    /// Makes the folder this job's: the lock that is returned says that a process works on it.
    ///
    /// A folder that holds another job, or files of somebody else, is refused. `restart` deletes what a job has made.
    ///
    /// # Errors
    /// As said; and where the folder can't be written.
    pub(crate) fn lock(&self, manifest: &Manifest, restart: bool) -> Result<File, BatchError> {
        let work = self.work();
        self.refuse_strangers()?;
        fs::create_dir_all(&work).map_err(BatchError::io("create", &work))?;
        let path = work.join(LOCK);
        let lock = File::create(&path).map_err(BatchError::io("create", &path))?;
        if restart {
            match lock.try_lock() {
                Ok(()) => self.clear()?,
                Err(TryLockError::WouldBlock) => {
                    return Err(BatchError::Busy(self.folder.clone()));
                }
                Err(TryLockError::Error(error)) => {
                    return Err(BatchError::io("lock", &path)(error));
                }
            }
            lock.unlock().map_err(BatchError::io("unlock", &path))?;
        }
        lock.lock_shared().map_err(BatchError::io("lock", &path))?;
        sweep(&work).map_err(BatchError::io("clean", &work))?;
        self.agree(manifest)?;
        Ok(lock)
    }

    /// Writes the manifest, or compares with the one that is there.
    fn agree(&self, manifest: &Manifest) -> Result<(), BatchError> {
        let path = self.manifest_path();
        while !path.exists() {
            let claim = Claim::try_new(&self.work(), super::manifest::FILE);
            match claim.map_err(BatchError::io("write", &path))? {
                Some(claim) => {
                    manifest
                        .write(claim.file())
                        .and_then(|()| claim.commit(&path))
                        .map_err(BatchError::io("write", &path))?;
                }
                // Another process writes it this moment.
                None => std::thread::sleep(std::time::Duration::from_millis(5)),
            }
        }
        self.compare(manifest)
    }

    /// Refuses a folder whose job is another one; one without a job is nobody's.
    ///
    /// # Errors
    /// As said, with what has changed.
    pub(crate) fn compare(&self, manifest: &Manifest) -> Result<(), BatchError> {
        let path = self.manifest_path();
        if !path.exists() {
            return self.refuse_strangers();
        }
        let changes = Manifest::read(&path)?.changes(manifest);
        if changes.is_empty() {
            return Ok(());
        }
        Err(BatchError::OtherJob {
            folder: self.folder.clone(),
            changes,
        })
    }

    /// Refuses a folder that holds files and no job.
    fn refuse_strangers(&self) -> Result<(), BatchError> {
        if self.manifest_path().exists() {
            return Ok(());
        }
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(BatchError::io("list", &self.folder)(error)),
        };
        for entry in entries {
            let entry = entry.map_err(BatchError::io("list", &self.folder))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name != WORK && !name.starts_with('.') {
                return Err(BatchError::Occupied {
                    folder: self.folder.clone(),
                    found: name,
                });
            }
        }
        Ok(())
    }

    /// Deletes what a job has made, and nothing else; the manifest goes last.
    fn clear(&self) -> Result<(), BatchError> {
        let list = fs::read_dir(&self.folder).map_err(BatchError::io("list", &self.folder))?;
        for entry in list {
            let path = entry.map_err(BatchError::io("list", &self.folder))?.path();
            if is_part(&path) {
                fs::remove_file(&path).map_err(BatchError::io("delete", &path))?;
            }
        }
        let errors = self.errors();
        if errors.exists() {
            fs::remove_dir_all(&errors).map_err(BatchError::io("delete", &errors))?;
        }
        let manifest = self.manifest_path();
        match fs::remove_file(&manifest) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(BatchError::io("delete", &manifest)(error))
            }
            _ => Ok(()),
        }
    }

    /// Returns the names of the units that are finished.
    ///
    /// # Errors
    /// The folder can't be listed.
    pub(crate) fn finished(&self) -> Result<Vec<String>, BatchError> {
        let mut names = Vec::new();
        let entries = fs::read_dir(&self.folder).map_err(BatchError::io("list", &self.folder))?;
        for entry in entries {
            let path = entry.map_err(BatchError::io("list", &self.folder))?.path();
            if is_part(&path) {
                names.extend(
                    path.file_name()
                        .map(|name| name.to_string_lossy().into_owned()),
                );
            }
        }
        Ok(names)
    }
}

fn is_part(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.is_some_and(|name| name.starts_with(PART) && name.ends_with(".parquet"))
}
