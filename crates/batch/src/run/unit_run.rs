//! Life of a unit: claimed by a lock, run, flushed and renamed into place.

use super::row_loop::{RowLoop, UnitResult};
use super::worker_context::WorkerContext;
use super::{failed_rows_file, unit_footer};
use crate::busy_times::{BusyTimes, timed};
use crate::error::BatchError;
use crate::input::{Unit, UnitReader, UnitRows};
use crate::job::{Job, OnError};
use crate::row_counts::RowCounts;
use lexstream_output::{Claim, ParquetFile};

/// A unit that is ours.
pub(super) struct UnitRun<'a> {
    job: &'a Job,
    unit: &'a Unit,
    /// One an output.
    claims: Vec<Claim>,
}

impl<'a> UnitRun<'a> {
    /// Claims a unit; none where another process has it.
    ///
    /// # Errors
    /// A temporary file can't be made.
    pub(super) fn claim(job: &'a Job, unit: &'a Unit) -> Result<Option<Self>, BatchError> {
        let mut claims = Vec::with_capacity(job.outputs.len());
        for output in &job.outputs {
            let claim = Claim::try_new(&output.work(), &unit.name);
            match claim.map_err(BatchError::io("write to", &output.work()))? {
                Some(claim) => claims.push(claim),
                None => return Ok(None),
            }
        }
        Ok(Some(Self { job, unit, claims }))
    }

    /// Does the work; its files appear when all of it is done. None where the workers are to end: then nothing is left.
    ///
    /// # Errors
    /// Whatever stops the job.
    pub(super) fn run(
        self,
        reader: &mut UnitReader<'a>,
        context: WorkerContext<'a>,
    ) -> Result<Option<(RowCounts, BusyTimes)>, BatchError> {
        let Self { job, unit, claims } = self;
        let mut writers = Vec::with_capacity(claims.len());
        for (output, claim) in job.outputs.iter().zip(claims) {
            let target = output.part(&unit.name);
            let (schema, options) = (&output.schema, &output.options);
            let held = job.writer_bytes();
            writers.push(ParquetFile::try_new(claim, target, schema, options, held)?);
        }
        let rows = RowLoop::new(context, unit, &mut writers);
        let Some(result) = rows.run(reader)? else {
            return Ok(None);
        };
        let UnitResult {
            counts,
            mut times,
            failed,
            key_values,
        } = result;
        if !failed.is_empty() {
            // Its pages take memory, and so do the rows that are read again.
            reader.close();
        }
        // What a reader of the unit's file finds missing is in place before it.
        if job.options.on_error == OnError::File
            && !failed_rows_file::write(context, unit, &failed)?
        {
            return Ok(None);
        }
        if !matches!(unit.rows, UnitRows::Unreadable(_)) {
            job.source.files[unit.file].check()?;
        }
        for (output, writer) in writers.into_iter().enumerate() {
            let about = unit_footer::key_values(job, unit, output, counts, &key_values);
            let ended = timed(&mut times.writing, || writer.end(&about))?;
            timed(&mut times.placing, || ended.commit())?;
        }
        Ok(Some((counts, times)))
    }
}
