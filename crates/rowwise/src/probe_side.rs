//! Holds a physical plan against what is known to work batch by batch.
//!
//! Joins keep one of their inputs for all executions, the build side: the source must be on the other one, the probe
//! side. Every operator between the root and the source is on the list here; what is not is refused by name.

use std::sync::Arc;

use datafusion::catalog::memory::{DataSourceExec, MemorySourceConfig};
use datafusion::common::{JoinType, Result};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, PartitionMode,
};
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};

use super::Refusal;
use super::check;
use super::source::SourceExec;
use lexstream_plan::{InferenceExec, WatchedExec};

type Plan = Arc<dyn ExecutionPlan>;

/// A plan that works batch by batch, and whether the source is in it.
pub(super) struct Placed {
    pub(super) plan: Plan,
    pub(super) reads_source: bool,
}

/// Returns a plan that works for any number of batches, or what in it does not.
pub(super) fn place(plan: Plan) -> Result<Result<Placed, Refusal>> {
    if plan.downcast_ref::<SourceExec>().is_some() {
        return Ok(Ok(Placed {
            plan,
            reads_source: true,
        }));
    }
    if is_empty(&plan) {
        return Ok(Ok(Placed {
            plan,
            reads_source: false,
        }));
    }
    let mut children = Vec::new();
    let mut reads = Vec::new();
    for child in plan.children() {
        match place(Arc::clone(child))? {
            Ok(placed) => {
                children.push(placed.plan);
                reads.push(placed.reads_source);
            }
            refused => return Ok(refused),
        }
    }
    if !reads.contains(&true) {
        if is_static(&plan) {
            return Ok(Ok(Placed {
                plan,
                reads_source: false,
            }));
        }
        return Ok(Err(unknown(&plan)));
    }
    let placed = if is_one_stream(&plan) {
        // All that stand on the way hand on their partitions, which are run one after another.
        children.swap_remove(0)
    } else {
        let plan = with_children(plan, children)?;
        match on_path(&plan, &reads)? {
            Ok(plan) => plan,
            Err(refusal) => return Ok(Err(refusal)),
        }
    };
    Ok(Ok(Placed {
        plan: placed,
        reads_source: true,
    }))
}

fn with_children(plan: Plan, children: Vec<Plan>) -> Result<Plan> {
    let mode = ChildrenPropertiesMode::Recompute;
    plan.replace_children(children, ReplaceChildrenOptions::new(mode))
}

/// Tells whether an operator only gathers partitions.
fn is_one_stream(plan: &Plan) -> bool {
    plan.downcast_ref::<CoalescePartitionsExec>().is_some()
        || plan.downcast_ref::<RepartitionExec>().is_some()
}

/// Tells whether an operator that has nothing to do with the source gives the same rows each time.
fn is_static(plan: &Plan) -> bool {
    if let Some(scan) = plan.downcast_ref::<DataSourceExec>() {
        return scan
            .data_source()
            .downcast_ref::<MemorySourceConfig>()
            .is_some();
    }
    plan.downcast_ref::<PlaceholderRowExec>().is_some() || is_of_rows(plan)
}

/// Tells whether an operator makes rows of each row of its input, whatever the others are.
fn is_of_rows(plan: &Plan) -> bool {
    plan.downcast_ref::<CooperativeExec>().is_some()
        || plan.downcast_ref::<FilterExec>().is_some()
        || plan.downcast_ref::<InferenceExec>().is_some()
        || plan.downcast_ref::<WatchedExec>().is_some()
        || plan.downcast_ref::<ProjectionExec>().is_some()
        || plan.downcast_ref::<UnnestExec>().is_some()
}

/// Returns an operator that has the source below, which works batch by batch.
fn on_path(plan: &Plan, reads: &[bool]) -> Result<Result<Plan, Refusal>> {
    if let Some(union) = plan.downcast_ref::<UnionExec>() {
        let mut parts = union.inputs().iter().zip(reads);
        let is_known = parts.all(|(part, reads)| *reads || is_empty(part));
        return Ok(is_known
            .then(|| Arc::clone(plan))
            .ok_or_else(|| unknown(plan)));
    }
    if is_of_rows(plan) {
        return Ok(Ok(Arc::clone(plan)));
    }
    let is_build = reads == [true, false];
    let is_probe = reads == [false, true];
    if !is_build && !is_probe {
        return Ok(Err(unknown(plan)));
    }
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        if join.null_aware {
            return Ok(Err(Refusal::new(
                "NOT IN",
                "NULL decides over all rows at once; write NOT EXISTS",
            )));
        }
        let probing = if is_build {
            join.join_type().swap()
        } else {
            *join.join_type()
        };
        if !gives_probe_rows(probing) {
            return Ok(Err(keeps_build(probing)));
        }
        return Ok(Ok(if is_build {
            join.swap_inputs(PartitionMode::CollectLeft)?
        } else {
            Arc::new(
                join.builder()
                    .with_partition_mode(PartitionMode::CollectLeft)
                    .build()?,
            )
        }));
    }
    if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>() {
        let probing = if is_build {
            join.join_type().swap()
        } else {
            *join.join_type()
        };
        if !gives_probe_rows(probing) {
            return Ok(Err(keeps_build(probing)));
        }
        return Ok(Ok(if is_build {
            join.swap_inputs()?
        } else {
            Arc::clone(plan)
        }));
    }
    if let Some(join) = plan.downcast_ref::<CrossJoinExec>() {
        return Ok(Ok(if is_build {
            join.swap_inputs()?
        } else {
            Arc::clone(plan)
        }));
    }
    Ok(Err(unknown(plan)))
}

/// Tells whether a join gives nothing for rows of its build side (the left one) that no row met.
fn gives_probe_rows(join: JoinType) -> bool {
    matches!(
        join,
        JoinType::Inner
            | JoinType::Right
            | JoinType::RightSemi
            | JoinType::RightAnti
            | JoinType::RightMark
    )
}

fn keeps_build(join: JoinType) -> Refusal {
    Refusal::new(
        check::name(join),
        "it keeps rows of the table that the source is joined with",
    )
}

fn unknown(plan: &Plan) -> Refusal {
    Refusal::new(plan.name(), "it is not known to work one batch at a time")
}

/// Returns the leaves of a plan that are the source.
pub(super) fn sources(plan: &Plan) -> Vec<&SourceExec> {
    let mut found: Vec<_> = plan.downcast_ref::<SourceExec>().into_iter().collect();
    for child in plan.children() {
        found.extend(sources(child));
    }
    found
}

/// Tells whether a plan gives no rows, as the optimiser has seen; the source is gone from it.
pub(super) fn is_empty(plan: &Plan) -> bool {
    let is_row_by_row = is_one_stream(plan) || is_of_rows(plan);
    match plan.children().as_slice() {
        [] => plan.downcast_ref::<EmptyExec>().is_some(),
        children => is_row_by_row && children.iter().all(|child| is_empty(child)),
    }
}
