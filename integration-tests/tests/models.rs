//! Models from outside: several processes at once, kills, a disk that takes nothing, and EXPLAIN.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lexstream_integration_tests::binary::{Ended, program, run, signal, start, wait};

/// No step may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

fn sql(home: &Path, sql: &str) -> Ended {
    run(&arguments(home, sql), "")
}

fn arguments<'a>(home: &'a Path, sql: &'a str) -> [&'a str; 8] {
    let home = home.to_str().expect("UTF-8");
    ["sql", "-q", "--format", "csv", "--home", home, "-c", sql]
}

fn check(home: &Path, statement: &str, expected: &str) {
    let ended = sql(home, statement);
    assert_eq!(
        (ended.status, ended.output.as_str(), ended.error.as_str()),
        (Some(0), expected, ""),
        "{statement}"
    );
}

fn check_error(home: &Path, statement: &str, expected: &str) {
    let ended = sql(home, statement);
    assert!(
        ended.status == Some(1) && ended.error.contains(expected),
        "{statement}: {ended:?}"
    );
}

/// Returns what lies in the store, hidden folders included, sorted.
fn store(home: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(home.join("models")) else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect();
    names.sort();
    names
}

/// Waits until a version is in the making and locked, or the process ends; tells which.
///
/// Without its lock a draft may be between two steps of its process, and is swept only after an hour.
fn draft_appears(home: &Path, child: &mut Child) -> bool {
    let is_locked = |name: &String| {
        name.starts_with(".new-") && home.join("models").join(name).join("lock").exists()
    };
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if store(home).iter().any(is_locked) {
            return true;
        }
        if child.try_wait().expect("a child").is_some() {
            return false;
        }
        std::thread::yield_now();
    }
    panic!("no draft appeared within {PATIENCE:?}");
}

const CREATE: &str = "CREATE MODEL d WITH ('kind' = 'jieba') AS VALUES ('云原生', 9, 'n')";
const MANY_WORDS: &str =
    "AS SELECT concat('词', CAST(value AS VARCHAR)) FROM generate_series(1, 1000000000)";

#[test]
fn a_create_that_is_killed_leaves_nothing_and_its_folder_is_swept() {
    let home = tempfile::tempdir().expect("home");
    let home = home.path();
    for statement in ["CREATE MODEL d", "CREATE OR REPLACE MODEL d"] {
        let mut child = start(&arguments(
            home,
            &format!("{statement} WITH ('kind' = 'jieba') {MANY_WORDS}"),
        ));
        assert!(draft_appears(home, &mut child), "{:?}", wait(child));
        signal(child.id(), "KILL");
        wait(child);
        check(home, "SELECT count(*) AS n FROM models()", "n\n0\n");
    }
    assert!(!store(home).is_empty(), "the kill came too late");
    check(home, CREATE, "");
    assert_eq!(store(home), ["d"]);
    // The same where a model is there already.
    let replace = format!("CREATE OR REPLACE MODEL d WITH ('kind' = 'jieba') {MANY_WORDS}");
    let mut child = start(&arguments(home, &replace));
    assert!(draft_appears(home, &mut child), "{:?}", wait(child));
    signal(child.id(), "KILL");
    wait(child);
    check(
        home,
        "SELECT tokenize('云原生平台', 'd') AS t",
        "t\n\"[\"\"云原生\"\",\"\"平台\"\"]\"\n",
    );
    check(home, "ALTER MODEL d SET ('hmm' = false)", "");
    assert_eq!(store(home), ["d"]);
}

#[test]
fn an_interrupted_create_makes_no_model_of_the_rows_so_far() {
    let home = tempfile::tempdir().expect("home");
    let home = home.path();
    let mut child = start(&arguments(
        home,
        &format!("CREATE MODEL d WITH ('kind' = 'jieba') {MANY_WORDS}"),
    ));
    assert!(draft_appears(home, &mut child), "{:?}", wait(child));
    signal(child.id(), "INT");
    let ended = wait(child);
    assert_eq!(
        (ended.status, ended.error.as_str()),
        (Some(130), "error: interrupted\n")
    );
    check(home, "SELECT count(*) AS n FROM models()", "n\n0\n");
}

