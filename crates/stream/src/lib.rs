//! Streams: queries over a topic whose rows go to topics or files, each message exactly once.
//!
//! A pipeline reads one topic and writes others, or a folder. Its loop, in `runner`, polls a batch of messages, has it
//! processed on the threads of queries, and hands it to a delivery, on a thread of its own, which commits records, dead
//! letters and offsets together. Nothing else holds state, so that a process that is killed loses nothing but time.

mod batch;
mod delivery;
mod error;
mod identity;
mod job;
mod metrics;
mod pipeline;
mod plan;
mod recent_fences;
mod runner;
mod source;
mod startup;

pub use batch::Counts;
pub use error::{Cause, StreamError};
pub use job::{Running, Stream, StreamOptions};
pub use metrics::{Control, Metrics, exposition};
pub use source::{KafkaSource, Position, Source, SourceOptions};
