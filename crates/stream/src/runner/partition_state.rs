//! How far the loop has come in a partition.

use std::time::Instant;

use crate::source::Position;

/// How far the loop has come in a partition: `durable` ≤ `written` ≤ `next`.
#[derive(Debug, Clone)]
pub(super) struct PartitionState {
    /// Everything before this offset is durable.
    pub(super) durable: i64,
    /// Whether a process that takes over begins at `durable`.
    pub(super) is_committed: bool,
    /// Everything before this offset has been written.
    pub(super) written: i64,
    /// Since when something is written and not durable.
    pub(super) unflushed_since: Option<Instant>,
    /// The offset that is read next.
    pub(super) next: i64,
    /// Whether everything up to the partition's end has been read.
    pub(super) is_at_end: bool,
}

impl PartitionState {
    pub(super) fn new(start: Position) -> Self {
        Self {
            durable: start.offset,
            is_committed: start.is_committed,
            written: start.offset,
            unflushed_since: None,
            next: start.offset,
            is_at_end: false,
        }
    }

    pub(super) fn position(&self) -> Position {
        Position {
            offset: self.durable,
            is_committed: self.is_committed,
        }
    }

    /// Notes that everything before an offset is written.
    pub(super) fn wrote(&mut self, offset: i64) {
        self.written = offset;
        if self.written > self.durable {
            self.unflushed_since.get_or_insert_with(Instant::now);
        }
    }

    /// Notes that everything before an offset is durable.
    pub(super) fn committed(&mut self, offset: i64) {
        self.durable = offset;
        self.is_committed = true;
        if self.written <= self.durable {
            self.unflushed_since = None;
        }
    }

    /// Goes back to what is durable.
    pub(super) fn rewind(&mut self) {
        *self = Self::new(self.position());
    }
}
