//! Manifest of a job: written into each output folder, compared when the job is resumed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::BatchError;
use crate::excerpt::excerpt;
use crate::input::source::FileState;
use lexstream_engine::pinned::PinnedModel;

/// Name of the manifest.
pub(crate) const FILE: &str = "manifest.json";

/// The newest format of manifests that is known.
const FORMAT: u64 = 1;

/// How many changes an error names.
const NAMED: usize = 5;

/// What a job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: u64,
    /// The version that began the job.
    pub(crate) lexstream: String,
    /// The queries, by the name of their output.
    pub(crate) queries: BTreeMap<String, Query>,
    /// Every model that the queries name.
    pub(crate) models: BTreeMap<String, PinnedModel>,
    /// Settings that are not the default and that results may depend on.
    pub(crate) settings: BTreeMap<String, String>,
    /// Tables that are held in memory, each with the digest of its rows.
    pub(crate) tables: BTreeMap<String, String>,
    /// The input's files.
    pub(crate) inputs: BTreeMap<PathBuf, FileState>,
}

/// A query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Query {
    pub(crate) sql: String,
    /// SHA-256 of the query and of the statements before it that say what its names mean.
    pub(crate) sha256: String,
}

impl Manifest {
    /// Returns a manifest that holds nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            format: FORMAT,
            lexstream: env!("CARGO_PKG_VERSION").to_owned(),
            queries: BTreeMap::new(),
            models: BTreeMap::new(),
            settings: BTreeMap::new(),
            tables: BTreeMap::new(),
            inputs: BTreeMap::new(),
        }
    }

    pub(crate) fn write(&self, file: &File) -> io::Result<()> {
        let mut out = BufWriter::new(file);
        serde_json::to_writer_pretty(&mut out, self)?;
        out.write_all(b"\n")?;
        out.flush()
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// The file can't be read, is none, or was written by a newer version.
    pub(crate) fn read(path: &Path) -> Result<Self, BatchError> {
        #[derive(Deserialize)]
        struct Format {
            format: u64,
        }
        let text = fs::read(path).map_err(BatchError::io("read", path))?;
        let wrong = |source| BatchError::Manifest {
            path: path.to_owned(),
            source,
        };
        let Format { format } = serde_json::from_slice(&text).map_err(wrong)?;
        if format > FORMAT {
            return Err(BatchError::Format {
                path: path.to_owned(),
                found: format,
                known: FORMAT,
            });
        }
        serde_json::from_slice(&text).map_err(wrong)
    }

    /// Says what is otherwise in a job that is begun now: at most a few changes, the first ones of each kind.
    ///
    /// The version of Lexstream and the number of a model's version may differ, where the model is the same.
    pub(crate) fn changes(&self, now: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        compare(
            &mut changes,
            "query of",
            &self.queries,
            &now.queries,
            |was, is| {
                (was.sha256 != is.sha256).then(|| {
                    if was.sql == is.sql {
                        "the statements before it differ".to_owned()
                    } else {
                        let (was, is) = from_difference(&was.sql, &is.sql);
                        format!("`{was}` became `{is}`")
                    }
                })
            },
        );
        compare(
            &mut changes,
            "model",
            &self.models,
            &now.models,
            |was, is| {
                (was.digest != is.digest).then(|| {
                    let (was, is) = (was.version, is.version);
                    format!("version {was} became {is}, which is made of other files or options")
                })
            },
        );
        compare(
            &mut changes,
            "setting",
            &self.settings,
            &now.settings,
            |was, is| (was != is).then(|| format!("`{was}` became `{is}`")),
        );
        compare(
            &mut changes,
            "table",
            &self.tables,
            &now.tables,
            |was, is| (was != is).then(|| "other rows".to_owned()),
        );
        let named = |inputs: &BTreeMap<PathBuf, FileState>| -> BTreeMap<String, FileState> {
            let named = inputs.iter();
            named
                .map(|(path, state)| (path.display().to_string(), state.clone()))
                .collect()
        };
        compare(
            &mut changes,
            "input",
            &named(&self.inputs),
            &named(&now.inputs),
            FileState::difference,
        );
        if changes.len() > NAMED {
            let more = changes.len() - NAMED;
            changes.truncate(NAMED);
            changes.push(format!("{more} more"));
        }
        changes
    }
}

