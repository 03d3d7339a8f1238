//! State that the workers of one process share: queue, progress, first failure.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use super::in_flight::InFlight;
use super::memory_budget::MemoryBudget;
use super::progress::Progress;
use super::stop_signal::StopSignal;
use super::work_queue::WorkQueue;
use crate::error::BatchError;
use crate::job::JobOptions;

/// What the workers of one process share.
#[derive(Debug)]
pub(super) struct Shared {
    queue: Mutex<WorkQueue>,
    progress: Mutex<Progress>,
    failure: Mutex<Option<BatchError>>,
    pub(super) in_flight: InFlight,
    pub(super) memory: MemoryBudget,
    pub(super) stop: StopSignal,
    /// Workers that have not ended.
    working: watch::Sender<usize>,
    pub(super) started: Instant,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(options: &JobOptions, unfinished: Vec<usize>, progress: Progress) -> Self {
        let workers = options.workers.max(1);
        Self {
            queue: Mutex::new(WorkQueue::new(unfinished, workers)),
            progress: Mutex::new(progress),
            failure: Mutex::new(None),
            in_flight: InFlight::default(),
            memory: MemoryBudget::new(options.memory / 4),
            stop: StopSignal::new(),
            working: watch::Sender::new(workers),
            started: Instant::now(),
        }
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, WorkQueue> {
        lock(&self.queue)
    }

    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        lock(&self.progress)
    }

    /// Keeps the first failure, and ends the other workers.
    pub(super) fn fail(&self, error: BatchError) {
        lock(&self.failure).get_or_insert(error);
        self.stop.raise();
    }

    pub(super) fn take_failure(&self) -> Option<BatchError> {
        lock(&self.failure).take()
    }

    /// Waits until no worker is left.
    pub(super) async fn no_worker(&self) {
        let mut working = self.working.subscribe();
        // The sender lives as long as this.
        let _ = working.wait_for(|working| *working == 0).await;
    }
}

/// A worker, until it ends, if by a panic.
pub(super) struct Working(Arc<Shared>);

impl Working {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self(Arc::clone(shared))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.working.send_modify(|working| *working -= 1);
    }
}
