//! Rows that fail in a job: where they are said to be, and what becomes of them.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use lexstream_integration_tests::corpus;
use lexstream_integration_tests::job::{Job, rows};
use serde_json::{Value, json};

/// Two files of 100 rows in row groups of 40: `id % 50` is 0 at 0, 50, 100 and 150.
fn corpus_of_two() -> Job {
    let job = Job::default();
    for (name, start) in [("a", 0), ("b", 100)] {
        let path = job.path(&format!("in/{name}.parquet"));
        corpus::write(&path, &corpus::texts(start..start + 100), 40);
    }
    job
}

const QUERY: &str = "SELECT id, 100 / (id % 50) AS q FROM input WHERE id % 3 < 2";

fn arguments<'a>(on_error: &'a str, query: &'a str) -> Vec<&'a str> {
    vec![
        "--input",
        "in",
        "--output",
        "out",
        "--workers",
        "1",
        "--on-error",
        on_error,
        "-c",
        query,
    ]
}

/// Rows whose id leaves 0 or 1, divided by 3: 0, 100 and 150 fail among them; 50 leaves 2.
fn expected() -> Vec<Value> {
    let passed = (0..200).filter(|id| id % 3 < 2 && id % 50 != 0);
    passed
        .map(|id| json!({"id": id, "q": 100 / (id % 50)}))
        .collect()
}

#[test]
fn a_failing_row_stops_the_job_with_its_place_and_cause() {
    let job = corpus_of_two();
    let query = "SELECT id, 100 / (id - 155) AS q FROM input";
    let expected = format!(
        "error: {}, row group 1, row 15: Divide by zero error\n",
        job.path("in/b.parquet").display()
    );
    for _ in 0..2 {
        let ended = job.run(&arguments("fail", query));
        assert_eq!((ended.status, ended.error.as_str()), (Some(1), &*expected));
    }
    // What was finished before stays, and the others follow where errors are counted.
    let found = rows(&job.path("out"));
    assert_eq!(found.len(), 140);
    let summary = job.finish(&arguments("skip", query));
    assert_eq!(
        (&summary["units_before"], &summary["failed"]),
        (&json!(4), &json!(1))
    );
    assert_eq!(job.rows().len(), 199);
}

#[test]
fn failing_rows_are_counted_and_the_others_written() {
    let job = corpus_of_two();
    let summary = job.finish(&arguments("skip", QUERY));
    let counts = ["rows", "passed", "failed", "filtered", "rows_out"].map(|key| &summary[key]);
    assert_eq!(counts, [200, 131, 3, 66, 131].map(Value::from).each_ref());
    assert_eq!(job.rows(), expected());
    assert!(!job.path("out/_errors").exists());
}

#[test]
fn failing_rows_are_filed_with_all_columns_their_place_and_error() {
    let job = corpus_of_two();
    let summary = job.finish(&arguments("file", QUERY));
    assert_eq!(summary["failed"], 3);
    assert_eq!(job.rows(), expected());
    let row = |id: i64, file: &str, row_group: i64, row: i64| {
        json!({
            "id": id, "text": format!("Text {id}, and more."), "_error": "Divide by zero error",
            "_input": job.path(&format!("in/{file}.parquet")), "_row_group": row_group, "_row": row, "_rows": 1,
        })
    };
    assert_eq!(
        rows(&job.path("out/_errors")),
        [row(0, "a", 0, 0), row(100, "b", 0, 0), row(150, "b", 1, 10)]
    );
    // Whoever reads the folder reads its rows, and not those that failed.
    let ended = job.sql("SELECT count(*) AS n FROM 'out'");
    assert_eq!(ended.output, "{\"n\":131}\n");
}

#[test]
fn a_row_that_fails_in_one_output_is_in_none() {
    let job = corpus_of_two();
    job.write(
        "job.sql",
        "CREATE EXTERNAL TABLE input STORED AS PARQUET LOCATION 'in/';
         CREATE EXTERNAL TABLE words (id BIGINT, word VARCHAR) STORED AS PARQUET LOCATION 'words/';
         CREATE EXTERNAL TABLE shares (id BIGINT, q BIGINT) STORED AS PARQUET LOCATION 'shares/';
         INSERT INTO words SELECT id, unnest(tokenize(text)) FROM input WHERE id < 120;
         INSERT INTO shares SELECT id, 100 / (id - 7) FROM input;",
    );
    let summary = job.finish(&["-f", "job.sql", "--on-error", "file"]);
    let counts = ["rows", "passed", "failed", "filtered", "rows_out"].map(|key| &summary[key]);
    // 119 texts of four words, and 199 quotients.
    assert_eq!(
        counts,
        [200, 199, 1, 0, 119 * 4 + 199].map(Value::from).each_ref()
    );
    for (folder, number) in [("words", 476), ("shares", 199)] {
        let found = rows(&job.path(folder));
        assert_eq!(found.len(), number, "{folder}");
        assert!(found.iter().all(|row| row["id"] != 7), "{folder}");
    }
    let errors = rows(&job.path("words/_errors"));
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0]["id"], 7);
    assert!(!job.path("shares/_errors").exists());
}

