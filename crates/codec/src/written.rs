//! Messages in the making, end to end.

use arrow::array::BinaryArray;
use arrow::buffer::{Buffer, OffsetBuffer};

use super::{CodecError, Encoded};

/// Messages in the making.
pub(super) struct Written {
    format: &'static str,
    bytes: Vec<u8>,
    offsets: Vec<i32>,
    rows: Vec<u32>,
    failed: Vec<(u32, CodecError)>,
}

impl Written {
    /// Returns no messages, with room for `capacity`.
    pub(super) fn new(format: &'static str, capacity: usize) -> Self {
        let mut offsets = Vec::with_capacity(capacity + 1);
        offsets.push(0);
        Written {
            format,
            bytes: Vec::new(),
            offsets,
            rows: Vec::with_capacity(capacity),
            failed: Vec::new(),
        }
    }

    /// Adds the message of `row`; what `write` appended before it failed is taken away. Tells whether it was added.
    pub(super) fn push(
        &mut self,
        row: usize,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), String>,
    ) -> bool {
        let start = self.bytes.len();
        let written = write(&mut self.bytes).and_then(|()| {
            let end = i32::try_from(self.bytes.len());
            end.map_err(|_| "the messages of a batch take more than 2 GiB".to_owned())
        });
        match written {
            Ok(end) => {
                self.offsets.push(end);
                self.rows.push(row as u32);
                true
            }
            Err(reason) => {
                self.bytes.truncate(start);
                self.fail(row, reason);
                false
            }
        }
    }

    /// Adds a row that has no message.
    pub(super) fn fail(&mut self, row: usize, reason: String) {
        let format = self.format;
        self.failed
            .push((row as u32, CodecError::Row { format, reason }));
    }

    /// Returns the messages.
    pub(super) fn finish(self) -> Encoded {
        let offsets = OffsetBuffer::new(self.offsets.into());
        Encoded {
            values: BinaryArray::new(offsets, Buffer::from_vec(self.bytes), None),
            rows: self.rows,
            failed: self.failed,
        }
    }
}
