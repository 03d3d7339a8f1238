//! Rows of `_errors/*.parquet`: those of a unit that failed, as they were read, each with its error.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, new_null_array};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};

use crate::input::{Source, Unit};

/// Characters of an error's message that are kept: it may quote a text of any length.
const MESSAGE: usize = 500;

/// Rows of a unit that failed for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailedRows {
    /// Which rows, counted from the unit's first: an empty range where it is not known how many; none where the file can't
    /// be opened.
    pub(crate) rows: Option<Range<u64>>,
    /// Whether the rows themselves could be read.
    pub(crate) is_read: bool,
    pub(crate) message: String,
}

impl FailedRows {
    pub(crate) fn new(rows: Option<Range<u64>>, is_read: bool, message: &str) -> Self {
        let end = message.char_indices().nth(MESSAGE);
        let message = match end {
            Some((end, _)) => format!("{}…", &message[..end]),
            None => message.to_owned(),
        };
        Self {
            rows,
            is_read,
            message,
        }
    }
}

/// Returns what a file of errors holds: the input's columns, and then `_error`, `_input`, `_row_group`, `_row`, `_rows`.
///
/// A column of the input that has such a name keeps it; ours gets one more `_` in front.
pub(crate) fn schema(input: &Schema) -> SchemaRef {
    let mut fields: Vec<FieldRef> = input
        .fields()
        .iter()
        .map(|field| Arc::new(Field::clone(field).with_nullable(true)))
        .collect();
    for (name, data_type, nullable) in [
        ("_error", DataType::Utf8, false),
        ("_input", DataType::Utf8, false),
        ("_row_group", DataType::Int64, true),
        ("_row", DataType::Int64, true),
        ("_rows", DataType::Int64, true),
    ] {
        let mut name = name.to_owned();
        while input.column_with_name(&name).is_some() {
            name.insert(0, '_');
        }
        fields.push(Arc::new(Field::new(name, data_type, nullable)));
    }
    Arc::new(Schema::new(fields))
}

/// Puts errors beside the rows they stand for; without rows, the input's columns are NULL.
pub(crate) fn batch(
    schema: &SchemaRef,
    source: &Source,
    unit: &Unit,
    rows: Option<&RecordBatch>,
    errors: &[&FailedRows],
) -> datafusion::common::Result<RecordBatch> {
    let places: Vec<_> = errors
        .iter()
        .map(|error| unit.location(source, error.rows.as_ref().map(|rows| rows.start)))
        .collect();
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let ours = schema.fields().len() - 5;
    let mut columns: Vec<ArrayRef> = match rows {
        Some(rows) => rows.columns().to_vec(),
        None => schema.fields()[..ours]
            .iter()
            .map(|field| new_null_array(field.data_type(), errors.len()))
            .collect(),
    };
    let messages = errors.iter().map(|error| error.message.as_str());
    columns.push(Arc::new(StringArray::from_iter_values(messages)));
    let inputs = places.iter().map(|place| place.file.display().to_string());
    columns.push(Arc::new(StringArray::from_iter_values(inputs)));
    let groups = places.iter().map(|place| place.row_group);
    columns.push(Arc::new(Int64Array::from_iter(
        groups.map(|group| group.map(|group| number(group as u64))),
    )));
    let row = places.iter().map(|place| place.row.map(number));
    columns.push(Arc::new(Int64Array::from_iter(row)));
    let counts = errors.iter().map(|error| {
        let rows = error.rows.as_ref().filter(|rows| !rows.is_empty())?;
        Some(number(rows.end - rows.start))
    });
    columns.push(Arc::new(Int64Array::from_iter(counts)));
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}
