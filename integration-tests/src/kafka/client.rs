//! Topics, offsets and groups of a cluster.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use super::read::Isolation;
use super::{PATIENCE, wait_for};

/// A cluster that listens somewhere.
#[derive(Debug, Clone)]
pub struct Kafka {
    address: String,
}

impl Kafka {
    /// Describes the cluster at an address such as `127.0.0.1:9092`.
    pub fn at(address: &str) -> Self {
        Self {
            address: address.to_owned(),
        }
    }

    /// Returns its address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns settings for a client of it.
    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.address)
            .set("reconnect.backoff.max.ms", "500");
        config
    }

    pub(super) fn consumer(&self, group: &str, isolation: Isolation) -> BaseConsumer {
        let mut config = self.client();
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("fetch.wait.max.ms", "50")
            .set("isolation.level", isolation.name());
        config.create().expect("a consumer")
    }

    /// Waits until it answers.
    pub(super) fn wait_until_ready(&self, patience: Duration) -> Result<(), String> {
        let consumer = self.consumer("lexstream-ready", Isolation::Committed);
        let step = Duration::from_secs(1);
        let what = format!("an answer of the broker at {}", self.address);
        wait_for(&what, patience, || {
            let metadata = consumer.fetch_metadata(None, step).ok()?;
            (!metadata.brokers().is_empty()).then_some(())
        })
    }

    /// Makes a topic and returns its name, which begins with `hint` and which no other test has.
    pub fn topic(&self, hint: &str, partitions: i32) -> String {
        self.topic_with(hint, partitions, &[])
    }

    /// Makes a topic with settings such as `("cleanup.policy", "compact")`.
    pub fn topic_with(&self, hint: &str, partitions: i32, settings: &[(&str, &str)]) -> String {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.expect("after 1970").as_millis();
        let name = format!("{hint}-{now:x}-{}-{number}", std::process::id());
        let mut topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(1));
        for (key, value) in settings {
            topic = topic.set(key, value);
        }
        let made = block_on(self.admin().create_topics([&topic], &options()));
        let made = made.unwrap_or_else(|error| panic!("topic {name}: {error}"));
        assert_eq!(made, [Ok(name.clone())]);
        self.wait_for_partitions(&name, partitions);
        name
    }

    /// Gives a topic more partitions, `partitions` in all.
    pub fn add_partitions(&self, topic: &str, partitions: i32) {
        let wanted = NewPartitions::new(topic, usize::try_from(partitions).expect("a number"));
        let made = block_on(self.admin().create_partitions([&wanted], &options()));
        let made = made.unwrap_or_else(|error| panic!("partitions of {topic}: {error}"));
        assert_eq!(made, [Ok(topic.to_owned())]);
        self.wait_for_partitions(topic, partitions);
    }

    /// What was made is known to every client a moment later.
    fn wait_for_partitions(&self, topic: &str, partitions: i32) {
        let consumer = self.consumer("lexstream-ready", Isolation::Committed);
        let what = format!("{partitions} partitions of {topic} with a leader");
        let there = wait_for(&what, PATIENCE, || {
            let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).ok()?;
            let found = metadata.topics().first()?.partitions();
            let led = found.iter().filter(|partition| partition.leader() >= 0);
            (led.count() == usize::try_from(partitions).ok()?).then_some(())
        });
        there.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Returns the partitions of a topic.
    pub fn partitions(&self, topic: &str) -> Vec<i32> {
        partitions(
            &self.consumer("lexstream-ready", Isolation::Committed),
            topic,
        )
    }

    /// Returns each partition's end, after the last record that a reader with this isolation may see.
    pub fn ends(&self, topic: &str, isolation: Isolation) -> BTreeMap<i32, i64> {
        self.watermarks(topic, isolation)
            .map(|(partition, (_, end))| (partition, end))
            .collect()
    }

    /// Returns each partition's first offset that is still there.
    pub fn starts(&self, topic: &str) -> BTreeMap<i32, i64> {
        self.watermarks(topic, Isolation::Uncommitted)
            .map(|(partition, (start, _))| (partition, start))
            .collect()
    }

    fn watermarks(
        &self,
        topic: &str,
        isolation: Isolation,
    ) -> impl Iterator<Item = (i32, (i64, i64))> {
        let consumer = self.consumer("lexstream-ends", isolation);
        let partitions = partitions(&consumer, topic);
        partitions.into_iter().map(move |partition| {
            let found = consumer.fetch_watermarks(topic, partition, PATIENCE);
            let found = found.unwrap_or_else(|error| panic!("{topic}[{partition}]: {error}"));
            (partition, found)
        })
    }

    /// Returns what a group has committed for each partition of a topic; a partition without is left out.
    ///
    /// It waits for an offset that an open transaction holds.
    pub fn committed(&self, group: &str, topic: &str) -> BTreeMap<i32, i64> {
        self.offsets(group, topic, Isolation::Committed)
    }

    /// Returns what a group has committed by now, whatever is under way.
    pub fn committed_now(&self, group: &str, topic: &str) -> BTreeMap<i32, i64> {
        self.offsets(group, topic, Isolation::Uncommitted)
    }

    fn offsets(&self, group: &str, topic: &str, isolation: Isolation) -> BTreeMap<i32, i64> {
        let consumer = self.consumer(group, isolation);
        let mut wanted = TopicPartitionList::new();
        for partition in partitions(&consumer, topic) {
            wanted.add_partition(topic, partition);
        }
        // A broker that has just come back coordinates nothing yet.
        let mut why = None;
        let found = wait_for(&format!("offsets of {group}"), PATIENCE, || {
            let found = consumer.committed_offsets(wanted.clone(), PATIENCE);
            found.map_err(|error| why = Some(error)).ok()
        });
        let found = found.unwrap_or_else(|late| panic!("{late}: {why:?}"));
        let elements = found.elements();
        let offsets = elements
            .iter()
            .filter_map(|element| match element.offset() {
                Offset::Offset(offset) => Some((element.partition(), offset)),
                _ => None,
            });
        offsets.collect()
    }

    /// Returns how many members a group has once it is stable; none while it is not.
    pub fn members(&self, group: &str) -> Option<usize> {
        let consumer = self.consumer("lexstream-ready", Isolation::Committed);
        let found = consumer.fetch_group_list(Some(group), PATIENCE);
        let found = found.unwrap_or_else(|error| panic!("members of {group}: {error}"));
        let group = found.groups().first()?;
        (group.state() == "Stable").then(|| group.members().len())
    }

    /// Deletes the records of partitions before an offset, as retention does.
    pub fn delete_records(&self, topic: &str, before: &[(i32, i64)]) {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in before {
            list.add_partition_offset(topic, *partition, Offset::Offset(*offset))
                .expect("an offset");
        }
        let deleted = block_on(self.admin().delete_records(&list, &options()));
        let deleted = deleted.unwrap_or_else(|error| panic!("records of {topic}: {error}"));
        for element in deleted.elements() {
            assert_eq!(element.error(), Ok(()), "{element:?}");
        }
    }

    /// Deletes a topic.
    pub fn delete_topic(&self, topic: &str) {
        let deleted = block_on(self.admin().delete_topics(&[topic], &options()));
        let deleted = deleted.unwrap_or_else(|error| panic!("topic {topic}: {error}"));
        assert_eq!(deleted, [Ok(topic.to_owned())]);
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.client().create().expect("a client for topics")
    }
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .operation_timeout(Some(PATIENCE))
        .request_timeout(Some(PATIENCE))
}

pub(super) fn partitions(consumer: &BaseConsumer, topic: &str) -> Vec<i32> {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE);
    let metadata = metadata.unwrap_or_else(|error| panic!("partitions of {topic}: {error}"));
    let found = metadata.topics().first().expect("the topic was asked for");
    assert_eq!(found.error(), None, "{topic}");
    let ids = found.partitions().iter();
    ids.map(rdkafka::metadata::MetadataPartition::id).collect()
}
