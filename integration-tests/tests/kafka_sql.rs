//! Topics are read by `lexstream sql`.

use std::time::{Duration, Instant};

use lexstream_integration_tests::kafka::{Isolation, Kafka, NewRecord, PATIENCE, shared, wait_for};
use lexstream_integration_tests::topics::{failure, rows, table};

const JSON: &str = "'format' 'json'";

/// Sends `{"id": n}` for each number to a partition, at n + 1 seconds after 1970: 0 would be now.
fn numbers(kafka: &Kafka, topic: &str, partition: i32, numbers: std::ops::Range<i64>) {
    let records: Vec<_> = numbers
        .map(|id| {
            NewRecord::of(format!("{{\"id\":{id}}}"))
                .to(partition)
                .at((id + 1) * 1000)
        })
        .collect();
    kafka.send(topic, &records);
}

/// Runs a query over a topic of two partitions with ten numbers each; checks its rows and what its plan says it reads.
fn check_ranges(condition: &str, ranges: &str, expected: &[&str]) {
    let kafka = shared();
    let topic = kafka.topic("ranges", 2);
    numbers(kafka, &topic, 0, 0..10);
    numbers(kafka, &topic, 1, 10..20);
    let columns = "id BIGINT, _partition_id INT, _partition_offset BIGINT, _timestamp TIMESTAMP(3)";
    let made = table(kafka, "t", columns, &topic, JSON);
    let query = format!("SELECT id FROM t WHERE {condition} ORDER BY id");
    assert_eq!(rows(&[&made, &query]), expected, "{condition}");
    let plan = rows(&[&made, &format!("EXPLAIN {query}")]).join("\n");
    let ranges = ranges.replace('t', &topic);
    assert!(
        plan.contains(&format!("ranges={{{ranges}}}")),
        "{condition}: {plan}"
    );
}

