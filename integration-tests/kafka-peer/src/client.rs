//! Clients of the broker, and its topics.

use std::time::Duration;

use futures::executor::block_on;
use rdkafka::Offset;
use rdkafka::TopicPartitionList;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::metadata::MetadataPartition;

/// Whatever ends a command.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// No call to the broker may take longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Returns the settings of a client.
pub(crate) fn client(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    config
}

/// Makes a topic.
pub(crate) fn create(
    brokers: &str,
    topic: &str,
    partitions: i32,
    settings: &[&str],
) -> Result<(), Failure> {
    let mut new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    for setting in settings {
        let (key, value) = setting.split_once('=').ok_or("expected KEY=VALUE")?;
        new = new.set(key, value);
    }
    let admin: AdminClient<DefaultClientContext> = client(brokers).create()?;
    for created in block_on(admin.create_topics([&new], &AdminOptions::new()))? {
        created.map_err(|(topic, code)| format!("{topic}: {code}"))?;
    }
    Ok(())
}

/// Deletes topics.
pub(crate) fn delete(brokers: &str, topics: &[&str]) -> Result<(), Failure> {
    let admin: AdminClient<DefaultClientContext> = client(brokers).create()?;
    for deleted in block_on(admin.delete_topics(topics, &AdminOptions::new()))? {
        deleted.map_err(|(topic, code)| format!("{topic}: {code}"))?;
    }
    Ok(())
}

/// Returns the numbers of a topic's partitions.
pub(crate) fn partitions(consumer: &BaseConsumer, topic: &str) -> Result<Vec<i32>, Failure> {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    let topic = metadata.topics().first().ok_or("no such topic")?;
    let numbers = topic.partitions().iter().map(MetadataPartition::id);
    Ok(numbers.collect())
}

/// Returns a reader of a topic's committed records, from their beginning or their present end, and its partitions.
pub(crate) fn reader(
    brokers: &str,
    topic: &str,
    from: Offset,
) -> Result<(BaseConsumer, Vec<i32>), Failure> {
    let consumer: BaseConsumer = client(brokers)
        .set("group.id", "reader")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", "read_committed")
        .create()?;
    let partitions = partitions(&consumer, topic)?;
    let mut assignment = TopicPartitionList::new();
    for partition in &partitions {
        assignment.add_partition_offset(topic, *partition, from)?;
    }
    consumer.assign(&assignment)?;
    Ok((consumer, partitions))
}
