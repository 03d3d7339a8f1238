//! What a job's queries give for the first rows, without writing anything.

use std::ops::Range;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::DataFusionError;
use tokio::runtime::Handle;

use super::adapter::Fit;
use super::group_rows::OpenGroup;
use super::job::Job;
use super::place::Place;
use super::read::Read;
use super::unit::Unit;
use super::unit_input::{self, Batches, Wanted};
use super::{BatchError, texts};

/// What a job's queries give for some rows.
#[derive(Debug, Default)]
pub struct Preview {
    /// The rows of each output.
    pub outputs: Vec<Vec<RecordBatch>>,
    /// Rows that fail, and what can't be read.
    pub failed: Vec<(Place, DataFusionError)>,
}

impl Job {
    /// Runs the queries over the first rows of the input.
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
            let only = 0..left;
            let mut reader = None;
            let batches = match self.first_rows(unit, &only, &mut reader, runtime) {
                Ok(batches) => batches,
                Err(error) => {
                    let place = unit.place(&self.source, None);
                    preview.failed.push((place, error));
                    continue;
                }
            };
            let mut first = 0;
            for batch in batches {
                let batch = match batch {
                    Ok(Read::Rows(batch)) => batch,
                    Ok(Read::Bad(error) | Read::Misfit(error)) => {
                        let place = unit.place(&self.source, Some(first));
                        preview.failed.push((place, error));
                        first += 1;
                        continue;
                    }
                    Err(error) => {
                        let place = unit.place(&self.source, (first > 0).then_some(first));
                        preview.failed.push((place, error));
                        break;
                    }
                };
                for (slice, _) in texts::cut(&batch, self.settings.batch_bytes) {
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
            let place = unit.place(&self.source, Some(first + u64::from(row.row)));
            preview.failed.push((place, row.error));
        }
        Ok(())
    }

    fn first_rows<'a>(
        &'a self,
        unit: &Unit,
        only: &'a Range<u64>,
        reader: &'a mut Option<OpenGroup>,
        runtime: &'a Handle,
    ) -> Result<Batches<'a>, DataFusionError> {
        let batch_rows = usize::try_from(only.end).unwrap_or(usize::MAX);
        let wanted = Wanted {
            columns: self.rowwise.columns(),
            fit: Fit::Strict,
            rows: std::slice::from_ref(only),
            batch_rows: batch_rows.clamp(1, self.settings.batch_rows.max(1)),
        };
        unit_input::open_some(self, unit, &wanted, reader, runtime)
    }
}
