//! Batches folded by threads.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use arrow::record_batch::RecordBatch;
use lexstream_columns::model::{ModelError, Watch};

use crate::progress::Progress;

/// Batches that threads take, each batch once.
pub trait Batches: Sync {
    /// Returns the next batch; none at the end, and behind an error.
    fn next_batch(&self) -> Option<Result<RecordBatch, ModelError>>;
}

/// The batches of an iterator, each taken by one thread.
#[derive(Debug)]
pub struct Once<I>(Mutex<Option<I>>);

impl<I> Once<I> {
    /// Shares an iterator.
    pub fn new(batches: I) -> Self {
        Self(Mutex::new(Some(batches)))
    }
}

impl<I: Iterator<Item = Result<RecordBatch, ModelError>> + Send> Batches for Once<I> {
    fn next_batch(&self) -> Option<Result<RecordBatch, ModelError>> {
        let mut batches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let batch = batches.as_mut()?.next();
        // The first error, or the end, ends it for all.
        if !matches!(batch, Some(Ok(_))) {
            *batches = None;
        }
        batch
    }
}

/// The threads that read rows for a model in the making.
#[derive(Debug, Clone, Copy)]
pub struct Workers<'a> {
    threads: NonZeroUsize,
    progress: &'a Progress,
}

impl<'a> Workers<'a> {
    /// Returns so many threads, or one a core, that report the rows they have done.
    pub fn new(threads: Option<NonZeroUsize>, progress: &'a Progress) -> Self {
        let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            threads: threads.unwrap_or_else(cores),
            progress,
        }
    }

    /// Adds each batch to the state of the thread that takes it, and returns the threads' states, at least one.
    ///
    /// One thread takes the batches in their order, so that the result is the same each time; of several, whichever is
    /// free takes the next.
    ///
    /// # Errors
    ///
    /// Where the batches or `add` fail, or the statement was dropped: the other threads stop at their next batch.
    pub fn fold<A: Send>(
        &self,
        batches: &impl Batches,
        begin: impl Fn() -> A + Sync,
        add: impl Fn(&mut A, &RecordBatch) -> Result<(), ModelError> + Sync,
    ) -> Result<Vec<A>, ModelError> {
        let watch = Watch::current();
        let stop = AtomicBool::new(false);
        let work = || -> Result<A, ModelError> {
            let mut state = begin();
            while !stop.load(Ordering::Relaxed)
                && let Some(batch) = batches.next_batch()
            {
                if watch.as_ref().is_some_and(|watch| watch.is_cancelled()) {
                    return Err("interrupted".into());
                }
                let batch = batch?;
                add(&mut state, &batch)?;
                self.progress.rows(batch.num_rows());
            }
            Ok(state)
        };
        let worker = || {
            let done = work();
            if done.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            done
        };
        let threads = self.threads.get();
        if threads == 1 {
            return Ok(vec![worker()?]);
        }
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
            let done = workers.into_iter().map(|worker| match worker.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            done.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray, Int64Array};
    use arrow::datatypes::Int64Type;

    use super::*;
    use crate::progress::{Activities, Activity};

    fn batch(numbers: std::ops::Range<i64>) -> RecordBatch {
        let numbers: ArrayRef = Arc::new(numbers.collect::<Int64Array>());
        RecordBatch::try_from_iter([("n", numbers)]).expect("a batch")
    }

    fn sum(state: &mut i64, batch: &RecordBatch) -> Result<(), ModelError> {
        *state += batch
            .column(0)
            .as_primitive::<Int64Type>()
            .values()
            .iter()
            .sum::<i64>();
        Ok(())
    }

    #[test]
    fn every_batch_is_taken_once_by_any_number_of_threads() {
        for threads in [1, 2, 7] {
            let activities = Arc::<Activities>::default();
            let progress = activities.begin("m");
            let batches = Once::new((0..100).map(|at| Ok(batch(at * 10..at * 10 + 10))));
            let sums = Workers::new(NonZeroUsize::new(threads), &progress)
                .fold(&batches, || 0, sum)
                .expect("sums");
            // The sum of 0 to 999.
            assert_eq!((sums.len(), sums.iter().sum()), (threads, 499_500));
            let now = activities.now();
            let [Activity::Training(training)] = &now[..] else {
                panic!("{now:?}");
            };
            assert_eq!(training.rows, 1000);
        }
    }

    #[test]
    fn an_error_ends_it_for_all_threads() {
        let progress = Arc::<Activities>::default().begin("m");
        for threads in [1, 3] {
            let workers = Workers::new(NonZeroUsize::new(threads), &progress);
            // Without an end, but for the error.
            let batches = Once::new((0..).map(|at| match at {
                50 => Err("the disk is gone".into()),
                _ => Ok(batch(0..1)),
            }));
            let failed = workers.fold(&batches, || 0, sum).expect_err("an error");
            assert_eq!(failed.to_string(), "the disk is gone");
            let endless = Once::new(std::iter::repeat_with(|| Ok(batch(0..1))));
            let add = |_: &mut (), _: &RecordBatch| Err("a wrong row".into());
            let failed = workers.fold(&endless, || (), add).expect_err("an error");
            assert_eq!(failed.to_string(), "a wrong row");
        }
    }

    #[test]
    fn a_dropped_statement_ends_it() {
        let progress = Arc::<Activities>::default().begin("m");
        let watch = Watch::new();
        watch.cancel();
        let endless = Once::new(std::iter::repeat_with(|| Ok(batch(0..1))));
        let workers = Workers::new(NonZeroUsize::new(2), &progress);
        let failed = watch.during(|| workers.fold(&endless, || 0, sum));
        assert_eq!(failed.expect_err("an error").to_string(), "interrupted");
    }
}
