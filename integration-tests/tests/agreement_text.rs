//! Agreement of the text library with its references, by the golden files that python/goldens.py writes.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::Float64Type;
use serde_json::Value;

use crate::agreement::{check_lists, engine_with_dictionaries, evaluate, evaluate_in, goldens};

#[tokio::test]
async fn likeness_is_rapidfuzzs() {
    let goldens = goldens("likeness");
    let column = |name: &str| -> ArrayRef {
        let texts = goldens.iter().map(|golden| golden[name].as_str());
        Arc::new(texts.collect::<StringArray>())
    };
    let batch = RecordBatch::try_from_iter([("a", column("a")), ("b", column("b"))]);
    let engine = lexstream::builder()
        .target_partitions(1)
        .build()
        .expect("engine");
    let table = engine
        .context()
        .read_batch(batch.expect("a batch"))
        .expect("a table");
    // Python's white space has four characters that Unicode's has not.
    let tokens = |text: &str| {
        let others = "chr(28) || chr(29) || chr(30) || chr(31)";
        format!("tokenize(translate({text}, {others}, '    '), 'whitespace')")
    };
    let tokens = format!("{}, {}", tokens("a"), tokens("b"));
    for (measure, arguments) in [
        ("jaccard_similarity", &*tokens),
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

#[tokio::test]
async fn stems_are_snowballs() {
    let engine = lexstream::builder()
        .target_partitions(1)
        .build()
        .expect("engine");
    for golden in goldens("stem") {
        let list = |name: &str, separator: char| -> Vec<String> {
            let text = golden[name].as_str().expect(name);
            text.split(separator).map(str::to_owned).collect()
        };
        let (words, expected) = (list("words", ' '), list("stems", '|'));
        assert_eq!(words.len(), expected.len());
        let column: ArrayRef = Arc::new(StringArray::from(words.clone()));
        let batch = RecordBatch::try_from_iter([("word", column)]).expect("a batch");
        let call = format!(
            "stem(word, '{}')",
            golden["language"].as_str().expect("a code")
        );
        let frame = engine.context().read_batch(batch).expect("a table");
        let frame = frame.select_exprs(&[&call]).expect(&call);
        let batches = frame.collect().await.expect(&call);
        let found = batches[0].column(0).as_string_view();
        for (row, (word, expected)) in words.iter().zip(&expected).enumerate() {
            assert_eq!(found.value(row), expected, "{call} of {word}");
        }
    }
}

#[tokio::test]
async fn plain_texts_are_scikit_learns_and_pythons() {
    let goldens = goldens("plain");
    for function in ["strip_accents", "normalize_whitespace"] {
        let found = evaluate(&format!("{function}(text)"), &goldens).await;
        for (row, golden) in goldens.iter().enumerate() {
            assert_eq!(
                Some(found.as_string_view().value(row)),
                golden[function].as_str(),
                "{function} of {}",
                golden["text"]
            );
        }
    }
}

fn compare_tags(goldens: &[Value], found: &ArrayRef) {
    let lists = found.as_list::<i32>();
    for (row, golden) in goldens.iter().enumerate() {
        let items = lists.value(row);
        let items = items.as_struct();
        let [tokens, tags] = [0, 1].map(|at| items.column(at).as_string::<i32>());
        let found: Vec<_> = (0..items.len())
            .map(|at| format!("{}\u{1f}{}", tokens.value(at), tags.value(at)))
            .collect();
        assert_eq!(
            Some(&*found.join("\u{1e}")),
            golden["tagged"].as_str(),
            "{}",
            golden["text"]
        );
    }
}

#[tokio::test]
async fn parts_of_speech_are_possegs() {
    let goldens = goldens("pos_tag");
    compare_tags(&goldens, &evaluate("pos_tag(text)", &goldens).await);
}

#[tokio::test]
async fn parts_of_speech_by_a_model_are_possegs() {
    let home = tempfile::tempdir().expect("home");
    let engine = engine_with_dictionaries(home.path()).await;
    for (model, golden) in [("no_hmm", "no_hmm"), ("words_search", "words")] {
        let goldens = goldens(&format!("pos_tag_{golden}"));
        let found = evaluate_in(&engine, &format!("pos_tag(text, '{model}')"), &goldens).await;
        compare_tags(&goldens, &found);
    }
}
