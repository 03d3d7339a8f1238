//! Ranges of offsets to read: partitions of topics, each from an offset to its present end.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lexstream_text::nearest;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::client_error::{ClientError, said};
use crate::options::{Topic, TopicOptions};
use crate::reported_errors::{ReportedErrors, may_pass};

/// How long the brokers may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long one attempt waits before it is looked whether waiting is of use.
const ATTEMPT: Duration = Duration::from_secs(2);

/// Topics whose names begin so are the brokers' own; no pattern means them.
const OWN_TOPICS: &str = "__";

/// The partitions, offsets and times that a query's filters leave; others need not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Partitions in any of these.
    pub partitions: Vec<RangeInclusive<i32>>,
    /// The first offset.
    pub first: i64,
    /// The last offset.
    pub last: i64,
    /// The least timestamp, in milliseconds since 1970.
    pub since: Option<i64>,
}

impl Default for Wanted {
    /// Wants everything.
    fn default() -> Self {
        Self {
            partitions: vec![0..=i32::MAX],
            first: 0,
            last: i64::MAX,
            since: None,
        }
    }
}

/// A run of offsets of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionRange {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: i32,
    /// The first offset.
    pub first: i64,
    /// The offset behind the last one.
    pub end: i64,
}

impl fmt::Display for PartitionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            topic,
            partition,
            first,
            end,
        } = self;
        write!(f, "{topic}[{partition}]@{first}..{end}")
    }
}

/// Asks the brokers for the ranges of topics, and passes them to `answer`; empty ranges are left out.
///
/// It blocks on the brokers: never call it on a thread that runs queries. `answer` is called before the client is dropped,
/// which may take long.
///
/// # Errors
/// They are passed to `answer`.
pub fn find_ranges(
    options: &TopicOptions,
    wanted: &Wanted,
    answer: impl FnOnce(Result<Vec<PartitionRange>, ClientError>),
) {
    let reported = ReportedErrors::default();
    let consumer = reader_config(options).create_with_context(reported.clone());
    match consumer {
        Ok(consumer) => answer(
            Finder {
                consumer: &consumer,
                reported: &reported,
                options,
            }
            .ranges(wanted),
        ),
        Err(source) => answer(Err(ClientError::Options {
            brokers: options.brokers().to_owned(),
            source,
        })),
    }
}

/// Returns how a consumer is made that reads ranges: it joins no group and commits nothing.
pub(crate) fn reader_config(options: &TopicOptions) -> ClientConfig {
    let mut config = options.consumer();
    for (key, value) in [
        ("auto.offset.reset", "earliest"),
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("enable.partition.eof", "true"),
    ] {
        config.set(key, value);
    }
    config.remove("group.instance.id").remove("group.protocol");
    if !options.is_set("group.id") {
        // rdkafka reads messages only where there is one.
        config.set("group.id", "lexstream-sql");
    }
    if !options.is_set("queued.max.messages.kbytes") {
        // Each reader fetches ahead as much.
        config.set("queued.max.messages.kbytes", "16384");
    }
    config
}

/// A topic and its partitions.
type Partitions = (Arc<str>, Vec<i32>);

struct Finder<'a> {
    consumer: &'a BaseConsumer<ReportedErrors>,
    reported: &'a ReportedErrors,
    options: &'a TopicOptions,
}

