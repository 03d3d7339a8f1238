//! NOT IN over a static table: what NULL decides is decided once.

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, Filter, Join, LogicalPlan, LogicalPlanBuilder, lit};

use super::source_name::SourceName;
use super::statics::Statics;

/// What `value NOT IN (rows)` comes to, whatever the value.
#[derive(Debug, Clone, Copy)]
enum NotIn {
    /// There are no rows: true, also for NULL.
    Always,
    /// There is a NULL among the rows: never true.
    Never,
    /// True where the value is not NULL and there is no equal row.
    NoMatch,
}

/// Replaces joins that ask whether there is a NULL by joins that need not know, in a plan whose static tables are held.
///
/// Such a join reads all of its left side, the source, before the first row comes out. The answer lies in the right
/// one, which is there.
pub(super) async fn settle(
    plan: LogicalPlan,
    statics: &Statics,
    source: &SourceName,
) -> Result<LogicalPlan> {
    let mut joins: Vec<Join> = Vec::new();
    plan.apply(|node| {
        if let LogicalPlan::Join(join) = node
            && is_settled(join, source)?
        {
            joins.push(join.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let mut known = Vec::with_capacity(joins.len());
    for join in joins {
        let answer = ask(&join, statics).await?;
        known.push((join, answer));
    }
    let replaced = plan.transform_down(|node| {
        if let LogicalPlan::Join(join) = &node
            && let Some((_, answer)) = known.iter().find(|(known, _)| known == join)
        {
            return Ok(Transformed::yes(without_null(join, *answer)?));
        }
        Ok(Transformed::no(node))
    })?;
    Ok(replaced.data)
}

fn is_settled(join: &Join, source: &SourceName) -> Result<bool> {
    Ok(join.null_aware
        && join.on.len() == 1
        && join.filter.is_none()
        && !source.is_read_by(&join.right)?)
}

async fn ask(join: &Join, statics: &Statics) -> Result<NotIn> {
    let rows = LogicalPlanBuilder::from(join.right.as_ref().clone());
    let counts = [count(lit(true)), count(join.on[0].1.clone())];
    let counts = rows.aggregate(Vec::<Expr>::new(), counts)?.build()?;
    let read = statics.read(&counts).await?;
    let Some(batch) = read.batches.iter().find(|batch| batch.num_rows() == 1) else {
        return internal_err!("expected a row of counts, found {}", read.described.rows);
    };
    let count = |column: usize| ScalarValue::try_from_array(batch.column(column), 0);
    let (rows, values) = (count(0)?, count(1)?);
    Ok(if rows == ScalarValue::from(0_i64) {
        NotIn::Always
    } else if values < rows {
        NotIn::Never
    } else {
        NotIn::NoMatch
    })
}

fn without_null(join: &Join, answer: NotIn) -> Result<LogicalPlan> {
    let condition = match answer {
        NotIn::Always => return Ok(join.left.as_ref().clone()),
        NotIn::Never => lit(false),
        NotIn::NoMatch => join.on[0].0.clone().is_not_null(),
    };
    let left = LogicalPlan::Filter(Filter::try_new(condition, join.left.clone())?);
    Ok(LogicalPlan::Join(Join {
        left: left.into(),
        null_aware: false,
        ..join.clone()
    }))
}
