//! A worker's reader: the rows of one unit after another.

use std::ops::Range;
use std::slice::from_ref;

use datafusion::common::{Result, exec_err};
use datafusion::parquet::file::metadata::KeyValue;
use datafusion::prelude::SessionContext;
use tokio::runtime::Handle;

use super::line_input::Limits;
use super::read::Read;
use super::row_group_reader::{RowGroupReader, RowGroupWanted};
use super::row_ranges::RowRanges;
use super::{Source, TypeMismatches, Unit, UnitRows, file_input};

/// Which rows of a unit are read, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowsWanted<'a> {
    /// Places of columns in the source table, ascending.
    pub(crate) columns: &'a [usize],
    pub(crate) mismatches: TypeMismatches,
    /// Ranges of rows, counted from the unit's first, ascending; `None` is all.
    pub(crate) ranges: Option<&'a [Range<u64>]>,
    /// Rows of a batch at most.
    pub(crate) batch_rows: usize,
}

/// How much is read at once of files of lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadLimits {
    /// Bytes at which a batch ends.
    pub(crate) batch_bytes: usize,
    /// Bytes of the longest line.
    pub(crate) longest_row: usize,
}

/// A worker's reader. It keeps a row group open behind a unit, so that the next unit goes on in the same page.
pub(crate) struct UnitReader<'a> {
    context: &'a SessionContext,
    source: &'a Source,
    limits: ReadLimits,
    runtime: &'a Handle,
    input: Input<'a>,
}

/// What is open.
enum Input<'a> {
    Nothing,
    RowGroup(Box<RowGroupReader<'a>>),
    /// A file that is read from its beginning.
    File(RowRanges<file_input::Batches<'a>>),
}

impl<'a> UnitReader<'a> {
    pub(crate) fn new(
        context: &'a SessionContext,
        source: &'a Source,
        limits: ReadLimits,
        runtime: &'a Handle,
    ) -> Self {
        Self {
            context,
            source,
            limits,
            runtime,
            input: Input::Nothing,
        }
    }

    /// Begins with rows of a unit; returns the key-value metadata of the file's own footer.
    ///
    /// # Errors
    /// The file can't be opened, or lacks a column that can't be NULL.
    pub(crate) fn open(&mut self, unit: &Unit, wanted: RowsWanted<'_>) -> Result<Vec<KeyValue>> {
        match &unit.rows {
            UnitRows::OfGroup {
                row_group, rows, ..
            } => {
                let all = 0..u64::MAX;
                let of_group = |range: &Range<u64>| {
                    let at = |row: u64| rows.end.min(rows.start.saturating_add(row));
                    at(range.start)..at(range.end)
                };
                let ranges = wanted.ranges.unwrap_or(from_ref(&all)).iter().map(of_group);
                let group = RowGroupWanted {
                    file: unit.file,
                    row_group: *row_group,
                    columns: wanted.columns.to_vec(),
                    ranges: ranges.filter(|range| !range.is_empty()).collect(),
                    // A long page is given back before the next unit's turn.
                    goes_on: wanted.ranges.is_none()
                        && !unit.has_long_pages(self.limits.batch_bytes),
                    batch_rows: wanted.batch_rows,
                    mismatches: wanted.mismatches,
                };
                let open = match std::mem::replace(&mut self.input, Input::Nothing) {
                    Input::RowGroup(reader) => (*reader).go_on(group)?,
                    _ => RowGroupReader::open(self.source, group)?,
                };
                let key_values = open.key_values().to_vec();
                self.input = Input::RowGroup(Box::new(open));
                Ok(key_values)
            }
            UnitRows::All => {
                self.close();
                let limits = Limits {
                    rows: wanted.batch_rows,
                    bytes: self.limits.batch_bytes,
                    line: self.limits.longest_row,
                };
                let file = &self.source.files[unit.file];
                let (context, source, runtime) = (self.context, self.source, self.runtime);
                let columns = wanted.columns;
                let batches = file_input::read(context, source, file, columns, limits, runtime)?;
                let all = 0..u64::MAX;
                let ranges = wanted.ranges.unwrap_or(from_ref(&all));
                self.input = Input::File(RowRanges::new(batches, ranges));
                Ok(Vec::new())
            }
            UnitRows::Unreadable(why) => {
                self.close();
                exec_err!("{why}")
            }
        }
    }

    /// Gives back the memory of pages that are open.
    pub(crate) fn close(&mut self) {
        self.input = Input::Nothing;
    }

    /// Returns how long the line may be that the next batch consists of, where it is longer than a batch; it is not read
    /// yet. Of Parquet nobody knows before a page is read.
    ///
    /// # Errors
    /// The line is longer than [`ReadLimits::longest_row`], or the file can't be read.
    pub(crate) fn long_line(&mut self) -> Result<usize> {
        match &mut self.input {
            Input::File(rows) if rows.reads_next() => rows.batches.long_line(),
            _ => Ok(0),
        }
    }
}

/// The rows of the unit in their order; behind an error nothing comes.
impl Iterator for UnitReader<'_> {
    type Item = Result<Read>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.input {
            Input::Nothing => None,
            Input::RowGroup(rows) => rows.next(),
            Input::File(rows) => rows.next(),
        }
    }
}
