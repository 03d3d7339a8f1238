use std::time::Duration;

use rdkafka::util::get_rdkafka_version;

use super::super::properties::VERSION;
use super::*;

const LOCATION: &str = "kafka://127.0.0.1:9092/reviews";

fn environment(name: &str) -> Option<String> {
    (name == "PASSWORD").then(|| "geheim".to_owned())
}

fn options(location: &str, options: &[(&str, &str)]) -> Result<TopicOptions, OptionsError> {
    let options = options.iter();
    let options = options.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let formats = ["arrow", "csv", "json", "raw"];
    TopicOptions::try_new(location, options, &formats, &environment)
}

fn of(given: &[(&str, &str)]) -> TopicOptions {
    options(LOCATION, given).expect("options")
}

fn check_error(given: &[(&str, &str)], expected: &str) {
    let error = options(LOCATION, given).expect_err(expected);
    let shown = format!("{error}\n{error:?}");
    assert!(shown.contains(expected), "{shown}");
    assert!(!shown.contains("geheim"), "{shown}");
}

#[test]
fn the_list_is_that_of_the_linked_librdkafka() {
    let (_, version) = get_rdkafka_version();
    assert_eq!(version, VERSION, "run python/kafka_properties.py again");
    assert!(PROPERTIES.is_sorted_by_key(|property| property.name));
    let native = ClientConfig::new()
        .create_native_config()
        .expect("a config");
    let topics = |error: &KafkaError| match error {
        KafkaError::ClientConfig(code, ..) => format!("{code:?}"),
        other => other.to_string(),
    };
    for property in PROPERTIES {
        // Only a name that librdkafka lacks altogether is unknown to it.
        let set = ClientConfig::new()
            .set(property.name, "?")
            .create_native_config();
        if let Err(error) = set.map(|_| native.get("client.id")) {
            assert!(
                !topics(&error).contains("UNKNOWN"),
                "{}: {error}",
                property.name
            );
        }
        assert!(
            PROPERTIES
                .iter()
                .any(|other| other.name == property.stands_for),
            "{}",
            property.name
        );
    }
    let unknown = ClientConfig::new()
        .set("no.such", "?")
        .create_native_config();
    assert!(unknown.is_err_and(|error| topics(&error).contains("UNKNOWN")));
}

#[test]
fn every_refused_option_is_librdkafkas() {
    for refused in REFUSED {
        assert!(property(refused.name).is_some(), "{}", refused.name);
    }
}

#[test]
fn options_go_where_they_belong() {
    let options = of(&[
        ("format.format", "json"),
        ("format.acks", "all"),
        ("format.tombstones", "true"),
        ("json.nulls", "true"),
        ("group.id", "scoring"),
        ("queued.min.messages", "1000"),
        ("linger.ms", "10"),
        ("ssl.ca.location", "/ca"),
        ("format.log_level", "7"),
    ]);
    assert_eq!(options.brokers(), "127.0.0.1:9092");
    assert_eq!(options.topic(), &Topic::Name("reviews".to_owned()));
    assert_eq!(options.format(), Some("json"));
    assert_eq!(options.group(), Some("scoring"));
    let expected = [("json.nulls", "true"), ("tombstones", "true")];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(options.format_options(), &BTreeMap::from(expected));
    let (consumer, producer) = (options.consumer(), options.producer());
    for (key, of_consumer, of_producer) in [
        ("acks", None, Some("all")),
        (
            "bootstrap.servers",
            Some("127.0.0.1:9092"),
            Some("127.0.0.1:9092"),
        ),
        ("client.id", Some("lexstream"), Some("lexstream")),
        ("format", None, None),
        ("group.id", Some("scoring"), None),
        ("isolation.level", Some("read_committed"), None),
        ("json.nulls", None, None),
        ("linger.ms", None, Some("10")),
        ("partitioner", None, Some("murmur2_random")),
        ("queued.min.messages", Some("1000"), None),
        ("session.timeout.ms", Some("10000"), None),
        ("ssl.ca.location", Some("/ca"), Some("/ca")),
    ] {
        assert_eq!(consumer.get(key), of_consumer, "consumer: {key}");
        assert_eq!(producer.get(key), of_producer, "producer: {key}");
    }
    assert!(matches!(consumer.log_level, RDKafkaLogLevel::Debug));
    assert!(options.is_set("request.required.acks") && options.is_set("queue.buffering.max.ms"));
    assert!(!options.is_set("retries"));
}

