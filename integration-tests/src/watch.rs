//! What is visible of a batch job while processes work on it: whole files, and never fewer.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use serde_json::{Value, json};

use crate::job::{Job, footer, read};

/// No step may take longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Looks at an output while processes work on it.
#[derive(Debug)]
pub struct Watch {
    folder: PathBuf,
    /// Files that were there, and whole.
    seen: BTreeSet<PathBuf>,
}

impl Watch {
    /// Looks at `out/` of a job.
    pub fn of(job: &Job) -> Self {
        Self {
            folder: job.path("out"),
            seen: BTreeSet::new(),
        }
    }

    /// Checks that nothing unfinished is visible and nothing is lost again; returns how many units are finished.
    pub fn look(&mut self) -> usize {
        let names = names(&self.folder);
        for name in &names {
            let expected = ["_errors", "_lexstream"].contains(&name.as_str())
                || (name.starts_with("part-") && name.ends_with(".parquet"));
            assert!(expected, "{name} is visible in {}", self.folder.display());
        }
        let names: Vec<_> = names
            .into_iter()
            .filter(|name| name.starts_with("part-"))
            .collect();
        for name in &names {
            let part = self.folder.join(name);
            if self.seen.insert(part.clone()) {
                let rows = whole(&part);
                let footer = footer(&part);
                let tally = footer.iter().find(|(key, _)| key == "lexstream.rows");
                let tally: Value = serde_json::from_str(&tally.expect("a tally").1).expect("JSON");
                assert_eq!(tally["rows_out"], json!(rows), "{name}");
                // What a reader of the unit's file finds missing is in place before it.
                let errors = self.folder.join("_errors").join(name);
                let filed = if errors.exists() { whole(&errors) } else { 0 };
                assert_eq!(tally["failed"], json!(filed), "{name}");
            }
        }
        for name in self::names(&self.folder.join("_errors")) {
            assert!(
                name.starts_with("part-") && name.ends_with(".parquet"),
                "{name}"
            );
            whole(&self.folder.join("_errors").join(name));
        }
        assert_eq!(names.len(), self.seen.len(), "a finished unit is gone");
        names.len()
    }

    /// Looks until so many units are finished, or the process ends.
    pub fn wait_for(&mut self, units: usize, child: &mut Child) {
        let started = Instant::now();
        while self.look() < units && child.try_wait().expect("a child").is_none() {
            assert!(
                started.elapsed() < PATIENCE,
                "{units} units within {PATIENCE:?}"
            );
            std::thread::yield_now();
        }
    }

    /// Looks for a while.
    pub fn keep_looking(&mut self, time: Duration) {
        let started = Instant::now();
        while started.elapsed() < time {
            self.look();
            std::thread::yield_now();
        }
    }
}

/// Returns the names in a folder; none where there is no folder yet.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

/// Returns the rows of a file that must be whole.
fn whole(path: &Path) -> usize {
    let batches = read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    batches.iter().map(RecordBatch::num_rows).sum()
}
