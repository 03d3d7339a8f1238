//! `lexstream batch` as a person runs it: its forms, what it writes and what it prints.

use std::fs;

use datafusion::parquet::file::metadata::KeyValue;
use datafusion::parquet::file::properties::WriterProperties;
use lexstream_integration_tests::corpus;
use lexstream_integration_tests::job::{Job, footer, parts, rows};
use serde_json::{Value, json};

/// The ids of rows.
fn ids(rows: &[Value]) -> Vec<i64> {
    let ids = rows.iter().map(|row| row["id"].as_i64());
    ids.map(|id| id.expect("an id")).collect()
}

/// A job over three files of row groups of 40 rows, with the ids 0 to 299 in their order.
fn corpus_of_three() -> Job {
    let job = Job::default();
    for (name, start) in [("a", 0), ("b", 100), ("c", 200)] {
        let path = job.path(&format!("in/{name}.parquet"));
        corpus::write(&path, &corpus::texts(start..start + 100), 40);
    }
    job
}

#[test]
fn rows_are_in_the_order_of_files_row_groups_and_rows() {
    let job = corpus_of_three();
    let summary = job.finish(&[
        "--input",
        "in/*.parquet",
        "--output",
        "out",
        "--set",
        "lexstream.batch.unit_rows=15",
        "--set",
        "lexstream.batch.batch_rows=4",
        "-c",
        "SELECT id, tokenize(text) AS tokens FROM input WHERE id % 10 < 9",
    ]);
    // 100 rows a file, in row groups of 40, 40 and 20, in stretches of 15: 3 + 3 + 2 units.
    let expected = json!({"rows": 300, "passed": 270, "failed": 0, "filtered": 30, "rows_out": 270, "units": 24});
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(&summary[key], value, "{key}");
    }
    let found = job.rows();
    let expected: Vec<i64> = (0..300).filter(|id| id % 10 < 9).collect();
    assert_eq!(ids(&found), expected);
    assert_eq!(
        found[10],
        json!({"id": 11, "tokens": ["Text", "11", "and", "more"]})
    );
}

#[test]
fn a_row_becomes_several_and_they_stay_together() {
    let job = corpus_of_three();
    let summary = job.finish(&[
        "--input",
        "in",
        "--output",
        "out",
        "--set",
        "lexstream.batch.batch_rows=7",
        "-c",
        "SELECT id, unnest(tokenize(text)) AS token FROM input WHERE id < 150",
    ]);
    // Each text has four words.
    assert_eq!(
        (&summary["passed"], &summary["rows_out"]),
        (&json!(150), &json!(600))
    );
    let expected: Vec<i64> = (0..600).map(|row| row / 4).collect();
    assert_eq!(ids(&job.rows()), expected);
}

#[test]
fn a_script_has_several_inserts_tables_in_memory_models_and_views() {
    let job = corpus_of_three();
    job.write("labels.csv", "number,label\n1,one\n2,two\n250,far\n");
    job.write(
        "job.sql",
        "SET lexstream.batch.unit_rows = 30;
         CREATE MODEL IF NOT EXISTS words WITH ('kind' = 'jieba') AS VALUES ('andmore', 9, 'n');
         CREATE EXTERNAL TABLE corpus STORED AS PARQUET LOCATION 'in/';
         CREATE EXTERNAL TABLE labels STORED AS CSV LOCATION 'labels.csv' OPTIONS ('format.has_header' 'true');
         CREATE TABLE upper_labels AS SELECT number, upper(label) AS label FROM labels;
         CREATE VIEW small AS SELECT id, text FROM corpus WHERE id < 260;
         CREATE EXTERNAL TABLE counts (id BIGINT, n BIGINT) STORED AS PARQUET LOCATION 'counts/';
         CREATE EXTERNAL TABLE labelled (id BIGINT, label VARCHAR) STORED AS PARQUET LOCATION 'labelled/';
         INSERT INTO counts SELECT id, token_count(text, 'words') FROM small WHERE id >= 10;
         INSERT INTO labelled SELECT id, label FROM small JOIN upper_labels ON id = number;",
    );
    let summary = job.finish(&["-f", "job.sql"]);
    // A row passes where it is in one of the outputs at least: 1, 2 and 10 to 259.
    let expected = json!({"rows": 300, "passed": 252, "filtered": 48, "rows_out": 253});
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(&summary[key], value, "{key}");
    }
    let counts = rows(&job.path("counts"));
    assert_eq!(ids(&counts), (10..260).collect::<Vec<_>>());
    let labelled = rows(&job.path("labelled"));
    assert_eq!(
        labelled,
        [
            json!({"id": 1, "label": "ONE"}),
            json!({"id": 2, "label": "TWO"}),
            json!({"id": 250, "label": "FAR"}),
        ]
    );
    let again = job.finish(&["-f", "job.sql"]);
    assert_eq!(again["units_now"], 0);
}

