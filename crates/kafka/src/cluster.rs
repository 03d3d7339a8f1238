//! Metadata of a cluster: topics, partitions, their ends and limits.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::metadata::MetadataBroker;

use super::partition::{Offsets, Partition};
use super::reported_errors::ReportedErrors;
use crate::options::Topic;

/// How many events are polled, and how long each is waited for, to find out why there is no answer.
const EVENTS: usize = 20;
const EVENT: Duration = Duration::from_millis(50);

/// A client for metadata, which reads no messages.
pub struct Cluster {
    /// How the client is made; it holds secrets.
    config: ClientConfig,
    client: BaseConsumer<ReportedErrors>,
    reported: ReportedErrors,
    timeout: Duration,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

impl Cluster {
    /// Makes a client from a consumer's configuration; it joins no group, and each call is bounded by `timeout`.
    ///
    /// # Errors
    /// Where librdkafka refuses the configuration.
    pub fn try_new(consumer: &ClientConfig, timeout: Duration) -> KafkaResult<Self> {
        let mut config = consumer.clone();
        // The group's name stays, without which a client tells of no errors; it is not joined.
        for key in ["group.instance.id", "group.protocol"] {
            config.remove(key);
        }
        let reported = ReportedErrors::default();
        Ok(Self {
            client: config.create_with_context(reported.clone())?,
            config,
            reported,
            timeout,
        })
    }

    /// Returns the partitions of a topic, or of those that match a pattern; none where there is no such topic.
    ///
    /// # Errors
    /// Where brokers don't answer in time.
    pub fn partitions(&self, topic: &Topic) -> KafkaResult<Vec<Partition>> {
        let is_read: Box<dyn Fn(&str) -> bool> = match topic {
            Topic::Name(name) => Box::new(move |topic| topic == name),
            Topic::Pattern(pattern) => match regex::Regex::new(pattern) {
                Ok(regex) => Box::new(move |topic| regex.is_match(topic)),
                // The options have been checked; librdkafka would find none either.
                Err(_) => return Ok(Vec::new()),
            },
        };
        let metadata = self.client.fetch_metadata(None, self.timeout)?;
        let mut partitions = Vec::new();
        for topic in metadata.topics() {
            if topic.error().is_none() && is_read(topic.name()) {
                let name: std::sync::Arc<str> = topic.name().into();
                partitions.extend(topic.partitions().iter().map(|partition| Partition {
                    topic: std::sync::Arc::clone(&name),
                    number: partition.id(),
                }));
            }
        }
        partitions.sort();
        Ok(partitions)
    }

    /// Returns the last error that the client reported in the background, such as a refused login.
    pub fn reported_error(&self) -> Option<String> {
        // It is told by events, among others; what comes again and again is not waited for.
        let mut events = (0..EVENTS).map(|_| self.client.poll(EVENT));
        while events.next().is_some_and(|event| event.is_some()) {}
        self.reported.last()
    }

    /// Returns the bytes of the largest batch of records that all of these topics accept (`max.message.bytes`).
    ///
    /// # Errors
    /// Where brokers don't answer, or refuse to.
    pub async fn largest_batch(&self, topics: &[&str]) -> KafkaResult<Option<usize>> {
        // Any broker knows. librdkafka would wait for a controller, which an embedded broker never names; asked for by its
        // number, it refuses at once.
        let metadata = self
            .client
            .fetch_metadata(topics.first().copied(), self.timeout)?;
        let broker = metadata.brokers().first().map(MetadataBroker::id);
        let options = AdminOptions::new()
            .request_timeout(Some(self.timeout))
            .broker_id(broker);
        let admin: AdminClient<ReportedErrors> =
            self.config.create_with_context(self.reported.clone())?;
        let topics: Vec<_> = topics
            .iter()
            .map(|topic| ResourceSpecifier::Topic(topic))
            .collect();
        let mut smallest: Option<usize> = None;
        for settings in admin.describe_configs(&topics, &options).await? {
            let settings = settings.map_err(KafkaError::AdminOp)?;
            let found = settings.get("max.message.bytes");
            let found = found.and_then(|found| found.value.as_deref()?.parse().ok());
            smallest = smallest.into_iter().chain(found).min();
        }
        Ok(smallest)
    }

    /// Returns the end of each partition: the offset behind its last committed message.
    ///
    /// # Errors
    /// Where brokers don't answer in time.
    pub fn ends(&self, partitions: &[Partition]) -> KafkaResult<Offsets> {
        let ends = partitions.iter().map(|partition| {
            let (_, end) =
                self.client
                    .fetch_watermarks(&partition.topic, partition.number, self.timeout)?;
            Ok((partition.clone(), end))
        });
        ends.collect()
    }
}
