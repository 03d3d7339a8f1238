//! The rows of a unit, from whatever reads its file.

use std::collections::VecDeque;
use std::ops::Range;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::{Result, exec_err};
use datafusion::parquet::file::metadata::KeyValue;
use tokio::runtime::Handle;

use super::budget::Budget;
use super::file_input;
use super::job::Job;
use super::line_input::Limits;
use super::parquet_input::{ParquetInput, ParquetRows};
use super::unit::{Rows, Unit};

/// What is read of a unit.
pub(super) struct Wanted<'a> {
    /// Places of columns in the source table, ascending.
    pub(super) columns: &'a [usize],
    /// Stretches of rows, counted from the unit's first, ascending; none is all of them.
    pub(super) rows: Option<&'a [Range<u64>]>,
    /// Rows of a batch at most.
    pub(super) batch_rows: usize,
    /// Bytes of a batch's texts, about; a single longer text is a batch of its own.
    pub(super) batch_bytes: usize,
}

/// Batches of a unit, in the order of its rows.
pub(super) enum Batches<'a> {
    OfParquet(ParquetRows),
    OfFile(file_input::Batches<'a>),
}

impl Batches<'_> {
    /// Returns the bytes of the text that the next batch consists of, where it is longer than a batch; it is not read yet.
    pub(super) fn long_text(&mut self) -> Result<usize> {
        match self {
            Self::OfParquet(rows) => rows.long_text(),
            Self::OfFile(_) => Ok(0),
        }
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::OfParquet(rows) => rows.next(),
            Self::OfFile(rows) => rows.next(),
        }
    }
}

/// Opens a unit's file; returns its rows, and what the file's own footer says.
pub(super) fn open<'a>(
    job: &Job,
    unit: &Unit,
    wanted: &Wanted<'_>,
    runtime: &'a Handle,
) -> Result<(Batches<'a>, Vec<KeyValue>)> {
    let file = &job.source.files[unit.file];
    let Wanted {
        columns,
        rows: only,
        batch_rows,
        batch_bytes,
    } = *wanted;
    match &unit.rows {
        Rows::OfGroup {
            row_group, rows, ..
        } => {
            let of_group = |wanted: &Range<u64>| {
                let place = |row: u64| rows.end.min(rows.start.saturating_add(row));
                place(wanted.start)..place(wanted.end)
            };
            let stretches = match only {
                Some(only) => only.iter().map(of_group).collect(),
                None => vec![rows.clone()],
            };
            let input = ParquetInput::open(&job.source, file, columns)?;
            let of_file = input.key_values();
            let rows = input.read(*row_group, &stretches, batch_rows, batch_bytes)?;
            Ok((Batches::OfParquet(rows), of_file))
        }
        Rows::All => {
            let limits = Limits {
                rows: batch_rows,
                bytes: batch_bytes,
                line: Budget::longest_row(job.options.memory),
            };
            let (context, source) = (&job.context, &job.source);
            let rows = file_input::read(context, source, file, columns, limits, runtime)?;
            let rows: file_input::Batches<'a> = match only {
                Some(only) => Box::new(picked(rows, only.iter().cloned().collect())),
                None => rows,
            };
            Ok((Batches::OfFile(rows), Vec::new()))
        }
        Rows::Unreadable(why) => exec_err!("{why}"),
    }
}

/// Takes stretches of rows out of batches that follow one another, and reads no further than the last of them.
fn picked(
    mut batches: impl Iterator<Item = Result<RecordBatch>>,
    mut wanted: VecDeque<Range<u64>>,
) -> impl Iterator<Item = Result<RecordBatch>> {
    let mut ready = VecDeque::new();
    let mut first = 0;
    std::iter::from_fn(move || {
        loop {
            if let Some(batch) = ready.pop_front() {
                return Some(Ok(batch));
            }
            if wanted.is_empty() {
                return None;
            }
            let batch = match batches.next()? {
                Ok(batch) => batch,
                Err(error) => return Some(Err(error)),
            };
            let end = first + batch.num_rows() as u64;
            while let Some(rows) = wanted.front_mut().filter(|rows| rows.start < end) {
                let until = rows.end.min(end);
                ready.push_back(
                    batch.slice((rows.start - first) as usize, (until - rows.start) as usize),
                );
                rows.start = until;
                if rows.is_empty() {
                    wanted.pop_front();
                }
            }
            first = end;
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
    use datafusion::arrow::datatypes::Int64Type;

    use super::*;

    fn check(wanted: &[Range<u64>], expected: &[i64], batches_read: usize) {
        let mut read = 0;
        let batches = (0..4).map(|number| {
            read += 1;
            let column: ArrayRef =
                Arc::new(Int64Array::from_iter_values(number * 3..number * 3 + 3));
            Ok(RecordBatch::try_from_iter([("n", column)]).expect("a batch"))
        });
        let found: Vec<i64> = picked(batches, wanted.iter().cloned().collect())
            .flat_map(|batch| {
                let batch = batch.expect("rows");
                batch
                    .column(0)
                    .as_primitive::<Int64Type>()
                    .values()
                    .to_vec()
            })
            .collect();
        assert_eq!(found, expected, "{wanted:?}");
        assert_eq!(read, batches_read, "{wanted:?}");
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
