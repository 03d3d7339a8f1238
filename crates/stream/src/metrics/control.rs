//! What a running stream shares with those who watch and stop it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;

use lexstream_columns::model::Model;

use super::Metrics;

/// What a running stream shares with those who watch and stop it.
#[derive(Debug, Default)]
pub struct Control {
    stop: AtomicBool,
    /// The thread of the loop, once it runs.
    thread: Mutex<Option<Thread>>,
    /// Its metrics.
    pub metrics: Metrics,
    /// The models that the queries use, pinned.
    models: Vec<Arc<dyn Model>>,
}

impl Control {
    /// Creates the control of a stream that uses these models.
    pub fn new(models: Vec<Arc<dyn Model>>) -> Self {
        Self {
            models,
            ..Self::default()
        }
    }

    /// Returns the models that the queries use, pinned to their versions.
    pub fn models(&self) -> &[Arc<dyn Model>] {
        &self.models
    }

    /// Stops the stream: what is in flight is finished where a few seconds suffice.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake();
    }

    /// Tells whether the stream is to stop.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Makes the calling thread the one that [`Control::wake`] wakes.
    pub(crate) fn run_here(&self) {
        *self.lock() = Some(std::thread::current());
    }

    /// Wakes the loop.
    pub(crate) fn wake(&self) {
        if let Some(thread) = &*self.lock() {
            thread.unpark();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Thread>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
