//! Arrow columns to kernels and back; no DataFusion.

mod model_results;
mod pairs;
mod text_writer;
mod texts;
mod token_lists;
pub mod types;
mod vectors;

pub use model_results::{
    best_label_column, label_list_column, score_column, token_id_column, vector_column,
};
pub use pairs::measure_pairs;
pub use text_writer::{TextWriter, TokenListWriter};
pub use texts::{InvalidUtf8, Text, Texts};
pub(crate) use token_lists::keep;
pub use token_lists::{TokenLists, Tokens, term_count_list, token_list};
pub use vectors::{Metric, PairError, Vectors};
