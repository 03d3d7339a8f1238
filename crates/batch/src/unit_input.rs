//! The rows of a unit, from whatever reads its file.

use std::collections::VecDeque;
use std::ops::Range;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::{Result, exec_err};
use datafusion::parquet::file::metadata::KeyValue;
use tokio::runtime::Handle;

use super::adapter::Fit;
use super::budget::Budget;
use super::file_input;
use super::group_rows::{GroupRows, GroupWanted, OpenGroup};
use super::job::Job;
use super::line_input::Limits;
use super::read::Read;
use super::unit::{Rows, Unit};

/// Some rows of a unit.
pub(super) struct Wanted<'a> {
    /// Places of columns in the source table, ascending.
    pub(super) columns: &'a [usize],
    pub(super) fit: Fit,
    /// Stretches of rows, counted from the unit's first, ascending.
    pub(super) rows: &'a [Range<u64>],
    /// Rows of a batch at most.
    pub(super) batch_rows: usize,
}

/// What is read of a unit, in the order of its rows.
pub(super) enum Batches<'a> {
    OfGroup(GroupRows<'a>),
    OfFile(file_input::Batches<'a>),
    /// Some rows of a file.
    Picked(Picked<file_input::Batches<'a>>),
}

impl Batches<'_> {
    /// Tells whether [`Self::long_row`] knows the row's length, and not only how long it may be.
    pub(super) fn knows_lengths(&self) -> bool {
        matches!(self, Self::OfGroup(_))
    }

    /// Returns what the file's own footer says.
    pub(super) fn of_file(&self) -> Vec<KeyValue> {
        match self {
            Self::OfGroup(rows) => rows.of_file().to_vec(),
            Self::OfFile(_) | Self::Picked(_) => Vec::new(),
        }
    }

    /// Returns the bytes of the row that the next batch consists of, where it is longer than a batch; it is not read yet.
    pub(super) fn long_row(&mut self) -> Result<usize> {
        match self {
            Self::OfGroup(rows) => rows.long_row(),
            Self::OfFile(rows) => rows.long_line(),
            Self::Picked(rows) if rows.ready.is_empty() && !rows.wanted.is_empty() => {
                rows.batches.long_line()
            }
            Self::Picked(_) => Ok(0),
        }
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<Read>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::OfGroup(rows) => rows.next(),
            Self::OfFile(rows) => rows.next(),
            Self::Picked(rows) => rows.next(),
        }
    }
}

/// Opens all rows of a unit, those of its columns that the queries read, in batches of `batch_rows` at most.
///
/// `kept` is the reader that the unit before has left, and what this one leaves to the next.
pub(super) fn open<'a>(
    job: &'a Job,
    unit: &Unit,
    batch_rows: usize,
    kept: &'a mut Option<OpenGroup>,
    runtime: &'a Handle,
) -> Result<Batches<'a>> {
    let columns = job.rowwise.columns();
    match &unit.rows {
        Rows::OfGroup {
            row_group, rows, ..
        } => {
            let wanted = GroupWanted {
                source: &job.source,
                file: unit.file,
                columns,
                row_group: *row_group,
                rows: stretches([rows.clone()]),
                // Rows that may be long are not to be read ahead of their turn.
                goes_on: !unit.has_long_pages(),
                batch_rows,
                batch_bytes: job.settings.batch_bytes,
                fit: Fit::Strict,
            };
            Ok(Batches::OfGroup(GroupRows::open(kept, wanted)?))
        }
        Rows::All => Ok(Batches::OfFile(of_file(
            job, unit, columns, batch_rows, runtime,
        )?)),
        Rows::Unreadable(why) => exec_err!("{why}"),
    }
}

/// Returns those of some stretches that have a row.
fn stretches(stretches: impl IntoIterator<Item = Range<u64>>) -> VecDeque<Range<u64>> {
    let stretches = stretches.into_iter();
    stretches.filter(|rows| !rows.is_empty()).collect()
}

/// Opens some rows of a unit; `reader` is where its reader is kept.
pub(super) fn open_some<'a>(
    job: &'a Job,
    unit: &Unit,
    wanted: &Wanted<'a>,
    reader: &'a mut Option<OpenGroup>,
    runtime: &'a Handle,
) -> Result<Batches<'a>> {
    match &unit.rows {
        Rows::OfGroup {
            row_group, rows, ..
        } => {
            let of_group = |wanted: &Range<u64>| {
                let place = |row: u64| rows.end.min(rows.start.saturating_add(row));
                place(wanted.start)..place(wanted.end)
            };
            let wanted = GroupWanted {
                source: &job.source,
                file: unit.file,
                columns: wanted.columns,
                row_group: *row_group,
                rows: stretches(wanted.rows.iter().map(of_group)),
                goes_on: false,
                batch_rows: wanted.batch_rows,
                batch_bytes: job.settings.batch_bytes,
                fit: wanted.fit,
            };
            Ok(Batches::OfGroup(GroupRows::open(reader, wanted)?))
        }
        Rows::All => {
            let rows = of_file(job, unit, wanted.columns, wanted.batch_rows, runtime)?;
            Ok(Batches::Picked(Picked::new(rows, wanted.rows)))
        }
        Rows::Unreadable(why) => exec_err!("{why}"),
    }
}

