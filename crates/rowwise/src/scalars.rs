//! Scalar subqueries that need no row of the source: each becomes its value.

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::execution::SessionState;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan, Subquery};

use super::RowwiseError;
use super::statics::{Read, Statics};

/// Reads the scalar subqueries of a plan that has not been optimised, and puts values in their place.
pub(super) async fn values(
    plan: LogicalPlan,
    state: &SessionState,
    statics: &mut Statics,
) -> Result<LogicalPlan, RowwiseError> {
    let mut wanted = Vec::new();
    outermost(&plan, &mut wanted)?;
    if wanted.is_empty() {
        return Ok(plan);
    }
    let mut known = Vec::with_capacity(wanted.len());
    for subquery in wanted {
        let optimised = state.optimize(&subquery.subquery)?;
        let read = statics.read(&optimised).await?;
        let value = value(&subquery, &read)?;
        statics.note(read.described);
        known.push((subquery, value));
    }
    let replace = |expression: Expr| {
        if let Expr::ScalarSubquery(subquery) = &expression
            && let Some((_, value)) = known.iter().find(|(known, _)| known == subquery)
        {
            return Ok(Transformed::yes(Expr::Literal(value.clone(), None)));
        }
        Ok(Transformed::no(expression))
    };
    // From the outside in: what stands within a value has gone with it.
    let replaced = plan.transform_down_with_subqueries(|node| {
        let names = NamePreserver::new(&node);
        node.map_expressions(|expression| {
            let name = names.save(&expression);
            Ok(expression
                .transform_up(replace)?
                .update_data(|new| name.restore(new)))
        })
    })?;
    Ok(replaced.data)
}

/// Adds the scalar subqueries that need no outer row and do not stand within another one.
fn outermost(plan: &LogicalPlan, wanted: &mut Vec<Subquery>) -> Result<(), DataFusionError> {
    plan.apply(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|expression| {
                let within = match expression {
                    Expr::ScalarSubquery(subquery) if subquery.outer_ref_columns.is_empty() => {
                        if !wanted.contains(subquery) {
                            wanted.push(subquery.clone());
                        }
                        return Ok(TreeNodeRecursion::Jump);
                    }
                    Expr::ScalarSubquery(subquery) => Some(subquery),
                    Expr::Exists(exists) => Some(&exists.subquery),
                    Expr::InSubquery(of) => Some(&of.subquery),
                    Expr::SetComparison(of) => Some(&of.subquery),
                    _ => None,
                };
                if let Some(subquery) = within {
                    outermost(&subquery.subquery, wanted)?;
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(())
}

/// Returns the one value of a subquery; NULL where it has no row.
fn value(subquery: &Subquery, read: &Read) -> Result<ScalarValue, RowwiseError> {
    let schema = subquery.subquery.schema();
    if read.described.rows > 1 {
        return Err(RowwiseError::OneValue {
            subquery: schema.field(0).name().clone(),
            found: read.described.rows,
        });
    }
    let value = match read.batches.iter().find(|batch| batch.num_rows() > 0) {
        Some(batch) => ScalarValue::try_from_array(batch.column(0), 0),
        None => ScalarValue::try_from(schema.field(0).data_type()),
    };
    value.map_err(|error: DataFusionError| error.into())
}
