//! Messages in contiguous buffers.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rdkafka::message::{Headers, Message as KafkaMessage};

use crate::partition::Partition;

/// Messages in order of arrival, in a few contiguous buffers whatever their number.
#[derive(Debug, Default)]
pub struct Messages {
    bytes: Vec<u8>,
    /// The topics that messages came from; hardly ever more than one.
    topics: Vec<Arc<str>>,
    entries: Vec<Entry>,
    headers: Vec<Header>,
    /// How many have lost their headers.
    headers_lost: usize,
}

#[derive(Debug)]
struct Entry {
    /// Where its bytes begin.
    start: usize,
    has_headers_lost: bool,
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
    ///
    /// Headers of which one has a key that is not UTF-8 are left out, and [`Message::has_headers_lost`] tells.
    pub fn push(&mut self, message: &impl KafkaMessage) {
        let topic = self.topic(message.topic());
        let start = self.bytes.len();
        let first = self.headers.len();
        let are_kept = self.keep_headers(message.headers());
        self.headers_lost += usize::from(!are_kept);
        let entry = Entry {
            start,
            has_headers_lost: !are_kept,
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

    /// Keeps all headers or none; tells which.
    fn keep_headers(&mut self, headers: Option<&impl Headers>) -> bool {
        let (bytes, first) = (self.bytes.len(), self.headers.len());
        // rdkafka panics at a key that is not UTF-8 (its `Headers::try_get`).
        let kept = catch_unwind(AssertUnwindSafe(|| {
            for header in headers.iter().flat_map(|headers| headers.iter()) {
                let key = self.keep(header.key.as_bytes());
                let value = header.value.map(|value| self.keep(value));
                self.headers.push(Header { key, value });
            }
        }));
        if kept.is_err() {
            self.bytes.truncate(bytes);
            self.headers.truncate(first);
        }
        kept.is_ok()
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

    /// Removes the last message.
    pub fn pop(&mut self) {
        if let Some(entry) = self.entries.pop() {
            self.bytes.truncate(entry.start);
            self.headers.truncate(entry.headers.start);
            self.headers_lost -= usize::from(entry.has_headers_lost);
        }
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Tells whether any message has lost its headers.
    pub fn have_headers_lost(&self) -> bool {
        self.headers_lost > 0
    }

    /// Returns the bytes of all keys, values and headers.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Returns a message by its position.
    pub fn at(&self, position: usize) -> Message<'_> {
        Message {
            all: self,
            entry: &self.entries[position],
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

    /// Tells whether it is of a partition.
    pub fn is_of(&self, partition: &Partition) -> bool {
        self.partition() == partition.number && **self.topic() == *partition.topic
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

    /// Tells whether its headers are left out, as they can't be read.
    pub fn has_headers_lost(&self) -> bool {
        self.entry.has_headers_lost
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

#[cfg(test)]
mod tests {
    use rdkafka::Timestamp;
    use rdkafka::message::{Header as KafkaHeader, OwnedHeaders, OwnedMessage};

    use super::*;

    fn message(offset: i64, value: &str) -> OwnedMessage {
        let header = KafkaHeader {
            key: "trace",
            value: Some("1"),
        };
        OwnedMessage::new(
            Some(value.as_bytes().to_vec()),
            None,
            "t".to_owned(),
            Timestamp::NotAvailable,
            0,
            offset,
            Some(OwnedHeaders::new().insert(header)),
        )
    }

    /// Headers of which the second has a key that is not UTF-8.
    struct Broken;

    impl Headers for Broken {
        fn count(&self) -> usize {
            2
        }

        fn try_get(&self, at: usize) -> Option<KafkaHeader<'_, &[u8]>> {
            assert!(at == 0, "as rdkafka does");
            let (key, value) = ("first", Some(&b"1"[..]));
            Some(KafkaHeader { key, value })
        }
    }

    #[test]
    fn headers_that_can_not_be_read_are_left_out_and_told_of() {
        let mut messages = Messages::default();
        messages.push(&message(0, "a"));
        let bytes = messages.bytes();
        assert!(!messages.keep_headers(Some(&Broken)));
        assert_eq!((messages.bytes(), messages.headers.len()), (bytes, 1));
        assert!(messages.keep_headers(None::<&Broken>));
    }

    #[test]
    fn a_message_that_is_taken_away_takes_its_bytes() {
        let mut messages = Messages::default();
        messages.push(&message(0, "a"));
        let bytes = messages.bytes();
        messages.push(&message(1, "another"));
        messages.pop();
        assert_eq!((messages.len(), messages.bytes()), (1, bytes));
        assert_eq!(
            messages.at(0).headers().next(),
            Some(("trace", Some(&b"1"[..])))
        );
    }
}
