//! Messages and rows as CSV.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field};

use crate::checks::{decode, encode, schema, shown, texts, with};
use crate::{FormatOptions, format};

/// Reads messages as rows of `id BIGINT, text VARCHAR`.
fn check(options: &[(&str, &str)], messages: &[&str], rows: &[&str], failed: &[&str]) {
    let columns = schema([("id", DataType::Int64), ("text", DataType::Utf8View)]);
    let messages: Vec<_> = messages
        .iter()
        .map(|message| Some(message.as_bytes()))
        .collect();
    let found = shown(&decode(&with("csv", options), &columns, &messages));
    assert_eq!(found.0, rows);
    assert_eq!(found.1, failed);
}

#[test]
fn a_message_is_one_record() {
    let messages = [
        "1,a", "2,b\n", "3,c\r\n", "4,d\n5,e", "", "6", "7,a,b", "8,f\n\n",
    ];
    let rows = [
        r#"{"id":1,"text":"a"}"#,
        r#"{"id":2,"text":"b"}"#,
        r#"{"id":3,"text":"c"}"#,
    ];
    let failed = [
        r"3: expected one record a message, and its end at byte 3, found `\n5,e`",
        "4: expected 2 fields, found 1",
        "5: expected 2 fields, found 1",
        "6: expected 2 fields, found 3",
        r"7: expected one record a message, and its end at byte 3, found `\n\n`",
    ];
    check(&[], &messages, &rows, &failed);
}

#[test]
fn a_quoted_field_holds_everything() {
    let messages = [
        "1,\"a,\n\"\"b\"\"\"",
        "\"2\",\"\"",
        "3,",
        ",x",
        "4,5\" pipe",
    ];
    let rows = [
        r#"{"id":1,"text":"a,\n\"b\""}"#,
        r#"{"id":2,"text":""}"#,
        r#"{"id":3}"#,
        r#"{"text":"x"}"#,
        r#"{"id":4,"text":"5\" pipe"}"#,
    ];
    check(&[], &messages, &rows, &[]);
}

#[test]
fn a_field_that_is_wrong_is_named() {
    let messages = ["x,a", "\"\",a", "1,\"a", "1,\"a\"b"];
    let failed = [
        "0: expected Int64 in `id`, found `x`",
        "1: expected Int64 in `id`, found an empty text",
        "2: expected the quote that ends the field at byte 4, found the end of the message",
        "3: expected `,` or the end of the record after a quote at byte 5, found `b`",
    ];
    check(&[], &messages, &[], &failed);
}

#[test]
fn signs_are_options() {
    let options = [
        ("csv.delimiter", ";"),
        ("csv.quote", "'"),
        ("csv.escape", r"\"),
        ("csv.null", "-"),
    ];
    let messages = [r"1;'a\'\\;b\n'", "2;-", "3;'-'", "-;"];
    let rows = [
        r#"{"id":1,"text":"a'\\;b\\n"}"#,
        r#"{"id":2}"#,
        r#"{"id":3,"text":"-"}"#,
        r#"{"text":""}"#,
    ];
    check(&options, &messages, &rows, &[]);
}

#[test]
fn options_that_contradict_are_refused() {
    for (options, expected) in [
        (
            vec![("csv.quote", ",")],
            "option `csv.quote`: expected another sign than the delimiter, found `,`",
        ),
        (
            vec![("csv.delimiter", "")],
            "option `csv.delimiter`: expected one ASCII character, found ``",
        ),
        (
            vec![("csv.delimiter", "ä")],
            "option `csv.delimiter`: expected one ASCII character that ends no line, found `ä`",
        ),
        (
            vec![("csv.null", "a,b")],
            "option `csv.null`: expected text without delimiter, quote and line break, found `a,b`",
        ),
    ] {
        let owned = options
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let error = format("csv", &mut owned.collect::<FormatOptions>()).expect_err("refused");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn rows_are_quoted_where_they_must_be() {
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(2), None, Some(-4)]));
    let values = vec![Some("a,\"b\"\n"), Some(""), None, Some("plain")];
    let strings: ArrayRef = Arc::new(StringArray::from(values));
    let columns = [("id", ids, true), ("text", strings, true)];
    let rows = RecordBatch::try_from_iter_with_nullable(columns).expect("valid");
    let encoded = encode(&with("csv", &[]), &rows);
    let expected = [
        Some("1,\"a,\"\"b\"\"\n\""),
        Some("2,\"\""),
        Some(","),
        Some("-4,plain"),
    ];
    assert_eq!(texts(&encoded).0, expected);
    let encoded = encode(
        &with("csv", &[("csv.delimiter", "-"), ("tombstones", "true")]),
        &rows,
    );
    assert_eq!(texts(&encoded).0[2..], [None, Some("\"-4\"-plain")]);
}

#[test]
fn lists_are_refused() {
    let list = DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)));
    let error = with("csv", &[])
        .decoder(&schema([("a", list)]))
        .expect_err("refused")
        .to_string();
    assert!(
        error.starts_with("format `csv`: expected columns of numbers"),
        "{error}"
    );
    assert!(error.ends_with("found `a` of List(Int64)"), "{error}");
}
