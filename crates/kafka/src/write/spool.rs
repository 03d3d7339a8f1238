//! A spool of records: in memory, and on disk when they are many.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};

use tempfile::SpooledTempFile;

use super::one_transaction::NewRecord;

/// Beyond this many bytes they go to a temporary file.
const IN_MEMORY: usize = 32 << 20;

/// Records in the order they came.
#[derive(Debug)]
pub struct Spool {
    file: BufWriter<SpooledTempFile>,
    /// One record, encoded.
    frame: Vec<u8>,
}

/// Records of a [`Spool`], one after another.
#[derive(Debug)]
pub struct SpooledRecords {
    file: BufReader<SpooledTempFile>,
    frame: Vec<u8>,
}

impl Default for Spool {
    fn default() -> Self {
        Self {
            file: BufWriter::new(SpooledTempFile::new(IN_MEMORY)),
            frame: Vec::new(),
        }
    }
}

impl Spool {
    /// Appends a record.
    ///
    /// # Errors
    /// Where the disk is full.
    pub fn push<'a>(
        &mut self,
        record: NewRecord<'_, impl Iterator<Item = (&'a str, Option<&'a [u8]>)>>,
    ) -> io::Result<()> {
        self.frame.clear();
        put(&mut self.frame, record.key);
        put(&mut self.frame, record.value);
        let timestamp = record.timestamp.map(i64::to_le_bytes);
        put(&mut self.frame, timestamp.as_ref().map(|bytes| &bytes[..]));
        for (key, value) in record.headers {
            put(&mut self.frame, Some(key.as_bytes()));
            put(&mut self.frame, value);
        }
        self.file.write_all(&self.frame.len().to_le_bytes())?;
        self.file.write_all(&self.frame)
    }

    /// Returns the records from the first one.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn into_records(self) -> io::Result<SpooledRecords> {
        let mut file = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(SpooledRecords {
            file: BufReader::new(file),
            frame: self.frame,
        })
    }
}

impl SpooledRecords {
    /// Reads the next record.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn read(&mut self) -> io::Result<Option<NewRecord<'_, SpooledHeaders<'_>>>> {
        if self.file.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut length = [0; size_of::<usize>()];
        self.file.read_exact(&mut length)?;
        self.frame.resize(usize::from_le_bytes(length), 0);
        self.file.read_exact(&mut self.frame)?;
        let mut frame = &self.frame[..];
        let (key, value) = (take(&mut frame), take(&mut frame));
        let timestamp = take(&mut frame).and_then(|bytes| bytes.try_into().ok());
        Ok(Some(NewRecord {
            key,
            value,
            timestamp: timestamp.map(i64::from_le_bytes),
            headers: SpooledHeaders(frame),
        }))
    }
}

/// Headers of one of [`SpooledRecords`].
#[derive(Debug)]
pub struct SpooledHeaders<'a>(&'a [u8]);

impl<'a> Iterator for SpooledHeaders<'a> {
    type Item = (&'a str, Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let key = std::str::from_utf8(take(&mut self.0)?);
        let key = key.expect("it was text when it was kept");
        Some((key, take(&mut self.0)))
    }
}

/// Writes bytes behind one more than their length; none is 0.
fn put(frame: &mut Vec<u8>, bytes: Option<&[u8]>) {
    let length = bytes.map_or(0, |bytes| bytes.len() + 1);
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(bytes.unwrap_or_default());
}

fn take<'a>(frame: &mut &'a [u8]) -> Option<&'a [u8]> {
    const KEPT: &str = "a record is kept whole";
    let (length, rest) = frame.split_first_chunk().expect(KEPT);
    let length = usize::from_le_bytes(*length);
    let (bytes, rest) = rest.split_at_checked(length.saturating_sub(1)).expect(KEPT);
    *frame = rest;
    (length > 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Key, value, timestamp, and how many headers.
    type Given<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, Option<i64>, usize);

    #[test]
    fn records_come_back_in_their_order() {
        let large = vec![7; IN_MEMORY];
        let headers: [(&str, Option<&[u8]>); 3] = [("a", Some(b"1")), ("a", None), ("", Some(b""))];
        let given: [Given<'_>; 4] = [
            (Some(b"k"), Some(b"v"), Some(5), 3),
            (None, None, None, 0),
            // From here on they lie on disk.
            (Some(b""), Some(&large), Some(i64::MAX), 1),
            (None, Some(b""), None, 0),
        ];
        let mut spool = Spool::default();
        for (key, value, timestamp, count) in given {
            let headers = headers[..count].iter().copied();
            let record = NewRecord {
                key,
                value,
                timestamp,
                headers,
            };
            spool.push(record).expect("kept");
        }
        let mut records = spool.into_records().expect("records");
        for (key, value, timestamp, count) in given {
            let record = records.read().expect("read").expect("a record");
            assert!(record.key == key && record.value == value && record.timestamp == timestamp);
            assert_eq!(record.headers.collect::<Vec<_>>(), headers[..count]);
        }
        assert!(records.read().expect("read").is_none());
    }
}
