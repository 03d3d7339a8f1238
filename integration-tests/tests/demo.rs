//! The example queries give what `docs/demo.md` shows, in shape.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lexstream_integration_tests::binary::{program, run};
use lexstream_integration_tests::onnx::models;

/// The scripts of `examples/demo.sh`, in its order.
const QUERIES: [&str; 20] = [
    "sizes",
    "lengths",
    "tokens",
    "frequent_words",
    "term_frequencies",
    "keywords",
    "similar",
    "near_duplicates",
    "tfidf_search",
    "search",
    "neighbours",
    "classify",
    "chinese",
    "batch",
    "batch_check",
    "send",
    "stream",
    "arrived",
    "nearest_arrived",
    "dead_letters",
];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Writes a small corpus as `make demo` does, out of a registry of our own.
pub(crate) fn corpus(folder: &Path) {
    for (name, text) in [
        (
            "apple-1.2.3",
            "Apples are crisp. An orchard of apples needs water, frost and patience.\n",
        ),
        (
            "pear_tree-0.1.0",
            "Pears are soft. An orchard of pears needs water, frost and patience.\n",
        ),
        (
            "stone-2.0.0-rc.1",
            "Granite weathers slowly under wind, sun and a long winter of ice.\n",
        ),
    ] {
        let readme = folder
            .join("registry/src/index")
            .join(name)
            .join("README.md");
        fs::create_dir_all(readme.parent().expect("a folder")).expect(name);
        fs::write(readme, text.repeat(20)).expect(name);
    }
}

fn header(table: &str) -> String {
    let header = table
        .lines()
        .find(|line| line.starts_with("| "))
        .unwrap_or_default();
    header
        .split('|')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

#[test]
fn the_demo_runs_and_its_transcript_has_its_shape() {
    let folder = tempfile::tempdir().expect("folder");
    corpus(folder.path());
    let demo = Command::new(root().join("examples/demo.sh"))
        .arg(folder.path().join("demo"))
        .env("LEXSTREAM", program("lexstream"))
        .env("LEXSTREAM_MODELS", models())
        .env("CARGO_HOME", folder.path())
        .output()
        .expect("demo.sh runs");
    assert!(
        demo.status.success(),
        "{}",
        String::from_utf8_lossy(&demo.stderr)
    );
    let printed = String::from_utf8(demo.stdout).expect("UTF-8");
    let page = fs::read_to_string(root().join("docs/demo.md")).expect("docs/demo.md");
    let transcript = page
        .split("<!-- demo -->")
        .nth(1)
        .and_then(|rest| rest.split("<!-- /demo -->").next())
        .expect("a transcript");
    let (mut found, mut shown) = (printed.as_str(), transcript);
    for query in QUERIES {
        let file = fs::read_to_string(root().join(format!("examples/{query}.sql"))).expect(query);
        let purpose = file
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("-- "))
            .expect("its first line says what it is for");
        // Each is looked for behind the one before: order counts.
        found = found
            .split_once(purpose)
            .unwrap_or_else(|| panic!("{query} is not in the demo:\n{printed}"))
            .1;
        shown = shown
            .split_once(purpose)
            .unwrap_or_else(|| panic!("{query} is not in docs/demo.md"))
            .1;
        assert!(!header(found).is_empty());
        assert_eq!(header(shown), header(found), "{query}");
    }
}

#[test]
fn the_most_alike_documents_are_found() {
    let folder = tempfile::tempdir().expect("folder");
    corpus(folder.path());
    let script = fs::read_to_string(root().join("examples/corpus.sql")).expect("corpus.sql");
    let corpus = folder
        .path()
        .join("corpus.parquet")
        .to_str()
        .expect("UTF-8")
        .to_owned();
    let script = script.replace(
        "{registry}",
        folder.path().join("registry").to_str().expect("UTF-8"),
    );
    let similar = fs::read_to_string(root().join("examples/similar.sql")).expect("similar.sql");
    let queries =
        format!("{script}; SELECT crate, version FROM 'corpus.parquet' ORDER BY 1; {similar}")
            .replace("corpus.parquet", &corpus);
    let ended = run(&["sql", "--quiet", "--format", "csv", "-c", &queries], "");
    // apple and pear share are, an, orchard, of, needs, water, frost, and, patience of 11 words each.
    let expected = "count\n3\ncrate,version\napple,1.2.3\npear_tree,0.1.0\nstone,2.0.0-rc.1\n\
                    crate,other,rare_words_shared,jaccard\napple,pear_tree,9,0.692\napple,stone,2,0.1\npear_tree,stone,2,0.1\n";
    assert_eq!(
        (ended.output.as_str(), ended.status),
        (expected, Some(0)),
        "{}",
        ended.error
    );
}
