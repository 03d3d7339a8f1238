//! `lexstream stream`: queries over topics, for ever.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use super::failure::Failure;
use super::listen;
use super::session::{EngineArguments, ScriptArguments};
use super::signal::signal;
use super::sql::size;
use super::stream_status::{LogAbove, StreamStatus};
use super::threads::Threads;
use lexstream_environment as environment;
use lexstream_stream::{Running, Stream, StreamError, StreamOptions};

/// How often the pipelines are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// How long pipelines may take to end once they are asked to; what is under way then is aborted by the next start.
const PATIENCE: Duration = Duration::from_secs(9);

/// Arguments of `lexstream stream`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    script: ScriptArguments,
    /// Print the pipelines and their plans; run nothing
    #[arg(long)]
    dry_run: bool,
    /// End at what is the end of the topics now
    #[arg(long)]
    until_end: bool,
    /// Name of this process among those that run the same pipelines [default: the first number that is free in the home]
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Address at which /metrics, /health/live and /health/ready are served over HTTP, such as 127.0.0.1:9184
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// How log lines are written to standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// What is logged: changes of state, or less, or more
    #[arg(long, value_enum, default_value_t = LogLevel::Info)]
    log_level: LogLevel,
    /// Bound the memory of queries, such as 2g; beside it stand the buffers that lexstream.stream.… bound
    #[arg(short, long, value_name = "SIZE", value_parser = size)]
    memory: Option<usize>,
    #[command(flatten)]
    engine: EngineArguments,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let status = StreamStatus::on_terminal();
    log(arguments.log_format, arguments.log_level, status.log());
    let mut engine = arguments.engine.builder();
    if let Some(memory) = arguments.memory {
        engine = engine.memory_limit(memory);
    }
    let engine = engine.build()?;
    let sql = arguments.script.sql()?;
    let home = arguments.engine.home.clone();
    let options = StreamOptions {
        instance: arguments.instance.clone(),
        until_end: arguments.until_end,
        home: home.or_else(environment::lexstream_home),
    };
    let threads = Threads::new()?;
    let stream = threads.unless_signal(Stream::of_script(&engine, &sql, options))??;
    if arguments.dry_run {
        print!("{}", stream.describe());
        return Ok(());
    }
    let listener = match arguments.listen {
        Some(address) => {
            let bound = threads.waiting().block_on(listen::bind(address));
            Some(bound.map_err(|cause| Failure::Listen { address, cause })?)
        }
        None => None,
    };
    let running = stream.start(threads.queries())?;
    if let Some(listener) = listener {
        let streams = running.iter();
        let streams = streams.map(|stream| (stream.name.clone(), Arc::clone(&stream.control)));
        threads
            .waiting()
            .spawn(listen::serve(listener, Arc::new(streams.collect())));
    }
    follow(running, threads.waiting(), status)
}

/// Waits until every pipeline has ended, one has failed, or a signal asks for the end; then ends all.
fn follow(
    mut running: Vec<Running>,
    waiting: &Runtime,
    mut status: StreamStatus,
) -> Result<(), Failure> {
    let mut outcome = waiting.block_on(async {
        let mut signal = std::pin::pin!(signal());
        loop {
            tokio::select! {
                _ = &mut signal => return Ok(()),
                () = tokio::time::sleep(LOOK) => {
                    ended(&mut running)?;
                    if running.is_empty() {
                        return Ok(());
                    }
                    status.draw(&running);
                }
            }
        }
    });
    status.clear();
    for pipeline in &running {
        pipeline.control.stop();
    }
    let asked = Instant::now();
    while !running.is_empty() && asked.elapsed() < PATIENCE {
        let rest = ended(&mut running);
        outcome = outcome.and(rest);
        std::thread::sleep(LOOK);
    }
    for pipeline in running {
        tracing::warn!(table = %pipeline.name, "what was under way is left to the next start");
    }
    Ok(outcome?)
}

/// Takes out the pipelines that have ended; the first failure is returned.
fn ended(running: &mut Vec<Running>) -> Result<(), StreamError> {
    let mut outcome = Ok(());
    for pipeline in running.extract_if(.., |pipeline| pipeline.has_ended()) {
        let (table, control) = (pipeline.name.clone(), Arc::clone(&pipeline.control));
        outcome = outcome.and(pipeline.join());
        let counts = control.metrics.counts();
        let reading = control.metrics.reading_for().unwrap_or_default();
        let seconds = reading.as_secs_f64();
        tracing::info!(
            %table,
            messages = counts.messages,
            outputs = counts.outputs,
            dead = counts.dead,
            filtered = counts.filtered,
            seconds = format_args!("{seconds:.1}"),
            messages_per_second = format_args!("{:.0}", counts.messages as f64 / seconds.max(1e-3)),
            "the pipeline has ended"
        );
    }
    outcome
}

fn log(format: LogFormat, level: LogLevel, above: LogAbove) {
    let level = match level {
        LogLevel::Error => tracing::Level::ERROR,
        LogLevel::Warn => tracing::Level::WARN,
        LogLevel::Info => tracing::Level::INFO,
        LogLevel::Debug => tracing::Level::DEBUG,
    };
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(above)
        .with_ansi(false);
    // A process has one log; another one is there in tests alone.
    let _ = match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
}
