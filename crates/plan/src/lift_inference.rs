//! The rule that lifts calls of models out of projections, filters and orders.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::physical_expr::expressions::{CaseExpr, Column};
use datafusion::physical_expr::utils::{conjunction, split_conjunction};
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr, ScalarFunctionExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::projection_pushdown::ProjectionPushdown;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, ExecutionPlanProperties, Partitioning, ReplaceChildrenOptions,
};
use lexstream_udfs::functions::MODEL_FUNCTIONS;

use super::InferenceExec;

/// Lifts calls of models that stand in a projection, a filter or an order into [`InferenceExec`] below it.
///
/// Each distinct call is evaluated once, where a filter and the projection above it both use it too. Conditions of a
/// filter that run no model come first. Inside CASE, and where a plan has calls elsewhere, the plain function stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct LiftInference;

impl LiftInference {
    const NAME: &str = "lift_inference";

    /// Puts the rule among a session's: before expressions are pushed into sources, where nothing could lift them.
    ///
    /// Returns `false` where it is there already.
    pub fn insert(rules: &mut Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>>) -> bool {
        if rules.iter().any(|rule| rule.name() == Self::NAME) {
            return false;
        }
        let pushdown = ProjectionPushdown::new();
        let at = rules.iter().position(|rule| rule.name() == pushdown.name());
        rules.insert(at.unwrap_or(rules.len()), Arc::new(Self));
        true
    }
}

impl PhysicalOptimizerRule for LiftInference {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Lifted::of(plan, &[])?.narrow()
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// A plan whose first columns are those of the plan it stands for, and behind them results of calls.
struct Lifted {
    plan: Arc<dyn ExecutionPlan>,
    /// How many columns the original has.
    width: usize,
    /// The calls behind them, over the original's columns.
    calls: Vec<Arc<dyn PhysicalExpr>>,
}

impl Lifted {
    fn plain(plan: Arc<dyn ExecutionPlan>) -> Self {
        Self {
            width: plan.schema().fields().len(),
            plan,
            calls: Vec::new(),
        }
    }

    /// Lifts calls out of a plan; results of `wanted`, calls over its columns, go on with the rows where there are any.
    fn of(plan: Arc<dyn ExecutionPlan>, wanted: &[Arc<dyn PhysicalExpr>]) -> Result<Self> {
        if let Some(filter) = plan.downcast_ref::<FilterExec>() {
            return lift_filter(filter, wanted);
        }
        if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
            return lift_projection(projection, wanted);
        }
        if let Some(sort) = plan.downcast_ref::<SortExec>() {
            return lift_order(sort.expr(), sort.input(), wanted, |order, input| {
                let sorted = SortExec::new(order, input)
                    .with_fetch(sort.fetch())
                    .with_preserve_partitioning(sort.preserve_partitioning());
                Arc::new(sorted)
            });
        }
        if let Some(merge) = plan.downcast_ref::<SortPreservingMergeExec>() {
            return lift_order(merge.expr(), merge.input(), wanted, |order, input| {
                Arc::new(SortPreservingMergeExec::new(order, input).with_fetch(merge.fetch()))
            });
        }
        let children: Vec<_> = plan.children().into_iter().cloned().collect();
        let passes = passes_columns(&plan);
        let wanted = if passes { wanted } else { &[] };
        let mut lifted = children
            .into_iter()
            .map(|child| Self::of(child, wanted))
            .collect::<Result<Vec<_>>>()?;
        if passes
            && let [child] = lifted.as_mut_slice()
            && !child.calls.is_empty()
        {
            let child = lifted.swap_remove(0);
            return Ok(Self {
                plan: with_children(plan, vec![child.plan])?,
                ..child
            });
        }
        if lifted.is_empty() {
            return Ok(Self::plain(plan));
        }
        let children = lifted
            .into_iter()
            .map(Self::narrow)
            .collect::<Result<Vec<_>>>()?;
        Ok(Self::plain(with_children(plan, children)?))
    }

    /// Returns the plan with the original's columns only.
    fn narrow(self) -> Result<Arc<dyn ExecutionPlan>> {
        if self.calls.is_empty() {
            return Ok(self.plan);
        }
        let schema = self.plan.schema();
        let columns = (0..self.width).map(|at| {
            let name = schema.field(at).name();
            ProjectionExpr::new(Arc::new(Column::new(name, at)), name.clone())
        });
        Ok(Arc::new(ProjectionExec::try_new(
            columns,
            Arc::clone(&self.plan),
        )?))
    }

    /// Replaces the calls in `expressions` by columns, adding operators for those that are not there yet.
    fn lift(mut self, expressions: &mut [Arc<dyn PhysicalExpr>]) -> Result<Self> {
        loop {
            for expression in expressions.iter_mut() {
                *expression = self.replaced(expression)?;
            }
            // Calls within calls come first; what they give is a column in the next round.
            let mut missing: Vec<Arc<dyn PhysicalExpr>> = Vec::new();
            for expression in expressions.iter() {
                innermost_calls(expression, &mut missing)?;
            }
            if missing.is_empty() {
                return Ok(self);
            }
            self.calls.extend(missing.iter().cloned());
            self.plan = Arc::new(InferenceExec::try_new(self.plan, missing)?);
        }
    }

