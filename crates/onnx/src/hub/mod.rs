//! Models of the Hugging Face Hub, in the cache that the Hub's own libraries use.

mod client;

pub(crate) use client::{Hub, HubError, Snapshot};
