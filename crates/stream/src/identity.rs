//! The identity of a process among those that run the same pipeline.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::StreamError;

/// The most processes of one pipeline that find a name by themselves in one home.
const SLOTS: usize = 1000;

/// A name that no other living process of this home has, for as long as this is held.
///
/// The lock on its file goes with the process, however it ends, and stays while the process is stopped by a signal.
#[derive(Debug)]
pub(crate) struct Identity {
    name: String,
    /// None where the name was given.
    _lock: Option<File>,
}

impl Identity {
    /// Takes a name that was given.
    pub(crate) fn given(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            _lock: None,
        }
    }

    /// Takes the first free number among the processes of a group that have the same home.
    ///
    /// # Errors
    /// Where the home can't be written, or has no free number.
    pub(crate) fn first_free(home: &Path, group: &str) -> Result<Self, StreamError> {
        let folder = home.join("instances").join(file_name(group));
        let io = |action, path: &Path| {
            let path = path.to_owned();
            move |source| StreamError::Io {
                action,
                path,
                source,
            }
        };
        fs::create_dir_all(&folder).map_err(io("create", &folder))?;
        for slot in 0..SLOTS {
            let path = folder.join(format!("{slot}.lock"));
            let file = File::create(&path).map_err(io("create", &path))?;
            match file.try_lock() {
                Ok(()) => {
                    return Ok(Self {
                        name: slot.to_string(),
                        _lock: Some(file),
                    });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(io("lock", &path)(error)),
            }
        }
        let taken = std::io::Error::other(format!("{SLOTS} instances are running"));
        Err(io("find a free name in", &folder)(taken))
    }

    /// Returns the name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// Returns a group's name as a file name: characters but letters, digits, `-` and `_` are escaped.
fn file_name(group: &str) -> String {
    let mut name = String::new();
    for character in group.chars() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => name.push(character),
            other => name.push_str(&format!("%{:x}.", u32::from(other))),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_free_again_when_its_process_lets_go() {
        let home = tempfile::tempdir().expect("a folder");
        let take = || Identity::first_free(home.path(), "a/../b").expect("a name");
        let (first, second) = (take(), take());
        assert_eq!((first.name(), second.name()), ("0", "1"));
        drop(first);
        assert_eq!(take().name(), "0");
    }
}
