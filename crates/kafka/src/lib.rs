//! Kafka: clients, messages as they come, records as they go; and topics as tables.
//!
//! Only [`tables`] knows SQL and formats.

mod client_error;
mod cluster;
mod complaints;
mod consumer;
mod dead_letters;
mod embedded;
mod error;
mod location;
mod log;
mod masked;
mod messages;
mod one_transaction;
mod options;
mod own_options;
mod partition;
mod placeholder;
mod probe;
mod properties;
mod range_reader;
mod ranges;
mod settings;
mod spool;
mod start;
mod statistics;
pub mod tables;
mod transactions;

pub use client_error::ClientError;
pub use cluster::Cluster;
pub use consumer::{GroupConsumer, Polled, Rebalance, Wake};
pub use dead_letters::DeadLetterOptions;
pub use embedded::{EmbeddedBroker, EmbeddedBrokerError, LIMITS, PARTITIONS};
pub use error::OptionsError;
pub use location::Location;
pub use masked::masked;
pub use messages::{Message, Messages};
pub use one_transaction::{NewRecord, OneTransaction};

pub use options::{Topic, TopicOptions, defaults, set_option};
pub use own_options::{OPTIONS, OwnOption, refused};
pub use partition::{Offsets, Partition};
pub use placeholder::Environment;
pub use probe::is_at_end;
pub use range_reader::RangeReader;
pub use ranges::{PartitionRange, Wanted, find_ranges};
pub use spool::{Spool, SpooledHeaders, SpooledRecords};
pub use start::Start;
pub use transactions::{Record, TransactionError, Transactions, drop_apart};
