//! Message bytes to Arrow batches and back: a batch at a time, one file a format.
//!
//! A decoder knows where each message ends, and says of each row which message it came from; a message that can't be
//! read is an error of its own, and the others have their rows. It knows nothing of Kafka or of SQL.

mod arrow_stream;
mod cells;
mod columns;
mod csv;
mod error;
mod every_format;
mod formats;
mod json;
mod options;
mod raw;
mod written;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{BinaryArray, RecordBatch};
use arrow::datatypes::SchemaRef;

pub use error::CodecError;
pub use formats::{Formats, MessageFormat};
pub use json::{BatchLimits, FailedRecord, FileRows, JsonFile, JsonTypes};
pub use options::FormatOption;

/// What a table's options say of its format, by key; a format takes out those that it knows.
pub type FormatOptions = BTreeMap<String, String>;

/// A message format as a table's options describe it.
pub trait Format: fmt::Debug + Send + Sync {
    /// Returns the name that `'format'` gives it.
    fn name(&self) -> &'static str;

    /// Returns what reads messages into rows of `schema`; a schema that the format can't hold is an error.
    fn decoder(&self, schema: &SchemaRef) -> Result<Arc<dyn Decoder>, CodecError>;

    /// Returns what writes rows of `schema` as messages; a schema that the format can't hold is an error.
    fn encoder(&self, schema: &SchemaRef) -> Result<Arc<dyn Encoder>, CodecError>;
}

/// Reads messages.
pub trait Decoder: fmt::Debug + Send + Sync {
    /// Reads a batch of messages; one without bytes, a tombstone, is a row of NULLs.
    ///
    /// A message is whole or not at all: one that can't be read has no row.
    fn decode(&self, messages: &[Option<&[u8]>]) -> Decoded;
}

/// Rows out of messages.
#[derive(Debug)]
pub struct Decoded {
    /// The rows, in the order of the messages.
    pub batch: RecordBatch,
    /// The place of the message that each row came from, ascending.
    pub messages: Vec<u32>,
    /// The places of messages that can't be read, ascending.
    pub failed: Vec<(u32, CodecError)>,
}

/// Writes messages.
pub trait Encoder: fmt::Debug + Send + Sync {
    /// Writes rows.
    ///
    /// `sources` has, for each row, the number of the message that it came from, ascending: a format that holds several
    /// rows a message writes those of one source as one message; the others write one a row.
    fn encode(&self, rows: &RecordBatch, sources: &[u32]) -> Encoded;
}

/// Messages out of rows.
#[derive(Debug)]
pub struct Encoded {
    /// The value of each message; NULL is a tombstone.
    pub values: BinaryArray,
    /// The first row of each message, ascending.
    pub rows: Vec<u32>,
    /// The rows that can't be written, ascending; no message holds them.
    pub failed: Vec<(u32, CodecError)>,
}

#[cfg(test)]
mod checks;
#[cfg(test)]
mod round_trips;

/// Returns a format of this crate by its name, as the options describe it.
#[cfg(test)]
fn format(name: &str, options: &mut FormatOptions) -> Result<Arc<dyn Format>, CodecError> {
    Formats::default().open(name, options)
}
