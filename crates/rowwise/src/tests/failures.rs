//! Rows that fail are found, and the others have their results; what is no row's fault fails the whole.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, exec_err, internal_err, resources_err};
use datafusion::error::Result;
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{ColumnarValue, Volatility, create_udf};
use datafusion::prelude::{SessionConfig, SessionContext};
use lexstream_columns::model::Unusable;

use super::{batches, check_sum, docs, register, rowwise, session, with_origins, words};

/// Runs queries over all rows as one batch; returns rows by query, failures as (row, query, message), filtered.
async fn run(
    context: &SessionContext,
    queries: &[&str],
) -> (Vec<Vec<(u32, String)>>, Vec<(u32, usize, String)>, usize) {
    let rowwise = rowwise(context, queries).await.expect("row by row");
    let batch = batches(&rowwise, &docs(), &[]).remove(0);
    let rows = batch.num_rows();
    let outcome = rowwise.run(batch).await.expect("an outcome");
    check_sum(&outcome, rows);
    let failed = outcome.failed.iter();
    let failed = failed.map(|failed| (failed.row, failed.query, failed.error.strip_backtrace()));
    let failed = failed.collect();
    (
        outcome
            .outputs
            .iter()
            .map(|outputs| with_origins(outputs))
            .collect(),
        failed,
        outcome.filtered,
    )
}

fn row(origin: u32, line: &str) -> (u32, String) {
    (origin, line.to_owned())
}

#[tokio::test]
async fn a_row_that_fails_in_one_query_has_output_of_none() {
    let queries = [
        "SELECT id, 10 / n AS tenth FROM docs WHERE id <> 2",
        "SELECT id, CAST(text AS BIGINT) AS number FROM docs WHERE text <> ''",
        "SELECT id FROM docs WHERE id > 4",
    ];
    let (rows, failed, filtered) = run(&session(), &queries).await;
    let cast = |text: &str| {
        format!("Arrow error: Cast error: Cannot cast string '{text}' to value of Int64 type")
    };
    // Texts by row: 7, x, NULL, empty, 12, y z, 3, x; numbers: 1, 2, NULL, 3, 2, 0, 9, 7.
    let expected = [
        (1, 1, cast("x")),
        (5, 0, "Arrow error: Divide by zero error".to_owned()),
        (7, 1, cast("x")),
    ];
    assert_eq!(failed, expected);
    assert_eq!(
        rows[0],
        [
            row(0, "0 | 10"),
            row(3, "3 | 3"),
            row(4, "4 | 5"),
            row(6, "6 | 1")
        ]
    );
    assert_eq!(
        rows[1],
        [row(0, "0 | 7"), row(4, "4 | 12"), row(6, "6 | 3")]
    );
    assert_eq!(rows[2], [row(6, "6")]);
    // Row 2 alone is in no query.
    assert_eq!(filtered, 1);
}

#[tokio::test]
async fn every_row_may_fail_and_none() {
    let (rows, failed, filtered) = run(&session(), &["SELECT 1 / (id - id) FROM docs"]).await;
    assert_eq!((rows[0].len(), failed.len(), filtered), (0, 8, 0));
    let (rows, failed, filtered) = run(&session(), &["SELECT 1 / (id + 1) FROM docs"]).await;
    assert_eq!((rows[0].len(), failed.len(), filtered), (8, 0, 0));
}

#[tokio::test]
async fn the_failing_part_of_a_list_or_a_union_takes_its_row_along() {
    let queries = ["SELECT id, 6 / (tag - 5) FROM (SELECT id, unnest(tags) AS tag FROM docs)"];
    let (rows, failed, filtered) = run(&session(), &queries).await;
    // Row 4 has the tags 4, 5 and 6; rows 1, 2 and 5 have none.
    assert_eq!(
        failed.iter().map(|failed| failed.0).collect::<Vec<_>>(),
        [4]
    );
    let origins: Vec<_> = rows[0].iter().map(|row| row.0).collect();
    assert_eq!((origins, filtered), (vec![0, 0, 3, 6, 7, 7], 3));

    let queries = [
        "SELECT id, text FROM docs UNION ALL SELECT id, CAST(CAST(text AS INT) AS VARCHAR) FROM docs WHERE id < 2",
    ];
    let (rows, failed, _) = run(&session(), &queries).await;
    assert_eq!(
        failed.iter().map(|failed| failed.0).collect::<Vec<_>>(),
        [1]
    );
    assert_eq!(
        rows[0][..3],
        [row(0, "0 | 7"), row(0, "0 | 7"), row(2, "2 | NULL")]
    );
}

