//! NLP as SQL, for streams and corpora.
//!
//! [`builder`] describes an engine: a DataFusion session with Lexstream's functions, file tables, topics, statements and
//! models; [`register_all`] adds the functions to a session of your own. Each room of the house is a crate of its own,
//! re-exported here under its name; `ARCHITECTURE.md` has the map.
//!
//! ```no_run
//! # async fn run() -> datafusion::common::Result<()> {
//! let engine = lexstream::builder().build()?;
//! let frame = engine.sql("SELECT token_count(text) FROM 'reviews.parquet'").await?;
//! frame.show().await?;
//! # Ok(())
//! # }
//! ```

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::prelude::SessionContext;

#[cfg(feature = "cli")]
pub mod cli;

pub use lexstream_batch as batch;
pub use lexstream_codec as codec;
pub use lexstream_engine::{Engine, EngineBuilder, TableFormat, config, reference, sql, tables};
#[cfg(feature = "kafka")]
pub use lexstream_kafka as kafka;
pub use lexstream_models::{self as models, ModelCatalog, kinds};
#[cfg(feature = "onnx")]
pub use lexstream_onnx as onnx;
pub use lexstream_output as output;
pub use lexstream_plan as plan;
#[cfg(feature = "cli")]
pub use lexstream_profile as profile;
pub use lexstream_rowwise as rowwise;
#[cfg(feature = "kafka")]
pub use lexstream_stream as stream;
pub use lexstream_udfs as udfs;

/// Starts to describe an engine that has all that this build has: the kind `onnx` with the feature `onnx`, topics as
/// tables with `kafka`.
pub fn builder() -> EngineBuilder {
    let builder = EngineBuilder::default();
    #[cfg(feature = "onnx")]
    let builder = builder.kind(Arc::new(onnx::OnnxKind::default()));
    #[cfg(feature = "kafka")]
    let builder = builder.table_format(Arc::new(kafka::tables::KafkaTables));
    builder
}

/// Adds Lexstream's functions, tables and optimiser rules to a session of your own, with the models that functions find
/// by name ([`EngineBuilder::catalog`] of [`builder`]); see [`EngineBuilder::register_all`].
///
/// # Errors
///
/// Where the session refuses a function.
pub fn register_all(context: &SessionContext, models: &Arc<ModelCatalog>) -> Result<()> {
    let builder = builder().models(Arc::clone(models));
    builder.register_all(context).map(drop)
}
