//! What does not work row by row, by its name in SQL.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, NullEquality, Result};
use datafusion::logical_expr::{
    Distinct, Expr, Join, LogicalPlan, Subquery, SubqueryAlias, Volatility,
};
use lexstream_udfs::functions::MODEL_FUNCTIONS;

use super::Refusal;
use super::source_name::SourceName;

/// Functions that DataFusion computes once, when a query is planned.
const STANDING_STILL: &[&str] = &["current_date", "current_time", "now"];

/// Returns the first part of a plan that does not work row by row; the plan reads the source.
pub(super) fn refusal(plan: &LogicalPlan, source: &SourceName) -> Result<Option<Refusal>> {
    let functions = first_in(plan, |node| {
        let mut found = None;
        node.apply_expressions(|expression| {
            expression.apply(|expression| {
                found = found.take().or_else(|| function(expression));
                Ok(stop_at(found.as_ref()))
            })
        })?;
        Ok(found)
    })?;
    let subqueries = first_in(plan, |node| {
        let mut found = None;
        node.apply_subqueries(|subquery| {
            if source.is_anywhere_in(subquery)? {
                found = Some(in_subquery(source));
            }
            Ok(TreeNodeRecursion::Jump)
        })?;
        Ok(found)
    })?;
    match functions.or(subqueries) {
        None => on_path(plan, source),
        found => Ok(found),
    }
}

fn stop_at(found: Option<&Refusal>) -> TreeNodeRecursion {
    match found {
        Some(_) => TreeNodeRecursion::Stop,
        None => TreeNodeRecursion::Continue,
    }
}

fn first_in(
    plan: &LogicalPlan,
    mut refusal: impl FnMut(&LogicalPlan) -> Result<Option<Refusal>>,
) -> Result<Option<Refusal>> {
    let mut found = None;
    plan.apply_with_subqueries(|node| {
        found = refusal(node)?;
        Ok(stop_at(found.as_ref()))
    })?;
    Ok(found)
}

fn function(expression: &Expr) -> Option<Refusal> {
    let Expr::ScalarFunction(call) = expression else {
        return None;
    };
    let name = call.func.name();
    let node = format!("{name}()");
    if STANDING_STILL.contains(&name) {
        let reason =
            "its value is that of the start, and it would stand still; take the time from a column";
        return Some(Refusal::new(node, reason));
    }
    let is_volatile = call.func.signature().volatility == Volatility::Volatile;
    (is_volatile && !MODEL_FUNCTIONS.contains(&name)).then(|| {
        let reason = "it gives another value each time, so a row that is run again would come out differently";
        Refusal::new(node, reason)
    })
}

fn in_subquery(source: &SourceName) -> Refusal {
    let table = source.table();
    Refusal::new(
        format!("`{table}` in a subquery"),
        format!("the subquery needs all rows of `{table}` for each of its own"),
    )
}

/// Returns the first refusal on the way from the root to the scans of the source.
fn on_path(plan: &LogicalPlan, source: &SourceName) -> Result<Option<Refusal>> {
    match plan {
        LogicalPlan::TableScan(_) => Ok(None),
        LogicalPlan::Projection(node) => on_path(&node.input, source),
        LogicalPlan::Filter(node) => on_path(&node.input, source),
        LogicalPlan::SubqueryAlias(node) => on_path(&node.input, source),
        LogicalPlan::Unnest(node) => on_path(&node.input, source),
        LogicalPlan::Join(join) => {
            let (left, right) = (
                source.is_read_by(&join.left)?,
                source.is_read_by(&join.right)?,
            );
            match joined(join, left, right, source) {
                None => on_path(if left { &join.left } else { &join.right }, source),
                refusal => Ok(refusal),
            }
        }
        LogicalPlan::Union(union) => {
            for input in &union.inputs {
                if !source.is_read_by(input)? {
                    let table = source.table();
                    let reason = format!(
                        "the rows of a part that does not read `{table}` would come out with every batch"
                    );
                    return Ok(Some(Refusal::new("UNION ALL", reason)));
                }
                if let Some(refusal) = on_path(input, source)? {
                    return Ok(Some(refusal));
                }
            }
            Ok(None)
        }
        other => Ok(Some(node(other, source))),
    }
}

