//! What Lexstream writes, others read: pyarrow, DuckDB and Polars.

use std::path::PathBuf;
use std::process::Command;

use lexstream_integration_tests::binary::{built, run};
use serde_json::{Value, json};

const QUERY: &str = "SELECT n, text, tokenize(text) AS tokens, \
                     arrow_cast([n, 0.5], 'FixedSizeList(2, Float32)') AS vector, \
                     term_frequencies(tokenize(text, 'sklearn')) AS frequencies \
                     FROM (VALUES (1, 'To be, or not to be'), (2, NULL), (3, ''), (4, 'naïve 漢字 👩‍👩‍👧')) AS t(n, text) \
                     GROUP BY n, text ORDER BY n";

fn python() -> PathBuf {
    let python = std::env::var_os("LEXSTREAM_PYTHON")
        .map_or_else(|| built().join("../tools/venv/bin/python"), PathBuf::from);
    assert!(
        python.exists(),
        "{} is missing; run: make tools",
        python.display()
    );
    python
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
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../python/read_parquet.py");
    let output = Command::new(python())
        .arg(script)
        .arg(&file)
        .output()
        .expect("python runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
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
    for reader in ["pyarrow", "duckdb", "polars"] {
        assert_eq!(found[reader], expected, "{reader}");
    }
}
