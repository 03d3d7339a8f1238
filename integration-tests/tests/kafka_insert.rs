//! INSERT INTO a topic by `lexstream sql`: all rows in one transaction, or none.

use lexstream_integration_tests::kafka::{Isolation, Kafka, NewRecord, Record, shared};
use lexstream_integration_tests::topics::{failure, rows, table};

const COLUMNS: &str = "_key VARCHAR, id BIGINT, _timestamp TIMESTAMP(3), _headers STRUCT<key VARCHAR, value BYTEA>[], _topic VARCHAR";
const JSON: &str = "'format' 'json'";

fn texts(records: &[Record]) -> Vec<&str> {
    records.iter().map(Record::text).collect()
}

/// Runs an INSERT that must fail as expected; then the topic is empty, and no open transaction hides what comes next.
fn check_nothing(columns: &str, options: &str, insert: &str, expected: &str) {
    let kafka = shared();
    let topic = kafka.topic("nothing", 1);
    let made = table(kafka, "t", columns, &topic, options);
    let ended = failure(&[&made, insert]);
    let expected = expected.replace("TOPIC", &topic);
    assert!(ended.error.contains(&expected), "{}", ended.error);
    kafka.send(&topic, &[NewRecord::of("next")]);
    assert_eq!(
        texts(&kafka.read_all(&topic, Isolation::Committed)),
        ["next"]
    );
}

fn read(kafka: &Kafka, topic: &str) -> Vec<Record> {
    kafka.read_all(topic, Isolation::Committed)
}

#[test]
fn rows_become_records() {
    let kafka = shared();
    let topic = kafka.topic("records", 1);
    let made = table(kafka, "t", COLUMNS, &topic, JSON);
    let insert = "INSERT INTO t SELECT 'k', 1, to_timestamp_millis(1700000000123), [struct('h' AS key, arrow_cast('v', 'Binary') AS value)], NULL";
    let count = rows(&[&made, insert, "INSERT INTO t (id) VALUES (2), (NULL)"]);
    assert_eq!(count, ["{\"count\":1}", "{\"count\":2}"]);
    let found = read(kafka, &topic);
    assert_eq!(texts(&found), ["{\"id\":1}", "{\"id\":2}", "{}"]);
    assert_eq!(found[0].key.as_deref(), Some(&b"k"[..]));
    assert_eq!(found[0].timestamp, Some(1_700_000_000_123));
    assert_eq!(found[0].header("h"), Some("v"));
    assert_eq!((found[1].key.as_deref(), found[1].headers.len()), (None, 0));
    // What has no timestamp is as old as the INSERT.
    assert!(
        found[1].timestamp > found[0].timestamp,
        "{:?}",
        found[1].timestamp
    );
}