fn joined(join: &Join, left: bool, right: bool, source: &SourceName) -> Option<Refusal> {
    let table = source.table();
    if join.null_equality == NullEquality::NullEqualsNull {
        let found = match join.join_type {
            JoinType::LeftSemi => Some(("INTERSECT", "IN or EXISTS")),
            JoinType::LeftAnti => Some(("EXCEPT", "NOT EXISTS")),
            _ => None,
        };
        if let Some((name, instead)) = found {
            let reason = format!("it compares rows with each other; look them up with {instead}");
            return Some(Refusal::new(name, reason));
        }
    }
    let name = name(join.join_type);
    if left && right {
        let reason = format!("a row of `{table}` can't meet the other rows of `{table}`");
        return Some(Refusal::new(
            format!("{name} of `{table}` with itself"),
            reason,
        ));
    }
    let (is_lateral, lateral_source) = (is_subquery(&join.right), right);
    if is_lateral && lateral_source {
        return Some(in_subquery(source));
    }
    let keeps_left = matches!(
        join.join_type,
        JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark
    );
    let keeps_right = matches!(
        join.join_type,
        JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark
    );
    let keeps_static = match join.join_type {
        JoinType::Inner => false,
        JoinType::Full => true,
        _ => (keeps_left && right) || (keeps_right && left),
    };
    keeps_static.then(|| {
        let reason = format!(
            "it keeps rows of the table that `{table}` is joined with, which could be told only after the last row of `{table}`; keep the rows of `{table}`, or join with JOIN"
        );
        Refusal::new(name, reason)
    })
}

fn is_subquery(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Subquery(Subquery { .. }) => true,
        LogicalPlan::SubqueryAlias(SubqueryAlias { input, .. }) => is_subquery(input),
        _ => false,
    }
}

pub(super) fn name(join: JoinType) -> &'static str {
    match join {
        JoinType::Inner => "JOIN",
        JoinType::Left => "LEFT JOIN",
        JoinType::Right => "RIGHT JOIN",
        JoinType::Full => "FULL JOIN",
        JoinType::LeftSemi => "LEFT SEMI JOIN",
        JoinType::RightSemi => "RIGHT SEMI JOIN",
        JoinType::LeftAnti => "LEFT ANTI JOIN",
        JoinType::RightAnti => "RIGHT ANTI JOIN",
        JoinType::LeftMark | JoinType::RightMark => "a subquery under OR",
    }
}

/// Returns why a node can't stand between the root and the source.
fn node(plan: &LogicalPlan, source: &SourceName) -> Refusal {
    let table = source.table();
    let all_rows = format!("it needs all rows of `{table}` at once");
    match plan {
        LogicalPlan::Aggregate(aggregate) => {
            let name = called(&aggregate.aggr_expr);
            Refusal::new(name.unwrap_or_else(|| "GROUP BY".to_owned()), all_rows)
        }
        LogicalPlan::Window(window) => {
            let name = called(&window.window_expr);
            let name = name.map(|name| format!("{name} OVER"));
            Refusal::new(
                name.unwrap_or_else(|| "OVER".to_owned()),
                format!("it looks at other rows of `{table}`"),
            )
        }
        LogicalPlan::Sort(_) => Refusal::new(
            "ORDER BY",
            format!("{all_rows}; rows come out in the order of `{table}`"),
        ),
        LogicalPlan::Distinct(Distinct::All(input)) if matches!(**input, LogicalPlan::Union(_)) => {
            Refusal::new(
                "UNION",
                "it compares all rows to drop equal ones; write UNION ALL",
            )
        }
        LogicalPlan::Distinct(_) => {
            Refusal::new("DISTINCT", "it compares all rows to drop equal ones")
        }
        LogicalPlan::Limit(_) => Refusal::new("LIMIT", format!("it counts all rows of `{table}`")),
        LogicalPlan::RecursiveQuery(_) => Refusal::new("WITH RECURSIVE", all_rows),
        LogicalPlan::Subquery(_) => in_subquery(source),
        LogicalPlan::Repartition(_) => Refusal::new(
            "DISTRIBUTE BY",
            "rows come out in their order, in one stream",
        ),
        LogicalPlan::Extension(extension) => Refusal::new(
            extension.node.name(),
            "it is not known what it does to a row",
        ),
        other => Refusal::new(other.display().to_string(), "it is no query"),
    }
}

/// Returns the first function over several rows in some expressions.
fn called(expressions: &[Expr]) -> Option<String> {
    let name = |expression: &Expr| match expression {
        Expr::AggregateFunction(call) => Some(format!("{}()", call.func.name())),
        Expr::WindowFunction(call) => Some(format!("{}()", call.fun.name())),
        _ => None,
    };
    let mut expressions = expressions.iter();
    expressions.find_map(|expression| name(&expression.clone().unalias_nested().data))
}
