//! The source table: a leaf of plans that hands on the batch which its execution is about.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_datafusion_err, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning,
    PlanProperties, ReplaceChildrenOptions,
};
use futures::stream;

/// The batch of one execution; it travels in the session configuration of the execution's context.
#[derive(Debug, Clone)]
pub(super) struct InFlight {
    /// The batch's columns, by their places in the source table, ascending.
    pub(super) columns: Arc<[usize]>,
    pub(super) batch: RecordBatch,
    /// Where each row stands in the batch that the caller gave.
    pub(super) origins: UInt32Array,
}

impl InFlight {
    pub(super) fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    pub(super) fn slice(&self, start: usize, rows: usize) -> Self {
        Self {
            columns: Arc::clone(&self.columns),
            batch: self.batch.slice(start, rows),
            origins: self.origins.slice(start, rows),
        }
    }
}

/// The source table with one more column behind its own: the origin of each row.
#[derive(Debug)]
pub(super) struct SourceTable {
    schema: SchemaRef,
}

impl SourceTable {
    pub(super) fn new(source: &Schema, origin: &str) -> Self {
        let mut fields = source.fields().to_vec();
        fields.push(Arc::new(Field::new(origin, DataType::UInt32, false)));
        let schema = Schema::new_with_metadata(fields, source.metadata().clone());
        Self {
            schema: Arc::new(schema),
        }
    }
}

#[async_trait]
impl TableProvider for SourceTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let width = self.schema.fields().len();
        let projection =
            projection.map_or_else(|| (0..width).collect(), |some| some.as_slice().into());
        Ok(Arc::new(SourceExec::try_new(&self.schema, projection)?))
    }
}

/// Hands on columns of the batch in flight.
///
/// It says that it has no end: then no rule of DataFusion makes it the side of a join that is read whole.
#[derive(Debug)]
pub(super) struct SourceExec {
    /// Places in the source table; the origin's is the number of the table's columns.
    projection: Arc<[usize]>,
    /// How many columns the source table has.
    width: usize,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl SourceExec {
    fn try_new(table: &Schema, projection: Arc<[usize]>) -> Result<Self> {
        let schema = Arc::new(table.project(&projection)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Unbounded {
                requires_infinite_memory: false,
            },
        );
        Ok(Self {
            projection,
            width: table.fields().len() - 1,
            schema,
            properties: Arc::new(properties),
        })
    }

    /// Returns the places of the source table's columns that are read.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> {
        let width = self.width;
        self.projection
            .iter()
            .copied()
            .filter(move |column| *column < width)
    }

    fn project(&self, flight: &InFlight) -> Result<RecordBatch> {
        let column = |place: &usize| -> Result<ArrayRef> {
            if *place == self.width {
                return Ok(Arc::new(flight.origins.clone()));
            }
            let at = flight.columns.binary_search(place).map_err(|_| {
                internal_datafusion_err!("column {place} of the source is not in the batch")
            })?;
            Ok(Arc::clone(flight.batch.column(at)))
        };
        let columns = self.projection.iter().map(column).collect::<Result<_>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(flight.rows()));
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            columns,
            &options,
        )?)
    }
}

impl DisplayAs for SourceExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<_> = self
            .schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        write!(f, "SourceExec: columns=[{}]", fields.join(", "))
    }
}

impl ExecutionPlan for SourceExec {
    fn name(&self) -> &'static str {
        "SourceExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() {
            return Ok(self);
        }
        internal_err!("SourceExec: expected no child, found {}", children.len())
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mode = ChildrenPropertiesMode::Recompute;
        self.replace_children(children, ReplaceChildrenOptions::new(mode))
    }

    fn execute(&self, _: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(flight) = context.session_config().get_extension::<InFlight>() else {
            return internal_err!("SourceExec: expected a batch in the context, found none");
        };
        // As from any table: no row, no batch, and nothing above is computed.
        let batch = (flight.rows() > 0).then(|| self.project(&flight));
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            stream::iter(batch),
        )))
    }
}
