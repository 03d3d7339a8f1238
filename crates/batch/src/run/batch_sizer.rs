//! Adaptive batch size: how many rows are run at once, by the bytes of the results so far.

/// Rows that are run first, of which nobody knows yet what becomes.
const FIRST: usize = 16;

/// How many times more rows may be run than the time before.
const STEP: usize = 8;

/// Rows that are run at once, so that their results take no more memory than they may: a query may make much out of little.
#[derive(Debug)]
pub(super) struct BatchSizer {
    rows: usize,
    /// Bytes of results.
    most: usize,
}

impl BatchSizer {
    pub(super) fn new(most: usize) -> Self {
        Self { rows: FIRST, most }
    }

    /// Returns how many rows are to be run next, at most.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Takes notice of how many bytes became of some rows.
    pub(super) fn learn(&mut self, rows: usize, bytes: usize) {
        let of_row = (bytes / rows.max(1)).max(1);
        let most = self.rows.saturating_mul(STEP);
        self.rows = (self.most / of_row).clamp(1, most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_grow_until_their_results_are_as_large_as_they_may_be() {
        let mut sizer = BatchSizer::new(1000);
        let mut rows = Vec::new();
        for of_row in [1, 1, 1, 100, 5000, 0] {
            rows.push(sizer.rows());
            sizer.learn(sizer.rows(), sizer.rows() * of_row);
        }
        rows.push(sizer.rows());
        assert_eq!(rows, [16, 128, 1000, 1000, 10, 1, 8]);
    }
}
