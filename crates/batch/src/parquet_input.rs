//! A Parquet file, read page by page: memory does not grow with its row groups.

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use datafusion::parquet::arrow::{ARROW_SCHEMA_META_KEY, ProjectionMask};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::{KeyValue, RowGroupMetaData};

use super::adapter::{Adapter, Column, Fit, RawRows};
use super::long_column::LongColumn;
use super::source::{InputFile, Source};

/// An open Parquet file, and how its columns become the table's.
#[derive(Debug)]
pub(super) struct ParquetInput {
    path: PathBuf,
    file: File,
    metadata: ArrowReaderMetadata,
    /// Columns of the file that are read, ascending.
    roots: Vec<usize>,
    adapter: Arc<Adapter>,
}

impl ParquetInput {
    /// Opens a file to read these columns of the table.
    pub(super) fn open(
        source: &Source,
        file: &InputFile,
        columns: &[usize],
        fit: Fit,
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
                Err(_) if field.is_nullable() || fit == Fit::Lenient => {
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
            path: file.path.clone(),
            file: opened,
            metadata,
            roots,
            adapter: Arc::new(Adapter::new(schema, found, fit)),
        })
    }

    /// Returns how much each row group has of the columns that are read; `batch_bytes` as in [`Self::read`].
    pub(super) fn row_groups(&self, batch_bytes: usize) -> impl Iterator<Item = GroupSize> {
        let mask = self.mask(&self.roots);
        let groups = self.metadata.metadata().row_groups().iter();
        groups.map(move |group| {
            let mut size = GroupSize {
                rows: u64::try_from(group.num_rows()).unwrap_or(0),
                bytes: 0,
                whole: 0,
            };
            for (leaf, column) in group.columns().iter().enumerate() {
                if mask.leaf_included(leaf) {
                    let bytes = u64::try_from(column.uncompressed_size()).unwrap_or(0);
                    size.bytes += bytes;
                    if !LongColumn::is_wanted(column, batch_bytes) {
                        size.whole += bytes;
                    }
                }
            }
            size
        })
    }

    /// Returns how many rows a row group has.
    pub(super) fn rows(&self, row_group: usize) -> u64 {
        let groups = self.metadata.metadata().row_groups();
        let rows = groups.get(row_group).map_or(0, RowGroupMetaData::num_rows);
        u64::try_from(rows).unwrap_or(0)
    }

    fn mask(&self, roots: &[usize]) -> ProjectionMask {
        ProjectionMask::roots(self.metadata.parquet_schema(), roots.iter().copied())
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

    /// Reads rows of a row group, stretches in ascending order, at most `batch_rows` at a time; a page of texts with more
    /// than twice `batch_bytes` bytes is read in pieces.
    pub(super) fn read(
        self,
        row_group: usize,
        stretches: &[Range<u64>],
        batch_rows: usize,
        batch_bytes: usize,
    ) -> Result<ParquetRows> {
        let rows = stretches
            .iter()
            .map(|rows| rows.end - rows.start)
            .sum::<u64>();
        let (mut usual, mut long) = (self.roots.clone(), Vec::new());
        if rows > 0 {
            let group = self.metadata.metadata().row_group(row_group);
            let leaves = group.columns().iter().enumerate();
            for (leaf, _) in leaves.filter(|(_, column)| LongColumn::is_wanted(column, batch_bytes))
            {
                let root = self.metadata.parquet_schema().get_column_root_idx(leaf);
                if let Ok(place) = self.roots.binary_search(&root) {
                    let at = (row_group, leaf);
                    let most = (batch_rows, batch_bytes);
                    let wanted = stretches.to_vec();
                    let column = LongColumn::open(&self.path, &self.metadata, at, wanted, most)?;
                    long.push((place, column));
                    usual.retain(|other| *other != root);
                }
            }
        }
        let total = self.rows(row_group);
        let is_read = rows > 0 && (long.is_empty() || !usual.is_empty());
        let mask = self.mask(&usual);
        let reader = is_read
            .then(|| {
                let place = |row: u64| usize::try_from(row).unwrap_or(usize::MAX);
                let stretches = stretches
                    .iter()
                    .map(|rows| place(rows.start)..place(rows.end));
                let total = place(total);
                ParquetRecordBatchReaderBuilder::new_with_metadata(self.file, self.metadata)
                    .with_row_groups(vec![row_group])
                    .with_projection(mask)
                    .with_row_selection(RowSelection::from_consecutive_ranges(stretches, total))
                    .with_batch_size(batch_rows)
                    .build()
            })
            .transpose()?;
        Ok(ParquetRows {
            usual: Usual {
                reader,
                ready: None,
            },
            long,
            adapter: self.adapter,
        })
    }
}

