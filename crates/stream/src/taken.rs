//! A batch of messages that has been looked at, and why some of them failed.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

use super::Cause;
use lexstream_kafka::{Messages, Offsets, Partition, Record};

/// Messages, and why some of them failed.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) messages: Messages,
    pub(super) dead: BTreeMap<u32, DeadLetter>,
    /// Where each message comes from, as text.
    places: Places,
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

impl Taken {
    pub(super) fn new(messages: Messages, dead: BTreeMap<u32, DeadLetter>) -> Self {
        Self {
            places: Places::new(&messages),
            messages,
            dead,
        }
    }

    /// Counts what became of the messages, by those that each row or record of output comes from.
    pub(super) fn count(&self, outputs: impl Iterator<Item = u32>) -> Counts {
        let mut has_output = vec![false; self.messages.len()];
        let mut rows = 0;
        for message in outputs.filter(|message| !self.dead.contains_key(message)) {
            has_output[message as usize] = true;
            rows += 1;
        }
        let given = has_output.iter().filter(|has_output| **has_output).count();
        Counts {
            messages: self.messages.len() as u64,
            outputs: rows,
            dead: self.dead.len() as u64,
            filtered: (self.messages.len() - given - self.dead.len()) as u64,
            bytes: self.messages.bytes() as u64,
        }
    }

    /// Returns when each message was made, where it is known.
    pub(super) fn timestamps(&self) -> Vec<i64> {
        let messages = self.messages.iter();
        messages.filter_map(|message| message.timestamp()).collect()
    }

    /// Returns the first message that failed, and the last.
    pub(super) fn first_and_last_dead(&self) -> Option<[(Partition, i64, &DeadLetter); 2]> {
        let place = |message: u32| {
            let message = self.messages.at(message as usize);
            (message.origin(), message.offset())
        };
        let with = |(message, dead): (&u32, _)| {
            let (partition, offset) = place(*message);
            (partition, offset, dead)
        };
        let first = self.dead.first_key_value()?;
        let last = self.dead.last_key_value()?;
        Some([with(first), with(last)])
    }

    /// Hands out the dead letters, each with the message that it is; ends at the first error.
    pub(super) fn letters<E>(
        &self,
        letters: &DeadLetters,
        mut send: impl FnMut(u32, &Record<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        for (number, dead) in &self.dead {
            let message = self.messages.at(*number as usize);
            let reason = lexstream_engine::message::caused(&*dead.cause);
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

    /// Returns the text of a message's partition, and of its offset.
    pub(super) fn place_text(&self, message: u32) -> (&[u8], &[u8]) {
        self.places.at(message)
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
            Some((partition, offset)) if message.is_of(partition) => {
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
