//! One plan for many batches: several at a time, in steady memory.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::TableReference;
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::{batches, docs, planned, register, rowwise, session, with_origins, words};
use crate::Rowwise;

const JOIN: &str = "SELECT d.id, w.word FROM docs d JOIN words w ON d.n = w.n WHERE d.n > 1";

/// Returns what a run of a batch gives, as text.
async fn given(rowwise: &Rowwise, batch: RecordBatch) -> Vec<(u32, String)> {
    with_origins(&rowwise.run(batch).await.expect("an outcome").outputs[0])
}

async fn check_at_once() {
    let rowwise = Arc::new(rowwise(&session(), &[JOIN]).await.expect("row by row"));
    let batches = batches(&rowwise, &docs(), &[1, 2, 1, 0, 3]);
    let mut expected = Vec::new();
    for batch in &batches {
        expected.push(given(&rowwise, batch.clone()).await);
    }
    assert!(expected.iter().any(|rows| !rows.is_empty()));
    let mut runs = Vec::new();
    for round in 0..200 {
        let (rowwise, at) = (Arc::clone(&rowwise), round % batches.len());
        let batch = batches[at].clone();
        runs.push((
            at,
            tokio::spawn(async move { given(&rowwise, batch).await }),
        ));
    }
    for (at, run) in runs {
        assert_eq!(run.await.expect("a run"), expected[at]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn runs_on_many_threads_do_not_meet() {
    check_at_once().await;
}

#[tokio::test(flavor = "current_thread")]
async fn runs_on_one_thread_do_not_meet() {
    check_at_once().await;
}

#[tokio::test]
async fn a_run_that_is_dropped_leaves_the_others_alone() {
    let rowwise = rowwise(&session(), &[JOIN]).await.expect("row by row");
    let batch = batches(&rowwise, &docs(), &[]).remove(0);
    let expected = given(&rowwise, batch.clone()).await;
    for _ in 0..20 {
        let mut run = Box::pin(rowwise.run(batch.clone()));
        let _ = futures::poll!(&mut run);
        drop(run);
        assert_eq!(given(&rowwise, batch.clone()).await, expected);
    }
}

/// Returns how many figures a plan has gathered.
fn figures(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let own = plan.metrics().map_or(0, |metrics| metrics.iter().count());
    own + plan.children().into_iter().map(figures).sum::<usize>()
}

/// Runs batches of no row, and after every hundred one with rows; returns the figures and the memory that is reserved.
async fn after(runs: usize, every: usize) -> (usize, usize) {
    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(1 << 30));
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::clone(&pool));
    let runtime = runtime.build_arc().expect("a runtime");
    let context = SessionContext::new_with_config_rt(SessionConfig::new(), runtime);
    register(&context, "docs", docs());
    register(&context, "words", words(&[Some(2), Some(3)]));
    let plan = planned(&context, JOIN).await;
    let source = TableReference::bare("docs");
    let rowwise = Rowwise::with_resets(&context, &source, vec![plan], every)
        .await
        .expect("row by row");
    let rows = batches(&rowwise, &docs(), &[]).remove(0);
    let nothing = rows.slice(0, 0);
    for run in 0..runs {
        let batch = if run % 100 == 0 { &rows } else { &nothing };
        let found = given(&rowwise, batch.clone()).await.len();
        // The numbers above 1 that have a word are 2, 3 and 2.
        assert_eq!(found, if run % 100 == 0 { 3 } else { 0 });
    }
    let plan = rowwise.queries[0].plan.shown();
    (figures(&plan), pool.reserved())
}

#[tokio::test]
async fn many_batches_leave_nothing_behind() {
    let (few, reserved) = after(100, 1000).await;
    let (many, reserved_after_many) = after(RUNS, 1000).await;
    assert!(few > 100 && many <= 11 * few, "{few} and {many}");
    assert_eq!(reserved_after_many, reserved);
    // Without new plans they would grow with the runs.
    let (kept, _) = after(2000, usize::MAX).await;
    assert!(kept > 15 * few, "{few} and {kept}");
}

const RUNS: usize = 100_000;
