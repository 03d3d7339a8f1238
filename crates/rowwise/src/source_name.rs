//! What the source table is called, and where a plan reads it.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{ResolvedTableReference, Result, TableReference};
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;

/// The name of the source table, as scans may bear it.
#[derive(Debug, Clone)]
pub(super) struct SourceName {
    name: ResolvedTableReference,
    catalog: String,
    schema: String,
}

impl SourceName {
    pub(super) fn new(state: &SessionState, name: &TableReference) -> Self {
        let defaults = &state.config_options().catalog;
        let (catalog, schema) = (&defaults.default_catalog, &defaults.default_schema);
        Self {
            name: name.clone().resolve(catalog, schema),
            catalog: catalog.clone(),
            schema: schema.clone(),
        }
    }

    /// Returns the table's own name, without its catalog and schema.
    pub(super) fn table(&self) -> &str {
        &self.name.table
    }

    pub(super) fn is(&self, table: &TableReference) -> bool {
        table.clone().resolve(&self.catalog, &self.schema) == self.name
    }

    /// Tells whether rows of the source come out of a plan, subqueries in its expressions left aside.
    pub(super) fn is_read_by(&self, plan: &LogicalPlan) -> Result<bool> {
        plan.exists(|node| Ok(self.is_scan(node)))
    }

    fn is_scan(&self, plan: &LogicalPlan) -> bool {
        matches!(plan, LogicalPlan::TableScan(scan) if self.is(&scan.table_name))
    }

    /// Tells whether a plan or a subquery in it scans the source.
    pub(super) fn is_anywhere_in(&self, plan: &LogicalPlan) -> Result<bool> {
        let mut found = false;
        plan.apply_with_subqueries(|node| {
            found |= self.is_scan(node);
            Ok(if found {
                TreeNodeRecursion::Stop
            } else {
                TreeNodeRecursion::Continue
            })
        })?;
        Ok(found)
    }
}
