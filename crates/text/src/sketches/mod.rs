//! Short numbers that stand for a list of tokens: alike where the lists are.

mod minhash;
mod simhash;

pub use minhash::{MinHash, bands, similarity};
pub use simhash::simhash;
