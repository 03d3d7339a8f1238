//! ONNX Runtime's library: found, loaded once a process.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;

/// Why ONNX Runtime can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// No path leads to a library that fits.
    #[error(
        "ONNX Runtime could not be loaded; tried {}; install it with `pip install onnxruntime` and set ORT_DYLIB_PATH to onnxruntime/capi/libonnxruntime.so.* in there, or put the library beside the executable or into <home>/onnxruntime",
        tried.join("; ")
    )]
    NotFound {
        /// Every path, and what was wrong with it.
        tried: Vec<String>,
    },
    /// The library was loaded and does not start.
    #[error("ONNX Runtime does not start")]
    Start(#[source] ort::Error),
}

/// Returns the process's environment of ONNX Runtime; the first call loads the first library of `candidates` that fits.
pub fn environment(candidates: &[PathBuf]) -> Result<Environment, RuntimeError> {
    static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);
    let mut environment = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = &*environment {
        return Ok(environment.clone());
    }
    let mut tried = Vec::new();
    for candidate in candidates {
        // A bare name is looked up by the system.
        if candidate.components().count() > 1 && !candidate.exists() {
            tried.push(format!("{}: no such file", candidate.display()));
            continue;
        }
        match ort::init_from(candidate) {
            Ok(builder) => {
                // What it has to say of a failure is in the failure's own message.
                let silent = Arc::new(|_: LogLevel, _: &str, _: &str, _: &str, _: &str| {});
                let builder = builder
                    .with_name("lexstream")
                    .with_telemetry(false)
                    .with_logger(silent);
                let built = builder.build().map_err(RuntimeError::Start)?;
                return Ok(environment.insert(built).clone());
            }
            Err(error) => tried.push(format!("{}: {error}", candidate.display())),
        }
    }
    Err(RuntimeError::NotFound { tried })
}
