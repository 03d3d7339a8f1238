//! `DROP MODEL [IF EXISTS] name`.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::common::Result;
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::sqlparser::parser::Parser;

use super::model_task::blocking;
use super::own_statement::OwnStatement;
use super::words::{model_name, quoted, words};
use lexstream_models::ModelCatalog;

/// Deletes a model, or one version of it; files that it only refers to stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropModel {
    /// `name` or `name@version`.
    pub model: String,
    /// Whether a model that is not there is no error.
    pub if_exists: bool,
}

impl DropModel {
    /// Parses the statement if `parser` stands before one, and leaves `parser` where it was if not.
    pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Option<Self>> {
        if !words(parser, &["DROP", "MODEL"]) {
            return Ok(None);
        }
        let if_exists = words(parser, &["IF", "EXISTS"]);
        let model = model_name(parser)?;
        Ok(Some(Self { model, if_exists }))
    }
}

#[async_trait]
impl OwnStatement for DropModel {
    async fn run(&self, context: &SessionContext, models: &Arc<ModelCatalog>) -> Result<DataFrame> {
        let statement = self.clone();
        let models = Arc::clone(models);
        blocking(move || match models.remove(&statement.model) {
            Err(error) if statement.if_exists && error.is_unknown() => Ok(()),
            done => done,
        })
        .await?;
        context.read_empty()
    }
}

impl fmt::Display for DropModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let if_exists = if self.if_exists { "IF EXISTS " } else { "" };
        write!(f, "DROP MODEL {if_exists}{}", quoted(&self.model))
    }
}
