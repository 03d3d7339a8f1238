//! Files of objects, whole and broken, in pieces of every size.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type, SchemaRef};
use proptest::prelude::*;

use super::records::MOST_UNCLOSED;
use super::*;
use crate::checks::schema;

const WHOLE: BatchLimits = BatchLimits {
    rows: 1000,
    bytes: usize::MAX,
};

fn columns() -> SchemaRef {
    schema([("id", DataType::Int64), ("text", DataType::Utf8)])
}

/// Reads a file in pieces of so many bytes.
fn read(bytes: &[u8], columns: &SchemaRef, limits: BatchLimits, piece: usize) -> Vec<FileRows> {
    let mut file = JsonFile::try_new(columns, limits).expect("valid");
    let mut found = Vec::new();
    for piece in bytes.chunks(piece) {
        file.push(piece);
        found.extend(std::iter::from_fn(|| file.read()));
    }
    file.finish();
    found.extend(std::iter::from_fn(|| file.read()));
    found
}

/// Shows rows as `id text`, and what failed as its line and error.
fn shown(found: &[FileRows]) -> Vec<String> {
    let batch = |batch: &RecordBatch| {
        let ids = batch.column(0).as_primitive::<Int64Type>().clone();
        let texts = batch.column(1).as_string::<i32>().clone();
        let row = |(id, text): (Option<i64>, Option<&str>)| {
            let id = id.map_or("-".to_owned(), |id| id.to_string());
            format!("{id} {}", text.unwrap_or("-"))
        };
        ids.iter().zip(&texts).map(row).collect::<Vec<_>>()
    };
    let shown = found.iter().map(|found| match found {
        FileRows::Batch(rows) => batch(rows),
        FileRows::Failed(failed) => vec![format!("{}: {}", failed.line, failed.error)],
    });
    shown.collect::<Vec<_>>().concat()
}

/// Checks what a file holds, however its bytes come and its batches are cut.
fn check(file: impl AsRef<[u8]>, expected: &[&str]) {
    let file = file.as_ref();
    for piece in [1, 2, 3, 7, 64, 1 << 20] {
        for rows in [1, 2, 1000] {
            for bytes in [1, 30, usize::MAX] {
                let limits = BatchLimits { rows, bytes };
                let found = shown(&read(file, &columns(), limits, piece));
                let text = String::from_utf8_lossy(file);
                assert_eq!(found, expected, "{piece} {limits:?}: {text}");
            }
        }
    }
}

#[test]
fn lines_are_objects_and_empty_ones_are_passed() {
    let expected = ["1 a", "2 -", "3 c"];
    check(
        "{\"id\":1,\"text\":\"a\"}\n{\"id\":2}\n{\"id\":3,\"text\":\"c\"}",
        &expected,
    );
    check(
        "\u{feff}{\"id\":1,\"text\":\"a\"}\r\n\r\n \t{\"id\":2}\r\n\n\n{\"id\":3,\"text\":\"c\"}\r\n\n",
        &expected,
    );
    check("", &[]);
    check("\u{feff}\n \n", &[]);
}

#[test]
fn objects_need_no_lines_of_their_own() {
    check(
        "{\"id\":\n 1,\n\"text\": \"}{\\\"\"\n} {\"id\":2}{\"id\":3}\n{\"id\":4}",
        &["1 }{\"", "2 -", "3 -", "4 -"],
    );
}

#[test]
fn an_array_is_its_objects() {
    check(
        " [{\"id\":1},\n{\"id\":2 ,\n\"text\":\"a]\"} , {\"id\":3}\n]\n",
        &["1 -", "2 a]", "3 -"],
    );
    check("\u{feff}[]", &[]);
    check(
        "[{\"id\":1},{\"id\":\"x\"},{\"id\":2}]",
        &["1 -", "1: expected Int64 in `id`, found `\"x\"}`", "2 -"],
    );
    for (file, expected) in [
        ("[{\"id\":1},,{\"id\":2}]", "1: expected an object, found "),
        ("[{\"id\":1} {\"id\":2}]", "1: expected `,` or `]`, found "),
        ("[{\"id\":1},]", "1: expected an object, found "),
        (
            "[{\"id\":1}\n",
            "2: expected the `]` that ends the array, found ",
        ),
        (
            "[{\"id\":1}\n]\n]",
            "3: expected the end of the file behind the array, found ",
        ),
        (
            "[{\"id\":1},\n{\"id\":2",
            "2: expected `,` or `}` at byte 7, found ",
        ),
    ] {
        let found = shown(&read(file.as_bytes(), &columns(), WHOLE, 1 << 20));
        assert_eq!(found.len(), 2, "{file}: {found:?}");
        assert!(found[1].starts_with(expected), "{file}: {found:?}");
    }
}

