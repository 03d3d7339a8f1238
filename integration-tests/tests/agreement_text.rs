//! Agreement of the text library with its references, by the golden files that python/goldens.py writes.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::Float64Type;
use lexstream::Engine;

use crate::agreement::{check_lists, goldens};

#[tokio::test]
async fn likeness_is_rapidfuzzs() {
    let goldens = goldens("likeness");
    let column = |name: &str| -> ArrayRef {
        let texts = goldens.iter().map(|golden| golden[name].as_str());
        Arc::new(texts.collect::<StringArray>())
    };
    let batch = RecordBatch::try_from_iter([("a", column("a")), ("b", column("b"))]);
    let engine = Engine::builder()
        .target_partitions(1)
        .build()
        .expect("engine");
    let table = engine
        .context()
        .read_batch(batch.expect("a batch"))
        .expect("a table");
    for (measure, arguments) in [
        (
            "jaccard_similarity",
            "tokenize(replace(a, chr(28), ' '), 'whitespace'), tokenize(replace(b, chr(28), ' '), 'whitespace')",
        ),
        ("jaro_winkler_similarity", "a, b"),
        ("levenshtein_similarity", "a, b"),
        ("token_set_ratio", "a, b"),
    ] {
        let call = format!("{measure}({arguments})");
        let frame = table.clone().select_exprs(&[&call]).expect(&call);
        let batches = frame.collect().await.expect(&call);
        let found = batches[0].column(0).as_primitive::<Float64Type>();
        assert_eq!(found.len(), goldens.len());
        for (golden, found) in goldens.iter().zip(found.values()) {
            let expected = golden[measure].as_f64().expect("a number");
            assert!(
                (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
                "{measure} of {} and {}: {found}, expected {expected}",
                golden["a"],
                golden["b"]
            );
        }
    }
}

#[tokio::test]
async fn runs_of_tokens_are_count_vectorizers() {
    for (n, max) in [(1, 1), (2, 2), (1, 3), (2, 5)] {
        check_lists(
            &format!("ngrams(tokenize(text, 'sklearn'), {n}, {max})"),
            &format!("ngrams_{n}_{max}"),
        )
        .await;
    }
}

#[tokio::test]
async fn runs_of_characters_are_count_vectorizers() {
    for n in [1, 3, 40] {
        check_lists(
            &format!("char_ngrams(text, {n})"),
            &format!("char_ngrams_{n}"),
        )
        .await;
    }
}
