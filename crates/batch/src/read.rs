//! What comes out of a file.

use datafusion::arrow::array::RecordBatch;
use datafusion::common::DataFusionError;

/// The next rows of a file, or the next row, which is none of the table's.
#[derive(Debug)]
pub(super) enum Read {
    Rows(RecordBatch),
    /// A row that can't be read; others follow.
    CorruptRow(DataFusionError),
    /// A row with a value that the table has no place for.
    TypeMismatch(DataFusionError),
}
