//! NLP as SQL, for streams and corpora.
//!
//! [`Engine`] is a DataFusion session with Lexstream's functions, file tables and statements;
//! [`register_all`] adds the functions to a session of your own. `ARCHITECTURE.md` has the map.

pub mod batch;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "kafka")]
pub mod codec;
pub mod config;
pub mod engine;
pub mod files;
pub mod hub;
#[cfg(feature = "onnx")]
pub mod inference;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod kinds;
mod message;
pub mod models;
mod pinned;
pub mod plan;
#[cfg(feature = "cli")]
pub mod profile;
#[cfg(feature = "cli")]
pub mod progress;
pub mod reference;
pub mod rowwise;
pub mod sql;
#[cfg(feature = "kafka")]
pub mod stream;
pub mod tables;

pub use engine::{Engine, EngineBuilder, register_all};
pub use kinds::ModelCatalog;
pub use lexstream_udfs as udfs;
