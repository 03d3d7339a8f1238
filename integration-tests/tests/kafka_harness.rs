//! The broker that tests run against does what they rely on.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use lexstream_integration_tests::binary::{built, signal};
use lexstream_integration_tests::kafka::{
    Broker, Guarded, Isolation, NewRecord, PATIENCE, Record, shared, wait_for,
};

fn texts(records: &[Record]) -> Vec<&str> {
    records.iter().map(Record::text).collect()
}

#[test]
fn what_is_sent_comes_back() {
    let kafka = shared();
    let topic = kafka.topic("sent", 3);
    let mut sent = NewRecord::of("value")
        .key("key")
        .to(1)
        .at(1_234)
        .header("traceparent", "00-1")
        .header("again", "a")
        .header("again", "b");
    sent.headers.push(("none".into(), None));
    let tombstone = NewRecord::tombstone([0xff, 0]).to(2).at(5);
    let positions = kafka.send(&topic, &[sent.clone(), tombstone.clone()]);
    assert_eq!(positions, [(1, 0), (2, 0)]);
    let expected = [sent, tombstone].map(|record| Record {
        partition: record.partition.expect("given"),
        offset: 0,
        timestamp: record.timestamp,
        key: record.key,
        value: record.value,
        headers: record.headers,
    });
    let found = kafka.read_all(&topic, Isolation::Committed);
    assert_eq!(found, expected);
    assert_eq!(found[0].header("again"), Some("b"));
    assert_eq!(kafka.partitions(&topic), [0, 1, 2]);
}

#[test]
fn a_reader_of_what_is_committed_sees_neither_aborted_nor_open_transactions() {
    let kafka = shared();
    let topic = kafka.topic("aborted", 1);
    for (id, value, commits) in [("a", "one", true), ("b", "lost", false), ("c", "two", true)] {
        let transaction = kafka.begin(&format!("{topic}-{id}"));
        transaction.send(&topic, &[NewRecord::of(value)]);
        if commits {
            transaction.commit();
        } else {
            transaction.abort();
        }
    }
    let open = kafka.begin(&format!("{topic}-d"));
    open.send(&topic, &[NewRecord::of("open")]);
    kafka.send(&topic, &[NewRecord::of("behind")]);
    let committed = kafka.read_all(&topic, Isolation::Committed);
    assert_eq!(texts(&committed), ["one", "two"]);
    let all = kafka.read_all(&topic, Isolation::Uncommitted);
    assert_eq!(texts(&all), ["one", "lost", "two", "open", "behind"]);
    // Each transaction that has ended left a marker, which has an offset of its own.
    let offsets: Vec<_> = all.iter().map(|record| record.offset).collect();
    assert_eq!(offsets, [0, 2, 4, 6, 7]);
    assert_eq!(kafka.ends(&topic, Isolation::Committed), [(0, 6)].into());
    assert_eq!(kafka.ends(&topic, Isolation::Uncommitted), [(0, 8)].into());
    open.commit();
    let committed = kafka.read_all(&topic, Isolation::Committed);
    assert_eq!(texts(&committed), ["one", "two", "open", "behind"]);
}

#[test]
fn deleted_records_are_gone_and_partitions_are_added() {
    let kafka = shared();
    let topic = kafka.topic("deleted", 1);
    let records: Vec<_> = (0..5)
        .map(|id| NewRecord::of(id.to_string()).to(0))
        .collect();
    kafka.send(&topic, &records);
    kafka.delete_records(&topic, &[(0, 3)]);
    let found = kafka.read_all(&topic, Isolation::Committed);
    assert_eq!(texts(&found), ["3", "4"]);
    kafka.add_partitions(&topic, 2);
    kafka.send(&topic, &[NewRecord::of("5").to(1)]);
    assert_eq!(kafka.starts(&topic), [(0, 3), (1, 0)].into());
    assert_eq!(
        kafka.ends(&topic, Isolation::Committed),
        [(0, 5), (1, 1)].into()
    );
    assert_eq!(kafka.committed("nobody", &topic), [].into());
}

#[test]
fn a_topic_keeps_its_settings() {
    let kafka = shared();
    let topic = kafka.topic_with("small", 1, &[("max.message.bytes", "1000")]);
    let outcomes = kafka.try_send(&topic, &[NewRecord::of(vec![b'a'; 2_000])]);
    let refused = outcomes[0].as_ref().expect_err("too large").to_string();
    assert!(refused.contains("MessageSizeTooLarge"), "{refused}");
    kafka.send(&topic, &[NewRecord::of("small")]);
    let found = kafka.read_all(&topic, Isolation::Committed);
    assert_eq!(texts(&found), ["small"]);
}

#[test]
fn a_broker_that_is_killed_and_started_again_has_what_it_had() {
    let mut broker = Broker::own();
    let kafka = broker.kafka().clone();
    let topic = kafka.topic("kept", 2);
    kafka.send(&topic, &[NewRecord::of("before").to(0)]);
    let open = kafka.begin("across");
    open.send(&topic, &[NewRecord::of("across").to(1)]);
    let id = broker.id();
    broker.kill();
    assert!(!Path::new(&format!("/proc/{id}")).exists());
    broker.restart();
    open.commit();
    kafka.send(&topic, &[NewRecord::of("after").to(0)]);
    let found = kafka.read_all(&topic, Isolation::Committed);
    assert_eq!(texts(&found), ["before", "after", "across"]);
}

#[test]
fn a_process_ends_with_the_test_that_started_it_though_that_is_killed() {
    let name = format!("guarded-{}", std::process::id());
    let folder = built().parent().expect("target").join("tmp").join(name);
    let mut holder = Command::new(std::env::current_exe().expect("a path"));
    holder
        .args(["--exact", "kafka_harness::holds_a_process", "--ignored"])
        .env(FOLDER, &folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let mut holder = holder.spawn().expect("this test binary starts");
    let id = wait_for("the id of a process", PATIENCE, || {
        fs::read_to_string(folder.join("id")).ok()
    });
    let process = Path::new("/proc").join(id.expect("an id"));
    assert!(process.exists());
    signal(holder.id(), "KILL");
    holder.wait().expect("it was killed");
    let gone = wait_for("the end of process and folder", PATIENCE, || {
        (!process.exists() && !folder.exists()).then_some(())
    });
    gone.expect("both end");
}

/// Where [`holds_a_process`] has its process work.
const FOLDER: &str = "LEXSTREAM_TEST_GUARDED";

/// Not a test: what the one above starts and kills.
#[test]
#[ignore = "it is run by another test"]
fn holds_a_process() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    let process = Guarded::start(folder, &["sleep", "1000"]);
    let draft = folder.join("draft");
    fs::write(&draft, process.id().to_string()).expect("the id");
    fs::rename(draft, folder.join("id")).expect("the id");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("a pipe");
}