#[test]
fn a_footer_says_what_a_file_is_made_of_and_keeps_what_the_input_said() {
    let job = Job::default();
    let ours = KeyValue::new("license".to_owned(), "CC0".to_owned());
    let posing = KeyValue::new("lexstream.rows".to_owned(), "none".to_owned());
    let properties = WriterProperties::builder().set_key_value_metadata(Some(vec![ours, posing]));
    let path = job.path("in/a.parquet");
    corpus::write_as(&path, &corpus::texts(0..30), 10, properties);
    job.finish(&[
        "--input",
        "in",
        "--output",
        "out",
        "--set",
        "lexstream.batch.unit_rows=6",
        "-c",
        "SELECT id FROM input WHERE id <> 17",
    ]);
    // Units of row group 1: rows 0..6 and 6..10 of it.
    let footer = footer(&parts(&job.path("out"))[3]);
    let value = |wanted: &str| {
        let mut found = footer.iter().filter(|(key, _)| key == wanted);
        let value = found.next().unwrap_or_else(|| panic!("no {wanted}"));
        assert_eq!(found.next(), None, "{wanted}");
        value.1.clone()
    };
    assert_eq!(value("license"), "CC0");
    assert_eq!(value("lexstream.input"), path.display().to_string());
    assert_eq!(value("lexstream.row_group"), "1");
    assert_eq!(value("lexstream.range"), "6..10");
    assert_eq!(value("lexstream.models"), "{}");
    assert_eq!(value("lexstream.query").len(), 64);
    let tally: Value = serde_json::from_str(&value("lexstream.rows")).expect("JSON");
    let expected =
        json!({"rows": 4, "passed": 3, "failed": 0, "filtered": 1, "rows_out": 3, "unreadable": 0});
    assert_eq!(tally, expected);
}

#[test]
fn a_finished_job_does_nothing_and_says_so() {
    let job = corpus_of_three();
    let arguments = [
        "--input",
        "in",
        "--output",
        "out",
        "-c",
        "SELECT id FROM input WHERE id < 7",
    ];
    let first = job.finish(&arguments);
    let written: Vec<_> = parts(&job.path("out"))
        .iter()
        .map(|part| {
            fs::metadata(part)
                .and_then(|found| found.modified())
                .expect("a file")
        })
        .collect();
    let again = job.finish(&arguments);
    assert_eq!(
        (&again["units_before"], &again["units_now"]),
        (&first["units"], &json!(0))
    );
    for key in ["rows", "passed", "filtered", "rows_out", "bytes"] {
        assert_eq!(again[key], first[key], "{key}");
    }
    let now: Vec<_> = parts(&job.path("out"))
        .iter()
        .map(|part| {
            fs::metadata(part)
                .and_then(|found| found.modified())
                .expect("a file")
        })
        .collect();
    assert_eq!(now, written);
    let ended = job.run(&arguments);
    assert!(
        ended
            .output
            .starts_with("300 rows: 7 passed, 0 failed, 293 filtered; 7 rows written\n9 units, ")
            && ended.output.contains("; 9 were finished before; "),
        "{ended:?}"
    );
    let quiet = job.run(&[&arguments[..], &["--quiet"]].concat());
    assert_eq!((quiet.output.as_str(), quiet.error.as_str()), ("", ""));
}

