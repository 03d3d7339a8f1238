//! The rows of a unit: read batch by batch, run through the queries, written.

use std::ops::Range;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::parquet::file::metadata::KeyValue;
use tokio::sync::SemaphorePermit;

use super::batch_sizer::BatchSizer;
use super::in_flight::InFlightShare;
use super::memory_budget::MemoryBudget;
use super::worker_context::WorkerContext;
use crate::batch_slices;
use crate::busy_times::{BusyTimes, timed};
use crate::error::BatchError;
use crate::input::{Read, RowsWanted, TypeMismatches, Unit, UnitReader, UnitRows};
use crate::job::OnError;
use crate::output::FailedRows;
use crate::row_counts::RowCounts;
use lexstream_engine::message::message;
use lexstream_output::ParquetFile;
use lexstream_rowwise::Outcome;

/// How many times the bytes of a batch its results may have.
const RESULTS: usize = 2;

/// What became of a unit.
pub(super) struct UnitResult {
    pub(super) counts: RowCounts,
    pub(super) times: BusyTimes,
    pub(super) failed: Vec<FailedRows>,
    /// The key-value metadata of the input's footer.
    pub(super) key_values: Vec<KeyValue>,
}

/// The rows of a unit on their way.
pub(super) struct RowLoop<'a, 'w> {
    context: WorkerContext<'a>,
    unit: &'a Unit,
    writers: &'w mut [ParquetFile],
    counts: RowCounts,
    times: BusyTimes,
    failed: Vec<FailedRows>,
    sizer: BatchSizer,
    share: InFlightShare<'a>,
    /// Memory for the batch under way: taken before it is read, and kept until its results are written.
    room: Option<SemaphorePermit<'a>>,
    /// The bytes of a batch that it was taken for.
    room_bytes: usize,
}

/// The workers are to end.
struct Stopped;

impl<'a, 'w> RowLoop<'a, 'w> {
    pub(super) fn new(
        context: WorkerContext<'a>,
        unit: &'a Unit,
        writers: &'w mut [ParquetFile],
    ) -> Self {
        let batch_bytes = context.job.settings.batch_bytes;
        Self {
            context,
            unit,
            writers,
            counts: RowCounts::default(),
            times: BusyTimes::default(),
            failed: Vec::new(),
            sizer: BatchSizer::new(batch_bytes.saturating_mul(RESULTS)),
            share: InFlightShare::new(context.in_flight),
            room: None,
            room_bytes: 0,
        }
    }

    /// Runs all rows; none where the workers are to end.
    ///
    /// # Errors
    /// Whatever stops the job.
    pub(super) fn run(
        mut self,
        reader: &mut UnitReader<'a>,
    ) -> Result<Option<UnitResult>, BatchError> {
        let (job, unit) = (self.context.job, self.unit);
        if !matches!(unit.rows, UnitRows::Unreadable(_)) {
            job.source.files[unit.file].check()?;
        }
        let wanted = RowsWanted {
            columns: job.rowwise.columns(),
            mismatches: TypeMismatches::Fail,
            ranges: None,
            batch_rows: self.batch_rows(),
        };
        let key_values = match reader.open(unit, wanted) {
            Ok(key_values) => {
                if let Some(Stopped) = self.read(reader)? {
                    return Ok(None);
                }
                key_values
            }
            Err(error) => {
                self.fail_rest(error)?;
                Vec::new()
            }
        };
        self.counts.filtered = self.counts.rows - self.counts.passed - self.counts.failed;
        Ok(Some(UnitResult {
            counts: self.counts,
            times: self.times,
            failed: self.failed,
            key_values,
        }))
    }

    /// Runs batch after batch.
    fn read(&mut self, reader: &mut UnitReader<'a>) -> Result<Option<Stopped>, BatchError> {
        let batch_bytes = self.context.job.settings.batch_bytes;
        loop {
            // Long pages stay while their rows are run: then room is kept for all of them.
            if !self.unit.has_long_pages(batch_bytes) {
                self.room = None;
            }
            let mut stopped = self.reserve(batch_bytes);
            let long = timed(&mut self.times.reading, || reader.long_line());
            if let Ok(bytes) = long {
                stopped = stopped.or_else(|| self.reserve(bytes));
            }
            if stopped.is_some() {
                return Ok(stopped);
            }
            let read = timed(&mut self.times.reading, || {
                long.and_then(|_| reader.next().transpose())
            });
            match read {
                Ok(Some(Read::Rows(batch))) => {
                    if let Some(stopped) = self.compute(&batch)? {
                        return Ok(Some(stopped));
                    }
                }
                Ok(Some(Read::CorruptRow(error))) => self.fail_next(false, error)?,
                Ok(Some(Read::TypeMismatch(error))) => self.fail_next(true, error)?,
                Ok(None) => return Ok(None),
                Err(error) => {
                    // What comes behind can't be read either, or nobody knows where it begins.
                    self.fail_rest(error)?;
                    return Ok(None);
                }
            }
        }
    }

