//! `lexstream sql`: scripts, commands, or the shell.

use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::format::Format;
use super::query::Runner;
use super::session::EngineArguments;
use super::shell;

/// Arguments of `lexstream sql`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Run this SQL and leave; may be given several times
    #[arg(short, long, value_name = "SQL", allow_hyphen_values = true)]
    command: Vec<String>,
    /// Run this script and leave, before any --command; may be given several times, `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    file: Vec<PathBuf>,
    #[command(flatten)]
    engine: EngineArguments,
    /// How results are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print results only: no greeting, no row counts, no progress
    #[arg(short, long)]
    quiet: bool,
    /// Bound the memory of sorts, joins and aggregates, such as 512m or 4g; what exceeds it goes to disk or fails
    #[arg(short, long, value_name = "SIZE", value_parser = size)]
    memory_limit: Option<usize>,
    /// Script that the shell runs first [default: ~/.lexstreamrc]
    #[arg(short, long, value_name = "FILE")]
    rc: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut engine = arguments.engine.builder();
    if let Some(bytes) = arguments.memory_limit {
        engine = engine.memory_limit(bytes);
    }
    let runner = Runner::new(engine.build()?, arguments.format, arguments.quiet)?;
    let standard_input_is_a_script =
        arguments.command.is_empty() && arguments.file.is_empty() && !io::stdin().is_terminal();
    if standard_input_is_a_script {
        return runner.script(&read(Path::new("-"))?);
    }
    if arguments.command.is_empty() && arguments.file.is_empty() {
        return shell::run(&runner, arguments.rc.as_deref());
    }
    for file in &arguments.file {
        runner.script(&read(file)?)?;
    }
    arguments
        .command
        .iter()
        .try_for_each(|command| runner.script(command))
}

/// Reads a script; `-` is standard input.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    text.map_err(|cause| Failure::Script {
        path: path.to_owned(),
        cause,
    })
}

pub(super) fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("expected KEY=VALUE, such as lexstream.sql.max_rows=100".to_owned()),
    }
}

pub(super) fn size(text: &str) -> Result<usize, String> {
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.trim_end_matches(|character: char| !character.is_ascii_digit());
    let shift = match lower[digits.len()..].trim_end_matches('b') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return Err("expected a size such as 512m or 4g".to_owned()),
    };
    let number: usize = digits
        .parse()
        .map_err(|_| "expected a size such as 512m or 4g".to_owned())?;
    match number.checked_mul(1 << shift) {
        Some(bytes) if bytes > 0 => Ok(bytes),
        _ => Err("expected a size above 0 that fits this machine".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, expected) in [
            ("1024", Some(1024)),
            ("4g", Some(4 << 30)),
            ("512 MB", None),
            ("512MB", Some(512 << 20)),
            ("0", None),
            ("g", None),
            ("99999999t", None),
        ] {
            assert_eq!(size(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn settings_have_a_key_and_a_value() {
        assert_eq!(setting("a.b=c=d"), Ok(("a.b".to_owned(), "c=d".to_owned())));
        assert!(setting("a.b").is_err());
        assert!(setting("=x").is_err());
    }
}
