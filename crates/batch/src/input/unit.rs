//! Units of work: a range of rows of an input file, which becomes one file of each output.

use std::ops::Range;

use super::parquet_file::ParquetFile;
use super::schema_adapter::TypeMismatches;
use super::source::{InputFile, Source};
use crate::row_location::RowLocation;
use lexstream_engine::config::BatchConfig;

/// Rows of a page, at most, where they are long: most writers look at a page's bytes once in so many rows.
const PAGE_ROWS: u64 = 1024;

/// How many times the bytes of a batch a long page has.
const LONG: usize = 2;

/// A unit of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Which of the source's files.
    pub(crate) file: usize,
    pub(crate) rows: UnitRows,
    /// The file's bytes that stand for it, for the progress line.
    pub(crate) bytes: u64,
    /// Name of its file in each output, without a folder; names sort as units do.
    pub(crate) name: String,
}

/// Which rows of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UnitRows {
    /// Rows of a row group.
    OfGroup {
        row_group: usize,
        rows: Range<u64>,
        /// Their share of the columns that are read, uncompressed.
        bytes: u64,
    },
    /// Every row.
    All,
    /// None can be read: why, in the words of whoever tried.
    Unreadable(String),
}

impl Unit {
    /// Returns how many rows it has, as far as that is known.
    pub(crate) fn known_rows(&self) -> Option<u64> {
        match &self.rows {
            UnitRows::OfGroup { rows, .. } => Some(rows.end - rows.start),
            UnitRows::All | UnitRows::Unreadable(_) => None,
        }
    }

    /// Returns about how many bytes the pages have together that are open at once, which are read whole.
    pub(crate) fn page_bytes(&self) -> usize {
        let bytes = match &self.rows {
            UnitRows::OfGroup { rows, bytes, .. } => {
                let of_row = bytes / (rows.end - rows.start).max(1);
                of_row.saturating_mul(PAGE_ROWS).min(*bytes)
            }
            UnitRows::All | UnitRows::Unreadable(_) => 0,
        };
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// Tells whether its pages have far more bytes than a batch, so that they count for themselves.
    pub(crate) fn has_long_pages(&self, batch_bytes: usize) -> bool {
        self.page_bytes() > batch_bytes.saturating_mul(LONG)
    }

    /// Tells whether its rows come next in the row group behind those of another.
    pub(crate) fn follows(&self, before: &Self) -> bool {
        match (&before.rows, &self.rows) {
            (
                UnitRows::OfGroup {
                    row_group: of_before,
                    rows: before_rows,
                    ..
                },
                UnitRows::OfGroup {
                    row_group, rows, ..
                },
            ) => (before.file, of_before, before_rows.end) == (self.file, row_group, rows.start),
            _ => false,
        }
    }

    /// Returns the bytes of its file that stand for its first rows; none where nobody knows how many rows it has.
    pub(crate) fn bytes_of(&self, rows: u64) -> u64 {
        self.known_rows().map_or(0, |all| {
            let share = u128::from(self.bytes) * u128::from(rows) / u128::from(all.max(1));
            u64::try_from(share).unwrap_or(self.bytes)
        })
    }

    /// Returns where its row of this number is; none is the unit as a whole.
    pub(crate) fn location(&self, source: &Source, row: Option<u64>) -> RowLocation {
        let (row_group, start) = match &self.rows {
            UnitRows::OfGroup {
                row_group, rows, ..
            } => (Some(*row_group), rows.start),
            UnitRows::All | UnitRows::Unreadable(_) => (None, 0),
        };
        RowLocation {
            file: source.files[self.file].path.clone(),
            row_group,
            row: row.map(|row| start + row),
        }
    }
}

/// Cuts a source into units, in the order of its rows; `columns` are those that the queries read.
///
/// Reads the footer of every Parquet file. One that can't be read is a unit of its own, which says why.
pub(crate) fn cut(source: &Source, columns: &[usize], settings: &BatchConfig) -> Vec<Unit> {
    let mut units = Vec::new();
    for (at, file) in source.files.iter().enumerate() {
        let pieces = if source.is_parquet {
            of_parquet(source, file, columns, settings)
        } else {
            vec![(UnitRows::All, 0)]
        };
        let total = pieces.iter().map(|(_, weight)| weight).sum::<u64>().max(1);
        let (mut before, mut piece) = (0, 0);
        for (rows, weight) in pieces {
            let (row_group, bytes) = match &rows {
                UnitRows::OfGroup { row_group, .. } => (
                    *row_group,
                    (u128::from(file.state.bytes) * u128::from(weight) / u128::from(total)) as u64,
                ),
                UnitRows::All | UnitRows::Unreadable(_) => (0, file.state.bytes),
            };
            if row_group != before {
                (before, piece) = (row_group, 0);
            }
            units.push(Unit {
                file: at,
                rows,
                bytes,
                name: format!("part-{at:07}-{row_group:06}-{piece:07}.parquet"),
            });
            piece += 1;
        }
    }
    units
}

/// Returns the pieces of a Parquet file, each with its weight.
fn of_parquet(
    source: &Source,
    file: &InputFile,
    columns: &[usize],
    settings: &BatchConfig,
) -> Vec<(UnitRows, u64)> {
    let input = match ParquetFile::open(source, file, columns, TypeMismatches::Fail) {
        Ok(input) => input,
        Err(error) => return vec![(UnitRows::Unreadable(error.to_string()), 0)],
    };
    let mut pieces = Vec::new();
    for (row_group, (rows, bytes)) in input.row_groups().enumerate() {
        let by_bytes = bytes / (settings.unit_bytes as u64).max(1) + 1;
        let most = (rows / by_bytes).clamp(1, (settings.unit_rows as u64).max(1));
        let mut start = 0;
        while start < rows {
            let end = rows.min(start + most);
            let share = u128::from(bytes) * u128::from(end - start) / u128::from(rows);
            let bytes = share as u64;
            pieces.push((
                UnitRows::OfGroup {
                    row_group,
                    rows: start..end,
                    bytes,
                },
                bytes.max(1),
            ));
            start = end;
        }
    }
    if pieces.is_empty() {
        // The result has no rows, but it has columns.
        let none = UnitRows::OfGroup {
            row_group: 0,
            rows: 0..0,
            bytes: 0,
        };
        pieces.push((none, 1));
    }
    pieces
}
