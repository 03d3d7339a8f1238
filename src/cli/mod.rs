//! The command line: `lexstream sql`, `batch`, `broker`, `stream`, `profile`, `reference`, `version`.

mod batch;
#[cfg(feature = "kafka")]
mod broker;
mod commands;
mod completion;
mod failure;
mod format;
mod job_progress;
#[cfg(feature = "kafka")]
mod listen;
mod profile;
mod profile_report;
mod progress;
mod progress_line;
mod query;
mod reference;
mod session;
mod shell;
mod signal;
mod sql;
#[cfg(feature = "kafka")]
mod stream;
#[cfg(feature = "kafka")]
mod stream_status;
mod threads;
mod version;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

/// NLP as SQL, over files and streams.
#[derive(Debug, Parser)]
#[command(name = "lexstream", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run SQL: a shell, a script or one command
    Sql(sql::Arguments),
    /// Run a job over a corpus of files: resumable, each row once
    Batch(batch::Arguments),
    /// Run a broker in memory, to try streams with nothing installed
    #[cfg(feature = "kafka")]
    Broker(broker::Arguments),
    /// Run queries over Kafka topics for ever, each message exactly once
    #[cfg(feature = "kafka")]
    Stream(stream::Arguments),
    /// Look at a column of texts: lengths, languages, words, duplicates
    Profile(profile::Arguments),
    /// Print a reference page as Markdown
    Reference(reference::Arguments),
    /// Print the version
    Version(version::Arguments),
}

/// Runs the command that the process was started with.
///
/// The exit status is 0 for success, 1 for an error, 2 for a wrong command line, 130 for an interrupt,
/// 143 for a signal to terminate.
pub fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Sql(arguments) => sql::run(&arguments),
        Command::Batch(arguments) => batch::run(arguments),
        #[cfg(feature = "kafka")]
        Command::Broker(arguments) => broker::run(&arguments),
        #[cfg(feature = "kafka")]
        Command::Stream(arguments) => stream::run(&arguments),
        Command::Profile(arguments) => profile::run(&arguments),
        Command::Reference(arguments) => reference::run(&arguments),
        Command::Version(arguments) => version::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has enough: the end of `… | head`.
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(Failure::Interrupted) => {
            eprintln!("error: interrupted");
            ExitCode::from(130)
        }
        Err(Failure::Terminated) => {
            eprintln!("error: terminated");
            ExitCode::from(143)
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
