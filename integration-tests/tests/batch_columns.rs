//! Columns of batch jobs: their types, names and encodings, and values that are none of the table's.

use std::fs;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, DictionaryArray, Int32Array, LargeStringArray, ListArray, StringArray,
    StringViewArray, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type};
use datafusion::parquet::basic::Encoding;
use datafusion::parquet::data_type::{Int96, Int96Type};
use datafusion::parquet::file::properties::{WriterProperties, WriterVersion};
use datafusion::parquet::file::writer::SerializedFileWriter;
use datafusion::parquet::schema::parser::parse_message_type;
use datafusion::parquet::schema::types::ColumnPath;
use lexstream_integration_tests::corpus::{self, numbers, strings};
use lexstream_integration_tests::job::{Job, over_in, rows};
use serde_json::json;

#[test]
fn two_hundred_columns_are_carried_in_their_order() {
    let job = Job::default();
    let names: Vec<_> = (0..200).map(|column| format!("c{column}")).collect();
    let columns = names.iter().enumerate();
    let columns = columns.map(|(at, name)| (name.as_str(), numbers([at as i64, -(at as i64)])));
    job.write_table("a.parquet", columns.collect());
    job.finish(&over_in("SELECT *, c7 + c9 AS sum FROM input"));
    let found = job.rows();
    assert_eq!(found[0].as_object().map(serde_json::Map::len), Some(201));
    assert_eq!(
        (&found[0]["c199"], &found[1]["c3"], &found[0]["sum"]),
        (&json!(199), &json!(-3), &json!(16))
    );
}

#[test]
fn nested_columns_are_carried_through() {
    let job = Job::default();
    let lists = [Some(vec![Some(1), None]), None, Some(vec![])];
    let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists));
    let field =
        |name: &str, array: &ArrayRef| Arc::new(Field::new(name, array.data_type().clone(), true));
    let (names, places) = (strings(&["x", "y", "z"]), numbers([1, 2, 3]));
    let structs: ArrayRef = Arc::new(StructArray::from(vec![
        (field("name", &names), names),
        (field("place", &places), places),
        (field("lists", &lists), Arc::clone(&lists)),
    ]));
    job.write_table(
        "a.parquet",
        vec![("id", numbers(0..3)), ("lists", lists), ("s", structs)],
    );
    job.check("SELECT id, s, lists, s['name'] AS name FROM input WHERE id <> 1",
        &[
            json!({"id": 0, "s": {"name": "x", "place": 1, "lists": [1, null]}, "lists": [1, null], "name": "x"}),
            json!({"id": 2, "s": {"name": "z", "place": 3, "lists": []}, "lists": [], "name": "z"}),
        ],
    );
}

#[test]
fn texts_are_read_in_every_encoding() {
    let texts = vec![
        Some("To be, or not"),
        None,
        Some(""),
        Some("漢字 漢字 漢字"),
    ];
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let plain: ArrayRef = Arc::new(StringArray::from(texts.clone()));
    let encoded: [ArrayRef; 4] = [
        Arc::clone(&plain),
        Arc::new(LargeStringArray::from(texts.clone())),
        Arc::new(StringViewArray::from(texts)),
        cast(&plain, &dictionary).expect("a dictionary"),
    ];
    let encodings = [
        None,
        Some(Encoding::PLAIN),
        Some(Encoding::DELTA_LENGTH_BYTE_ARRAY),
        Some(Encoding::DELTA_BYTE_ARRAY),
    ];
    let ways = encoded
        .iter()
        .flat_map(|column| encodings.map(|encoding| (column, encoding)));
    for (column, encoding) in ways {
        let job = Job::default();
        let table = corpus::table(vec![("id", numbers(0..4)), ("text", Arc::clone(column))]);
        let mut properties = WriterProperties::builder();
        if let Some(encoding) = encoding {
            let text = ColumnPath::from("text");
            properties = properties
                .set_writer_version(WriterVersion::PARQUET_2_0)
                .set_column_dictionary_enabled(text.clone(), false)
                .set_column_encoding(text, encoding);
        }
        corpus::write_as(&job.path("in/a.parquet"), &table, 1000, properties);
        job.check(
            "SELECT text, token_count(text, 'char') AS n FROM input",
            &[
                json!({"text": "To be, or not", "n": 13}),
                json!({"text": null, "n": null}),
                json!({"text": "", "n": 0}),
                json!({"text": "漢字 漢字 漢字", "n": 8}),
            ],
        );
    }
}

#[test]
fn a_timestamp_of_96_bits_reaches_the_year_9999() {
    let job = Job::default();
    let schema =
        Arc::new(parse_message_type("message rows { required int96 t; }").expect("schema"));
    let properties = Arc::new(WriterProperties::builder().build());
    let path = job.path("in/a.parquet");
    fs::create_dir_all(path.parent().expect("a folder")).expect("in");
    let file = fs::File::create(&path).expect("a.parquet");
    let mut file = SerializedFileWriter::new(file, schema, properties).expect("a file");
    let mut rows = file.next_row_group().expect("a row group");
    let mut times = rows.next_column().expect("columns").expect("times");
    // Nanoseconds of the day in two halves, and the Julian day: 2,440,588 is 1970-01-01, and 2,932,896 days on is the
    // last one of 9999.
    let mut last = Int96::new();
    last.set_data(1_000, 0, 2_440_588 + 2_932_896);
    let written = times.typed::<Int96Type>().write_batch(&[last], None, None);
    written.expect("times");
    times.close().expect("times");
    rows.close().expect("rows");
    file.close().expect("a file");
    job.check(
        "SELECT t::VARCHAR AS t FROM input",
        &[json!({"t": "9999-12-31T00:00:00.000001"})],
    );
}

