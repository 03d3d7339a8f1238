//! An engine of one's own: run a query and read its rows. `cargo run --example engine`

use datafusion::arrow::util::pretty::print_batches;
use datafusion::error::Result;

#[tokio::main]
async fn main() -> Result<()> {
    let engine = lexstream::builder()
        .target_partitions(2)
        .memory_limit(1 << 30)
        .build()?;
    engine
        .sql("CREATE TABLE notes AS VALUES ('To be, or not!'), (NULL), ('再见！')")
        .await?;
    let rows = engine
        .sql("SELECT column1 AS text, tokenize(column1) AS tokens, token_count(column1) AS n FROM notes")
        .await?;
    print_batches(&rows.collect().await?)?;
    Ok(())
}
