//! Agreement of keywords and collocations, by the golden files that python/goldens.py writes.

use datafusion::arrow::array::{AsArray, StructArray};
use datafusion::arrow::datatypes::{Float64Type, Int64Type};
use serde_json::{Value, json};

use crate::agreement::{evaluate, goldens};

/// Compares a number with the text that a golden has of it.
#[track_caller]
fn check_number(found: f64, expected: &str, what: &str) {
    let expected: f64 = expected.parse().expect("a number");
    assert!(
        (found - expected).abs() <= 1e-6 * expected.abs(),
        "{what}: {found}, expected {expected}"
    );
}

/// The entries of a golden's list, and the fields of each.
fn entries<'a>(golden: &'a Value, name: &str) -> Vec<Vec<&'a str>> {
    let text = golden[name].as_str().expect(name);
    let entries = text.split('\u{1e}').filter(|entry| !entry.is_empty());
    entries
        .map(|entry| entry.split('\u{1f}').collect())
        .collect()
}

/// Checks the keywords of all texts, and that the first of them are the same where fewer are asked for.
async fn check_keywords(name: &str, settings: &str) {
    let goldens = goldens("keywords");
    for most in [1_000_000, 3] {
        let call = format!("keywords(text, {most}{settings})");
        let found = evaluate(&call, &goldens).await;
        for (row, golden) in goldens.iter().enumerate() {
            let what = format!("{call} of {}", golden["text"]);
            let found = found.as_list::<i32>().value(row);
            let terms = texts(found.as_struct(), 0);
            let scores = found.as_struct().column(1).as_primitive::<Float64Type>();
            let mut expected = entries(golden, name);
            expected.truncate(most);
            let names: Vec<_> = expected.iter().map(|entry| entry[0]).collect();
            assert_eq!(terms, names, "{what}");
            for (score, entry) in scores.values().iter().zip(&expected) {
                check_number(*score, entry[1], &what);
            }
        }
    }
}

fn texts(entries: &StructArray, at: usize) -> Vec<String> {
    let texts = entries.column(at).as_string::<i32>();
    texts.iter().flatten().map(str::to_owned).collect()
}

#[tokio::test]
async fn keywords_by_rake_are_rake_nltks() {
    check_keywords("rake", "").await;
}

#[tokio::test]
async fn keywords_by_textrank_are_jiebas() {
    check_keywords("textrank", ", {language: 'zh', method: 'textrank'}").await;
}

#[tokio::test]
async fn keywords_by_tfidf_are_jiebas() {
    check_keywords("tfidf", ", {language: 'zh'}").await;
}

/// The package leaves scores that are equal but for what sums lose in any order: each term is looked for among those.
#[tokio::test]
async fn keywords_by_yake_are_the_packages() {
    let goldens = goldens("keywords_yake");
    let found = evaluate("keywords(text, 1000000, {method: 'yake'})", &goldens).await;
    for (row, golden) in goldens.iter().enumerate() {
        let what = golden["text"].to_string();
        let found = found.as_list::<i32>().value(row);
        let terms = texts(found.as_struct(), 0);
        let scores = found.as_struct().column(1).as_primitive::<Float64Type>();
        let mut expected = entries(golden, "yake");
        assert_eq!(terms.len(), expected.len(), "{what}: {terms:?}");
        for (term, score) in terms.iter().zip(scores.values()) {
            let at = expected.iter().position(|entry| entry[0] == term);
            let at = at.unwrap_or_else(|| panic!("{what}: {term} is no keyword"));
            check_number(*score, expected[at][1], &what);
            check_number(*score, expected[0][1], &what);
            expected.remove(at);
        }
    }
}

#[tokio::test]
async fn collocations_are_nltks() {
    let golden = goldens("collocations").remove(0);
    let lists = golden["texts"].as_array().expect("texts");
    let rows: Vec<_> = lists.iter().map(|text| json!({"text": text})).collect();
    let found = evaluate("collocations(tokenize(text, 'whitespace'))", &rows).await;
    let found = found.as_list::<i32>().value(0);
    let found = found.as_struct();
    let expected = entries(&golden, "bigrams");
    let names: Vec<_> = expected.iter().map(|entry| entry[0]).collect();
    assert_eq!(texts(found, 0), names);
    let counts = found.column(1).as_primitive::<Int64Type>().values();
    let scores = found.column(2).as_primitive::<Float64Type>().values();
    for ((count, score), entry) in counts.iter().zip(scores).zip(&expected) {
        assert_eq!(count.to_string(), entry[1], "{entry:?}");
        check_number(*score, entry[2], entry[0]);
    }
}
