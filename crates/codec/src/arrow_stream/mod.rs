//! An Arrow IPC stream a message, of any number of rows.

mod framing;
mod types;

use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::buffer::Buffer;
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::writer::StreamWriter;

use super::written::Written;
use super::{CodecError, Decoded, Decoder, Encoded, Encoder, Format, FormatOptions};

const NAME: &str = "arrow";

#[derive(Debug)]
struct Arrow;

/// Returns the format.
pub(super) fn arrow(_options: &mut FormatOptions) -> Result<Arc<dyn Format>, CodecError> {
    Ok(Arc::new(Arrow))
}

impl Format for Arrow {
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
        let field = |field: &Arc<Field>| types::plain_field(field);
        let fields = schema.fields().iter().map(field).collect::<Vec<_>>();
        let schema = Arc::new(Schema::new(fields));
        Ok(Arc::new(Writer { schema }))
    }
}

/// Checks that a schema has columns, all of which a stream may hold.
fn check(schema: &SchemaRef) -> Result<(), CodecError> {
    let refused = schema
        .fields()
        .iter()
        .find(|field| !types::holds(field.data_type()));
    let found = match refused {
        Some(field) => format!("`{}` of {}", field.name(), field.data_type()),
        None if schema.fields().is_empty() => "no column".to_owned(),
        None => return Ok(()),
    };
    Err(CodecError::Schema {
        format: NAME,
        expected: "columns of numbers, text, bytes, booleans, dates, times, lists and structs"
            .to_owned(),
        found,
    })
}

#[derive(Debug)]
struct Reader {
    schema: SchemaRef,
}

impl Decoder for Reader {
    fn decode(&self, messages: &[Option<&[u8]>]) -> Decoded {
        let mut batches = Vec::new();
        let mut sources = Vec::new();
        let mut failed = Vec::new();
        let mut bytes = 0;
        for (place, message) in (0..).zip(messages) {
            let message = message.unwrap_or_default();
            match caught(|| self.read(message, &mut bytes)) {
                Ok(read) => {
                    let rows = read.iter().map(RecordBatch::num_rows).sum();
                    sources.extend(std::iter::repeat_n(place, rows));
                    batches.extend(read);
                }
                Err(error) => failed.push((place, error)),
            }
        }
        let batch = concat_batches(&self.schema, &batches);
        Decoded {
            batch: batch.expect("batches of one schema, below 2 GiB"),
            messages: sources,
            failed,
        }
    }
}

/// Makes an error of a panic: Arrow's reader trusts a schema that is well-formed to make sense.
fn caught<T>(read: impl FnOnce() -> Result<T, CodecError>) -> Result<T, CodecError> {
    // What a message leaves behind is its own decoder, and a count that changes last.
    std::panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let reason = panic
            .downcast_ref::<&str>()
            .map(|reason| (*reason).to_owned());
        let reason = reason.or_else(|| panic.downcast_ref::<String>().cloned());
        let found = reason.unwrap_or_else(|| "something else".to_owned());
        Err(CodecError::message("a valid Arrow IPC stream", found))
    })
}

impl Reader {
    /// Reads the batches of one message, and adds what they take to `bytes`.
    fn read(&self, message: &[u8], bytes: &mut usize) -> Result<Vec<RecordBatch>, CodecError> {
        let mut stream = Buffer::from(message);
        framing::check(&stream)?;
        let invalid =
            |error: ArrowError| CodecError::message("a valid Arrow IPC stream", error.to_string());
        let mut decoder = StreamDecoder::new();
        let mut batches = Vec::new();
        while !stream.is_empty() {
            let Some(batch) = decoder.decode(&mut stream).map_err(invalid)? else {
                continue;
            };
            batches.push(batch);
        }
        let found = decoder.schema();
        let found = found.ok_or_else(|| CodecError::message("a schema", "none"))?;
        let columns = types::columns(&self.schema, &found)?;
        let convert = |batch: RecordBatch| self.convert(&batch, &columns, message.len());
        let batches: Vec<_> = batches.into_iter().map(convert).collect::<Result<_, _>>()?;
        let size: usize = batches.iter().map(taken).sum();
        if *bytes + size > i32::MAX as usize {
            return Err(CodecError::message(
                "at most 2 GiB of rows in a batch",
                "more",
            ));
        }
        *bytes += size;
        Ok(batches)
    }