#[test]
fn a_drop_or_change_that_is_killed_has_happened_or_not() {
    let home = tempfile::tempdir().expect("home");
    let home = home.path();
    let words = home.join("words.txt");
    fs::write(
        &words,
        (0..200_000)
            .map(|n| format!("词{n} 1\n"))
            .collect::<String>(),
    )
    .expect("words");
    let create = format!(
        "CREATE OR REPLACE MODEL d WITH ('kind' = 'jieba', 'copy' = true, 'dictionary' = '{}')",
        words.display()
    );
    for (round, statement) in [
        "DROP MODEL d",
        "DROP MODEL 'd@1'",
        "ALTER MODEL d RENAME TO e",
        "ALTER MODEL d SET ('hmm' = false)",
    ]
    .iter()
    .cycle()
    .take(16)
    .enumerate()
    {
        check(home, &create, "");
        let mut child = start(&arguments(home, statement));
        // Later and later, until it has ended by itself.
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(4 * round as u64)
            && child.try_wait().expect("a child").is_none()
        {
            std::thread::yield_now();
        }
        signal_if_running(&mut child);
        wait(child);
        let listed = sql(home, "SELECT model, problem FROM models()");
        assert_eq!(
            (listed.status, listed.error.as_str()),
            (Some(0), ""),
            "{statement}"
        );
        for line in listed.output.lines().skip(1) {
            let (model, problem) = line.split_once(',').expect("two columns");
            assert_eq!(problem, "", "{statement}");
            check(
                home,
                &format!("SELECT token_count('词1词2', '{model}') AS n"),
                "n\n2\n",
            );
        }
        check(home, "DROP MODEL IF EXISTS d; DROP MODEL IF EXISTS e", "");
    }
    check(home, &create, "");
    assert_eq!(store(home), ["d"]);
}

fn signal_if_running(child: &mut Child) {
    if child.try_wait().expect("a child").is_none() {
        signal(child.id(), "KILL");
    }
}

#[test]
fn processes_create_replace_read_rename_and_drop_at_once() {
    let home = tempfile::tempdir().expect("home");
    let home = home.path();
    // A name or a version that another process has taken away, or made, is said; nothing else may go wrong.
    let expected = [
        "no model `",
        "has no version",
        "exists already",
        "must be one of",
        "was dropped or renamed before it was loaded",
    ];
    let round = [
        "CREATE OR REPLACE MODEL d WITH ('kind' = 'jieba', 'keep_versions' = 2) AS VALUES ('云原生', 9, 'n')",
        "SELECT tokenize('云原生平台', 'd')",
        "ALTER MODEL d SET ('hmm' = false)",
        "SELECT count(*) FROM models() WHERE problem IS NOT NULL",
        "ALTER MODEL d RENAME TO e",
        "DROP MODEL e",
    ];
    let children: Vec<_> = (0..4)
        .map(|process| {
            let script: Vec<_> = (0..24)
                .map(|step| round[(process + step) % round.len()])
                .collect();
            shell(home, &script)
        })
        .collect();
    for child in children {
        let ended = wait(child);
        for line in ended.error.lines() {
            assert!(
                expected.iter().any(|expected| line.contains(expected)),
                "{line}"
            );
        }
        // No manifest was ever half there.
        let problems = ended
            .output
            .lines()
            .filter(|line| line.parse::<u32>().is_ok_and(|n| n > 0));
        assert_eq!(problems.count(), 0, "{}", ended.output);
    }
    check(home, "DROP MODEL IF EXISTS d; DROP MODEL IF EXISTS e", "");
    check(home, CREATE, "");
    assert_eq!(store(home), ["d"]);
}

/// Starts a process that runs each statement, whatever becomes of those before it.
fn shell(home: &Path, statements: &[&str]) -> Child {
    let lexstream = program("lexstream");
    let mut lines = String::new();
    for statement in statements {
        lines.push_str(&format!(
            "{lexstream:?} sql -q --format csv --home {home:?} -c \"{statement}\"\n"
        ));
    }
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{lines} true")])
        .env("RUST_BACKTRACE", "0");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("sh starts")
}

#[cfg(unix)]
#[test]
fn a_disk_that_takes_nothing_leaves_the_store_whole() {
    let home = tempfile::tempdir().expect("home");
    let home = home.path();
    check(home, CREATE, "");
    // A limit on the size of files acts like a full disk, at the first byte.
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""])
        .arg(program("lexstream"));
    let replace = CREATE.replace("CREATE", "CREATE OR REPLACE");
    command
        .args(arguments(home, &replace))
        .env("RUST_BACKTRACE", "0");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let ended = wait(command.spawn().expect("sh starts"));
    assert!(
        ended.status == Some(1)
            && ended.error.contains("could not write")
            && ended.error.contains("File too large"),
        "{ended:?}"
    );
    assert_eq!(store(home), ["d"]);
    check(
        home,
        "SELECT model, version FROM models()",
        "model,version\nd,1\n",
    );
}

