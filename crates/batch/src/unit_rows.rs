//! The rows of a unit: read batch by batch, run through the queries, written.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::arrow::array::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::parquet::file::metadata::KeyValue;
use tokio::runtime::Handle;
use tokio::sync::SemaphorePermit;

use super::budget::Budget;
use super::group_rows::OpenGroup;
use super::job::{Job, OnError};
use super::pace::Pace;
use super::read::Read;
use super::row_errors::RowError;
use super::run::Shared;
use super::tally::Tally;
use super::times::{Times, timed};
use super::unit::{Rows, Unit};
use super::unit_input::{self, Batches};
use super::{BatchError, texts};
use lexstream_engine::message::message;
use lexstream_output::ParquetFile;
use lexstream_rowwise::Outcome;

/// How many times the bytes of a batch its results may have.
const RESULTS: usize = 2;

/// The rows of a unit on their way.
pub(super) struct UnitRows<'a> {
    job: &'a Job,
    unit: &'a Unit,
    shared: &'a Shared,
    runtime: &'a Handle,
    writers: Vec<ParquetFile>,
    tally: Tally,
    times: Times,
    errors: Vec<RowError>,
    pace: Pace,
    under_way: UnderWay<'a>,
}

impl<'a> UnitRows<'a> {
    pub(super) fn new(
        job: &'a Job,
        unit: &'a Unit,
        writers: Vec<ParquetFile>,
        shared: &'a Shared,
        runtime: &'a Handle,
    ) -> Self {
        Self {
            job,
            unit,
            shared,
            runtime,
            writers,
            tally: Tally::default(),
            times: Times::default(),
            errors: Vec::new(),
            pace: Pace::new(job.settings.batch_bytes.saturating_mul(RESULTS)),
            under_way: UnderWay {
                shared,
                rows: 0,
                bytes: 0,
            },
        }
    }

    /// Returns what is to be finished: the writers, what became of the rows, how long it took, and why some failed.
    pub(super) fn into_parts(self) -> (Vec<ParquetFile>, Tally, Times, Vec<RowError>) {
        (self.writers, self.tally, self.times, self.errors)
    }

    /// Runs all rows; returns what the input's footer says, or none where the job is to stop.
    ///
    /// `kept` is the reader that the unit before has left, and what this one leaves to the next.
    pub(super) fn run(
        &mut self,
        kept: &mut Option<OpenGroup>,
    ) -> Result<Option<Vec<KeyValue>>, BatchError> {
        let (job, unit) = (self.job, self.unit);
        if !matches!(unit.rows, Rows::Unreadable(_)) {
            job.source.files[unit.file].check()?;
        }
        let batch_rows = batch_rows(job, unit);
        let of_input = match unit_input::open(job, unit, batch_rows, kept, self.runtime) {
            Ok(batches) => {
                let of_input = batches.of_file();
                if !self.read(batches)? {
                    return Ok(None);
                }
                of_input
            }
            Err(error) => {
                self.unreadable(error)?;
                Vec::new()
            }
        };
        self.tally.filtered = self.tally.rows - self.tally.passed - self.tally.failed;
        Ok(Some(of_input))
    }

