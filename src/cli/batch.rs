//! `lexstream batch`: jobs over corpora of files.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::failure::Failure;
use super::format::Format;
use super::job_progress::{JobProgress, Summary};
use super::session::{EngineArguments, ScriptArguments};
use super::signal::signal;
use super::sql::size;
use super::threads::Threads;
use lexstream_batch::{Job, JobOptions, OnError, Running, Script};
use lexstream_engine::Engine;
use lexstream_engine::message::message;
use lexstream_environment as environment;

/// How often the workers are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// How long workers may take to end once they are asked to; what they have under way is dropped with the process then.
const PATIENCE: Duration = Duration::from_secs(4);

/// Arguments of `lexstream batch`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    script: ScriptArguments,
    /// Files that are the table `input`: a path, a glob or a folder
    #[arg(long, value_name = "PATH")]
    input: Option<String>,
    /// Folder that the rows of the job's SELECT are written to
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// What becomes of a row that fails and of a file that can't be read: stop there, count it, or write it to _errors/
    #[arg(long, value_enum, default_value_t = OnErrorArgument::Fail)]
    on_error: OnErrorArgument,
    /// Delete what an earlier job has made in the output, and begin anew
    #[arg(long)]
    restart: bool,
    /// Print what would be done: inputs, plans, units
    #[arg(long)]
    dry_run: bool,
    /// Try the job on the first N rows of the input and print the results; write nothing
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Bound memory, such as 2g [default: half of the machine's]
    #[arg(short, long, value_name = "SIZE", value_parser = size)]
    memory: Option<usize>,
    /// Units that are under way at once [default: one a core, at least 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    workers: Option<u16>,
    /// How the summary, and the rows of --limit, are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print no progress and no summary
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    engine: EngineArguments,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum OnErrorArgument {
    Fail,
    Skip,
    File,
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let memory = arguments.memory.or_else(half_of_the_machine);
    let memory = memory.unwrap_or(DEFAULT_MEMORY);
    // The other half is for batches and files under way.
    let builder = arguments.engine.builder().memory_limit(memory / 2);
    let engine = builder.build()?;
    let script = Script {
        sql: arguments.script.sql()?,
        input: arguments.input.clone(),
        output: arguments.output.clone(),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let options = JobOptions {
        on_error: match arguments.on_error {
            OnErrorArgument::Fail => OnError::Fail,
            OnErrorArgument::Skip => OnError::Skip,
            OnErrorArgument::File => OnError::File,
        },
        // One reads and writes while another waits for a model.
        workers: arguments.workers.map_or(cores.max(2), usize::from),
        memory,
    };
    let front = FrontEnd {
        arguments,
        threads: Threads::new()?,
    };
    front.run(&engine, &script, &options)
}

/// Where the machine does not say how much memory it has.
const DEFAULT_MEMORY: usize = 4 << 30;

fn half_of_the_machine() -> Option<usize> {
    environment::memory().map(|bytes| bytes / 2)
}

struct FrontEnd {
    arguments: Arguments,
    threads: Threads,
}

impl FrontEnd {
    fn run(&self, engine: &Engine, script: &Script, options: &JobOptions) -> Result<(), Failure> {
        let jobs = self
            .threads
            .unless_signal(Job::of_script(engine, script, options))??;
        if self.arguments.dry_run {
            for job in &jobs {
                print!("{}", job.describe(self.arguments.restart)?);
            }
            return Ok(());
        }
        if let Some(rows) = self.arguments.limit {
            return jobs.iter().try_for_each(|job| self.preview(job, rows));
        }
        let mut summary = Summary::default();
        for job in jobs {
            let job = Arc::new(job);
            let handle = self.threads.queries();
            let running = Arc::clone(&job).start(self.arguments.restart, handle)?;
            summary.add(self.follow(running)?);
        }
        if !self.arguments.quiet {
            summary.print(self.arguments.format)?;
        }
        Ok(())
    }

    /// Shows how far a job is until it ends; a signal ends it, and says how to go on.
    fn follow(&self, running: Running) -> Result<(lexstream_batch::Progress, Duration), Failure> {
        let mut progress = JobProgress::new(!self.arguments.quiet);
        let stopped = self.threads.waiting().block_on(async {
            let mut signal = pin!(signal());
            loop {
                tokio::select! {
                    signal = &mut signal => return Some(signal),
                    () = running.ended() => return None,
                    () = tokio::time::sleep(LOOK) => progress.show(&running.progress()),
                }
            }
        });
        progress.clear();
        let Some(signal) = stopped else {
            return Ok(running.join()?);
        };
        running.stop();
        let asked = Instant::now();
        while !running.has_ended() && asked.elapsed() < PATIENCE {
            std::thread::sleep(LOOK);
        }
        let (found, _) = running.progress();
        eprintln!(
            "{} of {} units are finished and stay; the same command goes on with the others",
            found.finished(),
            found.units
        );
        Err(signal)
    }

    fn preview(&self, job: &Job, rows: u64) -> Result<(), Failure> {
        let preview = job.preview(rows, self.threads.queries())?;
        let terminal = io::stdout().is_terminal();
        let shown = super::query::settings_of(job.context());
        let several = preview.outputs.len() > 1;
        for ((name, schema), batches) in job.schemas().zip(&preview.outputs) {
            if several {
                println!("{name}");
            }
            let output = Box::new(io::BufWriter::new(io::stdout()));
            let mut printer = self
                .arguments
                .format
                .printer(schema, output, &shown, terminal)?;
            for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
                printer.batch(batch)?;
            }
            printer.finish(None)?;
        }
        for (place, error) in &preview.failed {
            eprintln!("{place}: {}", message(error));
        }
        Ok(())
    }
}
