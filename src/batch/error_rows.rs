//! Writes the rows of a unit that failed to `_errors/`, with every column of the input.

use std::fs;
use std::ops::Range;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result, exec_err};
use futures::StreamExt;
use tokio::runtime::Handle;

use super::job::Job;
use super::output::Output;
use super::parquet_input::ParquetInput;
use super::row_errors::{self, RowError};
use super::run::Shared;
use super::unit::{Rows, Unit};
use super::unit_writer::UnitWriter;
use super::{BatchError, file_input};
use crate::files::Claim;

/// Rows that are written at once.
const BATCH_ROWS: usize = 256;

/// Puts the errors of a unit in place; a unit without errors has no file, also where an earlier try had one.
///
/// Returns `false` where the job is to stop.
pub(super) fn write(
    job: &Job,
    unit: &Unit,
    errors: &[RowError],
    shared: &Shared,
    runtime: &Handle,
) -> std::result::Result<bool, BatchError> {
    let first: &Output = &job.outputs[0];
    let folder = first.errors();
    let target = folder.join(&unit.name);
    if errors.is_empty() {
        return match fs::remove_file(&target) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(BatchError::io("delete", &target)(error))
            }
            _ => Ok(true),
        };
    }
    fs::create_dir_all(&folder).map_err(BatchError::io("create", &folder))?;
    let name = format!("errors-{}", unit.name);
    let claim = Claim::try_new(&first.work(), &name);
    let Some(claim) = claim.map_err(BatchError::io("write to", &first.work()))? else {
        // Whoever has the unit has its errors too.
        return Err(BatchError::Busy(first.folder.clone()));
    };
    let schema = row_errors::schema(&job.source.schema());
    let held = job.options.memory / (8 * job.options.workers).max(1);
    let mut writer = UnitWriter::try_new(claim, target, &schema, &first.options, held)?;
    let failed = |source| BatchError::Run {
        input: job.source.files[unit.file].path.clone(),
        source,
    };
    let (read, unread): (Vec<_>, Vec<_>) = errors.iter().cloned().partition(|error| error.is_read);
    let mut written = 0;
    for rows in rows_of(job, unit, &read, runtime).map_err(failed)? {
        if shared.is_stopped() {
            return Ok(false);
        }
        let rows = rows.map_err(failed)?;
        let beside = &read[written..written + rows.num_rows()];
        written += rows.num_rows();
        let batch = row_errors::batch(&schema, &job.source, unit, Some(&rows), beside);
        writer.write(&batch.map_err(failed)?)?;
    }
    if written != read.len() {
        let found = format!("{} rows failed, and {written} are found again", read.len());
        return Err(failed(DataFusionError::Execution(found)));
    }
    if !unread.is_empty() {
        let batch = row_errors::batch(&schema, &job.source, unit, None, &unread);
        writer.write(&batch.map_err(failed)?)?;
    }
    writer.end(&[])?.replace()?;
    Ok(true)
}

type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch>> + 'a>;

/// Reads rows again, now with every column; as many as there are errors.
fn rows_of<'a>(
    job: &'a Job,
    unit: &'a Unit,
    errors: &'a [RowError],
    runtime: &'a Handle,
) -> Result<Batches<'a>> {
    if errors.is_empty() {
        return Ok(Box::new(std::iter::empty()));
    }
    let columns: Vec<_> = (0..job.source.schema().fields().len()).collect();
    let file = &job.source.files[unit.file];
    match &unit.rows {
        Rows::OfGroup {
            row_group, rows, ..
        } => {
            let wanted: Vec<_> = wanted(errors)
                .map(|wanted| rows.start + wanted.start..rows.start + wanted.end)
                .collect();
            let input = ParquetInput::open(&job.source, file, &columns)?;
            Ok(Box::new(input.read(*row_group, &wanted, BATCH_ROWS)?))
        }
        Rows::All => {
            let context = &job.context;
            let stream = file_input::read(context, &job.source, file, &columns, BATCH_ROWS);
            let mut stream = runtime.block_on(stream)?;
            let batches = std::iter::from_fn(move || runtime.block_on(stream.next()));
            Ok(Box::new(picked(batches, wanted(errors))))
        }
        Rows::Unreadable(why) => exec_err!("{why}"),
    }
}

/// Returns the stretches of rows that failed, ascending.
fn wanted(errors: &[RowError]) -> impl Iterator<Item = Range<u64>> {
    errors.iter().filter_map(|error| error.rows.clone())
}

/// Takes single rows out of batches that follow one another.
fn picked<'a>(
    batches: impl Iterator<Item = Result<RecordBatch>> + 'a,
    wanted: impl Iterator<Item = Range<u64>> + 'a,
) -> impl Iterator<Item = Result<RecordBatch>> + 'a {
    let mut wanted = wanted.peekable();
    let mut first = 0;
    batches.filter_map(move |batch| {
        let batch = match batch {
            Ok(batch) => batch,
            // What can't be read is no row that failed: all of those come before it.
            Err(error) => return wanted.peek().is_some().then_some(Err(error)),
        };
        let end = first + batch.num_rows() as u64;
        let mut rows = Vec::new();
        while let Some(row) = wanted.next_if(|rows| rows.end <= end) {
            rows.push(batch.slice((row.start - first) as usize, (row.end - row.start) as usize));
        }
        first = end;
        let schema: SchemaRef = batch.schema();
        (!rows.is_empty()).then(|| Ok(concat_batches(&schema, &rows)?))
    })
}
