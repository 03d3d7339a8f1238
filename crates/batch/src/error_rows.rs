//! Writes the rows of a unit that failed to `_errors/`, with every column of the input.

use std::fs;

use tokio::runtime::Handle;

use super::BatchError;
use super::adapter::Fit;
use super::job::Job;
use super::output::Output;
use super::read::Read;
use super::row_errors::{self, RowError};
use super::run::Shared;
use super::unit::Unit;
use super::unit_input::{self, Wanted};
use super::unit_rows::room;
use lexstream_output::{Claim, ParquetFile};

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
) -> Result<bool, BatchError> {
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
    let held = job.options.memory / (16 * job.options.workers).max(1);
    let mut writer = ParquetFile::try_new(claim, target, &schema, &first.options, held)?;
    let failed = |source| BatchError::Run {
        input: job.source.files[unit.file].path.clone(),
        source,
    };
    let (read, unread): (Vec<_>, Vec<_>) = errors.iter().partition(|error| error.is_read);
    let mut written = 0;
    let stretches: Vec<_> = read.iter().filter_map(|error| error.rows.clone()).collect();
    let columns: Vec<_> = (0..job.source.schema().fields().len()).collect();
    let wanted = Wanted {
        columns: &columns,
        fit: Fit::Lenient,
        rows: &stretches,
        batch_rows: BATCH_ROWS,
    };
    // Read again, now with every column; what can't be read is NULL.
    let mut reader = None;
    let mut again = match read.is_empty() {
        true => None,
        false => unit_input::open_some(job, unit, &wanted, &mut reader, runtime).ok(),
    };
    while let Some(rows) = &mut again
        && written < read.len()
    {
        let long = rows.long_row();
        let bytes = long.as_ref().map_or(0, |bytes| *bytes);
        let bytes = bytes.max(job.settings.batch_bytes);
        let Some(_room) = room(job, shared, runtime, bytes) else {
            return Ok(false);
        };
        let (rows, count) = match long.and_then(|_| rows.next().transpose()) {
            Ok(Some(Read::Rows(rows))) => {
                let count = rows.num_rows();
                (Some(rows), count)
            }
            Ok(None) => break,
            Ok(Some(Read::Bad(_) | Read::Misfit(_))) => (None, 1),
            Err(_) => break,
        };
        let beside = &read[written..written + count];
        written += count;
        let batch = row_errors::batch(&schema, &job.source, unit, rows.as_ref(), beside);
        writer.write(&batch.map_err(failed)?)?;
    }
    // What can't be read again, and what never could.
    for errors in read[written..]
        .chunks(BATCH_ROWS)
        .chain(unread.chunks(BATCH_ROWS))
    {
        let batch = row_errors::batch(&schema, &job.source, unit, None, errors);
        writer.write(&batch.map_err(failed)?)?;
    }
    writer.end(&[])?.replace()?;
    Ok(true)
}
