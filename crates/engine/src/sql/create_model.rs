//! `CREATE [OR REPLACE] MODEL [IF NOT EXISTS] name [COMMENT '…'] WITH ('key' = 'value', …) [AS query]`.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::parser::Statement as DataFusionStatement;
use datafusion::sql::sqlparser::ast::{Query, Statement};
use datafusion::sql::sqlparser::parser::Parser;
use futures::StreamExt;
use lexstream_columns::model::ModelError;
use tokio::sync::mpsc::{self, Receiver};

use super::model_task::blocking;
use super::own_statement::OwnStatement;
use super::parser::syntax_error;
use super::samples;
use super::words::{Options, Written, model_name, options, quoted, words};
use lexstream_models::kinds::Rows;
use lexstream_models::{IfModelExists, ModelCatalog};

/// How many batches of the query wait for the kind that reads them.
const BATCHES_WAITING: usize = 2;

/// Makes a model from files, or from the rows of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateModel {
    /// The model's name.
    pub name: String,
    /// What its maker says of it.
    pub comment: Option<String>,
    /// The options of `WITH`.
    pub options: Options,
    /// What happens where the model exists already.
    pub if_exists: IfModelExists,
    /// The query behind `AS`.
    pub query: Option<Box<Query>>,
}

impl CreateModel {
    /// Parses the statement if `parser` stands before one, and leaves `parser` where it was if not.
    pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Option<Self>> {
        let mut if_exists = if words(parser, &["CREATE", "OR", "REPLACE", "MODEL"]) {
            IfModelExists::Replace
        } else if words(parser, &["CREATE", "MODEL"]) {
            IfModelExists::Fail
        } else {
            return Ok(None);
        };
        if words(parser, &["IF", "NOT", "EXISTS"]) {
            if if_exists == IfModelExists::Replace {
                return Err(syntax_error(
                    "expected OR REPLACE or IF NOT EXISTS, found both".to_owned(),
                ));
            }
            if_exists = IfModelExists::Keep;
        }
        let name = model_name(parser)?;
        let comment = match words(parser, &["COMMENT"]) {
            true => Some(parser.parse_literal_string()?),
            false => None,
        };
        if !words(parser, &["WITH"]) {
            let found = parser.peek_token_ref();
            return Err(syntax_error(format!(
                "expected WITH ('kind' = '…'), found `{}`{}",
                found.token, found.span.start
            )));
        }
        let options = options(parser)?;
        let query = match words(parser, &["AS"]) {
            true => Some(parser.parse_query()?),
            false => None,
        };
        query.as_deref().map_or(Ok(()), samples::refuse_in)?;
        Ok(Some(Self {
            name,
            comment,
            options,
            if_exists,
            query,
        }))
    }
}

#[async_trait]
impl OwnStatement for CreateModel {
    async fn run(&self, context: &SessionContext, models: &Arc<ModelCatalog>) -> Result<DataFrame> {
        let statement = self.clone();
        let mut create = lexstream_models::CreateModel {
            options: statement.options,
            comment: statement.comment,
            if_exists: statement.if_exists,
            query: statement.query.as_ref().map(ToString::to_string),
            rows: None,
        };
        let name = statement.name;
        let catalog = Arc::clone(models);
        let Some(query) = statement.query else {
            blocking(move || catalog.create(&name, create)).await?;
            return context.read_empty();
        };
        let statement = DataFusionStatement::Statement(Box::new(Statement::Query(query)));
        let plan = context.state().statement_to_plan(statement).await?;
        let mut stream = context
            .execute_logical_plan(plan)
            .await?
            .execute_stream()
            .await?;
        let (sender, batches) = mpsc::channel(BATCHES_WAITING);
        create.rows = Some(Rows {
            schema: stream.schema(),
            batches: Box::new(Batches(batches)),
        });
        let made = tokio::spawn(blocking(move || catalog.create(&name, create)));
        while let Some(batch) = stream.next().await {
            let failed = batch.is_err();
            let sent = sender.send(Some(batch.map_err(ModelError::from))).await;
            // A kind that has seen enough, or a query that has failed.
            if sent.is_err() || failed {
                break;
            }
        }
        // The kind may be gone already, with an error of its own.
        let _ = sender.send(None).await;
        match made.await {
            Ok(made) => made?,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        context.read_empty()
    }
}

/// The batches of a query, on the thread that makes the model.
struct Batches(Receiver<Option<Result<RecordBatch, ModelError>>>);

impl Iterator for Batches {
    type Item = Result<RecordBatch, ModelError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.0.blocking_recv() {
            Some(batch) => batch,
            // The statement was dropped in the middle: what came so far is no whole.
            None => Some(Err("interrupted".into())),
        }
    }
}

impl fmt::Display for CreateModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (replace, keep) = match self.if_exists {
            IfModelExists::Fail => ("", ""),
            IfModelExists::Keep => ("", " IF NOT EXISTS"),
            IfModelExists::Replace => (" OR REPLACE", ""),
        };
        write!(f, "CREATE{replace} MODEL{keep} {}", self.name)?;
        if let Some(comment) = &self.comment {
            write!(f, " COMMENT {}", quoted(comment))?;
        }
        write!(f, " WITH {}", Written(&self.options))?;
        match &self.query {
            Some(query) => write!(f, " AS {query}"),
            None => Ok(()),
        }
    }
}
