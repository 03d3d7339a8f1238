//! Streams over topics of their own: what they read, how they are run and what they must have done.

mod processor;
mod reviews;
mod workshop;

pub use processor::Processor;
pub use reviews::{Reviews, fate, poison, review};
pub use workshop::Workshop;