fn of_file<'a>(
    job: &Job,
    unit: &Unit,
    columns: &[usize],
    batch_rows: usize,
    runtime: &'a Handle,
) -> Result<file_input::Batches<'a>> {
    let limits = Limits {
        rows: batch_rows,
        bytes: job.settings.batch_bytes,
        line: Budget::longest_row(job.options.memory),
    };
    let file = &job.source.files[unit.file];
    file_input::read(&job.context, &job.source, file, columns, limits, runtime)
}

/// Stretches of rows out of batches that follow one another; nothing is read behind the last of them.
pub(super) struct Picked<B> {
    batches: B,
    wanted: VecDeque<Range<u64>>,
    /// The first row of what is read next.
    next: u64,
    ready: VecDeque<RecordBatch>,
}

impl<B> Picked<B> {
    fn new(batches: B, wanted: &[Range<u64>]) -> Self {
        Self {
            batches,
            wanted: wanted.iter().cloned().collect(),
            next: 0,
            ready: VecDeque::new(),
        }
    }
}

impl<B: Iterator<Item = Result<Read>>> Iterator for Picked<B> {
    type Item = Result<Read>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Some(Ok(Read::Rows(batch)));
            }
            if self.wanted.is_empty() {
                return None;
            }
            let first = self.next;
            let batch = match self.batches.next()? {
                Ok(Read::Rows(batch)) => batch,
                Ok(Read::Bad(error) | Read::Misfit(error)) => {
                    self.next += 1;
                    let Some(rows) = self.wanted.front_mut().filter(|rows| rows.start <= first)
                    else {
                        continue;
                    };
                    rows.start = first + 1;
                    if rows.is_empty() {
                        self.wanted.pop_front();
                    }
                    return Some(Ok(Read::Bad(error)));
                }
                Err(error) => return Some(Err(error)),
            };
            let end = first + batch.num_rows() as u64;
            while let Some(rows) = self.wanted.front_mut().filter(|rows| rows.start < end) {
                let until = rows.end.min(end);
                let slice =
                    batch.slice((rows.start - first) as usize, (until - rows.start) as usize);
                self.ready.push_back(slice);
                rows.start = until;
                if rows.is_empty() {
                    self.wanted.pop_front();
                }
            }
            self.next = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
    use datafusion::arrow::datatypes::Int64Type;
    use datafusion::common::DataFusionError;

    use super::*;

    fn check(wanted: &[Range<u64>], expected: &[i64], batches_read: usize) {
        let mut read = 0;
        let batches = (0..4).map(|number| {
            read += 1;
            let column: ArrayRef =
                Arc::new(Int64Array::from_iter_values(number * 3..number * 3 + 3));
            let batch = RecordBatch::try_from_iter([("n", column)]).expect("a batch");
            Ok(Read::Rows(batch))
        });
        let found: Vec<i64> = Picked::new(batches, wanted)
            .flat_map(|read| match read.expect("rows") {
                Read::Rows(batch) => {
                    let column = batch.column(0).as_primitive::<Int64Type>();
                    column.values().to_vec()
                }
                Read::Bad(_) | Read::Misfit(_) => vec![-1],
            })
            .collect();
        assert_eq!(found, expected, "{wanted:?}");
        assert_eq!(read, batches_read, "{wanted:?}");
    }

    #[test]
    fn a_row_that_is_bad_counts_and_is_given_where_it_is_wanted() {
        let bad = || Ok(Read::Bad(DataFusionError::Execution("bad".to_owned())));
        let rows = |numbers: Range<i64>| {
            let column: ArrayRef = Arc::new(Int64Array::from_iter_values(numbers));
            let batch = RecordBatch::try_from_iter([("n", column)]);
            Ok(Read::Rows(batch.expect("a batch")))
        };
        for (wanted, expected) in [
            (vec![0..3, 4..5], vec![0, 1, -1, 4]),
            (vec![1..2, 3..6], vec![1, -1, 4, 5]),
            (vec![2..3, 3..4], vec![-1, -1]),
        ] {
            let batches = [rows(0..2), bad(), bad(), rows(4..6)].into_iter();
            let found = Picked::new(batches, &wanted).flat_map(|read| match read.expect("rows") {
                Read::Rows(batch) => {
                    let column = batch.column(0).as_primitive::<Int64Type>();
                    column.values().to_vec()
                }
                Read::Bad(_) | Read::Misfit(_) => vec![-1],
            });
            assert_eq!(found.collect::<Vec<_>>(), expected, "{wanted:?}");
        }
    }

    #[test]
    fn stretches_are_found_within_and_across_batches_and_nothing_behind_is_read() {
        check(&[0..1, 2..3], &[0, 2], 1);
        check(std::slice::from_ref(&(1..8)), &[1, 2, 3, 4, 5, 6, 7], 3);
        check(&[2..3, 3..4, 11..12], &[2, 3, 11], 4);
        check(&[], &[], 0);
        check(std::slice::from_ref(&(10..99)), &[10, 11], 4);
    }
}
