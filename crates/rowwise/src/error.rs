//! Why queries don't run row by row.

use std::fmt;

use datafusion::common::DataFusionError;

/// Why queries don't run row by row, or a batch can't be run.
#[derive(Debug, thiserror::Error)]
pub enum RowwiseError {
    /// A part of a query needs more than one row at a time.
    #[error("{refusal}")]
    NotRowByRow {
        /// Place of the query, from 0.
        query: usize,
        /// The part and the reason.
        refusal: Refusal,
    },
    /// A query has nothing to do with the source.
    #[error("expected a query that reads `{source_table}`, found one that does not")]
    NotRead {
        /// Place of the query, from 0.
        query: usize,
        /// The source table.
        source_table: String,
    },
    /// A plan that has been optimised, so that parts of it lie hidden in scans.
    #[error(
        "expected a plan that is not optimised, found conditions or a limit in the scan of `{source_table}`"
    )]
    Optimised {
        /// The source table.
        source_table: String,
    },
    /// A subquery that stands for one value.
    #[error("the subquery `{subquery}`: expected at most one row, found {found}")]
    OneValue {
        /// The subquery's column.
        subquery: String,
        /// How many rows it has.
        found: usize,
    },
    /// A batch of other columns.
    #[error("expected a batch with the columns ({expected}), found ({found})")]
    Columns {
        /// The columns of [`Rowwise::input_schema`](super::Rowwise::input_schema).
        expected: String,
        /// The batch's columns.
        found: String,
    },
    /// A batch whose rows can't be numbered.
    #[error("expected a batch of at most {} rows, found {found}", u32::MAX)]
    Rows {
        /// The batch's rows.
        found: usize,
    },
    /// Planning or execution failed, and no row is to blame.
    #[error(transparent)]
    DataFusion(#[from] DataFusionError),
}

impl From<RowwiseError> for DataFusionError {
    fn from(error: RowwiseError) -> Self {
        match error {
            RowwiseError::DataFusion(error) => error,
            other => Self::External(Box::new(other)),
        }
    }
}

/// A part of a query that does not work row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The part, by its name in SQL.
    pub node: String,
    /// Why it doesn't work, and what does where that is clear.
    pub reason: String,
}

impl Refusal {
    pub(super) fn new(node: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            node: node.into(),
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not work row by row: {}", self.node, self.reason)
    }
}
