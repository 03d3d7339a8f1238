//! What the loop does with Kafka, a step a method.

use std::collections::BTreeMap;

use super::StreamError;
use crate::kafka::{Messages, Offsets, Partition, Polled, Record, TransactionError};

/// Where a partition is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The offset that comes next.
    pub offset: i64,
    /// Whether the group has it already.
    pub is_committed: bool,
}

/// What the loop does with Kafka; every step is bounded in time.
///
/// A trait, so that tests can break a rule or end the process at any step.
pub trait Steps {
    /// Returns what there is to read, without waiting.
    fn poll(&mut self, messages: &mut Messages) -> Result<Polled, StreamError>;

    /// Returns where partitions are read from: the group's offsets, else where a group without any begins.
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

    /// Begins a transaction.
    fn begin(&mut self) -> Result<(), TransactionError>;

    /// Sends a record under a number, by which a refusal names it.
    fn send(&mut self, record: &Record<'_>, number: usize) -> Result<(), TransactionError>;

    /// Adds the offsets that come next.
    fn send_offsets(&mut self, offsets: &Offsets) -> Result<(), TransactionError>;

    /// Commits records and offsets.
    fn commit(&mut self) -> Result<(), TransactionError>;

    /// Aborts the transaction.
    fn abort(&mut self) -> Result<(), TransactionError>;

    /// Makes a new producer of the same name, which ends whatever the old one had under way.
    fn renew(&mut self) -> Result<(), TransactionError>;

    /// Returns the name that only one living producer has.
    fn identity(&self) -> &str;

    /// Returns the bytes of the largest record that may be sent.
    fn max_record(&self) -> usize;
}
