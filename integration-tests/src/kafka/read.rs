//! Reading a topic from its beginning to its end.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

use super::PATIENCE;
use super::client::{Kafka, partitions};

/// Which records a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Those of finished transactions that were not aborted, up to the first open one.
    Committed,
    /// All of them.
    Uncommitted,
}

impl Isolation {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Committed => "read_committed",
            Self::Uncommitted => "read_uncommitted",
        }
    }
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Partition.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
    /// Milliseconds since 1970.
    pub timestamp: Option<i64>,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value; a tombstone has none.
    pub value: Option<Vec<u8>>,
    /// Headers in their order; a key may come twice.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Record {
    /// Returns the value as text; a tombstone is empty.
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.value.as_deref().unwrap_or_default()).expect("UTF-8")
    }

    /// Returns the value of the last header with this key as text.
    pub fn header(&self, key: &str) -> Option<&str> {
        let mut headers = self.headers.iter().rev();
        let (_, value) = headers.find(|(found, _)| found == key)?;
        Some(std::str::from_utf8(value.as_deref()?).expect("UTF-8"))
    }
}

impl From<&BorrowedMessage<'_>> for Record {
    fn from(message: &BorrowedMessage<'_>) -> Self {
        let headers = message.headers().into_iter().flat_map(Headers::iter);
        let headers = headers.map(|header| (header.key.to_owned(), header.value.map(Vec::from)));
        Self {
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp().to_millis(),
            key: message.key().map(Vec::from),
            value: message.payload().map(Vec::from),
            headers: headers.collect(),
        }
    }
}

impl Kafka {
    /// Returns all records of a topic up to its end, by partition and offset.
    pub fn read_all(&self, topic: &str, isolation: Isolation) -> Vec<Record> {
        let consumer = self.consumer("lexstream-reader", isolation);
        let mut assignment = TopicPartitionList::new();
        let mut open = BTreeSet::new();
        for partition in partitions(&consumer, topic) {
            assignment
                .add_partition_offset(topic, partition, Offset::Beginning)
                .expect("an offset");
            open.insert(partition);
        }
        consumer.assign(&assignment).expect("partitions to read");
        let mut records = Vec::new();
        let mut last = Instant::now();
        while !open.is_empty() {
            match consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => {
                    last = Instant::now();
                    // Whoever goes on writing is not waited for.
                    if open.contains(&message.partition()) {
                        records.push(Record::from(&message));
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    open.remove(&partition);
                }
                Some(Err(error)) if last.elapsed() > PATIENCE => panic!("{topic}: {error}"),
                // A broker that was restarted is found again.
                Some(Err(_)) | None => {}
            }
            assert!(
                last.elapsed() < PATIENCE,
                "the end of {topic}{open:?} after {} records: not within {PATIENCE:?}",
                records.len()
            );
        }
        records.sort_by_key(|record: &Record| (record.partition, record.offset));
        records
    }
}
