//! The statement parser: DataFusion's, tried after our own statements.

use std::fmt;
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result};
use datafusion::config::Dialect;
use datafusion::sql::parser::{DFParser, DFParserBuilder, Statement as DataFusionStatement};
use datafusion::sql::sqlparser::dialect::dialect_from_str;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer, TokenizerError};

use super::own_statement::{OwnStatement, StatementSyntax};
use super::samples;

/// One statement of a script.
#[derive(Debug, Clone)]
pub enum Statement {
    /// A statement that DataFusion runs.
    DataFusion(Box<DataFusionStatement>),
    /// A statement of Lexstream's, or of what extends it.
    Own(Arc<dyn OwnStatement>),
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DataFusion(statement) => statement.fmt(f),
            Self::Own(statement) => statement.fmt(f),
        }
    }
}

/// Parses a script into its statements, in order.
///
/// Statements are separated by `;`; the last one needs none. An error names the line and column
/// in `sql`, and nothing of the script counts as parsed. A statement of `own` comes before one of DataFusion's.
pub fn parse(
    sql: &str,
    dialect: Dialect,
    own: &[Arc<dyn StatementSyntax>],
) -> Result<Vec<Statement>> {
    let dialect = dialect_of(dialect)?;
    let mut parser = DFParserBuilder::new(sql)
        .with_dialect(dialect.as_ref())
        .build()?;
    let mut statements = Vec::new();
    loop {
        while parser.parser.consume_token(&Token::SemiColon) {}
        if parser.parser.peek_token_ref().token == Token::EOF {
            return Ok(statements);
        }
        statements.push(statement(&mut parser, own)?);
        let next = parser.parser.peek_token_ref();
        if !matches!(next.token, Token::SemiColon | Token::EOF) {
            return Err(syntax_error(format!(
                "expected `;` or the end, found `{}`{}",
                next.token, next.span.start
            )));
        }
    }
}

/// Parses one statement: one of `own` where its first words say so, else DataFusion's.
fn statement(parser: &mut DFParser<'_>, own: &[Arc<dyn StatementSyntax>]) -> Result<Statement> {
    for syntax in own {
        if let Some(statement) = syntax.parse(&mut parser.parser)? {
            return Ok(Statement::Own(statement));
        }
    }
    let statement = parser.parse_statement()?;
    samples::refuse(&statement)?;
    Ok(Statement::DataFusion(Box::new(statement)))
}

/// Tells whether `sql` ends with a whole statement: `;` outside quotes and comments, or nothing at all.
///
/// The shell asks it after each line. Text that can never become a statement counts as complete, so
/// that its error is shown.
pub fn is_complete(sql: &str, dialect: Dialect) -> bool {
    let Ok(dialect) = dialect_of(dialect) else {
        return true;
    };
    match Tokenizer::new(dialect.as_ref(), sql).tokenize() {
        Ok(tokens) => tokens
            .iter()
            .rev()
            .find(|token| !matches!(token, Token::Whitespace(_)))
            .is_none_or(|last| *last == Token::SemiColon),
        Err(TokenizerError { message, .. }) => {
            !message.to_lowercase().contains("untermina") && !message.contains("EOF")
        }
    }
}

fn dialect_of(dialect: Dialect) -> Result<Box<dyn datafusion::sql::sqlparser::dialect::Dialect>> {
    dialect_from_str(dialect).ok_or_else(|| {
        DataFusionError::Configuration(format!(
            "datafusion.sql_parser.dialect: no dialect named `{dialect}`"
        ))
    })
}

/// Returns DataFusion's error for a text that is no SQL.
pub(super) fn syntax_error(message: String) -> DataFusionError {
    DataFusionError::SQL(Box::new(ParserError::ParserError(message)), None)
}

#[cfg(test)]
mod tests {
    use super::super::built_in;
    use super::*;

    fn check(sql: &str, expected: &[&str]) {
        let statements = parse(sql, Dialect::Generic, &built_in()).expect(sql);
        assert_eq!(
            statements
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
            expected,
            "{sql:?}"
        );
    }

    fn check_error(sql: &str, expected: &str) {
        let error = parse(sql, Dialect::Generic, &built_in())
            .expect_err(sql)
            .strip_backtrace();
        assert!(error.contains(expected), "{sql:?}: {error}");
    }

    #[test]
    fn a_script_is_its_statements_in_order() {
        check(
            "select 1; ; show functions;\nSHOW FUNCTIONS LIKE 'tok%'",
            &["SELECT 1", "SHOW FUNCTIONS", "SHOW FUNCTIONS LIKE 'tok%'"],
        );
        check("-- nothing\n ;", &[]);
    }

