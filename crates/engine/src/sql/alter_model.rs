//! `ALTER MODEL name SET ('key' = 'value', …)` and `ALTER MODEL name RENAME TO other`.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::common::Result;
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::sqlparser::parser::Parser;

use super::model_task::blocking;
use super::own_statement::OwnStatement;
use super::parser::syntax_error;
use super::words::{Options, Written, model_name, options, words};
use lexstream_models::ModelCatalog;

/// Changes a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterModel {
    /// The model's name.
    pub name: String,
    /// What changes.
    pub change: ModelChange,
}

/// What ALTER MODEL changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelChange {
    /// Some options, in a new version.
    Set(Options),
    /// The name of all versions.
    Rename(String),
}

impl AlterModel {
    /// Parses the statement if `parser` stands before one, and leaves `parser` where it was if not.
    pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Option<Self>> {
        if !words(parser, &["ALTER", "MODEL"]) {
            return Ok(None);
        }
        let name = model_name(parser)?;
        let change = if words(parser, &["SET"]) {
            ModelChange::Set(options(parser)?)
        } else if words(parser, &["RENAME", "TO"]) {
            ModelChange::Rename(model_name(parser)?)
        } else {
            let found = parser.peek_token_ref();
            return Err(syntax_error(format!(
                "expected SET or RENAME TO, found `{}`{}",
                found.token, found.span.start
            )));
        };
        Ok(Some(Self { name, change }))
    }
}

#[async_trait]
impl OwnStatement for AlterModel {
    async fn run(&self, context: &SessionContext, models: &Arc<ModelCatalog>) -> Result<DataFrame> {
        let statement = self.clone();
        let (name, models) = (statement.name, Arc::clone(models));
        match statement.change {
            ModelChange::Set(options) => {
                blocking(move || models.alter(&name, &options)).await?;
            }
            ModelChange::Rename(to) => blocking(move || models.rename(&name, &to)).await?,
        }
        context.read_empty()
    }
}

impl fmt::Display for AlterModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ALTER MODEL {}", self.name)?;
        match &self.change {
            ModelChange::Set(options) => write!(f, " SET {}", Written(options)),
            ModelChange::Rename(to) => write!(f, " RENAME TO {to}"),
        }
    }
}