#[test]
fn a_row_has_what_its_message_has() {
    let kafka = shared();
    let topic = kafka.topic("columns", 2);
    let first = NewRecord::of("{\"text\":\"a\",\"more\":1}")
        .key("k")
        .to(1)
        .at(1_700_000_000_123);
    let first = first.header("h", "1").header("h", "2");
    kafka.send(&topic, &[first, NewRecord::tombstone("gone").to(1).at(5)]);
    let columns = "_key VARCHAR, text VARCHAR, _timestamp TIMESTAMP(3), _headers STRUCT<key VARCHAR, value BYTEA>[], _topic VARCHAR, _partition_id INT, _partition_offset BIGINT, _message BYTEA";
    let made = table(kafka, "t", columns, &topic, JSON);
    let found = rows(&[&made, "SELECT * FROM t"]).join("\n");
    let found = found.replace(&topic, "TOPIC");
    let expected = "\
{\"_key\":\"k\",\"text\":\"a\",\"_timestamp\":\"2023-11-14T22:13:20.123\",\"_headers\":[{\"key\":\"h\",\"value\":\"31\"},{\"key\":\"h\",\"value\":\"32\"}],\"_topic\":\"TOPIC\",\"_partition_id\":1,\"_partition_offset\":0,\"_message\":\"7b2274657874223a2261222c226d6f7265223a317d\"}
{\"_key\":\"gone\",\"text\":null,\"_timestamp\":\"1970-01-01T00:00:00.005\",\"_headers\":[],\"_topic\":\"TOPIC\",\"_partition_id\":1,\"_partition_offset\":1,\"_message\":null}";
    assert_eq!(found, expected);
}

#[test]
fn conditions_on_partition_and_offset_are_seeks() {
    check_ranges(
        "_partition_id = 1 AND _partition_offset BETWEEN 4 AND 5",
        "[t[1]@4..6]",
        &["{\"id\":14}", "{\"id\":15}"],
    );
    check_ranges(
        "_partition_offset >= 8 AND id <> 8 AND _partition_id IN (0, 7)",
        "[t[0]@8..10]",
        &["{\"id\":9}"],
    );
    check_ranges("_partition_offset > 20", "[]", &[]);
}

#[test]
fn conditions_on_time_are_seeks() {
    check_ranges(
        "_timestamp > '1970-01-01T00:00:18'",
        "[t[1]@7..10]",
        &["{\"id\":18}", "{\"id\":19}"],
    );
    check_ranges(
        "_timestamp BETWEEN '1970-01-01T00:00:09' AND '1970-01-01T00:00:10'",
        "[t[0]@8..10, t[1]@0..10]",
        &["{\"id\":8}", "{\"id\":9}"],
    );
}

#[test]
fn only_what_is_asked_for_is_built() {
    let kafka = shared();
    let topic = kafka.topic("projected", 1);
    numbers(kafka, &topic, 0, 0..3);
    let made = table(kafka, "t", "id BIGINT, _key BYTEA", &topic, JSON);
    assert_eq!(rows(&[&made, "SELECT count(*) AS n FROM t"]), ["{\"n\":3}"]);
    let plan = rows(&[&made, "EXPLAIN SELECT _key FROM t"]).join("\n");
    assert!(plan.contains("columns=[_key]"), "{plan}");
}

#[test]
fn a_limit_reads_no_further() {
    let kafka = shared();
    let topic = kafka.topic("limit", 1);
    numbers(kafka, &topic, 0, 0..3);
    kafka.send(&topic, &[NewRecord::of("{")]);
    let made = table(kafka, "t", "id BIGINT", &topic, JSON);
    // The message behind the third row can't be read.
    let expected = ["{\"id\":0}", "{\"id\":1}", "{\"id\":2}"];
    assert_eq!(rows(&[&made, "SELECT id FROM t LIMIT 3"]), expected);
}

#[test]
fn a_message_that_cannot_be_read_is_named() {
    let kafka = shared();
    let topic = kafka.topic("poison", 1);
    numbers(kafka, &topic, 0, 0..2);
    kafka.send(&topic, &[NewRecord::of("{\"id\":\"x\"}")]);
    numbers(kafka, &topic, 0, 3..4);
    let made = table(
        kafka,
        "t",
        "id BIGINT, _partition_offset BIGINT",
        &topic,
        JSON,
    );
    let ended = failure(&[&made, "SELECT id FROM t"]);
    assert_eq!(ended.output, "{\"id\":0}\n{\"id\":1}\n");
    let place = format!("error: {topic}[0]@2: ");
    assert!(ended.error.contains(&place), "{}", ended.error);
    // Whatever columns a query asks for.
    let ended = failure(&[&made, "SELECT _partition_offset FROM t"]);
    assert!(ended.error.contains(&place), "{}", ended.error);
    let options = format!("{JSON}, 'errors.tolerance' 'all'");
    let made = table(kafka, "t", "id BIGINT", &topic, &options);
    let expected = ["{\"id\":0}", "{\"id\":1}", "{\"id\":3}"];
    assert_eq!(rows(&[&made, "SELECT id FROM t"]), expected);
    let plan = rows(&[&made, "EXPLAIN ANALYZE SELECT id FROM t"]).join("\n");
    assert!(plan.contains("messages_skipped=1"), "{plan}");
}

#[test]
fn what_was_aborted_or_is_open_is_not_read_and_markers_at_the_end_are_passed_over() {
    let kafka = shared();
    let topic = kafka.topic("isolation", 1);
    for (id, value, commits) in [("a", "{\"id\":1}", true), ("b", "{\"id\":2}", false)] {
        let transaction = kafka.begin(&format!("{topic}-{id}"));
        transaction.send(&topic, &[NewRecord::of(value)]);
        if commits {
            transaction.commit();
        } else {
            transaction.abort();
        }
    }
    let made = table(kafka, "t", "id BIGINT", &topic, JSON);
    let query = "SELECT id FROM t ORDER BY id";
    assert_eq!(rows(&[&made, query]), ["{\"id\":1}"]);
    let open = kafka.begin(&format!("{topic}-c"));
    open.send(&topic, &[NewRecord::of("{\"id\":3}")]);
    numbers(kafka, &topic, 0, 4..5);
    assert_eq!(rows(&[&made, query]), ["{\"id\":1}"]);
    let options = format!("{JSON}, 'isolation.level' 'read_uncommitted'");
    let uncommitted = table(kafka, "t", "id BIGINT", &topic, &options);
    let expected = ["{\"id\":1}", "{\"id\":2}", "{\"id\":3}", "{\"id\":4}"];
    assert_eq!(rows(&[&uncommitted, query]), expected);
    open.commit();
}

#[test]
fn offsets_that_are_gone_are_passed_over() {
    let kafka = shared();
    let topic = kafka.topic("deleted", 1);
    numbers(kafka, &topic, 0, 0..6);
    kafka.delete_records(&topic, &[(0, 4)]);
    let made = table(kafka, "t", "id BIGINT", &topic, JSON);
    let expected = ["{\"id\":4}", "{\"id\":5}"];
    assert_eq!(rows(&[&made, "SELECT id FROM t"]), expected);
}

#[test]
fn a_compacted_topic_is_read_over_its_gaps() {
    let kafka = shared();
    let settings = [
        ("cleanup.policy", "compact"),
        ("segment.ms", "100"),
        ("min.cleanable.dirty.ratio", "0.001"),
        ("min.compaction.lag.ms", "0"),
    ];
    let topic = kafka.topic_with("compacted", 1, &settings);
    let record = |id: i64| NewRecord::of(format!("{{\"id\":{id}}}")).key("same");
    kafka.send(&topic, &[record(1), record(2), record(3)]);
    // A segment is closed by what comes after its time, and only closed ones are compacted.
    let compacted = wait_for("a compacted topic", PATIENCE * 2, || {
        kafka.send(&topic, &[NewRecord::of("{\"id\":9}").key("end")]);
        let found = kafka.read_all(&topic, Isolation::Committed);
        (found.first()?.offset > 1).then_some(found.len())
    });
    compacted.unwrap_or_else(|error| panic!("{error}"));
    let made = table(kafka, "t", "id BIGINT", &topic, JSON);
    let found = rows(&[&made, "SELECT DISTINCT id FROM t ORDER BY id"]);
    assert_eq!(found, ["{\"id\":3}", "{\"id\":9}"]);
}

#[test]
fn an_empty_topic_has_no_rows() {
    let kafka = shared();
    let topic = kafka.topic("empty", 3);
    let made = table(kafka, "t", "id BIGINT", &topic, JSON);
    assert_eq!(rows(&[&made, "SELECT count(*) AS n FROM t"]), ["{\"n\":0}"]);
    assert_eq!(rows(&[&made, "SELECT id FROM t"]), [""; 0]);
}

#[test]
fn a_pattern_reads_several_topics() {
    let kafka = shared();
    let (one, other) = (kafka.topic("many", 1), kafka.topic("many", 1));
    numbers(kafka, &one, 0, 0..2);
    numbers(kafka, &other, 0, 2..4);
    let options = format!("{JSON}, 'topic.pattern' '{one}$|{other}$'");
    let made = table(kafka, "t", "id BIGINT, _topic VARCHAR", "", &options);
    let found = rows(&[&made, "SELECT id, _topic FROM t ORDER BY id"]);
    let row = |id: i64, topic: &str| format!("{{\"id\":{id},\"_topic\":\"{topic}\"}}");
    assert_eq!(
        found,
        [row(0, &one), row(1, &one), row(2, &other), row(3, &other)]
    );
}

#[test]
fn a_topic_that_is_missing_is_named_when_it_is_read() {
    let kafka = shared();
    let topic = kafka.topic("reviews", 1);
    let missing = format!("{topic}s");
    let made = table(kafka, "t", "id BIGINT", &missing, JSON);
    let ended = failure(&[&made, "SELECT id FROM t"]);
    let expected = format!("no topic `{missing}`; did you mean `{topic}`?");
    assert!(ended.error.contains(&expected), "{}", ended.error);
}

#[test]
fn brokers_that_are_away_are_named_soon() {
    let made = "CREATE EXTERNAL TABLE t (id BIGINT) STORED AS KAFKA LOCATION 'kafka://127.0.0.1:1/t' OPTIONS ('format' 'json')";
    let started = Instant::now();
    let ended = failure(&[made, "SELECT id FROM t"]);
    assert!(
        started.elapsed() < Duration::from_secs(25),
        "{:?}",
        started.elapsed()
    );
    assert!(
        ended
            .error
            .contains("127.0.0.1:1: the topics were not told"),
        "{}",
        ended.error
    );
}
