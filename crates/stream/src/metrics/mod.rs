//! Metrics of a running stream, and how it is watched and stopped.

mod control;
mod counters;
mod exposition;

pub use control::Control;
pub use counters::Metrics;
pub use exposition::exposition;
