//! Models in ONNX Runtime: the kind `onnx`, the Hugging Face Hub, and inference on the CPU or on CUDA; no DataFusion.

mod hub;
pub mod inference;
mod kind;

pub use kind::OnnxKind;
