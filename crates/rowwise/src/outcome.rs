//! What became of the rows of a batch.

use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::array::{Array, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array};
use datafusion::arrow::compute::{filter_record_batch, interleave_record_batch};
use datafusion::arrow::datatypes::{SchemaRef, UInt32Type};
use datafusion::common::{DataFusionError, Result, internal_err};

/// Rows of a batch of output that had to be put in order.
const SORTED_ROWS: usize = 8192;

/// What became of the rows of one batch: each one is in outputs, failed or filtered.
#[derive(Debug)]
pub struct Outcome {
    /// What each query gave, in the order of the input.
    pub outputs: Vec<Vec<Output>>,
    /// The rows that failed in a query, ascending; no query has output of them.
    pub failed: Vec<FailedRow>,
    /// How many rows neither failed nor gave any output.
    pub filtered: usize,
}

/// Rows that a query gave.
#[derive(Debug, Clone)]
pub struct Output {
    /// The rows.
    pub batch: RecordBatch,
    /// The row of the input that each came from, ascending, also from one output of a query to the next.
    pub origins: UInt32Array,
}

/// A row that a query failed on.
#[derive(Debug)]
pub struct FailedRow {
    /// Its place in the input, from 0.
    pub row: u32,
    /// The first query that failed on it, from 0.
    pub query: usize,
    /// Why.
    pub error: DataFusionError,
}

impl Outcome {
    /// Puts together what became of `rows` rows; batches of each query have the origin as their last column.
    pub(super) fn new(
        rows: usize,
        outputs: Vec<(SchemaRef, Vec<RecordBatch>)>,
        mut failed: Vec<FailedRow>,
    ) -> Result<Self> {
        failed.sort_by_key(|failed| failed.row);
        let mut seen = vec![Seen::Not; rows];
        for failed in &failed {
            match seen.get_mut(failed.row as usize) {
                Some(seen @ Seen::Not) => *seen = Seen::Failed,
                _ => {
                    return internal_err!(
                        "row {} of {rows} failed twice, or is not there",
                        failed.row
                    );
                }
            }
        }
        let mut ordered = Vec::with_capacity(outputs.len());
        for (schema, batches) in outputs {
            let mut outputs = Vec::with_capacity(batches.len());
            for batch in batches {
                let output = Output::new(&schema, &batch)?;
                let output = if failed.is_empty() {
                    output
                } else {
                    output.without_failed(&seen)?
                };
                if output.batch.num_rows() > 0 {
                    outputs.push(output);
                }
            }
            let outputs = in_order(&schema, outputs)?;
            for origin in outputs.iter().flat_map(|output| output.origins.values()) {
                match seen.get_mut(*origin as usize) {
                    Some(seen @ (Seen::Not | Seen::Given)) => *seen = Seen::Given,
                    _ => {
                        return internal_err!(
                            "output of row {origin} of {rows}, which failed or is not there"
                        );
                    }
                }
            }
            ordered.push(outputs);
        }
        let filtered = seen.iter().filter(|seen| matches!(seen, Seen::Not)).count();
        Ok(Self {
            outputs: ordered,
            failed,
            filtered,
        })
    }
}

/// What is known of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Not,
    Given,
    Failed,
}

impl Output {
    /// Takes the origin out of a batch.
    fn new(schema: &SchemaRef, batch: &RecordBatch) -> Result<Self> {
        let rows = batch.num_rows();
        let mut columns = batch.columns().to_vec();
        let origins = columns.pop();
        let Some(origins) = origins
            .as_ref()
            .and_then(|column| column.as_primitive_opt::<UInt32Type>())
        else {
            return internal_err!(
                "expected the origin behind the columns of ({schema}), found {}",
                batch.schema()
            );
        };
        if origins.null_count() > 0 {
            return internal_err!("{} rows of output have no origin", origins.null_count());
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(Self {
            batch: RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?,
            origins: origins.clone(),
        })
    }

    fn without_failed(self, seen: &[Seen]) -> Result<Self> {
        let is_kept = |origin: &u32| seen.get(*origin as usize) != Some(&Seen::Failed);
        let kept: BooleanArray = self
            .origins
            .values()
            .iter()
            .map(|origin| Some(is_kept(origin)))
            .collect();
        if kept.true_count() == kept.len() {
            return Ok(self);
        }
        let origins = self.origins.values().iter().copied().filter(is_kept);
        Ok(Self {
            batch: filter_record_batch(&self.batch, &kept)?,
            origins: UInt32Array::from_iter_values(origins),
        })
    }
}

/// Puts rows in the order of their origins; those of one origin stay as they are.
fn in_order(schema: &SchemaRef, outputs: Vec<Output>) -> Result<Vec<Output>> {
    let origins = || {
        outputs
            .iter()
            .flat_map(|output| output.origins.values().iter().copied())
    };
    if origins().is_sorted() {
        return Ok(outputs);
    }
    let mut places: Vec<(u32, (usize, usize))> = Vec::new();
    for (at, output) in outputs.iter().enumerate() {
        let rows = output.origins.values().iter().enumerate();
        places.extend(rows.map(|(row, origin)| (*origin, (at, row))));
    }
    places.sort_by_key(|(origin, _)| *origin);
    let batches: Vec<_> = outputs.iter().map(|output| &output.batch).collect();
    let chunks = places.chunks(SORTED_ROWS).map(|chunk| {
        let (origins, rows): (Vec<u32>, Vec<_>) = chunk.iter().copied().unzip();
        let batch = if schema.fields().is_empty() {
            let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
            RecordBatch::try_new_with_options(Arc::clone(schema), Vec::new(), &options)
        } else {
            interleave_record_batch(&batches, &rows)
        };
        Ok(Output {
            batch: batch?,
            origins: origins.into(),
        })
    });
    chunks.collect()
}
