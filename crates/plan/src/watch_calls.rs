//! The rule that puts a watch over calls of models that nothing has lifted.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;

use super::lift_inference::is_call;
use super::{InferenceExec, WatchedExec};

/// Puts [`WatchedExec`] above each operator that calls a model itself, and above the plan that has any.
#[derive(Debug, Clone, Copy, Default)]
pub struct WatchCalls;

impl PhysicalOptimizerRule for WatchCalls {
    fn name(&self) -> &'static str {
        "watch_calls"
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let watched = plan.transform_up(|plan| {
            Ok(if calls_models(&plan)? {
                Transformed::yes(above(plan))
            } else {
                Transformed::no(plan)
            })
        })?;
        let is_above = watched.data.downcast_ref::<WatchedExec>().is_some();
        Ok(if watched.transformed && !is_above {
            above(watched.data)
        } else {
            watched.data
        })
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn above(plan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    Arc::new(WatchedExec::new(plan))
}

/// Tells whether an operator's own expressions call models on the thread that polls it.
fn calls_models(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    // That one has a watch of its own.
    if plan.downcast_ref::<InferenceExec>().is_some() {
        return Ok(false);
    }
    let mut found = false;
    plan.apply_expressions(&mut |expression| {
        found |= expression.exists(|expression| Ok(is_call(expression)))?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}
