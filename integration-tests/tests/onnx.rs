//! Models in ONNX Runtime: agreement with Python, what runs when, and what is refused.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, Float32Type, Int32Type};
use datafusion::datasource::MemTable;
use lexstream::Engine;
use lexstream_integration_tests::binary::{program, wait};
use lexstream_integration_tests::onnx::{
    builder, chain, check_error, engine, goldens, library, models, run,
};
use serde_json::Value;

fn texts(goldens: &[Value]) -> Vec<&str> {
    goldens
        .iter()
        .map(|golden| golden["text"].as_str().expect("a text"))
        .collect()
}

/// Evaluates an expression over a column `text`, cut into batches of so many rows.
async fn evaluate(engine: &Engine, expression: &str, texts: &[&str], rows: usize) -> ArrayRef {
    let batches: Vec<_> = texts
        .chunks(rows)
        .map(|texts| {
            let texts: ArrayRef = Arc::new(StringViewArray::from(texts.to_vec()));
            RecordBatch::try_from_iter([("text", texts)]).expect("a batch")
        })
        .collect();
    let table = MemTable::try_new(batches[0].schema(), vec![batches]).expect("a table");
    let frame = engine
        .context()
        .read_table(Arc::new(table))
        .expect("a frame");
    let frame = frame.select_exprs(&[expression]).expect(expression);
    let batches = frame.collect().await.expect(expression);
    let columns: Vec<_> = batches
        .iter()
        .map(|batch| batch.column(0).as_ref())
        .collect();
    concat(&columns).expect("one type")
}

fn vectors(column: &ArrayRef) -> Vec<Vec<f32>> {
    let vectors = column.as_fixed_size_list();
    (0..vectors.len())
        .map(|row| {
            vectors
                .value(row)
                .as_primitive::<Float32Type>()
                .values()
                .to_vec()
        })
        .collect()
}

fn cosine(a: &[f32], b: &[f64]) -> f64 {
    let dot: f64 = a.iter().zip(b).map(|(a, b)| f64::from(*a) * b).sum();
    let a: f64 = a.iter().map(|a| f64::from(*a).powi(2)).sum();
    let b: f64 = b.iter().map(|b| b * b).sum();
    dot / (a * b).sqrt()
}

#[tokio::test]
async fn vectors_are_onnxruntimes_in_python_and_batched_equals_single() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    let goldens = goldens("embed");
    let texts = texts(&goldens);
    let batched = vectors(&evaluate(&engine, "embed('minilm', text)", &texts, texts.len()).await);
    let single = vectors(&evaluate(&engine, "embed('minilm', text)", &texts, 1).await);
    for (row, golden) in goldens.iter().enumerate() {
        let expected: Vec<f64> = golden["vector"]
            .as_array()
            .expect("a vector")
            .iter()
            .filter_map(Value::as_f64)
            .collect();
        assert_eq!(batched[row].len(), expected.len());
        let alike = cosine(&batched[row], &expected);
        assert!(alike >= 0.99999, "{alike}: {}", golden["text"]);
        for (a, b) in batched[row].iter().zip(&single[row]) {
            assert!((a - b).abs() <= 1e-5, "{a} {b}: {}", golden["text"]);
        }
    }
    // sentence-transformers' own figure for the first two.
    let second: Vec<f64> = batched[1].iter().map(|x| f64::from(*x)).collect();
    let alike = cosine(&batched[0], &second);
    assert!((alike - 0.7553).abs() < 5e-5, "{alike}");
}

#[tokio::test]
async fn token_ids_and_tokens_are_hugging_faces() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    let goldens = goldens("token_ids");
    let texts = texts(&goldens);
    let ids = evaluate(&engine, "token_ids(text, 'minilm')", &texts, 7).await;
    let tokens = evaluate(&engine, "tokenize(text, 'minilm')", &texts, 7).await;
    for (row, golden) in goldens.iter().enumerate() {
        let ids: Vec<_> = ids
            .as_list::<i32>()
            .value(row)
            .as_primitive::<Int32Type>()
            .values()
            .to_vec();
        assert_eq!(serde_json::json!(ids), golden["ids"], "{}", golden["text"]);
        let tokens = tokens.as_list::<i32>().value(row);
        let tokens: Vec<_> = tokens.as_string::<i32>().iter().flatten().collect();
        assert_eq!(
            serde_json::json!(tokens),
            golden["tokens"],
            "{}",
            golden["text"]
        );
    }
}

