//! `lexstream broker`, from outside: what its clients find, and how it ends.

use std::io::{BufRead, BufReader};
use std::process::Child;
use std::time::{Duration, Instant};

use lexstream_integration_tests::binary::{Ended, run, signal, start, wait};
use lexstream_integration_tests::kafka::{Isolation, Kafka, NewRecord, Record};

/// Starts a broker, and reads its address.
pub(crate) fn broker(arguments: &[&str]) -> (Child, String) {
    let mut child = start(&[&["broker"], arguments].concat());
    let mut address = String::new();
    let output = child.stdout.as_mut().expect("piped");
    BufReader::new(output)
        .read_line(&mut address)
        .expect("a line");
    (child, address.trim_end().to_owned())
}

/// Ends a broker, and checks that it ends well and soon.
pub(crate) fn end(child: Child, name: &str) -> Ended {
    let asked = Instant::now();
    signal(child.id(), name);
    let ended = wait(child);
    assert_eq!(ended.status, Some(0), "{name}: {ended:?}");
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(5), "{name}: {took:?}");
    ended
}

#[test]
fn clients_find_topics_and_what_others_sent() {
    let (child, address) = broker(&["--topics", "reviews:2,scored"]);
    let kafka = Kafka::at(&address);
    assert_eq!(kafka.partitions("reviews"), [0, 1]);
    assert_eq!(kafka.partitions("scored"), [0, 1, 2, 3]);
    let sent = NewRecord::of("good").key("a").to(1).at(7).header("h", "v");
    kafka.send("reviews", &[sent]);
    let expected = Record {
        partition: 1,
        offset: 0,
        timestamp: Some(7),
        key: Some(b"a".to_vec()),
        value: Some(b"good".to_vec()),
        headers: vec![("h".into(), Some(b"v".to_vec()))],
    };
    assert_eq!(kafka.read_all("reviews", Isolation::Committed), [expected]);
    // A topic that nobody made is there when a client sends to it.
    kafka.send("new", &[NewRecord::of("first")]);
    let found = kafka.read_all("new", Isolation::Committed);
    assert_eq!(
        found.iter().map(Record::text).collect::<Vec<_>>(),
        ["first"]
    );
    end(child, "TERM");
}

#[test]
fn several_brokers_share_partitions() {
    let (child, address) = broker(&["--brokers", "3", "--topics", "a:6"]);
    assert_eq!(address.split(',').count(), 3, "{address}");
    let kafka = Kafka::at(&address);
    let records: Vec<_> = (0..6)
        .map(|partition| NewRecord::of("x").to(partition))
        .collect();
    kafka.send("a", &records);
    assert_eq!(kafka.read_all("a", Isolation::Committed).len(), 6);
    end(child, "INT");
}

/// What it says of itself is so; else the words would have to go.
#[test]
fn it_says_what_it_does_not_do() {
    let (child, address) = broker(&["--topics", "a:1"]);
    let kafka = Kafka::at(&address);
    let aborted = kafka.begin("t");
    aborted.send("a", &[NewRecord::of("aborted")]);
    aborted.abort();
    let visible = kafka.read_all("a", Isolation::Committed);
    assert_eq!(
        visible.iter().map(Record::text).collect::<Vec<_>>(),
        ["aborted"]
    );
    let many = vec![NewRecord::of("x".repeat(100_000)); 80];
    kafka.send("a", &many);
    let kept = kafka.read_all("a", Isolation::Committed).len();
    assert!(0 < kept && kept < 80, "{kept}");
    let ended = end(child, "TERM");
    for words in [
        "nothing is kept on disk",
        "offsets sent in one are dropped, records of an aborted one are visible",
        "5 MiB or 100,000 records",
    ] {
        assert!(ended.error.contains(words), "{words}: {ended:?}");
    }
    assert_eq!(ended.output, "");
}

#[test]
fn a_wrong_topic_is_refused_with_what_was_expected() {
    for (arguments, expected) in [
        (
            ["--topics", "a:0"],
            "such as reviews:3, with 1 to 1000 partitions",
        ),
        (["--topics", "a b"], "expected a topic's name"),
        (["--brokers", "0"], "expected a number from 1 to 100"),
    ] {
        let ended = run(&[&["broker"][..], &arguments].concat(), "");
        assert_eq!(ended.status, Some(2), "{ended:?}");
        assert!(ended.error.contains(expected), "{ended:?}");
    }
    let ended = run(&["broker", "--topics", "a,a:2"], "");
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let expected = "error: embedded broker: topic `a` with 2 partitions was not made: ";
    assert!(ended.error.starts_with(expected), "{ended:?}");
}

/// It answers no admin request, and says so; a stream asks it one.
#[test]
fn a_stream_waits_for_no_answer_that_it_does_not_give() {
    let (child, address) = broker(&["--topics", "reviews:1,scored:1"]);
    let kafka = Kafka::at(&address);
    kafka.send("reviews", &[NewRecord::of(r#"{"id":1}"#)]);
    let table = |name: &str| {
        format!(
            "CREATE EXTERNAL TABLE {name} (id BIGINT) STORED AS KAFKA \
             LOCATION 'kafka://{address}/{name}' OPTIONS ('format' 'json', 'group.id' 'g');"
        )
    };
    let insert = "INSERT INTO scored SELECT id FROM reviews;";
    let script = [&*table("reviews"), &*table("scored"), insert].concat();
    let arguments = ["stream", "-c", &script, "--until-end", "--instance", "one"];
    let ended = run(&arguments, "");
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert!(ended.error.contains("outputs=1"), "{ended:?}");
    assert_eq!(
        ended.error.matches("OperationTimedOut").count(),
        0,
        "{ended:?}"
    );
    end(child, "TERM");
}
