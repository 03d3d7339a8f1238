//! Random queries over random rows in random batches.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, RecordBatch, StringArray,
};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::prelude::SessionContext;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{at_once, batches, check_sum, register, rowwise, with_origins, words};

/// What is done with the columns `id`, `n`, `text`, `tags` of `{}`, which stay the columns.
const STEPS: &[&str] = &[
    "SELECT id, n, text, tags FROM ({}) q WHERE n > 1",
    "SELECT * FROM ({}) q WHERE text <> 'a' OR n IS NULL",
    "SELECT id, n + id AS n, upper(text) AS text, tags FROM ({}) q",
    "SELECT id, CAST(length(text) AS BIGINT) AS n, concat(text, 'b') AS text, make_array(n, id) AS tags FROM ({}) q",
    "SELECT id, unnest(tags) AS n, text, tags FROM ({}) q",
    "SELECT q.id, w.n, w.word AS text, q.tags FROM ({}) q JOIN words w ON q.n = w.n",
    "SELECT q.id, w.n, w.word AS text, q.tags FROM words w JOIN ({}) q ON q.n = w.n AND w.word <> q.text",
    "SELECT q.id, w.n, q.text, q.tags FROM ({}) q LEFT JOIN words w ON q.n = w.n",
    "SELECT q.id, w.n, q.text, q.tags FROM words w RIGHT JOIN ({}) q ON q.n < w.n",
    "SELECT q.id, w.n, q.text, q.tags FROM ({}) q CROSS JOIN words w",
    "SELECT q.id, q.n, q.text, q.tags FROM ({}) q LEFT SEMI JOIN words w ON q.n = w.n",
    "SELECT q.id, q.n, q.text, q.tags FROM words w RIGHT ANTI JOIN ({}) q ON q.n = w.n",
    "SELECT * FROM ({}) q WHERE q.n IN (SELECT n FROM words)",
    "SELECT * FROM ({}) q WHERE q.n NOT IN (SELECT n FROM words)",
    "SELECT * FROM ({}) q WHERE q.n NOT IN (SELECT n FROM words WHERE n IS NOT NULL)",
    "SELECT * FROM ({}) q WHERE EXISTS (SELECT 1 FROM words w WHERE w.n = q.n)",
    "SELECT * FROM ({}) q WHERE NOT EXISTS (SELECT 1 FROM words w WHERE w.n > q.n)",
    "SELECT * FROM ({}) q WHERE q.n < (SELECT max(n) FROM words)",
    "SELECT id, (SELECT count(*) FROM words w WHERE w.n = q.n) AS n, text, tags FROM ({}) q",
    "SELECT id, n, text, tags FROM ({}) q UNION ALL SELECT id, id + 1, upper(text), tags FROM ({}) r WHERE r.n > 0",
    "SELECT id, n, text, tags FROM ({}) q UNION ALL SELECT id, unnest(tags), text, tags FROM ({}) r",
];

/// How many of the steps need no other table.
const ROWS_ALONE: usize = 5;

/// The number, the text and the tags of a row.
type Row = (Option<i64>, Option<&'static str>, Option<Vec<i64>>);

fn source(rows: &[Row]) -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows.len() as i64));
    let numbers: ArrayRef = Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>());
    let texts: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<StringArray>());
    let tags = rows
        .iter()
        .map(|row| row.2.as_ref().map(|tags| tags.iter().copied().map(Some)));
    let tags: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(tags));
    let columns = [
        ("id", ids, false),
        ("n", numbers, true),
        ("text", texts, true),
        ("tags", tags, true),
    ];
    RecordBatch::try_from_iter_with_nullable(columns).expect("a batch")
}

fn session(source: &RecordBatch, numbers: &[Option<i64>]) -> SessionContext {
    let context = SessionContext::new();
    register(&context, super::SOURCE, source.clone());
    register(&context, "words", words(numbers));
    context
}