#[test]
fn what_is_set_wins_over_the_defaults() {
    let options = of(&[
        ("session.timeout.ms", "45000"),
        ("isolation.level", "read_uncommitted"),
        ("client.id", "mine"),
        ("format.partitioner", "consistent"),
    ]);
    assert_eq!(options.consumer().get("session.timeout.ms"), Some("45000"));
    assert_eq!(
        options.consumer().get("isolation.level"),
        Some("read_uncommitted")
    );
    assert_eq!(options.producer().get("partitioner"), Some("consistent"));
    assert_eq!(options.producer().get("client.id"), Some("mine"));
}

#[test]
fn under_kip_848_the_broker_says_how_long_a_session_is() {
    let options = of(&[("group.protocol", "consumer")]);
    assert_eq!(options.consumer().get("session.timeout.ms"), None);
}

#[test]
fn unknown_options_are_refused_with_the_nearest() {
    check_error(
        &[("sesion.timeout.ms", "1")],
        "no option `sesion.timeout.ms`; did you mean `session.timeout.ms`?",
    );
    check_error(&[("format.formt", "json")], "did you mean `format`?");
    check_error(
        &[("errors.tolerence", "all")],
        "did you mean `errors.tolerance`?",
    );
    check_error(
        &[("sasl.pasword", "geheim")],
        "did you mean `sasl.password`?",
    );
}

#[test]
fn options_that_break_promises_are_refused() {
    check_error(
        &[("enable.auto.commit", "true")],
        "commits offsets in the transaction",
    );
    check_error(&[("transactional.id", "x")], "transactional.id.prefix");
    check_error(&[("enable.idempotence", "false")], "a transaction needs it");
    check_error(
        &[("bootstrap.servers", "a:1")],
        "LOCATION names the brokers",
    );
    of(&[
        ("enable.auto.commit", "false"),
        ("enable.idempotence", "true"),
    ]);
}

#[test]
fn values_are_checked_by_librdkafka() {
    check_error(
        &[("session.timeout.ms", "soon")],
        "option `session.timeout.ms`: Invalid",
    );
    check_error(&[("security.protocol", "ssh")], "found `ssh`");
    check_error(
        &[("security.protocol", "${env:PASSWORD}")],
        "found `${env:PASSWORD}`",
    );
    check_error(
        &[("acks", "all"), ("request.required.acks", "1")],
        "two names of one option",
    );
}

#[test]
fn why_a_secret_is_refused_is_told_without_it() {
    check_error(
        &[("sasl.oauthbearer.client.secret", "geheim")],
        "not available",
    );
}

#[test]
fn mechanisms_that_are_not_built_in_are_refused() {
    let sasl = ("security.protocol", "SASL_SSL");
    check_error(&[sasl], "expected one of OAUTHBEARER, PLAIN");
    check_error(&[sasl, ("sasl.mechanism", "GSSAPI")], "found `GSSAPI`");
    check_error(
        &[sasl, ("sasl.mechanisms", "GSSAPI")],
        "option `sasl.mechanisms`",
    );
    of(&[sasl, ("sasl.mechanism", "SCRAM-SHA-512")]);
}

