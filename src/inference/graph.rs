//! A graph's inputs and outputs, and sessions over it.

use std::fmt;
use std::path::{Path, PathBuf};

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::{Outlet, TensorElementType, ValueType};
use serde::{Deserialize, Serialize};

use super::{InferenceError, environment};

/// An input or output of a graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Its type, such as `int64` or `float32`.
    pub r#type: String,
    /// Its dimensions; none is one that varies.
    pub shape: Vec<Option<u64>>,
}

impl Tensor {
    fn new(outlet: &Outlet) -> Self {
        let (r#type, shape) = match outlet.dtype() {
            ValueType::Tensor { ty, shape, .. } => (
                name_of(*ty),
                shape.iter().map(|size| u64::try_from(*size).ok()).collect(),
            ),
            other => (other.to_string().to_lowercase(), Vec::new()),
        };
        Self {
            name: outlet.name().to_owned(),
            r#type,
            shape,
        }
    }
}

impl fmt::Display for Tensor {
    /// Writes it as `float32 [?, 2]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = |size: &Option<u64>| size.map_or("?".to_owned(), |size| size.to_string());
        let shape: Vec<_> = self.shape.iter().map(size).collect();
        write!(f, "{} [{}]", self.r#type, shape.join(", "))
    }
}

/// Returns a type's name as numpy writes it.
fn name_of(of: TensorElementType) -> String {
    let short = of.to_string().to_lowercase();
    let at = short.find(|c: char| c.is_ascii_digit());
    let family = |family: &str| match family {
        "bf" => Some("bfloat"),
        "f" => Some("float"),
        "i" => Some("int"),
        "u" => Some("uint"),
        _ => None,
    };
    match at
        .map(|at| short.split_at(at))
        .and_then(|(name, bits)| Some((family(name)?, bits)))
    {
        Some((name, bits)) => format!("{name}{bits}"),
        None => short,
    }
}

/// A graph's file and how sessions run it.
#[derive(Debug, Clone)]
pub struct Graph {
    /// The ONNX file.
    pub path: PathBuf,
    /// Where ONNX Runtime may be.
    pub runtime: Vec<PathBuf>,
    /// Threads that one session computes with.
    pub threads: usize,
}

impl Graph {
    /// Makes a session.
    pub(super) fn session(&self) -> Result<Session, InferenceError> {
        let environment = environment(&self.runtime)?;
        self.build(&environment)
            .map_err(|source| InferenceError::Graph {
                path: self.path.clone(),
                source,
            })
    }

    fn build(&self, environment: &Environment) -> ort::Result<Session> {
        Session::builder(environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(self.threads)?
            .with_inter_threads(1)?
            // Lengths differ from run to run: a pattern of memory would hold what the largest needed.
            .with_memory_pattern(false)?
            .commit_from_file(Path::new(&self.path))
    }

    /// Returns the graph's inputs and outputs, in its order.
    pub fn signature(&self) -> Result<(Vec<Tensor>, Vec<Tensor>), InferenceError> {
        let session = self.session()?;
        let tensors = |outlets: &[Outlet]| outlets.iter().map(Tensor::new).collect();
        Ok((tensors(session.inputs()), tensors(session.outputs())))
    }
}