/// How much a row group has of the columns that are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct GroupSize {
    pub(super) rows: u64,
    /// Uncompressed.
    pub(super) bytes: u64,
    /// Bytes of columns whose pages are read whole, however long they are.
    pub(super) whole: u64,
}

/// Rows of a row group.
#[derive(Debug)]
pub(super) struct ParquetRows {
    usual: Usual,
    /// Columns with long pages, each with its place among those that are read.
    long: Vec<(usize, LongColumn)>,
    adapter: Arc<Adapter>,
}

/// The columns that Parquet's reader reads by itself.
#[derive(Debug)]
struct Usual {
    reader: Option<ParquetRecordBatchReader>,
    /// What is left of its last batch.
    ready: Option<RecordBatch>,
}

impl Usual {
    /// Returns the next rows, those that are left of the last batch first.
    fn next(&mut self) -> Option<Result<RecordBatch>> {
        if let Some(ready) = self.ready.take() {
            return Some(Ok(ready));
        }
        let batch = self.reader.as_mut()?.next()?;
        Some(batch.map_err(|error| ParquetError::from(error).into()))
    }
}

impl ParquetRows {
    /// Returns the bytes of the texts that come next, where they are longer than a batch; they are not read yet.
    pub(super) fn long_row(&mut self) -> Result<usize> {
        let columns = self.long.iter_mut();
        Ok(columns
            .map(|(_, column)| column.prepare())
            .sum::<Result<_, _>>()?)
    }

    /// Returns how its rows become the table's.
    pub(super) fn adapter(&self) -> &Arc<Adapter> {
        &self.adapter
    }

    /// Returns as many rows as every column has ready, `most` of them at most.
    pub(super) fn take(&mut self, most: usize) -> Result<Option<RawRows>> {
        let usual = match self.usual.reader {
            Some(_) => Some(self.usual.next().transpose()?),
            None => None,
        };
        let of_usual = usual
            .as_ref()
            .map(|batch| batch.as_ref().map_or(0, RecordBatch::num_rows));
        let of_long = self.long.iter_mut().map(|(_, column)| column.rows());
        let ready = of_long.collect::<Result<Vec<_>, _>>()?;
        let ready = ready.into_iter().chain(of_usual);
        let (least, largest) = ready.fold((usize::MAX, 0), |(least, largest), rows| {
            (least.min(rows), largest.max(rows))
        });
        if least == 0 && largest > 0 {
            return exec_err!("expected as many rows in every column, found one that ends before");
        }
        let rows = least.min(most);
        if rows == 0 || least == usize::MAX {
            return Ok(None);
        }
        let mut columns = Vec::new();
        if let Some(batch) = usual.flatten() {
            columns.extend_from_slice(batch.slice(0, rows).columns());
            let left = batch.num_rows() - rows;
            self.usual.ready = (left > 0).then(|| batch.slice(rows, left));
        }
        for (place, column) in &mut self.long {
            columns.splice(*place..*place, column.take(rows));
        }
        Ok(Some(RawRows::new(columns, rows)))
    }
}
