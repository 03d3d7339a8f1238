//! Kafka: clients, messages as they come, records as they go. It knows nothing of SQL or of formats.

mod dead_letters;
mod embedded;
mod error;
mod location;
mod messages;
mod options;
mod own_options;
mod placeholder;
mod properties;
mod settings;
mod start;

pub use dead_letters::DeadLetterOptions;
pub use embedded::{EmbeddedBroker, EmbeddedBrokerError, LIMITS, PARTITIONS};
pub use error::OptionsError;
pub use location::Location;
pub use messages::{Message, Messages};
pub use options::{Topic, TopicOptions};
pub use own_options::{OPTIONS, OwnOption};
pub use placeholder::Environment;
pub use start::Start;
