//! Where batches go: topics, by transactions, or files, by renames.

mod files;
mod folder;
mod thread;
mod transactional;

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::ConsumerGroupMetadata;

pub(crate) use files::{FileDelivery, RollLimits};
pub(crate) use folder::Folder;
pub(crate) use thread::{DeliveryThread, Ticket};
pub(crate) use transactional::{TransactionOptions, TransactionalDelivery};

use super::StreamError;
use super::batch::OutputBatch;
use super::source::Position;
use lexstream_kafka::{Offsets, Partition};

/// What goes with the batches of one write.
pub(crate) struct WriteRequest {
    /// The offsets behind the batches.
    pub(crate) next: Offsets,
    /// Up to where each partition that is read is durable.
    pub(crate) positions: BTreeMap<Partition, Position>,
    /// The reader's generation in its group, as of the request.
    pub(crate) member: Option<ConsumerGroupMetadata>,
}

/// What became of a write or a flush.
#[derive(Debug)]
pub(crate) enum Delivered {
    /// It is accepted, and everything before these offsets is durable.
    Durable(Offsets),
    /// It is aborted: everything that is not durable is read again.
    Aborted,
    /// Its outcome is unknown: what is durable is asked for, and the rest is read again.
    Unknown,
}

/// A destination of batches, which has a thread of its own and may block.
pub(crate) trait Delivery: Send + 'static {
    /// What processing makes of messages.
    type Batch: OutputBatch;

    /// The longest pause between two writes, where more batches share the cost of one; at zero, each batch is a write.
    const WRITE_PAUSE: Duration;

    /// Whether a write commits offsets to the group; else they are reported to it afterwards.
    const COMMITS_OFFSETS: bool;

    /// Returns the durable offsets that the destination itself keeps; for other partitions, the group's count.
    ///
    /// # Errors
    /// Where the destination can't be read.
    fn durable(&mut self, partitions: &[Partition]) -> Result<Offsets, StreamError>;

    /// Writes batches in the order of their messages, and makes durable what is due by size.
    ///
    /// # Errors
    /// Where trying again is useless; what may pass is retried, or [`Delivered::Aborted`].
    fn write(
        &mut self,
        batches: &mut [Self::Batch],
        request: &WriteRequest,
    ) -> Result<Delivered, StreamError>;

    /// Makes everything durable that has been written of partitions.
    ///
    /// # Errors
    /// As [`Delivery::write`].
    fn flush(&mut self, partitions: &[Partition]) -> Result<Delivered, StreamError>;

    /// Drops what has been written of partitions and is not durable.
    fn discard(&mut self, partitions: &[Partition]);
}
