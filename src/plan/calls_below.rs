//! The rule that has models run below aggregates and windows, where they can be lifted.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, Projection, Window};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use lexstream_udfs::functions::MODEL_FUNCTIONS;

/// Puts the calls of models in GROUP BY, aggregates and windows into a projection below, each distinct one once.
///
/// [`LiftInference`](super::LiftInference) takes them from there. Inside CASE they stay, since a branch that is not taken
/// must not run.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallsBelow;

impl OptimizerRule for CallsBelow {
    fn name(&self) -> &'static str {
        "calls_below"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        if !matches!(plan, LogicalPlan::Aggregate(_) | LogicalPlan::Window(_)) {
            return Ok(Transformed::no(plan));
        }
        let names = NamePreserver::new(&plan);
        let mut calls = Vec::new();
        let mut take = |expression: Expr| {
            let name = names.save(&expression);
            let taken =
                expression.transform_down(|expression| Ok(taken(expression, &mut calls)))?;
            Ok(taken.update_data(|expression| name.restore(expression)))
        };
        let plan = plan.map_expressions(|expression| match expression {
            // The names are those of the expressions in it.
            Expr::GroupingSet(_) => expression.map_children(&mut take),
            _ => take(expression),
        })?;
        if calls.is_empty() {
            return Ok(plan);
        }
        plan.map_data(|plan| match plan {
            LogicalPlan::Aggregate(Aggregate {
                input,
                group_expr,
                aggr_expr,
                ..
            }) => {
                let below = Arc::new(with_calls(input, calls)?);
                let plan = Aggregate::try_new(below, group_expr, aggr_expr)?;
                Ok(LogicalPlan::Aggregate(plan))
            }
            LogicalPlan::Window(Window {
                input,
                window_expr,
                schema,
                ..
            }) => {
                let below = Arc::new(with_calls(input, calls)?);
                let plan = LogicalPlan::Window(Window::try_new(window_expr, below)?);
                let plan = Projection::try_new(columns(&schema), Arc::new(plan))?;
                Ok(LogicalPlan::Projection(plan))
            }
            plan => Ok(plan),
        })
    }
}

/// Returns the column of a call, in the place of which it stands; another expression as it is.
fn taken(expression: Expr, calls: &mut Vec<Expr>) -> Transformed<Expr> {
    let is_call =
        matches!(&expression, Expr::ScalarFunction(call) if MODEL_FUNCTIONS.contains(&call.name()));
    if is_call {
        let known = calls.iter().position(|call| *call == expression);
        let place = known.unwrap_or_else(|| {
            calls.push(expression);
            calls.len() - 1
        });
        return Transformed::new(
            Expr::Column(Column::new_unqualified(name(place))),
            true,
            TreeNodeRecursion::Jump,
        );
    }
    let next = match expression {
        Expr::Case(_) => TreeNodeRecursion::Jump,
        _ => TreeNodeRecursion::Continue,
    };
    Transformed::new(expression, false, next)
}

/// Returns the name of the column that a call becomes.
fn name(place: usize) -> String {
    format!("__call_{place}")
}

/// Adds calls to the columns of a plan.
fn with_calls(input: Arc<LogicalPlan>, calls: Vec<Expr>) -> Result<LogicalPlan> {
    let mut expressions = columns(input.schema());
    let calls = calls.into_iter().enumerate();
    expressions.extend(calls.map(|(place, call)| call.alias(name(place))));
    Ok(LogicalPlan::Projection(Projection::try_new(
        expressions,
        input,
    )?))
}

fn columns(schema: &DFSchema) -> Vec<Expr> {
    schema.columns().into_iter().map(Expr::Column).collect()
}