    /// Runs batch after batch; `false` where the job is to stop.
    fn read(&mut self, mut batches: Batches<'_>) -> Result<bool, BatchError> {
        let usual = self.usual_bytes();
        let mut room = None;
        loop {
            // Taken before a batch is read, and kept until its results are written: all of that takes memory. Where long
            // rows may stand in a page that is read whole, it is kept for all of them: the page stays while they are run.
            if !self.unit.has_long_pages() {
                room = None;
            }
            if room.is_none() {
                room = self.room(usual);
            }
            if room.is_none() {
                return Ok(false);
            }
            let mut held = usual;
            let long = timed(&mut self.times.reading, || batches.long_row());
            if let Ok(bytes) = long
                && bytes > held
            {
                if batches.knows_lengths() {
                    self.refuse_too_long(bytes)?;
                }
                drop(room.take());
                room = self.room(bytes);
                if room.is_none() {
                    return Ok(false);
                }
                held = bytes;
            }
            let read = timed(&mut self.times.reading, || {
                long.and_then(|_| batches.next().transpose())
            });
            let batch = match read {
                Ok(Some(Read::Rows(batch))) => batch,
                Ok(Some(Read::Bad(error))) => {
                    self.failed_next(false, error)?;
                    continue;
                }
                Ok(Some(Read::Misfit(error))) => {
                    self.failed_next(true, error)?;
                    continue;
                }
                Ok(None) => return Ok(true),
                Err(error) => {
                    // What comes behind can't be read either, or nobody knows where it begins.
                    self.unreadable(error)?;
                    return Ok(true);
                }
            };
            for (slice, bytes) in texts::cut(&batch, self.job.settings.batch_bytes) {
                if bytes > usual {
                    self.refuse_too_long(bytes)?;
                }
                if bytes > held {
                    drop(room.take());
                    room = self.room(bytes);
                    if room.is_none() {
                        return Ok(false);
                    }
                    held = bytes;
                }
                let mut start = 0;
                while start < slice.num_rows() {
                    let rows = self.pace.rows().min(slice.num_rows() - start);
                    if !self.compute(slice.slice(start, rows))? {
                        return Ok(false);
                    }
                    start += rows;
                }
            }
        }
    }

    /// Returns the bytes that are expected to be there at once: a batch's, or those of all pages that hold long rows.
    fn usual_bytes(&self) -> usize {
        let most = self.job.settings.batch_bytes;
        match &self.unit.rows {
            Rows::OfGroup { whole, .. } if self.unit.has_long_pages() => {
                most.max(usize::try_from(*whole).unwrap_or(usize::MAX))
            }
            _ => most,
        }
    }

    /// Refuses the next row where it would not fit into all there is.
    fn refuse_too_long(&self, bytes: usize) -> Result<(), BatchError> {
        let in_tables = self.job.context.runtime_env().memory_pool.reserved();
        let memory = self.job.options.memory.saturating_sub(in_tables);
        let needed = Budget::of_row(bytes);
        if needed > memory {
            return Err(BatchError::TooLong {
                place: self.unit.place(&self.job.source, Some(self.tally.rows)),
                bytes,
                needed,
                memory,
            });
        }
        Ok(())
    }

    /// Waits for room in memory; none where the job is to stop.
    fn room(&mut self, bytes: usize) -> Option<SemaphorePermit<'a>> {
        let (job, shared, runtime) = (self.job, self.shared, self.runtime);
        timed(&mut self.times.computing, || {
            room(job, shared, runtime, bytes)
        })
    }

    /// Runs the queries over some rows; `false` where the job is to stop.
    fn compute(&mut self, rows: RecordBatch) -> Result<bool, BatchError> {
        let (job, shared) = (self.job, self.shared);
        let number = rows.num_rows() as u64;
        let run = async {
            tokio::select! {
                biased;
                () = shared.stopped() => None,
                outcome = job.rowwise.run(rows) => Some(outcome),
            }
        };
        let runtime = self.runtime;
        let outcome = timed(&mut self.times.computing, || runtime.block_on(run));
        let Some(outcome) = outcome else {
            return Ok(false);
        };
        let Outcome {
            outputs,
            failed,
            filtered,
        } = outcome.map_err(|error| BatchError::Run {
            input: self.input(),
            source: error.into(),
        })?;
        let first = self.tally.rows;
        let made = outputs.iter().flatten();
        let made = made.map(|output| texts::bytes(&output.batch)).sum();
        self.pace.learn(number as usize, made);
        for (writer, outputs) in self.writers.iter_mut().zip(&outputs) {
            for output in outputs {
                timed(&mut self.times.writing, || writer.write(&output.batch))?;
                self.tally.rows_out += output.batch.num_rows() as u64;
            }
        }
        self.tally.passed += number - failed.len() as u64 - filtered as u64;
        for row in failed {
            let at = first + u64::from(row.row);
            self.failed(at..at + 1, true, row.error)?;
        }
        self.tally.rows += number;
        self.under_way.set(self.unit, self.tally.rows);
        Ok(true)
    }

    fn input(&self) -> PathBuf {
        self.job.source.files[self.unit.file].path.clone()
    }

    /// Takes the rows behind those that were read, which can't be.
    fn unreadable(&mut self, error: DataFusionError) -> Result<(), BatchError> {
        let first = self.tally.rows;
        if let DataFusionError::ResourcesExhausted(_) = error.find_root() {
            return Err(BatchError::Failed {
                place: self.unit.place(&self.job.source, Some(first)),
                source: error,
            });
        }
        match self.unit.known_rows() {
            Some(all) => {
                self.failed(first..all, false, error)?;
                self.tally.rows = all;
            }
            None => {
                self.tally.unreadable += 1;
                let row = (first > 0).then_some(first);
                // Where it ends, nobody knows.
                self.note(row, row.map(|row| row..row), false, error)?;
            }
        }
        Ok(())
    }

    /// Takes the next row, which is none of the table's.
    fn failed_next(&mut self, is_read: bool, error: DataFusionError) -> Result<(), BatchError> {
        let row = self.tally.rows;
        self.tally.rows += 1;
        self.failed(row..row + 1, is_read, error)
    }

    fn failed(
        &mut self,
        rows: Range<u64>,
        is_read: bool,
        error: DataFusionError,
    ) -> Result<(), BatchError> {
        self.tally.failed += rows.end - rows.start;
        self.note(Some(rows.start), Some(rows), is_read, error)
    }

    /// Does with an error what the job's options say.
    fn note(
        &mut self,
        row: Option<u64>,
        rows: Option<Range<u64>>,
        is_read: bool,
        error: DataFusionError,
    ) -> Result<(), BatchError> {
        match self.job.options.on_error {
            OnError::Fail => Err(BatchError::Failed {
                place: self.unit.place(&self.job.source, row),
                source: error,
            }),
            OnError::Skip => Ok(()),
            OnError::File => {
                let error = RowError::new(rows, is_read, &message(&error));
                self.errors.push(error);
                Ok(())
            }
        }
    }
}

