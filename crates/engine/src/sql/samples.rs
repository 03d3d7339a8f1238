//! TABLESAMPLE, which DataFusion's planner passes over.

use std::ops::ControlFlow;

use datafusion::common::Result;
use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{TableFactor, TableSampleKind, Visit, Visitor};

use super::parser::syntax_error;

/// Refuses a statement that samples a table: all rows would be read instead.
pub(super) fn refuse(statement: &Statement) -> Result<()> {
    match statement {
        Statement::Statement(statement) => refuse_in(statement.as_ref()),
        Statement::CopyTo(copy) => match &copy.source {
            CopyToSource::Query(query) => refuse_in(query.as_ref()),
            CopyToSource::Relation(_) => Ok(()),
        },
        Statement::Explain(explain) => refuse(&explain.statement),
        _ => Ok(()),
    }
}

/// Refuses a part of a statement that samples a table.
pub(super) fn refuse_in(part: &impl Visit) -> Result<()> {
    match part.visit(&mut Samples) {
        ControlFlow::Break(sample) => Err(syntax_error(format!(
            "{sample} is not supported; WHERE random() < 0.1 takes about a tenth of the rows"
        ))),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Finds the first sample.
struct Samples;

impl Visitor for Samples {
    type Break = String;

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<String> {
        match table {
            TableFactor::Table {
                sample: Some(sample),
                ..
            }
            | TableFactor::Derived {
                sample: Some(sample),
                ..
            } => {
                let (TableSampleKind::BeforeTableAlias(sample)
                | TableSampleKind::AfterTableAlias(sample)) = sample;
                ControlFlow::Break(sample.to_string().trim().to_owned())
            }
            _ => ControlFlow::Continue(()),
        }
    }
}
