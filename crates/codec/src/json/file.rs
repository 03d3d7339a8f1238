//! Rows out of a file of objects, batch by batch.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, SchemaRef};

use super::columns::Objects;
use super::cursor::Cursor;
use super::problem::Problem;
use super::records::{FailedRecord, Records, Step, Target};
use super::{NAME, check_readable};
use crate::CodecError;

/// Rows that columns make room for before there are any.
const MOST_RESERVED: usize = 8192;

/// Where a batch ends.
#[derive(Debug, Clone, Copy)]
pub struct BatchLimits {
    /// Rows of a batch, at most.
    pub rows: usize,
    /// Bytes of the file, with which a batch ends at the record that reaches them.
    pub bytes: usize,
}

/// What a file holds next.
#[derive(Debug)]
pub enum FileRows {
    /// Rows.
    Batch(RecordBatch),
    /// A record that can't be read; others follow.
    Failed(FailedRecord),
}

/// Reads a file of objects, one a line, one after the other or in one array, from bytes that are pushed.
///
/// A byte order mark and empty lines are passed. It reads an object as a message of the format `json` is read.
pub struct JsonFile {
    schema: SchemaRef,
    limits: BatchLimits,
    records: Records,
    objects: Objects,
    /// Bytes that were taken when the batch began.
    taken_before: u64,
    failed: Option<FailedRecord>,
}

impl JsonFile {
    /// Returns a reader of these columns.
    ///
    /// # Errors
    /// A type that JSON can't hold; bytes, which are base64 in messages and mostly hexadecimal in files.
    pub fn try_new(schema: &SchemaRef, limits: BatchLimits) -> Result<Self, CodecError> {
        check_readable(schema)?;
        for field in schema.fields() {
            check_has_no_bytes(field)?;
        }
        Ok(JsonFile {
            schema: Arc::clone(schema),
            limits,
            records: Records::new(),
            objects: objects(schema, limits),
            taken_before: 0,
            failed: None,
        })
    }

    /// Adds bytes of the file.
    pub fn push(&mut self, bytes: &[u8]) {
        self.records.push(bytes);
    }

    /// Says that no bytes follow.
    pub fn finish(&mut self) {
        self.records.finish();
    }

    /// Returns how many bytes wait for the rest of their record.
    pub fn held(&self) -> usize {
        self.records.held()
    }

    /// Returns the next rows, or the next record that can't be read; none where bytes are missing or the file has ended.
    pub fn read(&mut self) -> Option<FileRows> {
        if let Some(failed) = self.failed.take() {
            return Some(FileRows::Failed(failed));
        }
        loop {
            match self.records.step(&mut self.objects) {
                Step::Read if self.is_full() => return self.batch(),
                Step::Read => {}
                Step::More => return None,
                Step::End => return self.batch(),
                Step::Failed(failed) => {
                    let batch = self.batch();
                    if batch.is_none() {
                        return Some(FileRows::Failed(failed));
                    }
                    self.failed = Some(failed);
                    return batch;
                }
            }
        }
    }

    /// Returns the rows that are read, though the batch could have more.
    pub fn flush(&mut self) -> Option<RecordBatch> {
        match self.batch() {
            Some(FileRows::Batch(batch)) => Some(batch),
            _ => None,
        }
    }

    fn is_full(&self) -> bool {
        let bytes = self.records.taken() - self.taken_before;
        self.objects.len() >= self.limits.rows || bytes >= self.limits.bytes as u64
    }

    /// Ends the batch; none where it has no row.
    fn batch(&mut self) -> Option<FileRows> {
        self.taken_before = self.records.taken();
        let rows = self.objects.len();
        if rows == 0 {
            return None;
        }
        let objects = std::mem::replace(&mut self.objects, objects(&self.schema, self.limits));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Arc::clone(&self.schema);
        let batch = RecordBatch::try_new_with_options(schema, objects.into_columns(), &options);
        let batch = batch.expect("columns of the schema's types, one value an object");
        Some(FileRows::Batch(batch))
    }
}

/// Checks that a column holds no bytes, whose text would be a guess.
fn check_has_no_bytes(field: &Field) -> Result<(), CodecError> {
    let data_type = field.data_type();
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            check_has_no_bytes(item)
        }
        DataType::Struct(fields) => fields
            .iter()
            .try_for_each(|field| check_has_no_bytes(field)),
        _ if data_type.is_binary() => Err(CodecError::Schema {
            format: NAME,
            expected: "text in files instead of bytes, for `decode(text, 'hex')` or `'base64'`"
                .to_owned(),
            found: format!("`{}` of {data_type}", field.name()),
        }),
        _ => Ok(()),
    }
}

fn objects(schema: &SchemaRef, limits: BatchLimits) -> Objects {
    let objects = Objects::new(schema.fields(), limits.rows.min(MOST_RESERVED));
    objects.expect("types were checked when the reader was made")
}

impl Target for Objects {
    fn read(&mut self, cursor: &mut Cursor<'_>, scratch: &mut String) -> Result<(), Problem> {
        Objects::read(self, cursor, scratch)
    }

    fn undo(&mut self) {
        self.truncate(self.len());
    }
}

impl std::fmt::Debug for JsonFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("JsonFile");
        shown.field("schema", &self.schema).finish_non_exhaustive()
    }
}
