//! `WatchedExec`: a query that is dropped cancels the calls of models that its operators make.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::{Stream, StreamExt};
use lexstream_columns::model::Watch;

/// Hands on its input's rows, with a watch over the calls of models that its input makes.
///
/// A call that nothing lifts, in GROUP BY or inside CASE, blocks the thread that polls its operator. One of these stands
/// above each such operator and sets the watch while it polls; one stands above the whole plan, polls in a task of its
/// own, so that it is dropped with the query though a call blocks, and then cancels the watch, which all of them share.
#[derive(Debug)]
pub struct WatchedExec {
    input: Arc<dyn ExecutionPlan>,
    /// Over the partitions that run, where this one is above the whole plan.
    query: Mutex<Weak<Query>>,
}

impl WatchedExec {
    /// Watches over `input`.
    pub fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        Self {
            input,
            query: Mutex::default(),
        }
    }

    /// Returns what the partitions of one execution share: operators below may work for several of them.
    fn query(&self) -> Arc<Query> {
        let mut query = self.query.lock().unwrap_or_else(PoisonError::into_inner);
        query.upgrade().unwrap_or_else(|| {
            let new = Arc::default();
            *query = Arc::downgrade(&new);
            new
        })
    }
}

impl DisplayAs for WatchedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WatchedExec")
    }
}

impl ExecutionPlan for WatchedExec {
    fn name(&self) -> &'static str {
        "WatchedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
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
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.len()) {
            (Some(input), 0) => Ok(Arc::new(Self::new(input))),
            (_, others) => internal_err!("WatchedExec: expected one child, found {}", others + 1),
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
        if let Some(watch) = context.session_config().get_extension::<Watch>() {
            let input = self.input.execute(partition, context)?;
            return Ok(Box::pin(Watched { input, watch }));
        }
        let query = self.query();
        let watch = Arc::clone(&query.watch);
        let input = self.input.execute(partition, watched(&context, &watch))?;
        let mut input = Watched { input, watch };
        let mut batches = RecordBatchReceiverStream::builder(self.input.schema(), 1);
        let sender = batches.tx();
        batches.spawn(async move {
            while let Some(batch) = input.next().await {
                if sender.send(batch).await.is_err() {
                    break;
                }
            }
            Ok(())
        });
        Ok(Box::pin(Waiting {
            batches: batches.build(),
            query,
            is_done: false,
        }))
    }
}

/// Returns a context through which operators below find the watch.
fn watched(context: &TaskContext, watch: &Arc<Watch>) -> Arc<TaskContext> {
    let config = context.session_config().clone();
    Arc::new(TaskContext::new(
        context.task_id(),
        context.session_id(),
        config.with_extension(Arc::clone(watch)),
        context.scalar_functions().clone(),
        context.higher_order_functions().clone(),
        context.aggregate_functions().clone(),
        context.window_functions().clone(),
        context.runtime_env(),
    ))
}

/// Partitions of one execution; the last one that is dropped cancels the watch where one was dropped before its end.
#[derive(Debug, Default)]
struct Query {
    watch: Arc<Watch>,
    is_left: AtomicBool,
}

impl Drop for Query {
    fn drop(&mut self) {
        if *self.is_left.get_mut() {
            self.watch.cancel();
        }
    }
}

/// Polls its input with the watch over it.
struct Watched {
    input: SendableRecordBatchStream,
    watch: Arc<Watch>,
}

impl Stream for Watched {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { input, watch } = &mut *self;
        watch.during(|| input.poll_next_unpin(cx))
    }
}

impl RecordBatchStream for Watched {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}

/// Waits for what a task polls.
struct Waiting {
    batches: SendableRecordBatchStream,
    query: Arc<Query>,
    is_done: bool,
}

impl Stream for Waiting {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.batches.poll_next_unpin(cx);
        self.is_done |= matches!(polled, Poll::Ready(None));
        polled
    }
}

impl RecordBatchStream for Waiting {
    fn schema(&self) -> SchemaRef {
        self.batches.schema()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.is_done {
            self.query.is_left.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{ArrayRef, Int32Array};
    use datafusion::datasource::memory::MemorySourceConfig;

    use super::*;

    #[tokio::test]
    async fn only_a_query_that_is_left_before_its_end_is_cancelled_and_only_as_a_whole() {
        let column: ArrayRef = Arc::new(Int32Array::from_iter_values(0..10));
        let batch = RecordBatch::try_from_iter([("n", column)]).expect("a batch");
        let partitions = [vec![batch.clone()], vec![batch.clone()]];
        let input = MemorySourceConfig::try_new_exec(&partitions, batch.schema(), None);
        let exec = WatchedExec::new(input.expect("two partitions"));
        let execute = |partition| exec.execute(partition, Arc::default()).expect("a stream");
        for (is_left, expected) in [(false, false), (true, true)] {
            let (mut first, mut second) = (execute(0), execute(1));
            let watch = Arc::clone(&exec.query().watch);
            assert_eq!(first.next().await.expect("a batch").expect("rows"), batch);
            if !is_left {
                assert!(first.next().await.is_none());
            }
            drop(first);
            assert!(!watch.is_cancelled(), "the other partition runs");
            while second.next().await.is_some() {}
            drop(second);
            assert_eq!(watch.is_cancelled(), expected);
        }
        assert!(
            !exec.query().watch.is_cancelled(),
            "the next execution is another"
        );
    }
}