/// Returns two texts from shortly before where they differ.
fn from_difference(was: &str, is: &str) -> (String, String) {
    /// Characters before.
    const BEFORE: usize = 20;
    let alike = was
        .chars()
        .zip(is.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let start = alike.saturating_sub(BEFORE);
    let shown = |text: &str| {
        let rest: String = text.chars().skip(start).collect();
        let dots = if start > 0 { "…" } else { "" };
        format!("{dots}{}", excerpt(&rest))
    };
    (shown(was), shown(is))
}

/// Adds what differs between two maps.
fn compare<V>(
    changes: &mut Vec<String>,
    what: &str,
    was: &BTreeMap<String, V>,
    is: &BTreeMap<String, V>,
    difference: impl Fn(&V, &V) -> Option<String>,
) {
    for (name, was) in was {
        match is.get(name) {
            None => changes.push(format!("{what} `{name}`: it is gone")),
            Some(is) => {
                let difference = difference(was, is);
                changes.extend(difference.map(|found| format!("{what} `{name}`: {found}")));
            }
        }
    }
    let new = is.keys().filter(|name| !was.contains_key(*name));
    changes.extend(new.map(|name| format!("{what} `{name}`: it is new")));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let state = FileState {
            bytes: 10,
            modified: 1,
        };
        let model = PinnedModel {
            version: 1,
            digest: "a".to_owned(),
        };
        let query = Query {
            sql: "SELECT 1".to_owned(),
            sha256: "q".to_owned(),
        };
        Manifest {
            queries: [("out".to_owned(), query)].into(),
            models: [("minilm".to_owned(), model)].into(),
            inputs: [(PathBuf::from("a.parquet"), state)].into(),
            ..Manifest::new()
        }
    }

    fn check(change: impl FnOnce(&mut Manifest), expected: &[&str]) {
        let mut now = manifest();
        change(&mut now);
        assert_eq!(manifest().changes(&now), expected);
    }

    #[test]
    fn what_has_changed_is_named() {
        check(|_| {}, &[]);
        check(
            |now| {
                now.queries
                    .values_mut()
                    .for_each(|query| query.sha256.push('x'));
            },
            &["query of `out`: the statements before it differ"],
        );
        check(
            |now| {
                now.queries.values_mut().for_each(|query| {
                    (query.sql, query.sha256) = ("SELECT 2".to_owned(), "r".to_owned());
                });
            },
            &["query of `out`: `SELECT 1` became `SELECT 2`"],
        );
        check(
            |now| {
                let set = ("lexstream.batch.unit_rows".to_owned(), "7".to_owned());
                now.settings.extend([set]);
            },
            &["setting `lexstream.batch.unit_rows`: it is new"],
        );
        check(
            |now| now.inputs.values_mut().for_each(|state| state.bytes = 11),
            &["input `a.parquet`: 10 bytes became 11"],
        );
        check(
            |now| now.inputs = BTreeMap::new(),
            &["input `a.parquet`: it is gone"],
        );
        check(
            |now| {
                now.models.values_mut().for_each(|model| {
                    (model.version, model.digest) = (2, "b".to_owned());
                });
            },
            &["model `minilm`: version 1 became 2, which is made of other files or options"],
        );
    }

    #[test]
    fn the_same_model_under_another_number_is_no_change() {
        check(
            |now| now.models.values_mut().for_each(|model| model.version = 9),
            &[],
        );
    }

    #[test]
    fn many_changes_are_counted() {
        let mut now = manifest();
        for file in 0..20 {
            let state = FileState {
                bytes: 1,
                modified: 1,
            };
            now.inputs
                .insert(PathBuf::from(format!("{file}.parquet")), state);
        }
        let changes = manifest().changes(&now);
        assert_eq!(changes.len(), NAMED + 1);
        assert_eq!(changes[NAMED], "15 more");
    }
}