/// Waits for room in memory; none where the job is to stop.
pub(super) fn room<'a>(
    job: &'a Job,
    shared: &Shared,
    runtime: &Handle,
    bytes: usize,
) -> Option<SemaphorePermit<'a>> {
    runtime.block_on(async {
        tokio::select! {
            biased;
            () = shared.stopped() => None,
            room = job.budget.take(bytes) => Some(room),
        }
    })
}

/// A unit's share in what is under way; it is taken back when the unit ends.
struct UnderWay<'a> {
    shared: &'a Shared,
    rows: u64,
    bytes: u64,
}

impl UnderWay<'_> {
    /// Says how many rows of a unit are done.
    fn set(&mut self, unit: &Unit, rows: u64) {
        // Of how many, a text file does not say.
        let bytes = unit.known_rows().map_or(0, |all| {
            let share = u128::from(unit.bytes) * u128::from(rows) / u128::from(all.max(1));
            u64::try_from(share).unwrap_or(unit.bytes)
        });
        let shared = self.shared;
        let add = |all: &AtomicU64, new: u64, old: u64| all.fetch_add(new - old, Ordering::Relaxed);
        add(&shared.rows_under_way, rows, self.rows);
        add(&shared.bytes_under_way, bytes, self.bytes);
        (self.rows, self.bytes) = (rows, bytes);
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let take_back = |all: &AtomicU64, share: u64| all.fetch_sub(share, Ordering::Relaxed);
        take_back(&self.shared.rows_under_way, self.rows);
        take_back(&self.shared.bytes_under_way, self.bytes);
    }
}

/// Returns how many rows are read at once, so that texts of usual length fill a batch and no more.
///
/// Where it can be, a unit is a whole number of batches: its reader goes on to the next unit.
fn batch_rows(job: &Job, unit: &Unit) -> usize {
    let settings = &job.settings;
    let most = settings.batch_rows.max(1);
    let Rows::OfGroup { rows, bytes, .. } = &unit.rows else {
        return most;
    };
    let rows = rows.end - rows.start;
    let a_row = bytes / rows.max(1) + 1;
    let fill = (settings.batch_bytes as u64 / a_row).clamp(1, most as u64);
    let fewest = rows.div_ceil(fill).max(1);
    let even = (fewest..=2 * fewest).find(|batches| rows % batches == 0);
    let batch = even.map_or(fill, |batches| (rows / batches).max(1));
    usize::try_from(batch).unwrap_or(most)
}
