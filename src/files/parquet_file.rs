//! A Parquet file in the making.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::common::config::TableParquetOptions;
use datafusion::parquet::arrow::arrow_writer::{
    ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use datafusion::parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use datafusion::parquet::errors::{ParquetError, Result as ParquetResult};
use datafusion::parquet::file::metadata::KeyValue;
use datafusion::parquet::file::writer::SerializedFileWriter;

use super::Claim;
use super::long_texts::has_longer;
use super::parquet_properties::Properties;

/// A longer text has a row group without statistics and dictionary: the writer would copy it into both.
const LONG: usize = 8 << 20;

/// Why a file can't be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: can't write it", path.display())]
pub struct WriteError {
    /// Where the file was to be.
    pub path: PathBuf,
    /// What the writer or the system says.
    pub source: DataFusionError,
}

/// Writes a claimed file; what it holds in memory is bounded.
pub struct ParquetFile {
    claim: Claim,
    writer: ArrowWriter<File>,
    schema: SchemaRef,
    /// Makes the writers of row groups with long texts, of at most so many rows.
    long_texts: ArrowRowGroupWriterFactory,
    most_rows: usize,
    target: PathBuf,
    /// Bytes held in memory above which a row group is written.
    most_held: usize,
}

impl std::fmt::Debug for ParquetFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetFile")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

impl ParquetFile {
    /// Begins the file that will be put at `target`.
    pub fn try_new(
        claim: Claim,
        target: PathBuf,
        schema: &SchemaRef,
        options: &TableParquetOptions,
        most_held: usize,
    ) -> Result<Self, WriteError> {
        let failed = |source| WriteError {
            path: target.clone(),
            source,
        };
        let properties = Properties::try_new(schema, options).map_err(failed)?;
        let most_rows = properties.usual.max_row_group_row_count();
        let long_texts = long_texts(schema, &properties);
        let long_texts = long_texts.map_err(|error| failed(error.into()))?;
        let file = claim.file().try_clone();
        let file = file.map_err(|error| failed(error.into()))?;
        let writer = ArrowWriter::try_new(file, Arc::clone(schema), Some(properties.usual));
        let writer = writer.map_err(|error| failed(error.into()))?;
        Ok(Self {
            claim,
            writer,
            schema: Arc::clone(schema),
            long_texts,
            most_rows: most_rows.unwrap_or(usize::MAX),
            target,
            most_held,
        })
    }

    /// Adds rows.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), WriteError> {
        if has_longer(batch, LONG) {
            let written = self.write_long_texts(batch);
            return written.map_err(|error| self.failed(error));
        }
        let mut written = self.writer.write(batch);
        if written.is_ok() && self.writer.memory_size() > self.most_held {
            written = self.writer.flush();
        }
        written.map_err(|error| self.failed(error))
    }

    /// Writes rows as row groups of their own.
    fn write_long_texts(&mut self, batch: &RecordBatch) -> ParquetResult<()> {
        self.writer.flush()?;
        for start in (0..batch.num_rows()).step_by(self.most_rows) {
            let rows = batch.slice(start, self.most_rows.min(batch.num_rows() - start));
            let number = self.writer.flushed_row_groups().len();
            let mut writers = self.long_texts.create_column_writers(number)?;
            let mut next = writers.iter_mut();
            for (field, column) in self.schema.fields().iter().zip(rows.columns()) {
                for (leaf, writer) in compute_leaves(field, column)?.iter().zip(&mut next) {
                    writer.write(leaf)?;
                }
            }
            let chunks = writers.into_iter().map(ArrowColumnWriter::close);
            let chunks = chunks.collect::<ParquetResult<_>>()?;
            #[expect(
                deprecated,
                reason = "its successor writes every row group by hand, the usual ones too"
            )]
            self.writer.append_row_group(chunks)?;
        }
        Ok(())
    }

    /// Returns about how many bytes the file has, what is not written yet included.
    pub fn bytes(&self) -> usize {
        self.writer.bytes_written() + self.writer.in_progress_size()
    }

    /// Ends the file with what its footer says of it; what is left is to put it in place.
    pub fn end(mut self, about: &[KeyValue]) -> Result<EndedFile, WriteError> {
        for pair in about {
            self.writer.append_key_value_metadata(pair.clone());
        }
        let ended = self.writer.finish();
        ended.map_err(|error| self.failed(error))?;
        Ok(EndedFile {
            claim: self.claim,
            target: self.target,
        })
    }

    fn failed(&self, error: ParquetError) -> WriteError {
        WriteError {
            path: self.target.clone(),
            source: error.into(),
        }
    }
}