impl Finder<'_> {
    fn ranges(&self, wanted: &Wanted) -> Result<Vec<PartitionRange>, ClientError> {
        let mut ranges = Vec::new();
        for (topic, partitions) in self.topics()? {
            for partition in partitions {
                let mut wanted_ones = wanted.partitions.iter();
                if wanted_ones.any(|some| some.contains(&partition)) {
                    ranges.push(self.range(&topic, partition, wanted)?);
                }
            }
            if let Some(since) = wanted.since {
                self.cut_before(&topic, since, &mut ranges)?;
            }
        }
        ranges.retain(|range| range.first < range.end);
        Ok(ranges)
    }

    /// Returns the topics and their partitions, by name and number.
    fn topics(&self) -> Result<Vec<Partitions>, ClientError> {
        let brokers = || self.options.brokers().to_owned();
        let metadata = self.ask("the topics", |timeout| {
            self.consumer.fetch_metadata(None, timeout)
        })?;
        let names = || metadata.topics().iter().map(MetadataTopic::name);
        let mut names: Vec<_> = match self.options.topic() {
            Topic::Name(name) if names().any(|found| found == name) => vec![name.as_str()],
            Topic::Name(name) => {
                return Err(ClientError::Missing {
                    brokers: brokers(),
                    topic: name.clone(),
                    meant: nearest(name, names().filter(|name| !name.starts_with(OWN_TOPICS)))
                        .map(|name| format!("; did you mean `{name}`?"))
                        .unwrap_or_default(),
                });
            }
            Topic::Pattern(pattern) => {
                let matches = regex::Regex::new(pattern).expect("it was tried when it was set");
                let matches = |name: &&str| !name.starts_with(OWN_TOPICS) && matches.is_match(name);
                names().filter(matches).collect()
            }
        };
        if let (Topic::Pattern(pattern), true) = (self.options.topic(), names.is_empty()) {
            return Err(ClientError::NoMatch {
                brokers: brokers(),
                pattern: pattern.clone(),
            });
        }
        names.sort_unstable();
        let mut topics = Vec::new();
        for name in names {
            let all = metadata.topics().iter();
            let topic = all.filter(|topic| topic.name() == name);
            for topic in topic {
                if let Some(error) = topic.error() {
                    return Err(ClientError::Read {
                        place: name.to_owned(),
                        source: KafkaError::MetadataFetch(error.into()),
                    });
                }
                let mut partitions: Vec<_> = topic
                    .partitions()
                    .iter()
                    .map(MetadataPartition::id)
                    .collect();
                partitions.sort_unstable();
                topics.push((name.into(), partitions));
            }
        }
        Ok(topics)
    }

    fn range(
        &self,
        topic: &Arc<str>,
        partition: i32,
        wanted: &Wanted,
    ) -> Result<PartitionRange, ClientError> {
        let question = format!("the offsets of {topic}[{partition}]");
        let (low, high) = self.ask(&question, |timeout| {
            self.consumer.fetch_watermarks(topic, partition, timeout)
        })?;
        Ok(PartitionRange {
            topic: Arc::clone(topic),
            partition,
            first: wanted.first.max(low),
            end: high.min(wanted.last.saturating_add(1)),
        })
    }

    /// Moves the beginnings of a topic's ranges to the first message of a time or later.
    fn cut_before(
        &self,
        topic: &str,
        since: i64,
        ranges: &mut [PartitionRange],
    ) -> Result<(), ClientError> {
        let ranges = ranges.iter_mut().filter(|range| *range.topic == *topic);
        let mut ranges: Vec<_> = ranges.collect();
        if since < 0 || ranges.is_empty() {
            return Ok(());
        }
        let wrong = |source| ClientError::Read {
            place: topic.to_owned(),
            source,
        };
        let found = self.ask(&format!("the offsets of {topic} by time"), |timeout| {
            let mut times = TopicPartitionList::new();
            for range in &ranges {
                times.add_partition_offset(topic, range.partition, Offset::Offset(since))?;
            }
            self.consumer.offsets_for_times(times, timeout)
        })?;
        for range in &mut ranges {
            let Some(found) = found.find_partition(topic, range.partition) else {
                continue;
            };
            found.error().map_err(wrong)?;
            range.first = match found.offset() {
                Offset::Offset(offset) => range.first.max(offset),
                // No message is as late.
                _ => range.end,
            };
        }
        Ok(())
    }

    /// Asks until an answer comes, waiting is of no use, or patience ends.
    fn ask<T>(
        &self,
        question: &str,
        attempt: impl Fn(Duration) -> KafkaResult<T>,
    ) -> Result<T, ClientError> {
        let started = Instant::now();
        loop {
            let source = match attempt(ATTEMPT) {
                Ok(answer) => return Ok(answer),
                Err(source) => source,
            };
            // What went wrong is told by events.
            while self.consumer.poll(Duration::ZERO).is_some() {}
            let brokers = self.options.brokers().to_owned();
            if let Some((_, reason)) = self.reported.lasting() {
                return Err(ClientError::Lasting { brokers, reason });
            }
            let passes = source.rdkafka_error_code().is_some_and(may_pass);
            if !passes || started.elapsed() >= PATIENCE {
                return Err(ClientError::NoAnswer {
                    brokers,
                    question: question.to_owned(),
                    seconds: started.elapsed().as_secs(),
                    said: said(self.reported.last()),
                    source: Box::new(source),
                });
            }
        }
    }
}
