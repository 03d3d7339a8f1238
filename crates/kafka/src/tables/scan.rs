//! Reads ranges of topics: a leaf of plans.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, exec_err, internal_err};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning,
    PlanProperties, ReplaceChildrenOptions,
};
use futures::stream;
use tokio::sync::mpsc;

use super::read_group::{ReadGroup, Sent};
use super::row_reader::RowReader;
use crate::{PartitionRange, TopicOptions};

/// How many batches wait for whoever asks.
const BATCHES_WAITING: usize = 2;

/// Reads ranges of topics, several partitions of a topic on one thread of their own.
#[derive(Debug)]
pub(super) struct KafkaScanExec {
    options: Arc<TopicOptions>,
    reader: Arc<RowReader>,
    /// What each partition of the plan reads, by topic and partition.
    groups: Vec<Arc<[PartitionRange]>>,
    /// How many rows are enough.
    limit: Option<usize>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl KafkaScanExec {
    pub(super) fn new(
        options: Arc<TopicOptions>,
        reader: RowReader,
        ranges: Vec<PartitionRange>,
        partitions: usize,
        limit: Option<usize>,
    ) -> Self {
        let groups = shared_out(ranges, partitions);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(reader.schema())),
            Partitioning::UnknownPartitioning(groups.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            options,
            reader: Arc::new(reader),
            groups,
            limit,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    fn rows(&self) -> &SchemaRef {
        self.reader.schema()
    }
}

/// Shares ranges out among at most so many groups, large ones first; within a group they are in order.
fn shared_out(mut ranges: Vec<PartitionRange>, groups: usize) -> Vec<Arc<[PartitionRange]>> {
    let length = |range: &PartitionRange| range.end.saturating_sub(range.first);
    ranges.sort_by_key(|range| std::cmp::Reverse(length(range)));
    let mut shared: Vec<(i64, Vec<PartitionRange>)> = Vec::new();
    shared.resize_with(groups.min(ranges.len()).max(1), Default::default);
    for range in ranges {
        let smallest = shared.iter_mut().min_by_key(|(length, _)| *length);
        let (total, group) = smallest.expect("there is one group at least");
        *total = total.saturating_add(length(&range));
        group.push(range);
    }
    let ordered = shared.into_iter().map(|(_, mut group)| {
        group.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        group.into()
    });
    ordered.collect()
}

impl DisplayAs for KafkaScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.rows().fields().iter();
        let fields: Vec<_> = fields.map(|field| field.name().as_str()).collect();
        write!(
            f,
            "KafkaScanExec: columns=[{}], ranges={{",
            fields.join(", ")
        )?;
        for (at, group) in self.groups.iter().enumerate() {
            let ranges: Vec<_> = group.iter().map(ToString::to_string).collect();
            let comma = if at > 0 { ", " } else { "" };
            write!(f, "{comma}[{}]", ranges.join(", "))?;
        }
        f.write_str("}")?;
        match self.limit {
            Some(limit) => write!(f, ", limit={limit}"),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for KafkaScanExec {
    fn name(&self) -> &'static str {
        "KafkaScanExec"
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
        internal_err!("KafkaScanExec: expected no child, found {}", children.len())
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mode = ChildrenPropertiesMode::Recompute;
        self.replace_children(children, ReplaceChildrenOptions::new(mode))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let Some(group) = self.groups.get(partition) else {
            return internal_err!("KafkaScanExec: no partition {partition}");
        };
        let (sender, receiver) = mpsc::channel(BATCHES_WAITING);
        let group = ReadGroup::new(
            Arc::clone(&self.options),
            Arc::clone(&self.reader),
            Arc::clone(group),
            self.limit,
            context.session_config().batch_size(),
            &self.metrics,
            partition,
        );
        // Polling blocks, and so may the end of a consumer: never on a thread of Tokio's.
        let thread = std::thread::Builder::new().name(format!("kafka-read-{partition}"));
        thread.spawn(move || group.run(&sender))?;
        Ok(received(Arc::clone(self.rows()), receiver))
    }
}

/// Hands on what the thread sends; a thread that ends without saying so was not done.
fn received(
    schema: SchemaRef,
    receiver: mpsc::Receiver<Result<Sent, DataFusionError>>,
) -> std::pin::Pin<Box<dyn RecordBatchStream + Send>> {
    let batches = stream::unfold(Some(receiver), |receiver| async {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Ok(Sent::Batch(batch))) => Some((Ok(batch), Some(receiver))),
            Some(Ok(Sent::End)) => None,
            Some(Err(error)) => Some((Err(error), None)),
            None => Some((
                exec_err!("the thread that reads the topic ended early"),
                None,
            )),
        }
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(topic: &str, partition: i32, end: i64) -> PartitionRange {
        PartitionRange {
            topic: topic.into(),
            partition,
            first: 0,
            end,
        }
    }

    fn check(ranges: Vec<PartitionRange>, groups: usize, expected: &[&[&str]]) {
        let shared = shared_out(ranges, groups);
        let shown: Vec<Vec<_>> = shared
            .iter()
            .map(|group| group.iter().map(ToString::to_string).collect())
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn ranges_are_shared_out_evenly_and_in_order() {
        let ranges = || {
            vec![
                range("t", 0, 5),
                range("t", 1, 9),
                range("t", 2, 5),
                range("a", 0, 1),
            ]
        };
        check(
            ranges(),
            2,
            &[&["a[0]@0..1", "t[1]@0..9"], &["t[0]@0..5", "t[2]@0..5"]],
        );
        check(
            ranges(),
            1,
            &[&["a[0]@0..1", "t[0]@0..5", "t[1]@0..9", "t[2]@0..5"]],
        );
        check(vec![range("t", 0, 5)], 8, &[&["t[0]@0..5"]]);
        check(vec![], 8, &[&[]]);
    }
}
