//! Functions that give one value a group: one a file.

mod term_frequencies;

use std::sync::Arc;

use datafusion_expr::AggregateUDF;

/// Returns every aggregate function, alphabetical.
pub fn all() -> Vec<Arc<AggregateUDF>> {
    vec![Arc::new(AggregateUDF::from(
        term_frequencies::TermFrequencies::default(),
    ))]
}
