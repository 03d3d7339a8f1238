//! What a kind is made from: the options of `WITH`, files, rows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use lexstream_text::nearest;

use super::Rows;
use crate::catalog::ModelCatalog;
use crate::progress::Progress;
use crate::store::{Draft, FileRecord, ModelName, StoreError, Stored};
use crate::training::Recording;

/// One option of `WITH`.
#[derive(Debug, Clone, Copy)]
pub struct OptionSpec {
    /// Its key.
    pub name: &'static str,
    /// What holds where it is left out.
    pub default: &'static str,
    /// What it does, with its unit.
    pub description: &'static str,
}

/// The options of every kind, alphabetical.
pub const COMMON: &[OptionSpec] = &[
    OptionSpec {
        name: "copy",
        default: "false",
        description: "`true` takes the files into the store; `false` refers to them by their absolute path, and a model whose files have changed is refused.",
    },
    OptionSpec {
        name: "keep_versions",
        default: "all",
        description: "How many of the newest versions stay when a new one appears: a number of at least 1, or `all`.",
    },
    OptionSpec {
        name: "kind",
        default: "",
        description: "What the model is; one of the kinds on this page.",
    },
];

/// An option that is wrong.
#[derive(Debug, thiserror::Error)]
pub enum OptionError {
    /// No kind has this name, or none was named.
    #[error("model `{model}`: `kind` must be one of {}, found {found}", known.join(", "))]
    Kind {
        /// The model.
        model: String,
        /// The kinds there are.
        known: Vec<&'static str>,
        /// What was said, with the nearest name.
        found: String,
    },
    /// The kind has no such option.
    #[error("model `{model}`: kind `{kind}` has no option `{found}`{meant}; it has {}", known.join(", "))]
    Unknown {
        /// The model.
        model: String,
        /// Its kind.
        kind: &'static str,
        /// The option.
        found: String,
        /// The nearest name, as a question.
        meant: String,
        /// The options there are.
        known: Vec<&'static str>,
    },
    /// The option can't have this value.
    #[error("model `{model}`: `{option}` must be {expected}, found `{found}`")]
    Value {
        /// The model.
        model: String,
        /// The option.
        option: &'static str,
        /// What it may be.
        expected: String,
        /// What was given.
        found: String,
    },
    /// A model stays of its kind.
    #[error(
        "model `{model}` is of kind `{kind}` and stays so; CREATE OR REPLACE MODEL makes another"
    )]
    KindStays {
        /// The model.
        model: String,
        /// Its kind.
        kind: String,
    },
}

/// What a kind makes a version from.
#[derive(Debug)]
pub struct Request<'a> {
    /// The model.
    pub name: &'a ModelName,
    /// The options, checked to be known ones.
    pub(crate) options: &'a mut BTreeMap<String, String>,
    /// Which of them this statement sets.
    pub(crate) set: &'a BTreeSet<String>,
    /// The rows behind `AS`.
    pub rows: Option<Rows>,
    /// The version that this one follows, where an option of it is altered.
    pub previous: Option<&'a Stored>,
    /// Where its files go.
    pub draft: &'a Draft,
    /// The catalog that the model will be in: other models, and what there is on the machine.
    pub catalog: &'a ModelCatalog,
    pub(crate) progress: Progress,
}