#[test]
fn a_dry_run_shows_units_and_plan_and_writes_nothing() {
    let job = corpus_of_three();
    let query = "SELECT id, tokenize(text) AS t FROM input";
    let arguments = ["--input", "in", "--output", "out", "-c", query];
    let ended = job.run(&[&arguments[..], &["--dry-run"]].concat());
    assert_eq!((ended.status, ended.error.as_str()), (Some(0), ""));
    let place = job.path("in/b.parquet").display().to_string();
    for words in [
        "input: input (3 files, ",
        "units: 9, of which 0 are finished",
        "tokenize(",
        &format!("part-0000001-000002-0000000.parquet: {place}, row group 2, rows 0..20"),
    ] {
        assert!(
            ended.output.contains(words),
            "{words:?} in {}",
            ended.output
        );
    }
    assert!(!job.path("out").exists());
    job.finish(&arguments);
    let after = job.run(&[&arguments[..], &["--dry-run"]].concat());
    assert!(
        after.output.contains("units: 9, of which 9 are finished"),
        "{after:?}"
    );
}

#[test]
fn a_limit_tries_the_first_rows_and_writes_nothing() {
    let job = corpus_of_three();
    job.write("in2/a.ndjson", "{\"id\": 5}\n{\"id\": 6}\n{\"id\": 7}\n");
    for (input, query, limit, output, error) in [
        ("in", "SELECT id FROM input", "2", "id\n0\n1\n", ""),
        (
            "in",
            "SELECT id FROM input WHERE id > 98",
            "101",
            "id\n99\n100\n",
            "",
        ),
        (
            "in2",
            "SELECT 6 / (id - 6) AS q FROM input",
            "2",
            "q\n-6\n",
            "in2/a.ndjson, row 1: Divide by zero error\n",
        ),
        ("in2", "SELECT id FROM input", "100", "id\n5\n6\n7\n", ""),
        ("in2", "SELECT id FROM input", "0", "id\n", ""),
    ] {
        let ended = job.run(&[
            "--input", input, "--output", "out", "--limit", limit, "--format", "csv", "-c", query,
        ]);
        assert_eq!(ended.output, output, "{query}: {ended:?}");
        assert!(ended.error.ends_with(error), "{query}: {ended:?}");
        assert_eq!(ended.error.is_empty(), error.is_empty(), "{ended:?}");
        assert!(!job.path("out").exists());
    }
}

#[test]
fn csv_and_ndjson_are_read_whole_and_in_order() {
    let lines = |line: fn(i64) -> String| (0..1000).map(line).collect::<String>();
    for (name, text) in [
        (
            "in/a.csv",
            format!("id,text\n{}", lines(|id| format!("{id},\"a, {id}\"\n"))),
        ),
        (
            "in/a.ndjson",
            lines(|id| format!("{{\"id\":{id},\"text\":\"a, {id}\"}}\n")),
        ),
    ] {
        let job = Job::default();
        job.write(name, text);
        let summary = job.finish(&[
            "--input",
            "in",
            "--output",
            "out",
            "--set",
            "lexstream.batch.batch_rows=64",
            "-c",
            "SELECT id, token_count(text) AS n FROM input",
        ]);
        assert_eq!(
            (&summary["rows"], &summary["units"]),
            (&json!(1000), &json!(1)),
            "{name}"
        );
        let found = job.rows();
        assert_eq!(ids(&found), (0..1000).collect::<Vec<_>>(), "{name}");
        assert!(found.iter().all(|row| row["n"] == 2), "{name}");
    }
}

