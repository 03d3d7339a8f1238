//! Rows of a file as a reader gives them: a batch, or a single row that fails.

use datafusion::arrow::array::RecordBatch;
use datafusion::common::DataFusionError;

/// The next rows of a file, or the next row, which fails.
#[derive(Debug)]
pub(crate) enum Read {
    Rows(RecordBatch),
    /// A row that can't be read; others follow.
    CorruptRow(DataFusionError),
    /// A row with a value that the table has no place for.
    TypeMismatch(DataFusionError),
}
