//! How often models run, when, and what EXPLAIN ANALYZE says of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::MemTable;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable, execute_stream};
use futures::StreamExt;
use lexstream::Engine;
use lexstream_integration_tests::onnx::{builder, engine};

/// Adds a table `texts` of so many rows in several batches: `id`, and `text`, of which no two are the same.
fn texts(engine: &Engine, rows: i64) {
    let all: Vec<i64> = (0..rows).collect();
    let batches: Vec<_> = all
        .chunks(1000)
        .map(|ids| {
            let texts = ids.iter().map(|id| {
                let word = ["great", "bad", "plain"][(id % 3) as usize];
                Some(format!("a {word} text, number {id}"))
            });
            let texts: ArrayRef = Arc::new(texts.collect::<StringViewArray>());
            let ids: ArrayRef = Arc::new(Int64Array::from(ids.to_vec()));
            RecordBatch::try_from_iter([("id", ids), ("text", texts)]).expect("a batch")
        })
        .collect();
    let table = MemTable::try_new(batches[0].schema(), vec![batches]).expect("a table");
    engine
        .context()
        .register_table("texts", Arc::new(table))
        .expect("registered");
}

/// Runs a query; returns its rows, its plan, and how many texts its models computed.
async fn run(engine: &Engine, query: &str) -> (Vec<RecordBatch>, String, usize) {
    let frame = engine.sql(query).await.expect(query);
    let context = Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await.expect(query);
    let rows = collect(Arc::clone(&plan), context).await.expect(query);
    (
        rows,
        displayable(plan.as_ref()).indent(false).to_string(),
        computed(&plan),
    )
}

fn computed(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let own = plan
        .metrics()
        .and_then(|metrics| metrics.sum_by_name("distinct_texts"));
    let below = plan.children().into_iter().map(computed).sum::<usize>();
    own.map_or(0, |own| own.as_usize()) + below
}

fn count(rows: &[RecordBatch]) -> usize {
    rows.iter().map(RecordBatch::num_rows).sum()
}

#[tokio::test]
async fn a_call_in_select_where_and_order_by_runs_once_a_row() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    texts(&engine, 3000);
    let query = "SELECT id, classify('sentiment', text)['label'] AS label FROM texts \
                 WHERE classify('sentiment', text)['score'] > 0.6 \
                 ORDER BY classify('sentiment', text)['score'], id";
    let (rows, plan, computed) = run(&engine, query).await;
    assert_eq!(
        count(&rows),
        2000,
        "the plain third has a score of one half"
    );
    assert_eq!(computed, 3000);
    assert_eq!(plan.matches("InferenceExec").count(), 1, "{plan}");
    // The same rows as where nothing is lifted: inside CASE the plain function stays.
    let plain = "SELECT id, CASE WHEN true OR id IS NULL THEN s END['label'] AS label FROM \
                 (SELECT id, CASE WHEN id >= 0 THEN classify('sentiment', text) END AS s FROM texts) \
                 WHERE s['score'] > 0.6 ORDER BY s['score'], id";
    let (expected, plan, _) = run(&engine, plain).await;
    assert!(!plan.contains("InferenceExec"), "{plan}");
    let shown = |rows: &[RecordBatch]| pretty_format_batches(rows).expect("rows").to_string();
    assert_eq!(shown(&rows), shown(&expected));
}

#[tokio::test]
async fn cheap_conditions_run_before_the_model() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    texts(&engine, 3000);
    let query = "SELECT id FROM texts WHERE classify('sentiment', text)['label'] = 'positive' AND id % 10 = 0";
    let (rows, plan, computed) = run(&engine, query).await;
    // Every tenth row, and of those every third says great; what says nothing is negative, as the first label.
    assert_eq!((count(&rows), computed), (100, 300), "{plan}");
}

#[tokio::test]
async fn a_limit_stops_the_model() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    texts(&engine, 100_000);
    let query =
        "SELECT id FROM texts WHERE classify('sentiment', text)['label'] = 'positive' LIMIT 3";
    let (rows, _, computed) = run(&engine, query).await;
    assert_eq!(count(&rows), 3);
    // The slices grow from 32 rows, and one more is under way when the first has enough.
    assert!(computed <= 2 * (32 + 64 + 128), "{computed}");
}

#[tokio::test]
async fn a_constant_is_computed_once_a_query_and_texts_that_are_alike_once_a_slice() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    texts(&engine, 2000);
    let query = "SELECT classify_scores('topics', 'a linux server') AS s FROM texts";
    let (rows, _, computed) = run(&engine, query).await;
    assert_eq!(count(&rows), 2000);
    // Once, or once for each of two slices that began together.
    assert!((1..=4).contains(&computed), "{computed}");
    let query = "SELECT classify('sentiment', 'great ' || (id % 2)) AS s FROM texts";
    let (rows, _, computed) = run(&engine, query).await;
    assert_eq!(count(&rows), 2000);
    assert!(computed <= 2 * 16, "{computed}");
}

