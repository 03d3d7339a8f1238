//! Inputs of batch jobs that are large, small or odd.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, LargeStringArray, RecordBatch, StringArray};
use datafusion::parquet::arrow::ArrowSchemaConverter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::parquet::file::writer::SerializedFileWriter;
use lexstream_integration_tests::corpus::{self, numbers, strings};
use lexstream_integration_tests::job::{Job, footer, over_in, parts, rows};
use serde_json::json;

#[test]
fn files_without_rows_give_files_without_rows() {
    let job = Job::default();
    corpus::write(&job.path("in/a.parquet"), &corpus::texts(0..0), 10);
    // A row group of no rows is rare, and allowed.
    let schema = ArrowSchemaConverter::new().convert(&corpus::texts(0..0).schema());
    let schema = schema.expect("a schema").root_schema_ptr();
    let file = File::create(job.path("in/b.parquet")).expect("a file");
    let properties = Arc::new(WriterProperties::default());
    let mut writer = SerializedFileWriter::new(file, schema, properties).expect("a writer");
    let mut group = writer.next_row_group().expect("a row group");
    while let Some(column) = group.next_column().expect("a column") {
        column.close().expect("a column");
    }
    group.close().expect("a row group");
    writer.close().expect("a file");
    corpus::write(&job.path("in/c.parquet"), &corpus::texts(7..8), 10);
    let summary = job.finish(&over_in("SELECT id, token_count(text) AS n FROM input"));
    assert_eq!(
        (&summary["rows"], &summary["units"]),
        (&json!(1), &json!(3))
    );
    // Every file of the output has the columns, whoever reads it.
    let ended = job.sql("SELECT n FROM 'out/part-0000000-000000-0000000.parquet'");
    assert_eq!((ended.status, ended.output.as_str()), (Some(0), ""));
    assert_eq!(job.rows(), [json!({"id": 7, "n": 4})]);
}

#[test]
fn ten_thousand_small_files_keep_their_order() {
    let job = Job::default();
    for file in 0..10_000 {
        let path = job.path(&format!("in/{file:04}.parquet"));
        corpus::write(&path, &corpus::texts(2 * file..2 * file + 2), 10);
    }
    let summary = job.finish(&over_in("SELECT id FROM input"));
    assert_eq!(
        (&summary["rows"], &summary["units"]),
        (&json!(20_000), &json!(10_000))
    );
    let expected: Vec<_> = (0..20_000).map(|id| json!({"id": id})).collect();
    assert_eq!(job.rows(), expected);
}

#[test]
fn a_file_of_ten_thousand_row_groups_keeps_its_order() {
    let job = Job::default();
    corpus::write(&job.path("in/a.parquet"), &corpus::texts(0..10_000), 1);
    let summary = job.finish(&over_in("SELECT id FROM input"));
    assert_eq!(
        (&summary["rows"], &summary["units"]),
        (&json!(10_000), &json!(10_000))
    );
    let expected: Vec<_> = (0..10_000).map(|id| json!({"id": id})).collect();
    assert_eq!(job.rows(), expected);
}

#[test]
fn files_have_any_names() {
    let file_names = [
        "a b.parquet",
        "a#1.parquet",
        "a%20b.parquet",
        "a+b&c?.parquet",
        "文件.parquet",
    ];
    for input in ["in", "in/*.parquet"] {
        let job = Job::default();
        for (at, name) in file_names.iter().enumerate() {
            job.write_table(name, vec![("id", numbers([at as i64]))]);
        }
        job.finish(&[
            "--input",
            input,
            "--output",
            "o u%t#",
            "-c",
            "SELECT id FROM input",
        ]);
        let out = job.path("o u%t#");
        let expected: Vec<_> = (0..5).map(|id| json!({"id": id})).collect();
        assert_eq!(rows(&out), expected, "{input}");
        for (part, name) in parts(&out).iter().zip(file_names) {
            let footer = footer(part);
            let pair = (
                "lexstream.input".to_owned(),
                job.path(&format!("in/{name}")).display().to_string(),
            );
            assert!(footer.contains(&pair), "{pair:?} in {footer:?}");
        }
    }
}

