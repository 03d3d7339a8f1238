//! The case folders by every front end there is.

use lexstream_integration_tests::cases::{Case, by_batch, by_sql, by_stream, by_topic, same};
use serde_json::Value;

fn check(front_end: &str, run: impl Fn(&Case) -> Vec<String>) {
    let cases = Case::all();
    assert!(!cases.is_empty(), "no case");
    for case in cases {
        let (found, expected) = (run(&case), case.expected());
        assert_eq!(
            found.len(),
            expected.len(),
            "{} by {front_end}: {found:#?}",
            case.name
        );
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let parsed = |text: &str| {
                serde_json::from_str::<Value>(text)
                    .unwrap_or_else(|error| panic!("{text}: {error}"))
            };
            assert!(
                same(&parsed(found), &parsed(expected)),
                "{} by {front_end}, row {}:\n found {found}\nwanted {expected}",
                case.name,
                at + 1
            );
        }
    }
}

#[test]
fn cases_by_sql() {
    check("sql", by_sql);
}

#[test]
fn cases_by_batch() {
    check("batch", by_batch);
}

#[test]
fn cases_by_sql_over_topics() {
    check("topic", by_topic);
}

#[test]
fn cases_by_stream() {
    check("stream", by_stream);
}

#[test]
fn rows_that_differ_are_seen() {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).expect(text);
    assert!(same(
        &parsed(r#"{"a":[1.000001]}"#),
        &parsed(r#"{"a":[1]}"#)
    ));
    for (found, expected) in [
        (r#"{"a":1.1}"#, r#"{"a":1}"#),
        (r#"{"a":null}"#, r#"{"a":1}"#),
        (r#"{"a":1000001}"#, r#"{"a":1000000}"#),
        (r#"{"a":1,"b":2}"#, r#"{"a":1}"#),
        ("[1]", "[1,2]"),
    ] {
        assert!(
            !same(&parsed(found), &parsed(expected)),
            "{found} {expected}"
        );
    }
}
