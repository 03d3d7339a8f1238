//! JSON files as tables, whole and broken.

use std::fs;

use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::common::Result;

use crate::{Engine, EngineBuilder};

struct Folder {
    folder: tempfile::TempDir,
    engine: Engine,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let engine = EngineBuilder::default().target_partitions(4).build();
        let engine = engine.expect("engine");
        Folder { folder, engine }
    }

    fn path(&self, name: &str) -> String {
        let path = self.folder.path().join(name);
        path.to_str().expect("UTF-8").to_owned()
    }

    async fn run(&self, query: &str) -> Result<String> {
        let query = query.replace("$", self.folder.path().to_str().expect("UTF-8"));
        let batches = self.engine.sql(&query).await?.collect().await?;
        let table = pretty_format_batches(&batches)?.to_string();
        let rows = table.lines().skip(3).filter(|line| line.starts_with('|'));
        let cells = |line: &str| {
            let cells = line.trim_matches('|').split('|').map(str::trim);
            cells.collect::<Vec<_>>().join(",")
        };
        Ok(rows.map(cells).collect::<Vec<_>>().join(";"))
    }

    /// Checks the rows of a file, or its error: `$` stands for the folder.
    async fn check(&self, name: &str, bytes: impl AsRef<[u8]>, query: &str, expected: &str) {
        fs::write(self.path(name), bytes).expect(name);
        let found = match self.run(query).await {
            Ok(rows) => rows,
            Err(error) => error.strip_backtrace(),
        };
        let folder = self.folder.path().to_str().expect("UTF-8");
        let found = found.replace(folder, "$");
        assert!(
            found == expected || found.ends_with(&format!(": {expected}")),
            "{name}: {found}"
        );
    }
}

#[tokio::test]
async fn characters_of_every_plane_are_read() {
    let file = "{\"t\":\"\\ud842\\udfb7 \\udb40\\udd00 \\udbff\\udffd\"}\n";
    let query =
        "SELECT t = concat(chr(134071), ' ', chr(917760), ' ', chr(1114109)) FROM '$/a.json'";
    Folder::new().check("a.json", file, query, "true").await;
}

#[tokio::test]
async fn a_byte_order_mark_is_passed() {
    let folder = Folder::new();
    folder
        .check(
            "a.ndjson",
            "\u{feff}{\"id\":1}\r\n\r\n{\"id\":2}",
            "SELECT id FROM '$/a.ndjson'",
            "1;2",
        )
        .await;
    folder
        .check(
            "b.json",
            "\u{feff} [{\"id\":1},\n{\"id\":2}]",
            "SELECT id FROM '$/b.json'",
            "1;2",
        )
        .await;
}

#[tokio::test]
async fn columns_hold_what_was_found_in_them() {
    let folder = Folder::new();
    let file = "{\"big\":18446744073709551615,\"mixed\":1,\"none\":null,\"o\":{\"l\":[1,2]}}\n{\"mixed\":2.5}\n";
    let query = "SELECT big, mixed, none, o['l'][2], arrow_typeof(none) FROM '$/a.jsonl'";
    folder
        .check(
            "a.jsonl",
            file,
            query,
            "18446744073709551615,1.0,,2,Utf8;,2.5,,,Utf8",
        )
        .await;
    folder
        .check("a.jsonl", file, "SELECT count(*) FROM '$/a.jsonl'", "2")
        .await;
}

