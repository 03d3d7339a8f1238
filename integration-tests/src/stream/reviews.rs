//! Reviews as messages, some of them poison, and what must become of each in [`SCRIPT`](super::Workshop).

use serde_json::{Value, json};

use crate::check::{Fate, Wanted};
use crate::kafka::{Kafka, NewRecord, Record};
use crate::random::Random;

/// The two queries of the pipeline; `fate` computes the same.
pub(super) const QUERIES: &str = "\
INSERT INTO scored SELECT id, token_count(text) AS n, 60 / (id % 60) AS q FROM reviews WHERE id % 7 < 6;
INSERT INTO words SELECT id, unnest(tokenize(text)) AS word FROM reviews WHERE id % 5 = 0;
";

/// When the first review was written, in milliseconds since 1970.
const FIRST: i64 = 1_700_000_000_000;

const WORDS: [&str; 6] = ["good", "tea", "cold", "never", "again", "thanks"];

/// Returns the review of a number: of a hundred one is poison, one a tombstone.
pub fn review(id: u64) -> NewRecord {
    let key = format!("customer-{}", id % 37);
    let record = match id % 100 {
        13 => {
            let kinds = poison(id);
            NewRecord::of(kinds[id as usize / 100 % kinds.len()].1.clone()).key(key)
        }
        57 => NewRecord::tombstone(key),
        _ => {
            let text = words(id).join(" ");
            let value = json!({ "id": id, "stars": { "given": [id % 5, null] }, "text": text });
            NewRecord::of(value.to_string()).key(key)
        }
    };
    let record = record.at(FIRST + id as i64);
    match id % 3 {
        0 => record.header("traceparent", format!("00-{id:032x}-01")),
        _ => record,
    }
}

fn words(id: u64) -> Vec<&'static str> {
    (0..id % 7)
        .map(|at| WORDS[(id + at * at) as usize % WORDS.len()])
        .collect()
}

/// Returns every kind of message that no row can be made of.
pub fn poison(id: u64) -> [(&'static str, Vec<u8>); 8] {
    let mut latin = format!(r#"{{"id":{id},"text":"caf"#).into_bytes();
    latin.extend(b"\xe9\"}");
    let deep = format!(r#"{{"id":{id},"text":{}"#, "[".repeat(5_000));
    [
        ("truncated", format!(r#"{{"id":{id},"text":"go"#).into()),
        (
            "two objects",
            format!(r#"{{"id":{id}}}{{"id":{id}}}"#).into(),
        ),
        ("empty", vec![]),
        ("invalid UTF-8", latin),
        ("deep nesting", deep.into()),
        (
            "a wrong type",
            format!(r#"{{"id":"number {id}","text":"good"}}"#).into(),
        ),
        ("a list", format!("[{id}]").into()),
        ("binary", (0..=255).collect()),
    ]
}

/// Computes what becomes of a review.
pub fn fate(_: &str, record: &Record) -> Fate {
    let filtered = Fate::Out(vec![vec![], vec![]]);
    let Some(bytes) = &record.value else {
        // A row of NULLs, which no condition takes.
        return filtered;
    };
    let Ok(Value::Object(fields)) = serde_json::from_slice(bytes) else {
        return Fate::Dead;
    };
    let (Some(id), Some(text)) = (
        fields.get("id").and_then(Value::as_u64),
        fields.get("text").and_then(Value::as_str),
    ) else {
        return Fate::Dead;
    };
    let words: Vec<_> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let is_scored = id % 7 < 6;
    if is_scored && id % 60 == 0 {
        // Division by zero in one of the queries takes the message out of both.
        return Fate::Dead;
    }
    let mut values = vec![vec![], vec![]];
    if is_scored {
        let row = json!({ "id": id, "n": words.len(), "q": 60 / (id % 60) });
        values[0].push(Wanted::Json(row));
    }
    if id % 5 == 0 {
        let rows = words.iter().map(|word| json!({ "id": id, "word": word }));
        values[1].extend(rows.map(Wanted::Json));
    }
    Fate::Out(values)
}

/// Sends reviews, each number once, as several programs would: in transactions of which some are aborted, and without.
#[derive(Debug)]
pub struct Reviews<'a> {
    kafka: &'a Kafka,
    topic: &'a str,
    next: u64,
    random: Random,
}

impl<'a> Reviews<'a> {
    /// Begins with the first one.
    pub fn to(kafka: &'a Kafka, topic: &'a str, random: Random) -> Self {
        Self {
            kafka,
            topic,
            next: 0,
            random,
        }
    }

    /// Sends the next ones.
    pub fn send(&mut self, count: u64) {
        let records: Vec<_> = (self.next..self.next + count).map(review).collect();
        self.next += count;
        for chunk in records.chunks(1 + count as usize / 3) {
            let id = format!("{}-{}", self.topic, self.random.below(2));
            match self.random.below(3) {
                0 => drop(self.kafka.send(self.topic, chunk)),
                1 => {
                    // Readers of committed records never see these.
                    let aborted = self.kafka.begin(&id);
                    aborted.send(self.topic, &chunk[..chunk.len() / 10]);
                    aborted.abort();
                    self.kafka.send(self.topic, chunk);
                }
                _ => {
                    let committed = self.kafka.begin(&id);
                    committed.send(self.topic, chunk);
                    committed.commit();
                }
            }
        }
    }

    /// Returns how many have been sent.
    pub fn sent(&self) -> u64 {
        self.next
    }
}
