//! Runs statements on threads of their own and prints what comes.

use std::io::{self, BufWriter, IsTerminal};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::Result as QueryResult;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, Sender};

use super::failure::Failure;
use super::format::{Format, Output, Printer};
use super::progress::Progress;
use super::threads::Threads;
use lexstream_engine::Engine;
use lexstream_engine::config::{LexstreamConfig, SqlConfig};
use lexstream_engine::sql::Statement;

/// How many batches wait for the printer.
const BATCHES_WAITING: usize = 2;

/// How often the progress line is drawn, and rows that a printer holds back are shown.
const REDRAW: Duration = Duration::from_millis(200);

/// Runs statements one after another.
pub(super) struct Runner {
    engine: Engine,
    format: Format,
    quiet: bool,
    threads: Threads,
}

/// What a query sends to its printer.
enum Event {
    Started(SchemaRef, Arc<dyn ExecutionPlan>),
    Batch(RecordBatch),
}

impl Runner {
    pub(super) fn new(engine: Engine, format: Format, quiet: bool) -> Result<Self, Failure> {
        Ok(Self {
            engine,
            format,
            quiet,
            threads: Threads::new()?,
        })
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn quiet(&self) -> bool {
        self.quiet
    }

    /// Returns the threads that queries run on.
    pub(super) fn queries(&self) -> &Handle {
        self.threads.queries()
    }

    /// Runs a script: all of it is parsed first, and the first failure ends it.
    pub(super) fn script(&self, sql: &str) -> Result<(), Failure> {
        self.engine
            .parse(sql)?
            .into_iter()
            .try_for_each(|statement| self.run(statement))
    }

    /// Runs one statement and prints its rows as they come; Ctrl-C ends it within a second.
    pub(super) fn run(&self, statement: Statement) -> Result<(), Failure> {
        let (sender, mut events) = mpsc::channel(BATCHES_WAITING);
        let started = Instant::now();
        let task = self
            .queries()
            .spawn(run(self.engine.clone(), statement, sender));
        let settings = settings_of(self.engine.context());
        let activities = Arc::clone(self.engine.models().activities());
        let mut progress = Progress::on_terminal(settings.progress && !self.quiet, activities);
        let mut shown: Option<Shown> = None;
        let outcome = self.threads.waiting().block_on(async {
            let mut interrupt = pin!(tokio::signal::ctrl_c());
            let mut redraw = tokio::time::interval(REDRAW);
            loop {
                tokio::select! {
                    event = events.recv() => match event {
                        Some(Event::Started(schema, plan)) => {
                            progress.follow(plan);
                            shown = Some(Shown::new(&schema, self.format, &settings)?);
                        }
                        Some(Event::Batch(batch)) => {
                            let shown = shown.as_mut().expect("a query says that it started before it sends a batch");
                            if !progress.hidden_while(|| shown.print(&batch))? {
                                task.abort();
                                return Ok(());
                            }
                        }
                        None => return Ok(()),
                    },
                    _ = &mut interrupt => {
                        task.abort();
                        return Err(Failure::Interrupted);
                    }
                    _ = redraw.tick() => {
                        progress.draw();
                        if let Some(shown) = &mut shown {
                            progress.hidden_while(|| shown.printer.tick())?;
                        }
                    }
                }
            }
        });
        progress.clear();
        // The rows that arrived before a failure are shown before it is.
        let more = match &outcome {
            Ok(()) if shown.as_ref().is_some_and(|shown| shown.is_full) => true,
            Ok(()) => match self.threads.waiting().block_on(task) {
                Ok(result) => {
                    result?;
                    false
                }
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            },
            Err(_) => false,
        };
        outcome?;
        match shown {
            Some(shown) => Ok(shown.finish(more, (!self.quiet).then(|| started.elapsed()))?),
            None => Ok(()),
        }
    }
}

/// Returns how a session shows results.
pub(super) fn settings_of(context: &SessionContext) -> SqlConfig {
    let state = context.state();
    let config = state.config_options().extensions.get::<LexstreamConfig>();
    config.map(|config| config.sql.clone()).unwrap_or_default()
}

async fn run(engine: Engine, statement: Statement, sender: Sender<Event>) -> QueryResult<()> {
    let frame = engine.run(statement).await?;
    let context = Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await?;
    if sender
        .send(Event::Started(plan.schema(), Arc::clone(&plan)))
        .await
        .is_err()
    {
        return Ok(());
    }
    let mut batches = execute_stream(plan, context)?;
    while let Some(batch) = batches.next().await {
        if sender.send(Event::Batch(batch?)).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// The part of a result that is printed already.
struct Shown {
    printer: Box<dyn Printer>,
    /// Whether the result has columns: a statement that only changes the session has none.
    has_columns: bool,
    /// How many rows may be shown; none is no limit.
    limit: Option<usize>,
    rows: usize,
    is_full: bool,
}

impl Shown {
    fn new(schema: &SchemaRef, format: Format, settings: &SqlConfig) -> Result<Self, Failure> {
        let terminal = io::stdout().is_terminal();
        let output: Output = Box::new(BufWriter::new(io::stdout()));
        let limit = (terminal && format == Format::Table && settings.max_rows > 0)
            .then_some(settings.max_rows);
        let has_columns = !schema.fields().is_empty();
        let printer = format.printer(schema, output, settings, terminal)?;
        Ok(Self {
            printer,
            has_columns,
            limit,
            rows: 0,
            is_full: false,
        })
    }

    /// Prints a batch; false once the table is full and more would follow.
    fn print(&mut self, batch: &RecordBatch) -> Result<bool, Failure> {
        if batch.num_rows() == 0 || !self.has_columns {
            return Ok(true);
        }
        let room = self.limit.map_or(usize::MAX, |limit| limit - self.rows);
        let shown = batch.slice(0, batch.num_rows().min(room));
        self.rows += shown.num_rows();
        if shown.num_rows() > 0 {
            self.printer.batch(&shown)?;
        }
        self.is_full = shown.num_rows() < batch.num_rows();
        Ok(!self.is_full)
    }

    fn finish(mut self, more: bool, elapsed: Option<Duration>) -> Result<(), Failure> {
        if !self.has_columns {
            return Ok(());
        }
        let seconds = elapsed.map(|elapsed| elapsed.as_secs_f64());
        let rows = self.rows;
        let footer = seconds.map(|seconds| match (more, rows) {
            (true, _) => format!(
                "first {rows} rows in {seconds:.3} s; SET lexstream.sql.max_rows = 0 shows all"
            ),
            (false, 1) => format!("1 row in {seconds:.3} s"),
            (false, _) => format!("{rows} rows in {seconds:.3} s"),
        });
        self.printer.finish(footer.as_deref())
    }
}
