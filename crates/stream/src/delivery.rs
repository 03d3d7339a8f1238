//! What the loop reads from, and what it hands batches to.

use std::collections::BTreeMap;
use std::time::Duration;

use super::taken::{Counts, DeadLetter};
use super::{Cause, StreamError};
use lexstream_kafka::{Messages, Offsets, Partition, Polled};

/// Where a partition is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The offset that comes next.
    pub offset: i64,
    /// Whether it is known to whoever comes next.
    pub is_committed: bool,
}

/// What the loop does with a topic, a step a method; every step is bounded in time.
///
/// A trait, as [`Steps`](super::Steps) is, so that tests can break a rule or end the process at any step.
pub trait Source {
    /// Returns what there is to read, without waiting.
    fn poll(&mut self, messages: &mut Messages) -> Result<Polled, StreamError>;

    /// Returns where partitions are read from: behind what is done, else where a group without any offset begins.
    fn starts(
        &mut self,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, Position>, StreamError>;

    /// Begins to read partitions.
    fn assign(&mut self, offsets: &Offsets) -> Result<(), StreamError>;

    /// Gives partitions up.
    fn unassign(&mut self, partitions: &[Partition]) -> Result<(), StreamError>;

    /// Stops fetching from partitions.
    fn pause(&mut self, partitions: &[Partition]) -> Result<(), StreamError>;

    /// Fetches from partitions again.
    fn resume(&mut self, partitions: &[Partition]) -> Result<(), StreamError>;

    /// Reads on from other offsets.
    fn seek(&mut self, offsets: &Offsets) -> Result<(), StreamError>;

    /// Tells whether nothing that readers see stands behind an offset and before the partition's present end.
    fn is_at_end(&mut self, partition: &Partition, offset: i64) -> Result<bool, StreamError>;
}

/// What is done again and again while a step waits for Kafka; it returns how long it may be left alone.
pub type Meanwhile<'a> = &'a mut dyn FnMut(&mut dyn Source) -> Duration;

/// A batch of messages that has been scored.
pub trait Batch: Send + std::fmt::Debug + 'static {
    /// Returns how many messages became what.
    fn counts(&self) -> Counts;

    /// Returns how many bytes the results take, about.
    fn bytes(&self) -> usize;

    /// Returns when each message was made, where it is known, in milliseconds since 1970.
    fn timestamps(&self) -> Vec<i64>;

    /// Returns the first message that failed, and the last.
    fn dead(&self) -> Option<[(Partition, i64, &DeadLetter); 2]>;
}

/// What became of batches that were handed on.
#[derive(Debug)]
pub enum Delivered {
    /// They are accepted; what lies before these offsets is there for good.
    Done(Offsets),
    /// They are refused, and everything that is not there for good is to be read again.
    Refused,
    /// What became of them is to be read from where offsets are kept; then the rest is to be read again.
    Unknown,
}

/// Where batches go: topics, by transactions, or files, by renames.
pub trait Delivery {
    /// What the loop reads from.
    type Source: Source;

    /// What scoring makes of messages.
    type Batch: Batch;

    /// How long the loop rests at most after batches were handed on, where each time costs what more batches at once spare;
    /// where it is zero, they are handed on one by one.
    const REST: Duration;

    /// Returns what the loop reads from.
    fn source(&mut self) -> &mut Self::Source;

    /// Hands batches on, in the order of their messages, with the offsets behind them.
    ///
    /// `starts` are the offsets of partitions that nobody knows yet but this process. While it waits, `meanwhile` is called.
    fn deliver(
        &mut self,
        batches: &mut [Self::Batch],
        next: &Offsets,
        starts: Offsets,
        meanwhile: Meanwhile<'_>,
    ) -> Result<Delivered, StreamError>;

    /// Does what time asks for; returns what is there for good by it.
    fn tick(&mut self) -> Result<Delivered, StreamError>;

    /// Has what partitions have brought be there for good, by now.
    fn flush(&mut self, partitions: &[Partition]) -> Result<Delivered, StreamError>;

    /// Drops what partitions have brought and is not there for good.
    fn forget(&mut self, partitions: &[Partition]);
}

/// Returns the error of a message that may not fail.
pub(super) fn poison((partition, offset, dead): (Partition, i64, &DeadLetter)) -> StreamError {
    let source: Cause = dead.cause.clone();
    StreamError::Poison {
        partition,
        offset,
        source,
    }
}
