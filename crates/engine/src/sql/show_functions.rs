//! `SHOW FUNCTIONS [LIKE 'pattern']`.

use std::fmt;
use std::sync::Arc;

use super::own_statement::OwnStatement;
use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, StringViewArray};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::prelude::{DataFrame, SessionContext, col, lit};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use lexstream_models::ModelCatalog;

use crate::documentation::Function;
use crate::reference;

/// Lists every function of a session with its syntax and an example, by name.
///
/// Columns, all Utf8View and never NULL: `function`, `kind` (`scalar`, `aggregate`, `window`, `table`),
/// `syntax`, `description`, `example`. A function without documentation has empty texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowFunctions {
    /// A SQL LIKE pattern, without case, that the names must match.
    pub like: Option<String>,
}

impl ShowFunctions {
    /// Parses the statement if `parser` stands before one, and leaves `parser` where it was if not.
    pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Option<Self>> {
        if !parser.parse_keywords(&[Keyword::SHOW, Keyword::FUNCTIONS]) {
            return Ok(None);
        }
        let like = if parser.parse_keyword(Keyword::LIKE) {
            Some(parser.parse_literal_string()?)
        } else {
            None
        };
        Ok(Some(Self { like }))
    }
}

#[async_trait]
impl OwnStatement for ShowFunctions {
    async fn run(&self, context: &SessionContext, _: &Arc<ModelCatalog>) -> Result<DataFrame> {
        let functions = reference::functions(&context.state());
        let column = |text: fn(&Function) -> &str| -> ArrayRef {
            Arc::new(
                functions
                    .iter()
                    .map(|function| Some(text(function)))
                    .collect::<StringViewArray>(),
            )
        };
        let batch = RecordBatch::try_from_iter([
            ("function", column(|function| &function.name)),
            ("kind", column(|function| function.kind.as_str())),
            ("syntax", column(|function| &function.syntax)),
            ("description", column(|function| &function.description)),
            ("example", column(|function| &function.example)),
        ])?;
        let rows = context.read_batch(batch)?;
        match &self.like {
            Some(pattern) => rows.filter(col("function").ilike(lit(pattern.as_str()))),
            None => Ok(rows),
        }
    }
}

impl fmt::Display for ShowFunctions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SHOW FUNCTIONS")?;
        match &self.like {
            Some(pattern) => write!(f, " LIKE '{}'", pattern.replace('\'', "''")),
            None => Ok(()),
        }
    }
}
