//! The pages of a column chunk, as Parquet's reader asks for them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::parquet::arrow::arrow_reader::RowGroups;
use datafusion::parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

use super::chunk::Chunk;

/// A column chunk, of which a reader gets the run under way.
pub(super) struct Pages {
    pub(super) chunk: Arc<Mutex<Chunk>>,
    pub(super) metadata: Arc<ParquetMetaData>,
    pub(super) row_group: usize,
}

impl Pages {
    pub(super) fn chunk(&self) -> MutexGuard<'_, Chunk> {
        lock(&self.chunk)
    }
}

fn lock(chunk: &Mutex<Chunk>) -> MutexGuard<'_, Chunk> {
    chunk.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RowGroups for Pages {
    fn num_rows(&self) -> usize {
        let group = self.metadata.row_group(self.row_group);
        usize::try_from(group.num_rows()).unwrap_or(0)
    }

    fn column_chunks(&self, _column: usize) -> Result<Box<dyn PageIterator>> {
        let pages = PagesOfRun(Arc::clone(&self.chunk));
        Ok(Box::new(Once(Some(Box::new(pages)))))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(std::iter::once(self.metadata.row_group(self.row_group)))
    }

    fn metadata(&self) -> &ParquetMetaData {
        &self.metadata
    }
}

/// The one chunk of a column.
struct Once(Option<Box<dyn PageReader>>);

impl Iterator for Once {
    type Item = Result<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.take().map(Ok)
    }
}

impl PageIterator for Once {}

struct PagesOfRun(Arc<Mutex<Chunk>>);

impl Iterator for PagesOfRun {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for PagesOfRun {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        lock(&self.0).page()
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        Err(in_order())
    }

    fn skip_next_page(&mut self) -> Result<()> {
        Err(in_order())
    }
}

/// Rows are passed over here, never by Parquet's reader.
fn in_order() -> ParquetError {
    ParquetError::NYI("pages of a long column are read one after the other".into())
}