#[tokio::test]
async fn scores_are_onnxruntimes_in_python_highest_first() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    let goldens = goldens("classify_scores");
    let texts = texts(&goldens);
    for model in ["sentiment", "topics"] {
        let all = evaluate(
            &engine,
            &format!("classify_scores('{model}', text)"),
            &texts,
            5,
        )
        .await;
        let best = evaluate(&engine, &format!("classify('{model}', text)"), &texts, 5).await;
        for (row, golden) in goldens.iter().enumerate() {
            let list = all.as_list::<i32>().value(row);
            let labels = list.as_struct().column(0).as_string::<i32>();
            let scores = list.as_struct().column(1).as_primitive::<Float32Type>();
            let expected = golden[model].as_object().expect("scores");
            assert_eq!(labels.len(), expected.len());
            assert!(scores.values().is_sorted_by(|a, b| a >= b), "{scores:?}");
            for (label, score) in labels.iter().zip(scores.values()) {
                let expected = expected[label.expect("a label")].as_f64().expect("a score");
                assert!(
                    (f64::from(*score) - expected).abs() <= 1e-6,
                    "{score} {expected}: {}",
                    golden["text"]
                );
            }
            let best = best.as_struct();
            assert_eq!(
                best.column(0).as_string::<i32>().value(row),
                labels.value(0)
            );
            assert_eq!(
                best.column(1).as_primitive::<Float32Type>().value(row),
                scores.value(0)
            );
        }
    }
}

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

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn many_queries_at_once_of_two_engines_give_what_one_gives() {
    let home = tempfile::tempdir().expect("home");
    let engines = [
        engine(home.path()).await,
        builder(home.path()).build().expect("engine"),
    ];
    let goldens = goldens("embed");
    let texts: Vec<String> = texts(&goldens).into_iter().map(str::to_owned).collect();
    let tasks: Vec<_> = (0..64)
        .map(|query| {
            let engine = engines[query % 2].clone();
            let text = texts[query % texts.len()].clone();
            tokio::spawn(async move {
                vectors(&evaluate(&engine, "embed('minilm', text)", &[&text], 1).await)
            })
        })
        .collect();
    for (query, task) in tasks.into_iter().enumerate() {
        let found = task.await.expect("a query");
        let expected: Vec<f64> = goldens[query % goldens.len()]["vector"]
            .as_array()
            .expect("a vector")
            .iter()
            .filter_map(Value::as_f64)
            .collect();
        assert!(cosine(&found[0], &expected) >= 0.99999, "{query}");
    }
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

/// Makes an export of its own out of one that is there, changed by `change`.
async fn check_refused(name: &str, change: impl FnOnce(&Path), options: &str, expected: &str) {
    let home = tempfile::tempdir().expect("home");
    let folder = home.path().join("export");
    copy(&models().join(name), &folder);
    change(&folder);
    let engine = builder(home.path()).build().expect("engine");
    let create = format!(
        "CREATE MODEL m WITH ('path' = '{}'{options})",
        folder.display()
    );
    let error = chain(&engine.sql(&create).await.expect_err(expected));
    assert!(error.contains(expected), "{error}");
    assert!(
        engine.models().list().expect("list").is_empty(),
        "{expected}"
    );
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folder");
    for entry in fs::read_dir(from).expect("folder") {
        let entry = entry.expect("an entry");
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).expect("a copy");
        }
    }
}

fn edit(folder: &Path, name: &str, from: &str, to: &str) {
    let path = folder.join(name);
    let text = fs::read_to_string(&path).expect(name);
    assert!(text.contains(from), "{name} has no {from}");
    fs::write(path, text.replace(from, to)).expect(name);
}

