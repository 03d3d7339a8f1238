//! What NDJSON and CSV are: where a record ends, and how it becomes a row.

use std::sync::Arc;

use arrow::csv;
use arrow::json;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::physical_plan::CsvSource;

/// A format of lines.
pub(crate) enum Format {
    /// JSON objects, one after the other, of these columns.
    Json(SchemaRef),
    /// CSV as DataFusion reads it: of columns of this schema, some.
    Csv {
        source: Box<CsvSource>,
        schema: SchemaRef,
        columns: Vec<usize>,
    },
}

impl Format {
    pub(super) fn decoder(&self, rows: usize, has_header: bool) -> Result<Decoder> {
        match self {
            Self::Json(schema) => {
                let builder = json::ReaderBuilder::new(Arc::clone(schema)).with_batch_size(rows);
                Ok(Decoder::Json(builder.build_decoder()?))
            }
            Self::Csv {
                source,
                schema,
                columns,
            } => {
                let mut builder = csv::ReaderBuilder::new(Arc::clone(schema))
                    .with_batch_size(rows)
                    .with_delimiter(source.delimiter())
                    .with_header(has_header)
                    .with_quote(source.quote())
                    .with_truncated_rows(source.truncate_rows())
                    .with_projection(columns.clone());
                if let Some(terminator) = source.terminator() {
                    builder = builder.with_terminator(terminator);
                }
                if let Some(escape) = source.escape() {
                    builder = builder.with_escape(escape);
                }
                if let Some(comment) = source.comment() {
                    builder = builder.with_comment(comment);
                }
                let decoder = Box::new(builder.build_decoder());
                Ok(Decoder::Csv { decoder, rows })
            }
        }
    }

    pub(super) fn has_header(&self) -> bool {
        match self {
            Self::Json(_) => false,
            Self::Csv { source, .. } => source.has_header(),
        }
    }

    /// Returns where the first line ends.
    pub(super) fn line_end(&self, bytes: &[u8]) -> Option<usize> {
        let terminator = match self {
            Self::Json(_) => Some(b'\n'),
            Self::Csv { source, .. } => source.terminator(),
        };
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
        match self {
            Self::Json(_) => {
                let blank = bytes.len() - bytes.trim_ascii_start().len();
                if blank > 0 {
                    return Record::None(blank);
                }
                let values = serde_json::Deserializer::from_slice(bytes);
                let mut values = values.into_iter::<serde::de::IgnoredAny>();
                match values.next() {
                    None => Record::None(bytes.len()),
                    Some(Ok(_)) => Record::Is(values.byte_offset()),
                    Some(Err(error)) if error.is_eof() => Record::GoesOn,
                    Some(Err(error)) => {
                        let message = format!("Json error: {error}");
                        Record::Bad(DataFusionError::Execution(message))
                    }
                }
            }
            Self::Csv { source, .. } => {
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
                    let (found, read, ..) =
                        reader.read_record(&bytes[at..], &mut fields, &mut ends);
                    at += read;
                    match found {
                        csv_core::ReadRecordResult::Record => return Record::Is(at),
                        csv_core::ReadRecordResult::End => return Record::None(bytes.len()),
                        csv_core::ReadRecordResult::InputEmpty if !is_end => {
                            return Record::GoesOn;
                        }
                        // Without bytes it is told that the file ends; what the fields hold nobody asks.
                        _ => {}
                    }
                }
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
    /// No record.
    Bad(DataFusionError),
}

/// Turns lines into rows.
pub(super) enum Decoder {
    Json(json::reader::Decoder),
    Csv {
        decoder: Box<csv::reader::Decoder>,
        /// How many rows it takes.
        rows: usize,
    },
}

impl Decoder {
    pub(super) fn decode(&mut self, bytes: &[u8]) -> Result<usize> {
        Ok(match self {
            Self::Json(decoder) => decoder.decode(bytes)?,
            Self::Csv { decoder, .. } => decoder.decode(bytes)?,
        })
    }

    pub(super) fn flush(&mut self) -> Result<Option<RecordBatch>> {
        Ok(match self {
            Self::Json(decoder) => decoder.flush()?,
            Self::Csv { decoder, .. } => decoder.flush()?,
        })
    }

    /// Tells whether a row has begun and not ended, as far as the decoder says.
    pub(super) fn is_within_row(&self) -> bool {
        matches!(self, Self::Json(decoder) if decoder.has_partial_record())
    }

    /// Returns how many rows are whole.
    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Json(decoder) => decoder.len() - usize::from(decoder.has_partial_record()),
            Self::Csv { decoder, rows } => rows - decoder.capacity(),
        }
    }
}
