//! A Parquet file, read page by page: memory does not grow with its row groups.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::compute::CastOptions;
use datafusion::arrow::datatypes::{FieldRef, SchemaRef};
use datafusion::common::nested_struct::cast_column;
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use datafusion::parquet::arrow::{ARROW_SCHEMA_META_KEY, ProjectionMask};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::{KeyValue, RowGroupMetaData};

use super::source::{InputFile, Source};

/// An open Parquet file, and how its columns become the table's.
#[derive(Debug)]
pub(super) struct ParquetInput {
    file: File,
    metadata: ArrowReaderMetadata,
    mask: ProjectionMask,
    schema: SchemaRef,
    /// One a column that is read.
    columns: Vec<Column>,
}

/// Where a column of the table comes from.
#[derive(Debug, Clone)]
enum Column {
    /// A column of what the reader gives, cast where its type is another.
    Read(usize),
    /// The same value in every row: what a folder's name says, or NULL where the file lacks the column.
    Constant(ScalarValue),
}

impl ParquetInput {
    /// Opens a file to read these columns of the table.
    pub(super) fn open(source: &Source, file: &InputFile, columns: &[usize]) -> Result<Self> {
        let (opened, metadata) = source.footers.open(&file.path)?;
        let table = source.schema();
        let schema = Arc::new(table.project(columns)?);
        let of_folders = &source.listing().options().table_partition_cols;
        let first_of_folders = table.fields().len() - of_folders.len();
        let mut roots = Vec::new();
        let mut found = Vec::with_capacity(columns.len());
        for place in columns {
            let field = table.field(*place);
            if let Some(of_folder) = place.checked_sub(first_of_folders) {
                let value = file.listed.partition_values.get(of_folder).cloned();
                let value = value.map_or_else(|| ScalarValue::try_from(field.data_type()), Ok)?;
                found.push(Column::Constant(value));
                continue;
            }
            match metadata.schema().index_of(field.name()) {
                Ok(root) => {
                    roots.push(root);
                    found.push(Column::Read(root));
                }
                Err(_) if field.is_nullable() => {
                    let null = ScalarValue::try_from(field.data_type())?;
                    found.push(Column::Constant(null));
                }
                Err(_) => {
                    let name = field.name();
                    let message = format!("expected a column `{name}`, which can't be NULL");
                    return Err(DataFusionError::Execution(message));
                }
            }
        }
        // The reader gives columns in the file's order, each once.
        roots.sort_unstable();
        roots.dedup();
        for column in &mut found {
            if let Column::Read(root) = column {
                *root = roots.partition_point(|other| *other < *root);
            }
        }
        let mask = ProjectionMask::roots(metadata.parquet_schema(), roots);
        Ok(Self {
            file: opened,
            metadata,
            mask,
            schema,
            columns: found,
        })
    }

    /// Returns each row group's rows, and the bytes of the columns that are read, uncompressed.
    pub(super) fn row_groups(&self) -> impl Iterator<Item = (u64, u64)> {
        let groups = self.metadata.metadata().row_groups().iter();
        groups.map(|group| {
            let columns = group.columns().iter().enumerate();
            let read = columns.filter(|(leaf, _)| self.mask.leaf_included(*leaf));
            let bytes: i64 = read.map(|(_, column)| column.uncompressed_size()).sum();
            (
                u64::try_from(group.num_rows()).unwrap_or(0),
                u64::try_from(bytes).unwrap_or(0),
            )
        })
    }

    /// Returns what the file's maker has written into its footer, but for the Arrow schema.
    pub(super) fn key_values(&self) -> Vec<KeyValue> {
        let metadata = self.metadata.metadata().file_metadata();
        let pairs = metadata.key_value_metadata().into_iter().flatten();
        pairs
            .filter(|pair| pair.key != ARROW_SCHEMA_META_KEY)
            .cloned()
            .collect()
    }

    /// Reads rows of a row group, stretches in ascending order, at most `batch_rows` at a time.
    pub(super) fn read(
        self,
        row_group: usize,
        stretches: &[Range<u64>],
        batch_rows: usize,
    ) -> Result<ParquetRows> {
        let rows = stretches
            .iter()
            .map(|rows| rows.end - rows.start)
            .sum::<u64>();
        let reader = (rows > 0)
            .then(|| {
                let groups = self.metadata.metadata().row_groups();
                let total = groups.get(row_group).map_or(0, RowGroupMetaData::num_rows);
                let place = |row: u64| usize::try_from(row).unwrap_or(usize::MAX);
                let stretches = stretches
                    .iter()
                    .map(|rows| place(rows.start)..place(rows.end));
                let total = usize::try_from(total).unwrap_or(0);
                ParquetRecordBatchReaderBuilder::new_with_metadata(self.file, self.metadata)
                    .with_row_groups(vec![row_group])
                    .with_projection(self.mask)
                    .with_row_selection(RowSelection::from_consecutive_ranges(stretches, total))
                    .with_batch_size(batch_rows)
                    .build()
            })
            .transpose()?;
        Ok(ParquetRows {
            reader,
            schema: self.schema,
            columns: self.columns,
        })
    }
}

/// The rows of a unit, as the table has them.
#[derive(Debug)]
pub(super) struct ParquetRows {
    reader: Option<ParquetRecordBatchReader>,
    schema: SchemaRef,
    columns: Vec<Column>,
}

impl Iterator for ParquetRows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.as_mut()?.next()?;
        Some(
            batch
                .map_err(|error| ParquetError::from(error).into())
                .and_then(|batch| adapted(&batch, &self.schema, &self.columns)),
        )
    }
}

/// Makes a batch of the table's columns out of the file's.
fn adapted(batch: &RecordBatch, schema: &SchemaRef, columns: &[Column]) -> Result<RecordBatch> {
    let rows = batch.num_rows();
    let column = |(column, field): (&Column, &FieldRef)| -> Result<ArrayRef> {
        match column {
            Column::Read(at) => {
                let found = batch.column(*at);
                if found.data_type() == field.data_type() {
                    return Ok(Arc::clone(found));
                }
                let strict = CastOptions {
                    safe: false,
                    ..CastOptions::default()
                };
                cast_column(found, field.data_type(), &strict)
            }
            Column::Constant(value) if value.is_null() => {
                Ok(new_null_array(field.data_type(), rows))
            }
            Column::Constant(value) => value.to_array_of_size(rows),
        }
    };
    let found = columns.iter().zip(schema.fields());
    let found = found.map(column).collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    // A file may hold NULL where the table does not: nullability is the table's to promise, and checked here.
    Ok(RecordBatch::try_new_with_options(
        Arc::clone(schema),
        found,
        &options,
    )?)
}
