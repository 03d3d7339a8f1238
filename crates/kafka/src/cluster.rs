//! What there is in a cluster: topics, their partitions, and where these end.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};

use super::complaints::Complaints;
use super::options::Topic;
use super::partition::{Offsets, Partition};

/// How many events are read, and how long each is waited for, to find out why there is no answer.
const EVENTS: usize = 20;
const EVENT: Duration = Duration::from_millis(50);

/// A client that asks and reads nothing.
pub struct Cluster {
    /// How the client is made; it holds secrets.
    config: ClientConfig,
    client: BaseConsumer<Complaints>,
    complaints: Complaints,
    timeout: Duration,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

impl Cluster {
    /// Makes a client as a consumer is made, which joins no group; each call may take `timeout`.
    pub fn try_new(consumer: &ClientConfig, timeout: Duration) -> KafkaResult<Self> {
        let mut config = consumer.clone();
        // The group's name stays, without which a client tells of no errors; it is not joined.
        for key in ["group.instance.id", "group.protocol"] {
            config.remove(key);
        }
        let complaints = Complaints::default();
        Ok(Self {
            client: config.create_with_context(complaints.clone())?,
            config,
            complaints,
            timeout,
        })
    }

    /// Returns the partitions of a topic, or of those that a pattern names; none where there is no such topic.
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

    /// Returns what the client said last of why it gets no answer.
    pub fn complaint(&self) -> Option<String> {
        // It is told by events, among others; what comes again and again is not waited for.
        let mut events = (0..EVENTS).map(|_| self.client.poll(EVENT));
        while events.next().is_some_and(|event| event.is_some()) {}
        self.complaints.last()
    }

    /// Returns the bytes of the largest batch of records that every one of these topics takes.
    pub async fn largest_batch(&self, topics: &[&str]) -> KafkaResult<Option<usize>> {
        let admin: AdminClient<Complaints> =
            self.config.create_with_context(self.complaints.clone())?;
        let topics: Vec<_> = topics
            .iter()
            .map(|topic| ResourceSpecifier::Topic(topic))
            .collect();
        let options = AdminOptions::new().request_timeout(Some(self.timeout));
        let mut smallest: Option<usize> = None;
        for settings in admin.describe_configs(&topics, &options).await? {
            let settings = settings.map_err(KafkaError::AdminOp)?;
            let found = settings.get("max.message.bytes");
            let found = found.and_then(|found| found.value.as_deref()?.parse().ok());
            smallest = smallest.into_iter().chain(found).min();
        }
        Ok(smallest)
    }

    /// Returns the offsets behind the last message that readers see, by partition.
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