#[tokio::test]
async fn exports_that_are_wrong_are_refused_in_words() {
    let remove =
        |name: &'static str| move |folder: &Path| fs::remove_file(folder.join(name)).expect(name);
    check_refused(
        "sentiment",
        |folder| fs::remove_dir_all(folder).expect("removed"),
        "",
        "no such file or folder",
    )
    .await;
    check_refused(
        "sentiment",
        remove("onnx/model.onnx"),
        "",
        "expected an ONNX graph (model.onnx or onnx/model.onnx), found none",
    )
    .await;
    check_refused(
        "sentiment",
        remove("tokenizer.json"),
        "",
        "expected tokenizer.json beside the graph",
    )
    .await;
    check_refused(
        "sentiment",
        remove("config.json"),
        "",
        "the files don't tell what it does; `task` must be one of classification, embedding, predict, rerank",
    )
    .await;
    check_refused(
        "sentiment",
        |folder| {
            fs::rename(
                folder.join("onnx/model.onnx"),
                folder.join("model.safetensors"),
            )
            .expect("renamed");
        },
        "",
        "found model.safetensors; export it with `optimum-cli export onnx --model",
    )
    .await;
    check_refused(
        "sentiment",
        |_| (),
        ", 'file' = 'small.onnx'",
        "no graph `small.onnx`; there is onnx/model.onnx",
    )
    .await;
    check_refused(
        "sentiment",
        |_| (),
        ", 'task' = 'embedding'",
        "expected an output of float32 [texts, tokens, dimension]",
    )
    .await;
    check_refused(
        "sentiment",
        |_| (),
        ", 'task' = 'embed'",
        "`task` must be one of classification, embedding, predict, rerank, found `embed`",
    )
    .await;
    check_refused(
        "sentiment",
        |_| (),
        ", 'device' = 'cuda'",
        "`device` is cuda:0, and CUDA can't be used",
    )
    .await;
    check_refused(
        "sentiment",
        |_| (),
        ", 'device' = 'gpu'",
        "`device` must be one of auto, cpu, cuda, cuda:N, found `gpu`",
    )
    .await;
    check_refused(
        "sentiment",
        |_| (),
        ", 'max_length' = 0",
        "`max_length` must be a number of at least 1, found `0`",
    )
    .await;
    check_refused(
        "sentiment",
        |folder| {
            edit(
                folder,
                "config.json",
                "\"0\": \"negative\",",
                "\"0\": \"a\", \"2\": \"b\",",
            );
        },
        "",
        "expected one label for each of the 2 columns of output `logits`, found 3 in config.json",
    )
    .await;
    check_refused(
        "sentiment",
        |folder| edit(folder, "config.json", "30522", "30000"),
        "",
        "expected a tokenizer of at most 30000 tokens (vocab_size in config.json), found 30522",
    )
    .await;
    check_refused(
        "sentiment",
        |folder| edit(folder, "config.json", "{", "["),
        "",
        "config.json: invalid type",
    )
    .await;
    check_refused(
        "sentiment",
        |folder| {
            let graph = folder.join("onnx/model.onnx");
            let bytes = fs::read(&graph).expect("graph");
            fs::write(&graph, &bytes[..bytes.len() / 2]).expect("graph");
        },
        "",
        "ONNX Runtime can't load this graph",
    )
    .await;
    // An input that has another name is none that texts have.
    check_refused(
        "sentiment",
        |folder| {
            let graph = folder.join("onnx/model.onnx");
            let mut bytes = fs::read(&graph).expect("graph");
            let name = b"attention_mask";
            while let Some(at) = bytes.windows(name.len()).position(|bytes| bytes == name) {
                bytes[at..at + name.len()].copy_from_slice(b"attention_tusk");
            }
            fs::write(&graph, bytes).expect("graph");
        },
        "",
        "the graph has the input `attention_tusk`; expected input_ids, attention_mask",
    )
    .await;
    check_refused(
        "all-MiniLM-L6-v2",
        |folder| {
            edit(
                folder,
                "1_Pooling/config.json",
                "\"pooling_mode_cls_token\": false",
                "\"pooling_mode_cls_token\": true",
            );
        },
        "",
        "asks for a pooling that is not there; `pooling` must be one of cls, last_token, max, mean",
    )
    .await;
}

