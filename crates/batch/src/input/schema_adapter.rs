//! Schema adapter: casts the columns of a file to the table's, row by row where a value does not fit.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, RecordBatch, RecordBatchOptions, UInt64Array, new_null_array,
};
use datafusion::arrow::compute::{CastOptions, cast, take};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use datafusion::common::nested_struct::cast_column;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};

use super::read::Read;
use lexstream_engine::message::message;

/// What becomes of a value that is not of the column's type, or of a NULL in a column that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TypeMismatches {
    /// Its row fails.
    Fail,
    /// It becomes NULL.
    Null,
}

/// How the columns of a file become the table's.
#[derive(Debug)]
pub(super) struct Adapter {
    mismatches: TypeMismatches,
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
pub(super) struct FileRows {
    columns: Vec<ArrayRef>,
    rows: usize,
    /// Whether no value of another row is left in a list or a dictionary.
    is_compact: bool,
}

impl From<RecordBatch> for FileRows {
    fn from(batch: RecordBatch) -> Self {
        Self {
            columns: batch.columns().to_vec(),
            rows: batch.num_rows(),
            is_compact: false,
        }
    }
}

impl FileRows {
    /// Returns some of the rows, without the values of others, which would be cast with them.
    fn compact(&self, part: Range<usize>) -> Self {
        let places = UInt64Array::from_iter_values(part.clone().map(|row| row as u64));
        let column = |column: &ArrayRef| {
            let slice = column.slice(part.start, part.len());
            let compact = match column.data_type() {
                DataType::Dictionary(_, values) => cast(&slice, values),
                data_type if data_type.is_nested() => take(column, &places, None),
                _ => return slice,
            };
            compact.unwrap_or(slice)
        };
        Self {
            columns: self.columns.iter().map(column).collect(),
            rows: part.len(),
            is_compact: true,
        }
    }
}

impl Adapter {
    pub(super) fn new(schema: SchemaRef, columns: Vec<Column>, mismatches: TypeMismatches) -> Self {
        let nullable = |field: &FieldRef| Field::clone(field).with_nullable(true);
        let schema = match mismatches {
            TypeMismatches::Fail => schema,
            TypeMismatches::Null => Arc::new(Schema::new(
                schema.fields().iter().map(nullable).collect::<Fields>(),
            )),
        };
        Self {
            mismatches,
            schema,
            columns,
        }
    }

    /// Makes a batch of the table's columns out of those that were read.
    fn adapted(&self, raw: &FileRows) -> Result<RecordBatch> {
        let column = |(column, field): (&Column, &FieldRef)| -> Result<ArrayRef> {
            match column {
                Column::Read(at) => {
                    let found = &raw.columns[*at];
                    if found.data_type() == field.data_type() {
                        return Ok(Arc::clone(found));
                    }
                    let options = CastOptions {
                        safe: self.mismatches == TypeMismatches::Null,
                        ..CastOptions::default()
                    };
                    let cast = cast_column(found, field.data_type(), &options);
                    cast.map_err(|error| {
                        let (name, error) = (field.name(), message(&error));
                        exec_datafusion_err!("column `{name}`: {error}")
                    })
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

/// Queue of batches as the file has them, each of which becomes the table's.
#[derive(Debug)]
pub(super) struct Adapted {
    raw: VecDeque<FileRows>,
    adapter: Arc<Adapter>,
}

impl Adapted {
    pub(super) fn new(adapter: Arc<Adapter>) -> Self {
        let raw = VecDeque::new();
        Self { raw, adapter }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    pub(super) fn push(&mut self, raw: FileRows) {
        self.raw.push_back(raw);
    }
}

/// A row that can't be the table's is a bad one; those beside it are given.
impl Iterator for Adapted {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        loop {
            let raw = self.raw.pop_front()?;
            let error = match self.adapter.adapted(&raw) {
                Ok(batch) => return Some(Read::Rows(batch)),
                Err(error) => error,
            };
            // Which of them it is, the error does not say.
            let middle = match (raw.rows, raw.is_compact) {
                (0 | 1, true) => return Some(Read::TypeMismatch(error)),
                (_, false) => 0,
                (rows, true) => rows / 2,
            };
            self.raw.push_front(raw.compact(middle..raw.rows));
            if middle > 0 {
                self.raw.push_front(raw.compact(0..middle));
            }
        }
    }
}
