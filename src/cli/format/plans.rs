//! `table` of what EXPLAIN returns: plans with their lines, not cells.

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::{Output, Printer};
use crate::cli::failure::Failure;

/// Tells whether a result is what EXPLAIN returns.
pub(super) fn are_in(schema: &SchemaRef) -> bool {
    let names = schema.fields().iter().map(|field| field.name().as_str());
    names.eq(["plan_type", "plan"])
}

/// Prints each plan under its kind, whole.
pub(super) struct Plans {
    output: Output,
}

impl Plans {
    pub(super) fn new(output: Output) -> Self {
        Self { output }
    }
}

impl Printer for Plans {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let options = FormatOptions::new();
        let kinds = ArrayFormatter::try_new(batch.column(0), &options)?;
        let plans = ArrayFormatter::try_new(batch.column(1), &options)?;
        for row in 0..batch.num_rows() {
            writeln!(self.output, "{}:", kinds.value(row))?;
            for line in plans.value(row).to_string().lines() {
                writeln!(self.output, "  {line}")?;
            }
        }
        Ok(self.output.flush()?)
    }

    fn finish(&mut self, footer: Option<&str>) -> Result<(), Failure> {
        if let Some(footer) = footer {
            writeln!(self.output, "{footer}")?;
        }
        Ok(self.output.flush()?)
    }
}