/// Adds a function that fails on the number 3.
fn failing_on_three(context: &SessionContext, error: fn() -> DataFusionError) {
    let fails = move |arguments: &[ColumnarValue]| -> Result<ColumnarValue> {
        let numbers = ColumnarValue::values_to_arrays(arguments)?.remove(0);
        let numbers = numbers
            .as_any()
            .downcast_ref::<Int64Array>()
            .expect("numbers");
        if numbers.iter().any(|number| number == Some(3)) {
            return Err(error());
        }
        Ok(ColumnarValue::Array(Arc::new(numbers.clone())))
    };
    let types = vec![DataType::Int64];
    context.register_udf(create_udf(
        "check",
        types,
        DataType::Int64,
        Volatility::Immutable,
        Arc::new(fails),
    ));
}

#[tokio::test]
async fn errors_of_rows_and_errors_of_nobody() {
    fn of(error: Result<()>) -> DataFusionError {
        error.expect_err("an error")
    }
    fn unusable() -> DataFusionError {
        let error = DataFusionError::External(Unusable::mark("model `m`: its file has gone"));
        DataFusionError::Shared(Arc::new(error.context("embed")))
    }
    fn unusable_in_arrow() -> DataFusionError {
        datafusion::arrow::error::ArrowError::ExternalError(Box::new(unusable())).into()
    }
    let of_a_row: [fn() -> DataFusionError; 3] = [
        || of(exec_err!("no such thing")),
        || DataFusionError::External("model `m`: a text of 9 tokens".into()),
        || of(exec_err!("no such thing")).context("embed"),
    ];
    for error in of_a_row {
        let context = session();
        failing_on_three(&context, error);
        let (rows, failed, _) = run(&context, &["SELECT id, check(n) FROM docs"]).await;
        // The numbers are 1, 2, NULL, 3, 2, 0, 9, 7.
        assert_eq!(
            failed.iter().map(|failed| failed.0).collect::<Vec<_>>(),
            [3],
            "{}",
            error()
        );
        assert_eq!(rows[0].len(), 7);
    }
    let of_nobody: [fn() -> DataFusionError; 7] = [
        || of(internal_err!("a bug")),
        || of(resources_err!("out of memory")),
        || std::io::Error::other("the disk").into(),
        || DataFusionError::External(Box::new(std::io::Error::other("the disk"))),
        || datafusion::arrow::error::ArrowError::MemoryError("out of memory".to_owned()).into(),
        unusable,
        unusable_in_arrow,
    ];
    for error in of_nobody {
        let context = session();
        failing_on_three(&context, error);
        let rowwise = rowwise(&context, &["SELECT id, check(n) FROM docs"])
            .await
            .expect("row by row");
        let batch = batches(&rowwise, &docs(), &[]).remove(0);
        let found = rowwise.run(batch).await.expect_err("an error");
        assert_eq!(found.to_string(), error().to_string());
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_static_table_shows_before_any_batch() {
    let sql = "SELECT d.id FROM docs d JOIN (SELECT 1 / (n - 2) AS n FROM words) w ON d.n = w.n";
    let error = rowwise(&session(), &[sql])
        .await
        .expect_err("an error")
        .to_string();
    assert!(error.contains("Divide by zero"), "{error}");
}

#[tokio::test]
async fn static_tables_that_do_not_fit_are_refused() {
    let pool = Arc::new(GreedyMemoryPool::new(1 << 16));
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(pool)
        .build_arc()
        .expect("a runtime");
    let context = SessionContext::new_with_config_rt(SessionConfig::new(), runtime);
    register(&context, "docs", docs());
    register(&context, "words", words(&vec![Some(1); 10_000]));
    let sql = "SELECT d.id, w.word FROM docs d JOIN words w ON d.n = w.n";
    let error = rowwise(&context, &[sql])
        .await
        .expect_err("an error")
        .to_string();
    assert!(
        error.contains("Resources exhausted") && error.contains("static table words"),
        "{error}"
    );
}

#[tokio::test]
async fn a_batch_of_other_columns_is_refused() {
    let rowwise = rowwise(&session(), &["SELECT id, text FROM docs"])
        .await
        .expect("row by row");
    assert_eq!(rowwise.columns(), [0, 1]);
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let batch = RecordBatch::try_from_iter([("id", Arc::clone(&numbers)), ("text", numbers)]);
    let error = rowwise
        .run(batch.expect("a batch"))
        .await
        .expect_err("an error");
    assert_eq!(
        error.to_string(),
        "expected a batch with the columns (id Int64, text Utf8), found (id Int64, text Int64)"
    );
}
