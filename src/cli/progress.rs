//! How far a query is.

use std::sync::Arc;

use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use indicatif::{HumanBytes, HumanCount};

use lexstream_models::progress::{Activities, Activity, Download, Training};

use super::progress_line::ProgressLine;

/// The progress line of a query: seconds, rows read, and a model that is being fetched.
pub(super) struct Progress {
    line: ProgressLine,
    plan: Option<Arc<dyn ExecutionPlan>>,
    activities: Arc<Activities>,
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
    pub(super) fn on_terminal(wanted: bool, activities: Arc<Activities>) -> Self {
        Self {
            line: ProgressLine::spinner(wanted),
            plan: None,
            activities,
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
            for activity in self.activities.now() {
                message.push_str(&described(&activity));
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

/// Returns what is under way as a part of the line.
fn described(activity: &Activity) -> String {
    match activity {
        Activity::Download(Download { file, done, total }) => {
            format!(" · {file}: {} of {}", HumanBytes(*done), HumanBytes(*total))
        }
        Activity::Training(training) => training_described(training),
    }
}

fn training_described(training: &Training) -> String {
    let rows = HumanCount(training.rows);
    let mut message = format!(" · {}: ", training.model);
    match &training.pass {
        Some(pass) => message.push_str(&format!(
            "pass {} of {}, {rows} of {} rows",
            pass.number,
            pass.of,
            HumanCount(pass.rows)
        )),
        None => message.push_str(&format!("{rows} rows read")),
    }
    if let Some(loss) = training.loss {
        message.push_str(&format!(", loss {loss:.4}"));
    }
    let elapsed = training.pass.as_ref().map(|pass| pass.started.elapsed());
    if let Some(left) = elapsed.and_then(|elapsed| training.left(elapsed)) {
        message.push_str(&format!(", {:.0} s left", left.as_secs_f64()));
    }
    message
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

    #[test]
    fn what_is_under_way_is_said_with_its_figures() {
        let activities = Arc::<Activities>::default();
        let progress = activities.begin("news");
        let said = || activities.now().iter().map(described).collect::<String>();
        progress.download("model.onnx", 1024, 2048);
        assert_eq!(said(), " · model.onnx: 1.00 KiB of 2.00 KiB");
        progress.rows(12_000);
        assert_eq!(said(), " · news: 12,000 rows read");
        progress.pass(2, 5, 40_000);
        progress.loss(2.345_67);
        // The first pass would have been in no time.
        assert_eq!(
            said(),
            " · news: pass 2 of 5, 0 of 40,000 rows, loss 2.3457, 0 s left"
        );
    }

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
