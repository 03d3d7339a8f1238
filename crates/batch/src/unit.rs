//! Pieces of work: a stretch of rows of a file, which becomes one file of each output.

use std::ops::Range;

use super::adapter::Fit;
use super::parquet_input::{GroupSize, ParquetInput};
use super::place::Place;
use super::source::{InputFile, Source};
use lexstream_engine::config::BatchConfig;

/// Bytes of a row on average above which a page that is read whole is thought to hold all rows of a unit.
const LONG: u64 = 1 << 20;

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// Which of the source's files.
    pub(super) file: usize,
    pub(super) rows: Rows,
    /// The file's bytes that stand for it, for the progress line.
    pub(super) bytes: u64,
    /// Name of its file in each output, without a folder; names sort as units do.
    pub(super) name: String,
}

/// Which rows of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rows {
    /// Rows of a row group.
    OfGroup {
        row_group: usize,
        rows: Range<u64>,
        /// Their share of the columns that are read, uncompressed.
        bytes: u64,
        /// Of that, their share of columns whose pages are read whole.
        whole: u64,
    },
    /// Every row.
    All,
    /// None can be read: why, in the words of whoever tried.
    Unreadable(String),
}

impl Unit {
    /// Returns how many rows it has, as far as that is known.
    pub(super) fn known_rows(&self) -> Option<u64> {
        match &self.rows {
            Rows::OfGroup { rows, .. } => Some(rows.end - rows.start),
            Rows::All | Rows::Unreadable(_) => None,
        }
    }

    /// Tells whether rows are so long that a page which is read whole may hold far more of them than a batch.
    pub(super) fn has_long_pages(&self) -> bool {
        match &self.rows {
            Rows::OfGroup { rows, whole, .. } => whole / (rows.end - rows.start).max(1) > LONG,
            Rows::All | Rows::Unreadable(_) => false,
        }
    }

    /// Tells whether its rows come next in the row group behind those of another.
    pub(super) fn follows(&self, before: &Self) -> bool {
        match (&before.rows, &self.rows) {
            (
                Rows::OfGroup {
                    row_group: of_before,
                    rows: before_rows,
                    ..
                },
                Rows::OfGroup {
                    row_group, rows, ..
                },
            ) => (before.file, of_before, before_rows.end) == (self.file, row_group, rows.start),
            _ => false,
        }
    }

    /// Returns where its row of this number is; none is the unit as a whole.
    pub(super) fn place(&self, source: &Source, row: Option<u64>) -> Place {
        let (row_group, start) = match &self.rows {
            Rows::OfGroup {
                row_group, rows, ..
            } => (Some(*row_group), rows.start),
            Rows::All | Rows::Unreadable(_) => (None, 0),
        };
        Place {
            file: source.files[self.file].path.clone(),
            row_group,
            row: row.map(|row| start + row),
        }
    }
}

/// Cuts a source into units, in the order of its rows; `columns` are those that the queries read.
///
/// Reads the footer of every Parquet file. One that can't be read is a unit of its own, which says why.
pub(super) fn cut(source: &Source, columns: &[usize], settings: &BatchConfig) -> Vec<Unit> {
    let mut units = Vec::new();
    for (at, file) in source.files.iter().enumerate() {
        let pieces = if source.is_parquet {
            of_parquet(source, file, columns, settings)
        } else {
            vec![(Rows::All, 0)]
        };
        let total = pieces.iter().map(|(_, weight)| weight).sum::<u64>().max(1);
        let (mut before, mut piece) = (0, 0);
        for (rows, weight) in pieces {
            let (row_group, bytes) = match &rows {
                Rows::OfGroup { row_group, .. } => (
                    *row_group,
                    (u128::from(file.state.bytes) * u128::from(weight) / u128::from(total)) as u64,
                ),
                Rows::All | Rows::Unreadable(_) => (0, file.state.bytes),
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
) -> Vec<(Rows, u64)> {
    let input = match ParquetInput::open(source, file, columns, Fit::Strict) {
        Ok(input) => input,
        Err(error) => return vec![(Rows::Unreadable(error.to_string()), 0)],
    };
    let mut pieces = Vec::new();
    for (row_group, size) in input.row_groups(settings.batch_bytes).enumerate() {
        let GroupSize { rows, bytes, whole } = size;
        let by_bytes = bytes / (settings.unit_bytes as u64).max(1) + 1;
        let most = (rows / by_bytes).clamp(1, (settings.unit_rows as u64).max(1));
        let mut start = 0;
        while start < rows {
            let end = rows.min(start + most);
            let share = |bytes| u128::from(bytes) * u128::from(end - start) / u128::from(rows);
            let (bytes, whole) = (share(bytes) as u64, share(whole) as u64);
            pieces.push((
                Rows::OfGroup {
                    row_group,
                    rows: start..end,
                    bytes,
                    whole,
                },
                bytes.max(1),
            ));
            start = end;
        }
    }
    if pieces.is_empty() {
        // The result has no rows, but it has columns.
        let none = Rows::OfGroup {
            row_group: 0,
            rows: 0..0,
            bytes: 0,
            whole: 0,
        };
        pieces.push((none, 1));
    }
    pieces
}
