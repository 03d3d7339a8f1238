//! A job that is begun again: what may differ, what may not, and what `--restart` deletes.

use std::fs;

use lexstream_integration_tests::corpus;
use lexstream_integration_tests::job::{Job, parts};
use serde_json::json;

const SCRIPT: &str = "
    CREATE MODEL IF NOT EXISTS words WITH ('kind' = 'jieba') AS VALUES ('云原生', 9, 'n');
    CREATE EXTERNAL TABLE corpus STORED AS PARQUET LOCATION 'in/';
    CREATE EXTERNAL TABLE labels STORED AS CSV LOCATION 'labels.csv' OPTIONS ('format.has_header' 'true');
    CREATE EXTERNAL TABLE out (id BIGINT, n BIGINT, label VARCHAR) STORED AS PARQUET LOCATION 'out/';
    INSERT INTO out SELECT id, token_count(text, 'words'), label FROM corpus LEFT JOIN labels ON id = number;";

/// A job of a script that is finished: a table in memory, a model and two input files of 50 rows.
fn finished() -> Job {
    let job = Job::default();
    for (name, start) in [("a", 0), ("b", 50)] {
        let path = job.path(&format!("in/{name}.parquet"));
        corpus::write(&path, &corpus::texts(start..start + 50), 50);
    }
    job.write("labels.csv", "number,label\n1,one\n2,two\n");
    job.write("job.sql", SCRIPT);
    job.finish(&["-f", "job.sql"]);
    job
}

/// Makes a change to a finished job, which must be refused by these words; then begins it anew.
fn check(change: impl FnOnce(&Job), arguments: &[&str], expected: &str) {
    let job = finished();
    let before = job.rows();
    change(&job);
    let arguments = [&["-f", "job.sql"], arguments].concat();
    job.refuse(&arguments, expected);
    job.refuse(&[&arguments[..], &["--dry-run"]].concat(), expected);
    job.refuse(&arguments, "--restart deletes its results and begins anew");
    // What is refused is left as it is.
    assert_eq!(job.rows(), before);
    let summary = job.finish(&[&arguments[..], &["--restart"]].concat());
    assert_eq!(summary["units_before"], 0);
    assert_eq!(summary["units_now"], summary["units"]);
    let again = job.finish(&arguments);
    assert_eq!(again["units_now"], 0);
}

#[test]
fn another_query_is_refused() {
    check(
        |job| job.write("job.sql", SCRIPT.replace("SELECT id,", "SELECT id + 1,")),
        &[],
        "query of `out`: `…T INTO out SELECT id, ",
    );
}

#[test]
fn another_table_behind_the_query_is_refused() {
    check(
        |job| {
            job.write(
                "job.sql",
                SCRIPT.replace(
                    "STORED AS PARQUET LOCATION 'in/'",
                    "STORED AS PARQUET LOCATION 'in/a.parquet'",
                ),
            );
        },
        &[],
        "query of `out`: the statements before it differ; input `",
    );
}

#[test]
fn another_setting_is_refused() {
    check(
        |_| {},
        &["--set", "lexstream.batch.unit_rows=7"],
        "setting `lexstream.batch.unit_rows`: it is new",
    );
}

#[test]
fn another_model_of_the_same_name_is_refused() {
    check(
        |job| {
            let ended = job.sql(
                "CREATE OR REPLACE MODEL words WITH ('kind' = 'jieba') AS VALUES ('平台', 9, 'n')",
            );
            assert_eq!((ended.status, ended.error.as_str()), (Some(0), ""));
        },
        &[],
        "model `words`: version 1 became 2",
    );
}

#[test]
fn other_rows_of_a_table_in_memory_are_refused() {
    check(
        |job| job.write("labels.csv", "number,label\n1,one\n2,zwei\n"),
        &[],
        "labels`: other rows",
    );
}

#[test]
fn an_input_that_was_written_to_is_refused() {
    check(
        |job| {
            let rows = corpus::texts(50..101);
            corpus::write(&job.path("in/b.parquet"), &rows, 60);
        },
        &[],
        "in/b.parquet`: ",
    );
}

#[test]
fn an_input_that_is_new_or_gone_is_refused() {
    check(
        |job| corpus::write(&job.path("in/c.parquet"), &corpus::texts(0..1), 1),
        &[],
        "in/c.parquet`: it is new",
    );
    check(
        |job| fs::remove_file(job.path("in/a.parquet")).expect("a.parquet"),
        &[],
        "in/a.parquet`: it is gone",
    );
}

