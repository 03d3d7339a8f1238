//! How far a query is.

use std::sync::Arc;

use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use indicatif::{HumanBytes, HumanCount};

use super::progress_line::ProgressLine;
use lexstream_models::{Transfer, Transfers};

/// The progress line of a query: seconds, rows read, and a model that is being fetched.
pub(super) struct Progress {
    line: ProgressLine,
    plan: Option<Arc<dyn ExecutionPlan>>,
    transfers: Arc<Transfers>,
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress")
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

impl Progress {
    /// Returns a line that appears after a second, if it is wanted and standard error is a terminal.
    pub(super) fn on_terminal(wanted: bool, transfers: Arc<Transfers>) -> Self {
        Self {
            line: ProgressLine::spinner(wanted),
            plan: None,
            transfers,
        }
    }

    /// Reads the figures of a query's plan from now on.
    pub(super) fn follow(&mut self, plan: Arc<dyn ExecutionPlan>) {
        self.plan = Some(plan);
    }

    /// Draws the line as things stand.
    pub(super) fn draw(&mut self) {
        let elapsed = self.line.elapsed();
        self.line.draw(|| {
            let mut message = format!("{:.0} s", elapsed.as_secs_f64());
            if let Some(read) = self.plan.as_ref().map(Read::so_far) {
                read.describe(&mut message);
            }
            if let Some(Transfer { file, done, total }) = self.transfers.now() {
                let (done, total) = (HumanBytes(done), HumanBytes(total));
                message.push_str(&format!(" · {file}: {done} of {total}"));
            }
            (0.0, message)
        });
    }

    /// Takes the line away while `print` writes to the same terminal.
    pub(super) fn hidden_while<T>(&self, print: impl FnOnce() -> T) -> T {
        self.line.hidden_while(print)
    }

    /// Takes the line away for good.
    pub(super) fn clear(&mut self) {
        self.line.clear();
    }
}

/// What the leaves of a plan have read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Read {
    rows: usize,
    bytes: usize,
}

impl Read {
    fn so_far(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let mut read = Self::default();
        read.add(plan);
        read
    }

    fn add(&mut self, plan: &Arc<dyn ExecutionPlan>) {
        let children = plan.children();
        if children.is_empty() && plan.output_partitioning().partition_count() > 0 {
            let metrics = plan.metrics().unwrap_or_default();
            self.rows += metrics.output_rows().unwrap_or(0);
            self.bytes += metrics
                .sum_by_name("bytes_scanned")
                .map_or(0, |bytes| bytes.as_usize());
        }
        children.into_iter().for_each(|child| self.add(child));
    }

    fn describe(&self, message: &mut String) {
        if self.rows > 0 {
            message.push_str(&format!(" · {} rows read", HumanCount(self.rows as u64)));
        }
        if self.bytes > 0 {
            message.push_str(&format!(" · {}", HumanBytes(self.bytes as u64)));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn the_rows_that_a_plan_read_are_counted_at_its_leaves() {
        let engine = crate::builder()
            .target_partitions(1)
            .build()
            .expect("engine");
        let query = "SELECT count(*) FROM generate_series(1, 1000) AS t(n) WHERE n % 2 = 0";
        let frame = engine.sql(query).await.expect("plan");
        let context = Arc::new(frame.task_ctx());
        let plan = frame.create_physical_plan().await.expect("physical plan");
        let before = Read::so_far(&plan);
        let rows =
            datafusion::physical_plan::execute_stream(Arc::clone(&plan), context).expect("stream");
        rows.try_collect::<Vec<_>>().await.expect("rows");
        assert_eq!((before.rows, Read::so_far(&plan).rows), (0, 1000));
        let mut message = String::new();
        Read {
            rows: 12_000,
            bytes: 2048,
        }
        .describe(&mut message);
        assert_eq!(message, " · 12,000 rows read · 2.00 KiB");
    }
}
