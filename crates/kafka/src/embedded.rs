//! An in-process broker for trying things with nothing installed: librdkafka's mock cluster.

use std::fmt;
use std::num::NonZeroU16;

use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

/// Partitions of a topic that nobody has said more of, here and in librdkafka.
pub const PARTITIONS: u16 = 4;

/// What it does not do, for whoever might take it for Apache Kafka.
pub const LIMITS: &str = "\
this broker is librdkafka's mock cluster, for trying things out:
- nothing is kept on disk: what it holds ends with it
- transactions do not hold: offsets sent in one are dropped, records of an aborted one are visible
- a partition holds 5 MiB or 100,000 records: older ones are dropped without a word
- no clients that were replaced are fenced, topics have no settings, offsets are not found by timestamp";

/// Brokers on ports of 127.0.0.1 that the system picks; they end when this is dropped.
pub struct EmbeddedBroker {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

/// Why an embedded broker can't begin.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedBrokerError {
    /// librdkafka did not start it.
    #[error("embedded broker: {brokers} brokers did not start")]
    Start {
        /// How many brokers were wanted.
        brokers: NonZeroU16,
        /// What librdkafka says.
        source: KafkaError,
    },
    /// A topic was not made: it was there, or its name can't be.
    #[error("embedded broker: topic `{topic}` with {partitions} partitions was not made")]
    Topic {
        /// The topic's name.
        topic: String,
        /// How many partitions it was to have.
        partitions: NonZeroU16,
        /// What librdkafka says.
        source: KafkaError,
    },
}

impl EmbeddedBroker {
    /// Starts brokers of one cluster.
    ///
    /// # Errors
    /// Where librdkafka can't.
    pub fn start(brokers: NonZeroU16) -> Result<Self, EmbeddedBrokerError> {
        let cluster = MockCluster::new(brokers.get().into());
        let cluster = cluster.map_err(|source| EmbeddedBrokerError::Start { brokers, source })?;
        Ok(Self { cluster })
    }

    /// Creates a topic; others are created with [`PARTITIONS`] when a client first asks for them.
    ///
    /// # Errors
    /// Where the topic exists, or its name can't be.
    pub fn create_topic(
        &self,
        topic: &str,
        partitions: NonZeroU16,
    ) -> Result<(), EmbeddedBrokerError> {
        // A cluster of few brokers has no room for more replicas, and nothing is ever lost to one here.
        let created = self.cluster.create_topic(topic, partitions.get().into(), 1);
        created.map_err(|source| EmbeddedBrokerError::Topic {
            topic: topic.to_owned(),
            partitions,
            source,
        })
    }

    /// Returns the addresses of its brokers, for `bootstrap.servers`.
    pub fn address(&self) -> String {
        self.cluster.bootstrap_servers()
    }
}

impl fmt::Debug for EmbeddedBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedBroker")
            .field("address", &self.address())
            .finish()
    }
}