    /// Returns an expression in which calls that are there already are columns.
    fn replaced(&self, expression: &Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let replace = |expression: Arc<dyn PhysicalExpr>| {
            if let Some(call) = self.calls.iter().position(|call| call.eq(&expression)) {
                let at = self.width + call;
                let name = self.plan.schema().field(at).name().clone();
                let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(&name, at));
                return Ok(Transformed::new(column, true, TreeNodeRecursion::Jump));
            }
            Ok(Transformed::no(expression))
        };
        Ok(Arc::clone(expression).transform_down(replace)?.data)
    }
}

fn with_children(
    plan: Arc<dyn ExecutionPlan>,
    children: Vec<Arc<dyn ExecutionPlan>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    plan.replace_children(
        children,
        ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute),
    )
}

/// Tells whether an operator hands on whatever columns its child has.
fn passes_columns(plan: &Arc<dyn ExecutionPlan>) -> bool {
    if plan.downcast_ref::<RepartitionExec>().is_some() {
        return matches!(plan.output_partitioning(), Partitioning::RoundRobinBatch(_));
    }
    plan.downcast_ref::<CoalescePartitionsExec>().is_some()
        || plan.downcast_ref::<GlobalLimitExec>().is_some()
        || plan.downcast_ref::<LocalLimitExec>().is_some()
}

/// Lifts calls out of the expressions that rows are ordered by; results go on with their rows.
fn lift_order(
    order: &LexOrdering,
    input: &Arc<dyn ExecutionPlan>,
    wanted: &[Arc<dyn PhysicalExpr>],
    make: impl FnOnce(LexOrdering, Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan>,
) -> Result<Lifted> {
    let mut expressions: Vec<_> = order.iter().map(|one| Arc::clone(&one.expr)).collect();
    let child = Lifted::of(
        Arc::clone(input),
        &with_calls(wanted.to_vec(), &expressions)?,
    )?;
    let child = child.lift(&mut expressions)?;
    let lifted = expressions
        .into_iter()
        .zip(order)
        .map(|(expression, one)| PhysicalSortExpr::new(expression, one.options));
    let order = LexOrdering::new(lifted).unwrap_or_else(|| order.clone());
    Ok(Lifted {
        plan: make(order, child.plan),
        ..child
    })
}

fn lift_projection(
    projection: &ProjectionExec,
    wanted: &[Arc<dyn PhysicalExpr>],
) -> Result<Lifted> {
    let mut expressions: Vec<_> = projection
        .expr()
        .iter()
        .map(|one| Arc::clone(&one.expr))
        .collect();
    // Where each column above comes from, where it is one of the input's as it is.
    let origins: Vec<_> = expressions
        .iter()
        .map(|expression| expression.downcast_ref::<Column>().cloned())
        .collect();
    let below = moved_all(wanted, |at| origins.get(at).cloned().flatten())?;
    let child = Lifted::of(
        Arc::clone(projection.input()),
        &with_calls(below, &expressions)?,
    )?;
    let child = child.lift(&mut expressions)?;
    let mut named: Vec<_> = expressions
        .into_iter()
        .zip(projection.expr())
        .map(|(expression, one)| ProjectionExpr::new(expression, one.alias.clone()))
        .collect();
    let width = named.len();
    let mut calls = Vec::new();
    for (at, call) in child.calls.iter().enumerate() {
        let place = |column: usize| {
            let is_it =
                |origin: &Option<Column>| origin.as_ref().map(Column::index) == Some(column);
            let at = origins.iter().position(is_it)?;
            Some(Column::new(&projection.expr()[at].alias, at))
        };
        if let Some(call) = moved(call, place)?
            && wanted.contains(&call)
        {
            let at = child.width + at;
            let name = child.plan.schema().field(at).name().clone();
            named.push(ProjectionExpr::new(Arc::new(Column::new(&name, at)), name));
            calls.push(call);
        }
    }
    Ok(Lifted {
        plan: Arc::new(ProjectionExec::try_new(named, child.plan)?),
        width,
        calls,
    })
}

fn lift_filter(filter: &FilterExec, wanted: &[Arc<dyn PhysicalExpr>]) -> Result<Lifted> {
    let width = filter.input().schema().fields().len();
    let columns: Vec<usize> = match filter.projection() {
        Some(projection) => projection.iter().copied().collect(),
        None => (0..width).collect(),
    };
    let schema = filter.input().schema();
    let named = |at: usize, column: usize| Column::new(schema.field(column).name(), at);
    let below = moved_all(wanted, |at| {
        columns.get(at).map(|column| named(*column, *column))
    })?;
    let predicate = [Arc::clone(filter.predicate())];
    let mut child = Lifted::of(Arc::clone(filter.input()), &with_calls(below, &predicate)?)?;
    let (mut cheap, mut costly) = (Vec::new(), Vec::new());
    for condition in split_conjunction(filter.predicate()) {
        let runs_a_model = !with_calls(Vec::new(), std::slice::from_ref(condition))?.is_empty();
        let conditions = if runs_a_model {
            &mut costly
        } else {
            &mut cheap
        };
        conditions.push(Arc::clone(condition));
    }
    if costly.is_empty() && child.calls.is_empty() {
        let plan = FilterExecBuilder::from(filter).with_input(child.plan);
        return Ok(Lifted::plain(Arc::new(plan.build()?)));
    }
    if !cheap.is_empty() && !costly.is_empty() {
        let first = FilterExecBuilder::new(conjunction(std::mem::take(&mut cheap)), child.plan);
        child.plan = Arc::new(first.build()?);
    }
    let mut conditions: Vec<_> = cheap.into_iter().chain(costly).collect();
    let child = child.lift(&mut conditions)?;
    let (mut kept, mut calls) = (columns.clone(), Vec::new());
    for (at, call) in child.calls.iter().enumerate() {
        let place = |column: usize| {
            let at = columns.iter().position(|kept| *kept == column)?;
            Some(named(at, column))
        };
        if let Some(call) = moved(call, place)?
            && wanted.contains(&call)
        {
            kept.push(child.width + at);
            calls.push(call);
        }
    }
    let plan = FilterExecBuilder::new(conjunction(conditions), Arc::clone(&child.plan))
        .apply_projection(Some(kept))?
        .with_default_selectivity(filter.default_selectivity())
        .with_batch_size(filter.batch_size())
        .with_fetch(filter.fetch())
        .build()?;
    Ok(Lifted {
        plan: Arc::new(plan),
        width: columns.len(),
        calls,
    })
}

/// Returns a call whose columns are elsewhere; none where one of them is nowhere.
fn moved(
    call: &Arc<dyn PhysicalExpr>,
    place: impl Fn(usize) -> Option<Column>,
) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    let mut gone = false;
    let moved = Arc::clone(call).transform_down(|expression| {
        let Some(column) = expression.downcast_ref::<Column>() else {
            return Ok(Transformed::no(expression));
        };
        match place(column.index()) {
            Some(column) => {
                let column: Arc<dyn PhysicalExpr> = Arc::new(column);
                Ok(Transformed::yes(column))
            }
            None => {
                gone = true;
                Ok(Transformed::no(expression))
            }
        }
    })?;
    Ok((!gone).then_some(moved.data))
}

