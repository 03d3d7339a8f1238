//! Lexstream's functions in a DataFusion session that is there already. `cargo run --example own_session`

use std::sync::Arc;

use datafusion::arrow::util::pretty::print_batches;
use datafusion::error::Result;
use datafusion::prelude::{SessionConfig, SessionContext};
use lexstream::ModelCatalog;

#[tokio::main]
async fn main() -> Result<()> {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    // No models here; `Some(folder)` would find those that `lexstream sql --home folder` has made.
    lexstream::register_all(&context, &Arc::new(ModelCatalog::new(None)))?;
    let rows = context
        .sql("SELECT term_frequencies(tokenize('to be or not to be')) AS words")
        .await?;
    print_batches(&rows.collect().await?)?;
    Ok(())
}
