//! Messages of topics, their bytes end to end.

use std::ops::Range;
use std::sync::Arc;

use rdkafka::message::{Headers, Message as KafkaMessage};

use super::partition::Partition;

/// Messages in the order they came, in few allocations whatever their number.
#[derive(Debug, Default)]
pub struct Messages {
    bytes: Vec<u8>,
    /// The topics that messages came from; hardly ever more than one.
    topics: Vec<Arc<str>>,
    entries: Vec<Entry>,
    headers: Vec<Header>,
}

#[derive(Debug)]
struct Entry {
    topic: usize,
    partition: i32,
    offset: i64,
    timestamp: Option<i64>,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    headers: Range<usize>,
}

#[derive(Debug)]
struct Header {
    key: Range<usize>,
    value: Option<Range<usize>>,
}

/// One of [`Messages`].
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    all: &'a Messages,
    entry: &'a Entry,
}

impl Messages {
    /// Adds a message.
    pub fn push(&mut self, message: &impl KafkaMessage) {
        let topic = self.topic(message.topic());
        let first = self.headers.len();
        if let Some(headers) = message.headers() {
            for header in headers.iter() {
                let key = self.keep(header.key.as_bytes());
                let value = header.value.map(|value| self.keep(value));
                self.headers.push(Header { key, value });
            }
        }
        let entry = Entry {
            topic,
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp().to_millis(),
            key: message.key().map(|key| self.keep(key)),
            value: message.payload().map(|value| self.keep(value)),
            headers: first..self.headers.len(),
        };
        self.entries.push(entry);
    }

    fn topic(&mut self, name: &str) -> usize {
        let known = self.topics.iter().position(|topic| **topic == *name);
        known.unwrap_or_else(|| {
            self.topics.push(name.into());
            self.topics.len() - 1
        })
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// Keeps the messages of partitions that `is_kept` takes.
    pub fn retain(&mut self, is_kept: impl Fn(&str, i32) -> bool) {
        let topics = &self.topics;
        // The bytes of others are few, and go with the batch.
        self.entries
            .retain(|entry| is_kept(&topics[entry.topic], entry.partition));
    }

    /// Takes the last message away.
    pub fn pop(&mut self) {
        self.entries.pop();
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the bytes of all keys, values and headers.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Returns a message by its place.
    pub fn at(&self, place: usize) -> Message<'_> {
        Message {
            all: self,
            entry: &self.entries[place],
        }
    }

    /// Returns the messages in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Message<'_>> {
        self.entries
            .iter()
            .map(|entry| Message { all: self, entry })
    }
}

impl<'a> Message<'a> {
    /// Returns the topic.
    pub fn topic(&self) -> &'a Arc<str> {
        &self.all.topics[self.entry.topic]
    }

    /// Returns the topic and the partition.
    pub fn origin(&self) -> Partition {
        Partition {
            topic: Arc::clone(self.topic()),
            number: self.partition(),
        }
    }

    /// Returns the partition's number.
    pub fn partition(&self) -> i32 {
        self.entry.partition
    }

    /// Returns the offset in the partition.
    pub fn offset(&self) -> i64 {
        self.entry.offset
    }

    /// Returns when it was made or appended, in milliseconds since 1970, where the broker knows.
    pub fn timestamp(&self) -> Option<i64> {
        self.entry.timestamp
    }

    /// Returns the key.
    pub fn key(&self) -> Option<&'a [u8]> {
        self.slice(self.entry.key.as_ref())
    }

    /// Returns the value; a tombstone has none.
    pub fn value(&self) -> Option<&'a [u8]> {
        self.slice(self.entry.value.as_ref())
    }

    /// Returns the headers, in their order; a key may come twice.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&'a str, Option<&'a [u8]>)> + use<'a> {
        let all = self.all;
        let headers = all.headers[self.entry.headers.clone()].iter();
        headers.map(move |header| {
            let key = std::str::from_utf8(&all.bytes[header.key.clone()]);
            let value = header.value.clone().map(|value| &all.bytes[value]);
            (key.expect("a key is kept as it was: UTF-8"), value)
        })
    }

    fn slice(&self, range: Option<&Range<usize>>) -> Option<&'a [u8]> {
        range.map(|range| &self.all.bytes[range.clone()])
    }
}
