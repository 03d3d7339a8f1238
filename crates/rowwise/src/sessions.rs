//! The session as planning one batch at a time needs it, and as reading static tables does.

use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::filter_pushdown::FilterPushdown;
use datafusion::physical_optimizer::sanity_checker::SanityCheckPlan;
use datafusion::prelude::SessionContext;

/// Returns the session with what running one batch at a time needs.
pub(super) fn planning(context: &SessionContext) -> SessionState {
    let state = reading(context);
    // The catalog is the session's own, with its tables.
    let mut config = state.config().clone();
    config = config.with_create_default_catalog_and_schema(false);
    let optimizer = &mut config.options_mut().optimizer;
    optimizer.prefer_hash_join = true;
    optimizer.enable_piecewise_merge_join = false;
    // Filters that come from the rows of a join would stay for the next batch.
    optimizer.enable_dynamic_filter_pushdown = false;
    optimizer.enable_join_dynamic_filter_pushdown = false;
    optimizer.enable_topk_dynamic_filter_pushdown = false;
    optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    let left_out = [
        // It refuses every nested loop over a source without an end; what may stand above the source is checked here.
        SanityCheckPlan::new().name().to_owned(),
        // The source takes no conditions, and one that moves below another fails on rows that the other keeps out.
        FilterPushdown::new().name().to_owned(),
        FilterPushdown::new_post_optimization().name().to_owned(),
    ];
    let rules = state.physical_optimizers().iter();
    let rules = rules.filter(|rule| !left_out.iter().any(|name| name == rule.name()));
    let rules = rules.cloned().collect();
    SessionStateBuilder::new_from_existing(state)
        .with_config(config)
        .with_physical_optimizer_rules(rules)
        .build()
}

/// Returns the session with what reading static tables needs: one partition, so that rows keep their order.
pub(super) fn reading(context: &SessionContext) -> SessionState {
    let mut state = context.state();
    state.config_mut().options_mut().execution.target_partitions = 1;
    state
}
