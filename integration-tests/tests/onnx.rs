//! Models in ONNX Runtime: what runs when, and what is said where the library is not there.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::DataType;
use lexstream_integration_tests::binary::{program, wait};
use lexstream_integration_tests::onnx::{builder, check_error, engine, library, models, run};
use serde_json::Value;

#[tokio::test]
async fn the_type_of_a_vector_is_known_at_planning() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    let frame = engine
        .sql("SELECT embed('minilm', NULL) AS v")
        .await
        .expect("a plan");
    let DataType::FixedSizeList(item, 384) = frame.schema().field(0).data_type() else {
        panic!("{:?}", frame.schema());
    };
    assert_eq!(item.data_type(), &DataType::Float32);
    let rows = frame.collect().await.expect("rows");
    assert!(rows[0].column(0).is_null(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_runs_of_queries_that_share_them_are_dumped_as_they_are_made() {
    let home = tempfile::tempdir().expect("home");
    let engine = builder(home.path()).build().expect("engine");
    let dumped = home.path().join("runs");
    let create = format!(
        "CREATE MODEL dumps WITH ('path' = '{}', 'dump_runs' = '{}', 'max_batch_tokens' = 200)",
        models().join("sentiment").display(),
        dumped.display()
    );
    run(&engine, &create).await.expect("dumps");
    let queries: Vec<_> = (0..8)
        .map(|query| {
            let engine = engine.clone();
            let texts = "SELECT repeat('great ', CAST(value AS INT)) || value AS t FROM generate_series(1, 50)";
            let query = format!("SELECT classify('dumps', t || 'of {query}')['label'] FROM ({texts})");
            tokio::spawn(async move { run(&engine, &query).await })
        })
        .collect();
    for query in queries {
        let rows = query.await.expect("a query").expect("rows");
        assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 50);
    }
    let mut texts = 0;
    for entry in fs::read_dir(&dumped).expect("runs") {
        let text = fs::read_to_string(entry.expect("a run").path()).expect("a run");
        let run: Value = serde_json::from_str(&text).expect("JSON");
        let lengths = |name: &str| -> Vec<usize> {
            let lists = run[name].as_array().expect("a list a text");
            let lists = lists
                .iter()
                .map(|list| list.as_array().expect("a list").len());
            lists.collect()
        };
        let ids = lengths("ids");
        assert_eq!(ids, lengths("types"));
        let padded = ids.len() * ids.iter().max().expect("a text");
        assert!(padded <= 200 || ids.len() == 1, "{ids:?}");
        texts += ids.len();
    }
    // The text that every model is tried with comes first.
    assert_eq!(texts, 8 * 50 + 1);
}

#[tokio::test]
async fn a_text_that_is_too_long_loses_its_end_or_is_refused() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    let path = models().join("all-MiniLM-L6-v2");
    let create = format!(
        "CREATE MODEL strict WITH ('path' = '{}', 'truncate' = false, 'max_length' = 8)",
        path.display()
    );
    run(&engine, &create).await.expect("strict");
    check_error(
        &engine,
        "SELECT embed('strict', 'one two three four five six seven')",
        "model `strict@1`: a text has 9 tokens, and the model takes 8",
    )
    .await;
    run(
        &engine,
        "SELECT embed('strict', 'one two three four five six')",
    )
    .await
    .expect("eight tokens fit");
    // 100 MB: what lies behind the model's length is not even tokenised.
    let same = "SELECT cosine_similarity(embed('minilm', repeat('many words ', 9600000)), embed('minilm', repeat('many words ', 500)))";
    let rows = run(&engine, same).await.expect("rows");
    let same = rows[0]
        .column(0)
        .as_primitive::<datafusion::arrow::datatypes::Float64Type>()
        .value(0);
    assert!((same - 1.0).abs() < 1e-6, "{same}");
}

/// Runs the command line with another idea of where ONNX Runtime is.
fn lexstream(home: &Path, library: &Path, sql: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(program("lexstream"));
    command
        .args(["sql", "-q", "--format", "csv", "--home"])
        .arg(home)
        .args(["-c", sql]);
    command
        .env("ORT_DYLIB_PATH", library)
        .env("RUST_BACKTRACE", "0");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let ended = wait(command.spawn().expect("lexstream starts"));
    (ended.status, ended.output, ended.error)
}

#[tokio::test]
async fn explain_runs_nothing_and_a_runtime_that_is_not_there_is_said() {
    let home = tempfile::tempdir().expect("home");
    engine(home.path()).await;
    let missing = home.path().join("libmissing.so");
    let (status, output, error) = lexstream(
        home.path(),
        &missing,
        "EXPLAIN SELECT embed('minilm', 'a constant')",
    );
    assert_eq!((status, error.as_str()), (Some(0), ""));
    assert!(output.contains("minilm@1"), "{output}");
    // Nothing needs ONNX Runtime that does not run a model.
    let (status, output, _) = lexstream(
        home.path(),
        &missing,
        "SELECT token_count('to be', 'minilm') AS n",
    );
    assert_eq!((status, output.as_str()), (Some(0), "n\n2\n"));
    let text = home.path().join("libtext.so");
    fs::write(&text, "no library").expect("text");
    for (library, expected) in [
        (&missing, "libmissing.so: no such file"),
        (&text, "libtext.so: failed to load"),
    ] {
        let (status, _, error) = lexstream(home.path(), library, "SELECT embed('minilm', 'a')");
        assert_eq!(status, Some(1));
        assert!(
            error.contains("ONNX Runtime could not be loaded; tried") && error.contains(expected),
            "{error}"
        );
        assert!(error.contains("pip install onnxruntime"), "{error}");
    }
    let (status, output, _) = lexstream(
        home.path(),
        &library(),
        "SELECT classify('sentiment', 'a great day')['label'] AS l",
    );
    assert_eq!((status, output.as_str()), (Some(0), "l\npositive\n"));
}

#[tokio::test]
async fn a_runtime_that_is_too_old_is_named() {
    let home = tempfile::tempdir().expect("home");
    engine(home.path()).await;
    // What `OrtGetApiBase` gives in every version: two functions, of which the second tells the version.
    let source = home.path().join("old.c");
    let text = r#"
        static const void *api(unsigned version) { return 0; }
        static const char *version(void) { return "1.10.0"; }
        struct Base { const void *(*api)(unsigned); const char *(*version)(void); };
        const struct Base *OrtGetApiBase(void) { static struct Base base = {api, version}; return &base; }
    "#;
    fs::write(&source, text).expect("old.c");
    let old = home.path().join("libold.so");
    let mut compiler = Command::new("cc");
    compiler
        .args(["-shared", "-fPIC", "-o"])
        .arg(&old)
        .arg(&source);
    assert!(compiler.status().expect("a C compiler").success());
    let (status, _, error) = lexstream(home.path(), &old, "SELECT embed('minilm', 'a')");
    assert_eq!(status, Some(1));
    assert!(
        error.contains("libold.so") && error.contains("1.10.0"),
        "{error}"
    );
}
