//! A Parquet file in the making.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, FieldRef, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::common::config::TableParquetOptions;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::KeyValue;
use datafusion::parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use datafusion::parquet::schema::types::ColumnPath;

use super::Claim;

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
        let properties = properties(schema, options).map_err(failed)?;
        let file = claim.file().try_clone();
        let file = file.map_err(|error| failed(error.into()))?;
        let writer = ArrowWriter::try_new(file, Arc::clone(schema), Some(properties));
        let writer = writer.map_err(|error| failed(error.into()))?;
        Ok(Self {
            claim,
            writer,
            target,
            most_held,
        })
    }

    /// Adds rows.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), WriteError> {
        let mut written = self.writer.write(batch);
        if written.is_ok() && self.writer.memory_size() > self.most_held {
            written = self.writer.flush();
        }
        written.map_err(|error| self.failed(error))
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

/// Returns how a file is written: as DataFusion's options say, and vectors without a dictionary.
fn properties(
    schema: &SchemaRef,
    options: &TableParquetOptions,
) -> Result<WriterProperties, DataFusionError> {
    let mut options = options.clone();
    options.arrow_schema(schema);
    let mut builder = WriterPropertiesBuilder::try_from(&options)?;
    let mut vectors = Vec::new();
    for field in schema.fields() {
        find_vectors(field, &mut Vec::new(), &mut vectors);
    }
    for path in vectors {
        let asked = options.column_specific_options.get(&path.join("."));
        if asked.is_none_or(|asked| asked.dictionary_enabled.is_none()) {
            builder = builder.set_column_dictionary_enabled(ColumnPath::new(path), false);
        }
    }
    Ok(builder.build())
}

/// Adds the paths of leaves that are numbers with a point in lists: hardly one is there twice.
fn find_vectors(field: &FieldRef, above: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    above.push(field.name().clone());
    match field.data_type() {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => {
            // As Parquet's writer names the levels of a list.
            above.push("list".to_owned());
            if item.data_type().is_floating() {
                let mut path = above.clone();
                path.push(item.name().clone());
                found.push(path);
            } else {
                find_vectors(item, above, found);
            }
            above.pop();
        }
        DataType::Struct(fields) => {
            fields
                .iter()
                .for_each(|field| find_vectors(field, above, found));
        }
        _ => {}
    }
    above.pop();
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{Field, Schema};
    use datafusion::parquet::arrow::ArrowSchemaConverter;

    use super::*;

    #[test]
    fn vectors_have_no_dictionary_wherever_they_stand() {
        let vector = |size| {
            let item = Arc::new(Field::new_list_field(DataType::Float32, true));
            DataType::FixedSizeList(item, size)
        };
        let inner = Field::new("v", vector(3), true);
        let list = DataType::new_list(vector(2), true);
        let schema = Arc::new(Schema::new(vec![
            Field::new("text", DataType::Utf8View, true),
            Field::new("v", vector(2), true),
            Field::new("s", DataType::Struct(vec![inner].into()), true),
            Field::new("vs", list, true),
            Field::new("ids", DataType::new_list(DataType::Int64, true), true),
        ]));
        let properties = properties(&schema, &TableParquetOptions::default()).expect("properties");
        let columns = ArrowSchemaConverter::new()
            .convert(&schema)
            .expect("a schema");
        let with: Vec<_> = columns
            .columns()
            .iter()
            .filter(|column| properties.dictionary_enabled(column.path()))
            .map(|column| column.path().string())
            .collect();
        assert_eq!(with, ["text", "ids.list.item"]);
    }
}
