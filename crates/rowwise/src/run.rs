//! Runs queries over one batch, and finds the rows that fail by halving.

use std::sync::Arc;

use datafusion::arrow::array::{BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::common::{DataFusionError, Result};
use datafusion::physical_plan::ExecutionPlanProperties;
use futures::TryStreamExt;

use super::blame::is_of_a_row;
use super::planned::Query;
use super::source::InFlight;
use super::{FailedRow, Outcome, Rowwise, RowwiseError};

impl Rowwise {
    /// Runs every query over one batch of [`Rowwise::input_schema`]; a row that fails in one has output of none.
    ///
    /// A batch that fails is halved until the rows that fail are alone, so that the others have their results. An error
    /// that no row is to blame for, such as too little memory or a model that can't be loaded, fails the whole.
    /// Dropping the future stops what is under way.
    pub async fn run(&self, batch: RecordBatch) -> Result<Outcome, RowwiseError> {
        let flight = self.flight(&batch)?;
        let rows = flight.rows();
        let mut failed = Vec::new();
        let mut outputs = Vec::with_capacity(self.queries.len());
        for (at, query) in self.queries.iter().enumerate() {
            let remaining = without(&flight, &failed)?;
            let batches = self.run_query(at, query, remaining, &mut failed).await?;
            outputs.push((Arc::clone(&query.schema), batches));
        }
        Ok(Outcome::new(rows, outputs, failed)?)
    }

    /// Executes every plan without a row, so that what is wrong with static tables shows before any row is blamed.
    pub(super) async fn try_without_rows(&self) -> Result<(), RowwiseError> {
        let flight = self.flight(&RecordBatch::new_empty(Arc::clone(self.input_schema())))?;
        for query in &self.queries {
            self.execute(query, flight.clone()).await?;
        }
        Ok(())
    }

    /// Checks a batch, and numbers its rows.
    fn flight(&self, batch: &RecordBatch) -> Result<InFlight, RowwiseError> {
        let rows = batch.num_rows();
        let expected = self.input_schema();
        let types = |schema: &datafusion::arrow::datatypes::Schema| {
            let fields = schema.fields().iter();
            let shown: Vec<_> = fields
                .map(|field| format!("{} {}", field.name(), field.data_type()))
                .collect();
            shown.join(", ")
        };
        let found = batch.schema();
        let is_equal = expected.fields().len() == found.fields().len()
            && expected
                .fields()
                .iter()
                .zip(found.fields())
                .all(|(expected, found)| {
                    expected.name() == found.name() && expected.data_type() == found.data_type()
                });
        if !is_equal {
            return Err(RowwiseError::Columns {
                expected: types(expected),
                found: types(&found),
            });
        }
        let last = u32::try_from(rows).map_err(|_| RowwiseError::Rows { found: rows })?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let columns = batch.columns().to_vec();
        let batch = RecordBatch::try_new_with_options(Arc::clone(expected), columns, &options);
        Ok(InFlight {
            columns: Arc::clone(&self.columns),
            batch: batch.map_err(DataFusionError::from)?,
            origins: UInt32Array::from_iter_values(0..last),
        })
    }

    /// Returns what a query gives, and adds the rows it failed on.
    async fn run_query(
        &self,
        at: usize,
        query: &Query,
        flight: InFlight,
        failed: &mut Vec<FailedRow>,
    ) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        // The next one to run comes last.
        let mut pieces = vec![flight];
        while let Some(piece) = pieces.pop() {
            let rows = piece.rows();
            match self.execute(query, piece.clone()).await {
                Ok(more) => batches.extend(more),
                Err(error) if rows == 0 || !is_of_a_row(&error) => return Err(error),
                Err(error) if rows == 1 => failed.push(FailedRow {
                    row: piece.origins.value(0),
                    query: at,
                    error,
                }),
                Err(_) => {
                    let half = rows / 2;
                    pieces.push(piece.slice(half, rows - half));
                    pieces.push(piece.slice(0, half));
                }
            }
        }
        Ok(batches)
    }

    /// Executes a plan once; its partitions, the parts of a union, come one after another.
    async fn execute(&self, query: &Query, flight: InFlight) -> Result<Vec<RecordBatch>> {
        let plan = query.plan.next()?;
        let context = self.context(flight);
        let mut batches = Vec::new();
        for partition in 0..plan.output_partitioning().partition_count() {
            let stream = plan.execute(partition, Arc::clone(&context))?;
            batches.extend(stream.try_collect::<Vec<_>>().await?);
        }
        Ok(batches)
    }
}

/// Returns the rows that have not failed yet.
fn without(flight: &InFlight, failed: &[FailedRow]) -> Result<InFlight> {
    if failed.is_empty() {
        return Ok(flight.clone());
    }
    let mut kept = vec![true; flight.rows()];
    for failed in failed {
        kept[failed.row as usize] = false;
    }
    let origins = flight.origins.values().iter().copied();
    let origins = origins.filter(|origin| kept[*origin as usize]);
    let origins = UInt32Array::from_iter_values(origins);
    Ok(InFlight {
        columns: Arc::clone(&flight.columns),
        batch: filter_record_batch(&flight.batch, &BooleanArray::from(kept))?,
        origins,
    })
}
