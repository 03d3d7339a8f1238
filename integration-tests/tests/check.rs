//! The check of streams finds what it is there to find.

use std::sync::Arc;

use lexstream_integration_tests::check::{
    DEAD, Fate, Input, Kind, SOURCE, Seen, Tally, Wanted, check,
};
use lexstream_integration_tests::kafka::{NewRecord, Record, shared};
use serde_json::{Value, json};

/// A stream of 30 records in two partitions that did all right: one in three is filtered, one in five dies, and an
/// even one has a second record in the second output.
fn right() -> Seen {
    let topic: Arc<str> = "in".into();
    let mut seen = Seen {
        inputs: vec![Input {
            topic: Arc::clone(&topic),
            records: (0..30).map(source).collect(),
            ends: [(0, 15), (1, 15), (2, 0)].into(),
            committed: [(0, 15), (1, 15)].into(),
        }],
        outputs: vec![("a".into(), vec![]), ("b".into(), vec![])],
        dead: vec![],
    };
    for id in 0..30 {
        let source = source(id);
        match fate("in", &source) {
            Fate::Dead => {
                let mut letter = with(&source, DEAD, seen.dead.len());
                for key in ["stage", "exception.class.name", "exception.message"] {
                    let key = format!("__connect.errors.{key}");
                    letter.headers.push((key, Some(b"why".to_vec())));
                }
                seen.dead.push(letter);
            }
            Fate::Out(values) => {
                for (output, values) in seen.outputs.iter_mut().zip(values) {
                    for wanted in values {
                        let mut record = with(&source, SOURCE, output.1.len());
                        let Wanted::Json(value) = wanted else {
                            panic!("JSON")
                        };
                        record.value = Some(value.to_string().into_bytes());
                        output.1.push(record);
                    }
                }
            }
        }
    }
    seen
}

fn source(id: i64) -> Record {
    Record {
        partition: (id % 2) as i32,
        offset: id / 2,
        timestamp: Some(id),
        key: Some(id.to_string().into_bytes()),
        value: Some(json!({ "id": id }).to_string().into_bytes()),
        headers: vec![("h".into(), Some(vec![1]))],
    }
}

fn with(source: &Record, headers: [&str; 3], offset: usize) -> Record {
    let mut record = source.clone();
    let values = [
        "in".into(),
        source.partition.to_string(),
        source.offset.to_string(),
    ];
    for (key, value) in headers.iter().zip(values) {
        record
            .headers
            .push(((*key).into(), Some(value.into_bytes())));
    }
    (record.partition, record.offset) = (0, offset as i64);
    record
}

fn fate(_: &str, record: &Record) -> Fate {
    let value: Value =
        serde_json::from_slice(record.value.as_deref().expect("a value")).expect("JSON");
    let id = value["id"].as_i64().expect("an id");
    let score = |part: &str| Wanted::Json(json!({ "id": id, part: 0.5 }));
    if id % 5 == 0 {
        Fate::Dead
    } else if id % 3 == 0 {
        Fate::Out(vec![vec![], vec![]])
    } else if id % 2 == 0 {
        Fate::Out(vec![vec![score("x")], vec![score("y"), score("z")]])
    } else {
        Fate::Out(vec![vec![score("x")], vec![]])
    }
}

#[test]
fn what_is_right_adds_up() {
    // Of 0 to 29, 6 are multiples of 5; of the other 24, 8 of 3; of the other 16, half are even.
    let expected = Tally {
        inputs: 30,
        out: 16,
        dead: 6,
        filtered: 8,
        records: 16 + 2 * 8,
    };
    assert_eq!(check(&right(), fate), Ok(expected));
}

/// Breaks what is right, and expects faults of these kinds.
fn breaks(name: &str, expected: &[Kind], spoil: impl Fn(&mut Seen)) {
    let mut seen = right();
    spoil(&mut seen);
    let faults = check(&seen, fate).expect_err(name);
    let kinds: Vec<_> = faults.0.iter().map(|fault| fault.kind).collect();
    assert_eq!(kinds, expected, "{name}: {faults}");
}

#[test]
fn what_is_lost_is_found() {
    let lost = [Kind::Lost];
    breaks("a record", &lost, |seen| drop(seen.outputs[0].1.remove(5)));
    breaks("one of two", &lost, |seen| {
        drop(seen.outputs[1].1.remove(5));
    });
    breaks("a dead letter", &lost, |seen| drop(seen.dead.remove(0)));
    breaks("the last", &lost, |seen| drop(seen.outputs[0].1.pop()));
}

#[test]
fn what_is_doubled_is_found() {
    let doubled = [Kind::Doubled];
    breaks("a record", &doubled, |seen| {
        let again = seen.outputs[0].1[5].clone();
        seen.outputs[0].1.insert(6, again);
    });
    breaks("a dead letter", &doubled, |seen| {
        let again = seen.dead[5].clone();
        seen.dead.push(again);
    });
    breaks("a dead letter that is out, too", &doubled, |seen| {
        let out = with(&source(0), SOURCE, 0);
        seen.outputs[1].1.insert(0, out);
    });
    breaks("a filtered record that is out", &doubled, |seen| {
        let out = with(&source(3), SOURCE, 0);
        // Before any other of its partition.
        seen.outputs[1].1.insert(0, out);
    });
    breaks(
        "a record that is out and dead",
        &[Kind::Doubled, Kind::NotCarried],
        |seen| {
            seen.dead.insert(0, with(&source(1), DEAD, 0));
        },
    );
}

