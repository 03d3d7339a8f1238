//! Row counts of a unit or a job: passed, failed, filtered.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Row counts of a unit, or of a job: `rows` = `passed` + `failed` + `filtered`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Rows of the input.
    pub rows: u64,
    /// Those that gave at least one row of an output.
    pub passed: u64,
    /// Those that failed, or could not be read.
    pub failed: u64,
    /// Those that the queries left out.
    pub filtered: u64,
    /// Rows of all outputs.
    pub rows_out: u64,
    /// Inputs of which nobody knows how many rows they have: they can't be read.
    pub unreadable: u64,
}

impl AddAssign for RowCounts {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.passed += other.passed;
        self.failed += other.failed;
        self.filtered += other.filtered;
        self.rows_out += other.rows_out;
        self.unreadable += other.unreadable;
    }
}
