//! A Parquet file of the input, read page by page: memory does not grow with its row groups.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use datafusion::parquet::arrow::{ARROW_SCHEMA_META_KEY, ProjectionMask};
use datafusion::parquet::file::metadata::{KeyValue, RowGroupMetaData};

use super::schema_adapter::{Adapter, Column, TypeMismatches};
use super::source::{InputFile, Source};

/// An open Parquet file, and how its columns become the table's.
#[derive(Debug)]
pub(super) struct ParquetFile {
    file: File,
    metadata: ArrowReaderMetadata,
    /// Columns of the file that are read, ascending.
    roots: Vec<usize>,
    adapter: Arc<Adapter>,
}

impl ParquetFile {
    /// Opens a file to read these columns of the table.
    ///
    /// # Errors
    /// The file is none of Parquet, or lacks a column that can't be NULL.
    pub(super) fn open(
        source: &Source,
        file: &InputFile,
        columns: &[usize],
        mismatches: TypeMismatches,
    ) -> Result<Self> {
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
                Err(_) if field.is_nullable() || mismatches == TypeMismatches::Null => {
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
        Ok(Self {
            file: opened,
            metadata,
            roots,
            adapter: Arc::new(Adapter::new(schema, found, mismatches)),
        })
    }

    /// Returns the rows of each row group, and the uncompressed bytes of the columns that are read.
    pub(super) fn row_groups(&self) -> impl Iterator<Item = (u64, u64)> {
        let mask = self.mask();
        let groups = self.metadata.metadata().row_groups().iter();
        groups.map(move |group| {
            let columns = group.columns().iter().enumerate();
            let read = columns.filter(|(leaf, _)| mask.leaf_included(*leaf));
            let bytes =
                read.map(|(_, column)| u64::try_from(column.uncompressed_size()).unwrap_or(0));
            let rows = u64::try_from(group.num_rows()).unwrap_or(0);
            (rows, bytes.sum())
        })
    }

    /// Returns how many rows a row group has.
    pub(super) fn rows(&self, row_group: usize) -> u64 {
        let groups = self.metadata.metadata().row_groups();
        let rows = groups.get(row_group).map_or(0, RowGroupMetaData::num_rows);
        u64::try_from(rows).unwrap_or(0)
    }

    fn mask(&self) -> ProjectionMask {
        ProjectionMask::roots(self.metadata.parquet_schema(), self.roots.iter().copied())
    }

    /// Returns how its rows become the table's.
    pub(super) fn adapter(&self) -> &Arc<Adapter> {
        &self.adapter
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

    /// Reads rows of a row group, ranges in ascending order, at most `batch_rows` at a time. Pages are read whole.
    ///
    /// # Errors
    /// The file has no such row group or rows.
    pub(super) fn read(
        self,
        row_group: usize,
        ranges: &[Range<u64>],
        batch_rows: usize,
    ) -> Result<ParquetRecordBatchReader> {
        let at = |row: u64| usize::try_from(row).unwrap_or(usize::MAX);
        let total = at(self.rows(row_group));
        let ranges = ranges.iter().map(|rows| at(rows.start)..at(rows.end));
        let mask = self.mask();
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file, self.metadata)
            .with_row_groups(vec![row_group])
            .with_projection(mask)
            .with_row_selection(RowSelection::from_consecutive_ranges(ranges, total))
            .with_batch_size(batch_rows)
            .build()?;
        Ok(reader)
    }
}