#[test]
fn secrets_are_not_shown() {
    let options = of(&[
        ("security.protocol", "sasl_ssl"),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.username", "${env:PASSWORD}"),
        ("sasl.password", "geheim"),
        ("ssl.key.pem", "pre${env:PASSWORD}geheim"),
        ("group.id", "g-${env:PASSWORD}"),
    ]);
    let shown: BTreeMap<_, _> = options.shown().collect();
    assert_eq!(shown["sasl.username"], "${env:PASSWORD}");
    assert_eq!(shown["sasl.password"], "***");
    assert_eq!(shown["ssl.key.pem"], "***");
    assert_eq!(shown["group.id"], "g-${env:PASSWORD}");
    assert!(!format!("{options:?}").contains("geheim"), "{options:?}");
    assert_eq!(options.group(), Some("g-geheim"));
    assert_eq!(options.producer().get("sasl.username"), Some("geheim"));
    check_error(
        &[("sasl.username", "${env:NOBODY}")],
        "`${env:NOBODY}`: the environment has no such variable",
    );
}

#[test]
fn topics_are_named_once() {
    let pattern = [("topic.pattern", "reviews-.*")];
    let found = options("kafka://a:1", &pattern).expect("a pattern");
    assert_eq!(found.topic(), &Topic::Pattern("^reviews-.*".to_owned()));
    check_error(&pattern, "only one of them names topics");
    let error = options("kafka://a:1", &[]).expect_err("no topic");
    assert!(error.to_string().contains("`topic.pattern`"), "{error}");
    let error = options("kafka://a:1", &[("topic.pattern", "(")]).expect_err("no pattern");
    assert!(
        error.to_string().contains("a regular expression"),
        "{error}"
    );
}

#[test]
fn a_start_is_one_place() {
    let check = |given: &[(&str, &str)], expected: Start| {
        assert_eq!(of(given).start(), &expected, "{given:?}");
    };
    check(&[], Start::Earliest);
    check(&[("format.start", "latest")], Start::Latest);
    check(&[("auto.offset.reset", "latest")], Start::Latest);
    check(&[("start.timestamp", "5")], Start::Timestamp(5));
    check(
        &[("start", "offsets"), ("start.offsets", "1:7")],
        Start::Offsets(BTreeMap::from([(1, 7)])),
    );
    check_error(
        &[("start", "timestamp")],
        "option `start.timestamp`: expected a time",
    );
    check_error(
        &[("start", "latest"), ("start.timestamp", "5")],
        "they name two places",
    );
    check_error(&[("start", "soon")], "expected `earliest` or `latest`");
    check_error(&[("start.offsets", "0")], "partition:offset");
}

#[test]
fn dead_letters_are_kafka_connects_options() {
    let defaults = of(&[]);
    let defaults = defaults.dead_letters();
    assert!(!defaults.tolerate && defaults.headers && defaults.topic.is_none());
    assert_eq!(defaults.retry_timeout, Some(Duration::ZERO));
    let options = of(&[
        ("errors.deadletterqueue.topic.name", "dead"),
        ("errors.deadletterqueue.context.headers.enable", "false"),
        ("errors.deadletterqueue.max.rate", "0.05"),
        ("errors.retry.timeout", "-1"),
        ("errors.retry.delay.max.ms", "10"),
    ]);
    let expected = DeadLetterOptions {
        tolerate: true,
        topic: Some("dead".to_owned()),
        headers: false,
        max_rate: Some(0.05),
        retry_timeout: None,
        retry_delay_max: Duration::from_millis(10),
    };
    assert_eq!(options.dead_letters(), &expected);
    check_error(
        &[
            ("errors.tolerance", "none"),
            ("errors.deadletterqueue.topic.name", "dead"),
        ],
        "needs the tolerance `all`",
    );
    check_error(&[("errors.deadletterqueue.max.rate", "1.5")], "at most 1");
    check_error(
        &[("errors.tolerance", "some")],
        "expected `all` or `none`, found `some`",
    );
    check_error(
        &[("errors.deadletterqueue.topic.name", "a b")],
        "a topic's name",
    );
}