#[test]
fn a_record_that_fails_is_named_with_its_line_and_touches_no_other() {
    check(
        "{\"id\":1}\n{\"id\":3.7}\n\n{\"id\":2,\"text\":\"open}\n{\"id\":012}\n{\"id\":3,}\n{\"id\":\n\"x\",\"s\":\n{\"id\":9}}\n{\"id\":4}\n",
        &[
            "1 -",
            "2: expected Int64 in `id`, found `3.7}`",
            "4: expected an escape instead of a control character at byte 21, found `\\n`",
            "5: expected `,` or `}` at byte 7, found `12}`",
            "6: expected a field's name in quotes at byte 8, found `}`",
            "7: expected Int64 in `id`, found `\"x\",\"s\":\\n{\"id\":9}}`",
            "4 -",
        ],
    );
}

#[test]
fn bytes_that_are_no_utf8_fail_their_line() {
    let file = b"{\"id\":1}\n{\"text\":\"\xff\"}\n{\"id\":2,\n\"text\":\"\xc3\"}\n{\"id\":3}";
    check(
        file,
        &[
            "1 -",
            "2: expected UTF-8 at byte 9, found 0xff",
            "3: expected UTF-8 at byte 17, found 0xc3",
            "4: expected UTF-8 at byte 8, found 0xc3",
            "3 -",
        ],
    );
}

#[test]
fn a_file_that_is_cut_off_says_so() {
    check(
        "{\"id\":1}\n{\"id\":2,\"text\":\"a",
        &[
            "1 -",
            "2: expected the quote that ends the text at byte 17, found the end of the record",
        ],
    );
    check(
        "{\"id\":1}\n{\"id\":",
        &[
            "1 -",
            "2: expected a value at byte 6, found the end of the record",
        ],
    );
}

#[test]
fn characters_of_every_plane_are_read() {
    for char in ["\u{20bb7}", "\u{e0100}", "\u{10fffd}", "\u{1f600}"] {
        let mut units = [0; 2];
        let units = char.chars().next().expect("one").encode_utf16(&mut units);
        let escaped: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
        check(
            format!("{{\"text\":\"{escaped}\"}}\n"),
            &[&format!("- {char}")],
        );
    }
}

#[test]
fn a_text_of_10_mb_is_read() {
    let text = "0123456789\\n".repeat(1_000_000);
    for file in [
        format!("{{\"id\":1}}\n{{\"text\":\"{text}\"}}\n{{\"id\":2}}\n"),
        format!("[{{\"id\":1}},{{\"text\":\"{text}\"}},{{\"id\":2}}]"),
    ] {
        for piece in [8192, 1 << 18] {
            let found = shown(&read(file.as_bytes(), &columns(), WHOLE, piece));
            assert_eq!(found.len(), 3);
            assert_eq!(found[1].len(), 2 + 11 * 1_000_000);
            assert_eq!([&found[0], &found[2]], ["1 -", "2 -"]);
        }
    }
}

#[test]
fn what_is_no_json_is_found_without_reading_the_file_to_its_end() {
    let mut file = JsonFile::try_new(&columns(), WHOLE).expect("valid");
    let mut lines = 0;
    let failed = loop {
        file.push("{\"id\":1\n".repeat(1000).as_bytes());
        lines += 1000;
        if let Some(found) = file.read() {
            break found;
        }
        assert!(lines < 100_000, "nothing found");
    };
    let FileRows::Failed(failed) = failed else {
        panic!("{failed:?}")
    };
    assert_eq!(failed.line, 1);
    let expected = "expected `,` or `}` at byte 8, found ";
    assert!(
        failed.error.to_string().starts_with(expected),
        "{}",
        failed.error
    );
}

