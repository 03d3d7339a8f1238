//! What went wrong, in words for a person.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// A statement failed.
    #[error("{}", message(.0))]
    Query(#[from] DataFusionError),
    /// A result could not be written.
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
    /// A script could not be read.
    #[error("{}: {cause}", path.display())]
    Script { path: PathBuf, cause: io::Error },
    /// The terminal does not work with a line editor.
    #[error("terminal: {0}")]
    Terminal(#[from] rustyline::error::ReadlineError),
    /// The person pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl From<ArrowError> for Failure {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, cause) => Self::Output(cause),
            other => Self::Query(other.into()),
        }
    }
}

impl Failure {
    /// Tells whether the reader of our output has gone.
    pub(super) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == ErrorKind::BrokenPipe)
    }
}

/// Returns what an error says of where, expected and found, without the names of the layers it passed.
fn message(error: &DataFusionError) -> String {
    match error {
        DataFusionError::Plan(message)
        | DataFusionError::Execution(message)
        | DataFusionError::Configuration(message)
        | DataFusionError::NotImplemented(message) => bare(message),
        DataFusionError::SQL(error, _) => match &**error {
            ParserError::ParserError(message) | ParserError::TokenizerError(message) => {
                message.clone()
            }
            ParserError::RecursionLimitExceeded => "the statement is nested too deeply".to_owned(),
        },
        DataFusionError::Context(context, cause) => format!("{context}: {}", message(cause)),
        DataFusionError::Diagnostic(_, cause) => message(cause),
        DataFusionError::Shared(cause) => message(cause),
        DataFusionError::Collection(causes) => {
            causes.iter().map(message).collect::<Vec<_>>().join("; ")
        }
        DataFusionError::SchemaError(cause, _) => cause.to_string(),
        DataFusionError::ArrowError(cause, _) => match &**cause {
            ArrowError::ExternalError(cause) => external(&**cause),
            other => bare(&other.to_string()),
        },
        DataFusionError::External(cause) => external(&**cause),
        other => bare(&other.strip_backtrace()),
    }
}

fn external(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    if let Some(cause) = cause.downcast_ref::<DataFusionError>() {
        return message(cause);
    }
    let mut text = bare(&cause.to_string());
    // Our own errors keep their causes apart; others repeat them.
    let mut cause = cause.source();
    while let Some(source) = cause {
        let source_text = source.to_string();
        if !text.contains(&source_text) {
            text = format!("{text}: {}", bare(&source_text));
        }
        cause = source.source();
    }
    text
}

/// Takes away the names of layers in front of a message, and a backtrace behind it.
fn bare(message: &str) -> String {
    const LAYERS: [&str; 9] = [
        "Arrow error: ",
        "Cast error: ",
        "Error during planning: ",
        "Execution error: ",
        "External error: ",
        "External: ",
        "Invalid argument error: ",
        "Optimizer rule 'simplify_expressions' failed\ncaused by\n",
        "Parquet error: ",
    ];
    let mut message = message
        .split(DataFusionError::BACK_TRACE_SEP)
        .next()
        .unwrap_or(message)
        .trim();
    while let Some(rest) = LAYERS.iter().find_map(|layer| message.strip_prefix(layer)) {
        message = rest;
    }
    message.to_owned()
}

#[cfg(test)]
mod tests {
    use datafusion::common::{exec_datafusion_err, plan_datafusion_err};

    use super::*;

    fn check(error: DataFusionError, expected: &str) {
        assert_eq!(Failure::from(error).to_string(), expected);
    }

    #[test]
    fn the_names_of_layers_are_left_out() {
        check(plan_datafusion_err!("tokenize: no"), "tokenize: no");
        check(exec_datafusion_err!("Error during planning: x"), "x");
        check(
            plan_datafusion_err!("found nothing").context("a.csv"),
            "a.csv: found nothing",
        );
        let external = ArrowError::ExternalError(Box::new(exec_datafusion_err!("row 3")));
        check(external.into(), "row 3");
        check(
            ArrowError::CastError("Cannot cast string 'x' to Int64".to_owned()).into(),
            "Cannot cast string 'x' to Int64",
        );
    }
}
