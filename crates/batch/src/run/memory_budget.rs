//! Memory budget of batches under way: backpressure on readers, by a semaphore of bytes.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::job::ROW_FACTOR;

/// Bytes that one permit stands for.
const UNIT: usize = 1 << 12;

/// How many times its own bytes a batch may take while it is computed: tokens, copies, encoded results.
const FACTOR: usize = 8;

/// How many times its own bytes a page may take while it is read: as it is stored, and decompressed.
const PAGE_FACTOR: usize = 2;

/// Bounds the batches that are computed at once by their bytes.
#[derive(Debug)]
pub(super) struct MemoryBudget {
    permits: Semaphore,
    most: u32,
}

impl MemoryBudget {
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

    /// Waits until a batch of so many bytes fits beside the pages that it is read from; what is larger than all there is
    /// runs alone.
    pub(super) async fn reserve(&self, batch: usize, pages: usize) -> SemaphorePermit<'_> {
        let pages = pages.saturating_mul(PAGE_FACTOR);
        let wanted = batch.saturating_mul(FACTOR).saturating_add(pages);
        let wanted = wanted.div_ceil(UNIT);
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
        let budget = MemoryBudget::new(64 * UNIT);
        let half = budget.reserve(4 * UNIT, 0).await;
        let other = budget.reserve(2 * UNIT, 4 * UNIT).await;
        assert!(budget.permits.try_acquire_many(9).is_err());
        drop((half, other));
        let all = budget.reserve(usize::MAX / FACTOR, 0).await;
        assert!(budget.permits.try_acquire().is_err());
        drop(all);
    }
}
