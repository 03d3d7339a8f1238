//! The memory that batches under way may take together.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Bytes that one permit stands for.
const UNIT: usize = 1 << 12;

/// How many times its own bytes a batch may take while it is computed: tokens, copies, encoded results.
const FACTOR: usize = 8;

/// How many times its own bytes a single long text may take: keywords need the most.
const ROW_FACTOR: usize = 10;

/// Bounds the batches that are computed at once by their bytes.
#[derive(Debug)]
pub(super) struct Budget {
    permits: Semaphore,
    most: u32,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        let most = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).max(1);
        Self {
            permits: Semaphore::new((most as usize).min(Semaphore::MAX_PERMITS)),
            most,
        }
    }

    /// Returns the bytes that a single row of so many may take while it is computed.
    pub(super) fn of_row(bytes: usize) -> usize {
        bytes.saturating_mul(ROW_FACTOR)
    }

    /// Returns the bytes of the longest row that so much memory is enough for.
    pub(super) fn longest_row(memory: usize) -> usize {
        memory / ROW_FACTOR
    }

    /// Waits until a batch of so many bytes fits; one that is larger than all there is runs alone.
    pub(super) async fn take(&self, bytes: usize) -> SemaphorePermit<'_> {
        let wanted = bytes.saturating_mul(FACTOR).div_ceil(UNIT);
        let wanted = u32::try_from(wanted)
            .unwrap_or(u32::MAX)
            .clamp(1, self.most);
        let permit = self.permits.acquire_many(wanted).await;
        permit.expect("the semaphore is never closed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_fit_waits_and_what_is_too_large_runs_alone() {
        let budget = Budget::new(64 * UNIT);
        let half = budget.take(4 * UNIT).await;
        let other = budget.take(3 * UNIT).await;
        assert!(budget.permits.try_acquire_many(9).is_err());
        drop((half, other));
        let all = budget.take(usize::MAX / FACTOR).await;
        assert!(budget.permits.try_acquire().is_err());
        drop(all);
    }
}
