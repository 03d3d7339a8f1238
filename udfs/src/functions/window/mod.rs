//! Window functions: one a file.

mod corpus_tfidf;

use std::sync::Arc;

use datafusion_expr::WindowUDF;

/// Returns every window function, alphabetical.
pub fn all() -> Vec<Arc<WindowUDF>> {
    vec![Arc::new(WindowUDF::from(
        corpus_tfidf::CorpusTfidf::default(),
    ))]
}
