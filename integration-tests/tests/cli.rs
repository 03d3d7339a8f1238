//! `lexstream` as a person runs it: what is printed, where, and how it ends.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

use lexstream_integration_tests::binary::{Ended, program, run, signal, start, wait};

fn sql(arguments: &[&str], input: &str) -> Ended {
    run(&[&["sql", "--quiet"], arguments].concat(), input)
}

fn check(arguments: &[&str], input: &str, expected: &str) {
    let ended = sql(arguments, input);
    assert_eq!(
        (ended.status, ended.output.as_str(), ended.error.as_str()),
        (Some(0), expected, ""),
        "{arguments:?}"
    );
}

fn check_error(arguments: &[&str], expected: &str) {
    let ended = sql(arguments, "");
    assert_eq!(ended.status, Some(1), "{arguments:?}: {ended:?}");
    assert!(
        ended.error.starts_with("error: ") && ended.error.contains(expected),
        "{arguments:?}: {}",
        ended.error
    );
}

/// Writes a file into a folder and returns its path as SQL and a shell take it.
fn file(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path: PathBuf = folder.join(name);
    fs::write(&path, bytes).expect(name);
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn commands_scripts_and_standard_input_are_run_in_order() {
    let folder = tempfile::tempdir().expect("folder");
    let script = file(
        folder.path(),
        "script.sql",
        b"CREATE TABLE t AS SELECT 1 AS n;\nSELECT n FROM t;",
    );
    check(
        &[
            "--format",
            "csv",
            "-f",
            &script,
            "-c",
            "SELECT n + 1 AS m FROM t",
        ],
        "",
        "n\n1\nm\n2\n",
    );
    check(
        &["--format", "csv"],
        "SELECT 1 AS a; SELECT ';' AS b;",
        "a\n1\nb\n;\n",
    );
    check(
        &["--format", "nd-json", "-f", "-"],
        "SELECT 'é' AS a",
        "{\"a\":\"é\"}\n",
    );
    check(&[], "", "");
}

#[test]
fn a_table_has_a_footer_unless_it_is_quiet() {
    let table = "+---+\n| n |\n+---+\n| 1 |\n+---+\n";
    check(&["-c", "SELECT 1 AS n"], "", table);
    let ended = run(&["sql", "-c", "SELECT 1 AS n"], "");
    assert!(
        ended.output.starts_with(&format!("{table}1 row in ")),
        "{}",
        ended.output
    );
}

#[test]
fn settings_are_set() {
    check(
        &[
            "--set",
            "lexstream.sql.max_items=1",
            "-c",
            "SELECT [1, 2, 3] AS l",
        ],
        "",
        "+----------+\n| l        |\n+----------+\n| [1, … 3] |\n+----------+\n",
    );
    check_error(
        &["--set", "lexstream.sql.max_rowz=1", "-c", "SELECT 1"],
        "max_rowz",
    );
}

#[test]
fn functions_are_listed_with_syntax_and_example() {
    let ended = sql(
        &["--format", "tsv", "-c", "SHOW FUNCTIONS LIKE 'token%'"],
        "",
    );
    let rows: Vec<Vec<&str>> = ended
        .output
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    assert_eq!(
        rows[0],
        ["function", "kind", "syntax", "description", "example"]
    );
    assert_eq!(
        rows[1][..3],
        [
            "token_count",
            "scalar",
            "token_count(text [, tokenizer] [, settings])"
        ]
    );
    let names: Vec<_> = rows[1..].iter().map(|row| row[0]).collect();
    assert_eq!(
        names,
        ["token_count", "token_ids", "token_set_ratio", "tokenize"]
    );
    assert!(rows[4][4].starts_with("> select tokenize("), "{rows:?}");
}

#[test]
fn errors_go_to_standard_error_with_status_1() {
    check_error(&["-c", "SELECT 1;\nselct 2"], "Line: 2, Column: 1");
    check_error(&["-c", "SELECT tokenise('a')"], "Did you mean 'tokenize'?");
    check_error(
        &["-c", "SELECT tokenize('a', 'words')"],
        "found `words`; did you mean `word`?",
    );
    check_error(
        &["-c", "SELECT tex FROM (SELECT 'a' AS text)"],
        "Did you mean 'text'?",
    );
    check_error(
        &["-c", "SELECT * FROM 'no/such.parquet'"],
        "no/such.parquet: no such file",
    );
    check_error(&["-f", "/no/such.sql"], "/no/such.sql: No such file");
    let ended = run(&["sql", "--formt", "csv"], "");
    assert_eq!(ended.status, Some(2));
    assert!(ended.error.contains("--format"), "{}", ended.error);
}

#[test]
fn a_script_with_a_slip_at_its_end_runs_nothing() {
    let ended = sql(&["-c", "SELECT 1; selct 2"], "");
    assert_eq!((ended.status, ended.output.as_str()), (Some(1), ""));
}

#[test]
fn bad_files_are_named() {
    let folder = tempfile::tempdir().expect("folder");
    let whole = folder
        .path()
        .join("whole.parquet")
        .to_str()
        .expect("UTF-8")
        .to_owned();
    check(
        &[
            "--format",
            "csv",
            "-c",
            &format!("COPY (SELECT 'a text' AS t) TO '{whole}'"),
        ],
        "",
        "count\n1\n",
    );
    let bytes = fs::read(&whole).expect("whole");
    let cut = file(folder.path(), "cut.parquet", &bytes[..bytes.len() / 2]);
    check_error(&["-c", &format!("SELECT * FROM '{cut}'")], "cut.parquet: ");
    let text = file(
        folder.path(),
        "text.parquet",
        b"this is no parquet file at all",
    );
    check_error(
        &["-c", &format!("SELECT * FROM '{text}'")],
        "text.parquet: ",
    );
    let invalid = file(folder.path(), "invalid.csv", b"text\nok\n\xff\xfe\n");
    check_error(&["-c", &format!("SELECT * FROM '{invalid}'")], "invalid");
    let nothing = folder.path().join("nothing");
    fs::create_dir(&nothing).expect("nothing");
    check_error(
        &["-c", &format!("SELECT * FROM '{}'", nothing.display())],
        "found none",
    );
}

#[test]
#[cfg(unix)]
fn a_file_without_permission_is_named() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    let folder = tempfile::tempdir().expect("folder");
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
    };
    mode(folder.path(), 0o755);
    let locked = folder.path().join("locked.csv");
    fs::write(&locked, "a\n1\n").expect("locked");
    mode(&locked, 0);
    // Root may read it all the same, and so the query is nobody's then, with a binary that nobody can reach.
    let is_root = fs::File::open(&locked).is_ok();
    let mut command = if is_root {
        let copy = folder.path().join("lexstream");
        fs::copy(program("lexstream"), &copy).expect("a copy");
        mode(&copy, 0o755);
        let mut command = Command::new(copy);
        command.uid(65534).env("HOME", folder.path());
        command
    } else {
        Command::new(program("lexstream"))
    };
    let query = format!("SELECT * FROM '{}'", locked.display());
    let ended = command
        .args(["sql", "-q", "-c", &query])
        .output()
        .expect("lexstream runs");
    assert_eq!(
        (
            ended.status.code(),
            String::from_utf8_lossy(&ended.stderr).as_ref()
        ),
        (
            Some(1),
            format!("error: {}: no permission to read it\n", locked.display()).as_str()
        )
    );
}

