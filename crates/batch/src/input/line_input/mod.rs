//! Files of lines, JSON and CSV, cut into batches by their bytes too: DataFusion's readers count rows alone.

mod csv;
mod csv_lines;
mod json_lines;

use std::io::Read as InputRead;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result};

use super::read::Read;
pub(super) use csv::Csv;
use csv_lines::CsvLines;
use json_lines::JsonLines;

/// Bytes of a file that are read at once.
const AT_ONCE: usize = 1 << 18;

/// A format of lines.
pub(crate) enum Format {
    Csv(Csv),
    /// JSON objects of these columns.
    Json(SchemaRef),
}

/// How batches are cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Rows of a batch, at most.
    pub(crate) rows: usize,
    /// Bytes of the file above which a batch ends with the line that it is at.
    pub(crate) bytes: usize,
    /// Bytes of a line, at most: a longer one is refused before it is held as a whole.
    pub(crate) line: usize,
}

impl Limits {
    fn too_long(self) -> DataFusionError {
        let megabytes = self.line / 1_000_000;
        DataFusionError::ResourcesExhausted(format!(
            "a line of more than {megabytes} MB, or a quote that is not closed; a line may take more memory than --memory leaves, then give it more"
        ))
    }
}

/// Reads a file of lines.
pub(crate) enum Lines {
    Csv(Box<CsvLines>),
    Json(Box<JsonLines>),
}

impl Lines {
    /// Returns a reader of a file.
    ///
    /// # Errors
    /// A type that the format can't hold.
    pub(crate) fn try_new(
        input: Box<dyn InputRead + Send>,
        format: Format,
        limits: Limits,
    ) -> Result<Self> {
        Ok(match format {
            Format::Csv(csv) => Self::Csv(Box::new(CsvLines::new(input, csv, limits))),
            Format::Json(schema) => {
                Self::Json(Box::new(JsonLines::try_new(input, &schema, limits)?))
            }
        })
    }

    /// Makes the next batch ready, but for a line that is longer than a batch: of that it returns how long it may be.
    ///
    /// # Errors
    /// A line that is too long.
    pub(crate) fn long_line(&mut self) -> Result<usize> {
        match self {
            Self::Csv(lines) => lines.long_line(),
            Self::Json(lines) => lines.long_line(),
        }
    }
}

impl Iterator for Lines {
    type Item = Result<Read>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Csv(lines) => lines.next(),
            Self::Json(lines) => lines.next(),
        }
    }
}

#[cfg(test)]
mod tests;