/// Returns those calls whose columns are all somewhere.
fn moved_all(
    calls: &[Arc<dyn PhysicalExpr>],
    place: impl Fn(usize) -> Option<Column> + Copy,
) -> Result<Vec<Arc<dyn PhysicalExpr>>> {
    let moved = calls.iter().map(|call| moved(call, place));
    moved.filter_map(Result::transpose).collect()
}

/// Returns `calls` and the innermost ones in these expressions.
fn with_calls(
    mut calls: Vec<Arc<dyn PhysicalExpr>>,
    expressions: &[Arc<dyn PhysicalExpr>],
) -> Result<Vec<Arc<dyn PhysicalExpr>>> {
    for expression in expressions {
        innermost_calls(expression, &mut calls)?;
    }
    Ok(calls)
}

/// Adds the distinct calls in an expression that have no call within.
fn innermost_calls(
    expression: &Arc<dyn PhysicalExpr>,
    calls: &mut Vec<Arc<dyn PhysicalExpr>>,
) -> Result<()> {
    expression.apply(|expression| {
        // A branch that is not taken must not run.
        if expression.downcast_ref::<CaseExpr>().is_some() {
            return Ok(TreeNodeRecursion::Jump);
        }
        if is_call(expression) && !has_call_within(expression)? {
            if !calls.contains(expression) {
                calls.push(Arc::clone(expression));
            }
            return Ok(TreeNodeRecursion::Jump);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// Tells whether an expression is a call of a model.
pub(super) fn is_call(expression: &Arc<dyn PhysicalExpr>) -> bool {
    expression
        .downcast_ref::<ScalarFunctionExpr>()
        .is_some_and(|function| MODEL_FUNCTIONS.contains(&function.fun().name()))
}

fn has_call_within(expression: &Arc<dyn PhysicalExpr>) -> Result<bool> {
    let mut found = false;
    for argument in expression.children() {
        argument.apply(|argument| {
            found |= is_call(argument);
            Ok(if found {
                TreeNodeRecursion::Stop
            } else {
                TreeNodeRecursion::Continue
            })
        })?;
    }
    Ok(found)
}