fn query(steps: &[&str]) -> String {
    let columns = "SELECT id, n, text, tags FROM docs".to_owned();
    steps
        .iter()
        .fold(columns, |query, step| step.replace("{}", &query))
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let number = prop_oneof![1 => Just(None), 4 => (-1..5_i64).prop_map(Some)];
    let text = prop_oneof![1 => Just(None), 4 => select(vec!["", "a", "b", "7"]).prop_map(Some)];
    let tags = prop_oneof![1 => Just(None), 4 => vec(-1..5_i64, 0..3).prop_map(Some)];
    vec((number, text, tags), 0..12)
}

fn numbers() -> impl Strategy<Value = Vec<Option<i64>>> {
    vec(
        prop_oneof![1 => Just(None), 6 => (-1..5_i64).prop_map(Some)],
        0..4,
    )
}

/// Runs a query in batches; returns its rows, sorted, and the numbers of the rows that failed.
async fn in_batches(
    context: &SessionContext,
    source: &RecordBatch,
    sizes: &[usize],
    sql: &str,
) -> (Vec<String>, Vec<usize>) {
    let rowwise = rowwise(context, &[sql]).await.expect(sql);
    let ids = source.column(0).as_primitive::<Int64Type>();
    let (mut found, mut failed, mut start) = (Vec::new(), Vec::new(), 0);
    for batch in batches(&rowwise, source, sizes) {
        let rows = batch.num_rows();
        let outcome = rowwise.run(batch).await.expect(sql);
        check_sum(&outcome, rows);
        for (origin, line) in with_origins(&outcome.outputs[0]) {
            let id = ids.value(start + origin as usize).to_string();
            assert_eq!(line.split(" | ").next(), Some(id.as_str()), "{sql}");
            found.push(line);
        }
        failed.extend(
            outcome
                .failed
                .iter()
                .map(|failed| start + failed.row as usize),
        );
        start += rows;
    }
    found.sort();
    (found, failed)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(future)
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn batches_give_what_all_rows_at_once_give(
        rows in rows(),
        numbers in numbers(),
        steps in vec(select(STEPS), 1..4),
        sizes in vec(0..5_usize, 0..4),
    ) {
        let (source, sql) = (source(&rows), query(&steps));
        block_on(async {
            let context = session(&source, &numbers);
            let expected = at_once(&context, &sql).await.expect(&sql);
            let (found, failed) = in_batches(&context, &source, &sizes, &sql).await;
            prop_assert_eq!(found, expected, "{}", sql);
            prop_assert!(failed.is_empty(), "{}: {:?}", sql, failed);
            Ok(())
        })?;
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn rows_fail_that_fail_alone(
        rows in rows(),
        numbers in numbers(),
        // What fails in a static table fails before any row.
        before in vec(select(&STEPS[..ROWS_ALONE]), 0..2),
        failing in select(vec![
            "SELECT id, 6 / n AS n, text, tags FROM ({}) q",
            "SELECT id, CAST(text AS BIGINT) AS n, text, tags FROM ({}) q",
        ]),
        after in vec(select(STEPS), 0..2),
        sizes in vec(0..7_usize, 0..3),
    ) {
        let steps = [before, vec![failing], after].concat();
        let (source, sql) = (source(&rows), query(&steps));
        block_on(async {
            let context = session(&source, &numbers);
            let (found, failed) = in_batches(&context, &source, &sizes, &sql).await;
            let alone = in_batches(&context, &source, &vec![1; source.num_rows()], &sql).await;
            prop_assert_eq!((&found, &failed), (&alone.0, &alone.1), "{}", sql);
            let is_good: BooleanArray = (0..source.num_rows()).map(|row| Some(!failed.contains(&row))).collect();
            let good = filter_record_batch(&source, &is_good).expect("rows of the source");
            // DataFusion may compute what the known value of a subquery has made needless here, and fail.
            if let Ok(expected) = at_once(&session(&good, &numbers), &sql).await {
                prop_assert_eq!(found, expected, "{}", sql);
            }
            Ok(())
        })?;
    }
}
