//! A decoded batch of messages, and why some of them failed.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

use super::dead_letter::{Counts, DeadLetter, DeadLetterTarget};
use lexstream_kafka::{Messages, Offsets, Partition, Record};

/// Messages, and why some of them failed.
#[derive(Debug)]
pub(crate) struct InputBatch {
    pub(crate) messages: Messages,
    pub(crate) dead: BTreeMap<u32, DeadLetter>,
    /// Each message's partition and offset as text.
    origins: OriginTexts,
}

impl InputBatch {
    pub(crate) fn new(messages: Messages, dead: BTreeMap<u32, DeadLetter>) -> Self {
        Self {
            origins: OriginTexts::new(&messages),
            messages,
            dead,
        }
    }

    /// Counts what became of the messages, by the message that each row or record of output comes from.
    pub(crate) fn count(&self, outputs: impl Iterator<Item = u32>) -> Counts {
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

    /// Returns the first message that failed, and the last.
    pub(crate) fn first_and_last_dead(&self) -> Option<[(Partition, i64, &DeadLetter); 2]> {
        let with = |(message, dead): (&u32, _)| {
            let (partition, offset) = self.origin(*message);
            (partition, offset, dead)
        };
        let first = self.dead.first_key_value()?;
        let last = self.dead.last_key_value()?;
        Some([with(first), with(last)])
    }

    /// Returns a message's partition and offset.
    pub(crate) fn origin(&self, message: u32) -> (Partition, i64) {
        let message = self.messages.at(message as usize);
        (message.origin(), message.offset())
    }

    /// Calls `send` with each dead letter and the number of its message, up to the first error.
    ///
    /// # Errors
    /// That of `send`.
    pub(crate) fn dead_letters<E>(
        &self,
        target: &DeadLetterTarget,
        mut send: impl FnMut(u32, &Record<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        for (number, dead) in &self.dead {
            let message = self.messages.at(*number as usize);
            let reason = lexstream_engine::message::caused(&*dead.cause);
            let mut headers: Vec<_> = message.headers().collect();
            if target.has_context {
                headers.retain(|(key, _)| !key.starts_with(CONTEXT));
                headers.extend(self.context(*number, dead, &reason));
            }
            let record = Record {
                topic: &target.topic,
                key: message.key(),
                value: message.value(),
                timestamp: message.timestamp(),
                headers: &headers,
            };
            send(*number, &record)?;
        }
        Ok(())
    }

    /// Returns a message's partition and offset as text.
    pub(crate) fn origin_text(&self, message: u32) -> (&[u8], &[u8]) {
        self.origins.at(message)
    }

    /// Returns the headers of a dead letter, by Kafka Connect's names (KIP-298).
    fn context<'a>(
        &'a self,
        number: u32,
        dead: &'a DeadLetter,
        reason: &'a str,
    ) -> [(&'a str, Option<&'a [u8]>); 6] {
        let topic = self.messages.at(number as usize).topic().as_bytes();
        let (partition, offset) = self.origins.at(number);
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

/// Partitions and offsets of messages as text, in one buffer.
#[derive(Debug)]
struct OriginTexts {
    text: String,
    /// The ends of each message's partition and offset.
    ends: Vec<(usize, usize)>,
}

impl OriginTexts {
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
pub(crate) fn next_offsets(messages: &Messages) -> Offsets {
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
