//! Files of many kinds, whole and broken, under many limits.

use std::io::{self, Cursor};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::common::config::CsvOptions;
use datafusion::datasource::physical_plan::CsvSource;

use super::{AT_ONCE, Csv, Format, Limits, Lines};
use crate::input::Read;

const LIMITS: Limits = Limits {
    rows: 7,
    bytes: 50,
    line: usize::MAX,
};

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("text", DataType::Utf8View, true),
    ]))
}

fn csv(options: CsvOptions) -> Format {
    let options = CsvOptions {
        has_header: Some(true),
        ..options
    };
    let schema = schema();
    let source = CsvSource::new(Arc::clone(&schema)).with_csv_options(options);
    Format::Csv(Csv {
        source: Box::new(source),
        schema,
        columns: vec![0, 1],
    })
}

fn read(text: &str, format: Format, limits: Limits) -> Vec<Result<Read>> {
    let input = Box::new(Cursor::new(text.to_owned()));
    Lines::try_new(input, format, limits)
        .expect("a reader")
        .collect()
}

/// Returns the rows of each batch, each as its number and text, and of those that are bad the error.
fn rows(found: Vec<Result<Read>>) -> Vec<Vec<String>> {
    let rows = found
        .into_iter()
        .map(|read| match read.expect("the file is read") {
            Read::Rows(batch) => {
                let ids = batch.column(0).as_primitive::<Int64Type>();
                let texts = batch.column(1).as_string_view();
                let row = |row| match ids.is_null(row) {
                    true => format!("- {}", texts.value(row)),
                    false => format!("{} {}", ids.value(row), texts.value(row)),
                };
                (0..batch.num_rows()).map(row).collect()
            }
            Read::CorruptRow(error) | Read::TypeMismatch(error) => vec![format!("bad: {error}")],
        });
    rows.collect()
}

/// Reads rows of these texts in CSV and JSON; returns the rows of each batch.
fn check(texts: &[&str]) -> [Vec<usize>; 2] {
    let quoted = |text: &&str| text.replace('"', "\"\"");
    let (mut in_csv, mut in_json) = ("id,text\n".to_owned(), String::new());
    for (id, text) in texts.iter().enumerate() {
        in_csv.push_str(&format!("{id},\"{}\"\r\n", quoted(text)));
        let text = serde_json::to_string(text).expect("JSON");
        // Whether an object has lines of its own is nobody's business.
        let gap = if id % 3 == 0 { "\n  " } else { "" };
        in_json.push_str(&format!("{{\"id\": {id},{gap}\"text\": {text}}}\n"));
    }
    let every = Limits {
        rows: 1000,
        bytes: usize::MAX,
        ..LIMITS
    };
    let mut sizes = Vec::new();
    for (text, format) in [
        (&in_csv, (|| csv(CsvOptions::default())) as fn() -> Format),
        (&in_json, || Format::Json(schema())),
    ] {
        let whole = rows(read(text, format(), every)).concat();
        let cut = rows(read(text, format(), LIMITS));
        assert_eq!(whole.len(), texts.len());
        sizes.push(cut.iter().map(Vec::len).collect());
        assert_eq!(whole, cut.concat(), "{text}");
    }
    sizes.try_into().expect("two")
}

#[test]
fn batches_end_by_rows_and_by_bytes() {
    assert_eq!(check(&["a"; 16])[0], [7, 7, 2]);
    let long = "long ".repeat(100);
    let texts = [
        "a",
        &long,
        "b",
        "c",
        &long,
        &long,
        "d\n\ne \"f\"\r\ng",
        "",
        "h",
    ];
    let [csv, json] = check(&texts);
    // A batch holds at most what fits, and the row that is under way then.
    assert_eq!(csv, [2, 3, 1, 3]);
    assert_eq!(json, [2, 3, 1, 2, 1]);
    assert_eq!(check(&[&long, &long])[0], [1, 1]);
    check(&[]);
}

#[test]
fn lines_may_end_otherwise() {
    let limits = Limits { bytes: 1, ..LIMITS };
    let options = CsvOptions {
        terminator: Some(b';'),
        ..CsvOptions::default()
    };
    let found = rows(read("id,text;1,a\nb;2,c;3,d", csv(options), limits));
    assert_eq!(found, [["1 a\nb"], ["2 c"], ["3 d"]]);
    // A carriage return ends a row, a line feed in quotes does not.
    let lines = (0..50).map(|id| format!("{id},\"one {id}\nand two\"\r"));
    let text = format!("id,text\r{}", lines.collect::<String>());
    let found = rows(read(&text, csv(CsvOptions::default()), LIMITS));
    let expected: Vec<_> = (0..50)
        .map(|id| format!("{id} one {id}\nand two"))
        .collect();
    assert_eq!(found.concat(), expected);
    assert!(found.iter().all(|rows| rows.len() < 5), "{found:?}");
    // So do objects that stand in one line.
    let text = "{\"id\": 1,\n\"text\": \"a\"} {\"id\": 2,\n\"text\": \"b\"} {\"id\": 3}\n";
    let found = rows(read(&text.repeat(9), Format::Json(schema()), LIMITS));
    assert_eq!(found.concat(), ["1 a", "2 b", "3 "].repeat(9));
}