    /// Returns a batch with the table's columns, in its types.
    fn convert(
        &self,
        batch: &RecordBatch,
        columns: &[usize],
        size: usize,
    ) -> Result<RecordBatch, CodecError> {
        let mut converted = Vec::with_capacity(columns.len());
        for (place, field) in columns.iter().zip(self.schema.fields()) {
            let column = batch.column(*place);
            let in_column = |error: ArrowError| {
                let expected = format!("{} in `{}`", field.data_type(), field.name());
                CodecError::message(expected, error.to_string())
            };
            if viewed(column) > size.max(VIEWED) {
                let expected = format!("texts of `{}` that overlap less", field.name());
                return Err(CodecError::message(
                    expected,
                    format!("{} bytes", viewed(column)),
                ));
            }
            converted.push(cast(column, field.data_type()).map_err(in_column)?);
        }
        RecordBatch::try_new(Arc::clone(&self.schema), converted)
            .map_err(|error| CodecError::message("rows of the table", error.to_string()))
    }
}

/// How many bytes the texts of a column may take, though they share them.
const VIEWED: usize = 64 << 20;

/// Returns the bytes of a column's texts, where several may be of the same bytes.
fn viewed(column: &ArrayRef) -> usize {
    match column.data_type() {
        DataType::Utf8View => column
            .as_string_view()
            .lengths()
            .map(|len| len as usize)
            .sum(),
        DataType::BinaryView => column
            .as_binary_view()
            .lengths()
            .map(|len| len as usize)
            .sum(),
        DataType::List(_) => viewed(column.as_list::<i32>().values()),
        DataType::LargeList(_) => viewed(column.as_list::<i64>().values()),
        DataType::FixedSizeList(_, _) => viewed(column.as_fixed_size_list().values()),
        DataType::Struct(_) => column.as_struct().columns().iter().map(viewed).sum(),
        _ => 0,
    }
}

/// Returns the bytes that a batch takes.
fn taken(batch: &RecordBatch) -> usize {
    let column = |column: &ArrayRef| column.get_array_memory_size().max(viewed(column));
    batch.columns().iter().map(column).sum()
}

#[derive(Debug)]
struct Writer {
    schema: SchemaRef,
}

impl Encoder for Writer {
    fn encode(&self, rows: &RecordBatch, sources: &[u32]) -> Encoded {
        let mut written = Written::new(NAME, rows.num_rows());
        let plain = self.plain(rows);
        for range in ranges(sources) {
            let first = range.start;
            let added = written.push(first, |bytes| {
                let rows = plain.as_ref().map_err(ToString::to_string)?;
                let rows = rows.slice(range.start, range.len());
                write(&rows, bytes).map_err(|error| error.to_string())
            });
            if !added {
                let reason =
                    format!("it shares a message with row {first} of the batch, which can't be");
                for row in first + 1..range.end {
                    written.fail(row, reason.clone());
                }
            }
        }
        written.finish()
    }
}

impl Writer {
    fn plain(&self, rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let columns = rows.columns().iter().zip(self.schema.fields());
        let columns = columns.map(|(column, field)| cast(column, field.data_type()));
        RecordBatch::try_new(Arc::clone(&self.schema), columns.collect::<Result<_, _>>()?)
    }
}

/// Returns the rows of each source.
fn ranges(sources: &[u32]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    sources.chunk_by(|one, next| one == next).map(move |chunk| {
        let range = start..start + chunk.len();
        start = range.end;
        range
    })
}

fn write(rows: &RecordBatch, bytes: &mut Vec<u8>) -> Result<(), ArrowError> {
    let mut writer = StreamWriter::try_new(bytes, rows.schema_ref())?;
    writer.write(rows)?;
    writer.finish()
}

#[cfg(test)]
mod tests;
