//! Statements beside DataFusion's, and what parses them.

use std::fmt::{Debug, Display};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::common::Result;
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::sqlparser::parser::Parser;
use lexstream_models::ModelCatalog;

use super::{AlterModel, CreateModel, DescribeModel, DropModel, ShowFunctions, ShowModels};

/// A parsed statement that DataFusion does not know; its `Display` is SQL that parses to it again.
#[async_trait]
pub trait OwnStatement: Debug + Display + Send + Sync {
    /// Runs it. One that changes something has done so when this returns, and its frame has no rows.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being done; then nothing has changed.
    async fn run(&self, context: &SessionContext, models: &Arc<ModelCatalog>) -> Result<DataFrame>;
}

/// What parses the statements of one kind, and documents them.
pub trait StatementSyntax: Debug + Send + Sync {
    /// Returns the forms of the statement for the reference: how each is written, and what it does.
    fn forms(&self) -> &'static [(&'static str, &'static str)];

    /// Parses the statement if `parser` stands before one, and leaves `parser` where it was if not.
    ///
    /// # Errors
    ///
    /// Where the first words say that it is this statement, and the others are not its.
    fn parse(&self, parser: &mut Parser<'_>) -> Result<Option<Arc<dyn OwnStatement>>>;
}

/// A syntax made of a function that parses.
#[derive(Debug)]
pub struct Syntax<S> {
    /// See [`StatementSyntax::forms`].
    pub forms: &'static [(&'static str, &'static str)],
    /// See [`StatementSyntax::parse`].
    pub parse: fn(&mut Parser<'_>) -> Result<Option<S>>,
}

impl<S: OwnStatement + 'static> StatementSyntax for Syntax<S> {
    fn forms(&self) -> &'static [(&'static str, &'static str)] {
        self.forms
    }

    fn parse(&self, parser: &mut Parser<'_>) -> Result<Option<Arc<dyn OwnStatement>>> {
        let statement = (self.parse)(parser)?;
        Ok(statement.map(|statement| Arc::new(statement) as Arc<dyn OwnStatement>))
    }
}

/// Returns the statements that every engine has, in the order of the reference.
pub fn built_in() -> Vec<Arc<dyn StatementSyntax>> {
    vec![
        Arc::new(Syntax {
            forms: &[(
                "CREATE [OR REPLACE] MODEL [IF NOT EXISTS] name [COMMENT '…'] WITH ('key' = 'value', …) [AS query]",
                "makes a model from files, or from the rows of a query; `OR REPLACE` adds a version where there is one",
            )],
            parse: CreateModel::parse,
        }),
        Arc::new(Syntax {
            forms: &[
                (
                    "ALTER MODEL name SET ('key' = 'value', …)",
                    "makes a new version with these options changed",
                ),
                ("ALTER MODEL name RENAME TO other", "renames all versions"),
            ],
            parse: AlterModel::parse,
        }),
        Arc::new(Syntax {
            forms: &[(
                "DROP MODEL [IF EXISTS] name",
                "deletes all versions, `DROP MODEL 'name@2'` one; files that a model refers to stay",
            )],
            parse: DropModel::parse,
        }),
        Arc::new(Syntax {
            forms: &[(
                "SHOW MODELS [LIKE 'pattern']",
                "lists the newest versions; the table function `models()` lists all",
            )],
            parse: ShowModels::parse,
        }),
        Arc::new(Syntax {
            forms: &[(
                "DESCRIBE MODEL name",
                "lists what is known of one, `'name@2'` too",
            )],
            parse: DescribeModel::parse,
        }),
        Arc::new(Syntax {
            forms: &[(
                "SHOW FUNCTIONS [LIKE 'pattern']",
                "lists every function with its syntax and an example",
            )],
            parse: ShowFunctions::parse,
        }),
    ]
}
