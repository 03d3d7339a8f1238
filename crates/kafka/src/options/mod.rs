//! The options of a topic's table: Lexstream's own, the format's and librdkafka's.

mod config_provider;
mod dead_letters;
mod error;
mod location;
mod masked;
mod own_options;
mod properties;
mod settings;
mod start;
mod topic_options;

pub use config_provider::Environment;
pub use dead_letters::DeadLetterOptions;
pub use error::OptionsError;
pub use location::Location;
pub use masked::masked;
pub use own_options::{OPTIONS, OwnOption, refused};
pub use start::Start;
pub use topic_options::{Topic, TopicOptions, defaults, set_option};
