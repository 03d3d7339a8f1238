//! What a job writes: folders of units' files, each with a manifest, and rows that failed.

pub(crate) mod failed_rows;
mod folder;
mod manifest;

pub(crate) use failed_rows::FailedRows;
pub(crate) use folder::OutputFolder;
pub(crate) use manifest::{Manifest, Query};
