//! Kafka: clients, messages as they come, records as they go. It knows nothing of SQL or of formats.

mod cluster;
mod consumer;
mod dead_letters;
mod embedded;
mod error;
mod location;
mod log;
mod messages;
mod options;
mod own_options;
mod partition;
mod placeholder;
mod probe;
mod properties;
mod settings;
mod start;
mod statistics;
mod transactions;

pub use cluster::Cluster;
pub use consumer::{GroupConsumer, Polled, Rebalance, Wake};
pub use dead_letters::DeadLetterOptions;
pub use embedded::{EmbeddedBroker, EmbeddedBrokerError, LIMITS, PARTITIONS};
pub use error::OptionsError;
pub use location::Location;
pub use messages::{Message, Messages};
pub use options::{Topic, TopicOptions};
pub use own_options::{OPTIONS, OwnOption};
pub use partition::{Offsets, Partition};
pub use placeholder::Environment;
pub use probe::is_at_end;
pub use start::Start;
pub use transactions::{Record, TransactionError, Transactions, drop_apart};
