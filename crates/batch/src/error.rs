//! Why a job can't begin, or stops.

use std::io;
use std::path::{Path, PathBuf};

use datafusion::common::DataFusionError;

use super::excerpt::excerpt;
use super::row_location::RowLocation;
use lexstream_engine::pinned::PinnedError;
use lexstream_output::WriteError;

const MB: usize = 1_000_000;

/// Why a job can't begin, or stops.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// A statement of the script fails, or what it reads can't be planned.
    #[error(transparent)]
    Query(#[from] DataFusionError),
    /// A query is none that a job runs.
    #[error("{query}: {reason}")]
    Refused {
        /// The beginning of the statement.
        query: String,
        /// Why, and what to do instead.
        reason: String,
    },
    /// A row fails, or a part of a file can't be read, and `--on-error fail` says that the job stops.
    #[error("{location}")]
    Failed {
        /// Where.
        location: RowLocation,
        /// What went wrong there.
        source: DataFusionError,
    },
    /// The query fails for no fault of a row.
    #[error("{input}: the query fails, whatever the row")]
    Run {
        /// The file whose rows were under way.
        input: PathBuf,
        /// What went wrong.
        source: DataFusionError,
    },
    /// A row is too long for the memory that the job may take.
    #[error(
        "{location}: a row of {} MB may take {} MB while it is computed, and --memory leaves {} MB for it; give it more",
        bytes.div_ceil(MB), needed.div_ceil(MB), memory / MB
    )]
    TooLong {
        /// The row.
        location: RowLocation,
        /// Its bytes.
        bytes: usize,
        /// The bytes that it may take.
        needed: usize,
        /// The bytes that tables in memory leave of what the job may take.
        memory: usize,
    },
    /// An input is not what it was when the job began.
    #[error("{}: the file has changed since the job began ({what}); --restart begins anew", path.display())]
    Changed {
        /// The input.
        path: PathBuf,
        /// What differs.
        what: String,
    },
    /// The folder holds another job.
    #[error("{}: this folder's job is another one: {}; --restart deletes its results and begins anew", folder.display(), changes.join("; "))]
    OtherJob {
        /// The output's folder.
        folder: PathBuf,
        /// What differs, at most a few.
        changes: Vec<String>,
    },
    /// The folder holds files of somebody else.
    #[error("{}: expected an empty folder, or one of a batch job; found {found}", folder.display())]
    Occupied {
        /// The output's folder.
        folder: PathBuf,
        /// A file in it.
        found: String,
    },
    /// Another process works on the folder that is to begin anew.
    #[error("{}: another process works on this job; --restart needs it to end first", .0.display())]
    Busy(PathBuf),
    /// The manifest can't be read.
    #[error("{}: expected the manifest of a batch job", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What the parser found.
        source: serde_json::Error,
    },
    /// A newer Lexstream wrote the manifest.
    #[error("{}: the manifest has format {found}; this version knows {known}", path.display())]
    Format {
        /// The manifest.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest known here.
        known: u64,
    },
    /// A model that a query names can't be read.
    #[error("model `{model}`")]
    Model {
        /// Name and version.
        model: String,
        /// What the store says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file or folder can't be written, read or listed.
    #[error("{}: can't {action} it", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file of the job in its output is none that a job has finished.
    #[error("{}: expected a finished unit of this job; --restart begins anew", path.display())]
    Unfinished {
        /// The file.
        path: PathBuf,
        /// What Parquet's reader says, or what is missing.
        source: DataFusionError,
    },
    /// A result can't be written.
    #[error("{}: can't write it", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What Parquet's writer says.
        source: DataFusionError,
    },
}

impl BatchError {
    /// Refuses a query by its beginning.
    pub(crate) fn refused(sql: &str, reason: String) -> Self {
        Self::Refused {
            query: excerpt(sql),
            reason,
        }
    }

    /// Returns what makes an error of a system's out of what was tried on a path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

impl From<WriteError> for BatchError {
    fn from(WriteError { path, source }: WriteError) -> Self {
        Self::Write { path, source }
    }
}

impl From<PinnedError> for BatchError {
    fn from(error: PinnedError) -> Self {
        match error {
            PinnedError::Model { model, source } => Self::Model { model, source },
            PinnedError::Query(error) => Self::Query(error),
        }
    }
}