impl Request<'_> {
    /// Returns what the making is reported through, for whoever shows progress.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Keeps rows while they are read, so that they can be read again: `bytes` of them in memory, such as
    /// [`crate::training::MEMORY`], and those behind on the store's disk, until the model is made.
    pub fn recording(&self, rows: Rows, bytes: usize) -> Recording<'_> {
        Recording::new(rows, bytes, self.draft.path())
    }

    /// Returns an option as it was given.
    pub fn text(&self, option: &'static str) -> Option<&str> {
        self.options.get(option).map(String::as_str)
    }

    /// Returns an option that is `true` or `false`.
    pub fn flag(&self, option: &'static str, default: bool) -> Result<bool, OptionError> {
        self.choice(option, &[("true", true), ("false", false)], default)
    }

    /// Returns an option that is one of a few names, without regard to case.
    pub fn choice<T: Copy>(
        &self,
        option: &'static str,
        choices: &[(&str, T)],
        default: T,
    ) -> Result<T, OptionError> {
        let Some(found) = self.text(option) else {
            return Ok(default);
        };
        let chosen = choices
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(found));
        chosen.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            self.wrong(option, format!("one of {}", names.join(", ")))
        })
    }

    /// Returns the error for an option whose value is not `expected`.
    pub fn wrong(&self, option: &'static str, expected: String) -> OptionError {
        OptionError::Value {
            model: self.name.to_string(),
            option,
            expected,
            found: self.text(option).unwrap_or_default().to_owned(),
        }
    }

    /// Tells whether this statement sets an option.
    pub fn is_set(&self, option: &str) -> bool {
        self.set.contains(option)
    }

    /// Returns an option that is a number of at least 1.
    pub fn count(&self, option: &'static str) -> Result<Option<usize>, OptionError> {
        let Some(found) = self.text(option) else {
            return Ok(None);
        };
        match found.parse() {
            Ok(count) if count > 0 => Ok(Some(count)),
            _ => Err(self.wrong(option, "a number of at least 1".to_owned())),
        }
    }

    /// Returns the absolute path that an option names, and writes it into the options.
    ///
    /// A model that is altered has its own copy where it was made with `copy`, unless the statement names a path anew.
    pub fn folder(&mut self, option: &'static str) -> Result<Option<PathBuf>, StoreOrOption> {
        let Some(given) = self.text(option) else {
            return Ok(None);
        };
        let path = std::path::absolute(given).map_err(|source| StoreError::Io {
            doing: "find",
            path: PathBuf::from(given),
            source,
        })?;
        let text = path
            .to_str()
            .ok_or_else(|| StoreError::Path(path.clone()))?;
        self.options.insert(option.to_owned(), text.to_owned());
        Ok(Some(self.own_copy(option).unwrap_or(path)))
    }

    /// Returns the folder of a model that is altered and has its own copy of what an option names.
    pub fn own_copy(&self, option: &str) -> Option<PathBuf> {
        let previous = self.previous.filter(|_| !self.set.contains(option))?;
        let mut files = previous.manifest.files.iter();
        files
            .any(|file| file.path.is_relative())
            .then(|| previous.folder.clone())
    }

    /// Returns a detail of the version that this one follows, unless the statement names an option anew.
    pub fn kept_detail(&self, option: &str, detail: &str) -> Option<&str> {
        let previous = self.previous.filter(|_| !self.set.contains(option))?;
        previous.manifest.details.get(detail)?.as_str()
    }

    /// Takes a file of a folder: refers to it, or copies it to the same place where `copy` says so.
    pub fn take(&self, role: &str, folder: &Path, name: &str) -> Result<FileRecord, StoreOrOption> {
        let path = folder.join(name);
        let taken = match self.flag("copy", false)? {
            true => self.draft.copy(role, &path, name),
            false => self.draft.refer(role, &path),
        };
        Ok(taken.map_err(|error| error.of(self.name.as_str()))?)
    }

    /// Takes the file that an option names: refers to it, or copies it where `copy` says so; none where it is left out.
    ///
    /// The path is made absolute in the options. A model that is altered keeps the copy that it has, unless the
    /// statement names a file anew.
    pub fn file(&mut self, option: &'static str) -> Result<Option<FileRecord>, StoreOrOption> {
        let Some(given) = self.text(option) else {
            return Ok(None);
        };
        let path = std::path::absolute(given).map_err(|source| StoreError::Io {
            doing: "find",
            path: PathBuf::from(given),
            source,
        })?;
        let copy = self.flag("copy", false)?;
        let source = match self.kept(option) {
            Some(kept) if copy => kept,
            _ => path.clone(),
        };
        let taken = if copy {
            let name = path
                .file_name()
                .map_or(option.into(), |name| name.to_string_lossy());
            self.draft.copy(option, &source, &name)
        } else {
            self.draft.refer(option, &source)
        };
        let record = taken.map_err(|error| error.of(self.name.as_str()))?;
        let path = path
            .to_str()
            .ok_or_else(|| StoreError::Path(path.clone()))?;
        self.options.insert(option.to_owned(), path.to_owned());
        Ok(Some(record))
    }

    /// Returns where the previous version's file of this role lies, unless the statement names a file anew.
    fn kept(&self, option: &str) -> Option<PathBuf> {
        if self.set.contains(option) {
            return None;
        }
        let previous = self.previous?;
        previous
            .manifest
            .file(option)
            .map(|file| previous.path(file))
    }

    /// Returns where a file that this request took lies.
    pub fn path(&self, file: &FileRecord) -> PathBuf {
        self.draft.place(&file.path)
    }

    /// Takes a file of the previous version over, where it has one of this role.
    pub fn keep(&self, role: &'static str) -> Result<Option<FileRecord>, StoreError> {
        let Some(previous) = self.previous else {
            return Ok(None);
        };
        let Some(file) = previous.manifest.file(role) else {
            return Ok(None);
        };
        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
        self.draft.copy(role, &previous.path(file), &name).map(Some)
    }
}

/// Why a file can't be taken.
#[derive(Debug, thiserror::Error)]
pub enum StoreOrOption {
    /// It can't be read or copied.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// `copy` is wrong.
    #[error(transparent)]
    Option(#[from] OptionError),
}

/// Refuses an option that neither the kind nor every kind has.
pub(crate) fn check_names<'a>(
    model: &ModelName,
    kind: &dyn super::Kind,
    given: impl Iterator<Item = &'a String>,
) -> Result<(), OptionError> {
    let mut known: Vec<_> = COMMON
        .iter()
        .chain(kind.options())
        .map(|option| option.name)
        .collect();
    known.sort_unstable();
    for found in given {
        if !known.contains(&found.as_str()) {
            return Err(OptionError::Unknown {
                model: model.to_string(),
                kind: kind.name(),
                found: found.clone(),
                meant: meant(found, known.iter().copied()),
                known,
            });
        }
    }
    Ok(())
}

/// Returns the nearest known name as a question behind a message, or nothing.
pub(crate) fn meant<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(found, known)
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}

/// Names a file and a line in it, from 1.
pub(super) fn line(path: &Path, number: usize) -> String {
    format!("{}:{number}", path.display())
}