#[test]
fn the_names_of_folders_are_columns() {
    let job = Job::default();
    for (year, language, id) in [(2023, "de", 1), (2024, "de", 2), (2024, "zh", 3)] {
        let name = format!("year={year}/language={language}/a.parquet");
        job.write_table(&name, vec![("id", numbers([id, 10 * id]))]);
    }
    job.check(
        "SELECT id, language, year FROM input WHERE year = '2024' AND id < 30",
        &[
            json!({"id": 2, "language": "de", "year": "2024"}),
            json!({"id": 20, "language": "de", "year": "2024"}),
            json!({"id": 3, "language": "zh", "year": "2024"}),
        ],
    );
}

#[test]
fn a_text_of_20_megabytes_is_one_row_among_others() {
    let job = Job::default();
    let long = "word ".repeat(4 << 20);
    let texts = strings(&["a b", &long, "c"]);
    let table: RecordBatch = corpus::table(vec![("text", texts)]);
    corpus::write(&job.path("in/a.parquet"), &table, 10);
    let query =
        "SELECT token_count(text, 'whitespace') AS n, octet_length(text) AS bytes FROM input";
    job.finish(&[&over_in(query)[..], &["--memory", "256m"]].concat());
    assert_eq!(
        job.rows(),
        [
            json!({"n": 2, "bytes": 3}),
            json!({"n": 4 << 20, "bytes": 20 << 20}),
            json!({"n": 1, "bytes": 1}),
        ]
    );
}

/// Writes rows whose texts are in one page, or in one dictionary, with columns of short values on both sides.
fn write_long_page(job: &Job, texts: &[Option<String>], has_dictionary: bool) {
    let rows = texts.len() as i64;
    let flags: ArrayRef = Arc::new(LargeStringArray::from_iter_values(
        (0..rows).map(|row| format!("flag {}", row % 3)),
    ));
    let texts: StringArray = texts.iter().map(Option::as_deref).collect();
    let texts: ArrayRef = Arc::new(texts);
    let table = corpus::table(vec![
        ("id", numbers(0..rows)),
        ("text", texts),
        ("flag", flags),
    ]);
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(has_dictionary)
        .set_dictionary_page_size_limit(usize::MAX)
        .set_data_page_size_limit(usize::MAX);
    corpus::write_as(&job.path("in/a.parquet"), &table, 1000, properties);
}

#[test]
fn long_texts_that_share_a_page_are_run_one_by_one() {
    let texts: Vec<_> = (0..200)
        .map(|row| match row {
            60 | 61 | 150 => Some("long ".repeat(20_000 + row)),
            row if row % 7 == 2 => None,
            // Comes again, in a dictionary at its first place.
            row if row % 7 == 3 => Some("short and again".to_owned()),
            row => Some("word ".repeat(row)),
        })
        .collect();
    let of_row = |(row, text): (usize, &Option<String>)| {
        let bytes = text.as_ref().map(String::len);
        json!({"flag": format!("flag {}", row % 3), "bytes": bytes, "id": row})
    };
    let expected: Vec<_> = texts.iter().enumerate().map(of_row).collect();
    for has_dictionary in [false, true] {
        let job = Job::default();
        write_long_page(&job, &texts, has_dictionary);
        // A page of 300 kB is long where a batch has 10 kB of texts; one unit begins within it.
        let mut options = vec!["--set", "lexstream.batch.batch_bytes=10000"];
        options.extend(["--set", "lexstream.batch.unit_rows=90"]);
        let query = "SELECT flag, octet_length(text) AS bytes, id FROM input";
        job.finish(&[&over_in(query)[..], &options].concat());
        assert_eq!(job.rows(), expected, "{has_dictionary}");
        // Rows that fail are read again, from within the page.
        let query = "SELECT 1 / (id % 61) AS n, text FROM input";
        options.extend(["--on-error", "file", "--restart"]);
        let summary = job.finish(&[&over_in(query)[..], &options].concat());
        assert_eq!(summary["failed"], json!(4), "{has_dictionary}");
        let failed = rows(&job.path("out/_errors"));
        let failed: Vec<_> = failed
            .iter()
            .map(|row| (&row["id"], &row["text"], &row["_row"]))
            .collect();
        let wanted: Vec<_> = [0, 61, 122, 183]
            .map(|row| (json!(row), json!(texts[row])))
            .into();
        let wanted: Vec<_> = wanted.iter().map(|(row, text)| (row, text, row)).collect();
        assert!(failed == wanted, "{has_dictionary}");
    }
}