#[test]
fn columns_of_the_input_that_are_named_as_ours_keep_their_names() {
    let job = Job::default();
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, 0]));
    let errors: ArrayRef = Arc::new(StringArray::from(vec![Some("theirs"), None]));
    let table = corpus::table(vec![("id", ids), ("_error", errors)]);
    corpus::write(&job.path("in/a.parquet"), &table, 10);
    job.finish(&arguments("file", "SELECT 1 / id AS q FROM input"));
    let errors = rows(&job.path("out/_errors"));
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0]["_error"], Value::Null);
    assert_eq!(errors[0]["__error"], "Divide by zero error");
}

#[test]
fn an_error_that_quotes_a_long_text_is_shortened() {
    let job = Job::default();
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(1 << 20)]));
    corpus::write(
        &job.path("in/a.parquet"),
        &corpus::table(vec![("text", text)]),
        10,
    );
    job.finish(&arguments(
        "file",
        "SELECT CAST(text AS BIGINT) AS n FROM input",
    ));
    let errors = rows(&job.path("out/_errors"));
    let message = errors[0]["_error"].as_str().expect("a message");
    assert!(message.contains("xxx") && message.chars().count() <= 2001);
    assert_eq!(errors[0]["text"].as_str().map(str::len), Some(1 << 20));
}

/// Checks files of 2,000 lines, of which one can't be read, too far in for the columns' types to come from it.
fn check_broken_line(name: &str, header: &str, line: fn(i64) -> String, broken: &str) {
    let job = Job::default();
    for file in ["a", "b"] {
        let lines = (0..2000).map(|id| match (file, id) {
            ("a", 1557) => broken.to_owned() + "\n",
            _ => line(id) + "\n",
        });
        let lines = lines.collect::<String>();
        job.write(&format!("in/{file}.{name}"), format!("{header}{lines}"));
    }
    let place = job.path(&format!("in/a.{name}")).display().to_string();
    let arguments = |on_error| {
        let mut arguments = arguments(on_error, "SELECT id FROM input");
        arguments.extend(["--set", "lexstream.batch.batch_rows=100"]);
        arguments
    };
    job.refuse(&arguments("fail"), &format!("{place}, row 1557: "));
    assert_eq!(job.rows(), [] as [Value; 0]);
    for on_error in ["skip", "file"] {
        let restart = [arguments(on_error), vec!["--restart"]].concat();
        let summary = job.finish(&restart);
        let found = ["rows", "failed", "unreadable"].map(|key| &summary[key]);
        assert_eq!(found, [&json!(4000), &json!(1), &json!(0)], "{broken}");
        let ids: Vec<_> = job.rows().iter().map(|row| row["id"].as_i64()).collect();
        let expected = (0..4000).map(|row| row % 2000).enumerate();
        let expected = expected.filter(|(row, _)| *row != 1557);
        let expected: Vec<_> = expected.map(|(_, id)| Some(id)).collect();
        assert_eq!(ids, expected, "{broken}");
    }
    let errors = rows(&job.path("out/_errors"));
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(
        (&errors[0]["_input"], &errors[0]["_row"], &errors[0]["id"]),
        (&json!(place), &json!(1557), &Value::Null)
    );
}

#[test]
fn a_line_that_can_not_be_read_is_one_row_that_fails() {
    let json = |id: i64| format!("{{\"id\": {id}, \"text\": \"row\"}}");
    for broken in [
        "{\"id\": 1490, \"text\": what",
        "{\"id\": \"zzz\"}",
        "{\"text\": \"open}",
    ] {
        check_broken_line("ndjson", "", json, broken);
    }
    let csv = |id: i64| format!("{id},row");
    for broken in ["zzz,row", "1,2,3", "1"] {
        check_broken_line("csv", "id,text\n", csv, broken);
    }
}

