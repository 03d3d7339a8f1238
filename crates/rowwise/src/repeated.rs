//! One physical plan, executed again and again.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::reset_plan_states;

/// After how many executions a plan is made anew: each one adds to its metrics, some 5 kB.
pub(super) const EXECUTIONS: usize = 1000;

/// A plan that is executed again and again, in steady memory.
///
/// Executing adds to a plan's metrics, so it is replaced after some executions by the same plan without any; those that
/// are under way go on with the plan that they have. The tables of its joins are built anew by the next execution.
#[derive(Debug)]
pub(super) struct Repeated {
    every: usize,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    plan: Arc<dyn ExecutionPlan>,
    executions: usize,
}

impl Repeated {
    /// Replaces `plan` after every so many executions.
    pub(super) fn new(plan: Arc<dyn ExecutionPlan>, every: usize) -> Self {
        Self {
            every,
            current: Mutex::new(Current {
                plan,
                executions: 0,
            }),
        }
    }

    /// Returns the plan for one execution.
    pub(super) fn next(&self) -> Result<Arc<dyn ExecutionPlan>> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.executions == self.every {
            current.plan = reset_plan_states(Arc::clone(&current.plan))?;
            current.executions = 0;
        }
        current.executions += 1;
        Ok(Arc::clone(&current.plan))
    }

    /// Returns the plan as it is, for showing it.
    pub(super) fn shown(&self) -> Arc<dyn ExecutionPlan> {
        Arc::clone(
            &self
                .current
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .plan,
        )
    }
}
