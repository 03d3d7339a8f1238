//! What the integration tests share: encodings, the built binary, case folders, batch jobs, a broker.

pub mod binary;
pub mod cases;
pub mod check;
pub mod corpus;
pub mod encoding;
pub mod fresh;
pub mod hub;
pub mod job;
pub mod kafka;
pub mod layers;
pub mod onnx;
pub mod random;
pub mod stream;
pub mod topics;
pub mod watch;
