//! Models in ONNX Runtime agree with Python's: vectors, tokens and scores; and pieces of texts fit them.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{Float32Type, Int32Type, Int64Type};
use datafusion::datasource::MemTable;
use lexstream::Engine;
use lexstream_integration_tests::onnx::{builder, engine, goldens};
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

#[tokio::test]
async fn pieces_of_tokens_concatenate_and_fit_the_model() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine(home.path()).await;
    let goldens = goldens("embed");
    let long = texts(&goldens).join("\n");
    let mut texts = texts(&goldens);
    texts.push(&long);
    for size in [1, 3, 32] {
        let call = format!("chunk(text, {size}, {{unit: 'MiniLM'}})");
        let found = evaluate(&engine, &call, &texts, 7).await;
        let found = found.as_list::<i32>();
        for (row, text) in texts.iter().enumerate() {
            let pieces = found.value(row);
            let pieces = pieces.as_struct().column(0).as_string::<i32>();
            let pieces: Vec<_> = pieces.iter().flatten().collect();
            assert_eq!(pieces.concat(), *text);
            if pieces.is_empty() {
                continue;
            }
            let counts = evaluate(&engine, "token_count(text, 'minilm')", &pieces, 100).await;
            for (count, piece) in counts
                .as_primitive::<Int64Type>()
                .values()
                .iter()
                .zip(&pieces)
            {
                assert!(
                    *count <= size || piece.chars().count() == 1,
                    "{count}: {piece:?}"
                );
            }
        }
    }
}
