//! Location of a row in the input, for errors and `_errors/`.

use std::fmt;
use std::path::PathBuf;

/// A row of an input file, or a range of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowLocation {
    /// The file.
    pub file: PathBuf,
    /// The row group, counted from 0; none where the file has none, or can't be opened.
    pub row_group: Option<usize>,
    /// The row, counted from 0 in the row group, or in a file without row groups; none where the file can't be opened.
    pub row: Option<u64>,
}

impl fmt::Display for RowLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(row_group) = self.row_group {
            write!(f, ", row group {row_group}")?;
        }
        match self.row {
            Some(row) => write!(f, ", row {row}"),
            None => Ok(()),
        }
    }
}
