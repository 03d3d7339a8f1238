//! One record of separated fields a message, in the order of the columns.
//!
//! The reader is our own, because a field in quotes is text and one without may be NULL: the csv crates don't say
//! which it was, and an empty text would come back as NULL.

mod record;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_empty_array};
use arrow::datatypes::{DataType, Field, SchemaRef};

use super::cells::Cells;
use super::columns::{Leaf, Scalar, leaf};
use super::error::{excerpt, text};
use super::options::{CSV_DELIMITER, CSV_ESCAPE, CSV_NULL, CSV_QUOTE, FormatOption};
use super::written::Written;
use super::{CodecError, Decoded, Decoder, Encoded, Encoder, Format, FormatOptions};
use record::{Record, Signs};

const NAME: &str = "csv";

/// CSV, with its options.
#[derive(Debug, Clone)]
struct Csv {
    signs: Signs,
    null: String,
}

/// Returns the format.
pub(super) fn csv(options: &mut FormatOptions) -> Result<Arc<dyn Format>, CodecError> {
    let delimiter = CSV_DELIMITER.take_ascii(options)?;
    let quote = CSV_QUOTE.take_ascii(options)?;
    let escape = CSV_ESCAPE.take_ascii(options)?;
    let missing = |option: &FormatOption| option.refuse("one ASCII character", String::new());
    let signs = Signs {
        delimiter: delimiter.ok_or_else(|| missing(&CSV_DELIMITER))?,
        quote: quote.ok_or_else(|| missing(&CSV_QUOTE))?,
        escape,
    };
    let shown = |sign: u8| char::from(sign).to_string();
    if signs.quote == signs.delimiter {
        return Err(CSV_QUOTE.refuse("another sign than the delimiter", shown(signs.quote)));
    }
    if escape == Some(signs.delimiter) {
        return Err(CSV_ESCAPE.refuse("another sign than the delimiter", shown(signs.delimiter)));
    }
    let null = CSV_NULL.take(options);
    if signs.needs_quotes(&null) {
        return Err(CSV_NULL.refuse("text without delimiter, quote and line break", null));
    }
    Ok(Arc::new(Csv { signs, null }))
}

impl Format for Csv {
    fn name(&self) -> &'static str {
        NAME
    }

    fn decoder(&self, schema: &SchemaRef) -> Result<Arc<dyn Decoder>, CodecError> {
        check(schema)?;
        Ok(Arc::new(Reader {
            csv: self.clone(),
            schema: Arc::clone(schema),
        }))
    }

    fn encoder(&self, schema: &SchemaRef) -> Result<Arc<dyn Encoder>, CodecError> {
        check(schema)?;
        Ok(Arc::new(Writer {
            csv: self.clone(),
            schema: Arc::clone(schema),
        }))
    }
}

/// Checks that fields can be read as columns of a schema, and columns written as fields.
fn check(schema: &SchemaRef) -> Result<(), CodecError> {
    let refuse = |found: String| CodecError::Schema {
        format: NAME,
        expected: "columns of numbers, text, bytes, booleans, dates and times".to_owned(),
        found,
    };
    if schema.fields().is_empty() {
        return Err(refuse("no column".to_owned()));
    }
    for field in schema.fields() {
        let data_type = field.data_type();
        let read = leaf(data_type, 0).is_some();
        if !read || Cells::new(new_empty_array(data_type).as_ref()).is_none() {
            return Err(refuse(format!("`{}` of {data_type}", field.name())));
        }
    }
    Ok(())
}

#[derive(Debug)]
struct Reader {
    csv: Csv,
    schema: SchemaRef,
}

impl Decoder for Reader {
    fn decode(&self, messages: &[Option<&[u8]>]) -> Decoded {
        let column = |field: &Arc<Field>| {
            let column = leaf(field.data_type(), messages.len());
            column.expect("types were checked when the decoder was made")
        };
        let mut columns: Vec<_> = self.schema.fields().iter().map(column).collect();
        let mut record = Record::default();
        let mut read = Vec::with_capacity(messages.len());
        let mut failed = Vec::new();
        for (place, message) in (0..).zip(messages) {
            match self.read_record(message.unwrap_or_default(), &mut record, &mut columns) {
                Ok(()) => read.push(place),
                Err(error) => {
                    for column in &mut columns {
                        column.truncate(read.len());
                    }
                    failed.push((place, error));
                }
            }
        }
        let columns = columns.into_iter().map(Leaf::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(read.len()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options);
        Decoded {
            batch: batch.expect("columns of the schema's types, one value a record"),
            messages: read,
            failed,
        }
    }
}

impl Reader {
    fn read_record(
        &self,
        message: &[u8],
        record: &mut Record,
        columns: &mut [Box<dyn Leaf>],
    ) -> Result<(), CodecError> {
        record.read(text(message)?, self.csv.signs)?;
        if record.len() != columns.len() {
            let expected = format!("{} fields", columns.len());
            return Err(CodecError::message(expected, record.len().to_string()));
        }
        for (place, (column, field)) in columns.iter_mut().zip(self.schema.fields()).enumerate() {
            let (text, quoted) = record.field(place);
            if !quoted && text == self.csv.null {
                column.push_null();
                continue;
            }
            let pushed = column.push(Scalar::Field(text));
            pushed.map_err(|expected| {
                let expected = format!("{expected} in `{}`", field.name());
                let found = if text.is_empty() {
                    "an empty text".to_owned()
                } else {
                    excerpt(text)
                };
                CodecError::message(expected, found)
            })?;
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Writer {
    csv: Csv,
    schema: SchemaRef,
}

impl Encoder for Writer {
    fn encode(&self, rows: &RecordBatch, _sources: &[u32]) -> Encoded {
        let columns: Result<Vec<_>, _> = rows.columns().iter().map(cells).collect();
        let mut written = Written::new(NAME, rows.num_rows());
        let mut scratch = String::new();
        for row in 0..rows.num_rows() {
            written.push(row, |bytes| match &columns {
                Ok(columns) => self.write(columns, row, bytes, &mut scratch),
                Err(data_type) => Err(format!("{data_type} is no type of CSV")),
            });
        }
        written.finish()
    }
}

impl Writer {
    fn write(
        &self,
        columns: &[Cells<'_>],
        row: usize,
        bytes: &mut Vec<u8>,
        scratch: &mut String,
    ) -> Result<(), String> {
        let Csv { signs, null } = &self.csv;
        for (place, cells) in columns.iter().enumerate() {
            if place > 0 {
                bytes.push(signs.delimiter);
            }
            if cells.is_null(row) {
                bytes.extend_from_slice(null.as_bytes());
                continue;
            }
            let text = cells.text(row, scratch).map_err(|reason| {
                let name = self.schema.field(place).name();
                format!("`{name}`: {reason}")
            })?;
            match text == null || signs.needs_quotes(text) {
                true => signs.quote(text, bytes),
                false => bytes.extend_from_slice(text.as_bytes()),
            }
        }
        Ok(())
    }
}

/// Returns the fields of a column, or its type where that is none of CSV.
fn cells(column: &ArrayRef) -> Result<Cells<'_>, DataType> {
    Cells::new(column.as_ref()).ok_or_else(|| column.data_type().clone())
}

#[cfg(test)]
mod tests;
