//! What Lexstream writes, others read: pyarrow, DuckDB and Polars.

use std::path::{Path, PathBuf};
use std::process::Command;

use lexstream_integration_tests::binary::{built, run};
use lexstream_integration_tests::corpus;
use lexstream_integration_tests::job::Job;
use serde_json::{Value, json};

const QUERY: &str = "SELECT n, text, tokenize(text) AS tokens, \
                     arrow_cast([n, 0.5], 'FixedSizeList(2, Float32)') AS vector, \
                     term_frequencies(tokenize(text, 'sklearn')) AS frequencies \
                     FROM (VALUES (1, 'To be, or not to be'), (2, NULL), (3, ''), (4, 'naïve 漢字 👩‍👩‍👧')) AS t(n, text) \
                     GROUP BY n, text ORDER BY n";

/// Returns the Python that `make tools` has set up.
pub(crate) fn python() -> PathBuf {
    let python = std::env::var_os("LEXSTREAM_PYTHON")
        .map_or_else(|| built().join("../tools/venv/bin/python"), PathBuf::from);
    assert!(
        python.exists(),
        "{} is missing; run: make tools",
        python.display()
    );
    python
}

/// Returns what each reader finds in a file.
fn read_by_others(file: &Path) -> Value {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../python/read_parquet.py");
    let output = Command::new(python())
        .arg(script)
        .arg(file)
        .output()
        .expect("python runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn check(found: &Value, expected: &Value) {
    for reader in ["pyarrow", "duckdb", "polars"] {
        assert_eq!(&found[reader], expected, "{reader}");
    }
}

#[test]
fn a_result_in_parquet_is_read_by_pyarrow_duckdb_and_polars() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("result.parquet");
    let ended = run(
        &[
            "sql",
            "--quiet",
            "-c",
            &format!("COPY ({QUERY}) TO '{}'", file.display()),
        ],
        "",
    );
    assert_eq!(ended.status, Some(0), "{}", ended.error);
    let frequencies = |terms: &[(&str, i64)]| {
        terms
            .iter()
            .map(|(term, count)| json!({"term": term, "count": count}))
            .collect::<Value>()
    };
    let expected = json!([
        {"n": 1, "text": "To be, or not to be", "tokens": ["To", "be", "or", "not", "to", "be"], "vector": [1.0, 0.5],
         "frequencies": frequencies(&[("be", 2), ("to", 2), ("not", 1), ("or", 1)])},
        {"n": 2, "text": null, "tokens": null, "vector": [2.0, 0.5], "frequencies": null},
        {"n": 3, "text": "", "tokens": [], "vector": [3.0, 0.5], "frequencies": []},
        {"n": 4, "text": "naïve 漢字 👩‍👩‍👧", "tokens": ["naïve", "漢", "字"], "vector": [4.0, 0.5],
         "frequencies": frequencies(&[("naïve", 1), ("漢字", 1)])},
    ]);
    check(&read_by_others(&file), &expected);
}

/// The units of a job are one table: their names sort in its order, and what begins with `_` is none of it.
#[test]
fn the_output_of_a_job_is_read_by_pyarrow_duckdb_and_polars() {
    let job = Job::default();
    corpus::write(&job.path("in/a.parquet"), &corpus::texts(0..5), 2);
    job.finish(&[
        "--input",
        "in",
        "--output",
        "out",
        "--on-error",
        "file",
        "-c",
        "SELECT id, 1 / id AS q, tokenize(text) AS tokens,
                arrow_cast([id, 0.5], 'FixedSizeList(2, Float32)') AS vector,
                arrow_cast([id, 0.25], 'FixedSizeList(2, Float16)') AS half_vector,
                arrow_cast(id / 4.0, 'Float16') AS half
         FROM input",
    ]);
    assert_eq!(job.rows().len(), 4);
    let row = |id: i64| {
        json!({
            "id": id, "q": 1 / id, "tokens": ["Text", id.to_string(), "and", "more"],
            "vector": [id as f64, 0.5], "half_vector": [id as f64, 0.25], "half": id as f64 / 4.0,
        })
    };
    let expected: Value = (1..5).map(row).collect();
    check(&read_by_others(&job.path("out")), &expected);
}
