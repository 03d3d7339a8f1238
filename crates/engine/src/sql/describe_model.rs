//! `DESCRIBE MODEL name`.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, StringViewArray};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::sqlparser::parser::Parser;

use super::model_task::blocking;
use super::own_statement::OwnStatement;
use super::words::{model_name, quoted, words_before_name};
use lexstream_models::ModelCatalog;

/// Lists what is known of a model, a property a row.
///
/// Columns, both Utf8View and never NULL: `property`, `value`. First what every model has, then what its kind knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeModel {
    /// `name` or `name@version`.
    pub model: String,
}

impl DescribeModel {
    /// Parses the statement if `parser` stands before one, and leaves `parser` where it was if not.
    pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Option<Self>> {
        if !words_before_name(parser, &["DESCRIBE", "MODEL"])
            && !words_before_name(parser, &["DESC", "MODEL"])
        {
            return Ok(None);
        }
        let model = model_name(parser)?;
        Ok(Some(Self { model }))
    }
}

#[async_trait]
impl OwnStatement for DescribeModel {
    async fn run(&self, context: &SessionContext, models: &Arc<ModelCatalog>) -> Result<DataFrame> {
        let statement = self.clone();
        let models = Arc::clone(models);
        let properties = blocking(move || models.describe(&statement.model)).await?;
        let names: StringViewArray = properties.iter().map(|(name, _)| Some(name)).collect();
        let values: StringViewArray = properties.iter().map(|(_, value)| Some(value)).collect();
        let batch = RecordBatch::try_from_iter([
            ("property", Arc::new(names) as ArrayRef),
            ("value", Arc::new(values)),
        ])?;
        context.read_batch(batch)
    }
}

impl fmt::Display for DescribeModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DESCRIBE MODEL {}", quoted(&self.model))
    }
}
