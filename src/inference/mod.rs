//! Neural models in ONNX Runtime: the library, sessions on threads of their own, texts packed into runs.
//!
//! A call hands over texts and waits; it knows nothing of SQL. Texts are tokenised on the caller's thread, identical
//! ones once; encodings are sorted by length and packed into runs bounded by padded tokens; each worker thread owns
//! one session, and callers take turns.

mod encoder;
mod graph;
mod heads;
mod packing;
mod runtime;
mod text_model;
mod workers;

pub use encoder::{Encoder, Truncation};
pub use graph::{Graph, Tensor};
pub use heads::{Head, Pooling};
pub use runtime::{RuntimeError, environment};
pub use text_model::{Limits, TextModel};
pub use workers::InferenceError;