#[test]
fn what_is_out_of_order_is_found() {
    // The ids are 1, 2, 4, 7, 8, …: 2 and 4 are of one partition, 1 is of the other.
    breaks("of one partition", &[Kind::Inverted], |seen| {
        seen.outputs[0].1.swap(1, 2);
    });
    breaks("dead letters", &[Kind::Inverted], |seen| {
        seen.dead.swap(0, 2);
    });
    let mut seen = right();
    seen.outputs[0].1.swap(0, 1);
    assert!(
        check(&seen, fate).is_ok(),
        "partitions have no order among each other"
    );
    // The first offset again at the end is both.
    breaks(
        "a batch that was run twice",
        &[Kind::Inverted, Kind::Doubled],
        |seen| {
            let again = seen.outputs[0].1[1].clone();
            seen.outputs[0].1.push(again);
        },
    );
}

#[test]
fn what_is_wrong_is_found() {
    let set = |name: &str, kind: Kind, spoil: fn(&mut Record)| {
        breaks(name, &[kind], |seen| spoil(&mut seen.outputs[0].1[3]));
    };
    // The fourth of the first output is 7.
    let value = |text: &str| Some(text.as_bytes().to_vec());
    assert_eq!(right().outputs[0].1[3].value, value(r#"{"id":7,"x":0.5}"#));
    for other in [
        r#"{"id":8,"x":0.5}"#,
        r#"{"id":7,"x":0.50002}"#,
        r#"{"id":7}"#,
        "{",
        "",
    ] {
        breaks(other, &[Kind::Wrong], |seen| {
            seen.outputs[0].1[3].value = value(other);
        });
    }
    set("a tombstone", Kind::Wrong, |record| record.value = None);
    breaks("two in the other order", &[Kind::Wrong], |seen| {
        let records = &mut seen.outputs[1].1;
        let first = records[0].value.clone();
        records[0].value = std::mem::replace(&mut records[1].value, first);
    });
    set("a key", Kind::NotCarried, |record| record.key = None);
    set("a timestamp", Kind::NotCarried, |record| {
        record.timestamp = Some(0);
    });
    set("a header", Kind::NotCarried, |record| {
        drop(record.headers.remove(0));
    });
    set("headers twice", Kind::NotCarried, |record| {
        record.headers.push(record.headers[0].clone());
    });
    for spoil in [
        (|letter| letter.value = None) as fn(&mut Record),
        |letter| letter.key = None,
        |letter| drop(letter.headers.remove(0)),
        |letter| drop(letter.headers.pop()),
    ] {
        breaks("a dead letter", &[Kind::NotCarried], |seen| {
            spoil(&mut seen.dead[2]);
        });
    }
    let figures = right();
    let mut rounded = figures.clone();
    rounded.outputs[0].1[3].value = value(r#"{"x":0.500001,"id":7}"#);
    assert_eq!(check(&rounded, fate), check(&figures, fate));
}

#[test]
fn what_comes_from_nowhere_is_found() {
    breaks("without a source", &[Kind::NoSource, Kind::Lost], |seen| {
        seen.outputs[0].1[3].headers.clear();
    });
    breaks("of no input", &[Kind::Stranger], |seen| {
        let mut record = source(0);
        record.offset = 99;
        seen.outputs[0].1.push(with(&record, SOURCE, 99));
    });
}

#[test]
fn an_offset_that_is_not_the_end_is_found() {
    let committed = [Kind::Committed];
    for offset in [0, 14, 16] {
        breaks("an offset", &committed, |seen| {
            seen.inputs[0].committed.insert(1, offset);
        });
    }
    breaks("none", &committed, |seen| {
        seen.inputs[0].committed.remove(&0);
    });
    let mut seen = right();
    // A mark of a transaction is behind the last record.
    seen.inputs[0].ends.insert(1, 16);
    assert!(check(&seen, fate).is_ok());
}

#[test]
fn topics_and_offsets_are_looked_at() {
    let kafka = shared();
    let [input, output] = ["check-in", "check-out"].map(|hint| kafka.topic(hint, 1));
    let record = NewRecord::of("x").key("k").at(5);
    kafka.send(&input, &[record.clone(), record.clone()]);
    let mut copy = record;
    for (key, value) in SOURCE.iter().zip([&*input, "0", "0"]) {
        copy = copy.header(key, value);
    }
    kafka.send(&output, &[copy]);
    let seen = Seen::at(kafka, "nobody", &[&input], &[&output], None);
    let wanted = |_: &str, _: &Record| Fate::Out(vec![vec![Wanted::Bytes(b"x".to_vec())]]);
    let faults = check(&seen, wanted).expect_err("a copy is missing");
    let kinds: Vec<_> = faults.0.iter().map(|fault| fault.kind).collect();
    assert_eq!(kinds, [Kind::Lost, Kind::Committed], "{faults}");
}