#[tokio::test]
async fn an_error_names_file_line_and_what_is_wrong() {
    let folder = Folder::new();
    let create = "CREATE EXTERNAL TABLE t (a BIGINT) STORED AS JSON LOCATION '$/a.json'";
    fs::write(folder.path("a.json"), "").expect("a.json");
    folder.run(create).await.expect(create);
    let query = "SELECT * FROM t";
    folder
        .check(
            "a.json",
            "{\"a\":3}\n\n{\"a\":3.7}\n",
            query,
            "$/a.json: line 3: expected Int64 in `a`, found `3.7}`",
        )
        .await;
    folder
        .check(
            "a.json",
            "{\"a\":3,\"x\":[1,,2]}\n",
            query,
            "$/a.json: line 1: expected a value at byte 14, found `,2]}`",
        )
        .await;
    folder
        .check(
            "a.json",
            "{\"a\":012}\n",
            query,
            "$/a.json: line 1: expected `,` or `}` at byte 6, found `12}`",
        )
        .await;
    folder
        .check(
            "a.json",
            b"{\"a\":1,\"x\":\"\xff\"}",
            query,
            "$/a.json: line 1: expected UTF-8 at byte 12, found 0xff",
        )
        .await;
    let query = "SELECT * FROM '$/b.json'";
    folder.check("b.json", "{\"a\":1}\n{\"a\":\"\t\"}\n", query, "$/b.json: line 2: expected an escape instead of a control character at byte 6, found `\\t\"}`").await;
    folder
        .check(
            "b.json",
            "{\"a\":1}\n{\"a\":2",
            query,
            "$/b.json: line 2: expected `,` or `}` at byte 6, found the end of the record",
        )
        .await;
}

#[tokio::test]
async fn compressed_files_are_read_and_cut_ones_refused() {
    let folder = Folder::new();
    let rows = "SELECT value AS id, sha256(CAST(value AS VARCHAR)) IS NULL AS no FROM generate_series(1, 20000)";
    for compression in ["gz", "bz2", "xz", "zst"] {
        let file = format!("z.json.{compression}");
        let copy = format!(
            "COPY ({rows}) TO '$/{file}' STORED AS JSON OPTIONS ('format.compression' '{compression}')"
        );
        folder.run(&copy).await.expect("copy");
        let query = format!("SELECT count(*), sum(id) FROM '$/{file}'");
        assert_eq!(folder.run(&query).await.expect(&query), "20000,200010000");
    }
    let whole = fs::read(folder.path("z.json.gz")).expect("z.json.gz");
    fs::write(folder.path("cut.json.gz"), &whole[..whole.len() / 2]).expect("cut");
    let error = folder
        .run("SELECT count(*) FROM '$/cut.json.gz'")
        .await
        .expect_err("cut");
    assert!(error.strip_backtrace().contains("cut.json.gz"), "{error}");
}

#[tokio::test]
async fn a_large_file_is_read_in_parts_and_no_line_twice() {
    let folder = Folder::new();
    let line = |id: usize| format!("{{\"id\":{id},\"text\":\"{}\"}}\n", "é".repeat(id % 50));
    let lines: String = (0..20_000).map(line).collect();
    let wide = |end: &str| format!("{lines}{end}");
    folder
        .run("SET datafusion.optimizer.repartition_file_min_size = 1000")
        .await
        .expect("set");
    let count = "SELECT count(*), sum(id) FROM '$/a.json'";
    folder
        .check("a.json", &lines, count, "20000,199990000")
        .await;
    let plan = folder
        .run("EXPLAIN SELECT id FROM '$/a.json'")
        .await
        .expect("plan");
    assert!(plan.contains("file_groups={4 groups"), "{plan}");
    let bad = wide("{\"id\":\"x\"}\n{\"id\":1}\n");
    folder
        .check(
            "a.json",
            &bad,
            "SELECT sum(id) FROM '$/a.json'",
            "$/a.json: line 20001: expected Int64 in `id`, found `\"x\"}`",
        )
        .await;
    let pretty = lines.replace(',', ",\n").replace('}', "\n}");
    fs::write(folder.path("p.json"), &pretty).expect("p.json");
    let error = folder
        .run("SELECT sum(id) FROM '$/p.json'")
        .await
        .expect_err("cut");
    assert!(
        error.strip_backtrace().contains("repartition_file_scans"),
        "{error}"
    );
    folder
        .run("SET datafusion.optimizer.repartition_file_scans = false")
        .await
        .expect("set");
    assert_eq!(
        folder
            .run("SELECT sum(id) FROM '$/p.json'")
            .await
            .expect("whole"),
        "199990000"
    );
}