#[tokio::test]
async fn a_call_of_a_call_works() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    texts(&engine, 300);
    let query = "SELECT classify('sentiment', classify('sentiment', text)['label'] || ' great')['label'] AS l, \
                 classify('sentiment', text)['label'] AS m FROM texts WHERE id < 2 ORDER BY id";
    let (rows, plan, computed) = run(&engine, query).await;
    assert_eq!(plan.matches("InferenceExec").count(), 2, "{plan}");
    // Two texts, and two of their labels.
    assert_eq!((count(&rows), computed), (2, 4));
}

#[tokio::test]
async fn a_call_in_an_aggregate_or_a_window_runs_once_a_row() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    texts(&engine, 300);
    let label = "classify('sentiment', text)['label']";
    let score = "classify('sentiment', text)['score']";
    for (query, texts, expected) in [
        (
            format!("SELECT {label} AS l, count(*) AS n FROM texts GROUP BY 1 ORDER BY 1"),
            300,
            &["| negative | 200 |", "| positive | 100 |"][..],
        ),
        (
            format!(
                "SELECT {label}, count(*) FILTER (WHERE {score} > 0.6) AS sure, count(DISTINCT {label}) AS labels \
                 FROM texts GROUP BY {label} HAVING max({score}) > 0.6 ORDER BY 1"
            ),
            300,
            &["| negative | 100 | 1 |", "| positive | 100 | 1 |"],
        ),
        (
            format!(
                "SELECT {label}, id % 2 AS odd, count(*) AS n FROM texts GROUP BY ROLLUP({label}, id % 2) ORDER BY 1, 2 LIMIT 2"
            ),
            300,
            &["| negative | 0 | 100 |", "| negative | 1 | 100 |"],
        ),
        (
            format!(
                "SELECT id, {label} AS l, row_number() OVER (PARTITION BY {label} ORDER BY {score} DESC, id) AS place \
                 FROM texts ORDER BY place, id LIMIT 3"
            ),
            600,
            &[
                "| 0 | positive | 1 |",
                "| 1 | negative | 1 |",
                "| 3 | positive | 2 |",
            ],
        ),
        (
            format!(
                "SELECT max(s) AS most FROM (SELECT {score} AS s FROM texts WHERE {label} = 'negative') WHERE s < 0.6"
            ),
            300,
            &["| 0.5 |"],
        ),
        (
            format!(
                "SELECT count(*) AS n FROM texts AS a WHERE {score} >= (SELECT max({score}) FROM texts)"
            ),
            600,
            &["| 200 |"],
        ),
        // What is below decides which rows there are.
        (
            format!("SELECT {label} AS l, count(*) AS n FROM texts WHERE id % 100 = 0 GROUP BY 1"),
            3,
            &["| negative | 2 |", "| positive | 1 |"],
        ),
        (
            format!(
                "SELECT count(DISTINCT {label}) AS n FROM (SELECT * FROM texts ORDER BY id LIMIT 4)"
            ),
            4,
            &["| 2 |"],
        ),
        (
            "SELECT l['label'] AS l FROM (SELECT classify('sentiment', text) AS l FROM texts WHERE id % 100 = 0)".to_owned(),
            3,
            &["| positive |"],
        ),
        (
            format!(
                "SELECT \"__call_0\", count({label}) AS n FROM (SELECT id % 2 AS \"__call_0\", text FROM texts) GROUP BY 1"
            ),
            300,
            &["| 0 | 150 |", "| 1 | 150 |"],
        ),
    ] {
        let (rows, plan, computed) = run(&engine, &query).await;
        let shown = pretty_format_batches(&rows).expect("rows").to_string();
        let lines: Vec<_> = shown
            .lines()
            .map(|line| {
                let words: Vec<_> = line.split_whitespace().collect();
                words.join(" ")
            })
            .collect();
        for row in expected {
            assert!(lines.iter().any(|line| line == row), "{query}: {shown}");
        }
        assert_eq!(computed, texts, "{query}: {plan}");
        assert!(!plan.contains("WatchedExec"), "{query}: {plan}");
    }
    // What a filter leaves out is not computed.
    let query = format!("SELECT max({score}) FILTER (WHERE id < 0) AS most FROM texts");
    let (rows, plan, _) = run(&engine, &query).await;
    assert!(!plan.contains("InferenceExec"), "{plan}");
    assert_eq!((count(&rows), rows[0].column(0).null_count()), (1, 1));
}

