//! What became of a batch of messages: records to send, dead letters, and the rest that was filtered.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use super::Cause;
use super::delivery::Batch;
use super::sink::Sink;
use crate::kafka::{Messages, Offsets, Partition, Record};
use crate::tables::kafka::Records;

/// Names the topic that an output comes from.
pub const SOURCE_TOPIC: &str = "lexstream.source.topic";

/// Names the partition that an output comes from.
pub const SOURCE_PARTITION: &str = "lexstream.source.partition";

/// Names the offset that an output comes from.
pub const SOURCE_OFFSET: &str = "lexstream.source.offset";

const SOURCE: [&str; 3] = [SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET];

/// A batch of messages that has been scored.
#[derive(Debug)]
pub struct Scored {
    messages: Messages,
    outputs: Vec<Output>,
    dead: BTreeMap<u32, DeadLetter>,
    /// Where each message comes from, as text.
    places: Places,
    counts: Counts,
}

/// Records for one sink.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) sink: Arc<Sink>,
    pub(super) records: Records,
    /// The message that each record comes from, ascending.
    pub(super) messages: Vec<u32>,
}

/// Why a message has no output.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// What was done when it failed, by the name that Kafka Connect gives it.
    pub stage: &'static str,
    /// The kind of error.
    pub class: &'static str,
    /// What is wrong.
    pub cause: Cause,
}

/// How many of a batch's messages became what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that were read.
    pub messages: u64,
    /// Records of output.
    pub outputs: u64,
    /// Messages that failed.
    pub dead: u64,
    /// Messages that a condition left nothing of.
    pub filtered: u64,
    /// Bytes that were read: keys, values and headers.
    pub bytes: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.outputs += other.outputs;
        self.dead += other.dead;
        self.filtered += other.filtered;
        self.bytes += other.bytes;
    }
}

/// How dead letters are written.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    /// Their topic.
    pub topic: String,
    /// Whether headers say what went wrong.
    pub has_context: bool,
}

impl Scored {
    /// Puts a batch together.
    pub(super) fn new(
        messages: Messages,
        outputs: Vec<Output>,
        dead: BTreeMap<u32, DeadLetter>,
    ) -> Self {
        let places = Places::new(&messages);
        let mut scored = Self {
            messages,
            outputs,
            dead,
            places,
            counts: Counts::default(),
        };
        scored.count();
        scored
    }

    /// Counts what became of the messages.
    fn count(&mut self) {
        let mut has_output = vec![false; self.messages.len()];
        let mut outputs = 0;
        for output in &self.outputs {
            for message in &output.messages {
                if !self.dead.contains_key(message) {
                    has_output[*message as usize] = true;
                    outputs += 1;
                }
            }
        }
        let given = has_output.iter().filter(|has_output| **has_output).count();
        self.counts = Counts {
            messages: self.messages.len() as u64,
            outputs,
            dead: self.dead.len() as u64,
            filtered: (self.messages.len() - given - self.dead.len()) as u64,
            bytes: self.messages.bytes() as u64,
        };
    }

