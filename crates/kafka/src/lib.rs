//! Kafka: clients, messages as they come, records as they go; and topics as tables.
//!
//! Only [`tables`] knows SQL and formats.

mod client_error;
mod cluster;
mod embedded;
mod log;
mod options;
mod partition;
mod read;
mod reported_errors;
pub mod tables;
mod write;

pub use client_error::ClientError;
pub use cluster::Cluster;
pub use embedded::{EmbeddedBroker, EmbeddedBrokerError, LIMITS, PARTITIONS};
pub use options::{
    DeadLetterOptions, Environment, Location, OPTIONS, OptionsError, OwnOption, Start, Topic,
    TopicOptions, defaults, masked, refused, set_option,
};
pub use partition::{Offsets, Partition};
pub use read::{
    GroupConsumer, Message, Messages, PartitionRange, Polled, RangeReader, Rebalance, Wake, Wanted,
    find_ranges, is_at_end,
};
pub use write::{
    KafkaProducer, NewRecord, OneTransaction, Record, Spool, SpooledHeaders, SpooledRecords,
    TransactionError, TransactionalProducer,
};
