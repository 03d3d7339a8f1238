//! Models: a store of versions on disk, what a model can be, and the catalog that opens them by name; no DataFusion.
//!
//! Everything learned is a model: made by [`ModelCatalog::create`], stored as a versioned folder, opened by name. A
//! [`kinds::Kind`] says how one is made and opened.

pub mod catalog;
pub mod kinds;
pub mod progress;
pub mod store;
pub mod training;

pub use catalog::{CatalogError, CreateModel, IfModelExists, ModelCatalog};
