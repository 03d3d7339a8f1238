//! Ranges of rows out of the batches of a file that is read in order.

use std::collections::VecDeque;
use std::ops::Range;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::Result;

use super::read::Read;

/// Picks ranges of rows out of batches that follow one another; nothing is read behind the last of them.
pub(super) struct RowRanges<B> {
    pub(super) batches: B,
    /// What is still wanted, ascending.
    wanted: VecDeque<Range<u64>>,
    /// The first row of what is read next.
    next: u64,
    ready: VecDeque<RecordBatch>,
}

impl<B> RowRanges<B> {
    pub(super) fn new(batches: B, wanted: &[Range<u64>]) -> Self {
        Self {
            batches,
            wanted: wanted.iter().cloned().collect(),
            next: 0,
            ready: VecDeque::new(),
        }
    }

    /// Tells whether the next call of [`Iterator::next`] reads from the file.
    pub(super) fn reads_next(&self) -> bool {
        self.ready.is_empty() && !self.wanted.is_empty()
    }

    /// Passes a row that can't be given; tells whether it was wanted.
    fn pass(&mut self) -> bool {
        let row = self.next;
        self.next += 1;
        let Some(rows) = self.wanted.front_mut().filter(|rows| rows.start <= row) else {
            return false;
        };
        rows.start = row + 1;
        if rows.is_empty() {
            self.wanted.pop_front();
        }
        true
    }

    /// Makes those rows of a batch ready that are wanted.
    fn pick(&mut self, batch: &RecordBatch) {
        let first = self.next;
        self.next += batch.num_rows() as u64;
        while let Some(rows) = self
            .wanted
            .front_mut()
            .filter(|rows| rows.start < self.next)
        {
            let until = rows.end.min(self.next);
            let (start, length) = (rows.start - first, until - rows.start);
            self.ready
                .push_back(batch.slice(start as usize, length as usize));
            rows.start = until;
            if rows.is_empty() {
                self.wanted.pop_front();
            }
        }
    }
}

impl<B: Iterator<Item = Result<Read>>> Iterator for RowRanges<B> {
    type Item = Result<Read>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Some(Ok(Read::Rows(batch)));
            }
            if self.wanted.is_empty() {
                return None;
            }
            match self.batches.next()? {
                Ok(Read::Rows(batch)) => self.pick(&batch),
                Ok(row) => {
                    if self.pass() {
                        return Some(Ok(row));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
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
        let found: Vec<i64> = RowRanges::new(batches, wanted)
            .flat_map(|read| match read.expect("rows") {
                Read::Rows(batch) => {
                    let column = batch.column(0).as_primitive::<Int64Type>();
                    column.values().to_vec()
                }
                Read::CorruptRow(_) | Read::TypeMismatch(_) => vec![-1],
            })
            .collect();
        assert_eq!(found, expected, "{wanted:?}");
        assert_eq!(read, batches_read, "{wanted:?}");
    }

    #[test]
    fn a_row_that_is_bad_counts_and_is_given_where_it_is_wanted() {
        let bad = || {
            Ok(Read::CorruptRow(DataFusionError::Execution(
                "bad".to_owned(),
            )))
        };
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
            let found =
                RowRanges::new(batches, &wanted).flat_map(|read| match read.expect("rows") {
                    Read::Rows(batch) => {
                        let column = batch.column(0).as_primitive::<Int64Type>();
                        column.values().to_vec()
                    }
                    Read::CorruptRow(_) | Read::TypeMismatch(_) => vec![-1],
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
