//! What a job's queries give for the first rows, without writing anything.

use datafusion::arrow::array::RecordBatch;
use datafusion::common::DataFusionError;
use futures::StreamExt;
use tokio::runtime::Handle;

use super::job::Job;
use super::parquet_input::ParquetInput;
use super::place::Place;
use super::unit::{Rows, Unit};
use super::{BatchError, file_input, texts};

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
            match self.first_rows(unit, left, runtime) {
                Ok(batches) => {
                    let mut first = 0;
                    for batch in batches {
                        for (slice, _) in texts::cut(&batch, self.settings.batch_bytes) {
                            let rows = slice.num_rows() as u64;
                            self.preview_rows(unit, slice, first, &mut preview, runtime)?;
                            first += rows;
                        }
                    }
                    left -= first;
                }
                Err(error) => {
                    let place = unit.place(&self.source, None);
                    preview.failed.push((place, error));
                }
            }
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

    fn first_rows(
        &self,
        unit: &Unit,
        most: u64,
        runtime: &Handle,
    ) -> Result<Vec<RecordBatch>, DataFusionError> {
        let (file, columns) = (&self.source.files[unit.file], self.rowwise.columns());
        let batch_rows = usize::try_from(most).unwrap_or(usize::MAX);
        let batch_rows = batch_rows.clamp(1, self.settings.batch_rows.max(1));
        match &unit.rows {
            Rows::OfGroup {
                row_group, rows, ..
            } => {
                let wanted = rows.start..rows.end.min(rows.start + most);
                let input = ParquetInput::open(&self.source, file, columns)?;
                input.read(*row_group, &[wanted], batch_rows)?.collect()
            }
            Rows::All => runtime.block_on(async {
                let stream =
                    file_input::read(&self.context, &self.source, file, columns, batch_rows);
                let mut stream = stream.await?;
                let (mut batches, mut left) = (Vec::new(), most as usize);
                while left > 0
                    && let Some(batch) = stream.next().await
                {
                    let batch = batch?;
                    let batch = batch.slice(0, batch.num_rows().min(left));
                    left -= batch.num_rows();
                    batches.push(batch);
                }
                Ok(batches)
            }),
            Rows::Unreadable(why) => Err(DataFusionError::Execution(why.clone())),
        }
    }
}
