//! A real Apache Kafka for the tests, and what a test does with it from outside: topics, records, offsets.
//!
//! Tests share one broker, each with topics of its own; a test that kills a broker starts its own. Every wait ends
//! after [`PATIENCE`], and says what did not come.

mod broker;
mod client;
mod guarded;
mod read;
mod send;

use std::time::{Duration, Instant};

pub use broker::{Broker, MECHANISMS, Secured, shared};
pub use client::Kafka;
pub use guarded::Guarded;
pub use read::{Isolation, Record};
pub use send::{NewRecord, Position, Transaction};

/// No step may take longer.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks again and again until there is something, or `patience` is over.
pub fn wait_for<T>(
    what: &str,
    patience: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> Result<T, String> {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if started.elapsed() > patience {
            return Err(format!("{what}: not within {patience:?}"));
        }
        std::thread::sleep(PAUSE);
    }
}
