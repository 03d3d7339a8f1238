//! Reader of a row group: stays open from unit to unit, and retries with fewer rows where a page is broken.

use std::collections::VecDeque;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::KeyValue;

use super::parquet_file::ParquetFile;
use super::read::Read;
use super::schema_adapter::{Adapted, FileRows, TypeMismatches};
use super::source::Source;

/// By how much a retry shrinks the rows that are read at once.
const SHRINK: u64 = 8;

/// What is read of a row group.
#[derive(Debug)]
pub(super) struct RowGroupWanted {
    /// Which of the source's files.
    pub(super) file: usize,
    pub(super) row_group: usize,
    /// Places of columns in the source table, ascending.
    pub(super) columns: Vec<usize>,
    /// Ranges of rows, ascending.
    pub(super) ranges: VecDeque<Range<u64>>,
    /// Whether the reader may stay open for the rows behind these.
    pub(super) goes_on: bool,
    pub(super) batch_rows: usize,
    pub(super) mismatches: TypeMismatches,
}

/// Rows of a row group, in their order.
///
/// Where a page can't be read, the rows before it are read all the same, wherever a batch begins: the reader is opened
/// again for fewer and fewer rows, until it fails at a single one.
pub(super) struct RowGroupReader<'a> {
    source: &'a Source,
    /// What is not read yet.
    wanted: RowGroupWanted,
    /// How many rows a reader is opened for, where one that was opened for more has failed.
    retry_rows: Option<u64>,
    /// None where the last one failed, or was read to its end.
    open: Option<OpenRows>,
    adapted: Adapted,
    key_values: Vec<KeyValue>,
}

/// Rows that Parquet's reader was opened for.
struct OpenRows {
    /// From the row that comes next.
    rows: Range<u64>,
    batches: ParquetRecordBatchReader,
    /// What is left of the last batch.
    rest: Option<RecordBatch>,
}

impl<'a> RowGroupReader<'a> {
    /// Opens a row group.
    ///
    /// # Errors
    /// The file can't be opened, or lacks a column that can't be NULL.
    pub(super) fn open(source: &'a Source, wanted: RowGroupWanted) -> Result<Self> {
        let file = Self::file(source, &wanted)?;
        Ok(Self {
            adapted: Adapted::new(Arc::clone(file.adapter())),
            key_values: file.key_values(),
            open: match wanted.ranges.is_empty() {
                true => None,
                false => Some(OpenRows::new(file, &wanted, None)?),
            },
            source,
            wanted,
            retry_rows: None,
        })
    }

