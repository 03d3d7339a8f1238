//! The engine: a DataFusion session with Lexstream's functions, file tables, statements and settings.
//!
//! [`EngineBuilder`] takes what extends it: models, kinds of models, tables of other systems. Nothing here knows of
//! Kafka, ONNX Runtime, jobs or the command line.

pub mod config;
pub mod documentation;
pub mod engine;
pub mod message;
pub mod pinned;
pub mod reference;
pub mod sql;
mod table_format;
pub mod tables;

pub use engine::{Engine, EngineBuilder};
pub use table_format::TableFormat;
