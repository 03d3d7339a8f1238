//! What went wrong, in words for a person.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use arrow::error::ArrowError;
use datafusion::common::DataFusionError;

use lexstream_batch::BatchError;
use lexstream_engine::message::{caused, message};

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// A statement failed.
    #[error("{}", message(.0))]
    Query(#[from] DataFusionError),
    /// A batch job can't begin, or stopped.
    #[error("{}", caused(.0))]
    Batch(BatchError),
    /// The embedded broker did not start.
    #[cfg(feature = "kafka")]
    #[error("{}", caused(.0))]
    Broker(#[from] lexstream_kafka::EmbeddedBrokerError),
    /// A stream can't begin, or stopped.
    #[cfg(feature = "kafka")]
    #[error("{}", caused(.0))]
    Stream(lexstream_stream::StreamError),
    /// Nothing can be told at an address.
    #[cfg(feature = "kafka")]
    #[error("--listen {address}: {cause}")]
    Listen {
        address: std::net::SocketAddr,
        cause: io::Error,
    },
    /// A result could not be written.
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
    /// A script could not be read.
    #[error("{}: {cause}", path.display())]
    Script { path: PathBuf, cause: io::Error },
    /// A page could not be written.
    #[error("could not write {}: {cause}", path.display())]
    Page { path: PathBuf, cause: io::Error },
    /// The terminal does not work with a line editor.
    #[error("terminal: {0}")]
    Terminal(#[from] rustyline::error::ReadlineError),
    /// The person pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// The system asked the process to end.
    #[error("terminated")]
    Terminated,
}

impl From<BatchError> for Failure {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Query(error) => Self::Query(error),
            other => Self::Batch(other),
        }
    }
}

#[cfg(feature = "kafka")]
impl From<lexstream_stream::StreamError> for Failure {
    fn from(error: lexstream_stream::StreamError) -> Self {
        match error {
            lexstream_stream::StreamError::Query(error) => Self::Query(error),
            other => Self::Stream(other),
        }
    }
}

impl From<ArrowError> for Failure {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, cause) => Self::Output(cause),
            other => Self::Query(other.into()),
        }
    }
}

impl Failure {
    /// Tells whether the reader of our output has gone.
    pub(super) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == ErrorKind::BrokenPipe)
    }
}