#[test]
fn a_text_that_is_too_long_for_the_memory_stops_the_job() {
    let job = Job::default();
    let long = |words: usize| Some("word ".repeat(words));
    write_long_page(&job, &[long(1), long(5_000_000), long(6_000_000)], false);
    let query = "SELECT octet_length(text) AS n FROM input";
    let place = job.path("in/a.parquet").display().to_string();
    let told =
        "a row of 25 MB may take 250 MB while it is computed, and --memory leaves 104 MB for it";
    for on_error in ["fail", "skip"] {
        let options = ["--memory", "100m", "--on-error", on_error];
        job.refuse(
            &[&over_in(query)[..], &options].concat(),
            &format!("{place}, row group 0, row 1: {told}"),
        );
    }
    let summary = job.finish(&[&over_in(query)[..], &["--memory", "400m"]].concat());
    assert_eq!(summary["rows"], json!(3));
    let found = job.rows();
    assert_eq!(
        found,
        [
            json!({"n": 5}),
            json!({"n": 25_000_000}),
            json!({"n": 30_000_000})
        ]
    );
}

#[test]
fn long_lines_are_read_one_by_one_or_refused() {
    let long = "word ".repeat(5_000_000);
    for (name, text) in [
        (
            "in/a.ndjson",
            format!("{{\"n\": 1}}\n{{\"text\": \"{long}\"}}\n{{\"n\": 3}}\n"),
        ),
        ("in/a.csv", format!("n,text\n1,\n,{long}\n3,\n")),
    ] {
        let job = Job::default();
        job.write(name, text);
        let query = "SELECT n, octet_length(text) AS bytes FROM input";
        let place = job.path(name).display().to_string();
        for on_error in ["fail", "skip"] {
            let options = ["--memory", "100m", "--on-error", on_error];
            let told = format!("{place}, row 0: Resources exhausted: a line of more than 10 MB");
            job.refuse(&[&over_in(query)[..], &options].concat(), &told);
        }
        job.finish(&[&over_in(query)[..], &["--memory", "400m"]].concat());
        let bytes: Vec<_> = job.rows().iter().map(|row| row["bytes"].clone()).collect();
        assert_eq!(
            bytes,
            [json!(null), json!(25_000_000), json!(null)],
            "{name}"
        );
    }
}

#[test]
fn an_input_that_no_query_reads_is_refused() {
    let job = Job::default();
    job.write("in/a.csv", "id\n1\n");
    job.write("other/b.csv", "id\n2\n");
    let query = "SELECT id FROM 'other/b.csv'";
    job.refuse(
        &over_in(query),
        "no query reads `input`, the table of --input in",
    );
}

#[test]
fn text_files_have_folders_compression_and_rows_without_columns() {
    for (name, lines, format) in [
        ("a.csv", "id,text\n1,one\n2,\"two\nlines\"\n", "CSV"),
        (
            "a.ndjson",
            "{\"id\": 1, \"text\": \"one\"}\n{\"text\": \"two\\nlines\", \"id\": 2}\n",
            "JSON",
        ),
    ] {
        let job = Job::default();
        job.write(&format!("in/language=de/{name}"), lines);
        job.write(
            "job.sql",
            format!(
                "CREATE EXTERNAL TABLE docs (id BIGINT, text VARCHAR, language VARCHAR) STORED AS {format}
                 PARTITIONED BY (language) LOCATION 'in/';
                 CREATE EXTERNAL TABLE out (language VARCHAR, bytes INT, id BIGINT)
                 STORED AS PARQUET LOCATION 'out/';
                 INSERT INTO out SELECT language, octet_length(text) AS bytes, id FROM docs;"
            ),
        );
        job.finish(&["-f", "job.sql"]);
        let expected = [
            json!({"language": "de", "bytes": 3, "id": 1}),
            json!({"language": "de", "bytes": 9, "id": 2}),
        ];
        assert_eq!(job.rows(), expected, "{name}");
        // Compressed, and without any of its columns.
        let copied = job.sql(&format!(
            "CREATE EXTERNAL TABLE docs (id BIGINT, text VARCHAR) STORED AS {format} LOCATION 'in/language=de/';
             COPY docs TO 'zipped/{name}.gz' STORED AS {format} OPTIONS ('format.compression' 'gzip')"
        ));
        assert_eq!(copied.status, Some(0), "{copied:?}");
        let query = "SELECT 1 AS one FROM input";
        job.finish(&["--input", "zipped", "--output", "ones", "-c", query]);
        assert_eq!(
            rows(&job.path("ones")),
            [json!({"one": 1}), json!({"one": 1})],
            "{name}"
        );
    }
}