#[test]
fn columns_have_names_in_chinese_with_quotes_and_capitals() {
    let job = Job::default();
    job.write_table(
        "a.parquet",
        vec![
            ("标题", strings(&["一"])),
            ("it's \"so\"", strings(&["two"])),
            ("Text.Of", strings(&["three"])),
        ],
    );
    job.check("SELECT \"标题\", \"it's \"\"so\"\"\", \"Text.Of\" AS \"Text\" FROM input WHERE \"标题\" = '一'",
        &[json!({"标题": "一", "it's \"so\"": "two", "Text": "three"})],
    );
    let job = Job::default();
    job.write_table(
        "a.parquet",
        vec![("标题", numbers([0])), ("it's", strings(&["x"]))],
    );
    let query = "SELECT 1 / \"标题\" AS q FROM input";
    job.finish(&[&over_in(query)[..], &["--on-error", "file"]].concat());
    let errors = rows(&job.path("out/_errors"));
    assert_eq!(
        (&errors[0]["标题"], &errors[0]["it's"]),
        (&json!(0), &json!("x"))
    );
}

#[test]
fn a_column_may_be_missing_or_of_another_type_in_some_files() {
    let job = Job::default();
    job.write_table(
        "a.parquet",
        vec![("id", numbers([1])), ("text", strings(&["a b"]))],
    );
    let narrow: ArrayRef = Arc::new(Int32Array::from(vec![2]));
    job.write_table("b.parquet", vec![("more", numbers([7])), ("id", narrow)]);
    job.write_table("c.parquet", vec![("id", strings(&["3", "x", "5"]))]);
    job.write(
        "job.sql",
        "CREATE EXTERNAL TABLE input (id BIGINT, text VARCHAR) STORED AS PARQUET LOCATION 'in/';
         CREATE EXTERNAL TABLE out (id BIGINT, n BIGINT) STORED AS PARQUET LOCATION 'out/';
         INSERT INTO out SELECT id, token_count(text) FROM input;",
    );
    let place = job.path("in/c.parquet").display().to_string();
    job.refuse(
        &["-f", "job.sql"],
        &format!("{place}, row group 0, row 1: "),
    );
    let summary = job.finish(&["-f", "job.sql", "--on-error", "skip"]);
    assert_eq!(
        (&summary["rows"], &summary["failed"]),
        (&json!(5), &json!(1))
    );
    let expected = [
        (1, json!(2)),
        (2, json!(null)),
        (3, json!(null)),
        (5, json!(null)),
    ];
    assert_eq!(
        job.rows(),
        expected.map(|(id, n)| json!({"id": id, "n": n}))
    );
}

#[test]
fn a_value_that_does_not_fit_fails_its_row_alone() {
    let job = Job::default();
    let texts = (0..1000).map(|row| {
        if row == 500 {
            "x".to_owned()
        } else {
            row.to_string()
        }
    });
    let texts = strings(
        &texts
            .collect::<Vec<_>>()
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>(),
    );
    let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
    let ends = OffsetBuffer::from_lengths([1; 1000]);
    let keys = Int32Array::from_iter_values(0..1000);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", numbers(0..1000)),
        (
            "list",
            Arc::new(ListArray::new(item, ends, Arc::clone(&texts), None)),
        ),
        ("coded", Arc::new(DictionaryArray::new(keys, texts))),
    ];
    job.write_table("a.parquet", columns);
    for (column, data_type) in [("list", "BIGINT[]"), ("coded", "BIGINT")] {
        job.write(
            "job.sql",
            format!(
                "CREATE EXTERNAL TABLE input (id BIGINT, {column} {data_type}) STORED AS PARQUET LOCATION 'in/';
                 CREATE EXTERNAL TABLE out (id BIGINT, v {data_type}) STORED AS PARQUET LOCATION 'out/';
                 INSERT INTO out SELECT id, {column} FROM input;"
            ),
        );
        for batch_rows in ["1", "64", "8192"] {
            let set = format!("lexstream.batch.batch_rows={batch_rows}");
            let summary = job.finish(&[
                "-f",
                "job.sql",
                "--restart",
                "--on-error",
                "file",
                "--set",
                &set,
            ]);
            assert_eq!(summary["failed"], 1, "{column} {batch_rows}");
            assert_eq!(job.rows().len(), 999, "{column} {batch_rows}");
            let errors = rows(&job.path("out/_errors"));
            assert_eq!(
                (&errors[0]["id"], &errors[0]["_row"]),
                (&json!(500), &json!(500))
            );
            let expected =
                format!("column `{column}`: Cannot cast string 'x' to value of Int64 type");
            assert_eq!(errors[0]["_error"], expected);
        }
    }
}

#[test]
fn an_output_of_a_dictionary_with_few_keys_is_written() {
    let job = Job::default();
    job.write_table("a.parquet", vec![("id", numbers(0..2000))]);
    let query = "SELECT id, arrow_cast(id % 200, 'Dictionary(UInt8, Int64)') AS code FROM input";
    let set = ["--set", "lexstream.batch.batch_rows=100"];
    job.finish(&[&over_in(query)[..], &set].concat());
    let expected: Vec<_> = (0..2000)
        .map(|id| json!({"id": id, "code": id % 200}))
        .collect();
    assert_eq!(job.rows(), expected);
}