#[test]
fn what_changes_no_result_may_differ() {
    let job = finished();
    let missing = parts(&job.path("out")).remove(0);
    let before = job.rows();
    for arguments in [
        &["--workers", "1"][..],
        &["--memory", "64m"],
        &["--on-error", "skip"],
        &["--set", "lexstream.batch.batch_rows=3"],
        &["--set", "datafusion.execution.target_partitions=3"],
    ] {
        fs::remove_file(&missing).expect("a unit");
        let summary = job.finish(&[&["-f", "job.sql"], arguments].concat());
        assert_eq!(summary["units_now"], 1, "{arguments:?}");
        assert_eq!(job.rows(), before, "{arguments:?}");
    }
}

#[test]
fn the_same_model_made_again_goes_on() {
    let job = finished();
    let ended = job
        .sql("CREATE OR REPLACE MODEL words WITH ('kind' = 'jieba') AS VALUES ('云原生', 9, 'n')");
    assert_eq!((ended.status, ended.error.as_str()), (Some(0), ""));
    assert_eq!(job.finish(&["-f", "job.sql"])["units_now"], 0);
}

#[test]
fn a_restart_deletes_what_the_job_made_and_nothing_else() {
    let job = finished();
    job.write("out/notes.txt", "mine");
    job.write(
        "out/_lexstream/part-0000000-000000-0000000.parquet.tmp",
        "half",
    );
    // Another cut has other files: those of the first are to go.
    let arguments = ["-f", "job.sql", "--set", "lexstream.batch.unit_rows=20"];
    let summary = job.finish(&[&arguments[..], &["--restart"]].concat());
    assert_eq!(
        (&summary["units"], &summary["rows"]),
        (&json!(6), &json!(100))
    );
    assert_eq!(parts(&job.path("out")).len(), 6);
    assert_eq!(
        fs::read_to_string(job.path("out/notes.txt")).expect("notes"),
        "mine"
    );
    let work = fs::read_dir(job.path("out/_lexstream")).expect("a folder");
    let mut names: Vec<_> = work
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["job.lock", "manifest.json"]);
}

#[test]
fn a_job_that_stopped_before_its_first_unit_goes_on() {
    let job = Job::default();
    job.write("in.csv", "id,text\n1,one\ntwo,two\n");
    job.write(
        "job.sql",
        "CREATE EXTERNAL TABLE corpus (id BIGINT, text VARCHAR) STORED AS CSV LOCATION 'in.csv' OPTIONS ('format.has_header' 'true');
         CREATE EXTERNAL TABLE out (id BIGINT, n BIGINT) STORED AS PARQUET LOCATION 'out/';
         INSERT INTO out SELECT id, token_count(text) FROM corpus;",
    );
    let expected = "in.csv, row 1: Parser error: Error while parsing value 'two' as type 'Int64' for column 0. Row data";
    job.refuse(&["-f", "job.sql"], expected);
    assert!(job.path("out/_lexstream").is_dir());
    let summary = job.finish(&["-f", "job.sql", "--on-error", "file"]);
    let (passed, failed) = (&summary["passed"], &summary["failed"]);
    assert_eq!((passed, failed), (&json!(1), &json!(1)));
}

#[test]
fn a_manifest_that_is_none_or_newer_is_refused_by_name() {
    let job = finished();
    let manifest = "out/_lexstream/manifest.json";
    for (text, expected) in [
        (
            "{\"format\": 99}",
            "manifest.json: the manifest has format 99; this version knows 1",
        ),
        (
            "{\"format\": 1}",
            "manifest.json: expected the manifest of a batch job",
        ),
        (
            "half",
            "manifest.json: expected the manifest of a batch job",
        ),
    ] {
        job.write(manifest, text);
        job.refuse(&["-f", "job.sql"], expected);
    }
}

#[test]
fn a_unit_that_is_not_whole_is_named() {
    let job = finished();
    let part = parts(&job.path("out")).remove(1);
    fs::write(&part, "PAR1").expect("a unit");
    let name = part.file_name().expect("a name").display().to_string();
    job.refuse(&["-f", "job.sql"], &format!("out/{name}: "));
}
