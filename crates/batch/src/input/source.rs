//! The table that a job reads, and its files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::TableReference;
use datafusion::datasource::listing::{ListingTable, PartitionedFile};
use datafusion::datasource::physical_plan::FileGroup;
use datafusion::execution::SessionState;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};

use super::footer_cache::FooterCache;
use crate::error::BatchError;

/// A table of local files.
#[derive(Debug)]
pub(crate) struct Source {
    /// The table's name in the queries.
    pub(crate) name: TableReference,
    pub(crate) table: Arc<dyn TableProvider>,
    pub(crate) is_parquet: bool,
    /// By path.
    pub(crate) files: Vec<InputFile>,
    pub(crate) footers: FooterCache,
}

/// One file of the input.
#[derive(Debug, Clone)]
pub(crate) struct InputFile {
    pub(crate) path: PathBuf,
    pub(crate) state: FileState,
    /// The file as DataFusion knows it, with the values of its folders' names.
    pub(crate) listed: PartitionedFile,
}

/// What shows that a file is still the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileState {
    pub(crate) bytes: u64,
    /// When it was last written, in nanoseconds since 1970.
    pub(crate) modified: u64,
}

impl FileState {
    /// Reads the state of a file.
    ///
    /// # Errors
    /// The file can't be found or read.
    pub(crate) fn of(path: &Path) -> Result<Self, BatchError> {
        let metadata = std::fs::metadata(path).map_err(BatchError::io("read", path))?;
        let modified = metadata.modified().map_err(BatchError::io("read", path))?;
        let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self {
            bytes: metadata.len(),
            modified: u64::try_from(since.as_nanos()).unwrap_or(u64::MAX),
        })
    }

    /// Says what differs in another state of the file.
    pub(crate) fn difference(&self, now: &Self) -> Option<String> {
        if self.bytes != now.bytes {
            return Some(format!("{} bytes became {}", self.bytes, now.bytes));
        }
        (self.modified != now.modified).then(|| "it was written to".to_owned())
    }
}

impl InputFile {
    /// Refuses a file that is not what it was.
    ///
    /// # Errors
    /// The file has changed since the job began, or can't be read.
    pub(crate) fn check(&self) -> Result<(), BatchError> {
        match self.state.difference(&FileState::of(&self.path)?) {
            None => Ok(()),
            Some(what) => Err(BatchError::Changed {
                path: self.path.clone(),
                what,
            }),
        }
    }
}

impl Source {
    /// Lists the files of a table; one that is no table of local files is an error that `refuse` words.
    ///
    /// # Errors
    /// The table is none of local files, or its folders can't be listed.
    pub(crate) async fn list(
        context: &SessionContext,
        name: TableReference,
        table: Arc<dyn TableProvider>,
        refuse: impl Fn(String) -> BatchError,
    ) -> Result<Self, BatchError> {
        let Some(listing) = table.downcast_ref::<ListingTable>() else {
            return Err(refuse(format!("`{name}` is no table of files")));
        };
        if let Some(other) = listing
            .table_paths()
            .iter()
            .find(|path| path.scheme() != "file")
        {
            let reason = format!("`{name}` is at {other}; a batch job reads local files");
            return Err(refuse(reason));
        }
        let format = listing.options().format.get_ext();
        let mut state = context.state();
        // Statistics are read from the files: one that can't be read is to fail as a unit, by its name.
        state
            .config_mut()
            .options_mut()
            .execution
            .collect_statistics = false;
        let listed = listing.list_files_for_scan(&state, &[], None).await?;
        let groups = listed.file_groups.into_iter();
        let mut listed: Vec<_> = groups.flat_map(FileGroup::into_inner).collect();
        let is_parquet = format == "parquet";
        if is_parquet {
            listed.extend(empty_files(&state, listing).await?);
        }
        let mut files = Vec::new();
        for listed in listed {
            let path = Path::new("/").join(listed.object_meta.location.as_ref());
            let state = FileState::of(&path)?;
            files.push(InputFile {
                path,
                state,
                listed,
            });
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self {
            name,
            table,
            is_parquet,
            files,
            footers: FooterCache::default(),
        })
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    /// Returns the table as the listing table it is.
    pub(crate) fn listing(&self) -> &ListingTable {
        self.table
            .downcast_ref()
            .expect("a source is only made of a listing table")
    }
}

/// Lists the files without a byte, which a scan leaves out: as Parquet they are broken, and are to fail by their name.
async fn empty_files(
    state: &SessionState,
    listing: &ListingTable,
) -> Result<Vec<PartitionedFile>, BatchError> {
    let mut empty = Vec::new();
    for path in listing.table_paths() {
        let store = state.runtime_env().object_store(path)?;
        let extension = &listing.options().file_extension;
        let listed = path.list_all_files(state, &store, extension).await?;
        let listed: Vec<_> = listed.try_collect().await?;
        let without_bytes = listed.into_iter().filter(|file| file.size == 0);
        empty.extend(without_bytes.map(PartitionedFile::new_from_meta));
    }
    Ok(empty)
}