#[test]
fn a_line_without_an_end_is_refused_before_it_is_whole() {
    let limits = Limits {
        line: 1 << 20,
        ..LIMITS
    };
    let text = format!("{{\"text\": \"{}\"}}", "x".repeat(4 << 20));
    let found = read(&text, Format::Json(schema()), limits);
    let [Err(error)] = found.as_slice() else {
        panic!("{found:?}")
    };
    let told = "a line of more than 1 MB";
    assert!(error.to_string().contains(told), "{error}");
    // Many lines may be longer together.
    let text = "{\"id\": 1}\n".repeat(300_000);
    let found = rows(read(&text, Format::Json(schema()), limits));
    assert_eq!(found.iter().map(Vec::len).sum::<usize>(), 300_000);
}

#[test]
fn a_long_line_is_told_before_it_is_read() {
    let long = "x".repeat(3 * AT_ONCE);
    let text = format!("{{\"id\": 1}}\n{{\"text\": \"{long}\"}}\n{{\"id\": 2}}\n");
    let limits = Limits {
        line: 1 << 20,
        rows: 1,
        ..LIMITS
    };
    let input = Box::new(Cursor::new(text));
    let lines = Lines::try_new(input, Format::Json(schema()), limits);
    let mut lines = lines.expect("a reader");
    let mut told = Vec::new();
    loop {
        told.push(lines.long_line().expect("a line"));
        if lines.next().is_none() {
            break;
        }
    }
    assert_eq!(told, [0, 1 << 20, 0, 0]);
}

/// Checks what is read whatever the limits are: rows by their number and text, bad ones as `bad`.
fn check_bad(text: &str, format: impl Fn() -> Format, expected: &[&str]) {
    for rows_at_once in [1, 2, 7, 1000] {
        for bytes in [1, 20, 50, usize::MAX] {
            let limits = Limits {
                rows: rows_at_once,
                bytes,
                ..LIMITS
            };
            let found = rows(read(text, format(), limits)).concat();
            let found: Vec<_> = found
                .iter()
                .map(|row| row.split(": ").next().unwrap_or_default().trim_end())
                .collect();
            assert_eq!(found, expected, "{limits:?}: {text}");
        }
    }
}

#[test]
fn a_bad_line_is_one_row_among_others() {
    let json = |text: &str, expected: &[&str]| {
        check_bad(text, || Format::Json(schema()), expected);
    };
    json(
        "{\"id\": 1}\n{\"id\": nothing}\n\n{\"id\": 2, \"text\": \"open}\n{\"id\": 3}\n{\"id\":\n4}\n{\"id\": \"x\"}\n{\"id\": 5",
        &["1", "bad", "bad", "3", "4", "bad", "bad"],
    );
    // An object of many lines is one, and what is within it is none.
    json(
        "{\"id\": \"x\", \"sub\":\n{\"id\": 5, \"text\": \"inner\"}\n}\n{\"id\": 2}",
        &["bad", "2"],
    );
    // So are objects of one line.
    json(
        "{\"id\": 1} {\"id\": \"x\"} {\"id\": 2}\n{\"id\": 3}\n",
        &["1", "bad", "2", "3"],
    );
    json(
        "{\"id\": \"x\"}\n{\"id\": 1, \"text\": \"a\tb\"}\n{\"id\": 1, \"text\": \"a\\tb\"}\n",
        &["bad", "bad", "1 a\tb"],
    );
    json("", &[]);
    let of_csv = |text: &str, expected: &[&str]| {
        let comment = CsvOptions {
            comment: Some(b'#'),
            ..CsvOptions::default()
        };
        check_bad(text, || csv(comment.clone()), expected);
    };
    of_csv(
        "id,text\n1,\nzzz,\n\n2,a\n5,a,b\n6\n7,\"c\"",
        &["1", "bad", "2 a", "bad", "bad", "7 c"],
    );
    of_csv(
        "id,text\r\nx,\"hello\r\n5,world\"\r\n2,b\r\n",
        &["bad", "2 b"],
    );
    of_csv(
        "#c\n\nid,\"te\nxt\"\n1,a\nx,\n#c\n2,b\n",
        &["1 a", "bad", "2 b"],
    );
    of_csv("id,text,more\n1,a\n2,b\n", &["1 a", "2 b"]);
    of_csv("id,text\n1,\"open\n2,b\n3,c", &["1 open\n2,b\n3,c"]);
    of_csv("id,text\n", &[]);
}

#[test]
fn a_long_record_that_goes_on_behind_a_refused_line_is_read_to_its_end() {
    let long = "x".repeat(2 * AT_ONCE);
    // Refused at the third field, and its fourth goes on in the next line.
    let text = format!("id,text\n1,a\n2,\"{long}\",b,\"c\nd\"\n3,e\n");
    let limits = Limits {
        rows: 1,
        bytes: 1,
        ..LIMITS
    };
    let found = rows(read(&text, csv(CsvOptions::default()), limits)).concat();
    assert_eq!([&found[0], &found[2]], ["1 a", "3 e"]);
    assert!(found[1].starts_with("bad: "), "{}", found[1]);
    assert_eq!(found.len(), 3);
}

#[test]
fn what_was_read_before_a_failure_is_used() {
    struct Failing(usize);

    impl io::Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::Error::other("a truncated file"));
            }
            self.0 -= 1;
            let text = b"{\"id\": 1}\n{\"id\": 2";
            buffer[..text.len()].copy_from_slice(text);
            Ok(text.len())
        }
    }
    let input = Box::new(Failing(1));
    let lines = Lines::try_new(input, Format::Json(schema()), LIMITS);
    let found: Vec<_> = lines.expect("a reader").collect();
    let [Ok(Read::Rows(first)), Err(error)] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(first.num_rows(), 1);
    assert!(error.to_string().contains("a truncated file"), "{error}");
}
