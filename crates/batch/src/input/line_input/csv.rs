//! What CSV is: where a record ends, and how it becomes a row.

use std::sync::Arc;

use arrow::csv;
use arrow::csv::reader::Decoder as ArrowDecoder;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::datasource::physical_plan::CsvSource;

/// CSV as DataFusion reads it: of columns of a schema, some.
pub(crate) struct Csv {
    pub(crate) source: Box<CsvSource>,
    pub(crate) schema: SchemaRef,
    pub(crate) columns: Vec<usize>,
}

impl Csv {
    /// Returns what makes rows of bytes, `rows` at most.
    pub(super) fn decoder(&self, rows: usize, has_header: bool) -> Decoder {
        let source = &self.source;
        let mut builder = csv::ReaderBuilder::new(Arc::clone(&self.schema))
            .with_batch_size(rows)
            .with_delimiter(source.delimiter())
            .with_header(has_header)
            .with_quote(source.quote())
            .with_truncated_rows(source.truncate_rows())
            .with_projection(self.columns.clone());
        if let Some(terminator) = source.terminator() {
            builder = builder.with_terminator(terminator);
        }
        if let Some(escape) = source.escape() {
            builder = builder.with_escape(escape);
        }
        if let Some(comment) = source.comment() {
            builder = builder.with_comment(comment);
        }
        let decoder = builder.build_decoder();
        Decoder { decoder, rows }
    }

    pub(super) fn has_header(&self) -> bool {
        self.source.has_header()
    }

    /// Returns where the first line ends.
    pub(super) fn line_end(&self, bytes: &[u8]) -> Option<usize> {
        let terminator = self.source.terminator();
        bytes.iter().position(|byte| match terminator {
            Some(terminator) => *byte == terminator,
            None => matches!(byte, b'\r' | b'\n'),
        })
    }

    /// Returns the first line, with what ends it.
    pub(super) fn first_line<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[..self.line_end(bytes).map_or(bytes.len(), |at| at + 1)]
    }

    /// Finds where the first record ends, whatever its columns are; `is_end` tells that the file ends behind these bytes.
    pub(super) fn record(&self, bytes: &[u8], is_end: bool) -> Record {
        let source = &self.source;
        let mut builder = csv_core::ReaderBuilder::new();
        builder
            .delimiter(source.delimiter())
            .quote(source.quote())
            .escape(source.escape())
            .comment(source.comment());
        if let Some(terminator) = source.terminator() {
            builder.terminator(csv_core::Terminator::Any(terminator));
        }
        let mut reader = builder.build();
        let (mut fields, mut ends) = ([0; 1024], [0; 64]);
        let mut at = 0;
        loop {
            let (found, read, ..) = reader.read_record(&bytes[at..], &mut fields, &mut ends);
            at += read;
            match found {
                csv_core::ReadRecordResult::Record => return Record::Is(at),
                csv_core::ReadRecordResult::End => return Record::None(bytes.len()),
                csv_core::ReadRecordResult::InputEmpty if !is_end => return Record::GoesOn,
                // Without bytes it is told that the file ends; what the fields hold nobody asks.
                _ => {}
            }
        }
    }
}

/// What some bytes begin with.
pub(super) enum Record {
    /// A record of so many bytes.
    Is(usize),
    /// Nothing but so many blank bytes and comments.
    None(usize),
    /// A record that does not end in these bytes.
    GoesOn,
}

/// Turns bytes into rows.
pub(super) struct Decoder {
    decoder: ArrowDecoder,
    /// How many rows it takes.
    rows: usize,
}

impl Decoder {
    pub(super) fn decode(&mut self, bytes: &[u8]) -> Result<usize> {
        Ok(self.decoder.decode(bytes)?)
    }

    pub(super) fn flush(&mut self) -> Result<Option<RecordBatch>> {
        Ok(self.decoder.flush()?)
    }

    /// Returns how many rows are whole.
    pub(super) fn rows(&self) -> usize {
        self.rows - self.decoder.capacity()
    }
}
