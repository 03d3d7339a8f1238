//! Whether a row is to blame for an error, or everything is.

use std::error::Error;
use std::io;

use datafusion::arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use lexstream_columns::model::Unusable;

/// Tells whether a row may be to blame: without it, the others can have their results.
///
/// | error | |
/// |---|---|
/// | of a function or a model about what it was given, of a cast, of arithmetic | the row's |
/// | out of memory, input and output, a wrong setting | nobody's |
/// | a task that was cancelled or panicked, an internal error | nobody's |
/// | a model that can't be used at all: its files, ONNX Runtime, its device | nobody's |
pub(super) fn is_of_a_row(error: &DataFusionError) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if is_of_no_row(error) {
            return false;
        }
        cause = error.source();
    }
    true
}

fn is_of_no_row(error: &(dyn Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<DataFusionError>() {
        return match error {
            DataFusionError::Collection(errors) => errors.iter().any(|error| !is_of_a_row(error)),
            DataFusionError::Configuration(_)
            | DataFusionError::ExecutionJoin(_)
            | DataFusionError::Internal(_)
            | DataFusionError::IoError(_)
            | DataFusionError::ObjectStore(_)
            | DataFusionError::ParquetError(_)
            | DataFusionError::ResourcesExhausted(_)
            | DataFusionError::SchemaError(..) => true,
            _ => false,
        };
    }
    if let Some(error) = error.downcast_ref::<ArrowError>() {
        return matches!(error, ArrowError::IoError(..) | ArrowError::MemoryError(_));
    }
    error.downcast_ref::<io::Error>().is_some() || error.downcast_ref::<Unusable>().is_some()
}
