//! The shell: lines in, statements out.

use std::path::Path;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use super::commands::{self, Next};
use super::completion::Completions;
use super::failure::Failure;
use super::query::Runner;
use super::sql;
use lexstream_environment as environment;

const PROMPT: &str = "lexstream> ";

/// How many lines the history keeps.
const HISTORY: usize = 10_000;

/// Reads and runs statements until the person leaves; a failure is shown and the next line asked for.
pub(super) fn run(runner: &Runner, rc: Option<&Path>) -> Result<(), Failure> {
    if !runner.quiet() {
        println!(
            "Lexstream {}. Statements end with `;`. \\? lists commands, \\h functions, \\q leaves.",
            env!("CARGO_PKG_VERSION")
        );
    }
    let home = environment::home();
    match (
        rc,
        home.as_ref()
            .map(|home| home.join(".lexstreamrc"))
            .filter(|rc| rc.exists()),
    ) {
        (Some(rc), _) => runner.script(&sql::read(rc)?)?,
        (None, Some(rc)) => runner.script(&sql::read(&rc)?)?,
        (None, None) => {}
    }
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(HISTORY)?
        .history_ignore_space(true);
    let mut editor: Editor<Completions, FileHistory> = Editor::with_config(config.build())?;
    let history = home.map(|home| home.join(".lexstream_history"));
    if let Some(history) = &history {
        // The first time, there is none.
        let _ = editor.load_history(history);
    }
    editor.set_helper(Some(Completions::of(runner)));
    loop {
        match editor.readline(PROMPT) {
            Ok(line) => {
                editor.add_history_entry(kept(line.trim()))?;
                if enter(runner, &line)? == Next::Leave {
                    break;
                }
                editor.set_helper(Some(Completions::of(runner)));
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(history) = &history {
        editor.append_history(history)?;
    }
    Ok(())
}

/// Returns what the history keeps of an entry: no secret of a topic's options.
#[cfg(feature = "kafka")]
fn kept(line: &str) -> std::borrow::Cow<'_, str> {
    lexstream_kafka::masked(line)
}

/// Returns what the history keeps of an entry.
#[cfg(not(feature = "kafka"))]
fn kept(line: &str) -> &str {
    line
}

/// Runs one entry; only what makes the shell useless is a failure.
fn enter(runner: &Runner, line: &str) -> Result<Next, Failure> {
    let outcome = match line.trim() {
        "" => Ok(Next::Ask),
        "exit" | "quit" | "exit;" | "quit;" => Ok(Next::Leave),
        command if command.starts_with('\\') => commands::run(runner, command),
        statements => runner.script(statements).map(|()| Next::Ask),
    };
    match outcome {
        Ok(next) => Ok(next),
        Err(failure) if failure.is_closed_pipe() => Err(failure),
        Err(failure) => {
            eprintln!("error: {failure}");
            Ok(Next::Ask)
        }
    }
}
