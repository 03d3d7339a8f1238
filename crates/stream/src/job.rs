//! A stream: pipelines that are planned, and then run, each on a thread of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::runtime::Handle;

use super::StreamError;
use super::control::Control;
use super::kafka_steps::KafkaSteps;
use super::prepared::Prepared;
use super::script;
use super::steps::Steps;
use lexstream_engine::Engine;

/// What the command line adds to a script.
#[derive(Debug, Clone)]
pub struct StreamOptions {
    /// This process's name among those that run the same pipelines; without one, the first that is free in the home.
    pub instance: Option<String>,
    /// Whether the stream ends at what is the end of its topics at the start.
    pub until_end: bool,
    /// Where names are held; none is needed where this process has one.
    pub home: Option<PathBuf>,
}

/// Pipelines, planned.
#[derive(Debug)]
pub struct Stream {
    pipelines: Vec<Prepared>,
    options: StreamOptions,
}

/// A pipeline that runs.
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
    pub fn join(self) -> Result<(), StreamError> {
        match self.thread.join() {
            Ok(ended) => ended,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

impl Stream {
    /// Runs the statements of a script that define, and plans its INSERTs; no topic is asked for yet.
    pub async fn of_script(
        engine: &Engine,
        sql: &str,
        options: StreamOptions,
    ) -> Result<Self, StreamError> {
        let mut pipelines = Vec::new();
        for planned in script::plan(engine, sql).await? {
            pipelines.push(Prepared::new(engine, planned).await?);
        }
        Ok(Self { pipelines, options })
    }

    /// Returns what would be run.
    pub fn describe(&self) -> String {
        self.pipelines.iter().map(Prepared::describe).collect()
    }

    /// Begins to run the pipelines; rows are computed on `runtime`.
    pub fn start(self, runtime: &Handle) -> Result<Vec<Running>, StreamError> {
        self.start_with(runtime, |steps| steps)
    }

    /// Begins to run the pipelines, those between topics by other steps, made out of the right ones: such as break a
    /// rule, or end the process at one.
    pub fn start_with<S: Steps>(
        self,
        runtime: &Handle,
        wrap: impl Fn(KafkaSteps) -> S + Clone + Send + 'static,
    ) -> Result<Vec<Running>, StreamError> {
        let Self { pipelines, options } = self;
        let started = pipelines.into_iter().map(|pipeline| {
            let control = Arc::new(Control::new(pipeline.models.clone()));
            let name = pipeline.name.clone();
            let thread = std::thread::Builder::new().name(format!("stream-{name}"));
            let (runtime, options) = (runtime.clone(), options.clone());
            let (shared, wrap) = (Arc::clone(&control), wrap.clone());
            let thread = thread.spawn(move || pipeline.run(&options, shared, runtime, wrap));
            let thread = thread.map_err(|source| StreamError::Io {
                action: "start",
                path: PathBuf::from("a thread"),
                source,
            })?;
            Ok(Running {
                name,
                control,
                thread,
            })
        });
        started.collect()
    }
}
