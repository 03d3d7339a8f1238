//! Arrow columns to NLP kernels and back, and the traits through which functions reach models; no DataFusion.

mod chunks;
mod counted_terms;
mod documents;
mod keywords;
mod languages;
pub mod model;
mod model_results;
mod pairs;
mod signatures;
mod sparse_writer;
mod tagged_tokens;
mod term_list_writer;
mod text_writer;
mod texts;
mod token_lists;
pub mod types;
mod vectors;

pub use chunks::chunk_column;
pub use counted_terms::{collocations, counted_terms, merge_counted_terms, term_counts};
pub use documents::{
    Documents, bm25_column, count_vector_column, term_weight_column, weight_vector_column,
};
pub use keywords::keyword_column;
pub use languages::{detected_column, language_column};
pub use model_results::{
    best_label_column, label_list_column, score_column, token_id_column, vector_column,
};
pub use pairs::measure_pairs;
pub use signatures::{
    band_column, distance_column, minhash_column, simhash_column, similarity_column,
};
pub use sparse_writer::{SparseWriter, hash_vector_column};
pub use tagged_tokens::tagged_token_column;
pub use term_list_writer::{TermListWriter, bag_column, bag_of_texts_column};
pub use text_writer::{TextWriter, TokenListWriter};
pub use texts::{InvalidUtf8, Text, Texts};
pub use token_lists::keep;
pub use token_lists::{TokenLists, Tokens, token_list};
pub use vectors::{Metric, PairError, PairProblem, Vectors};
