//! Lexstream's functions in a DataFusion session that is there already. `cargo run --example own_session`

use datafusion::arrow::util::pretty::print_batches;
use datafusion::error::Result;
use datafusion::prelude::{SessionConfig, SessionContext};

#[tokio::main]
async fn main() -> Result<()> {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    // With the models that `lexstream sql` has made; `.home(folder)` names another place than its own.
    lexstream::register_all(&context, &lexstream::builder().catalog())?;
    let rows = context
        .sql("SELECT term_frequencies(tokenize('to be or not to be')) AS words")
        .await?;
    print_batches(&rows.collect().await?)?;
    Ok(())
}
