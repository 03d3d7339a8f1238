//! Runs written as they are made, to be looked at or replayed.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::encoder::Encoded;

/// Where runs are written before they are computed, to be looked at or replayed.
#[derive(Debug)]
pub struct Dump {
    folder: PathBuf,
    runs: AtomicUsize,
}

impl Dump {
    /// Writes into a folder, which is made with the first run.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            runs: AtomicUsize::new(0),
        }
    }

    /// Writes a run as JSON, `{"ids": […], "types": […]}` with a list a text.
    pub(super) fn write(&self, run: &[&Encoded]) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        let ids: Vec<_> = run.iter().map(|text| &text.ids).collect();
        let types: Vec<_> = run.iter().map(|text| &text.types).collect();
        let text = serde_json::json!({"ids": ids, "types": types}).to_string();
        std::fs::write(self.folder.join(format!("run-{number:06}.json")), text)
    }
}
