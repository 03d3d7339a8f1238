//! Kafka: clients, messages as they come, records as they go. It knows nothing of SQL or of formats.

mod client_error;
mod complaints;
mod dead_letters;
mod embedded;
mod error;
mod location;
mod masked;
mod messages;
mod one_transaction;
mod options;
mod own_options;
mod placeholder;
mod properties;
mod range_reader;
mod ranges;
mod settings;
mod spool;
mod start;

pub use client_error::ClientError;
pub use dead_letters::DeadLetterOptions;
pub use embedded::{EmbeddedBroker, EmbeddedBrokerError, LIMITS, PARTITIONS};
pub use error::OptionsError;
pub use location::Location;
pub use masked::masked;
pub use messages::{Message, Messages};
pub use one_transaction::{NewRecord, OneTransaction};
pub use options::{Topic, TopicOptions};
pub use own_options::{OPTIONS, OwnOption};
pub use placeholder::Environment;
pub use range_reader::RangeReader;
pub use ranges::{PartitionRange, Wanted, find_ranges};
pub use spool::{Spool, SpooledRecords};
pub use start::Start;