    /// Goes on with other rows: with the same pages where they come next, from anew otherwise.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(super) fn go_on(mut self, wanted: RowGroupWanted) -> Result<Self> {
        if !self.comes_to(&wanted) {
            let source = self.source;
            // Its pages go before others come.
            drop(self);
            return Self::open(source, wanted);
        }
        self.wanted = wanted;
        self.retry_rows = None;
        Ok(self)
    }

    /// Returns the key-value metadata of the file's own footer.
    pub(super) fn key_values(&self) -> &[KeyValue] {
        &self.key_values
    }

    /// Tells whether the rows that come next are those that are wanted, to their end.
    fn comes_to(&self, wanted: &RowGroupWanted) -> bool {
        let old = &self.wanted;
        let is_same = (old.file, old.row_group, old.mismatches)
            == (wanted.file, wanted.row_group, wanted.mismatches)
            && old.columns == wanted.columns;
        let next = self.open.as_ref().map(|open| &open.rows);
        is_same
            && self.adapted.is_empty()
            && match (next, wanted.ranges.front(), wanted.ranges.len()) {
                (Some(next), Some(rows), 1) => next.start == rows.start && next.end >= rows.end,
                _ => false,
            }
    }

    fn file(source: &Source, wanted: &RowGroupWanted) -> Result<ParquetFile> {
        let file = &source.files[wanted.file];
        ParquetFile::open(source, file, &wanted.columns, wanted.mismatches)
    }

    /// Reads the next rows; where they can't be read, the next call tries fewer.
    fn read(&mut self) -> Result<()> {
        let left = self.wanted.ranges.iter().map(|rows| rows.end - rows.start);
        let left = usize::try_from(left.sum::<u64>()).unwrap_or(usize::MAX);
        // Parquet's reader may panic over bytes that are none of a page.
        let read = catch_unwind(AssertUnwindSafe(|| self.take(left)));
        let read = match read {
            Ok(read) => read,
            Err(_) => exec_err!("Parquet's reader panicked: the page is not what it says"),
        };
        match read {
            Ok(Some(batch)) => {
                self.advance(batch.num_rows() as u64);
                self.adapted.push(FileRows::from(batch));
                Ok(())
            }
            Ok(None) => {
                let error = format!("expected {left} more rows in the row group, found none");
                self.retry(DataFusionError::Execution(error))
            }
            Err(error) => self.retry(error),
        }
    }

    /// Returns the next batch, of `most` rows at most, from a reader that is opened where there is none.
    fn take(&mut self, most: usize) -> Result<Option<RecordBatch>> {
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let file = Self::file(self.source, &self.wanted)?;
                OpenRows::new(file, &self.wanted, self.retry_rows)?
            }
        };
        self.open.insert(open).next(most)
    }

    /// Passes rows that were read.
    fn advance(&mut self, mut read: u64) {
        let mut next = 0;
        while let Some(first) = self.wanted.ranges.front_mut() {
            let rows = read.min(first.end - first.start);
            first.start += rows;
            read -= rows;
            next = first.start;
            if !first.is_empty() {
                break;
            }
            self.wanted.ranges.pop_front();
        }
        if let Some(open) = &mut self.open {
            open.rows.start = next;
            // Its pages are of no more use.
            if open.rows.is_empty() {
                self.open = None;
            }
        }
    }

    /// Has fewer rows be read at once: what can't be read may lie behind the first of them.
    fn retry(&mut self, error: DataFusionError) -> Result<()> {
        self.open = None;
        if self.retry_rows == Some(1) {
            self.wanted.ranges.clear();
            return Err(error);
        }
        let before = self.retry_rows.unwrap_or(self.wanted.batch_rows as u64);
        self.retry_rows = Some((before / SHRINK).max(1));
        Ok(())
    }
}

impl Iterator for RowGroupReader<'_> {
    type Item = Result<Read>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(read) = self.adapted.next() {
                return Some(Ok(read));
            }
            if self.wanted.ranges.is_empty() {
                return None;
            }
            if let Err(error) = self.read() {
                return Some(Err(error));
            }
        }
    }
}

impl OpenRows {
    /// Opens a reader of the rows that are wanted, and of those behind them that it may go on with; or, in a retry, only
    /// of the first few.
    fn new(file: ParquetFile, wanted: &RowGroupWanted, retry_rows: Option<u64>) -> Result<Self> {
        let mut ranges: Vec<_> = wanted.ranges.iter().cloned().collect();
        match (retry_rows, ranges.as_mut_slice()) {
            (Some(few), [first, ..]) => {
                first.end = first.end.min(first.start.saturating_add(few));
                ranges.truncate(1);
            }
            (None, [.., last]) if wanted.goes_on => last.end = file.rows(wanted.row_group),
            _ => {}
        }
        let start = ranges.first().map_or(0, |first| first.start);
        let end = ranges.last().map_or(start, |last| last.end);
        Ok(Self {
            rows: start..end,
            batches: file.read(wanted.row_group, &ranges, wanted.batch_rows)?,
            rest: None,
        })
    }

    /// Returns what is left of the last batch, or the next one: of `most` rows at most.
    fn next(&mut self, most: usize) -> Result<Option<RecordBatch>> {
        let batch = match self.rest.take() {
            Some(rest) => Some(rest),
            None => self
                .batches
                .next()
                .transpose()
                .map_err(ParquetError::from)?,
        };
        Ok(batch.filter(|batch| batch.num_rows() > 0).map(|batch| {
            let rows = batch.num_rows().min(most);
            let left = batch.num_rows() - rows;
            self.rest = (left > 0).then(|| batch.slice(rows, left));
            batch.slice(0, rows)
        }))
    }
}
