//! The bytes of a file, and the part of them that one partition reads.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result, exec_datafusion_err};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::object_store::path::Path;
use datafusion::object_store::{GetOptions, GetRange, GetResult, GetResultPayload, ObjectStore};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use lexstream_codec::FailedRecord;

/// Bytes that are read from a local file at once.
const AT_ONCE: usize = 1 << 18;

/// The bytes of a file, decompressed.
pub(super) struct Input {
    source: Source,
    bytes: Vec<u8>,
}

enum Source {
    Local(Box<dyn Read + Send>),
    Remote(BoxStream<'static, Result<Vec<u8>>>),
}

impl Input {
    pub(super) fn try_new(found: GetResult, compression: FileCompressionType) -> Result<Self> {
        let start = found.range.start;
        let source = match found.payload {
            GetResultPayload::File(mut file, _) => {
                file.seek(SeekFrom::Start(start))?;
                Source::Local(compression.convert_read(file)?)
            }
            GetResultPayload::Stream(bytes) => {
                let bytes = bytes.map_err(DataFusionError::from).boxed();
                let bytes = compression.convert_stream(bytes)?;
                Source::Remote(bytes.map_ok(Vec::from).boxed())
            }
        };
        Ok(Input {
            source,
            bytes: Vec::new(),
        })
    }

    /// Returns the next bytes; none at the end of the file.
    ///
    /// A local file is read on the thread of the query, as DataFusion's own formats read it.
    pub(super) async fn read(&mut self) -> Result<Option<&[u8]>> {
        match &mut self.source {
            Source::Local(file) => {
                self.bytes.resize(AT_ONCE, 0);
                let len = read_some(file.as_mut(), &mut self.bytes)?;
                Ok((len > 0).then_some(&self.bytes[..len]))
            }
            Source::Remote(stream) => {
                let Some(bytes) = stream.try_next().await? else {
                    return Ok(None);
                };
                self.bytes = bytes;
                Ok(Some(&self.bytes))
            }
        }
    }
}

fn read_some(file: &mut dyn Read, bytes: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match file.read(bytes) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// The lines that begin in a range of a file's bytes.
#[derive(Debug)]
pub(super) struct Part {
    start: u64,
    end: u64,
    /// How far the file is read.
    at: u64,
    /// Whether a line that began before is still to be passed.
    passing: bool,
    is_read: bool,
}

impl Part {
    pub(super) fn new(file: &PartitionedFile) -> Self {
        let (start, end) = file.range();
        Part {
            start,
            end,
            // The byte before tells whether a line begins at the start.
            at: start.saturating_sub(1),
            passing: start > 0,
            is_read: false,
        }
    }

    /// Returns where reading begins.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Returns where its first line begins, once that is read; before, where it begins at the earliest.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Tells whether all of it is read.
    pub(super) fn is_read(&self) -> bool {
        self.is_read
    }

    /// Returns what of the next bytes is part of it.
    pub(super) fn take<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        if self.passing {
            let line_end = bytes.iter().position(|byte| *byte == b'\n');
            let passed = line_end.map_or(bytes.len(), |at| at + 1);
            self.at += passed as u64;
            bytes = &bytes[passed..];
            if line_end.is_none() {
                return &[];
            }
            self.passing = false;
            self.start = self.at;
        }
        if self.at >= self.end {
            self.is_read = true;
            return &[];
        }
        // The line that the last byte of the range is in is read to its end.
        let last = (self.end - 1).saturating_sub(self.at);
        let rest = usize::try_from(last)
            .ok()
            .and_then(|last| bytes.get(last..));
        let line_end = rest.and_then(|rest| rest.iter().position(|byte| *byte == b'\n'));
        if let Some(len) = line_end {
            self.is_read = true;
            bytes = &bytes[..last as usize + len + 1];
        }
        self.at += bytes.len() as u64;
        bytes
    }
}

/// Returns how many lines of a file end before a place, which is asked for to name a line that is wrong.
pub(super) async fn lines_before(
    store: &Arc<dyn ObjectStore>,
    location: &Path,
    end: u64,
) -> Result<u64> {
    if end == 0 {
        return Ok(0);
    }
    let options = GetOptions {
        range: Some(GetRange::Bounded(0..end)),
        ..GetOptions::default()
    };
    let mut bytes = store.get_opts(location, options).await?.into_stream();
    let mut lines = 0;
    while let Some(bytes) = bytes.try_next().await? {
        lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    }
    Ok(lines)
}

/// Returns a file's path as a person knows it.
pub(super) fn path_of(location: &Path) -> String {
    format!("/{location}")
}

/// Returns the error of a record that can't be read.
pub(super) fn failed(path: &str, lines_before: u64, record: &FailedRecord) -> DataFusionError {
    let line = lines_before + record.line;
    exec_datafusion_err!("{path}: line {line}: {}", record.error)
}

/// Returns the error of a file whose bytes can't be read.
pub(super) fn unreadable(path: String, error: DataFusionError) -> DataFusionError {
    error.context(path)
}
