//! How a plan runs models: calls lifted out of projections, filters and orders into one operator, the others watched; and what
//! needs no column between two calls.

mod calls_below;
mod count_tokens;
mod inference_exec;
mod keep_calls;
mod lift_inference;
mod watch_calls;
mod watched_exec;
mod whole_slices;

use std::sync::Arc;

use datafusion::physical_optimizer::PhysicalOptimizerRule;

pub use calls_below::CallsBelow;
pub use count_tokens::CountTokens;
pub use inference_exec::InferenceExec;
pub use keep_calls::KeepCalls;
pub use lift_inference::LiftInference;
pub use watch_calls::WatchCalls;
pub use watched_exec::WatchedExec;
pub use whole_slices::WholeSlices;

/// Puts the rules among a session's.
///
/// Returns `false` where they are there already.
pub fn insert_rules(rules: &mut Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>>) -> bool {
    if !LiftInference::insert(rules) {
        return false;
    }
    // What stays where it is is known when all others have moved what they move.
    rules.push(Arc::new(WatchCalls));
    true
}
