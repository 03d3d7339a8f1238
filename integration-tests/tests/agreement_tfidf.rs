//! Agreement of the kind `tfidf` with scikit-learn's TfidfVectorizer, by the golden file that python/goldens.py writes.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{Float32Type, Int32Type, Int64Type};
use lexstream::Engine;
use serde_json::Value;

use crate::agreement::goldens;

/// An engine with the goldens' texts as the table `texts`, by `id`.
fn engine(home: &std::path::Path) -> (Engine, usize) {
    let engine = lexstream::builder().home(home).build().expect("engine");
    let texts: StringArray = goldens("plain")
        .iter()
        .map(|golden| golden["text"].as_str())
        .collect();
    let rows = texts.len();
    let ids = datafusion::arrow::array::Int32Array::from_iter_values(0..rows as i32);
    let columns: [(&str, ArrayRef); 2] = [("id", Arc::new(ids)), ("text", Arc::new(texts))];
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    engine
        .context()
        .register_batch("texts", batch)
        .expect("a table");
    (engine, rows)
}

async fn rows(engine: &Engine, query: &str) -> RecordBatch {
    let frame = engine.sql(query).await.expect(query);
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let batches = frame.collect().await.expect(query);
    datafusion::arrow::compute::concat_batches(&schema, &batches).expect("one schema")
}

fn with(golden: &Value) -> String {
    let options = golden["options"].as_object().expect("options");
    let options = options.iter().map(|(name, value)| {
        let value = value.as_str().expect("a text").replace('\'', "''");
        format!(", '{name}' = '{value}'")
    });
    options.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn vocabularies_and_vectors_are_tfidf_vectorizers() {
    let home = tempfile::tempdir().expect("home");
    let (engine, count) = engine(home.path());
    for golden in goldens("tfidf") {
        let options = with(&golden);
        let create = format!(
            "CREATE OR REPLACE MODEL t WITH ('kind' = 'tfidf'{options}) AS SELECT text FROM texts"
        );
        engine
            .sql(&create)
            .await
            .unwrap_or_else(|error| panic!("{create}: {error}"));
        let vocabulary = rows(&engine, "SELECT * FROM vocabulary('t') ORDER BY index").await;
        let terms: Vec<_> = vocabulary
            .column(0)
            .as_string_view()
            .iter()
            .flatten()
            .collect();
        let expected: Vec<_> = golden["terms"]
            .as_str()
            .expect("terms")
            .split('\u{1f}')
            .collect();
        assert_eq!(terms, expected, "{options}");
        let frequencies = vocabulary.column(2).as_primitive::<Int64Type>().values();
        let frequencies: Vec<_> = frequencies.iter().map(ToString::to_string).collect();
        assert_eq!(
            Some(&*frequencies.join(" ")),
            golden["document_frequency"].as_str(),
            "{options}"
        );
        let found = rows(&engine, "SELECT tfidf('t', text) FROM texts ORDER BY id").await;
        let (indices, values) = {
            let vectors = found.column(0).as_struct();
            (
                vectors.column(0).as_list::<i32>().clone(),
                vectors.column(1).as_list::<i32>().clone(),
            )
        };
        let expected = golden["vectors"].as_array().expect("vectors");
        assert_eq!((found.num_rows(), expected.len()), (count, count));
        for (row, expected) in expected.iter().enumerate() {
            let expected = expected.as_str().expect("entries").split_whitespace();
            let expected: Vec<(i32, f64)> = expected
                .map(|entry| {
                    let (index, value) = entry.split_once(':').expect("index:value");
                    (
                        index.parse().expect("an index"),
                        value.parse().expect("a value"),
                    )
                })
                .collect();
            let (indices, values) = (indices.value(row), values.value(row));
            let indices = indices.as_primitive::<Int32Type>().values();
            assert!(
                indices.iter().eq(expected.iter().map(|(index, _)| index)),
                "{options}: row {row}: {indices:?}, expected {expected:?}"
            );
            for (found, (index, expected)) in values
                .as_primitive::<Float32Type>()
                .values()
                .iter()
                .zip(&expected)
            {
                assert!(
                    (f64::from(*found) - expected).abs() <= 1e-6 * expected.abs(),
                    "{options}: row {row}, index {index}: {found}, expected {expected}"
                );
            }
        }
    }
}
