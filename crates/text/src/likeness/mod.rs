//! How alike two texts, or two lists of tokens, are.

mod edits;
mod jaccard;
mod token_sets;

pub use edits::{jaro_winkler_similarity, levenshtein_similarity};
pub use jaccard::jaccard_similarity;
pub use token_sets::token_set_ratio;