#[test]
fn records_that_never_end_are_not_looked_for_again_and_again() {
    let file = "{\"text\": [\n".repeat(20_000);
    let found = read(
        file.as_bytes(),
        &schema([("id", DataType::Int64)]),
        WHOLE,
        1 << 18,
    );
    assert_eq!(found.len(), MOST_UNCLOSED + 1);
}

#[test]
fn batches_end_by_rows_and_by_bytes() {
    let file = "{\"id\":1}\n".repeat(10);
    let sizes = |limits| {
        let found = read(file.as_bytes(), &columns(), limits, 1 << 20);
        let rows = |found: &FileRows| match found {
            FileRows::Batch(batch) => batch.num_rows(),
            FileRows::Failed(failed) => panic!("{failed:?}"),
        };
        found.iter().map(rows).collect::<Vec<_>>()
    };
    assert_eq!(
        sizes(BatchLimits {
            rows: 4,
            bytes: usize::MAX
        }),
        [4, 4, 2]
    );
    assert_eq!(
        sizes(BatchLimits {
            rows: 100,
            bytes: 20
        }),
        [3, 3, 3, 1]
    );
}

/// Documents after JSONTestSuite's kinds, as the value of a field that no column has.
#[test]
fn documents_are_json_or_they_are_refused() {
    let valid = [
        "[]",
        "[ ]",
        "[[]   ]",
        "[\"\"]",
        "[null, 1, \"1\"]",
        "[123e65]",
        "[0e+1]",
        "[0e1]",
        "[-0]",
        "[-123]",
        "[1E22]",
        "[1E-2]",
        "[123.456e78]",
        "{\"a\":\"b\",\"a\":\"c\"}",
        "{\"\":0}",
        "{\"x\\u0000y\":1}",
        r#"["\u0060\u012a\u12AB"]"#,
        r#"["\ud801\udc37"]"#,
        r#"["\"\\\/\b\f\n\r\t"]"#,
        "[\"\u{7f}\"]",
        "[\"\u{2028}\"]",
        "[\"\u{fffd}\"]",
        "\" \"",
        "false",
        "42",
        "-0.1",
        "null",
        "[true]",
    ];
    let invalid = [
        "[1,,2]",
        "[1,]",
        "[,1]",
        "[\"\",]",
        "[\"x\"",
        "[x",
        "[1:2]",
        "[3[4]]",
        "[1 true]",
        "[]]",
        "012",
        "-012",
        "-",
        "+1",
        "1.",
        ".5",
        "-.5",
        "0.e1",
        "1e",
        "1e+",
        "0x1",
        "1_000",
        "NaN",
        "-Infinity",
        "Infinity",
        "[1+2]",
        "tru",
        "True",
        "nul",
        "undefined",
        "'a'",
        "[\"a\nb\"]",
        "[\"\t\"]",
        "[\"\u{0}\"]",
        r#"["\x00"]"#,
        r#"["\u00A"]"#,
        r#"["\u"]"#,
        r#"["\uD800"]"#,
        r#"["\uD800\u"]"#,
        r#"["\uDC00"]"#,
        r#"["\a"]"#,
        r#"["\"]"#,
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\" 1}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{1:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1,,\"b\":2}",
        "{,}",
        "{\"a\":/*c*/1}",
        "1//c",
        "[\u{a0}]",
        "[\u{feff}]",
        "",
        " ",
        "{",
        "[",
        "}",
    ];
    let rows = |file: &str| {
        let found = read(
            file.as_bytes(),
            &schema([("id", DataType::Int64)]),
            WHOLE,
            1 << 20,
        );
        found
            .iter()
            .all(|found| matches!(found, FileRows::Batch(_)))
    };
    let types = |file: &str| {
        let mut types = JsonTypes::new(10);
        types.push(file.as_bytes()).is_ok() && types.finish().is_ok()
    };
    for document in valid {
        for file in [
            format!("{{\"x\":{document}}}"),
            format!("[{{\"x\":{document}}}]"),
        ] {
            assert!(rows(&file) && types(&file), "{file}");
        }
    }
    for document in invalid {
        for file in [
            format!("{{\"x\":{document}}}"),
            format!("[{{\"x\":{document}}}]"),
            format!("{{\"x\":\n{document}}}"),
        ] {
            assert!(!rows(&file) && !types(&file), "{file}");
        }
    }
}

