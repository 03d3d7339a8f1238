//! Streams over topics of their own: what they read, how they are run and what they must have done.

mod broken;
mod filing;
mod processor;
mod reviews;
mod rule;
mod under_rule;
mod workshop;

pub use filing::Filing;
pub use processor::Processor;
pub use reviews::{Reviews, fate, poison, review};
pub use rule::{Rule, Step};
pub use under_rule::{TRANSACTION, run_under_rule};
pub use workshop::Workshop;
