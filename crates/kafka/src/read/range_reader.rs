//! A reader of ranges of a topic's partitions, which ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::messages::Messages;
use super::ranges::{PartitionRange, reader_config};
use crate::client_error::{ClientError, said};
use crate::options::TopicOptions;
use crate::reported_errors::{ReportedErrors, may_pass};

/// How long nothing may come while something is to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked whether anybody still waits.
const LOOK: Duration = Duration::from_millis(100);

/// Reads ranges of one topic from their beginnings to their ends, one after another or several at once.
///
/// Offsets that hold no message (of transactions' markers, of what was compacted or aborted) are passed over, at a
/// range's end too. Dropping it may take long while brokers are away: own it on a thread that nobody waits for.
#[derive(Debug)]
pub struct RangeReader {
    consumer: Client,
    reported: ReportedErrors,
    topic: Arc<str>,
    /// What is still to come, by partition: the next offset and the range's end.
    left: BTreeMap<i32, (i64, i64)>,
    last_came: Instant,
}

struct Client(BaseConsumer<ReportedErrors>);

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl RangeReader {
    /// Opens ranges of one topic.
    ///
    /// # Errors
    /// Where librdkafka refuses the configuration or the assignment.
    pub fn open(options: &TopicOptions, ranges: &[PartitionRange]) -> Result<Self, ClientError> {
        let topic = ranges.first().map_or("", |range| &range.topic);
        let reported = ReportedErrors::default();
        let consumer: BaseConsumer<_> = reader_config(options)
            .create_with_context(reported.clone())
            .map_err(|source| ClientError::Options {
                brokers: options.brokers().to_owned(),
                source,
            })?;
        let wrong = |source| ClientError::Read {
            place: topic.to_owned(),
            source,
        };
        let mut assignment = TopicPartitionList::new();
        let mut left = BTreeMap::new();
        for range in ranges.iter().filter(|range| *range.topic == *topic) {
            let first = Offset::Offset(range.first);
            let added = assignment.add_partition_offset(topic, range.partition, first);
            added.map_err(wrong)?;
            left.insert(range.partition, (range.first, range.end));
        }
        consumer.assign(&assignment).map_err(wrong)?;
        Ok(Self {
            consumer: Client(consumer),
            reported,
            topic: topic.into(),
            left,
            last_came: Instant::now(),
        })
    }

    /// Returns the next messages, as many as are there, up to `rows` and about `bytes`; none at the end of the ranges, or once
    /// `is_wanted` is false.
    ///
    /// # Errors
    /// Where brokers refuse, or nothing comes for a minute.
    pub fn read(
        &mut self,
        rows: usize,
        bytes: usize,
        is_wanted: impl Fn() -> bool,
    ) -> Result<Option<Messages>, ClientError> {
        let mut messages = Messages::default();
        // Whoever asks may have been busy for long.
        self.last_came = Instant::now();
        while !self.left.is_empty() && messages.len() < rows && messages.bytes() < bytes {
            // The consumer is borrowed from, not from the whole of self.
            let consumer = &self.consumer.0;
            match consumer.poll(LOOK) {
                Some(Ok(message)) => {
                    self.last_came = Instant::now();
                    let (partition, offset) = (message.partition(), message.offset());
                    let Some((next, end)) = self.left.get_mut(&partition) else {
                        continue;
                    };
                    if offset < *end {
                        messages.push(&message);
                        *next = offset + 1;
                    }
                    if offset + 1 >= *end {
                        self.finish(partition)?;
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.last_came = Instant::now();
                    self.finish(partition)?;
                }
                Some(Err(source)) => self.check(source)?,
                None if !messages.is_empty() => break,
                None if !is_wanted() => return Ok(None),
                None => self.check_patience()?,
            }
        }
        Ok((!messages.is_empty()).then_some(messages))
    }

    /// Fetches no more of a partition.
    fn finish(&mut self, partition: i32) -> Result<(), ClientError> {
        if self.left.remove(&partition).is_none() || self.left.is_empty() {
            return Ok(());
        }
        let mut done = TopicPartitionList::new();
        done.add_partition(&self.topic, partition);
        let paused = self.consumer.0.pause(&done);
        paused.map_err(|source| self.wrong(source))
    }

    fn check(&self, source: KafkaError) -> Result<(), ClientError> {
        let code = source.rdkafka_error_code();
        if code.is_some_and(may_pass) {
            return self.check_patience();
        }
        Err(self.wrong(source))
    }

    fn check_patience(&self) -> Result<(), ClientError> {
        if self.last_came.elapsed() < PATIENCE {
            return Ok(());
        }
        let next = self.left.iter().next();
        let place = next.map_or_else(String::new, |(partition, (offset, _))| {
            format!("{}[{partition}]@{offset}", self.topic)
        });
        Err(ClientError::Stalled {
            place,
            seconds: PATIENCE.as_secs(),
            said: said(self.reported.last()),
        })
    }

    fn wrong(&self, source: KafkaError) -> ClientError {
        ClientError::Read {
            place: self.topic.to_string(),
            source,
        }
    }
}
