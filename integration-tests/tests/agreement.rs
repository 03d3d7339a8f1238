//! Agreement with the reference implementations, by the golden files that python/goldens.py writes.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::Float64Type;
use lexstream::Engine;
use serde_json::Value;

pub(crate) fn goldens(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("goldens")
        .join(format!("{name}.json"));
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("a list")
}

/// Evaluates an expression over the column `text` of these goldens.
pub(crate) async fn evaluate(expression: &str, goldens: &[Value]) -> ArrayRef {
    let engine = lexstream::builder()
        .target_partitions(1)
        .build()
        .expect("engine");
    evaluate_in(&engine, expression, goldens).await
}

pub(crate) async fn evaluate_in(engine: &Engine, expression: &str, goldens: &[Value]) -> ArrayRef {
    let texts: StringArray = goldens
        .iter()
        .map(|golden| golden["text"].as_str())
        .collect();
    let batch =
        RecordBatch::try_from_iter([("text", Arc::new(texts) as ArrayRef)]).expect("a batch");
    let context = engine.context();
    context.deregister_table("goldens").expect("a name");
    context.register_batch("goldens", batch).expect("a table");
    let query = format!("SELECT {expression} FROM goldens");
    let frame = engine.sql(&query).await.expect(expression);
    let batches = frame.collect().await.expect(expression);
    Arc::clone(batches[0].column(0))
}

/// Checks lists of texts.
pub(crate) async fn check_lists(expression: &str, file: &str) {
    let goldens = goldens(file);
    let found = evaluate(expression, &goldens).await;
    compare_lists(&goldens, &found);
}

fn compare_lists(goldens: &[Value], found: &ArrayRef) {
    let mut differing = Vec::new();
    for (row, golden) in goldens.iter().enumerate() {
        let found = found.as_list::<i32>().value(row);
        let found: Vec<_> = found.as_string::<i32>().iter().flatten().collect();
        let expected: Vec<_> = golden["tokens"]
            .as_array()
            .expect("tokens")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let text = golden["text"].as_str().expect("a text");
        if found != expected {
            differing.push(format!(
                "{text:?}\n   found {found:?}\n  wanted {expected:?}"
            ));
        }
    }
    assert!(
        differing.is_empty(),
        "{} of {}:\n{}",
        differing.len(),
        goldens.len(),
        differing.join("\n")
    );
}

#[tokio::test]
async fn sklearn_tokens_are_count_vectorizers() {
    check_lists("tokenize(text, 'sklearn')", "tokenize_sklearn").await;
}

#[tokio::test]
async fn words_are_unisegs() {
    check_lists("tokenize(text)", "tokenize_word").await;
}

#[tokio::test]
async fn characters_are_unisegs() {
    check_lists("tokenize(text, 'char')", "tokenize_char").await;
}

#[tokio::test]
async fn chinese_words_are_jiebas() {
    for mode in ["jieba", "jieba_search", "jieba_all"] {
        check_lists(
            &format!("tokenize(text, '{mode}')"),
            &format!("tokenize_{mode}"),
        )
        .await;
    }
}

/// Returns an engine with the dictionaries that python/goldens.py has jieba cut by, as models.
pub(crate) async fn engine_with_dictionaries(home: &Path) -> Engine {
    let engine = lexstream::builder()
        .home(home)
        .target_partitions(1)
        .build()
        .expect("engine");
    let words = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/words.txt");
    let words = words.to_str().expect("UTF-8");
    for (name, options) in [
        ("no_hmm", "'hmm' = 'false'".to_owned()),
        ("words", format!("'dictionary' = '{words}'")),
        (
            "words_search",
            format!("'dictionary' = '{words}', 'mode' = 'search'"),
        ),
    ] {
        let create = format!("CREATE MODEL {name} WITH ('kind' = 'jieba', {options})");
        engine.sql(&create).await.expect(name);
    }
    engine
}

#[tokio::test]
async fn chinese_words_of_the_users_are_jiebas() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine_with_dictionaries(home.path()).await;
    for name in ["no_hmm", "words", "words_search"] {
        let goldens = goldens(&format!("tokenize_jieba_{name}"));
        let found = evaluate_in(&engine, &format!("tokenize(text, '{name}')"), &goldens).await;
        compare_lists(&goldens, &found);
    }
}

#[tokio::test]
async fn sentences_are_unisegs() {
    check_lists("sentences(text)", "sentences").await;
}

#[tokio::test]
async fn what_stands_between_white_space_is_pythons() {
    check_lists("tokenize(text, 'whitespace')", "tokenize_whitespace").await;
}

#[tokio::test]
async fn normal_forms_are_pythons() {
    let goldens = goldens("normalize_text");
    for form in ["nfc", "nfd", "nfkc", "nfkd"] {
        let found = evaluate(&format!("normalize_text(text, '{form}')"), &goldens).await;
        for (row, golden) in goldens.iter().enumerate() {
            assert_eq!(
                Some(found.as_string_view().value(row)),
                golden[form].as_str(),
                "{form} of {}",
                golden["text"]
            );
        }
    }
}

#[tokio::test]
async fn vectors_are_numpys() {
    let goldens = goldens("vectors");
    let engine = lexstream::builder().build().expect("engine");
    for metric in ["cosine_similarity", "dot_product", "euclidean_distance"] {
        for golden in &goldens {
            let vector = |name: &str| format!("arrow_cast({}, 'List(Float32)')", golden[name]);
            let query = format!("SELECT {metric}({}, {})", vector("a"), vector("b"));
            let batches = engine
                .sql(&query)
                .await
                .expect(metric)
                .collect()
                .await
                .expect(metric);
            let found = batches[0].column(0).as_primitive::<Float64Type>().value(0);
            let expected = golden[metric].as_f64().expect("a number");
            // What cancels out in a dot product is lost relative to the vectors, not to the sum.
            let norm = |name: &str| {
                golden[name]
                    .as_array()
                    .expect("a vector")
                    .iter()
                    .filter_map(Value::as_f64)
                    .map(|x| x * x)
                    .sum::<f64>()
                    .sqrt()
            };
            let size = if metric == "dot_product" {
                norm("a") * norm("b")
            } else {
                expected.abs()
            };
            assert!(
                (found - expected).abs()
                    <= 1e-12 * size.max(f64::MIN_POSITIVE)
                        + 1e-15 * f64::from(metric == "cosine_similarity"),
                "{metric}: {found} {expected}"
            );
        }
    }
}
