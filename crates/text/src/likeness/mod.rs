//! Similarity of two texts, or of two lists of tokens.

mod edits;
mod jaccard;
mod token_sets;

pub use edits::{jaro_winkler_similarity, levenshtein_similarity};
pub use jaccard::jaccard_similarity;
pub use token_sets::token_set_ratio;
