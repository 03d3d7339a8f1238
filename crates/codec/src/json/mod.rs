//! One JSON object a message; files of them.
//!
//! The reader is our own, because a message must be whole or not at all and lose nothing: arrow-json knows no end of a
//! message, joins surrogates wrongly, makes 1 of 1.5 in a BIGINT and reports a wrong type for the batch; serde_json
//! keeps the digits of a number only with features that every crate in the build would have to take.

mod columns;
mod cursor;
mod extent;
mod file;
mod objects;
mod problem;
mod records;
mod scan;
mod types;

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions, new_empty_array};
use arrow::datatypes::{DataType, Field, SchemaRef};

use super::error::text;
use super::options::JSON_NULLS;
use super::written::Written;
use super::{CodecError, Decoded, Decoder, Encoded, Encoder, Format, FormatOptions};
use columns::Objects;
use cursor::Cursor;
pub use file::{BatchLimits, FileRows, JsonFile};
use objects::Values;
pub use records::FailedRecord;
pub use types::JsonTypes;

const NAME: &str = "json";

/// JSON, with its options.
#[derive(Debug)]
struct Json {
    nulls: bool,
}

/// Returns the format.
pub(super) fn json(options: &mut FormatOptions) -> Result<Arc<dyn Format>, CodecError> {
    let nulls = JSON_NULLS.take_flag(options)?;
    Ok(Arc::new(Json { nulls }))
}

impl Format for Json {
    fn name(&self) -> &'static str {
        NAME
    }

    fn decoder(&self, schema: &SchemaRef) -> Result<Arc<dyn Decoder>, CodecError> {
        check(schema)?;
        let schema = Arc::clone(schema);
        Ok(Arc::new(Reader { schema }))
    }

    fn encoder(&self, schema: &SchemaRef) -> Result<Arc<dyn Encoder>, CodecError> {
        check(schema)?;
        let nulls = self.nulls;
        Ok(Arc::new(Writer { nulls }))
    }
}

/// Checks that objects can be read as rows of a schema, and rows written as objects.
fn check(schema: &SchemaRef) -> Result<(), CodecError> {
    check_readable(schema)?;
    for field in schema.fields() {
        let none = new_empty_array(field.data_type());
        if Values::new(none.as_ref(), false).is_none() {
            return Err(refused(field, field.data_type()));
        }
    }
    Ok(())
}

/// Checks that objects can be read as rows of a schema.
fn check_readable(schema: &SchemaRef) -> Result<(), CodecError> {
    for field in schema.fields() {
        let column = columns::Column::new(field.data_type(), 0);
        column.map_err(|data_type| refused(field, &data_type))?;
    }
    Ok(())
}

fn refused(field: &Field, data_type: &DataType) -> CodecError {
    CodecError::Schema {
        format: NAME,
        expected: "columns of numbers, text, bytes, booleans, dates, times, lists and structs"
            .to_owned(),
        found: format!("`{}` of {data_type}", field.name()),
    }
}

#[derive(Debug)]
struct Reader {
    schema: SchemaRef,
}

impl Decoder for Reader {
    fn decode(&self, messages: &[Option<&[u8]>]) -> Decoded {
        let objects = Objects::new(self.schema.fields(), messages.len());
        let mut objects = objects.expect("types were checked when the decoder was made");
        let mut scratch = String::new();
        let mut read = Vec::with_capacity(messages.len());
        let mut failed = Vec::new();
        for (place, message) in (0..).zip(messages) {
            match read_object(message.unwrap_or_default(), &mut objects, &mut scratch) {
                Ok(()) => read.push(place),
                Err(error) => {
                    objects.truncate(read.len());
                    failed.push((place, error));
                }
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(objects.len()));
        let columns = objects.into_columns();
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options);
        Decoded {
            batch: batch.expect("columns of the schema's types, one value an object"),
            messages: read,
            failed,
        }
    }
}

/// Reads a message that is one object.
fn read_object(
    message: &[u8],
    objects: &mut Objects,
    scratch: &mut String,
) -> Result<(), CodecError> {
    if message.is_empty() {
        return Err(CodecError::message("an object", "an empty message"));
    }
    let mut cursor = Cursor::new(text(message)?);
    objects.read(&mut cursor, scratch)?;
    Ok(cursor.end()?)
}

#[derive(Debug)]
struct Writer {
    nulls: bool,
}

impl Encoder for Writer {
    fn encode(&self, rows: &RecordBatch, _sources: &[u32]) -> Encoded {
        let mut written = Written::new(NAME, rows.num_rows());
        let objects = Values::rows(rows, self.nulls);
        let mut scratch = String::new();
        for row in 0..rows.num_rows() {
            written.push(row, |bytes| match &objects {
                Ok(objects) => objects.write(row, bytes, &mut scratch),
                Err(data_type) => Err(format!("{data_type} is no type of JSON")),
            });
        }
        written.finish()
    }
}

#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod tests;
