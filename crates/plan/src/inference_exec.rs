//! `InferenceExec`: runs models over its input, a slice at a time, away from the threads that run queries.

use std::fmt;
use std::sync::{Arc, OnceLock};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, ScalarValue, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, Time,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    PlanProperties, ReplaceChildrenOptions,
};
use futures::{StreamExt, TryStreamExt, stream};
use lexstream_columns::model::{CancelOnDrop, Figures, Watch};

use super::WholeSlices;

/// Rows of the first slice, so that the first result comes soon; each one has twice the rows of the one before.
const FIRST_SLICE: usize = 32;

/// Rows of a slice at most.
const LARGEST_SLICE: usize = 1024;

/// How many slices are under way at once: while one is used, the next is computed.
const SLICES_UNDER_WAY: usize = 2;

/// Evaluates calls of models over its input: the input's columns come first, then a column a call.
///
/// Rows keep their order and their partition. Slices of the input are computed on threads that may wait, and what has
/// not begun is taken back when the stream is dropped. A call whose arguments are all constant is computed once.
#[derive(Debug)]
pub struct InferenceExec {
    input: Arc<dyn ExecutionPlan>,
    calls: Arc<[Call]>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

#[derive(Debug)]
struct Call {
    expression: Arc<dyn PhysicalExpr>,
    field: FieldRef,
    /// The result, where every argument is constant.
    constant: Option<OnceLock<ScalarValue>>,
}

impl Call {
    fn evaluate(&self, slice: &RecordBatch) -> Result<ColumnarValue> {
        let Some(constant) = &self.constant else {
            return self.expression.evaluate(slice);
        };
        if let Some(known) = constant.get() {
            return Ok(ColumnarValue::Scalar(known.clone()));
        }
        let value = self
            .expression
            .evaluate(&slice.slice(0, 1))?
            .into_array(1)?;
        let value = ScalarValue::try_from_array(&value, 0)?;
        Ok(ColumnarValue::Scalar(
            constant.get_or_init(|| value).clone(),
        ))
    }
}

impl InferenceExec {
    /// Evaluates calls over `input`; none of them has another within.
    pub fn try_new(
        input: Arc<dyn ExecutionPlan>,
        expressions: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Self> {
        let mut fields: Vec<FieldRef> = input.schema().fields().iter().cloned().collect();
        let mut calls = Vec::with_capacity(expressions.len());
        for expression in expressions {
            let of = expression.return_field(&input.schema())?;
            let field = Arc::new(Field::new(
                expression.to_string(),
                of.data_type().clone(),
                true,
            ));
            fields.push(Arc::clone(&field));
            let is_constant = collect_columns(&expression).is_empty();
            calls.push(Call {
                expression,
                field,
                constant: is_constant.then(OnceLock::new),
            });
        }
        let schema = Arc::new(Schema::new_with_metadata(
            fields,
            input.schema().metadata().clone(),
        ));
        // Rows stay as they are, and so does what is known of their order.
        let orderings = input.equivalence_properties().oeq_class().iter().cloned();
        let equivalences = EquivalenceProperties::new_with_orderings(
            Arc::clone(&schema),
            orderings.collect::<Vec<_>>(),
        );
        let properties = PlanProperties::new(
            equivalences,
            input.output_partitioning().clone(),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Ok(Self {
            input,
            calls: calls.into(),
            schema,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// Returns the calls, in the order of their columns.
    pub fn calls(&self) -> impl Iterator<Item = &Arc<dyn PhysicalExpr>> {
        self.calls.iter().map(|call| &call.expression)
    }
}

impl DisplayAs for InferenceExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls: Vec<_> = self.calls().map(ToString::to_string).collect();
        write!(f, "InferenceExec: calls=[{}]", calls.join(", "))
    }
}

impl ExecutionPlan for InferenceExec {
    fn name(&self) -> &'static str {
        "InferenceExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn supports_limit_pushdown(&self) -> bool {
        true
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let mut recursion = TreeNodeRecursion::Continue;
        for call in self.calls() {
            recursion = recursion.visit_sibling(|| f(call))?;
        }
        Ok(recursion)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.len()) {
            (Some(input), 0) => Ok(Arc::new(Self::try_new(
                input,
                self.calls().cloned().collect(),
            )?)),
            (_, others) => internal_err!("InferenceExec: expected one child, found {}", others + 1),
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mode = ChildrenPropertiesMode::Recompute;
        self.replace_children(children, ReplaceChildrenOptions::new(mode))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let schema = Arc::clone(&self.schema);
        let calls = Arc::clone(&self.calls);
        let measured = Arc::new(Measured::new(&self.metrics, partition));
        let watch = Arc::new(CancelOnDrop(Watch::new()));
        let whole = context.session_config().get_extension::<WholeSlices>();
        let input = self.input.execute(partition, context)?;
        let mut next = whole.map_or(FIRST_SLICE, |_| LARGEST_SLICE);
        let slices = input
            .map_ok(move |batch| {
                let slices = cut(&batch, &mut next);
                stream::iter(slices.into_iter().map(Ok::<_, DataFusionError>))
            })
            .try_flatten();
        let results = slices
            .map(move |slice| {
                let (schema, calls) = (Arc::clone(&schema), Arc::clone(&calls));
                let (measured, watch) = (Arc::clone(&measured), Arc::clone(&watch));
                async move {
                    let slice = slice?;
                    let watched = watch.0.again();
                    let task = tokio::task::spawn_blocking(move || {
                        let evaluated = watched.during(|| evaluate(&slice, &schema, &calls));
                        (evaluated, watched)
                    });
                    let (evaluated, watched) =
                        task.await.map_err(|error| match error.try_into_panic() {
                            Ok(panic) => std::panic::resume_unwind(panic),
                            Err(error) => DataFusionError::ExecutionJoin(Box::new(error)),
                        })?;
                    let evaluated = evaluated?;
                    measured.add(watched.figures(), evaluated.num_rows());
                    Ok(evaluated)
                }
            })
            .buffered(SLICES_UNDER_WAY);
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            results,
        )))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// Cuts a batch into slices, each with twice the rows of the one before up to a bound; `next` is the size to go on with.
fn cut(batch: &RecordBatch, next: &mut usize) -> Vec<RecordBatch> {
    let mut slices = Vec::new();
    let mut start = 0;
    while start < batch.num_rows() {
        let rows = (*next).min(batch.num_rows() - start);
        slices.push(batch.slice(start, rows));
        start += rows;
        *next = (*next * 2).min(LARGEST_SLICE);
    }
    slices
}

fn evaluate(slice: &RecordBatch, schema: &SchemaRef, calls: &[Call]) -> Result<RecordBatch> {
    let mut columns = slice.columns().to_vec();
    for call in calls {
        let column = call.evaluate(slice)?.into_array(slice.num_rows())?;
        debug_assert_eq!(column.data_type(), call.field.data_type());
        columns.push(column);
    }
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// The figures of EXPLAIN ANALYZE.
#[derive(Debug)]
struct Measured {
    baseline: BaselineMetrics,
    distinct_texts: Count,
    tokens: Count,
    padded_tokens: Count,
    runs: Count,
    model_time: Time,
    waiting_time: Time,
}

impl Measured {
    fn new(metrics: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        let count = |name: &'static str| MetricBuilder::new(metrics).counter(name, partition);
        let time = |name: &'static str| MetricBuilder::new(metrics).subset_time(name, partition);
        Self {
            baseline: BaselineMetrics::new(metrics, partition),
            distinct_texts: count("distinct_texts"),
            tokens: count("tokens"),
            padded_tokens: count("padded_tokens"),
            runs: count("runs"),
            model_time: time("model_time"),
            waiting_time: time("waiting_time"),
        }
    }

    fn add(&self, figures: Figures, rows: usize) {
        self.baseline.record_output(rows);
        self.distinct_texts.add(figures.distinct_texts);
        self.tokens.add(figures.tokens);
        self.padded_tokens.add(figures.padded_tokens);
        self.runs.add(figures.runs);
        self.model_time.add_duration(figures.model_time);
        self.waiting_time.add_duration(figures.waiting_time);
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{ArrayRef, Int32Array};

    use super::*;

    #[test]
    fn slices_grow_and_hold_every_row_in_order() {
        let column: ArrayRef = Arc::new(Int32Array::from_iter_values(0..5000));
        let batch = RecordBatch::try_from_iter([("n", column)]).expect("a batch");
        let mut next = FIRST_SLICE;
        let slices = cut(&batch, &mut next);
        let rows: Vec<_> = slices.iter().map(RecordBatch::num_rows).collect();
        assert_eq!(rows, [32, 64, 128, 256, 512, 1024, 1024, 1024, 936]);
        assert_eq!(cut(&batch, &mut next)[0].num_rows(), LARGEST_SLICE);
        let whole = datafusion::arrow::compute::concat_batches(&batch.schema(), &slices);
        assert_eq!(whole.expect("slices of one batch"), batch);
    }
}