#[test]
fn bytes_are_asked_for_as_text() {
    for column in [
        DataType::Binary,
        DataType::FixedSizeBinary(2),
        DataType::new_list(DataType::BinaryView, true),
    ] {
        let refused = JsonFile::try_new(&schema([("a", column)]), WHOLE);
        let error = refused.expect_err("refused").to_string();
        assert!(error.contains("decode(text, 'hex')"), "{error}");
    }
}

/// Returns the columns of some lines.
fn types(file: &str) -> Result<String, String> {
    let mut types = JsonTypes::new(1000);
    let shown = |failed: FailedRecord| format!("{}: {}", failed.line, failed.error);
    types.push(file.as_bytes()).map_err(shown)?;
    types.finish().map_err(shown)?;
    let schema = types.schema();
    let field = |field: &std::sync::Arc<Field>| format!("{} {}", field.name(), field.data_type());
    Ok(schema
        .fields()
        .iter()
        .map(field)
        .collect::<Vec<_>>()
        .join("; "))
}

#[test]
fn columns_are_what_their_values_have_in_common() {
    for (file, expected) in [
        (
            "{\"b\":1,\"a\":\"x\"}\n{\"c\":true,\"a\":null}",
            "b Int64; a Utf8; c Boolean",
        ),
        ("{\"a\":1}\n{\"a\":2.5}", "a Float64"),
        ("{\"a\":9223372036854775808}\n{\"a\":1}", "a UInt64"),
        ("{\"a\":-1}\n{\"a\":9223372036854775808}", "a Float64"),
        ("{\"a\":18446744073709551616}", "a Float64"),
        ("{\"a\":-9223372036854775808}", "a Int64"),
        ("{\"a\":1e3}", "a Float64"),
        ("{\"a\":null}", "a Utf8"),
        ("{\"a\":1}\n{\"a\":\"x\"}", "a Utf8"),
        ("{\"a\":[1,2.5],\"b\":[]}", "a List(Float64); b List(Utf8)"),
        (
            "[{\"a\":{\"b\":[{\"c\":1}]}}]",
            "a Struct(\"b\": List(Struct(\"c\": Int64)))",
        ),
        ("", ""),
    ] {
        assert_eq!(types(file).as_deref(), Ok(expected), "{file}");
    }
    let error = types("{\"a\":1}\n{\"a\":{}}").expect_err("refused");
    assert_eq!(error, "2: expected a scalar in `a`, found `{}}`");
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(
        types(&deep)
            .expect_err("refused")
            .contains("at most 64 objects and lists")
    );
}

#[test]
fn columns_are_found_in_the_first_records_alone() {
    let mut types = JsonTypes::new(2);
    assert_eq!(types.push(b"{\"a\":1}\n"), Ok(true));
    assert_eq!(types.push(b"{\"a\":2}\n{\"a\":\n"), Ok(false));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn what_serde_json_writes_is_read_as_it_was(
        rows in prop::collection::vec((any::<i64>(), any::<String>(), any::<bool>()), 0..20),
        piece in 1_usize..100,
        as_array in any::<bool>(),
    ) {
        let object = |(id, text, pretty): &(i64, String, bool)| {
            let object = serde_json::json!({"text": text, "id": id, "other": {"}": [text]}});
            match pretty {
                true => serde_json::to_string_pretty(&object).expect("JSON"),
                false => object.to_string(),
            }
        };
        let objects: Vec<_> = rows.iter().map(object).collect();
        let file = match as_array {
            true => format!("[{}]", objects.join(",\n")),
            false => objects.join("\n"),
        };
        let expected: Vec<_> = rows.iter().map(|(id, text, _)| format!("{id} {text}")).collect();
        let found = read(file.as_bytes(), &columns(), BatchLimits { rows: 7, bytes: 200 }, piece);
        prop_assert_eq!(shown(&found), expected);
    }
}
