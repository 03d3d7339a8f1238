//! `lexstream profile`, as a person runs it, and its page as a browser shows it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use lexstream_integration_tests::binary::run;
use lexstream_integration_tests::corpus;
use serde_json::Value;

use crate::parquet_readers::python;

/// Texts with all that is looked for: the first three are in English, with one twice.
fn texts() -> Vec<Option<String>> {
    let english = "The old lighthouse stood on the cliff, and every evening its keeper walked up the winding stairs to light the lamp for the ships.";
    let german = "Der alte Leuchtturm stand auf der Klippe, und jeden Abend stieg sein Wärter die Treppe hinauf, um die Lampe für die Schiffe anzuzünden.";
    let hostile = "<script>document.title = 'taken'</script><img src='http://127.0.0.1:9/x' onerror='alert(1)'> </style><h1>";
    let mut texts: Vec<Option<String>> = vec![
        Some(english.to_owned()),
        Some(english.to_owned()),
        Some(format!("{english} Nobody thanked him.")),
        Some(german.to_owned()),
        Some(hostile.to_owned()),
        Some("\u{1b}[31mred\u{7}".to_owned()),
        Some("caf\u{fffd}".to_owned()),
        Some(String::new()),
        Some(" \n".to_owned()),
        None,
    ];
    texts.extend((0..200).map(|number| Some(format!("lamp number{number} of ship{}", number * 7))));
    texts
}

fn write(folder: &Path) -> PathBuf {
    let texts = texts();
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..texts.len() as i64));
    let texts: ArrayRef = Arc::new(StringArray::from(texts));
    let file = folder.join("corpus.parquet");
    corpus::write(
        &file,
        &corpus::table(vec![("id", ids), ("text", texts)]),
        64,
    );
    file
}

fn profile(arguments: &[&str]) -> String {
    let ended = run(&[&["profile"], arguments].concat(), "");
    assert_eq!(ended.status, Some(0), "{}", ended.error);
    ended.output
}

#[test]
fn figures_are_those_of_the_corpus() {
    let folder = tempfile::tempdir().expect("folder");
    let file = write(folder.path());
    let json = profile(&[&file.display().to_string(), "--format", "json"]);
    let found: Value = serde_json::from_str(&json).expect("JSON");
    let texts = texts();
    let present: Vec<_> = texts.iter().flatten().collect();
    let bytes: usize = present.iter().map(|text| text.len()).sum();
    let most = present.iter().map(|text| text.chars().count()).max();
    for (pointer, expected) in [
        ("/rows", texts.len()),
        ("/nulls", 1),
        ("/empty", 1),
        ("/blank", 1),
        ("/bytes", bytes),
        ("/characters/most", most.expect("a text")),
        ("/characters/least", 0),
        ("/exact_duplicates/texts", 1),
        ("/control_characters/texts", 1),
        ("/control_characters/characters", 2),
        ("/replacement_characters/texts", 1),
        // 200 texts of numbers and three of the lighthouse.
        ("/words/frequent/0/at_most", 203),
    ] {
        assert_eq!(
            found.pointer(pointer).and_then(Value::as_u64),
            Some(expected as u64),
            "{pointer}: {json}"
        );
    }
    assert_eq!(
        found.pointer("/words/frequent/0/word"),
        Some(&"lamp".into())
    );
    // Of the texts that are alike, one is like the others, or the least hash lies in the words that it has more.
    let alike = found
        .pointer("/near_duplicates/texts")
        .and_then(Value::as_u64);
    assert!(alike <= Some(1), "{json}");
}

