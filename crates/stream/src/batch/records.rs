//! A processed batch whose rows go to topics.

use std::convert::Infallible;
use std::sync::Arc;

use super::dead_letter::{Counts, DeadLetter, DeadLetterTarget};
use super::{InputBatch, OutputBatch};
use crate::plan::Sink;
use lexstream_kafka::Record;
use lexstream_kafka::tables::Records;

/// Names the topic that an output comes from.
pub(crate) const SOURCE_TOPIC: &str = "lexstream.source.topic";

/// Names the partition that an output comes from.
pub(crate) const SOURCE_PARTITION: &str = "lexstream.source.partition";

/// Names the offset that an output comes from.
pub(crate) const SOURCE_OFFSET: &str = "lexstream.source.offset";

const SOURCE: [&str; 3] = [SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET];

/// A batch of messages with the records that they became.
#[derive(Debug)]
pub(crate) struct OutputRecords {
    input: InputBatch,
    outputs: Vec<SinkRecords>,
    counts: Counts,
    /// The bytes of the largest record.
    largest: usize,
}

/// Encoded records for one sink.
#[derive(Debug)]
pub(crate) struct SinkRecords {
    pub(crate) sink: Arc<Sink>,
    pub(crate) records: Records,
    /// The message that each record comes from, ascending.
    pub(crate) messages: Vec<u32>,
}

impl OutputRecords {
    /// Counts, and finds the largest record.
    pub(crate) fn new(input: InputBatch, outputs: Vec<SinkRecords>) -> Self {
        let mut batch = Self {
            input,
            outputs,
            counts: Counts::default(),
            largest: 0,
        };
        batch.count();
        // Here, where batches are processed in parallel, and not in the delivery.
        let mut largest = 0;
        let Ok(()) = batch.records(None, |_, record| {
            largest = largest.max(record.wire_size());
            Ok::<_, Infallible>(())
        });
        batch.largest = largest;
        batch
    }

    /// Returns the bytes that the largest record of output takes at most.
    pub(crate) fn largest(&self) -> usize {
        self.largest
    }

    fn count(&mut self) {
        let messages = self.outputs.iter().flat_map(|output| &output.messages);
        self.counts = self.input.count(messages.copied());
    }

    /// Turns a message whose outputs can't be sent into a dead letter.
    pub(crate) fn reject(&mut self, message: u32, dead: DeadLetter) {
        self.input.dead.entry(message).or_insert(dead);
        self.count();
    }

    /// Calls `send` with each record and the number of the message that it comes from, up to the first error: the outputs of
    /// each sink in the order of the messages, then the dead letters.
    ///
    /// # Errors
    /// That of `send`.
    pub(crate) fn records<E>(
        &self,
        dead_letters: Option<&DeadLetterTarget>,
        mut send: impl FnMut(u32, &Record<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut headers = Vec::new();
        for output in &self.outputs {
            let SinkRecords {
                sink,
                records,
                messages,
            } = output;
            for (at, number) in messages.iter().enumerate() {
                if self.input.dead.contains_key(number) {
                    continue;
                }
                let message = self.input.messages.at(*number as usize);
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
            Some(target) => self.input.dead_letters(target, send),
            None => Ok(()),
        }
    }

    fn source_headers(&self, number: u32) -> [(&str, Option<&[u8]>); 3] {
        let topic = self.input.messages.at(number as usize).topic().as_bytes();
        let (partition, offset) = self.input.origin_text(number);
        [
            (SOURCE_TOPIC, Some(topic)),
            (SOURCE_PARTITION, Some(partition)),
            (SOURCE_OFFSET, Some(offset)),
        ]
    }
}

impl OutputBatch for OutputRecords {
    fn input(&self) -> &InputBatch {
        &self.input
    }

    fn counts(&self) -> Counts {
        self.counts
    }

    fn bytes(&self) -> usize {
        let outputs = self.outputs.iter();
        outputs.map(|output| output.records.bytes()).sum()
    }
}
