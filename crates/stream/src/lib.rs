//! Streams: queries over a topic whose rows go to topics, each message exactly once.
//!
//! A pipeline reads one topic and writes others. Its loop, in [`run`], polls a batch of messages, has it scored, and
//! commits records, dead letters and offsets in one transaction; nothing else holds state, so that a process that is
//! killed loses nothing but time.

mod clients;
mod control;
mod delivery;
mod ending;
mod error;
mod exposition;
mod fences;
mod files;
mod flight;
mod folder;
mod identity;
mod intake;
mod job;
mod kafka_source;
mod kafka_steps;
mod launch;
mod membership;
mod metrics;
mod pipeline;
mod prepared;
mod rate;
mod rows;
mod run;
mod scored;
mod script;
mod sink;
mod steps;
mod taken;
mod transaction;

pub use control::Control;
pub use delivery::{Batch, Delivered, Delivery, Meanwhile, Position, Source};
pub use error::{Cause, StreamError};
pub use exposition::exposition;
pub use flight::Score;
pub use identity::Identity;
pub use job::{Running, Stream, StreamOptions};
pub use kafka_source::{KafkaSource, SourceOptions};
pub use kafka_steps::{KafkaOptions, KafkaSteps};
pub use metrics::Metrics;
pub use pipeline::Pipeline;
pub use run::{Limits, LoopOptions, run};
pub use scored::{SOURCE_OFFSET, SOURCE_PARTITION, SOURCE_TOPIC, Scored};
pub use steps::Steps;
pub use taken::{Counts, DeadLetter, DeadLetters};
pub use transaction::{Stashing, Transacted};
