//! What an error says to a person.

use std::error::Error;

use datafusion::arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;

/// Returns what an error says of where, expected and found, without the names of the layers it passed.
pub fn message(error: &DataFusionError) -> String {
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
            ArrowError::ExternalError(cause) => caused(&**cause),
            other => bare(&other.to_string()),
        },
        DataFusionError::External(cause) => caused(&**cause),
        other => bare(&other.strip_backtrace()),
    }
}

/// Returns what an error and its causes say, one behind the other.
pub fn caused(error: &(dyn Error + 'static)) -> String {
    if let Some(error) = error.downcast_ref::<DataFusionError>() {
        return message(error);
    }
    let mut text = bare(&error.to_string());
    // Our own errors keep their causes apart; others repeat them.
    let mut cause = error.source();
    while let Some(source) = cause {
        let of_query = source.downcast_ref::<DataFusionError>();
        let source_text = of_query.map_or_else(|| bare(&source.to_string()), message);
        if !text.contains(&source_text) {
            text = format!("{text}: {source_text}");
        }
        cause = match of_query {
            // It has told its causes.
            Some(_) => None,
            None => source.source(),
        };
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

    fn check(error: &DataFusionError, expected: &str) {
        assert_eq!(message(error), expected);
    }

    #[test]
    fn the_names_of_layers_are_left_out() {
        check(&plan_datafusion_err!("tokenize: no"), "tokenize: no");
        check(&exec_datafusion_err!("Error during planning: x"), "x");
        check(
            &plan_datafusion_err!("found nothing").context("a.csv"),
            "a.csv: found nothing",
        );
        let external = ArrowError::ExternalError(Box::new(exec_datafusion_err!("row 3")));
        check(&external.into(), "row 3");
        check(
            &ArrowError::CastError("Cannot cast string 'x' to Int64".to_owned()).into(),
            "Cannot cast string 'x' to Int64",
        );
    }
}
