//! The rows of a unit out of a row group, whose reader goes on to the next unit.

use std::ops::Range;
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::parquet::file::metadata::KeyValue;

use super::adapter::Adapted;
use super::line_input::Read;
use super::parquet_input::{ParquetInput, ParquetRows};
use super::source::Source;

/// By how much fewer rows are read at once where some can't be.
const FEWER: usize = 8;

/// A row group that is read from some row to its end, unit after unit.
#[derive(Debug)]
pub(super) struct OpenGroup {
    file: usize,
    row_group: usize,
    /// Rows that it has yet to give.
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
    pub(super) rows: Range<u64>,
    /// Where the reader may stay open for rows behind these, the end of those.
    pub(super) until: u64,
    pub(super) batch_rows: usize,
    pub(super) batch_bytes: usize,
}

/// Some rows of a row group, in their order.
///
/// A row that can't be made the table's is one that fails. Where a page can't be read, the rows before it are read all the
/// same, wherever a batch begins: fewer and fewer at once.
#[derive(Debug)]
pub(super) struct GroupRows<'a> {
    /// The reader, for as long as it is of use.
    kept: &'a mut Option<OpenGroup>,
    /// Of its rows, those that are not read yet.
    wanted: GroupWanted<'a>,
    adapted: Adapted,
    of_file: Vec<KeyValue>,
}

impl<'a> GroupRows<'a> {
    /// Opens a row group, or goes on with one that was read up to the first row that is wanted.
    pub(super) fn open(kept: &'a mut Option<OpenGroup>, wanted: GroupWanted<'a>) -> Result<Self> {
        let goes_on = kept.as_ref().is_some_and(|open| {
            (open.file, open.row_group, open.left.start)
                == (wanted.file, wanted.row_group, wanted.rows.start)
                && open.left.end >= wanted.rows.end
        });
        if !goes_on {
            *kept = None;
        }
        let open = match kept {
            Some(open) => open,
            None => kept.insert(OpenGroup::new(&wanted, wanted.until)?),
        };
        Ok(Self {
            adapted: Adapted::new(Arc::clone(open.rows.adapter())),
            of_file: open.of_file.clone(),
            kept,
            wanted,
        })
    }

    /// Returns what the file's own footer says.
    pub(super) fn of_file(&self) -> &[KeyValue] {
        &self.of_file
    }

    /// Returns the bytes of the next row, where it is longer than a batch; it is not read yet.
    pub(super) fn long_row(&mut self) -> Result<usize> {
        while self.adapted.is_empty() && !self.wanted.rows.is_empty() {
            match self.reader()?.long_row() {
                Ok(bytes) => return Ok(bytes),
                Err(error) => self.read_fewer(error)?,
            }
        }
        Ok(0)
    }

    fn reader(&mut self) -> Result<&mut ParquetRows> {
        match self.kept {
            Some(open) => Ok(&mut open.rows),
            None => exec_err!("the row group is not open"),
        }
    }

    /// Reads the next rows.
    fn read(&mut self) -> Result<()> {
        let left = &self.wanted.rows;
        let most = usize::try_from(left.end - left.start).unwrap_or(usize::MAX);
        match self.reader()?.take(most) {
            Ok(Some(raw)) => {
                let rows = raw.rows as u64;
                self.wanted.rows.start += rows;
                if let Some(open) = self.kept {
                    open.left.start += rows;
                }
                self.adapted.push(raw);
                Ok(())
            }
            Ok(None) => {
                let error = format!("expected {most} more rows in the row group, found none");
                self.read_fewer(DataFusionError::Execution(error))
            }
            Err(error) => self.read_fewer(error),
        }
    }

    /// Opens the rows that are left again, to read fewer at once: what can't be read may lie behind the first of them.
    fn read_fewer(&mut self, error: DataFusionError) -> Result<()> {
        *self.kept = None;
        let GroupWanted {
            rows, batch_rows, ..
        } = &mut self.wanted;
        if *batch_rows == 1 {
            rows.start = rows.end;
            return Err(error);
        }
        *batch_rows = (*batch_rows / FEWER).max(1);
        let end = rows.end;
        match OpenGroup::new(&self.wanted, end) {
            Ok(open) => *self.kept = Some(open),
            Err(error) => {
                self.wanted.rows.start = end;
                return Err(error);
            }
        }
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
            if self.wanted.rows.is_empty() {
                return None;
            }
            if let Err(error) = self.read() {
                return Some(Err(error));
            }
        }
    }
}

impl OpenGroup {
    /// Opens a row group at the first row that is wanted, to be read until a row behind those that are.
    fn new(wanted: &GroupWanted<'_>, until: u64) -> Result<Self> {
        let file = &wanted.source.files[wanted.file];
        let input = ParquetInput::open(wanted.source, file, wanted.columns)?;
        let of_file = input.key_values();
        let left = wanted.rows.start..until;
        let rows = input.read(
            wanted.row_group,
            std::slice::from_ref(&left),
            wanted.batch_rows,
            wanted.batch_bytes,
        )?;
        Ok(Self {
            file: wanted.file,
            row_group: wanted.row_group,
            left,
            rows,
            of_file,
        })
    }
}
