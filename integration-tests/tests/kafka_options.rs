//! Options of topics' tables: what is unknown is refused, what is secret is not shown.

use std::io::Write;

use lexstream_integration_tests::binary::run;
use lexstream_integration_tests::kafka::{NewRecord, shared};
use lexstream_integration_tests::topics::{failure, rows, sql, table};

fn check_refused(columns: &str, location: &str, options: &str, expected: &str) {
    let made = format!(
        "CREATE EXTERNAL TABLE t ({columns}) STORED AS KAFKA LOCATION '{location}' OPTIONS ({options})"
    );
    let ended = failure(&[&made]);
    assert!(ended.error.contains(expected), "{}", ended.error);
}

const LOCATION: &str = "kafka://127.0.0.1:1/t";

#[test]
fn what_is_unknown_or_wrong_is_refused_when_the_table_is_made() {
    check_refused(
        "id BIGINT",
        LOCATION,
        "'format' 'json', 'sesion.timeout.ms' '1'",
        "table `t`: no option `sesion.timeout.ms`; did you mean `session.timeout.ms`?",
    );
    check_refused(
        "id BIGINT",
        LOCATION,
        "'format' 'jsn'",
        "table `t`: no format `jsn`; there are `arrow`",
    );
    check_refused(
        "id BIGINT",
        LOCATION,
        "'acks' 'all'",
        "expected the option `format` for column `id`, one of `arrow`",
    );
    check_refused(
        "id BIGINT",
        LOCATION,
        "'format' 'json', 'csv.delimiter' ';'",
        "format `json` has no option `csv.delimiter`",
    );
    check_refused(
        "id BIGINT",
        LOCATION,
        "'format' 'json', 'enable.auto.commit' 'true'",
        "option `enable.auto.commit` can't be set",
    );
    check_refused(
        "id BIGINT",
        "kafka://broker/t",
        "'format' 'json'",
        "expected brokers host:port",
    );
    check_refused(
        "_key BIGINT",
        LOCATION,
        "'acks' 'all'",
        "column `_key`: expected VARCHAR or BYTEA, found Int64",
    );
    check_refused(
        "a VARCHAR, b VARCHAR",
        LOCATION,
        "'format' 'raw'",
        "table `t`: ",
    );
    check_refused(
        "id BIGINT PRIMARY KEY",
        LOCATION,
        "'format' 'json'",
        "a constraint other than NOT NULL",
    );
}

#[test]
fn secrets_are_shown_nowhere() {
    let kafka = shared();
    let topic = kafka.topic("secrets", 1);
    kafka.send(&topic, &[NewRecord::of("{\"id\":1}")]);
    let mut file = tempfile::NamedTempFile::new().expect("file");
    file.write_all(b"user=geheim-user\n").expect("written");
    let path = file.path().display();
    // These take effect only where SASL is spoken.
    let secrets = format!(
        "'format' 'json', 'sasl.password' 'geheim''s', 'sasl.username' '${{file:{path}:user}}', 'ssl.key.password' 'geheim'"
    );
    let plain = table(kafka, "t", "id BIGINT", &topic, &secrets);
    let statements = [
        plain.as_str(),
        "SHOW CREATE TABLE t",
        "SELECT * FROM information_schema.views",
        "EXPLAIN VERBOSE SELECT * FROM t",
        "EXPLAIN ANALYZE SELECT * FROM t",
        "EXPLAIN VERBOSE INSERT INTO t VALUES (1)",
        "SELECT * FROM t",
    ];
    let shown = rows(&statements).join("\n");
    assert!(!shown.contains("geheim"), "{shown}");
    let definition = format!("'sasl.password' '***', 'sasl.username' '${{file:{path}:user}}'");
    assert!(shown.contains(&definition), "{shown}");
    assert!(shown.ends_with("{\"id\":1}"), "{shown}");
    // The broker speaks no SASL: whatever that fails with, it tells nothing.
    let spoken =
        format!("{secrets}, 'security.protocol' 'sasl_plaintext', 'sasl.mechanism' 'PLAIN'");
    let made = table(kafka, "t", "id BIGINT", &topic, &spoken);
    for statement in ["SELECT * FROM t", "INSERT INTO t VALUES (1)"] {
        let ended = sql(&[&made, statement]);
        assert_eq!(ended.status, Some(1), "{}", ended.output);
        assert!(!ended.error.contains("geheim"), "{}", ended.error);
    }
    let missing = table(
        kafka,
        "t",
        "id BIGINT",
        &topic,
        "'format' 'json', 'sasl.password' '${env:LEXSTREAM_NO_SUCH}'",
    );
    let ended = failure(&[&missing]);
    assert!(
        ended
            .error
            .contains("`${env:LEXSTREAM_NO_SUCH}`: the environment has no such variable"),
        "{}",
        ended.error
    );
}

#[test]
fn a_group_of_kip_848_may_be_named() {
    let kafka = shared();
    let topic = kafka.topic("kip848", 1);
    kafka.send(&topic, &[NewRecord::of("{\"id\":1}")]);
    let options = "'format' 'json', 'group.id' 'g', 'group.protocol' 'consumer'";
    let made = table(kafka, "t", "id BIGINT", &topic, options);
    assert_eq!(rows(&[&made, "SELECT id FROM t"]), ["{\"id\":1}"]);
}

#[test]
fn the_log_of_the_producer_is_as_detailed_as_its_topic_says() {
    let kafka = shared();
    let (from, to) = (kafka.topic("log-from", 1), kafka.topic("log-to", 1));
    kafka.send(&from, &[NewRecord::of("{\"id\":1}")]);
    let source = "'format' 'json', 'group.id' 'log'";
    let target = "'format' 'json', 'debug' 'eos', 'log_level' '7'";
    let script = [
        table(kafka, "a", "id BIGINT", &from, source),
        table(kafka, "b", "id BIGINT", &to, target),
        "INSERT INTO b SELECT id FROM a".to_owned(),
    ];
    let script = script.join("; ");
    let arguments = [
        "stream",
        "--until-end",
        "--log-level",
        "debug",
        "-c",
        &script,
    ];
    let ended = run(&arguments, "");
    assert_eq!(ended.status, Some(0), "{}", ended.error);
    assert!(
        ended.error.contains("EndTxn returned NO_ERROR"),
        "{}",
        ended.error
    );
}