#[test]
fn what_is_no_job_is_refused_with_what_to_do() {
    let job = corpus_of_three();
    job.write("other/notes.txt", "mine");
    for (input, output, query, expected) in [
        (
            "in",
            "out",
            "SELECT count(*) FROM input",
            "needs all rows of `input` at once; COPY (…) TO '….parquet' in `lexstream sql` runs it",
        ),
        (
            "in",
            "out",
            "SELECT id FROM input ORDER BY id",
            "COPY (…) TO '….parquet' in `lexstream sql` runs it",
        ),
        (
            "in",
            "out",
            "SELECT id FROM input LIMIT 3",
            "COPY (…) TO '….parquet' in `lexstream sql` runs it",
        ),
        ("in", "out", "SELECT 1 AS id", "it reads no table of files"),
        (
            "in",
            "out",
            "INSERT INTO t SELECT id FROM input",
            "--output takes the rows of a SELECT",
        ),
        (
            "in",
            "out",
            "SELECT ids FROM input",
            "Did you mean 'input.id'?",
        ),
        (
            "in",
            "out",
            "SET lexstream.batch.unit_rows = 5",
            "expected a SELECT, found none",
        ),
        (
            "in",
            "in",
            "SELECT id FROM input",
            "--input in names the files of its --output",
        ),
        (
            "in",
            "other",
            "SELECT id FROM input",
            "other: expected an empty folder, or one of a batch job; found notes.txt",
        ),
        (
            "in",
            "other/notes.txt",
            "SELECT id FROM input",
            "other/notes.txt",
        ),
        (
            "no/*.parquet",
            "out",
            "SELECT id FROM input",
            "no/*.parquet: no file matches",
        ),
    ] {
        let arguments = ["--input", input, "--output", output, "-c", query];
        job.refuse(&arguments, expected);
    }
    assert!(!job.path("out").exists());
    job.refuse(&["-c", "SELECT 1"], "its rows go nowhere");
}

#[test]
fn a_folder_is_read_with_the_folders_below_it() {
    let job = Job::default();
    corpus::write(&job.path("in/a.parquet"), &corpus::texts(0..20), 40);
    corpus::write(&job.path("in/sub/b.parquet"), &corpus::texts(20..40), 40);
    corpus::write(&job.path("in/_own/c.parquet"), &corpus::texts(40..60), 40);
    let summary = job.finish(&[
        "--input",
        "in",
        "--output",
        "out",
        "-c",
        "SELECT id FROM input",
    ]);
    assert_eq!(summary["rows"], 40);
    assert_eq!(ids(&job.rows()), (0..40).collect::<Vec<_>>());
}

#[test]
fn a_job_that_would_read_its_own_output_next_time_does_not_begin() {
    let job = corpus_of_three();
    for input in ["in/**/*.parquet", "in"] {
        let arguments = [
            "--input",
            input,
            "--output",
            "in/sub/out",
            "-c",
            "SELECT id FROM input",
        ];
        job.refuse(&arguments, "names the files of its --output");
    }
    assert!(!job.path("in/sub").exists());
    job.write(
        "job.sql",
        "CREATE EXTERNAL TABLE docs STORED AS PARQUET LOCATION 'in/';
         CREATE EXTERNAL TABLE o (id BIGINT) STORED AS PARQUET LOCATION 'in/';
         INSERT INTO o SELECT id FROM docs;",
    );
    job.refuse(&["-f", "job.sql"], "lies in its output");
}

#[test]
fn columns_of_one_name_are_refused() {
    let job = corpus_of_three();
    let query = "SELECT a.id, b.id FROM input a JOIN (VALUES (1)) AS b (id) ON a.id = b.id";
    let arguments = ["--input", "in", "--output", "out", "-c", query];
    job.refuse(&arguments, "two of its columns are named `id`");
}
