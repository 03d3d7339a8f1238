//! What every model of this kind has: a graph, its sessions, and files that are checked when they are loaded.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;

use lexstream_columns::model::ModelError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::OnnxError;
use super::export::Export;
use crate::inference::{Device, Graph, Tensor};
use lexstream_models::kinds::{Lazy, Request};
use lexstream_models::store::{FileRecord, Stored};

/// The files of a model, in a draft or in the store.
pub(super) struct Files<'a> {
    pub(super) model: &'a str,
    pub(super) records: &'a [FileRecord],
    pub(super) place: &'a dyn Fn(&FileRecord) -> PathBuf,
    pub(super) runtime: &'a [PathBuf],
}

impl Files<'_> {
    pub(super) fn path(&self, role: &'static str) -> Result<PathBuf, OnnxError> {
        let file = self.records.iter().find(|file| file.role == role);
        file.map(self.place).ok_or_else(|| OnnxError::Role {
            model: self.model.to_owned(),
            role,
        })
    }
}

/// Takes the graph's files and the small ones of an export: refers to them, or copies them.
pub(super) fn take(request: &Request<'_>, export: &Export) -> Result<Vec<FileRecord>, ModelError> {
    let mut files = vec![request.take("graph", &export.folder, &export.graph)?];
    for name in &export.data {
        files.push(request.take("data", &export.folder, name)?);
    }
    for name in &export.settings {
        files.push(request.take("settings", &export.folder, name)?);
    }
    Ok(files)
}

/// Threads of a session, and sessions, at most: each is there before the first text is computed.
const MOST_THREADS: usize = 256;

/// What the manifest keeps of a graph.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct GraphDetails {
    pub(super) inputs: Vec<Tensor>,
    pub(super) outputs: Vec<Tensor>,
    pub(super) sessions: usize,
    threads: usize,
    /// What was asked for.
    device: Device,
    /// Where it computed when it was made.
    made_on: Device,
}

impl GraphDetails {
    /// Reads the options that say how a graph is run, and the graph's signature.
    pub(super) fn read(request: &Request<'_>, files: &Files<'_>) -> Result<Self, ModelError> {
        let device = request.text("device").unwrap_or("auto").parse::<Device>();
        let device = device.map_err(|expected| request.wrong("device", expected.to_owned()))?;
        let cores = available_parallelism().map_or(1, usize::from);
        let sessions = request.count("sessions")?.unwrap_or(cores.min(4));
        let threads = request.count("threads")?;
        for (option, count) in [("sessions", Some(sessions)), ("threads", threads)] {
            if count.is_some_and(|count| count > MOST_THREADS) {
                let expected = format!("a number of at most {MOST_THREADS}");
                return Err(request.wrong(option, expected).into());
            }
        }
        let mut details = Self {
            inputs: Vec::new(),
            outputs: Vec::new(),
            sessions,
            threads: threads.unwrap_or((cores / sessions).max(1)),
            device,
            made_on: device,
        };
        let signature = details.graph(files)?.signature();
        (details.inputs, details.outputs, details.made_on) =
            signature.map_err(|source| OnnxError::Run {
                model: files.model.to_owned(),
                source,
            })?;
        Ok(details)
    }

    pub(super) fn graph(&self, files: &Files<'_>) -> Result<Graph, OnnxError> {
        Ok(Graph {
            path: files.path("graph")?,
            runtime: files.runtime.to_vec(),
            threads: self.threads,
            // Where it was made: another device than that would be a surprise, and is an error.
            device: self.made_on,
        })
    }
}

/// A version in the store, whose model is built when it is first used.
#[derive(Debug)]
pub(super) struct Opened<D, T> {
    pub(super) id: String,
    /// The kind and the task, for messages.
    pub(super) kind: String,
    pub(super) details: D,
    stored: Stored,
    runtime: Vec<PathBuf>,
    built: Lazy<T>,
}

impl<D: DeserializeOwned, T> Opened<D, T> {
    pub(super) fn new(stored: Stored, runtime: &[PathBuf]) -> Result<Self, OnnxError> {
        let details = serde_json::json!(stored.manifest.details);
        let task = stored.manifest.task.as_deref().unwrap_or_default();
        Ok(Self {
            id: stored.id(),
            kind: format!("onnx {task}"),
            details: serde_json::from_value(details).map_err(|source| OnnxError::Details {
                model: stored.id(),
                source,
            })?,
            stored,
            runtime: runtime.to_vec(),
            built: Lazy::default(),
        })
    }

    /// Returns the model; the first call checks its files and builds it.
    pub(super) fn built(
        &self,
        build: impl FnOnce(&Files<'_>) -> Result<T, ModelError>,
    ) -> Result<Arc<T>, ModelError> {
        self.built.load(|| self.build(build))
    }

    /// Returns the model if it has been built.
    pub(super) fn peek(&self) -> Option<Arc<T>> {
        self.built.peek()
    }

    fn build(
        &self,
        build: impl FnOnce(&Files<'_>) -> Result<T, ModelError>,
    ) -> Result<T, ModelError> {
        let records = &self.stored.manifest.files;
        for file in records {
            self.stored.verify(file)?;
        }
        build(&Files {
            model: &self.id,
            records,
            place: &|file| self.stored.path(file),
            runtime: &self.runtime,
        })
    }
}