#[tokio::test]
async fn rows_keep_their_order_through_slices_and_batches() {
    let home = tempfile::tempdir().expect("home");
    engine(home.path()).await;
    let engine = builder(home.path())
        .target_partitions(1)
        .build()
        .expect("engine");
    texts(&engine, 5000);
    let (rows, _, _) = run(
        &engine,
        "SELECT id, classify('sentiment', text) AS s FROM texts",
    )
    .await;
    let ids: Vec<i64> = rows
        .iter()
        .flat_map(|batch| {
            let ids = batch
                .column(0)
                .as_any()
                .downcast_ref::<Int64Array>()
                .expect("ids");
            ids.values().to_vec()
        })
        .collect();
    assert_eq!(ids, (0..5000).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_first_rows_come_soon_and_a_stream_that_is_dropped_stops() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    texts(&engine, 100_000);
    let frame = engine
        .sql("SELECT embed('minilm', text) AS v FROM texts")
        .await
        .expect("a plan");
    let context = Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await.expect("a plan");
    let mut stream = execute_stream(Arc::clone(&plan), context).expect("a stream");
    let first = stream.next().await.expect("a batch").expect("rows");
    assert!(first.num_rows() < 100_000 / 100, "{}", first.num_rows());
    drop(stream);
    // Whoever comes next is not kept waiting by what nobody wants any more.
    let started = Instant::now();
    let next = engine
        .sql("SELECT embed('minilm', 'next')")
        .await
        .expect("a plan")
        .collect()
        .await;
    assert_eq!(count(&next.expect("rows")), 1);
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
    let done = computed(&plan);
    assert!(done < 10_000, "{done}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_call_that_nothing_lifts_is_cancelled_with_its_query() {
    let home = tempfile::tempdir().expect("home");
    engine(home.path()).await;
    let engine = builder(home.path())
        .target_partitions(1)
        .build()
        .expect("engine");
    // One batch, which takes the model half a minute or more.
    let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values(
        (0..40_000).map(|number| format!("a plain text of some length, number {number}")),
    ));
    let batch = RecordBatch::try_from_iter([("text", texts)]).expect("a batch");
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).expect("a table");
    let context = engine.context();
    context
        .register_table("texts", Arc::new(table))
        .expect("registered");
    let query = "SELECT CASE WHEN text <> '' THEN embed('minilm', text) END[1] > 0 AS side, count(*) FROM texts GROUP BY 1";
    let frame = engine.sql(query).await.expect("a plan");
    let context = Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await.expect("a plan");
    let shown = displayable(plan.as_ref()).indent(false).to_string();
    assert!(shown.contains("WatchedExec"), "{shown}");
    assert!(!shown.contains("InferenceExec"), "{shown}");
    let stream = execute_stream(plan, context).expect("a stream");
    // The call blocks the one thread that there is for queries, and for timers.
    let is_free = |wait| {
        let (sender, free) = std::sync::mpsc::channel();
        tokio::spawn(async move { sender.send(()) });
        free.recv_timeout(wait).is_ok()
    };
    let started = Instant::now();
    while is_free(Duration::from_secs(1)) {
        assert!(started.elapsed() < Duration::from_secs(60), "no call began");
    }
    drop(stream);
    assert!(is_free(Duration::from_secs(10)), "the call goes on");
}

#[tokio::test]
async fn explain_analyze_shows_what_a_model_cost() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    texts(&engine, 100);
    let frame = engine
        .sql("EXPLAIN ANALYZE SELECT embed('minilm', text) AS v FROM texts")
        .await
        .expect("a plan");
    let shown = pretty_format_batches(&frame.collect().await.expect("rows"))
        .expect("rows")
        .to_string();
    for figure in [
        "calls=[embed(minilm@1, text@",
        "output_rows=100",
        "distinct_texts=100",
        "tokens=",
        "padded_tokens=",
        "runs=",
        "model_time=",
        "waiting_time=",
    ] {
        assert!(shown.contains(figure), "{figure}: {shown}");
    }
}

#[tokio::test]
async fn a_session_of_the_users_own_runs_models_the_same_way() {
    let home = tempfile::tempdir().expect("home");
    engine(home.path()).await;
    let context = datafusion::prelude::SessionContext::new();
    let id = context.session_id();
    lexstream::register_all(&context, &builder(home.path()).catalog()).expect("registered");
    assert_eq!(context.session_id(), id);
    let query = "SELECT classify('sentiment', t)['label'] AS label FROM (VALUES ('a great text'), ('a bad one')) AS v(t)
                 WHERE classify('sentiment', t)['score'] > 0.5";
    let frame = context.sql(query).await.expect("a plan");
    let task = Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await.expect("a plan");
    let rows = collect(Arc::clone(&plan), task).await.expect("rows");
    let shown = displayable(plan.as_ref()).indent(false);
    assert_eq!((count(&rows), computed(&plan)), (2, 2), "{shown}");
}

