//! A folder of Parquet files, one a range of a partition's offsets.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::config::TableParquetOptions;
use datafusion::common::{DataFusionError, exec_datafusion_err};
use datafusion::parquet::file::metadata::{KeyValue, ParquetMetaDataReader};

use crate::StreamError;
use crate::batch::Counts;
use lexstream_kafka::Partition;
use lexstream_output::{Claim, ParquetFile, WriteError, sweep};

/// Unfinished files; readers skip folders whose names begin with `_`.
const WORK: &str = "_lexstream";

/// The keys of a footer that say which offsets a file holds: the first, and the one behind the last.
const FIRST: &str = "lexstream.first_offset";
const NEXT: &str = "lexstream.next_offset";

/// A folder of Parquet files, one a range of a partition's offsets.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    pub(crate) folder: PathBuf,
    pub(crate) schema: SchemaRef,
    pub(crate) options: TableParquetOptions,
    /// What every footer says of the query: its hash, and the models that it uses.
    pub(crate) about: Vec<KeyValue>,
    /// Bytes held in memory above which a row group is written.
    pub(crate) most_held: usize,
}

impl Folder {
    /// Makes the folder, and deletes unfinished files of dead processes.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub(crate) fn prepare(&self) -> Result<(), StreamError> {
        let work = self.work();
        fs::create_dir_all(&work).map_err(io("create", &work))?;
        sweep(&work).map_err(io("clean", &work))
    }

    fn work(&self) -> PathBuf {
        self.folder.join(WORK)
    }

    /// Returns the offset behind the last file of a partition, where there is one.
    ///
    /// # Errors
    /// Where the folder can't be listed, or the last file is not a stream's.
    pub(crate) fn next_of(&self, partition: &Partition) -> Result<Option<i64>, StreamError> {
        let prefix = prefix(partition);
        let mut last: Option<(i64, PathBuf)> = None;
        let entries = fs::read_dir(&self.folder).map_err(io("list", &self.folder))?;
        for entry in entries {
            let path = entry.map_err(io("list", &self.folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let first = name
                .and_then(|name| name.strip_prefix(&prefix))
                .and_then(|rest| rest.strip_suffix(".parquet"))
                .and_then(|first| first.parse().ok());
            if let Some(first) = first
                && last.as_ref().is_none_or(|(known, _)| *known < first)
            {
                last = Some((first, path));
            }
        }
        let Some((_, path)) = last else {
            return Ok(None);
        };
        next_offset(&path).map(Some)
    }

    /// Creates the file of a partition's rows from an offset on.
    ///
    /// # Errors
    /// Where it can't be created.
    pub(crate) fn begin(&self, partition: &Partition, first: i64) -> Result<Part, StreamError> {
        let name = format!("{}{first:020}.parquet", prefix(partition));
        // Two processes may think that a range is theirs: the rename decides, not the temporary name.
        let unique = format!("{name}.{}", std::process::id());
        let claim = Claim::try_new(&self.work(), &unique).map_err(io("write to", &self.work()))?;
        let Some(claim) = claim else {
            let taken = io::Error::other("this process writes the range already");
            return Err(io("write", &self.work().join(unique))(taken));
        };
        let file = ParquetFile::try_new(
            claim,
            self.folder.join(name),
            &self.schema,
            &self.options,
            self.most_held,
        )?;
        Ok(Part {
            file,
            schema: Arc::clone(&self.schema),
            partition: partition.clone(),
            first,
            next: first,
            counts: Counts::default(),
        })
    }
}

/// The unfinished file of a range.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) file: ParquetFile,
    schema: SchemaRef,
    partition: Partition,
    first: i64,
    /// The offset behind the range.
    pub(crate) next: i64,
    pub(crate) counts: Counts,
}

impl Part {
    /// Appends rows; their columns are the table's, whatever their names.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub(crate) fn write(&mut self, rows: &RecordBatch) -> Result<(), StreamError> {
        let columns = rows.columns().to_vec();
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        let schema = Arc::clone(&self.schema);
        let rows = RecordBatch::try_new_with_options(schema, columns, &options)
            .map_err(DataFusionError::from)?;
        Ok(self.file.write(&rows)?)
    }

    /// Renames the finished file into place; `false` where another process has written the range.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub(crate) fn commit(self, folder: &Folder) -> Result<bool, StreamError> {
        let counts = serde_json::json!({
            "messages": self.counts.messages,
            "rows": self.counts.outputs,
            "failed": self.counts.dead,
        });
        let mut about = folder.about.clone();
        about.extend([
            KeyValue::new(
                "lexstream.topic".to_owned(),
                self.partition.topic.to_string(),
            ),
            KeyValue::new(
                "lexstream.partition".to_owned(),
                self.partition.number.to_string(),
            ),
            KeyValue::new(FIRST.to_owned(), self.first.to_string()),
            KeyValue::new(NEXT.to_owned(), self.next.to_string()),
            KeyValue::new("lexstream.messages".to_owned(), counts.to_string()),
        ]);
        Ok(self.file.end(&about)?.commit()?)
    }
}

/// Begins the names of a partition's files; a topic's name has none of the characters that a file's can't have.
fn prefix(partition: &Partition) -> String {
    format!("{}-{:05}-", partition.topic, partition.number)
}

/// Reads the offset behind a file's last one out of its footer.
fn next_offset(path: &Path) -> Result<i64, StreamError> {
    let failed = |source: DataFusionError| StreamError::Unfinished {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(io("read", path))?;
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file);
    let metadata = metadata.map_err(|error| failed(error.into()))?;
    let pairs = metadata.file_metadata().key_value_metadata();
    let found = pairs.into_iter().flatten().find(|pair| pair.key == NEXT);
    let next = found.and_then(|pair| pair.value.as_deref()?.parse().ok());
    next.ok_or_else(|| failed(exec_datafusion_err!("expected `{NEXT}` in its footer")))
}

/// Returns what makes an error of a system's out of what was tried on a path.
fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StreamError {
    let path = path.to_owned();
    move |source| StreamError::Io {
        action,
        path,
        source,
    }
}

impl From<WriteError> for StreamError {
    fn from(WriteError { path, source }: WriteError) -> Self {
        Self::Write { path, source }
    }
}
