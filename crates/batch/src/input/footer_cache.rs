//! Cache of Parquet footers, each parsed once for all units of its file.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::datatypes::TimeUnit;
use datafusion::common::Result;
use datafusion::datasource::file_format::parquet::{Int96Coercer, transform_schema_to_view};
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};

/// How many files' footers are kept: workers take units in their order, so few files are open at once.
const KEPT: usize = 8;

/// The footers of the files that were opened last.
#[derive(Debug, Default)]
pub(crate) struct FooterCache(Mutex<VecDeque<(PathBuf, ArrowReaderMetadata)>>);

impl FooterCache {
    /// Opens a file that has not changed since the job began; returns it with its footer.
    ///
    /// # Errors
    /// The file can't be opened, or is none of Parquet.
    pub(super) fn open(&self, path: &Path) -> Result<(File, ArrowReaderMetadata)> {
        let file = File::open(path)?;
        let known = {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let known = kept.iter().find(|(known, _)| known == path);
            known.map(|(_, metadata)| metadata.clone())
        };
        if let Some(metadata) = known {
            return Ok((file, metadata));
        }
        let plain = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())?;
        // Timestamps of 96 bits reach the year 9999 in microseconds, as in the engine; in nanoseconds they wrap in 2262.
        let columns = plain.metadata().file_metadata().schema_descr();
        let reaching = Int96Coercer::new(columns, plain.schema(), &TimeUnit::Microsecond).coerce();
        let reaching = reaching.as_ref().unwrap_or(plain.schema());
        // Texts as slices of the pages they were read from.
        let views = Arc::new(transform_schema_to_view(reaching));
        let options = ArrowReaderOptions::new().with_schema(views);
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(plain.metadata()), options)?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.truncate(KEPT - 1);
        kept.push_front((path.to_owned(), metadata.clone()));
        Ok((file, metadata))
    }
}
