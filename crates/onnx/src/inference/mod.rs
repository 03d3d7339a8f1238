//! Neural models in ONNX Runtime: the library, sessions on threads of their own, texts packed into runs.
//!
//! A call hands over columns and waits; it knows nothing of SQL. Texts are tokenised on the caller's thread, identical
//! ones once, and wait in one pool a model; each worker thread owns one session, and packs its next run out of what all
//! callers have waiting: similar lengths together, bounded by padded tokens, callers in turn.

mod columns;
mod dump;
mod encoder;
mod error;
mod graph;
mod graph_model;
mod heads;
mod job;
mod packing;
mod pool;
mod queue;
mod runtime;
mod signature;
mod tensors;
mod text_job;
mod text_model;
mod workers;

pub use dump::Dump;
pub use encoder::{Encoder, Truncation};
pub use error::InferenceError;
pub use graph::{Device, Graph, Tensor};
pub use graph_model::GraphModel;
pub use heads::{Activation, Head, Pooling};
pub use runtime::{RuntimeError, environment};
pub use signature::{Signature, SignatureError};
pub use text_model::{Limits, TextModel, TextParts};
