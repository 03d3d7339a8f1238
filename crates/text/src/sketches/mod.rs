//! Similarity sketches: short fingerprints of token lists that are alike where the lists are.

mod minhash;
mod simhash;

pub use minhash::{MinHash, bands, similarity};
pub use simhash::simhash;