#[test]
fn binary_that_is_no_text_is_an_error_with_its_place() {
    check_error(
        &[
            "-c",
            "SELECT tokenize(b) FROM (VALUES (arrow_cast('ok', 'Binary')), (X'61ff')) AS t(b)",
        ],
        "tokenize: `text`, row 1 of the batch: expected UTF-8, found an invalid byte at 1",
    );
}

#[test]
fn a_text_of_100_megabytes_is_tokenized() {
    let query = "SELECT token_count(t, 'whitespace') AS n, array_length(tokenize(t, 'sklearn')) AS m \
                 FROM (SELECT repeat('word and ', 11650845) AS t)";
    check(
        &["--format", "csv", "-c", query],
        "",
        "n,m\n23301690,23301690\n",
    );
}

#[test]
fn a_closed_pipe_ends_quietly() {
    for format in ["table", "csv", "tsv", "json", "nd-json"] {
        let mut child = start(&[
            "sql",
            "--quiet",
            "--format",
            format,
            "-c",
            "SELECT * FROM generate_series(1, 1000000000)",
        ]);
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        drop(output);
        let ended = wait(child);
        assert_eq!(
            (ended.status, ended.error.as_str()),
            (Some(0), ""),
            "{format}"
        );
    }
}

#[test]
fn an_interrupt_cancels_the_query_within_a_second() {
    let query = "SELECT 1 AS started; SELECT count(*) FROM generate_series(1, 100000000000) AS t(n) WHERE n % 7 = 8";
    let mut child = start(&["sql", "--quiet", "--format", "csv", "-c", query]);
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut lines = String::new();
    while !lines.ends_with("1\n") {
        assert!(output.read_line(&mut lines).expect("a line") > 0, "{lines}");
    }
    // The second query starts when the first is printed, and signals are heard from its start on.
    let sent = Instant::now();
    child.stdout = Some(output.into_inner());
    let id = child.id();
    let interrupts = thread::spawn(move || {
        for _ in 0..20 {
            if Command::new("kill")
                .args(["-0", &id.to_string()])
                .output()
                .is_ok_and(|known| !known.status.success())
            {
                return;
            }
            signal(id, "INT");
            thread::park_timeout(Duration::from_millis(50));
        }
    });
    let ended = wait(child);
    assert!(
        sent.elapsed() < Duration::from_secs(5),
        "{:?}",
        sent.elapsed()
    );
    interrupts.join().expect("interrupts");
    assert_eq!(
        (ended.status, ended.error.as_str()),
        (Some(130), "error: interrupted\n")
    );
}

#[test]
fn the_version_names_what_it_is_built_on() {
    let ended = run(&["version", "--verbose"], "");
    assert_eq!(ended.status, Some(0));
    for part in ["lexstream 0.", "datafusion 55.", "arrow 59.", "threads "] {
        assert!(ended.output.contains(part), "{part}: {}", ended.output);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_shell_runs_every_statement_of_a_paste() {
    // `script` is a terminal; what it is given at once comes as a paste without brackets.
    let shell = format!(
        "{} sql --quiet --format csv",
        program("lexstream").display()
    );
    let mut terminal = Command::new("script")
        .args(["--quiet", "--return", "--command", &shell, "/dev/null"])
        .env("HOME", tempfile::tempdir().expect("home").path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("script starts");
    let paste = "SELECT 6 * 7 AS one;\nSELECT 6 *\n 8 AS two;\nSELECT 6 * 9 AS three;\nexit\n";
    let mut input = terminal.stdin.take().expect("a terminal");
    input.write_all(paste.as_bytes()).expect("pasted");
    let ended = terminal.wait_with_output().expect("the shell ends");
    let shown = String::from_utf8_lossy(&ended.stdout).replace('\r', "");
    for rows in ["\none\n42\n", "\ntwo\n48\n", "\nthree\n54\n"] {
        assert!(shown.contains(rows), "{rows}: {shown}");
    }
}
