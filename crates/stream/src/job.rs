//! A stream: pipelines that are planned, then run, each on a thread of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::runtime::Handle;

use super::StreamError;
use super::metrics::Control;
use super::plan::{PipelinePlan, read_script};
use super::source::{KafkaSource, Source};
use lexstream_engine::Engine;
use lexstream_kafka::{KafkaProducer, TransactionalProducer};

/// What the command line adds to a script.
#[derive(Debug, Clone)]
pub struct StreamOptions {
    /// This process's name among those that run the same pipelines; without one, the first that is free in the home.
    pub instance: Option<String>,
    /// Whether the stream ends where its topics end at the start.
    pub until_end: bool,
    /// The home, in which names are locked; without `instance`, one is needed.
    pub home: Option<PathBuf>,
}

/// Planned pipelines.
#[derive(Debug)]
pub struct Stream {
    pipelines: Vec<PipelinePlan>,
    options: StreamOptions,
}

/// A running pipeline.
#[derive(Debug)]
pub struct Running {
    /// The table that it reads.
    pub name: String,
    /// How it is watched and stopped.
    pub control: Arc<Control>,
    thread: JoinHandle<Result<(), StreamError>>,
}

impl Running {
    /// Tells whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// Where it failed.
    pub fn join(self) -> Result<(), StreamError> {
        match self.thread.join() {
            Ok(ended) => ended,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

impl Stream {
    /// Runs the statements of a script that define, and plans its INSERTs; no broker is asked yet.
    ///
    /// # Errors
    /// Where a statement fails, or is none that a stream runs.
    pub async fn of_script(
        engine: &Engine,
        sql: &str,
        options: StreamOptions,
    ) -> Result<Self, StreamError> {
        let mut pipelines = Vec::new();
        for inserts in read_script(engine, sql).await? {
            pipelines.push(PipelinePlan::new(engine, inserts).await?);
        }
        Ok(Self { pipelines, options })
    }

    /// Describes the pipelines and their plans.
    pub fn describe(&self) -> String {
        self.pipelines.iter().map(PipelinePlan::describe).collect()
    }

    /// Starts the pipelines; queries run on `runtime`.
    ///
    /// # Errors
    /// Where a thread can't be started; what a pipeline fails of comes from [`Running::join`].
    pub fn start(self, runtime: &Handle) -> Result<Vec<Running>, StreamError> {
        self.start_with(runtime, |source, producer| (source, producer))
    }

    /// Starts the pipelines, those between topics with decorated clients: such as break a rule, or end the process.
    ///
    /// # Errors
    /// Where a thread can't be started.
    pub fn start_with<S: Source, P: TransactionalProducer>(
        self,
        runtime: &Handle,
        wrap: impl Fn(KafkaSource, KafkaProducer) -> (S, P) + Clone + Send + 'static,
    ) -> Result<Vec<Running>, StreamError> {
        let Self { pipelines, options } = self;
        let started = pipelines.into_iter().map(|pipeline| {
            let control = Arc::new(Control::new(pipeline.models.clone()));
            let name = pipeline.name.clone();
            let thread = std::thread::Builder::new().name(format!("stream-{name}"));
            let (runtime, options) = (runtime.clone(), options.clone());
            let (shared, wrap) = (Arc::clone(&control), wrap.clone());
            let thread = thread.spawn(move || pipeline.run(&options, shared, runtime, wrap));
            let thread = thread.map_err(StreamError::thread)?;
            Ok(Running {
                name,
                control,
                thread,
            })
        });
        started.collect()
    }
}
