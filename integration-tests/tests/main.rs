//! One test binary: what is checked from outside.

mod agreement;
mod agreement_text;
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
mod parquet_readers;
mod reference;
mod sqllogic;
