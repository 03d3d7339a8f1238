//! Threads the origin of each row through a plan: a column that no query sees.

use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, DFSchema, Result, internal_err};
use datafusion::logical_expr::logical_plan::TableScanBuilder;
use datafusion::logical_expr::{
    Expr, Filter, Join, LogicalPlan, Projection, SubqueryAlias, TableScan, TableSource, Union,
    Unnest,
};

use super::source_name::SourceName;

/// What the origin's column is called, unless a query has the name.
const NAME: &str = "__origin";

/// Returns a name that no column of these plans has.
pub(super) fn name(plans: &[LogicalPlan]) -> Result<String> {
    let mut name = NAME.to_owned();
    loop {
        let mut is_taken = false;
        for plan in plans {
            plan.apply_with_subqueries(|node| {
                is_taken |= has_column(node, &name);
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        if !is_taken {
            return Ok(name);
        }
        name.push('_');
    }
}

fn has_column(plan: &LogicalPlan, name: &str) -> bool {
    let mut fields = plan.schema().fields().iter();
    let scanned = match plan {
        LogicalPlan::TableScan(scan) => scan.source.schema().index_of(name).is_ok(),
        _ => false,
    };
    scanned || fields.any(|field| field.name() == name)
}

/// Swaps the source for a table with the origin's column, which goes on with its row up to the root.
pub(super) struct Threading<'a> {
    pub(super) source: &'a SourceName,
    /// The table whose last column is the origin.
    pub(super) table: Arc<dyn TableSource>,
    /// What that column is called.
    pub(super) name: &'a str,
}

impl Threading<'_> {
    /// Returns a plan whose last column is the origin, behind the columns of `plan`, whose parts have been checked.
    pub(super) fn thread(&self, plan: &LogicalPlan) -> Result<LogicalPlan> {
        let threaded = self.below(plan)?;
        self.last(threaded)
    }

    fn below(&self, plan: &LogicalPlan) -> Result<LogicalPlan> {
        if !self.source.is_read_by(plan)? {
            return Ok(plan.clone());
        }
        let below = |input: &Arc<LogicalPlan>| self.below(input).map(Arc::new);
        Ok(match plan {
            LogicalPlan::TableScan(scan) => self.scan(scan)?,
            LogicalPlan::Projection(node) => {
                let input = below(&node.input)?;
                let mut expressions = node.expr.clone();
                expressions.push(Expr::Column(self.column(&input)?));
                LogicalPlan::Projection(Projection::try_new(expressions, input)?)
            }
            LogicalPlan::Filter(node) => LogicalPlan::Filter(Filter::try_new(
                node.predicate.clone(),
                below(&node.input)?,
            )?),
            LogicalPlan::SubqueryAlias(node) => LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(
                below(&node.input)?,
                node.alias.clone(),
            )?),
            LogicalPlan::Unnest(node) => LogicalPlan::Unnest(Unnest::try_new(
                below(&node.input)?,
                node.exec_columns.clone(),
                node.options.clone(),
            )?),
            LogicalPlan::Join(join) => LogicalPlan::Join(Join::try_new(
                below(&join.left)?,
                below(&join.right)?,
                join.on.clone(),
                join.filter.clone(),
                join.join_type,
                join.join_constraint,
                join.null_equality,
                join.null_aware,
            )?),
            LogicalPlan::Union(union) => self.union(union)?,
            other => return internal_err!("no way for the origin through {}", other.display()),
        })
    }

    fn scan(&self, scan: &TableScan) -> Result<LogicalPlan> {
        let origin = self.table.schema().fields().len() - 1;
        let projection = scan.projection.clone().map(|mut places| {
            places.push(origin);
            places
        });
        let scan = TableScanBuilder::new(scan.table_name.clone(), Arc::clone(&self.table))
            .with_projection(projection);
        Ok(LogicalPlan::TableScan(scan.build()?))
    }

    /// Parts of a union meet by position: in each the origin comes last.
    fn union(&self, union: &Union) -> Result<LogicalPlan> {
        let parts = union.inputs.iter();
        let inputs = parts
            .map(|input| self.thread(input).map(Arc::new))
            .collect::<Result<Vec<_>>>()?;
        // What the union says of its own columns stays.
        let mut fields: Vec<_> = union
            .schema
            .iter()
            .map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)))
            .collect();
        let last = self.table.schema().fields().len() - 1;
        fields.push((None, Arc::clone(&self.table.schema().fields()[last])));
        let schema = DFSchema::new_with_metadata(fields, union.schema.metadata().clone())?;
        Ok(LogicalPlan::Union(Union {
            inputs,
            schema: Arc::new(schema),
        }))
    }

    /// Returns the plan with the origin's column behind all others.
    fn last(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let origin = self.column(&plan)?;
        let mut columns = plan.schema().columns();
        columns.retain(|column| *column != origin);
        columns.push(origin);
        let columns = columns.into_iter().map(Expr::Column).collect();
        Ok(LogicalPlan::Projection(Projection::try_new(
            columns,
            Arc::new(plan),
        )?))
    }

    fn column(&self, plan: &LogicalPlan) -> Result<Column> {
        let mut columns = plan.schema().columns().into_iter();
        match columns.find(|column| column.name == self.name) {
            Some(column) => Ok(column),
            None => internal_err!("the origin's column is lost below {}", plan.display()),
        }
    }
}
