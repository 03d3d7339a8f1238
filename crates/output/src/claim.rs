//! A file in the making: its temporary file is also its lock.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

/// Ends the name of a file in the making; no reader takes it for a table's file.
const UNFINISHED: &str = "tmp";

/// The right to make a file, among all processes of this machine.
///
/// The file is written under a temporary name in a folder of its own, locked for as long as its process lives: whoever
/// finds it unlocked may take it over. Dropped before [`Claim::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct Claim {
    // Dropped first: once the file is unlocked, the name is another's to take.
    path: TempPath,
    file: File,
}

impl Claim {
    /// Claims the file `name`, to be made in `folder`; none where another claim on it lives.
    ///
    /// Both folders must be on one file system. What a dead process has written of the file is gone.
    pub fn try_new(folder: &Path, name: &str) -> io::Result<Option<Self>> {
        let path = folder.join(format!("{name}.{UNFINISHED}"));
        loop {
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .read(true)
                .open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // The one who held the lock before may have put the file in place, or deleted it.
            if !is_at(&file, &path)? {
                continue;
            }
            file.set_len(0)?;
            let path = TempPath::try_from_path(path)?;
            return Ok(Some(Self { path, file }));
        }
    }

    /// Returns the file to write to.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Puts the file in place, on disk before it has its name; `false` where there is one already, which stays.
    pub fn commit(self, target: &Path) -> io::Result<bool> {
        let Self { path, file } = self;
        file.sync_all()?;
        let placed = match path.persist_noclobber(target) {
            Ok(()) => true,
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(error.error),
        };
        // Unlocked only now: until then nobody takes the temporary name over.
        drop(file);
        sync_parent(target)?;
        Ok(placed)
    }

    /// Puts the file in place as [`Claim::commit`] does, in the place of one that is there.
    pub fn replace(self, target: &Path) -> io::Result<()> {
        let Self { path, file } = self;
        file.sync_all()?;
        path.persist(target).map_err(|error| error.error)?;
        drop(file);
        sync_parent(target)
    }
}

/// Deletes what dead processes have left in a folder of temporary files.
pub fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if let Some(name) = unfinished(&path) {
            // A claim that is dropped deletes its file.
            drop(Claim::try_new(folder, &name)?);
        }
    }
    Ok(())
}

/// Returns the name of the file that a temporary file is for.
fn unfinished(path: &Path) -> Option<String> {
    let is_unfinished = path.extension().is_some_and(|found| found == UNFINISHED);
    let name = is_unfinished.then(|| path.file_stem()).flatten()?;
    name.to_str().map(str::to_owned)
}

/// Makes a rename last.
fn sync_parent(target: &Path) -> io::Result<()> {
    let folder = target.parent().map_or_else(PathBuf::new, Path::to_owned);
    File::open(folder)?.sync_all()
}

/// Tells whether a path is still the one of an open file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let opened = file.metadata()?;
    match fs::metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (opened.dev(), opened.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// A file that is open keeps its name here.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> io::Result<bool> {
    path.try_exists()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn claim(folder: &Path) -> Option<Claim> {
        Claim::try_new(folder, "a.parquet").expect("a folder")
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<_> = names
            .map(|name| name.into_string().expect("UTF-8"))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_claimed_once_and_appears_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("a.parquet");
        let first = claim(folder.path()).expect("nobody else");
        first.file().write_all(b"whole").expect("written");
        assert!(claim(folder.path()).is_none());
        assert_eq!(names(folder.path()), ["a.parquet.tmp"]);
        assert!(first.commit(&target).expect("committed"));
        assert_eq!(names(folder.path()), ["a.parquet"]);
        assert_eq!(fs::read(&target).expect("there"), b"whole");
    }

    #[test]
    fn a_file_that_is_there_stays_unless_it_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("a.parquet");
        fs::write(&target, "first").expect("written");
        let second = claim(folder.path()).expect("nobody else");
        second.file().write_all(b"second").expect("written");
        assert!(!second.commit(&target).expect("committed"));
        assert_eq!(fs::read(&target).expect("there"), b"first");
        assert_eq!(names(folder.path()), ["a.parquet"]);
        let third = claim(folder.path()).expect("nobody else");
        third.file().write_all(b"third").expect("written");
        third.replace(&target).expect("replaced");
        assert_eq!(fs::read(&target).expect("there"), b"third");
    }

    #[test]
    fn what_is_dropped_or_left_is_gone_and_what_lives_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(claim(folder.path()).expect("nobody else"));
        assert!(names(folder.path()).is_empty());
        fs::write(folder.path().join("left.parquet.tmp"), "half").expect("written");
        fs::write(folder.path().join("other"), "ours").expect("written");
        let alive = claim(folder.path()).expect("nobody else");
        sweep(folder.path()).expect("swept");
        assert_eq!(names(folder.path()), ["a.parquet.tmp", "other"]);
        // What was left of the file is not in it.
        drop(alive);
        fs::write(folder.path().join("a.parquet.tmp"), "half of another").expect("written");
        let again = claim(folder.path()).expect("its owner is dead");
        again.file().write_all(b"new").expect("written");
        let target = folder.path().join("a.parquet");
        assert!(again.commit(&target).expect("committed"));
        assert_eq!(fs::read(&target).expect("there"), b"new");
    }
}
