//! Sending records, in transactions or not.

use std::sync::{Mutex, PoisonError};

use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};

use super::client::Kafka;
use super::{PATIENCE, wait_for};

/// A record to be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewRecord {
    /// Where it goes; the client decides where none is given.
    pub partition: Option<i32>,
    /// Milliseconds since 1970; now where none is given.
    pub timestamp: Option<i64>,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value; a tombstone has none.
    pub value: Option<Vec<u8>>,
    /// Headers in their order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl NewRecord {
    /// Returns a record with this value.
    pub fn of(value: impl Into<Vec<u8>>) -> Self {
        Self {
            value: Some(value.into()),
            ..Self::default()
        }
    }

    /// Returns a record without a value.
    pub fn tombstone(key: impl Into<Vec<u8>>) -> Self {
        Self::default().key(key)
    }

    /// Gives it a key.
    pub fn key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sends it to this partition.
    pub fn to(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }

    /// Gives it a timestamp, in milliseconds since 1970.
    pub fn at(mut self, timestamp: i64) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// Adds a header.
    pub fn header(mut self, key: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((key.to_owned(), Some(value.into())));
        self
    }
}

/// Partition and offset of a record that the broker has.
pub type Position = (i32, i64);

/// What became of each record, by its place.
#[derive(Debug, Default)]
struct Deliveries(Mutex<Vec<Option<Result<Position, KafkaError>>>>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<usize>;

    fn delivery(&self, result: &DeliveryResult<'_>, place: Box<usize>) {
        let outcome = match result {
            Ok(message) => Ok((message.partition(), message.offset())),
            Err((error, _)) => Err(error.clone()),
        };
        let mut outcomes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes[*place] = Some(outcome);
    }
}

impl Kafka {
    /// Sends records outside of a transaction; returns where each one is.
    pub fn send(&self, topic: &str, records: &[NewRecord]) -> Vec<Position> {
        let sent = self.try_send(topic, records);
        let sent = sent.into_iter().map(|outcome| outcome.expect(topic));
        sent.collect()
    }

    /// Sends records of which the broker may refuse some; returns what it said of each.
    pub fn try_send(
        &self,
        topic: &str,
        records: &[NewRecord],
    ) -> Vec<Result<Position, KafkaError>> {
        let mut config = self.client();
        config
            .set("enable.idempotence", "true")
            // What is too large is for the broker to say.
            .set("message.max.bytes", "100000000")
            .set("message.timeout.ms", "30000");
        let producer = config.create_with_context(Deliveries::default());
        send(&producer.expect("a producer"), topic, records)
    }

    /// Begins a transaction; one with the same id that is still open is aborted.
    pub fn begin(&self, id: &str) -> Transaction {
        let mut config = self.client();
        config
            .set("transactional.id", id)
            .set("transaction.timeout.ms", "60000")
            .set("message.timeout.ms", "30000");
        let producer: ThreadedProducer<_> = config
            .create_with_context(Deliveries::default())
            .expect("a producer");
        producer
            .init_transactions(PATIENCE)
            .and_then(|()| producer.begin_transaction())
            .unwrap_or_else(|error| panic!("transaction {id}: {error}"));
        Transaction { producer }
    }
}

/// An open transaction; one that is neither committed nor aborted stays open until its timeout, a minute.
pub struct Transaction {
    producer: ThreadedProducer<Deliveries>,
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}

impl Transaction {
    /// Sends records; returns where each one is.
    pub fn send(&self, topic: &str, records: &[NewRecord]) -> Vec<Position> {
        let sent = send(&self.producer, topic, records);
        let sent = sent.into_iter().map(|outcome| outcome.expect(topic));
        sent.collect()
    }

    /// Commits it.
    pub fn commit(self) {
        self.producer
            .commit_transaction(PATIENCE)
            .expect("a commit");
    }

    /// Aborts it.
    pub fn abort(self) {
        self.producer.abort_transaction(PATIENCE).expect("an abort");
    }
}

fn send(
    producer: &ThreadedProducer<Deliveries>,
    topic: &str,
    records: &[NewRecord],
) -> Vec<Result<Position, KafkaError>> {
    let deliveries = &producer.context().0;
    *deliveries.lock().unwrap_or_else(PoisonError::into_inner) = vec![None; records.len()];
    for (place, record) in records.iter().enumerate() {
        let mut next = Some(base(topic, record, place));
        let queued = wait_for("room in the producer's queue", PATIENCE, || {
            let record = next.take().expect("it is put back where there is no room");
            match producer.send(record) {
                Ok(()) => Some(Ok(())),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), record)) => {
                    next = Some(record);
                    None
                }
                Err((error, _)) => Some(Err(error)),
            }
        });
        let queued = queued.unwrap_or_else(|error| panic!("{topic}: {error}"));
        queued.unwrap_or_else(|error| panic!("{topic}: {error}"));
    }
    producer.flush(PATIENCE).expect(topic);
    let outcomes = std::mem::take(&mut *deliveries.lock().unwrap_or_else(PoisonError::into_inner));
    let outcomes = outcomes.into_iter();
    outcomes
        .map(|outcome| outcome.expect("a flush waits for every report"))
        .collect()
}

fn base<'a>(
    topic: &'a str,
    record: &'a NewRecord,
    place: usize,
) -> BaseRecord<'a, [u8], [u8], Box<usize>> {
    let mut base = BaseRecord::with_opaque_to(topic, Box::new(place));
    base.partition = record.partition;
    base.timestamp = record.timestamp;
    base.key = record.key.as_deref();
    base.payload = record.value.as_deref();
    if !record.headers.is_empty() {
        let headers = OwnedHeaders::new_with_capacity(record.headers.len());
        let headers = record
            .headers
            .iter()
            .fold(headers, |headers, (key, value)| {
                let value = value.as_deref();
                headers.insert(Header { key, value })
            });
        base.headers = Some(headers);
    }
    base
}
