//! Jobs that are killed, asked to end, or out of disk: what is there is whole, and the rest follows.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Int64Array, StringArray};

use lexstream_integration_tests::binary::{program, signal, wait};
use lexstream_integration_tests::cases::same;
use lexstream_integration_tests::corpus;
use lexstream_integration_tests::job::{Job, check_quiet, footer, parts, rows};
use lexstream_integration_tests::onnx::models;
use lexstream_integration_tests::random::Random;
use lexstream_integration_tests::watch::{Watch, names};
use serde_json::{Value, json};

/// No step may take longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Rows of a unit.
const UNIT_ROWS: i64 = 10;

/// Milliseconds of work for each row; one in 60 fails, one in 7 is left out.
const QUERY: &str = "SELECT id, levenshtein(text, reverse(text)) AS distance, 60 / (id % 60) AS q \
                     FROM input WHERE id % 7 < 6";

const ARGUMENTS: [&str; 8] = [
    "--input",
    "in",
    "--on-error",
    "file",
    "--set",
    "lexstream.batch.unit_rows=10",
    "-c",
    QUERY,
];

/// A job over three files, which make so many units or a few more.
fn corpus_of(units: i64) -> Job {
    let job = Job::default();
    let rows = (units / 3 + 1) * UNIT_ROWS;
    for (name, start) in [("a", 0), ("b", rows), ("c", 2 * rows)] {
        let ids = start..start + rows;
        let texts = ids
            .clone()
            .map(|id| (0..40).map(|word| format!("{} ", id * word)).collect());
        let texts = texts.collect::<Vec<String>>();
        let texts: ArrayRef = Arc::new(StringArray::from(texts));
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(ids));
        let table = corpus::table(vec![("id", ids), ("text", texts)]);
        corpus::write(&job.path(&format!("in/{name}.parquet")), &table, 40);
    }
    job
}

fn arguments(output: &str) -> Vec<&str> {
    [&ARGUMENTS[..], &["--output", output]].concat()
}

/// Checks that a job that was killed has given what a straight run gives, file by file and row by row.
fn check_like_a_straight_run(job: &Job) {
    let summary = job.finish(&arguments("straight"));
    let (out, straight) = (job.path("out"), job.path("straight"));
    for folder in ["", "_errors"] {
        let (found, expected) = (out.join(folder), straight.join(folder));
        let file_names = |folder: &Path| {
            let parts = parts(folder);
            let names = parts
                .iter()
                .map(|part| part.file_name().map(ToOwned::to_owned));
            names.collect::<Vec<_>>()
        };
        assert_eq!(file_names(&found), file_names(&expected));
        assert_eq!(rows(&found), rows(&expected));
    }
    assert_eq!(
        names(&out.join("_lexstream")),
        ["job.lock", "manifest.json"]
    );
    // Not only alike: every row is somewhere, once, in the input's order.
    let ids = |folder: &Path| -> Vec<i64> {
        let rows = rows(folder);
        rows.iter()
            .map(|row| row["id"].as_i64().expect("an id"))
            .collect()
    };
    let all = summary["rows"].as_i64().expect("a number");
    let wanted = |fails: bool| {
        (0..all)
            .filter(|id| id % 7 < 6 && (id % 60 == 0) == fails)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&out), wanted(false));
    assert_eq!(ids(&out.join("_errors")), wanted(true));
}

/// How many kills a test makes: a few, or what `LEXSTREAM_TEST_KILLS` says.
fn kills() -> usize {
    let wanted = std::env::var("LEXSTREAM_TEST_KILLS").ok();
    wanted.map_or(6, |wanted| {
        wanted.parse().expect("LEXSTREAM_TEST_KILLS is a number")
    })
}

#[test]
fn a_job_that_is_killed_again_and_again_gives_each_row_once() {
    let mut random = Random::printed();
    let kills = kills();
    // Ten units between kills are more than are waited for.
    let job = corpus_of(10 * (kills as i64 + 1));
    let mut watch = Watch::of(&job);
    let (mut killed, mut finished) = (0, 0);
    while killed < kills {
        let mut child = job.start(&arguments("out"));
        watch.wait_for(finished + random.below(5) as usize, &mut child);
        watch.keep_looking(Duration::from_millis(random.below(40)));
        assert_eq!(
            child.try_wait().expect("a child"),
            None,
            "the job ended after {killed} kills"
        );
        signal(child.id(), "KILL");
        let ended = wait(child);
        check_quiet(&ended, None);
        killed += 1;
        finished = watch.look();
    }
    let summary = job.finish(&arguments("out"));
    assert_eq!(summary["units_before"], json!(finished));
    assert!(finished > 0 && summary["units_now"] != 0, "{summary}");
    check_like_a_straight_run(&job);
}

