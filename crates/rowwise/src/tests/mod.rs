//! Queries batch by batch against DataFusion over all rows at once.

mod failures;
mod joins;
mod many_runs;
mod models;
mod random;
mod refusals;
mod same_rows;
mod static_tables;

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::Int32Type;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::catalog::MemTable;
use datafusion::common::{Result, TableReference};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use lexstream_columns::model::{Models, NoModels};

use super::{Outcome, Output, Rowwise, RowwiseError};

/// The source in all tests: `id` tells its rows apart.
pub(super) const SOURCE: &str = "docs";

/// Returns a session with the tables of all tests.
pub(super) fn session() -> SessionContext {
    let context = SessionContext::new();
    let models: Arc<dyn Models> = Arc::new(NoModels);
    lexstream_udfs::register_all(&mut *context.state_ref().write(), &models).expect("functions");
    register(&context, SOURCE, docs());
    register(
        &context,
        "words",
        words(&[Some(1), Some(2), Some(2), None, Some(9)]),
    );
    register(&context, "complete", words(&[Some(2), Some(3)]));
    register(&context, "nothing", words(&[]));
    context
}

pub(super) fn register(context: &SessionContext, name: &str, batch: RecordBatch) {
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).expect("a table");
    context
        .register_table(name, Arc::new(table))
        .expect("a name");
}

/// Eight rows with every kind of value: NULL, empty, repeated, outside of the static tables.
pub(super) fn docs() -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..8));
    let texts = [
        Some("7"),
        Some("x"),
        None,
        Some(""),
        Some("12"),
        Some("y z"),
        Some("3"),
        Some("x"),
    ];
    let texts: ArrayRef = Arc::new(StringArray::from_iter(texts));
    let numbers = [
        Some(1),
        Some(2),
        None,
        Some(3),
        Some(2),
        Some(0),
        Some(9),
        Some(7),
    ];
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter(numbers));
    let tags = [
        Some(vec![1, 2]),
        Some(vec![]),
        None,
        Some(vec![3]),
        Some(vec![4, 5, 6]),
        None,
        Some(vec![7]),
        Some(vec![8, 8]),
    ];
    let tags = tags.map(|tags| tags.map(|tags| tags.into_iter().map(Some)));
    let tags: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(tags));
    let columns = [
        ("id", ids, false),
        ("text", texts, true),
        ("n", numbers, true),
        ("tags", tags, true),
    ];
    RecordBatch::try_from_iter_with_nullable(columns).expect("a batch")
}

/// A static table: `n` to join with, and a word a row.
pub(super) fn words(numbers: &[Option<i64>]) -> RecordBatch {
    let words = (0..numbers.len()).map(|at| Some(format!("word {at}")));
    let numbers: ArrayRef = Arc::new(Int64Array::from(numbers.to_vec()));
    let words: ArrayRef = Arc::new(StringArray::from_iter(words));
    RecordBatch::try_from_iter_with_nullable([("n", numbers, true), ("word", words, true)])
        .expect("a batch")
}

pub(super) async fn planned(context: &SessionContext, sql: &str) -> LogicalPlan {
    let plan = context.state().create_logical_plan(sql).await;
    plan.unwrap_or_else(|error| panic!("{sql}\n{error}"))
}

pub(super) async fn rowwise(
    context: &SessionContext,
    queries: &[&str],
) -> Result<Rowwise, RowwiseError> {
    let mut plans = Vec::new();
    for sql in queries {
        plans.push(planned(context, sql).await);
    }
    Rowwise::try_new(context, &TableReference::bare(SOURCE), plans).await
}

/// Cuts the source into batches of these sizes and the rest, with the columns that are asked for.
pub(super) fn batches(
    rowwise: &Rowwise,
    source: &RecordBatch,
    sizes: &[usize],
) -> Vec<RecordBatch> {
    let columns = source
        .project(rowwise.columns())
        .expect("columns of the source");
    let mut start = 0;
    let mut batches: Vec<_> = sizes
        .iter()
        .map(|size| {
            let size = (*size).min(columns.num_rows() - start);
            start += size;
            columns.slice(start - size, size)
        })
        .collect();
    batches.push(columns.slice(start, columns.num_rows() - start));
    batches
}

/// Returns rows as text, one a line.
pub(super) fn lines(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::new()
        .with_null("NULL")
        .with_display_error(true);
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| {
            ArrayFormatter::try_new(column.as_ref(), &options).expect("a column that can be shown")
        })
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            columns
                .iter()
                .map(|column| column.value(row).to_string())
                .collect::<Vec<_>>()
                .join(" | ")
        })
        .collect()
}

/// Returns the lines of a query's outputs, each with its origin.
pub(super) fn with_origins(outputs: &[Output]) -> Vec<(u32, String)> {
    let rows = outputs.iter().flat_map(|output| {
        let lines = lines(&output.batch);
        output
            .origins
            .values()
            .iter()
            .copied()
            .zip(lines)
            .collect::<Vec<_>>()
    });
    rows.collect()
}

/// Returns the lines of a query by DataFusion over all rows at once, sorted.
pub(super) async fn at_once(context: &SessionContext, sql: &str) -> Result<Vec<String>> {
    let batches = context.sql(sql).await?.collect().await?;
    let mut lines: Vec<_> = batches.iter().flat_map(lines).collect();
    lines.sort();
    Ok(lines)
}

/// Checks that the rows of a batch add up, with another count than the code under test makes.
pub(super) fn check_sum(outcome: &Outcome, rows: usize) {
    let mut seen: Vec<u32> = outcome
        .outputs
        .iter()
        .flatten()
        .flat_map(|output| output.origins.values().to_vec())
        .collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len() + outcome.failed.len() + outcome.filtered, rows);
    assert!(
        outcome
            .failed
            .iter()
            .all(|failed| !seen.contains(&failed.row))
    );
}
