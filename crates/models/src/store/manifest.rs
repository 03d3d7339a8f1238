//! What a version says of itself: `manifest.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{StoreError, digest};

/// The newest format of manifests that this version reads, and the one it writes.
pub const FORMAT: u64 = 1;

/// The detail that has the pin of the model that cuts the texts of this one.
pub const TOKENIZER_DIGEST: &str = "tokenizer_digest";

/// Name of the manifest in a version's folder.
pub(super) const FILE: &str = "manifest.json";

/// One version of a model, as it stands on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`] at the time of writing.
    pub format: u64,
    /// The version of Lexstream that wrote it.
    pub lexstream: String,
    /// When it was made: RFC 3339, in UTC.
    pub created: String,
    /// What kind of model it is, such as `jieba`.
    pub kind: String,
    /// What a kind of many tasks does, such as `embedding`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// What its maker says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The query whose rows it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The options given, paths made absolute; defaults are not written.
    pub options: BTreeMap<String, String>,
    /// Every file that the model uses.
    pub files: Vec<FileRecord>,
    /// What else its kind knows of it, such as its dimension.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, Value>,
}

/// A file that a model uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// What the kind uses it for, such as `dictionary`.
    pub role: String,
    /// Absolute, or relative to the version's folder where the store holds the file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// Reads the manifest of a version's folder.
    pub(super) fn read(folder: &Path) -> Result<Self, StoreError> {
        #[derive(Deserialize)]
        struct Format {
            format: u64,
        }
        let path = folder.join(FILE);
        let text = fs::read(&path).map_err(StoreError::io("read", &path))?;
        let wrong = |source| StoreError::Manifest {
            path: path.clone(),
            source,
        };
        let Format { format } = serde_json::from_slice(&text).map_err(wrong)?;
        if format > FORMAT {
            return Err(StoreError::Format {
                path,
                found: format,
                known: FORMAT,
            });
        }
        serde_json::from_slice(&text).map_err(wrong)
    }

    /// Returns the file that has this role.
    pub fn file(&self, role: &str) -> Option<&FileRecord> {
        self.files.iter().find(|file| file.role == role)
    }

    /// Returns the size of all files, in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Returns one digest of all that its results depend on: [`Manifest::digest`], the options, and the pin of the model
    /// that cuts its texts, where there is one.
    pub fn pin(&self) -> String {
        let options = json!(self.options);
        let mut lines = format!("{}\n{options}", self.digest());
        if let Some(tokenizer) = self.details.get(TOKENIZER_DIGEST) {
            lines.push_str(&format!("\n{tokenizer}"));
        }
        digest::of(lines.as_bytes())
    }

    /// Returns one digest of all files: the SHA-256 of their own, a line each, in the manifest's order.
    ///
    /// Where the files lie does not matter to it.
    pub fn digest(&self) -> String {
        let lines: String = self
            .files
            .iter()
            .map(|file| format!("{}\n", file.sha256))
            .collect();
        digest::of(lines.as_bytes())
    }
}
