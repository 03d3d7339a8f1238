//! Writes the rows of a unit that failed to `_errors/`, with every column of the input.

use std::fs;

use super::worker_context::WorkerContext;
use crate::error::BatchError;
use crate::input::{Read, RowsWanted, TypeMismatches, Unit};
use crate::output::{FailedRows, failed_rows};
use lexstream_output::{Claim, ParquetFile};

/// Rows that are written at once.
const BATCH_ROWS: usize = 256;

/// Puts the errors of a unit in place; a unit without errors has no file, also where an earlier try had one.
///
/// Returns `false` where the workers are to end.
///
/// # Errors
/// The file can't be written or deleted.
pub(super) fn write(
    context: WorkerContext<'_>,
    unit: &Unit,
    failed: &[FailedRows],
) -> Result<bool, BatchError> {
    let job = context.job;
    let first = &job.outputs[0];
    let folder = first.errors();
    let target = folder.join(&unit.name);
    if failed.is_empty() {
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
    let schema = failed_rows::schema(&job.source.schema());
    let held = job.writer_bytes();
    let mut writer = ParquetFile::try_new(claim, target, &schema, &first.options, held)?;
    let mut write = |rows: Option<_>, failed: &[&FailedRows]| {
        let batch = failed_rows::batch(&schema, &job.source, unit, rows.as_ref(), failed);
        let batch = batch.map_err(|source| BatchError::Run {
            input: job.source.files[unit.file].path.clone(),
            source,
        })?;
        writer.write(&batch)?;
        Ok::<_, BatchError>(())
    };
    let (read, unread): (Vec<_>, Vec<_>) = failed.iter().partition(|failed| failed.is_read);
    let ranges: Vec<_> = read
        .iter()
        .filter_map(|failed| failed.rows.clone())
        .collect();
    let columns: Vec<_> = (0..job.source.schema().fields().len()).collect();
    let wanted = RowsWanted {
        columns: &columns,
        mismatches: TypeMismatches::Null,
        ranges: Some(&ranges),
        batch_rows: BATCH_ROWS,
    };
    // Read again, now with every column; what can't be read is NULL.
    let mut again = job.reader(context.runtime);
    let is_open = !read.is_empty() && again.open(unit, wanted).is_ok();
    let pages = job.page_bytes(unit);
    let mut written = 0;
    while is_open && written < read.len() {
        let long = again.long_line();
        let bytes = long.as_ref().map_or(0, |bytes| *bytes);
        let bytes = bytes.max(job.settings.batch_bytes);
        let Some(_room) = context.reserve(bytes, pages) else {
            return Ok(false);
        };
        let (rows, count) = match long.and_then(|_| again.next().transpose()) {
            Ok(Some(Read::Rows(rows))) => {
                let count = rows.num_rows();
                (Some(rows), count)
            }
            Ok(Some(_)) => (None, 1),
            Ok(None) | Err(_) => break,
        };
        write(rows, &read[written..written + count])?;
        written += count;
    }
    // What can't be read again, and what never could.
    let rest = read[written..].chunks(BATCH_ROWS);
    for failed in rest.chain(unread.chunks(BATCH_ROWS)) {
        write(None, failed)?;
    }
    writer.end(&[])?.replace()?;
    Ok(true)
}
