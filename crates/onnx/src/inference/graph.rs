//! A graph's inputs and outputs, and sessions over it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ort::environment::Environment;
use ort::ep::{CUDA, ExecutionProvider};
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

/// Where a graph is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Device {
    /// On the first GPU where CUDA can be used, else on the CPU.
    Auto,
    /// On the CPU.
    Cpu,
    /// On the GPU of this number, or nowhere.
    Cuda(i32),
}

impl FromStr for Device {
    type Err = &'static str;

    /// Reads `auto`, `cpu`, `cuda` or `cuda:N`, without regard to case.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "one of auto, cpu, cuda, cuda:N";
        match name.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            other => {
                let number = other.strip_prefix("cuda:").ok_or(EXPECTED)?;
                let number: u16 = number.parse().map_err(|_| EXPECTED)?;
                Ok(Self::Cuda(number.into()))
            }
        }
    }
}

impl TryFrom<String> for Device {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl From<Device> for String {
    fn from(device: Device) -> Self {
        device.to_string()
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
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
    /// Where it is computed.
    pub device: Device,
}

impl Graph {
    /// Makes a session.
    pub(super) fn session(&self) -> Result<Session, InferenceError> {
        Ok(self.session_on()?.0)
    }

    /// Makes a session; tells where it computes.
    fn session_on(&self) -> Result<(Session, Device), InferenceError> {
        let environment = environment(&self.runtime)?;
        let failed = |source| InferenceError::Graph {
            path: self.path.clone(),
            source,
        };
        let cuda = |number| {
            let session = self.build(&environment, Some(number))?;
            Ok::<_, ort::Error>((session, Device::Cuda(number)))
        };
        let cpu = || Ok((self.build(&environment, None).map_err(failed)?, Device::Cpu));
        match self.device {
            Device::Cpu => cpu(),
            Device::Cuda(number) => cuda(number).map_err(|source| InferenceError::Cuda {
                device: self.device,
                source,
            }),
            Device::Auto => match CUDA::is_available() {
                Ok(true) => cuda(0).or_else(|_| cpu()),
                _ => cpu(),
            },
        }
    }

    fn build(&self, environment: &Environment, cuda: Option<i32>) -> ort::Result<Session> {
        let builder = Session::builder(environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(self.threads)?
            .with_inter_threads(1)?
            // Lengths differ from run to run: a pattern of memory would hold what the largest needed.
            .with_memory_pattern(false)?;
        let mut builder = match cuda {
            // Failing is the caller's to judge, and never silent.
            Some(number) => {
                let cuda = CUDA::default().with_device_id(number).build();
                builder.with_execution_providers([cuda.error_on_failure()])?
            }
            None => builder,
        };
        builder.commit_from_file(Path::new(&self.path))
    }

    /// Loads the graph once: returns its inputs and outputs, in its order, and where it computes.
    pub fn signature(&self) -> Result<(Vec<Tensor>, Vec<Tensor>, Device), InferenceError> {
        let (session, device) = self.session_on()?;
        let tensors = |outlets: &[Outlet]| outlets.iter().map(Tensor::new).collect();
        Ok((
            tensors(session.inputs()),
            tensors(session.outputs()),
            device,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named_as_in_options() {
        for name in ["auto", "cpu", "cuda:0", "cuda:3"] {
            assert_eq!(name.parse::<Device>().expect(name).to_string(), name);
        }
        assert_eq!("CUDA".parse(), Ok(Device::Cuda(0)));
        for name in ["", "gpu", "cuda:", "cuda:-1", "cuda:x"] {
            assert!(name.parse::<Device>().is_err(), "{name}");
        }
    }
}
