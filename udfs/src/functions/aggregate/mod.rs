//! Aggregate functions: one a file.

mod collocations;
mod document_frequencies;
mod term_counter;
mod term_frequencies;

use std::sync::Arc;

use datafusion_expr::AggregateUDF;

use self::term_counter::TermCounter;

/// Returns every aggregate function, alphabetical.
pub fn all() -> Vec<Arc<AggregateUDF>> {
    vec![
        udaf(TermCounter::<collocations::Collocations>::default()),
        udaf(TermCounter::<document_frequencies::DocumentFrequencies>::default()),
        udaf(TermCounter::<term_frequencies::TermFrequencies>::default()),
    ]
}

fn udaf(function: impl Into<AggregateUDF>) -> Arc<AggregateUDF> {
    Arc::new(function.into())
}
