//! Static tables: what a query reads beside its source, held in memory.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::catalog::MemTable;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::logical_plan::TableScanBuilder;
use datafusion::logical_expr::{EmptyRelation, Expr, LogicalPlan, Projection};
use datafusion::physical_plan::execute_stream;
use futures::TryStreamExt;

use super::digest::RowsDigest;
use super::source_name::SourceName;

/// What queries read beside their source: rows that were read at the start and stay in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticTable {
    /// The tables that the rows were made of; none where they stand in the query itself.
    pub tables: Vec<String>,
    /// How many rows are held.
    pub rows: usize,
    /// Their memory.
    pub bytes: usize,
    /// SHA-256 of the rows in their order, with the types of their columns, in hexadecimal.
    pub digest: String,
}

/// The static tables of some queries.
#[derive(Debug)]
pub(super) struct Statics {
    state: SessionState,
    held: Vec<Held>,
    /// What became values.
    values: Vec<StaticTable>,
}

#[derive(Debug)]
struct Held {
    plan: LogicalPlan,
    table: Arc<MemTable>,
    described: StaticTable,
    reservation: MemoryReservation,
}

/// Rows that were read, with their memory.
pub(super) struct Read {
    pub(super) batches: Vec<RecordBatch>,
    pub(super) described: StaticTable,
    schema: Arc<Schema>,
    reservation: MemoryReservation,
}

impl Statics {
    /// Returns no tables; `state` plans with one partition, so that rows come in the same order each time.
    pub(super) fn new(state: SessionState) -> Self {
        Self {
            state,
            held: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Notes rows that stand in a query as a value.
    pub(super) fn note(&mut self, value: StaticTable) {
        self.values.push(value);
    }

    /// Ends the reading; the memory stays reserved for as long as the reservations live.
    pub(super) fn finish(self) -> (Vec<StaticTable>, Vec<MemoryReservation>) {
        let held = self.held.into_iter();
        let (mut tables, reservations): (Vec<_>, _) =
            held.map(|held| (held.described, held.reservation)).unzip();
        tables.extend(self.values);
        (tables, reservations)
    }

    /// Reads what an optimised plan needs beside its source, and puts tables in memory in its place.
    pub(super) async fn hold(
        &mut self,
        plan: LogicalPlan,
        source: &SourceName,
    ) -> Result<LogicalPlan> {
        if !source.is_read_by(&plan)? {
            // Each row has its origin from the source, so the optimiser has seen that no row comes out.
            return Ok(nothing(&plan));
        }
        let mut wanted = Vec::new();
        plan.apply(|node| {
            if source.is_read_by(node)? {
                return Ok(TreeNodeRecursion::Continue);
            }
            wanted.push(node.clone());
            Ok(TreeNodeRecursion::Jump)
        })?;
        for plan in wanted {
            if self.held(&plan).is_none() {
                let Read {
                    batches,
                    described,
                    schema,
                    reservation,
                } = self.read(&plan).await?;
                let table = MemTable::try_new(schema, vec![batches])?;
                self.held.push(Held {
                    plan,
                    table: Arc::new(table),
                    described,
                    reservation,
                });
            }
        }
        plan.transform_down(|node| match self.held(&node) {
            Some(at) => Ok(Transformed::new(
                self.scan(at, &node)?,
                true,
                TreeNodeRecursion::Jump,
            )),
            None => Ok(Transformed::no(node)),
        })
        .map(|transformed| transformed.data)
    }

    fn held(&self, plan: &LogicalPlan) -> Option<usize> {
        self.held.iter().position(|held| held.plan == *plan)
    }

    /// Executes an optimised plan.
    pub(super) async fn read(&self, plan: &LogicalPlan) -> Result<Read> {
        let tables = tables(plan)?;
        let planner = self.state.query_planner();
        let physical = planner.create_physical_plan(plan, &self.state).await?;
        let pool = &self.state.runtime_env().memory_pool;
        let consumer = format!("static table {}", tables.join(", "));
        let reservation = MemoryConsumer::new(consumer).register(pool);
        // Columns may have equal names, of different tables.
        let fields = physical.schema();
        let fields = fields.fields().iter().enumerate();
        let fields = fields.map(|(at, field)| Field::clone(field).with_name(place(at)));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let mut stream = execute_stream(physical, self.state.task_ctx())?;
        let mut batches = Vec::new();
        let mut rows = RowsDigest::new(&schema)?;
        let (mut count, mut bytes) = (0, 0);
        while let Some(batch) = stream.try_next().await? {
            let memory = batch.get_array_memory_size();
            reservation.try_grow(memory)?;
            rows.add(&batch)?;
            count += batch.num_rows();
            bytes += memory;
            // Not by `with_schema`, which takes no other names.
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let (_, columns, _) = batch.into_parts();
            let schema = Arc::clone(&schema);
            batches.push(RecordBatch::try_new_with_options(
                schema, columns, &options,
            )?);
        }
        let described = StaticTable {
            tables,
            rows: count,
            bytes,
            digest: rows.digest(),
        };
        Ok(Read {
            batches,
            described,
            schema,
            reservation,
        })
    }

    /// Returns a plan with the same columns as `plan` over what is held of it.
    fn scan(&self, at: usize, plan: &LogicalPlan) -> Result<LogicalPlan> {
        if self.held[at].described.rows == 0 {
            return Ok(nothing(plan));
        }
        let name = TableReference::bare(format!("static_{at}"));
        let provider = Arc::clone(&self.held[at].table);
        let scan = TableScanBuilder::new(name.clone(), provider_as_source(provider)).build()?;
        let columns = plan.schema().iter().enumerate();
        let columns = columns.map(|(at, (qualifier, field))| {
            Expr::Column(Column::new(Some(name.clone()), place(at)))
                .alias_qualified(qualifier.cloned(), field.name())
        });
        Ok(LogicalPlan::Projection(Projection::try_new(
            columns.collect(),
            Arc::new(LogicalPlan::TableScan(scan)),
        )?))
    }
}

/// Returns a plan with the same columns and no rows.
fn nothing(plan: &LogicalPlan) -> LogicalPlan {
    LogicalPlan::EmptyRelation(EmptyRelation {
        produce_one_row: false,
        schema: Arc::clone(plan.schema()),
    })
}

fn place(at: usize) -> String {
    format!("c{at}")
}

/// Returns the tables that a plan reads, in the order of its text.
fn tables(plan: &LogicalPlan) -> Result<Vec<String>> {
    let mut tables = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let name = scan.table_name.to_string();
            if !tables.contains(&name) {
                tables.push(name);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(tables)
}
