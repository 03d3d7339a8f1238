//! Progress of a job.

use std::ops::AddAssign;

use crate::busy_times::BusyTimes;
use crate::row_counts::RowCounts;

/// How far a job is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// What became of the rows of all units that are finished, before and now.
    pub counts: RowCounts,
    /// Rows of the units that this process has finished.
    pub rows_now: u64,
    /// Rows of units that are not finished yet, and are done already.
    pub rows_under_way: u64,
    /// What this process's workers were busy with, in units that are finished.
    pub times: BusyTimes,
    /// Units in all.
    pub units: usize,
    /// Units that were finished when this process began.
    pub units_before: usize,
    /// Units that this process has finished.
    pub units_now: usize,
    /// Units that other processes have finished meanwhile.
    pub units_by_others: usize,
    /// Bytes of the inputs.
    pub bytes: u64,
    /// Bytes of the inputs of units that are finished.
    pub bytes_finished: u64,
    /// Bytes of the inputs of units that this process has finished.
    pub bytes_finished_now: u64,
    /// Bytes of the inputs of units that this process has finished or has under way.
    pub bytes_now: u64,
}

impl Progress {
    /// Returns how many units are finished, whoever did it.
    pub fn finished(&self) -> usize {
        self.units_before + self.units_now + self.units_by_others
    }

    /// Counts a unit that is finished: by us, in some time, or by another process.
    pub(super) fn count(&mut self, bytes: u64, counts: RowCounts, ours: Option<BusyTimes>) {
        self.counts += counts;
        self.bytes_finished += bytes;
        match ours {
            Some(times) => {
                self.times += times;
                self.units_now += 1;
                self.rows_now += counts.rows;
                self.bytes_finished_now += bytes;
            }
            None => self.units_by_others += 1,
        }
    }
}

impl AddAssign for Progress {
    fn add_assign(&mut self, other: Self) {
        self.counts += other.counts;
        self.rows_now += other.rows_now;
        self.rows_under_way += other.rows_under_way;
        self.times += other.times;
        self.units += other.units;
        self.units_before += other.units_before;
        self.units_now += other.units_now;
        self.units_by_others += other.units_by_others;
        self.bytes += other.bytes;
        self.bytes_finished += other.bytes_finished;
        self.bytes_finished_now += other.bytes_finished_now;
        self.bytes_now += other.bytes_now;
    }
}
