//! Keeps calls of models where they are while fields of structs move towards the scan.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::calls_below::has_call;

/// The rule of DataFusion's that moves fields of structs, `input_file_name()` and the like towards the scan.
const MOVES: &str = "push_down_leaf_projections";

/// How the columns that it moves are named.
const MOVED: &str = "__datafusion_extracted";

/// Runs `push_down_leaf_projections`, except where it would take a call of a model along.
///
/// A call itself stays in place. But the field of a subquery's column is resolved to the expression behind the column:
/// `l['label']` becomes `classify(…)['label']` under a name of the rule's own, which marks it as a thing to be moved, below
/// the filter or the join that decides which rows there are.
///
/// What stands above such a column stays with it: `input_file_name()` must be read inside the subquery that calls the model.
#[derive(Debug)]
pub struct KeepCalls(Arc<dyn OptimizerRule + Send + Sync>);

impl KeepCalls {
    /// Wraps the rule where it is among a session's.
    pub fn insert(rules: &mut [Arc<dyn OptimizerRule + Send + Sync>]) {
        for rule in rules.iter_mut().filter(|rule| rule.name() == MOVES) {
            *rule = Arc::new(Self(Arc::clone(rule)));
        }
    }
}

impl OptimizerRule for KeepCalls {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        if !matches!(plan, LogicalPlan::Projection(_)) || !holds(&plan, has_call)? {
            return self.0.rewrite(plan, config);
        }
        if holds(&plan, is_moved_call)? {
            return Ok(Transformed::no(plan));
        }
        let rewritten = self.0.rewrite(plan.clone(), config)?;
        Ok(match holds(&rewritten.data, is_moved_call)? {
            true => Transformed::no(plan),
            false => rewritten,
        })
    }
}

/// Tells whether a column would be moved with the call in it.
fn is_moved_call(expression: &Expr) -> bool {
    matches!(expression, Expr::Alias(alias) if alias.name.starts_with(MOVED) && has_call(&alias.expr))
}

/// Tells whether some expression of a plan, or of what is below it, is such a one.
fn holds(plan: &LogicalPlan, is_one: impl Fn(&Expr) -> bool) -> Result<bool> {
    plan.exists(|plan| Ok(plan.expressions().iter().any(&is_one)))
}
