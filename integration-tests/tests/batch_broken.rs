//! Inputs of batch jobs that are broken, or that change or go while they are read.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use lexstream_integration_tests::binary::wait;
use lexstream_integration_tests::corpus;
use lexstream_integration_tests::job::{Job, over_in, parts, rows};
use serde_json::{Value, json};

use crate::parquet_readers;

#[test]
fn a_file_that_is_truncated_or_none_is_named_and_the_others_are_read() {
    let whole = {
        let job = Job::default();
        corpus::write(&job.path("in/a.parquet"), &corpus::texts(0..100), 50);
        fs::read(job.path("in/a.parquet")).expect("a file")
    };
    for broken in [
        &whole[..whole.len() / 2],
        &whole[..3],
        b"this is no parquet file at all",
        b"",
    ] {
        let job = Job::default();
        corpus::write(&job.path("in/a.parquet"), &corpus::texts(0..10), 50);
        job.write("in/b.parquet", broken);
        corpus::write(&job.path("in/c.parquet"), &corpus::texts(10..20), 50);
        let query = "SELECT id FROM input";
        job.refuse(&over_in(query), "in/b.parquet: ");
        for on_error in ["skip", "file"] {
            let summary =
                job.finish(&[&over_in(query)[..], &["--restart", "--on-error", on_error]].concat());
            assert_eq!(
                (&summary["rows"], &summary["unreadable"]),
                (&json!(20), &json!(1))
            );
            assert_eq!(job.rows().len(), 20);
        }
        let errors = rows(&job.path("out/_errors"));
        assert_eq!(errors.len(), 1);
        let place = job.path("in/b.parquet").display().to_string();
        assert_eq!(
            (&errors[0]["_input"], &errors[0]["id"], &errors[0]["_row"]),
            (&json!(place), &Value::Null, &Value::Null)
        );
        assert!(
            errors[0]["_error"]
                .as_str()
                .is_some_and(|error| !error.is_empty())
        );
    }
    let job = Job::default();
    job.write("in/a.parquet", "");
    job.refuse(
        &over_in("SELECT id FROM input"),
        "in/a.parquet: expected a Parquet file, found an empty one",
    );
}

#[test]
fn a_broken_page_costs_the_rest_of_its_unit_and_no_more() {
    // The rows before it are read, wherever a batch ends; units before are read by one reader, or each by its own.
    for (batch_rows, workers) in [(50, 1), (70, 1), (8192, 1), (8192, 2)] {
        check_broken_page(batch_rows, workers);
    }
}

fn check_broken_page(batch_rows: usize, workers: usize) {
    let job = Job::default();
    let path = job.path("in/a.parquet");
    // Ten pages of 100 rows, of which the fifth is broken; units of 300 rows.
    corpus::write_broken(&path, &corpus::texts(0..1000), 100, 4);
    corpus::write(&job.path("in/b.parquet"), &corpus::texts(1000..1010), 10);
    let cut = [
        "--set",
        "lexstream.batch.unit_rows=300",
        "--set",
        &format!("lexstream.batch.batch_rows={batch_rows}"),
        "--workers",
        &workers.to_string(),
    ];
    let query = "SELECT id, token_count(text) AS n FROM input";
    let arguments = [&over_in(query)[..], &cut].concat();
    if workers == 1 {
        job.refuse(
            &arguments,
            &format!("{}, row group 0, row 400: ", path.display()),
        );
    }
    let preview = job.run(&[&arguments[..], &["--limit", "900"]].concat());
    let shown = preview
        .output
        .lines()
        .filter(|line| line.starts_with("| "))
        .count();
    // The names of the columns, 400 rows before the broken page, and ten of the other file.
    assert_eq!((preview.status, shown), (Some(0), 411));
    let summary = job.finish(&[&arguments[..], &["--on-error", "file"]].concat());
    // A page can be skipped by its header: units behind a broken one can't be reached.
    assert_eq!(
        (&summary["rows"], &summary["failed"]),
        (&json!(1010), &json!(600))
    );
    let ids: Vec<_> = job.rows().iter().map(|row| row["id"].as_i64()).collect();
    let expected: Vec<_> = (0..400).chain(1000..1010).map(Some).collect();
    assert_eq!(ids, expected);
    let errors = rows(&job.path("out/_errors"));
    let places: Vec<_> = errors
        .iter()
        .map(|error| (&error["_row"], &error["_rows"]))
        .collect();
    let expected =
        [(400, 200), (600, 300), (900, 100)].map(|(row, rows)| (json!(row), json!(rows)));
    assert_eq!(places, expected.each_ref().map(|(row, rows)| (row, rows)));
}

