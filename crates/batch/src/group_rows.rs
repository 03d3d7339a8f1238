//! Rows of a row group, whose reader goes on to the next unit.

use std::collections::VecDeque;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::parquet::file::metadata::KeyValue;

use super::adapter::{Adapted, Fit};
use super::parquet_input::{ParquetInput, ParquetRows};
use super::read::Read;
use super::source::Source;

/// By how much fewer rows are read at once where some can't be.
const FEWER: u64 = 8;

/// A row group that is read from some row on, unit after unit.
#[derive(Debug)]
pub(super) struct OpenGroup {
    file: usize,
    row_group: usize,
    /// The row that it gives next, and the end of those that it was opened for.
    left: Range<u64>,
    rows: ParquetRows,
    /// What the file's own footer says.
    of_file: Vec<KeyValue>,
}

/// What is read of a row group.
#[derive(Debug, Clone)]
pub(super) struct GroupWanted<'a> {
    pub(super) source: &'a Source,
    /// Which of the source's files.
    pub(super) file: usize,
    /// Places of columns in the source table, ascending.
    pub(super) columns: &'a [usize],
    pub(super) row_group: usize,
    /// Stretches of rows, ascending.
    pub(super) rows: VecDeque<Range<u64>>,
    /// Whether the reader may stay open for the rows behind these.
    pub(super) goes_on: bool,
    pub(super) batch_rows: usize,
    pub(super) batch_bytes: usize,
    pub(super) fit: Fit,
}

/// Some rows of a row group, in their order.
///
/// Where a page can't be read, the rows before it are read all the same, wherever a batch begins: fewer and fewer at once.
#[derive(Debug)]
pub(super) struct GroupRows<'a> {
    /// The reader, for as long as it is of use.
    kept: &'a mut Option<OpenGroup>,
    /// Of its rows, those that are not read yet.
    wanted: GroupWanted<'a>,
    /// How many rows a reader is opened for, where one that was opened for more has failed.
    fewer: Option<u64>,
    adapted: Adapted,
    of_file: Vec<KeyValue>,
}

impl<'a> GroupRows<'a> {
    /// Opens a row group, or goes on with one that was read up to the first row that is wanted.
    pub(super) fn open(kept: &'a mut Option<OpenGroup>, wanted: GroupWanted<'a>) -> Result<Self> {
        if kept.as_ref().is_some_and(|open| !open.has_next(&wanted)) {
            *kept = None;
        }
        let open = match kept {
            Some(open) => open,
            None => kept.insert(OpenGroup::new(&wanted, None)?),
        };
        Ok(Self {
            adapted: Adapted::new(Arc::clone(open.rows.adapter())),
            of_file: open.of_file.clone(),
            kept,
            wanted,
            fewer: None,
        })
    }

    /// Returns what the file's own footer says.
    pub(super) fn of_file(&self) -> &[KeyValue] {
        &self.of_file
    }

    /// Returns the bytes of the next row, where it is longer than a batch; it is not read yet.
    pub(super) fn long_row(&mut self) -> Result<usize> {
        while self.adapted.is_empty() && !self.is_done() {
            match self.of_reader(ParquetRows::long_row) {
                Ok(bytes) => return Ok(bytes),
                Err(error) => self.read_fewer(error)?,
            }
        }
        Ok(0)
    }

    /// Tells whether all rows are read.
    fn is_done(&self) -> bool {
        self.wanted.rows.is_empty()
    }

    /// Asks the reader, which is opened where there is none. Parquet's own may panic over bytes that are none of a page.
    fn of_reader<T>(&mut self, ask: impl FnOnce(&mut ParquetRows) -> Result<T>) -> Result<T> {
        let open = match self.kept.take() {
            Some(open) => open,
            None => OpenGroup::new(&self.wanted, self.fewer)?,
        };
        let open = self.kept.insert(open);
        match catch_unwind(AssertUnwindSafe(|| ask(&mut open.rows))) {
            Ok(answer) => answer,
            Err(_) => exec_err!("Parquet's reader panicked: the page is not what it says"),
        }
    }

    /// Reads the next rows.
    fn read(&mut self) -> Result<()> {
        let left = self.wanted.rows.iter().map(|rows| rows.end - rows.start);
        let left = usize::try_from(left.sum::<u64>()).unwrap_or(usize::MAX);
        match self.of_reader(|reader| reader.take(left)) {
            Ok(Some(raw)) => {
                self.go_on(raw.rows as u64);
                self.adapted.push(raw);
                Ok(())
            }
            Ok(None) => {
                let error = format!("expected {left} more rows in the row group, found none");
                self.read_fewer(DataFusionError::Execution(error))
            }
            Err(error) => self.read_fewer(error),
        }
    }

    /// Takes notice of how many rows were read.
    fn go_on(&mut self, mut read: u64) {
        let mut next = 0;
        while let Some(first) = self.wanted.rows.front_mut() {
            let rows = read.min(first.end - first.start);
            first.start += rows;
            read -= rows;
            next = first.start;
            if !first.is_empty() {
                break;
            }
            self.wanted.rows.pop_front();
        }
        if let Some(open) = self.kept {
            open.left.start = next;
            // Its pages are of no more use.
            if open.left.is_empty() {
                *self.kept = None;
            }
        }
    }

    /// Has fewer rows be read at once: what can't be read may lie behind the first of them.
    fn read_fewer(&mut self, error: DataFusionError) -> Result<()> {
        *self.kept = None;
        let before = self.fewer.unwrap_or(self.wanted.batch_rows as u64);
        if self.fewer == Some(1) {
            self.wanted.rows.clear();
            return Err(error);
        }
        self.fewer = Some((before / FEWER).max(1));
        Ok(())
    }
}

impl Iterator for GroupRows<'_> {
    type Item = Result<Read>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(read) = self.adapted.next() {
                return Some(Ok(read));
            }
            if self.is_done() {
                return None;
            }
            if let Err(error) = self.read() {
                return Some(Err(error));
            }
        }
    }
}

impl OpenGroup {
    /// Opens a row group to read the rows that are wanted, and those behind them that it may go on with; or only the first
    /// few of them.
    fn new(wanted: &GroupWanted<'_>, few: Option<u64>) -> Result<Self> {
        let file = &wanted.source.files[wanted.file];
        let input = ParquetInput::open(wanted.source, file, wanted.columns, wanted.fit)?;
        let of_file = input.key_values();
        let mut stretches: Vec<_> = wanted.rows.iter().cloned().collect();
        match (few, stretches.as_mut_slice()) {
            (Some(few), [first, ..]) => {
                first.end = first.end.min(first.start.saturating_add(few));
                stretches.truncate(1);
            }
            (None, [.., last]) if wanted.goes_on => last.end = input.rows(wanted.row_group),
            _ => {}
        }
        let (batch_rows, batch_bytes) = (wanted.batch_rows, wanted.batch_bytes);
        Ok(Self {
            file: wanted.file,
            row_group: wanted.row_group,
            left: match stretches.as_slice() {
                [first, .., last] => first.start..last.end,
                [only] => only.clone(),
                [] => 0..0,
            },
            rows: input.read(wanted.row_group, &stretches, batch_rows, batch_bytes)?,
            of_file,
        })
    }

    /// Tells whether the rows that come next are the first that are wanted, and the others come behind them.
    fn has_next(&self, wanted: &GroupWanted<'_>) -> bool {
        (self.file, self.row_group) == (wanted.file, wanted.row_group)
            && match (wanted.rows.front(), wanted.rows.len()) {
                (Some(rows), 1) => self.left.start == rows.start && self.left.end >= rows.end,
                _ => false,
            }
    }
}