    fn place<'a>(&self, message: u32, dead: &'a DeadLetter) -> (Partition, i64, &'a DeadLetter) {
        let (partition, offset) = self.place_of(message);
        (partition, offset, dead)
    }

    /// Takes back every output of a message that turned out not to be sendable.
    pub fn bury(&mut self, message: u32, dead: DeadLetter) {
        self.dead.entry(message).or_insert(dead);
        self.count();
    }

    /// Returns where a message is.
    pub fn place_of(&self, message: u32) -> (Partition, i64) {
        let message = self.messages.at(message as usize);
        (message.origin(), message.offset())
    }

    /// Tells whether a message has failed.
    pub fn is_dead(&self, message: u32) -> bool {
        self.dead.contains_key(&message)
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
                if self.dead.contains_key(number) {
                    continue;
                }
                let message = self.messages.at(*number as usize);
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
        let Some(letters) = dead_letters else {
            return Ok(());
        };
        for (number, dead) in &self.dead {
            let message = self.messages.at(*number as usize);
            let reason = crate::message::caused(&*dead.cause);
            let mut headers: Vec<_> = message.headers().collect();
            if letters.has_context {
                headers.retain(|(key, _)| !key.starts_with(CONTEXT));
                headers.extend(self.context(*number, dead, &reason));
            }
            let record = Record {
                topic: &letters.topic,
                key: message.key(),
                value: message.value(),
                timestamp: message.timestamp(),
                headers: &headers,
            };
            send(*number, &record)?;
        }
        Ok(())
    }

    fn source_headers(&self, number: u32) -> [(&str, Option<&[u8]>); 3] {
        let topic = self.messages.at(number as usize).topic().as_bytes();
        let (partition, offset) = self.places.at(number);
        [
            (SOURCE_TOPIC, Some(topic)),
            (SOURCE_PARTITION, Some(partition)),
            (SOURCE_OFFSET, Some(offset)),
        ]
    }

    /// Returns what Kafka Connect says of a message that failed (KIP-298).
    fn context<'a>(
        &'a self,
        number: u32,
        dead: &'a DeadLetter,
        reason: &'a str,
    ) -> [(&'a str, Option<&'a [u8]>); 6] {
        let topic = self.messages.at(number as usize).topic().as_bytes();
        let (partition, offset) = self.places.at(number);
        [
            ("__connect.errors.topic", Some(topic)),
            ("__connect.errors.partition", Some(partition)),
            ("__connect.errors.offset", Some(offset)),
            ("__connect.errors.stage", Some(dead.stage.as_bytes())),
            (
                "__connect.errors.exception.class.name",
                Some(dead.class.as_bytes()),
            ),
            (
                "__connect.errors.exception.message",
                Some(reason.as_bytes()),
            ),
        ]
    }
}

impl Batch for Scored {
    fn counts(&self) -> Counts {
        self.counts
    }

    fn timestamps(&self) -> Vec<i64> {
        let timestamps = self
            .messages
            .iter()
            .filter_map(|message| message.timestamp());
        timestamps.collect()
    }

    fn dead(&self) -> Option<[(Partition, i64, &DeadLetter); 2]> {
        let (first, of_first) = self.dead.first_key_value()?;
        let (last, of_last) = self.dead.last_key_value()?;
        Some([self.place(*first, of_first), self.place(*last, of_last)])
    }
}

/// Begins the names of headers that say what went wrong.
const CONTEXT: &str = "__connect.errors.";

/// Partitions and offsets of messages as text, end to end.
#[derive(Debug)]
struct Places {
    text: String,
    /// The ends of each message's partition and offset.
    ends: Vec<(usize, usize)>,
}

impl Places {
    fn new(messages: &Messages) -> Self {
        let mut text = String::new();
        let mut ends = Vec::with_capacity(messages.len());
        for message in messages.iter() {
            // Writing into a text can't fail.
            let _ = write!(text, "{}", message.partition());
            let partition = text.len();
            let _ = write!(text, "{}", message.offset());
            ends.push((partition, text.len()));
        }
        Self { text, ends }
    }

    fn at(&self, message: u32) -> (&[u8], &[u8]) {
        let at = message as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before].1);
        let (partition, offset) = self.ends[at];
        let slice = |range: Range<usize>| &self.text.as_bytes()[range];
        (slice(start..partition), slice(partition..offset))
    }
}

/// Returns the offsets that come behind messages.
pub(super) fn next_offsets(messages: &Messages) -> Offsets {
    let mut next = Offsets::new();
    let mut last: Option<(Partition, i64)> = None;
    // Messages of a partition come in runs.
    for message in messages.iter() {
        match &mut last {
            Some((partition, offset))
                if partition.number == message.partition()
                    && partition.topic == *message.topic() =>
            {
                *offset = message.offset() + 1;
            }
            _ => {
                let new = (message.origin(), message.offset() + 1);
                if let Some((partition, offset)) = last.replace(new) {
                    next.insert(partition, offset);
                }
            }
        }
    }
    next.extend(last);
    next
}