#[test]
fn rows_that_fail_are_found_again_among_lines_that_can_not_be_read() {
    let job = Job::default();
    let lines = "x,\"a\n7,c\"\n2,bad1\n3,9\ny,bad2\n5,10\n";
    job.write("in/a.csv", format!("id,text\n{lines}"));
    job.write(
        "job.sql",
        "CREATE EXTERNAL TABLE docs (id BIGINT, text VARCHAR) STORED AS CSV LOCATION 'in/'
         OPTIONS ('format.has_header' 'true');
         CREATE EXTERNAL TABLE out (n BIGINT) STORED AS PARQUET LOCATION 'out/';
         INSERT INTO out SELECT CASE WHEN text LIKE 'bad%' THEN CAST(text AS BIGINT) ELSE 0 END FROM docs;",
    );
    let summary = job.finish(&["-f", "job.sql", "--on-error", "file"]);
    assert_eq!(
        (&summary["rows"], &summary["failed"]),
        (&json!(5), &json!(2))
    );
    let errors = rows(&job.path("out/_errors"));
    let found: Vec<_> = errors
        .iter()
        .map(|row| (&row["_row"], &row["id"], &row["text"]))
        .collect();
    // Of the second, the number can't be read.
    let (one, three, two, bad) = (json!(1), json!(3), json!(2), json!("bad1"));
    assert_eq!(
        found,
        [(&one, &two, &bad), (&three, &Value::Null, &Value::Null)]
    );
}

#[test]
fn a_long_line_beside_a_table_in_memory_is_read() {
    let job = Job::default();
    let long = "word ".repeat(5_000_000);
    job.write(
        "in/a.ndjson",
        format!("{{\"id\": 1, \"text\": \"{long}\"}}\n"),
    );
    job.write(
        "job.sql",
        "CREATE TABLE names AS SELECT 1 AS id, 'one' AS name;
         CREATE EXTERNAL TABLE docs (id BIGINT, text VARCHAR) STORED AS JSON LOCATION 'in/';
         CREATE EXTERNAL TABLE out (name VARCHAR, bytes INT) STORED AS PARQUET LOCATION 'out/';
         INSERT INTO out SELECT name, octet_length(text) FROM docs JOIN names USING (id);",
    );
    job.finish(&["-f", "job.sql", "--memory", "400m"]);
    assert_eq!(job.rows(), [json!({"name": "one", "bytes": 25_000_000})]);
}

#[test]
fn null_in_a_column_that_is_not_null_fails_its_row() {
    let job = corpus_of_two();
    job.write(
        "job.sql",
        "CREATE EXTERNAL TABLE docs STORED AS PARQUET LOCATION 'in/';
         CREATE EXTERNAL TABLE o (id BIGINT NOT NULL, q BIGINT) STORED AS PARQUET LOCATION 'out/';
         INSERT INTO o SELECT nullif(id, 7), nullif(id, 8) FROM docs;",
    );
    job.refuse(
        &["-f", "job.sql"],
        "in/a.parquet, row group 0, row 7: column `id` is NOT NULL, found NULL",
    );
    let summary = job.finish(&["-f", "job.sql", "--on-error", "file"]);
    assert_eq!(
        (&summary["rows"], &summary["failed"], &summary["passed"]),
        (&json!(200), &json!(1), &json!(199))
    );
    let found = job.rows();
    assert_eq!(found.len(), 199);
    assert!(found.iter().all(|row| row["id"] != 7));
    assert!(
        found
            .iter()
            .any(|row| row["id"] == 8 && row.get("q").is_none_or(Value::is_null))
    );
}

#[test]
fn a_row_that_fails_is_filed_though_another_column_is_missing() {
    let job = corpus_of_two();
    job.write(
        "job.sql",
        "CREATE EXTERNAL TABLE input (id BIGINT, more BIGINT NOT NULL) STORED AS PARQUET LOCATION 'in/';
         CREATE EXTERNAL TABLE out (q BIGINT) STORED AS PARQUET LOCATION 'out/';
         INSERT INTO out SELECT 100 / (id % 50) FROM input;",
    );
    let summary = job.finish(&["-f", "job.sql", "--on-error", "file"]);
    assert_eq!(summary["failed"], 4);
    let errors = rows(&job.path("out/_errors"));
    let found: Vec<_> = errors
        .iter()
        .map(|row| (&row["id"], &row["more"]))
        .collect();
    let expected = [0, 50, 100, 150].map(|id| (json!(id), Value::Null));
    assert_eq!(found, expected.each_ref().map(|(id, more)| (id, more)));
}
