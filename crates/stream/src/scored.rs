//! A batch whose rows go to topics.

use std::convert::Infallible;
use std::sync::Arc;

use super::delivery::Batch;
use super::sink::Sink;
use super::taken::{Counts, DeadLetter, DeadLetters, Taken};
use lexstream_kafka::tables::Records;
use lexstream_kafka::{Partition, Record};

/// Names the topic that an output comes from.
pub const SOURCE_TOPIC: &str = "lexstream.source.topic";

/// Names the partition that an output comes from.
pub const SOURCE_PARTITION: &str = "lexstream.source.partition";

/// Names the offset that an output comes from.
pub const SOURCE_OFFSET: &str = "lexstream.source.offset";

const SOURCE: [&str; 3] = [SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET];

/// A batch of messages with the records that they became.
#[derive(Debug)]
pub struct Scored {
    taken: Taken,
    outputs: Vec<Output>,
    counts: Counts,
    /// The bytes of the largest record.
    largest: usize,
}

/// Records for one sink.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) sink: Arc<Sink>,
    pub(super) records: Records,
    /// The message that each record comes from, ascending.
    pub(super) messages: Vec<u32>,
}

impl Scored {
    /// Puts a batch together.
    pub(super) fn new(taken: Taken, outputs: Vec<Output>) -> Self {
        let mut scored = Self {
            taken,
            outputs,
            counts: Counts::default(),
            largest: 0,
        };
        scored.count();
        // Here, where batches are scored side by side, and not where they are handed on.
        let mut largest = 0;
        let Ok(()) = scored.records(None, |_, record| {
            largest = largest.max(record.wire_size());
            Ok::<_, Infallible>(())
        });
        scored.largest = largest;
        scored
    }

    /// Returns the bytes that the largest record of output takes at most.
    pub fn largest(&self) -> usize {
        self.largest
    }

    fn count(&mut self) {
        let messages = self.outputs.iter().flat_map(|output| &output.messages);
        self.counts = self.taken.count(messages.copied());
    }

    /// Takes back every output of a message that turned out not to be sendable.
    pub fn bury(&mut self, message: u32, dead: DeadLetter) {
        self.taken.dead.entry(message).or_insert(dead);
        self.count();
    }

    /// Returns how many messages there are.
    pub(super) fn len(&self) -> u32 {
        // A batch has far fewer.
        u32::try_from(self.taken.messages.len()).unwrap_or(u32::MAX)
    }

    /// Returns where a message is.
    pub fn place_of(&self, message: u32) -> (Partition, i64) {
        let message = self.taken.messages.at(message as usize);
        (message.origin(), message.offset())
    }

    /// Tells whether a message has failed.
    pub fn is_dead(&self, message: u32) -> bool {
        self.taken.dead.contains_key(&message)
    }

    /// Hands out every record, the outputs of each sink in the order of the messages and then the dead letters, with
    /// the message that it comes from; ends at the first error.
    pub fn records<E>(
        &self,
        dead_letters: Option<&DeadLetters>,
        mut send: impl FnMut(u32, &Record<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut headers = Vec::new();
        for output in &self.outputs {
            let Output {
                sink,
                records,
                messages,
            } = output;
            for (at, number) in messages.iter().enumerate() {
                if self.taken.dead.contains_key(number) {
                    continue;
                }
                let message = self.taken.messages.at(*number as usize);
                headers.clear();
                let kept = |key: &str| !SOURCE.contains(&key);
                if sink.inherits.headers {
                    headers.extend(message.headers().filter(|(key, _)| kept(key)));
                } else {
                    headers.extend(records.headers(at).filter(|(key, _)| kept(key)));
                }
                headers.extend(self.source_headers(*number));
                let record = Record {
                    topic: &sink.topic,
                    key: match sink.inherits.key {
                        true => message.key(),
                        false => records.key(at),
                    },
                    value: records.value(at),
                    timestamp: match sink.inherits.timestamp {
                        true => message.timestamp(),
                        false => records.timestamp(at),
                    },
                    headers: &headers,
                };
                send(*number, &record)?;
            }
        }
        match dead_letters {
            Some(letters) => self.taken.letters(letters, send),
            None => Ok(()),
        }
    }

    fn source_headers(&self, number: u32) -> [(&str, Option<&[u8]>); 3] {
        let topic = self.taken.messages.at(number as usize).topic().as_bytes();
        let (partition, offset) = self.taken.place_text(number);
        [
            (SOURCE_TOPIC, Some(topic)),
            (SOURCE_PARTITION, Some(partition)),
            (SOURCE_OFFSET, Some(offset)),
        ]
    }
}

impl Batch for Scored {
    fn counts(&self) -> Counts {
        self.counts
    }

    fn bytes(&self) -> usize {
        let outputs = self.outputs.iter();
        outputs.map(|output| output.records.bytes()).sum()
    }

    fn timestamps(&self) -> Vec<i64> {
        self.taken.timestamps()
    }

    fn dead(&self) -> Option<[(Partition, i64, &DeadLetter); 2]> {
        self.taken.first_and_last_dead()
    }
}
