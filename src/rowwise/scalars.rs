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
    let mut wanted: Vec<Subquery> = Vec::new();
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|expression| {
                if let Expr::ScalarSubquery(subquery) = expression
                    && subquery.outer_ref_columns.is_empty()
                    && !wanted.contains(subquery)
                {
                    wanted.push(subquery.clone());
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        Ok(TreeNodeRecursion::Continue)
    })?;
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
    let replaced = plan.transform_up_with_subqueries(|node| {
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