#[test]
fn keys_go_where_the_java_client_sends_them() {
    let kafka = shared();
    let topic = kafka.topic("partitioner", 5);
    let made = table(kafka, "t", "_key VARCHAR, id BIGINT", &topic, JSON);
    // murmur2 as org.apache.kafka.common.utils.UtilsTest has it, its sign bit cleared, modulo 5.
    let keys = [
        ("21", (-973_932_308_i32 & 0x7fff_ffff) % 5),
        ("foobar", (-790_332_482_i32 & 0x7fff_ffff) % 5),
        (
            "a-little-bit-long-string",
            (-985_981_536_i32 & 0x7fff_ffff) % 5,
        ),
        (
            "a-little-bit-longer-string",
            (-1_486_304_829_i32 & 0x7fff_ffff) % 5,
        ),
        ("abc", 479_470_107 % 5),
    ];
    let values: Vec<_> = keys
        .iter()
        .map(|(key, _)| format!("('{key}', 1)"))
        .collect();
    rows(&[
        &made,
        &format!("INSERT INTO t VALUES {}", values.join(", ")),
    ]);
    let mut expected: Vec<_> = keys
        .iter()
        .map(|(key, at)| (*at, (*key).to_owned()))
        .collect();
    expected.sort();
    let found = read(kafka, &topic);
    let mut found: Vec<_> = found
        .iter()
        .map(|record| {
            let key = record.key.clone().expect("a key");
            (record.partition, String::from_utf8(key).expect("UTF-8"))
        })
        .collect();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn every_format_comes_back() {
    let kafka = shared();
    for (columns, options) in [
        ("id BIGINT, text VARCHAR", JSON),
        (
            "id BIGINT, text VARCHAR",
            "'format' 'csv', 'csv.delimiter' ';'",
        ),
        ("id BIGINT, text VARCHAR", "'format' 'arrow'"),
    ] {
        let topic = kafka.topic("formats", 1);
        let made = table(kafka, "t", columns, &topic, options);
        let insert = "INSERT INTO t VALUES (1, 'a;b'), (2, NULL)";
        let found = rows(&[&made, insert, "SELECT * FROM t"]);
        let expected = [
            "{\"count\":2}",
            "{\"id\":1,\"text\":\"a;b\"}",
            "{\"id\":2,\"text\":null}",
        ];
        assert_eq!(found, expected, "{options}");
    }
    let topic = kafka.topic("formats", 1);
    let made = table(
        kafka,
        "t",
        "_key BYTEA, text VARCHAR",
        &topic,
        "'format' 'raw'",
    );
    let found = rows(&[
        &made,
        "INSERT INTO t (text) VALUES ('ä')",
        "SELECT text FROM t",
    ]);
    assert_eq!(found[1..], ["{\"text\":\"ä\"}"]);
}

#[test]
fn many_rows_are_one_transaction() {
    let kafka = shared();
    let topic = kafka.topic("many-rows", 3);
    let made = table(kafka, "t", "id BIGINT", &topic, JSON);
    let insert = "INSERT INTO t SELECT value FROM generate_series(1, 50000)";
    let count = "SELECT count(*) AS n, count(DISTINCT id) AS d, sum(id) AS s FROM t";
    let found = rows(&[&made, insert, count]);
    assert_eq!(
        found,
        [
            "{\"count\":50000}",
            "{\"n\":50000,\"d\":50000,\"s\":1250025000}"
        ]
    );
}

#[test]
fn a_row_that_cannot_be_written_leaves_nothing() {
    check_nothing(
        COLUMNS,
        JSON,
        "INSERT INTO t (id, _topic) VALUES (1, NULL), (2, NULL), (3, 'elsewhere')",
        "error: TOPIC: row 3: nothing was written: column `_topic` can't be written",
    );
    check_nothing(
        "x DOUBLE",
        JSON,
        "INSERT INTO t SELECT CASE WHEN value = 20000 THEN 'NaN'::DOUBLE ELSE 1.5 END FROM generate_series(1, 30000)",
        "error: TOPIC: row 20000: nothing was written: ",
    );
}

#[test]
fn a_query_that_fails_leaves_nothing() {
    check_nothing(
        "id BIGINT",
        JSON,
        "INSERT INTO t SELECT 1 / (value - 20000) FROM generate_series(1, 30000)",
        "Divide by zero",
    );
}

#[test]
fn a_value_that_is_too_large_leaves_nothing() {
    check_nothing(
        "text VARCHAR",
        "'format' 'raw'",
        "INSERT INTO t SELECT repeat('x', CASE WHEN value = 3 THEN 3000000 ELSE 1 END) FROM generate_series(1, 3)",
        "nothing was written",
    );
    // The client lets it pass, and the broker does not.
    check_nothing(
        "text VARCHAR",
        "'format' 'raw', 'message.max.bytes' '10000000'",
        "INSERT INTO t SELECT repeat('x', CASE WHEN value = 3 THEN 3000000 ELSE 1 END) FROM generate_series(1, 3)",
        "nothing was written",
    );
}

#[test]
fn a_missing_topic_is_named_and_not_made() {
    let kafka = shared();
    let missing = format!("{}-missing", kafka.topic("insert", 1));
    let made = table(kafka, "t", "id BIGINT", &missing, JSON);
    for _ in 0..2 {
        let ended = failure(&[&made, "INSERT INTO t VALUES (1)"]);
        let expected = format!("no topic `{missing}`");
        assert!(ended.error.contains(&expected), "{}", ended.error);
    }
}

#[test]
fn a_topic_is_only_added_to() {
    let kafka = shared();
    let topic = kafka.topic("overwrite", 1);
    let made = table(kafka, "t", "id BIGINT", &topic, JSON);
    let ended = failure(&[&made, "INSERT OVERWRITE t VALUES (1)"]);
    assert!(
        ended.error.contains("a topic can only be added to"),
        "{}",
        ended.error
    );
}