#[test]
fn an_input_that_changes_or_goes_while_the_job_runs_stops_it() {
    type Change = fn(&Job);
    let changes: [(Change, &str); 2] = [
        (
            |job| corpus::write(&job.path("in/z.parquet"), &corpus::texts(0..3), 10),
            "in/z.parquet: the file has changed since the job began",
        ),
        (
            |job| fs::remove_file(job.path("in/z.parquet")).expect("a file"),
            "in/z.parquet: can't read it",
        ),
    ];
    for (change, expected) in changes {
        let job = Job::default();
        let text: ArrayRef = Arc::new(StringArray::from_iter_values(
            (0..30).map(|_| "ab".repeat(600)),
        ));
        corpus::write(
            &job.path("in/a.parquet"),
            &corpus::table(vec![("text", text)]),
            3,
        );
        corpus::write(&job.path("in/z.parquet"), &corpus::texts(0..2), 10);
        let query = "SELECT levenshtein(text, reverse(text)) AS n FROM input";
        let mut child = job.start(&[&over_in(query)[..], &["--workers", "1"]].concat());
        // The first unit is there, and the last one, of the file that changes, is not under way yet.
        let first = job.path("out/part-0000000-000000-0000000.parquet");
        while !first.exists() {
            assert_eq!(
                child.try_wait().expect("a child"),
                None,
                "{:?}",
                wait(child)
            );
            std::thread::yield_now();
        }
        change(&job);
        let ended = wait(child);
        assert!(
            ended.status == Some(1) && ended.error.contains(expected),
            "{ended:?}"
        );
        assert_eq!(parts(&job.path("out")).len(), 10);
        job.refuse(&over_in(query), "this folder's job is another one: input `");
    }
}

/// Writes 3,000 rows with checksums, in a page of text or in many, and changes one of them behind the writer's back.
const CHECKSUMS: &str = "
import sys, pyarrow, pyarrow.parquet
path, page = sys.argv[1], int(sys.argv[2])
rows = pyarrow.table({'id': range(3000), 'text': [f'this is row {n} of them' for n in range(3000)]})
pyarrow.parquet.write_table(rows, path, compression='none', use_dictionary=False, write_page_checksum=True,
                            data_page_size=page, write_batch_size=100)
data = bytearray(open(path, 'rb').read())
at = data.index(b'row 1555 of')
data[at : at + 3] = b'RAW'
open(path, 'wb').write(data)
";

#[test]
fn a_page_that_is_not_what_its_checksum_says_is_not_read() {
    for page in ["2000", "1000000"] {
        let job = Job::default();
        job.write("in/.keep", "");
        let file = job.path("in/a.parquet");
        let python = parquet_readers::python();
        let script = Command::new(python)
            .args(["-c", CHECKSUMS])
            .arg(&file)
            .arg(page)
            .status();
        assert!(script.expect("python runs").success());
        let arguments = |on_error| {
            let query = "SELECT id, text FROM input";
            let mut arguments = vec!["--input", "in", "--output", "out", "-c", query];
            arguments.extend(["--on-error", on_error]);
            arguments
        };
        job.refuse(&arguments("fail"), "CRC checksum mismatch");
        let summary = job.finish(&arguments("skip"));
        assert_eq!(summary["rows"], 3000, "{page}");
        assert_ne!(summary["failed"], 0, "{page}");
        let found = job.rows();
        assert!(
            found
                .iter()
                .all(|row| row["text"] == format!("this is row {} of them", row["id"])),
            "{page}"
        );
    }
}

/// Writes 4,000 rows without checksums, a hundred texts a page, and breaks a page at three fifths.
const DAMAGED: &str = "
import sys, pyarrow, pyarrow.parquet
path = sys.argv[1]
rows = pyarrow.table({'id': range(4000), 'text': [f'{n * 7919 % 1000003:x} is row {n} of them' * 5 for n in range(4000)]})
pyarrow.parquet.write_table(rows, path, compression='snappy', use_dictionary=False,
                              data_page_size=2000, write_batch_size=100)
column = pyarrow.parquet.read_metadata(path).row_group(0).column(1)
data = bytearray(open(path, 'rb').read())
at = column.data_page_offset + column.total_compressed_size * 3 // 5
for place in range(at, at + 400):
    data[place] ^= 0x5a
open(path, 'wb').write(data)
";

#[test]
fn the_rows_before_a_damaged_page_are_read_whoever_reads_them() {
    let job = Job::default();
    job.write("in/.keep", "");
    let script = Command::new(parquet_readers::python())
        .args(["-c", DAMAGED])
        .arg(job.path("in/a.parquet"))
        .status();
    assert!(script.expect("python runs").success());
    let run = |workers: &str, restart: bool| {
        let mut arguments = vec!["--input", "in", "--output", "out", "--on-error", "skip"];
        arguments.extend(["-c", "SELECT id, text FROM input", "--workers", workers]);
        arguments.extend(["--set", "lexstream.batch.batch_bytes=10000"]);
        arguments.extend(["--set", "lexstream.batch.unit_rows=700"]);
        arguments.extend(restart.then_some("--restart"));
        job.finish(&arguments);
        job.rows()
    };
    let expected = run("1", false);
    assert!((1000..3900).contains(&expected.len()), "{}", expected.len());
    let whole = |row: &Value| {
        let id = row["id"].as_u64().expect("an id");
        format!("{:x} is row {id} of them", id * 7919 % 1_000_003).repeat(5)
    };
    assert!(expected.iter().all(|row| row["text"] == whole(row)));
    assert!(run("4", true) == expected, "with four workers");
    fs::remove_file(&parts(&job.path("out"))[2]).expect("a unit");
    assert!(run("1", false) == expected, "with a unit that was missing");
}
