//! Rows and bytes of units that are under way, for the progress line.

use std::sync::atomic::{AtomicU64, Ordering};

/// What is done already of units that are not finished, over all workers.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl InFlight {
    /// Returns the rows that are done, and the bytes of the input that stand for them.
    pub(crate) fn load(&self) -> (u64, u64) {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (load(&self.rows), load(&self.bytes))
    }
}

/// A unit's share in what is under way; it is taken back when the unit ends.
#[derive(Debug)]
pub(crate) struct InFlightShare<'a> {
    all: &'a InFlight,
    rows: u64,
    bytes: u64,
}

impl<'a> InFlightShare<'a> {
    pub(crate) fn new(all: &'a InFlight) -> Self {
        Self {
            all,
            rows: 0,
            bytes: 0,
        }
    }

    /// Sets how much of the unit is done, which never shrinks.
    pub(crate) fn set(&mut self, rows: u64, bytes: u64) {
        let add = |all: &AtomicU64, new: u64, old: u64| all.fetch_add(new - old, Ordering::Relaxed);
        add(&self.all.rows, rows, self.rows);
        add(&self.all.bytes, bytes, self.bytes);
        (self.rows, self.bytes) = (rows, bytes);
    }
}

impl Drop for InFlightShare<'_> {
    fn drop(&mut self) {
        self.all.rows.fetch_sub(self.rows, Ordering::Relaxed);
        self.all.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
