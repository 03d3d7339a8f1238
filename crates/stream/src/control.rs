//! What a running stream and those who watch it share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;

use lexstream_columns::model::Model;

use super::metrics::Metrics;

/// What a running stream and those who watch it share.
#[derive(Debug, Default)]
pub struct Control {
    stop: AtomicBool,
    /// The thread of the loop, once it runs.
    thread: Mutex<Option<Thread>>,
    /// What is counted.
    pub metrics: Metrics,
    /// The models that the queries use, pinned.
    models: Vec<Arc<dyn Model>>,
}

impl Control {
    /// Returns what a stream that uses these models shares.
    pub fn new(models: Vec<Arc<dyn Model>>) -> Self {
        Self {
            models,
            ..Self::default()
        }
    }

    /// Returns the models that the queries use, each at the version that it has for as long as the stream runs.
    pub fn models(&self) -> &[Arc<dyn Model>] {
        &self.models
    }

    /// Asks the stream to end: what is under way is finished where a few seconds suffice.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake();
    }

    /// Tells whether the stream is to end.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Makes the calling thread the one that [`Control::wake`] wakes.
    pub(super) fn run_here(&self) {
        *self.lock() = Some(std::thread::current());
    }

    /// Wakes the loop.
    pub(super) fn wake(&self) {
        if let Some(thread) = &*self.lock() {
            thread.unpark();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Thread>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
