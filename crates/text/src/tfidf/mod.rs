//! TF-IDF: terms of texts, counted over a corpus, weighed in a text.

mod analyzer;
mod bm25;
mod counts;
mod vectorizer;
mod vocabulary;
mod weights;

pub use analyzer::{Accents, Analyzer, Buffers, Pieces};
pub use bm25::{Bm25, Query};
pub use counts::{DocumentCounts, TermCount};
pub use vectorizer::{Counted, Vectorizer};
pub use vocabulary::{FitError, Limits, Share, Vocabulary};
pub use weights::{Formula, Norm, bigquery_weight};
