//! `SHOW MODELS [LIKE 'pattern']`.

use std::fmt;

use std::sync::Arc;

use super::own_statement::OwnStatement;
use async_trait::async_trait;
use datafusion::common::Result;
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::sqlparser::parser::Parser;
use lexstream_models::ModelCatalog;

use super::words::{quoted, words};

/// Lists the newest version of every model, by name; the table function `models()` has them all.
///
/// Columns: `model`, `version`, `kind`, `task`, `bytes`, `created`, `comment`, `problem`, as `models()` has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowModels {
    /// A SQL LIKE pattern, without case, that the names must match.
    pub like: Option<String>,
}

impl ShowModels {
    /// Parses the statement if `parser` stands before one, and leaves `parser` where it was if not.
    pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Option<Self>> {
        if !words(parser, &["SHOW", "MODELS"]) {
            return Ok(None);
        }
        let like = match words(parser, &["LIKE"]) {
            true => Some(parser.parse_literal_string()?),
            false => None,
        };
        Ok(Some(Self { like }))
    }
}

#[async_trait]
impl OwnStatement for ShowModels {
    async fn run(&self, context: &SessionContext, _: &Arc<ModelCatalog>) -> Result<DataFrame> {
        let like = self.like.as_deref().unwrap_or("%");
        context
            .sql(&format!(
                "SELECT model, version, kind, task, bytes, created, comment, problem \
                 FROM (SELECT *, max(version) OVER (PARTITION BY model) AS newest FROM models()) \
                 WHERE version = newest AND model ILIKE {} ORDER BY model",
                quoted(like)
            ))
            .await
    }
}

impl fmt::Display for ShowModels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SHOW MODELS")?;
        match &self.like {
            Some(pattern) => write!(f, " LIKE {}", quoted(pattern)),
            None => Ok(()),
        }
    }
}