#[test]
fn a_person_sees_figures_and_bars_and_no_text_commands_the_terminal() {
    let folder = tempfile::tempdir().expect("folder");
    let file = write(folder.path());
    let shown = profile(&[&file.display().to_string()]);
    assert!(
        !shown.contains('\u{1b}') && !shown.contains('\u{7}'),
        "{shown}"
    );
    for part in [
        "rows                210",
        "lamp  ",
        "█",
        "\\u{1b}[31mred\\u{7}",
        "≈ ",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn a_corpus_without_a_text_has_a_profile() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("none.parquet");
    let none: ArrayRef = Arc::new(StringArray::from(Vec::<Option<&str>>::new()));
    corpus::write(&file, &corpus::table(vec![("text", none)]), 64);
    let shown = profile(&[&file.display().to_string()]);
    assert!(shown.contains("rows                0\n"), "{shown}");
}

#[test]
fn files_of_lines_are_read_as_they_are_by_sql() {
    let folder = tempfile::tempdir().expect("folder");
    for (name, lines) in [
        ("texts.csv", "id,body\n1,\"a \"\"b\"\"\nc\"\n2,\n"),
        (
            "texts.jsonl",
            "{\"id\": 1, \"body\": \"a \\\"b\\\"\\nc\"}\n{\"id\": 2}\n",
        ),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, lines).expect("lines");
        let json = profile(&[&file.display().to_string(), "--format", "json"]);
        let found: Value = serde_json::from_str(&json).expect("JSON");
        for (pointer, expected) in [
            ("/rows", 2),
            ("/nulls", 1),
            ("/bytes", 7),
            ("/tokens/sum", 3),
        ] {
            assert_eq!(
                found.pointer(pointer),
                Some(&expected.into()),
                "{name}, {pointer}: {json}"
            );
        }
        assert_eq!(found["column"], "body", "{name}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let folder = tempfile::tempdir().expect("folder");
    let file = write(folder.path()).display().to_string();
    let page = folder.path().join("none/page.html").display().to_string();
    let there = folder.path().display().to_string();
    for (arguments, expected) in [
        (
            &[&*file, "--column", "id"][..],
            "column id: expected texts, found Int64; columns of texts: text",
        ),
        (
            &[&*file, "--column", "texts"],
            "no column texts; columns of texts: text",
        ),
        (&["nowhere.parquet"], "nowhere.parquet: no such file"),
        (
            &[&*file, "--tokenizer", "words"],
            "[possible values: char, jieba",
        ),
        (&["nowhere/*.parquet"], "nowhere/*.parquet: no file matches"),
        (
            &[&*file, "--html", &page],
            &*format!("could not write {page}: No such file or directory"),
        ),
        (
            &[&*file, "--html", &there],
            &*format!("could not write {there}: is a directory"),
        ),
    ] {
        let ended = run(&[&["profile"], arguments].concat(), "");
        assert!(
            ended.status.is_some_and(|status| status > 0),
            "{arguments:?}"
        );
        assert!(
            ended.error.contains(expected),
            "{expected}: {}",
            ended.error
        );
    }
}

#[test]
fn a_browser_draws_the_page_and_does_nothing_else() {
    let folder = tempfile::tempdir().expect("folder");
    let file = write(folder.path()).display().to_string();
    let page = folder.path().join("report.html");
    profile(&[&file, "--html", &page.display().to_string()]);
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../python/check_page.py");
    let looked = Command::new(python())
        .arg(script)
        .arg(&page)
        .output()
        .expect("python runs");
    let error = String::from_utf8_lossy(&looked.stderr);
    assert!(looked.status.success(), "{error}");
    let found: Value = serde_json::from_slice(&looked.stdout).expect("JSON");
    for view in ["phone", "desk"] {
        let found = &found[view];
        assert_eq!(found["title"], file.as_str(), "{found}");
        assert_eq!(found["requests"], Value::Array(vec![]), "{found}");
        assert_eq!(found["dialogs"], Value::Array(vec![]), "{found}");
        assert_eq!(found["too_wide"], 0, "{found}");
        for (chart, least) in [
            ("Texts by their length in characters", 4),
            ("Texts by their length in tokens", 3),
            ("Texts by language", 2),
            ("Words by how often they come", 10),
        ] {
            let drawn = found["charts"][chart].as_u64();
            assert!(drawn >= Some(least), "{chart}: {found}");
        }
    }
    assert_ne!(
        found["phone"]["background"], found["desk"]["background"],
        "{found}"
    );
}
