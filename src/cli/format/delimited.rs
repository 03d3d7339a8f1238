//! `csv` and `tsv`.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringBuilder};
use arrow::csv::WriterBuilder;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::json::writer::make_encoder;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::{Output, Printer, encoder};
use crate::cli::failure::Failure;

/// Prints rows as separated values; nested values are JSON, NULL is empty.
pub(super) struct Delimited {
    output: Output,
    write: fn(&RecordBatch, &mut Vec<u8>) -> Result<(), Failure>,
    /// One batch as text, before it goes out whole.
    text: Vec<u8>,
}

impl Delimited {
    /// Starts comma-separated values with their header.
    pub(super) fn csv(schema: &SchemaRef, mut output: Output) -> Result<Self, Failure> {
        let mut text = Vec::new();
        // An empty batch writes the header, which a result without rows has too.
        let mut header = WriterBuilder::new().with_header(true).build(&mut text);
        header.write(&RecordBatch::new_empty(flat_schema(schema)))?;
        drop(header);
        output.write_all(&text)?;
        Ok(Self {
            output,
            write: csv,
            text,
        })
    }

    /// Starts tab-separated values with their header.
    pub(super) fn tsv(schema: &SchemaRef, mut output: Output) -> Result<Self, Failure> {
        let names = schema.fields().iter().map(|field| escaped(field.name()));
        writeln!(output, "{}", names.collect::<Vec<_>>().join("\t"))?;
        Ok(Self {
            output,
            write: tsv,
            text: Vec::new(),
        })
    }
}

impl Printer for Delimited {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        self.text.clear();
        (self.write)(&flat(batch)?, &mut self.text)?;
        self.output.write_all(&self.text)?;
        Ok(self.output.flush()?)
    }

    fn finish(&mut self, _: Option<&str>) -> Result<(), Failure> {
        Ok(self.output.flush()?)
    }
}

fn csv(batch: &RecordBatch, text: &mut Vec<u8>) -> Result<(), Failure> {
    Ok(WriterBuilder::new()
        .with_header(false)
        .build(text)
        .write(batch)?)
}

fn tsv(batch: &RecordBatch, text: &mut Vec<u8>) -> Result<(), Failure> {
    let options = FormatOptions::new();
    let columns = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    for row in 0..batch.num_rows() {
        for (at, column) in columns.iter().enumerate() {
            if at > 0 {
                text.push(b'\t');
            }
            text.extend(escaped(&column.value(row).try_to_string()?).as_bytes());
        }
        text.push(b'\n');
    }
    Ok(())
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\t', "\\t")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}

fn flat_field(field: &FieldRef) -> FieldRef {
    if field.data_type().is_nested() {
        Arc::new(Field::new(field.name(), DataType::Utf8, true))
    } else {
        Arc::clone(field)
    }
}

fn flat_schema(schema: &Schema) -> SchemaRef {
    Arc::new(Schema::new(
        schema.fields().iter().map(flat_field).collect::<Vec<_>>(),
    ))
}

/// Writes nested columns as JSON text.
fn flat(batch: &RecordBatch) -> Result<RecordBatch, Failure> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    let columns = columns.map(|(field, column)| {
        if field.data_type().is_nested() {
            json(field, column)
        } else {
            Ok(Arc::clone(column))
        }
    });
    Ok(RecordBatch::try_new(
        flat_schema(&schema),
        columns.collect::<Result<_, Failure>>()?,
    )?)
}

fn json(field: &FieldRef, column: &ArrayRef) -> Result<ArrayRef, Failure> {
    let options = encoder::options();
    let mut encoder = make_encoder(field, column, &options)?;
    let mut texts = StringBuilder::new();
    let mut text = Vec::new();
    for row in 0..column.len() {
        if column.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        encoder.encode(row, &mut text);
        texts.append_value(String::from_utf8_lossy(&text));
    }
    Ok(Arc::new(texts.finish()))
}
