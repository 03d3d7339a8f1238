//! What workers share while they run units: memory budget, stop signal, counters.

use tokio::runtime::Handle;
use tokio::sync::SemaphorePermit;

use super::in_flight::InFlight;
use super::memory_budget::MemoryBudget;
use super::stop_signal::StopSignal;
use crate::job::Job;

/// The job, and what its workers share.
#[derive(Debug, Clone, Copy)]
pub(super) struct WorkerContext<'a> {
    pub(super) job: &'a Job,
    pub(super) memory: &'a MemoryBudget,
    pub(super) stop: &'a StopSignal,
    pub(super) in_flight: &'a InFlight,
    /// Where what is async runs.
    pub(super) runtime: &'a Handle,
}

impl<'a> WorkerContext<'a> {
    /// Waits until a batch of so many bytes fits beside pages of so many; none where the workers are to end.
    pub(super) fn reserve(&self, batch: usize, pages: usize) -> Option<SemaphorePermit<'a>> {
        self.unless_stopped(self.memory.reserve(batch, pages))
    }

    /// Runs to the end of what is async; none where the workers are to end before.
    pub(super) fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.stop.raised() => None,
                done = work => Some(done),
            }
        })
    }
}
