//! Busy times of workers, by what they did.

use std::ops::AddAssign;
use std::time::{Duration, Instant};

/// What workers were busy with, added up over all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BusyTimes {
    /// Reading and decoding the input.
    pub reading: Duration,
    /// Running the queries, and waiting for room or for a model.
    pub computing: Duration,
    /// Encoding and writing the outputs.
    pub writing: Duration,
    /// Making finished files durable and renaming them into place.
    pub placing: Duration,
}

impl AddAssign for BusyTimes {
    fn add_assign(&mut self, other: Self) {
        self.reading += other.reading;
        self.computing += other.computing;
        self.writing += other.writing;
        self.placing += other.placing;
    }
}

/// Does some work and adds the time it took.
pub(crate) fn timed<T>(time: &mut Duration, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let done = work();
    *time += started.elapsed();
    done
}
