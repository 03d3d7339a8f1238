//! `json` and `nd-json`.

use std::io::Write;

use arrow::error::ArrowError;
use arrow::json::WriterBuilder;
use arrow::json::writer::{JsonFormat, LineDelimited, Writer};
use arrow::record_batch::RecordBatch;

use super::{Output, Printer, encoder};
use crate::cli::failure::Failure;

/// Prints rows as JSON objects, one a line; NULL is `null`, binary is hexadecimal.
pub(super) struct Json<F: JsonFormat> {
    writer: Writer<Output, F>,
}

/// One array, a row a line: readers of lines get rows as they come, where arrow's own array is one line.
#[derive(Debug, Default)]
pub(super) struct ArrayOfLines;

impl JsonFormat for ArrayOfLines {
    fn start_stream<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"[")?)
    }

    fn start_row<W: Write>(&self, writer: &mut W, is_first_row: bool) -> Result<(), ArrowError> {
        let between: &[u8] = if is_first_row { b"" } else { b",\n" };
        Ok(writer.write_all(between)?)
    }

    fn end_stream<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"]\n")?)
    }
}

impl Json<ArrayOfLines> {
    pub(super) fn array(output: Output) -> Self {
        Self::new(output)
    }
}

impl Json<LineDelimited> {
    pub(super) fn lines(output: Output) -> Self {
        Self::new(output)
    }
}

impl<F: JsonFormat> Json<F> {
    fn new(output: Output) -> Self {
        Self {
            writer: WriterBuilder::new()
                .with_explicit_nulls(true)
                .with_encoder_factory(encoder::factory())
                .build(output),
        }
    }
}

impl<F: JsonFormat> Printer for Json<F> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        self.writer.write(batch)?;
        Ok(self.writer.get_mut().flush()?)
    }

    fn finish(&mut self, _: Option<&str>) -> Result<(), Failure> {
        self.writer.finish()?;
        Ok(self.writer.get_mut().flush()?)
    }
}
