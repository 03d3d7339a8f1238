//! Rows of a column chunk.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReader};
use datafusion::parquet::arrow::{FieldLevels, ProjectionMask, parquet_to_arrow_field_levels};
use datafusion::parquet::errors::Result;
use datafusion::parquet::file::metadata::ColumnChunkMetaData;

use super::chunk::Chunk;
use super::pages::Pages;

/// How many pieces' bytes a page has at least that is cut.
pub(super) const LONG: usize = 2;

/// Reads rows of a column chunk, in order.
pub(crate) struct LongColumn {
    pages: Pages,
    levels: FieldLevels,
    wanted: Vec<Range<u64>>,
    batch_rows: usize,
    /// The run under way, and the row that it is at.
    run: Option<(ParquetRecordBatchReader, u64)>,
    ready: VecDeque<ArrayRef>,
}

impl std::fmt::Debug for LongColumn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LongColumn")
            .field("wanted", &self.wanted)
            .finish_non_exhaustive()
    }
}

impl LongColumn {
    /// Tells whether the chunk is one to be read like this, where a piece has `piece` bytes at most.
    pub(crate) fn is_wanted(column: &ColumnChunkMetaData, piece: usize) -> bool {
        Chunk::is_long(column, piece.saturating_mul(LONG))
    }

    /// Opens the chunk of a leaf to read stretches of its rows, ascending, `batch_rows` at most at a time.
    pub(crate) fn open(
        path: &Path,
        metadata: &ArrowReaderMetadata,
        (row_group, leaf): (usize, usize),
        wanted: Vec<Range<u64>>,
        (batch_rows, piece): (usize, usize),
    ) -> Result<Self> {
        let column = metadata
            .metadata()
            .row_group(row_group)
            .column(leaf)
            .clone();
        let long = piece.saturating_mul(LONG);
        let chunk = Chunk::open(path, column, wanted.clone(), piece, long)?;
        let mask = ProjectionMask::leaves(metadata.parquet_schema(), [leaf]);
        let hint = Some(metadata.schema().fields());
        Ok(Self {
            levels: parquet_to_arrow_field_levels(metadata.parquet_schema(), mask, hint)?,
            pages: Pages {
                chunk: Arc::new(Mutex::new(chunk)),
                metadata: Arc::clone(metadata.metadata()),
                row_group,
            },
            wanted,
            batch_rows,
            run: None,
            ready: VecDeque::new(),
        })
    }

    /// Makes the next rows ready, but for a value that is longer than a piece: of that it returns the bytes.
    pub(crate) fn prepare(&mut self) -> Result<usize> {
        while self.ready.is_empty() {
            if self.run.is_none() {
                let mut chunk = self.pages.chunk();
                let Some(first) = chunk.begin()? else {
                    return Ok(0);
                };
                let bytes = chunk.long_value()?;
                drop(chunk);
                let reader = ParquetRecordBatchReader::try_new_with_row_groups(
                    &self.levels,
                    &self.pages,
                    self.batch_rows,
                    None,
                )?;
                self.run = Some((reader, first));
                if bytes > 0 {
                    return Ok(bytes);
                }
            }
            self.read()?;
        }
        Ok(0)
    }

    /// Reads a batch of the run under way, or ends it.
    fn read(&mut self) -> Result<()> {
        let Some((reader, row)) = &mut self.run else {
            return Ok(());
        };
        let Some(batch) = reader.next().transpose()? else {
            self.run = None;
            return Ok(());
        };
        let array = batch.column(0);
        let rows = *row..*row + array.len() as u64;
        *row = rows.end;
        let first = self
            .wanted
            .partition_point(|wanted| wanted.end <= rows.start);
        let wanted = self.wanted[first..].iter();
        for wanted in wanted.take_while(|wanted| wanted.start < rows.end) {
            let start = wanted.start.max(rows.start);
            let length = wanted.end.min(rows.end) - start;
            let slice = array.slice((start - rows.start) as usize, length as usize);
            self.ready.push_back(slice);
        }
        Ok(())
    }

    /// Returns how many rows [`Self::take`] can give; none where the column has ended.
    pub(crate) fn rows(&mut self) -> Result<usize> {
        if self.prepare()? > 0 {
            self.read()?;
        }
        Ok(self.ready.front().map_or(0, Array::len))
    }

    /// Takes so many rows of those that are ready.
    pub(crate) fn take(&mut self, rows: usize) -> Option<ArrayRef> {
        let array = self.ready.pop_front()?;
        if array.len() > rows {
            self.ready.push_front(array.slice(rows, array.len() - rows));
        }
        Some(array.slice(0, rows.min(array.len())))
    }
}
