//! Work on the model store, which blocks on files, away from the threads that run queries.

use std::sync::Arc;

use datafusion::common::{DataFusionError, Result};
use lexstream_columns::model::{CancelOnDrop, Watch};

use lexstream_models::CatalogError;

/// Runs `work` on a thread that may block; a statement that is dropped cancels the watch over it.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CatalogError> + Send + 'static,
) -> Result<T> {
    let watch = CancelOnDrop(Watch::new());
    let watched = Arc::clone(&watch.0);
    match tokio::task::spawn_blocking(move || watched.during(work)).await {
        Ok(done) => done.map_err(query_error),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Returns the error of a failed query as it was, and any other with its causes.
fn query_error(error: CatalogError) -> DataFusionError {
    match error {
        CatalogError::Kind(cause) => match cause.downcast::<DataFusionError>() {
            Ok(cause) => *cause,
            Err(cause) => DataFusionError::External(cause),
        },
        other => DataFusionError::External(Box::new(other)),
    }
}
