//! What a model can be: one file a kind, one list.

mod jieba;
mod lazy;
mod options;
mod tfidf;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use lexstream_columns::model::{Model, ModelError};
use serde_json::Value;

use crate::catalog::ModelCatalog;
use crate::store::{FileRecord, Stored};

pub use lazy::Lazy;
pub use options::{COMMON, OptionError, OptionSpec, Request, StoreOrOption};
pub(crate) use options::{check_names, meant};

/// One kind of model.
pub trait Kind: Debug + Send + Sync {
    /// Returns the name that `'kind'` says.
    fn name(&self) -> &'static str;

    /// Returns one sentence for the reference.
    fn description(&self) -> &'static str;

    /// Returns what it takes besides [`COMMON`], alphabetical.
    fn options(&self) -> &'static [OptionSpec];

    /// Makes a version in the request's draft; all that could keep it from being opened is found here.
    ///
    /// It may block and take long. What a kind needs that is made from rows stands in [`crate::training`]; how far it is
    /// goes through [`Request::progress`].
    ///
    /// # Errors
    ///
    /// Where an option, a file or a row is wrong, in words that name the model, what was expected and what was found.
    fn make(&self, request: Request<'_>) -> Result<Made, ModelError>;

    /// Opens a version by its manifest; what is large is loaded when it is first used.
    ///
    /// `catalog` opens the models that it was made with; [`Lazy`] is what is loaded later.
    ///
    /// # Errors
    ///
    /// Where the manifest is not one that this kind wrote, or a model that it was made with is gone.
    fn open(&self, stored: Stored, catalog: &ModelCatalog) -> Result<Arc<dyn Model>, ModelError>;
}

/// What a kind made.
#[derive(Debug, Default)]
pub struct Made {
    /// What a kind of many tasks does.
    pub task: Option<String>,
    /// The files it uses.
    pub files: Vec<FileRecord>,
    /// What DESCRIBE MODEL shows besides, and opening needs.
    pub details: BTreeMap<String, Value>,
}

/// The rows of the query behind `AS`, which come once; [`Request::recording`] keeps them to be read again.
pub struct Rows {
    /// The columns.
    pub schema: SchemaRef,
    /// The batches, in order; an error ends them.
    pub batches: Box<dyn Iterator<Item = Result<RecordBatch, ModelError>> + Send>,
}

impl Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

/// Returns the kinds that every catalog has, alphabetical.
pub fn built_in() -> Vec<Arc<dyn Kind>> {
    vec![Arc::new(jieba::JiebaKind), Arc::new(tfidf::TfidfKind)]
}
