//! Kafka: clients, messages as they come, records as they go. It knows nothing of SQL or of formats.

mod embedded;
mod messages;

pub use embedded::{EmbeddedBroker, EmbeddedBrokerError, LIMITS, PARTITIONS};
pub use messages::{Message, Messages};
