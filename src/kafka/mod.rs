//! Kafka: clients, messages as they come, records as they go. It knows nothing of SQL or of formats.

mod messages;

pub use messages::{Message, Messages};