#[test]
fn three_processes_share_a_job_and_survivors_take_over() {
    let mut random = Random::printed();
    let job = corpus_of(90);
    let mut watch = Watch::of(&job);
    let arguments = [arguments("out"), vec!["--workers", "1", "--format", "json"]].concat();
    let mut children: Vec<_> = (0..3).map(|_| job.start(&arguments)).collect();
    for newcomer in [true, false] {
        let mut victim = children.swap_remove(random.below(3) as usize);
        let wanted = watch.look() + 5 + random.below(10) as usize;
        watch.wait_for(wanted, &mut victim);
        assert_eq!(
            victim.try_wait().expect("a child"),
            None,
            "no kill in the middle"
        );
        signal(victim.id(), "KILL");
        wait(victim);
        if newcomer {
            children.push(job.start(&arguments));
        }
    }
    let mut sum = 0;
    for mut child in children {
        watch.wait_for(usize::MAX, &mut child);
        let ended = wait(child);
        check_quiet(&ended, Some(0));
        let summary: Value = serde_json::from_str(&ended.output).expect("a summary");
        let number = |key: &str| summary[key].as_u64().expect(key);
        // Each of them knows all of the job in the end.
        let units = number("units_before") + number("units_now") + number("units_by_others");
        assert_eq!(units, number("units"), "{summary}");
        assert_eq!(
            number("passed") + number("failed") + number("filtered"),
            number("rows")
        );
        assert!(
            number("units_now") > 0,
            "one process did nothing: {summary}"
        );
        sum += number("units_now");
    }
    // No unit was done by two who lived.
    assert!(sum <= watch.look() as u64);
    check_like_a_straight_run(&job);
}

#[test]
fn a_job_that_is_asked_to_end_ends_and_says_how_to_go_on() {
    for (name, status, word) in [("TERM", 143, "terminated"), ("INT", 130, "interrupted")] {
        let job = corpus_of(40);
        let mut watch = Watch::of(&job);
        let mut child = job.start(&arguments("out"));
        watch.wait_for(3, &mut child);
        assert_eq!(child.try_wait().expect("a child"), None);
        let asked = Instant::now();
        signal(child.id(), name);
        let ended = wait(child);
        assert!(
            asked.elapsed() < Duration::from_secs(5),
            "{:?}",
            asked.elapsed()
        );
        let units = watch.look();
        let expected = format!(
            "{units} of 42 units are finished and stay; the same command goes on with the others\nerror: {word}\n"
        );
        assert_eq!(
            (ended.status, ended.error),
            (Some(status), expected),
            "{name}"
        );
        assert_eq!(
            names(&job.path("out/_lexstream")),
            ["job.lock", "manifest.json"]
        );
        let summary = job.finish(&arguments("out"));
        assert_eq!(summary["units_before"], json!(units), "{name}");
        check_like_a_straight_run(&job);
    }
}

