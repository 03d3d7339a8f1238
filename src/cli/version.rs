//! `lexstream version [--verbose]`.

use std::io::{self, Write};

use super::failure::Failure;

/// Arguments of `lexstream version`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Also print the versions of what it is built on, the platform and the features
    #[arg(short, long)]
    verbose: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "lexstream {}", env!("CARGO_PKG_VERSION"))?;
    if arguments.verbose {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let build = if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        };
        writeln!(out, "datafusion {}", datafusion::DATAFUSION_VERSION)?;
        writeln!(out, "arrow {}", arrow::ARROW_VERSION)?;
        writeln!(
            out,
            "platform {} {}",
            std::env::consts::OS,
            std::env::consts::ARCH
        )?;
        writeln!(out, "threads {threads}")?;
        writeln!(out, "build {build}")?;
        writeln!(out, "features cli")?;
    }
    Ok(())
}
