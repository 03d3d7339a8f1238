//! Neural models in ONNX Runtime: the library, sessions on threads of their own, texts packed into runs.
//!
//! A call hands over columns and waits; it knows nothing of SQL. Texts are tokenised on the caller's thread, identical
//! ones once; encodings are sorted by length and packed into runs bounded by padded tokens; each worker thread owns
//! one session, and callers take turns.

mod columns;
mod encoder;
mod error;
mod graph;
mod graph_model;
mod heads;
mod packing;
mod runtime;
mod signature;
mod tensors;
mod text_job;
mod text_model;
mod workers;

pub use encoder::{Encoder, Truncation};
pub use error::InferenceError;
pub use graph::{Device, Graph, Tensor};
pub use graph_model::GraphModel;
pub use heads::{Activation, Head, Pooling};
pub use runtime::{RuntimeError, environment};
pub use signature::{Signature, SignatureError};
pub use text_model::{Dump, Limits, TextModel};
