//! A test never starts a program that is not what the sources make.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use lexstream_integration_tests::fresh::problem;

/// Checks what is said of a program that is `age` seconds old, after its list of sources; `main file.rs` is a minute old.
fn check(rule: &str, age: u64, expected: Option<&str>) {
    let folder = tempfile::tempdir().expect("folder");
    let of = |name: &str, age: u64| {
        let file = File::create(folder.path().join(name)).expect(name);
        let then = SystemTime::now() - Duration::from_secs(age);
        file.set_modified(then).expect(name);
    };
    of("main file.rs", 60);
    of("program", age);
    let rule = rule.replace("ROOT", &folder.path().display().to_string());
    fs::write(folder.path().join("program.d"), rule).expect("program.d");
    let found = problem(&folder.path().join("program"), folder.path());
    match (&found, expected) {
        (Some(found), Some(expected)) => assert!(found.contains(expected), "{found}"),
        _ => assert_eq!(found.as_deref(), expected),
    }
}

#[test]
fn a_program_that_is_newer_than_its_sources_is_fresh() {
    check(
        "ROOT/program: /elsewhere/lib.rs ROOT/main\\ file.rs\n",
        30,
        None,
    );
}

#[test]
fn a_program_that_is_older_than_a_source_is_stale() {
    let rule = "ROOT/program: /elsewhere/lib.rs ROOT/main\\ file.rs\n";
    check(rule, 90, Some("program is older than"));
}

#[test]
fn a_program_of_another_tree_is_named() {
    let rule = "ROOT/program: /elsewhere/lib.rs\n";
    check(rule, 30, Some("was built from another tree"));
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let found = problem(Path::new("/nowhere/program"), Path::new("/nowhere"));
    assert!(found.is_some_and(|found| found.contains("is missing")));
}
