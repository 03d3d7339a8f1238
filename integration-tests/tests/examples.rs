//! Every example of the reference is run, and the example programs are.

use std::fs;
use std::process::Command;

use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use lexstream::{Engine, reference, udfs};
use lexstream_integration_tests::{binary, onnx};

use crate::demo::root;

/// Returns the values of the first column, one a line, as an example shows them.
async fn shown(engine: &Engine, query: &str) -> String {
    let frame = engine
        .sql(query)
        .await
        .unwrap_or_else(|error| panic!("{query}: {error}"));
    let batches = frame
        .collect()
        .await
        .unwrap_or_else(|error| panic!("{query}: {error}"));
    let options = FormatOptions::new().with_null("NULL");
    let mut lines = Vec::new();
    for batch in &batches {
        let values = ArrayFormatter::try_new(batch.column(0), &options).expect("a value is shown");
        lines.extend((0..batch.num_rows()).map(|row| values.value(row).to_string()));
    }
    lines.join("\n")
}

#[tokio::test]
async fn every_example_shows_what_the_query_returns() {
    let home = tempfile::tempdir().expect("home");
    let engine = onnx::engine(home.path()).await;
    let news = "CREATE MODEL news WITH ('kind' = 'tfidf') AS VALUES ('the cat sat'), ('the dog sat'), ('the cat and the dog')";
    engine.sql(news).await.expect("a model");
    let names = udfs::names();
    let functions = reference::functions(&engine.context().state());
    let ours: Vec<_> = functions
        .into_iter()
        .filter(|function| names.contains(&function.name))
        .collect();
    assert_eq!(ours.len(), names.len());
    for function in ours {
        let mut queries = 0;
        for example in function
            .example
            .split("> ")
            .filter(|example| !example.trim().is_empty())
        {
            let (query, expected) = example
                .split_once(";\n")
                .unwrap_or_else(|| panic!("{}: no result: {example}", function.name));
            assert_eq!(
                shown(&engine, query).await,
                expected.trim_end(),
                "{}: {query}",
                function.name
            );
            queries += 1;
        }
        assert!(queries > 0, "{} has no example", function.name);
    }
}

#[test]
fn the_example_programs_run() {
    for (name, expected) in [
        ("engine", "| To be, or not! | [To, be, or, not] | 4 |"),
        ("own_format", "| 1  | [all, good] |"),
        (
            "own_kind",
            "| A great product, good price, but late | positive |",
        ),
        ("own_session", "{term: be, count: 2}"),
    ] {
        let output = Command::new(binary::program(&format!("examples/{name}")))
            .output()
            .expect(name);
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && printed.contains(expected),
            "{name}: {printed}"
        );
    }
}

#[test]
fn the_example_of_each_family_runs_and_every_query_gives_rows() {
    let home = tempfile::tempdir().expect("home");
    let folder = root().join("examples/functions");
    let mut scripts = 0;
    for entry in fs::read_dir(folder).expect("examples/functions") {
        let path = entry.expect("an entry").path().display().to_string();
        let home = home.path().display().to_string();
        let ended = binary::run(&["sql", "--home", &home, "--file", &path], "");
        assert_eq!(
            (ended.status, ended.error.as_str()),
            (Some(0), ""),
            "{path}"
        );
        let empty = ended.output.lines().find(|line| line.starts_with("0 rows"));
        assert_eq!(empty, None, "{path}: {}", ended.output);
        scripts += 1;
    }
    assert_eq!(scripts, 4);
}
