//! The model store: versioned folders, each with a manifest; knows nothing of what a model is.
//!
//! ```text
//! <home>/models/<name>/<version>/manifest.json    what the model is, and the digest of every file it uses
//! <home>/models/<name>/<version>/…                files that belong to it
//! <home>/models/.new-…                            a version in the making; left over where its process died
//! <home>/models/.old-…                            what is being deleted
//! ```
//!
//! A version appears and disappears by one rename, so that processes read, create, replace and drop at once; a draft
//! begins under a short lock, `<home>/models.lock`, so that nobody takes it for what a dead process left.

pub mod digest;
mod draft;
mod error;
mod manifest;
mod name;
mod versions;

pub use draft::Draft;
pub use error::StoreError;
pub use manifest::{FORMAT, FileRecord, Manifest, TOKENIZER_DIGEST};
pub use name::{ModelName, ModelReference};
pub use versions::{IfExists, Listed, Store, Stored};
