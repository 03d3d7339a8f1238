//! What the integration tests share: encodings, the built binary, case folders.

pub mod binary;
pub mod cases;
pub mod encoding;
pub mod hub;
pub mod layers;
pub mod onnx;
