//! Why a model gives no result.

use std::path::PathBuf;

use super::encoder::EncodeError;
use super::{Device, RuntimeError};

/// Why a model gives no result.
#[derive(Debug, thiserror::Error)]
#[expect(private_interfaces, reason = "callers show the message")]
pub enum InferenceError {
    /// ONNX Runtime is not there.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The graph can't be loaded.
    #[error("{}: ONNX Runtime can't load this graph", path.display())]
    Graph {
        /// The graph.
        path: PathBuf,
        /// What ONNX Runtime said.
        source: ort::Error,
    },
    /// CUDA can't be used.
    #[error(
        "it computes on {device}, and no session can be made there; install ONNX Runtime with CUDA (`pip install onnxruntime-gpu`) and its libraries, or say 'device' = 'auto' or 'cpu', in ALTER MODEL … SET where the model is there already"
    )]
    Cuda {
        /// What was asked for.
        device: Device,
        /// What ONNX Runtime said.
        source: ort::Error,
    },
    /// The graph can't be run.
    #[error("ONNX Runtime failed")]
    Run(#[source] ort::Error),
    /// An output has another shape than its task needs.
    #[error("output `{output}` has the unexpected shape {found:?}")]
    Shape {
        /// The output.
        output: String,
        /// Its shape.
        found: Vec<i64>,
    },
    /// The graph has no such output.
    #[error("the graph has no output `{0}`")]
    Output(String),
    /// A result that is no result.
    #[error("the model gave a result that is all zero or no number")]
    NoVector,
    /// A text has no encoding.
    #[error(transparent)]
    Text(#[from] EncodeError),
    /// A row that the graph can't take.
    #[error("row {row} of the batch: input `{input}` expects {expected}, found {found} values")]
    Row {
        /// Row in the batch, from 0.
        row: usize,
        /// The graph's input.
        input: String,
        /// How many values it takes.
        expected: String,
        /// How many there are.
        found: usize,
    },
    /// A result for which the SQL type has no place.
    #[error("{0}")]
    Value(String),
    /// A column can't be converted.
    #[error(transparent)]
    Arrow(#[from] arrow::error::ArrowError),
    /// Runs could not be written.
    #[error("the runs could not be written to the folder of `dump_runs`")]
    Dump(#[source] std::io::Error),
    /// A worker panicked.
    #[error("a worker of the model failed: {0}")]
    Panicked(String),
    /// The query is gone.
    #[error("cancelled")]
    Cancelled,
    /// No thread could be started.
    #[error("no thread for the model could be started")]
    Thread(#[source] std::io::Error),
}

impl InferenceError {
    /// Tells whether a row that was computed may be to blame; else there would be no result for any row.
    pub fn may_be_of_a_row(&self) -> bool {
        match self {
            Self::Arrow(_)
            | Self::NoVector
            | Self::Row { .. }
            | Self::Shape { .. }
            | Self::Text(_)
            | Self::Value(_) => true,
            // A GPU that is lost or full fails whatever the row.
            Self::Run(error) => {
                let of_device = [
                    "CUDA failure",
                    "CUBLAS failure",
                    "CUDNN failure",
                    "Failed to allocate memory",
                ];
                !of_device
                    .iter()
                    .any(|words| error.to_string().contains(words))
            }
            Self::Cancelled
            | Self::Cuda { .. }
            | Self::Dump(_)
            | Self::Graph { .. }
            | Self::Output(_)
            | Self::Panicked(_)
            | Self::Runtime(_)
            | Self::Thread(_) => false,
        }
    }
}