/// A file that is whole, and not in its place yet.
#[derive(Debug)]
pub struct EndedFile {
    claim: Claim,
    target: PathBuf,
}

impl EndedFile {
    /// Puts the file in place; `false` where there is one already, which stays.
    pub fn commit(self) -> Result<bool, WriteError> {
        let Self { claim, target } = self;
        let placed = claim.commit(&target);
        placed.map_err(|error| WriteError {
            path: target,
            source: error.into(),
        })
    }

    /// Puts the file in place of one that is there.
    pub fn replace(self) -> Result<(), WriteError> {
        let Self { claim, target } = self;
        let placed = claim.replace(&target);
        placed.map_err(|error| WriteError {
            path: target,
            source: error.into(),
        })
    }
}

/// Returns what makes the column writers of row groups with long texts.
fn long_texts(
    schema: &SchemaRef,
    properties: &Properties,
) -> ParquetResult<ArrowRowGroupWriterFactory> {
    let properties = Arc::new(properties.long_texts.clone());
    let columns = ArrowSchemaConverter::new().with_coerce_types(properties.coerce_types());
    let columns = columns.convert(schema)?;
    // It is asked for its schema and properties alone.
    let nowhere =
        SerializedFileWriter::new(std::io::sink(), columns.root_schema_ptr(), properties)?;
    Ok(ArrowRowGroupWriterFactory::new(
        &nowhere,
        Arc::clone(schema),
    ))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{ArrayRef, Int64Array, StringViewArray};
    use datafusion::arrow::compute::concat_batches;
    use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    fn rows(texts: &[&str]) -> RecordBatch {
        let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values(texts));
        let numbers = Int64Array::from_iter_values(0..texts.len() as i64);
        let columns: [(&str, ArrayRef); 2] = [("n", Arc::new(numbers)), ("t", texts)];
        RecordBatch::try_from_iter(columns).expect("a batch")
    }

    #[test]
    fn a_long_text_has_a_row_group_without_statistics_of_texts() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("t.parquet");
        let claim = Claim::try_new(folder.path(), "t")
            .expect("a claim")
            .expect("it is free");
        let long = "long ".repeat(LONG / 5 + 1);
        let batches = [rows(&["a", "b"]), rows(&[&long, "c"]), rows(&["d"])];
        let schema = batches[0].schema();
        let options = TableParquetOptions::default();
        let file = ParquetFile::try_new(claim, target.clone(), &schema, &options, usize::MAX);
        let mut file = file.expect("a file");
        for batch in &batches {
            file.write(batch).expect("written");
        }
        let ended = file.end(&[]).expect("ended");
        assert!(ended.commit().expect("in place"));
        let file = File::open(&target).expect("a file");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
        let have_statistics = |column: usize| -> Vec<_> {
            let groups = reader.metadata().row_groups().iter();
            let statistics = groups.map(|group| group.column(column).statistics().is_some());
            statistics.collect()
        };
        assert_eq!(have_statistics(0), [true, true, true]);
        assert_eq!(have_statistics(1), [true, false, true]);
        let found: Vec<_> = reader
            .build()
            .expect("a reader")
            .map(|batch| batch.expect("rows"))
            .collect();
        let found = concat_batches(&schema, &found).expect("one batch");
        assert!(found == concat_batches(&schema, &batches).expect("one batch"));
    }
}