#[tokio::test]
async fn fields_move_to_the_scan_and_calls_stay_above_what_chooses_rows() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    let file = home.path().join("texts.parquet");
    let copy = format!(
        "COPY (SELECT value AS id, named_struct('text', 'a great text, number ' || value, 'id', value) AS s \
         FROM generate_series(0, 299)) TO '{}'",
        file.display()
    );
    let written = engine.sql(&copy).await.expect("a plan").collect().await;
    written.expect("written");
    let call = "classify('sentiment', s['text'])";
    for (query, expected) in [
        (
            format!("SELECT l['label'] FROM (SELECT {call} AS l FROM t WHERE s['id'] % 100 = 0)"),
            3,
        ),
        (
            format!(
                "SELECT l['label'] FROM (SELECT {call} AS l, s FROM t) WHERE s['id'] % 100 = 0"
            ),
            3,
        ),
        (
            format!(
                "SELECT l['label'], file FROM (SELECT {call} AS l, input_file_name() AS file FROM t WHERE input_file_name() LIKE '%texts%' AND id < 4) ORDER BY l['score']"
            ),
            4,
        ),
        (
            format!(
                "SELECT l['label'] FROM (SELECT {call} AS l FROM (SELECT a.s FROM (SELECT s, id FROM t) AS a JOIN (SELECT id FROM t WHERE s['id'] < 2) AS b ON a.id = b.id))"
            ),
            2,
        ),
        (
            format!(
                "SELECT l['label'], l['score'] FROM (SELECT {call} AS l FROM t ORDER BY id LIMIT 5)"
            ),
            5,
        ),
    ] {
        let query = query.replace("FROM t", &format!("FROM '{}'", file.display()));
        let (rows, plan, computed) = run(&engine, &query).await;
        assert_eq!(
            (count(&rows), computed),
            (expected, expected),
            "{query}: {plan}"
        );
    }
    for (query, expected) in [
        (
            "SELECT id FROM t WHERE input_file_name() LIKE '%texts.parquet'",
            300,
        ),
        ("SELECT id FROM t WHERE file_row_index() < 7", 7),
    ] {
        let query = query.replace("FROM t", &format!("FROM '{}'", file.display()));
        assert_eq!(count(&run(&engine, &query).await.0), expected, "{query}");
    }
    let query = format!("SELECT id FROM '{}' WHERE s['id'] < 7", file.display());
    let (_, plan, _) = run(&engine, &query).await;
    assert!(plan.contains("__datafusion_extracted"), "{plan}");
    // What is set holds.
    let set = "SET datafusion.optimizer.enable_leaf_expression_pushdown = false";
    engine.sql(set).await.expect("set");
    let (_, plan, _) = run(&engine, &query).await;
    assert!(!plan.contains("__datafusion_extracted"), "{plan}");
}

#[tokio::test]
async fn calls_over_files_are_lifted_out_of_the_scan_and_its_filters() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    texts(&engine, 3000);
    let file = home.path().join("texts.parquet");
    let copy = format!("COPY texts TO '{}'", file.display());
    engine
        .sql(&copy)
        .await
        .expect("a plan")
        .collect()
        .await
        .expect("written");
    engine
        .sql("SET datafusion.execution.parquet.pushdown_filters = true")
        .await
        .expect("set");
    for (query, rows_found, most) in [
        ("SELECT classify('sentiment', text) FROM t", 3000, 3000),
        (
            "SELECT id, classify('sentiment', text)['label'] FROM t WHERE classify('sentiment', text)['label'] = 'negative' AND id < 300",
            200,
            300,
        ),
        // A slice beyond need: one that is used, and one ahead.
        (
            "SELECT classify('sentiment', text)['label'] FROM t LIMIT 20",
            20,
            20,
        ),
        (
            "SELECT id FROM t WHERE classify('sentiment', text)['label'] = 'negative' LIMIT 3",
            3,
            224,
        ),
    ] {
        let query = query.replace("FROM t", &format!("FROM '{}'", file.display()));
        let (rows, plan, computed) = run(&engine, &query).await;
        assert!(
            plan.contains("InferenceExec") && !plan.contains("projection=[classify"),
            "{plan}"
        );
        assert_eq!(count(&rows), rows_found, "{query}: {plan}");
        assert!(computed <= most, "{computed}: {plan}");
    }
}
