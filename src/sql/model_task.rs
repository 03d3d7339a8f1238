//! Work on the model store, which blocks on files, away from the threads that run queries.

use datafusion::common::{DataFusionError, Result};

use crate::kinds::CatalogError;

/// Runs `work` on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CatalogError> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
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
