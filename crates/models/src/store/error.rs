//! What can go wrong with the store.

use std::io;
use std::path::PathBuf;

/// Why the store refuses.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A text that is no name of a model.
    #[error("`{0}` is no name of a model: expected a letter, then letters, digits and `_`")]
    Name(String),
    /// A text that is no name with a version.
    #[error("`{0}` is no version of a model: expected name@number, such as minilm@2")]
    Version(String),
    /// No model has the name.
    #[error("no model `{0}`")]
    NoModel(String),
    /// The model has other versions.
    #[error("model `{name}` has no version {version}; it has {found:?}")]
    NoVersion {
        /// The model.
        name: String,
        /// The version asked for.
        version: u32,
        /// The versions there are, ascending.
        found: Vec<u32>,
    },
    /// Another process took it away.
    #[error("model `{0}` was dropped or renamed before it was loaded")]
    Gone(String),
    /// The name is taken.
    #[error("model `{0}` exists already")]
    Exists(String),
    /// A file or folder could not be read or written.
    #[error("could not {doing} {}", path.display())]
    Io {
        /// What was tried, such as `read`.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that a model is made of can't be read or copied.
    #[error("model `{model}`: could not {doing} {}", path.display())]
    Unread {
        /// The model, or its version.
        model: String,
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A manifest is not what this version writes.
    #[error("{}: not a manifest of a model", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it, and where.
        source: serde_json::Error,
    },
    /// A manifest was written by a later Lexstream.
    #[error("{}: expected a manifest of format {known} or older, found format {found}; a newer Lexstream wrote it", path.display())]
    Format {
        /// The manifest.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest format that this version knows.
        known: u64,
    },
    /// A file is not the one that the model was made with.
    #[error("model `{model}`: {} has changed since the model was made: expected {expected}, found {found}", path.display())]
    Changed {
        /// The version.
        model: String,
        /// The file.
        path: PathBuf,
        /// Size or digest in the manifest.
        expected: String,
        /// Size or digest of the file.
        found: String,
    },
    /// A path that a manifest can't hold.
    #[error("{}: expected a path in UTF-8", .0.display())]
    Path(PathBuf),
}

impl StoreError {
    /// Returns a function that wraps what the system said.
    pub(super) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }

    /// Names the model whose file could not be read or copied.
    pub(crate) fn of(self, model: &str) -> Self {
        match self {
            Self::Io {
                doing: doing @ ("read" | "copy"),
                path,
                source,
            } => Self::Unread {
                model: model.to_owned(),
                doing,
                path,
                source,
            },
            other => other,
        }
    }

    /// Tells whether the cause is that a file or folder is not there.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}
