//! Batches as blocks of bytes, and a file for those that memory does not hold.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, AsArray};
use arrow::buffer::Buffer;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;

/// Rows that exceed the bound of memory can't be kept on disk.
#[derive(Debug, thiserror::Error)]
#[error("rows of the query exceed memory, and could not {doing} a spill file in {}", folder.display())]
pub struct SpillError {
    doing: &'static str,
    folder: PathBuf,
    source: io::Error,
}

/// A file of blocks, end to end, which has no name and goes with the last who has it open.
#[derive(Debug)]
pub(super) struct Spill {
    folder: PathBuf,
    /// The lock is held while bytes are copied, not while they are decoded.
    file: Mutex<File>,
    end: u64,
}

impl Spill {
    /// Makes a file in a folder.
    pub(super) fn new(folder: &Path) -> Result<Self, SpillError> {
        let file = tempfile::tempfile_in(folder).map_err(|source| SpillError {
            doing: "create",
            folder: folder.to_owned(),
            source,
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            file: Mutex::new(file),
            end: 0,
        })
    }

    /// Appends a block and returns where it lies.
    pub(super) fn append(&mut self, block: &[u8]) -> Result<Range<u64>, SpillError> {
        let file = self.file.get_mut().unwrap_or_else(PoisonError::into_inner);
        let start = self.end;
        let written = file
            .seek(SeekFrom::Start(start))
            .and_then(|_| file.write_all(block));
        written.map_err(|source| self.failed("write", source))?;
        self.end += block.len() as u64;
        Ok(start..self.end)
    }

    /// Reads a block again; any thread may.
    pub(super) fn read(&self, block: &Range<u64>) -> Result<Buffer, SpillError> {
        let mut bytes = vec![0; (block.end - block.start) as usize];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let read = file
            .seek(SeekFrom::Start(block.start))
            .and_then(|_| file.read_exact(&mut bytes));
        read.map_err(|source| self.failed("read", source))?;
        Ok(Buffer::from_vec(bytes))
    }

    fn failed(&self, doing: &'static str, source: io::Error) -> SpillError {
        SpillError {
            doing,
            folder: self.folder.clone(),
            source,
        }
    }
}

/// Returns a batch as an Arrow IPC stream of its own: what it was sliced from stays behind, and dictionaries may differ
/// from block to block.
pub(super) fn encode(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let columns = batch.columns().iter().map(compact).collect();
    let batch = RecordBatch::try_new(batch.schema(), columns)?;
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema())?;
    writer.write(&batch)?;
    writer.into_inner()
}

/// Reads a batch again, whose columns point into the block.
pub(super) fn decode(mut block: Buffer) -> Result<RecordBatch, ArrowError> {
    let mut decoder = StreamDecoder::new();
    while !block.is_empty() {
        if let Some(batch) = decoder.decode(&mut block)? {
            return Ok(batch);
        }
    }
    Err(ArrowError::IpcError(
        "expected a batch in a block of rows, found none".to_owned(),
    ))
}

/// Lets go the texts that a column of views has no row of.
fn compact(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::BinaryView => Arc::new(column.as_binary_view().gc()),
        DataType::Utf8View => Arc::new(column.as_string_view().gc()),
        _ => Arc::clone(column),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    fn check(failed: &SpillError, expected: &str, kind: io::ErrorKind) {
        assert_eq!(failed.to_string(), expected);
        let cause = failed.source();
        let cause = cause.and_then(<dyn Error>::downcast_ref::<io::Error>);
        assert_eq!(cause.map(io::Error::kind), Some(kind));
    }

    #[test]
    fn a_folder_that_is_gone_is_named() {
        check(
            &Spill::new(Path::new("/no/such/folder")).expect_err("no folder"),
            "rows of the query exceed memory, and could not create a spill file in /no/such/folder",
            io::ErrorKind::NotFound,
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_said() {
        // A device that is always full.
        let full = File::options().write(true).open("/dev/full").expect("full");
        let mut spill = Spill {
            folder: PathBuf::from("/dev"),
            file: Mutex::new(full),
            end: 0,
        };
        check(
            &spill.append(&[0]).expect_err("a full disk"),
            "rows of the query exceed memory, and could not write a spill file in /dev",
            io::ErrorKind::StorageFull,
        );
    }
}
