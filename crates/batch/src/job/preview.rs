//! Preview (`--limit`): runs a job's queries over the first rows, and writes nothing.

use datafusion::arrow::array::RecordBatch;
use datafusion::common::DataFusionError;
use tokio::runtime::Handle;

use super::Job;
use crate::batch_slices;
use crate::error::BatchError;
use crate::input::{Read, RowsWanted, TypeMismatches, Unit};
use crate::row_location::RowLocation;

/// What a job's queries give for some rows.
#[derive(Debug, Default)]
pub struct Preview {
    /// The rows of each output.
    pub outputs: Vec<Vec<RecordBatch>>,
    /// Rows that fail, and what can't be read.
    pub failed: Vec<(RowLocation, DataFusionError)>,
}

impl Job {
    /// Runs the queries over the first rows of the input.
    ///
    /// # Errors
    /// A query fails, whatever the row.
    pub fn preview(&self, rows: u64, runtime: &Handle) -> Result<Preview, BatchError> {
        let mut preview = Preview {
            outputs: vec![Vec::new(); self.outputs.len()],
            failed: Vec::new(),
        };
        let mut left = rows;
        for unit in &self.units {
            if left == 0 {
                break;
            }
            let range = 0..left;
            let batch_rows = usize::try_from(left).unwrap_or(usize::MAX);
            let wanted = RowsWanted {
                columns: self.rowwise.columns(),
                mismatches: TypeMismatches::Fail,
                ranges: Some(std::slice::from_ref(&range)),
                batch_rows: batch_rows.clamp(1, self.settings.batch_rows.max(1)),
            };
            let mut reader = self.reader(runtime);
            if let Err(error) = reader.open(unit, wanted) {
                let location = unit.location(&self.source, None);
                preview.failed.push((location, error));
                continue;
            }
            let mut first = 0;
            for batch in reader {
                let batch = match batch {
                    Ok(Read::Rows(batch)) => batch,
                    Ok(Read::CorruptRow(error) | Read::TypeMismatch(error)) => {
                        let location = unit.location(&self.source, Some(first));
                        preview.failed.push((location, error));
                        first += 1;
                        continue;
                    }
                    Err(error) => {
                        let location = unit.location(&self.source, (first > 0).then_some(first));
                        preview.failed.push((location, error));
                        break;
                    }
                };
                for (slice, _) in batch_slices::cut(&batch, self.settings.batch_bytes) {
                    let rows = slice.num_rows() as u64;
                    self.preview_rows(unit, slice, first, &mut preview, runtime)?;
                    first += rows;
                }
            }
            left -= first;
        }
        Ok(preview)
    }

    fn preview_rows(
        &self,
        unit: &Unit,
        rows: RecordBatch,
        first: u64,
        preview: &mut Preview,
        runtime: &Handle,
    ) -> Result<(), BatchError> {
        let outcome = runtime.block_on(self.rowwise.run(rows));
        let outcome = outcome.map_err(|error| BatchError::Run {
            input: self.source.files[unit.file].path.clone(),
            source: error.into(),
        })?;
        for (shown, outputs) in preview.outputs.iter_mut().zip(outcome.outputs) {
            shown.extend(outputs.into_iter().map(|output| output.batch));
        }
        for row in outcome.failed {
            let location = unit.location(&self.source, Some(first + u64::from(row.row)));
            preview.failed.push((location, row.error));
        }
        Ok(())
    }
}
