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
/// must not run, and in the arguments of an aggregate with FILTER, which need not be computed for what it leaves out.
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
        let mut calls = Calls::above(&plan);
        let mut take = |expression: Expr| {
            let name = names.save(&expression);
            let taken = expression.transform_down(|expression| Ok(calls.taken(expression)))?;
            Ok(taken.update_data(|expression| name.restore(expression)))
        };
        let plan = plan.map_expressions(|expression| match expression {
            // The names are those of the expressions in it.
            Expr::GroupingSet(_) => expression.map_children(&mut take),
            _ => take(expression),
        })?;
        if calls.calls.is_empty() {
            return Ok(plan);
        }
        plan.map_data(|plan| match plan {
            LogicalPlan::Aggregate(Aggregate {
                input,
                group_expr,
                aggr_expr,
                ..
            }) => {
                let below = Arc::new(calls.below(input)?);
                let plan = Aggregate::try_new(below, group_expr, aggr_expr)?;
                Ok(LogicalPlan::Aggregate(plan))
            }
            LogicalPlan::Window(Window {
                input,
                window_expr,
                schema,
                ..
            }) => {
                let below = Arc::new(calls.below(input)?);
                let plan = LogicalPlan::Window(Window::try_new(window_expr, below)?);
                let plan = Projection::try_new(columns(&schema), Arc::new(plan))?;
                Ok(LogicalPlan::Projection(plan))
            }
            plan => Ok(plan),
        })
    }
}

/// Calls that are put below a plan, each as a column.
struct Calls {
    calls: Vec<Expr>,
    /// Begins the names of their columns, and no other column's.
    prefix: String,
}

impl Calls {
    fn above(plan: &LogicalPlan) -> Self {
        let mut prefix = "__call_".to_owned();
        let is_taken = |prefix: &str| {
            let mut inputs = plan.inputs().into_iter();
            inputs.any(|input| {
                let mut fields = input.schema().fields().iter();
                fields.any(|field| field.name().starts_with(prefix))
            })
        };
        while is_taken(&prefix) {
            prefix.insert(0, '_');
        }
        Self {
            calls: Vec::new(),
            prefix,
        }
    }

    /// Returns the column of a call, in the place of which it stands; another expression as it is.
    fn taken(&mut self, expression: Expr) -> Transformed<Expr> {
        let next = match &expression {
            Expr::ScalarFunction(call) if MODEL_FUNCTIONS.contains(&call.name()) => {
                let column = Expr::Column(Column::new_unqualified(self.column(expression)));
                return Transformed::new(column, true, TreeNodeRecursion::Jump);
            }
            Expr::Case(_) => TreeNodeRecursion::Jump,
            // What the filter leaves out need not be computed.
            Expr::AggregateFunction(function) if function.params.filter.is_some() => {
                let arguments = function.params.args.iter();
                match arguments.clone().any(has_call) {
                    true => TreeNodeRecursion::Jump,
                    false => TreeNodeRecursion::Continue,
                }
            }
            _ => TreeNodeRecursion::Continue,
        };
        Transformed::new(expression, false, next)
    }

    /// Returns the name of a call's column.
    fn column(&mut self, call: Expr) -> String {
        let known = self.calls.iter().position(|known| *known == call);
        let place = known.unwrap_or_else(|| {
            self.calls.push(call);
            self.calls.len() - 1
        });
        format!("{}{place}", self.prefix)
    }

    /// Adds the calls to the columns of a plan.
    fn below(self, input: Arc<LogicalPlan>) -> Result<LogicalPlan> {
        let Self { calls, prefix } = self;
        let mut expressions = columns(input.schema());
        let calls = calls.into_iter().enumerate();
        expressions.extend(calls.map(|(place, call)| call.alias(format!("{prefix}{place}"))));
        Ok(LogicalPlan::Projection(Projection::try_new(
            expressions,
            input,
        )?))
    }
}

/// Tells whether a model is called in an expression.
pub(super) fn has_call(expression: &Expr) -> bool {
    let is_call = |expression: &Expr| {
        let name = match expression {
            Expr::ScalarFunction(call) => call.name(),
            _ => return Ok(false),
        };
        Ok(MODEL_FUNCTIONS.contains(&name))
    };
    expression.exists(is_call).unwrap_or(true)
}

fn columns(schema: &DFSchema) -> Vec<Expr> {
    schema.columns().into_iter().map(Expr::Column).collect()
}
