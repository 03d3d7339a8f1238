//! One unit: claimed, run, put in place.

use tokio::runtime::Handle;

use super::group_rows::OpenGroup;
use super::job::{Job, OnError};
use super::run::Shared;
use super::tally::Tally;
use super::times::{Times, timed};
use super::unit::{Rows, Unit};
use super::unit_rows::UnitRows;
use super::{BatchError, error_rows, footer};
use lexstream_output::{Claim, ParquetFile};

/// How a unit ended.
pub(super) enum Ended {
    /// It is in place.
    Finished(Tally, Times),
    /// The job is to stop: nothing of it is left.
    Stopped,
}

/// A unit that is ours.
pub(super) struct UnitRun<'a> {
    job: &'a Job,
    unit: &'a Unit,
    /// One an output.
    claims: Vec<Claim>,
}

impl<'a> UnitRun<'a> {
    /// Claims a unit; none where another process has it.
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

    /// Does the work; its files appear when all of it is done.
    ///
    /// `kept` is the reader that the unit before has left, and what this one leaves to the next.
    pub(super) fn run(
        self,
        kept: &mut Option<OpenGroup>,
        shared: &Shared,
        runtime: &Handle,
    ) -> Result<Ended, BatchError> {
        let Self { job, unit, claims } = self;
        let mut writers = Vec::with_capacity(claims.len());
        let held = job.options.memory / (16 * job.options.workers * job.outputs.len()).max(1);
        for (output, claim) in job.outputs.iter().zip(claims) {
            let target = output.part(&unit.name);
            writers.push(ParquetFile::try_new(
                claim,
                target,
                &output.schema,
                &output.options,
                held,
            )?);
        }
        let mut rows = UnitRows::new(job, unit, writers, shared, runtime);
        let Some(of_input) = rows.run(kept)? else {
            return Ok(Ended::Stopped);
        };
        let (writers, tally, mut times, errors) = rows.into_parts();
        if !errors.is_empty() {
            // Its pages take memory, and so do the rows that are read again.
            *kept = None;
        }
        // What a reader of the unit's file finds missing is in place before it.
        if job.options.on_error == OnError::File
            && !error_rows::write(job, unit, &errors, shared, runtime)?
        {
            return Ok(Ended::Stopped);
        }
        if !matches!(unit.rows, Rows::Unreadable(_)) {
            job.source.files[unit.file].check()?;
        }
        for (place, writer) in writers.into_iter().enumerate() {
            let about = footer::about(job, unit, place, tally, &of_input);
            let ended = timed(&mut times.writing, || writer.end(&about))?;
            timed(&mut times.placing, || ended.commit())?;
        }
        Ok(Ended::Finished(tally, times))
    }
}
