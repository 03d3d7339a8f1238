//! Queries that were found to work row by row, planned.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, TableReference, internal_datafusion_err};
use datafusion::datasource::provider_as_source;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::execution::{SessionState, TaskContext};
use datafusion::logical_expr::{LogicalPlan, TableScan};
use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion::prelude::{SessionConfig, SessionContext};

use super::check;
use super::origin::{self, Threading};
use super::probe_side::{self, Placed};
use super::repeated::{self, Repeated};
use super::sessions::{planning, reading};
use super::source::{InFlight, SourceTable};
use super::source_name::SourceName;
use super::statics::{StaticTable, Statics};
use super::{RowwiseError, not_in, scalars};
use lexstream_plan::WholeSlices;

/// Queries over one source table that run together over one batch at a time.
///
/// Shared by as many tasks as there are batches under way.
#[derive(Debug)]
pub struct Rowwise {
    pub(super) queries: Vec<Query>,
    pub(super) columns: Arc<[usize]>,
    input_schema: SchemaRef,
    schemas: Vec<SchemaRef>,
    statics: Vec<StaticTable>,
    /// The memory of the static tables.
    _reservations: Vec<MemoryReservation>,
    state: SessionState,
    config: SessionConfig,
}

/// A query whose last column is the origin.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) plan: Repeated,
    /// What comes out, without the origin.
    pub(super) schema: SchemaRef,
}

impl Rowwise {
    /// Plans queries that read the table `source`, and reads what else they need into memory.
    ///
    /// `queries` are plans as [`SessionState::statement_to_plan`] returns them, not optimised; of an INSERT its input.
    /// The batches that will be run hold rows of `source`; all other tables are static.
    pub async fn try_new(
        context: &SessionContext,
        source: &TableReference,
        queries: Vec<LogicalPlan>,
    ) -> Result<Self, RowwiseError> {
        Self::with_resets(context, source, queries, repeated::EXECUTIONS).await
    }

    /// Plans queries whose plans are made anew after `every` executions.
    pub async fn with_resets(
        context: &SessionContext,
        source: &TableReference,
        queries: Vec<LogicalPlan>,
        every: usize,
    ) -> Result<Self, RowwiseError> {
        let state = planning(context);
        let source = SourceName::new(&state, source);
        let mut table: Option<SchemaRef> = None;
        for (query, plan) in queries.iter().enumerate() {
            let schema = scanned(plan, &source)?.ok_or_else(|| RowwiseError::NotRead {
                query,
                source_table: source.table().to_owned(),
            })?;
            table = Some(schema);
            if let Some(refusal) = check::refusal(plan, &source)? {
                return Err(RowwiseError::NotRowByRow { query, refusal });
            }
        }
        let table = table.unwrap_or_else(|| Arc::new(Schema::empty()));
        let name = origin::name(&queries)?;
        let threading = Threading {
            source: &source,
            table: provider_as_source(Arc::new(SourceTable::new(&table, &name))),
            name: &name,
        };
        let mut statics = Statics::new(reading(context));
        let mut planned = Vec::with_capacity(queries.len());
        for (query, plan) in queries.iter().enumerate() {
            let plan = threading.thread(plan)?;
            let plan = scalars::values(plan, &state, &mut statics).await?;
            let plan = statics.hold(state.optimize(&plan)?, &source).await?;
            let plan = not_in::settle(plan, &statics, &source).await?;
            let plan = state
                .query_planner()
                .create_physical_plan(&plan, &state)
                .await?;
            let Placed { plan, reads_source } = probe_side::place(plan)?
                .map_err(|refusal| RowwiseError::NotRowByRow { query, refusal })?;
            if !reads_source && !probe_side::is_empty(&plan) {
                return Err(internal_datafusion_err!("the plan has lost its source").into());
            }
            planned.push(plan);
        }
        let columns: BTreeSet<usize> = planned
            .iter()
            .flat_map(probe_side::sources)
            .flat_map(super::source::SourceExec::columns)
            .collect();
        let columns: Arc<[usize]> = columns.into_iter().collect();
        let input_schema = Arc::new(table.project(&columns).map_err(DataFusionError::from)?);
        let queries = planned.into_iter().map(|plan| Query::new(plan, every));
        let queries = queries.collect::<Result<Vec<_>, _>>()?;
        let (statics, reservations) = statics.finish();
        let rowwise = Self {
            schemas: queries
                .iter()
                .map(|query| Arc::clone(&query.schema))
                .collect(),
            queries,
            columns,
            input_schema,
            statics,
            _reservations: reservations,
            config: state.config().clone().with_extension(Arc::new(WholeSlices)),
            state,
        };
        rowwise.try_without_rows().await?;
        Ok(rowwise)
    }

    /// Returns the places in the source table of the columns that the queries read, ascending.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Returns what [`Rowwise::run`] takes: those columns, in that order.
    pub fn input_schema(&self) -> &SchemaRef {
        &self.input_schema
    }

    /// Returns what comes out of each query.
    pub fn schemas(&self) -> &[SchemaRef] {
        &self.schemas
    }

    /// Returns what the queries read beside their source.
    pub fn statics(&self) -> &[StaticTable] {
        &self.statics
    }

    /// Returns the plan of each query, an operator a line.
    pub fn plans(&self) -> Vec<String> {
        let plans = self.queries.iter();
        plans
            .map(|query| {
                displayable(query.plan.shown().as_ref())
                    .indent(false)
                    .to_string()
            })
            .collect()
    }

    /// Returns the context in which a plan is executed over one batch.
    pub(super) fn context(&self, flight: InFlight) -> Arc<TaskContext> {
        Arc::new(TaskContext::new(
            None,
            self.state.session_id().to_owned(),
            self.config.clone().with_extension(Arc::new(flight)),
            HashMap::new(),
            HashMap::new(),
            HashMap::new(),
            HashMap::new(),
            Arc::clone(self.state.runtime_env()),
        ))
    }
}

impl Query {
    fn new(plan: Arc<dyn ExecutionPlan>, every: usize) -> Result<Self, DataFusionError> {
        let with_origin = plan.schema();
        let Some((_, fields)) = with_origin.fields().split_last() else {
            return Err(internal_datafusion_err!(
                "the plan has no column for the origin"
            ));
        };
        let schema = Schema::new_with_metadata(fields.to_vec(), with_origin.metadata().clone());
        Ok(Self {
            plan: Repeated::new(plan, every),
            schema: Arc::new(schema),
        })
    }
}

/// Returns the schema of the source as a plan scans it, where it does.
fn scanned(plan: &LogicalPlan, source: &SourceName) -> Result<Option<SchemaRef>, RowwiseError> {
    let mut found = None;
    let mut is_optimised = false;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(TableScan {
            table_name,
            source: table,
            filters,
            fetch,
            ..
        }) = node
            && source.is(table_name)
        {
            found = Some(table.schema());
            is_optimised |= !filters.is_empty() || fetch.is_some();
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    if is_optimised {
        return Err(RowwiseError::Optimised {
            source_table: source.table().to_owned(),
        });
    }
    Ok(found)
}
