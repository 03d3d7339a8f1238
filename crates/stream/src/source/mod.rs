//! What the loop reads from: a topic, as a member of a consumer group.

mod kafka_source;

use std::collections::BTreeMap;

use rdkafka::consumer::ConsumerGroupMetadata;

pub use kafka_source::{KafkaSource, SourceOptions};

use super::StreamError;
use lexstream_kafka::{Messages, Offsets, Partition, Polled};

/// Where a partition is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The next offset.
    pub offset: i64,
    /// Whether it is durable, so that a process that takes over begins there too.
    pub is_committed: bool,
}

/// A topic's consumer, as the loop uses it; every call is bounded in time.
///
/// All calls come from the loop's thread. It is a trait so that tests can break a rule or end the process at any step.
///
/// # Errors
/// Every method fails only where the stream can't go on: what passes (a broker that is away, a rebalance) is retried or
/// comes back as [`Polled::Nothing`].
pub trait Source {
    /// Returns the next event without blocking; a message is appended to `messages`.
    fn poll(&mut self, messages: &mut Messages) -> Result<Polled, StreamError>;

    /// Returns the group's committed offsets, and for partitions without one where the options say that reading starts.
    fn starts(
        &mut self,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, Position>, StreamError>;

    /// Starts to fetch partitions from these offsets, as the answer to [`Rebalance::Assigned`](lexstream_kafka::Rebalance).
    fn assign(&mut self, offsets: &Offsets) -> Result<(), StreamError>;

    /// Gives partitions up, as the answer to a revocation or a loss.
    fn unassign(&mut self, partitions: &[Partition]) -> Result<(), StreamError>;

    /// Stops fetching.
    fn pause(&mut self, partitions: &[Partition]) -> Result<(), StreamError>;

    /// Fetches again.
    fn resume(&mut self, partitions: &[Partition]) -> Result<(), StreamError>;

    /// Fetches from other offsets; what was fetched before may still come.
    fn seek(&mut self, offsets: &Offsets) -> Result<(), StreamError>;

    /// Tells whether the partition holds no committed message at or behind an offset.
    fn is_at_end(&mut self, partition: &Partition, offset: i64) -> Result<bool, StreamError>;

    /// Returns this member's current generation in its group, by which brokers fence offsets of former members.
    fn member(&self) -> Option<ConsumerGroupMetadata>;

    /// Commits offsets to the group for monitoring, where they are durable elsewhere; failures are only logged.
    fn report(&mut self, durable: &Offsets);
}
