//! Tables that are not in memory: files by their path, and table functions.

mod file_kind;
mod files;
mod json;
mod listing;
mod missing;
mod models;
mod parquet_folder;
mod parquet_rows;
mod read_text;
mod training_history;
mod vocabulary;

use std::path::Path;
use std::sync::Arc;

use datafusion::catalog::{DynamicFileCatalog, TableProvider, UrlTableFactory};
use datafusion::common::{Result, exec_err};
use datafusion::prelude::SessionContext;
use datafusion_session::SessionStore;

pub use json::JsonFormat;
pub use missing::with_nearest;
pub use parquet_folder::ParquetFolder;

use crate::documentation::Function;
use lexstream_models::ModelCatalog;

/// Lets a session read files by their path where a table is expected: `SELECT … FROM 'reviews.parquet'`.
pub fn with_files(context: SessionContext) -> SessionContext {
    let factory = Arc::new(files::Files::new(SessionStore::new()));
    let catalogs = DynamicFileCatalog::new(
        Arc::clone(context.state().catalog_list()),
        Arc::clone(&factory) as Arc<dyn UrlTableFactory>,
    );
    let context: SessionContext = context
        .into_state_builder()
        .with_catalog_list(Arc::new(catalogs))
        .build()
        .into();
    factory.session().with_state(context.state_weak_ref());
    context
}

/// Tells whether a path, a glob or a folder names a file, be it there or not.
pub fn names_file(path: &str, file: &Path) -> bool {
    listing::names(path, file)
}

/// Returns the table of a path, a glob or a folder.
///
/// `lenient` takes the columns of those files that can be read, if some can't; each of them costs a look.
pub async fn files(
    context: &SessionContext,
    path: &str,
    lenient: bool,
) -> Result<Arc<dyn TableProvider>> {
    match files::find(&context.state(), path, lenient).await? {
        Some(table) => Ok(table),
        None => exec_err!("{path}: no such file"),
    }
}

/// Adds the table functions to a session, and the strict reader of JSON files in place of DataFusion's.
pub fn register_all(context: &SessionContext, models: &Arc<ModelCatalog>) {
    context
        .state_ref()
        .write()
        .register_file_format(Arc::new(json::JsonFormats::default()), true)
        .expect("a format that may stand in another's place");
    context.register_udtf(
        "models",
        Arc::new(models::ModelsFunction(Arc::clone(models))),
    );
    context.register_udtf("read_text", Arc::new(read_text::ReadText));
    context.register_udtf(
        "training_history",
        Arc::new(training_history::TrainingHistoryFunction(Arc::clone(
            models,
        ))),
    );
    context.register_udtf(
        "vocabulary",
        Arc::new(vocabulary::VocabularyFunction(Arc::clone(models))),
    );
}

/// Returns the documentation of the table functions, alphabetical.
pub fn functions() -> Vec<Function> {
    vec![
        models::documentation(),
        read_text::documentation(),
        training_history::documentation(),
        vocabulary::documentation(),
    ]
}
