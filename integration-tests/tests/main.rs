//! One test binary: what is checked from outside.

mod agreement;
mod agreement_sketches;
mod agreement_text;
mod agreement_tfidf;
mod batch;
mod batch_broken;
mod batch_errors;
mod batch_inputs;
mod batch_kills;
mod batch_resume;
mod cases;
mod cli;
mod datafusion_names;
mod demo;
mod examples;
mod hub;
mod layers;
mod models;
mod onnx;
mod onnx_plan;
mod onnx_predict;
mod onnx_rowwise;
mod parquet_readers;
mod reference;
mod sqllogic;