#[test]
fn a_home_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().expect("folder");
    let home = folder.path().join("file");
    fs::write(&home, "").expect("file");
    check_error(&home, CREATE, "could not");
    check_error(&home, CREATE, &home.join("models").display().to_string());
}

#[test]
fn explain_shows_the_version_that_the_query_keeps() {
    let home = tempfile::tempdir().expect("home");
    let home = home.path();
    check(home, CREATE, "");
    check(home, "ALTER MODEL d SET ('mode' = 'all')", "");
    let ended = sql(
        home,
        "EXPLAIN SELECT tokenize(column1, 'd') FROM (VALUES ('a'), ('b'))",
    );
    assert!(
        ended.output.contains("d@2") && !ended.output.contains("d@1"),
        "{ended:?}"
    );
    let ended = sql(
        home,
        "EXPLAIN SELECT tokenize(column1, 'd@1') FROM (VALUES ('a'), ('b'))",
    );
    assert!(ended.output.contains("d@1"), "{ended:?}");
}

#[test]
fn describe_shows_what_is_known() {
    let home = tempfile::tempdir().expect("home");
    let home = home.path();
    check(
        home,
        &CREATE.replace("WITH", "COMMENT 'our words' WITH"),
        "",
    );
    let ended = sql(home, "DESCRIBE MODEL d");
    for line in [
        "property,value",
        "model,d@1",
        "kind,jieba",
        "comment,our words",
        "query,\"VALUES ('云原生', 9, 'n')\"",
        // A word of nine bytes, a number, a letter, two spaces, a line's end.
        "bytes,14",
        "mode,exact",
        "words,1",
    ] {
        assert!(
            ended.output.lines().any(|found| found == line),
            "{line}: {}",
            ended.output
        );
    }
}

/// The stores of every format so far, as the version of their time wrote them.
#[test]
fn a_store_of_each_format_opens() {
    let goldens = Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens/stores");
    let mut formats: Vec<_> = fs::read_dir(&goldens)
        .expect("goldens/stores")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    formats.sort();
    assert!(!formats.is_empty());
    for home in formats {
        check(
            &home,
            "SELECT tokenize('云原生平台', 'words') AS t",
            "t\n\"[\"\"云原生\"\",\"\"平台\"\"]\"\n",
        );
        check(
            &home,
            "SELECT model, version, kind, bytes, problem FROM models() WHERE model = 'words'",
            "model,version,kind,bytes,problem\nwords,1,jieba,14,\n",
        );
    }
}

#[test]
fn a_model_that_cuts_the_texts_of_another_is_kept_by_version_and_asked_for() {
    let home = tempfile::tempdir().expect("home");
    let home = home.path();
    let fit = "CREATE MODEL t WITH ('kind' = 'tfidf', 'tokenizer' = 'D') AS VALUES ('云原生平台')";
    let weigh = "SELECT tfidf_terms('t', '云原生')[1]['term'] AS t";
    check(home, &format!("{CREATE}; {fit}"), "");
    check(home, weigh, "t\n云原生\n");
    let explained = sql(
        home,
        "EXPLAIN SELECT chunk(t, 3, {unit: 'd'}) FROM (VALUES ('云')) AS v(t)",
    );
    assert!(explained.output.contains("unit:d@1"), "{explained:?}");
    // Another version of the tokenizer is not this model's.
    let other = "CREATE OR REPLACE MODEL d WITH ('kind' = 'jieba') AS VALUES ('云原', 99999, 'n')";
    check(home, other, "");
    check(home, weigh, "t\n云原生\n");
    check(home, "ALTER MODEL t SET ('norm' = 'none')", "");
    check(home, weigh, "t\n云原生\n");
    check(home, "DROP MODEL 'd@1'", "");
    let lost = "model `t@2`: expected its tokenizer, model `d@1`, as it was when the terms were counted, found";
    check_error(home, weigh, &format!("{lost} model `d` has no version 1"));
    check(home, "DROP MODEL d", "");
    check_error(home, weigh, &format!("{lost} no model `d`"));
    check(home, &other.replace("OR REPLACE ", ""), "");
    check_error(
        home,
        weigh,
        &format!("{lost} another model of this name and version"),
    );
    // It can still be looked at, and dropped.
    let described = sql(home, "DESCRIBE MODEL t");
    assert!(
        described.output.contains("option tokenizer,d@1"),
        "{described:?}"
    );
    check_error(
        home,
        "CREATE MODEL u WITH ('kind' = 'tfidf', 'tokenizer' = 't') AS VALUES ('a')",
        "model `t@2`: expected its tokenizer",
    );
    check(home, "DROP MODEL t; DROP MODEL d", "");
    assert!(store(home).is_empty());
}
