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
use datafusion::parquet::errors::Result as ParquetResult;
use datafusion::parquet::file::metadata::KeyValue;
use datafusion::parquet::file::writer::SerializedFileWriter;

use super::long_texts::has_longer;
use super::parquet_properties::Properties;
use super::{Claim, dictionaries};

/// A longer text has a row group without statistics and dictionary: the writer would copy it into both.
const LONG: usize = 8 << 20;

/// Batches that are kept, at most, until there are rows enough to tell how they are to be written.
const FIRST_BATCHES: usize = 3;
/// Bytes of a text above which no batch is kept.
const FIRST_TEXT: usize = 64 << 10;

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
    /// Made when the first rows have told how they are to be written.
    writer: Option<ArrowWriter<File>>,
    /// The first rows, as long as there is no writer.
    first: Vec<RecordBatch>,
    schema: SchemaRef,
    properties: Properties,
    /// Makes the writers of row groups with long texts.
    long_texts: ArrowRowGroupWriterFactory,
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
        let long_texts = long_texts(schema, &properties);
        let long_texts = long_texts.map_err(|error| failed(error.into()))?;
        Ok(Self {
            claim,
            writer: None,
            first: Vec::new(),
            schema: Arc::clone(schema),
            properties,
            long_texts,
            target,
            most_held,
        })
    }

    /// Adds rows.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), WriteError> {
        let written = match has_longer(batch, LONG) {
            true => self.write_long_texts(batch),
            false => self.write_usual(batch),
        };
        written.map_err(|error| self.failed(error))
    }

    fn write_usual(&mut self, batch: &RecordBatch) -> Result<(), DataFusionError> {
        if self.writer.is_none() {
            self.first.push(batch.clone());
            let rows: usize = self.first.iter().map(RecordBatch::num_rows).sum();
            let is_enough = rows >= dictionaries::FEWEST || self.first.len() == FIRST_BATCHES;
            if !is_enough && !has_longer(batch, FIRST_TEXT) {
                return Ok(());
            }
            self.writer()?;
        } else {
            self.writer()?.write(batch)?;
        }
        let most_held = self.most_held;
        let writer = self.writer()?;
        if writer.memory_size() > most_held {
            writer.flush()?;
        }
        Ok(())
    }

    /// Writes rows as row groups of their own.
    fn write_long_texts(&mut self, batch: &RecordBatch) -> Result<(), DataFusionError> {
        self.writer()?.flush()?;
        let most_rows = self.properties.long_texts.max_row_group_row_count();
        let most_rows = most_rows.unwrap_or(usize::MAX);
        for start in (0..batch.num_rows()).step_by(most_rows) {
            let rows = batch.slice(start, most_rows.min(batch.num_rows() - start));
            let number = self.writer()?.flushed_row_groups().len();
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
            self.writer()?.append_row_group(chunks)?;
        }
        Ok(())
    }

    /// Returns the writer; the first time it makes it, and writes the first rows.
    fn writer(&mut self) -> Result<&mut ArrowWriter<File>, DataFusionError> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                let first = std::mem::take(&mut self.first);
                let properties = self.properties.usual(&first)?;
                let (file, schema) = (self.claim.file().try_clone()?, Arc::clone(&self.schema));
                let mut writer = ArrowWriter::try_new(file, schema, Some(properties))?;
                for batch in first {
                    writer.write(&batch)?;
                }
                writer
            }
        };
        Ok(self.writer.insert(writer))
    }

    /// Returns about how many bytes the file has, what is not written yet included, but for the first few rows.
    pub fn bytes(&self) -> usize {
        let writer = self.writer.as_ref();
        writer.map_or(0, |writer| {
            writer.bytes_written() + writer.in_progress_size()
        })
    }

    /// Ends the file with what its footer says of it; what is left is to put it in place.
    pub fn end(mut self, about: &[KeyValue]) -> Result<EndedFile, WriteError> {
        let ended = self.writer().and_then(|writer| {
            for pair in about {
                writer.append_key_value_metadata(pair.clone());
            }
            Ok(writer.finish()?)
        });
        ended.map_err(|error| self.failed(error))?;
        Ok(EndedFile {
            claim: self.claim,
            target: self.target,
        })
    }

    fn failed(&self, source: DataFusionError) -> WriteError {
        WriteError {
            path: self.target.clone(),
            source,
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