    #[test]
    fn other_statements_that_begin_alike_are_datafusions() {
        check("show tables", &["SHOW TABLES"]);
        check("describe model", &["DESCRIBE model"]);
        check("drop table model", &["DROP TABLE model"]);
        check(
            "create table models (model int)",
            &["CREATE TABLE models (model INT)"],
        );
    }

    #[test]
    fn statements_about_models_are_ours() {
        check(
            "create model D with ('kind' = 'jieba', hmm = false, 'keep_versions' = 2)",
            &["CREATE MODEL D WITH ('hmm' = 'false', 'keep_versions' = '2', 'kind' = 'jieba')"],
        );
        check(
            "create or replace model d comment 'it''s ours' with ('kind' = 'jieba') as select word from words; select 1",
            &[
                "CREATE OR REPLACE MODEL d COMMENT 'it''s ours' WITH ('kind' = 'jieba') AS SELECT word FROM words",
                "SELECT 1",
            ],
        );
        check(
            "create model if not exists d with ()",
            &["CREATE MODEL IF NOT EXISTS d WITH ()"],
        );
        check(
            "alter model d set ('hmm' = 'false'); alter model d rename to e",
            &[
                "ALTER MODEL d SET ('hmm' = 'false')",
                "ALTER MODEL d RENAME TO e",
            ],
        );
        check(
            "drop model if exists d; drop model 'd@2'; describe model d; desc model 'd@2'; show models like 'd%'",
            &[
                "DROP MODEL IF EXISTS 'd'",
                "DROP MODEL 'd@2'",
                "DESCRIBE MODEL 'd'",
                "DESCRIBE MODEL 'd@2'",
                "SHOW MODELS LIKE 'd%'",
            ],
        );
        check_error(
            "create or replace model if not exists d with ()",
            "expected OR REPLACE or IF NOT EXISTS, found both",
        );
        check_error(
            "create model d",
            "expected WITH ('kind' = '…'), found `EOF`",
        );
        check_error(
            "create model d with ('a' = 'b', 'a' = 'c')",
            "option `a` is there twice at Line: 1, Column: 33",
        );
        check_error(
            "create model d with ('a' = b)",
            "for option `a`, found `b` at Line: 1, Column: 28",
        );
        check_error("create model d with ('a')", "Expected: =, found: )");
        check_error(
            "alter model d drop",
            "expected SET or RENAME TO, found `drop` at Line: 1, Column: 15",
        );
        for (sql, found) in [
            ("drop model", "EOF"),
            ("create model;", ";"),
            ("alter model", "EOF"),
        ] {
            let expected = format!("expected the name of a model, found `{found}`");
            check_error(sql, &expected);
        }
    }

    #[test]
    fn a_sample_is_refused_wherever_it_stands() {
        for sql in [
            "SELECT * FROM t TABLESAMPLE (10 PERCENT)",
            "EXPLAIN SELECT * FROM t AS a TABLESAMPLE BERNOULLI (10)",
            "COPY (SELECT * FROM t TABLESAMPLE SYSTEM (1)) TO 'x.parquet'",
            "INSERT INTO o SELECT n FROM (SELECT * FROM t TABLESAMPLE (5 ROWS))",
            "CREATE MODEL m WITH ('kind' = 'tfidf') AS SELECT * FROM t TABLESAMPLE (1)",
            "SELECT count(*) FROM (SELECT * FROM t) AS x TABLESAMPLE BERNOULLI (10)",
            "SELECT * FROM (VALUES (1)) AS x(a) TABLESAMPLE (10)",
        ] {
            check_error(sql, "is not supported; WHERE random() < 0.1");
        }
        check(
            "SELECT sample FROM tablesample",
            &["SELECT sample FROM tablesample"],
        );
    }

    #[test]
    fn what_follows_a_statement_is_refused_with_its_place() {
        check_error(
            "show functions now",
            "expected `;` or the end, found `now` at Line: 1, Column: 16",
        );
        check_error("select 1;\nselct 2", "Line: 2, Column: 1");
    }

    #[test]
    fn a_statement_is_complete_at_its_semicolon() {
        for (sql, complete) in [
            ("", true),
            ("-- only a comment", true),
            ("select 1", false),
            ("select 1;", true),
            ("select 1; -- done", true),
            ("select ';", false),
            ("select ';\n';", true),
            ("select 1 /* ;", false),
            ("select \"a;", false),
        ] {
            assert_eq!(is_complete(sql, Dialect::Generic), complete, "{sql:?}");
        }
    }
}
