//! A JSON file, whose objects the codec reads; one that it can't read is a row that fails.

use std::io::Read as InputRead;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result};
use lexstream_codec::{BatchLimits, FileRows, JsonFile};

use super::{AT_ONCE, Limits};
use crate::input::Read;

/// Reads a JSON file.
pub(crate) struct JsonLines {
    input: Box<dyn InputRead + Send>,
    file: JsonFile,
    limits: Limits,
    bytes: Vec<u8>,
    ready: Option<Read>,
    is_at_end: bool,
    /// Why the file can't be read on.
    failure: Option<DataFusionError>,
}

impl JsonLines {
    pub(super) fn try_new(
        input: Box<dyn InputRead + Send>,
        schema: &SchemaRef,
        limits: Limits,
    ) -> Result<Self> {
        let Limits { rows, bytes, .. } = limits;
        let file = JsonFile::try_new(schema, BatchLimits { rows, bytes });
        Ok(Self {
            input,
            file: file.map_err(|error| DataFusionError::External(Box::new(error)))?,
            limits,
            bytes: vec![0; AT_ONCE],
            ready: None,
            is_at_end: false,
            failure: None,
        })
    }

    pub(super) fn long_line(&mut self) -> Result<usize> {
        let most = self.limits.bytes;
        self.prepare(|held| held > most)?;
        Ok(match self.ready.is_none() && self.file.held() > most {
            true => self.limits.line,
            false => 0,
        })
    }

    /// Makes the next batch ready, unless it is to stop at so many bytes of a line; nothing is ready at the end.
    fn prepare(&mut self, stop: impl Fn(usize) -> bool) -> Result<()> {
        while self.ready.is_none() {
            let was_at_end = self.is_at_end;
            self.ready = self.file.read().map(|found| match found {
                FileRows::Batch(batch) => Read::Rows(batch),
                FileRows::Failed(record) => {
                    Read::CorruptRow(DataFusionError::External(record.error.into()))
                }
            });
            if self.ready.is_some() || was_at_end || stop(self.file.held()) {
                return Ok(());
            }
            if self.file.held() > self.limits.line {
                self.is_at_end = true;
                return Err(self.limits.too_long());
            }
            match self.input.read(&mut self.bytes) {
                Ok(0) => {
                    self.file.finish();
                    self.is_at_end = true;
                }
                Ok(len) => self.file.push(&self.bytes[..len]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                // What the failure has cut off is part of what can't be read.
                Err(error) => {
                    self.failure = Some(error.into());
                    self.is_at_end = true;
                    self.ready = self.file.flush().map(Read::Rows);
                }
            }
        }
        Ok(())
    }
}

impl Iterator for JsonLines {
    type Item = Result<Read>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.prepare(|_| false) {
            return Some(Err(error));
        }
        match self.ready.take() {
            Some(read) => Some(Ok(read)),
            None => self.failure.take().map(Err),
        }
    }
}
