//! Texts in PLAIN encoding, one after the other: the length of each in four bytes, then its bytes.

use std::io::Read;
use std::mem;

use datafusion::parquet::errors::{ParquetError, Result};

use super::page_bytes::PageBytes;

/// Bytes that stand before a value.
pub(super) const PREFIX: usize = mem::size_of::<u32>();

/// What is left of the values of a page.
pub(super) struct Values {
    bytes: PageBytes,
    /// Bytes that are still to come.
    left: usize,
    /// The length of the next value, once it is read.
    length: Option<usize>,
}

impl Values {
    /// Begins at values that have so many bytes.
    pub(super) fn new(bytes: PageBytes, left: usize) -> Self {
        Self {
            bytes,
            left,
            length: None,
        }
    }

    /// Returns the length of the next value.
    pub(super) fn length(&mut self) -> Result<usize> {
        if let Some(length) = self.length {
            return Ok(length);
        }
        let mut length = [0; PREFIX];
        self.bytes.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length) as usize;
        let left = self.left.checked_sub(PREFIX);
        let Some(left) = left.filter(|left| length <= *left) else {
            let left = self.left;
            let message = format!("expected a text within {left} bytes, found one of {length}");
            return Err(ParquetError::General(message));
        };
        self.left = left;
        self.length = Some(length);
        Ok(length)
    }

    /// Puts the next value behind others, its length before it.
    pub(super) fn append(&mut self, values: &mut Vec<u8>) -> Result<()> {
        let length = self.length()?;
        values.reserve(PREFIX + length);
        values.extend((length as u32).to_le_bytes());
        let start = values.len();
        values.resize(start + length, 0);
        self.bytes.read_exact(&mut values[start..])?;
        self.taken(length);
        Ok(())
    }

    /// Passes over the next value.
    pub(super) fn skip(&mut self) -> Result<()> {
        let length = self.length()?;
        self.bytes.skip(length)?;
        self.taken(length);
        Ok(())
    }

    fn taken(&mut self, length: usize) {
        self.left -= length;
        self.length = None;
    }
}