#[tokio::test]
async fn a_graph_that_changes_is_refused_and_a_copy_goes_on() {
    let home = tempfile::tempdir().expect("home");
    let folder = home.path().join("export");
    copy(&models().join("sentiment"), &folder);
    let engine = builder(home.path()).build().expect("engine");
    for (name, copy) in [("refers", "false"), ("copies", "true")] {
        let create = format!(
            "CREATE MODEL {name} WITH ('path' = '{}', 'copy' = '{copy}')",
            folder.display()
        );
        run(&engine, &create).await.expect(name);
    }
    let graph = folder.join("onnx/model.onnx");
    let mut bytes = fs::read(&graph).expect("graph");
    *bytes.last_mut().expect("a byte") ^= 1;
    fs::write(&graph, bytes).expect("graph");
    check_error(
        &engine,
        "SELECT classify('refers', 'a')",
        "model.onnx has changed since the model was made",
    )
    .await;
    fs::remove_dir_all(&folder).expect("removed");
    check_error(&engine, "SELECT classify('refers', 'a')", "could not read").await;
    run(&engine, "ALTER MODEL copies SET ('max_length' = 16)")
        .await
        .expect("altered");
    let rows = run(
        &engine,
        "SELECT classify('copies', 'great, simple and fast')['label']",
    )
    .await
    .expect("rows");
    assert_eq!(rows[0].column(0).as_string::<i32>().value(0), "positive");
}

#[tokio::test]
async fn a_model_that_makes_something_else_than_it_did_is_refused() {
    let home = tempfile::tempdir().expect("home");
    let first = engine(home.path()).await;
    run(&first, "SELECT embed('minilm', 'a')")
        .await
        .expect("it is what it was");
    let path = home.path().join("models/minilm/1/manifest.json");
    let text = fs::read_to_string(&path).expect("a manifest");
    let mut manifest: Value = serde_json::from_str(&text).expect("JSON");
    manifest["details"]["golden"] = vec![0.1; 384].into();
    fs::write(&path, manifest.to_string()).expect("written");
    let second = builder(home.path()).build().expect("engine");
    for _ in 0..2 {
        let query = "SELECT embed('minilm', 'a')";
        check_error(
            &second,
            query,
            "makes another result of a text than when it was made",
        )
        .await;
    }
}

#[tokio::test]
async fn what_a_model_cannot_do_is_said_at_planning() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    for (query, expected) in [
        (
            "SELECT classify('minilm', 'a') WHERE false",
            "model `minilm@1` (onnx embedding) does not classify",
        ),
        (
            "SELECT embed('topics', 'a') WHERE false",
            "model `topics@1` (onnx classification) does not embed",
        ),
        (
            "SELECT embed('minlm', 'a') WHERE false",
            "no model `minlm`; did you mean `minilm`?",
        ),
        (
            "SELECT embed('minilm@7', 'a') WHERE false",
            "model `minilm` has no version 7; it has [1]",
        ),
        (
            "SELECT embed(t, 'a') FROM (VALUES ('minilm')) AS v(t)",
            "`model` must be a constant, found `t`",
        ),
        (
            "SELECT embed('minilm') WHERE false",
            "embed(model, text): expected 2 arguments, found 1",
        ),
        (
            "SELECT embed('minilm', 7) WHERE false",
            "`text` must be a text, found Int64",
        ),
        (
            "SELECT token_ids('a', 'word') WHERE false",
            "no model `word`",
        ),
    ] {
        check_error(&engine, query, expected).await;
    }
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
            error.contains("ONNX Runtime was not found; tried") && error.contains(expected),
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