    /// Has room for so many bytes, if it takes waiting.
    fn reserve(&mut self, bytes: usize) -> Option<Stopped> {
        if self.room.is_some() && bytes <= self.room_bytes {
            return None;
        }
        // Given back first: two workers who wait with something in their hands may wait for ever.
        self.room = None;
        let (context, pages) = (self.context, self.context.job.page_bytes(self.unit));
        let wait = || context.reserve(bytes, pages);
        self.room = timed(&mut self.times.computing, wait);
        self.room_bytes = bytes;
        self.room.is_none().then_some(Stopped)
    }

    /// Refuses the next row where it would not fit into all there is.
    fn refuse_too_long(&self, bytes: usize) -> Result<(), BatchError> {
        let job = self.context.job;
        let in_tables = job.context.runtime_env().memory_pool.reserved();
        let memory = job.options.memory.saturating_sub(in_tables);
        let needed = MemoryBudget::of_row(bytes);
        if needed > memory {
            return Err(BatchError::TooLong {
                location: self.unit.location(&job.source, Some(self.counts.rows)),
                bytes,
                needed,
                memory,
            });
        }
        Ok(())
    }

    /// Runs the queries over a batch, in slices that fit.
    fn compute(&mut self, batch: &RecordBatch) -> Result<Option<Stopped>, BatchError> {
        let batch_bytes = self.context.job.settings.batch_bytes;
        for (slice, bytes) in batch_slices::cut(batch, batch_bytes) {
            if bytes > batch_bytes {
                self.refuse_too_long(bytes)?;
            }
            if let Some(stopped) = self.reserve(bytes) {
                return Ok(Some(stopped));
            }
            let mut start = 0;
            while start < slice.num_rows() {
                let rows = self.sizer.rows().min(slice.num_rows() - start);
                if let Some(stopped) = self.compute_slice(slice.slice(start, rows))? {
                    return Ok(Some(stopped));
                }
                start += rows;
            }
        }
        Ok(None)
    }

    fn compute_slice(&mut self, rows: RecordBatch) -> Result<Option<Stopped>, BatchError> {
        let context = self.context;
        let number = rows.num_rows() as u64;
        let run = || context.unless_stopped(context.job.rowwise.run(rows));
        let Some(outcome) = timed(&mut self.times.computing, run) else {
            return Ok(Some(Stopped));
        };
        let Outcome {
            outputs,
            failed,
            filtered,
        } = outcome.map_err(|error| BatchError::Run {
            input: context.job.source.files[self.unit.file].path.clone(),
            source: error.into(),
        })?;
        let first = self.counts.rows;
        let made = outputs.iter().flatten();
        let made = made.map(|output| batch_slices::bytes(&output.batch)).sum();
        self.sizer.learn(number as usize, made);
        for (writer, outputs) in self.writers.iter_mut().zip(&outputs) {
            for output in outputs {
                timed(&mut self.times.writing, || writer.write(&output.batch))?;
                self.counts.rows_out += output.batch.num_rows() as u64;
            }
        }
        self.counts.passed += number - failed.len() as u64 - filtered as u64;
        for row in failed {
            let at = first + u64::from(row.row);
            self.fail(at..at + 1, true, row.error)?;
        }
        self.counts.rows += number;
        let rows = self.counts.rows;
        self.share.set(rows, self.unit.bytes_of(rows));
        Ok(None)
    }

    /// Fails the rows behind those that were read.
    fn fail_rest(&mut self, error: DataFusionError) -> Result<(), BatchError> {
        let first = self.counts.rows;
        if let DataFusionError::ResourcesExhausted(_) = error.find_root() {
            return Err(BatchError::Failed {
                location: self.unit.location(&self.context.job.source, Some(first)),
                source: error,
            });
        }
        match self.unit.known_rows() {
            Some(all) => {
                self.fail(first..all, false, error)?;
                self.counts.rows = all;
            }
            None => {
                self.counts.unreadable += 1;
                let row = (first > 0).then_some(first);
                // Where it ends, nobody knows.
                self.note(row, row.map(|row| row..row), false, error)?;
            }
        }
        Ok(())
    }

    /// Fails the next row, which is none of the table's.
    fn fail_next(&mut self, is_read: bool, error: DataFusionError) -> Result<(), BatchError> {
        let row = self.counts.rows;
        self.counts.rows += 1;
        self.fail(row..row + 1, is_read, error)
    }

    fn fail(
        &mut self,
        rows: Range<u64>,
        is_read: bool,
        error: DataFusionError,
    ) -> Result<(), BatchError> {
        self.counts.failed += rows.end - rows.start;
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
        let job = self.context.job;
        match job.options.on_error {
            OnError::Fail => Err(BatchError::Failed {
                location: self.unit.location(&job.source, row),
                source: error,
            }),
            OnError::Skip => Ok(()),
            OnError::File => {
                let failed = FailedRows::new(rows, is_read, &message(&error));
                self.failed.push(failed);
                Ok(())
            }
        }
    }

    /// Returns how many rows are read at once, so that texts of usual length fill a batch and no more.
    ///
    /// Where it can be, a unit is a whole number of batches: its reader goes on to the next unit.
    fn batch_rows(&self) -> usize {
        let settings = &self.context.job.settings;
        let most = settings.batch_rows.max(1);
        let UnitRows::OfGroup { rows, bytes, .. } = &self.unit.rows else {
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
}
