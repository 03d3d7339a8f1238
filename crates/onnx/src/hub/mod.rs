//! Models of the Hugging Face Hub, in the cache that the Hub's own libraries use.

#[cfg(feature = "onnx")]
mod client;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

#[cfg(feature = "onnx")]
pub(crate) use client::{Hub, HubError, Snapshot};

/// How the Hub is reached, and where its cache lies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HubSettings {
    /// Its address, without a slash at the end (`HF_ENDPOINT`).
    pub endpoint: String,
    /// The folder of its cache (`HF_HUB_CACHE`, else `hub` in `HF_HOME`).
    pub cache: PathBuf,
    /// Who asks (`HF_TOKEN`, else what the Hub's command line has stored).
    pub token: Option<String>,
    /// Whether the cache is all there is (`HF_HUB_OFFLINE`).
    pub offline: bool,
}

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

    #[cfg(feature = "onnx")]
    fn set(&self, transfer: Option<Transfer>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = transfer;
    }
}
