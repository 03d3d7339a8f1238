//! How rows of a file become those of the table.

use std::collections::VecDeque;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::compute::CastOptions;
use datafusion::arrow::datatypes::{FieldRef, SchemaRef};
use datafusion::common::nested_struct::cast_column;
use datafusion::common::{Result, ScalarValue};

use super::line_input::Read;

/// How the columns of a file become the table's.
#[derive(Debug)]
pub(super) struct Adapter {
    schema: SchemaRef,
    /// One a column that is read.
    columns: Vec<Column>,
}

/// Where a column of the table comes from.
#[derive(Debug, Clone)]
pub(super) enum Column {
    /// One of the file's columns that are read, cast where its type is another.
    Read(usize),
    /// The same value in every row: what a folder's name says, or NULL where the file lacks the column.
    Constant(ScalarValue),
}

/// Rows as the file has them: those of its columns that are read.
#[derive(Debug)]
pub(super) struct RawRows {
    pub(super) columns: Vec<ArrayRef>,
    pub(super) rows: usize,
}

impl RawRows {
    pub(super) fn slice(&self, start: usize, rows: usize) -> Self {
        let columns = self.columns.iter();
        let columns = columns.map(|column| column.slice(start, rows)).collect();
        Self { columns, rows }
    }
}

impl Adapter {
    pub(super) fn new(schema: SchemaRef, columns: Vec<Column>) -> Self {
        Self { schema, columns }
    }

    /// Makes a batch of the table's columns out of those that were read.
    fn adapted(&self, raw: &RawRows) -> Result<RecordBatch> {
        let column = |(column, field): (&Column, &FieldRef)| -> Result<ArrayRef> {
            match column {
                Column::Read(at) => {
                    let found = &raw.columns[*at];
                    if found.data_type() == field.data_type() {
                        return Ok(Arc::clone(found));
                    }
                    let strict = CastOptions {
                        safe: false,
                        ..CastOptions::default()
                    };
                    cast_column(found, field.data_type(), &strict)
                }
                Column::Constant(value) if value.is_null() => {
                    Ok(new_null_array(field.data_type(), raw.rows))
                }
                Column::Constant(value) => value.to_array_of_size(raw.rows),
            }
        };
        let found = self.columns.iter().zip(self.schema.fields());
        let found = found.map(column).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(raw.rows));
        // A file may hold NULL where the table does not: nullability is the table's to promise, and checked here.
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            found,
            &options,
        )?)
    }
}

/// Rows that were read and become the table's, one stretch after the other.
#[derive(Debug)]
pub(super) struct Adapted {
    raw: VecDeque<RawRows>,
    adapter: Arc<Adapter>,
}

impl Adapted {
    pub(super) fn new(adapter: Arc<Adapter>) -> Self {
        let raw = VecDeque::new();
        Self { raw, adapter }
    }

    pub(super) fn adapter(&self) -> &Arc<Adapter> {
        &self.adapter
    }

    pub(super) fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    pub(super) fn push(&mut self, raw: RawRows) {
        self.raw.push_back(raw);
    }
}

/// A row that can't be the table's is a bad one; those beside it are given.
impl Iterator for Adapted {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        loop {
            let raw = self.raw.pop_front()?;
            match self.adapter.adapted(&raw) {
                Ok(batch) => return Some(Read::Rows(batch)),
                Err(error) if raw.rows <= 1 => return Some(Read::Bad(error)),
                // Which of them it is, the error does not say.
                Err(_) => {
                    let half = raw.rows / 2;
                    self.raw.push_front(raw.slice(half, raw.rows - half));
                    self.raw.push_front(raw.slice(0, half));
                }
            }
        }
    }
}