/// A row that takes minutes, in one piece that nobody can interrupt.
#[test]
fn a_row_that_takes_long_does_not_keep_a_job_from_ending() {
    let job = Job::default();
    let text: ArrayRef = Arc::new(StringArray::from(vec!["ab".repeat(200_000)]));
    let table = corpus::table(vec![("text", text)]);
    corpus::write(&job.path("in/a.parquet"), &table, 1);
    let query = "SELECT levenshtein(text, reverse(text)) AS n FROM input";
    let mut child = job.start(&["--input", "in", "--output", "out", "-c", query]);
    let unit = "part-0000000-000000-0000000.parquet.tmp";
    let started = Instant::now();
    while !names(&job.path("out/_lexstream"))
        .iter()
        .any(|name| name == unit)
    {
        assert_eq!(child.try_wait().expect("a child"), None);
        assert!(started.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    let asked = Instant::now();
    signal(child.id(), "TERM");
    let ended = wait(child);
    assert_eq!(ended.status, Some(143), "{ended:?}");
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(parts(&job.path("out")), [] as [PathBuf; 0]);
}

#[cfg(unix)]
#[test]
fn a_folder_that_can_not_be_written_is_named() {
    let job = Job::default();
    corpus::write(&job.path("in/a.parquet"), &corpus::texts(0..2), 10);
    // Not even root writes there.
    let query = "SELECT id FROM input";
    job.refuse(
        &["--input", "in", "--output", "/sys/out", "-c", query],
        "/sys/out/_lexstream: can't create it",
    );
}

#[test]
fn a_full_disk_loses_nothing_and_the_same_command_goes_on() {
    let job = Job::default();
    let mut random = Random::printed();
    // Digits at random hardly shrink: the third file's unit is larger than what the disk takes.
    for (file, digits) in [("a", 10), ("b", 10), ("c", 400_000), ("d", 10)] {
        let text: String = (0..digits)
            .map(|_| char::from(b'0' + random.below(10) as u8))
            .collect();
        let text: ArrayRef = Arc::new(StringArray::from(vec![text]));
        let table = corpus::table(vec![("text", text)]);
        corpus::write(&job.path(&format!("in/{file}.parquet")), &table, 1);
    }
    let arguments = [
        "batch",
        "--input",
        "in",
        "--output",
        "out",
        "--workers",
        "1",
        "-c",
        "SELECT text FROM input",
    ];
    // A limit on the size of files acts like a full disk: 64 blocks of 512 or 1,024 bytes.
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\""])
        .arg(program("lexstream"))
        .args(arguments);
    job.settle(&mut command);
    let ended = wait(command.spawn().expect("sh starts"));
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let part = job.path("out/part-0000002-000000-0000000.parquet");
    for words in [&*part.display().to_string(), "File too large"] {
        assert!(ended.error.contains(words), "{words}: {ended:?}");
    }
    assert_eq!(
        names(&job.path("out/_lexstream")),
        ["job.lock", "manifest.json"]
    );
    assert_eq!(parts(&job.path("out")).len(), 2);
    let summary = job.finish(&arguments[1..]);
    assert_eq!(
        (&summary["units_before"], &summary["units_now"]),
        (&json!(2), &json!(2))
    );
    let lengths: Vec<_> = job
        .rows()
        .iter()
        .map(|row| row["text"].as_str().map(str::len))
        .collect();
    assert_eq!(lengths, [10, 10, 400_000, 10].map(Some));
}

#[test]
fn a_job_with_models_gives_the_same_after_kills() {
    let mut random = Random::printed();
    let job = Job::default();
    corpus::write(&job.path("in/a.parquet"), &corpus::texts(0..240), 60);
    let create = |name: &str, folder: &str| {
        let path = models().join(folder).display().to_string();
        format!("CREATE MODEL IF NOT EXISTS {name} WITH ('path' = '{path}');")
    };
    let (sentiment, minilm) = (
        create("sentiment", "sentiment"),
        create("minilm", "all-MiniLM-L6-v2"),
    );
    let query = "SELECT id, classify('sentiment', text) AS class, embed('minilm', text) AS vector FROM input";
    let arguments = |output| {
        let cut = "lexstream.batch.unit_rows=5";
        [
            "--input", "in", "--set", cut, "-c", &sentiment, "-c", &minilm, "-c", query,
            "--output", output,
        ]
    };
    let mut watch = Watch::of(&job);
    let mut finished = 0;
    for _ in 0..2 {
        let mut child = job.start(&arguments("out"));
        watch.wait_for(finished + 2 + random.below(6) as usize, &mut child);
        assert_eq!(
            child.try_wait().expect("a child"),
            None,
            "no kill in the middle"
        );
        signal(child.id(), "KILL");
        wait(child);
        finished = watch.look();
    }
    job.finish(&arguments("out"));
    job.finish(&arguments("straight"));
    let (found, expected) = (job.rows(), rows(&job.path("straight")));
    assert_eq!(found.len(), 240);
    assert_eq!(found.len(), expected.len());
    for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found["id"], json!(at));
        assert!(same(found, expected), "row {at}: {found} {expected}");
    }
    let footer = footer(&parts(&job.path("out"))[0]);
    let models = footer.iter().find(|(key, _)| key == "lexstream.models");
    let models: Value = serde_json::from_str(&models.expect("models").1).expect("JSON");
    for model in ["sentiment@1", "minilm@1"] {
        assert!(models[model].is_string(), "{models}");
    }
}
