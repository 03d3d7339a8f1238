//! Downloads under way, for whoever shows progress.

use std::sync::{Mutex, PoisonError};

/// A file on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Its name in the repository.
    pub file: String,
    /// Bytes that are there.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

/// What is on its way at the moment, for whoever shows progress.
#[derive(Debug, Default)]
pub struct Transfers(Mutex<Option<Transfer>>);

impl Transfers {
    /// Returns the file that is on its way, if there is one.
    pub fn now(&self) -> Option<Transfer> {
        let now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        now.clone()
    }

    /// Says what is on its way now; none where nothing is.
    pub fn set(&self, transfer: Option<Transfer>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = transfer;
    }
}
